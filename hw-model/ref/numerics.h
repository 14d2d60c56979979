/* SPDX-License-Identifier: MIT */
/*
 * The device's arithmetic in C. fp32 is IEEE round-to-nearest-even with subnormals flushed, which
 * is what SSE does with FTZ and DAZ set (iau_fp_enter()); this must be compiled with
 * -ffp-contract=off. NaN payloads are canonical wherever a value reaches a scratchpad.
 */
#ifndef IAU_NUMERICS_H
#define IAU_NUMERICS_H

#include "iau_hw.h"
#include "iau_hw_tables.h"

#include <math.h>
#include <string.h>
#include <xmmintrin.h>

#define IAU_CANONICAL_NAN 0x7fc00000u

static inline unsigned iau_fp_enter(void)
{
	unsigned old = _mm_getcsr();

	_mm_setcsr((old & ~0x6000u) | 0x8040u); /* nearest, FTZ, DAZ */
	return old;
}

static inline void iau_fp_leave(unsigned old)
{
	_mm_setcsr(old);
}

static inline uint32_t f2u(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

static inline float u2f(uint32_t u)
{
	float f;

	memcpy(&f, &u, 4);
	return f;
}

/* What a scratchpad receives: no subnormals, one NaN. */
static inline uint32_t fp_canonical(float f)
{
	uint32_t u = f2u(f);
	uint32_t mag = u & 0x7fffffff;

	u = mag < 0x00800000 ? u & 0x80000000 : u;
	return mag > 0x7f800000 ? IAU_CANONICAL_NAN : u;
}

/* Exact, fp16 subnormals included; a NaN becomes the canonical one. */
static inline float fp16_to_fp32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t mag = h & 0x7fff;
	float sub = (float)(int)mag * 0x1p-24f;
	uint32_t normal = (mag << 13) + (112u << 23);
	uint32_t u = mag < 0x400 ? f2u(sub) : normal;

	u = mag >= 0x7c00 ? (mag > 0x7c00 ? IAU_CANONICAL_NAN : 0x7f800000) : u;
	return u2f(mag > 0x7c00 ? u : u | sign);
}

/* Round to nearest even, fp16 subnormals included. */
static inline uint16_t fp32_to_fp16(float f)
{
	uint32_t u = f2u(f);
	uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
	uint32_t mag = u & 0x7fffffff;
	uint32_t m, shift, half, rest;

	if (mag > 0x7f800000)
		return 0x7e00;
	if (mag >= 0x477ff000)
		return sign | 0x7c00;
	if (mag >= 0x38800000) {
		m = mag - 0x38000000;
		return (uint16_t)(sign | ((m + 0xfff + (m >> 13 & 1)) >> 13));
	}
	if (mag < 0x33000000)
		return sign;
	shift = 126 - (mag >> 23);
	m = (mag & 0x7fffff) | 0x800000;
	half = 1u << (shift - 1);
	rest = m & ((1u << shift) - 1);
	m >>= shift;
	m += rest > half || (rest == half && (m & 1));
	return (uint16_t)(sign | m);
}

/*
 * c0 + c1 u + c2 u^2 with u = r / 2^17, rounded from 26 to 23 fractional bits. The product with r
 * has 38 bits; taken in two parts, of 10 and 7 bits of r, it needs no more than 32, and no rounding
 * down is lost: |c1 + t| < 2^21 in all tables.
 */
static inline uint32_t sfu_quadratic(int32_t c0, int32_t c1, int32_t c2, uint32_t r)
{
	int32_t v;

	c1 += (c2 * (int32_t)(r >> 5)) >> 12;
	v = c0 + ((c1 * (int32_t)(r >> 7) + ((c1 * (int32_t)(r & 127)) >> 7)) >> 10);
	return (uint32_t)((v + 4) >> 3);
}

/*
 * Each function has a part before the table and one after it, and chooses among results instead of
 * branching: loops over lanes become vector code. A result that is not chosen may be anything.
 */

/* The argument truncated toward zero to 23 fractional bits, if it is below 128. */
static inline int32_t sfu_exp2_fixed(float y)
{
	uint32_t u = f2u(y), e = u >> 23 & 0xff, m = (u & 0x7fffff) | 0x800000;
	uint32_t right = e < 96 ? 31 : 127 - e;
	uint32_t mag = e >= 127 ? m << ((e - 127) & 31) : m >> (right & 31);

	return (int32_t)(u >> 31 ? 0 - mag : mag);
}

static inline float sfu_exp2_finish(float y, int32_t t, uint32_t v)
{
	uint32_t u = f2u(y), mag = u & 0x7fffffff;

	v += (uint32_t)((t >> 23) + 126) << 23;
	v = t < -126 * (1 << 23) ? 0 : v;
	v = mag >= 0x43000000 ? (u >> 31 ? 0 : 0x7f800000) : v; /* |y| >= 128 */
	return u2f(mag > 0x7f800000 ? IAU_CANONICAL_NAN : v);
}

/* 2^y */
static inline float sfu_exp2(float y)
{
	int32_t t = sfu_exp2_fixed(y);
	uint32_t i = (uint32_t)t >> 17 & 63;

	return sfu_exp2_finish(y, t, sfu_quadratic(iau_exp2_table[0][i], iau_exp2_table[1][i],
						   iau_exp2_table[2][i], (uint32_t)t & 0x1ffff));
}

