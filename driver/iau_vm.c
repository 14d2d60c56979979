// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces: what a client's jobs can reach, and nothing else. */
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

#define MAX_OPS		4096
#define BIND_FLAGS	(DRM_IAU_BIND_WRITE | DRM_IAU_BIND_CONST | DRM_IAU_BIND_UNMAP)

/* A mapping */
struct iau_va {
	struct drm_gpuva base;
	u32 flags;
};

/* A buffer in an address space, with the number of its mappings of either kind */
struct iau_vm_bo {
	struct drm_gpuvm_bo base;
	unsigned int constant, writable;
};

#define to_iau_va(v) container_of(v, struct iau_va, base)
#define to_iau_vm_bo(b) container_of(b, struct iau_vm_bo, base)

static struct drm_gpuvm_bo *vm_bo_alloc(void)
{
	struct iau_vm_bo *vm_bo = kzalloc(sizeof(*vm_bo), GFP_KERNEL);

	return vm_bo ? &vm_bo->base : NULL;
}

static void vm_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	kfree(to_iau_vm_bo(vm_bo));
}

/* The last reference: no job, no queue and no handle is left. */
static void vm_free(struct drm_gpuvm *gpuvm)
{
	struct iau_vm *vm = to_iau_vm(gpuvm);

	iau_slot_release(vm);
	iau_pt_destroy(vm->iau->drm.dev, vm->root);
	mutex_destroy(&vm->lock);
	kfree(vm);
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_alloc = vm_bo_alloc,
	.vm_bo_free = vm_bo_free,
};

