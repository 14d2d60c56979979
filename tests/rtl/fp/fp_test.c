/* SPDX-License-Identifier: MIT */
/* The RTL's fp32 functions against the host's in FTZ/DAZ mode, and some of both against MPFR. */
#include "bench.h"
#include "numerics.h"

#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t rng;

static uint32_t rnd(void)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z ^ z >> 31);
}

static int check(const char *what, uint32_t x, uint32_t y, uint32_t got, uint32_t want)
{
	if (got == want)
		return 1;
	printf("# %s of %08x %08x: %08x, not %08x\n", what, x, y, got, want);
	return 0;
}

static int pair(uint32_t x, uint32_t y)
{
	struct fp_results r = fp_eval(x, y);
	volatile float fx = u2f(x), fy = u2f(y);

	return check("product", x, y, r.mul, fp_canonical(fx * fy)) &
	       check("sum", x, y, r.add, fp_canonical(fx + fy));
}

static int both_ways(uint32_t x, uint32_t y)
{
	return pair(x, y) & pair(y, x) & pair(x ^ 0x80000000, y) & pair(x, y ^ 0x80000000);
}

/* Every exponent with mantissas at the edges, all pairs of a coarse choice. */
static int edges(void)
{
	static const uint32_t mant[] = { 0, 1, 2, 3, 0x3fffff, 0x400000, 0x400001,
					 0x7ffffe, 0x7fffff, 0x3504f3, 0x3504f4 };
	static const uint32_t exps[] = { 0,   1,   2,   23,  24,  25,  26,  62,  63,  64,  65,
					 102, 103, 104, 125, 126, 127, 128, 129, 149, 150, 151,
					 152, 189, 190, 191, 192, 230, 252, 253, 254, 255 };
	const unsigned int nm = sizeof(mant) / 4, ne = sizeof(exps) / 4;
	int ok = 1;

	for (unsigned int i = 0; i < nm * ne; i++)
		for (unsigned int j = 0; j < nm * ne; j++)
			ok &= both_ways(exps[i / nm] << 23 | mant[i % nm],
					exps[j / nm] << 23 | mant[j % nm]);
	return ok;
}

static int any_bits(unsigned int count)
{
	int ok = 1;

	while (count-- && ok)
		ok &= pair(rnd(), rnd());
	return ok;
}

/* Exponents a few apart: cancellation, sticky bits, ties. */
static int near_sums(unsigned int count)
{
	int ok = 1;

	while (count-- && ok) {
		uint32_t x = rnd(), e = x >> 23 & 0xff, f = e + rnd() % 64 - 32;
		uint32_t y = (rnd() & 0x807fffff) | (f > 255 ? e : f) << 23;

		if (rnd() % 4 == 0)
			y &= ~0u << rnd() % 24;
		if (rnd() % 8 == 0)
			y = (x ^ 0x80000000) + rnd() % 5 - 2;
		ok &= both_ways(x, y);
	}
	return ok;
}

/* Products at both ends of the range, at the smallest normal above all. */
static int extreme_products(unsigned int count)
{
	int ok = 1;

	while (count-- && ok) {
		uint32_t e = rnd() % 254 + 1, limit = rnd() % 2 ? 127 : 382;
		uint32_t f = limit - e + rnd() % 5 - 2;
		uint32_t x = (rnd() & 0x807fffff) | e << 23, y = (rnd() & 0x807fffff) | (f & 255) << 23;

		if (rnd() % 4 == 0) {
			x |= 0x7fffff & ~(rnd() & rnd() & rnd() & rnd());
			y &= ~0x7fffffu | (rnd() & 7);
		}
		/* x y just below 2^(e + f - 253): rounds up or not */
		if (rnd() % 4 == 0) {
			double m = 1.0 + (x & 0x7fffff) * 0x1p-23, q = 2.0 / m;

			y = (y & 0xff800000) |
			    (((uint32_t)((q - 1.0) * 0x1p23) + rnd() % 3 - 1) & 0x7fffff);
		}
		ok &= both_ways(x, y);
	}
	return ok;
}

static int integers(unsigned int count)
{
	int ok = 1;

	for (unsigned int i = 0; i < count && ok; i++) {
		uint32_t x = i < 1u << 21 ? i - (1u << 20) : rnd() >> rnd() % 25;
		int32_t v = (int32_t)(x << 7) >> 7;

		ok &= check("integer", x, 0, fp_eval(x, 0).i2f, f2u((float)v));
	}
	return ok;
}

static int halves(void)
{
	int ok = 1;

	for (uint32_t x = 0; x < 65536; x++)
		ok &= check("half", x, 0, fp_eval(x, 0).half, f2u(fp16_to_fp32((uint16_t)x)));
	return ok;
}

/* The rounded result of MPFR, exponents unbounded, then flushed or overflowed. */
static uint32_t from_mpfr(mpfr_t v)
{
	uint32_t sign = mpfr_signbit(v) ? 0x80000000 : 0;

	if (mpfr_nan_p(v))
		return IAU_CANONICAL_NAN;
	if (mpfr_zero_p(v))
		return sign;
	if (mpfr_inf_p(v) || mpfr_get_exp(v) > 128)
		return sign | 0x7f800000;
	if (mpfr_get_exp(v) < -125)
		return sign;
	return f2u(mpfr_get_flt(v, MPFR_RNDN));
}

static int against_mpfr(unsigned int count)
{
	mpfr_t a, b, c;
	int ok = 1;

	mpfr_init2(a, 24);
	mpfr_init2(b, 24);
	mpfr_init2(c, 24);
	while (count-- && ok) {
		uint32_t x = rnd(), e = x >> 23 & 0xff, y = rnd();
		struct fp_results r;

		if (rnd() % 2)
			y = (y & 0x807fffff) | ((rnd() % 2 ? e + rnd() % 60 - 30 : 126 - e + rnd() % 3) & 255) << 23;
		x = x & 0x7f800000 ? x : x & 0x80000000;
		y = y & 0x7f800000 ? y : y & 0x80000000;
		r = fp_eval(x, y);
		mpfr_set_flt(a, u2f(x), MPFR_RNDN);
		mpfr_set_flt(b, u2f(y), MPFR_RNDN);
		mpfr_mul(c, a, b, MPFR_RNDN);
		ok &= check("product (MPFR)", x, y, r.mul, from_mpfr(c));
		mpfr_add(c, a, b, MPFR_RNDN);
		ok &= check("sum (MPFR)", x, y, r.add, from_mpfr(c));
	}
	mpfr_clears(a, b, c, (mpfr_ptr)0);
	mpfr_free_cache();
	return ok;
}

static int test(int ok, const char *name)
{
	static int number;

	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, name);
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 2000000;
	unsigned int old;
	int ok = 1;

	rng = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	printf("# seed %llu\n1..7\n", (unsigned long long)rng);
	ok &= test(against_mpfr(count), "random pairs against MPFR");
	old = iau_fp_enter();
	ok &= test(edges(), "exponents and mantissas at the edges, all pairs");
	ok &= test(any_bits(2 * count), "random pairs");
	ok &= test(near_sums(count), "sums of close exponents");
	ok &= test(extreme_products(count), "products at the ends of the range");
	ok &= test(integers(1u << 22), "integers");
	ok &= test(halves(), "every fp16");
	iau_fp_leave(old);
	return !ok;
}
