// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware queues. A job costs one descriptor and one doorbell write; its completion is seen in the
 * record that the device writes. Registers are read only when a job faults or is late, and that is
 * the business of other files.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

#define RESET_US	1000000 /* a simulated device finishes its step first */
#define MEM_BYTES	(IAU_RING_ENTRIES * (IAU_JOB_BYTES + IAU_RECORD_BYTES))

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "iau";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	static const char *const names[] = { "iau-low", "iau-normal", "iau-high", "iau-realtime" };

	return names[container_of(fence, struct iau_job, done)->ring];
}

static void fence_release(struct dma_fence *fence)
{
	struct iau_job *job = container_of(fence, struct iau_job, done);

	kfree_rcu(job, done.rcu);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

static void free_job(struct drm_sched_job *base)
{
	/* the next job waits until this returns */
	bool signalling = dma_fence_begin_signalling();

	drm_sched_job_cleanup(base);
	iau_job_free(to_iau_job(base));
	dma_fence_end_signalling(signalling);
}

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

static void write_descriptor(struct iau_ring *ring, const struct iau_job *job, bool irq)
{
	unsigned int i = ring->tail % IAU_RING_ENTRIES;
	__le32 *d = ring->desc + i * IAU_JOB_BYTES;
	dma_addr_t rec = ring->dma + IAU_RING_ENTRIES * IAU_JOB_BYTES + i * sizeof(*ring->rec);

	memset(d, 0, IAU_JOB_BYTES);
	d[IAU_JOB_IRQ_WORD] =
		cpu_to_le32(irq << IAU_JOB_IRQ_SHIFT | job->slot << IAU_JOB_CTX_SHIFT);
	d[IAU_JOB_CMD_BYTES_WORD] = cpu_to_le32(job->cmd_bytes);
	put64(d, IAU_JOB_CMD_VA_WORD, job->cmd_va);
	put64(d, IAU_JOB_PARAM_VA_WORD, job->param_va);
	put64(d, IAU_JOB_FENCE_PA_WORD, rec);
	put64(d, IAU_JOB_FENCE_VALUE_WORD, record_value(ring->tail));
	d[IAU_JOB_BUDGET_WORD] = cpu_to_le32(job->budget);
	d[IAU_JOB_TAG_WORD] = cpu_to_le32(job->tag);
	ring->rec[i].value = 0;
}

/*
 * The interrupt of a job that nobody waits for is not needed when the next of its queue follows:
 * that one's tells of both. Every second one stays, so that the scheduler fills the ring again
 * before it runs dry. The device may have read the descriptor already, which is an interrupt more
 * and no harm.
 */
static void hush_previous(struct iau_ring *ring, const struct iau_job *job)
{
	unsigned int i = (ring->tail - 1) % IAU_RING_ENTRIES;
	__le32 *d = ring->desc + i * IAU_JOB_BYTES;

	if (ring->head == ring->tail || i % 2)
		return;
	if (ring->job[i]->quiet && ring->job[i]->queue == job->queue)
		WRITE_ONCE(d[IAU_JOB_IRQ_WORD],
			   d[IAU_JOB_IRQ_WORD] & ~cpu_to_le32(1 << IAU_JOB_IRQ_SHIFT));
}

/* Puts JOB, which has a slot, behind the others. Under the lock; the doorbell is the caller's. */
static void enter(struct iau_ring *ring, struct iau_job *job, bool irq)
{
	write_descriptor(ring, job, irq);
	atomic_inc(&job->queue->running);
	/* the clock of an idle device stood still */
	if (atomic_inc_return(&ring->iau->in_flight) == 1)
		iau_watchdog_moved(ring->iau);
	ring->job[ring->tail++ % IAU_RING_ENTRIES] = job;
	job->begun_ns = ktime_get_ns();
	trace_iau_job_run(job);
}

static int run(struct iau_job *job)
{
	struct iau_ring *ring = job->queue->ring;
	unsigned long irq;
	int slot, idx;

	if (iau_queue_banned(job->queue))
		return -ECANCELED;
	if (READ_ONCE(ring->iau->wedged))
		return -EIO;
	if (READ_ONCE(ring->iau->leaving) || !drm_dev_enter(&ring->iau->drm, &idx))
		return -ENODEV;
	slot = iau_slot_get(job->queue->vm, 1, false);
	if (slot >= 0) {
		job->slot = slot;
		spin_lock_irqsave(&ring->lock, irq);
		spin_lock_init(&job->done_lock);
		dma_fence_init(&job->done, &fence_ops, &job->done_lock, ring->fence_context,
			       ++ring->seqno);
		job->started = true;
		hush_previous(ring, job);
		enter(ring, job, true);
		iau_doorbell_ring(ring->iau, ring->index, ring->tail);
		spin_unlock_irqrestore(&ring->lock, irq);
	}
	drm_dev_exit(idx);
	/* the job may be over already, and have given its slot back */
	return slot >= 0 ? 0 : -EIO;
}

static struct dma_fence *run_job(struct drm_sched_job *base)
{
	bool signalling = dma_fence_begin_signalling();
	struct iau_job *job = to_iau_job(base);
	int err = run(job);

	/* from now on others of its queue may run at once: they come behind it */
	atomic_dec(&job->queue->waiting);
	dma_fence_end_signalling(signalling);
	return err ? ERR_PTR(err) : dma_fence_get(&job->done);
}

/* Takes the oldest job out of the ring, whose lock is held. */
static struct iau_job *take_oldest(struct iau_ring *ring)
{
	unsigned int i = ring->head++ % IAU_RING_ENTRIES;
	struct iau_job *job = ring->job[i];

	ring->job[i] = NULL;
	atomic_dec(&job->queue->running);
	atomic_dec(&ring->iau->in_flight);
	return job;
}

static void signal_end(struct dma_fence *fence, int error)
{
	if (error)
		dma_fence_set_error(fence, error);
	dma_fence_signal(fence);
}

/* JOB is over, and not in the ring any more, whose lock is held. */
static void end(struct iau_ring *ring, struct iau_job *job, int error)
{
	iau_slot_put(ring->iau, job->slot, job->direct);
	job->slot = -1;
	trace_iau_job_done(job, error);
	if (!job->direct) {
		signal_end(&job->done, error);
		return;
	}
	ring->direct--;
	if (!job->quiet) {
		signal_end(&job->base.s_fence->finished, error);
		dma_fence_put(&job->base.s_fence->finished);
	}
	iau_job_free(job);
}

/* Why JOB cannot run any more, or 0. */
static int refused(struct iau_ring *ring, struct iau_job *job)
{
	/* its client may have gone meanwhile */
	if (iau_queue_banned(job->queue))
		return -ECANCELED;
	if (READ_ONCE(ring->iau->wedged))
		return -EIO;
	return READ_ONCE(ring->iau->leaving) ? -ENODEV : 0;
}

static void enter_or_end(struct iau_ring *ring, struct iau_job *job, bool irq)
{
	int err = refused(ring, job);

	if (err)
		end(ring, job, err);
	else
		enter(ring, job, irq);
}

/*
 * A place in the ring and a slot for each of N jobs of VM that are to run at once, past the
 * scheduler; the slot, or -1 if there is no room. The caller has entered the device.
 */
int iau_ring_reserve(struct iau_ring *ring, struct iau_vm *vm, unsigned int n)
{
	unsigned long irq;
	int slot = -1;

	spin_lock_irqsave(&ring->lock, irq);
	if (!ring->stopped && !READ_ONCE(ring->iau->wedged) &&
	    ring->direct + n <= IAU_RING_DIRECT)
		slot = iau_slot_get(vm, n, true);
	if (slot >= 0)
		ring->direct += n;
	spin_unlock_irqrestore(&ring->lock, irq);
	return slot;
}

/*
 * Runs N jobs of a queue in the places that were reserved for them: those that are not quiet are
 * armed, none has dependencies, and none of their queue is with the scheduler. One doorbell and, if
 * only the last is waited for, one interrupt. If the ring was stopped meanwhile, they are kept.
 */
void iau_ring_run(struct iau_ring *ring, struct iau_job **job, unsigned int n, int slot)
{
	unsigned long irq;
	u32 tail;

	spin_lock_irqsave(&ring->lock, irq);
	tail = ring->tail;
	for (unsigned int i = 0; i < n; i++) {
		job[i]->direct = true;
		job[i]->slot = slot;
		/* others of this ring may wait for it by waiting for their turn */
		if (!job[i]->quiet)
			dma_fence_signal(&job[i]->base.s_fence->scheduled);
		if (ring->stopped)
			ring->again[ring->again_jobs++] = job[i];
		else
			enter_or_end(ring, job[i], !job[i]->quiet);
	}
	if (ring->tail != tail)
		iau_doorbell_ring(ring->iau, ring->index, ring->tail);
	spin_unlock_irqrestore(&ring->lock, irq);
}

/* The oldest job is over; REC says how it went if it came to its end. */
static void finish(struct iau_ring *ring, const struct iau_record *rec, int error)
{
	struct iau_job *job = take_oldest(ring);

	iau_client_account(ring, job, rec);
	end(ring, job, error);
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
		iau_watchdog_moved(ring->iau);
	}
	/* its client has gone: nobody waits for it, and it may be endless */
	if (ring->head != ring->tail && iau_queue_banned(iau_ring_head(ring)->queue))
		iau_watchdog_kick(ring->iau);
}

