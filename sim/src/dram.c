/* SPDX-License-Identifier: MIT */
#include "dram.h"

#include <string.h>

void dram_init(struct dram *d, const struct iau_dev_host *host, const struct iau_dev_timing *t)
{
	memset(d, 0, sizeof(*d));
	d->t = *t;
	d->host = *host;
	d->current = -1;
	d->random = t->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* xorshift64 (Marsaglia 2003) */
static uint32_t jitter(struct dram *d)
{
	if (!d->t.jitter)
		return 0;
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return (uint32_t)(d->random >> 32) % (d->t.jitter + 1);
}

static bool bus_ready(const struct dram *d)
{
	if (d->t.refresh_every && d->since_refresh < d->t.refresh_cycles)
		return false;
	return d->credit >= 64;
}

/* Of those that are ready the first; of those the first that is urgent, if there is one. */
static int next_burst(const struct dram *d)
{
	int first = -1;

	for (unsigned int i = 0; i < d->n; i++) {
		if (d->burst[i].ready_at > d->now)
			continue;
		if (d->burst[i].urgent)
			return (int)i;
		if (first < 0)
			first = (int)i;
	}
	return first;
}

bool dram_offer(struct dram *d, unsigned int *id, uint8_t *data, bool *err)
{
	const struct dram_burst *b;
	const uint8_t *p;

	if (!d->n || !bus_ready(d) || d->write_waits)
		return false;
	if (d->current < 0)
		d->current = next_burst(d);
	if (d->current < 0)
		return false;
	b = &d->burst[d->current];
	p = d->host.map(d->host.opaque, b->addr, 64, false);
	*id = b->id;
	*err = !p;
	if (p)
		memcpy(data, p, 64);
	else
		memset(data, 0, 64);
	return true;
}

bool dram_can_read(const struct dram *d)
{
	return d->n < DRAM_BURSTS;
}

bool dram_can_write(const struct dram *d, bool offering)
{
	return !offering && bus_ready(d) && d->w_count < DRAM_WRITES;
}

bool dram_answer(const struct dram *d, bool *err)
{
	*err = d->answer_err[d->w_first];
	return d->w_count && d->answer_at[d->w_first] <= d->now;
}

void dram_accept(struct dram *d)
{
	struct dram_burst *b = &d->burst[d->current];

	d->credit -= 64;
	b->addr += 64;
	if (--b->beats)
		return;
	memmove(b, b + 1, (d->n - (unsigned int)d->current - 1) * sizeof(*b));
	d->n--;
	d->current = -1;
}

void dram_read(struct dram *d, unsigned int id, uint64_t addr, unsigned int beats, bool urgent)
{
	uint64_t at = d->now + d->t.latency + jitter(d);

	for (unsigned int i = 0; i < d->n; i++)
		if (d->burst[i].id == id && d->burst[i].ready_at > at)
			at = d->burst[i].ready_at;
	d->burst[d->n++] = (struct dram_burst){ .addr = addr, .ready_at = at, .id = id, .beats = beats,
					     .urgent = urgent };
}

void dram_write(struct dram *d, uint64_t addr, const uint8_t *data, uint64_t strobe)
{
	unsigned int slot = (d->w_first + d->w_count) % DRAM_WRITES;
	uint8_t *p = d->host.map(d->host.opaque, addr, 64, true);

	for (unsigned int i = 0; p && i < 64; i++)
		if (strobe >> i & 1)
			p[i] = data[i];
	d->credit -= 64;
	d->answer_at[slot] = d->now + d->t.latency;
	d->answer_err[slot] = !p;
	d->w_count++;
	d->write_waits = false;
}

void dram_answered(struct dram *d)
{
	d->w_first = (d->w_first + 1) % DRAM_WRITES;
	d->w_count--;
}

void dram_tick(struct dram *d)
{
	d->now++;
	if (++d->since_refresh == d->t.refresh_every)
		d->since_refresh = 0;
	d->credit += d->t.bytes_per_cycle;
	if (d->credit > 64 + d->t.bytes_per_cycle)
		d->credit = 64 + d->t.bytes_per_cycle;
}
