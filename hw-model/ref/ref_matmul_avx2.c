/* SPDX-License-Identifier: MIT */
/* The matrix engine with AVX2: the same bits as ref_matmul.c. */
#include "ref_tile.h"

/*
 * VPMADDUBSW wants one side unsigned, so the sign of the weight moves to the other side. Two
 * products of at most 128 * 127 do not saturate; -128 has no opposite and must not be in A.
 */
static inline void multiply(const struct tile *t, const uint8_t *a, float a_scale, float *acc)
{
	__m256i sum[R / 8] = { 0 };

	for (unsigned int g = 0; g < L / 4; g++) {
		int32_t four;
		__m256i av;

		memcpy(&four, a + g * 4, 4);
		av = _mm256_set1_epi32(four);
		for (unsigned int i = 0; i < R / 8; i++) {
			__m256i w =
				_mm256_load_si256((const __m256i *)(const void *)t->w[g][i * 8]);
			__m256i p = _mm256_maddubs_epi16(_mm256_abs_epi8(w),
							 _mm256_sign_epi8(av, w));

			sum[i] = _mm256_add_epi32(sum[i],
						  _mm256_madd_epi16(p, _mm256_set1_epi16(1)));
		}
	}
	for (unsigned int i = 0; i < R / 8; i++) {
		__m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[i]),
					 _mm256_load_ps(t->scale + i * 8));

		y = _mm256_mul_ps(y, _mm256_set1_ps(a_scale));
		_mm256_store_ps(acc + i * 8, _mm256_add_ps(_mm256_load_ps(acc + i * 8), y));
	}
}

static bool has_minimum(const struct iau_dev *dev, const uint32_t *cmd)
{
	const uint8_t *a = dev->vsp + IAU_GET(cmd, IAU_MATMUL_A_ADDR);
	size_t blocks = (IAU_GET(cmd, IAU_MATMUL_KB) - 1) * IAU_GET(cmd, IAU_MATMUL_PITCH) +
			IAU_GET(cmd, IAU_MATMUL_M);
	uint8_t found = 0;

	for (size_t i = 0; i < blocks * 32; i++)
		found |= a[i] == 0x80;
	return found;
}

void ref_matmul_avx2(struct iau_dev *dev, const uint32_t *cmd)
{
	if (has_minimum(dev, cmd))
		ref_matmul(dev, cmd);
	else
		run_matmul(dev, cmd, multiply);
}
