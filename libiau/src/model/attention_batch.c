/* SPDX-License-Identifier: MIT */
/*
 * Attention of a batch: each sequence has one query, and keys and values of its own. A pass is a layer,
 * sequence and KV head. Passes overlap: the next ones' new keys are put in their place and multiplied
 * before the softmax of the one at hand, and what comes four passes later is asked for.
 *
 * The registers of neighbouring sequences are in different halves.
 */
#include "model/rotation.h"
#include "model/attention.h"


/* Passes whose scores are asked for ahead of a softmax: not two sequences of the same half */
static uint32_t scores_ahead(const struct builder *b)
{
	return b->hp->n_head_kv > 1 ? 2 : 1;
}

/* What the passes of a layer share; those of a sequence have what follows at equal distances. */
struct batch {
	struct attention a;
	struct pass turn; /* scores and probabilities of three passes in turns */
	uint32_t layer, group, passes;
	uint32_t sum, inv; /* of each pass a vector with one a head */
	uint32_t o, o_step;
	uint32_t places; /* of sequences with those: all, or, where there is little room, two in turns */
	uint32_t max; /* in turns */
};

static struct batch batch_alloc(struct builder *b, uint32_t l, const struct attention *a)
{
	const struct iau_hparams *hp = b->hp;
	uint32_t keys = chunk_keys(b), group = hp->n_head / hp->n_head_kv;
	struct batch t = { .a = *a, .layer = l, .group = group, .passes = b->seqs * hp->n_head_kv,
			   .o_step = vsp_round(hp->n_head * hp->head_dim * 4),
			   .places = b->spilled ? 2 : b->seqs };

	t.turn = (struct pass){ .m = group, .parts = 1, .pitch = hp->n_head };
	t.turn.old = vsp_alloc(b, ROW_SCALARS);
	t.turn.alpha = vsp_alloc(b, ROW_SCALARS);
	t.max = vsp_alloc(b, TURNS * IAU_VSP_GRANULE);
	t.inv = vsp_alloc(b, t.places * hp->n_head_kv * ROW_SCALARS);
	t.sum = vsp_alloc(b, t.places * hp->n_head_kv * ROW_SCALARS);
	t.o = vsp_alloc(b, t.places * t.o_step);
	for (uint32_t i = 0; i < TURNS; i++) {
		t.turn.p[i].data = vsp_alloc(b, group * keys);
		t.turn.p[i].scale = vsp_alloc(b, group * keys / 8);
	}
	for (uint32_t i = 0; i < TURNS; i++)
		t.turn.scores[i] = vsp_alloc(b, group * keys * 4);
	return t;
}

/* Takes up what attention needs to know of a sequence. */
static void take_registers(struct builder *b, uint32_t seq)
{
	b->regs = seq % 2 * 16;
	iau_cmd_sload_half(&b->cb, b->regs, b->params + seq * IAU_PARAM_BYTES);
}

static struct pass pass_at(const struct builder *b, const struct batch *t, uint32_t i)
{
	uint32_t seq = i / b->hp->n_head_kv, head = i % b->hp->n_head_kv * t->group, hd = b->hp->head_dim;
	struct pass p = t->turn;

	p.part = (struct part){ .q = act_from(t->a.queries, seq * b->hp->n_head * hd + head * 32),
				.max = t->max + i % TURNS * IAU_VSP_GRANULE,
				.sum = t->sum + i % (t->places * b->hp->n_head_kv) * ROW_SCALARS,
				.o = t->o + seq % t->places * t->o_step + head * hd * 4 };
	p.scores[0] = t->turn.scores[i % TURNS];
	p.p[0] = t->turn.p[i % TURNS];
	return p;
}

/* Places go round through all layers. */
static struct place here(const struct builder *b, const struct batch *t, uint32_t i)
{
	return place_at(b, t->layer * t->passes + i);
}

