/* SPDX-License-Identifier: MIT */
/* Building blocks of the graph: linear layers fed by a ring of weight chunks, norms. */
#include "model/builder.h"

uint32_t vsp_alloc(struct builder *b, uint32_t bytes)
{
	uint32_t at = b->vsp;

	b->vsp += vsp_round(bytes);
	if (b->vsp > b->vsp_peak)
		b->vsp_peak = b->vsp;
	return at;
}

uint32_t vsp_alloc_beside(struct builder *b, uint32_t bytes)
{
	return vsp_alloc(b, bytes + 128) + 128;
}

struct act act_alloc(struct builder *b, uint32_t cols)
{
	struct act act = { .data_step = vsp_round(b->half * cols),
			   .scale_step = vsp_round(b->half * cols / 8) };

	act.data = vsp_alloc(b, b->halves * act.data_step);
	act.scale = vsp_alloc(b, b->halves * act.scale_step);
	return act;
}

/* Where the next chunk goes; BYTES of it are contiguous. */
static void place_chunk(struct builder *b, struct chunk *c)
{
	uint32_t size = (c->bytes + IAU_TSP_GRANULE - 1) & ~(IAU_TSP_GRANULE - 1), pad = 0;

	if (b->ring_next + size > RING_BYTES) {
		pad = RING_BYTES - b->ring_next;
		b->ring_next = 0;
	}
	c->at = b->ring_next;
	c->span = pad + size;
	b->ring_next += size;
}

/* Loads ahead as far as the ring has room: a chunk's is free once its matmul is queued. */
void load_ahead(struct builder *b)
{
	while (b->next_load < b->n_chunks &&
	       b->ring_used + b->chunk[b->next_load].span <= RING_BYTES) {
		const struct chunk *c = &b->chunk[b->next_load++];
		uint16_t before = b->cb.label;

		b->cb.label = c->label;
		iau_cmd_load(&b->cb, (struct iau_copy){ .va = c->va,
							.addr = IAU_TSP_BASE + c->at,
							.row_bytes = c->bytes,
							.rows = 1 });
		b->cb.label = before;
		b->ring_used += c->span;
	}
}

/* The place of the next chunk in order; while planning, notes it down. */
static uint32_t begin_chunk(struct builder *b, uint64_t va, uint32_t bytes)
{
	if (b->planning && b->cur < MAX_CHUNKS) {
		b->chunk[b->cur] = (struct chunk){ .va = va, .bytes = bytes, .label = b->cb.label };
		place_chunk(b, &b->chunk[b->cur]);
		b->n_chunks = b->cur + 1;
	}
	load_ahead(b);
	return IAU_TSP_BASE + b->chunk[b->cur < MAX_CHUNKS ? b->cur : 0].at;
}

static void end_chunk(struct builder *b)
{
	if (b->cur < MAX_CHUNKS)
		b->ring_used -= b->chunk[b->cur].span;
	b->cur++;
	load_ahead(b);
}

/* Columns N .. N + COUNT - 1 of the segment of S blocks that starts at block K. */
static void matmul_chunk(struct builder *b, const struct linear *lin, uint64_t segment_va,
			 uint32_t k, uint32_t s, uint32_t n, uint32_t count)
{
	const struct iau_matrix *m = lin->m;
	uint32_t column = s * iau_tile_bytes(m), at = (n - lin->first) * 128;
	uint32_t slot = begin_chunk(b, segment_va + (uint64_t)n * column, count * column);
	bool first = k == 0;
	uint32_t c = (first ? lin->c : lin->out) + at;
	uint32_t c_stride = first ? lin->c_stride : lin->out_stride;

	for (uint32_t h = 0; h < b->halves; h++) {
		struct act act = act_half(lin->act, h);

		iau_cmd_matmul(&b->cb, (struct iau_matmul){
			.format = m->int4 ? 2 : 1,
			.cin = first ? lin->cin : true,
			.m = b->half,
			.pitch = b->half,
			.nt = count,
			.kb = s,
			.a = act.data + k * b->half * 32,
			.as = act.scale + k * b->half * 4,
			.ws = slot,
			.w = slot + s * 64,
			.wl = slot + s * 576,
			.w_n = column / 64,
			.w_k = 8,
			.ws_n = column / 64,
			.ws_k = 1,
			.c = c + h * b->half * c_stride,
			.c_stride = c_stride,
			.d = lin->out + at + h * b->half * lin->out_stride,
			.d_stride = lin->out_stride,
		});
	}
	end_chunk(b);
}

void emit_linear(struct builder *b, struct linear lin)
{
	const struct iau_matrix *m = lin.m;
	uint64_t va = m->va;

	for (uint32_t k = 0; k < m->kb; k += IAU_SEGMENT_BLOCKS) {
		uint32_t s = m->kb - k < IAU_SEGMENT_BLOCKS ? m->kb - k : IAU_SEGMENT_BLOCKS;
		uint32_t column = s * iau_tile_bytes(m), fit = CHUNK_BYTES / column;

		for (uint32_t n = 0; n < lin.count; n += fit) {
			uint32_t count = lin.count - n < fit ? lin.count - n : fit;

			matmul_chunk(b, &lin, va, k, s, lin.first + n, count);
		}
		va += (uint64_t)m->nt * column;
	}
}

/* x * rsqrt(mean(x^2) + eps) * weight, quantised (Zhang and Sennrich 2019) */
void emit_rmsnorm_q8(struct builder *b, uint32_t x, uint32_t n, uint32_t weight, struct act out)
{
	for (uint32_t h = 0; h < b->halves; h++) {
		uint32_t at = x + h * b->half * n * 4, stat = b->stat + h * IAU_VSP_GRANULE;
		struct act act = act_half(out, h);

		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->half, .cols = n, .a = at,
						      .a_stride = n * 4, .m1 = VEC_M_SQUARE,
						      .red = VEC_SUM, .r = stat });
		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = b->half, .a = stat,
						      .m1 = VEC_M_IMM, .imm0 = 1.0f / (float)n,
						      .a1 = VEC_A_IMM, .imm1 = b->hp->rms_eps,
						      .sfu = VEC_RSQRT, .out = VEC_F32,
						      .d = stat });
		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->half, .cols = n, .a = at,
						      .a_stride = n * 4, .m1 = VEC_M_S, .s = stat,
						      .m2 = VEC_M_B, .b = weight, .out = VEC_Q8,
						      .d = act.data, .d_stride = 32,
						      .d_block = b->half * 32, .sc = act.scale,
						      .sc_row = 4, .sc_block = b->half * 4 });
	}
}
