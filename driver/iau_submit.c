// SPDX-License-Identifier: GPL-2.0-only
/*
 * Submission. Everything that can fail comes first: arguments, memory, fences, dependencies, places
 * in timelines. From arming the first job on nothing can.
 */
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_syncobj.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

#define MAX_JOBS	64
#define MAX_SYNCS	64

/* A syncobj to signal with a job */
struct signal {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
	unsigned int job;
};

struct submit {
	struct iau_queue *queue;
	struct iau_job *job[MAX_JOBS];
	unsigned int jobs;
	struct signal *signal;
	unsigned int signals;
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

void iau_job_free(struct iau_job *job)
{
	if (job->started)
		dma_fence_put(&job->done->base);
	else
		kfree(job->done);
	iau_queue_put(job->queue);
	kfree(job);
}

static struct iau_job *job_new(struct iau_queue *queue, const struct drm_iau_job *j, u64 client)
{
	struct iau_job *job;
	int err = -ENOMEM;

	if (j->pad || j->syncs.count > MAX_SYNCS || !j->cmd_bytes ||
	    j->cmd_bytes % IAU_CMD_BYTES || j->cmd_va % IAU_CMD_BYTES ||
	    j->param_va % IAU_PARAM_BYTES)
		return ERR_PTR(-EINVAL);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (job)
		job->done = kzalloc(sizeof(*job->done), GFP_KERNEL);
	if (job && job->done)
		err = iau_sched_job_init(&job->base, &queue->entity, client);
	if (err) {
		if (job)
			kfree(job->done);
		kfree(job);
		return ERR_PTR(err);
	}
	kref_get(&queue->ref);
	job->queue = queue;
	job->slot = -1;
	job->id = atomic64_inc_return(&queue->ring->iau->job_ids);
	job->cmd_va = j->cmd_va;
	job->param_va = j->param_va;
	job->cmd_bytes = j->cmd_bytes;
	job->budget = j->budget;
	job->tag = j->tag;
	return job;
}

static int add_signal(struct submit *s, const struct drm_iau_sync *sync, struct drm_file *file)
{
	struct signal *sig = &s->signal[s->signals];

	sig->job = s->jobs - 1;
	sig->point = sync->point;
	if (sync->point) {
		sig->chain = dma_fence_chain_alloc();
		if (!sig->chain)
			return -ENOMEM;
	}
	sig->syncobj = drm_syncobj_find(file, sync->handle);
	if (!sig->syncobj) {
		dma_fence_chain_free(sig->chain);
		return -ENOENT;
	}
	s->signals++;
	return 0;
}

static int add_syncs(struct submit *s, const struct drm_iau_obj_array *syncs, struct drm_file *file)
{
	struct iau_job *job = s->job[s->jobs - 1];
	int err = 0;

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
			err = drm_sched_job_add_syncobj_dependency(&job->base, file, sync.handle,
								   sync.point);
	}
	return err;
}

static int add_jobs(struct submit *s, const struct drm_iau_obj_array *jobs, struct drm_file *file)
{
	for (u32 i = 0; i < jobs->count; i++) {
		struct drm_iau_job j;
		struct iau_job *job;
		int err = iau_array_get(jobs, i, &j, sizeof(j));

		if (err)
			return err;
		job = job_new(s->queue, &j, file->client_id);
		if (IS_ERR(job))
			return PTR_ERR(job);
		s->job[s->jobs++] = job;
		err = add_syncs(s, &j.syncs, file);
		if (err)
			return err;
	}
	return 0;
}

/* Cannot fail: the VM's reservation is held and has room for the fences. */
static void push(struct submit *s)
{
	struct dma_resv *resv = drm_gpuvm_resv(&s->queue->vm->gpuvm);

	for (unsigned int i = 0, n = 0; i < s->jobs; i++) {
		struct dma_fence *finished;

		drm_sched_job_arm(&s->job[i]->base);
		finished = &s->job[i]->base.s_fence->finished;
		dma_resv_add_fence(resv, finished, DMA_RESV_USAGE_BOOKKEEP);
		for (; n < s->signals && s->signal[n].job == i; n++) {
			struct signal *sig = &s->signal[n];

			if (sig->chain)
				drm_syncobj_add_point(sig->syncobj, sig->chain, finished,
						      sig->point);
			else
				drm_syncobj_replace_fence(sig->syncobj, finished);
			sig->chain = NULL;
		}
		/* it may be over and freed as soon as it is pushed */
		trace_iau_job_submit(s->job[i]);
		drm_sched_entity_push_job(&s->job[i]->base);
	}
	s->jobs = 0;
}

/* Under the VM's lock, so that an unmapping sees either none of the jobs or all of them. */
static int submit(struct submit *s)
{
	struct iau_vm *vm = s->queue->vm;
	struct dma_resv *resv = drm_gpuvm_resv(&vm->gpuvm);
	int err = mutex_lock_interruptible(&vm->lock);

	if (err)
		return err;
	dma_resv_lock(resv, NULL);
	err = dma_resv_reserve_fences(resv, s->jobs);
	if (!err)
		push(s);
	dma_resv_unlock(resv);
	mutex_unlock(&vm->lock);
	return err;
}

static void submit_free(struct submit *s)
{
	for (unsigned int i = 0; i < s->signals; i++) {
		drm_syncobj_put(s->signal[i].syncobj);
		dma_fence_chain_free(s->signal[i].chain);
	}
	/* those that were not pushed */
	for (unsigned int i = 0; i < s->jobs; i++) {
		drm_sched_job_cleanup(&s->job[i]->base);
		iau_job_free(s->job[i]);
	}
	kvfree(s->signal);
	iau_queue_put(s->queue);
	kfree(s);
}

int iau_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_submit *args = data;
	struct submit *s;
	int err;

	if (args->flags || !args->jobs.count || args->jobs.count > MAX_JOBS)
		return -EINVAL;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->queue = iau_queue_get(file->driver_priv, args->queue_id);
	if (!s->queue) {
		kfree(s);
		return -ENOENT;
	}
	s->signal = kvcalloc(array_size(args->jobs.count, MAX_SYNCS), sizeof(*s->signal), GFP_KERNEL);
	err = s->signal ? 0 : -ENOMEM;
	if (!err && READ_ONCE(s->queue->state) & DRM_IAU_QUEUE_BANNED)
		err = -EIO;
	if (!err)
		err = add_jobs(s, &args->jobs, file);
	if (!err)
		err = submit(s);
	submit_free(s);
	return err;
}
