/* SPDX-License-Identifier: MIT */
/* A layer's attention from its norm to what it adds to x: the projections, and in which order they are worked on. */
#include "model/attention.h"

/* RMSNorm of each of COUNT heads in place (qwen3) */
static void emit_head_norm(struct builder *b, uint32_t x, uint32_t stride, uint32_t count,
			   uint32_t weight)
{
	uint32_t hd = b->hp->head_dim, one = b->rows == 1, rows = one ? count : b->rows;

	for (uint32_t h = 0; h < (one ? 1 : count); h++) {
		struct iau_vec v = { .rows = rows, .cols = hd, .a = x + h * hd * 4,
				     .a_stride = one ? hd * 4 : stride };

		v.m1 = VEC_M_SQUARE;
		v.red = VEC_SUM;
		v.r = b->stat;
		iau_cmd_vec(&b->cb, v);
		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = rows, .a = b->stat,
						      .m1 = VEC_M_IMM, .imm0 = 1.0f / (float)hd,
						      .a1 = VEC_A_IMM, .imm1 = b->hp->rms_eps,
						      .sfu = VEC_RSQRT, .out = VEC_F32,
						      .d = b->stat });
		v.red = VEC_RED_NONE;
		v.m1 = VEC_M_S;
		v.s = b->stat;
		v.m2 = VEC_M_B;
		v.b = weight;
		v.out = VEC_F32;
		v.d = v.a;
		v.d_stride = v.a_stride;
		iau_cmd_vec(&b->cb, v);
	}
}

/* Of COUNT heads from FIRST on */
static void emit_projection(struct builder *b, uint32_t l, const struct iau_matrix *m, uint32_t first,
			    uint32_t count, uint32_t out, uint32_t bias)
{
	uint32_t hd = b->hp->head_dim;

	label(b, l, OP_QKV);
	emit_linear(b, (struct linear){ .m = m, .act = b->act, .first = first * hd / 32, .count = count * hd / 32,
					.out = out, .out_stride = count * hd * 4, .cin = b->hp->qkv_bias,
					.c = bias + first * hd * 4 });
}

/* Heads whose queries belong to the KV heads that are worked on at once */
static uint32_t group_of(const struct builder *b, const struct attention *a)
{
	return a->at_once * (b->hp->n_head / b->hp->n_head_kv);
}

/* Of the heads that Q holds at once, from H on */
static void emit_queries_made(struct builder *b, uint32_t l, const struct attention *a, uint32_t h, uint32_t pack)
{
	const struct iau_hparams *hp = b->hp;
	uint32_t count = a->q_at_once;

	emit_projection(b, l, &b->w->layer[l].q, h, count, a->q, pack + b->w->pack.bias);
	label(b, l, OP_QK_NORM);
	if (hp->qk_norm)
		emit_head_norm(b, a->q, count * hp->head_dim * 4, count, pack + b->w->pack.q_norm);
	(b->seqs ? emit_batch_queries : emit_queries)(b, l, a, h);
}

/* From head FIRST on */
static void emit_finished_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t first,
				  uint32_t pack)
{
	for (uint32_t h = first; h < first + group_of(b, a); h += a->q_at_once)
		emit_queries_made(b, l, a, h, pack);
}

static void finish_rotated_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t first)
{
	for (uint32_t h = first; h < first + group_of(b, a); h += a->q_at_once)
		emit_rotated_queries(b, l, a, h);
}

static void emit_keys_made(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t i,
			   uint32_t count, uint32_t pack)
{
	const struct iau_layer *y = &b->w->layer[l];
	uint32_t k = new_at(b, a->k, i);

	emit_projection(b, l, &y->k, g + i, count, k, pack + b->w->pack.bias + y->q.n * 4);
	label(b, l, OP_QK_NORM);
	if (b->hp->qk_norm)
		emit_head_norm(b, k, count * b->hp->head_dim * 4, count, pack + b->w->pack.k_norm);
	emit_new_keys(b, l, a, g, i, count);
}

