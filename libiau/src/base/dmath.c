/* SPDX-License-Identifier: MIT */
#include "base/dmath.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two parts; the high one has zeros below, so that k * LN2_HI is exact for |k| < 2^11. */
#define LN2_HI	  0x1.62e42feep-1
#define LN2_LO	  0x1.a39ef35793c76p-33
#define INV_LN2	  0x1.71547652b82fep0
#define EXP_TERMS 14

static double power_of_two(int k)
{
	uint64_t bits = (uint64_t)(k + 1023) << 52;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* x = k ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of e^r by Horner's rule. */
double iau_exp(double x)
{
	double r, sum = 1.0;
	int k;

	if (x < -700.0)
		return 0.0;
	if (x > 709.0)
		return (double)INFINITY;
	k = (int)(x * INV_LN2 + (x < 0 ? -0.5 : 0.5));
	r = (x - k * LN2_HI) - k * LN2_LO;
	for (int i = EXP_TERMS; i > 0; i--)
		sum = 1.0 + r * sum / i;
	return sum * power_of_two(k);
}

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)), ln m = 2 atanh(s) with s = (m - 1) / (m + 1). */
double iau_log(double x)
{
	double m, s, s2, sum = 0.0;
	uint64_t bits;
	int k;

	memcpy(&bits, &x, sizeof(bits));
	k = (int)(bits >> 52) - 1023;
	bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
	memcpy(&m, &bits, sizeof(m));
	if (m > 0x1.6a09e667f3bcdp0) {
		m *= 0.5;
		k++;
	}
	s = (m - 1.0) / (m + 1.0);
	s2 = s * s;
	for (int i = 23; i >= 3; i -= 2)
		sum = (sum + 1.0 / i) * s2;
	return k * LN2_HI + (2.0 * s + (2.0 * s * sum + k * LN2_LO));
}
