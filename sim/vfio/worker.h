/* SPDX-License-Identifier: MIT */
/*
 * The device, in steps of short runs. What the client's thread wants of it is queued and done in order
 * at the beginning of a step. A device that works has a thread of its own; one that is idle does its
 * first step in the thread that has given it something to do, which is quicker than waking another.
 */
#ifndef IAU_VFIO_WORKER_H
#define IAU_VFIO_WORKER_H

#include "dma.h"
#include "doorbells.h"
#include "iau_dev.h"
#include "inject.h"
#include "msix.h"
#include "shadow.h"

#include <pthread.h>
#include <stdatomic.h>

#define WORKER_OPS 256u

struct worker;

/* A register write, or a call if CALL is set. */
struct worker_op {
	void (*call)(struct worker *w, void *arg);
	void *arg;
	uint32_t offset, value;
};

struct worker {
	const struct iau_dev_ops *ops;
	struct iau_dev_timing timing;
	struct msix *msix;

	/* of the thread that has said BUSY */
	struct iau_dev *dev;
	struct dma dma;
	struct inject inject;
	struct shadow seen;		  /* the registers as last read from the device */
	unsigned int fired[IAU_NUM_IRQS]; /* not yet delivered */
	uint64_t irqs;			  /* ever fired */
	bool commanded;			  /* a queue was told to reset, or to go on */
	struct doorbells doorbells;
	bool worked; /* since the doorbell page was last watched */

	/* under the lock */
	pthread_mutex_t lock;
	bool busy;	 /* one of the threads is in a step */
	uint64_t next_us; /* from the last step to the next: 0 while it works, UINT64_MAX if it is idle */
	pthread_cond_t wake, done; /* for the device's thread; for who waits for an operation */
	struct worker_op op[WORKER_OPS];
	_Atomic uint64_t queued; /* operations, ever */
	uint64_t applied, published;
	struct shadow shadow;

	atomic_bool gone; /* as if it were pulled out: the client's thread reads ones */

	pthread_t thread;
};

/*
 * Makes the device and starts its thread, which runs as long as the process. STATUS_PAGE is
 * IAU_BAR_STATUS_BYTES long. Returns 0 or -errno.
 */
int worker_start(struct worker *w, const struct iau_dev_ops *ops,
		 const struct iau_dev_timing *timing, const struct inject_plan *plan,
		 struct msix *msix, volatile uint32_t *status_page);

/* Registers of BAR 0. A read is answered from the shadow, a write is on its way. */
uint32_t worker_read(struct worker *w, uint32_t offset);
void worker_write(struct worker *w, uint32_t offset, uint32_t value);

/*
 * Calls CALL in a step of the device, after all writes so far and between two runs; returns when it
 * has returned and the shadow shows what came of it.
 */
void worker_call(struct worker *w, void (*call)(struct worker *w, void *arg), void *arg);

/* To be called so, before memory is taken away. */
void worker_settle(struct worker *w);

/* To be called so: PAGE points to the DMA address of the doorbell page, 0 for none. */
void worker_watch(struct worker *w, void *page);

/* To be called so: the device as after power on, by a bus reset if *BUS. Windows stay. */
void worker_reset(struct worker *w, void *bus);

#endif