static void emit_values_made(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t i,
			     uint32_t count, uint32_t pack)
{
	const struct iau_layer *y = &b->w->layer[l];
	bool is_last = begins_run(b, l) && g + i + count == b->hp->n_head_kv;

	emit_projection(b, l, &y->v, g + i, count, new_at(b, a->v, i),
			pack + b->w->pack.bias + (y->q.n + y->k.n) * 4);
	/* nothing is multiplied until there is the next run's norm */
	if (is_last)
		emit_run_norm(b, 0);
	emit_new_values(b, l, a, g, i, count);
	if (is_last)
		emit_run_norm(b, 1);
}

/*
 * A head at a time, in two places in turns: the next one's products hide what is done with this one. Values last: the
 * first scores need all else.
 */
static void emit_qkv_by_heads(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t pack)
{
	uint32_t queries = l < b->attending ? group_of(b, a) : 0, n = g * (queries + 2);
	struct attention swapped = *a; /* Q is where K and V are, and they where Q is */
	const struct attention *turn[2] = { a, &swapped };

	swapped.q = a->k;
	swapped.k = swapped.v = a->q;
	for (uint32_t i = 0; i < queries; i++)
		emit_queries_made(b, l, turn[n++ % 2], g * queries + i, pack);
	/* keys where the next query would be, and values in the other place */
	emit_keys_made(b, l, turn[(n + 1) % 2], g, 0, 1, pack);
	emit_rotated_keys(b, l, turn[(n + 1) % 2], g);
	emit_values_made(b, l, turn[n % 2], g, 0, 1, pack);
	emit_kv_stored(b, l, g);
	if (queries)
		finish_rotated_queries(b, l, a, g * queries);
}

/*
 * Queries first: the vector unit has most to do with them, and the other products overlap it. Values of several rows
 * last, head by head: scores do not need them, and their products hide the keys' turns. Rotations are products behind
 * those, by when all is turned. In a batch keys and values may take the queries' place, and turned keys that of values.
 */
static void emit_qkv(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t pack)
{
	uint32_t first = g * (b->hp->n_head / b->hp->n_head_kv), n = is_prompt(b) ? 1 : a->at_once;

	if (l < b->attending)
		emit_finished_queries(b, l, a, first, pack);
	if (!is_prompt(b))
		emit_values_made(b, l, a, g, 0, n, pack);
	for (uint32_t i = 0; i < a->at_once; i += n)
		emit_keys_made(b, l, a, g, i, n, pack);
	for (uint32_t i = 0; is_prompt(b) && i < a->at_once; i += n)
		emit_values_made(b, l, a, g, i, n, pack);
	emit_rotated_keys(b, l, a, g);
	if (!b->seqs && l < b->attending)
		finish_rotated_queries(b, l, a, first);
}

static void emit_attended(struct builder *b, uint32_t l, const struct attention *a)
{
	const struct iau_matrix *o = &b->w->layer[l].o;

	label(b, l, OP_ATTN_OUTPUT);
	b->vsp = a->scratch;
	emit_rows_add_asked(b);
	emit_rows_add(b, o, a->out, 0, o->kb);
}

void emit_attention_block(struct builder *b, uint32_t l, uint32_t pack)
{
	uint32_t mark = b->vsp;
	struct attention a;

	label(b, l, OP_ATTN_NORM);
	a = attention_alloc(b);
	/* of the first layer when it was begun */
	if (!b->runs || l > b->from)
		emit_rows_norm(b, pack + b->w->pack.attn_norm);
	attention_alloc_projections(b, &a);
	if (begins_run(b, l))
		emit_run_embedded(b);
	if (b->seqs)
		emit_batch_early(b, l);
	for (uint32_t g = 0; g < b->hp->n_head_kv; g += a.at_once)
		(in_frames(b) ? emit_qkv_by_heads : emit_qkv)(b, l, &a, g, pack);
	(b->seqs ? emit_batch_attention : emit_attention)(b, l, &a);
	if (l < b->attending)
		emit_attended(b, l, &a);
	b->vsp = mark;
}

