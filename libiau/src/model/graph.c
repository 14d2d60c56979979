/* SPDX-License-Identifier: MIT */
/*
 * A transformer of the LLaMA family as commands. The path of a token, shapes for R rows:
 * x [R][n_embd] -> norm -> q, k, v [R][heads][head_dim] -> rope -> attention -> x += o
 * -> norm -> gate, up [R][n_ff] -> silu(gate) * up -> x += down -> ... -> norm -> logits.
 */
#include "model/attention.h"
#include "model/rotation.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG2_E 1.44269504f
#define LOGIT_SLICE 16u /* tile columns of logits at a time */

static void emit_load(struct builder *b, uint64_t va, uint32_t addr, uint32_t bytes)
{
	iau_cmd_load(&b->cb, (struct iau_copy){ .va = va, .addr = addr, .row_bytes = bytes, .rows = 1 });
}

void load_pack(struct builder *b, uint32_t l)
{
	emit_load(b, b->w->layer[l].pack_va, pack_of(b, l), b->w->pack.bytes);
}

/* Row R of the rope table at hand, or all of it, from the position in a register on */
void load_rope(struct builder *b, uint32_t r, uint32_t rows)
{
	uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->w->rope_va,
								.addr = b->rope + r * b->rope_step,
								.row_bytes = rows * b->hp->head_dim * 8,
								.rows = 1 });

	iau_cmd_patch(cmd, 2, GRAPH_ROPE);
}

/* Where the blocks of sequence SEQ of a batch are */
static void load_batch_table(struct builder *b, uint32_t seq)
{
	uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .addr = b->table + seq * table_bytes(b),
								.row_bytes = b->cfg->kv.n_ctx / 8, .rows = 1 });

	iau_cmd_patch(cmd, 2, GRAPH_TABLE);
	iau_cmd_patch(cmd, 3, GRAPH_TABLE_HI);
}

/* Of a batch, and of each row the turns at its position: the registers say where they are. */
static void load_batch_embeddings(struct builder *b, uint32_t rows, uint32_t stride)
{
	struct iau_copy row = { .va = b->w->embd_va, .row_bytes = b->w->embd_stride, .rows = 1 };

	emit_load(b, b->cfg->tokens_va, b->params, b->seqs * IAU_PARAM_BYTES);
	/* weights come meanwhile */
	load_ahead(b);
	for (uint32_t r = 0; r < b->seqs; r++) {
		iau_cmd_sload_half(&b->cb, 16, b->params + r * IAU_PARAM_BYTES + 64);
		row.addr = rows + r * stride;
		iau_cmd_patch(iau_cmd_load(&b->cb, row), 2, GRAPH_TOKEN);
		load_rope(b, r, 1);
		if (is_packed(b) && b->is_long)
			load_batch_table(b, r);
	}
}

uint32_t embd_step(const struct builder *b)
{
	/* a granule for each row of a batch: loads into a common one would go one after the other */
	return b->seqs ? vsp_round(b->w->embd_stride) : (b->w->embd_stride + 127) & ~127u;
}

void load_embeddings(struct builder *b, uint32_t list, uint32_t embd)
{
	iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->w->embd_va, .addr = embd, .row_bytes = b->w->embd_stride,
						.rows = b->rows, .stride = embd_step(b), .by_list = true,
						.list = list });
}

/* One row: its place is in a register. More: a list of places */
static void load_places(struct builder *b, uint32_t embd)
{
	uint32_t list;

	if (b->rows == 1) {
		iau_cmd_patch(iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->w->embd_va, .addr = embd,
								      .row_bytes = b->w->embd_stride, .rows = 1 }),
			      2, GRAPH_TOKEN);
		return;
	}
	list = vsp_alloc(b, b->rows * 4);
	emit_load(b, b->cfg->tokens_va, list, b->rows * 4);
	load_embeddings(b, list, embd);
}

void emit_kv_prefetches(struct builder *b)
{
	for (uint32_t i = 0; i < kv_passes_ahead(b->hp) && !kv_through_memory(b); i++)
		emit_kv_prefetch(b, b->from, i);
	/* a part knows what its layer chooses */
	if (b->cfg->sparse && (!b->cfg->is_part || b->from == b->to))
		emit_bounds_prefetch(b, b->from);
}

/*
 * x[r] = embedding of token r: INT8 blocks times their scales. What the first layer needs is asked
 * for right behind, before anything waits.
 */
