/* SPDX-License-Identifier: MIT */
/* Tokens that the device chooses itself, several in a job, are those that the host would choose one by one. */
#include "scene.h"
#include "iau/gguf.h"
#include "iau_hw.h"
#include "runtime/session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define RECENT 100 /* tokens that are not packed */
#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */

static int32_t likeliest(const struct scene *c, const struct iau_session *s)
{
	const float *logits = iau_session_logits(s);
	uint32_t best = 0;

	for (uint32_t i = 1; i < c->info.n_vocab; i++)
		if (logits[i] > logits[best])
			best = i;
	return (int32_t)best;
}

/* To TO tokens, by jobs of up to MOST; 0: by single tokens. How often one ended before it had to */
static uint32_t generate(const struct scene *c, struct iau_session *s, uint32_t to, uint32_t most)
{
	uint32_t stops = 0;

	while (iau_session_length(s) < to) {
		uint32_t from = iau_session_length(s), n = most < to - from ? most : to - from;
		int32_t token = likeliest(c, s);

		if (most ? iau_session_generate(s, token, n) : iau_session_eval(s, &token, 1, NULL, NULL))
			fail_msg("after %u tokens: %s", from, iau_last_error());
		assert_in_range(iau_session_length(s), from + 1, from + (most ? n : 1));
		stops += most && iau_session_length(s) < from + n && n < 32;
	}
	return stops;
}

/* Two sequences are the same, and so is what comes after them. */
static void check_same(const struct scene *c, struct iau_session *a, struct iau_session *b)
{
	uint32_t n = iau_session_length(a);

	assert_int_equal(iau_session_length(b), n);
	assert_memory_equal(iau_session_tokens(a), iau_session_tokens(b), n * sizeof(int32_t));
	scene_same(c, a, b);
	generate(c, a, n + 1, 0);
	generate(c, b, n + 1, 0);
	scene_same(c, a, b);
}

struct way {
	const char *model;
	uint32_t from, to, most; /* with BITS after a slab */
	uint32_t bits; /* of keys and of values */
	struct iau_attention how;
};

static void check_way(const char *engine, const struct way *w)
{
	struct iau_session *s[2];
	struct scene c;
	uint32_t slab;

	scene_open_with(&c, engine, w->model);
	if (w->bits)
		assert_int_equal(iau_model_kv_precision(c.model, w->bits, w->bits, RECENT), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(iau_session_create(c.model, &s[i]), 0);
		assert_int_equal(iau_session_attention(s[i], &w->how), 0);
		slab = w->bits ? s[i]->cfg.kv.slab_blocks * 32 : 0;
		scene_eval(&c, s[i], 0, slab + w->from);
		generate(&c, s[i], slab + w->to, i ? w->most : 0);
	}
	check_same(&c, s[0], s[1]);
	iau_session_free(s[0]);
	iau_session_free(s[1]);
	scene_close(&c);
}

/* Over the ends of blocks, of a chunk of attention, and of a slab */
static void as_one_by_one(const char *engine)
{
	check_way(engine, &(struct way){ SCENE_MODEL, .from = 30, .to = 200, .most = 200 });
	check_way(engine, &(struct way){ SCENE_MODEL, .from = 225, .to = 292, .most = 100 });
	check_way(engine, &(struct way){ SCENE_MODEL, .from = 250, .to = 292, .most = 7 });
}

static void with_a_choice_of_blocks(const char *engine)
{
	struct iau_attention how = { .budget = 512, .prompt_budget = 512, .sink = 32 };

	check_way(engine, &(struct way){ SCENE_MODEL, .from = 570, .to = 620, .most = 32, .how = how });
	how.block = 64;
	how.dense_layers = 1;
	check_way(engine, &(struct way){ SCENE_MODEL, .from = 570, .to = 620, .most = 32, .how = how });
}

static void with_packed_slabs(const char *engine)
{
	/* shortly before one gets packed */
	check_way(engine, &(struct way){ SCENE_MODEL, .from = RECENT - 16, .to = RECENT + 30, .most = 100, .bits = 4 });
}

