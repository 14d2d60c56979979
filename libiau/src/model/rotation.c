/* SPDX-License-Identifier: MIT */
/*
 * Rotation of keys and queries by a Hadamard matrix (Ashkboos et al. 2024, "QuaRot"): their products stay,
 * but what stands out in a channel is spread over all of them, so that keys lose less when they are brought
 * to 4 bits. Behind RoPE it is a product more for the matrix engine, of rows that are INT8 already with tiles
 * of 1 and -1, at the rate of INT4.
 *
 * H = H_n (x) H_32, n = head_dim / 32. H_32 is Sylvester's, and H_n one whose elements (i, j) are alike where
 * i + j are, so that all tiles of it are 2 n - 1 in a row:
 *
 *	H_2 = + +	H_4 = + + + -
 *	      + -	      + + - +
 *			      + - + +
 *			      - + + +
 *
 * H is symmetric, and H H = head_dim.
 */
#include "model/rotation.h"
#include "model/attention.h"

static int8_t element(const struct iau_hparams *hp, uint32_t tile, uint32_t row, uint32_t col)
{
	uint32_t minus = hp->head_dim == 64 ? 2 : 3;
	bool odd = __builtin_popcount(row & col) & 1;

	return odd == (tile == minus) ? 1 : -1;
}

void iau_hadamard_fill(const struct iau_hparams *hp, uint8_t *tiles)
{
	uint32_t n = iau_hadamard_tiles(hp);

	for (uint32_t i = 0; i < n * HADAMARD_INT4; i++) {
		uint32_t row = i / 16 % 32, col = i % 16, tile = i / HADAMARD_INT4;

		*tiles++ = (uint8_t)((element(hp, tile, row, col) & 15) | element(hp, tile, row, col + 16) * 16);
	}
	for (uint32_t i = 0; i < n * HADAMARD_INT8; i++)
		*tiles++ = (uint8_t)element(hp, i / HADAMARD_INT8, i / 32 % 32, i % 32);
}

void emit_rotated(struct builder *b, struct act x, uint32_t rows, uint32_t pitch, uint32_t y, float factor,
		  struct iau_vec out)
{
	uint32_t n = hd_blocks(b), stride = b->hp->head_dim * 4;

	iau_cmd_matmul(&b->cb, (struct iau_matmul){ .format = 2, .unit = 1, .m = rows, .pitch = pitch, .nt = n,
						    .kb = n, .a = x.data, .as = x.scale, .w = b->hadamard,
						    .w_n = HADAMARD_INT4 / 64, .w_k = HADAMARD_INT4 / 64, .d = y,
						    .d_stride = stride });
	out.rows = rows;
	out.cols = b->hp->head_dim;
	out.a = y;
	out.a_stride = stride;
	out.m1 = VEC_M_IMM;
	out.imm0 = factor;
	iau_cmd_vec(&b->cb, out);
}

void emit_rotated_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t head)
{
	uint32_t one = b->rows == 1, rows = one ? b->hp->n_head : b->half, bytes = rows * b->hp->head_dim;
	uint32_t count = a->q_at_once;

	if (!iau_keys_rotated(b->cfg))
		return;
	label(b, l, OP_ROPE);
	for (uint32_t i = 0; i < (one ? 1 : b->halves * count); i++) {
		uint32_t h = i / count, at = (head + i % count) * bytes;
		struct act x = act_from(act_half(a->choosers, h), at), out = act_from(act_half(a->queries, h), at);

		emit_rotated(b, x, rows, rows, a->q + i * bytes * 4, ROTATED_QUERY, to_blocks(out, rows));
	}
}
