// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_BIND. What is mapped where (drm_gpuvm) changes when the client asks, in the order of the
 * calls; page tables follow at once, or as a job of the VM's own entity when jobs before it are
 * over. That job allocates nothing and takes no reservation: fences wait for it.
 */
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_managed.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_trace.h"

#define MAX_OPS		4096
#define BIND_FLAGS	(DRM_IAU_BIND_WRITE | DRM_IAU_BIND_CONST | DRM_IAU_BIND_UNMAP)

/* A mapping. @gone: in the list of an operation that removed it, with a reference to its buffer */
struct iau_va {
	struct drm_gpuva base;
	u32 flags;
	struct list_head gone;
};

/* A buffer in an address space, with the number of its mappings of either kind */
struct iau_vm_bo {
	struct drm_gpuvm_bo base;
	unsigned int constant, writable;
};

#define to_iau_va(v) container_of(v, struct iau_va, base)
#define to_iau_vm_bo(b) container_of(b, struct iau_vm_bo, base)

struct drm_gpuvm_bo *iau_vm_bo_alloc(void)
{
	struct iau_vm_bo *vm_bo = kzalloc(sizeof(*vm_bo), GFP_KERNEL_ACCOUNT);

	return vm_bo ? &vm_bo->base : NULL;
}

void iau_vm_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	kfree(to_iau_vm_bo(vm_bo));
}

/**
 * struct bind_op - one operation
 * @arg: what the client wants
 * @obj: what is mapped, or NULL; a reference
 * @sgt: its pages, unless it is a KV buffer
 * @unmaps: something else was mapped in the range
 * @gone: mappings that it removed; buffers of theirs must live until the page tables have changed
 */
struct bind_op {
	struct drm_iau_bind_op arg;
	struct drm_gem_object *obj;
	struct sg_table *sgt;
	bool unmaps;
	struct list_head gone;
};

/* A call. @base and @freeing are used with ASYNC only; @done: operations staged */
struct iau_bind {
	struct drm_sched_job base;
	struct work_struct freeing;
	struct iau_vm *vm;
	u32 count, done;
	struct bind_op op[] __counted_by(count);
};

#define to_iau_bind(j) container_of(j, struct iau_bind, base)

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

/* Not freed yet: the device may still be using the pages. */
static void va_remove(struct iau_va *va, struct list_head *gone)
{
	struct drm_gem_object *obj = va->base.gem.obj;

	drm_gem_object_get(obj);
	drm_gpuva_remove(&va->base);
	dma_resv_lock(obj->resv, NULL);
	va_unlink(va);
	dma_resv_unlock(obj->resv);
	list_add(&va->gone, gone);
}

static void free_gone(struct list_head *gone)
{
	struct iau_va *va, *next;

	list_for_each_entry_safe(va, next, gone, gone) {
		drm_gem_object_put(va->base.gem.obj);
		kfree(va);
	}
}

/* Everything goes; the VM's lock is held and it is idle. */
void iau_bind_clear(struct iau_vm *vm)
{
	struct drm_gpuva *va, *next;
	LIST_HEAD(gone);

	drm_gpuvm_for_each_va_safe(va, next, &vm->gpuvm) {
		/* the address space's own bookkeeping is a mapping, too */
		if (!va->gem.obj)
			continue;
		iau_pt_unmap(vm, va->va.addr, va->va.range);
		va_remove(to_iau_va(va), &gone);
	}
	iau_slot_flush(vm);
	free_gone(&gone);
}

static struct iau_va *va_new(const struct drm_gpuva_op_map *op, u32 flags)
{
	struct iau_va *va = kzalloc(sizeof(*va), GFP_KERNEL_ACCOUNT);

	if (!va)
		return NULL;
	drm_gpuva_init_from_op(&va->base, (struct drm_gpuva_op_map *)op);
	va->flags = flags;
	return va;
}

/* What the steps of one operation need, allocated before the first of them. */
struct steps {
	struct iau_va *map, *prev, *next;
};

static void steps_free(struct steps *s)
{
	kfree(s->map);
	kfree(s->prev);
	kfree(s->next);
}

