// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces: what a client's jobs can reach, and nothing else. */
#include <linux/dma-resv.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "iau_compat.h"
#include "iau_drv.h"

/* The page tables go; the device does not look for any. */
static void unmap(struct iau_vm *vm)
{
	struct iau_table *root;

	mutex_lock(&vm->pt_lock);
	root = vm->root;
	vm->root = NULL;
	mutex_unlock(&vm->pt_lock);
	iau_pt_destroy(vm->iau->drm.dev, root);
}

static void unlist(struct iau_vm *vm)
{
	struct iau_device *iau = vm->iau;

	spin_lock(&iau->mapped_lock);
	list_del_init(&vm->mapped);
	wake_up(&iau->unmapped);
	spin_unlock(&iau->mapped_lock);
}

/* The last reference: no job, no queue and no handle is left. */
static void vm_free(struct drm_gpuvm *gpuvm)
{
	struct iau_vm *vm = to_iau_vm(gpuvm);

	iau_slot_release(vm);
	dma_fence_put(vm->last_bind);
	unmap(vm);
	unlist(vm);
	mutex_destroy(&vm->pt_lock);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_alloc = iau_vm_bo_alloc,
	.vm_bo_free = iau_vm_bo_free,
};

struct iau_vm *iau_vm_create(struct iau_device *iau)
{
	struct drm_gpu_scheduler *sched = &iau->bind_sched;
	struct drm_gem_object *resv = NULL;
	struct iau_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->iau = iau;
	vm->slot = -1;
	mutex_init(&vm->lock);
	mutex_init(&vm->pt_lock);
	/* the shrinker takes it, and jobs that change mappings: lockdep knows from the start */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&vm->pt_lock);
	fs_reclaim_release(GFP_KERNEL);
	spin_lock_init(&vm->evicted_lock);
	INIT_LIST_HEAD(&vm->evicted);
	vm->root = iau_pt_create(iau->drm.dev);
	if (vm->root)
		resv = drm_gpuvm_resv_object_alloc(&iau->drm);
	if (resv)
		err = drm_sched_entity_init(&vm->bind, DRM_SCHED_PRIORITY_NORMAL, &sched, 1, NULL);
	if (err) {
		if (resv)
			drm_gem_object_put(resv);
		iau_pt_destroy(iau->drm.dev, vm->root);
		kfree(vm);
		return ERR_PTR(err);
	}
	drm_gpuvm_init(&vm->gpuvm, "iau", 0, &iau->drm, resv, 0, BIT_ULL(IAU_VA_BITS), 0, 0,
		       &vm_ops);
	drm_gem_object_put(resv);
	spin_lock(&iau->mapped_lock);
	list_add(&vm->mapped, &iau->mapped_vms);
	spin_unlock(&iau->mapped_lock);
	return vm;
}

/* One that is still listed, with a reference; those that are just going are passed over. */
static struct iau_vm *first_mapped(struct iau_device *iau)
{
	struct iau_vm *vm, *found = NULL;

	spin_lock(&iau->mapped_lock);
	list_for_each_entry(vm, &iau->mapped_vms, mapped) {
		if (kref_get_unless_zero(&vm->gpuvm.kref)) {
			found = vm;
			break;
		}
	}
	spin_unlock(&iau->mapped_lock);
	return found;
}

/* The device goes, its clients stay: no VM has page tables any more, nor gets new ones. */
void iau_vms_unmap(struct iau_device *iau)
{
	struct iau_vm *vm;

	while ((vm = first_mapped(iau))) {
		unmap(vm);
		unlist(vm);
		iau_vm_put(vm);
	}
	wait_event(iau->unmapped, list_empty(&iau->mapped_vms));
}

void iau_vm_put(struct iau_vm *vm)
{
	drm_gpuvm_put(&vm->gpuvm);
}

struct iau_vm *iau_vm_get(struct iau_file *file, u32 id)
{
	struct iau_vm *vm;

	xa_lock(&file->vms);
	vm = xa_load(&file->vms, id);
	if (vm)
		drm_gpuvm_get(&vm->gpuvm);
	xa_unlock(&file->vms);
	return vm;
}

/* Waits for all jobs and bindings of the VM; none can come while its lock is held. */
int iau_vm_idle(struct iau_vm *vm, bool interruptible)
{
	long left = dma_resv_wait_timeout(drm_gpuvm_resv(&vm->gpuvm), DMA_RESV_USAGE_BOOKKEEP,
					  interruptible, MAX_SCHEDULE_TIMEOUT);

	if (left < 0)
		return left;
	return vm->last_bind ? dma_fence_wait(vm->last_bind, interruptible) : 0;
}

/* Is it idle? Under its lock */
bool iau_vm_is_idle(struct iau_vm *vm)
{
	return dma_resv_test_signaled(drm_gpuvm_resv(&vm->gpuvm), DMA_RESV_USAGE_BOOKKEEP) &&
	       (!vm->last_bind || dma_fence_is_signaled(vm->last_bind));
}

/* Waits for bindings that were asked for before: page tables are what the mappings say. */
int iau_vm_settle(struct iau_vm *vm)
{
	return vm->last_bind ? dma_fence_wait(vm->last_bind, true) : 0;
}

/* The client is done with it: jobs go on, but they find nothing that they could reach. */
void iau_vm_close(struct iau_vm *vm)
{
	mutex_lock(&vm->lock);
	vm->closed = true;
	/* the pages stay until jobs that may be using them are over */
	iau_vm_idle(vm, false);
	iau_bind_clear(vm);
	mutex_unlock(&vm->lock);
	drm_sched_entity_destroy(&vm->bind);
	iau_vm_put(vm);
}

int iau_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_vm_create *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_vm *vm;
	int err;

	if (args->flags)
		return -EINVAL;
	vm = iau_vm_create(to_iau(drm));
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	err = xa_alloc(&priv->vms, &args->id, vm, XA_LIMIT(1, IAU_MAX_VMS), GFP_KERNEL);
	if (err) {
		iau_vm_close(vm);
		return err == -EBUSY ? -ENOSPC : err;
	}
	return 0;
}

int iau_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_vm_destroy *args = data;
	struct iau_file *priv = file->driver_priv;
	struct iau_vm *vm;

	if (args->pad)
		return -EINVAL;
	vm = xa_erase(&priv->vms, args->id);
	if (!vm)
		return -ENOENT;
	iau_vm_close(vm);
	return 0;
}