struct iau_vm *iau_vm_create(struct iau_device *iau)
{
	struct drm_gem_object *resv;
	struct iau_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->iau = iau;
	vm->slot = -1;
	mutex_init(&vm->lock);
	vm->root = iau_pt_create(iau->drm.dev);
	resv = vm->root ? drm_gpuvm_resv_object_alloc(&iau->drm) : NULL;
	if (!resv) {
		iau_pt_destroy(iau->drm.dev, vm->root);
		kfree(vm);
		return ERR_PTR(-ENOMEM);
	}
	drm_gpuvm_init(&vm->gpuvm, "iau", 0, &iau->drm, resv, 0, BIT_ULL(IAU_VA_BITS), 0, 0,
		       &vm_ops);
	drm_gem_object_put(resv);
	return vm;
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

u32 iau_va_flags(struct drm_gpuva *va)
{
	return to_iau_va(va)->flags;
}

static void va_link(struct iau_va *va, struct drm_gpuvm_bo *vm_bo)
{
	to_iau_vm_bo(vm_bo)->constant += !!(va->flags & DRM_IAU_BIND_CONST);
	to_iau_vm_bo(vm_bo)->writable += !!(va->flags & DRM_IAU_BIND_WRITE);
	drm_gpuva_link(&va->base, vm_bo);
}

/* Takes a mapping out of its buffer's list, whose reservation is held. */
static void va_unlink(struct iau_va *va)
{
	struct iau_vm_bo *vm_bo = to_iau_vm_bo(va->base.vm_bo);

	vm_bo->constant -= !!(va->flags & DRM_IAU_BIND_CONST);
	vm_bo->writable -= !!(va->flags & DRM_IAU_BIND_WRITE);
	drm_gpuva_unlink(&va->base);
}

static void va_remove(struct iau_va *va)
{
	struct drm_gem_object *obj = va->base.gem.obj;

	drm_gem_object_get(obj);
	drm_gpuva_remove(&va->base);
	dma_resv_lock(obj->resv, NULL);
	va_unlink(va);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
	kfree(va);
}

/* Waits for all jobs of the VM; none can come while its lock is held. */
static int vm_idle(struct iau_vm *vm)
{
	long left = dma_resv_wait_timeout(drm_gpuvm_resv(&vm->gpuvm), DMA_RESV_USAGE_BOOKKEEP, true,
					  MAX_SCHEDULE_TIMEOUT);

	return left < 0 ? left : 0;
}

/* The client is done with it: jobs go on, but they find nothing that they could reach. */
void iau_vm_close(struct iau_vm *vm)
{
	struct drm_gpuva *va, *next;

	mutex_lock(&vm->lock);
	/* the pages stay until jobs that may be using them are over */
	dma_resv_wait_timeout(drm_gpuvm_resv(&vm->gpuvm), DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
	drm_gpuvm_for_each_va_safe(va, next, &vm->gpuvm) {
		/* the address space's own bookkeeping is a mapping, too */
		if (!va->gem.obj)
			continue;
		iau_pt_unmap(vm->root, va->va.addr, va->va.range);
		va_remove(to_iau_va(va));
	}
	iau_slot_flush(vm);
	mutex_unlock(&vm->lock);
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
		iau_vm_put(vm);
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

static struct iau_va *va_new(const struct drm_gpuva_op_map *op, u32 flags)
{
	struct iau_va *va = kzalloc(sizeof(*va), GFP_KERNEL);

	if (!va)
		return NULL;
	drm_gpuva_init_from_op(&va->base, (struct drm_gpuva_op_map *)op);
	va->flags = flags;
	return va;
}

/* What the steps of one operation need, allocated before the first of them. */
struct steps {
	struct iau_va *map, *prev, *next;
	bool unmaps;
};

static void steps_free(struct steps *s)
{
	kfree(s->map);
	kfree(s->prev);
	kfree(s->next);
}

static int steps_prepare(struct drm_gpuva_ops *ops, u32 flags, struct steps *s)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops) {
		s->unmaps |= op->op != DRM_GPUVA_OP_MAP;
		if (op->op == DRM_GPUVA_OP_MAP) {
			s->map = va_new(&op->map, flags);
			if (!s->map)
				return -ENOMEM;
		} else if (op->op == DRM_GPUVA_OP_REMAP) {
			u32 old = to_iau_va(op->remap.unmap->va)->flags;

			/* one mapping is cut at the start at most, one at the end */
			if (op->remap.prev) {
				s->prev = va_new(op->remap.prev, old);
				if (!s->prev)
					return -ENOMEM;
			}
			if (op->remap.next) {
				s->next = va_new(op->remap.next, old);
				if (!s->next)
					return -ENOMEM;
			}
		}
	}
	return 0;
}

static void step_remap(struct iau_vm *vm, struct drm_gpuva_op_remap *op, struct steps *s)
{
	struct iau_va *old = to_iau_va(op->unmap->va);
	struct drm_gem_object *obj = old->base.gem.obj;
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_get(old->base.vm_bo);
	u64 start, range;

	drm_gpuva_op_remap_to_unmap_range(op, &start, &range);
	iau_pt_unmap(vm->root, start, range);
	drm_gpuva_remap(op->prev ? &s->prev->base : NULL, op->next ? &s->next->base : NULL, op);
	dma_resv_lock(obj->resv, NULL);
	if (op->prev) {
		va_link(s->prev, vm_bo);
		s->prev = NULL;
	}
	if (op->next) {
		va_link(s->next, vm_bo);
		s->next = NULL;
	}
	va_unlink(old);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);
	kfree(old);
}

/* Nothing here can fail. */
static void steps_do(struct iau_vm *vm, struct drm_gpuva_ops *ops, struct steps *s,
		     struct drm_gpuvm_bo *vm_bo, struct sg_table *sgt)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops) {
		switch (op->op) {
		case DRM_GPUVA_OP_MAP: {
			u64 flags = (s->map->flags & DRM_IAU_BIND_WRITE ? IAU_PTE_W : 0) |
				    (s->map->flags & DRM_IAU_BIND_CONST ? IAU_PTE_C : 0);

			iau_pt_map(vm->root, op->map.va.addr, op->map.va.range, sgt,
				   op->map.gem.offset, flags);
			drm_gpuva_insert(&vm->gpuvm, &s->map->base);
			dma_resv_lock(op->map.gem.obj->resv, NULL);
			va_link(s->map, vm_bo);
			dma_resv_unlock(op->map.gem.obj->resv);
			s->map = NULL;
			break;
		}
		case DRM_GPUVA_OP_REMAP:
			step_remap(vm, &op->remap, s);
			break;
		case DRM_GPUVA_OP_UNMAP:
			iau_pt_unmap(vm->root, op->unmap.va->va.addr, op->unmap.va->va.range);
			va_remove(to_iau_va(op->unmap.va));
			break;
		default:
			break;
		}
	}
}

