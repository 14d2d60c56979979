/* SPDX-License-Identifier: MIT */
/* Sampler: each step against a direct computation, ties, determinism, distribution. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>

#include "iau/sampler.h"
#include "runtime/rng.h"

#define N 50

static struct iau_sampler *create(const struct iau_sampler_params *p, uint32_t n)
{
	struct iau_sampler *s;

	if (iau_sampler_create(p, n, &s))
		fail_msg("%s", iau_last_error());
	return s;
}

static int32_t sample(struct iau_sampler *s, const float *logits)
{
	int32_t token = -1;

	if (iau_sampler_sample(s, logits, &token))
		fail_msg("%s", iau_last_error());
	return token;
}

static void test_greedy(void **state)
{
	struct iau_sampler_params p = iau_sampler_defaults();
	const float a[4] = { 0.0f, 2.0f, 2.0f, -1.0f };
	const float b[4] = { -INFINITY, -3.0f, -INFINITY, -3.0f };
	struct iau_sampler *s = create(&p, 4);

	(void)state;
	assert_int_equal(sample(s, a), 1); /* ties to the lowest */
	assert_int_equal(sample(s, b), 1);
	iau_sampler_free(s);
	iau_sampler_free(NULL);
}

static void test_repeat_penalty(void **state)
{
	struct iau_sampler_params p = iau_sampler_defaults();
	const float positive[3] = { 3.0f, 2.0f, 1.0f };
	const float negative[3] = { -1.0f, -1.5f, -9.0f };
	struct iau_sampler *s;

	(void)state;
	p.repeat_penalty = 2.0f;
	p.repeat_last_n = 2;
	s = create(&p, 3);
	assert_int_equal(sample(s, positive), 0);
	assert_int_equal(iau_sampler_accept(s, 0), 0);
	assert_int_equal(sample(s, positive), 1); /* 1.5 2 1 */
	assert_int_equal(sample(s, negative), 1); /* -2 -1.5 -9 */
	assert_int_equal(iau_sampler_accept(s, 0), 0);
	assert_int_equal(sample(s, positive), 1); /* once, not twice: 1.5, not 0.75 */
	assert_int_equal(iau_sampler_accept(s, 1), 0);
	assert_int_equal(sample(s, positive), 0); /* 1.5 1 1 */
	assert_int_equal(iau_sampler_accept(s, 1), 0);
	assert_int_equal(sample(s, positive), 0); /* 0 has left the window: 3 1 1 */
	assert_int_equal(sample(s, negative), 0);
	iau_sampler_reset(s);
	assert_int_equal(sample(s, negative), 0);
	assert_int_equal(iau_sampler_accept(s, 3), -EINVAL);
	assert_message("token 3 is not below 3");
	assert_int_equal(iau_sampler_accept(s, -1), -EINVAL);
	iau_sampler_free(s);
}

static void random_logits(struct iau_rng *rng, float *logits)
{
	for (int i = 0; i < N; i++) /* few values, so that many are equal */
		logits[i] = (float)(iau_rng_next(rng) % 24) / 4.0f - 3.0f;
	if (iau_rng_next(rng) % 4 == 0)
		logits[iau_rng_next(rng) % N] = -INFINITY;
}

/* Ids by falling logit, ties by id. */
static void sort_ids(const float *logits, int *ids)
{
	for (int i = 0; i < N; i++) {
		int j = i;

		for (; j && logits[ids[j - 1]] < logits[i]; j--)
			ids[j] = ids[j - 1];
		ids[j] = i;
	}
}

/* Which ids the three filters keep, computed directly; returns how many. */
static int kept_ids(const struct iau_sampler_params *p, const float *logits, int *kept)
{
	int ids[N], n = N, n_kept = 0;
	double sum = 0.0, part = 0.0;

	sort_ids(logits, ids);
	if (p->top_k && p->top_k < N)
		n = (int)p->top_k;
	for (int i = 0; i < n; i++)
		sum += exp((double)logits[ids[i]]);
	for (int i = 0; i < n; i++) {
		if (p->top_p < 1.0f && part >= (double)p->top_p * sum)
			break;
		part += exp((double)logits[ids[i]]);
		kept[ids[i]] = exp((double)(logits[ids[i]] - logits[ids[0]])) >= (double)p->min_p &&
			       logits[ids[i]] > -INFINITY;
		n_kept += kept[ids[i]];
	}
	return n_kept;
}

