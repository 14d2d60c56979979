// SPDX-License-Identifier: GPL-2.0-only
/*
 * Submission. Everything that can fail comes first: arguments, memory, fences, dependencies, places
 * in timelines. From arming the first job on nothing can. Then the call may wait for its jobs.
 */
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

#define MAX_JOBS	64

/* A call. @end: fence of the last job, if it is waited for */
struct submit {
	struct iau_queue *queue;
	struct iau_job *job[MAX_JOBS];
	struct iau_signals signals[MAX_JOBS];
	unsigned int jobs, pushed;
	bool wait;
	struct dma_fence *end;
};

void iau_job_free(struct iau_job *job)
{
	iau_pm_put(job->queue->ring->iau);
	iau_queue_put(job->queue);
	if (job->started)
		dma_fence_put(&job->done);
	else
		kfree(job);
}

static struct iau_job *job_new(struct iau_queue *queue, const struct drm_iau_job *j, u64 client)
{
	struct iau_job *job;
	int err;

	if (j->pad || j->syncs.count > IAU_MAX_SYNCS || !j->cmd_bytes ||
	    j->cmd_bytes % IAU_CMD_BYTES || j->cmd_va % IAU_CMD_BYTES ||
	    j->param_va % IAU_PARAM_BYTES)
		return ERR_PTR(-EINVAL);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	err = iau_pm_get(queue->ring->iau);
	if (!err) {
		err = iau_sched_job_init(&job->base, &queue->entity, client);
		if (err)
			iau_pm_put(queue->ring->iau);
	}
	if (err) {
		kfree(job);
		return ERR_PTR(err);
	}
	kref_get(&queue->ref);
	job->queue = queue;
	job->ring = queue->ring->index;
	job->slot = -1;
	job->id = atomic64_inc_return(&queue->ring->iau->job_ids);
	job->cmd_va = j->cmd_va;
	job->param_va = j->param_va;
	job->cmd_bytes = j->cmd_bytes;
	job->budget = j->budget;
	job->tag = j->tag;
	return job;
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
		s->signals[i] = (struct iau_signals){ };
		s->job[s->jobs++] = job;
		err = iau_syncs_add(&j.syncs, &job->base, file, &s->signals[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Is there nothing that the jobs would have to wait for? None of their queue can come between. */
static bool nothing_to_wait_for(struct submit *s)
{
	if (atomic_read(&s->queue->waiting))
		return false;
	for (unsigned int i = 0; i < s->jobs; i++) {
		struct dma_fence *fence;
		unsigned long at;

		xa_for_each(&s->job[i]->base.dependencies, at, fence)
			if (!dma_fence_is_signaled(fence))
				return false;
	}
	return true;
}

/*
 * What belongs to the scheduler goes before a job runs at once: it ends in an interrupt, where that
 * cannot be freed. Dependencies are signalled; nobody waits for a quiet one's fence.
 */
static void leave_scheduler(struct iau_job *job)
{
	struct dma_fence *fence;
	unsigned long at;

	if (job->quiet) {
		drm_sched_job_cleanup(&job->base);
		return;
	}
	xa_for_each(&job->base.dependencies, at, fence)
		dma_fence_put(fence);
	xa_destroy(&job->base.dependencies);
}

/*
 * Cannot fail, nor wait: the VM's reservation is held and has room for the fence. Jobs of a queue
 * end in order: the last one's is enough. Each may be over and freed as soon as it is with the ring
 * or the scheduler.
 */
static void push(struct submit *s)
{
	bool signalling = dma_fence_begin_signalling();
	struct iau_vm *vm = s->queue->vm;
	struct iau_ring *ring = s->queue->ring;
	int slot = nothing_to_wait_for(s) ? iau_ring_reserve(ring, vm, s->jobs) : -1;
	unsigned int last = s->jobs - 1;
	struct dma_fence *end;

	for (unsigned int i = 0; i < s->jobs; i++) {
		struct iau_job *job = s->job[i];

		job->quiet = i < last && !s->signals[i].n;
		if (slot >= 0)
			leave_scheduler(job);
		if (slot < 0 || !job->quiet) {
			drm_sched_job_arm(&job->base);
			iau_signals_attach(&s->signals[i], &job->base.s_fence->finished);
		}
		trace_iau_job_submit(job);
	}
	end = &s->job[last]->base.s_fence->finished;
	dma_resv_add_fence(drm_gpuvm_resv(&vm->gpuvm), end, DMA_RESV_USAGE_BOOKKEEP);
	if (s->wait)
		s->end = dma_fence_get(end);
	s->pushed = s->jobs;
	if (slot >= 0) {
		iau_ring_run(ring, s->job, s->jobs, slot);
	} else {
		atomic_add(s->jobs, &s->queue->waiting);
		for (unsigned int i = 0; i < s->jobs; i++)
			drm_sched_entity_push_job(&s->job[i]->base);
	}
	dma_fence_end_signalling(signalling);
}

/* Under the VM's lock, so that an unmapping sees either none of the jobs or all of them. */
static int submit(struct submit *s)
{
	struct iau_vm *vm = s->queue->vm;
	struct dma_resv *resv = drm_gpuvm_resv(&vm->gpuvm);
	int err = mutex_lock_interruptible(&vm->lock);

	if (err)
		return err;
	/* mappings that were asked for before are made before */
	if (vm->last_bind)
		err = drm_sched_job_add_dependency(&s->job[0]->base, dma_fence_get(vm->last_bind));
	/* memory that was taken while the VM was idle comes back */
	if (!err)
		err = iau_kv_restore(vm);
	dma_resv_lock(resv, NULL);
	/* it may have been closed since; see iau_queue_close() */
	if (!err && READ_ONCE(s->queue->state) & DRM_IAU_QUEUE_BANNED)
		err = -EIO;
	if (!err)
		err = dma_resv_reserve_fences(resv, 1);
	if (!err)
		push(s);
	dma_resv_unlock(resv);
	mutex_unlock(&vm->lock);
	return err;
}

static void submit_free(struct submit *s)
{
	for (unsigned int i = 0; i < s->jobs; i++)
		iau_signals_free(&s->signals[i]);
	for (unsigned int i = s->pushed; i < s->jobs; i++) {
		drm_sched_job_cleanup(&s->job[i]->base);
		iau_job_free(s->job[i]);
	}
	dma_fence_put(s->end);
	iau_queue_put(s->queue);
	kfree(s);
}

static struct submit *submit_new(struct iau_file *file, const struct drm_iau_submit *args)
{
	struct submit *s = kmalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->jobs = 0;
	s->pushed = 0;
	s->wait = args->flags & DRM_IAU_SUBMIT_WAIT;
	s->end = NULL;
	s->queue = iau_queue_get(file, args->queue_id);
	if (!s->queue) {
		kfree(s);
		return ERR_PTR(-ENOENT);
	}
	return s;
}

/* Gives the jobs to the device, or to the scheduler. */
static int run_jobs(struct submit *s, const struct drm_iau_obj_array *jobs, struct drm_file *file)
{
	struct iau_device *iau = s->queue->ring->iau;
	int idx, err = 0;

	if (!drm_dev_enter(&iau->drm, &idx))
		return -ENODEV;
	if (READ_ONCE(iau->wedged) || READ_ONCE(s->queue->state) & DRM_IAU_QUEUE_BANNED)
		err = -EIO;
	if (!err)
		err = add_jobs(s, jobs, file);
	if (!err)
		err = submit(s);
	drm_dev_exit(idx);
	return err;
}

/*
 * The jobs are submitted, whatever comes: a signal ends the wait, not the call, which would
 * otherwise be made again. The device may go meanwhile; what was promised then ends with an error.
 */
static void wait_for_jobs(struct submit *s, struct drm_iau_submit *args)
{
	long left = dma_fence_wait_timeout(s->end, true, iau_timeout(args->timeout_ns));
	int status = dma_fence_get_status(s->end);

	if (status)
		args->result = min(status, 0);
	else
		args->result = left < 0 ? -EINTR : -ETIME;
	/* who sees the end sees why */
	args->state = READ_ONCE(s->queue->state);
}

int iau_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_submit *args = data;
	struct submit *s;
	int err;

	if (args->flags & ~DRM_IAU_SUBMIT_WAIT || !args->jobs.count ||
	    args->jobs.count > MAX_JOBS || (args->timeout_ns && !args->flags))
		return -EINVAL;
	s = submit_new(file->driver_priv, args);
	if (IS_ERR(s))
		return PTR_ERR(s);
	args->state = 0;
	args->result = 0;
	err = run_jobs(s, &args->jobs, file);
	if (!err && s->wait)
		wait_for_jobs(s, args);
	submit_free(s);
	return err;
}