static void emit_embedding(struct builder *b)
{
	uint32_t mark = b->vsp;
	uint32_t rows = vsp_alloc(b, b->rows * embd_step(b));

	if (b->seqs)
		load_batch_embeddings(b, rows, embd_step(b));
	else
		load_places(b, rows);
	load_pack(b, 0);
	emit_second_half(b);
	if (!b->seqs)
		load_rope(b, 0, b->rows);
	load_ahead(b);
	(b->seqs ? emit_batch_prefetch : emit_kv_prefetches)(b);
	emit_rows_embedded(b, rows, embd_step(b));
	b->vsp = mark;
}

void emit_second_half(struct builder *b)
{
	if (b->shortens)
		iau_cmd_salu_imm(&b->cb, SALU_SUB, GRAPH_SECOND, GRAPH_SECOND, b->half);
}

/* The rows as the part before left them */
static void emit_rows(struct builder *b)
{
	emit_rows_taken(b);
	load_pack(b, b->from);
	load_rope(b, 0, b->rows);
	load_ahead(b);
	emit_kv_prefetches(b);
}

/* Buffers of a slice of the feed-forward layer; two sets, so that slices overlap. */
struct ffn_slice {
	uint32_t gate, up, tmp;
};

/* TMP = silu(gate) of half H, COLS wide (Shazeer 2020) */
static void emit_silu(struct builder *b, const struct ffn_slice *s, uint32_t h, uint32_t cols)
{
	uint32_t at = h * b->half * cols * 4;
	struct iau_vec v = { .rows = rows_of(b, h), .cols = cols, .a_stride = cols * 4, .b_stride = cols * 4,
			     .d_stride = cols * 4, .out = VEC_F32, .d = s->tmp + at };
	struct iau_vec t = v;

	t.a = s->gate + at, t.m1 = VEC_M_IMM, t.imm0 = -LOG2_E, t.sfu = VEC_EXP2;
	patch_rows(b, iau_cmd_vec(&b->cb, t), h);
	t = v;
	t.a = s->tmp + at, t.a1 = VEC_A_IMM, t.imm1 = 1.0f, t.sfu = VEC_RECIP;
	t.m2 = VEC_M_B, t.b = s->gate + at;
	patch_rows(b, iau_cmd_vec(&b->cb, t), h);
}

/* OUT = silu(gate) * up of COUNT tile columns from FIRST; IN: B->act */
static void emit_ffn_slice(struct builder *b, const struct iau_layer *y, struct act out,
			   const struct ffn_slice *s, uint32_t first, uint32_t count)
{
	uint32_t cols = count * 32, half_bytes = b->half * cols * 4;
	const struct linear gate_up[] = {
		{ .m = &y->gate, .act = b->act, .first = first, .count = count, .out = s->gate, .out_stride = cols * 4 },
		{ .m = &y->up, .act = b->act, .first = first, .count = count, .out = s->up, .out_stride = cols * 4 },
	};

	label_op(b, OP_FFN_GATE_UP);
	emit_linears(b, gate_up, 2);
	label_op(b, OP_FFN_ACTIVATION);
	for (uint32_t h = 0; h < b->halves; h++) {
		struct iau_vec v = to_blocks(act_half(out, h), b->half);

		emit_silu(b, s, h, cols);
		v.rows = rows_of(b, h);
		v.cols = cols;
		v.a = s->tmp + h * half_bytes;
		v.a_stride = v.b_stride = cols * 4;
		v.m1 = VEC_M_B;
		v.b = s->up + h * half_bytes;
		patch_rows(b, iau_cmd_vec(&b->cb, v), h);
	}
}

/*
 * Tile columns of gate and up at a time. With many rows the vector unit has as much to do as the
 * matrix engine: small slices let one work on the last slice while the other is at the next. A
 * single row is over sooner in few commands.
 */
static uint32_t slice_columns(const struct builder *b)
{
	if (b->rows == 1)
		return 16;
	return b->spilled && b->rows > 16 ? 2 : 4;
}

/*
 * Tile columns of gate and up until down takes them: all, or of rows in memory as many whole segments as the
 * scratchpad has room for beside so many BYTES, in parts of about the same size
 */
static uint32_t part_columns(const struct builder *b, const struct iau_layer *y, uint32_t bytes)
{
	uint32_t room = b->cfg->vsp_bytes, used = b->vsp + bytes + rows_add_bytes(b) + 4 * IAU_VSP_GRANULE;
	uint32_t nt = y->gate.nt, segment = y->down.segment, segments = (nt + segment - 1) / segment, fit, parts;

	if (!b->spilled)
		return nt;
	fit = room > used ? (room - used) / (segment * b->rows * 36) : 0;
	parts = fit ? (segments + fit - 1) / fit : segments;
	return (segments + parts - 1) / parts * segment;
}