/* Several KV heads; heads of 128, with norms; with biases and RoPE's other order */
static void other_shapes(void **state)
{
	(void)state;
	check_way("ref", &(struct way){ SHAPES "6m.gguf", .from = 5, .to = 40, .most = 32 });
	check_way("ref", &(struct way){ SHAPES "qwen3-0.6b.gguf", .from = 5, .to = 12, .most = 32 });
	check_way("ref", &(struct way){ SHAPES "qwen2-0.5b.gguf", .from = 5, .to = 12, .most = 32 });
}

/* A sequence that shares memory with another, which does not see what was appended */
static void forks_go_their_ways(const char *engine)
{
	struct iau_session *base, *fork, *want;
	struct scene c;

	scene_open(&c, engine);
	assert_int_equal(iau_session_create(c.model, &base), 0);
	scene_eval(&c, base, 0, 40);
	assert_int_equal(iau_session_fork(base, 37, &fork), 0);
	scene_eval(&c, fork, 0, 38);
	generate(&c, fork, 70, 32);
	generate(&c, base, 70, 32);
	assert_int_equal(iau_session_create(c.model, &want), 0);
	scene_eval(&c, want, 0, 40);
	generate(&c, want, 70, 0);
	check_same(&c, base, want);
	iau_session_free(base);
	iau_session_free(fork);
	iau_session_free(want);
	scene_close(&c);
}

/* Keys and values that the device memory does not hold: a job a layer, and token by token */
static void where_keys_are_in_host_memory(const char *engine)
{
	struct iau_attention how = { .budget = 512, .prompt_budget = 512 };
	struct iau_session *s;
	struct iau_kv_usage u;
	struct scene c, d;
	struct iau_session *want;

	scene_open(&c, engine);
	scene_open(&d, engine);
	assert_int_equal(iau_session_create(c.model, &want), 0);
	assert_int_equal(iau_session_attention(want, &how), 0);
	scene_eval(&c, want, 0, 900);
	iau_model_kv_usage(c.model, &u);
	assert_int_equal(iau_model_kv_budget(d.model, u.device * 8 / 10), 0);
	assert_int_equal(iau_session_create(d.model, &s), 0);
	assert_int_equal(iau_session_attention(s, &how), 0);
	scene_eval(&d, s, 0, 900);
	generate(&c, want, 904, 32);
	generate(&d, s, 904, 32);
	iau_model_kv_usage(d.model, &u);
	assert_true(u.pages_demoted);
	scene_same(&c, want, s);
	iau_session_free(want);
	iau_session_free(s);
	scene_close(&c);
	scene_close(&d);
}

/* A budget that has no room for all tokens that could go ahead: they go one by one, as far as they fit. */
static void to_the_end_of_the_budget(const char *engine)
{
	struct iau_session *s, *want;
	struct iau_kv_usage u;
	struct scene c;

	scene_open(&c, engine);
	assert_int_equal(iau_session_create(c.model, &s), 0);
	scene_eval(&c, s, 0, 100);
	iau_model_kv_usage(c.model, &u);
	assert_int_equal(iau_model_kv_budget(c.model, u.device), 0);
	generate(&c, s, 128, 100);
	assert_int_equal(iau_session_generate(s, likeliest(&c, s), 100), -ENOSPC);
	assert_int_equal(iau_session_length(s), 128);
	assert_int_equal(iau_model_kv_budget(c.model, 0), 0);
	assert_int_equal(iau_session_create(c.model, &want), 0);
	scene_eval(&c, want, 0, 100);
	generate(&c, want, 128, 0);
	check_same(&c, s, want);
	iau_session_free(s);
	iau_session_free(want);
	scene_close(&c);
}

/* A model so wide that the scratchpad has no room for registers of steps */
static void without_room(void **state)
{
	struct iau_session *s, *want;
	struct scene c;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &s), 0);
	assert_int_equal(iau_session_create(c.model, &want), 0);
	scene_eval(&c, s, 0, 4);
	scene_eval(&c, want, 0, 4);
	/* the graph of a single token is there */
	generate(&c, s, 5, 0);
	s->cfg.vsp_bytes = 8192;
	for (uint32_t n = 6; n < 8; n++) {
		assert_int_equal(iau_session_generate(s, likeliest(&c, s), 32), 0);
		assert_int_equal(iau_session_length(s), n);
	}
	generate(&c, want, 7, 0);
	s->cfg.vsp_bytes = want->cfg.vsp_bytes;
	check_same(&c, s, want);
	iau_session_free(s);
	iau_session_free(want);
	scene_close(&c);
}

