/* SPDX-License-Identifier: MIT */
/* The vector unit: one pass over a matrix, 32 columns at a time. */
#include "ref.h"
#include "numerics.h"

#define L IAU_LANES

/* VEC unpacked, so that the loops below read as the definition does. */
struct vec {
	uint32_t a_fmt, perm, b_fmt, b_wrap, m1, a1, a1_neg, mask, mask_step, sfu, m2, red, out;
	uint32_t rows, cols, d_bstride, r_init, red_max;
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
		.r_init = F(R_INIT), .red_max = F(RED_MAX), .a = F(A_ADDR), .as = F(A_STRIDE),
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

/* Lanes past the last column read as zero. */
static void read_a(const struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j,
		   unsigned int live, float *x)
{
	static const uint32_t flip[4] = { 0, 0, 1, 2 };
	uint64_t at = v->a + (uint64_t)r * v->as;
	float t[L];

	j ^= flip[v->perm];
	if (v->a_fmt) {
		for (unsigned int l = 0; l < L; l++)
			t[l] = (float)(int8_t)dev->vsp[at + j * 32 + l];
	} else {
		memcpy(t, dev->vsp + at + (uint64_t)j * 128, 128);
	}
	for (unsigned int l = 0; l < L; l++)
		x[l] = l < live ? t[v->perm == 1 ? l ^ 1 : l] : 0.0f;
}

static void read_b(const struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j, float *b)
{
	uint64_t at = v->b + (uint64_t)r * v->bs;

	if (v->b_wrap)
		j &= (1u << (v->b_wrap - 1)) - 1;
	if (v->b_fmt) {
		for (unsigned int l = 0; l < L; l++)
			b[l] = read_f32(dev, at + (uint64_t)j * 4);
	} else {
		memcpy(b, dev->vsp + at + (uint64_t)j * 128, 128);
	}
}

/* z of one vector, before the reduction and M2 */
static void pass(const struct vec *v, const float *a, const float *b, float s, uint32_t r,
		 uint32_t j, float *z)
{
	int64_t limit = (int64_t)v->limit + (v->mask_step ? r : 0);

	for (unsigned int l = 0; l < L; l++) {
		float m = v->m1 == 1 ? v->imm0 : v->m1 == 2 ? s : v->m1 == 3 ? b[l] : a[l];
		float t = v->a1 == 1 ? v->imm1 : v->a1 == 2 ? s : b[l];
		float x = v->m1 ? a[l] * m : a[l];

		t = v->a1_neg ? -t : t;
		x = v->a1 ? x + t : x;
		x = v->mask && (int64_t)(j * L + l) >= limit ? -INFINITY : x;
		z[l] = u2f(fp_canonical(x));
	}
	switch (v->sfu) {
	case 1:
		for (unsigned int l = 0; l < L; l++)
			z[l] = sfu_exp2(z[l]);
		break;
	case 2:
		for (unsigned int l = 0; l < L; l++)
			z[l] = sfu_recip(z[l]);
		break;
	case 3:
		for (unsigned int l = 0; l < L; l++)
			z[l] = sfu_rsqrt(z[l]);
		break;
	}
}

/* Folds by 16, 8, 4, 2, 1: the order of the sum is part of the contract. */
static float fold_sum(const float *z, unsigned int live)
{
	float t[L];

	for (unsigned int l = 0; l < L; l++)
		t[l] = l < live ? z[l] : 0.0f;
	for (unsigned int h = L / 2; h; h /= 2)
		for (unsigned int l = 0; l < h; l++)
			t[l] = t[l] + t[l + h];
	return t[0];
}

/* What a reduction carries along a row. */
struct reduction {
	float sum;
	uint32_t key, index; /* key orders floats; see fp_order_key() */
};

static uint32_t red_key(const struct vec *v, float z)
{
	if (v->red == 2 && !v->red_max)
		z = z != z ? 0.0f : fabsf(z);
	return fp_order_key(z);
}

static float key_value(uint32_t key)
{
	return u2f(key >> 31 ? key & 0x7fffffff : ~key);
}

static void reduce(const struct vec *v, const float *z, uint32_t j, unsigned int live,
		   struct reduction *red)
{
	if (v->red == 1) {
		red->sum = red->sum + fold_sum(z, live);
		return;
	}
	for (unsigned int l = 0; v->red && l < live; l++) {
		uint32_t key = red_key(v, z[l]);

		if (key > red->key) {
			red->key = key;
			red->index = v->d_bstride + j * L + l;
		}
	}
}

static void finish_reduction(struct iau_dev *dev, const struct vec *v, uint32_t r,
			     const struct reduction *red)
{
	uint64_t at = v->r + (uint64_t)r * (v->red == 3 ? 8 : 4);
	struct reduction out = *red;
	float old = read_f32(dev, at);

	if (v->red == 1) {
		write_u32(dev, at, fp_canonical(v->r_init ? old + out.sum : out.sum));
		return;
	}
	if (v->r_init && fp_order_key(old) >= out.key) {
		out.key = fp_order_key(old);
		if (v->red == 3)
			memcpy(&out.index, dev->vsp + at + 4, 4);
	}
	write_u32(dev, at, fp_canonical(key_value(out.key)));
	if (v->red == 3)
		write_u32(dev, at + 4, out.index);
}

static void write_f32(struct iau_dev *dev, uint64_t at, const float *y, unsigned int live)
{
	for (unsigned int l = 0; l < live; l++)
		write_u32(dev, at + l * 4, fp_canonical(y[l]));
}

/* One block: q = round(y * 127 / amax), scale amax / 127 */
static void write_q8(struct iau_dev *dev, const struct vec *v, uint64_t at, uint64_t sc,
		     const float *y)
{
	uint32_t amax = 0;
	float id, scale;

	for (unsigned int l = 0; l < L; l++) {
		uint32_t mag = f2u(y[l]) & 0x7fffffff;

		mag = mag > 0x7f800000 ? 0 : mag;
		amax = mag > amax ? mag : amax;
	}
	id = v->out == 4 ? 1.0f : 127.0f * sfu_recip(u2f(amax));
	for (unsigned int l = 0; l < L; l++)
		dev->vsp[at + l] = (uint8_t)fp_to_i8(y[l] * id);
	if (v->out == 4)
		return;
	scale = u2f(fp_canonical(u2f(amax) * (1.0f / 127.0f)));
	if (v->out == 2) {
		write_u32(dev, sc, f2u(scale));
	} else {
		uint16_t h = fp32_to_fp16(scale);

		memcpy(dev->vsp + sc, &h, 2);
	}
}

static void write_out(struct iau_dev *dev, const struct vec *v, uint32_t r, uint32_t j,
		      unsigned int live, const float *z, const float *b, float s)
{
	uint64_t row = v->d + (uint64_t)r * v->ds;
	float y[L];

	for (unsigned int l = 0; l < L; l++) {
		float m = v->m2 == 1 ? v->imm0 : v->m2 == 2 ? s : b[l];

		y[l] = l < live ? (v->m2 ? z[l] * m : z[l]) : 0.0f;
	}
	if (v->out == 1)
		write_f32(dev, row + (uint64_t)j * 128, y, live);
	else if (v->out)
		write_q8(dev, v, row + (uint64_t)j * v->d_bstride,
			 v->sc + (uint64_t)r * v->scr + (uint64_t)j * v->scb, y);
}

void ref_vec(struct iau_dev *dev, const uint32_t *cmd)
{
	struct vec v = unpack(cmd);
	bool use_b = v.m1 == 3 || v.a1 == 3 || v.m2 == 3;
	bool use_s = v.m1 == 2 || v.a1 == 2 || v.m2 == 2;
	float a[L], b[L] = { 0 }, z[L];

	for (uint32_t r = 0; r < v.rows; r++) {
		struct reduction red = { .index = v.d_bstride, .key = fp_order_key(-INFINITY) };
		float s = use_s ? read_f32(dev, v.s + (uint64_t)r * 4) : 0.0f;

		if (v.red == 2 && !v.red_max)
			red.key = fp_order_key(0.0f);
		for (uint32_t j = 0; j * L < v.cols; j++) {
			unsigned int live = v.cols - j * L < L ? v.cols - j * L : L;

			read_a(dev, &v, r, j, live, a);
			if (use_b)
				read_b(dev, &v, r, j, b);
			pass(&v, a, b, s, r, j, z);
			reduce(&v, z, j, live, &red);
			write_out(dev, &v, r, j, live, z, b, s);
		}
		if (v.red)
			finish_reduction(dev, &v, r, &red);
	}
	dev->counter[IAU_CNT_VEC_ELEMENTS] += (uint64_t)v.rows * v.cols;
}
