/* SPDX-License-Identifier: MIT */
/* The matrix engine with AVX-512 VNNI: the same bits as ref_matmul.c. */
#include "ref_tile.h"

/*
 * VPDPBUSD adds four products of unsigned and signed bytes to a 32-bit sum without saturation.
 * Weights become unsigned by adding 128, and 128 times the sum of A is taken away again.
 */
static inline void multiply(const struct tile *t, const uint8_t *a, float a_scale, float *acc)
{
	const __m512i offset = _mm512_set1_epi8((char)0x80);
	__m512i sum[R / 16] = { 0 }, excess = _mm512_setzero_si512();

	for (unsigned int g = 0; g < L / 4; g++) {
		int32_t four;
		__m512i av;

		memcpy(&four, a + g * 4, 4);
		av = _mm512_set1_epi32(four);
		excess = _mm512_dpbusd_epi32(excess, offset, av);
		for (unsigned int i = 0; i < R / 16; i++) {
			__m512i w = _mm512_load_si512(t->w[g][i * 16]);

			sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_xor_si512(w, offset), av);
		}
	}
	for (unsigned int i = 0; i < R / 16; i++) {
		__m512 y = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[i], excess));

		y = _mm512_mul_ps(y, _mm512_load_ps(t->scale + i * 16));
		y = _mm512_mul_ps(y, _mm512_set1_ps(a_scale));
		_mm512_store_ps(acc + i * 16, _mm512_add_ps(_mm512_load_ps(acc + i * 16), y));
	}
}

void ref_matmul_avx512(struct iau_dev *dev, const uint32_t *cmd)
{
	run_matmul(dev, cmd, multiply);
}
