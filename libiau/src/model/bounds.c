/* SPDX-License-Identifier: MIT */
/*
 * Bounds of keys (Tang et al. 2024, "Quest"): the greatest and the least of each channel over a block, so
 * that q . k of none of its keys is more than the sum of q_i * (q_i > 0 ? greatest_i : least_i).
 *
 * A product with the identity turns a block's tile of keys into rows that are channels, to the bit: its
 * values times their scales. Rotated keys (rotation.c) are rotated back by the Hadamard matrix in its place, and
 * queries choose by what they were before their own rotation. What is stored is
 *
 *	y = max(amax * (1 + 2^-9), 128 * 2^-14)      scale = fp16(y / 127)
 *	greatest = round(max * 127 / y + 0.5 + 9/128), and so the least, mirrored
 *
 * Rounding the scale may make it smaller by 2^-11, a bound of 127 by 0.062; 9/128 is more than that and
 * all rounding of fp32, here and in the scores, together. So a score of bounds is never below one of
 * keys, of rotated ones by queries that were not rounded to INT8 once more. The first factor keeps the greatest at 127, the least scale keeps fp16 normal.
 */
#include "model/attention.h"
#include "model/rotation.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_BLOCKS 32u
#define OUTWARD (0.5f + 9.0f / 128)

/* Registers; BLOCK: where it lies, or where its entry of the table does */
enum { BOUND_BLOCK, BOUND_TILE, BOUND_SCALE };

struct iau_bounds_layout iau_bounds_layout(const struct iau_hparams *hp, uint32_t per_block)
{
	struct iau_bounds_layout y = { .per_block = per_block,
				       .head_bytes = per_block * hp->head_dim * 2 * GROUP_BLOCKS,
				       .scale_bytes = per_block * hp->head_dim * 2 };

	y.layer_bytes = hp->n_head_kv * (y.head_bytes + y.scale_bytes);
	y.group_bytes = y.layer_bytes * hp->n_layer;
	return y;
}

uint64_t iau_bounds_bytes(const struct iau_bounds_layout *y, uint32_t tokens)
{
	uint32_t per = GROUP_BLOCKS * 32;

	return (uint64_t)y->group_bytes * ((tokens + per - 1) / per);
}

void iau_bounds_params(const struct iau_graph_config *cfg, uint32_t block, uint32_t *param)
{
	uint32_t group = block / GROUP_BLOCKS * cfg->bounds.group_bytes, row = block % GROUP_BLOCKS;

	param[BOUND_BLOCK] = cfg->packed.block_bytes ? block * 4 : iau_kv_block_at(&cfg->kv, block);
	param[BOUND_TILE] = group + row * 32;
	param[BOUND_SCALE] = group + row * 2;
}

/* Vector scratchpad: what all use, and what the heads use in turns; a block's or one of its halves */
struct turn {
	uint32_t keys, scales, tokens, turned, extremes, amax, y, inv;
};

struct bounds_builder {
	const struct iau_graph_config *cfg;
	struct iau_cmdbuf cb;
	uint32_t vsp, zero, identity, hadamard, factors, tiles[2], scales[2], unused, table;
	struct turn turn[2];
};

static uint32_t take(struct bounds_builder *b, uint32_t bytes)
{
	uint32_t at = b->vsp;

	b->vsp += vsp_round(bytes);
	return at;
}

/* The identity is the difference of two triangles: exp2 of 0, and of -inf from the limit on. */
static void emit_identity(struct bounds_builder *b)
{
	uint32_t wide = take(b, 32 * 128), narrow = take(b, 32 * 128);
	struct iau_vec v = { .rows = 32, .cols = 32, .a = b->zero, .mask = true, .mask_step = true,
			     .sfu = VEC_EXP2, .out = VEC_F32, .d_stride = 128 };

	v.limit = 1, v.d = wide;
	iau_cmd_vec(&b->cb, v);
	v.limit = 0, v.d = narrow;
	iau_cmd_vec(&b->cb, v);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 32, .cols = 32, .a = wide, .a_stride = 128,
					      .a1 = VEC_A_B, .negate = true, .b = narrow,
					      .b_stride = 128, .out = VEC_I8, .d = b->identity,
					      .d_stride = 32, .d_block = 32 });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = 32, .a = b->zero, .sfu = VEC_EXP2,
					      .out = VEC_F32, .d = b->factors });
}

static void emit_hadamard(struct bounds_builder *b)
{
	const struct iau_hparams *hp = b->cfg->hp;
	uint32_t n = iau_hadamard_tiles(hp);

	iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->cfg->w->hadamard_va + n * HADAMARD_INT4, .addr = b->hadamard,
						.row_bytes = n * HADAMARD_INT8, .rows = 1 });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = hp->head_dim / 32, .cols = 32, .a = b->zero, .a1 = VEC_A_IMM,
					      .imm1 = ROTATED_QUERY, .out = VEC_F32, .d = b->factors,
					      .d_stride = 128 });
}