static void begin_pass(struct builder *b, const struct batch *t, uint32_t i)
{
	uint32_t seq = i / b->hp->n_head_kv, head = i % b->hp->n_head_kv;
	struct pass p = pass_at(b, t, i);
	struct fresh f = fresh_at(b, head);

	if (i >= t->passes)
		return;
	if (head == 0)
		take_registers(b, seq);
	b->regs = seq % 2 * 16;
	label_op(b, OP_KV_CACHE);
	insert_fresh(b, here(b, t, i), &f, seq);
	label_op(b, OP_ATTN_SCORES);
	emit_scores(b, &p, here(b, t, i), 0, true);
}

/* Of all heads of a sequence: OUT = o / l, row SEQ of the blocks for the output projection */
static void emit_result(struct builder *b, const struct batch *t, uint32_t seq, struct act out)
{
	uint32_t hd = b->hp->head_dim, n_kv = b->hp->n_head_kv, step = hd_blocks(b) * b->rows;
	uint32_t place = seq % t->places, scalars = place * n_kv * ROW_SCALARS, inv = t->inv + scalars;

	label_op(b, OP_ATTN_VALUES);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = n_kv, .cols = t->group,
					      .a = t->sum + scalars,
					      .a_stride = ROW_SCALARS, .sfu = VEC_RECIP, .out = VEC_F32,
					      .d = inv, .d_stride = ROW_SCALARS });
	for (uint32_t g = 0; g < n_kv; g++) {
		uint32_t head = g * t->group, at = head * step + seq;

		iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = t->group, .cols = hd,
						      .a = t->o + place * t->o_step + head * hd * 4,
						      .a_stride = hd * 4, .m1 = VEC_M_S,
						      .s = inv + g * ROW_SCALARS, .out = VEC_Q8,
						      .d = out.data + at * 32, .d_stride = step * 32,
						      .d_block = b->rows * 32, .sc = out.scale + at * 4,
						      .sc_row = step * 4, .sc_block = b->rows * 4 });
	}
}

/* What pass I of all passes of all layers needs, asked for while that of AHEAD passes before is at hand */
static void prefetch(struct builder *b, uint32_t i, uint32_t ahead)
{
	uint32_t n_kv = b->hp->n_head_kv;
	struct chunk_regs own = { GRAPH_CHUNK, GRAPH_HI, GRAPH_BLOCKS };
	struct chunk_regs other = { GRAPH_AHEAD_CHUNK, GRAPH_AHEAD_HI, GRAPH_AHEAD_BLOCKS };

	load_newest(b, i, i / n_kv == (i - ahead) / n_kv ? own : other);
}

void emit_batch_prefetch(struct builder *b)
{
	for (uint32_t i = 0; i < batch_passes_ahead(b->hp); i++) {
		take_registers(b, i / b->hp->n_head_kv % b->seqs);
		prefetch(b, i, 0);
	}
}

/*
 * Of short sequences no pass needs a place for more chunks: one more than is asked for ahead of the last
 * layer's passes can be filled while the projections run.
 */
static uint32_t passes_early(const struct builder *b)
{
	uint32_t passes = b->seqs * b->hp->n_head_kv, ahead = batch_passes_ahead(b->hp);

	return !b->is_long && passes > ahead;
}

void emit_batch_early(struct builder *b, uint32_t l)
{
	uint32_t n_kv = b->hp->n_head_kv, ahead = batch_passes_ahead(b->hp);

	for (uint32_t i = ahead; i < ahead + passes_early(b); i++) {
		take_registers(b, i / n_kv);
		prefetch(b, l * b->seqs * n_kv + i, 0);
	}
}

static void finish_pass(struct builder *b, const struct batch *t, uint32_t i)
{
	struct pass p = pass_at(b, t, i);
	struct place at = here(b, t, i), spare = here(b, t, i + b->kv_places - 1);
	struct older older = all_older(b, t->layer, i / b->hp->n_head_kv, i % b->hp->n_head_kv);

	label_op(b, OP_SOFTMAX);
	emit_softmax(b, &p, at, 0, true);
	label_op(b, OP_ATTN_VALUES);
	emit_values(b, &p, at, 0, true);
	label_op(b, OP_KV_CACHE);
	if (b->is_long)
		emit_older_loop(b, &p, &older, spare, at);
}

