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

struct act act_alloc_widest(struct builder *b)
{
	uint32_t heads = b->hp->n_head * b->hp->head_dim;

	return act_alloc(b, b->hp->n_embd > heads ? b->hp->n_embd : heads);
}

/* Places for the chunks of LIST, each in one piece, in a ring of SIZE bytes: how often it starts over, the last one's END */
static uint32_t place_list(struct chunks *list, uint32_t size, uint32_t *end)
{
	uint32_t laps = 0;

	*end = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct chunk *c = &list->chunk[i];
		uint32_t bytes = tsp_round(c->bytes), pad = 0;

		if (*end + bytes > size) {
			pad = size - *end;
			*end = 0;
			laps++;
		}
		c->at = *end;
		c->span = pad + bytes;
		*end += bytes;
	}
	return laps;
}

void place_chunks(struct builder *b)
{
	struct chunks *all = &b->chunks[0];
	uint32_t laps = place_list(all, b->ring_bytes, &b->ring_end);

	if (b->runs) {
		while (place_list(all, b->ring_bytes - IAU_TSP_GRANULE, &b->ring_end) == laps)
			b->ring_bytes -= IAU_TSP_GRANULE;
		place_list(&b->chunks[1], b->ring_bytes, &b->ring_end);
		place_list(all, b->ring_bytes, &b->ring_end);
	}
}

/* Whether chunk C may be asked for now */
static bool may_load(struct builder *b, const struct chunk *c)
{
	bool is_needed = b->next_load < b->cur && !b->goes_round;

	if (b->ring_used + c->span > (is_needed ? b->ring_bytes : b->ring_limit))
		return false;
	if (c->stage <= b->stage && !b->goes_round)
		return true;
	if (c->span > b->credit)
		return false;
	b->credit -= c->span;
	return true;
}

/* Whether there is a chunk to ask for: behind the last one of a run the first ones of the next */
static bool next_chunk(struct builder *b)
{
	if (b->next_load == b->list->n && b->runs && !b->keeps_row && !b->goes_round && !b->planning) {
		b->goes_round = true;
		b->next_load = 0;
		b->credit = RUN_CREDIT;
		/* what the last chunk leaves at the ring's end */
		b->ring_used += b->ring_bytes - b->ring_end;
	}
	return b->next_load < b->list->n;
}