/* Only kept ids come out, and with enough draws at a high temperature all of them. */
static void test_filters(void **state)
{
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 9);
	for (int round = 0; round < 400; round++) {
		struct iau_sampler_params p = iau_sampler_defaults();
		int kept[N] = { 0 }, seen[N] = { 0 };
		struct iau_sampler *s;
		float logits[N];
		int n_kept, n_seen = 0;

		random_logits(&rng, logits);
		p.temperature = 50.0f;
		p.seed = iau_rng_next(&rng);
		if (round & 1)
			p.top_k = 1 + (uint32_t)(iau_rng_next(&rng) % (N + 5));
		if (round & 2)
			p.top_p = (float)(1 + iau_rng_next(&rng) % 97) / 97.3f;
		if (round & 4)
			p.min_p = (float)(iau_rng_next(&rng) % 80) / 100.3f;
		n_kept = kept_ids(&p, logits, kept);
		s = create(&p, N);
		for (int i = 0; i < 1500; i++) {
			int32_t t = sample(s, logits);

			if (!kept[t])
				fail_msg("round %d: token %d was filtered out", round, t);
			n_seen += !seen[t];
			seen[t] = 1;
		}
		assert_int_equal(n_seen, n_kept);
		iau_sampler_free(s);
	}
}

/* Exactly top_p is enough: of two equal tokens, a half keeps one. */
static void test_top_p_boundary(void **state)
{
	struct iau_sampler_params p = iau_sampler_defaults();
	const float logits[2] = { 1.0f, 1.0f };
	struct iau_sampler *s;

	(void)state;
	p.temperature = 1.0f;
	p.top_p = 0.5f;
	s = create(&p, 2);
	for (int i = 0; i < 64; i++)
		assert_int_equal(sample(s, logits), 0);
	iau_sampler_free(s);
}

/* Frequencies follow exp(logit / temperature): chi-squared with 7 degrees of freedom. */
static void test_distribution(void **state)
{
	const float logits[8] = { 1.0f, 0.0f, 2.0f, -1.0f, 0.5f, 1.5f, 0.25f, -0.5f };
	const float temperatures[3] = { 0.7f, 1.0f, 2.0f };
	const int draws = 100000;

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct iau_sampler_params p = iau_sampler_defaults();
		double sum = 0.0, chi2 = 0.0;
		struct iau_sampler *s;
		int count[8] = { 0 };

		p.temperature = temperatures[k];
		p.seed = 10;
		s = create(&p, 8);
		for (int i = 0; i < draws; i++)
			count[sample(s, logits)]++;
		for (int i = 0; i < 8; i++)
			sum += exp((double)logits[i] / (double)p.temperature);
		for (int i = 0; i < 8; i++) {
			double want = draws * exp((double)logits[i] / (double)p.temperature) / sum;

			chi2 += (count[i] - want) * (count[i] - want) / want;
		}
		assert_true(chi2 < 24.3); /* exceeded once in 1,000 seeds */
		iau_sampler_free(s);
	}
}

static void test_seeds(void **state)
{
	struct iau_sampler_params p = iau_sampler_defaults();
	float logits[N] = { 0 };
	struct iau_sampler *a, *b;
	int32_t first[64];
	int differ = 0;

	(void)state;
	p.temperature = 1.0f;
	p.seed = 1;
	a = create(&p, N);
	p.seed = 2;
	b = create(&p, N);
	for (int i = 0; i < 64; i++) {
		first[i] = sample(a, logits);
		differ += first[i] != sample(b, logits);
	}
	assert_true(differ > 32);
	iau_sampler_reset(a);
	for (int i = 0; i < 64; i++)
		assert_int_equal(sample(a, logits), first[i]);
	iau_sampler_free(a);
	iau_sampler_free(b);
}

/*
 * These very tokens, from a computation in another language, on every machine. Filters that keep
 * all change nothing.
 */
static void test_fixed_tokens(void **state)
{
	static const int32_t want[12] = { 4, 16, 31, 43, 47, 35, 31, 36, 33, 27, 31, 12 };
	struct iau_sampler_params p = iau_sampler_defaults();
	struct iau_sampler *s, *filtered;
	float logits[N];

	(void)state;
	for (int i = 0; i < N; i++)
		logits[i] = (float)((i * 37) % N) / 8.0f;
	p.temperature = 0.8f;
	p.seed = 42;
	s = create(&p, N);
	p.top_k = N;
	p.top_p = 0.9999999f;
	p.min_p = 1e-6f;
	filtered = create(&p, N);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(sample(s, logits), want[i]);
		assert_int_equal(sample(filtered, logits), want[i]);
	}
	iau_sampler_free(s);
	iau_sampler_free(filtered);
}

