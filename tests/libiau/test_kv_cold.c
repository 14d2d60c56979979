/* SPDX-License-Identifier: MIT */
/* A sequence that its budget does not hold: pages that sparse attention does not choose are in host memory. */
#include "scene.h"
#include "runtime/session.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LENGTH 1600u /* tokens of a scene: three slabs and a part of one */
#define CHOICE { .budget = 1024 }

/* The same sequence twice: with all memory, and with BUDGET */
struct twins {
	struct scene c[2];
	struct iau_session *s[2];
	uint64_t whole, budget; /* bytes of the first's cache; of the second's */
};

static struct iau_kv_usage usage(const struct twins *t, int k)
{
	struct iau_kv_usage u;

	iau_model_kv_usage(t->c[k].model, &u);
	return u;
}

static void cache_path(char *path, uint32_t bits)
{
	snprintf(path, 64, "/tmp/iau-kv-cold.%d.%u", (int)getpid(), bits);
}

/* Caches of LENGTH tokens, made by ref without a choice, so that either engine begins with the same */
static int make_caches(void **state)
{
	static const uint32_t bits[] = { 88, 44 };
	struct iau_session *s;
	struct scene c;
	char path[64];

	(void)state;
	for (int i = 0; i < 2; i++) {
		scene_open(&c, "ref");
		assert_int_equal(iau_model_kv_precision(c.model, bits[i] / 10, bits[i] % 10, 100), 0);
		assert_int_equal(iau_session_create(c.model, &s), 0);
		scene_eval(&c, s, 0, LENGTH);
		cache_path(path, bits[i]);
		assert_int_equal(iau_session_save(s, path), 0);
		iau_session_free(s);
		scene_close(&c);
	}
	return 0;
}

static int remove_caches(void **state)
{
	char path[64];

	(void)state;
	cache_path(path, 88);
	unlink(path);
	cache_path(path, 44);
	unlink(path);
	return 0;
}

/* BITS: 88, or 44 for packed slabs. The second has PERCENT of what the first takes; 0: as much as it likes. */
static void open_twins(struct twins *t, const char *engine, uint32_t bits, struct iau_attention how, uint32_t percent)
{
	char path[64];

	cache_path(path, bits);
	for (int k = 0; k < 2; k++) {
		scene_open(&t->c[k], engine);
		assert_int_equal(iau_model_kv_precision(t->c[k].model, bits / 10, bits % 10, 100), 0);
		assert_int_equal(iau_session_load(t->c[k].model, path, &t->s[k]), 0);
		if (k) {
			t->whole = usage(t, 0).device;
			t->budget = t->whole * percent / 100;
			assert_int_equal(iau_model_kv_budget(t->c[1].model, t->budget), 0);
		}
		assert_int_equal(iau_session_attention(t->s[k], &how), 0);
		/* all of it is attended to, or at least seen */
		if (!k)
			scene_eval(&t->c[0], t->s[0], 0, LENGTH + 1);
	}
	scene_eval(&t->c[1], t->s[1], 0, LENGTH + 1);
}

static void close_twins(struct twins *t)
{
	for (int k = 0; k < 2; k++) {
		iau_session_free(t->s[k]);
		assert_int_equal(usage(t, k).device + usage(t, k).host, 0);
		scene_close(&t->c[k]);
	}
}

static void check(const struct twins *t)
{
	assert_int_equal(iau_session_length(t->s[0]), iau_session_length(t->s[1]));
	assert_memory_equal(iau_session_logits(t->s[0]), iau_session_logits(t->s[1]),
			    t->c[0].info.n_vocab * sizeof(float));
	assert_true(!t->budget || usage(t, 1).device <= t->budget);
}

/* Both go on by N tokens, one by one. */
static void go_on(struct twins *t, uint32_t n)
{
	while (n--) {
		for (int k = 0; k < 2; k++)
			scene_eval(&t->c[k], t->s[k], 0, iau_session_length(t->s[k]) + 1);
		check(t);
	}
}

