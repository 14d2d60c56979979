/* SPDX-License-Identifier: MIT */
/* Faults on purpose, so that a driver's recovery can be tested. Belongs to the device's thread. */
#ifndef IAU_VFIO_INJECT_H
#define IAU_VFIO_INJECT_H

#include "dma.h"
#include "shadow.h"

#include <stdbool.h>
#include <stdint.h>

/* The FIRST of a kind, counted from 1 (0 is never), and every EVERY-th behind it (0: no other). */
struct inject_when {
	uint64_t first, every;
};

/* What a stalled device does not come back from; it does from a reset by the bus. */
enum inject_stuck { INJECT_FREE, INJECT_STUCK_QUEUE, INJECT_STUCK_FUNCTION };

/* What to do. Interrupts and jobs are those of all queues. */
struct inject_plan {
	struct inject_when drop_irq, repeat_irq;
	struct inject_when corrupt_record; /* of these completed jobs */
	uint64_t stall_job;		   /* this job does not start for ... */
	uint64_t stall_us;		   /* ... so long, or until a reset if 0 */
	bool stall_tags;		   /* jobs with ... */
	uint32_t stall_tag;		   /* ... this tag start and do not end until a reset */
	enum inject_stuck stuck;
	uint64_t die_after; /* jobs, and before the interrupt of the last */
	uint64_t vanish_after;
};

struct inject {
	struct inject_plan plan;
	uint64_t irqs, jobs;
	uint32_t head[IAU_NUM_QUEUES];
	bool stalled;
	bool vanished;
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

/* The job that comes next, if there is one PENDING, or the one that runs by REGS, is one to stall. */
bool inject_stall_is_due(const struct inject *in, const struct shadow *regs, const struct dma *dma,
			 bool pending);
void inject_stall(struct inject *in);
/* True while the device has to stand still; *FOR_US says for how long yet. */
bool inject_stalls(struct inject *in, uint64_t *for_us);
/* A queue or the device is reset: whether a stalled device notices, and so moves again. */
bool inject_queue_resets(struct inject *in);
void inject_reset(struct inject *in, bool bus);

#endif
