/* SPDX-License-Identifier: MIT */
#include "iau/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/dmath.h"
#include "base/error.h"
#include "runtime/rng.h"

#define MAX_VOCAB  (1u << 24)
#define MAX_LAST_N (1u << 20)

struct iau_sampler {
	struct iau_sampler_params params;
	struct iau_rng rng;
	uint32_t n_vocab;

	float *logits;	 /* [n_vocab], with the penalty applied */
	uint32_t *order; /* [n_vocab]: a heap of ids, best first, then the kept ones */

	int32_t *history; /* ring of the last repeat_last_n tokens */
	uint32_t history_at;
	uint32_t history_n;
};

struct iau_sampler_params iau_sampler_defaults(void)
{
	return (struct iau_sampler_params){ .repeat_penalty = 1.0f, .top_p = 1.0f };
}

/* Written so that NaN fails each check. */
static int check_params(const struct iau_sampler_params *p, uint32_t n_vocab)
{
	if (n_vocab < 1 || n_vocab > MAX_VOCAB)
		return iau_error(-EINVAL, "sampler: n_vocab: %u is not 1 to %u", n_vocab,
				 MAX_VOCAB);
	if (!(p->repeat_penalty > 0.0f) || !isfinite(p->repeat_penalty))
		return iau_error(-EINVAL, "sampler: repeat_penalty: %g is not above 0",
				 (double)p->repeat_penalty);
	if (p->repeat_last_n > MAX_LAST_N)
		return iau_error(-EINVAL, "sampler: repeat_last_n: %u is above %u",
				 p->repeat_last_n, MAX_LAST_N);
	if (!(p->top_p > 0.0f && p->top_p <= 1.0f))
		return iau_error(-EINVAL, "sampler: top_p: %g is not above 0 to 1",
				 (double)p->top_p);
	if (!(p->min_p >= 0.0f && p->min_p <= 1.0f))
		return iau_error(-EINVAL, "sampler: min_p: %g is not 0 to 1", (double)p->min_p);
	if (!(p->temperature >= 0.0f) || !isfinite(p->temperature))
		return iau_error(-EINVAL, "sampler: temperature: %g is not 0 or above",
				 (double)p->temperature);
	return 0;
}

int iau_sampler_create(const struct iau_sampler_params *params, uint32_t n_vocab,
		       struct iau_sampler **out)
{
	struct iau_sampler *s;
	int err;

	*out = NULL;
	err = check_params(params, n_vocab);
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return iau_error_nomem("sampler");
	s->params = *params;
	s->n_vocab = n_vocab;
	s->logits = calloc(n_vocab, sizeof(*s->logits));
	s->order = calloc(n_vocab, sizeof(*s->order));
	s->history = calloc((size_t)params->repeat_last_n + 1, sizeof(*s->history));
	if (!s->logits || !s->order || !s->history) {
		iau_sampler_free(s);
		return iau_error_nomem("sampler");
	}
	iau_sampler_reset(s);
	*out = s;
	return 0;
}

void iau_sampler_free(struct iau_sampler *s)
{
	if (!s)
		return;
	free(s->history);
	free(s->order);
	free(s->logits);
	free(s);
}

void iau_sampler_reset(struct iau_sampler *s)
{
	iau_rng_seed(&s->rng, s->params.seed);
	s->history_at = 0;
	s->history_n = 0;
}

int iau_sampler_accept(struct iau_sampler *s, int32_t token)
{
	if (token < 0 || (uint32_t)token >= s->n_vocab)
		return iau_error(-EINVAL, "sampler: token %d is not below %u", token, s->n_vocab);
	if (!s->params.repeat_last_n)
		return 0;
	if (s->history_n < s->params.repeat_last_n)
		s->history_n++;
	s->history[s->history_at] = token;
	s->history_at = (s->history_at + 1) % s->params.repeat_last_n;
	return 0;
}

/* The first of the highest of @n logits; -EDOM as promised in the header. */
static int find_max(const float *logits, size_t n, uint32_t *max)
{
	*max = 0;
	for (size_t i = 0; i < n; i++) {
		if (isnan(logits[i]) || logits[i] == INFINITY)
			return iau_error(-EDOM, "logits: value %zu is %g", i, (double)logits[i]);
		if (logits[i] > logits[*max])
			*max = (uint32_t)i;
	}
	if (logits[*max] == -INFINITY)
		return iau_error(-EDOM, "logits: all %zu are minus infinity", n);
	return 0;
}

/* Copy with the penalty. A product may overflow downwards, so it is kept finite. */
static void penalise(struct iau_sampler *s, const float *logits)
{
	float penalty = s->params.repeat_penalty;

	memcpy(s->logits, logits, s->n_vocab * sizeof(*logits));
	for (uint32_t i = 0; i < s->history_n; i++) {
		uint32_t t = (uint32_t)s->history[i];
		float x = logits[t];

		if (x == -INFINITY)
			continue;
		x = x > 0.0f ? x / penalty : x * penalty;
		s->logits[t] = fmaxf(fminf(x, 0x1.fffffep127f), -0x1.fffffep127f);
	}
}

static bool better(const struct iau_sampler *s, uint32_t a, uint32_t b)
{
	return s->logits[a] > s->logits[b] || (s->logits[a] == s->logits[b] && a < b);
}

