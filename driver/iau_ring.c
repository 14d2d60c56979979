// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware queues. A job costs one descriptor and one doorbell write; its completion is seen in the
 * record that the device writes. Registers are read only when a job faults or is late.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include <drm/iau_dump.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "a job that retires no command for this long has hung (10000)");

#define RESET_US	10000000 /* a simulated device takes its time */
#define MEM_BYTES	(IAU_RING_ENTRIES * (IAU_JOB_BYTES + IAU_RECORD_BYTES))

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "iau";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	static const char *const names[] = { "iau-low", "iau-normal", "iau-high", "iau-realtime" };

	return names[container_of(fence, struct iau_fence, base)->ring->index];
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
};

static void put64(__le32 *desc, unsigned int word, u64 value)
{
	desc[word] = cpu_to_le32(lower_32_bits(value));
	desc[word + 1] = cpu_to_le32(upper_32_bits(value));
}

/* The record's value: it differs from what an entry held before. */
static u64 record_value(u32 count)
{
	return (u64)count + 1;
}

static void write_descriptor(struct iau_ring *ring, const struct iau_job *job)
{
	unsigned int i = ring->tail % IAU_RING_ENTRIES;
	__le32 *d = ring->desc + i * IAU_JOB_BYTES;
	dma_addr_t rec = ring->dma + IAU_RING_ENTRIES * IAU_JOB_BYTES + i * sizeof(*ring->rec);

	memset(d, 0, IAU_JOB_BYTES);
	d[IAU_JOB_IRQ_WORD] = cpu_to_le32(1 << IAU_JOB_IRQ_SHIFT | job->slot << IAU_JOB_CTX_SHIFT);
	d[IAU_JOB_CMD_BYTES_WORD] = cpu_to_le32(job->cmd_bytes);
	put64(d, IAU_JOB_CMD_VA_WORD, job->cmd_va);
	put64(d, IAU_JOB_PARAM_VA_WORD, job->param_va);
	put64(d, IAU_JOB_FENCE_PA_WORD, rec);
	put64(d, IAU_JOB_FENCE_VALUE_WORD, record_value(ring->tail));
	d[IAU_JOB_BUDGET_WORD] = cpu_to_le32(job->budget);
	d[IAU_JOB_TAG_WORD] = cpu_to_le32(job->tag);
	ring->rec[i].value = 0;
}

static struct dma_fence *run_job(struct drm_sched_job *base)
{
	struct iau_job *job = to_iau_job(base);
	struct iau_ring *ring = job->queue->ring;
	unsigned long irq;
	int idx;

	/* after a reset all jobs that were in the ring come again, those that were done in time, too */
	if (job->started && dma_fence_is_signaled(&job->done->base))
		return dma_fence_get(&job->done->base);
	if (READ_ONCE(job->queue->state) & DRM_IAU_QUEUE_BANNED)
		return ERR_PTR(-ECANCELED);
	if (!drm_dev_enter(&ring->iau->drm, &idx))
		return ERR_PTR(-ENODEV);
	job->slot = iau_slot_get(job->queue->vm);
	if (job->slot < 0) {
		drm_dev_exit(idx);
		return ERR_PTR(-EIO);
	}
	spin_lock_irqsave(&ring->lock, irq);
	/* one that runs again keeps its fence */
	if (!job->started) {
		job->done->ring = ring;
		dma_fence_init(&job->done->base, &fence_ops, &ring->lock, ring->fence_context,
			       ++ring->seqno);
		job->started = true;
	}
	write_descriptor(ring, job);
	atomic_inc(&job->queue->running);
	ring->job[ring->tail++ % IAU_RING_ENTRIES] = job;
	job->begun_ns = ktime_get_ns();
	trace_iau_job_run(job);
	/* writel() orders the descriptor before the doorbell */
	iau_write(ring->iau, IAU_DOORBELL_OFFSET + ring->index * 8, ring->tail);
	spin_unlock_irqrestore(&ring->lock, irq);
	drm_dev_exit(idx);
	return dma_fence_get(&job->done->base);
}

/* Takes the oldest job out of the ring, whose lock is held. */
static struct iau_job *take_oldest(struct iau_ring *ring)
{
	unsigned int i = ring->head++ % IAU_RING_ENTRIES;
	struct iau_job *job = ring->job[i];

	ring->job[i] = NULL;
	iau_slot_put(ring->iau, job->slot);
	job->slot = -1;
	atomic_dec(&job->queue->running);
	return job;
}

