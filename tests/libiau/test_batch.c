/* SPDX-License-Identifier: MIT */
/*
 * Sequences of different lengths that decode together have the logits that they have alone: to the bit
 * as long as attention takes their keys in one chunk, and to the bit in whatever company.
 */
#include "devices.h"
#include "iau/model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "models/iau-ci/iau-ci-q4_0.gguf"
#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */
#define MOST IAU_BATCH_MAX

struct scene {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_batch *batch;
	struct iau_model_info info;
	struct iau_session *s[MOST], *alone;
};

static int32_t token(const struct scene *c, uint32_t seq, uint32_t pos)
{
	return (int32_t)((seq * 31 + pos * 7919 + 17) % c->info.n_vocab);
}

static void scene_open(struct scene *c, const char *engine, const char *model, uint32_t max)
{
	memset(c, 0, sizeof(*c));
	c->dev = device_open(engine);
	assert_int_equal(iau_model_load(c->dev, model, 1024, &c->model), 0);
	iau_model_info(c->model, &c->info);
	assert_int_equal(iau_batch_create(c->model, max, &c->batch), 0);
	assert_int_equal(iau_session_create(c->model, &c->alone), 0);
}

static void scene_close(struct scene *c)
{
	iau_session_free(c->alone);
	for (int i = MOST - 1; i >= 0; i--)
		iau_session_free(c->s[i]);
	iau_batch_free(c->batch);
	iau_model_free(c->model);
	iau_device_close(c->dev);
}

/* Sequence SEQ's first N tokens, in session S */
static void fill(struct scene *c, struct iau_session *s, uint32_t seq, uint32_t n)
{
	int32_t tokens[1024];

	assert_int_equal(iau_session_truncate(s, 0), 0);
	for (uint32_t i = 0; i < n; i++)
		tokens[i] = token(c, seq, i);
	if (n)
		assert_int_equal(iau_session_eval(s, tokens, n, NULL, NULL), 0);
}

static void add(struct scene *c, uint32_t seq, uint32_t n)
{
	assert_int_equal(iau_session_create(c->model, &c->s[seq]), 0);
	fill(c, c->s[seq], seq, n);
}

/* Sequences 0 to N - 1 by STEPS tokens in the batch */
static void decode(struct scene *c, uint32_t n, uint32_t steps)
{
	for (uint32_t k = 0; k < steps; k++) {
		int32_t tokens[MOST];

		for (uint32_t i = 0; i < n; i++)
			tokens[i] = token(c, i, iau_session_length(c->s[i]));
		assert_int_equal(iau_batch_eval(c->batch, c->s, tokens, n), 0);
	}
}

/* Of a sequence against itself alone: difference over size, both squared */
static double deviation(struct scene *c, uint32_t seq)
{
	const float *got = iau_session_logits(c->s[seq]), *want;
	double error = 0, size = 0;

	fill(c, c->alone, seq, iau_session_length(c->s[seq]));
	want = iau_session_logits(c->alone);
	for (uint32_t i = 0; i < c->info.n_vocab; i++) {
		error += (double)(got[i] - want[i]) * (got[i] - want[i]);
		size += (double)want[i] * want[i];
	}
	return error / size;
}

static void short_sequences(const char *engine)
{
	static const uint32_t lengths[] = { 31, 0, 5, 97, 64 };
	struct scene c;

	scene_open(&c, engine, MODEL, 5);
	for (uint32_t i = 0; i < 5; i++)
		add(&c, i, lengths[i]);
	decode(&c, 5, 3);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(deviation(&c, i) == 0);
	/* fewer of them go on */
	decode(&c, 2, 1);
	for (uint32_t i = 0; i < 2; i++)
		assert_true(deviation(&c, i) == 0);
	scene_close(&c);
}

