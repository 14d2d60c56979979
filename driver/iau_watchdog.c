// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the device still moving? It runs one job at a time, so one clock is enough for all rings: it
 * starts anew with each completion and with each look that finds more commands retired. While jobs
 * complete, nothing is read from the device; a job that stays in front from one look to the next
 * has its registers looked at, which also finds completions and faults whose interrupts were lost.
 *
 * A job that moves may still be endless, and others wait for it: it may have the device for so long
 * and no longer.
 */
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/workqueue.h>

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

static unsigned int job_ms = 600000;
module_param(job_ms, uint, 0444);
MODULE_PARM_DESC(job_ms,
		 "a job that has the device for this long has hung, whatever it does; 0: none has (600000)");

#define LOOKS		16 /* in the time of timeout_ms */
#define MIN_INTERVAL	(4ULL * NSEC_PER_MSEC)

static u64 timeout_ns(void)
{
	return max(timeout_ms, 4U) * (u64)NSEC_PER_MSEC;
}

/* From one look to the next */
static u64 interval_ns(void)
{
	return max(timeout_ns() / LOOKS, MIN_INTERVAL);
}

void iau_watchdog_moved(struct iau_device *iau)
{
	atomic64_set(&iau->moved_ns, ktime_get_ns());
}

/* For how long the device has not moved */
static u64 still_ns(struct iau_device *iau)
{
	s64 ns = ktime_get_ns() - atomic64_read(&iau->moved_ns);

	/* it may have done so in between */
	return max(ns, 0LL);
}

/* Looks in so many nanoseconds. Not a delayed work: ticks are a large part of a short timeout. */
void iau_watchdog_in(struct iau_device *iau, u64 ns)
{
	hrtimer_start(&iau->look, ns_to_ktime(ns), HRTIMER_MODE_REL);
}

/* Jobs hold the device awake: from now on it is looked at until they let it go. */
void iau_watchdog_start(struct iau_device *iau)
{
	iau_watchdog_in(iau, interval_ns());
}

/* There is something to see to, now. */
void iau_watchdog_kick(struct iau_device *iau)
{
	queue_work(iau->reset_wq, &iau->watchdog);
}

static enum hrtimer_restart time_to_look(struct hrtimer *timer)
{
	iau_watchdog_kick(container_of(timer, struct iau_device, look));
	return HRTIMER_NORESTART;
}

/* A job has been in front for a whole interval. */
static void look_closely(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	u32 progress;

	iau_ring_believe(ring, iau_peek(iau, ring->index, IAU_QREG_HEAD));
	iau_fault_handle(ring);
	progress = iau_peek(iau, ring->index, IAU_QREG_PROGRESS);
	if (progress != ring->progress) {
		ring->progress = progress;
		iau_watchdog_moved(iau);
	}
}

/* Is the job in front the one that was there the last time? */
static bool look(struct iau_ring *ring)
{
	bool stays = false;
	u32 head;

	iau_ring_collect(ring);
	head = READ_ONCE(ring->head);
	if (head != READ_ONCE(ring->tail)) {
		stays = ring->seen && ring->seen_head == head;
		if (!stays)
			ring->progress = ring->retired;
	}
	ring->seen = head != READ_ONCE(ring->tail);
	ring->seen_head = head;
	return stays;
}

/*
 * Looks at all rings. Where jobs stay in front, it looks closely, unless the card is gone: that is
 * one register, whatever a card costs that has no status page.
 */
static void look_at_all(struct iau_device *iau)
{
	unsigned long stay = 0;
	unsigned int q;

	for (q = 0; q < iau->info.queues; q++)
		if (look(&iau->ring[q]))
			stay |= BIT(q);
	if (stay && iau_read(iau, IAU_REG_ID) != IAU_ID)
		iau->stuck = true;
	for_each_set_bit(q, &stay, IAU_NUM_QUEUES)
		if (!iau->stuck)
			look_closely(&iau->ring[q]);
}

/* The ring whose job has the device, or the one that it should have taken a job from. */
static struct iau_ring *culprit(struct iau_device *iau)
{
	struct iau_ring *ring = NULL;

	for (unsigned int q = iau->info.queues; q--;) {
		struct iau_ring *r = &iau->ring[q];

		if (READ_ONCE(r->head) == READ_ONCE(r->tail))
			continue;
		if (iau_peek(iau, q, IAU_QREG_STATUS) == 1)
			return r;
		ring = ring ?: r;
	}
	return ring;
}

/*
 * If the oldest job of the ring has the device, has it had it for too long? It got it when the job
 * before ended, of whatever ring, or when it came into the ring.
 */
