/* SPDX-License-Identifier: MIT */
/*
 * Bounds of keys (libiau/src/model/bounds.c) as the vector unit's arithmetic makes them: for every largest
 * value that a block of keys can have, INT8 times an fp16 scale, and every bound, the largest fp32 number
 * that gets it is below the bound by 1/256 of a step at least. That is the least exhausts the proof: the
 * bound grows with the number, and the smallest value of a channel is bounded as the negated largest one.
 */
#include "numerics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define OUTWARD (0.5f + 9.0f / 128)

struct scale {
	float inv;	/* that the vector unit multiplies by */
	double step;	/* that is stored */
};

static struct scale scale_of(float amax)
{
	float y = amax * (1.0f + 1.0f / 512), least = 128.0f / 16384, stored;
	struct scale s;

	y = y > least ? y : least;
	s.inv = sfu_recip(y) * 127.0f;
	stored = y * (1.0f / 127.0f);
	s.step = fp16_to_fp32(fp32_to_fp16(stored));
	return s;
}

static int bound(const struct scale *s, float x)
{
	return fp_to_i8(x * s->inv + OUTWARD);
}

/* The largest number no greater than AMAX that is bounded by Q, or below all that are */
static float largest(const struct scale *s, int q, float amax)
{
	float x = ((float)q + 0.5f - OUTWARD) / s->inv;

	x = x > amax ? amax : x;
	while (x < amax && bound(s, x) <= q)
		x = nextafterf(x, INFINITY);
	while (bound(s, x) > q)
		x = nextafterf(x, -INFINITY);
	return x;
}

static bool holds(float amax)
{
	struct scale s = scale_of(amax);

	for (int q = -127; q <= 127; q++) {
		float x = largest(&s, q, amax);

		if (x < -amax || bound(&s, x) != q)
			continue;
		if (q * s.step - (double)x >= s.step / 256)
			continue;
		printf("# largest value %a: %a is bounded by %d, that is %a\n", (double)amax, (double)x, q,
		       q * s.step);
		return false;
	}
	return true;
}

/* Keys have 127 magnitudes, their scales 1,024 mantissas. */
static unsigned long failures(int exponent, unsigned int stride)
{
	unsigned long bad = 0;

	for (unsigned int k = 1; k <= 127; k++)
		for (unsigned int m = 1024; m < 2048; m += stride)
			bad += !holds(ldexpf((float)(k * m), exponent - 10));
	return bad;
}

/* Keys that are rotated back may be any numbers. */
static unsigned long failures_of_any(unsigned int stride)
{
	unsigned long bad = 0;

	for (unsigned int m = 1u << 23; m < 1u << 24; m += stride)
		bad += !holds(ldexpf((float)m, -23));
	return bad;
}

int main(void)
{
	unsigned long bad = 0;

	iau_fp_enter();
	printf("1..3\n");
	bad = failures(0, 1);
	printf("%s 1 - all 130,048 largest values, to a power of two, have bounds outside\n",
	       bad ? "not ok" : "ok");
	/* the least scale, and the largest */
	for (int e = -24; e <= 15; e++)
		bad += failures(e, 61);
	printf("%s 2 - so they have at every exponent of the scales\n", bad ? "not ok" : "ok");
	bad += failures_of_any(509);
	printf("%s 3 - and 16,481 that are not products of an integer and a scale\n", bad ? "not ok" : "ok");
	return bad != 0;
}