/* A sequence with the first word of a story that the model tells to its end */
static struct iau_session *begin_story(const struct scene *c)
{
	struct iau_session *s;
	int32_t *prompt;
	size_t n;

	assert_int_equal(iau_tokenizer_encode(iau_model_tokenizer(c->model), "Once", 4, IAU_ENCODE_ADD_SPECIAL, &prompt,
					      &n), 0);
	assert_int_equal(iau_session_create(c->model, &s), 0);
	assert_int_equal(iau_session_eval(s, prompt, n, NULL, NULL), 0);
	free(prompt);
	return s;
}

/* A text that comes to its end: the token that ends it is left to the caller, wherever in a block it is. */
static void text_ends(const char *engine)
{
	const struct iau_tokenizer *tok;
	struct iau_session *s, *want;
	struct scene c;
	uint32_t end;

	scene_open(&c, engine);
	tok = iau_model_tokenizer(c.model);
	want = begin_story(&c);
	while (!iau_tokenizer_is_eog(tok, likeliest(&c, want)))
		generate(&c, want, iau_session_length(want) + 1, 0);
	end = iau_session_length(want);
	assert_int_not_equal(end % 32, 0);
	s = begin_story(&c);
	/* it ends before the block does, and nowhere before that */
	assert_int_equal(generate(&c, s, end + 31, 31), 1);
	iau_session_truncate(s, end - 1);
	assert_int_equal(iau_session_generate(s, iau_session_tokens(want)[end - 1], 31), 0);
	check_same(&c, want, s);
	iau_session_free(s);
	iau_session_free(want);
	scene_close(&c);
}

/* A call is a job; with sparse attention it goes to the end of a block at most. */
static void test_jobs(void **state)
{
	static const struct { uint32_t from, n, to, jobs; } want[] = {
		{ 2, 10, 12, 1 }, { 12, 70, 82, 1 }, { 82, 1, 83, 1 },
		/* ... with bounds of three blocks */
		{ 83, 200, 96, 1 + 3 }, { 96, 1, 97, 1 },
	};
	struct iau_attention how = { .budget = 512 };
	struct iau_session *s;
	struct scene c;

	(void)state;
	scene_open(&c, "ref");
	s = begin_story(&c);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		uint64_t jobs = iau_device_counter(c.dev, IAU_CNT_JOBS);

		if (i == 3)
			assert_int_equal(iau_session_attention(s, &how), 0);
		assert_int_equal(iau_session_length(s), want[i].from);
		assert_int_equal(iau_session_generate(s, likeliest(&c, s), want[i].n), 0);
		assert_int_equal(iau_session_length(s), want[i].to);
		assert_int_equal(iau_device_counter(c.dev, IAU_CNT_JOBS) - jobs, want[i].jobs);
	}
	iau_session_free(s);
	scene_close(&c);
}

/* The shipped model with other BYTES of a tensor, STEP apart, from AT to TO */
struct change {
	const char *name;
	const void *bytes;
	size_t n, at, to, step;
};

static void write_model(const char *path, const struct change *change)
{
	const struct iau_tensor *t;
	struct iau_gguf *gguf;
	FILE *f = fopen(SCENE_MODEL, "rb");
	size_t size;
	char *data;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = (size_t)ftell(f);
	rewind(f);
	data = malloc(size);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, size, f), size);
	fclose(f);
	assert_int_equal(iau_gguf_open_memory(data, size, &gguf), 0);
	assert_int_equal(iau_gguf_tensor(gguf, change->name, &t), 0);
	assert_in_range(change->to, change->at + 1, t->bytes);
	for (size_t i = change->at; i < change->to; i += change->step)
		memcpy(data + ((const char *)t->data - data) + i, change->bytes, change->n);
	iau_gguf_close(gguf);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	free(data);
}

