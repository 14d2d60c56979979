// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a KV buffer's pages. Pages are the driver's own, for a page of the buffer's file costs
 * four times as much to get and to give back, and a sequence that grows does little else. Where the
 * kernel wants them back the file gets a copy, which goes to swap as any file's (TTM's buffers do
 * the same).
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>

#include <drm/drm_gem.h>

#include "iau_drv.h"
#include "iau_kv.h"

#define PAGE_GFP	(GFP_HIGHUSER | __GFP_NOWARN)

static void set_page(struct iau_kv *kv, pgoff_t i, struct page *page)
{
	mutex_lock(&kv->vm->pt_lock);
	iau_kv_chunk(kv, i)->page[i % CHUNK_PAGES] = page;
	mutex_unlock(&kv->vm->pt_lock);
}

static void drop_copy(struct drm_gem_object *obj, pgoff_t i)
{
	loff_t at = (loff_t)i << PAGE_SHIFT;

	shmem_truncate_range(file_inode(obj->filp), at, at + PAGE_SIZE - 1);
	clear_bit(i % CHUNK_PAGES, iau_kv_chunk(iau_kv_of(obj), i)->copied);
}

static int read_copy(struct drm_gem_object *obj, pgoff_t i, struct page *page)
{
	struct page *from = shmem_read_mapping_page(obj->filp->f_mapping, i);

	if (IS_ERR(from))
		return PTR_ERR(from);
	copy_highpage(page, from);
	put_page(from);
	drop_copy(obj, i);
	return 0;
}

/* Page I has memory, with what it held before it was taken back, if it was; else zeros. */
int iau_kv_page_get(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	bool copied = test_bit(i % CHUNK_PAGES, iau_kv_chunk(kv, i)->copied);
	struct page *page;
	int err;

	if (iau_kv_page(kv, i))
		return 0;
	page = alloc_page(PAGE_GFP | __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL |
			  (copied ? 0 : __GFP_ZERO));
	if (!page)
		return -ENOMEM;
	err = copied ? read_copy(obj, i, page) : 0;
	if (err)
		put_page(page);
	else
		set_page(kv, i, page);
	return err;
}

/* The device may be given page I, which has memory. */
int iau_kv_page_map(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	struct iau_kv_chunk *c = iau_kv_chunk(kv, i);
	dma_addr_t dma;

	if (test_bit(i % CHUNK_PAGES, c->mapped))
		return 0;
	dma = dma_map_page(obj->dev->dev, iau_kv_page(kv, i), 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(obj->dev->dev, dma))
		return -ENOMEM;
	mutex_lock(&kv->vm->pt_lock);
	c->dma[i % CHUNK_PAGES] = dma;
	set_bit(i % CHUNK_PAGES, c->mapped);
	mutex_unlock(&kv->vm->pt_lock);
	return 0;
}

/* No page table has it any more. */
void iau_kv_page_unmap(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	struct iau_kv_chunk *c = iau_kv_chunk(kv, i);

	if (!test_bit(i % CHUNK_PAGES, c->mapped))
		return;
	mutex_lock(&kv->vm->pt_lock);
	clear_bit(i % CHUNK_PAGES, c->mapped);
	mutex_unlock(&kv->vm->pt_lock);
	dma_unmap_page(obj->dev->dev, c->dma[i % CHUNK_PAGES], PAGE_SIZE, DMA_BIDIRECTIONAL);
}

/* Neither device nor client have it any more, nor what it held. */
void iau_kv_page_free(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	struct page *page = iau_kv_page(kv, i);

	if (page) {
		iau_kv_page_unmap(obj, i);
		set_page(kv, i, NULL);
		put_page(page);
	}
	if (test_bit(i % CHUNK_PAGES, iau_kv_chunk(kv, i)->copied))
		drop_copy(obj, i);
}

static struct page *page_of_file(struct drm_gem_object *obj, pgoff_t i)
{
	struct mem_cgroup *others;
	struct page *page;

	/* the copy belongs to whom the page did, whoever it is that wants memory */
	others = set_active_memcg(iau_kv_of(obj)->memcg);
	page = shmem_read_mapping_page_gfp(obj->filp->f_mapping, i, PAGE_GFP | __GFP_NORETRY);
	set_active_memcg(others);
	return page;
}

/*
 * Gives the memory of page I back; the file keeps what it held. Nobody has it mapped any more, but
 * somebody may be reading or writing it by its address, and keeps it then. Called where memory is
 * short: no more than a page is needed at a time, and the one for it is given back.
 */
bool iau_kv_page_save(struct drm_gem_object *obj, pgoff_t i)
{
	struct iau_kv *kv = iau_kv_of(obj);
	struct page *page = iau_kv_page(kv, i), *copy;

	if (page_count(page) > 1)
		return false;
	copy = page_of_file(obj, i);
	if (IS_ERR(copy))
		return false;
	iau_kv_page_unmap(obj, i);
	copy_highpage(copy, page);
	set_page_dirty(copy);
	put_page(copy);
	set_bit(i % CHUNK_PAGES, iau_kv_chunk(kv, i)->copied);
	set_page(kv, i, NULL);
	put_page(page);
	return true;
}
