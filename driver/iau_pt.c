// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the device: three levels of 512 little-endian entries. Tables are allocated ahead,
 * so that a mapping whose turn has come cannot fail; they stay until the address space goes, or
 * the device, after which mappings are changed without them.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "iau_drv.h"

#define ENTRIES		512
#define LEVELS		3
#define PAGE_BYTES	SZ_4K

static unsigned int shift_of(unsigned int level)
{
	return 12 + 9 * level;
}

static unsigned int index_of(u64 va, unsigned int level)
{
	return va >> shift_of(level) & (ENTRIES - 1);
}

static struct iau_table *table_create(struct device *dev, bool leaf)
{
	struct iau_table *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->entry = dma_alloc_coherent(dev, PAGE_BYTES, &t->dma, GFP_KERNEL_ACCOUNT);
	if (!leaf)
		t->sub = kvcalloc(ENTRIES, sizeof(*t->sub), GFP_KERNEL_ACCOUNT);
	if (!t->entry || (!leaf && !t->sub)) {
		if (t->entry)
			dma_free_coherent(dev, PAGE_BYTES, t->entry, t->dma);
		kvfree(t->sub);
		kfree(t);
		return NULL;
	}
	return t;
}

struct iau_table *iau_pt_create(struct device *dev)
{
	return table_create(dev, false);
}

void iau_pt_destroy(struct device *dev, struct iau_table *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; t->sub && i < ENTRIES; i++)
		iau_pt_destroy(dev, t->sub[i]);
	dma_free_coherent(dev, PAGE_BYTES, t->entry, t->dma);
	kvfree(t->sub);
	kfree(t);
}

/* Makes the tables that map VA to VA + SIZE. Under the VM's lock: nobody else makes any. */
int iau_pt_reserve(struct iau_vm *vm, u64 va, u64 size)
{
	u64 end = va + size;

	for (; va < end; va = ALIGN(va + 1, BIT_ULL(shift_of(1)))) {
		struct iau_table *t = vm->root;

		for (unsigned int level = LEVELS - 1; level; level--) {
			unsigned int i = index_of(va, level);

			if (!t->sub[i]) {
				struct iau_table *sub = table_create(vm->iau->drm.dev, level == 1);

				if (!sub)
					return -ENOMEM;
				mutex_lock(&vm->pt_lock);
				t->sub[i] = sub;
				/* the table is zeroed before the device can find it */
				dma_wmb();
				WRITE_ONCE(t->entry[i], cpu_to_le64(sub->dma | IAU_PTE_V));
				mutex_unlock(&vm->pt_lock);
			}
			t = t->sub[i];
		}
	}
	return 0;
}

static void set(struct iau_table *t, unsigned int i, u64 value)
{
	WRITE_ONCE(t->entry[i], cpu_to_le64(value));
}

/* The table with the entries of 2 MiB pages for VA; NULL where nothing was ever reserved. */
static struct iau_table *middle(struct iau_table *root, u64 va)
{
	return root->sub[index_of(va, 2)];
}

static bool is_big(const struct iau_table *t, unsigned int i)
{
	return le64_to_cpu(t->entry[i]) & IAU_PTE_L;
}

/* A large page becomes 512 small ones, in the table that was reserved for them. */
static void split(struct iau_table *t, unsigned int i)
{
	u64 leaf = le64_to_cpu(t->entry[i]) & ~(u64)IAU_PTE_L;

	for (unsigned int k = 0; k < ENTRIES; k++)
		set(t->sub[i], k, leaf + k * PAGE_BYTES);
	/* the entries are there before the device can find them */
	dma_wmb();
	set(t, i, t->sub[i]->dma | IAU_PTE_V);
}

static void map_small(struct iau_table *root, u64 va, u64 value)
{
	struct iau_table *t = middle(root, va);
	unsigned int i = index_of(va, 1);

	if (is_big(t, i))
		split(t, i);
	set(t->sub[i], index_of(va, 0), value);
}

/* The table under a large page is kept, with nothing in it. */
static void map_big(struct iau_table *root, u64 va, u64 value)
{
	struct iau_table *t = middle(root, va);
	unsigned int i = index_of(va, 1);

	set(t, i, value | IAU_PTE_L);
	memset(t->sub[i]->entry, 0, PAGE_BYTES);
}

/* Maps one page, as large as alignment and SIZE allow; returns its size. */
static u64 map_page(struct iau_table *root, u64 va, u64 size, dma_addr_t dma, u64 flags)
{
	if (size >= SZ_2M && IS_ALIGNED(va | dma, SZ_2M)) {
		map_big(root, va, dma | flags);
		return SZ_2M;
	}
	map_small(root, va, dma | flags);
	return PAGE_BYTES;
}

/*
 * Maps SIZE bytes of SGT from OFFSET on; the tables are there. What is contiguous and aligned lies
 * in pages of 2 MiB, which is what makes streams of weights cost few page walks.
 */
static void map_sgt(struct iau_table *root, u64 va, u64 size, struct sg_table *sgt, u64 offset,
		    u64 flags)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		dma_addr_t dma = sg_dma_address(sg);
		u64 n = sg_dma_len(sg);

		if (offset >= n) {
			offset -= n;
			continue;
		}
		while (offset < n && size) {
			u64 page = map_page(root, va, min(size, n - offset), dma + offset,
					    flags | IAU_PTE_V);

			offset += page;
			va += page;
			size -= page;
		}
		if (!size)
			return;
		offset = 0;
	}
}

void iau_pt_map(struct iau_vm *vm, u64 va, u64 size, struct sg_table *sgt, u64 offset, u64 flags)
{
	mutex_lock(&vm->pt_lock);
	if (vm->root)
		map_sgt(vm->root, va, size, sgt, offset, flags);
	mutex_unlock(&vm->pt_lock);
}

/* One page of 4 KiB; under the lock of the tables */
void iau_pt_map_page(struct iau_vm *vm, u64 va, dma_addr_t dma, u64 flags)
{
	lockdep_assert_held(&vm->pt_lock);
	if (vm->root)
		map_small(vm->root, va, dma | flags | IAU_PTE_V);
}

/* Nothing is mapped from VA to VA + SIZE any more. What was never reserved is passed over. */
void iau_pt_unmap(struct iau_vm *vm, u64 va, u64 size)
{
	u64 end = va + size;

	mutex_lock(&vm->pt_lock);
	while (vm->root && va < end) {
		struct iau_table *t = middle(vm->root, va);
		unsigned int i = index_of(va, 1);
		u64 next = min(end, ALIGN(va + 1, SZ_2M));

		if (!t || !t->sub[i]) {
			va = next;
			continue;
		}
		if (is_big(t, i)) {
			if (next - va == SZ_2M)
				set(t, i, t->sub[i]->dma | IAU_PTE_V);
			else
				split(t, i);
		}
		for (; va < next; va += PAGE_BYTES)
			set(t->sub[i], index_of(va, 0), 0);
	}
	mutex_unlock(&vm->pt_lock);
}
