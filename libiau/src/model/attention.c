/* SPDX-License-Identifier: MIT */
/*
 * Grouped-query attention over an INT8 KV cache, in chunks of keys with an online softmax
 * (Milakov and Gimelshein 2018; Dao et al. 2022).
 *
 * A block of 32 tokens of a KV head: head_dim/32 key tiles of [32 tokens][32], as many value tiles, the
 * keys' fp16 scales, and one fp32 scale a token for its values, which is multiplied into the probabilities.
 */
#include "model/attention.h"
#include "model/rotation.h"

#define LOG2_E 1.44269504f

static struct part part_at(const struct builder *b, const struct pass *p, uint32_t i)
{
	struct part part = p->part;
	uint32_t head = i / b->halves;

	part.q = act_from(act_half(part.q, i % b->halves), head * p->q_step);
	part.max += i * ROW_SCALARS;
	part.sum += i * ROW_SCALARS;
	part.o += i * p->o_step;
	return part;
}

/* Rows of part I, as commands have them */
static uint32_t rows_at(const struct builder *b, const struct pass *p, uint32_t i)
{
	return i % b->halves ? rows_of(b, i % b->halves) : p->m;
}

static void vec_row(struct builder *b, struct iau_vec v, uint32_t n)
{
	v.rows = 1;
	v.cols = n;
	v.out = VEC_F32;
	iau_cmd_vec(&b->cb, v);
}

uint32_t emit_turn(struct builder *b, uint32_t x, uint32_t turn, uint32_t rows, uint32_t cols,
		   uint32_t stride)
{
	uint32_t hd = b->hp->head_dim, mark = b->vsp, tmp = vsp_alloc_beside(b, rows * cols * 4);
	bool pairs = b->hp->rope == IAU_ROPE_NORM;
	struct iau_vec v = { .rows = rows, .cols = cols, .a = x, .a_stride = stride,
			     .m1 = VEC_M_B, .out = VEC_F32 };

	/* one token: its heads are rows and all turn alike */
	if (b->rows > 1) {
		v.b_wrap = hd == 64 ? 2 : 3;
		v.b_stride = b->rope_step;
	}
	v.perm = pairs ? 1 : hd == 64 ? 2 : 3;
	v.b = turn + hd * 4;
	v.d = tmp;
	v.d_stride = cols * 4;
	iau_cmd_vec(&b->cb, v);
	v.perm = 0;
	v.b = turn;
	v.d = x;
	v.d_stride = stride;
	iau_cmd_vec(&b->cb, v);
	b->vsp = mark;
	return tmp;
}

/* The sum is written as OUT says. */
static void emit_rope(struct builder *b, uint32_t x, uint32_t turn, uint32_t rows, uint32_t cols,
		      uint32_t stride, struct iau_vec out)
{
	out.b = emit_turn(b, x, turn, rows, cols, stride);
	out.rows = rows;
	out.cols = cols;
	out.a = x;
	out.a_stride = stride;
	out.a1 = VEC_A_B;
	out.b_stride = cols * 4;
	iau_cmd_vec(&b->cb, out);
}

/* One scale a token: its largest value becomes 127. */
static void new_values(struct builder *b, uint32_t v, uint32_t stride, const struct fresh *f)
{
	uint32_t mark = b->vsp, amax = vsp_alloc(b, 128), inv = vsp_alloc(b, 128);

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->rows, .cols = b->hp->head_dim, .a = v,
					      .a_stride = stride, .red = VEC_MAXABS, .r = amax });
	vec_row(b, (struct iau_vec){ .a = amax, .sfu = VEC_RECIP, .m2 = VEC_M_IMM, .imm0 = 127.0f,
				     .d = inv }, b->rows);
	vec_row(b, (struct iau_vec){ .a = amax, .m1 = VEC_M_IMM, .imm0 = 1.0f / 127.0f, .d = f->vs },
		b->rows);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = b->rows, .cols = b->hp->head_dim, .a = v,
					      .a_stride = stride, .m1 = VEC_M_S, .s = inv,
					      .out = VEC_I8, .d = f->v, .d_stride = 32,
					      .d_block = tile_step(b) });
	b->vsp = mark;
}

