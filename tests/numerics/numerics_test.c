/* SPDX-License-Identifier: MIT */
/*
 * hw-model/ref/numerics.h: special functions against MPFR within the bounds of docs/hardware.md,
 * fp32 arithmetic in the mode that iau_fp_enter() sets against MPFR, conversions against libgcc's.
 *
 * usage: numerics_test [SEED [COUNT]] | -x     (-x: all arguments instead of COUNT of them)
 */
#include "numerics.h"
#include "sfu_args.h"

#include <mpfr.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 1, count = 1000000;
static bool exhaustive;
static mpfr_t exact, error;

static bool differ(const char *what, uint32_t x, uint32_t y, uint32_t got, uint32_t want)
{
	if (got == want)
		return false;
	printf("# %s of %08x %08x: %08x, not %08x\n", what, x, y, got, want);
	return true;
}

static uint32_t rnd(uint64_t i)
{
	return (uint32_t)sfu_random(seed ^ 0x5555, i);
}

/* Special functions */

static void exact_value(enum sfu_domain domain, float x)
{
	mpfr_set_flt(exact, x, MPFR_RNDN);
	switch (domain) {
	case SFU_RECIP:
		mpfr_ui_div(exact, 1, exact, MPFR_RNDN);
		break;
	case SFU_RSQRT:
		mpfr_rec_sqrt(exact, exact, MPFR_RNDN);
		break;
	default:
		mpfr_exp2(exact, exact, MPFR_RNDN);
	}
}

/* |got / exact - 1| in units of 2^-24 */
static double relative_error(float got)
{
	mpfr_set_flt(error, got, MPFR_RNDN);
	mpfr_div(error, error, exact, MPFR_RNDN);
	mpfr_sub_ui(error, error, 1, MPFR_RNDN);
	return fabs(mpfr_get_d(error, MPFR_RNDN)) * 0x1p24;
}

static float device_value(enum sfu_domain domain, float x)
{
	return domain == SFU_RECIP   ? sfu_recip(x)
	       : domain == SFU_RSQRT ? sfu_rsqrt(x)
				     : sfu_exp2(x);
}

/*
 * All arguments, as far as the error can differ: that of the reciprocal and of the root depends on
 * the mantissa, for the root also on the parity of the exponent.
 */
static uint64_t all_arguments(enum sfu_domain domain)
{
	static const uint64_t n[] = {
		[SFU_EXP2_UNIT] = 1 << 24,
		[SFU_EXP2_WIDE] = 2 * UINT64_C(0x43000000) / 7,
		[SFU_RECIP] = 1 << 23,
		[SFU_RSQRT] = 1 << 24,
	};

	return n[domain];
}

static uint32_t argument(enum sfu_domain domain, uint64_t i)
{
	if (!exhaustive)
		return sfu_argument(domain, seed, i);
	switch (domain) {
	case SFU_EXP2_UNIT:
		return sfu_unit((uint32_t)i);
	case SFU_EXP2_WIDE:
		return (uint32_t)(i * 7 % 0x43000000) | (i * 7 >= 0x43000000 ? 0x80000000 : 0);
	default:
		return 0x3f800000 + (uint32_t)i;
	}
}

static bool function_holds(enum sfu_domain domain, double bound)
{
	uint64_t n = exhaustive ? all_arguments(domain) : count;
	double worst = 0;
	uint32_t at = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint32_t u = argument(domain, i);
		double e;

		if (domain == SFU_EXP2_WIDE && u2f(u) < -126.0f)
			continue;
		exact_value(domain, u2f(u));
		e = relative_error(device_value(domain, u2f(u)));
		if (!(e <= worst)) {
			worst = e;
			at = u;
		}
	}
	printf("# largest error %.4f of %.2f allowed, at %08x, among %llu arguments\n", worst,
	       bound, at, (unsigned long long)n);
	return worst <= bound;
}

