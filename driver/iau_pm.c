// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power. A job holds the device awake from its submission on, so that nobody has to wake it where
 * that would sleep; without jobs it is let go by the next look of the watchdog, and suspended after
 * a while. One job after the other costs no change of the core's books. What it forgets meanwhile,
 * page tables of its contexts and rings, is written again before a job starts; its counters are
 * carried over.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "iau_drv.h"

static int autosuspend_ms = 1000;
module_param(autosuspend_ms, int, 0444);
MODULE_PARM_DESC(autosuspend_ms,
		 "idle time after which the device is suspended; negative: never (1000)");

static int iau_suspend(struct device *dev)
{
	return iau_device_stop(pci_get_drvdata(to_pci_dev(dev)), false);
}

static int iau_resume(struct device *dev)
{
	/* a device that does not come back is wedged, and says so to who uses it */
	iau_device_start(pci_get_drvdata(to_pci_dev(dev)), false);
	return 0;
}

const struct dev_pm_ops iau_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(iau_suspend, iau_resume)
	RUNTIME_PM_OPS(iau_suspend, iau_resume, NULL)
};

static void let_go(struct device *dev)
{
	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
}

/* Probe is through: the device may sleep. */
void iau_pm_init(struct iau_device *iau)
{
	struct device *dev = iau->drm.dev;

	pm_runtime_set_autosuspend_delay(dev, autosuspend_ms);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_allow(dev);
	let_go(dev);
}

/* The PCI core has woken it up; the watchdog looks no more. */
void iau_pm_fini(struct iau_device *iau)
{
	struct device *dev = iau->drm.dev;

	if (atomic_read(&iau->awake_for))
		pm_runtime_put_noidle(dev);
	pm_runtime_forbid(dev);
	pm_runtime_get_noresume(dev);
	pm_runtime_dont_use_autosuspend(dev);
}

/* For a job; may sleep. */
int iau_pm_get(struct iau_device *iau)
{
	int err;

	if (atomic_inc_not_zero(&iau->awake_for))
		return 0;
	err = pm_runtime_resume_and_get(iau->drm.dev);
	if (err)
		return err;
	/* another may have been as quick */
	while (!atomic_inc_not_zero(&iau->awake_for)) {
		if (atomic_cmpxchg(&iau->awake_for, 0, 2))
			continue;
		iau_watchdog_start(iau);
		return 0;
	}
	let_go(iau->drm.dev);
	return 0;
}

/* Any context */
void iau_pm_put(struct iau_device *iau)
{
	atomic_dec(&iau->awake_for);
}

/* Lets go of the device if there are no jobs. True if there are. */
bool iau_pm_needed(struct iau_device *iau)
{
	if (atomic_cmpxchg(&iau->awake_for, 1, 0) == 1)
		let_go(iau->drm.dev);
	return atomic_read(&iau->awake_for);
}
