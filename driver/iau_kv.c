// SPDX-License-Identifier: GPL-2.0-only
/*
 * KV buffers: addresses whose pages come and go one by one, in place, as a sequence grows and is
 * forgotten. The device sees a new page without being told, because it remembers no translation
 * that was not valid; it is asked to forget one only after the VM's jobs are over.
 *
 * When memory is short, that of a VM without jobs may be taken back (iau_shrinker.c): its contents
 * go to the buffer's file, and the next submission brings them back. Memory: iau_kv_page.c.
 */
#include <linux/dma-resv.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_kv.h"

#define MAX_RANGES	4096

static bool is_committed(struct iau_kv *kv, pgoff_t i)
{
	struct iau_kv_chunk *c = iau_kv_chunk(kv, i);

	return c && test_bit(i % CHUNK_PAGES, c->want);
}

/* First page from I on whose chunk exists, or END */
static pgoff_t next_page(struct iau_kv *kv, pgoff_t i, pgoff_t end)
{
	while (i < end && !iau_kv_chunk(kv, i))
		i = ALIGN(i + 1, CHUNK_PAGES);
	return min(i, end);
}

/*
 * Enters the pages that there are from OFFSET on at VA; the tables are reserved. Jobs that change
 * mappings do this, and fences wait for them: not under the buffer's lock, whose holders may be
 * waiting for memory, and memory for fences.
 */
void iau_kv_map(struct drm_gem_object *obj, struct iau_vm *vm, u64 va, u64 size, u64 offset,
		u64 flags)
{
	struct iau_kv *kv = iau_kv_of(obj);
	pgoff_t end = (offset + size) >> PAGE_SHIFT, i = offset >> PAGE_SHIFT;

	mutex_lock(&vm->pt_lock);
	for (i = next_page(kv, i, end); i < end; i = next_page(kv, i + 1, end)) {
		struct iau_kv_chunk *c = iau_kv_chunk(kv, i);
		u64 at = va + ((u64)i << PAGE_SHIFT) - offset;

		if (test_bit(i % CHUNK_PAGES, c->mapped))
			iau_pt_map_page(vm, at, c->dma[i % CHUNK_PAGES], flags);
	}
	mutex_unlock(&vm->pt_lock);
}

/* For every place in the VM at which bytes OFFSET to OFFSET + SIZE are bound */
static void each_place(struct drm_gem_object *obj, u64 offset, u64 size, bool map)
{
	struct iau_vm *vm = iau_kv_of(obj)->vm;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			u64 start = max(offset, va->gem.offset);
			u64 end = min(offset + size, va->gem.offset + va->va.range);
			u64 at = va->va.addr + start - va->gem.offset;

			if (start >= end)
				continue;
			if (map)
				iau_kv_map(obj, vm, at, end - start, start, iau_va_entry(va));
			else
				iau_pt_unmap(vm, at, end - start);
		}
	}
}

static void each_place_locked(struct drm_gem_object *obj, u64 offset, u64 size, bool map)
{
	dma_resv_lock(obj->resv, NULL);
	each_place(obj, offset, size, map);
	dma_resv_unlock(obj->resv);
}

/* Page I has memory that the device may be given. */
static int get_page_in(struct drm_gem_object *obj, pgoff_t i)
{
	int err = iau_kv_page_get(obj, i);

	return err ?: iau_kv_page_map(obj, i);
}

static int commit_page(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_bo *bo = to_iau_bo(obj);
	struct iau_kv *kv = bo->kv;
	int err;

	if (!iau_kv_chunk(kv, i)) {
		struct iau_kv_chunk *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

		if (!c)
			return -ENOMEM;
		mutex_lock(&kv->vm->pt_lock);
		kv->chunk[i / CHUNK_PAGES] = c;
		mutex_unlock(&kv->vm->pt_lock);
	}
	if (is_committed(kv, i))
		return 0;
	err = iau_client_charge(bo->client, PAGE_SIZE);
	if (err)
		return err;
	err = get_page_in(obj, i);
	if (err) {
		iau_kv_page_free(obj, i);
		iau_client_uncharge(bo->client, PAGE_SIZE);
		return err;
	}
	set_bit(i % CHUNK_PAGES, iau_kv_chunk(kv, i)->want);
	bo->charged += PAGE_SIZE;
	kv->committed++;
	return 0;
}