/* The last bits are those of the tables: powers of two are not exact. */
static bool special_values(void)
{
	static const struct {
		uint32_t x, exp2, recip, rsqrt;
	} v[] = {
		{ 0x00000000, 0x3f800000, 0x7f800000, 0x7f800000 },
		{ 0x80000000, 0x3f800000, 0xff800000, 0xff800000 },
		{ 0x00000001, 0x3f800000, 0x7f800000, 0x7f800000 }, /* subnormals are zeros */
		{ 0x807fffff, 0x3f800000, 0xff800000, 0xff800000 },
		{ 0x7f800000, 0x7f800000, 0x00000000, 0x00000000 },
		{ 0xff800000, 0x00000000, 0x80000000, 0x7fc00000 },
		{ 0x7fc00000, 0x7fc00000, 0x7fc00000, 0x7fc00000 },
		{ 0xff800001, 0x7fc00000, 0x7fc00000, 0x7fc00000 },
		{ 0x3f800000, 0x40000000, 0x3f7ffffe, 0x3f7fffff },
		{ 0xbf800000, 0x3f000000, 0xbf7ffffe, 0x7fc00000 },
		{ 0x43000000, 0x7f800000, 0x3bfffffe, 0x3db504f3 }, /* 128 */
		{ 0xc2fc0000, 0x00800000, 0xbc020820, 0x7fc00000 }, /* -126 */
		{ 0xc2fc0001, 0x00000000, 0xbc020820, 0x7fc00000 },
		{ 0xc3000000, 0x00000000, 0xbbfffffe, 0x7fc00000 }, /* -128 */
		{ 0x7e800000, 0x7f800000, 0x00000000, 0x1fffffff }, /* 2^126 */
		{ 0x7f000000, 0x7f800000, 0x00000000,
		  0x1fb504f3 }, /* its reciprocal is subnormal */
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		ok &= !differ("exp2", v[i].x, 0, f2u(sfu_exp2(u2f(v[i].x))), v[i].exp2);
		ok &= !differ("recip", v[i].x, 0, f2u(sfu_recip(u2f(v[i].x))), v[i].recip);
		ok &= !differ("rsqrt", v[i].x, 0, f2u(sfu_rsqrt(u2f(v[i].x))), v[i].rsqrt);
	}
	return ok;
}

/* fp32 arithmetic */

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

static uint32_t flushed(uint32_t u)
{
	return u & 0x7f800000 ? u : u & 0x80000000;
}

static bool arithmetic(void)
{
	mpfr_t a, b, c;
	bool ok = true;

	mpfr_inits2(24, a, b, c, (mpfr_ptr)0);
	for (uint64_t i = 0; i < count && ok; i++) {
		uint32_t x = rnd(3 * i), y = rnd(3 * i + 1), way = rnd(3 * i + 2);
		uint32_t e = x >> 23 & 0xff;
		uint32_t sum, product;
		volatile float fx, fy;
		unsigned int mode;

		/* exponents that meet: for sums close ones, for products those at the lower end */
		if (way % 4 == 1)
			y = (y & 0x807fffff) | (e + (way >> 8) % 60 - 30) << 24 >> 1;
		if (way % 4 == 2)
			y = (y & 0x807fffff) | (126 - e + (way >> 8) % 3) << 24 >> 1;
		if (way % 4 == 3)
			x = sfu_argument(SFU_ANY, seed, i);
		mode = iau_fp_enter();
		fx = u2f(x);
		fy = u2f(y);
		sum = fp_canonical(fx + fy);
		product = fp_canonical(fx * fy);
		iau_fp_leave(mode);
		mpfr_set_flt(a, u2f(flushed(x)), MPFR_RNDN);
		mpfr_set_flt(b, u2f(flushed(y)), MPFR_RNDN);
		mpfr_add(c, a, b, MPFR_RNDN);
		ok &= !differ("sum", x, y, sum, from_mpfr(c));
		mpfr_mul(c, a, b, MPFR_RNDN);
		ok &= !differ("product", x, y, product, from_mpfr(c));
	}
	mpfr_clears(a, b, c, (mpfr_ptr)0);
	return ok;
}

/* Conversions */

static bool halves_to_floats(void)
{
	bool ok = true;

	for (uint32_t h = 0; h < 65536; h++) {
		uint16_t bits = (uint16_t)h;
		_Float16 half;

		memcpy(&half, &bits, sizeof(half));
		ok &= !differ("fp16", h, 0, f2u(fp16_to_fp32(bits)), fp_canonical((float)half));
	}
	return ok;
}