/* One token, and up to 31 after it, with such a model; a logit after the last one, which is CHOSEN */
static uint32_t generate_with(const char *engine, const struct change *change, uint32_t token, float *logit,
			      int32_t *chosen)
{
	struct iau_session *s;
	struct scene c;
	char path[64];
	uint32_t n;

	snprintf(path, sizeof(path), "/tmp/iau-generate.%d.gguf", (int)getpid());
	write_model(path, change);
	scene_open_with(&c, engine, path);
	unlink(path);
	assert_int_equal(iau_session_create(c.model, &s), 0);
	assert_int_equal(iau_session_generate(s, 5, 32), 0);
	n = iau_session_length(s);
	*logit = iau_session_logits(s)[token];
	*chosen = iau_session_tokens(s)[n - 1];
	iau_session_free(s);
	scene_close(&c);
	return n;
}

/* Equal logits: the first token, in all slices */
static void equal_logits(const char *engine)
{
	struct change norm = { "output_norm.weight", &(float){ 0 }, 4, 0, 128 * 4, 4 };
	int32_t chosen;
	float logit;

	assert_int_equal(generate_with(engine, &norm, 1000, &logit, &chosen), 32);
	assert_true(logit == 0);
	assert_int_equal(chosen, 0);
}

/* Without end, or no number, of a token of the last slice: the caller decides. */
static void logits_that_are_not_finite(const char *engine)
{
	static const uint16_t scale[] = { 0x7c00, 0xfc00, 0x7e00 };
	int32_t chosen;
	float logit;

	for (int i = 0; i < 3; i++) {
		/* of one block of its row of Q8_0 blocks, 34 bytes each */
		size_t row = 1000 * (128 / 32 * 34);
		struct change embd = { "token_embd.weight", &scale[i], 2, row, row + 1, 1 };

		assert_int_equal(generate_with(engine, &embd, 1000, &logit, &chosen), 1);
		assert_false(isfinite(logit));
	}
}

static void wrong_arguments(const char *engine)
{
	struct iau_session *s;
	struct scene c;

	c.dev = device_open(engine);
	assert_int_equal(iau_model_load(c.dev, SCENE_MODEL, 70, &c.model), 0);
	iau_model_info(c.model, &c.info);
	assert_int_equal(iau_session_create(c.model, &s), 0);
	assert_int_equal(iau_session_generate(s, 5, 0), -EINVAL);
	assert_int_equal(iau_session_generate(s, -1, 4), -EINVAL);
	assert_int_equal(iau_session_generate(s, (int32_t)c.info.n_vocab, 4), -EINVAL);
	assert_int_equal(iau_session_length(s), 0);
	assert_int_equal(iau_session_generate(s, 5, 1), 0);
	generate(&c, s, 67, 32);
	/* the context ends in a block */
	while (iau_session_length(s) < 70)
		assert_int_equal(iau_session_generate(s, likeliest(&c, s), 32), 0);
	assert_int_equal(iau_session_generate(s, 5, 1), -ENOSPC);
	assert_int_equal(iau_session_length(s), 70);
	iau_session_free(s);
	scene_close(&c);
}

ENGINES(as_one_by_one)
ENGINES(with_a_choice_of_blocks)
ENGINES(with_packed_slabs)
ENGINES(forks_go_their_ways)
ENGINES(where_keys_are_in_host_memory)
ENGINES(to_the_end_of_the_budget)
ENGINES(text_ends)
ENGINES(equal_logits)
ENGINES(logits_that_are_not_finite)
ENGINES(wrong_arguments)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(as_one_by_one), ON_ENGINES(with_a_choice_of_blocks), ON_ENGINES(with_packed_slabs),
		cmocka_unit_test(other_shapes), ON_ENGINES(forks_go_their_ways),
		ON_ENGINES(where_keys_are_in_host_memory), ON_ENGINES(text_ends), cmocka_unit_test(test_jobs),
		ON_ENGINES(to_the_end_of_the_budget), cmocka_unit_test(without_room),
		ON_ENGINES(equal_logits), ON_ENGINES(logits_that_are_not_finite), ON_ENGINES(wrong_arguments),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
