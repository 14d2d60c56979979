/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool inject_by_job(const struct inject *in)
{
	return in->plan.corrupt_record.first || in->plan.stall_job || in->plan.stall_tags ||
	       in->plan.die_after || in->plan.vanish_after;
}

static bool is_time(struct inject_when when, uint64_t count)
{
	if (!when.first || count < when.first)
		return false;
	return when.every ? (count - when.first) % when.every == 0 : count == when.first;
}

unsigned int inject_irq(struct inject *in)
{
	in->irqs++;
	if (is_time(in->plan.drop_irq, in->irqs))
		return 0;
	return is_time(in->plan.repeat_irq, in->irqs) ? 2 : 1;
}

/* The descriptor of a job of queue Q; false if there is none in memory. */
static bool descriptor(const struct shadow *regs, unsigned int q, uint32_t job,
		       const struct dma *dma, uint32_t desc[16])
{
	uint64_t ring = shadow_queue(regs, q, IAU_QREG_BASE_LO) |
			(uint64_t)shadow_queue(regs, q, IAU_QREG_BASE_HI) << 32;
	uint32_t entry = job & ((1u << shadow_queue(regs, q, IAU_QREG_SIZE)) - 1);
	const uint8_t *p = dma_at(dma, ring + entry * IAU_JOB_BYTES, IAU_JOB_BYTES, false);

	if (p)
		memcpy(desc, p, IAU_JOB_BYTES);
	return p;
}

/* The first word of the record is the fence value that the driver waits for. */
static void corrupt(const struct shadow *regs, unsigned int q, uint32_t job, const struct dma *dma)
{
	uint64_t pa, value;
	uint32_t desc[16];
	uint8_t *record;

	if (!descriptor(regs, q, job, dma, desc))
		return;
	pa = IAU_GET(desc, IAU_JOB_FENCE_PA);
	record = pa ? dma_at(dma, pa, IAU_RECORD_BYTES, true) : NULL;
	if (!record)
		return;
	memcpy(&value, record, sizeof(value));
	value = ~value;
	memcpy(record, &value, sizeof(value));
}

static void completed(struct inject *in, const struct shadow *regs, unsigned int q,
		      const struct dma *dma)
{
	in->jobs++;
	if (is_time(in->plan.corrupt_record, in->jobs))
		corrupt(regs, q, in->head[q], dma);
	if (in->jobs == in->plan.die_after) {
		fprintf(stderr, "iau-vfio: dies after job %llu, as asked\n",
			(unsigned long long)in->jobs);
		_exit(1);
	}
	if (in->jobs == in->plan.vanish_after)
		in->vanished = true;
	in->head[q]++;
}

void inject_completions(struct inject *in, const struct shadow *regs, const struct dma *dma)
{
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		/* a queue that is being reset still shows its old HEAD */
		if (shadow_queue(regs, q, IAU_QREG_STATUS) == 3)
			continue;
		while (in->head[q] != shadow_queue(regs, q, IAU_QREG_HEAD))
			completed(in, regs, q, dma);
	}
}

void inject_head(struct inject *in, unsigned int q, uint32_t head)
{
	in->head[q] = head;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Has the job that runs the tag? */
static bool tag_runs(const struct inject *in, const struct shadow *regs, const struct dma *dma)
{
	uint32_t desc[16];

	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
		if (shadow_queue(regs, q, IAU_QREG_STATUS) == 1)
			return descriptor(regs, q, shadow_queue(regs, q, IAU_QREG_HEAD), dma, desc) &&
			       IAU_GET(desc, IAU_JOB_TAG) == in->plan.stall_tag;
	return false;
}

bool inject_stall_is_due(const struct inject *in, const struct shadow *regs, const struct dma *dma,
			 bool pending)
{
	if (in->stalled)
		return false;
	if (pending && in->plan.stall_job && in->jobs + 1 == in->plan.stall_job)
		return true;
	return in->plan.stall_tags && tag_runs(in, regs, dma);
}

void inject_stall(struct inject *in)
{
	if (in->jobs + 1 == in->plan.stall_job)
		in->plan.stall_job = 0;
	in->stalled = true;
	in->stall_end = in->plan.stall_us ? now_us() + in->plan.stall_us : UINT64_MAX;
}

bool inject_stalls(struct inject *in, uint64_t *for_us)
{
	uint64_t now;

	if (!in->stalled)
		return false;
	now = now_us();
	in->stalled = now < in->stall_end;
	if (in->stalled)
		*for_us = in->stall_end == UINT64_MAX ? UINT64_MAX : in->stall_end - now;
	return in->stalled;
}

bool inject_queue_resets(struct inject *in)
{
	if (in->stalled && in->plan.stuck != INJECT_FREE)
		return false;
	in->stalled = false;
	return true;
}

void inject_reset(struct inject *in, bool bus)
{
	if (bus || in->plan.stuck != INJECT_STUCK_FUNCTION)
		in->stalled = false;
}
