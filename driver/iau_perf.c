// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's counters. They start from 0 when the device is reset or has slept; here they go on.
 * While the device sleeps nothing is read from it, and it is not woken for them.
 */
#include <drm/drm_drv.h>

#include "iau_drv.h"

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
