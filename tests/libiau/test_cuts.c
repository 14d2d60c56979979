/* SPDX-License-Identifier: MIT */
/*
 * Prompts that come in pieces. Wherever a sequence was cut, its logits are those of one that was not, to the bit;
 * what was in the KV cache stays as it is; and tokens go many at a time, whatever the length before them.
 */
#include "devices.h"
#include "iau/model.h"
#include "iau_hw.h"
#include "runtime/session.h"

#include <errno.h>
#include <string.h>

#define MODEL "models/iau-ci/iau-ci-q4_0.gguf"
#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */
#define MOST 1024u

struct scene {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_model_info info;
	int32_t token[MOST];
};

static void scene_open(struct scene *c, const char *engine, const char *model, uint32_t n_ctx)
{
	c->dev = device_open(engine);
	assert_int_equal(iau_model_load(c->dev, model, n_ctx, &c->model), 0);
	iau_model_info(c->model, &c->info);
	for (uint32_t i = 0; i < MOST; i++)
		c->token[i] = (int32_t)((i * i * 31 + i * 7919 + 17) % c->info.n_vocab);
}

static void scene_close(struct scene *c)
{
	iau_model_free(c->model);
	iau_device_close(c->dev);
}

static struct iau_session *begin(const struct scene *c, const struct iau_attention *a)
{
	struct iau_session *s;

	assert_int_equal(iau_session_create(c->model, &s), 0);
	if (a)
		assert_int_equal(iau_session_attention(s, a), 0);
	return s;
}

static void go_on(const struct scene *c, struct iau_session *s, uint32_t to)
{
	uint32_t from = iau_session_length(s);

	if (iau_session_eval(s, c->token + from, to - from, NULL, NULL))
		fail_msg("%u to %u: %s", from, to, iau_last_error());
}

/* S has the logits of N tokens, and is freed. */
static void check_logits(const struct scene *c, struct iau_session *s, uint32_t n, const float *want)
{
	assert_int_equal(iau_session_length(s), n);
	assert_memory_equal(iau_session_logits(s), want, c->info.n_vocab * sizeof(*want));
	iau_session_free(s);
}

/* A sequence that begins as BASE up to CUT and goes on to N tokens has the logits of one that was never cut. */
static void check_cut(const struct scene *c, const struct iau_session *base, uint32_t cut, uint32_t n,
		      const float *want)
{
	struct iau_session *s;

	assert_int_equal(iau_session_fork(base, cut, &s), 0);
	go_on(c, s, n);
	check_logits(c, s, n, want);
}

/* Logits after N tokens, the last SINGLES of them one by one; the caller frees. */
static float *uncut(const struct scene *c, uint32_t n, uint32_t singles)
{
	struct iau_session *s = begin(c, NULL);
	float *want = malloc(c->info.n_vocab * sizeof(*want));

	assert_non_null(want);
	for (uint32_t i = n - singles; i < n && singles; i++)
		go_on(c, s, i);
	go_on(c, s, n);
	memcpy(want, iau_session_logits(s), c->info.n_vocab * sizeof(*want));
	iau_session_free(s);
	return want;
}

/*
 * Every STEP-th place in a block and more from AT on, in a graph of ROWS rows at most: a sequence that begins as
 * another one goes on from there.
 */
static void cut_anywhere(const char *engine, const char *model, uint32_t at, uint32_t step, uint32_t rows)
{
	struct scene c;

	scene_open(&c, engine, model, MOST);
	for (uint32_t n = at + 33; n < at + 33 + step; n += step / 2 + 1) {
		struct iau_session *base = begin(&c, NULL);
		float *want = uncut(&c, n, 34);

		assert_int_equal(base->rows[0], rows);
		go_on(&c, base, n);
		for (uint32_t cut = at; cut < at + 33; cut += step)
			check_cut(&c, base, cut, n, want);
		iau_session_free(base);
		free(want);
	}
	scene_close(&c);
}

static void any_cut_is_no_cut(const char *engine)
{
	uint32_t step = strcmp(engine, "ref") ? 9 : 1;

	cut_anywhere(engine, MODEL, 64, step, 32);
	/* a chunk of attention ends, and a slab */
	cut_anywhere(engine, MODEL, 240, step, 32);
	cut_anywhere(engine, MODEL, 497, step, 32);
}

/* Wide heads; rows that are too wide for the scratchpad, 32 of them or only 16 */
static void cuts_of_other_shapes(void **state)
{
	(void)state;
	cut_anywhere("ref", SHAPES "wide.gguf", 120, 7, 16);
	cut_anywhere("ref", SHAPES "qwen3-0.6b.gguf", 120, 7, 32);
	cut_anywhere("ref", SHAPES "qwen2-0.5b.gguf", 33, 7, 32);
	cut_anywhere("rtl", SHAPES "6m.gguf", 40, 13, 32);
}

static int each(void *opaque, uint32_t position, const float *logits)
{
	float *const *at = opaque;
	const struct scene *c = (const void *)at[1];

	memcpy(at[0] + (size_t)position * c->info.n_vocab, logits, c->info.n_vocab * sizeof(*logits));
	return 0;
}

