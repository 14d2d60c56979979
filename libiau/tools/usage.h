/* SPDX-License-Identifier: MIT */
/* Who uses which card, as the kernel tells it: fdinfo of all processes, sysfs, performance counters. */
#ifndef IAU_TOOLS_USAGE_H
#define IAU_TOOLS_USAGE_H

#include "iau/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An open file of a card's node */
struct usage_client {
	char pdev[32];
	uint64_t id; /* tells it from others of the card */
	int pid;
	char comm[17];
	uint64_t busy_ns, jobs, queues, vms;
	uint64_t total, resident, active; /* bytes of memory */
};

/* A process whose models have KV caches, on a card or not */
struct usage_kv {
	int pid;
	char comm[17];
	struct iau_kv_usage kv;
};

struct usage_card {
	char node[32], pdev[32];
	char power[16]; /* as runtime_status in sysfs, or "" */
	int fd;		/* with a session of counters, or -1 */
	uint32_t perf;
	bool counters_known;
	uint64_t time_ns;
	uint64_t counter[32];
};

struct usage {
	uint64_t time_ns;
	struct usage_client *client;
	size_t clients;
	struct usage_kv *kv;
	size_t kvs;
};

/* Cards of the driver; those whose counters may be read get a session. Returns their number. */
size_t usage_cards(struct usage_card *card, size_t max);
void usage_cards_close(struct usage_card *card, size_t n);
/* Counters since the session was opened, and whether it sleeps. */
void usage_card_read(struct usage_card *card);

/* What all clients have used so far; 0 or -errno. */
int usage_sample(struct usage *out);
void usage_free(struct usage *u);
/* The client of NOW in OLD, or NULL if it is new. */
const struct usage_client *usage_before(const struct usage *old, const struct usage_client *now);
/* What process PID's models had, or zeros */
struct iau_kv_usage usage_kv_before(const struct usage *old, int pid);

#endif
