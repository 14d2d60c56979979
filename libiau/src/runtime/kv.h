/* SPDX-License-Identifier: MIT */
/*
 * A sequence's KV cache: slabs of the model's pool, seen one after the other at addresses of its own, those of
 * INT8 in a first part of them, packed ones in a second.
 */
#ifndef IAU_RUNTIME_KV_H
#define IAU_RUNTIME_KV_H

#include "runtime/kv_pool.h"

struct iau_session;

struct kv_cache {
	struct iau_view view;
	struct kv_slab **slab;
	bool *shown; /* of each slab, whether the view shows it */
	uint32_t n;
	uint32_t divided; /* the first slabs that need not be here as wholes: see kv_cold.c */
	struct iau_buffer table; /* where blocks are, if some may be packed: see struct iau_graph_config */
	struct iau_graph pack;	 /* built when first needed */
};

/* Addresses for the longest sequence. -ENOTSUP: it takes more than 4 GiB; -ENOMEM */
int iau_kv_create(struct iau_session *s);
void iau_kv_free(struct iau_session *s);
/*
 * Before so many sequences are evaluated by one job: all slabs of theirs are in device memory but those that may be
 * divided, and there is some for ROWS more tokens of each, which no other sequence sees. Nothing is copied as a
 * sequence grows, but for the rest of a shared slab when it first does.
 */
int iau_kv_prepare(struct iau_session *const *s, uint32_t n, uint32_t rows);
/* Slab I is seen, and is in device memory as a whole until it is let go, with what hold() said it was USED. */
int iau_kv_hold(struct iau_session *s, uint32_t i, uint64_t *used);
int iau_kv_let_go(struct iau_session *s, uint32_t i, uint64_t used);

/*
 * Whether S, which is to grow by ROWS tokens with a choice of blocks, has to do with a part of its slabs in device
 * memory. If so those are divided from here on that lie before all that is attended to in any case; else none are.
 */
bool iau_kv_divide(struct iau_session *s, uint32_t rows, const struct iau_sparse *choice);
/* The evaluation then, in parts, with a job's registers. -ENOSPC: not even what one layer attends to has room */
int iau_kv_run_parts(struct iau_session *s, uint32_t rows, enum iau_graph_logits logits, const uint32_t *param);
void iau_kv_free_parts(struct iau_session *s);
/* What is behind the first TOKENS tokens is given back. */
int iau_kv_shrink(struct iau_session *s, uint32_t tokens);
/* TO, which is empty, gets the slabs of FROM that the first TOKENS tokens lie in. */
void iau_kv_share(const struct iau_session *from, uint32_t tokens, struct iau_session *to);
/* Slab I, which is SLAB or will be, is seen at its place, or of a form no more. */
int iau_kv_show(struct iau_session *s, uint32_t i, const struct kv_slab *slab);
void iau_kv_hide(struct iau_session *s, uint32_t i, enum kv_form form);
/* Slabs that are old enough get packed, and the table is what it should be. All are in device memory. */
int iau_kv_pack(struct iau_session *s);
/* Tokens that S may grow by before one more slab gets packed */
uint32_t iau_kv_until_packed(const struct iau_session *s);
/* The first so many blocks of layer L of a slab of either form in INT8, as attention sees them, to TO */
void iau_kv_unpack(const struct iau_session *s, const struct kv_slab *slab, uint32_t l, uint32_t blocks,
		   uint8_t *to);
/* The slabs that so many tokens take */
uint32_t iau_kv_slabs(const struct iau_kv_layout *kv, uint32_t tokens);
/* For the pool: OPAQUE is the model */
void iau_kv_leaves(void *opaque, const struct kv_slab *slab);

#endif
