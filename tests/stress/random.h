/* SPDX-License-Identifier: MIT */
/* Random numbers of a seed: xorshift (Marsaglia, Xorshift RNGs, 2003) */
#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include <stdint.h>

static uint64_t random_state;

static inline void random_seed(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15 + 1;
}

/* 0 to N - 1 */
static inline uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

#endif