static bool float_to_half(uint32_t u)
{
	_Float16 half = (_Float16)u2f(u);
	uint16_t want;

	memcpy(&want, &half, sizeof(want));
	if ((u & 0x7fffffff) > 0x7f800000)
		want = 0x7e00;
	return !differ("to fp16", u, 0, fp32_to_fp16(u2f(u)), want);
}

static bool float_to_i8(uint32_t u)
{
	double d = (double)u2f(u), whole = nearbyint(d);
	int want = d != d ? 0 : whole > 127 ? 127 : whole < -128 ? -128 : (int)whole;

	return !differ("to INT8", u, 0, (uint32_t)fp_to_i8(u2f(u)), (uint32_t)want);
}

/* Every float, or random ones of which most have exponents that matter. */
static bool floats(bool (*holds)(uint32_t u), uint32_t low, uint32_t high)
{
	uint64_t n = exhaustive ? UINT64_C(1) << 32 : 4 * count;
	bool ok = true;

	for (uint64_t i = 0; i < n && ok; i++) {
		uint32_t u = (uint32_t)i;

		if (!exhaustive && i % 4 == 0)
			u = sfu_argument(SFU_ANY, seed, i);
		else if (!exhaustive) /* half of them with few bits: ties */
			u = ((rnd(i) & (i % 2 ? ~0u : ~0u << rnd(i + n) % 24) & 0x807fffff) |
			     (low + rnd(i + n) / 64 % (high - low + 1)) << 23);
		ok = holds(u);
	}
	return ok;
}

static bool keys(void)
{
	bool ok = true;

	for (uint64_t i = 0; i < count && ok; i++) {
		uint32_t x = sfu_argument(SFU_ANY, seed, 2 * i),
			 y = sfu_argument(SFU_ANY, seed, 2 * i + 1);
		float fx = u2f(x), fy = u2f(y);
		bool less;

		fx = fx != fx ? -INFINITY : fx;
		fy = fy != fy ? -INFINITY : fy;
		less = fx < fy || (fx == 0 && fy == 0 && signbit(fx) && !signbit(fy));
		ok = less == (fp_order_key(u2f(x)) < fp_order_key(u2f(y)));
		if (!ok)
			printf("# order of %08x and %08x\n", x, y);
	}
	return ok;
}

/* A row as the vector unit adds it up, 32 numbers at a time */
static struct fp_sum sum_of(const uint32_t *x, uint32_t n)
{
	struct fp_sum s = { 0 };

	for (uint32_t at = 0; at < n; at += 32) {
		uint32_t end = at + 32 < n ? at + 32 : n, e = 0;
		int64_t m = 0;

		for (uint32_t i = at; i < end; i++) {
			e = fp_sum_exponent(x[i]) > e ? fp_sum_exponent(x[i]) : e;
			s.special |= fp_sum_special(x[i]);
		}
		for (uint32_t i = at; i < end; i++)
			m += fp_sum_align(x[i], e);
		fp_sum_add(&s, m, e);
	}
	return s;
}

/* Not further from the exact sum than rounding it, and 2^-7 of the greatest number's last place each, come to */
static bool sum_holds(const uint32_t *x, uint32_t n, mpfr_t sum)
{
	struct fp_sum s = sum_of(x, n);
	float got = u2f(fp_sum_round(&s));
	int exponent;
	double bound;

	mpfr_set_zero(sum, 1);
	for (uint32_t i = 0; i < n; i++)
		mpfr_add_d(sum, sum, (double)u2f(x[i]), MPFR_RNDN);
	frexpf(got, &exponent);
	bound = ldexp(0.5, exponent - 24) + ldexp(n + n / 32 + 1, (int)s.exponent - 157);
	if (got == 0)
		bound += 0x1p-126; /* flushed */
	mpfr_sub_d(error, sum, (double)got, MPFR_RNDN);
	if (fabs(mpfr_get_d(error, MPFR_RNDN)) <= bound)
		return true;
	printf("# sum of %u numbers: %a, wrong by %a of at most %a\n", n, (double)got,
	       mpfr_get_d(error, MPFR_RNDN), bound);
	return false;
}