static void emit_ffn_block(struct builder *b, uint32_t l, uint32_t pack)
{
	const struct iau_layer *y = &b->w->layer[l];
	uint32_t mark = b->vsp, nt = y->gate.nt, step = slice_columns(b), bytes = b->rows * step * 128, part, tmp, end;
	struct ffn_slice slice[2];
	struct act out;

	label(b, l, OP_FFN_NORM);
	if (in_frames(b))
		b->act = act_alloc(b, b->hp->n_embd);
	part = part_columns(b, y, 5 * vsp_round(bytes) + IAU_VSP_GRANULE);
	emit_rows_norm(b, pack + b->w->pack.ffn_norm);
	out = act_alloc(b, part * 32);
	tmp = vsp_alloc_beside(b, bytes);
	for (unsigned int i = 0; i < 2; i++)
		slice[i] = (struct ffn_slice){ vsp_alloc(b, bytes), vsp_alloc(b, bytes), tmp };
	end = b->vsp;
	for (uint32_t n = 0, i = 0, count; n < nt; n += count) {
		count = nt - n < part ? nt - n : part;
		label_op(b, OP_FFN_DOWN);
		emit_rows_add_asked(b);
		for (uint32_t k = 0; k < count; k += step, i ^= 1)
			emit_ffn_slice(b, y, act_from(out, k * b->half * 32), &slice[i], n + k,
				       count - k < step ? count - k : step);
		label_op(b, OP_FFN_DOWN);
		emit_rows_add(b, &y->down, out, n, count);
		b->vsp = end;
	}
	emit_batch_stores(b, b->seqs * STORE_PARTS);
	b->vsp = mark;
}

static uint32_t output_norm_of(const struct builder *b)
{
	return b->pack[b->hp->n_layer & 1];
}

static void load_output_norm(struct builder *b)
{
	emit_load(b, b->w->output_norm_va, output_norm_of(b), b->hp->n_embd * 4);
	b->has_output_norm = true;
}

static void emit_logits(struct builder *b)
{
	const struct iau_matrix *m = &b->w->output;
	uint32_t n_embd = b->hp->n_embd;
	uint32_t slice = m->nt < LOGIT_SLICE ? m->nt : LOGIT_SLICE, out[2];

	if (b->in_memory && !b->seqs)
		b->act = act_alloc(b, n_embd);
	if (!b->has_output_norm)
		load_output_norm(b);
	emit_rows_norm(b, output_norm_of(b));
	label_op(b, OP_LOGITS);
	out[0] = vsp_alloc(b, b->rows * slice * 128);
	out[1] = vsp_alloc(b, b->rows * slice * 128);
	for (uint32_t n = 0, i = 0; n < m->nt; n += slice, i ^= 1) {
		uint32_t count = m->nt - n < slice ? m->nt - n : slice;
		uint32_t cols = m->n - n * 32 < count * 32 ? m->n - n * 32 : count * 32;

		emit_linear(b, (struct linear){ .m = m, .act = b->act, .first = n, .count = count,
						.out = out[i], .out_stride = slice * 128 });
		iau_cmd_store(&b->cb, (struct iau_copy){ .va = b->cfg->logits_va + n * 128,
							 .addr = out[i], .row_bytes = cols * 4,
							 .rows = b->seqs ? b->seqs : b->rows,
							 .mem_stride = m->n * 4,
							 .stride = slice * 128 });
		if (b->steps)
			emit_likeliest(b, out[i], n * 32, cols);
	}
}

/* What a pass over the model begins with */
static void begin_pass(struct builder *b, uint32_t rows, enum iau_graph_logits logits)
{
	bool keeps_row = logits == LOGITS_ONE && rows > 1 && !b->seqs && !b->cfg->is_part && !b->cfg->sparse;

	b->spilled = b->in_memory;
	b->has_output_norm = false;
	set_rows(b, rows);
	b->fresh_rows = rows;
	b->vsp = b->vsp_peak = 0;
	b->cur = b->used = b->next_load = 0;
	b->ring_used = 0;
	b->ring_limit = is_prompt(b) && !b->in_memory ? RUN_CREDIT : b->ring_bytes;
	b->goes_round = false;
	b->stage = 0;
	b->credit = EARLY_CREDIT;
	b->stored = b->seqs * STORE_PARTS;
	b->regs = 0;
	b->cb.n = 0;
	b->steps = logits == LOGITS_NEXT;
	b->list = &b->chunks[0];
	b->runs = (logits == LOGITS_NONE || (keeps_row && b->to > 1)) && is_prompt(b) && !b->cfg->is_part &&
		  !b->in_memory && !b->alone;
	b->keeps_row = keeps_row && !b->runs;
	b->shortens = b->halves > 1 && !b->cfg->sparse;
	b->attending = logits == LOGITS_NONE && !b->cfg->is_part ? b->to - 1 : b->to;
}

