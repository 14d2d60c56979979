/* SPDX-License-Identifier: MIT */
/*
 * Memory of a model's KV caches. A slab holds so many tokens of all layers; sequences that begin alike share
 * theirs. It is of INT8 or packed, with keys or values in 4 bits, and lies in device memory or, cold, in the
 * host's, from where it comes back before it is attended to. A slab that is attended to in part may be divided:
 * each page of it is here or cold (kv_pages.h). When more device memory would be taken than the limit, what no
 * evaluation needs goes cold, that first which was unused the longest.
 */
#ifndef IAU_RUNTIME_KV_POOL_H
#define IAU_RUNTIME_KV_POOL_H

#include "iau/device.h"
#include "model/graph.h"
#include "runtime/kv_usage.h"

/* BYTES in whole pages */
static inline uint64_t iau_pages(uint64_t bytes)
{
	return (bytes + 4095) & ~UINT64_C(4095);
}

struct kv_arena;

enum kv_form { KV_INT8, KV_PACKED, KV_FORMS };

struct kv_page {
	uint64_t used; /* by the pool's clock; 0: not yet */
	bool is_here;  /* in device memory */
};

struct kv_slab {
	struct kv_slab *prev, *next; /* of the pool's */
	uint32_t refs;		     /* sequences that have it */
	uint32_t blocks;	     /* of 32 tokens that have memory */
	enum kv_form form;
	struct kv_arena *arena; /* in device memory: place INDEX there; else NULL */
	uint32_t index;
	uint8_t *cold;	      /* what each layer has, in whole pages, one after the other */
	bool is_mapped;	      /* ... of a file */
	struct kv_page *page; /* divided: those of all layers, at a place in device memory and in COLD; else NULL */
	uint64_t used;	      /* by the pool's clock */
};

struct kv_pool {
	struct iau_device *dev;
	struct iau_kv_layout form[KV_FORMS]; /* packed: block_bytes is 0 unless there are such slabs */
	uint32_t n_layer;
	struct kv_arena *arenas[KV_FORMS];
	struct kv_slab *slabs;
	struct iau_range *range;    /* one a layer */
	struct kv_usage usage;
	uint64_t clock;
	/* A slab is about to leave its place: no sequence shows it any more. */
	void (*leaves)(void *opaque, const struct kv_slab *slab);
	void *opaque;
};

int kv_pool_init(struct kv_pool *pool, struct iau_device *dev, const struct iau_kv_layout *kv,
		 uint32_t n_layer);
/* All slabs are gone. */
void kv_pool_free(struct kv_pool *pool);

/* Whether there are addresses for a slab more: -ENOMEM, which is better known before a sequence begins */
int kv_pool_check(struct kv_pool *pool);
/* A slab of one sequence, without blocks, in device memory or cold. -ENOMEM */
int kv_slab_create(struct kv_pool *pool, enum kv_form form, bool is_cold, struct kv_slab **out);
/* One sequence less has it; that one does not show it any more. */
void kv_slab_put(struct kv_pool *pool, struct kv_slab *slab);
/* Of a slab in device memory: the part of a buffer that it may take */
const struct iau_buffer *kv_slab_place(const struct kv_pool *pool, const struct kv_slab *slab,
				       struct iau_range *part);
/* What layer L of a slab that is not divided has, for the host to see */
uint8_t *kv_slab_ptr(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t l);
/* Bytes of a layer that has so many blocks, in whole pages */
uint64_t kv_layer_pages(const struct kv_pool *pool, enum kv_form form, uint32_t blocks);

/*
 * Device memory for BLOCKS blocks, more or less than there was. Slabs that are used now, by the pool's clock,
 * do not make room. -ENOMEM; -ENOSPC: the limit
 */
int kv_slab_resize(struct kv_pool *pool, struct kv_slab *slab, uint32_t blocks);
/* A slab that is cold or divided comes back as a whole. Errors as above; a divided one may then be so in part. */
int kv_slab_promote(struct kv_pool *pool, struct kv_slab *slab);
/* A place in device memory, without memory yet, and the end of that when it has none any more: -ENOMEM */
int kv_slab_enter(struct kv_pool *pool, struct kv_slab *slab);
void kv_slab_leave(struct kv_pool *pool, struct kv_slab *slab);
/* Host memory for a slab, of zeros that take none until they are written; what is cold there goes. NULL: none left */
uint8_t *kv_cold_alloc(const struct kv_pool *pool, const struct kv_slab *slab);
void kv_cold_free(struct kv_pool *pool, struct kv_slab *slab);
/* Device memory that a slab takes or gives back, in the figures */
void kv_count(struct kv_pool *pool, const struct kv_slab *slab, int64_t bytes);
/* What a slab with memory for so many blocks has, in whole pages */
uint64_t kv_slab_bytes(const struct kv_pool *pool, const struct kv_slab *slab);
/*
 * A slab of INT8 in device memory becomes a packed one: CONVERT writes it to PLACE, which has memory. Errors
 * as above and of CONVERT; the slab is then what it was.
 */
int kv_slab_pack(struct kv_pool *pool, struct kv_slab *slab,
		 int (*convert)(void *opaque, const struct kv_slab *place), void *opaque);
/* Room for BYTES of device memory more, by demotion if need be: -ENOSPC, -ENOMEM of the host */
int kv_pool_room(struct kv_pool *pool, uint64_t bytes);

#endif