static inline float sfu_recip_finish(float x, uint32_t v)
{
	uint32_t u = f2u(x), e = u >> 23 & 0xff, sign = u & 0x80000000;
	int32_t r = (int32_t)((252 - e) << 23) + (int32_t)v;

	v = r < (1 << 23) ? 0 : (uint32_t)r;
	v = e == 0 ? 0x7f800000 : v;
	v = sign | (e == 255 ? 0 : v);
	return u2f((u & 0x7fffffff) > 0x7f800000 ? IAU_CANONICAL_NAN : v);
}

static inline float sfu_recip(float x)
{
	uint32_t u = f2u(x), i = u >> 17 & 63;

	return sfu_recip_finish(x, sfu_quadratic(iau_recip_table[0][i], iau_recip_table[1][i],
						 iau_recip_table[2][i], u & 0x1ffff));
}

static inline float sfu_rsqrt(float x)
{
	uint32_t u = f2u(x), e = u >> 23 & 0xff;
	uint32_t odd = ~e & 1; /* 127 is the bias, so an even e is an odd power */
	uint32_t i = odd << 6 | (u >> 17 & 63);
	uint32_t v = sfu_quadratic(iau_rsqrt_table[0][i], iau_rsqrt_table[1][i], iau_rsqrt_table[2][i],
				   u & 0x1ffff);

	v += (377 + odd - e) / 2 << 23;
	v = e == 255 ? 0 : v;
	v = u >> 31 ? IAU_CANONICAL_NAN : v;
	v = e == 0 ? (u & 0x80000000) | 0x7f800000 : v;
	return u2f((u & 0x7fffffff) > 0x7f800000 ? IAU_CANONICAL_NAN : v);
}

/* Orders floats as the reductions do: -inf (and NaN) < ... < -0 < +0 < ... */
static inline uint32_t fp_order_key(float f)
{
	uint32_t u = f2u(f);

	if ((u & 0x7fffffff) > 0x7f800000)
		u = 0xff800000;
	return u >> 31 ? ~u : u | 0x80000000;
}

/*
 * A sum of many numbers, in fixed point: SUM * 2^(EXPONENT - 157), EXPONENT the greatest of all exponent fields so
 * far, 7 bits below the mantissa of such a number. What is shifted out is lost; the sum is rounded once, at its
 * end. At most 2^16 numbers: |SUM| < 2^48.
 */
struct fp_sum {
	int64_t sum;
	uint32_t exponent, special; /* SPECIAL: of what is not finite, FP_SUM_* */
};

enum { FP_SUM_PLUS_INF = 1, FP_SUM_MINUS_INF = 2, FP_SUM_NAN = 4 };

static inline uint32_t fp_sum_exponent(uint32_t u)
{
	return u >> 23 & 0xff;
}

static inline uint32_t fp_sum_special(uint32_t u)
{
	uint32_t inf = u >> 31 ? FP_SUM_MINUS_INF : FP_SUM_PLUS_INF;

	u &= 0x7fffffff;
	return u > 0x7f800000 ? FP_SUM_NAN : u == 0x7f800000 ? inf : 0;
}

/* A number where the greatest exponent is E, truncated toward zero */
static inline int32_t fp_sum_align(uint32_t u, uint32_t e)
{
	uint32_t own = fp_sum_exponent(u), right = e - own;
	uint32_t m = own ? (u << 7 & 0x3fffffff) | 0x40000000 : 0;

	m = right > 31 ? 0 : m >> (right & 31);
	return (int32_t)(u >> 31 ? 0 - m : m);
}

/* SUM += M * 2^(E - 157), the one of lower exponent rounded down */
static inline void fp_sum_add(struct fp_sum *s, int64_t m, uint32_t e)
{
	uint32_t top = s->exponent > e ? s->exponent : e, old = top - s->exponent, new = top - e;

	s->sum = (s->sum >> (old > 63 ? 63 : old)) + (m >> (new > 63 ? 63 : new));
	s->exponent = top;
}

/* As fp32, to nearest even; a zero is +0. */
static inline uint32_t fp_sum_round(const struct fp_sum *s)
{
	uint32_t sign = s->sum < 0 ? 0x80000000 : 0;
	uint64_t mag = s->sum < 0 ? 0 - (uint64_t)s->sum : (uint64_t)s->sum;
	int shift, exponent;
	uint32_t m;

	if (s->special)
		return s->special == FP_SUM_PLUS_INF ? 0x7f800000 :
		       s->special == FP_SUM_MINUS_INF ? 0xff800000 : IAU_CANONICAL_NAN;
	if (!mag)
		return 0;
	shift = __builtin_clzll(mag);
	mag <<= shift;
	exponent = (int)s->exponent + 33 - shift; /* bit 30 has the weight of the exponent field's */
	m = (uint32_t)(mag >> 40 & 0x7fffff);
	m += (mag >> 39 & 1) && ((mag & 0x7fffffffff) || (m & 1));
	exponent += (int)(m >> 23); /* rounded up to the next power of two */
	if (exponent < 1)
		return sign;
	return sign | (exponent > 254 ? 0x7f800000 : (uint32_t)exponent << 23 | (m & 0x7fffff));
}

/*
 * To INT8 by rounding to nearest even, saturated to -128..127; NaN gives 0. Adding 1.5 * 2^23 rounds,
 * and leaves the integer in the low bits.
 */
static inline int8_t fp_to_i8(float f)
{
	f = f != f ? 0.0f : f;
	f = f > 127.0f ? 127.0f : f;
	f = f < -128.0f ? -128.0f : f;
	return (int8_t)(uint8_t)f2u(f + 0x1.8p23f);
}

#endif