/* Rows that are too wide for the scratchpad; an odd number, one short of a batch's */
static void wide_sequences(const char *engine)
{
	struct scene c;

	scene_open(&c, engine, SHAPES "qwen3-0.6b.gguf", MOST);
	for (uint32_t i = 0; i < MOST - 1; i++)
		add(&c, i, i * 3);
	decode(&c, MOST - 1, 2);
	for (uint32_t i = 0; i < MOST - 1; i++)
		assert_true(deviation(&c, i) == 0);
	scene_close(&c);
}

/* Several chunks: near what it is alone, and the same to the bit as in a batch of its own */
static void check_long(const char *engine, const char *model, uint32_t n)
{
	float *before;
	struct scene c;

	scene_open(&c, engine, model, n);
	before = calloc(c.info.n_vocab, sizeof(*before));
	assert_non_null(before);
	for (uint32_t i = 0; i < n; i++)
		add(&c, i, i % 3 == 0 ? 900 - i * 16 : i * 20);
	decode(&c, n, 2);
	for (uint32_t i = 0; i < n; i++)
		assert_true(deviation(&c, i) < 1e-3);
	memcpy(before, iau_session_logits(c.s[0]), c.info.n_vocab * sizeof(*before));
	assert_int_equal(iau_session_truncate(c.s[0], 900), 0);
	decode(&c, 1, 2);
	assert_memory_equal(before, iau_session_logits(c.s[0]), c.info.n_vocab * sizeof(*before));
	free(before);
	scene_close(&c);
}

static void long_sequences(const char *engine)
{
	check_long(engine, MODEL, strcmp(engine, "rtl") ? MOST : 4);
}

/* Several KV heads, wide heads, norms of heads */
static void test_shapes(void **state)
{
	(void)state;
	check_long("ref", SHAPES "6m.gguf", 5);
	check_long("ref", SHAPES "qwen2-0.5b.gguf", 3);
	check_long("ref", SHAPES "qwen3-0.6b.gguf", 4);
	check_long("ref", SHAPES "qwen3-0.6b.gguf", 10);
}

static void test_errors(void **state)
{
	struct scene c, other;
	struct iau_session *s[3];
	struct iau_batch *none;
	int32_t tokens[3] = { 1, 2, 3 };

	(void)state;
	scene_open(&c, "ref", MODEL, 2);
	scene_open(&other, "ref", MODEL, 1);
	for (uint32_t i = 0; i < 3; i++)
		add(&c, i, 4);
	assert_int_equal(iau_batch_create(c.model, 0, &none), -EINVAL);
	assert_int_equal(iau_batch_create(c.model, MOST + 1, &none), -EINVAL);
	assert_null(none);
	assert_int_equal(iau_batch_eval(c.batch, c.s, tokens, 0), -EINVAL);
	assert_int_equal(iau_batch_eval(c.batch, c.s, tokens, 3), -EINVAL);
	s[0] = s[1] = c.s[0];
	assert_int_equal(iau_batch_eval(c.batch, s, tokens, 2), -EINVAL);
	assert_int_equal(iau_batch_eval(other.batch, c.s, tokens, 1), -EINVAL);
	tokens[1] = (int32_t)c.info.n_vocab;
	assert_int_equal(iau_batch_eval(c.batch, c.s, tokens, 2), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "sequence 1"));
	tokens[1] = 2;
	fill(&c, c.s[1], 1, 1024);
	assert_int_equal(iau_batch_eval(c.batch, c.s, tokens, 2), -ENOSPC);
	assert_int_equal(iau_session_length(c.s[0]), 4);
	/* and nothing is lost */
	fill(&c, c.s[1], 1, 9);
	decode(&c, 2, 1);
	assert_true(deviation(&c, 0) == 0);
	assert_true(deviation(&c, 1) == 0);
	scene_close(&other);
	scene_close(&c);
}

ENGINES(short_sequences)
ENGINES(long_sequences)
ENGINES(wide_sequences)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(short_sequences), ON_ENGINES(long_sequences), ON_ENGINES(wide_sequences),
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_errors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