/* The oldest job is over; REC says how it went if it came to its end. */
static void finish(struct iau_ring *ring, const struct iau_record *rec, int error)
{
	struct iau_job *job = take_oldest(ring);

	iau_client_account(ring, job, rec);
	trace_iau_job_done(job, error);
	if (error)
		dma_fence_set_error(&job->done->base, error);
	dma_fence_signal_locked(&job->done->base);
}

static void complete_done(struct iau_ring *ring)
{
	while (ring->head != ring->tail) {
		struct iau_record *rec = &ring->rec[ring->head % IAU_RING_ENTRIES];

		if (le64_to_cpu(READ_ONCE(rec->value)) != record_value(ring->head))
			break;
		/* what the job wrote is seen before its fence */
		dma_rmb();
		ring->retired += le64_to_cpu(READ_ONCE(rec->commands));
		finish(ring, rec, 0);
	}
}

irqreturn_t iau_ring_irq(int irq, void *data)
{
	struct iau_ring *ring = data;

	spin_lock(&ring->lock);
	complete_done(ring);
	spin_unlock(&ring->lock);
	return IRQ_HANDLED;
}

/* The oldest job, if the device has stopped at it: who it is, with a reference to its queue. */
static struct iau_job *faulted_job(struct iau_ring *ring, struct iau_dump_job *who,
				   struct iau_queue **queue)
{
	struct iau_job *job = NULL;
	unsigned long irq;

	spin_lock_irqsave(&ring->lock, irq);
	complete_done(ring);
	if (ring->head != ring->tail &&
	    iau_read(ring->iau, iau_qreg(ring->index, IAU_QREG_STATUS)) == 2) {
		job = ring->job[ring->head % IAU_RING_ENTRIES];
		iau_dump_describe(job, who);
		kref_get(&job->queue->ref);
		*queue = job->queue;
	}
	spin_unlock_irqrestore(&ring->lock, irq);
	return job;
}

static void read_fault(struct iau_ring *ring, struct iau_dump_fault_record *fault)
{
	struct iau_device *iau = ring->iau;
	unsigned int q = ring->index;

	*fault = (struct iau_dump_fault_record){
		.code = iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_CODE)),
		.info = iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_INFO)),
		.va = iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_VA_LO)) |
		      (u64)iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_VA_HI)) << 32,
		.offset = iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_OFFSET)),
		.tag = iau_read(iau, iau_qreg(q, IAU_QREG_FAULT_TAG)),
	};
}

/* Whether jobs of QUEUE are in the ring, whose lock is held. */
static bool ring_has(const struct iau_ring *ring, const struct iau_queue *queue)
{
	for (u32 i = ring->head; i != ring->tail; i++)
		if (ring->job[i % IAU_RING_ENTRIES]->queue == queue)
			return true;
	return false;
}

/*
 * The faulted job of QUEUE is over, and the hardware queue goes on behind it; unless jobs of QUEUE are
 * there, which must not run on what this one left undone.
 */
static bool skip_job(struct iau_ring *ring, const struct iau_job *job,
		     const struct iau_queue *queue, u32 retired)
{
	unsigned long irq;
	bool goes_on;

	spin_lock_irqsave(&ring->lock, irq);
	/* the device may meanwhile have written a record as if nothing had been */
	if (ring->head != ring->tail && ring->job[ring->head % IAU_RING_ENTRIES] == job)
		finish(ring, NULL, -EIO);
	ring->retired = retired;
	goes_on = !ring_has(ring, queue);
	if (goes_on)
		iau_write(ring->iau, iau_qreg(ring->index, IAU_QREG_CMD), 2);
	spin_unlock_irqrestore(&ring->lock, irq);
	return goes_on;
}

/*
 * A faulted job stops its hardware queue until it is skipped. Under the reset lock; what is returned
 * is published once that is free. If RESTART is set, the ring must be restarted for it to go on.
 */
static struct iau_dump *skip_faulted(struct iau_ring *ring, bool *restart)
{
	struct iau_dump_fault_record fault;
	struct iau_dump_job who;
	struct iau_queue *queue;
	struct iau_dump *dump;
	struct iau_job *job = faulted_job(ring, &who, &queue);
	u32 retired;

	*restart = false;
	if (!job)
		return NULL;
	retired = iau_read(ring->iau, iau_qreg(ring->index, IAU_QREG_PROGRESS));
	who.retired = retired - ring->retired;
	read_fault(ring, &fault);
	trace_iau_job_fault(ring->iau, &who, &fault);
	iau_queue_fault(queue, &fault);
	dump = iau_dump_take(ring, queue->vm, &who, &fault);
	*restart = !skip_job(ring, job, queue, retired);
	iau_queue_put(queue);
	return dump;
}