/* Loads ahead as far as the ring has room: a chunk's is free once its matmul is queued. */
void load_ahead(struct builder *b)
{
	while (next_chunk(b) && may_load(b, &b->list->chunk[b->next_load])) {
		const struct chunk *c = &b->list->chunk[b->next_load++];
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

void load_between(struct builder *b, uint32_t bytes)
{
	b->credit += bytes;
	load_ahead(b);
}

void begin_stage(struct builder *b, uint32_t credit)
{
	b->credit = credit;
	b->stage++;
}

void load_first(struct builder *b)
{
	b->next_load = 0;
	b->stage = 0;
	b->credit = b->runs ? RUN_CREDIT : EARLY_CREDIT;
	load_ahead(b);
	b->stage = 1;
}

void load_round(struct builder *b)
{
	if (b->planning)
		return;
	b->ring_used -= b->ring_bytes - b->ring_end;
	load_ahead(b);
}

/* The place of the next chunk in order; while planning, notes it down. */
static uint32_t begin_chunk(struct builder *b, uint64_t va, uint32_t bytes)
{
	size_t i = b->cur++;

	if (b->planning && i < MAX_CHUNKS) {
		b->list->chunk[i] = (struct chunk){ .va = va, .bytes = bytes, .label = b->cb.label,
					     .stage = b->stage };
		b->list->n = i + 1;
	}
	load_ahead(b);
	return IAU_TSP_BASE + b->list->chunk[i < MAX_CHUNKS ? i : 0].at;
}

/* The products with all chunks begun are queued. */
static void end_chunks(struct builder *b)
{
	for (; b->used < b->cur; b->used++)
		if (b->used < MAX_CHUNKS)
			b->ring_used -= b->list->chunk[b->used].span;
	b->ring_limit = b->ring_limit + RING_GROWS < b->ring_bytes ? b->ring_limit + RING_GROWS : b->ring_bytes;
	load_ahead(b);
}

/* Of LIN the columns N .. N + COUNT - 1 of S blocks from block K on, at SLOT; VA is that of its segment */
struct piece {
	const struct linear *lin;
	uint64_t va;
	uint32_t k, s, n, count, slot;
};

static void matmul_half(struct builder *b, const struct piece *p, uint32_t h)
{
	const struct linear *lin = p->lin;
	const struct iau_matrix *m = lin->m;
	uint32_t column = p->s * iau_tile_bytes(m), at = p->n * 128;
	bool first = p->k == lin->k;
	uint32_t c = (first ? lin->c : lin->out) + at;
	uint32_t c_stride = first ? lin->c_stride : lin->out_stride;
	struct act act = act_half(lin->act, h);
	uint32_t *cmd;

	cmd = iau_cmd_matmul(&b->cb, (struct iau_matmul){
		.format = m->int4 ? 2 : 1,
		.cin = first ? lin->cin : true,
		.m = b->seqs ? b->seqs : rows_of(b, h),
		.pitch = b->half,
		.nt = p->count,
		.kb = p->s,
		.a = act.data + (p->k - lin->k) * b->half * 32,
		.as = act.scale + (p->k - lin->k) * b->half * 4,
		.ws = p->slot,
		.w = p->slot + p->s * 64,
		.wl = p->slot + p->s * 576,
		.w_n = column / 64,
		.w_k = 8,
		.ws_n = column / 64,
		.ws_k = 1,
		.c = c + h * b->half * c_stride,
		.c_stride = c_stride,
		.d = lin->out + at + h * b->half * lin->out_stride,
		.d_stride = lin->out_stride,
	});
	patch_rows(b, cmd, h);
}

static struct piece first_piece(const struct linear *lin)
{
	return (struct piece){ .lin = lin, .k = lin->k,
			       .va = lin->m->va + (uint64_t)lin->m->nt * lin->k * iau_tile_bytes(lin->m) };
}

/* The next piece behind P; false if there is none. */
static bool next_piece(struct piece *p)
{
	const struct linear *lin = p->lin;
	const struct iau_matrix *m = lin->m;
	uint32_t fit, end = lin->kb ? lin->k + lin->kb : m->kb;

	p->n += p->count;
	if (p->n == lin->count) {
		p->va += (uint64_t)m->nt * p->s * iau_tile_bytes(m);
		p->k += p->s;
		p->n = 0;
	}
	if (p->k == end)
		return false;
	p->s = end - p->k < m->segment ? end - p->k : m->segment;
	fit = IAU_CHUNK_BYTES / (p->s * iau_tile_bytes(m));
	p->count = lin->count - p->n < fit ? lin->count - p->n : fit;
	return true;
}

/* Of COUNT products from LIN on */
static uint32_t pieces(const struct linear *lin, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		for (struct piece p = first_piece(&lin[i]); next_piece(&p);)
			n++;
	return n;
}

/* The piece behind AT, perhaps the first one of the next product, its chunk begun; there is one. */
static struct piece begin_piece(struct builder *b, struct piece *at)
{
	uint32_t column;

	while (!next_piece(at))
		*at = first_piece(at->lin + 1);
	column = at->s * iau_tile_bytes(at->lin->m);
	at->slot = begin_chunk(b, at->va + (uint64_t)(at->lin->first + at->n) * column, at->count * column);
	return *at;
}

/*
 * Of two halves of the rows, one is multiplied with two chunks, then the other: time enough for a norm of the half that
 * is not being multiplied, before the first product and behind the last. If there is an odd one, it is the first where
 * a norm comes behind, else the last.
 */
void emit_linears(struct builder *b, const struct linear *lin, uint32_t count)
{
	struct piece at = first_piece(lin), p[2];

	for (uint32_t left = pieces(lin, count), n; left; left -= n) {
		n = left < b->halves || (lin->to_norm && left % b->halves) ? 1 : b->halves;
		for (uint32_t i = 0; i < n; i++)
			p[i] = begin_piece(b, &at);
		for (uint32_t h = 0; h < b->halves; h++)
			for (uint32_t i = 0; i < n; i++)
				matmul_half(b, &p[i], h);
		if (left == n && lin->store)
			iau_cmd_store(&b->cb, *lin->store);
		end_chunks(b);
		emit_batch_stores(b, BATCH_STORES);
	}
}

void emit_linear(struct builder *b, struct linear lin)
{
	emit_linears(b, &lin, 1);
}

/* x * rsqrt(mean(x^2) + eps) * weight, quantised (Zhang and Sennrich 2019) */
void emit_rmsnorm_q8(struct builder *b, uint32_t x, uint32_t n, uint32_t rows, uint32_t weight, uint32_t stat,
		     struct act out)
{
	struct iau_vec scaled = to_blocks(out, b->half);

	patch_rows(b, iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = rows, .cols = n, .a = x, .a_stride = n * 4,
							    .m1 = VEC_M_SQUARE, .red = VEC_SUM, .r = stat }),
		   !rows);
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = rows ? rows : b->half, .a = stat, .m1 = VEC_M_IMM,
					      .imm0 = 1.0f / (float)n, .a1 = VEC_A_IMM, .imm1 = b->hp->rms_eps,
					      .sfu = VEC_RSQRT, .out = VEC_F32, .d = stat });
	scaled.rows = rows;
	scaled.cols = n;
	scaled.a = x;
	scaled.a_stride = n * 4;
	scaled.m1 = VEC_M_S;
	scaled.s = stat;
	scaled.m2 = VEC_M_B;
	scaled.b = weight;
	patch_rows(b, iau_cmd_vec(&b->cb, scaled), !rows);
}
