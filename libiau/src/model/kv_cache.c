/* SPDX-License-Identifier: MIT */
/*
 * The KV cache as the graph sees it: chunks of it come into the tile scratchpad ahead of their use, the
 * newest one while it lacks the new tokens. Those are copied into it from the vector scratchpad, so that
 * nothing waits for their way through memory.
 */
#include "model/attention.h"

/* What follows from the bytes of keys and values */
static void fill_layout(const struct iau_hparams *hp, struct iau_kv_layout *kv)
{
	kv->kscale_bytes = hp->head_dim * 2;
	kv->kscale_at = kv->head_bytes * hp->n_head_kv;
	kv->vscale_at = kv->kscale_at + kv->kscale_bytes * hp->n_head_kv;
	kv->block_bytes = kv->vscale_at + 32 * 4 * hp->n_head_kv;
}

struct iau_kv_layout iau_kv_layout(const struct iau_hparams *hp, uint32_t n_ctx)
{
	struct iau_kv_layout kv = { .n_ctx = (n_ctx + 31) & ~31u };

	kv.chunk_blocks = 512 / hp->head_dim;
	kv.key_bytes = hp->head_dim * 32;
	kv.head_bytes = 2 * kv.key_bytes;
	fill_layout(hp, &kv);
	kv.slab_blocks = kv.chunk_blocks;
	while (kv.slab_blocks * kv.block_bytes % 4096)
		kv.slab_blocks *= 2;
	kv.layer_bytes = kv.slab_blocks * kv.block_bytes;
	kv.slab_bytes = kv.layer_bytes * hp->n_layer;
	return kv;
}

struct iau_kv_layout iau_kv_layout_packed(const struct iau_hparams *hp, const struct iau_kv_layout *kv,
					  uint32_t key_bits, uint32_t value_bits)
{
	struct iau_kv_layout packed = *kv;

	packed.key_bytes = hp->head_dim * 4 * key_bits;
	packed.head_bytes = packed.key_bytes + hp->head_dim * 4 * value_bits;
	fill_layout(hp, &packed);
	packed.layer_bytes = (packed.slab_blocks * packed.block_bytes + 4095) & ~4095u;
	packed.slab_bytes = packed.layer_bytes * hp->n_layer;
	return packed;
}

uint16_t iau_kv_key_bits(const struct iau_kv_layout *kv, const struct iau_kv_layout *packed)
{
	return packed->block_bytes && packed->key_bytes < kv->key_bytes ? 4 : 8;
}

uint16_t iau_kv_value_bits(const struct iau_kv_layout *kv, const struct iau_kv_layout *packed)
{
	return packed->block_bytes && packed->head_bytes - packed->key_bytes < kv->key_bytes ? 4 : 8;
}

struct iau_kv_layout iau_kv_layout_batch(const struct iau_kv_layout *kv)
{
	struct iau_kv_layout batch = *kv;

	batch.va = 0;
	batch.chunk_blocks /= 2;
	return batch;
}

uint64_t iau_kv_bytes(const struct iau_kv_layout *kv)
{
	uint32_t blocks = kv->n_ctx / 32;

	return (uint64_t)kv->slab_bytes * ((blocks + kv->slab_blocks - 1) / kv->slab_blocks);
}

uint32_t iau_kv_block_at(const struct iau_kv_layout *kv, uint32_t block)
{
	return block / kv->slab_blocks * kv->slab_bytes + block % kv->slab_blocks * kv->block_bytes;
}

void iau_graph_params(const struct iau_hparams *hp, const struct iau_kv_layout *kv, uint32_t pos,
		      uint32_t rows, uint32_t *param)
{
	uint32_t row = pos % 32, block = iau_kv_block_at(kv, pos / 32), per = kv->chunk_blocks;
	uint32_t full = ((pos + rows + 31) / 32 - 1) / per;
	uint32_t first = full * per, nb = (pos + rows + 31) / 32 - first, at = pos / 32 - first;

	param[GRAPH_ROPE] = pos * hp->head_dim * 8;
	param[GRAPH_KV_AT] = block + row * 32;
	param[GRAPH_KS_AT] = block + row * 2;
	param[GRAPH_VS_AT] = block + row * 4;
	param[GRAPH_CHUNK] = iau_kv_block_at(kv, first);
	param[GRAPH_BLOCKS] = nb;
	param[GRAPH_COLS] = nb * 32 << 16;
	param[GRAPH_LIMIT] = pos + 1 - first * 32;
	param[GRAPH_NEW_KV] = at * kv->head_bytes + row * 32;
	param[GRAPH_NEW_KS] = at * kv->kscale_bytes + row * 2;
	param[GRAPH_NEW_VS] = (at * 32 + row) * 4;
	param[GRAPH_FULL] = full;
	param[GRAPH_KV_BYTES] = rows * 32;
	param[GRAPH_KS_BYTES] = rows * 2;
	param[GRAPH_VS_BYTES] = rows * 4;
}

