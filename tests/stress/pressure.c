/* SPDX-License-Identifier: MIT */
/*
 * KV caches under pressure: clients fill some, somebody else wants more memory than there is, and each
 * page must hold what was written to it last, whether the client looks or the device.
 *
 *   pressure SEED CLIENTS MIB HOG_MIB ROUNDS     MIB for each client; needs swap
 */
#define _GNU_SOURCE
#include "client.h"
#include "must.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KV_VA	0x40000000ull
#define LOOKS	64	/* pages in a round, by client and device each */

struct cache {
	struct client c;
	uint32_t *seen;		/* by the client */
	uint32_t *value;	/* of each page: what its words start from */
	uint64_t pages;
};

static void fill(uint32_t *words, uint32_t value)
{
	for (uint32_t i = 0; i < WORDS; i++)
		words[i] = value + i;
}

static void check(const char *who, const struct cache *k, uint64_t page, const uint32_t *words)
{
	for (uint32_t i = 0; i < WORDS; i++) {
		if (words[i] == k->value[page] + i)
			continue;
		fprintf(stderr, "pressure: page %llu, word %u: %s has %#x instead of %#x\n",
			(unsigned long long)page, i, who, words[i], k->value[page] + i);
		exit(1);
	}
}

static void rewrite(struct cache *k, uint64_t page)
{
	k->value[page] = below(1u << 31);
	fill(k->seen + page * WORDS, k->value[page]);
}

static void open_cache(struct cache *k, uint64_t mib)
{
	uint64_t bytes = mib << 20;
	uint32_t kv;

	k->pages = bytes / PAGE;
	k->value = calloc(k->pages, sizeof(*k->value));
	must("memory", k->value ? 0 : -ENOMEM);
	must("open", client_open(&k->c));
	must("prepare", copy_prepare(&k->c));
	must("kv_create", kv_create(k->c.fd, k->c.vm, bytes, &kv));
	must("bind", bind(&k->c, DRM_IAU_BIND_WRITE, kv, 0, KV_VA, bytes));
	must("commit", kv_commit(k->c.fd, kv, 0, 0, bytes, NULL));
	k->seen = bo_map(k->c.fd, kv, bytes);
	must("map", k->seen ? 0 : -errno);
	for (uint64_t i = 0; i < k->pages; i++)
		rewrite(k, i);
}

/* Pages of one client: first as it sees them itself, half of which it changes, then as its device does */
static void look(struct cache *k)
{
	struct client *c = &k->c;

	for (int i = 0; i < LOOKS; i++) {
		uint64_t page = below(k->pages);

		check("the client", k, page, k->seen + page * WORDS);
		if (below(2))
			rewrite(k, page);
	}
	for (int i = 0; i < LOOKS; i++) {
		uint64_t page = below(k->pages), va = KV_VA + page * PAGE;

		must("a job that reads", copy_between(c, va, DST_VA));
		check("the device", k, page, c->dst);
		fill(c->src, k->value[page] = below(1u << 31));
		must("a job that writes", copy_between(c, SRC_VA, va));
	}
}

/* Another process has MIB, each page of it different, and goes. */
static void want_memory(uint64_t mib)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		uint64_t bytes = mib << 20;
		uint64_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must("mmap", p == MAP_FAILED ? -errno : 0);
		for (uint64_t i = 0; i < bytes / 8; i += PAGE / 8)
			p[i] = i + 1;
		_exit(0);
	}
	must("fork", pid < 0 ? -errno : 0);
	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "pressure: the process that wanted memory had none\n");
		exit(1);
	}
}

static unsigned long long swapped_out(void)
{
	unsigned long long n = 0;
	char line[128];
	FILE *f = fopen("/proc/vmstat", "r");

	must("/proc/vmstat", f ? 0 : -errno);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "pswpout %llu", &n) == 1)
			break;
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long long before = swapped_out();
	struct cache *caches;
	int clients, rounds;

	if (argc != 6) {
		fprintf(stderr, "usage: pressure SEED CLIENTS MIB HOG_MIB ROUNDS\n");
		return 2;
	}
	random_seed(strtoull(argv[1], NULL, 0));
	clients = atoi(argv[2]);
	rounds = atoi(argv[5]);
	caches = calloc(clients, sizeof(*caches));
	must("memory", caches ? 0 : -ENOMEM);
	for (int i = 0; i < clients; i++)
		open_cache(&caches[i], strtoull(argv[3], NULL, 0));
	for (int round = 0; round < rounds; round++) {
		want_memory(strtoull(argv[4], NULL, 0));
		look(&caches[below(clients)]);
	}
	for (int i = 0; i < clients; i++)
		for (uint64_t page = 0; page < caches[i].pages; page++)
			check("at the end the client", &caches[i], page, caches[i].seen + page * WORDS);
	printf("pressure seed %s rounds %d swapped_mib %llu\n", argv[1], rounds,
	       (swapped_out() - before) * PAGE >> 20);
	return 0;
}
