/* SPDX-License-Identifier: MIT */
/* The matrix engine with AVX2: the same bits as ref_matmul.c. */
#include "ref_tile.h"

static inline __m256i spread(const uint8_t *a, unsigned int group)
{
	int32_t four;

	memcpy(&four, a + group * 4, 4);
	return _mm256_set1_epi32(four);
}

/* acc[r] += sum[r] * scale[r] * a_scale of 8 rows */
static inline void scale_add(float *acc, __m256i sum, __m256 scale, float a_scale)
{
	__m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);

	y = _mm256_mul_ps(y, _mm256_set1_ps(a_scale));
	_mm256_store_ps(acc, _mm256_add_ps(_mm256_load_ps(acc), y));
}

/*
 * VPMADDUBSW wants one side unsigned, so the sign of the weight moves to the other side. Two
 * products of at most 128 * 127 do not saturate; -128 has no opposite and must not be in A.
 */
static void multiply_row(const struct tile *t, const uint8_t *a, float scale, float *acc)
{
	__m256i sum[R / 8] = { 0 };

#pragma GCC unroll 1 /* unrolled, all products are made before they are added, in memory */
	for (unsigned int g = 0; g < L / 4; g++) {
		__m256i four = spread(a, g);

		for (unsigned int i = 0; i < R / 8; i++) {
			__m256i w =
				_mm256_load_si256((const __m256i *)(const void *)t->w[g][i * 8]);
			__m256i p = _mm256_maddubs_epi16(_mm256_abs_epi8(w),
							 _mm256_sign_epi8(four, w));

			sum[i] = _mm256_add_epi32(sum[i],
						  _mm256_madd_epi16(p, _mm256_set1_epi16(1)));
		}
	}
	for (unsigned int i = 0; i < R / 8; i++)
		scale_add(acc + i * 8, sum[i], _mm256_load_ps(t->scale + i * 8), scale);
}

static void column(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	struct tile t;

	for (uint32_t k = 0; k < x->kb; k++) {
		load_tile(x, n, k, &t);
		for (uint32_t m = 0; m < x->m; m++)
			multiply_row(&t, a_block(x, k, m), a_scale(x, k, m), acc[m]);
	}
}

/* The sum of A in every lane */
static inline __m256i sum_of(const uint8_t *a)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)a);
	__m256i s = _mm256_maddubs_epi16(_mm256_set1_epi8(1), v);

	s = _mm256_madd_epi16(s, _mm256_set1_epi16(1));
	s = _mm256_add_epi32(s, _mm256_permute2x128_si256(s, s, 1));
	s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0x4e));
	return _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0xb1));
}

/*
 * Two rows of 32 nibbles, taken as unsigned, times A: low nibbles times LOW_A, high ones times
 * HIGH_A, in 8 sums of 16 bits a row. Bits of FLIP change first.
 */
static inline __m256i nibbles(const uint8_t *w, __m256i flip, __m256i low_a, __m256i high_a)
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i v = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)w), flip);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);

	return _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(v, low), low_a),
				_mm256_maddubs_epi16(high, high_a));
}

/*
 * One row of A and packed weights, without a tile in between. Signed nibbles become unsigned by
 * adding 8, and 8 times the sum of A is taken away again.
 */
static inline __attribute__((always_inline)) void
multiply_packed(const struct matmul *x, uint32_t n, uint32_t k, float *acc, bool planes)
{
	const __m256i sign = _mm256_set1_epi8((char)0x88), one = _mm256_set1_epi16(1);
	const __m256i unit = planes ? _mm256_set1_epi16(16) : one;
	const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	const uint8_t *a = a_block(x, k, 0);
	uint64_t at = tile_at(x, n, k);
	__m256i low_a =
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)a));
	__m256i high_a = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)(const void *)(a + 16)));
	__m256i excess = _mm256_slli_epi32(sum_of(a), planes ? 7 : 3), s[4];
	float scale = a_scale(x, k, 0);

	for (unsigned int r = 0; r < R; r += 8) {
		for (unsigned int i = 0; i < 4; i++) {
			uint64_t row = at + (r + 2 * i) * 16;

			s[i] = _mm256_madd_epi16(
				nibbles(packed_line(x, x->w + row), sign, low_a, high_a), unit);
			if (planes) {
				__m256i lo = nibbles(packed_line(x, x->wl + row), _mm256_setzero_si256(),
						     low_a, high_a);

				s[i] = _mm256_add_epi32(s[i], _mm256_madd_epi16(lo, one));
			}
		}
		s[0] = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]),
					 _mm256_hadd_epi32(s[2], s[3]));
		s[0] = _mm256_permutevar8x32_epi32(s[0], in_order);
		scale_add(acc + r, _mm256_sub_epi32(s[0], excess), load_scales(x, n, k, r), scale);
	}
}

static void column_planes(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	for (uint32_t k = 0; k < x->kb; k++)
		multiply_packed(x, n, k, acc[0], true);
}

static void column_int4(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	for (uint32_t k = 0; k < x->kb; k++)
		multiply_packed(x, n, k, acc[0], false);
}

static bool has_minimum(const struct matmul *x)
{
	size_t bytes = 32 * ((size_t)(x->kb - 1) * x->pitch + x->m);
	uint8_t found = 0;

	for (size_t i = 0; i < bytes; i++)
		found |= x->a[i] == 0x80;
	return found;
}

void ref_matmul_avx2(struct iau_dev *dev, const uint32_t *cmd)
{
	struct matmul x = unpack_matmul(dev, cmd);

	x.column = x.m > 1 || x.format % 3 == 0 ? column :
		   x.format == 1		? column_planes :
						  column_int4;
	if (x.column == column && has_minimum(&x))
		ref_matmul(dev, cmd);
	else
		run_matmul(dev, &x);
}
