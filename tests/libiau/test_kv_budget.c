/* SPDX-License-Identifier: MIT */
/*
 * KV caches that do not fit device memory together: what goes to host memory comes back as it was.
 * Arguments: a seed, and how many random operations.
 */
#include "scene.h"
#include "runtime/rng.h"
#include "runtime/session.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t the_seed = 1;
static uint32_t operations = 600;

static struct iau_kv_usage usage(const struct scene *c)
{
	struct iau_kv_usage u;

	iau_model_kv_usage(c->model, &u);
	return u;
}

static void test_usage_of(void **state)
{
	struct iau_kv_usage u;
	struct scene c[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		scene_open(&c[i], "ref");
		assert_int_equal(iau_model_kv_budget(c[i].model, 1000000), 0);
	}
	assert_int_equal(iau_kv_usage_of(getpid(), &u), 2);
	assert_int_equal(u.budget, 2000000);
	assert_int_equal(u.device, 0);
	for (int i = 0; i < 2; i++)
		scene_close(&c[i]);
	assert_int_equal(iau_kv_usage_of(getpid(), &u), 0);
	assert_int_equal(u.budget, 0);
	assert_int_equal(iau_kv_usage_of(INT32_MAX, &u), -ESRCH);
	assert_non_null(strstr(iau_last_error(), "/proc/2147483647"));
}

/* Four sequences in turns, with room for one and a half of them */
static void sequences_in_turns(const char *engine)
{
	struct iau_session *s[4];
	struct iau_kv_usage u, seen;
	uint64_t one, budget;
	struct scene c;

	scene_open(&c, engine);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(iau_session_create(c.model, &s[i]), 0);
	scene_eval(&c, s[0], 0, 600);
	one = usage(&c).device;
	budget = one * 3 / 2;
	assert_int_equal(iau_model_kv_budget(c.model, budget), 0);
	for (uint32_t turn = 0; turn < 3; turn++)
		for (uint32_t i = 0; i < 4; i++) {
			scene_eval(&c, s[i], i, 600 + turn * 3);
			u = usage(&c);
			assert_true(u.device <= budget);
			/* who looks from outside sees the same */
			assert_int_equal(iau_kv_usage_of(getpid(), &seen), 1);
			assert_memory_equal(&u, &seen, sizeof(u));
		}
	assert_true(u.demoted >= 8 && u.promoted >= 8);
	/* all there is is somewhere, once */
	assert_true(u.device + u.host >= 4 * one);
	assert_true(u.device + u.host <= 4 * one + 4 * c.info.n_layer * 4096);
	assert_int_equal(iau_model_kv_budget(c.model, 0), 0);
	for (uint32_t i = 0; i < 4; i++)
		scene_eval(&c, s[i], i, 607);
	scene_check(&c, s[0], scene_want(&c, 0, 0, 607));
	for (uint32_t i = 0; i < 4; i++)
		iau_session_free(s[i]);
	u = usage(&c);
	assert_int_equal(u.device + u.host, 0);
	scene_close(&c);
}

/* What does not fit at all is refused, and nothing is lost. */
static void a_budget_that_is_too_small(void **state)
{
	struct iau_session *s;
	struct scene c;
	uint32_t n;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &s), 0);
	scene_eval(&c, s, 0, 64);
	assert_int_equal(iau_model_kv_budget(c.model, usage(&c).device), 0);
	assert_int_equal(iau_session_eval(s, c.token + 64, 100, NULL, NULL), -ENOSPC);
	assert_non_null(strstr(iau_last_error(), "KV budget of"));
	n = iau_session_length(s);
	assert_true(n >= 64 && n < 164);
	assert_int_equal(iau_model_kv_budget(c.model, 0), 0);
	scene_eval(&c, s, 0, 164);
	scene_check(&c, s, scene_want(&c, 64, 0, 164));
	/* less than what bounds alone take */
	assert_int_equal(iau_session_attention(s, &(struct iau_attention){ .budget = 1024 }), 0);
	assert_int_equal(iau_model_kv_budget(c.model, 1), -ENOSPC);
	assert_int_equal(usage(&c).budget, 0);
	scene_eval(&c, s, 0, 165);
	iau_session_free(s);
	scene_close(&c);
}

