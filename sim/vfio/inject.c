/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool inject_by_job(const struct inject *in)
{
	return in->plan.corrupt_record || in->plan.stall_job || in->plan.die_after;
}

unsigned int inject_irq(struct inject *in)
{
	in->irqs++;
	if (in->irqs == in->plan.drop_irq)
		return 0;
	return in->irqs == in->plan.repeat_irq ? 2 : 1;
}

/* The first word of the record is the fence value that the driver waits for. */
static void corrupt(const struct shadow *regs, unsigned int q, uint32_t job, const struct dma *dma)
{
	uint64_t ring = shadow_queue(regs, q, IAU_QREG_BASE_LO) |
			(uint64_t)shadow_queue(regs, q, IAU_QREG_BASE_HI) << 32;
	uint32_t entry = job & ((1u << shadow_queue(regs, q, IAU_QREG_SIZE)) - 1), desc[16];
	const uint8_t *p = dma_at(dma, ring + entry * IAU_JOB_BYTES, IAU_JOB_BYTES, false);
	uint64_t pa, value;
	uint8_t *record;

	if (!p)
		return;
	memcpy(desc, p, sizeof(desc));
	memcpy(&pa, desc + 6, sizeof(pa)); /* FENCE_PA */
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
	if (in->jobs == in->plan.corrupt_record)
		corrupt(regs, q, in->head[q], dma);
	if (in->jobs == in->plan.die_after) {
		fprintf(stderr, "iau-vfio: dies after job %llu, as asked\n",
			(unsigned long long)in->jobs);
		_exit(1);
	}
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

bool inject_stall_is_due(const struct inject *in)
{
	return in->plan.stall_job && in->jobs + 1 == in->plan.stall_job;
}

void inject_stall(struct inject *in)
{
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

void inject_release(struct inject *in)
{
	in->stalled = false;
}
