/* SPDX-License-Identifier: MIT */
/*
 * The memory behind the device's port: every burst waits a latency plus jitter, then its beats use
 * a bus shared with the writes; the bus pauses for refresh. Answers of different ids may overtake
 * each other, those of one id do not; of what is ready, urgent bursts go first (AXI calls it QoS).
 */
#ifndef IAU_DRAM_H
#define IAU_DRAM_H

#include "iau_dev.h"

#define DRAM_BURSTS 64
#define DRAM_WRITES 256

struct dram_burst {
	uint64_t addr, ready_at;
	unsigned int id, beats;
	bool urgent; /* its beats go before those of others that are ready, but not into a burst */
};

struct dram {
	struct iau_dev_timing t;
	struct iau_dev_host host;
	uint64_t now, credit, random;
	uint64_t since_refresh; /* that began: NOW modulo its interval */
	struct dram_burst burst[DRAM_BURSTS];
	unsigned int n; /* bursts, oldest first */
	int current;	/* the burst whose beats are on the bus, or -1 */
	uint64_t answer_at[DRAM_WRITES];
	bool answer_err[DRAM_WRITES];
	unsigned int w_first, w_count;
	bool write_waits;
};

void dram_init(struct dram *d, const struct iau_dev_host *host, const struct iau_dev_timing *t);

/* At the start of a cycle: the beat offered, if any. DATA holds 64 bytes. */
bool dram_offer(struct dram *d, unsigned int *id, uint8_t *data, bool *err);
bool dram_can_read(const struct dram *d);
/* True if a write is taken in a cycle that offers (or does not offer) a beat. */
bool dram_can_write(const struct dram *d, bool offering);
bool dram_answer(const struct dram *d, bool *err);

/* At its end: what happened. */
void dram_accept(struct dram *d);
void dram_read(struct dram *d, unsigned int id, uint64_t addr, unsigned int beats, bool urgent);
void dram_write(struct dram *d, uint64_t addr, const uint8_t *data, uint64_t strobe);
void dram_answered(struct dram *d);
void dram_tick(struct dram *d);

#endif
