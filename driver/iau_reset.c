// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder: a hardware queue is reset; if it does not answer, the whole function; if that does
 * not help, the device is wedged until it is reset from outside or bound again.
 *
 * The function is always reset by the PCI core, which calls back before and after, so that a reset
 * that somebody else asks for goes the same way.
 */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/kobject.h>
#include <linux/pci.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "iau_drv.h"
#include "iau_trace.h"

#define TEST_US		1000000

/*
 * Ends the jobs of banned queues in the ring, with ERROR, and runs the others again, none of which
 * has begun. Under the reset lock.
 */
void iau_restart_ring(struct iau_ring *ring, int error)
{
	struct iau_device *iau = ring->iau;
	int err;

	iau_ring_stop(ring);
	err = iau_ring_abort(ring);
	trace_iau_reset(iau, "queue", err);
	if (err) {
		drm_err(&iau->drm, "queue %u does not reset\n", ring->index);
		iau->stuck = true;
		iau_watchdog_kick(iau);
		return;
	}
	iau_ring_empty(ring, error, false);
	iau_ring_start(ring);
}

/* The same if the job in front is one to end: jobs of a ring run in order. */
void iau_reset_ring(struct iau_ring *ring, int error)
{
	struct iau_device *iau = ring->iau;

	/* from here on no job begins; the one in front may just have ended, which is as good */
	iau_ring_enable(ring, false);
	iau_read(iau, iau_qreg(ring->index, IAU_QREG_STATUS));
	iau_ring_collect(ring);
	if (!iau_ring_head_banned(ring)) {
		iau_ring_enable(ring, true);
		return;
	}
	iau_restart_ring(ring, error);
}

/* Standing still ------------------------------------------------------------------------------ */

static bool anything_runs(struct iau_device *iau)
{
	for (unsigned int q = 0; q < iau->info.queues; q++)
		if (iau_read(iau, iau_qreg(q, IAU_QREG_STATUS)) == 1 &&
		    !iau_ring_head_banned(&iau->ring[q]))
			return true;
	return false;
}

/*
 * What still runs is lost: a job that has begun and is cut off cannot run again: it may have
 * changed what it reads.
 */
static void give_up_running(struct iau_device *iau)
{
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];

		if (iau_read(iau, iau_qreg(q, IAU_QREG_STATUS)) != 1)
			continue;
		spin_lock_irq(&ring->lock);
		if (ring->head != ring->tail)
			iau_queue_ban(iau_ring_head(ring)->queue, DRM_IAU_QUEUE_LOST);
		spin_unlock_irq(&ring->lock);
	}
}

/* The job that runs may end, unless its queue is banned; no other begins. False if it does not. */
static bool drain(struct iau_device *iau)
{
	unsigned long end = jiffies + msecs_to_jiffies(iau_watchdog_ms());
	unsigned int idle = 0;

	for (unsigned int q = 0; q < iau->info.queues; q++)
		iau_ring_enable(&iau->ring[q], false);
	/* twice: a job may have been on its way when the queues were disabled */
	while (idle < 2 && time_before(jiffies, end)) {
		usleep_range(500, 1000);
		idle = anything_runs(iau) ? 0 : idle + 1;
	}
	return idle == 2;
}

/* It does not stand still: everything goes on as if nothing had been. */
static void undo_stop(struct iau_device *iau)
{
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];

		iau_ring_enable(ring, true);
		iau_ring_release(ring);
	}
}

/*
 * No job is in the device any more, and none comes until iau_device_start(). What had not begun is
 * run again then. Registers are not touched in between. A job that runs for longer than the
 * watchdog would wait is lost if it has to be NOW; otherwise -EBUSY.
 */
int iau_device_stop(struct iau_device *iau, bool now)
{
	int err = 0;

	mutex_lock(&iau->reset_lock);
	for (unsigned int q = 0; q < iau->info.queues; q++)
		iau_ring_stop(&iau->ring[q]);
	if (iau->awake && !iau->wedged) {
		if (!iau->stuck && atomic_read(&iau->in_flight) && !drain(iau) && !now)
			err = -EBUSY;
		else
			give_up_running(iau);
		for (unsigned int q = 0; q < iau->info.queues; q++)
			iau_fault_handle(&iau->ring[q]);
	}
	if (err) {
		undo_stop(iau);
	} else {
		for (unsigned int q = 0; q < iau->info.queues; q++)
			iau_ring_empty(&iau->ring[q], -EIO, false);
		iau_slots_forget(iau);
		iau_counters_stop(iau);
		iau->awake = false;
	}
	mutex_unlock(&iau->reset_lock);
	return err;
}

/* Going on ------------------------------------------------------------------------------------ */

/*
 * Does the device take jobs? One of zeros has a context without page tables: it must be refused.
 * The fault is gone with the reset of the queue.
 */
static int self_test(struct iau_device *iau)
{
	struct iau_ring *ring = &iau->ring[0];
	u32 status;
	int err;

	memset(ring->desc, 0, IAU_JOB_BYTES);
	iau_ring_setup(ring);
	iau_doorbell_ring(iau, 0, 1);
	err = readl_poll_timeout(iau->regs + iau_qreg(0, IAU_QREG_STATUS), status,
				 status == 2 || status == ~0u, 50, TEST_US);
	if (!err && status != 2)
		err = -ENODEV;
	return err ?: iau_ring_abort(ring);
}