void iau_batch_params(const struct iau_hparams *hp, const uint64_t *va, uint32_t n,
		      uint32_t (*at)[GRAPH_PARAMS])
{
	static const uint8_t addresses[] = { GRAPH_CHUNK, GRAPH_KV_AT, GRAPH_KS_AT, GRAPH_VS_AT, GRAPH_BASE };

	for (uint32_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(addresses); k++)
			at[i][addresses[k]] += (uint32_t)va[i];
		at[i][GRAPH_HI] = at[i][GRAPH_KV_HI] = (uint32_t)(va[i] >> 32);
	}
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *ahead = at[(i + batch_seqs_ahead(hp)) % n];

		at[i][GRAPH_AHEAD_CHUNK] = ahead[GRAPH_CHUNK];
		at[i][GRAPH_AHEAD_BLOCKS] = ahead[GRAPH_BLOCKS];
		at[i][GRAPH_AHEAD_HI] = ahead[GRAPH_HI];
	}
}

/* KV heads whose new keys and values have a place: one in turns, which are much longer than a STORE */
static uint32_t fresh_heads(const struct builder *b)
{
	return kv_through_memory(b) ? 1 : b->hp->n_head_kv;
}

uint32_t fresh_alloc(struct builder *b)
{
	return vsp_alloc(b, fresh_heads(b) * (hd_blocks(b) * (2 * tile_step(b) + KSCALE_STEP) + VSCALE_STEP));
}

struct fresh fresh_at(const struct builder *b, uint32_t head)
{
	uint32_t n = hd_blocks(b), heads = fresh_heads(b), at = head % heads, tiles = n * tile_step(b);
	uint32_t k = b->fresh + at * 2 * tiles, scales = b->fresh + heads * 2 * tiles;

	return (struct fresh){ .k = k, .v = k + tiles, .ks = scales + at * n * KSCALE_STEP,
			       .vs = scales + heads * n * KSCALE_STEP + at * VSCALE_STEP };
}

/* Parts of a head in a block of layer L of a layout whose first one lies at VA */
static struct head_va parts_at(const struct iau_kv_layout *kv, uint64_t va, uint32_t layer, uint32_t head)
{
	va += (uint64_t)layer * kv->layer_bytes;
	return (struct head_va){ .kv = va + head * kv->head_bytes,
				 .kscale = va + kv->kscale_at + head * kv->kscale_bytes,
				 .vscale = va + kv->vscale_at + head * 128 };
}

struct head_va head_va(const struct iau_graph_config *cfg, uint32_t layer, uint32_t head)
{
	const struct iau_kv_layout *kv = &cfg->kv, *packed = &cfg->packed;
	struct head_va va = parts_at(kv, kv->va, layer, head), p = parts_at(packed, kv->va, layer, head);

	va.packed.keys = (int32_t)(p.kv - va.kv);
	va.packed.values = (int32_t)(p.kv + packed->key_bytes - va.kv - kv->key_bytes);
	va.packed.kscale = (int32_t)(p.kscale - va.kscale);
	va.packed.vscale = (int32_t)(p.vscale - va.vscale);
	return va;
}

struct place place_at(const struct builder *b, uint32_t pass)
{
	uint32_t i = pass % b->kv_places, kv = b->kv_at + i * b->kv_bytes;

	return (struct place){ kv, kv + b->cfg->kv.chunk_blocks * b->cfg->kv.head_bytes, b->vscale[i] };
}

void load_chunk(struct builder *b, struct head_va va, struct place to, struct chunk_regs regs)
{
	const struct iau_kv_layout *kv = &b->cfg->kv;
	const struct { uint64_t va; uint32_t addr, bytes; } part[] = {
		{ va.kv, to.kv, kv->head_bytes },
		{ va.kscale, to.kscale, kv->kscale_bytes },
		{ va.vscale, to.vscale, 128 },
	};

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .va = part[i].va,
									.addr = part[i].addr,
									.row_bytes = part[i].bytes,
									.stride = part[i].bytes,
									.mem_stride = kv->block_bytes });

		patch_seq(b, cmd, 2, regs.at);
		patch_seq(b, cmd, 4, regs.blocks);
		if (b->seqs)
			patch_seq(b, cmd, 3, regs.hi);
	}
}

