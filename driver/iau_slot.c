// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's contexts are slots for address spaces. A job holds the slot of its VM while it is in
 * a ring; the least recently used of the others is replaced. Schedulers have no more jobs in the
 * rings than leaves some slots over, and direct jobs hold no more than these: one is always free
 * for a job of a scheduler.
 */
#include <drm/drm_drv.h>

#include "iau_drv.h"

/* A doorbell in memory must not be seen before what was written to registers. */
static void flush_writes(struct iau_device *iau)
{
	if (iau->doorbells)
		iau_read(iau, IAU_REG_ID);
}

static void set_root(struct iau_device *iau, unsigned int slot, u64 root)
{
	u32 reg = IAU_CTX_OFFSET + slot * IAU_CTX_STRIDE;
	int idx;

	/* clients may close after the device has gone */
	if (!drm_dev_enter(&iau->drm, &idx))
		return;
	/* each write drops the cached translations of the slot */
	iau_write(iau, reg, lower_32_bits(root));
	iau_write(iau, reg + 4, upper_32_bits(root));
	flush_writes(iau);
	drm_dev_exit(idx);
}

static void take(struct iau_vm *vm, unsigned int i)
{
	struct iau_device *iau = vm->iau;
	struct iau_slot *slot = &iau->slot[i];

	if (slot->vm)
		slot->vm->slot = -1;
	slot->vm = vm;
	vm->slot = i;
	set_root(iau, i, vm->root->dma | 1);
}

/* The least recently used slot without jobs, or -1. */
static int find(const struct iau_device *iau)
{
	int best = -1;

	for (unsigned int i = 0; i < iau->info.contexts; i++)
		if (!iau->slot[i].jobs &&
		    (best < 0 || iau->slot[i].used < iau->slot[best].used))
			best = i;
	return best;
}

/* Whether direct jobs may hold slot I, or any if it is -1. */
static bool direct_may(const struct iau_device *iau, int i)
{
	return (i >= 0 && iau->slot[i].direct) ||
	       iau->slots_direct + iau->info.queues * IAU_RING_JOBS < iau->info.contexts;
}

/* The slot of a VM, for JOBS more of it; -1 if they are direct and may not have one. */
int iau_slot_get(struct iau_vm *vm, unsigned int jobs, bool direct)
{
	struct iau_device *iau = vm->iau;
	unsigned long irq;
	int i;

	spin_lock_irqsave(&iau->slot_lock, irq);
	i = vm->slot;
	if (direct && !direct_may(iau, i)) {
		spin_unlock_irqrestore(&iau->slot_lock, irq);
		return -1;
	}
	if (i < 0) {
		i = find(iau);
		if (!WARN_ON(i < 0))
			take(vm, i);
	}
	if (i >= 0) {
		iau->slot[i].jobs += jobs;
		if (direct) {
			iau->slots_direct += !iau->slot[i].direct;
			iau->slot[i].direct += jobs;
		}
		iau->slot[i].used = ++iau->slot_clock;
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
	return i;
}

void iau_slot_put(struct iau_device *iau, int slot, bool direct)
{
	unsigned long irq;

	if (slot < 0)
		return;
	spin_lock_irqsave(&iau->slot_lock, irq);
	iau->slot[slot].jobs--;
	if (direct && !--iau->slot[slot].direct)
		iau->slots_direct--;
	spin_unlock_irqrestore(&iau->slot_lock, irq);
}

/* The VM's tables have changed: the device forgets what it knew of them. */
void iau_slot_flush(struct iau_vm *vm)
{
	struct iau_device *iau = vm->iau;
	unsigned long irq;
	int idx;

	if (!drm_dev_enter(&iau->drm, &idx))
		return;
	spin_lock_irqsave(&iau->slot_lock, irq);
	if (vm->slot >= 0) {
		iau_write(iau, IAU_REG_TLB_INVALIDATE, vm->slot);
		flush_writes(iau);
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
	drm_dev_exit(idx);
}

/* The VM goes; none of its jobs is left. */
void iau_slot_release(struct iau_vm *vm)
{
	struct iau_device *iau = vm->iau;
	unsigned long irq;

	spin_lock_irqsave(&iau->slot_lock, irq);
	if (vm->slot >= 0) {
		set_root(iau, vm->slot, 0);
		iau->slot[vm->slot].vm = NULL;
		vm->slot = -1;
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
}

/* The device has lost them, or is about to. Jobs that are to run again keep theirs. */
void iau_slots_forget(struct iau_device *iau)
{
	unsigned long irq;

	spin_lock_irqsave(&iau->slot_lock, irq);
	for (unsigned int i = 0; i < iau->info.contexts; i++) {
		struct iau_slot *slot = &iau->slot[i];

		if (slot->jobs || !slot->vm)
			continue;
		slot->vm->slot = -1;
		slot->vm = NULL;
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
}

/* The device hears of those that were kept. */
void iau_slots_restore(struct iau_device *iau)
{
	unsigned long irq;

	spin_lock_irqsave(&iau->slot_lock, irq);
	for (unsigned int i = 0; i < iau->info.contexts; i++)
		if (iau->slot[i].vm)
			set_root(iau, i, iau->slot[i].vm->root->dma | 1);
	spin_unlock_irqrestore(&iau->slot_lock, irq);
}