/* As drm_dev_wedged_event() does it, which wants a primary node: accel devices have none. */
static void tell_wedged(struct work_struct *work)
{
	struct iau_device *iau = container_of(work, struct iau_device, tell_wedged);
	char *event[2] = { "WEDGED=rebind,bus-reset", NULL };

	kobject_uevent_env(&iau->drm.accel->kdev->kobj, KOBJ_CHANGE, event);
}

/* Every job fails, those to come too: they get their error from run_job(). */
static void fail_everything(struct iau_device *iau)
{
	/* it writes nothing into memory any more */
	pci_clear_master(to_pci_dev(iau->drm.dev));
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];

		iau_ring_stop(ring);
		iau_ring_ban(ring, DRM_IAU_QUEUE_LOST);
		iau_ring_empty(ring, -EIO, true);
		iau_ring_release(ring);
	}
}

/* Nothing helps until somebody resets the device or binds it again. */
static void wedge(struct iau_device *iau)
{
	drm_err(&iau->drm, "the device is wedged; reset it or bind it again\n");
	trace_iau_reset(iau, "wedged", 0);
	WRITE_ONCE(iau->wedged, true);
	iau->stuck = false;
	fail_everything(iau);
	queue_work(iau_wq, &iau->tell_wedged);
}

/*
 * The device is as after power on, or as it was; goes on with what iau_device_stop() has left. With
 * a TEST if there is reason to doubt that it can.
 */
int iau_device_start(struct iau_device *iau, bool test)
{
	int err = 0;

	mutex_lock(&iau->reset_lock);
	iau->awake = true;
	/* sleep does not help where a reset did not, and everybody has been told */
	if (iau->wedged && !test) {
		fail_everything(iau);
		mutex_unlock(&iau->reset_lock);
		return -EIO;
	}
	pci_set_master(to_pci_dev(iau->drm.dev));
	if (iau_read(iau, IAU_REG_ID) != IAU_ID)
		err = -ENODEV;
	/* if nothing was forgotten, the device still has a place in rings that start anew */
	for (unsigned int q = 0; q < iau->info.queues && !err; q++)
		err = iau_ring_abort(&iau->ring[q]);
	if (!err)
		iau_doorbell_start(iau);
	if (!err && test)
		err = self_test(iau);
	trace_iau_reset(iau, test ? "function" : "resume", err);
	if (err) {
		wedge(iau);
	} else {
		WRITE_ONCE(iau->wedged, false);
		iau->stuck = false;
		iau_counters_start(iau);
		iau_slots_restore(iau);
		for (unsigned int q = 0; q < iau->info.queues; q++)
			iau_ring_start(&iau->ring[q]);
	}
	mutex_unlock(&iau->reset_lock);
	return err;
}

/* The whole function --------------------------------------------------------------------------- */

/* From the watchdog, whose work it is. */
void iau_reset_function(struct iau_device *iau)
{
	struct pci_dev *pdev = to_pci_dev(iau->drm.dev);
	int err = -ENODEV;

	/* the core would wait a minute for a device that is gone */
	if (pci_device_is_present(pdev))
		err = pci_try_reset_function(pdev);
	if (err == -EAGAIN) {
		/* somebody else resets it, or it is being removed, which waits for this work */
		iau_watchdog_in(iau, 100 * NSEC_PER_MSEC);
		return;
	}
	if (!err)
		return;
	drm_err(&iau->drm, "the function does not reset (%d)\n", err);
	mutex_lock(&iau->reset_lock);
	if (!iau->wedged)
		wedge(iau);
	mutex_unlock(&iau->reset_lock);
}

static void reset_prepare(struct pci_dev *pdev)
{
	iau_device_stop(pci_get_drvdata(pdev), true);
}

static void reset_done(struct pci_dev *pdev)
{
	iau_device_start(pci_get_drvdata(pdev), true);
}

const struct pci_error_handlers iau_err_handlers = {
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};

int iau_reset_init(struct iau_device *iau)
{
	int err = drmm_mutex_init(&iau->drm, &iau->reset_lock);

	if (err)
		return err;
	INIT_WORK(&iau->tell_wedged, tell_wedged);
	/*
	 * Reclaim may wait for a fence that is signalled under it, if only after a fault or a hang:
	 * lockdep knows from the start. Not by dma_fence_begin_signalling(): who holds the lock
	 * waits for works of schedulers that begin signalling themselves.
	 */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&iau->reset_lock);
	fs_reclaim_release(GFP_KERNEL);
	return 0;
}

/* Removal -------------------------------------------------------------------------------------- */

/* The device is leaving: what it had not done fails, and so does what still comes. */
void iau_device_fini(struct iau_device *iau)
{
	iau_watchdog_stop(iau);
	mutex_lock(&iau->reset_lock);
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];

		iau_ring_stop(ring);
		if (iau->awake && !iau->wedged && iau_ring_abort(ring))
			drm_err(&iau->drm, "queue %u does not stop\n", q);
		iau_ring_empty(ring, -ENODEV, true);
		iau_ring_release(ring);
	}
	mutex_unlock(&iau->reset_lock);
}
