/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a KV buffer. Its lock is held by whoever changes them. */
#ifndef IAU_KV_H
#define IAU_KV_H

#include "iau_drv.h"

#define CHUNK_PAGES	512

/**
 * struct iau_kv_chunk - where the memory of some pages is
 * @page: theirs, or NULL: not committed, or taken back
 * @dma: of those that are in @mapped
 * @want: they were committed
 * @mapped: the device may be given them
 * @copied: the file has what they held
 */
struct iau_kv_chunk {
	struct page *page[CHUNK_PAGES];
	dma_addr_t dma[CHUNK_PAGES];
	DECLARE_BITMAP(want, CHUNK_PAGES);
	DECLARE_BITMAP(mapped, CHUNK_PAGES);
	DECLARE_BITMAP(copied, CHUNK_PAGES);
};

static inline struct iau_kv_chunk *iau_kv_chunk(struct iau_kv *kv, pgoff_t i)
{
	return kv->chunk[i / CHUNK_PAGES];
}

static inline struct page *iau_kv_page(struct iau_kv *kv, pgoff_t i)
{
	struct iau_kv_chunk *c = iau_kv_chunk(kv, i);

	return c ? c->page[i % CHUNK_PAGES] : NULL;
}

int iau_kv_page_get(struct drm_gem_object *obj, pgoff_t i);
int iau_kv_page_map(struct drm_gem_object *obj, pgoff_t i);
void iau_kv_page_unmap(struct drm_gem_object *obj, pgoff_t i);
void iau_kv_page_free(struct drm_gem_object *obj, pgoff_t i);
bool iau_kv_page_save(struct drm_gem_object *obj, pgoff_t i);

#endif
