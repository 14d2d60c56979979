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

static void column(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	struct tile t;

	for (uint32_t k = 0; k < x->kb; k++) {
		load_tile(x, n, k, &t);
		for (uint32_t m = 0; m < x->m; m++)
			multiply_row(&t, a_block(x, k, m), a_scale(x, k, m), acc[m]);
	}
}

/* A block of A in every quarter of a register: lanes 0 to 15, lanes 16 to 31 */
struct spread {
	__m512i low, high;
};

static inline struct spread spread(const uint8_t *a)
{
	return (struct spread){ _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)a)),
				_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(a + 16))) };
}

/*
 * Four rows of 32 nibbles, taken as unsigned, times A, in 4 sums a row upon those in SUM. Bits of FLIP
 * change first.
 */
static inline __m512i nibbles(__m512i sum, const uint8_t *w, int flip, struct spread a)
{
	const __m512i low = _mm512_set1_epi8(15), f = _mm512_set1_epi8((char)flip);
	__m512i v = _mm512_loadu_si512(w);

	/* (v ^ f) & low */
	sum = _mm512_dpbusd_epi32(sum, _mm512_ternarylogic_epi32(v, f, low, 0x28), a.low);
	v = _mm512_srli_epi16(v, 4);
	return _mm512_dpbusd_epi32(sum, _mm512_ternarylogic_epi32(v, f, low, 0x28), a.high);
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
	const uint8_t *s;

	if (x->unit)
		return _mm512_set1_ps(1.0f);
	s = x->ws + scales_at(x, n, k) + 2 * r;
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)s));
}

/*
 * Sums of 16 rows of packed weights from R on times a block of A, without a tile in between. Signed
 * nibbles become unsigned by adding 8, so the sums start from as much less: MINUS.
 */
static inline __m512i packed_rows(const struct matmul *x, uint64_t at, struct spread a, __m512i minus,
				  bool planes)
{
	__m512i s[4];

	for (unsigned int i = 0; i < 4; i++) {
		s[i] = nibbles(minus, packed_line(x, x->w + at + i * 64), 8, a);
		if (planes)
			s[i] = nibbles(_mm512_slli_epi32(s[i], 4),
				       packed_line(x, x->wl + at + i * 64), 0, a);
	}
	return add_up(s);
}

/* One row of A */
static inline __attribute__((always_inline)) void
packed_column(const struct matmul *x, uint32_t n, float *acc, bool planes)
{
	const __m512i eight = _mm512_set1_epi8(8);
	__m512 sum[R / 16];

	for (unsigned int i = 0; i < R / 16; i++)
		sum[i] = _mm512_load_ps(acc + i * 16);
	for (uint32_t k = 0; k < x->kb; k++) {
		struct spread a = spread(a_block(x, k, 0));
		__m512i plus = _mm512_dpbusd_epi32(_mm512_setzero_si512(), eight, a.low);
		__m512i minus = _mm512_sub_epi32(_mm512_setzero_si512(),
						 _mm512_dpbusd_epi32(plus, eight, a.high));
		__m512 scale = _mm512_set1_ps(a_scale(x, k, 0));

		for (unsigned int i = 0; i < R / 16; i++) {
			__m512 y = _mm512_cvtepi32_ps(
				packed_rows(x, tile_at(x, n, k) + i * 256, a, minus, planes));

			y = _mm512_mul_ps(_mm512_mul_ps(y, scales(x, n, k, i * 16)), scale);
			sum[i] = _mm512_add_ps(sum[i], y);
		}
	}
	for (unsigned int i = 0; i < R / 16; i++)
		_mm512_store_ps(acc + i * 16, sum[i]);
}

static void column_planes(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	packed_column(x, n, acc[0], true);
}

static void column_int4(const struct matmul *x, uint32_t n, float (*acc)[R])
{
	packed_column(x, n, acc[0], false);
}

void ref_matmul_avx512(struct iau_dev *dev, const uint32_t *cmd)
{
	struct matmul x = unpack_matmul(dev, cmd);

	x.column = x.m > 1 || x.format % 3 == 0 ? column :
		   x.format == 1		? column_planes :
						  column_int4;
	run_matmul(dev, &x);
}