/* Scores of part I: q . K^T; the first chunk's number of blocks is in a register. */
void emit_scores(struct builder *b, const struct pass *p, struct place at, uint32_t i,
			bool first)
{
	struct part part = part_at(b, p, i);
	uint32_t hd = b->hp->head_dim, *cmd;

	cmd = iau_cmd_matmul(&b->cb, (struct iau_matmul){
		.format = 0, .m = rows_at(b, p, i), .pitch = p->pitch, .kb = hd / 32,
		.nt = first ? 0 : chunk_keys(b) / 32, .a = part.q.data, .as = part.q.scale,
		.w = at.kv, .w_n = b->cfg->kv.head_bytes / 64, .w_k = 16,
		.ws = at.kscale, .ws_n = hd / 32, .ws_k = 1,
		.d = p->scores[i % TURNS],
		.d_stride = chunk_keys(b) * 4 });
	patch_rows(b, cmd, i % b->halves);
	if (first)
		patch_seq(b, cmd, 2, GRAPH_BLOCKS);
}

/* o [+]= P . V */
void emit_values(struct builder *b, const struct pass *p, struct place at, uint32_t i,
			bool first)
{
	uint32_t hd = b->hp->head_dim, o = part_at(b, p, i).o, *cmd;

	cmd = iau_cmd_matmul(&b->cb, (struct iau_matmul){
		.format = 3, .unit = 1, .cin = !first, .m = rows_at(b, p, i), .pitch = p->m, .nt = hd / 32,
		.kb = first ? 0 : chunk_keys(b) / 32, .a = p->p[i % TURNS].data, .as = p->p[i % TURNS].scale,
		.w = at.kv + hd * 32, .w_n = 16, .w_k = b->cfg->kv.head_bytes / 64, .c = o,
		.c_stride = hd * 4, .d = o, .d_stride = hd * 4 });
	patch_rows(b, cmd, i % b->halves);
	if (first)
		patch_seq(b, cmd, 3, GRAPH_BLOCKS);
}

/*
 * P = exp2(scale S - m), m = max(scale S), l = sum P; from the second chunk on m grows, and l and o
 * shrink by exp2(old m - m). A row always sees its own key, so that m is finite.
 */
void emit_softmax(struct builder *b, const struct pass *p, struct place at, uint32_t i,
			bool first)
{
	struct part part = part_at(b, p, i);
	uint32_t hd = b->hp->head_dim, keys = chunk_keys(b);
	float scale = LOG2_E / (hd == 64 ? 8.0f : 11.3137085f);
	struct iau_vec v = { .rows = rows_at(b, p, i), .cols = first ? 0 : keys, .a = p->scores[i % TURNS],
			     .a_stride = keys * 4, .m1 = VEC_M_IMM, .imm0 = scale, .mask = first,
			     .mask_step = first && is_prompt(b),
			     .limit = (int32_t)(i % b->halves * b->half), .init = !first };
	struct iau_vec e = v;
	uint32_t *cmd[2];

	if (!first)
		vec_row(b, (struct iau_vec){ .a = part.max, .d = p->old }, p->m);
	v.red = VEC_MAXABS;
	v.max = true;
	v.r = part.max;
	cmd[0] = iau_cmd_vec(&b->cb, v);
	patch_rows(b, cmd[0], i % b->halves);
	if (first) {
		patch_seq(b, cmd[0], 1, GRAPH_COLS);
		patch_seq(b, cmd[0], 13, GRAPH_LIMIT);
	} else {
		vec_row(b, (struct iau_vec){ .a = p->old, .a1 = VEC_A_B, .negate = true,
					     .b = part.max, .sfu = VEC_EXP2, .d = p->alpha }, p->m);
		vec_row(b, (struct iau_vec){ .a = part.sum, .m1 = VEC_M_B, .b = p->alpha,
					     .d = part.sum }, p->m);
		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .cols = hd, .a = part.o,
						      .a_stride = hd * 4, .m1 = VEC_M_S,
						      .s = p->alpha, .out = VEC_F32, .d = part.o,
						      .d_stride = hd * 4 });
	}
	e.a1 = VEC_A_S;
	e.negate = true;
	e.s = part.max;
	e.sfu = VEC_EXP2;
	e.red = VEC_SUM;
	e.r = part.sum;
	e.m2 = VEC_M_B;
	e.b = at.vscale;
	e.out = VEC_Q8;
	e.d = p->p[i % TURNS].data;
	e.d_stride = 32;
	e.d_block = p->m * 32;
	e.sc = p->p[i % TURNS].scale;
	e.sc_row = 4;
	e.sc_block = p->m * 4;
	cmd[1] = iau_cmd_vec(&b->cb, e);
	patch_rows(b, cmd[1], i % b->halves);
	if (first) {
		patch_seq(b, cmd[1], 1, GRAPH_COLS);
		patch_seq(b, cmd[1], 13, GRAPH_LIMIT);
	}
}

