/* SPDX-License-Identifier: MIT */
/*
 * Grouped-query attention over an INT8 KV cache, in chunks of keys with an online softmax
 * (Milakov and Gimelshein 2018; Dao et al. 2022).
 *
 * Keys: a block of 32 tokens is head_dim/32 tiles of [32 tokens][32], then their fp16 scales.
 * Values: a block is head_dim/32 tiles of [32 tokens][32]; a token's values share one fp32 scale,
 * kept in an array of its own and multiplied into the probabilities.
 */
#include "model/builder.h"

#define CHUNK_BLOCKS (b->hp->head_dim == 64 ? 8u : 4u)
#define LOG2_E 1.44269504f
#define FAR_BELOW -1e30f

/* Scalar registers of the loop over chunks. */
enum { R_REM = 16, R_NB, R_K, R_V, R_VS, R_LIM, R_KB, R_VB, R_VSB, R_COLS };

/* The rows that share one pass: all heads of a group for one token, else one head. */
struct pass {
	uint32_t m;	   /* rows */
	uint32_t head;	   /* first query head */
	uint32_t q_addr, q_stride;
	uint32_t scores, max, old, alpha, sum, inv, o, vscale;
	struct act q, p;
	uint64_t k_va, v_va, vs_va;
};

static uint32_t hd_blocks(const struct builder *b)
{
	return b->hp->head_dim / 32;
}

static void vec_row(struct builder *b, struct iau_vec v, uint32_t n)
{
	v.rows = 1;
	v.cols = n;
	v.out = VEC_F32;
	iau_cmd_vec(&b->cb, v);
}

/* Stores INT8 tiles of the new tokens at their row of the last block. */
static void store_tiles(struct builder *b, uint64_t va, unsigned int reg, uint32_t addr)
{
	uint32_t *cmd = iau_cmd_store(&b->cb, (struct iau_copy){ .va = va, .addr = addr,
								 .row_bytes = b->rows * 32,
								 .rows = hd_blocks(b),
								 .mem_stride = 1024,
								 .stride = b->rows * 32 });

	iau_cmd_patch(cmd, 2, reg);
}

static void store_keys(struct builder *b, uint32_t k, uint32_t stride, uint64_t va)
{
	uint32_t data = vsp_alloc(b, b->rows * b->hp->head_dim), n = hd_blocks(b);
	uint32_t scale = vsp_alloc(b, b->rows * n * 2), *cmd;

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->rows, .cols = b->hp->head_dim, .a = k,
					      .a_stride = stride, .out = VEC_Q8_F16, .d = data,
					      .d_stride = 32, .d_block = b->rows * 32, .sc = scale,
					      .sc_row = 2, .sc_block = b->rows * 2 });
	store_tiles(b, va, GRAPH_K_AT, data);
	cmd = iau_cmd_store(&b->cb, (struct iau_copy){ .va = va + n * 1024, .addr = scale,
						       .row_bytes = b->rows * 2, .rows = n,
						       .mem_stride = 64, .stride = b->rows * 2 });
	iau_cmd_patch(cmd, 2, GRAPH_KS_AT);
}

static void store_values(struct builder *b, uint32_t v, uint32_t stride, uint64_t va, uint64_t vs_va)
{
	uint32_t data = vsp_alloc(b, b->rows * b->hp->head_dim);
	uint32_t amax = vsp_alloc(b, 128), inv = vsp_alloc(b, 128), scale = vsp_alloc(b, 128), *cmd;

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->rows, .cols = b->hp->head_dim, .a = v,
					      .a_stride = stride, .red = VEC_MAXABS, .r = amax });
	vec_row(b, (struct iau_vec){ .a = amax, .m1 = VEC_M_IMM, .imm0 = 1.0f / 127.0f, .d = scale },
		b->rows);
	vec_row(b, (struct iau_vec){ .a = amax, .sfu = VEC_RECIP, .m2 = VEC_M_IMM, .imm0 = 127.0f,
				     .d = inv }, b->rows);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->rows, .cols = b->hp->head_dim, .a = v,
					      .a_stride = stride, .m1 = VEC_M_S, .s = inv,
					      .out = VEC_I8, .d = data, .d_stride = 32,
					      .d_block = b->rows * 32 });
	store_tiles(b, va, GRAPH_V_AT, data);
	cmd = iau_cmd_store(&b->cb, (struct iau_copy){ .va = vs_va, .addr = scale,
						       .row_bytes = b->rows * 4, .rows = 1 });
	iau_cmd_patch(cmd, 2, GRAPH_VS_AT);
}

