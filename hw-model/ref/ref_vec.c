/* SPDX-License-Identifier: MIT */
/*
 * The vector unit: one pass over a matrix, 32 columns at a time. Every loop over lanes but a look-up is
 * simple enough for the compiler to make vector code of it; module.mk compiles this file once for every
 * instruction set that ref_dispatch.c chooses from.
 */
#include "ref.h"
#include "numerics.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define L IAU_LANES
#define EACH(l) for (unsigned int l = 0; l < L; l++)

/* VEC unpacked, so that the loops below read as the definition does. */
struct vec {
	uint32_t a_fmt, perm, b_fmt, b_wrap, m1, a1, a1_neg, mask, mask_step, sfu, m2, red, out;
	uint32_t rows, cols, d_bstride, r_init, red_max, a1_max;
	uint32_t a, as, b, bs, s, d, ds, sc, scr, scb, r;
	float imm0, imm1;
	int32_t limit;
};

static struct vec unpack(const uint32_t *cmd)
{
#define F(name) ((uint32_t)IAU_GET(cmd, IAU_VEC_##name))
	return (struct vec){
		.a_fmt = F(A_FMT), .perm = F(PERM), .b_fmt = F(B_FMT), .b_wrap = F(B_WRAP),
		.m1 = F(M1), .a1 = F(A1), .a1_neg = F(A1_NEG), .mask = F(MASK),
		.mask_step = F(MASK_STEP), .sfu = F(SFU), .m2 = F(M2), .red = F(RED),
		.out = F(OUT), .rows = F(ROWS), .cols = F(COLS), .d_bstride = F(D_BSTRIDE),
		.r_init = F(R_INIT), .red_max = F(RED_MAX), .a1_max = F(A1_MAX), .a = F(A_ADDR), .as = F(A_STRIDE),
		.b = F(B_ADDR), .bs = F(B_STRIDE), .s = F(S_ADDR), .d = F(D_ADDR),
		.ds = F(D_STRIDE), .sc = F(SC_ADDR), .scr = F(SC_RSTRIDE), .scb = F(SC_BSTRIDE),
		.r = F(R_ADDR), .imm0 = u2f(F(IMM0)), .imm1 = u2f(F(IMM1)),
		.limit = (int32_t)F(IMM1),
	};
#undef F
}

static float read_f32(const struct iau_dev *dev, uint64_t addr)
{
	float f;

	memcpy(&f, dev->vsp + addr, 4);
	return f;
}

static void write_u32(struct iau_dev *dev, uint64_t addr, uint32_t u)
{
	memcpy(dev->vsp + addr, &u, 4);
}

static void zero_from(float *x, unsigned int live)
{
	for (unsigned int l = live; l < L; l++)
		x[l] = 0.0f;
}

/* Lanes past the last column read as zero. */
static void read_a(const struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j,
		   unsigned int live, float *x)
{
	static const uint32_t flip[4] = { 0, 0, 1, 2 };
	const uint8_t *row = dev->vsp + v->a + (uint64_t)r * v->as;
	float t[L];

	j ^= flip[v->perm];
	if (v->a_fmt) {
		const int8_t *q = (const int8_t *)row + j * 32;

		EACH(l)
			x[l] = (float)q[l];
	} else {
		memcpy(x, row + (uint64_t)j * 128, 128);
	}
	if (v->perm == 1) {
		memcpy(t, x, sizeof(t));
		EACH(l)
			x[l] = t[l ^ 1];
	}
	zero_from(x, live);
}

static void read_b(const struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j, float *b)
{
	uint64_t at = v->b + (uint64_t)r * v->bs;

	if (v->b_wrap)
		j &= (1u << (v->b_wrap - 1)) - 1;
	if (v->b_fmt) {
		float one = read_f32(dev, at + (uint64_t)j * 4);

		EACH(l)
			b[l] = one;
	} else {
		memcpy(b, dev->vsp + at + (uint64_t)j * 128, 128);
	}
}

