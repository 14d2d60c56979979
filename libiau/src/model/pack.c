/* SPDX-License-Identifier: MIT */
/*
 * Keys or values of a slab in 4 bits. Of an INT8 v the upper four bits are
 *
 *	h = floor(v / 16) = round((v - 7.5) / 16)
 *
 * which has no ties, and two of them are a byte: 16 h' + h + 8 is one of INT8, too. So the vector unit packs
 * without operations on bits, and exactly. Read back, v is 16 h + 8, which is at most 8 steps of the scale off.
 */
#include "model/attention.h"
#include "base/error.h"

/* Registers */
enum { PACK_FROM, PACK_TO };

/* A block at a time, two in turns */
struct pack_builder {
	const struct iau_graph_config *cfg;
	struct iau_cmdbuf cb;
	uint32_t in[2], half[2], low[2], out[2];
};

void iau_pack_params(const struct iau_graph_config *cfg, uint32_t slab, uint32_t *param)
{
	param[PACK_FROM] = slab * cfg->kv.slab_bytes;
	param[PACK_TO] = slab * cfg->packed.slab_bytes;
}

/* N bytes of INT8 at FROM as half as many at TO */
static void emit_halves(struct pack_builder *b, uint32_t turn, uint32_t from, uint32_t n, uint32_t to)
{
	uint32_t half = b->half[turn], low = b->low[turn], rows = n / 128;

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = n, .a_i8 = 1, .a = from, .m1 = VEC_M_IMM,
					      .imm0 = 1.0f / 16, .a1 = VEC_A_IMM, .imm1 = -7.5f / 16,
					      .out = VEC_I8, .d = half, .d_block = 32 });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = rows, .cols = 64, .a_i8 = 1, .a = half, .a_stride = 128,
					      .a1 = VEC_A_IMM, .imm1 = 8, .out = VEC_F32, .d = low,
					      .d_stride = 256 });
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = rows, .cols = 64, .a_i8 = 1, .a = half + 64,
					      .a_stride = 128, .m1 = VEC_M_IMM, .imm0 = 16, .a1 = VEC_A_B,
					      .b = low, .b_stride = 256, .out = VEC_I8, .d = to,
					      .d_stride = 64, .d_block = 32 });
}

static void store(struct pack_builder *b, struct iau_copy copy)
{
	iau_cmd_patch(iau_cmd_store(&b->cb, copy), 2, PACK_TO);
}

/* A part of every head, KEYS or values, from the tiles at IN to memory at VA */
static void emit_part(struct pack_builder *b, uint32_t turn, uint64_t va, bool keys)
{
	const struct iau_kv_layout *kv = &b->cfg->kv, *packed = &b->cfg->packed;
	uint32_t n_kv = b->cfg->hp->n_head_kv, from = keys ? 0 : kv->key_bytes;
	uint32_t bytes = keys ? packed->key_bytes : packed->head_bytes - packed->key_bytes;
	uint32_t src = b->in[turn] + from, stride = kv->head_bytes;

	va += keys ? 0 : packed->key_bytes;
	if (bytes < kv->key_bytes) {
		uint32_t to = b->out[turn] + (keys ? 0 : n_kv * bytes);

		for (uint32_t g = 0; g < n_kv; g++)
			emit_halves(b, turn, src + g * kv->head_bytes, kv->key_bytes, to + g * bytes);
		src = to;
		stride = bytes;
	}
	store(b, (struct iau_copy){ .va = va, .addr = src, .row_bytes = bytes, .rows = n_kv,
				    .mem_stride = packed->head_bytes, .stride = stride });
}

static void load_block(struct pack_builder *b, uint32_t i)
{
	const struct iau_kv_layout *kv = &b->cfg->kv;
	uint32_t l = i / kv->slab_blocks, j = i % kv->slab_blocks;

	if (l == b->cfg->hp->n_layer)
		return;
	iau_cmd_patch(iau_cmd_load(&b->cb, (struct iau_copy){ .va = kv->va + l * kv->layer_bytes +
								    j * kv->block_bytes,
							      .addr = b->in[i % 2],
							      .row_bytes = kv->block_bytes, .rows = 1 }),
		      2, PACK_FROM);
}

/* Block I of all layers; the one after it comes meanwhile. Scales of keys and values lie side by side. */
static void emit_block(struct pack_builder *b, uint32_t i)
{
	const struct iau_kv_layout *kv = &b->cfg->kv, *packed = &b->cfg->packed;
	uint64_t va = packed->va + i / kv->slab_blocks * packed->layer_bytes +
		      i % kv->slab_blocks * packed->block_bytes;

	load_block(b, i + 1);
	emit_part(b, i % 2, va, true);
	emit_part(b, i % 2, va, false);
	store(b, (struct iau_copy){ .va = va + packed->kscale_at, .addr = b->in[i % 2] + kv->kscale_at,
				    .row_bytes = kv->block_bytes - kv->kscale_at, .rows = 1 });
}

int iau_pack_build(struct iau_device *dev, const struct iau_graph_config *cfg, struct iau_graph *out)
{
	const struct iau_kv_layout *kv = &cfg->kv;
	struct pack_builder b = { .cfg = cfg };
	uint32_t at = 0;

	for (unsigned int i = 0; i < 2; i++) {
		b.in[i] = at;
		b.half[i] = b.in[i] + vsp_round(kv->block_bytes);
		b.low[i] = b.half[i] + vsp_round(kv->key_bytes);
		b.out[i] = b.low[i] + vsp_round(2 * kv->key_bytes);
		at = b.out[i] + vsp_round(cfg->packed.kscale_at);
	}
	b.cb.label = IAU_LABEL(0, OP_KV_CACHE);
	if (at > cfg->vsp_bytes) {
		return iau_error(-ENOSPC, "packing a block of keys and values needs %u bytes of vector "
				 "scratchpad, it has %u", at, cfg->vsp_bytes);
	}
	load_block(&b, 0);
	for (uint32_t i = 0; i < cfg->hp->n_layer * kv->slab_blocks; i++)
		emit_block(&b, i);
	iau_cmd_end(&b.cb);
	return iau_graph_finish(dev, &b.cb, 32, out);
}