static bool sums(void)
{
	static uint32_t x[4096];
	bool ok = true;
	mpfr_t sum;

	mpfr_init2(sum, 640);
	for (uint64_t i = 0; i < count / 1000 && ok; i++) {
		uint32_t n = 1 + rnd(4 * i) % (i % 4 ? 96 : 4096), wide = 1 + rnd(4 * i + 1) % (i % 8 ? 40 : 200);
		uint32_t low = 1 + rnd(4 * i + 2) % (240 - wide);

		for (uint32_t k = 0; k < n; k++) {
			uint32_t u = rnd(i << 16 | k);

			/* those of every third row cancel pair by pair, but for the last */
			x[k] = (u & 0x807fffff) | (low + rnd(~(i << 16 | k)) % wide) << 23;
			if (i % 3 == 0 && k % 2)
				x[k] = x[k - 1] ^ 0x80000000;
		}
		ok = sum_holds(x, n, sum);
	}
	mpfr_clear(sum);
	return ok;
}

static bool special_sums(void)
{
	static const struct {
		uint32_t x[3], want;
	} row[] = {
		{ { 0x7f800000, 0x3f800000, 0xff7fffff }, 0x7f800000 },
		{ { 0x3f800000, 0xff800000, 0xff800000 }, 0xff800000 },
		{ { 0x7f800000, 0, 0xff800000 }, IAU_CANONICAL_NAN },
		{ { 0x7f800001, 0, 0 }, IAU_CANONICAL_NAN },
		{ { 0x7f800000, 0xffc00000, 0 }, IAU_CANONICAL_NAN },
		{ { 0x80000000, 0x80000000, 0x80000000 }, 0 },
		{ { 0x3f800000, 0xbf800000, 0x80000000 }, 0 },
		{ { 0x7f7fffff, 0x7f7fffff, 0 }, 0x7f800000 },
		{ { 0xff7fffff, 0x73800000, 0xf3800000 }, 0xff7fffff },
		{ { 0xff7fffff, 0xf3000000, 0 }, 0xff800000 }, /* a tie at the last number */
		{ { 0x00800000, 0x80800001, 0 }, 0x80000000 }, /* subnormal */
		{ { 0x007fffff, 0x00000001, 0 }, 0 },
		{ { 0x4b800000, 0x3f800000, 0 }, 0x4b800000 }, /* 2^24 + 1: to even */
		{ { 0x4b800001, 0x3f800000, 0 }, 0x4b800002 },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct fp_sum s = sum_of(row[i].x, 3);

		ok &= !differ("sum", row[i].x[0], row[i].x[1], fp_sum_round(&s), row[i].want);
	}
	return ok;
}

static int failed;

static void test(bool ok, const char *name)
{
	static int number;

	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, name);
	fflush(stdout);
	failed |= !ok;
}

int main(int argc, char **argv)
{
	exhaustive = argc > 1 && !strcmp(argv[1], "-x");
	if (argc > 1 && !exhaustive)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		count = strtoull(argv[2], NULL, 0);
	printf("# seed %llu, %s\n1..12\n", (unsigned long long)seed,
	       exhaustive ? "all" : "a sample");
	mpfr_inits2(80, exact, error, (mpfr_ptr)0);
	test(function_holds(SFU_EXP2_UNIT, 1.78), "exp2 in [-1, 1) with 23 fractional bits");
	test(function_holds(SFU_EXP2_WIDE, 3.13), "exp2 from -126 to 128");
	test(function_holds(SFU_RECIP, 3.28), "reciprocal");
	test(function_holds(SFU_RSQRT, 1.85), "reciprocal square root");
	test(special_values(), "functions of zeros, infinities, NaNs and at the ends of the range");
	test(arithmetic(), "sums and products in the device's mode against MPFR");
	test(halves_to_floats(), "every fp16 to fp32");
	test(floats(float_to_half, 99, 144), "fp32 to fp16");
	test(floats(float_to_i8, 124, 135), "fp32 to INT8");
	test(keys(), "keys order floats as the reductions do");
	test(sums(), "sums of rows against MPFR");
	test(special_sums(), "sums of zeros, infinities, NaNs, and at the ends of the range");
	mpfr_clears(exact, error, (mpfr_ptr)0);
	mpfr_free_cache();
	return failed;
}
