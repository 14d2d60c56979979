// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: shared memory objects, pinned while they exist in an address space. */
#include <drm/drm_gem.h>

#include "iau_drv.h"

static enum drm_gem_object_status iau_gem_status(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);

	/* what another driver gave is there as long as the object is */
	return obj->import_attach || READ_ONCE(shmem->pages) ? DRM_GEM_OBJECT_RESIDENT : 0;
}

static const struct drm_gem_object_funcs iau_gem_funcs = {
	.free = drm_gem_shmem_object_free,
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
	struct drm_gem_shmem_object *shmem = kzalloc(sizeof(*shmem), GFP_KERNEL);

	if (!shmem)
		return ERR_PTR(-ENOMEM);
	shmem->base.funcs = &iau_gem_funcs;
	return &shmem->base;
}

int iau_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_create *args = data;
	struct drm_gem_shmem_object *shmem;
	int err;

	if (args->flags || !args->size || args->size > BIT_ULL(IAU_VA_BITS))
		return -EINVAL;
	args->size = PAGE_ALIGN(args->size);
	shmem = drm_gem_shmem_create(drm, args->size);
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	err = iau_huge_file(to_iau(drm), &shmem->base);
	/* the handle comes last: once it exists, another thread may close it */
	if (!err)
		err = drm_gem_handle_create(file, &shmem->base, &args->handle);
	drm_gem_object_put(&shmem->base);
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