/* Move order[i] down to its place in a heap of @n ids. */
static void sift(struct iau_sampler *s, uint32_t i, uint32_t n)
{
	uint32_t id = s->order[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && better(s, s->order[child + 1], s->order[child]))
			child++;
		if (!better(s, s->order[child], id))
			break;
		s->order[i] = s->order[child];
		i = child;
	}
	s->order[i] = id;
}

/* Probability of @id relative to that of the highest. */
static double weight(const struct iau_sampler *s, uint32_t id, float max)
{
	return iau_exp((double)s->logits[id] - (double)max);
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Sum of the weights of the @n best, in ascending order of ids. They lie behind the heap, at the
 * end of s->order, the best one last, and are sorted by id in a copy.
 */
static int sum_weights(const struct iau_sampler *s, uint32_t n, float max, double *sum)
{
	uint32_t *ids;

	*sum = 0.0;
	if (n == s->n_vocab) {
		for (uint32_t i = 0; i < n; i++)
			*sum += weight(s, i, max);
		return 0;
	}
	ids = malloc(n * sizeof(*ids));
	if (!ids)
		return iau_error_nomem("sampler");
	memcpy(ids, s->order + s->n_vocab - n, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (uint32_t i = 0; i < n; i++)
		*sum += weight(s, ids[i], max);
	free(ids);
	return 0;
}

/*
 * Take the best id off the heap of @n and put it into the place that this frees; so the ids taken
 * off grow from the end of s->order.
 */
static uint32_t take_best(struct iau_sampler *s, uint32_t n)
{
	uint32_t best = s->order[0];

	s->order[0] = s->order[n - 1];
	if (n > 1)
		sift(s, 0, n - 1);
	s->order[n - 1] = best;
	return best;
}

/* Of @n candidates, the count that top_p keeps; @taken are off the heap already. */
static int apply_top_p(struct iau_sampler *s, uint32_t *n, uint32_t *taken, float max)
{
	double total, sum = 0.0;
	uint32_t keep = 0;
	int err = sum_weights(s, *n, max, &total);

	if (err)
		return err;
	while (keep < *n && sum < (double)s->params.top_p * total) {
		if (keep == *taken)
			take_best(s, s->n_vocab - (*taken)++);
		sum += weight(s, s->order[s->n_vocab - 1 - keep], max);
		keep++;
	}
	*n = keep;
	return 0;
}

/* Reduce to the candidates of top_k and top_p: the last *n of s->order, sorted by id. */
static int filter_best(struct iau_sampler *s, uint32_t *n, float max)
{
	const struct iau_sampler_params *p = &s->params;
	uint32_t taken = 0;
	int err = 0;

	*n = s->n_vocab;
	for (uint32_t i = 0; i < s->n_vocab; i++)
		s->order[i] = i;
	if ((!p->top_k || p->top_k >= s->n_vocab) && p->top_p >= 1.0f)
		return 0;
	for (uint32_t i = s->n_vocab / 2; i-- > 0;)
		sift(s, i, s->n_vocab);
	if (p->top_k && p->top_k < s->n_vocab) {
		*n = p->top_k;
		while (taken < *n)
			take_best(s, s->n_vocab - taken++);
	}
	if (p->top_p < 1.0f)
		err = apply_top_p(s, n, &taken, max);
	qsort(s->order + s->n_vocab - *n, *n, sizeof(*s->order), compare_ids);
	return err;
}

/* Weight of a candidate in the draw; 0 when min_p removes it. */
static double draw_weight(const struct iau_sampler *s, uint32_t id, float max)
{
	double x = (double)s->logits[id] - (double)max;

	if (s->params.min_p > 0.0f && iau_exp(x) < (double)s->params.min_p)
		return 0.0;
	return iau_exp(x / (double)s->params.temperature);
}

/* Draw one of @n ids in ascending order with the probability that their weights give. */
static uint32_t draw(struct iau_sampler *s, const uint32_t *ids, uint32_t n, float max)
{
	double total = 0.0, sum = 0.0, target;
	uint32_t last = ids[0];

	for (uint32_t i = 0; i < n; i++)
		total += draw_weight(s, ids[i], max);
	target = iau_rng_double(&s->rng) * total;
	for (uint32_t i = 0; i < n; i++) {
		double w = draw_weight(s, ids[i], max);

		if (w == 0.0)
			continue;
		sum += w;
		last = ids[i];
		if (sum > target)
			break;
	}
	return last;
}

int iau_sampler_sample(struct iau_sampler *s, const float *logits, int32_t *token)
{
	uint32_t best, n;
	float max;
	int err = find_max(logits, s->n_vocab, &best);

	if (err)
		return err;
	penalise(s, logits);
	err = find_max(s->logits, s->n_vocab, &best);
	if (err)
		return err;
	max = s->logits[best];
	if (s->params.temperature > 0.0f) {
		err = filter_best(s, &n, max);
		if (err)
			return err;
		best = draw(s, s->order + s->n_vocab - n, n, max);
	}
	*token = (int32_t)best;
	return 0;
}

int iau_logprob(const float *logits, size_t n, int32_t token, double *logprob)
{
	double sum = 0.0;
	uint32_t best;
	int err;

	if (n < 1 || n > MAX_VOCAB || token < 0 || (size_t)token >= n)
		return iau_error(-EINVAL, "logprob: token %d of %zu is out of range", token, n);
	err = find_max(logits, n, &best);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		sum += iau_exp((double)logits[i] - (double)logits[best]);
	*logprob = (double)logits[token] - (double)logits[best] - iau_log(sum);
	return 0;
}
