// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel may take back: buffers whose contents do not matter, and, if there is
 * swap, KV caches whose VM has no jobs. It is called by whoever needs memory, holding any locks, so
 * it only tries to take its own, and never waits for a job.
 */
#include <linux/dma-resv.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include <drm/drm_gem.h>
#include <drm/drm_managed.h>

#include "iau_compat.h"
#include "iau_drv.h"

/* Lets go of the VMs of OBJ up to LAST, which is not held. */
static void unlock_vms(struct drm_gem_object *obj, struct drm_gpuvm_bo *last)
{
	struct drm_gpuvm_bo *vm_bo;

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		if (vm_bo == last)
			break;
		mutex_unlock(&to_iau_vm(vm_bo->vm)->lock);
	}
}

/* The locks of all VMs in which OBJ is bound, if they are free and the VMs are idle. */
static bool trylock_vms(struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		struct iau_vm *vm = to_iau_vm(vm_bo->vm);

		if (mutex_trylock(&vm->lock)) {
			if (iau_vm_is_idle(vm))
				continue;
			mutex_unlock(&vm->lock);
		}
		unlock_vms(obj, vm_bo);
		return false;
	}
	return true;
}

/* Under the reservation of OBJ, as for all that shrink. */
static bool purge(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	if (!drm_gem_shmem_is_purgeable(shmem) || !trylock_vms(obj))
		return false;
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		drm_gpuvm_bo_for_each_va(va, vm_bo)
			iau_pt_unmap(to_iau_vm(vm_bo->vm), va->va.addr, va->va.range);
		iau_slot_flush(to_iau_vm(vm_bo->vm));
	}
	iau_shmem_purge(shmem);
	drm_gem_lru_remove(obj);
	unlock_vms(obj, NULL);
	return true;
}

static bool evict(struct drm_gem_object *obj)
{
	struct iau_vm *vm = iau_kv_of(obj)->vm;
	bool done = false;

	if (!mutex_trylock(&vm->lock))
		return false;
	if (iau_vm_is_idle(vm))
		done = iau_kv_evict(obj);
	mutex_unlock(&vm->lock);
	return done;
}

#ifdef IAU_HAVE_GEM_LRU_OF_DEVICE

static void lru_init(struct iau_device *iau, struct drm_gem_lru *lru)
{
	drm_gem_lru_init(lru);
}

static bool purge_ticket(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket)
{
	return purge(obj);
}

static bool evict_ticket(struct drm_gem_object *obj, struct ww_acquire_ctx *ticket)
{
	return evict(obj);
}

static unsigned long scan_purgeable(struct iau_device *iau, unsigned long n, unsigned long *left)
{
	return drm_gem_lru_scan(&iau->drm, &iau->purgeable, n, left, purge_ticket, NULL);
}

static unsigned long scan_kv(struct iau_device *iau, unsigned long n, unsigned long *left)
{
	return drm_gem_lru_scan(&iau->drm, &iau->kv_lru, n, left, evict_ticket, NULL);
}

#else

static void lru_init(struct iau_device *iau, struct drm_gem_lru *lru)
{
	drm_gem_lru_init(lru, &iau->lru_lock);
}

static unsigned long scan_purgeable(struct iau_device *iau, unsigned long n, unsigned long *left)
{
	return drm_gem_lru_scan(&iau->purgeable, n, left, purge);
}

static unsigned long scan_kv(struct iau_device *iau, unsigned long n, unsigned long *left)
{
	return drm_gem_lru_scan(&iau->kv_lru, n, left, evict);
}

#endif

/* Up to N pages, more or less; KV: caches, too. Returns what was freed, *LEFT what may be yet. */
unsigned long iau_shrink(struct iau_device *iau, unsigned long n, bool kv, unsigned long *left)
{
	unsigned long freed = scan_purgeable(iau, n, left);

	if (freed < n && kv)
		freed += scan_kv(iau, n - freed, left);
	return freed;
}

static unsigned long shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct iau_device *iau = shrinker->private_data;
	unsigned long n = iau->purgeable.count;

	if (get_nr_swap_pages() > 0)
		n += iau->kv_lru.count;
	return n ?: SHRINK_EMPTY;
}

static unsigned long shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long left = 0, freed;

	freed = iau_shrink(shrinker->private_data, sc->nr_to_scan, get_nr_swap_pages() > 0, &left);
	return freed || left ? freed : SHRINK_STOP;
}

static void shrinker_fini(struct drm_device *drm, void *shrinker)
{
	shrinker_free(shrinker);
}

int iau_shrinker_init(struct iau_device *iau)
{
	struct shrinker *shrinker;
	int err = drmm_mutex_init(&iau->drm, &iau->lru_lock);

	if (err)
		return err;
	lru_init(iau, &iau->purgeable);
	lru_init(iau, &iau->kv_lru);
	shrinker = shrinker_alloc(0, "iau:%s", dev_name(iau->drm.dev));
	if (!shrinker)
		return -ENOMEM;
	shrinker->private_data = iau;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;
	shrinker_register(shrinker);
	return drmm_add_action_or_reset(&iau->drm, shrinker_fini, shrinker);
}