/* A chunk of blocks that are on LIST from register R_AT on. What lies side by side in either form comes in one row. */
static void load_blocks(struct builder *b, struct head_va va, uint32_t list, struct place to)
{
	const struct iau_kv_layout *kv = &b->cfg->kv, *packed = &b->cfg->packed;
	bool k4 = iau_kv_key_bits(kv, packed) == 4, v4 = iau_kv_value_bits(kv, packed) == 4, one = k4 == v4;
	struct iau_copy part[4] = {
		{ .va = va.kv, .addr = to.kv, .row_bytes = one ? kv->head_bytes : kv->key_bytes,
		  .stride = kv->head_bytes, .unpack = k4, .delta = va.packed.keys },
		{ .va = va.kscale, .addr = to.kscale, .row_bytes = kv->kscale_bytes,
		  .stride = kv->kscale_bytes, .delta = va.packed.kscale },
		{ .va = va.vscale, .addr = to.vscale, .row_bytes = 128, .stride = 128,
		  .delta = va.packed.vscale },
		{ .va = va.kv + kv->key_bytes, .addr = to.kv + kv->key_bytes, .row_bytes = kv->key_bytes,
		  .stride = kv->head_bytes, .unpack = v4, .delta = va.packed.values },
	};

	for (unsigned int i = 0; i < (one ? 3 : 4); i++) {
		uint32_t *cmd;

		part[i].by_list = true;
		part[i].list = list;
		part[i].rows = kv->chunk_blocks;
		cmd = iau_cmd_load(&b->cb, part[i]);
		patch_seq(b, cmd, 8, R_AT);
		if (b->seqs) {
			patch_seq(b, cmd, 2, GRAPH_BASE);
			patch_seq(b, cmd, 3, GRAPH_HI);
		}
	}
}

struct older all_older(const struct builder *b, uint32_t layer, uint32_t seq, uint32_t head)
{
	return (struct older){ .va = head_va(b->cfg, layer, head), .list = b->table + seq * table_bytes(b),
			       .layer = layer, .head = head };
}

void load_listed(struct builder *b, const struct older *o, struct place to, unsigned int left)
{
	uint32_t at = b->regs + R_AT;
	size_t none;

	left += b->regs;
	none = iau_cmd_branch_zero(&b->cb, left);
	iau_cmd_salu_imm(&b->cb, SALU_SUB, at, left, 1);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, at, at, b->cfg->kv.chunk_blocks * 4);
	load_blocks(b, o->va, o->list, to);
	iau_cmd_branch_here(&b->cb, none);
}

/* Chunks of a layer lie at equal distances in a slab, and slabs do, unless some are packed. */
void load_full(struct builder *b, const struct older *o, struct place to, unsigned int left)
{
	const struct iau_kv_layout *kv = &b->cfg->kv;
	uint32_t per = kv->slab_blocks / kv->chunk_blocks, chunk = kv->chunk_blocks * kv->block_bytes;
	uint32_t at = b->regs + R_AT, rows = b->regs + R_ROWS;

	if (is_packed(b)) {
		load_listed(b, o, to, left);
		return;
	}
	left += b->regs;
	iau_cmd_salu_imm(&b->cb, SALU_SUB, at, left, 1);
	if (per > 1) {
		iau_cmd_salu_imm(&b->cb, SALU_SHR, rows, at, (uint32_t)__builtin_ctz(per));
		iau_cmd_salu_imm(&b->cb, SALU_MUL, rows, rows, kv->slab_bytes - per * chunk);
		iau_cmd_salu_imm(&b->cb, SALU_MUL, at, at, chunk);
		iau_cmd_salu(&b->cb, SALU_ADD, at, at, rows);
	} else {
		iau_cmd_salu_imm(&b->cb, SALU_MUL, at, at, kv->slab_bytes);
	}
	if (b->seqs)
		iau_cmd_salu(&b->cb, SALU_ADD, at, at, b->regs + GRAPH_BASE);
	iau_cmd_salu_imm(&b->cb, SALU_MIN, rows, left, 1);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, rows, rows, kv->chunk_blocks);
	load_chunk(b, o->va, to, (struct chunk_regs){ R_AT, GRAPH_HI, R_ROWS });
}

void load_newest(struct builder *b, uint32_t pass, struct chunk_regs regs)
{
	uint32_t n_kv = b->hp->n_head_kv, layer = pass / (b->seqs ? b->seqs * n_kv : n_kv);
	uint16_t before = b->cb.label;

	if (layer >= b->attending)
		return;
	label(b, layer, OP_KV_CACHE);
	load_chunk(b, head_va(b->cfg, layer, pass % n_kv), place_at(b, pass), regs);
	b->cb.label = before;
}

/* The place is that of the pass three before. */
void emit_kv_prefetch(struct builder *b, uint32_t l, uint32_t g)
{
	if (kv_through_memory(b) && g >= b->hp->n_head_kv)
		return;
	load_newest(b, l * b->hp->n_head_kv + g, (struct chunk_regs){ GRAPH_CHUNK, GRAPH_HI, GRAPH_BLOCKS });
}