static void test_bad_logits(void **state)
{
	struct iau_sampler_params p = iau_sampler_defaults();
	const float nan_logits[2] = { 0.0f, NAN };
	const float inf_logits[2] = { INFINITY, 0.0f };
	const float no_logits[2] = { -INFINITY, -INFINITY };
	const float huge_logits[2] = { 3e38f, -3e38f };
	struct iau_sampler *s;
	int32_t token = 7;

	(void)state;
	p.temperature = 1.0f;
	p.repeat_penalty = 2.0f;
	p.repeat_last_n = 4;
	s = create(&p, 2);
	assert_int_equal(iau_sampler_sample(s, nan_logits, &token), -EDOM);
	assert_message("logits: value 1 is");
	assert_int_equal(iau_sampler_sample(s, inf_logits, &token), -EDOM);
	assert_message("value 0 is inf");
	assert_int_equal(iau_sampler_sample(s, no_logits, &token), -EDOM);
	assert_message("all 2 are minus infinity");
	assert_int_equal(token, 7);
	assert_int_equal(iau_sampler_accept(s, 0), 0);
	assert_int_equal(iau_sampler_accept(s, 1), 0);
	assert_int_equal(sample(s, huge_logits), 0);
	iau_sampler_free(s);
}

static void assert_bad(struct iau_sampler_params p, uint32_t n, const char *text)
{
	struct iau_sampler *s;

	assert_int_equal(iau_sampler_create(&p, n, &s), -EINVAL);
	assert_null(s);
	assert_message(text);
}

static void test_bad_params(void **state)
{
	struct iau_sampler_params d = iau_sampler_defaults(), p;

	(void)state;
	assert_bad(d, 0, "n_vocab: 0");
	assert_bad(d, (1u << 24) + 1, "n_vocab");
	p = d, p.repeat_penalty = 0.0f;
	assert_bad(p, 2, "repeat_penalty: 0");
	p = d, p.repeat_penalty = INFINITY;
	assert_bad(p, 2, "repeat_penalty");
	p = d, p.repeat_last_n = (1u << 20) + 1;
	assert_bad(p, 2, "repeat_last_n");
	p = d, p.top_p = 0.0f;
	assert_bad(p, 2, "top_p: 0");
	p = d, p.top_p = 1.01f;
	assert_bad(p, 2, "top_p");
	p = d, p.top_p = NAN;
	assert_bad(p, 2, "top_p");
	p = d, p.min_p = -0.1f;
	assert_bad(p, 2, "min_p");
	p = d, p.min_p = NAN;
	assert_bad(p, 2, "min_p");
	p = d, p.temperature = -1.0f;
	assert_bad(p, 2, "temperature");
	p = d, p.temperature = INFINITY;
	assert_bad(p, 2, "temperature");
}

static void test_logprob(void **state)
{
	const float far[2] = { 0.0f, -2000.0f };
	const float never[2] = { 0.0f, -INFINITY };
	const float nan_logits[1] = { NAN };
	struct iau_rng rng;
	float logits[N];
	double total = 0.0, sum = 0.0, p;

	(void)state;
	iau_rng_seed(&rng, 11);
	random_logits(&rng, logits);
	for (int i = 0; i < N; i++)
		sum += exp((double)logits[i]);
	for (int32_t i = 0; i < N; i++) {
		assert_int_equal(iau_logprob(logits, N, i, &p), 0);
		if (logits[i] > -INFINITY)
			assert_true(fabs(p - ((double)logits[i] - log(sum))) < 1e-13);
		total += exp(p);
	}
	assert_true(fabs(total - 1.0) < 1e-13);
	assert_int_equal(iau_logprob(far, 2, 1, &p), 0);
	assert_true(p == -2000.0);
	assert_int_equal(iau_logprob(never, 2, 1, &p), 0);
	assert_true(p == -(double)INFINITY);
	assert_int_equal(iau_logprob(far, 2, 2, &p), -EINVAL);
	assert_message("token 2 of 2");
	assert_int_equal(iau_logprob(far, 2, -1, &p), -EINVAL);
	assert_int_equal(iau_logprob(far, 0, 0, &p), -EINVAL);
	assert_int_equal(iau_logprob(nan_logits, 1, 0, &p), -EDOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greedy),	     cmocka_unit_test(test_repeat_penalty),
		cmocka_unit_test(test_filters),	     cmocka_unit_test(test_top_p_boundary),
		cmocka_unit_test(test_distribution), cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_fixed_tokens), cmocka_unit_test(test_bad_logits),
		cmocka_unit_test(test_bad_params),   cmocka_unit_test(test_logprob),
	};

	return run_group("sampler", tests);
}