/* Of the row that goes on: which keys it sees, and its turns, for a place of their own */
static void emit_kept_position(struct builder *b)
{
	uint32_t offset = GRAPH_LOOP;

	iau_cmd_salu(&b->cb, SALU_ADD, GRAPH_LIMIT, GRAPH_LIMIT, GRAPH_ROW);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, offset, GRAPH_ROW, b->hp->head_dim * 8);
	iau_cmd_salu(&b->cb, SALU_ADD, GRAPH_ROPE, GRAPH_ROPE, offset);
}

/* Rows that commands are for: how many, in which halves, their norm, where their turns are */
struct at_work {
	uint32_t rows, halves, half, rope;
	struct act act;
};

static struct at_work at_work(const struct builder *b)
{
	return (struct at_work){ b->rows, b->halves, b->half, b->rope, b->act };
}

static void work_on(struct builder *b, struct at_work rows)
{
	b->rows = rows.rows;
	b->halves = rows.halves;
	b->half = rows.half;
	b->rope = rows.rope;
	b->act = rows.act;
}

/* The norm of all rows; then the one that goes on, alone, as the layer found it, and its norm in a place of its own */
static struct at_work emit_kept_row(struct builder *b, uint32_t pack, struct at_work *all)
{
	if (in_frames(b))
		b->act = act_alloc(b, b->hp->n_embd);
	emit_rows_norm(b, pack + b->w->pack.attn_norm);
	*all = at_work(b);
	emit_row_kept(b);
	b->rope = vsp_alloc_beside(b, b->rope_step);
	load_rope(b, 0, 1);
	b->act = act_alloc_widest(b);
	emit_rows_norm(b, pack + b->w->pack.attn_norm);
	return at_work(b);
}

/* Keys first: their products hide the norm of the row that goes on. */
void emit_kept_attention_block(struct builder *b, uint32_t l, uint32_t pack)
{
	uint32_t mark, n_kv = b->hp->n_head_kv, n = b->in_memory ? 1 : n_kv;
	struct attention a, kv;
	struct at_work all, one;

	label(b, l, OP_ATTN_NORM);
	emit_kept_position(b);
	one = emit_kept_row(b, pack, &all);
	mark = b->vsp;
	if (b->in_memory)
		b->fresh = fresh_alloc(b);
	a = attention_alloc(b);
	kv = a;
	kv.at_once = kv.q_at_once = n; /* keys to be rotated take a place of queries */
	work_on(b, all);
	attention_alloc_projections(b, &kv);
	a.q = vsp_alloc(b, b->hp->n_head * b->hp->head_dim * 4);
	for (uint32_t g = 0; g < n_kv; g += n) {
		for (uint32_t i = 0; i < n; i++)
			emit_keys_made(b, l, &kv, g, i, 1, pack);
		if (!g) {
			work_on(b, one);
			emit_finished_queries(b, l, &a, 0, pack);
			work_on(b, all);
		}
		for (uint32_t i = 0; i < n; i++)
			emit_values_made(b, l, &kv, g, i, 1, pack);
		emit_rotated_keys(b, l, &kv, g);
		if (kv_through_memory(b))
			emit_kv_stored(b, l, g);
	}
	work_on(b, one);
	finish_rotated_queries(b, l, &a, 0);
	emit_attention(b, l, &a);
	emit_attended(b, l, &a);
	b->vsp = mark;
}

void emit_peek(struct builder *b, uint32_t l, uint32_t pack)
{
	uint32_t mark = b->vsp;
	struct attention a;

	label(b, l, OP_ATTN_NORM);
	if (b->spilled && l > b->from)
		load_pack(b, l);
	emit_rows_left(b);
	a = attention_alloc(b);
	emit_rows_norm(b, pack + b->w->pack.attn_norm);
	attention_alloc_projections(b, &a);
	for (uint32_t h = 0; h < b->hp->n_head; h += group_of(b, &a)) {
		emit_finished_queries(b, l, &a, h, pack);
		finish_rotated_queries(b, l, &a, h);
	}
	emit_told_choice(b, l, &a);
	b->vsp = mark;
}
