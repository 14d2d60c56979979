// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's counters. They start from 0 when the device is reset or has slept; here they go on.
 * While the device sleeps nothing is read from it, and it is not woken for them.
 */
#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "iau_drv.h"

static bool perf_unprivileged;
module_param(perf_unprivileged, bool, 0644);
MODULE_PARM_DESC(perf_unprivileged,
		 "performance counters of the whole device for every client (N)");

#define MAX_SESSIONS	16

/* Where a session's counts begin */
struct iau_perf {
	u64 time_ns;
	struct drm_iau_counters start;
};

static u64 read_counter(struct iau_device *iau, unsigned int i)
{
	/* the low word latches the high one */
	u32 low = iau_read(iau, IAU_CNT_OFFSET + i * 8);

	return low | (u64)iau_read(iau, IAU_CNT_OFFSET + i * 8 + 4) << 32;
}

/* The registers are about to go: what they show is kept. */
void iau_counters_stop(struct iau_device *iau)
{
	mutex_lock(&iau->counter_lock);
	/* a device that is gone reads as all ones */
	if (iau->counters_live && iau_read(iau, IAU_REG_ID) == IAU_ID)
		for (unsigned int i = 0; i < IAU_NUM_COUNTERS; i++)
			iau->counter[i] += read_counter(iau, i);
	iau->counters_live = false;
	mutex_unlock(&iau->counter_lock);
}

/* The registers are back, with whatever they start from. */
void iau_counters_start(struct iau_device *iau)
{
	mutex_lock(&iau->counter_lock);
	for (unsigned int i = 0; i < IAU_NUM_COUNTERS; i++)
		iau->counter[i] -= read_counter(iau, i);
	iau->counters_live = true;
	mutex_unlock(&iau->counter_lock);
}

int iau_read_counters(struct iau_device *iau, struct drm_iau_counters *c)
{
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return -ENODEV;
	mutex_lock(&iau->counter_lock);
	for (unsigned int i = 0; i < IAU_NUM_COUNTERS; i++)
		c->value[i] = iau->counter[i] + (iau->counters_live ? read_counter(iau, i) : 0);
	mutex_unlock(&iau->counter_lock);
	drm_dev_exit(idx);
	return 0;
}

int iau_ioctl_perf_open(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_perf_open *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_perf *perf;
	int err;

	if (args->flags)
		return -EINVAL;
	if (!READ_ONCE(perf_unprivileged) && !perfmon_capable())
		return -EACCES;
	perf = kzalloc(sizeof(*perf), GFP_KERNEL_ACCOUNT);
	if (!perf)
		return -ENOMEM;
	err = iau_read_counters(to_iau(drm), &perf->start);
	perf->time_ns = ktime_get_ns();
	if (!err)
		err = xa_alloc(&priv->perfs, &args->id, perf, XA_LIMIT(1, MAX_SESSIONS),
			       GFP_KERNEL);
	if (err)
		kfree(perf);
	return err == -EBUSY ? -ENOSPC : err;
}

/* A copy: another thread may close the session. */
static int find(struct iau_file *priv, u32 id, struct iau_perf *out)
{
	struct iau_perf *perf;

	xa_lock(&priv->perfs);
	perf = xa_load(&priv->perfs, id);
	if (perf)
		*out = *perf;
	xa_unlock(&priv->perfs);
	return perf ? 0 : -ENOENT;
}

int iau_ioctl_perf_read(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_perf_read *args = data;
	struct iau_perf perf;
	int err;

	if (args->flags)
		return -EINVAL;
	err = find(file->driver_priv, args->id, &perf);
	if (err)
		return err;
	memset(&args->counters, 0, sizeof(args->counters));
	err = iau_read_counters(to_iau(drm), &args->counters);
	args->time_ns = ktime_get_ns() - perf.time_ns;
	for (unsigned int i = 0; i < ARRAY_SIZE(args->counters.value); i++)
		args->counters.value[i] -= perf.start.value[i];
	return err;
}

int iau_ioctl_perf_close(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_perf_close *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_perf *perf;

	if (args->pad)
		return -EINVAL;
	perf = xa_erase(&priv->perfs, args->id);
	kfree(perf);
	return perf ? 0 : -ENOENT;
}

/* The client goes. */
void iau_perf_close_all(struct iau_file *priv)
{
	struct iau_perf *perf;
	unsigned long id;

	xa_for_each(&priv->perfs, id, perf)
		kfree(perf);
	xa_destroy(&priv->perfs);
}
