/* SPDX-License-Identifier: MIT */
/* Sequences that begin alike: what they have in common is in memory once, and each goes its own way. */
#include "scene.h"
#include "iau_hw.h"

#include <errno.h>

/* A sequence of LENGTH tokens goes on, and so does one that has the first AT in common with it. */
static void fork_at(const struct scene *c, uint32_t length, uint32_t at, bool child_first)
{
	struct iau_session *a, *b;

	assert_int_equal(iau_session_create(c->model, &a), 0);
	scene_eval(c, a, 0, length);
	assert_int_equal(iau_session_fork(a, at, &b), 0);
	assert_int_equal(iau_session_length(b), at);
	assert_memory_equal(iau_session_tokens(b), c->token, at * sizeof(*c->token));
	assert_null(iau_session_logits(b));
	for (int i = 0; i < 2; i++) {
		if (child_first == !i)
			scene_eval(c, b, 5, at + 40);
		else
			scene_eval(c, a, 0, length + 40);
	}
	scene_check(c, a, scene_want(c, length, 0, length + 40));
	scene_check(c, b, scene_want(c, at, 5, at + 40));
	/* whichever goes first leaves the other what it had */
	iau_session_free(child_first ? a : b);
	if (child_first) {
		scene_eval(c, b, 5, at + 41);
		scene_check(c, b, scene_want(c, at, 5, at + 41));
	} else {
		scene_eval(c, a, 0, length + 41);
		scene_check(c, a, scene_want(c, length, 0, length + 41));
	}
	iau_session_free(child_first ? b : a);
}

static void both_go_on(const char *engine)
{
	static const uint32_t at[] = { 0, 1, 32, 255, 256, 257, 300 };
	struct scene c;

	scene_open(&c, engine);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		fork_at(&c, 300, at[i], i % 2);
	scene_close(&c);
}

static uint64_t device_bytes(const struct scene *c)
{
	struct iau_kv_usage u;

	iau_model_kv_usage(c->model, &u);
	return u.device;
}

/* Eight sequences with a prefix of whole slabs: it is stored once and computed once. */
#define PREFIX 1536u

static void a_prefix_is_there_once(void **state)
{
	struct iau_session *s[8];
	uint64_t one, macs;
	struct scene c;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &s[0]), 0);
	scene_eval(&c, s[0], 0, PREFIX);
	one = device_bytes(&c);
	assert_true(one >= PREFIX * c.info.kv_bytes);
	macs = iau_device_counter(c.dev, IAU_CNT_MACS_I4);
	for (uint32_t i = 1; i < 8; i++)
		assert_int_equal(iau_session_fork(s[0], PREFIX, &s[i]), 0);
	assert_int_equal(device_bytes(&c), one);
	assert_int_equal(iau_device_counter(c.dev, IAU_CNT_MACS_I4), macs);
	for (uint32_t i = 0; i < 8; i++)
		scene_eval(&c, s[i], i, PREFIX + 1);
	/* a block of its own for each, in whole pages of each layer */
	assert_true(device_bytes(&c) <= one + 8 * (32 * c.info.kv_bytes + c.info.n_layer * 4096));
	for (uint32_t i = 0; i < 8; i++) {
		scene_check(&c, s[i], scene_want(&c, PREFIX, i, PREFIX + 1));
		iau_session_free(s[i]);
	}
	assert_int_equal(device_bytes(&c), 0);
	scene_close(&c);
}

/* A shared slab is not taken from one by another that forgets it. */
static void truncating_what_is_shared(const char *engine)
{
	struct iau_session *a, *b;
	struct scene c;

	scene_open(&c, engine);
	assert_int_equal(iau_session_create(c.model, &a), 0);
	scene_eval(&c, a, 0, 300);
	assert_int_equal(iau_session_fork(a, 300, &b), 0);
	assert_int_equal(iau_session_truncate(a, 10), 0);
	scene_eval(&c, a, 3, 50);
	scene_eval(&c, b, 0, 301);
	scene_check(&c, b, scene_want(&c, 300, 0, 301));
	scene_check(&c, a, scene_want(&c, 10, 3, 50));
	assert_int_equal(iau_session_truncate(b, 0), 0);
	iau_session_free(a);
	assert_int_equal(device_bytes(&c), 0);
	iau_session_free(b);
	scene_close(&c);
}

/* Forks that choose blocks by the bounds they got, and as a batch */
static void choices_and_batches(const char *engine)
{
	struct iau_attention sparse = { .budget = 512 };
	struct iau_session *s[3], *alone;
	struct iau_batch *batch;
	struct scene c;
	int32_t token[3];

	scene_open(&c, engine);
	assert_int_equal(iau_session_create(c.model, &s[0]), 0);
	assert_int_equal(iau_session_attention(s[0], &sparse), 0);
	scene_eval(&c, s[0], 0, 1000);
	assert_int_equal(iau_session_fork(s[0], 1000, &s[1]), 0);
	assert_int_equal(iau_session_fork(s[1], 700, &s[2]), 0);
	scene_eval(&c, s[0], 0, 1003);
	scene_eval(&c, s[1], 0, 1003);
	scene_same(&c, s[0], s[1]);
	for (int i = 0; i < 3; i++)
		token[i] = c.token[i];
	assert_int_equal(iau_session_create(c.model, &alone), 0);
	scene_eval(&c, alone, 0, 700);
	assert_int_equal(iau_batch_create(c.model, 3, &batch), 0);
	assert_int_equal(iau_batch_eval(batch, s, token, 3), 0);
	assert_int_equal(iau_batch_eval(batch, &s[2], &token[2], 1), 0);
	assert_int_equal(iau_session_tokens(s[2])[700], token[2]);
	/* the batch itself is compared with one whose sequence shares nothing */
	assert_int_equal(iau_session_truncate(s[2], 701), 0);
	assert_int_equal(iau_batch_eval(batch, &s[2], &token[1], 1), 0);
	{
		float *want = malloc(c.info.n_vocab * 4);

		assert_non_null(want);
		memcpy(want, iau_session_logits(s[2]), c.info.n_vocab * 4);
		assert_int_equal(iau_batch_eval(batch, &alone, &token[2], 1), 0);
		assert_int_equal(iau_batch_eval(batch, &alone, &token[1], 1), 0);
		scene_check(&c, alone, want);
	}
	iau_batch_free(batch);
	iau_session_free(alone);
	for (int i = 0; i < 3; i++)
		iau_session_free(s[i]);
	scene_close(&c);
}

static void bad_forks(void **state)
{
	struct iau_session *a, *b;
	struct scene c;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &a), 0);
	assert_int_equal(iau_session_fork(a, 1, &b), -EINVAL);
	assert_null(b);
	scene_eval(&c, a, 0, 3);
	assert_int_equal(iau_session_fork(a, 4, &b), -EINVAL);
	assert_int_equal(iau_session_length(a), 3);
	iau_session_free(a);
	scene_close(&c);
}

ENGINES(both_go_on)
ENGINES(truncating_what_is_shared)
ENGINES(choices_and_batches)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(both_go_on), cmocka_unit_test(a_prefix_is_there_once),
		ON_ENGINES(truncating_what_is_shared), ON_ENGINES(choices_and_batches),
		cmocka_unit_test(bad_forks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv sharing", tests, NULL, NULL);
}
