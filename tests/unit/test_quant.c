/* SPDX-License-Identifier: MIT */
/* fp16, bf16, and blocks of 32. */
#include "cmocka_all.h"

#include <math.h>

#include "iau/gguf.h"
#include "model/quant.h"
#include "runtime/rng.h"

static uint32_t bits(float f)
{
	uint32_t b;

	memcpy(&b, &f, sizeof(b));
	return b;
}

static float from_bits(uint32_t b)
{
	float f;

	memcpy(&f, &b, sizeof(f));
	return f;
}

/* Value of an fp16 by its definition. */
static double f16_value(uint16_t h)
{
	int exp = (h >> 10) & 31;
	double m = exp ? 1024 + (h & 1023) : h & 1023;

	return (h & 0x8000 ? -1.0 : 1.0) * ldexp(m, (exp ? exp : 1) - 25);
}

static void test_f16_to_f32_all(void **state)
{
	(void)state;
	for (uint32_t h = 0; h < 0x10000; h++) {
		float f = iau_f16_to_f32((uint16_t)h);

		if ((h & 0x7fff) > 0x7c00)
			assert_true(isnan(f));
		else if ((h & 0x7fff) == 0x7c00)
			assert_true(f == (h & 0x8000 ? -INFINITY : INFINITY));
		else
			assert_true((double)f == f16_value((uint16_t)h));
		assert_int_equal(signbit(f) != 0, h >> 15);
		if (!isnan(f))
			assert_int_equal(iau_f32_to_f16(f), h);
	}
}

/* Nearest, and the even one of two: checked against the neighbours of the result. */
static void test_f32_to_f16_rounds(void **state)
{
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 3);
	for (int i = 0; i < 1000000; i++) {
		/* all exponents around the range of fp16, with short fractions for ties */
		uint64_t r = iau_rng_next(&rng);
		uint32_t frac = (uint32_t)(r >> 20) & 0x7fffff;
		float f = from_bits((uint32_t)(100 + r % 43) << 23 |
				    (r & 0x100000000000 ? frac : frac & 0x7ff000));
		uint16_t h = iau_f32_to_f16(f);
		double d;

		if ((double)f >= 65520.0) {
			assert_int_equal(h, 0x7c00);
			continue;
		}
		d = fabs(f16_value(h) - (double)f);
		if (h)
			assert_true(d <= fabs(f16_value((uint16_t)(h - 1)) - (double)f));
		assert_true(d <= fabs(f16_value((uint16_t)(h + 1)) - (double)f));
		if (h && d == fabs(f16_value((uint16_t)(h - 1)) - (double)f))
			assert_int_equal(h & 1, 0);
		if (d == fabs(f16_value((uint16_t)(h + 1)) - (double)f))
			assert_int_equal(h & 1, 0);
		assert_int_equal(iau_f32_to_f16(-f), h | 0x8000);
	}
	assert_int_equal(iau_f32_to_f16(INFINITY), 0x7c00);
	assert_int_equal(iau_f32_to_f16(-0.0f), 0x8000);
	assert_int_equal(iau_f32_to_f16(from_bits(1)), 0);
	assert_true((iau_f32_to_f16(NAN) & 0x7fff) > 0x7c00);
	assert_true((iau_f32_to_f16(from_bits(0x7f800001)) & 0x7fff) > 0x7c00);
}

static void test_bf16(void **state)
{
	(void)state;
	assert_true(iau_bf16_to_f32(0x3f80) == 1.0f);
	assert_true(iau_bf16_to_f32(0xc040) == -3.0f);
	assert_true(iau_bf16_to_f32(0x7f80) == INFINITY);
}

static uint16_t scale(const struct iau_block_q8_0 *b)
{
	return (uint16_t)(b->d[0] | b->d[1] << 8);
}

static void test_q8_0_known(void **state)
{
	struct iau_block_q8_0 b;
	float x[32] = { 0 };

	(void)state;
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0);
	assert_int_equal(b.q[0], 0);
	/* d = 1: halves round away from zero */
	x[0] = 127.0f;
	x[1] = 0.5f;
	x[2] = -0.5f;
	x[3] = 2.5f;
	x[4] = -127.0f;
	x[5] = 0.49f;
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0x3c00);
	assert_int_equal(b.q[0], 127);
	assert_int_equal(b.q[1], 1);
	assert_int_equal(b.q[2], -1);
	assert_int_equal(b.q[3], 3);
	assert_int_equal(b.q[4], -127);
	assert_int_equal(b.q[5], 0);
	/* the integers come from the fp32 scale, not from the rounded one */
	x[0] = 1.0f;
	x[4] = 0.0f;
	x[3] = 0.5f;
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0x2008);
	assert_int_equal(b.q[0], 127);
	assert_int_equal(b.q[3], 64);
}