void emit_chunk(struct builder *b, const struct pass *p, struct place at, bool first, const struct fresh *late)
{
	uint32_t ahead = 0;

	for (uint32_t i = 0; i < p->parts; i++) {
		label_op(b, OP_ATTN_SCORES);
		for (; ahead < p->parts && ahead < i + TURNS; ahead++)
			emit_scores(b, p, at, ahead, first);
		if (late && !i) {
			label_op(b, OP_KV_CACHE);
			insert_fresh_values(b, at, late);
		}
		label_op(b, OP_SOFTMAX);
		emit_softmax(b, p, at, i, first);
		label_op(b, OP_ATTN_VALUES);
		emit_values(b, p, at, i, first);
	}
	label_op(b, OP_KV_CACHE);
}

static void load_older(struct builder *b, const struct older *o, struct place to, unsigned int left)
{
	(o->choice ? load_listed : load_full)(b, o, to, left);
}

void emit_older_loop(struct builder *b, const struct pass *p, const struct older *o, struct place first,
		     struct place second)
{
	uint32_t rem = b->regs + R_REM;
	size_t top, skip[2];

	iau_cmd_salu_imm(&b->cb, SALU_ADD, rem, b->regs + (o->choice ? GRAPH_CHOSEN : GRAPH_FULL), 0);
	skip[0] = iau_cmd_branch_zero(&b->cb, rem);
	top = b->cb.n;
	iau_cmd_salu_imm(&b->cb, SALU_SUB, rem, rem, 1);
	load_older(b, o, second, R_REM);
	emit_chunk(b, p, first, false, NULL);
	skip[1] = iau_cmd_branch_zero(&b->cb, rem);
	iau_cmd_salu_imm(&b->cb, SALU_SUB, rem, rem, 1);
	load_older(b, o, first, R_REM);
	emit_chunk(b, p, second, false, NULL);
	iau_cmd_branch_nonzero(&b->cb, rem, top);
	iau_cmd_branch_here(&b->cb, skip[0]);
	if (o->choice) {
		size_t over;

		load_behind(b, o, true);
		over = iau_cmd_branch(&b->cb);
		iau_cmd_branch_here(&b->cb, skip[1]);
		load_behind(b, o, false);
		iau_cmd_branch_here(&b->cb, over);
	} else {
		iau_cmd_branch_here(&b->cb, skip[1]);
	}
}

/* OUT = o / l of part I, blocks of query head HEAD; of all heads from there on for one token */
static void emit_result(struct builder *b, const struct pass *p, uint32_t i, uint32_t head,
			struct act out)
{
	uint32_t hd = b->hp->head_dim, n = hd_blocks(b), one = b->rows == 1, at = head * n * b->half;

	out = act_half(out, i % b->halves);
	/* rows are heads for one token, tokens otherwise */
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->m, .cols = hd, .a = part_at(b, p, i).o,
					      .a_stride = hd * 4, .m1 = VEC_M_S,
					      .s = p->inv + i * ROW_SCALARS, .out = VEC_Q8,
					      .d = out.data + at * 32, .d_stride = one ? hd : 32,
					      .d_block = b->half * 32, .sc = out.scale + at * 4,
					      .sc_row = one ? n * 4 : 4, .sc_block = b->half * 4 });
}

