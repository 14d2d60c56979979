/* SPDX-License-Identifier: MIT */
/*
 * Keys and queries that are rotated: the cache holds what a product with the Hadamard matrix makes of the keys,
 * whichever way tokens came, and attention gives what it gave.
 */
#include "keys.h"
#include "scene.h"

#include <math.h>

#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */
#define PROMPT 37u
#define TOKENS 44u

/* Of 4 bits keys are rotated; here none gets old enough to lose any of 8. */
static void open_keys(struct scene *c, const char *engine, const char *model, uint32_t key_bits)
{
	scene_open_with(c, engine, model);
	assert_int_equal(iau_model_kv_precision(c->model, key_bits, 8, SCENE_TOKENS), 0);
}

/* A prompt, some tokens by themselves, and the last ones in a batch of two, which has the logits */
static struct iau_batch *evaluate(const struct scene *c, struct iau_session *s[2])
{
	struct iau_batch *batch;

	assert_int_equal(iau_batch_create(c->model, 2, &batch), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(iau_session_create(c->model, &s[i]), 0);
		scene_eval(c, s[i], 0, PROMPT);
	}
	for (uint32_t n = PROMPT + 1; n < TOKENS - 2; n++)
		for (int i = 0; i < 2; i++)
			scene_eval(c, s[i], 0, n);
	for (uint32_t n = TOKENS - 3; n < TOKENS; n++)
		assert_int_equal(iau_batch_eval(batch, s, (int32_t[]){ c->token[n], c->token[n] }, 2), 0);
	return batch;
}

static void finish(struct scene *c, struct iau_session *s[2], struct iau_batch *batch)
{
	iau_batch_free(batch);
	for (int i = 0; i < 2; i++)
		iau_session_free(s[i]);
	scene_close(c);
}

/* The first layer's, which follow from the same numbers in both; relative to what they are */
static double difference(const struct iau_session *a, const struct iau_session *b, uint32_t t)
{
	double x[128], y[128], off = 0, all = 0;

	for (uint32_t head = 0; head < a->model->hp.n_head_kv; head++) {
		plain_key(a, 0, head, t, x);
		plain_key(b, 0, head, t, y);
		for (uint32_t i = 0; i < a->model->hp.head_dim; i++) {
			off += (x[i] - y[i]) * (x[i] - y[i]);
			all += x[i] * x[i];
		}
	}
	return sqrt(off / all);
}

static void check_model(const char *engine, const char *model)
{
	struct iau_session *a[2], *b[2];
	struct iau_batch *batch[2];
	struct scene c, d;
	double off = 0, all = 0;

	open_keys(&c, engine, model, 8);
	open_keys(&d, engine, model, 4);
	batch[0] = evaluate(&c, a);
	batch[1] = evaluate(&d, b);
	assert_true(!iau_keys_rotated(&a[0]->cfg) && iau_keys_rotated(&b[0]->cfg));
	for (int i = 0; i < 2; i++)
		for (uint32_t t = 0; t < TOKENS; t++)
			if (difference(a[i], b[i], t) > 0.02)
				fail_msg("%s: key %u is %.3f off", model, t, difference(a[i], b[i], t));
	for (uint32_t i = 0; i < c.info.n_vocab; i++) {
		double x = (double)iau_session_logits(a[1])[i], y = (double)iau_session_logits(b[1])[i];

		off += (x - y) * (x - y);
		all += x * x;
	}
	if (sqrt(off / all) > 0.05)
		fail_msg("%s: logits are %.3f off", model, sqrt(off / all));
	finish(&c, a, batch[0]);
	finish(&d, b, batch[1]);
}

static void as_without(const char *engine)
{
	check_model(engine, SCENE_MODEL);
}

/* Several KV heads; heads of 128, with norms; with biases and RoPE's other order */
static void other_shapes(void **state)
{
	(void)state;
	check_model("ref", SHAPES "6m.gguf");
	check_model("ref", SHAPES "qwen3-0.6b.gguf");
	check_model("ref", SHAPES "qwen2-0.5b.gguf");
}

/* The other engine has the same, to the bit. */
static void engines_agree(void **state)
{
	struct iau_session *a[2], *b[2];
	struct iau_batch *batch[2];
	struct scene ref, rtl;

	(void)state;
	open_keys(&ref, "ref", SCENE_MODEL, 4);
	open_keys(&rtl, "rtl", SCENE_MODEL, 4);
	batch[0] = evaluate(&ref, a);
	batch[1] = evaluate(&rtl, b);
	for (int i = 0; i < 2; i++)
		scene_same(&rtl, b[i], a[i]);
	finish(&ref, a, batch[0]);
	finish(&rtl, b, batch[1]);
}

ENGINES(as_without)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(as_without), cmocka_unit_test(other_shapes), cmocka_unit_test(engines_agree),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
