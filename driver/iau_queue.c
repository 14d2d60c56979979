// SPDX-License-Identifier: GPL-2.0-only
/* Queues: what clients submit to, and what became of them. */
#include <linux/capability.h>
#include <linux/dma-resv.h>
#include <linux/iopoll.h>
#include <linux/slab.h>

#include <drm/iau_dump.h>

#include "iau_drv.h"

#define CLOSE_US	100000 /* for running jobs of a queue that is closed */

static void queue_free(struct work_struct *work)
{
	struct iau_queue *queue = container_of(work, struct iau_queue, freeing);

	iau_vm_put(queue->vm);
	iau_client_put(queue->client);
	kfree(queue);
}

/* Jobs end in interrupts, but a VM cannot be freed there. */
static void queue_release(struct kref *ref)
{
	struct iau_queue *queue = container_of(ref, struct iau_queue, ref);

	INIT_WORK(&queue->freeing, queue_free);
	queue_work(iau_wq, &queue->freeing);
}

/* Any context */
void iau_queue_put(struct iau_queue *queue)
{
	kref_put(&queue->ref, queue_release);
}

struct iau_queue *iau_queue_get(struct iau_file *file, u32 id)
{
	struct iau_queue *queue;

	xa_lock(&file->queues);
	queue = xa_load(&file->queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(&file->queues);
	return queue;
}

/*
 * The client is done with it. Jobs that have not started are dropped; one that runs has a moment to
 * end, but must not keep others waiting for nobody's sake: it may be an endless loop.
 */
void iau_queue_close(struct iau_queue *queue)
{
	struct dma_resv *resv = drm_gpuvm_resv(&queue->vm->gpuvm);
	int running;

	/* a submission has pushed its jobs, or will see this: none is pushed to a dead entity */
	dma_resv_lock(resv, NULL);
	iau_queue_ban(queue, 0);
	dma_resv_unlock(resv);
	iau_ring_drop_entity(queue->ring, &queue->entity);
	if (read_poll_timeout(atomic_read, running, !running, 1000, CLOSE_US, false,
			      &queue->running))
		iau_watchdog_kick(queue->ring->iau);
	iau_queue_put(queue);
}

/* It takes no more jobs. The first reason stays. */
void iau_queue_ban(struct iau_queue *queue, u32 why)
{
	unsigned long irq;

	spin_lock_irqsave(&queue->lock, irq);
	if (!(queue->state & DRM_IAU_QUEUE_BANNED))
		queue->state = DRM_IAU_QUEUE_BANNED | why;
	spin_unlock_irqrestore(&queue->lock, irq);
}

/* One of its jobs has faulted. */
void iau_queue_fault(struct iau_queue *queue, const struct iau_dump_fault_record *fault)
{
	unsigned long irq;

	spin_lock_irqsave(&queue->lock, irq);
	if (!(queue->state & DRM_IAU_QUEUE_BANNED)) {
		queue->fault_code = fault->code;
		queue->fault_info = fault->info;
		queue->fault_va = fault->va;
		queue->fault_offset = fault->offset;
		queue->fault_tag = fault->tag;
		/* who sees the state finds the reason */
		WRITE_ONCE(queue->state, DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT);
	}
	spin_unlock_irqrestore(&queue->lock, irq);
}

static struct iau_queue *queue_create(struct iau_client *client, struct iau_vm *vm, u32 priority)
{
	struct iau_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	struct drm_gpu_scheduler *sched;
	int err;

	if (!queue)
		return ERR_PTR(-ENOMEM);
	kref_init(&queue->ref);
	spin_lock_init(&queue->lock);
	queue->vm = vm;
	queue->ring = &vm->iau->ring[priority];
	sched = &queue->ring->sched;
	err = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_NORMAL, &sched, 1, NULL);
	if (err) {
		kfree(queue);
		return ERR_PTR(err);
	}
	drm_gpuvm_get(&vm->gpuvm);
	kref_get(&client->ref);
	queue->client = client;
	return queue;
}

int iau_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_queue_create *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_queue *queue;
	struct iau_vm *vm;
	int err;

	if (args->pad || args->priority >= to_iau(drm)->info.queues)
		return -EINVAL;
	if (args->priority >= DRM_IAU_PRIORITY_HIGH && !capable(CAP_SYS_NICE))
		return -EACCES;
	vm = iau_vm_get(priv, args->vm_id);
	if (!vm)
		return -ENOENT;
	queue = queue_create(priv->client, vm, args->priority);
	iau_vm_put(vm);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	/* once others can find it, one of them may close it */
	kref_get(&queue->ref);
	err = xa_alloc(&priv->queues, &queue->id, queue, XA_LIMIT(1, IAU_MAX_QUEUES), GFP_KERNEL);
	if (err)
		iau_queue_close(queue);
	args->id = queue->id;
	iau_queue_put(queue);
	return err == -EBUSY ? -ENOSPC : err;
}

int iau_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_queue_destroy *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_queue *queue;

	if (args->pad)
		return -EINVAL;
	queue = xa_erase(&priv->queues, args->id);
	if (!queue)
		return -ENOENT;
	iau_queue_close(queue);
	return 0;
}

int iau_ioctl_queue_state(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_queue_state *args = data;
	struct iau_queue *queue = iau_queue_get(file->driver_priv, args->id);

	if (!queue)
		return -ENOENT;
	spin_lock_irq(&queue->lock);
	args->state = queue->state;
	args->fault_code = queue->fault_code;
	args->fault_info = queue->fault_info;
	args->fault_va = queue->fault_va;
	args->fault_offset = queue->fault_offset;
	args->fault_tag = queue->fault_tag;
	spin_unlock_irq(&queue->lock);
	iau_queue_put(queue);
	return 0;
}
