// SPDX-License-Identifier: GPL-2.0-only
/* Syncobjs: what work waits for and what it signals, for jobs and for bindings; and waiting. */
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_syncobj.h>

#include "iau_drv.h"

/* A syncobj to signal; with CHAIN at a point of its timeline */
struct iau_signal {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

/* Element I of a client's array, zero-filled or cut to SIZE. */
int iau_array_get(const struct drm_iau_obj_array *array, u32 i, void *out, size_t size)
{
	u64 at;

	if (!array->stride || check_mul_overflow((u64)i, (u64)array->stride, &at) ||
	    check_add_overflow(at, array->array, &at))
		return -EINVAL;
	return copy_struct_from_user(out, size, u64_to_user_ptr(at), array->stride);
}

/* How long a client wants to wait, in jiffies; negative times have no limit. */
long iau_timeout(s64 ns)
{
	if (ns <= 0)
		return ns ? MAX_SCHEDULE_TIMEOUT : 0;
	/* a wait is never shorter than asked for */
	return min_t(u64, nsecs_to_jiffies(ns), MAX_SCHEDULE_TIMEOUT - 2) + 1;
}

static int add_signal(struct iau_signals *s, const struct drm_iau_sync *sync, struct drm_file *file)
{
	struct iau_signal *sig = &s->list[s->n];

	if (sync->point) {
		sig->chain = dma_fence_chain_alloc();
		if (!sig->chain)
			return -ENOMEM;
		sig->point = sync->point;
	}
	sig->syncobj = drm_syncobj_find(file, sync->handle);
	if (!sig->syncobj) {
		dma_fence_chain_free(sig->chain);
		sig->chain = NULL;
		return -ENOENT;
	}
	s->n++;
	return 0;
}

/*
 * Makes JOB wait for what SYNCS says, and notes in S, which is empty, what it signals. On failure,
 * too, S must be freed.
 */
int iau_syncs_add(const struct drm_iau_obj_array *syncs, struct drm_sched_job *job,
		  struct drm_file *file, struct iau_signals *s)
{
	int err = 0;

	if (!syncs->count)
		return 0;
	if (syncs->count > IAU_MAX_SYNCS)
		return -EINVAL;
	s->list = kcalloc(syncs->count, sizeof(*s->list), GFP_KERNEL);
	if (!s->list)
		return -ENOMEM;
	for (u32 i = 0; i < syncs->count && !err; i++) {
		struct drm_iau_sync sync;

		err = iau_array_get(syncs, i, &sync, sizeof(sync));
		if (err)
			break;
		if (sync.flags & ~DRM_IAU_SYNC_SIGNAL)
			err = -EINVAL;
		else if (sync.flags & DRM_IAU_SYNC_SIGNAL)
			err = add_signal(s, &sync, file);
		else
			err = drm_sched_job_add_syncobj_dependency(job, file, sync.handle,
								   sync.point);
	}
	return err;
}

/* From now on the syncobjs wait for FENCE. Cannot fail. */
void iau_signals_attach(struct iau_signals *s, struct dma_fence *fence)
{
	for (unsigned int i = 0; i < s->n; i++) {
		struct iau_signal *sig = &s->list[i];

		if (sig->chain)
			drm_syncobj_add_point(sig->syncobj, sig->chain, fence, sig->point);
		else
			drm_syncobj_replace_fence(sig->syncobj, fence);
		sig->chain = NULL;
	}
}

void iau_signals_free(struct iau_signals *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		drm_syncobj_put(s->list[i].syncobj);
		dma_fence_chain_free(s->list[i].chain);
	}
	kfree(s->list);
}