/* Those of all parts, one half after the other: the output projection takes them so. */
static void emit_results(struct builder *b, const struct pass *p, uint32_t head, struct act out)
{
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = p->parts, .cols = p->m, .a = p->part.sum,
					      .a_stride = ROW_SCALARS, .sfu = VEC_RECIP,
					      .out = VEC_F32, .d = p->inv, .d_stride = ROW_SCALARS });
	for (uint32_t h = 0; h < b->halves; h++)
		for (uint32_t i = h; i < p->parts; i += b->halves)
			emit_result(b, p, i, head + i / b->halves, out);
}

/* What is written first comes last: it lies where the queries were, not keys or values. */
static void alloc_pass(struct builder *b, struct pass *p)
{
	uint32_t hd = b->hp->head_dim, keys = chunk_keys(b), turns = p->parts < TURNS ? p->parts : TURNS;

	p->o_step = vsp_round(p->m * hd * 4);
	p->old = vsp_alloc(b, 128);
	p->alpha = vsp_alloc(b, 128);
	p->inv = vsp_alloc(b, p->parts * ROW_SCALARS);
	p->part.max = vsp_alloc(b, p->parts * ROW_SCALARS);
	p->part.sum = vsp_alloc(b, p->parts * ROW_SCALARS);
	p->part.o = vsp_alloc(b, p->parts * p->o_step);
	for (uint32_t i = 0; i < turns; i++) {
		p->p[i].data = vsp_alloc(b, p->m * keys);
		p->p[i].scale = vsp_alloc(b, p->m * keys / 8);
	}
	for (uint32_t i = 0; i < turns; i++)
		p->scores[i] = vsp_alloc(b, p->m * keys * 4);
}

struct attention attention_alloc(struct builder *b)
{
	const struct iau_hparams *hp = b->hp;
	struct attention a = { .at_once = b->spilled ? 1 : hp->n_head_kv };

	a.q_at_once = in_frames(b) ? 1 : a.at_once * (hp->n_head / hp->n_head_kv);
	a.queries = a.choosers = act_alloc(b, hp->n_head * hp->head_dim);
	if (iau_keys_rotated(b->cfg) && b->cfg->sparse)
		a.choosers = act_alloc(b, hp->n_head * hp->head_dim);
	a.scratch = b->vsp;
	if (in_frames(b)) {
		b->act = act_alloc(b, hp->n_embd);
		a.q = vsp_alloc(b, b->rows * hp->head_dim * 4);
	}
	a.out = in_frames(b) ? a.queries : b->act;
	return a;
}

/* Of what is half turned in a batch, at most */
static uint32_t turned_bytes(uint32_t kv_bytes)
{
	return vsp_round((kv_bytes > TURN_BYTES ? kv_bytes : TURN_BYTES) + 128);
}

void attention_alloc_projections(struct builder *b, struct attention *a)
{
	uint32_t kv_bytes = b->rows * a->at_once * b->hp->head_dim * 4;
	uint32_t q_bytes = b->rows * a->q_at_once * b->hp->head_dim * 4;

	a->v = vsp_alloc(b, kv_bytes);
	if (in_frames(b)) {
		a->k = a->v;
		b->fresh = fresh_alloc(b);
		return;
	}
	a->k = vsp_alloc(b, kv_bytes);
	a->q = b->vsp;
	/* in a batch where keys and values come later, if there is no room beside them and what is half turned */
	if (b->seqs && b->vsp + q_bytes + turned_bytes(kv_bytes) > b->cfg->vsp_bytes) {
		a->q = b->vsp = a->v;
		q_bytes = q_bytes > 2 * vsp_round(kv_bytes) ? q_bytes : 2 * vsp_round(kv_bytes);
	}
	vsp_alloc(b, q_bytes);
}

/* Queries of all heads, turned and quantised. One token: block (k, head), else (head, k, token). */
void emit_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t h)
{
	uint32_t hd = b->hp->head_dim, n = a->q_at_once;
	uint32_t rows = b->rows > 1 ? b->half : n, cols = b->rows > 1 ? n * hd : hd;

	label(b, l, OP_ROPE);
	for (uint32_t i = 0; i < b->halves; i++)
		emit_rope(b, a->q + i * b->half * cols * 4, b->rope + i * b->half * b->rope_step, rows, cols,
			  cols * 4, to_blocks(act_from(act_half(a->choosers, i), h * hd * b->half), rows));
}

