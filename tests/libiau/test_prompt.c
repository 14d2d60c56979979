/* SPDX-License-Identifier: MIT */
/*
 * Tokens of a prompt that are asked for no logits leave the keys and values that they leave if they are, in all
 * layers, and are spared the rest of the last one: all but the last token.
 */
#include "iau_hw.h"
#include "scene.h"

#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */
#define PROMPT 168u /* the last 8 are for a narrow graph, and so for a job of their own */
#define TOKENS 174u

static int ignore(void *opaque, uint32_t position, const float *logits)
{
	(void)opaque, (void)position, (void)logits;
	return 0;
}

/* Job by job; only the last one leaves logits. */
static void evaluate_some(const struct scene *c, struct iau_session *s)
{
	uint32_t jobs = 0;

	for (size_t i = 0, done; i < PROMPT; i += done, jobs++) {
		if (iau_session_eval_some(s, c->token + i, PROMPT - i, &done))
			fail_msg("prompt: %s", iau_last_error());
		assert_true(done > 0);
		assert_int_equal(iau_session_length(s), i + done);
		assert_true(!iau_session_logits(s) == (i + done < PROMPT));
	}
	assert_true(jobs > 1);
}

/* Products with INT4 weights that the prompt took; then some tokens by themselves, which see what it left */
static uint64_t evaluate(const struct scene *c, struct iau_session *s, bool each)
{
	uint64_t macs = iau_device_counter(c->dev, IAU_CNT_MACS_I4);

	if (!each)
		evaluate_some(c, s);
	else if (iau_session_eval(s, c->token, PROMPT, ignore, NULL))
		fail_msg("prompt: %s", iau_last_error());
	macs = iau_device_counter(c->dev, IAU_CNT_MACS_I4) - macs;
	for (uint32_t n = PROMPT + 1; n < TOKENS; n++)
		scene_eval(c, s, 0, n);
	return macs;
}

/* The last layer is of ROWS tokens as a whole. */
static void check_model(const char *engine, const char *model, uint32_t rows)
{
	struct iau_session *all, *last;
	uint64_t with, without;
	struct scene c;

	scene_open_with(&c, engine, model);
	assert_int_equal(iau_session_create(c.model, &all), 0);
	assert_int_equal(iau_session_create(c.model, &last), 0);
	with = evaluate(&c, all, true);
	without = evaluate(&c, last, false);
	scene_same(&c, all, last);
	assert_int_equal(with - without, (PROMPT - rows) * c.info.spared_macs);
	iau_session_free(all);
	iau_session_free(last);
	scene_close(&c);
}

static void spared(const char *engine)
{
	check_model(engine, SCENE_MODEL, 1);
}

/* As many tokens in as many jobs: the last run of one that takes a graph as wide as the others is in the same job. */
static void lengths(const char *engine)
{
	static const struct {
		uint32_t tokens, jobs;
	} c[] = {
		{ 17, 1 }, { 23, 1 }, { 33, 2 }, { 48, 2 }, { 49, 1 },
		{ 63, 1 }, { 64, 1 }, { 65, 2 }, { 160, 1 }, { 180, 1 },
	};
	struct scene scene;

	scene_open(&scene, engine);
	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct iau_session *all, *last;
		uint32_t jobs = 0;

		assert_int_equal(iau_session_create(scene.model, &all), 0);
		assert_int_equal(iau_session_create(scene.model, &last), 0);
		assert_int_equal(iau_session_eval(all, scene.token, c[i].tokens, ignore, NULL), 0);
		for (size_t at = 0, done; at < c[i].tokens; at += done, jobs++)
			assert_int_equal(iau_session_eval_some(last, scene.token + at, c[i].tokens - at, &done), 0);
		assert_int_equal(jobs, c[i].jobs);
		scene_same(&scene, all, last);
		scene_eval(&scene, all, 0, c[i].tokens + 40);
		scene_eval(&scene, last, 0, c[i].tokens + 40);
		scene_same(&scene, all, last);
		iau_session_free(all);
		iau_session_free(last);
	}
	scene_close(&scene);
}

/* Several KV heads; heads of 128, with norms, and wide rows; with biases and RoPE's other order */
static void other_shapes(void **state)
{
	(void)state;
	check_model("ref", SHAPES "6m.gguf", 1);
	check_model("ref", SHAPES "qwen3-0.6b.gguf", 1);
	check_model("ref", SHAPES "qwen2-0.5b.gguf", 1);
	check_model("rtl", SHAPES "qwen3-0.6b.gguf", 1);
}

ENGINES(spared)
ENGINES(lengths)

int main(void)
{
	const struct CMUnitTest tests[] = { ON_ENGINES(spared), ON_ENGINES(lengths), cmocka_unit_test(other_shapes) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