static void pages_come_as_they_are_chosen(const char *engine)
{
	struct iau_kv_usage u;
	struct twins t;

	open_twins(&t, engine, 88, (struct iau_attention)CHOICE, 70);
	go_on(&t, 40);
	u = usage(&t, 1);
	/* what is not here is there, and there is no more of it */
	assert_true(u.pages_promoted && u.pages_demoted);
	assert_int_equal(u.device + u.host, usage(&t, 0).device);
	close_twins(&t);
}

static void packed_pages_do(const char *engine)
{
	struct twins t;

	open_twins(&t, engine, 44, (struct iau_attention)CHOICE, 70);
	go_on(&t, 10);
	assert_true(usage(&t, 1).pages_promoted && usage(&t, 1).device_packed);
	close_twins(&t);
}

/* A layer without choice needs all of its pages, and leaves room for the others' afterwards. */
static void a_layer_without_choice(const char *engine)
{
	struct twins t;

	open_twins(&t, engine, 88, (struct iau_attention){ .budget = 1024, .dense_layers = 1 }, 70);
	go_on(&t, 5);
	assert_true(usage(&t, 1).pages_demoted);
	close_twins(&t);
}

/* Halves of blocks, pairs of them, and what is always attended to */
static void other_choices(const char *engine)
{
	static const struct iau_attention how[] = {
		{ .budget = 1024, .block = 16 }, { .budget = 1024, .block = 64, .sink = 64, .recent = 300 },
		{ .budget = 1024, .recent = 1024 },
	};
	struct twins t;

	open_twins(&t, engine, 88, how[0], 70);
	for (uint32_t i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++)
			assert_int_equal(iau_session_attention(t.s[k], &how[i]), 0);
		go_on(&t, 3);
	}
	close_twins(&t);
}

/* From the first token on within a budget that ends up at two thirds: many tokens at a time. */
static void a_prompt(const char *engine)
{
	struct iau_attention how = { .budget = 1024, .prompt_budget = 1024 };
	struct twins t = { 0 };

	for (int k = 0; k < 2; k++) {
		scene_open(&t.c[k], engine);
		assert_int_equal(iau_session_create(t.c[k].model, &t.s[k]), 0);
		assert_int_equal(iau_session_attention(t.s[k], &how), 0);
		if (k) {
			t.budget = usage(&t, 0).device * 2 / 3;
			assert_int_equal(iau_model_kv_budget(t.c[1].model, t.budget), 0);
		}
		scene_eval(&t.c[k], t.s[k], 0, LENGTH);
	}
	check(&t);
	assert_true(usage(&t, 1).pages_demoted);
	go_on(&t, 3);
	close_twins(&t);
}

/* What attends to all is refused, in words; less of a choice, or more memory, helps. Nothing was lost. */
static void what_does_not_fit(const char *engine)
{
	struct iau_attention dense = { 0 }, choice = CHOICE;
	int32_t token;
	struct twins t;

	open_twins(&t, engine, 88, choice, 70);
	token = t.c[1].token[LENGTH + 1];
	assert_int_equal(iau_session_attention(t.s[1], &dense), 0);
	assert_int_equal(iau_session_eval(t.s[1], &token, 1, NULL, NULL), -ENOSPC);
	assert_non_null(strstr(iau_last_error(), "KV budget of"));
	assert_int_equal(iau_session_attention(t.s[1], &choice), 0);
	go_on(&t, 1);
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_attention(t.s[k], &dense), 0);
	assert_int_equal(iau_model_kv_budget(t.c[1].model, 0), 0);
	t.budget = 0;
	go_on(&t, 2);
	/* and again in parts */
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_attention(t.s[k], &choice), 0);
	t.budget = t.whole * 7 / 10;
	assert_int_equal(iau_model_kv_budget(t.c[1].model, t.budget), 0);
	go_on(&t, 2);
	/* not even the newest slab and a layer's choice */
	assert_int_equal(iau_model_kv_budget(t.c[1].model, t.whole / 5), 0);
	token = t.c[1].token[iau_session_length(t.s[1])];
	assert_int_equal(iau_session_eval(t.s[1], &token, 1, NULL, NULL), -ENOSPC);
	assert_int_equal(iau_model_kv_budget(t.c[1].model, t.budget), 0);
	go_on(&t, 2);
	close_twins(&t);
}

