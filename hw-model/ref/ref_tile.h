/* SPDX-License-Identifier: MIT */
/*
 * Tiles for the vector versions of the matrix engine: loaded with AVX2 so that lanes of the
 * processor are rows of the tile and no sum runs across them.
 */
#ifndef IAU_REF_TILE_H
#define IAU_REF_TILE_H

#include "ref_matmul.h"

#include <immintrin.h>

/* w[g][r] are the weights 4g to 4g + 3 of row r. */
struct tile {
	int8_t w[L / 4][R][4] __attribute__((aligned(64)));
	float scale[R] __attribute__((aligned(64)));
};

static inline __m256i two_rows(const uint8_t *low, const uint8_t *high)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)low)),
		_mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/* OUT[j] = 32-bit word j of 16 bytes of 8 rows, STRIDE bytes apart */
static inline void transpose8x4(const uint8_t *p, uint32_t stride, __m256i out[4])
{
	__m256i a = two_rows(p, p + 4 * stride), b = two_rows(p + stride, p + 5 * stride);
	__m256i c = two_rows(p + 2 * stride, p + 6 * stride);
	__m256i d = two_rows(p + 3 * stride, p + 7 * stride);
	__m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d);

	out[0] = _mm256_unpacklo_epi64(ab, cd);
	out[1] = _mm256_unpackhi_epi64(ab, cd);
	ab = _mm256_unpackhi_epi32(a, b);
	cd = _mm256_unpackhi_epi32(c, d);
	out[2] = _mm256_unpacklo_epi64(ab, cd);
	out[3] = _mm256_unpackhi_epi64(ab, cd);
}

static inline void put_words(struct tile *t, unsigned int g, unsigned int r, __m256i words)
{
	_mm256_store_si256((__m256i *)(void *)t->w[g][r], words);
}

static inline void tile_int8(struct tile *t, const uint8_t *w)
{
	__m256i x[4];

	for (unsigned int r = 0; r < R; r += 8) {
		for (unsigned int half = 0; half < 2; half++) {
			transpose8x4(w + r * L + half * 16, L, x);
			for (unsigned int j = 0; j < 4; j++)
				put_words(t, half * 4 + j, r, x[j]);
		}
	}
}

/* Low nibbles are lanes 0 to 15, high ones 16 to 31. */
static inline void tile_planes(struct tile *t, const uint8_t *hi, const uint8_t *lo)
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i h[4], l[4];

	for (unsigned int r = 0; r < R; r += 8) {
		transpose8x4(hi + r * 16, 16, h);
		transpose8x4(lo + r * 16, 16, l);
		for (unsigned int j = 0; j < 4; j++) {
			__m256i up = _mm256_slli_epi16(_mm256_and_si256(h[j], low), 4);
			__m256i down = _mm256_and_si256(_mm256_srli_epi16(l[j], 4), low);

			put_words(t, j, r, _mm256_or_si256(up, _mm256_and_si256(l[j], low)));
			put_words(t, j + 4, r, _mm256_or_si256(_mm256_andnot_si256(low, h[j]), down));
		}
	}
}

static inline void tile_int4(struct tile *t, const uint8_t *w)
{
	const __m256i low = _mm256_set1_epi8(15), eight = _mm256_set1_epi8(8);
	__m256i x[4];

	for (unsigned int r = 0; r < R; r += 8) {
		transpose8x4(w + r * 16, 16, x);
		for (unsigned int j = 0; j < 4; j++) {
			__m256i a = _mm256_and_si256(x[j], low);
			__m256i b = _mm256_and_si256(_mm256_srli_epi16(x[j], 4), low);

			put_words(t, j, r, _mm256_sub_epi8(_mm256_xor_si256(a, eight), eight));
			put_words(t, j + 4, r, _mm256_sub_epi8(_mm256_xor_si256(b, eight), eight));
		}
	}
}

/* W is [L][R]. */
static inline void tile_turned(struct tile *t, const uint8_t *w)
{
	for (unsigned int g = 0; g < L / 4; g++) {
		const __m256i *p = (const __m256i *)(const void *)(w + g * 4 * R);
		__m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
		__m256i c = _mm256_loadu_si256(p + 2), d = _mm256_loadu_si256(p + 3);
		__m256i ab = _mm256_unpacklo_epi8(a, b), cd = _mm256_unpacklo_epi8(c, d);
		__m256i r0 = _mm256_unpacklo_epi16(ab, cd), r4 = _mm256_unpackhi_epi16(ab, cd);
		__m256i r8, r12;

		ab = _mm256_unpackhi_epi8(a, b);
		cd = _mm256_unpackhi_epi8(c, d);
		r8 = _mm256_unpacklo_epi16(ab, cd);
		r12 = _mm256_unpackhi_epi16(ab, cd);
		put_words(t, g, 0, _mm256_permute2x128_si256(r0, r4, 0x20));
		put_words(t, g, 8, _mm256_permute2x128_si256(r8, r12, 0x20));
		put_words(t, g, 16, _mm256_permute2x128_si256(r0, r4, 0x31));
		put_words(t, g, 24, _mm256_permute2x128_si256(r8, r12, 0x31));
	}
}

/* Scales of 8 rows from R on */
static inline __m256 load_scales(const struct matmul *x, uint32_t n, uint32_t k, unsigned int r)
{
	const uint8_t *s;

	if (x->unit)
		return _mm256_set1_ps(1.0f);
	s = x->ws + scales_at(x, n, k) + 2 * r;
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)s));
}

static inline void load_tile(const struct matmul *x, uint32_t n, uint32_t k, struct tile *t)
{
	uint64_t at = tile_at(x, n, k);
	const uint8_t *w = x->w + at;

	switch (x->format) {
	case 0:
		tile_int8(t, w);
		break;
	case 1:
		tile_planes(t, w, x->wl + at);
		break;
	case 2:
		tile_int4(t, w);
		break;
	default:
		tile_turned(t, w);
	}
	for (unsigned int r = 0; r < R; r += 8)
		_mm256_store_ps(t->scale + r, load_scales(x, n, k, r));
}

/*
 * What is at P in a packed tile and in the next column's, which will be needed in a moment: with one row
 * of A there is little to do with each, and the processor does not see by itself how columns follow each
 * other. Asked for one line at a time: many at once would wait for each other.
 */
static inline const uint8_t *packed_line(const struct matmul *x, const uint8_t *p)
{
	_mm_prefetch((const char *)p + x->w_nstride, _MM_HINT_T0);
	return p;
}

#endif
