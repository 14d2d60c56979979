/* SPDX-License-Identifier: MIT */
/* Divided slabs: of a slab that sparse attention chooses from, each page is in device memory or cold. */
#ifndef IAU_RUNTIME_KV_PAGES_H
#define IAU_RUNTIME_KV_PAGES_H

#include "runtime/kv_pool.h"

#define KV_PAGE UINT64_C(4096)

/* Pages of a layer of a slab */
struct kv_run {
	uint32_t layer, first, n;
};

/* A slab that is in device memory or cold as a whole gets divided; no page moves. -ENOMEM */
int kv_pages_divide(struct kv_pool *pool, struct kv_slab *slab);
/* The other way: all pages come, and stay together. Errors as of kv_pages_promote() */
int kv_pages_join(struct kv_pool *pool, struct kv_slab *slab);
/* Nobody has a divided slab any more: its pages give their memory back, and it its place. */
void kv_pages_drop(struct kv_pool *pool, struct kv_slab *slab);

/* Pages that block I of a layer lies in, with parts of its neighbours; all of a layer */
struct kv_run kv_pages_of(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer, uint32_t i);
struct kv_run kv_pages_all(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer);

/* Those of a run that are cold come; all are used now. -ENOSPC: the limit, with what else is used now; -ENOMEM */
int kv_pages_promote(struct kv_pool *pool, struct kv_slab *slab, struct kv_run run);
/* When the page was used that is here and was unused the longest; UINT64_MAX: none is here */
uint64_t kv_pages_oldest(const struct kv_pool *pool);
/* Pages here that were last used at STAMP go, until BYTES are free or there are no more of them. */
int kv_pages_demote(struct kv_pool *pool, uint64_t stamp, uint64_t bytes);
/* What a layer of a divided slab has, to TO, in whole pages */
void kv_pages_copy(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer, uint8_t *to);

#endif
