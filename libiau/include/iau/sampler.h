/* SPDX-License-Identifier: MIT */
/*
 * From logits to the next token.
 *
 * The same logits, parameters and seed give the same tokens on every machine: probabilities are
 * computed in IEEE double by the library's own exponential, sums run in ascending order of ids,
 * and the random numbers are those of xoshiro256** (D. Blackman, S. Vigna: Scrambled Linear
 * Pseudorandom Number Generators, ACM TOMS 47(4), 2021), its state filled from the seed by
 * splitmix64 (G. Steele, D. Lea, C. Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA
 * 2014). Of equal logits the lower id comes first, everywhere.
 */
#ifndef IAU_SAMPLER_H
#define IAU_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iau_sampler;

/**
 * struct iau_sampler_params - how to choose; the steps are applied in this order
 * @repeat_penalty:	above 0. The logit of each token among the last @repeat_last_n accepted ones
 *			is divided by this if positive and multiplied if negative, once; 1 is off
 * @repeat_last_n:	0 to 2^20; 0 is off
 * @top_k:		keep the k highest; 0 is off
 * @top_p:		above 0 to 1. Keep the fewest of the highest whose probabilities, among those
 *			that top_k kept, add up to at least this; 1 is off
 * @min_p:		0 to 1. Keep those at least this probable relative to the highest; 0 is off
 * @temperature:	0 or above. Logits are divided by this before the draw; 0 takes the highest
 *			without a draw
 * @seed:		of the random numbers
 */
struct iau_sampler_params {
	float repeat_penalty;
	uint32_t repeat_last_n;
	uint32_t top_k;
	float top_p;
	float min_p;
	float temperature;
	uint64_t seed;
};

/** iau_sampler_defaults() - greedy: everything off, temperature 0, seed 0 */
struct iau_sampler_params iau_sampler_defaults(void);

/**
 * iau_sampler_create() - a sampler with its own random numbers and history
 * @params:	copied
 * @n_vocab:	number of logits, 1 to 2^24
 * @out:	the sampler, NULL on failure
 *
 * Return: 0; -EINVAL a parameter is out of range (the message names it); -ENOMEM.
 */
int iau_sampler_create(const struct iau_sampler_params *params, uint32_t n_vocab,
		       struct iau_sampler **out);

/** iau_sampler_free() - release a sampler; NULL is allowed */
void iau_sampler_free(struct iau_sampler *s);

/** iau_sampler_reset() - forget the accepted tokens and start the random numbers over */
void iau_sampler_reset(struct iau_sampler *s);

/**
 * iau_sampler_accept() - put a token into the history that the repetition penalty looks at
 *
 * Call it for prompt tokens that should count and for each token that was sampled.
 * Return: 0; -EINVAL @token is not below n_vocab.
 */
int iau_sampler_accept(struct iau_sampler *s, int32_t token);

/**
 * iau_sampler_sample() - choose a token
 * @logits:	n_vocab values; minus infinity means never
 * @token:	the choice; written on success only
 *
 * Does not accept the token. Takes one random number when the temperature is above 0.
 * Return: 0; -EDOM a logit is NaN or plus infinity, or all are minus infinity.
 */
int iau_sampler_sample(struct iau_sampler *s, const float *logits, int32_t *token);

/**
 * iau_logprob() - natural logarithm of the probability of a token, by softmax
 * @logits:	@n values
 * @n:		1 to 2^24
 * @token:	0 to n - 1
 * @logprob:	0 or below, minus infinity when the logit is; computed in double with the maximum
 *		taken out, so that it is right for any finite logits
 *
 * Return: 0; -EINVAL @token or @n out of range; -EDOM as iau_sampler_sample().
 */
int iau_logprob(const float *logits, size_t n, int32_t token, double *logprob);

#ifdef __cplusplus
}
#endif

#endif