/* ROW_BYTES of a COPY or STORE of new tokens: those of one, or the register of that many */
static void patch_new_bytes(const struct builder *b, uint32_t *cmd, unsigned int reg)
{
	if (brings_many(b))
		iau_cmd_patch(cmd, 1, reg);
}

/* N pieces of a tile or of its scales, as many bytes as there are new tokens: of one BYTES */
struct insertion {
	uint32_t src, step, bytes, n, addr, stride;
	unsigned int at, n_bytes; /* registers: where in ADDR; bytes of many tokens */
};

static void insert(struct builder *b, struct insertion in)
{
	uint32_t *cmd = iau_cmd_copy(&b->cb, (struct iau_move){ .src = in.src, .src_stride = in.step,
								.row_bytes = brings_many(b) ? 0 : in.bytes,
								.rows = in.n, .addr = in.addr, .stride = in.stride });

	patch_seq(b, cmd, 6, in.at);
	patch_new_bytes(b, cmd, in.n_bytes);
}

static void insert_key_scales(struct builder *b, struct place at, const struct fresh *f, uint32_t row)
{
	insert(b, (struct insertion){ f->ks + row * 2, KSCALE_STEP, 2, hd_blocks(b), at.kscale, 64, GRAPH_NEW_KS,
				      GRAPH_KS_BYTES });
}

static void insert_value_scales(struct builder *b, struct place at, const struct fresh *f, uint32_t row)
{
	insert(b, (struct insertion){ f->vs + row * 4, 0, 4, 1, at.vscale, 0, GRAPH_NEW_VS, GRAPH_VS_BYTES });
}

/* N tiles from the I-th on, of keys, then of values */
static void insert_tiles(struct builder *b, struct place at, const struct fresh *f, uint32_t row, uint32_t i, uint32_t n)
{
	insert(b, (struct insertion){ f->k + i * tile_step(b) + row * 32, tile_step(b), 32, n, at.kv + i * 1024, 1024,
				      GRAPH_NEW_KV, GRAPH_KV_BYTES });
}

void insert_fresh(struct builder *b, struct place at, const struct fresh *f, uint32_t row)
{
	insert_tiles(b, at, f, row, 0, 2 * hd_blocks(b));
	insert_key_scales(b, at, f, row);
	insert_value_scales(b, at, f, row);
}

void insert_fresh_keys(struct builder *b, struct place at, const struct fresh *f)
{
	insert_tiles(b, at, f, 0, 0, hd_blocks(b));
	insert_key_scales(b, at, f, 0);
}

void insert_fresh_values(struct builder *b, struct place at, const struct fresh *f)
{
	insert_value_scales(b, at, f, 0);
	insert_tiles(b, at, f, 0, hd_blocks(b), hd_blocks(b));
}

void store_fresh(struct builder *b, uint32_t layer, uint32_t g, uint32_t n, uint32_t row, uint32_t i)
{
	uint32_t blocks = n * hd_blocks(b), one = !brings_many(b), *cmd;
	struct fresh f = fresh_at(b, g);
	struct head_va va = head_va(b->cfg, layer, g);
	const struct {
		uint64_t va;
		uint32_t addr, step, bytes, n, stride;
		unsigned int at, n_bytes;
	} part[STORE_PARTS] = {
		{ va.kv, f.k + row * 32, tile_step(b), one * 32, 2 * blocks, 1024, GRAPH_KV_AT,
		  GRAPH_KV_BYTES },
		{ va.kscale, f.ks + row * 2, KSCALE_STEP, one * 2, blocks, 64, GRAPH_KS_AT,
		  GRAPH_KS_BYTES },
		{ va.vscale, f.vs + row * 4, VSCALE_STEP, one * 4, n, 128, GRAPH_VS_AT, GRAPH_VS_BYTES },
	};

	cmd = iau_cmd_store(&b->cb, (struct iau_copy){ .va = part[i].va, .addr = part[i].addr,
						       .row_bytes = part[i].bytes, .rows = part[i].n,
						       .mem_stride = part[i].stride,
						       .stride = part[i].step });
	iau_cmd_patch(cmd, 2, part[i].at);
	patch_new_bytes(b, cmd, part[i].n_bytes);
	if (b->seqs)
		iau_cmd_patch(cmd, 3, GRAPH_KV_HI);
}

void emit_stores(struct builder *b, uint32_t layer, uint32_t g, uint32_t n)
{
	label(b, layer, OP_KV_CACHE);
	for (uint32_t i = 0; i < STORE_PARTS; i++)
		store_fresh(b, layer, g, n, 0, i);
}

void emit_kv_stored(struct builder *b, uint32_t layer, uint32_t g)
{
	emit_stores(b, layer, g, 1);
	if (g < kv_passes_ahead(b->hp))
		emit_kv_prefetch(b, layer, g);
}