static void test_q8_0_random(void **state)
{
	struct iau_block_q8_0 b;
	struct iau_rng rng;
	float x[32];

	(void)state;
	iau_rng_seed(&rng, 4);
	for (int i = 0; i < 20000; i++) {
		float amax = 0.0f, d, id;

		for (int j = 0; j < 32; j++) {
			x[j] = (float)(iau_rng_double(&rng) - 0.5) * ldexpf(1.0f, i % 40 - 20);
			amax = fmaxf(amax, fabsf(x[j]));
		}
		d = amax / 127.0f;
		id = 1.0f / d;
		iau_quantize_q8_0(x, &b, 32);
		assert_int_equal(scale(&b), iau_f32_to_f16(d));
		for (int j = 0; j < 32; j++)
			assert_int_equal(b.q[j], (int)roundf(x[j] * id));
	}
}

static void test_q8_0_extremes(void **state)
{
	struct iau_block_q8_0 b;
	float x[32] = { 0 };

	(void)state;
	x[7] = from_bits(1); /* smallest subnormal: the scale underflows, 1 / d overflows */
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0);
	x[7] = from_bits(0x00000200);
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0);
	assert_int_equal(b.q[7], 0);
	x[7] = 3e38f;
	iau_quantize_q8_0(x, &b, 32);
	assert_int_equal(scale(&b), 0x7c00);
	assert_int_equal(b.q[7], 127);
}

static void test_row_types(void **state)
{
	struct iau_block_q8_0 want[2], got[2];
	uint16_t h16[64], b16[64];
	float f32[64];

	(void)state;
	for (int i = 0; i < 64; i++) {
		f32[i] = (float)(i - 20);
		h16[i] = iau_f32_to_f16(f32[i]);
		b16[i] = (uint16_t)(bits(f32[i]) >> 16); /* small integers are exact */
	}
	iau_quantize_q8_0(f32, want, 64);
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_F32, f32, got, 64), 0);
	assert_memory_equal(got, want, sizeof(want));
	memset(got, 0, sizeof(got));
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_F16, h16, got, 64), 0);
	assert_memory_equal(got, want, sizeof(want));
	memset(got, 0, sizeof(got));
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_BF16, b16, got, 64), 0);
	assert_memory_equal(got, want, sizeof(want));

	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_Q4_0, f32, got, 64), -EINVAL);
	assert_message("type Q4_0 is not a float type");
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_F32, f32, got, 33), -EINVAL);
	assert_message("33 is not a multiple of 32");
	f32[40] = NAN;
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_F32, f32, got, 64), -EINVAL);
	assert_message("element 40 is not finite");
	h16[3] = 0x7c00;
	assert_int_equal(iau_row_to_q8_0(IAU_TENSOR_F16, h16, got, 64), -EINVAL);
	assert_message("element 3 is not finite");
}

static void test_block_view(void **state)
{
	struct iau_block_q8_0 q8[2] = { 0 };
	struct iau_block_q4_0 q4[2] = { 0 };
	struct iau_block b;

	(void)state;
	q8[1].d[0] = 0x34;
	q8[1].d[1] = 0x12;
	q4[1].d[1] = 0x3c;
	for (int i = 0; i < 32; i++)
		q8[1].q[i] = (int8_t)(i - 128);
	for (int i = 0; i < 16; i++)
		q4[1].q[i] = (uint8_t)(i | (15 - i) << 4);
	assert_int_equal(iau_block_view(IAU_TENSOR_Q8_0, q8, 1, &b), 0);
	assert_int_equal(b.scale, 0x1234);
	assert_int_equal(b.q[0], -128);
	assert_int_equal(b.q[31], -97);
	assert_int_equal(iau_block_view(IAU_TENSOR_Q4_0, q4, 1, &b), 0);
	assert_int_equal(b.scale, 0x3c00);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(b.q[i], i - 8);
		assert_int_equal(b.q[i + 16], 7 - i);
	}
	assert_int_equal(iau_block_view(IAU_TENSOR_F32, q4, 0, &b), -EINVAL);
	assert_message("type F32 has no blocks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f16_to_f32_all), cmocka_unit_test(test_f32_to_f16_rounds),
		cmocka_unit_test(test_bf16),	       cmocka_unit_test(test_q8_0_known),
		cmocka_unit_test(test_q8_0_random),    cmocka_unit_test(test_q8_0_extremes),
		cmocka_unit_test(test_row_types),      cmocka_unit_test(test_block_view),
	};

	return run_group("quant", tests);
}
