// SPDX-License-Identifier: GPL-2.0-only
/* A timeout can be answered with "no hang", which puts the job back. */
#include <drm/gpu_scheduler.h>

enum drm_gpu_sched_stat probe(void);
enum drm_gpu_sched_stat probe(void)
{
	return DRM_GPU_SCHED_STAT_NO_HANG;
}
