// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power. A job holds the device awake from its submission on, so that nobody has to wake it where
 * that would sleep; without jobs it is suspended after a while. What it forgets meanwhile, page
 * tables of its contexts and rings, is written again before a job starts; its counters are carried
 * over.
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

/* Probe is through: the device may sleep. */
void iau_pm_init(struct iau_device *iau)
{
	struct device *dev = iau->drm.dev;

	pm_runtime_set_autosuspend_delay(dev, autosuspend_ms);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_allow(dev);
	pm_runtime_put_autosuspend(dev);
}

/* The PCI core has woken it up. */
void iau_pm_fini(struct iau_device *iau)
{
	struct device *dev = iau->drm.dev;

	pm_runtime_forbid(dev);
	pm_runtime_get_noresume(dev);
	pm_runtime_dont_use_autosuspend(dev);
}

/* For a job; may sleep. */
int iau_pm_get(struct iau_device *iau)
{
	return pm_runtime_resume_and_get(iau->drm.dev);
}

/* Any context */
void iau_pm_put(struct iau_device *iau)
{
	pm_runtime_mark_last_busy(iau->drm.dev);
	pm_runtime_put_autosuspend(iau->drm.dev);
}