irqreturn_t iau_ring_irq(int irq, void *data)
{
	struct iau_ring *ring = data;

	spin_lock(&ring->lock);
	complete_done(ring);
	spin_unlock(&ring->lock);
	return IRQ_HANDLED;
}

/* Sees to what is over, without waiting for an interrupt. */
void iau_ring_collect(struct iau_ring *ring)
{
	unsigned long irq;

	spin_lock_irqsave(&ring->lock, irq);
	complete_done(ring);
	spin_unlock_irqrestore(&ring->lock, irq);
}

/*
 * The device says that it has done the jobs up to HEAD. A job among them whose record does not
 * agree was done, or was not: its client cannot rely on it.
 */
void iau_ring_believe(struct iau_ring *ring, u32 head)
{
	unsigned long irq;

	spin_lock_irqsave(&ring->lock, irq);
	complete_done(ring);
	while (ring->head != head && head - ring->head <= ring->tail - ring->head) {
		dev_err_ratelimited(ring->iau->drm.dev,
				    "queue %u: the record of a job is wrong\n", ring->index);
		ring->bad_records++;
		iau_queue_ban(iau_ring_head(ring)->queue, DRM_IAU_QUEUE_LOST);
		finish(ring, NULL, -EIO);
		complete_done(ring);
	}
	spin_unlock_irqrestore(&ring->lock, irq);
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
 * The faulted job ID of QUEUE is over, and the hardware queue goes on behind it; unless jobs of
 * QUEUE are there, which must not run on what this one left undone.
 */
bool iau_ring_skip(struct iau_ring *ring, u64 id, const struct iau_queue *queue, u32 retired)
{
	unsigned long irq;
	bool goes_on;

	spin_lock_irqsave(&ring->lock, irq);
	/* the device may meanwhile have written a record as if nothing had been */
	if (ring->head != ring->tail && iau_ring_head(ring)->id == id)
		finish(ring, NULL, -EIO);
	ring->retired = retired;
	ring->progress = retired;
	goes_on = !ring_has(ring, queue);
	if (goes_on)
		iau_write(ring->iau, iau_qreg(ring->index, IAU_QREG_CMD), 2);
	spin_unlock_irqrestore(&ring->lock, irq);
	iau_watchdog_moved(ring->iau);
	return goes_on;
}

/* Reset -------------------------------------------------------------------------------------- */

/* All of this under the device's reset lock. */

/* Tells the device where the ring lies. */
void iau_ring_setup(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	unsigned int q = ring->index;

	ring->head = 0;
	ring->tail = 0;
	iau_doorbell_reset(iau, q);
	iau_write(iau, iau_qreg(q, IAU_QREG_BASE_LO), lower_32_bits(ring->dma));
	iau_write(iau, iau_qreg(q, IAU_QREG_BASE_HI), upper_32_bits(ring->dma));
	iau_write(iau, iau_qreg(q, IAU_QREG_SIZE), IAU_RING_LOG2);
	ring->retired = iau_peek(iau, q, IAU_QREG_PROGRESS);
	ring->progress = ring->retired;
	iau_ring_enable(ring, true);
}

/* Whether the device takes jobs out of it; the one that runs goes on. */
void iau_ring_enable(struct iau_ring *ring, bool on)
{
	iau_write(ring->iau, iau_qreg(ring->index, IAU_QREG_CTRL), on | ring->index << 1);
}

/* No job comes into it any more, until iau_ring_start() or iau_ring_release(). */
void iau_ring_stop(struct iau_ring *ring)
{
	unsigned long irq;

	if (ring->stopped)
		return;
	drm_sched_wqueue_stop(&ring->sched);
	spin_lock_irqsave(&ring->lock, irq);
	ring->stopped = true;
	spin_unlock_irqrestore(&ring->lock, irq);
}

/*
 * Drops the jobs of a queue that have not started. The scheduler stands still meanwhile: if it took
 * one of them at this moment, it would put the entity back among those that have jobs, and find it
 * there when it is freed. Not drm_sched_entity_destroy(): it would wait for the ring to take them.
 */
void iau_ring_drop_entity(struct iau_ring *ring, struct drm_sched_entity *entity)
{
	mutex_lock(&ring->iau->reset_lock);
	if (!ring->stopped)
		drm_sched_wqueue_stop(&ring->sched);
	drm_sched_entity_fini(entity);
	if (!ring->stopped)
		drm_sched_wqueue_start(&ring->sched);
	mutex_unlock(&ring->iau->reset_lock);
}

/* The device aborts what runs and forgets the ring. */
int iau_ring_abort(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	u32 status;
	int err;

	iau_write(iau, iau_qreg(ring->index, IAU_QREG_CMD), 1);
	/* a device that is gone reads as all ones */
	err = readl_poll_timeout(iau->regs + iau_qreg(ring->index, IAU_QREG_STATUS), status,
				 status == 0 || status == ~0u, 50, RESET_US);
	if (!err && status)
		err = -ENODEV;
	return err;
}

/*
 * Takes all jobs out, to be run again; or ALL end with ERROR. Otherwise those of banned queues do:
 * with ERROR the one in front, which had the device, and the others because of it.
 */
void iau_ring_empty(struct iau_ring *ring, int error, bool all)
{
	unsigned long irq;

	spin_lock_irqsave(&ring->lock, irq);
	/* a job may have been done before the device stopped */
	complete_done(ring);
	if (all)
		for (unsigned int i = 0; i < ring->again_jobs; i++)
			end(ring, ring->again[i], error);
	if (all)
		ring->again_jobs = 0;
	while (ring->head != ring->tail) {
		if (all || iau_queue_banned(iau_ring_head(ring)->queue))
			finish(ring, NULL, error);
		else
			ring->again[ring->again_jobs++] = take_oldest(ring);
		if (!all)
			error = -ECANCELED;
	}
	spin_unlock_irqrestore(&ring->lock, irq);
}

bool iau_ring_head_banned(struct iau_ring *ring)
{
	unsigned long irq;
	bool banned;

	spin_lock_irqsave(&ring->lock, irq);
	banned = ring->head != ring->tail && iau_queue_banned(iau_ring_head(ring)->queue);
	spin_unlock_irqrestore(&ring->lock, irq);
	return banned;
}

/* The queues of all jobs in it take no more. */
void iau_ring_ban(struct iau_ring *ring, u32 why)
{
	unsigned long irq;

	spin_lock_irqsave(&ring->lock, irq);
	for (u32 i = ring->head; i != ring->tail; i++)
		iau_queue_ban(ring->job[i % IAU_RING_ENTRIES]->queue, why);
	spin_unlock_irqrestore(&ring->lock, irq);
}

/* What is kept runs again, or ends if it cannot; under the lock. */
static void run_again(struct iau_ring *ring)
{
	u32 tail = ring->tail;

	for (unsigned int i = 0; i < ring->again_jobs; i++)
		enter_or_end(ring, ring->again[i], true);
	ring->again_jobs = 0;
	if (ring->tail != tail)
		iau_doorbell_ring(ring->iau, ring->index, ring->tail);
}

/* Jobs come again, those that were kept first. */
void iau_ring_release(struct iau_ring *ring)
{
	unsigned long irq;

	if (!ring->stopped)
		return;
	spin_lock_irqsave(&ring->lock, irq);
	run_again(ring);
	ring->stopped = false;
	spin_unlock_irqrestore(&ring->lock, irq);
	drm_sched_wqueue_start(&ring->sched);
}

/* Runs again what was taken out of it. The device knows nothing of the ring. */
void iau_ring_start(struct iau_ring *ring)
{
	iau_ring_setup(ring);
	iau_ring_release(ring);
}

/*
 * No timedout_job(): the scheduler's timer knows one job of one ring, but whether that job had the
 * device at all is a question about the others. The watchdog answers it.
 */
static const struct drm_sched_backend_ops sched_ops = {
	.run_job = run_job,
	.free_job = free_job,
};

static void ring_fini(struct drm_device *drm, void *data)
{
	struct iau_ring *ring = data;

	drm_sched_fini(&ring->sched);
}

static int ring_init(struct iau_device *iau, unsigned int index)
{
	struct iau_ring *ring = &iau->ring[index];
	struct device *dev = iau->drm.dev;
	int err;

	ring->iau = iau;
	ring->index = index;
	spin_lock_init(&ring->lock);
	ring->fence_context = dma_fence_context_alloc(1);
	/* clients may stay when the device goes; its memory does not */
	ring->desc = dmam_alloc_coherent(dev, MEM_BYTES, &ring->dma, GFP_KERNEL);
	if (!ring->desc)
		return -ENOMEM;
	ring->rec = ring->desc + IAU_RING_ENTRIES * IAU_JOB_BYTES;
	err = iau_sched_init(&ring->sched, &sched_ops, IAU_RING_JOBS, MAX_SCHEDULE_TIMEOUT, dev);
	if (err)
		return err;
	iau_ring_setup(ring);
	return drmm_add_action_or_reset(&iau->drm, ring_fini, ring);
}

int iau_rings_init(struct iau_device *iau)
{
	int err = 0;

	for (unsigned int q = 0; q < iau->info.queues && !err; q++)
		err = ring_init(iau, q);
	return err;
}
