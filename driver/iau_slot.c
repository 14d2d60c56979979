// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's contexts are slots for address spaces. A job holds the slot of its VM while it is in
 * a ring; the least recently used of the others is replaced. Rings hold no more jobs than there are
 * slots, so one is always free.
 */
#include <drm/drm_drv.h>

#include "iau_drv.h"

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

/* The slot of a VM, for one more job. */
int iau_slot_get(struct iau_vm *vm)
{
	struct iau_device *iau = vm->iau;
	unsigned long irq;
	int best = vm->slot;

	spin_lock_irqsave(&iau->slot_lock, irq);
	best = vm->slot;
	if (best < 0) {
		for (unsigned int i = 0; i < iau->info.contexts; i++)
			if (!iau->slot[i].jobs &&
			    (best < 0 || iau->slot[i].used < iau->slot[best].used))
				best = i;
		if (!WARN_ON(best < 0))
			take(vm, best);
	}
	if (best >= 0) {
		iau->slot[best].jobs++;
		iau->slot[best].used = ++iau->slot_clock;
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
	return best;
}

void iau_slot_put(struct iau_device *iau, int slot)
{
	unsigned long irq;

	if (slot < 0)
		return;
	spin_lock_irqsave(&iau->slot_lock, irq);
	iau->slot[slot].jobs--;
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
	if (vm->slot >= 0)
		iau_write(iau, IAU_REG_TLB_INVALIDATE, vm->slot);
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

/* The device has lost them, or is about to; no job is in it. */
void iau_slots_forget(struct iau_device *iau)
{
	unsigned long irq;

	spin_lock_irqsave(&iau->slot_lock, irq);
	for (unsigned int i = 0; i < iau->info.contexts; i++) {
		if (iau->slot[i].vm)
			iau->slot[i].vm->slot = -1;
		iau->slot[i].vm = NULL;
	}
	spin_unlock_irqrestore(&iau->slot_lock, irq);
}