/* x = x * M1; 4 is the square */
static void multiply(uint32_t m1, float imm, float s, const float *b, float *x)
{
	float one = m1 == 1 ? imm : s;

	if (m1 >= 3) {
		const float *m = m1 == 3 ? b : x;

		EACH(l)
			x[l] = x[l] * m[l];
	} else if (m1) {
		EACH(l)
			x[l] = x[l] * one;
	}
}

/* x = x + A1 */
static void add(const struct vec *v, float s, const float *b, float *x)
{
	uint32_t flip = v->a1_neg ? 0x80000000 : 0;
	float one = u2f(f2u(v->a1 == 1 ? v->imm1 : s) ^ flip);

	if (v->a1 == 3) {
		EACH(l)
			x[l] = x[l] + u2f(f2u(b[l]) ^ flip);
	} else if (v->a1) {
		EACH(l)
			x[l] = x[l] + one;
	}
}

static float key_value(uint32_t key)
{
	return u2f(key >> 31 ? key & 0x7fffffff : ~key);
}

static float greater(float x, float y)
{
	uint32_t a = fp_order_key(x), b = fp_order_key(y);

	return key_value(a > b ? a : b);
}

/* x = max(x, A1) */
static void at_least(const struct vec *v, float s, const float *b, float *x)
{
	uint32_t flip = v->a1_neg ? 0x80000000 : 0;
	float one = u2f(f2u(v->a1 == 1 ? v->imm1 : s) ^ flip);

	if (v->a1 == 3) {
		EACH(l)
			x[l] = greater(x[l], u2f(f2u(b[l]) ^ flip));
	} else if (v->a1) {
		EACH(l)
			x[l] = greater(x[l], one);
	}
}

/* Columns from the limit on become -inf. */
static void mask(const struct vec *v, uint32_t r, uint32_t j, float *x)
{
	int64_t left = (int64_t)v->limit + (v->mask_step ? r : 0) - (int64_t)j * L;
	int32_t limit = left < 0 ? 0 : left > (int64_t)L ? (int32_t)L : (int32_t)left;

	EACH(l)
		x[l] = (int32_t)l >= limit ? -INFINITY : x[l];
}

/* Coefficients of one vector. Only their look-up is not vector code. */
struct coefficients {
	int32_t c0[L], c1[L], c2[L];
};

#ifdef __AVX512F__
/* Of 64 words those that I names: a look-up in four registers is faster than 16 in memory. */
static inline __m512i choose(const int32_t *table, __m512i i)
{
	__m512i low = _mm512_permutex2var_epi32(_mm512_loadu_si512(table), i, _mm512_loadu_si512(table + 16));
	__m512i high = _mm512_permutex2var_epi32(_mm512_loadu_si512(table + 32), i, _mm512_loadu_si512(table + 48));

	return _mm512_mask_blend_epi32(_mm512_test_epi32_mask(i, _mm512_set1_epi32(32)), low, high);
}

static void look_up(const int32_t (*table)[64], const uint32_t *bits, struct coefficients *c)
{
	for (unsigned int l = 0; l < L; l += 16) {
		__m512i i = _mm512_srli_epi32(_mm512_loadu_si512(bits + l), 17);

		_mm512_storeu_si512(c->c0 + l, choose(table[0], i));
		_mm512_storeu_si512(c->c1 + l, choose(table[1], i));
		_mm512_storeu_si512(c->c2 + l, choose(table[2], i));
	}
}
#else
static void look_up(const int32_t (*table)[64], const uint32_t *bits, struct coefficients *c)
{
	EACH(l) {
		uint32_t i = bits[l] >> 17 & 63;

		c->c0[l] = table[0][i];
		c->c1[l] = table[1][i];
		c->c2[l] = table[2][i];
	}
}
#endif