/* Logits of every position, too */
static void logits_of_all(const char *engine)
{
	uint32_t n = 75, cut = 21;
	size_t floats;
	float *got[2];
	struct scene c;

	scene_open(&c, engine, MODEL, 0);
	floats = (size_t)n * c.info.n_vocab;
	for (int i = 0; i < 2; i++) {
		struct iau_session *s = begin(&c, NULL);
		void *opaque[2] = { got[i] = malloc(floats * sizeof(float)), &c };

		assert_non_null(got[i]);
		if (i)
			assert_int_equal(iau_session_eval(s, c.token, cut, each, opaque), 0);
		assert_int_equal(iau_session_eval(s, c.token + i * cut, n - i * cut, each, opaque), 0);
		iau_session_free(s);
	}
	assert_memory_equal(got[0], got[1], floats * sizeof(float));
	free(got[0]);
	free(got[1]);
	scene_close(&c);
}

/* Slab I of S, all layers, N bytes; the caller frees. */
static uint8_t *copy_slab(const struct iau_session *s, uint32_t i, size_t *n)
{
	const struct kv_slab *slab = s->kv.slab[i];
	size_t layer = slab->blocks * s->cfg.kv.block_bytes;
	uint8_t *copy = malloc(*n = layer * s->model->hp.n_layer);

	assert_non_null(copy);
	for (uint32_t l = 0; l < s->model->hp.n_layer; l++)
		memcpy(copy + l * layer, kv_slab_ptr(&s->model->pool, slab, l), layer);
	return copy;
}

/* Rows of the first N tokens of a copied slab become zero. */
static void forget_rows(const struct iau_session *s, uint8_t *copy, size_t bytes, uint32_t first, uint32_t n)
{
	const struct iau_kv_layout *kv = &s->cfg.kv;

	for (size_t at = 0; at < bytes; at += kv->block_bytes) {
		uint32_t block = (uint32_t)(at / kv->block_bytes) % s->kv.slab[0]->blocks;
		uint8_t *b = copy + at;

		for (uint32_t t = 0; t < 32; t++) {
			if (block * 32 + t < first || block * 32 + t >= n)
				continue;
			for (uint32_t i = 0; i < kv->kscale_at / 1024; i++)
				memset(b + i * 1024 + t * 32, 0, 32);
			for (uint32_t i = 0; i < (kv->vscale_at - kv->kscale_at) / 64; i++)
				memset(b + kv->kscale_at + i * 64 + t * 2, 0, 2);
			for (uint32_t i = 0; i < (kv->block_bytes - kv->vscale_at) / 128; i++)
				memset(b + kv->vscale_at + i * 128 + t * 4, 0, 4);
		}
	}
}

/* Only rows behind the cut change, be they a token's or none's; those of tokens are what they are uncut. */
static void cached_rows_stay(const char *engine)
{
	static const uint32_t cuts[][2] = { { 1, 3 }, { 5, 31 }, { 31, 64 }, { 45, 46 }, { 50, 59 }, { 66, 96 } };
	struct iau_session *s, *whole;
	struct scene c;

	scene_open(&c, engine, MODEL, 0);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		uint32_t cut = cuts[i][0], n = cuts[i][1];
		uint8_t *before, *after, *want;
		size_t bytes;

		s = begin(&c, NULL);
		whole = begin(&c, NULL);
		/* as many blocks as there will be */
		go_on(&c, s, n);
		assert_int_equal(iau_session_truncate(s, cut), 0);
		go_on(&c, whole, n);
		assert_int_equal(iau_kv_prepare(&s, 1, n - cut), 0);
		before = copy_slab(s, 0, &bytes);
		go_on(&c, s, n);
		after = copy_slab(s, 0, &bytes);
		want = copy_slab(whole, 0, &bytes);
		forget_rows(s, want, bytes, n, UINT32_MAX);
		forget_rows(s, after, bytes, n, UINT32_MAX);
		assert_memory_equal(after, want, bytes);
		forget_rows(s, before, bytes, cut, UINT32_MAX);
		forget_rows(s, after, bytes, cut, UINT32_MAX);
		assert_memory_equal(after, before, bytes);
		free(before);
		free(after);
		free(want);
		iau_session_free(s);
		iau_session_free(whole);
	}
	scene_close(&c);
}

/* A shared slab is its owner's until the end of it: the one who goes on in its middle has a copy. */
static void shared_rows_stay(const char *engine)
{
	struct iau_session *a, *b;
	uint8_t *before, *after;
	struct scene c;
	size_t bytes;

	scene_open(&c, engine, MODEL, 0);
	a = begin(&c, NULL);
	go_on(&c, a, 90);
	before = copy_slab(a, 0, &bytes);
	assert_int_equal(iau_session_fork(a, 77, &b), 0);
	go_on(&c, b, 200);
	after = copy_slab(a, 0, &bytes);
	assert_memory_equal(after, before, bytes);
	free(before);
	free(after);
	iau_session_free(a);
	iau_session_free(b);
	scene_close(&c);
}

