// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the device: three levels of 512 little-endian entries. Tables are allocated ahead,
 * so that a mapping whose turn has come cannot fail; they stay until the address space goes.
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
	struct iau_table *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->entry = dma_alloc_coherent(dev, PAGE_BYTES, &t->dma, GFP_KERNEL);
	if (!leaf)
		t->sub = kvcalloc(ENTRIES, sizeof(*t->sub), GFP_KERNEL);
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

/* Makes the tables that map VA to VA + SIZE. */
int iau_pt_reserve(struct device *dev, struct iau_table *root, u64 va, u64 size)
{
	u64 end = va + size;

	for (; va < end; va = ALIGN(va + 1, BIT_ULL(shift_of(1)))) {
		struct iau_table *t = root;

		for (unsigned int level = LEVELS - 1; level; level--) {
			unsigned int i = index_of(va, level);

			if (!t->sub[i]) {
				struct iau_table *sub = table_create(dev, level == 1);

				if (!sub)
					return -ENOMEM;
				t->sub[i] = sub;
				/* the table is zeroed before the device can find it */
				dma_wmb();
				WRITE_ONCE(t->entry[i], cpu_to_le64(sub->dma | IAU_PTE_V));
			}
			t = t->sub[i];
		}
	}
	return 0;
}

static void set_entry(struct iau_table *root, u64 va, u64 value)
{
	struct iau_table *t = root->sub[index_of(va, 2)];

	t = t ? t->sub[index_of(va, 1)] : NULL;
	if (t)
		WRITE_ONCE(t->entry[index_of(va, 0)], cpu_to_le64(value));
}

/* Maps SIZE bytes of SGT from OFFSET on; the tables are there. */
void iau_pt_map(struct iau_table *root, u64 va, u64 size, struct sg_table *sgt, u64 offset, u64 flags)
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
		for (; offset < n && size; offset += PAGE_BYTES) {
			set_entry(root, va, (dma + offset) | flags | IAU_PTE_V);
			va += PAGE_BYTES;
			size -= PAGE_BYTES;
		}
		if (!size)
			return;
		offset = 0;
	}
}

void iau_pt_unmap(struct iau_table *root, u64 va, u64 size)
{
	for (u64 end = va + size; va < end; va += PAGE_BYTES)
		set_entry(root, va, 0);
}
