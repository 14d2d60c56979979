/* SPDX-License-Identifier: MIT */
/* The matrix engine: integer dot products of 32, scales and sums in fp32, k ascending. */
#include "ref_matmul.h"

/* A tile as the engine holds it: 32 rows of 32 weights and their scales. */
struct tile {
	int8_t w[R][L] __attribute__((aligned(64)));
	float scale[R] __attribute__((aligned(64)));
};

static void load_planes(int8_t (*w)[L], const uint8_t *hi, const uint8_t *lo)
{
	for (unsigned int r = 0; r < R; r++) {
		for (unsigned int j = 0; j < 16; j++) {
			uint8_t h = hi[r * 16 + j], l = lo[r * 16 + j];

			w[r][j] = (int8_t)(h << 4 | (l & 15));
			w[r][j + 16] = (int8_t)((h & 0xf0) | l >> 4);
		}
	}
}

static void load_int4(int8_t (*w)[L], const uint8_t *hi)
{
	for (unsigned int r = 0; r < R; r++) {
		for (unsigned int j = 0; j < 16; j++) {
			w[r][j] = (int8_t)((int8_t)(hi[r * 16 + j] << 4) >> 4);
			w[r][j + 16] = (int8_t)((int8_t)hi[r * 16 + j] >> 4);
		}
	}
}

static void load_tile(const struct matmul *x, uint32_t n, uint32_t k, struct tile *t)
{
	uint64_t at = tile_at(x, n, k);
	const uint8_t *w = x->w + at;

	switch (x->format) {
	case 0:
		memcpy(t->w, w, sizeof(t->w));
		break;
	case 1:
		load_planes(t->w, w, x->wl + at);
		break;
	case 2:
		load_int4(t->w, w);
		break;
	default:
		for (unsigned int l = 0; l < L; l++)
			for (unsigned int r = 0; r < R; r++)
				t->w[r][l] = (int8_t)w[l * R + r];
	}
	for (unsigned int r = 0; r < R; r++) {
		uint16_t scale = 0x3c00; /* 1 */

		if (!x->unit)
			memcpy(&scale, x->ws + scales_at(x, n, k) + 2 * r, 2);
		t->scale[r] = fp16_to_fp32(scale);
	}
}

/* acc[r] += (sum over l of w[r][l] a[l]) * scale[r] * a_scale */
static void multiply(const struct tile *t, const int8_t *a, float a_scale, float *acc)
{
	int32_t sum[R];

	for (unsigned int r = 0; r < R; r++) {
		int32_t s = 0;

		for (unsigned int l = 0; l < L; l++)
			s += t->w[r][l] * a[l];
		sum[r] = s;
	}
	for (unsigned int r = 0; r < R; r++)
		acc[r] += (float)sum[r] * t->scale[r] * a_scale;
}

static void column(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	struct tile t;

	for (uint32_t k = 0; k < x->kb; k++) {
		load_tile(x, n, k, &t);
		for (uint32_t m = 0; m < x->m; m++)
			multiply(&t, (const int8_t *)a_block(x, k, m), a_scale(x, k, m), acc[m]);
	}
}

void ref_matmul(struct iau_dev *dev, const uint32_t *cmd)
{
	struct matmul x = unpack_matmul(dev, cmd);

	x.column = column;
	run_matmul(dev, &x);
}