static int steps_prepare(struct drm_gpuva_ops *ops, struct bind_op *b, struct steps *s)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops) {
		b->unmaps |= op->op != DRM_GPUVA_OP_MAP;
		if (op->op == DRM_GPUVA_OP_MAP) {
			s->map = va_new(&op->map, b->arg.flags);
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

static void step_remap(struct drm_gpuva_op_remap *op, struct steps *s, struct list_head *gone)
{
	struct iau_va *old = to_iau_va(op->unmap->va);
	struct drm_gem_object *obj = old->base.gem.obj;
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_get(old->base.vm_bo);

	drm_gem_object_get(obj);
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
	list_add(&old->gone, gone);
}

/* Nothing here can fail. */
static void steps_do(struct iau_vm *vm, struct drm_gpuva_ops *ops, struct steps *s,
		     struct drm_gpuvm_bo *vm_bo, struct list_head *gone)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops) {
		switch (op->op) {
		case DRM_GPUVA_OP_MAP:
			drm_gpuva_insert(&vm->gpuvm, &s->map->base);
			dma_resv_lock(op->map.gem.obj->resv, NULL);
			va_link(s->map, vm_bo);
			dma_resv_unlock(op->map.gem.obj->resv);
			s->map = NULL;
			break;
		case DRM_GPUVA_OP_REMAP:
			step_remap(&op->remap, s, gone);
			break;
		case DRM_GPUVA_OP_UNMAP:
			va_remove(to_iau_va(op->unmap.va), gone);
			break;
		default:
			break;
		}
	}
}

/* Replaces what is mapped in the range by the operation's buffer, or by nothing. */
static int stage_range(struct iau_vm *vm, struct bind_op *b, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva_ops *ops;
	struct steps s = { 0 };
	int err;

	ops = b->obj ? iau_map_ops(&vm->gpuvm, b->arg.va, b->arg.size, b->obj, b->arg.offset) :
		       drm_gpuvm_sm_unmap_ops_create(&vm->gpuvm, b->arg.va, b->arg.size);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	err = steps_prepare(ops, b, &s);
	if (!err)
		steps_do(vm, ops, &s, vm_bo, &b->gone);
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

/* Pages of the buffer are there, and tables for its addresses, before anything changes. */
static int get_memory(struct iau_vm *vm, struct bind_op *b)
{
	u64 end;

	if (check_add_overflow(b->arg.offset, b->arg.size, &end) || end > b->obj->size)
		return -EINVAL;
	if (iau_kv_of(b->obj)) {
		/* its contents come and go: not what the device may remember */
		if (iau_kv_of(b->obj)->vm != vm || b->arg.flags & DRM_IAU_BIND_CONST)
			return -EINVAL;
	} else {
		b->sgt = iau_gem_pages(b->obj);
		if (IS_ERR(b->sgt))
			return PTR_ERR(b->sgt);
	}
	return iau_pt_reserve(vm, b->arg.va, b->arg.size);
}

static int stage_map(struct iau_vm *vm, struct bind_op *b)
{
	struct drm_gem_object *obj = b->obj;
	struct drm_gpuvm_bo *vm_bo;
	int err = get_memory(vm, b);

	if (err)
		return err;
	dma_resv_lock(obj->resv, NULL);
	vm_bo = iau_bo_obtain(&vm->gpuvm, obj);
	dma_resv_unlock(obj->resv);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	err = kinds_clash(vm_bo, b->arg.flags) ? -EBUSY : stage_range(vm, b, vm_bo);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);
	return err;
}

static int stage(struct iau_vm *vm, struct bind_op *b, struct drm_file *file)
{
	const struct drm_iau_bind_op *arg = &b->arg;
	u64 end;

	if (arg->flags & ~BIND_FLAGS || hweight32(arg->flags) > 1)
		return -EINVAL;
	if (!arg->size || !PAGE_ALIGNED(arg->size | arg->va | arg->offset) ||
	    check_add_overflow(arg->va, arg->size, &end) || end > BIT_ULL(IAU_VA_BITS))
		return -EINVAL;
	if (arg->flags & DRM_IAU_BIND_UNMAP)
		return arg->handle || arg->offset ? -EINVAL : stage_range(vm, b, NULL);
	b->obj = drm_gem_object_lookup(file, arg->handle);
	return b->obj ? stage_map(vm, b) : -ENOENT;
}

static u64 entry_flags(u32 flags)
{
	return (flags & DRM_IAU_BIND_WRITE ? IAU_PTE_W : 0) |
	       (flags & DRM_IAU_BIND_CONST ? IAU_PTE_C : 0);
}