static void ring_setup(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	unsigned int q = ring->index;

	ring->head = 0;
	ring->tail = 0;
	memset(ring->job, 0, sizeof(ring->job));
	iau_write(iau, iau_qreg(q, IAU_QREG_BASE_LO), lower_32_bits(ring->dma));
	iau_write(iau, iau_qreg(q, IAU_QREG_BASE_HI), upper_32_bits(ring->dma));
	iau_write(iau, iau_qreg(q, IAU_QREG_SIZE), IAU_RING_LOG2);
	ring->retired = iau_read(iau, iau_qreg(q, IAU_QREG_PROGRESS));
	iau_write(iau, iau_qreg(q, IAU_QREG_CTRL), 1 | q << 1);
}

/* Everything in the ring goes; what is not over will be run again or was banned. */
static int ring_reset(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	unsigned long irq;
	u32 status;
	int err;

	iau_write(iau, iau_qreg(ring->index, IAU_QREG_CMD), 1);
	err = readl_poll_timeout(iau->regs + iau_qreg(ring->index, IAU_QREG_STATUS), status,
				 status == 0, 100, RESET_US);
	if (err)
		drm_err(&iau->drm, "queue %u does not reset\n", ring->index);
	spin_lock_irqsave(&ring->lock, irq);
	/* a job may have been done before the reset came */
	complete_done(ring);
	while (ring->head != ring->tail)
		take_oldest(ring);
	ring_setup(ring);
	spin_unlock_irqrestore(&ring->lock, irq);
	trace_iau_reset(iau, "queue", err);
	return err;
}

/* A job that goes on retiring commands has not hung, however long it takes. */
static bool made_progress(struct iau_ring *ring)
{
	u32 now = iau_read(ring->iau, iau_qreg(ring->index, IAU_QREG_PROGRESS));
	bool moved = now != ring->progress;

	ring->progress = now;
	return moved;
}

/*
 * Empties the ring and runs again what was in it, but for banned queues' jobs. LATE is the job whose
 * timeout this is, which the scheduler does not have among its own; ERROR is what becomes of it.
 */
static void ring_restart(struct iau_ring *ring, struct drm_sched_job *late, int error)
{
	drm_sched_stop(&ring->sched, late);
	/* from here on nothing can end it, but it may just have ended */
	if (error && !dma_fence_is_signaled(&late->s_fence->finished))
		dma_fence_set_error(&late->s_fence->finished, error);
	ring_reset(ring);
	drm_sched_resubmit_jobs(&ring->sched);
	iau_sched_start(&ring->sched);
}

/* In a thread: it reads registers, which is slow. */
irqreturn_t iau_fault_irq(int irq, void *data)
{
	struct iau_device *iau = data;
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return IRQ_HANDLED;
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];
		struct iau_dump *dump;
		bool restart;

		mutex_lock(&ring->reset_lock);
		dump = skip_faulted(ring, &restart);
		if (restart)
			ring_restart(ring, NULL, 0);
		mutex_unlock(&ring->reset_lock);
		iau_dump_publish(iau, dump);
	}
	drm_dev_exit(idx);
	return IRQ_HANDLED;
}

/*
 * Drops the jobs of a queue that have not started. The scheduler stands still meanwhile: if it took one
 * of them at this moment, it would put the entity back among those that have jobs, and find it there
 * when it is freed. Not drm_sched_entity_destroy(): it would wait for the ring to take them.
 */
void iau_ring_drop_entity(struct iau_ring *ring, struct drm_sched_entity *entity)
{
	mutex_lock(&ring->reset_lock);
	drm_sched_wqueue_stop(&ring->sched);
	drm_sched_entity_fini(entity);
	drm_sched_wqueue_start(&ring->sched);
	mutex_unlock(&ring->reset_lock);
}

/* A queue with jobs in the ring was banned: they need not end by themselves. */
void iau_ring_kill_banned(struct iau_ring *ring)
{
	int idx;

	if (!drm_dev_enter(&ring->iau->drm, &idx))
		return;
	mutex_lock(&ring->reset_lock);
	ring_restart(ring, NULL, 0);
	mutex_unlock(&ring->reset_lock);
	drm_dev_exit(idx);
}

static struct iau_dump *dump_hung(struct iau_ring *ring, const struct iau_job *job)
{
	struct iau_dump_job who;

	iau_dump_describe(job, &who);
	who.retired = iau_read(ring->iau, iau_qreg(ring->index, IAU_QREG_PROGRESS)) - ring->retired;
	return iau_dump_take(ring, job->queue->vm, &who, NULL);
}