uint32_t new_at(const struct builder *b, uint32_t from, uint32_t i)
{
	return from + i * b->rows * b->hp->head_dim * 4;
}

void emit_new_values(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t from,
		     uint32_t count)
{
	uint32_t hd = b->hp->head_dim;

	label(b, l, OP_KV_QUANTISE);
	for (uint32_t i = 0; i < count; i++) {
		struct fresh f = fresh_at(b, g + from + i);

		new_values(b, new_at(b, a->v, from) + i * hd * 4, count * hd * 4, &f);
	}
}

/* To the new keys of KV head G */
static struct iau_vec to_keys(const struct builder *b, uint32_t g)
{
	struct fresh f = fresh_at(b, g);

	return (struct iau_vec){ .out = VEC_Q8_F16, .d = f.k, .d_stride = 32, .d_block = tile_step(b), .sc = f.ks,
				 .sc_row = 2, .sc_block = KSCALE_STEP };
}

/* Keys that are going to be rotated: where values were, which are done with, or, if those come last, queries */
static struct act turned_keys(const struct builder *b, const struct attention *a, uint32_t i)
{
	uint32_t at = new_at(b, is_prompt(b) ? a->q : a->v, i);

	return (struct act){ .data = at, .scale = at + b->rows * b->hp->head_dim };
}

/* Of a head, at X. With rows in memory a half at a time, which takes half as much room beside them. */
static void turn_keys(struct builder *b, uint32_t x, uint32_t stride, struct iau_vec out)
{
	uint32_t rows = in_frames(b) ? b->half : b->rows;

	for (uint32_t r = 0; r < b->rows; r += rows) {
		emit_rope(b, x + r * stride, b->rope + r * b->rope_step, rows, b->hp->head_dim, stride, out);
		out.d += rows * 32;
		out.sc += rows * out.sc_row;
	}
}

void emit_new_keys(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t from,
		   uint32_t count)
{
	uint32_t stride = count * b->hp->head_dim * 4;

	label(b, l, OP_ROPE);
	for (uint32_t i = 0; i < count; i++)
		turn_keys(b, new_at(b, a->k, from) + i * b->hp->head_dim * 4, stride,
			  iau_keys_rotated(b->cfg) ? to_blocks(turned_keys(b, a, from + i), b->rows) :
						     to_keys(b, g + from + i));
}

void emit_rotated_keys(struct builder *b, uint32_t l, const struct attention *a, uint32_t g)
{
	if (!iau_keys_rotated(b->cfg))
		return;
	label(b, l, OP_ROPE);
	for (uint32_t i = 0; i < a->at_once; i++)
		emit_rotated(b, turned_keys(b, a, i), b->rows, b->rows, new_at(b, a->k, i),
			     ROTATED_KEY(b->hp->head_dim), to_keys(b, g + i));
}

/* The chunks before the newest. With a choice: all of them if the layer does without. */
static void emit_older_chunks(struct builder *b, const struct pass *p, const struct choice *c,
			      const struct older *full, struct act q, struct place here, struct place spare)
{
	size_t dense, over;

	if (!b->cfg->sparse) {
		emit_older_loop(b, p, full, spare, here);
		return;
	}
	dense = iau_cmd_branch_above(&b->cb, GRAPH_DENSE, full->layer);
	emit_chosen_chunks(b, c, p, full->layer, full->head, q, spare, here);
	over = iau_cmd_branch(&b->cb);
	iau_cmd_branch_here(&b->cb, dense);
	load_full(b, full, spare, GRAPH_FULL);
	emit_older_loop(b, p, full, spare, here);
	load_behind(b, full, true);
	iau_cmd_branch_here(&b->cb, over);
}