static int commit_range(struct drm_gem_object *obj, const struct drm_iau_range *r)
{
	struct iau_kv *kv = iau_kv_of(obj);
	u64 at = r->offset, end = r->offset + r->size;
	int err = 0;

	mutex_lock(&kv->lock);
	for (; at < end && !err; at += PAGE_SIZE) {
		err = commit_page(obj, at >> PAGE_SHIFT);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	mutex_unlock(&kv->lock);
	/* what there is, whether or not all of it could be had */
	each_place_locked(obj, r->offset, at - r->offset, true);
	return err;
}

static int commit(struct drm_gem_object *obj, const struct drm_iau_range *range, u32 n)
{
	int err = 0;

	for (u32 i = 0; i < n && !err; i++)
		err = commit_range(obj, &range[i]);
	return err;
}

static void release_page(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_bo *bo = to_iau_bo(obj);

	if (!is_committed(bo->kv, i))
		return;
	iau_kv_page_free(obj, i);
	clear_bit(i % CHUNK_PAGES, iau_kv_chunk(bo->kv, i)->want);
	iau_client_uncharge(bo->client, PAGE_SIZE);
	bo->charged -= PAGE_SIZE;
	bo->kv->committed--;
}

/* Neither the device nor the client has what is in the range. */
static void release_range(struct drm_gem_object *obj, const struct drm_iau_range *r)
{
	struct iau_kv *kv = iau_kv_of(obj);
	pgoff_t end = (r->offset + r->size) >> PAGE_SHIFT, i = r->offset >> PAGE_SHIFT;

	mutex_lock(&kv->lock);
	for (i = next_page(kv, i, end); i < end; i = next_page(kv, i + 1, end))
		release_page(obj, i);
	mutex_unlock(&kv->lock);
}

/* The VM is idle; the device is told once, however many ranges there are. */
static void release(struct drm_gem_object *obj, const struct drm_iau_range *range, u32 n)
{
	for (u32 i = 0; i < n; i++)
		each_place_locked(obj, range[i].offset, range[i].size, false);
	iau_slot_flush(iau_kv_of(obj)->vm);
	/* userspace, too: a page that it still had would come back with old contents */
	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
	for (u32 i = 0; i < n; i++)
		release_range(obj, &range[i]);
}

static void each_page(struct drm_gem_object *obj, void (*f)(struct drm_gem_object *obj, pgoff_t i))
{
	pgoff_t end = obj->size >> PAGE_SHIFT;
	struct iau_kv *kv = iau_kv_of(obj);

	for (pgoff_t i = next_page(kv, 0, end); i < end; i = next_page(kv, i + 1, end))
		f(obj, i);
}

/* Returns whether any page's memory was given back. */
static bool save_pages(struct drm_gem_object *obj)
{
	pgoff_t end = obj->size >> PAGE_SHIFT;
	struct iau_kv *kv = iau_kv_of(obj);
	bool any = false;

	for (pgoff_t i = next_page(kv, 0, end); i < end; i = next_page(kv, i + 1, end))
		if (iau_kv_page(kv, i))
			any |= iau_kv_page_save(obj, i);
	return any;
}

/*
 * Takes all pages away from the device, and their memory back where it can be had; the VM's lock
 * and the buffer's reservation are held. It may be called to get memory for somebody who holds such
 * locks, so it waits for none.
 */
bool iau_kv_evict(struct drm_gem_object *obj)
{
	struct iau_kv *kv = iau_kv_of(obj);
	bool any;

	if (!kv->committed || !mutex_trylock(&kv->lock))
		return false;
	each_place(obj, 0, obj->size, false);
	iau_slot_flush(kv->vm);
	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
	any = save_pages(obj);
	mutex_unlock(&kv->lock);
	spin_lock(&kv->vm->evicted_lock);
	list_move(&kv->evicted, &kv->vm->evicted);
	spin_unlock(&kv->vm->evicted_lock);
	if (any)
		drm_gem_lru_remove(obj);
	return any;
}

static void not_evicted(struct iau_kv *kv)
{
	spin_lock(&kv->vm->evicted_lock);
	list_del_init(&kv->evicted);
	spin_unlock(&kv->vm->evicted_lock);
}

/* One of the VM's buffers without pages, with a reference, or NULL */
static struct iau_kv *first_evicted(struct iau_vm *vm)
{
	struct iau_kv *kv, *found = NULL;

	spin_lock(&vm->evicted_lock);
	list_for_each_entry(kv, &vm->evicted, evicted) {
		/* one that is just going takes itself out of the list */
		if (kref_get_unless_zero(&kv->bo->shmem.base.refcount)) {
			found = kv;
			break;
		}
	}
	spin_unlock(&vm->evicted_lock);
	return found;
}

static int restore(struct drm_gem_object *obj)
{
	pgoff_t end = obj->size >> PAGE_SHIFT;
	struct iau_kv *kv = iau_kv_of(obj);
	int err = 0;

	mutex_lock(&kv->lock);
	for (pgoff_t i = next_page(kv, 0, end); i < end; i = next_page(kv, i + 1, end)) {
		if (is_committed(kv, i))
			err = get_page_in(obj, i);
		if (err)
			break;
	}
	mutex_unlock(&kv->lock);
	if (err)
		return err;
	each_place_locked(obj, 0, obj->size, true);
	not_evicted(kv);
	drm_gem_lru_move_tail(&to_iau(obj->dev)->kv_lru, obj);
	return 0;
}

/* All pages that were evicted from the VM come back before a job runs. Under its lock */
int iau_kv_restore(struct iau_vm *vm)
{
	struct iau_kv *kv;
	int err = 0;

	while (!err) {
		kv = first_evicted(vm);
		if (!kv)
			break;
		err = restore(&kv->bo->shmem.base);
		drm_gem_object_put(&kv->bo->shmem.base);
	}
	return err;
}

/* The device goes: the pages are its client's only. */
void iau_kv_unmap(struct drm_gem_object *obj)
{
	struct iau_kv *kv = iau_kv_of(obj);

	mutex_lock(&kv->lock);
	each_page(obj, iau_kv_page_unmap);
	mutex_unlock(&kv->lock);
}

static void kv_free(struct drm_gem_object *obj)
{
	struct iau_kv *kv = iau_kv_of(obj);

	not_evicted(kv);
	each_page(obj, iau_kv_page_free);
	for (u32 i = 0; i < kv->chunks; i++)
		kvfree(kv->chunk[i]);
	kvfree(kv->chunk);
	mem_cgroup_put(kv->memcg);
	iau_vm_put(kv->vm);
	mutex_destroy(&kv->lock);
	kfree(kv);
	iau_gem_free(obj);
}

static enum drm_gem_object_status kv_status(struct drm_gem_object *obj)
{
	return READ_ONCE(iau_kv_of(obj)->committed) ? DRM_GEM_OBJECT_RESIDENT : 0;
}

static size_t kv_rss(struct drm_gem_object *obj)
{
	return READ_ONCE(iau_kv_of(obj)->committed) << PAGE_SHIFT;
}

/* It is the driver's own business what has memory: nobody else gets pages of it. */
static struct dma_buf *kv_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

/* Page I for the client, with a reference. One that was taken back comes for it alone. */
static struct page *page_of_client(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	int err;

	if (i >= obj->size >> PAGE_SHIFT || !is_committed(kv, i))
		return NULL;
	if (!iau_kv_page(kv, i)) {
		err = iau_kv_page_get(obj, i);
		if (err)
			return ERR_PTR(err);
		/* there is something again that can be taken back */
		drm_gem_lru_move_tail(&to_iau(obj->dev)->kv_lru, obj);
	}
	get_page(iau_kv_page(kv, i));
	return iau_kv_page(kv, i);
}

static vm_fault_t kv_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	pgoff_t i = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
	struct iau_kv *kv = iau_kv_of(obj);
	struct page *page;

	mutex_lock(&kv->lock);
	page = page_of_client(obj, i);
	mutex_unlock(&kv->lock);
	if (IS_ERR_OR_NULL(page))
		return page ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct kv_vm_ops = {
	.fault = kv_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int kv_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static const struct drm_gem_object_funcs kv_funcs = {
	.free = kv_free,
	.export = kv_export,
	.mmap = kv_mmap,
	.status = kv_status,
	.rss = kv_rss,
	.vm_ops = &kv_vm_ops,
};

/* Makes a buffer of which nothing was used yet one whose pages come and go. */
int iau_kv_init(struct iau_bo *bo, struct iau_vm *vm)
{
	struct drm_gem_object *obj = &bo->shmem.base;
	struct iau_kv *kv = kzalloc(sizeof(*kv), GFP_KERNEL_ACCOUNT);
	int err;

	if (!kv)
		return -ENOMEM;
	kv->chunks = DIV_ROUND_UP(obj->size >> PAGE_SHIFT, CHUNK_PAGES);
	kv->chunk = kvcalloc(kv->chunks, sizeof(*kv->chunk), GFP_KERNEL_ACCOUNT);
	err = kv->chunk ? iau_small_file(obj) : -ENOMEM;
	if (err) {
		kvfree(kv->chunk);
		kfree(kv);
		return err;
	}
	kv->bo = bo;
	kv->vm = to_iau_vm(drm_gpuvm_get(&vm->gpuvm));
	kv->memcg = get_mem_cgroup_from_mm(current->mm);
	mutex_init(&kv->lock);
	INIT_LIST_HEAD(&kv->evicted);
	bo->kv = kv;
	obj->funcs = &kv_funcs;
	drm_gem_lru_move_tail(&to_iau(obj->dev)->kv_lru, obj);
	return 0;
}

static int check_ranges(struct drm_gem_object *obj, const struct drm_iau_range *range, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!PAGE_ALIGNED(range[i].offset | range[i].size) ||
		    range[i].offset > obj->size || range[i].size > obj->size - range[i].offset)
			return -EINVAL;
	return 0;
}

static int change(struct drm_gem_object *obj, const struct drm_iau_range *range, u32 n, bool give)
{
	struct iau_vm *vm = iau_kv_of(obj)->vm;
	int err = mutex_lock_interruptible(&vm->lock);

	if (err)
		return err;
	err = give ? iau_vm_settle(vm) : iau_vm_idle(vm, true);
	if (!err && give)
		err = commit(obj, range, n);
	else if (!err)
		release(obj, range, n);
	mutex_unlock(&vm->lock);
	return err;
}

static struct drm_iau_range *get_ranges(const struct drm_iau_obj_array *array)
{
	struct drm_iau_range *range = kvcalloc(array->count, sizeof(*range), GFP_KERNEL_ACCOUNT);
	int err = range || !array->count ? 0 : -ENOMEM;

	for (u32 i = 0; i < array->count && !err; i++)
		err = iau_array_get(array, i, &range[i], sizeof(range[i]));
	if (err) {
		kvfree(range);
		return ERR_PTR(err);
	}
	return range;
}

int iau_ioctl_bo_commit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_bo_commit *args = data;
	struct drm_iau_range *range;
	struct drm_gem_object *obj;
	u32 n = args->ranges.count;
	int err;

	if (args->flags & ~DRM_IAU_COMMIT_RELEASE || n > MAX_RANGES)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	range = iau_kv_of(obj) ? get_ranges(&args->ranges) : ERR_PTR(-EINVAL);
	err = PTR_ERR_OR_ZERO(range);
	if (!err) {
		err = check_ranges(obj, range, n);
		if (!err)
			err = change(obj, range, n, !(args->flags & DRM_IAU_COMMIT_RELEASE));
		args->committed = READ_ONCE(iau_kv_of(obj)->committed) << PAGE_SHIFT;
		kvfree(range);
	}
	drm_gem_object_put(obj);
	return err;
}