/* m = far below, l = 0, o = 0; the loop's registers at the first chunk */
static void begin_pass(struct builder *b, const struct pass *p)
{
	vec_row(b, (struct iau_vec){ .a = b->zeros, .a1 = VEC_A_IMM, .imm1 = FAR_BELOW, .d = p->max },
		p->m);
	vec_row(b, (struct iau_vec){ .a = b->zeros, .d = p->sum }, p->m);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m * hd_blocks(b), .cols = 32, .a = b->zeros,
					      .out = VEC_F32, .d = p->o, .d_stride = 128 });
	iau_cmd_salu_imm(&b->cb, SALU_ADD, R_REM, GRAPH_BLOCKS, 0);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, R_LIM, GRAPH_LIMIT, 0);
	iau_cmd_salu_imm(&b->cb, SALU_AND, R_K, 0, 0);
	iau_cmd_salu_imm(&b->cb, SALU_AND, R_V, 0, 0);
	iau_cmd_salu_imm(&b->cb, SALU_AND, R_VS, 0, 0);
}

static void load_chunk(struct builder *b, const struct pass *p, uint32_t v_tsp)
{
	const struct { uint64_t va; uint32_t addr; unsigned int at, bytes; } part[] = {
		{ p->k_va, KV_TSP, R_K, R_KB },
		{ p->v_va, v_tsp, R_V, R_VB },
		{ p->vs_va, p->vscale, R_VS, R_VSB },
	};

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .va = part[i].va,
									.addr = part[i].addr,
									.rows = 1 });

		iau_cmd_patch(cmd, 2, part[i].at);
		iau_cmd_patch(cmd, 1, part[i].bytes);
	}
}

/* P = exp2(scale S - m) and the running m, l, o */
static void softmax_chunk(struct builder *b, const struct pass *p)
{
	uint32_t row = CHUNK_BLOCKS * 128, hd = b->hp->head_dim, *cmd;
	float scale = LOG2_E / (hd == 64 ? 8.0f : 11.3137085f);
	bool step = b->rows > 1;

	vec_row(b, (struct iau_vec){ .a = p->max, .d = p->old }, p->m);
	cmd = iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .a = p->scores, .a_stride = row,
						    .m1 = VEC_M_IMM, .imm0 = scale, .mask = true,
						    .mask_step = step, .red = VEC_MAXABS, .max = true,
						    .init = true, .r = p->max });
	iau_cmd_patch(cmd, 1, R_COLS);
	iau_cmd_patch(cmd, 13, R_LIM);
	vec_row(b, (struct iau_vec){ .a = p->old, .a1 = VEC_A_B, .negate = true, .b = p->max,
				     .sfu = VEC_EXP2, .d = p->alpha }, p->m);
	vec_row(b, (struct iau_vec){ .a = p->sum, .m1 = VEC_M_B, .b = p->alpha, .d = p->sum }, p->m);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .cols = hd, .a = p->o, .a_stride = hd * 4,
					      .m1 = VEC_M_S, .s = p->alpha, .out = VEC_F32, .d = p->o,
					      .d_stride = hd * 4 });
	cmd = iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .a = p->scores, .a_stride = row,
						    .m1 = VEC_M_IMM, .imm0 = scale, .a1 = VEC_A_S,
						    .negate = true, .s = p->max, .mask = true,
						    .mask_step = step, .sfu = VEC_EXP2,
						    .red = VEC_SUM, .init = true, .r = p->sum,
						    .m2 = VEC_M_B, .b = p->vscale, .out = VEC_Q8,
						    .d = p->p.data, .d_stride = 32,
						    .d_block = p->m * 32, .sc = p->p.scale,
						    .sc_row = 4, .sc_block = p->m * 4 });
	iau_cmd_patch(cmd, 1, R_COLS);
	iau_cmd_patch(cmd, 13, R_LIM);
}

static void chunk_registers(struct builder *b)
{
	uint32_t hd = b->hp->head_dim;

	iau_cmd_salu_imm(&b->cb, SALU_MIN, R_NB, R_REM, CHUNK_BLOCKS);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, R_KB, R_NB, hd * 34);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, R_VB, R_NB, hd * 32);
	iau_cmd_salu_imm(&b->cb, SALU_SHL, R_VSB, R_NB, 7);
	iau_cmd_salu_imm(&b->cb, SALU_SHL, R_COLS, R_NB, 21);
}

static void next_chunk(struct builder *b, size_t top)
{
	uint32_t hd = b->hp->head_dim;

	iau_cmd_salu(&b->cb, SALU_SUB, R_REM, R_REM, R_NB);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, R_K, R_K, CHUNK_BLOCKS * hd * 34);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, R_V, R_V, CHUNK_BLOCKS * hd * 32);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, R_VS, R_VS, CHUNK_BLOCKS * 128);
	iau_cmd_salu_imm(&b->cb, SALU_SUB, R_LIM, R_LIM, CHUNK_BLOCKS * 32);
	iau_cmd_branch_nonzero(&b->cb, R_REM, top);
}