static void load_keys(struct bounds_builder *b, uint32_t l, uint32_t head, uint32_t at)
{
	const struct iau_kv_layout *kv = &b->cfg->kv, *packed = &b->cfg->packed;
	struct head_va va = head_va(b->cfg, l, head);
	struct iau_copy copy[3] = {
		{ .va = va.kv, .addr = at, .row_bytes = kv->key_bytes, .rows = 1,
		  .unpack = iau_kv_key_bits(kv, packed) == 4,
		  .delta = va.packed.keys },
		{ .va = va.kscale, .addr = at + kv->key_bytes, .row_bytes = kv->kscale_bytes, .rows = 1,
		  .delta = va.packed.kscale },
	};

	/* once more, so that the scales of the second half lie as those of a tile do */
	copy[2] = copy[1];
	copy[2].addr += kv->kscale_bytes + 32;
	for (unsigned int i = 0; i < 1 + b->cfg->bounds.per_block; i++) {
		copy[i].by_list = packed->block_bytes;
		copy[i].list = b->table;
		iau_cmd_patch(iau_cmd_load(&b->cb, copy[i]), copy[i].by_list ? 8 : 2, BOUND_BLOCK);
	}
}

/* Rows that are channels; with the Hadamard matrix those that keys had before they were rotated */
static void emit_channels(struct bounds_builder *b, const struct turn *t)
{
	uint32_t n = b->cfg->hp->head_dim / 32;
	struct iau_matmul mm = { .m = 32, .pitch = 32, .nt = n, .kb = 1, .a = b->identity, .as = b->factors,
				 .w = t->keys, .w_n = 16, .ws = t->scales, .ws_n = 1, .d = t->turned,
				 .d_stride = n * 128 };

	if (!iau_keys_rotated(b->cfg)) {
		iau_cmd_matmul(&b->cb, mm);
		return;
	}
	mm.nt = 1, mm.kb = n, mm.w_k = mm.w_n, mm.ws_k = mm.ws_n;
	for (uint32_t i = 0; i < n; i++, mm.d += 128) {
		mm.a = b->hadamard + i * HADAMARD_INT8;
		iau_cmd_matmul(&b->cb, mm);
	}
}

/* Of each tile the greatest of its 32 channels and, negated, the least, over the first tokens of the turn's */
static void emit_extremes(struct bounds_builder *b, const struct turn *t)
{
	uint32_t n = b->cfg->hp->head_dim / 32;

	emit_channels(b, t);
	for (uint32_t i = 0; i < n; i++) {
		struct iau_vec v = { .rows = 32, .cols = t->tokens, .a = t->turned + i * 128,
				     .a_stride = n * 128, .red = VEC_MAXABS, .max = true,
				     .r = t->extremes + i * 256 };

		iau_cmd_vec(&b->cb, v);
		v.m1 = VEC_M_IMM, v.imm0 = -1.0f, v.r += 128;
		iau_cmd_vec(&b->cb, v);
	}
}

static void emit_bounds(struct bounds_builder *b, const struct turn *t, uint32_t tiles, uint32_t scales)
{
	uint32_t n = b->cfg->hp->head_dim / 32;
	struct iau_vec v = { .rows = n, .cols = 32, .a = t->extremes, .a_stride = 256, .m1 = VEC_M_S,
			     .s = t->inv, .a1 = VEC_A_IMM, .imm1 = OUTWARD, .out = VEC_I8, .d = tiles,
			     .d_stride = 32, .d_block = 32 };

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = n, .cols = 64, .a = t->extremes, .a_stride = 256,
					      .red = VEC_MAXABS, .r = t->amax });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = n, .a = t->amax, .m1 = VEC_M_IMM,
					      .imm0 = 1.0f + 1.0f / 512, .a1 = VEC_A_IMM,
					      .imm1 = 128.0f / 16384, .at_least = true, .out = VEC_F32,
					      .d = t->y });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = n, .a = t->y, .sfu = VEC_RECIP,
					      .m2 = VEC_M_IMM, .imm0 = 127.0f, .out = VEC_F32,
					      .d = t->inv });
	iau_cmd_vec(&b->cb, v);
	v.a += 128, v.m2 = VEC_M_IMM, v.imm0 = -1.0f, v.d += n * 32;
	iau_cmd_vec(&b->cb, v);
	/* a block whose greatest value is y has the scale y / 127 */
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = n, .cols = 1, .a = b->zero, .a1 = VEC_A_S,
					      .s = t->y, .out = VEC_Q8_F16, .d = b->unused,
					      .d_stride = 32, .d_block = 32, .sc = scales,
					      .sc_row = 2, .sc_block = 2 });
}

