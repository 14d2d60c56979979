/* SPDX-License-Identifier: MIT */
/* Faults on purpose, so that a driver's recovery can be tested. Belongs to the device's thread. */
#ifndef IAU_VFIO_INJECT_H
#define IAU_VFIO_INJECT_H

#include "dma.h"
#include "shadow.h"

#include <stdbool.h>
#include <stdint.h>

/* What to do; counts start at 1, 0 is never. Interrupts and jobs are those of all queues. */
struct inject_plan {
	uint64_t drop_irq, repeat_irq;
	uint64_t corrupt_record; /* of this completed job */
	uint64_t stall_job;	 /* this job does not start for ... */
	uint64_t stall_us;	 /* ... so long, or until a reset if 0 */
	uint64_t die_after;	 /* jobs, and before the interrupt of the last */
};

struct inject {
	struct inject_plan plan;
	uint64_t irqs, jobs;
	uint32_t head[IAU_NUM_QUEUES];
	bool stalled;
	uint64_t stall_end; /* microseconds of the monotonic clock; UINT64_MAX: until a reset */
};

/* Whether jobs must be told apart, for which the device works in small steps. */
bool inject_by_job(const struct inject *in);

/* How often the interrupt that comes now is delivered: 0, 1 or 2 times. */
unsigned int inject_irq(struct inject *in);

/* Looks at what REGS say has completed since the last time; may corrupt a record, or exit. */
void inject_completions(struct inject *in, const struct shadow *regs, const struct dma *dma);
/* HEAD of queue Q is HEAD now without a job having completed. */
void inject_head(struct inject *in, unsigned int q, uint32_t head);

/* The next job is the one to stall; inject_stall() once there is one. */
bool inject_stall_is_due(const struct inject *in);
void inject_stall(struct inject *in);
/* True while the device has to stand still; *FOR_US says for how long yet. */
bool inject_stalls(struct inject *in, uint64_t *for_us);
/* A queue or the device was reset: it moves again. */
void inject_release(struct inject *in);

#endif
