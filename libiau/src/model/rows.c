/* SPDX-License-Identifier: MIT */
/*
 * X, the residual stream, one row a token. It stays in the vector scratchpad from the embedding to the last norm,
 * unless so many rows are too wide for that: then it lies in memory between blocks. A norm takes a few
 * rows of it at a time, what is added to it a few columns. It is little beside the weights, which are then
 * read once for that many rows more, and every element sees the same arithmetic.
 */
#include "model/builder.h"

#define HALVED_ROWS 16u /* a tile takes five cycles to load: it is used for no fewer rows */
#define NORM_BYTES 0x4000u /* of a piece, of no fewer than two rows */

void set_rows(struct builder *b, uint32_t rows)
{
	uint32_t least = b->spilled ? 2 * HALVED_ROWS : HALVED_ROWS;

	b->rows = rows;
	b->halves = rows < least || b->seqs ? 1 : 2;
	b->half = rows / b->halves;
}

void rows_alloc(struct builder *b)
{
	if (!b->spilled)
		b->x = vsp_alloc(b, b->rows * b->hp->n_embd * 4);
}

/* COUNT rows from R on, at ADDR: to memory or from there */
static struct iau_copy rows_in_memory(const struct builder *b, uint32_t r, uint32_t count, uint32_t addr)
{
	uint32_t bytes = b->hp->n_embd * 4;

	return (struct iau_copy){ .va = b->cfg->rows_va + r * bytes, .addr = addr, .row_bytes = bytes, .rows = count,
				  .mem_stride = bytes, .stride = bytes };
}

/* X = INT8 blocks times their scales */
static void embedded(struct builder *b, uint32_t embd, uint32_t stride, uint32_t rows, uint32_t x)
{
	uint32_t n = b->hp->n_embd;

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = rows, .cols = n, .a_i8 = 1, .a = embd, .a_stride = stride,
					      .m1 = VEC_M_B, .b_blocks = 1, .b = embd + n, .b_stride = stride,
					      .out = VEC_F32, .d = x, .d_stride = n * 4 });
}

/* Rows of a piece: halves are whole pieces. Few commands, lest those behind a norm wait for room in the window. */
static uint32_t norm_rows(const struct builder *b)
{
	uint32_t rows = HALVED_ROWS;

	while (rows > 2 && rows * b->hp->n_embd * 4 > NORM_BYTES)
		rows /= 2;
	return rows;
}

/* Two places for pieces of rows, in turns */
static void begin_pieces(struct builder *b, uint32_t piece[2])
{
	for (unsigned int i = 0; i < 2; i++)
		piece[i] = vsp_alloc(b, norm_rows(b) * b->hp->n_embd * 4);
}

/* Rows of the piece from row R on */
static uint32_t piece_rows(const struct builder *b, uint32_t r)
{
	uint32_t rows = norm_rows(b);

	return b->rows - r < rows ? b->rows - r : rows;
}

void emit_rows_embedded(struct builder *b, uint32_t embd, uint32_t stride)
{
	uint32_t mark = b->vsp, piece[2];

	if (!b->spilled) {
		embedded(b, embd, stride, b->rows, b->x);
		return;
	}
	begin_pieces(b, piece);
	for (uint32_t r = 0, i = 0; r < b->rows; r += norm_rows(b), i ^= 1) {
		embedded(b, embd + r * stride, stride, piece_rows(b, r), piece[i]);
		iau_cmd_store(&b->cb, rows_in_memory(b, r, piece_rows(b, r), piece[i]));
	}
	b->vsp = mark;
}

void emit_rows_taken(struct builder *b)
{
	if (!b->spilled)
		iau_cmd_load(&b->cb, rows_in_memory(b, 0, b->rows, b->x));
}

void emit_rows_left(struct builder *b)
{
	if (!b->spilled)
		iau_cmd_store(&b->cb, rows_in_memory(b, 0, b->rows, b->x));
}

void emit_row_kept(struct builder *b)
{
	uint32_t n = b->hp->n_embd, row = vsp_alloc(b, n * 4), *cmd;

	iau_cmd_salu_imm(&b->cb, SALU_MUL, GRAPH_ROW, GRAPH_ROW, n * 4);
	if (b->spilled)
		cmd = iau_cmd_load(&b->cb, rows_in_memory(b, 0, 1, row));
	else
		cmd = iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = n, .a = b->x, .out = VEC_F32,
							    .d = row });
	iau_cmd_patch(cmd, 2, GRAPH_ROW);
	b->x = row;
	b->spilled = false;
	set_rows(b, 1);
}

