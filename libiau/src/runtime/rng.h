/* SPDX-License-Identifier: MIT */
/* xoshiro256** seeded by splitmix64; the papers are named in iau/sampler.h. */
#ifndef IAU_RUNTIME_RNG_H
#define IAU_RUNTIME_RNG_H

#include <stdint.h>

struct iau_rng {
	uint64_t s[4];
};

static inline void iau_rng_seed(struct iau_rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		r->s[i] = z ^ (z >> 31);
	}
}

static inline uint64_t iau_rng_rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

static inline uint64_t iau_rng_next(struct iau_rng *r)
{
	uint64_t result = iau_rng_rotl(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = iau_rng_rotl(r->s[3], 45);
	return result;
}

/* 53 random bits as a number in [0, 1). */
static inline double iau_rng_double(struct iau_rng *r)
{
	return (double)(iau_rng_next(r) >> 11) * 0x1p-53;
}

#endif