/* A context of no whole blocks, to its last token, from any place in its last block */
static void to_the_end_of_the_context(const char *engine)
{
	uint32_t n = 93;
	struct scene c;
	float *want;

	scene_open(&c, engine, MODEL, n);
	want = uncut(&c, n, 34);
	for (uint32_t cut = 60; cut < n; cut += 4) {
		struct iau_session *s = begin(&c, NULL);

		go_on(&c, s, cut);
		go_on(&c, s, n);
		assert_int_equal(iau_session_eval(s, c.token, 1, NULL, NULL), -ENOSPC);
		check_logits(&c, s, n, want);
	}
	free(want);
	scene_close(&c);
}

/* Keys and values in 4 bits: a slab is packed before the same token. */
static void packed_slabs(const char *engine)
{
	static const uint32_t cuts[] = { 500, 601 };
	struct iau_session *s;
	uint32_t n = 640;
	struct scene c;
	float *want;

	scene_open(&c, engine, MODEL, 0);
	assert_int_equal(iau_model_kv_precision(c.model, 4, 4, 64), 0);
	want = uncut(&c, n, 0);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		s = begin(&c, NULL);
		go_on(&c, s, cuts[i]);
		go_on(&c, s, n);
		assert_int_equal(s->kv.slab[0]->form, KV_PACKED);
		check_logits(&c, s, n, want);
	}
	free(want);
	scene_close(&c);
}

/* From 9 to 16 blocks a choice of 16 is all of them, by the commands that choose. */
static void covered(const char *engine)
{
	struct iau_attention all = { .budget = 512, .prompt_budget = 512 };
	struct iau_session *base;
	uint32_t n = 480;
	struct scene c;
	float *want;

	scene_open(&c, engine, MODEL, 0);
	want = uncut(&c, n, 0);
	base = begin(&c, &all);
	go_on(&c, base, 450);
	for (uint32_t cut = 403; cut < 450; cut += 17)
		check_cut(&c, base, cut, n, want);
	iau_session_free(base);
	free(want);
	scene_close(&c);
}

/* Blocks that are left out: nothing is promised but that both engines leave the same ones. */
static void test_choices(void **state)
{
	struct iau_attention a = { .budget = 512, .prompt_budget = 512 };
	static const char *const engines[] = { "ref", "rtl" };
	struct iau_session *base, *s;
	float *got[2][3];
	struct scene c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		scene_open(&c, engines[i], MODEL, 0);
		base = begin(&c, &a);
		go_on(&c, base, 840);
		for (uint32_t k = 0; k < 3; k++) {
			assert_int_equal(iau_session_fork(base, 803 + k * 13, &s), 0);
			go_on(&c, s, 900);
			got[i][k] = malloc(c.info.n_vocab * sizeof(float));
			assert_non_null(got[i][k]);
			memcpy(got[i][k], iau_session_logits(s), c.info.n_vocab * sizeof(float));
			iau_session_free(s);
		}
		iau_session_free(base);
		scene_close(&c);
	}
	for (uint32_t k = 0; k < 3; k++) {
		assert_memory_equal(got[0][k], got[1][k], c.info.n_vocab * sizeof(float));
		free(got[0][k]);
		free(got[1][k]);
	}
}

/* All blocks are a job, the last one, which gets logits, too, unless it is few tokens, as the first one may be. */
static void test_jobs(void **state)
{
	static const struct { uint32_t from, to, jobs; } want[] = {
		{ 0, 32, 1 }, { 32, 33, 1 }, { 33, 64, 1 }, { 64, 94, 1 }, { 94, 97, 2 }, { 97, 100, 1 },
		{ 100, 230, 2 }, { 230, 256, 1 },
		{ 256, 384, 1 }, { 384, 390, 1 }, { 390, 484, 2 }, { 484, 500, 1 }, { 500, 600, 2 },
	};
	struct iau_session *s;
	struct scene c;

	(void)state;
	scene_open(&c, "ref", MODEL, 0);
	s = begin(&c, NULL);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		uint64_t jobs = iau_device_counter(c.dev, IAU_CNT_JOBS);

		assert_int_equal(iau_session_length(s), want[i].from);
		go_on(&c, s, want[i].to);
		assert_int_equal(iau_device_counter(c.dev, IAU_CNT_JOBS) - jobs, want[i].jobs);
	}
	iau_session_free(s);
	scene_close(&c);
}

ENGINES(any_cut_is_no_cut)
ENGINES(logits_of_all)
ENGINES(cached_rows_stay)
ENGINES(shared_rows_stay)
ENGINES(to_the_end_of_the_context)
ENGINES(packed_slabs)
ENGINES(covered)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(any_cut_is_no_cut), cmocka_unit_test(cuts_of_other_shapes), ON_ENGINES(logits_of_all),
		ON_ENGINES(cached_rows_stay), ON_ENGINES(shared_rows_stay), ON_ENGINES(to_the_end_of_the_context),
		ON_ENGINES(packed_slabs), ON_ENGINES(covered), cmocka_unit_test(test_choices),
		cmocka_unit_test(test_jobs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cuts", tests, NULL, NULL);
}
