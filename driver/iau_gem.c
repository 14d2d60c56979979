// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: shared memory objects, pinned while they exist in an address space. */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include "iau_compat.h"
#include "iau_drv.h"

static void list_bo(struct iau_bo *bo)
{
	struct iau_device *iau = to_iau(bo->shmem.base.dev);

	spin_lock(&iau->mapped_lock);
	list_add(&bo->mapped, &iau->mapped_bos);
	spin_unlock(&iau->mapped_lock);
}

static void unlist_bo(struct iau_bo *bo)
{
	struct iau_device *iau = to_iau(bo->shmem.base.dev);

	spin_lock(&iau->mapped_lock);
	list_del_init(&bo->mapped);
	wake_up(&iau->unmapped);
	spin_unlock(&iau->mapped_lock);
}

/*
 * What another driver gave is given back, not only unmapped: who gave it may keep the mapping as
 * long as the device is attached. The object's reservation is that of the dma-buf, which stays.
 */
static void detach(struct iau_bo *bo)
{
	struct drm_gem_object *obj = &bo->shmem.base;
	struct dma_buf_attachment *attach = obj->import_attach;

	dma_buf_unmap_attachment_unlocked(attach, bo->shmem.sgt, DMA_BIDIRECTIONAL);
	bo->shmem.sgt = NULL;
	obj->import_attach = NULL;
	dma_buf_detach(bo->imported, attach);
}

/* The device can reach the pages no longer. They stay what they are. */
static void unmap(struct iau_bo *bo)
{
	struct drm_gem_shmem_object *shmem = &bo->shmem;
	struct drm_gem_object *obj = &shmem->base;

	if (obj->import_attach) {
		detach(bo);
		return;
	}
	dma_resv_lock(obj->resv, NULL);
	if (shmem->sgt) {
		dma_unmap_sgtable(obj->dev->dev, shmem->sgt, DMA_BIDIRECTIONAL, 0);
		sg_free_table(shmem->sgt);
		kfree(shmem->sgt);
		shmem->sgt = NULL;
	}
	dma_resv_unlock(obj->resv);
}

/* One that is still listed, with a reference; those that are just going are passed over. */
static struct iau_bo *first_mapped(struct iau_device *iau)
{
	struct iau_bo *bo, *found = NULL;

	spin_lock(&iau->mapped_lock);
	list_for_each_entry(bo, &iau->mapped_bos, mapped) {
		if (kref_get_unless_zero(&bo->shmem.base.refcount)) {
			found = bo;
			break;
		}
	}
	spin_unlock(&iau->mapped_lock);
	return found;
}

/* The device goes, its clients stay, and keep their memory. No VM has page tables any more. */
void iau_gem_unmap_all(struct iau_device *iau)
{
	struct iau_bo *bo;

	while ((bo = first_mapped(iau))) {
		/* who exports a buffer looks under this lock whether it was imported */
		mutex_lock(&iau->drm.object_name_lock);
		if (bo->kv)
			iau_kv_unmap(&bo->shmem.base);
		else
			unmap(bo);
		mutex_unlock(&iau->drm.object_name_lock);
		unlist_bo(bo);
		drm_gem_object_put(&bo->shmem.base);
	}
	wait_event(iau->unmapped, list_empty(&iau->mapped_bos));
}

void iau_gem_free(struct drm_gem_object *obj)
{
	struct iau_bo *bo = to_iau_bo(obj);
	struct dma_buf *imported;

	unmap(bo);
	unlist_bo(bo);
	if (bo->client) {
		iau_client_uncharge(bo->client, bo->charged);
		iau_client_put(bo->client);
	}
	imported = bo->imported;
	drm_gem_shmem_object_free(obj);
	if (imported)
		dma_buf_put(imported);
}

static enum drm_gem_object_status iau_gem_status(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	enum drm_gem_object_status status = 0;

	/* what another driver gave is there as long as the object is */
	if (obj->import_attach || READ_ONCE(shmem->pages))
		status |= DRM_GEM_OBJECT_RESIDENT;
	if (READ_ONCE(shmem->madv) > 0)
		status |= DRM_GEM_OBJECT_PURGEABLE;
	return status;
}

static const struct drm_gem_object_funcs iau_gem_funcs = {
	.free = iau_gem_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.status = iau_gem_status,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

struct drm_gem_object *iau_gem_create_object(struct drm_device *drm, size_t size)
{
	struct iau_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->shmem.base.funcs = &iau_gem_funcs;
	INIT_LIST_HEAD(&bo->mapped);
	return &bo->shmem.base;
}

/* What DMA_BUF was imported as, with a reference, or NULL */
static struct drm_gem_object *find_imported(struct iau_device *iau, struct dma_buf *dma_buf)
{
	struct drm_gem_object *found = NULL;
	struct iau_bo *bo;

	spin_lock(&iau->mapped_lock);
	list_for_each_entry(bo, &iau->mapped_bos, mapped) {
		if (bo->imported == dma_buf && kref_get_unless_zero(&bo->shmem.base.refcount)) {
			found = &bo->shmem.base;
			break;
		}
	}
	spin_unlock(&iau->mapped_lock);
	return found;
}

static struct drm_gem_object *import_new(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = drm_gem_prime_import(drm, dma_buf);

	/* one of this driver's comes back as what it is */
	if (!IS_ERR(obj) && obj->import_attach) {
		to_iau_bo(obj)->imported = dma_buf;
		list_bo(to_iau_bo(obj));
	}
	return obj;
}

/*
 * Memory of others is mapped for the device once, whoever imports it. The core's own ioctl calls
 * this, one call at a time, but does not keep the device from going.
 */
struct drm_gem_object *iau_gem_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	obj = find_imported(to_iau(drm), dma_buf) ?: import_new(drm, dma_buf);
	drm_dev_exit(idx);
	return obj;
}

