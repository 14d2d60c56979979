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

/* The sum of A in every lane */
static inline __m512i sum_of(const uint8_t *a)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)a);
	__m256i s = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), v);
	__m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));

	t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
	return _mm512_broadcastd_epi32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
}

/*
 * Four rows of 32 nibbles, taken as unsigned, times A, in 4 sums a row: low nibbles times LOW_A, high
 * ones times HIGH_A. Bits of FLIP change first.
 */
static inline __m512i nibbles(const uint8_t *w, __m512i flip, __m512i low_a, __m512i high_a)
{
	const __m512i low = _mm512_set1_epi8(15);
	__m512i v = _mm512_xor_si512(_mm512_loadu_si512(w), flip);
	__m512i s = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_and_si512(v, low), low_a);

	return _mm512_dpbusd_epi32(s, _mm512_and_si512(_mm512_srli_epi16(v, 4), low), high_a);
}

/* S[i] has 4 sums of each of rows 4i to 4i + 3: all of each of 16 rows together, in order */
static inline __m512i add_up(const __m512i s[4])
{
	const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	__m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
	__m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));

	a = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
	return _mm512_permutexvar_epi32(in_order, a);
}

/* Scales of 16 rows from R on */
static inline __m512 scales(const struct matmul *x, uint32_t n, uint32_t k, unsigned int r)
{
	uint64_t at = x->ws + n * x->ws_nstride + k * x->ws_kstride + 2 * r;

	if (x->unit)
		return _mm512_set1_ps(1.0f);
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(x->tsp + at)));
}

/*
 * One row of A and packed weights, without a tile in between. Signed nibbles become unsigned by
 * adding 8, and 8 times the sum of A is taken away again.
 */
static inline __attribute__((always_inline)) void
multiply_packed(const struct matmul *x, uint32_t n, uint32_t k, float *acc, bool planes)
{
	const __m512i sign = _mm512_set1_epi8((char)0x88);
	const uint8_t *a = a_block(x, k, 0);
	uint64_t at = n * x->w_nstride + k * x->w_kstride;
	__m512i low_a = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)a));
	__m512i high_a = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(a + 16)));
	__m512i excess = _mm512_slli_epi32(sum_of(a), planes ? 7 : 3), s[4];
	__m512 scale = _mm512_set1_ps(a_scale(x, k, 0));

	for (unsigned int r = 0; r < R; r += 16) {
		__m512 y;

		for (unsigned int i = 0; i < 4; i++) {
			uint64_t row = at + (r + 4 * i) * 16;

			s[i] = nibbles(x->tsp + (x->w + row), sign, low_a, high_a);
			if (planes)
				s[i] = _mm512_add_epi32(_mm512_slli_epi32(s[i], 4),
							nibbles(x->tsp + (x->wl + row),
								_mm512_setzero_si512(), low_a, high_a));
		}
		y = _mm512_cvtepi32_ps(_mm512_sub_epi32(add_up(s), excess));
		y = _mm512_mul_ps(_mm512_mul_ps(y, scales(x, n, k, r)), scale);
		_mm512_store_ps(acc + r, _mm512_add_ps(_mm512_load_ps(acc + r), y));
	}
}

static void multiply_planes(const struct matmul *x, uint32_t n, uint32_t k, float (*acc)[R])
{
	multiply_packed(x, n, k, acc[0], true);
}

static void multiply_int4(const struct matmul *x, uint32_t n, uint32_t k, float (*acc)[R])
{
	multiply_packed(x, n, k, acc[0], false);
}

void ref_matmul_avx512(struct iau_dev *dev, const uint32_t *cmd)
{
	struct matmul x = unpack_matmul(dev, cmd);

	run_matmul(dev, &x, x.m > 1 || x.format % 3 == 0 ? multiply :
			    x.format == 1		  ? multiply_planes :
							    multiply_int4);
}