/* Replaces what is mapped in the range by OBJ, or by nothing. */
static int vm_change(struct iau_vm *vm, const struct drm_iau_bind_op *b, struct drm_gem_object *obj,
		     struct drm_gpuvm_bo *vm_bo, struct sg_table *sgt)
{
	struct drm_gpuva_ops *ops;
	struct steps s = { 0 };
	int err;

	ops = obj ? iau_map_ops(&vm->gpuvm, b->va, b->size, obj, b->offset) :
		    drm_gpuvm_sm_unmap_ops_create(&vm->gpuvm, b->va, b->size);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	err = steps_prepare(ops, b->flags, &s);
	if (!err && s.unmaps)
		err = vm_idle(vm);
	if (!err) {
		steps_do(vm, ops, &s, vm_bo, sgt);
		/* the device keeps no translation of what was not mapped */
		if (s.unmaps)
			iau_slot_flush(vm);
	}
	steps_free(&s);
	drm_gpuva_ops_free(&vm->gpuvm, ops);
	return err;
}

/* A constant page must not be writable at another address of the VM. */
static bool kinds_clash(struct drm_gpuvm_bo *vm_bo, u32 flags)
{
	struct iau_vm_bo *b = to_iau_vm_bo(vm_bo);

	return (flags & DRM_IAU_BIND_CONST && b->writable) ||
	       (flags & DRM_IAU_BIND_WRITE && b->constant);
}

static int vm_map(struct iau_vm *vm, const struct drm_iau_bind_op *b, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct sg_table *sgt;
	u64 end;
	int err;

	if (check_add_overflow(b->offset, b->size, &end) || end > obj->size)
		return -EINVAL;
	sgt = drm_gem_shmem_get_pages_sgt(to_drm_gem_shmem_obj(obj));
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	err = iau_pt_reserve(vm->iau->drm.dev, vm->root, b->va, b->size);
	if (err)
		return err;
	dma_resv_lock(obj->resv, NULL);
	vm_bo = iau_bo_obtain(&vm->gpuvm, obj);
	dma_resv_unlock(obj->resv);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	err = kinds_clash(vm_bo, b->flags) ? -EBUSY : vm_change(vm, b, obj, vm_bo, sgt);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);
	return err;
}

static int vm_bind_op(struct iau_vm *vm, const struct drm_iau_bind_op *b, struct drm_file *file)
{
	struct drm_gem_object *obj;
	u64 end;
	int err;

	if (b->flags & ~BIND_FLAGS || hweight32(b->flags) > 1)
		return -EINVAL;
	if (!b->size || !PAGE_ALIGNED(b->size | b->va | b->offset) ||
	    check_add_overflow(b->va, b->size, &end) || end > BIT_ULL(IAU_VA_BITS))
		return -EINVAL;
	if (b->flags & DRM_IAU_BIND_UNMAP)
		return b->handle || b->offset ? -EINVAL : vm_change(vm, b, NULL, NULL, NULL);
	obj = drm_gem_object_lookup(file, b->handle);
	if (!obj)
		return -ENOENT;
	err = vm_map(vm, b, obj);
	drm_gem_object_put(obj);
	return err;
}

int iau_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_vm_bind *args = data;
	struct iau_vm *vm;
	int err;
	u32 i;

	if (args->flags || args->ops.count > MAX_OPS)
		return -EINVAL;
	vm = iau_vm_get(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;
	err = mutex_lock_interruptible(&vm->lock);
	if (err) {
		iau_vm_put(vm);
		return err;
	}
	for (i = 0; i < args->ops.count && !err; i++) {
		struct drm_iau_bind_op b;

		err = iau_array_get(&args->ops, i, &b, sizeof(b));
		if (err)
			break;
		err = vm_bind_op(vm, &b, file);
		trace_iau_bind(vm, b.va, b.size, b.flags, err);
		if (err)
			break;
	}
	args->ops.count = i;
	mutex_unlock(&vm->lock);
	iau_vm_put(vm);
	return err;
}