/* Random operations ------------------------------------------------------------------------------- */

/* An operation takes the time of its evaluation: there may be a million. */
#define TINY_MODEL "build/tests/libiau/tiny.gguf" /* random weights: tests/libiau/module.mk */
#define SEQUENCES 5

/* The same sequences twice: with memory that moves, and without */
struct twin {
	struct scene c[2];
	struct iau_session *s[2][SEQUENCES];
	struct iau_rng rng;
	uint32_t op; /* operations so far */
	char path[64];
};

static uint32_t below(struct twin *t, uint32_t n)
{
	return (uint32_t)(iau_rng_next(&t->rng) % n);
}

static void check_twins(const struct twin *t, uint32_t i)
{
	const float *a = iau_session_logits(t->s[0][i]), *b = iau_session_logits(t->s[1][i]);

	assert_int_equal(iau_session_length(t->s[0][i]), iau_session_length(t->s[1][i]));
	assert_memory_equal(iau_session_tokens(t->s[0][i]), iau_session_tokens(t->s[1][i]),
			    iau_session_length(t->s[0][i]) * sizeof(int32_t));
	if (a && b && memcmp(a, b, t->c[0].info.n_vocab * sizeof(*a)))
		fail_msg("operation %u: sequence %u has other logits", t->op, i);
}

/* A few tokens more; where the budget is too small for them, it goes. */
static void op_eval(struct twin *t, uint32_t i)
{
	uint32_t n = below(t, 3) ? 1 : 1 + below(t, below(t, 8) ? 120 : 600), have = iau_session_length(t->s[0][i]);
	const int32_t *tokens = t->c[0].token + below(t, 50) + have;
	int err;

	if (have + n > 1500)
		return;
	err = iau_session_eval(t->s[0][i], tokens, n, NULL, NULL);
	if (err == -ENOSPC) {
		uint32_t done = iau_session_length(t->s[0][i]) - have;

		assert_int_equal(iau_model_kv_budget(t->c[0].model, 0), 0);
		err = iau_session_eval(t->s[0][i], tokens + done, n - done, NULL, NULL);
	}
	if (err)
		fail_msg("operation %u: %s", t->op, iau_last_error());
	assert_int_equal(iau_session_eval(t->s[1][i], tokens, n, NULL, NULL), 0);
	check_twins(t, i);
}

/* Mostly a little: sequences grow until some of their slabs are old enough to be packed. */
static void op_truncate(struct twin *t, uint32_t i)
{
	uint32_t have = iau_session_length(t->s[0][i]);
	uint32_t most = below(t, 4) && have > 40 ? 40 : have, to = have - below(t, most + 1);

	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_truncate(t->s[k][i], to), 0);
}

static void op_fork(struct twin *t, uint32_t i)
{
	uint32_t from = (i + 1 + below(t, SEQUENCES - 1)) % SEQUENCES;
	uint32_t at = below(t, iau_session_length(t->s[0][from]) + 1);

	for (int k = 0; k < 2; k++) {
		iau_session_free(t->s[k][i]);
		assert_int_equal(iau_session_fork(t->s[k][from], at, &t->s[k][i]), 0);
	}
}

/* All keys, or a choice: with that a sequence may be greater than the budget. */
static void op_attention(struct twin *t, uint32_t i)
{
	struct iau_attention how = { .budget = below(t, 4) ? 512 + 64 * below(t, 9) : 0, .dense_layers = !below(t, 8),
				     .block = 16u << below(t, 3) };
	int err;

	if (below(t, 2))
		how.prompt_budget = how.budget;
	err = iau_session_attention(t->s[0][i], &how);
	if (err == -ENOSPC) {
		assert_int_equal(iau_model_kv_budget(t->c[0].model, 0), 0);
		err = iau_session_attention(t->s[0][i], &how);
	}
	if (err)
		fail_msg("operation %u: %s", t->op, iau_last_error());
	assert_int_equal(iau_session_attention(t->s[1][i], &how), 0);
}