static void exp2_all(float *z)
{
	struct coefficients c;
	uint32_t t[L];

	EACH(l)
		t[l] = (uint32_t)sfu_exp2_fixed(z[l]);
	look_up(iau_exp2_table, t, &c);
	EACH(l)
		z[l] = sfu_exp2_finish(z[l], (int32_t)t[l],
				       sfu_quadratic(c.c0[l], c.c1[l], c.c2[l], t[l] & 0x1ffff));
}

static void recip_all(float *z)
{
	struct coefficients c;
	uint32_t u[L];

	EACH(l)
		u[l] = f2u(z[l]);
	look_up(iau_recip_table, u, &c);
	EACH(l)
		z[l] = sfu_recip_finish(z[l], sfu_quadratic(c.c0[l], c.c1[l], c.c2[l], u[l] & 0x1ffff));
}

/* z of one vector, before the reduction and M2 */
static void pass(const struct vec *v, const float *b, float s, uint32_t r, uint32_t j, float *z)
{
	multiply(v->m1, v->imm0, s, b, z);
	(v->a1_max ? at_least : add)(v, s, b, z);
	if (v->mask)
		mask(v, r, j, z);
	EACH(l)
		z[l] = u2f(fp_canonical(z[l]));
	switch (v->sfu) {
	case 1:
		exp2_all(z);
		break;
	case 2:
		recip_all(z);
		break;
	case 3:
		EACH(l)
			z[l] = sfu_rsqrt(z[l]);
		break;
	}
}

/* What a reduction carries along a row. */
struct reduction {
	struct fp_sum sum;
	uint32_t key, index; /* key orders floats; see fp_order_key() */
};

/* A vector is added up at its greatest exponent, in halves of 16 bits: no partial sum needs more than 32. */
static void reduce_sum(const float *z, unsigned int live, struct reduction *red)
{
	uint32_t u[L], e = 0, special = 0, low = 0;
	int32_t high = 0;

	EACH(l)
		u[l] = l < live ? f2u(z[l]) : 0;
	EACH(l)
		e = fp_sum_exponent(u[l]) > e ? fp_sum_exponent(u[l]) : e;
	EACH(l)
		special |= fp_sum_special(u[l]);
	EACH(l) {
		int32_t m = fp_sum_align(u[l], e);

		low += (uint32_t)m & 0xffff;
		high += m >> 16;
	}
	red->sum.special |= special;
	fp_sum_add(&red->sum, (int64_t)high * 65536 + low, e);
}

static bool of_magnitudes(const struct vec *v)
{
	return v->red == 2 && !v->red_max;
}

/* The greatest key, and of equal ones the first. */
static void reduce_max(const struct vec *v, const float *z, uint32_t j, unsigned int live,
		       struct reduction *red)
{
	uint32_t key[L], best = 0;

	if (of_magnitudes(v)) {
		EACH(l)
			key[l] = fp_order_key(z[l] != z[l] ? 0.0f : fabsf(z[l]));
	} else {
		EACH(l)
			key[l] = fp_order_key(z[l]);
	}
	for (unsigned int l = live; l < L; l++)
		key[l] = 0;
	EACH(l)
		best = key[l] > best ? key[l] : best;
	if (best <= red->key)
		return;
	red->key = best;
	for (unsigned int l = 0; v->red == 3; l++) {
		if (key[l] == best) {
			red->index = v->d_bstride + j * L + l;
			break;
		}
	}
}

/* Where R has a row's result */
static uint64_t result_at(const struct vec *v, uint32_t r)
{
	return v->r + (uint64_t)r * (v->red == 3 ? 8 : 4);
}

/* Where a row's reduction begins: at nothing, or at what R has */
static struct reduction begin_reduction(const struct iau_dev *dev, const struct vec *v, uint32_t r)
{
	struct reduction red = {
		.key = fp_order_key(of_magnitudes(v) ? 0.0f : -INFINITY), .index = v->d_bstride,
	};
	uint64_t at = result_at(v, r);
	float old;