/* Rows R to R + COUNT - 1, of one half, at X; COUNT = 0: those that the second half has */
static void norm(struct builder *b, uint32_t r, uint32_t count, uint32_t x, uint32_t weight, uint32_t stat)
{
	struct act out = act_half(b->act, r / b->half);

	out.data += r % b->half * 32;
	out.scale += r % b->half * 4;
	emit_rmsnorm_q8(b, x, b->hp->n_embd, count, weight, stat, out);
}

void emit_half_norm(struct builder *b, uint32_t h, uint32_t rows, uint32_t weight)
{
	norm(b, h * b->half, rows, b->x + h * b->half * b->hp->n_embd * 4, weight, b->stat + h * IAU_VSP_GRANULE);
}

void emit_rows_norm(struct builder *b, uint32_t weight)
{
	uint32_t mark = b->vsp, piece[2];

	if (!b->spilled) {
		for (uint32_t h = 0; h < b->halves; h++)
			emit_half_norm(b, h, rows_of(b, h), weight);
		return;
	}
	begin_pieces(b, piece);
	for (uint32_t r = 0, i = 0; r < b->rows; r += norm_rows(b), i ^= 1) {
		iau_cmd_load(&b->cb, rows_in_memory(b, r, piece_rows(b, r), piece[i]));
		norm(b, r, piece_rows(b, r), piece[i], weight, b->stat + i * IAU_VSP_GRANULE);
	}
	b->vsp = mark;
}

/* Tile columns of a piece */
static uint32_t add_columns(const struct builder *b)
{
	return b->rows > 16 ? 2 : 4;
}

uint32_t rows_add_bytes(const struct builder *b)
{
	return b->spilled ? ADD_PIECES * vsp_round(b->rows * add_columns(b) * 128) : 0;
}

/* COUNT tile columns of x from FIRST on, at ADDR */
static struct iau_copy columns_in_memory(const struct builder *b, uint32_t first, uint32_t count, uint32_t addr)
{
	return (struct iau_copy){ .va = b->cfg->rows_va + first * 128, .addr = addr, .row_bytes = count * 128,
				  .rows = b->rows, .mem_stride = b->hp->n_embd * 4, .stride = count * 128 };
}

/* Of x, from tile column N on */
static struct iau_copy add_piece(const struct builder *b, uint32_t n)
{
	uint32_t step = add_columns(b), nt = b->hp->n_embd / 32;

	return columns_in_memory(b, n, nt - n < step ? nt - n : step, b->add_at[n / step % ADD_PIECES]);
}

void emit_rows_add_asked(struct builder *b)
{
	if (!b->spilled)
		return;
	for (uint32_t i = 0; i < ADD_PIECES; i++)
		b->add_at[i] = vsp_alloc(b, b->rows * add_columns(b) * 128);
	iau_cmd_load(&b->cb, add_piece(b, 0));
}

/*
 * Columns are asked for before those of the piece before are stored: LOADs from memory that changes wait for older
 * STOREs, and weights wait behind them. STOREs wait for older LOADs, so that the last one, which a norm waits for, comes
 * before weights are asked for.
 */
static void add_in_pieces(struct builder *b, struct linear lin)
{
	uint32_t step = add_columns(b), nt = lin.m->nt;

	for (uint32_t n = 0; n < nt; n += step) {
		struct iau_copy now = add_piece(b, n);

		if (n + step < nt)
			iau_cmd_load(&b->cb, add_piece(b, n + step));
		else
			lin.store = &now;
		if (n)
			iau_cmd_store(&b->cb, add_piece(b, n - step));
		lin.first = n;
		lin.count = now.row_bytes / 128;
		lin.out = lin.c = now.addr;
		lin.out_stride = lin.c_stride = now.stride;
		emit_linear(b, lin);
	}
}

void emit_rows_add(struct builder *b, const struct iau_matrix *m, struct act act, uint32_t k, uint32_t kb)
{
	struct linear lin = { .m = m, .act = act, .count = m->nt, .k = k, .kb = kb, .out = b->x,
			      .out_stride = b->hp->n_embd * 4, .cin = true, .c = b->x, .c_stride = b->hp->n_embd * 4,
			      .to_norm = true };

	if (b->spilled)
		add_in_pieces(b, lin);
	else
		emit_linear(b, lin);
}