/* Through a fork, a file, and a cut into a slab whose pages are here and there */
static void a_divided_cache_goes_on(const char *engine)
{
	struct iau_session *fork[2];
	struct twins t;
	char path[80];

	open_twins(&t, engine, 88, (struct iau_attention)CHOICE, 70);
	go_on(&t, 2);
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_fork(t.s[k], LENGTH, &fork[k]), 0);
	go_on(&t, 2);
	for (int k = 0; k < 2; k++) {
		iau_session_free(t.s[k]);
		t.s[k] = fork[k];
	}
	go_on(&t, 3);
	for (int k = 0; k < 2; k++) {
		cache_path(path, (uint32_t)k);
		assert_int_equal(iau_session_save(t.s[k], path), 0);
		iau_session_free(t.s[k]);
		assert_int_equal(iau_session_load(t.c[k].model, path, &t.s[k]), 0);
		unlink(path);
		assert_int_equal(iau_session_attention(t.s[k], &(struct iau_attention)CHOICE), 0);
	}
	go_on(&t, 2);
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_truncate(t.s[k], 1500), 0);
	go_on(&t, 3);
	close_twins(&t);
}

/* Two that share slabs: one attends to all of them, the other in part; then in a batch, to all. */
static void shared_slabs(const char *engine)
{
	struct iau_session *fork[2];
	struct iau_batch *b;
	int32_t token[2];
	struct twins t;

	open_twins(&t, engine, 88, (struct iau_attention)CHOICE, 90);
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_fork(t.s[k], 700, &fork[k]), 0);
	for (int k = 0; k < 2; k++)
		assert_int_equal(iau_session_attention(fork[k], &(struct iau_attention){ 0 }), 0);
	for (uint32_t i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++)
			scene_eval(&t.c[k], fork[k], 7, 701 + i);
		assert_memory_equal(iau_session_logits(fork[0]), iau_session_logits(fork[1]),
				    t.c[0].info.n_vocab * sizeof(float));
		go_on(&t, 1);
	}
	assert_true(usage(&t, 1).pages_demoted && usage(&t, 1).pages_promoted);
	assert_int_equal(iau_model_kv_budget(t.c[1].model, 0), 0);
	t.budget = 0;
	token[0] = token[1] = 3;
	for (int k = 0; k < 2; k++) {
		assert_int_equal(iau_batch_create(t.c[k].model, 2, &b), 0);
		assert_int_equal(iau_batch_eval(b, (struct iau_session *[]){ t.s[k], fork[k] }, token, 2), 0);
		iau_batch_free(b);
	}
	for (int k = 0; k < 2; k++)
		iau_session_free(fork[k]);
	close_twins(&t);
}

ENGINES(pages_come_as_they_are_chosen)
ENGINES(packed_pages_do)
ENGINES(a_layer_without_choice)
ENGINES(other_choices)
ENGINES(a_prompt)
ENGINES(what_does_not_fit)
ENGINES(a_divided_cache_goes_on)
ENGINES(shared_slabs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(pages_come_as_they_are_chosen), ON_ENGINES(packed_pages_do),
		ON_ENGINES(a_layer_without_choice), ON_ENGINES(other_choices), ON_ENGINES(a_prompt),
		ON_ENGINES(what_does_not_fit), ON_ENGINES(a_divided_cache_goes_on), ON_ENGINES(shared_slabs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv cold", tests, make_caches, remove_caches);
}