static void alloc_buffers(struct builder *b)
{
	const struct iau_hparams *hp = b->hp;
	uint32_t tables = b->seqs ? b->seqs * b->is_long : 1;

	b->params = vsp_alloc(b, b->runs ? sizeof(struct iau_graph_run) :
					   (b->steps ? GRAPH_STEPS : b->seqs) * IAU_PARAM_BYTES);
	b->likeliest = vsp_alloc(b, b->steps ? IAU_VSP_GRANULE : 0);
	b->stat = vsp_alloc(b, 2 * IAU_VSP_GRANULE);
	b->pack[0] = vsp_alloc_beside(b, b->w->pack.bytes);
	b->pack[1] = b->spilled ? b->pack[0] : vsp_alloc_beside(b, b->w->pack.bytes);
	if (b->runs) {
		b->first_pack = vsp_alloc_beside(b, b->w->pack.bytes);
		b->embd = vsp_alloc(b, b->rows * embd_step(b));
	}
	b->rope_step = b->seqs ? vsp_round(hp->head_dim * 8) : hp->head_dim * 8;
	b->rope = vsp_alloc_beside(b, b->rows * b->rope_step);
	rows_alloc(b);
	if (!in_frames(b)) {
		b->act = act_alloc_widest(b);
		b->fresh = fresh_alloc(b);
	}
	b->table = vsp_alloc(b, is_packed(b) ? tables * table_bytes(b) : 0);
	for (unsigned int i = 0; i < b->kv_places; i++)
		b->vscale[i] = vsp_alloc_beside(b, b->cfg->kv.chunk_blocks * 128);
}

/* Up to the first layer */
static void emit_beginning(struct builder *b)
{
	label(b, 0, OP_EMBEDDING);
	if (is_packed(b) && !b->seqs)
		emit_load(b, b->cfg->table_va, b->table, b->cfg->kv.n_ctx / 8);
	if (iau_keys_rotated(b->cfg))
		emit_load(b, b->w->hadamard_va, b->hadamard, iau_hadamard_tiles(b->hp) * HADAMARD_INT4);
	if (b->steps) {
		emit_steps(b);
		emit_step(b);
	}
	if (b->runs)
		emit_runs(b);
	(b->runs ? emit_kv_prefetches : b->from ? emit_rows : emit_embedding)(b);
}

static void emit_layer(struct builder *b, uint32_t l)
{
	label(b, l + 1, OP_ATTN_NORM);
	if (!b->spilled && l + 1 < b->hp->n_layer)
		load_pack(b, l + 1);
	/* before the last weights, which wait for room */
	if (!b->spilled && l + 1 == b->hp->n_layer && l < b->attending)
		load_output_norm(b);
	/* with rows, which do not come sooner */
	if (b->spilled && l > b->from)
		load_pack(b, l);
	/* not in the first layer, if there are more: LOADs have enough to wait for there */
	if (b->runs && !b->keeps_row && l == (b->to > 1))
		emit_run_asked(b, true);
	if (b->keeps_row && l + 1 == b->to)
		emit_kept_attention_block(b, l, pack_of(b, l));
	else
		emit_attention_block(b, l, pack_of(b, l));
	if (l < b->attending)
		emit_ffn_block(b, l, pack_of(b, l));
}

void emit_layers(struct builder *b)
{
	for (uint32_t l = b->from; l < b->to; l++)
		emit_layer(b, l);
}

static void emit_model(struct builder *b, uint32_t rows, enum iau_graph_logits logits)
{
	begin_pass(b, rows, logits);
	alloc_buffers(b);
	emit_beginning(b);
	if (b->runs && logits == LOGITS_ONE)
		emit_runs_before(b);
	emit_layers(b);
	if (b->to < b->hp->n_layer)
		emit_peek(b, b->to, b->pack[b->to & 1]);
	label(b, b->hp->n_layer, OP_OUTPUT_NORM);
	if (logits == LOGITS_ONE && !b->keeps_row)
		emit_row_kept(b);
	if (logits != LOGITS_NONE)
		emit_logits(b);
	if (b->runs && logits == LOGITS_NONE)
		emit_next_run(b);
	if (b->steps)
		emit_next_step(b);
	else
		iau_cmd_end(&b->cb);
}