static bool is_late(struct iau_ring *ring)
{
	struct iau_device *iau = ring->iau;
	u64 since = U64_MAX, now;

	spin_lock_irq(&ring->lock);
	if (ring->head != ring->tail)
		since = iau_ring_head(ring)->begun_ns;
	spin_lock(&iau->usage_lock);
	since = max(since, iau->last_end_ns);
	spin_unlock(&iau->usage_lock);
	now = ktime_get_ns();
	spin_unlock_irq(&ring->lock);
	return job_ms && since < now && now - since >= (u64)job_ms * NSEC_PER_MSEC;
}

/* The oldest job of the ring is not going to end. */
static void end_hung(struct iau_ring *ring, const char *how)
{
	struct iau_device *iau = ring->iau;
	struct iau_queue *queue = NULL;
	struct iau_dump_job who;

	spin_lock_irq(&ring->lock);
	if (ring->head != ring->tail) {
		queue = iau_ring_head(ring)->queue;
		kref_get(&queue->ref);
		iau_dump_describe(iau_ring_head(ring), &who);
		trace_iau_job_timeout(iau_ring_head(ring));
	}
	spin_unlock_irq(&ring->lock);
	if (!queue)
		return;
	dev_warn_ratelimited(iau->drm.dev,
			     "queue %u: a job of client %llu (%s, tag %#x) %s\n",
			     ring->index, who.client, who.comm, who.tag, how);
	who.retired = iau_peek(iau, ring->index, IAU_QREG_PROGRESS) - ring->retired;
	iau_queue_ban(queue, DRM_IAU_QUEUE_TIMEOUT);
	iau_dump_take(ring, queue->vm, &who, NULL);
	iau_reset_ring(ring, -ETIMEDOUT);
	iau_queue_put(queue);
}

/* Jobs in front whose queue takes none any more are not waited for. */
static void end_banned(struct iau_device *iau)
{
	for (unsigned int q = 0; q < iau->info.queues && !iau->stuck; q++)
		if (iau_ring_head_banned(&iau->ring[q]))
			iau_reset_ring(&iau->ring[q], -ECANCELED);
}

/* Until the device has hung, or the next look. The clock of one without jobs stands still. */
static u64 until_next(struct iau_device *iau)
{
	u64 still = still_ns(iau);

	if (!atomic_read(&iau->in_flight))
		return interval_ns();
	if (still >= timeout_ns())
		return 0;
	return min(timeout_ns() - still, interval_ns());
}

/* Under the reset lock. */
static void watch(struct iau_device *iau)
{
	bool late = false, still;
	struct iau_ring *ring;

	look_at_all(iau);
	end_banned(iau);
	if (iau->stuck || !atomic_read(&iau->in_flight))
		return;
	still = still_ns(iau) >= timeout_ns();
	for (unsigned int q = 0; q < iau->info.queues; q++)
		late |= is_late(&iau->ring[q]);
	/* registers tell who has the device; others may be late only because of it */
	ring = still || late ? culprit(iau) : NULL;
	if (ring && still)
		end_hung(ring, "has hung");
	else if (ring && is_late(ring))
		end_hung(ring, "does not end within job_ms");
	if (still)
		iau_watchdog_moved(iau);
}

static void watchdog(struct work_struct *work)
{
	struct iau_device *iau = container_of(work, struct iau_device, watchdog);
	bool stuck;
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return;
	trace_iau_look(iau, atomic_read(&iau->in_flight), still_ns(iau));
	mutex_lock(&iau->reset_lock);
	if (iau->awake && !iau->wedged)
		watch(iau);
	stuck = iau->stuck;
	mutex_unlock(&iau->reset_lock);
	if (stuck)
		iau_reset_function(iau);
	else if (iau_pm_needed(iau))
		iau_watchdog_in(iau, until_next(iau));
	drm_dev_exit(idx);
}

/* How long a job may take that is waited for when the device is to stand still. */
unsigned int iau_watchdog_ms(void)
{
	return timeout_ms;
}

/* After drm_dev_unplug(): what runs then does not set the timer again. */
void iau_watchdog_stop(struct iau_device *iau)
{
	hrtimer_cancel(&iau->look);
	cancel_work_sync(&iau->watchdog);
}

static void wq_fini(struct drm_device *drm, void *unused)
{
	struct iau_device *iau = to_iau(drm);

	/* a last interrupt may have set it going again */
	iau_watchdog_stop(iau);
	destroy_workqueue(iau->reset_wq);
}

int iau_watchdog_init(struct iau_device *iau)
{
	INIT_WORK(&iau->watchdog, watchdog);
	iau_hrtimer_setup(&iau->look, time_to_look);
	/* all clients wait for a device that has hung */
	iau->reset_wq = alloc_ordered_workqueue("iau-reset", WQ_MEM_RECLAIM | WQ_HIGHPRI);
	if (!iau->reset_wq)
		return -ENOMEM;
	return drmm_add_action_or_reset(&iau->drm, wq_fini, NULL);
}
