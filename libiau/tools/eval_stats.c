/* SPDX-License-Identifier: MIT */
#include "eval_stats.h"
#include "base/error.h"
#include "runtime/rng.h"

#include <math.h>
#include <stdlib.h>

#define DRAWS 2000
#define Z     1.959963984540054 /* of the normal distribution, 2.5 % lie above */

struct eval_interval eval_wilson(uint32_t right, uint32_t n)
{
	double p = (double)right / n, z2 = Z * Z / n;
	double middle = (p + z2 / 2) / (1 + z2);
	double half = Z * sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);

	if (!n)
		return (struct eval_interval){ NAN, NAN };
	return (struct eval_interval){ right ? middle - half : 0, right < n ? middle + half : 1 };
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double draw(const struct eval_sums *context, size_t n, eval_statistic_fn statistic,
		   struct iau_rng *rng)
{
	struct eval_sums sums = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct eval_sums *c = &context[(size_t)(iau_rng_double(rng) * (double)n)];

		sums.a += c->a;
		sums.b += c->b;
		sums.n += c->n;
	}
	return statistic(&sums);
}

int eval_bootstrap(const struct eval_sums *context, size_t n, eval_statistic_fn statistic,
		   uint64_t seed, struct eval_interval *out)
{
	double *value = calloc(DRAWS, sizeof(*value));
	struct iau_rng rng;
	size_t m = 0;

	if (!value)
		return iau_error_nomem("bootstrap");
	iau_rng_seed(&rng, seed);
	for (unsigned int i = 0; i < DRAWS; i++) {
		value[m] = draw(context, n, statistic, &rng);
		m += isfinite(value[m]);
	}
	qsort(value, m, sizeof(*value), by_value);
	out->low = value[(size_t)(0.025 * (double)m)];
	out->high = value[(size_t)(0.975 * (double)m)];
	/* one context says nothing about others; nor do ratios whose denominators are mostly 0 */
	if (n < 2 || m < DRAWS / 2)
		out->low = out->high = NAN;
	free(value);
	return 0;
}