/*
 * Places for chunks of keys and values: in use, filled for the next pass, for more of this one and then
 * perhaps for the pass after the next; a batch works on three passes and asks for two more.
 */
static void divide_tsp(struct builder *b)
{
	const struct iau_kv_layout *kv = &b->cfg->kv;

	b->kv_places = b->seqs ? 6 : 3;
	b->kv_bytes = tsp_round(kv->chunk_blocks * (kv->head_bytes + kv->kscale_bytes));
	b->ring_bytes = IAU_TSP_BYTES - b->kv_places * b->kv_bytes - 2 * bound_place_bytes(b->cfg);
	if (iau_keys_rotated(b->cfg))
		b->ring_bytes -= tsp_round(iau_hadamard_tiles(b->hp) * HADAMARD_INT4);
	b->kv_at = IAU_TSP_BASE + b->ring_bytes;
	b->bound_places = b->kv_at + b->kv_places * b->kv_bytes;
	b->hadamard = b->bound_places + 2 * bound_place_bytes(b->cfg);
}

/* All but the commands' way to the device */
static int emit(struct builder *b, uint32_t rows, enum iau_graph_logits logits)
{
	divide_tsp(b);
	b->planning = true;
	emit_model(b, rows, logits);
	b->planning = false;
	if (b->cur > MAX_CHUNKS)
		return iau_error(-ENOTSUP, "model has more than %d weight chunks", MAX_CHUNKS);
	if (b->vsp_peak > b->cfg->vsp_bytes)
		return iau_error(-ENOSPC, "%u rows need %u bytes of vector scratchpad, it has %u", rows,
				 b->vsp_peak, b->cfg->vsp_bytes);
	place_chunks(b);
	if (b->runs && logits == LOGITS_ONE && !begin_alike(b))
		return -ENOSPC;
	emit_model(b, rows, logits);
	return b->cb.err;
}

int iau_graph_finish(struct iau_device *dev, struct iau_cmdbuf *cb, uint32_t rows, struct iau_graph *out)
{
	int err = cb->err;

	memset(out, 0, sizeof(*out));
	if (!err)
		err = iau_buffer_create(dev, cb->n * IAU_CMD_BYTES, IAU_ACCESS_CONST, &out->buf);
	if (!err) {
		memcpy(out->buf.ptr, cb->cmd, cb->n * IAU_CMD_BYTES);
		out->bytes = cb->n * IAU_CMD_BYTES;
		out->rows = rows;
		out->labels = cb->labels;
		cb->labels = NULL;
	}
	iau_cmdbuf_free(cb);
	return err;
}

static int build(struct iau_device *dev, struct builder *b, uint32_t rows, enum iau_graph_logits logits,
		 struct iau_graph *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	b->from = b->cfg->is_part ? b->cfg->from : 0;
	b->to = b->cfg->is_part ? b->cfg->to : b->hp->n_layer;
	b->chunks[0].chunk = calloc(2 * MAX_CHUNKS, sizeof(struct chunk));
	if (!b->chunks[0].chunk)
		return iau_error_nomem("graph");
	b->chunks[1].chunk = b->chunks[0].chunk + MAX_CHUNKS;
	err = emit(b, rows, logits);
	if (err == -ENOSPC && b->runs) {
		b->alone = true;
		err = emit(b, rows, logits);
	}
	/* blocks are chosen for all rows at once: better ones for fewer, and in as little time for half as many */
	if (err == -ENOSPC && rows > 1 && !(b->cfg->sparse && rows > 16)) {
		b->in_memory = true;
		err = emit(b, rows, logits);
	}
	if (err)
		iau_cmdbuf_free(&b->cb);
	else
		err = iau_graph_finish(dev, &b->cb, rows, out);
	out->runs = b->runs;
	free(b->chunks[0].chunk);
	return err;
}

int iau_graph_build(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t rows,
		    enum iau_graph_logits logits, struct iau_graph *out)
{
	struct builder b = { .cfg = cfg, .hp = cfg->hp, .w = cfg->w };

	return build(dev, &b, rows, logits, out);
}

/* An even number of rows: INT4 tiles take them in pairs. */
int iau_graph_build_batch(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t n,
			  bool is_long, struct iau_graph *out)
{
	struct builder b = { .cfg = cfg, .hp = cfg->hp, .w = cfg->w, .seqs = n, .is_long = is_long };

	return build(dev, &b, n + n % 2, LOGITS_ALL, out);
}

void iau_graph_free(struct iau_device *dev, struct iau_graph *g)
{
	iau_buffer_destroy(dev, &g->buf);
	free(g->labels);
	memset(g, 0, sizeof(*g));
}
