/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between kernels, by the probes of Kbuild. */
#ifndef __IAU_COMPAT_H__
#define __IAU_COMPAT_H__

#include <linux/hrtimer.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

static inline int iau_sched_init(struct drm_gpu_scheduler *sched,
				 const struct drm_sched_backend_ops *ops, u32 credits, long timeout,
				 struct device *dev)
{
#ifdef IAU_HAVE_SCHED_INIT_ARGS
	const struct drm_sched_init_args args = {
		.ops = ops,
#ifdef IAU_HAVE_SCHED_NUM_RQS
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
#endif
		.credit_limit = credits,
		.timeout = timeout,
		.name = "iau",
		.dev = dev,
	};

	return drm_sched_init(sched, &args);
#else
	return drm_sched_init(sched, ops, NULL, DRM_SCHED_PRIORITY_COUNT, credits, 0, timeout, NULL,
			      NULL, "iau", dev);
#endif
}

static inline int iau_sched_job_init(struct drm_sched_job *job, struct drm_sched_entity *entity,
				     u64 client)
{
#ifdef IAU_HAVE_SCHED_CLIENT_ID
	return drm_sched_job_init(job, entity, 1, NULL, client);
#else
	return drm_sched_job_init(job, entity, 1, NULL);
#endif
}

static inline struct drm_gpuva_ops *iau_map_ops(struct drm_gpuvm *gpuvm, u64 va, u64 size,
						struct drm_gem_object *obj, u64 offset)
{
#ifdef IAU_HAVE_GPUVM_MAP_REQ
	const struct drm_gpuvm_map_req req = {
		.map.va.addr = va,
		.map.va.range = size,
		.map.gem.obj = obj,
		.map.gem.offset = offset,
	};

	return drm_gpuvm_sm_map_ops_create(gpuvm, &req);
#else
	return drm_gpuvm_sm_map_ops_create(gpuvm, va, size, obj, offset);
#endif
}

/* Under the reservation of OBJ */
static inline struct drm_gpuvm_bo *iau_bo_obtain(struct drm_gpuvm *gpuvm,
						 struct drm_gem_object *obj)
{
#ifdef IAU_HAVE_GPUVM_BO_OBTAIN_LOCKED
	return drm_gpuvm_bo_obtain_locked(gpuvm, obj);
#else
	return drm_gpuvm_bo_obtain(gpuvm, obj);
#endif
}

/* Newer kernels have every buffer know its mappings. */
#ifdef IAU_HAVE_DRIVER_GEM_GPUVA
#define IAU_DRIVER_GEM_GPUVA	DRIVER_GEM_GPUVA
#else
#define IAU_DRIVER_GEM_GPUVA	0
#endif

/* What the driver can tell of a buffer: newer kernels print no active memory unasked. */
#ifdef IAU_HAVE_GEM_OBJECT_ACTIVE
#define IAU_GEM_STATUS	(DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE | DRM_GEM_OBJECT_ACTIVE)
#else
#define IAU_GEM_STATUS	(DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE)
#endif

/* Memory of a file that is taken as it is used */
#ifdef IAU_HAVE_SHMEM_VMA_FLAGS
#define IAU_SHMEM_NORESERVE	mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define IAU_SHMEM_NORESERVE	VM_NORESERVE
#endif

/* Under the reservation of the object. 1 if its contents are there. */
static inline int iau_shmem_madvise(struct drm_gem_shmem_object *shmem, int madv)
{
#ifdef IAU_HAVE_SHMEM_LOCKED
	return drm_gem_shmem_madvise_locked(shmem, madv);
#else
	return drm_gem_shmem_madvise(shmem, madv);
#endif
}

static inline void iau_shmem_purge(struct drm_gem_shmem_object *shmem)
{
#ifdef IAU_HAVE_SHMEM_LOCKED
	drm_gem_shmem_purge_locked(shmem);
#else
	drm_gem_shmem_purge(shmem);
#endif
}

/* A timer of the monotonic clock */
static inline void iau_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*fn)(struct hrtimer *timer))
{
#ifdef IAU_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = fn;
#endif
}

#endif /* __IAU_COMPAT_H__ */