/* The first of the full chunks is asked for before the newest is worked on. */
static void begin_full(struct builder *b, const struct batch *t, uint32_t i)
{
	struct older older = all_older(b, t->layer, i / b->hp->n_head_kv, i % b->hp->n_head_kv);
	size_t none = iau_cmd_branch_zero(&b->cb, b->regs + GRAPH_FULL);

	label_op(b, OP_KV_CACHE);
	load_full(b, &older, here(b, t, i + b->kv_places - 1), GRAPH_FULL);
	iau_cmd_branch_here(&b->cb, none);
}

void emit_batch_attention(struct builder *b, uint32_t l, const struct attention *a)
{
	uint32_t n_kv = b->hp->n_head_kv, ahead = batch_passes_ahead(b->hp);
	struct batch t;

	b->vsp = a->scratch;
	t = batch_alloc(b, l, a);
	label(b, l, OP_KV_CACHE);
	for (uint32_t i = 0; i < scores_ahead(b); i++)
		begin_pass(b, &t, i);
	for (uint32_t i = 0; i < t.passes; i++) {
		b->regs = i / n_kv % 2 * 16;
		if (b->is_long)
			begin_full(b, &t, i);
		begin_pass(b, &t, i + scores_ahead(b));
		b->regs = i / n_kv % 2 * 16;
		finish_pass(b, &t, i);
		if (i && i % n_kv == 0)
			emit_result(b, &t, i / n_kv - 1, a->out);
		if (i >= passes_early(b))
			prefetch(b, l * t.passes + i + ahead, ahead);
		load_between(b, b->ring_bytes / t.passes / 4);
	}
	emit_result(b, &t, b->seqs - 1, a->out);
	begin_stage(b, EARLY_CREDIT);
	b->stored = 0;
}

/* Sequence SEQ's COUNT queries from FIRST on, as rows, from the two summands of emit_turn() at X and Y */
static void emit_query(struct builder *b, uint32_t x, uint32_t y, struct act queries, uint32_t seq, uint32_t first,
		       uint32_t count)
{
	uint32_t hd = b->hp->head_dim, n = b->hp->n_head;
	struct act out = act_from(queries, seq * n * hd + first * 32);
	struct iau_vec sum = to_blocks(out, n);

	sum.rows = count;
	sum.cols = hd;
	sum.a = x;
	sum.a1 = VEC_A_B;
	sum.b = y;
	sum.a_stride = sum.b_stride = hd * 4;
	iau_cmd_vec(&b->cb, sum);
	if (iau_keys_rotated(b->cfg))
		emit_rotated(b, out, count, n, x, ROTATED_QUERY, to_blocks(out, n));
}

/* As many sequences at a time as do not take much of the scratchpad */
void emit_batch_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t h)
{
	uint32_t cols = a->q_at_once * b->hp->head_dim, mark = b->vsp, n;
	uint32_t most = cols * 4 < TURN_BYTES ? TURN_BYTES / (cols * 4) : 1;

	label(b, l, OP_ROPE);
	for (uint32_t seq = 0; seq < b->seqs; seq += n) {
		uint32_t x = a->q + seq * cols * 4, y;

		n = b->seqs - seq < most ? b->seqs - seq : most;
		y = emit_turn(b, x, b->rope + seq * b->rope_step, n, cols, cols * 4);
		for (uint32_t i = 0; i < n; i++)
			emit_query(b, x + i * cols * 4, y + i * cols * 4, a->queries, seq + i, h,
				   a->q_at_once);
	}
	b->vsp = mark;
}

void emit_batch_stores(struct builder *b, uint32_t most)
{
	uint32_t layer = IAU_LABEL_LAYER(b->cb.label);
	uint16_t before = label_op(b, OP_KV_CACHE);

	for (; most && b->stored < b->seqs * STORE_PARTS; most--, b->stored++) {
		uint32_t seq = b->stored / STORE_PARTS, part = b->stored % STORE_PARTS;

		if (part == 0)
			iau_cmd_sload_half(&b->cb, 16, b->params + seq * IAU_PARAM_BYTES + 64);
		store_fresh(b, layer, 0, b->hp->n_head_kv, seq, part);
	}
	b->cb.label = before;
}