	if (!v->red || !v->r_init)
		return red;
	old = read_f32(dev, at);
	red.sum.exponent = fp_sum_exponent(f2u(old));
	red.sum.special = fp_sum_special(f2u(old));
	red.sum.sum = fp_sum_align(f2u(old), red.sum.exponent);
	if (fp_order_key(old) >= red.key) {
		red.key = fp_order_key(old);
		if (v->red == 3)
			memcpy(&red.index, dev->vsp + at + 4, 4);
	}
	return red;
}

static void finish_reduction(struct iau_dev *dev, const struct vec *v, uint32_t r,
			     const struct reduction *red)
{
	uint64_t at = result_at(v, r);

	write_u32(dev, at, v->red == 1 ? fp_sum_round(&red->sum) : fp_canonical(key_value(red->key)));
	if (v->red == 3)
		write_u32(dev, at + 4, red->index);
}

static void write_f32(uint8_t *to, const float *y, unsigned int live)
{
	uint32_t t[L];

	EACH(l)
		t[l] = fp_canonical(y[l]);
	memcpy(to, t, live * 4);
}

/* One block: q = round(y * 127 / amax), scale amax / 127 */
static void write_q8(const struct vec *v, uint8_t *to, uint8_t *sc, const float *y)
{
	uint32_t mag[L], amax = 0;
	int8_t q[L];
	uint16_t half;
	float id, scale;

	EACH(l) {
		uint32_t m = f2u(y[l]) & 0x7fffffff;

		mag[l] = m > 0x7f800000 ? 0 : m;
	}
	EACH(l)
		amax = mag[l] > amax ? mag[l] : amax;
	id = v->out == 4 ? 1.0f : 127.0f * sfu_recip(u2f(amax));
	EACH(l)
		q[l] = fp_to_i8(y[l] * id);
	memcpy(to, q, sizeof(q));
	if (v->out == 4)
		return;
	scale = u2f(fp_canonical(u2f(amax) * (1.0f / 127.0f)));
	half = fp32_to_fp16(scale);
	if (v->out == 2)
		memcpy(sc, &scale, 4);
	else
		memcpy(sc, &half, 2);
}

/* D = z * M2 */
static void write_out(struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j,
		      unsigned int live, float *z, const float *b, float s)
{
	uint8_t *row = dev->vsp + v->d + (uint64_t)r * v->ds;

	multiply(v->m2, v->imm0, s, b, z);
	zero_from(z, live);
	if (v->out == 1)
		write_f32(row + (uint64_t)j * 128, z, live);
	else if (v->out)
		write_q8(v, row + (uint64_t)j * v->d_bstride,
			 dev->vsp + v->sc + (uint64_t)r * v->scr + (uint64_t)j * v->scb, z);
}

void ref_vec(struct iau_dev *dev, const uint32_t *cmd)
{
	struct vec v = unpack(cmd);
	bool use_b = v.m1 == 3 || v.a1 == 3 || v.m2 == 3;
	bool use_s = v.m1 == 2 || v.a1 == 2 || v.m2 == 2;
	float b[L] = { 0 }, z[L];

	for (uint32_t r = 0; r < v.rows; r++) {
		struct reduction red = begin_reduction(dev, &v, r);
		float s = use_s ? read_f32(dev, v.s + (uint64_t)r * 4) : 0.0f;

		for (uint32_t j = 0; j * L < v.cols; j++) {
			unsigned int live = v.cols - j * L < L ? v.cols - j * L : L;

			read_a(dev, &v, r, j, live, z);
			if (use_b)
				read_b(dev, &v, r, j, b);
			pass(&v, b, s, r, j, z);
			if (v.red == 1)
				reduce_sum(z, live, &red);
			else if (v.red)
				reduce_max(&v, z, j, live, &red);
			write_out(dev, &v, r, j, live, z, b, s);
		}
		if (v.red)
			finish_reduction(dev, &v, r, &red);
	}
	dev->counter[IAU_CNT_VEC_ELEMENTS] += (uint64_t)v.rows * v.cols;
}