u32 iau_va_flags(const struct drm_gpuva *va)
{
	return container_of_const(va, struct iau_va, base)->flags;
}

/* What a mapping's entries in page tables say */
u64 iau_va_entry(const struct drm_gpuva *va)
{
	return entry_flags(iau_va_flags(va));
}

/*
 * Brings the page tables to what was staged. Cannot fail, allocates nothing. The device may still
 * know what was mapped before, but no job of the VM runs until flush().
 */
static void apply(struct iau_vm *vm, struct bind_op *b)
{
	u64 flags = entry_flags(b->arg.flags);

	if (b->unmaps)
		iau_pt_unmap(vm, b->arg.va, b->arg.size);
	if (b->sgt)
		iau_pt_map(vm, b->arg.va, b->arg.size, b->sgt, b->arg.offset, flags);
	else if (b->obj)
		iau_kv_map(b->obj, vm, b->arg.va, b->arg.size, b->arg.offset, flags);
}

/* The device hears of all operations at once; it keeps no translation of what was not mapped. */
static void flush(struct iau_bind *bind)
{
	for (u32 i = 0; i < bind->done; i++) {
		if (bind->op[i].unmaps) {
			iau_slot_flush(bind->vm);
			return;
		}
	}
}

static void bind_free(struct iau_bind *bind)
{
	for (u32 i = 0; i < bind->count; i++) {
		free_gone(&bind->op[i].gone);
		if (bind->op[i].obj)
			drm_gem_object_put(bind->op[i].obj);
	}
	iau_vm_put(bind->vm);
	kvfree(bind);
}

/* The operations of a call, with a reference to VM */
static struct iau_bind *bind_new(struct iau_vm *vm, const struct drm_iau_obj_array *ops)
{
	struct iau_bind *bind = kvzalloc(struct_size(bind, op, ops->count), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!bind)
		return ERR_PTR(-ENOMEM);
	drm_gpuvm_get(&vm->gpuvm);
	bind->vm = vm;
	bind->count = ops->count;
	for (u32 i = 0; i < ops->count; i++)
		INIT_LIST_HEAD(&bind->op[i].gone);
	for (u32 i = 0; i < ops->count && !err; i++)
		err = iau_array_get(ops, i, &bind->op[i].arg, sizeof(bind->op[i].arg));
	if (err) {
		bind_free(bind);
		return ERR_PTR(err);
	}
	return bind;
}

/* Stages one operation after the other; those before a failing one stay. */
static int stage_all(struct iau_bind *bind, struct drm_file *file, bool now)
{
	struct iau_vm *vm = bind->vm;
	int err = 0;

	for (; bind->done < bind->count; bind->done++) {
		struct bind_op *b = &bind->op[bind->done];

		err = stage(vm, b, file);
		trace_iau_bind(vm, b->arg.va, b->arg.size, b->arg.flags, err);
		if (err)
			break;
		if (now)
			apply(vm, b);
	}
	if (now)
		flush(bind);
	return err;
}

/* Could any of the operations take away what is mapped now, or what one before it has mapped? */
static bool may_unmap(struct iau_bind *bind)
{
	u64 end = 0;

	for (u32 i = 0; i < bind->count; i++) {
		const struct drm_iau_bind_op *arg = &bind->op[i].arg;

		if (arg->flags & DRM_IAU_BIND_UNMAP || arg->va < end ||
		    check_add_overflow(arg->va, arg->size, &end) ||
		    drm_gpuva_find_first(&bind->vm->gpuvm, arg->va, arg->size))
			return true;
	}
	return false;
}

static struct dma_fence *bind_run(struct drm_sched_job *job)
{
	struct iau_bind *bind = to_iau_bind(job);
	bool signalling = dma_fence_begin_signalling();

	for (u32 i = 0; i < bind->done; i++)
		apply(bind->vm, &bind->op[i]);
	flush(bind);
	dma_fence_end_signalling(signalling);
	return NULL;
}

static void free_later(struct work_struct *work)
{
	bind_free(container_of(work, struct iau_bind, freeing));
}

/*
 * The next change of mappings waits until this returns, and freeing a buffer takes locks of whoever
 * shares it, and may free the device.
 */