/* The pages of a buffer for the device; they stay until it is purged or goes. */
struct sg_table *iau_gem_pages(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);

	if (READ_ONCE(shmem->madv) < 0)
		return ERR_PTR(-EINVAL);
	return drm_gem_shmem_get_pages_sgt(shmem);
}

static struct iau_bo *bo_create(struct drm_device *drm, u64 size)
{
	struct drm_gem_shmem_object *shmem = drm_gem_shmem_create(drm, size);

	/* tmpfs says of memory for an inode that it has no room */
	if (IS_ERR(shmem))
		return PTR_ERR(shmem) == -ENOSPC ? ERR_PTR(-ENOMEM) : ERR_CAST(shmem);
	return to_iau_bo(&shmem->base);
}

/* Memory that is there as a whole is charged as a whole. */
static int init_plain(struct iau_bo *bo)
{
	u64 size = bo->shmem.base.size;
	int err = iau_client_charge(bo->client, size);

	if (err)
		return err;
	bo->charged = size;
	return iau_huge_file(to_iau(bo->shmem.base.dev), &bo->shmem.base);
}

static int init_kv(struct iau_bo *bo, struct iau_file *file, u32 vm_id)
{
	struct iau_vm *vm = iau_vm_get(file, vm_id);
	int err;

	if (!vm)
		return -ENOENT;
	err = iau_kv_init(bo, vm);
	iau_vm_put(vm);
	return err;
}

int iau_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_create *args = data;
	struct iau_file *priv = file->driver_priv;
	bool kv = args->flags & DRM_IAU_BO_KV;
	struct iau_bo *bo;
	int err;

	if (args->flags & ~DRM_IAU_BO_KV || args->pad || (args->vm_id && !kv))
		return -EINVAL;
	if (!args->size || args->size > BIT_ULL(IAU_VA_BITS))
		return -EINVAL;
	args->size = PAGE_ALIGN(args->size);
	bo = bo_create(drm, args->size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	list_bo(bo);
	bo->client = iau_client_get(priv->client);
	err = kv ? init_kv(bo, priv, args->vm_id) : init_plain(bo);
	/* the handle comes last: once it exists, another thread may close it */
	if (!err)
		err = drm_gem_handle_create(file, &bo->shmem.base, &args->handle);
	drm_gem_object_put(&bo->shmem.base);
	return err;
}

int iau_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_mmap_offset *args = data;
	struct drm_gem_object *obj;
	int err;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	/* what comes from another driver is mapped through it */
	err = obj->import_attach ? -EINVAL : drm_gem_create_mmap_offset(obj);
	if (!err)
		args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return err;
}

/* One of the VMs in which OBJ is bound and jobs have not ended, with a reference; or NULL. */
static struct iau_vm *busy_vm(struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct iau_vm *busy = NULL;

	dma_resv_lock(obj->resv, NULL);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (dma_resv_test_signaled(drm_gpuvm_resv(vm_bo->vm), DMA_RESV_USAGE_BOOKKEEP))
			continue;
		busy = to_iau_vm(drm_gpuvm_get(vm_bo->vm));
		break;
	}
	dma_resv_unlock(obj->resv);
	return busy;
}

static long wait_vm(struct iau_vm *vm, long timeout)
{
	long left = dma_resv_wait_timeout(drm_gpuvm_resv(&vm->gpuvm), DMA_RESV_USAGE_BOOKKEEP, true,
					  timeout);

	iau_vm_put(vm);
	return left;
}

int iau_ioctl_bo_wait(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_wait *args = data;
	long left = iau_timeout(args->timeout_ns);
	struct drm_gem_object *obj;
	struct iau_vm *vm;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	for (vm = busy_vm(obj); vm && left > 0; vm = busy_vm(obj))
		left = wait_vm(vm, left);
	if (vm)
		iau_vm_put(vm);
	drm_gem_object_put(obj);
	return left < 0 ? left : vm ? -ETIME : 0;
}

int iau_ioctl_bo_advise(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_advise *args = data;
	struct drm_gem_object *obj;
	int err = 0;

	if (args->pad || args->advice > DRM_IAU_ADVICE_DONTNEED)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	dma_resv_lock(obj->resv, NULL);
	if (iau_kv_of(obj) || obj->import_attach || obj->dma_buf)
		err = -EINVAL;
	else
		args->retained = iau_shmem_madvise(to_drm_gem_shmem_obj(obj), args->advice);
	if (!err && args->retained && args->advice == DRM_IAU_ADVICE_DONTNEED)
		drm_gem_lru_move_tail(&to_iau(drm)->purgeable, obj);
	else if (!err)
		drm_gem_lru_remove(obj);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
	return err;
}

/* MODULE_IMPORT_NS() takes an identifier or a string, as the kernel will have it. */
MODULE_INFO(import_ns, "DMA_BUF");
