// SPDX-License-Identifier: GPL-2.0-only
/* Jobs that the device refuses. Such a job stops its hardware queue until it is skipped. */
#include <linux/interrupt.h>

#include <drm/drm_drv.h>
#include <drm/iau_dump.h>

#include "iau_drv.h"
#include "iau_trace.h"

/* The queue of the oldest job, with a reference, if the device has stopped at it: WHO it is. */
static struct iau_queue *faulted_job(struct iau_ring *ring, struct iau_dump_job *who)
{
	struct iau_queue *queue = NULL;
	unsigned long irq;

	iau_ring_collect(ring);
	spin_lock_irqsave(&ring->lock, irq);
	if (ring->head != ring->tail &&
	    iau_peek(ring->iau, ring->index, IAU_QREG_STATUS) == 2) {
		queue = iau_ring_head(ring)->queue;
		iau_dump_describe(iau_ring_head(ring), who);
		kref_get(&queue->ref);
	}
	spin_unlock_irqrestore(&ring->lock, irq);
	return queue;
}

static void read_fault(struct iau_ring *ring, struct iau_dump_fault_record *fault)
{
	struct iau_device *iau = ring->iau;
	unsigned int q = ring->index;

	*fault = (struct iau_dump_fault_record){
		.code = iau_peek(iau, q, IAU_QREG_FAULT_CODE),
		.info = iau_peek(iau, q, IAU_QREG_FAULT_INFO),
		.va = iau_peek(iau, q, IAU_QREG_FAULT_VA_LO) |
		      (u64)iau_peek(iau, q, IAU_QREG_FAULT_VA_HI) << 32,
		.offset = iau_peek(iau, q, IAU_QREG_FAULT_OFFSET),
		.tag = iau_peek(iau, q, IAU_QREG_FAULT_TAG),
	};
}

/* Sees to a fault of the ring, if there is one; under the reset lock. */
void iau_fault_handle(struct iau_ring *ring)
{
	struct iau_dump_fault_record fault;
	struct iau_dump_job who;
	struct iau_queue *queue = faulted_job(ring, &who);
	u32 retired;

	if (!queue)
		return;
	retired = iau_peek(ring->iau, ring->index, IAU_QREG_PROGRESS);
	who.retired = retired - ring->retired;
	read_fault(ring, &fault);
	trace_iau_job_fault(ring->iau, &who, &fault);
	iau_queue_fault(queue, &fault);
	iau_dump_take(ring, queue->vm, &who, &fault);
	/* a ring that is stopped is about to be emptied anyway */
	if (!iau_ring_skip(ring, who.id, queue, retired) && !ring->stopped)
		iau_restart_ring(ring, -ECANCELED);
	iau_queue_put(queue);
}

/* In a thread: it writes registers, which is slow, and waits for a reset to end. */
irqreturn_t iau_fault_irq(int irq, void *data)
{
	struct iau_device *iau = data;
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return IRQ_HANDLED;
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		mutex_lock(&iau->reset_lock);
		if (iau->awake)
			iau_fault_handle(&iau->ring[q]);
		mutex_unlock(&iau->reset_lock);
	}
	drm_dev_exit(idx);
	return IRQ_HANDLED;
}