/* Its ring was restarted while its timeout was waiting for the reset lock. */
static bool was_taken_out(const struct iau_job *job)
{
	return job->slot < 0 && !dma_fence_is_signaled(&job->done->base);
}

static enum drm_gpu_sched_stat timedout_job(struct drm_sched_job *base)
{
	struct iau_job *job = to_iau_job(base);
	struct iau_ring *ring = job->queue->ring;
	struct iau_device *iau = ring->iau;
	enum drm_gpu_sched_stat stat = IAU_SCHED_STAT_RESET;
	struct iau_dump *dump;
	bool restart;
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return DRM_GPU_SCHED_STAT_ENODEV;
	mutex_lock(&ring->reset_lock);
	/* an interrupt may have been lost */
	dump = skip_faulted(ring, &restart);
	if (restart || was_taken_out(job)) {
		ring_restart(ring, base, 0);
	} else if (dma_fence_is_signaled(&job->done->base) || made_progress(ring)) {
		stat = iau_sched_no_hang(base);
	} else {
		trace_iau_job_timeout(job);
		drm_warn(&iau->drm, "queue %u: a job (tag %#x) has hung\n", ring->index, job->tag);
		iau_queue_ban(job->queue, DRM_IAU_QUEUE_TIMEOUT);
		if (!dump)
			dump = dump_hung(ring, job);
		ring_restart(ring, base, -ETIMEDOUT);
	}
	mutex_unlock(&ring->reset_lock);
	iau_dump_publish(iau, dump);
	drm_dev_exit(idx);
	return stat;
}

static void free_job(struct drm_sched_job *base)
{
	drm_sched_job_cleanup(base);
	iau_job_free(to_iau_job(base));
}

static const struct drm_sched_backend_ops sched_ops = {
	.run_job = run_job,
	.timedout_job = timedout_job,
	.free_job = free_job,
};

static void ring_fini(struct drm_device *drm, void *data)
{
	struct iau_ring *ring = data;

	drm_sched_fini(&ring->sched);
	dma_free_coherent(drm->dev, MEM_BYTES, ring->desc, ring->dma);
}

static int ring_init(struct iau_device *iau, unsigned int index)
{
	struct iau_ring *ring = &iau->ring[index];
	struct device *dev = iau->drm.dev;
	int err;

	ring->iau = iau;
	ring->index = index;
	spin_lock_init(&ring->lock);
	err = drmm_mutex_init(&iau->drm, &ring->reset_lock);
	if (err)
		return err;
	ring->fence_context = dma_fence_context_alloc(1);
	ring->desc = dma_alloc_coherent(dev, MEM_BYTES, &ring->dma, GFP_KERNEL);
	if (!ring->desc)
		return -ENOMEM;
	ring->rec = ring->desc + IAU_RING_ENTRIES * IAU_JOB_BYTES;
	err = iau_sched_init(&ring->sched, &sched_ops, IAU_RING_JOBS, msecs_to_jiffies(timeout_ms),
			     iau->timeout_wq, dev);
	if (err) {
		dma_free_coherent(dev, MEM_BYTES, ring->desc, ring->dma);
		return err;
	}
	ring_setup(ring);
	return drmm_add_action_or_reset(&iau->drm, ring_fini, ring);
}

/* The device goes: it stops, and what it had not done fails. No new job starts any more. */
void iau_rings_stop(struct iau_device *iau)
{
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];
		unsigned long irq;
		u32 status;

		iau_write(iau, iau_qreg(q, IAU_QREG_CMD), 1);
		/* a device that is gone reads as all ones and does not answer */
		if (readl_poll_timeout(iau->regs + iau_qreg(q, IAU_QREG_STATUS), status,
				       status == 0 || status == ~0u, 100, RESET_US))
			drm_err(&iau->drm, "queue %u does not stop\n", q);
		spin_lock_irqsave(&ring->lock, irq);
		complete_done(ring);
		while (ring->head != ring->tail)
			finish(ring, NULL, -ENODEV);
		spin_unlock_irqrestore(&ring->lock, irq);
	}
}

static void wq_fini(struct drm_device *drm, void *data)
{
	destroy_workqueue(data);
}

int iau_rings_init(struct iau_device *iau)
{
	int err;

	/* resets of different queues come one after the other */
	iau->timeout_wq = alloc_ordered_workqueue("iau-timeout", 0);
	if (!iau->timeout_wq)
		return -ENOMEM;
	err = drmm_add_action_or_reset(&iau->drm, wq_fini, iau->timeout_wq);
	for (unsigned int q = 0; q < iau->info.queues && !err; q++)
		err = ring_init(iau, q);
	return err;
}