static void store_bounds(struct bounds_builder *b, uint32_t l, uint32_t tiles, uint32_t scales)
{
	const struct iau_bounds_layout *y = &b->cfg->bounds;
	uint32_t n_kv = b->cfg->hp->n_head_kv, n = b->cfg->hp->head_dim / 32;
	uint64_t va = y->va + (uint64_t)l * y->layer_bytes;

	iau_cmd_patch(iau_cmd_store(&b->cb, (struct iau_copy){ .va = va, .addr = tiles, .row_bytes = 32,
							       .rows = y->per_block * 2 * n * n_kv,
							       .mem_stride = 1024,
							       .stride = 32 }), 2, BOUND_TILE);
	iau_cmd_patch(iau_cmd_store(&b->cb, (struct iau_copy){ .va = va + n_kv * y->head_bytes,
							       .addr = scales, .row_bytes = 2,
							       .rows = y->per_block * n * n_kv, .mem_stride = 64,
							       .stride = 2 }), 2, BOUND_SCALE);
}

/* Keys of the next heads are asked for ahead. */
#define AHEAD 4u

static uint32_t keys_at(uint32_t i)
{
	return IAU_TSP_BASE + i % (AHEAD + 2) * 3 * IAU_TSP_GRANULE;
}

/* Of KV head HEAD, whose keys are at KEYS: of the whole block, or of each half; TILES and SCALES are the layer's. */
static void emit_head(struct bounds_builder *b, uint32_t head, uint32_t keys, uint32_t tiles, uint32_t scales)
{
	uint32_t hd = b->cfg->hp->head_dim, per = b->cfg->bounds.per_block;

	for (uint32_t i = 0; i < per; i++) {
		struct turn *t = &b->turn[(head * per + i) & 1];

		t->tokens = 32 / per;
		t->keys = keys + i * 512;
		t->scales = keys + hd * 32 + i * (hd * 2 + 64);
		emit_extremes(b, t);
		emit_bounds(b, t, tiles + (head * per + i) * hd * 2, scales + (head * per + i) * hd / 16);
	}
}

static void emit_block(struct bounds_builder *b)
{
	const struct iau_hparams *hp = b->cfg->hp;
	uint32_t n_kv = hp->n_head_kv, total = hp->n_layer * n_kv, per = b->cfg->bounds.per_block;

	b->zero = take(b, 128);
	b->identity = take(b, 1024);
	b->hadamard = take(b, iau_hadamard_tiles(hp) * HADAMARD_INT8);
	b->factors = take(b, hp->head_dim * 4);
	b->unused = take(b, 32 * hp->head_dim / 32);
	for (unsigned int i = 0; i < 2; i++) {
		b->tiles[i] = take(b, n_kv * per * hp->head_dim * 2);
		b->scales[i] = take(b, n_kv * per * hp->head_dim / 16);
		b->turn[i] = (struct turn){ 0, 0, 0, take(b, hp->head_dim * 128), take(b, hp->head_dim * 8),
					    take(b, 128), take(b, 128), take(b, 128) };
	}
	if (b->cfg->packed.block_bytes) {
		b->table = take(b, b->cfg->kv.n_ctx / 8);
		iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->cfg->table_va, .addr = b->table,
							.row_bytes = b->cfg->kv.n_ctx / 8, .rows = 1 });
	}
	for (uint32_t i = 0; i < AHEAD && i < total; i++)
		load_keys(b, i / n_kv, i % n_kv, keys_at(i));
	(iau_keys_rotated(b->cfg) ? emit_hadamard : emit_identity)(b);
	for (uint32_t i = 0; i < total; i++) {
		uint32_t l = i / n_kv, head = i % n_kv;

		if (i + AHEAD < total)
			load_keys(b, (i + AHEAD) / n_kv, (i + AHEAD) % n_kv, keys_at(i + AHEAD));
		emit_head(b, head, keys_at(i), b->tiles[l & 1], b->scales[l & 1]);
		if (head + 1 == n_kv)
			store_bounds(b, l, b->tiles[l & 1], b->scales[l & 1]);
	}
	iau_cmd_end(&b->cb);
}

int iau_bounds_build(struct iau_device *dev, const struct iau_graph_config *cfg, struct iau_graph *out)
{
	struct bounds_builder b = { .cfg = cfg };

	b.cb.label = IAU_LABEL(0, OP_BLOCK_CHOICE);
	emit_block(&b);
	return iau_graph_finish(dev, &b.cb, 32, out);
}
