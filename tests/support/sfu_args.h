/* SPDX-License-Identifier: MIT */
/*
 * Arguments of the special functions, the same for the test of the reference against MPFR and for
 * that of the RTL against the reference: number I of a seeded sequence.
 */
#ifndef TESTS_SUPPORT_SFU_ARGS_H
#define TESTS_SUPPORT_SFU_ARGS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum sfu_domain {
	SFU_EXP2_UNIT, /* [-1, 1), multiples of 2^-23 */
	SFU_EXP2_WIDE, /* [-126, 128), any float */
	SFU_RECIP,     /* normal, 2^-126 to 2^126, either sign */
	SFU_RSQRT,     /* normal, positive */
	SFU_ANY,       /* any 32 bits, the odd ones often */
	SFU_DOMAINS,
};

/* splitmix64 (Steele et al. 2014) at position I */
static inline uint64_t sfu_random(uint64_t seed, uint64_t i)
{
	uint64_t z = seed * UINT64_C(0x2545f4914f6cdd1d) + i * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint32_t sfu_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

/* Argument I of the 2^24 of SFU_EXP2_UNIT */
static inline uint32_t sfu_unit(uint32_t i)
{
	return sfu_bits((float)((int32_t)(i & 0xffffff) - 0x800000) * 0x1p-23f);
}

static inline uint32_t sfu_argument(enum sfu_domain domain, uint64_t seed, uint64_t i)
{
	static const uint32_t odd[] = {
		0x00000000, 0x00000001, 0x007fffff, 0x00800000, 0x00800001, 0x3f7fffff, 0x3f800000,
		0x3f800001, 0x42fbffff, 0x42fc0000, 0x42fc0001, 0x42ffffff, 0x43000000, 0x7e7fffff,
		0x7e800000, 0x7e800001, 0x7effffff, 0x7f000000, 0x7f7fffff, 0x7f800000, 0x7f800001,
		0x7fc00000, 0x7fffffff, 0x34000000, 0x33800000, 0x33ffffff,
	};
	uint64_t z = sfu_random(seed, i);
	uint32_t u = (uint32_t)z, mant = u & 0x7fffff;

	switch (domain) {
	case SFU_EXP2_UNIT:
		return sfu_unit(u);
	case SFU_EXP2_WIDE:
		/* half of them uniform in value, half in their exponents, down to 2^-30 */
		if (z >> 63)
			return sfu_bits((float)(u % 254 << 23 | mant) * 0x1p-23f - 126.0f);
		return (u & 0x80000000) | (97 + (uint32_t)(z >> 40) % 36) << 23 | mant;
	case SFU_RECIP:
		return (u & 0x80000000) | (1 + (uint32_t)(z >> 40) % 252) << 23 | mant;
	case SFU_RSQRT:
		return (1 + (uint32_t)(z >> 40) % 254) << 23 | mant;
	default:
		if (z >> 62)
			return u;
		return odd[(z >> 40) % (sizeof(odd) / sizeof(*odd))] ^ (u & 0x80000000);
	}
}

#endif