static void bind_done(struct drm_sched_job *job)
{
	struct iau_bind *bind = to_iau_bind(job);
	bool signalling = dma_fence_begin_signalling();

	drm_sched_job_cleanup(job);
	INIT_WORK(&bind->freeing, free_later);
	queue_work(iau_wq, &bind->freeing);
	dma_fence_end_signalling(signalling);
}

static const struct drm_sched_backend_ops bind_ops = {
	.run_job = bind_run,
	.free_job = bind_done,
};

/*
 * After all jobs of the VM, and before those that follow. From staging on nothing can fail; what
 * was staged before an error is made, too. BIND is the scheduler's then.
 */
static void bind_push(struct iau_bind *bind, struct iau_signals *signals)
{
	bool signalling = dma_fence_begin_signalling();
	struct dma_fence *finished;

	drm_sched_job_arm(&bind->base);
	finished = &bind->base.s_fence->finished;
	dma_fence_put(bind->vm->last_bind);
	bind->vm->last_bind = dma_fence_get(finished);
	iau_signals_attach(signals, finished);
	drm_sched_entity_push_job(&bind->base);
	dma_fence_end_signalling(signalling);
}

static int bind_prepare(struct iau_bind *bind, const struct drm_iau_obj_array *syncs,
			struct drm_file *file, struct iau_signals *signals)
{
	struct dma_resv *resv = drm_gpuvm_resv(&bind->vm->gpuvm);
	int err = iau_sched_job_init(&bind->base, &bind->vm->bind, file->client_id);

	if (err)
		return err;
	err = iau_syncs_add(syncs, &bind->base, file, signals);
	dma_resv_lock(resv, NULL);
	if (!err)
		err = drm_sched_job_add_resv_dependencies(&bind->base, resv,
							  DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
	if (err)
		drm_sched_job_cleanup(&bind->base);
	return err;
}

static int bind_later(struct iau_bind *bind, struct drm_iau_vm_bind *args, struct drm_file *file)
{
	struct iau_signals signals = { };
	struct iau_vm *vm = bind->vm;
	int err = mutex_lock_interruptible(&vm->lock);

	if (err) {
		bind_free(bind);
		return err;
	}
	err = vm->closed ? -ENOENT : bind_prepare(bind, &args->syncs, file, &signals);
	if (err) {
		mutex_unlock(&vm->lock);
		bind_free(bind);
	} else {
		err = stage_all(bind, file, false);
		args->ops.count = bind->done;
		bind_push(bind, &signals);
		mutex_unlock(&vm->lock);
	}
	iau_signals_free(&signals);
	return err;
}

static int bind_now(struct iau_bind *bind, struct drm_iau_vm_bind *args, struct drm_file *file)
{
	struct iau_vm *vm = bind->vm;
	int err = mutex_lock_interruptible(&vm->lock);

	if (!err) {
		err = vm->closed ? -ENOENT : iau_vm_settle(vm);
		if (!err && may_unmap(bind))
			err = iau_vm_idle(vm, true);
		if (!err)
			err = stage_all(bind, file, true);
		args->ops.count = bind->done;
		mutex_unlock(&vm->lock);
	}
	bind_free(bind);
	return err;
}

int iau_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_vm_bind *args = data;
	struct drm_iau_obj_array ops = args->ops;
	bool later = args->flags & DRM_IAU_VM_BIND_ASYNC;
	struct iau_bind *bind;
	struct iau_vm *vm;
	int err;

	if (args->flags & ~DRM_IAU_VM_BIND_ASYNC || ops.count > MAX_OPS ||
	    (args->syncs.count && !later))
		return -EINVAL;
	vm = iau_vm_get(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;
	args->ops.count = 0;
	bind = bind_new(vm, &ops);
	if (IS_ERR(bind)) {
		iau_vm_put(vm);
		return PTR_ERR(bind);
	}
	err = later ? bind_later(bind, args, file) : bind_now(bind, args, file);
	iau_vm_put(vm);
	return err;
}

static void bind_fini(struct drm_device *drm, void *sched)
{
	drm_sched_fini(sched);
}

int iau_bind_init(struct iau_device *iau)
{
	int err = iau_sched_init(&iau->bind_sched, &bind_ops, 16, MAX_SCHEDULE_TIMEOUT,
				 iau->drm.dev);

	return err ?: drmm_add_action_or_reset(&iau->drm, bind_fini, &iau->bind_sched);
}
