/* SPDX-License-Identifier: MIT */
/* Intervals of 95 %. */
#ifndef IAU_EVAL_STATS_H
#define IAU_EVAL_STATS_H

#include <stddef.h>
#include <stdint.h>

struct eval_interval {
	double low, high; /* NaN: cannot be told */
};

/*
 * Of a share, RIGHT of N (E. B. Wilson: Probable Inference, the Law of Succession, and Statistical
 * Inference, JASA 22(158), 1927)
 */
struct eval_interval eval_wilson(uint32_t right, uint32_t n);

/* What the answers about a context add up to under two settings: right ones, or logarithms */
struct eval_sums {
	double a, b, n;
};

typedef double (*eval_statistic_fn)(const struct eval_sums *sums);

/*
 * Of a statistic of the sums over all contexts: percentiles of what it is for contexts drawn again,
 * with replacement (B. Efron: Bootstrap Methods, Annals of Statistics 7(1), 1979). Questions about
 * one context succeed and fail together, hence contexts and not questions. 0, or -ENOMEM.
 */
int eval_bootstrap(const struct eval_sums *context, size_t n, eval_statistic_fn statistic,
		   uint64_t seed, struct eval_interval *out);

#endif
