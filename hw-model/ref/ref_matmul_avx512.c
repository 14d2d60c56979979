/* SPDX-License-Identifier: MIT */
/* The matrix engine with AVX-512 VNNI: the same bits as ref_matmul.c. */
#include "ref_tile.h"

/*
 * VPDPBUSD adds four products of unsigned and signed bytes to a 32-bit sum without saturation.
 * Weights become unsigned by adding 128, and 128 times the sum of A is taken away again.
 */
static void multiply_row(const struct tile *t, const uint8_t *a, float scale, float *acc)
{
	const __m512i offset = _mm512_set1_epi8((char)0x80);
	__m512i sum[R / 16] = { 0 }, excess = _mm512_setzero_si512();

	for (unsigned int g = 0; g < L / 4; g++) {
		int32_t word;
		__m512i four;

		memcpy(&word, a + g * 4, 4);
		four = _mm512_set1_epi32(word);
		excess = _mm512_dpbusd_epi32(excess, offset, four);
		for (unsigned int i = 0; i < R / 16; i++) {
			__m512i w = _mm512_load_si512(t->w[g][i * 16]);

			sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_xor_si512(w, offset), four);
		}
	}
	for (unsigned int i = 0; i < R / 16; i++) {
		__m512 y = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[i], excess));

		y = _mm512_mul_ps(y, _mm512_load_ps(t->scale + i * 16));
		y = _mm512_mul_ps(y, _mm512_set1_ps(scale));
		_mm512_store_ps(acc + i * 16, _mm512_add_ps(_mm512_load_ps(acc + i * 16), y));
	}
}

static void multiply(const struct matmul *x, uint32_t n, uint32_t k, float (*acc)[R])
{
	struct tile t;

	load_tile(x, n, k, &t);
	for (uint32_t m = 0; m < x->m; m++)
		multiply_row(&t, a_block(x, k, m), a_scale(x, k, m), acc[m]);
}

void ref_matmul_avx512(struct iau_dev *dev, const uint32_t *cmd)
{
	struct matmul x = unpack_matmul(dev, cmd);

	run_matmul(dev, &x, multiply);
}