static void emit_chunks(struct builder *b, const struct pass *p)
{
	uint32_t hd = b->hp->head_dim, v_tsp = KV_TSP + K_TSP_BYTES, *cmd;
	size_t top = b->cb.n;

	chunk_registers(b);
	load_chunk(b, p, v_tsp);
	cmd = iau_cmd_matmul(&b->cb, (struct iau_matmul){
		.format = 0, .m = p->m, .pitch = p->m, .kb = hd / 32, .a = p->q.data,
		.as = p->q.scale, .w = KV_TSP, .w_n = hd * 34 / 64, .w_k = 16,
		.ws = KV_TSP + hd * 32, .ws_n = hd * 34 / 64, .ws_k = 1, .d = p->scores,
		.d_stride = CHUNK_BLOCKS * 128 });
	iau_cmd_patch(cmd, 2, R_NB);
	softmax_chunk(b, p);
	cmd = iau_cmd_matmul(&b->cb, (struct iau_matmul){
		.format = 3, .unit = 1, .cin = 1, .m = p->m, .pitch = p->m, .nt = hd / 32,
		.a = p->p.data, .as = p->p.scale, .w = v_tsp, .w_n = 16, .w_k = hd / 2,
		.c = p->o, .c_stride = hd * 4, .d = p->o, .d_stride = hd * 4 });
	iau_cmd_patch(cmd, 3, R_NB);
	next_chunk(b, top);
}

static void emit_pass(struct builder *b, const struct pass *p, struct act out)
{
	uint32_t hd = b->hp->head_dim, n = hd_blocks(b), one = b->rows == 1;
	uint32_t at = p->head * n * b->rows;

	emit_q8(b, p->m, p->q_addr, p->q_stride, hd, p->q);
	begin_pass(b, p);
	emit_chunks(b, p);
	vec_row(b, (struct iau_vec){ .a = p->sum, .sfu = VEC_RECIP, .d = p->inv }, p->m);
	/* rows are heads for one token, tokens otherwise */
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .cols = hd, .a = p->o, .a_stride = hd * 4,
					      .m1 = VEC_M_S, .s = p->inv, .out = VEC_Q8,
					      .d = out.data + at * 32, .d_stride = one ? hd : 32,
					      .d_block = b->rows * 32, .sc = out.scale + at * 4,
					      .sc_row = one ? n * 4 : 4, .sc_block = b->rows * 4 });
}

static struct pass alloc_pass(struct builder *b, uint32_t m)
{
	uint32_t hd = b->hp->head_dim, keys = CHUNK_BLOCKS * 32;

	return (struct pass){
		.m = m,
		.scores = vsp_alloc(b, m * keys * 4),
		.max = vsp_alloc(b, 128),
		.old = vsp_alloc(b, 128),
		.alpha = vsp_alloc(b, 128),
		.sum = vsp_alloc(b, 128),
		.inv = vsp_alloc(b, 128),
		.o = vsp_alloc(b, m * hd * 4),
		.vscale = vsp_alloc(b, keys * 4),
		.q = { vsp_alloc(b, m * hd), vsp_alloc(b, m * hd / 8) },
		.p = { vsp_alloc(b, m * keys), vsp_alloc(b, m * keys / 8) },
	};
}

void emit_attention(struct builder *b, uint32_t l, uint32_t qkv, uint32_t stride, struct act out)
{
	const struct iau_hparams *hp = b->hp;
	const struct iau_kv_layout *kv = &b->cfg->kv;
	uint32_t group = hp->n_head / hp->n_head_kv, m = b->rows == 1 ? group : b->rows;
	uint32_t k = qkv + hp->n_head * hp->head_dim * 4, v = k + hp->n_head_kv * hp->head_dim * 4;
	uint32_t mark = b->vsp;
	struct pass p = alloc_pass(b, m);

	for (uint32_t g = 0; g < hp->n_head_kv; g++) {
		uint32_t keep = b->vsp;

		p.k_va = kv->va + ((uint64_t)l * hp->n_head_kv + g) * kv->head_bytes;
		p.v_va = p.k_va + kv->k_bytes;
		p.vs_va = p.v_va + kv->v_bytes;
		store_keys(b, k + g * hp->head_dim * 4, stride, p.k_va);
		store_values(b, v + g * hp->head_dim * 4, stride, p.v_va, p.vs_va);
		b->vsp = keep;
		for (uint32_t h = 0; h < group; h += b->rows == 1 ? group : 1) {
			p.head = g * group + h;
			p.q_addr = qkv + p.head * hp->head_dim * 4;
			p.q_stride = b->rows == 1 ? hp->head_dim * 4 : stride;
			emit_pass(b, &p, out);
		}
	}
	b->vsp = mark;
}