/* Through a file, both: what others of its model shared with it is its own then, and gets packed without them. */
static void op_file(struct twin *t, uint32_t i)
{
	if (!iau_session_length(t->s[0][i]))
		return;
	for (int k = 0; k < 2; k++) {
		assert_int_equal(iau_session_save(t->s[k][i], t->path), 0);
		iau_session_free(t->s[k][i]);
		assert_int_equal(iau_session_load(t->c[k].model, t->path, &t->s[k][i]), 0);
	}
	op_attention(t, i);
}

static void op_budget(struct twin *t)
{
	uint64_t all = 0, slab = t->c[0].info.kv_bytes * 512;

	uint64_t bounds = 0, bytes;

	for (uint32_t i = 0; i < SEQUENCES; i++) {
		all += (iau_session_length(t->s[0][i]) + 32) * t->c[0].info.kv_bytes;
		bounds += t->s[0][i]->bounds_bytes;
	}
	/* nothing is evaluated: any budget can be kept that has room for bounds */
	bytes = below(t, 4) ? 1 + slab / 2 + bounds + below(t, (uint32_t)all) : 0;
	assert_int_equal(iau_model_kv_budget(t->c[0].model, bytes), 0);
}

static void random_operations(uint32_t key_bits, uint32_t value_bits)
{
	struct iau_kv_usage u = { 0 };
	struct twin t = { 0 };

	iau_rng_seed(&t.rng, the_seed);
	print_message("# seed %llu, %u operations\n", (unsigned long long)the_seed, operations);
	snprintf(t.path, sizeof(t.path), "/tmp/iau-kv-budget.%d", (int)getpid());
	for (int k = 0; k < 2; k++) {
		scene_open_with(&t.c[k], "ref", TINY_MODEL);
		assert_int_equal(iau_model_kv_precision(t.c[k].model, key_bits, value_bits, 100), 0);
		for (uint32_t i = 0; i < SEQUENCES; i++)
			assert_int_equal(iau_session_create(t.c[k].model, &t.s[k][i]), 0);
		/* long enough for slabs that get packed, and for a choice */
		scene_eval(&t.c[k], t.s[k][0], 0, 1100);
		scene_eval(&t.c[k], t.s[k][1], 1, 1400);
		for (uint32_t i = 0; i < SEQUENCES; i++)
			assert_int_equal(iau_session_attention(t.s[k][i], &(struct iau_attention){ .budget = 512 }), 0);
	}
	for (t.op = 0; t.op < operations; t.op++) {
		uint32_t i = below(&t, SEQUENCES), what = below(&t, 20);

		if (what < 13)
			op_eval(&t, i);
		else if (what < 14)
			op_attention(&t, i);
		else if (what < 16)
			op_truncate(&t, i);
		else if (what < 17)
			op_fork(&t, i);
		else if (what < 18)
			op_file(&t, i);
		else
			op_budget(&t);
		u = usage(&t.c[0]);
		assert_true(!u.budget || u.device <= u.budget);
	}
	print_message("# %llu slabs went to host memory, %llu came back, %llu were packed\n",
		      (unsigned long long)u.demoted, (unsigned long long)u.promoted, (unsigned long long)u.packed);
	print_message("# %llu pages went, %llu came back\n", (unsigned long long)u.pages_demoted,
		      (unsigned long long)u.pages_promoted);
	assert_true(u.demoted && u.promoted && u.pages_promoted && !u.packed == (key_bits + value_bits == 16));
	for (int k = 0; k < 2; k++) {
		for (uint32_t i = 0; i < SEQUENCES; i++)
			iau_session_free(t.s[k][i]);
		u = usage(&t.c[k]);
		assert_int_equal(u.device + u.host, 0);
		scene_close(&t.c[k]);
	}
	unlink(t.path);
}

static void random_operations_in_8_bits(void **state)
{
	(void)state;
	random_operations(8, 8);
}

static void random_operations_in_4_bits(void **state)
{
	(void)state;
	random_operations(4, 4);
}

ENGINES(sequences_in_turns)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage_of), ON_ENGINES(sequences_in_turns),
		cmocka_unit_test(a_budget_that_is_too_small),
		cmocka_unit_test(random_operations_in_8_bits), cmocka_unit_test(random_operations_in_4_bits),
	};

	if (argc > 1)
		the_seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		operations = (uint32_t)strtoul(argv[2], NULL, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv budget", tests, NULL, NULL);
}