static void emit_pass(struct builder *b, struct pass *p, const struct choice *c, uint32_t l, uint32_t g,
		      const struct attention *a)
{
	const struct iau_hparams *hp = b->hp;
	uint32_t group = hp->n_head / hp->n_head_kv, one = b->rows == 1, head = g * group;
	uint32_t pass = l * hp->n_head_kv + g;
	uint32_t block = one ? head : head * hd_blocks(b) * b->half;
	struct place here = place_at(b, pass), spare = place_at(b, pass + 2);
	struct older full = all_older(b, l, 0, g);
	struct fresh f = fresh_at(b, g);
	/* the first head's values are the last ones, too */
	bool is_late = is_prompt(b) && hp->n_head_kv == 1 && !kv_through_memory(b);

	p->part.q = act_from(a->queries, block * 32);
	label(b, l, OP_KV_CACHE);
	if (!kv_through_memory(b)) {
		if (is_prompt(b))
			insert_fresh_keys(b, here, &f);
		else
			insert_fresh(b, here, &f, 0);
		if (is_prompt(b) && !is_late)
			insert_fresh_values(b, here, &f);
	}
	/* the first of them is asked for before the newest chunk is worked on */
	if (!b->cfg->sparse)
		load_full(b, &full, spare, GRAPH_FULL);
	if (kv_passes_ahead(hp) == 1)
		emit_kv_prefetch(b, l, g + 1);
	emit_chunk(b, p, here, true, is_late ? &f : NULL);
	emit_older_chunks(b, p, c, &full, a->choosers, here, spare);
	if (kv_passes_ahead(hp) == 2 && !b->cfg->sparse)
		emit_kv_prefetch(b, l, g + 2);
	label_op(b, OP_ATTN_VALUES);
	emit_results(b, p, head, a->out);
}

static struct pass pass_of(const struct builder *b)
{
	const struct iau_hparams *hp = b->hp;
	uint32_t group = hp->n_head / hp->n_head_kv, one = b->rows == 1;

	return (struct pass){ .m = one ? group : b->half, .parts = one ? 1 : group * b->halves,
			      .pitch = one ? hp->n_head : b->half, .q_step = b->half * hp->head_dim };
}

/* Of the first KV head, or what the part before chose for all; nothing if the layer does without */
static void begin_choice(struct builder *b, const struct choice *c, const struct pass *p, uint32_t l, struct act q)
{
	size_t dense;

	emit_more_chosen(b, l);
	dense = iau_cmd_branch_above(&b->cb, GRAPH_DENSE, l);
	if (b->cfg->is_part)
		load_told_choice(b, c);
	else
		emit_choice(b, c, p, l, 0, q);
	iau_cmd_branch_here(&b->cb, dense);
}

static void emit_passes(struct builder *b, uint32_t l, const struct attention *a)
{
	struct pass p = pass_of(b);
	struct choice c = { 0 };

	b->vsp = a->scratch;
	alloc_pass(b, &p);
	if (b->cfg->sparse) {
		c = choice_alloc(b, &p);
		begin_choice(b, &c, &p, l, a->choosers);
	}
	for (uint32_t g = 0; g < b->hp->n_head_kv; g++) {
		emit_pass(b, &p, &c, l, g, a);
		if (is_decode(b))
			load_between(b, b->ring_bytes / b->hp->n_head_kv / 2);
	}
	if (is_decode(b))
		begin_stage(b, DECODE_CREDIT);
}

void emit_attention(struct builder *b, uint32_t l, const struct attention *a)
{
	if (l < b->attending)
		emit_passes(b, l, a);
	if (!kv_through_memory(b))
		emit_stores(b, l, 0, b->hp->n_head_kv);
}

void emit_told_choice(struct builder *b, uint32_t l, const struct attention *a)
{
	struct pass p = pass_of(b);
	struct choice c;
	size_t dense;

	b->vsp = a->scratch;
	c = choice_alloc(b, &p);
	emit_more_chosen(b, l);
	dense = iau_cmd_branch_above(&b->cb, GRAPH_DENSE, l);
	for (uint32_t g = 0; g < b->hp->n_head_kv; g++)
		emit_choice(b, &c, &p, l, g, a->choosers);
	store_chosen(b, &c);
	iau_cmd_branch_here(&b->cb, dense);
}
