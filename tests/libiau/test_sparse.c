/* SPDX-License-Identifier: MIT */
/*
 * Attention to a choice of blocks: what it gives when it chooses all, that both engines choose alike, and
 * that a sequence which shrinks and grows again chooses as one that never did.
 */
#include "devices.h"
#include "iau/model.h"
#include "keys.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MODEL "models/iau-ci/iau-ci-q4_0.gguf"
#define SHAPES "build/tests/libiau/" /* random weights: tests/libiau/module.mk */
#define CTX 3072u

/* 512 tokens: one chunk of 8 blocks beside the newest; with heads of 128, one of 4 of 256 */
static const struct iau_attention least = { .budget = 512, .sink = 32, .recent = 32 };

struct scene {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_model_info info;
	struct iau_session *s;
	bool other; /* another text at the start */
};

#define START 400u

/* With keys of 4 bits they are rotated; none gets old enough to lose any of 8. */
static void scene_open_kv(struct scene *c, const char *engine, const char *model, uint32_t n_ctx, uint32_t key_bits)
{
	c->other = false;
	c->dev = device_open(engine);
	assert_int_equal(iau_model_load(c->dev, model, n_ctx, &c->model), 0);
	assert_int_equal(iau_model_kv_precision(c->model, key_bits, 8, CTX), 0);
	iau_model_info(c->model, &c->info);
	assert_int_equal(iau_session_create(c->model, &c->s), 0);
}

static void scene_open(struct scene *c, const char *engine, const char *model, uint32_t n_ctx)
{
	scene_open_kv(c, engine, model, n_ctx, 8);
}

static void scene_close(struct scene *c)
{
	iau_session_free(c->s);
	iau_model_free(c->model);
	iau_device_close(c->dev);
}

static void attend(struct scene *c, struct iau_attention a)
{
	if (iau_session_attention(c->s, &a))
		fail_msg("%s", iau_last_error());
}

/* Appends tokens until there are N; many at a time, or one by one. */
static void extend(struct scene *c, uint32_t n, bool singly)
{
	int32_t tokens[CTX];
	uint32_t from = iau_session_length(c->s);

	for (uint32_t i = from; i < n; i++)
		tokens[i] = (int32_t)((i * i * 31 + i * 7919 + (c->other && i < START ? 5 : 17)) % c->info.n_vocab);
	if (!singly)
		assert_int_equal(iau_session_eval(c->s, tokens + from, n - from, NULL, NULL), 0);
	for (uint32_t i = from; i < n && singly; i++)
		assert_int_equal(iau_session_eval(c->s, tokens + i, 1, NULL, NULL), 0);
}

static float *logits(struct scene *c)
{
	float *copy = malloc(c->info.n_vocab * sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, iau_session_logits(c->s), c->info.n_vocab * sizeof(*copy));
	return copy;
}

static bool equal(const struct scene *c, const float *a, const float *b)
{
	return !memcmp(a, b, c->info.n_vocab * sizeof(*a));
}

/* After N tokens, of which the last LAST one by one, or many at a time if they are none */
static float *after(struct scene *c, struct iau_attention a, uint32_t n, uint32_t last)
{
	struct iau_attention prompt = a;

	prompt.budget = 0;
	assert_int_equal(iau_session_truncate(c->s, 0), 0);
	attend(c, prompt);
	extend(c, last ? n - last : 32, false);
	attend(c, a);
	extend(c, n, last != 0);
	return logits(c);
}

/* 9 to 16 blocks are one chunk and the newest: all of it is chosen, by the commands that choose. */
static void covered(const char *engine)
{
	struct scene c;

	scene_open(&c, engine, MODEL, CTX);
	for (uint32_t last = 0; last < 4; last += 3) {
		struct iau_attention a = least;
		float *dense, *sparse;

		a.prompt_budget = a.budget;
		dense = after(&c, (struct iau_attention){ 0 }, 480, last);
		for (a.block = 16; a.block <= 64; a.block *= 2) {
			sparse = after(&c, a, 480, last);
			assert_true(equal(&c, dense, sparse));
			free(sparse);
		}
		free(dense);
	}
	scene_close(&c);
}

/* ... and two of them are not. Unless every layer does without, which is dense again. */
static void chosen(const char *engine)
{
	struct iau_attention all_dense = least;
	float *dense, *sparse, *without;
	struct scene c;

	scene_open(&c, engine, MODEL, CTX);
	all_dense.dense_layers = 100;
	dense = after(&c, (struct iau_attention){ 0 }, 1000, 3);
	sparse = after(&c, least, 1000, 3);
	without = after(&c, all_dense, 1000, 3);
	assert_false(equal(&c, dense, sparse));
	assert_true(equal(&c, dense, without));
	free(dense);
	free(sparse);
	free(without);
	scene_close(&c);
}

static float *budget_of(struct scene *c, uint32_t budget, uint32_t dense_layers)
{
	struct iau_attention a = { .budget = budget, .dense_layers = dense_layers };

	return after(c, a, 1000, 3);
}

/* A budget between two chunks and three: two in the first of four layers, three in the last. */
static void mean(const char *engine)
{
	struct scene c;

	scene_open(&c, engine, MODEL, CTX);
	for (uint32_t dense = 0; dense < 3; dense += 2) {
		float *two = budget_of(&c, 512, dense), *between = budget_of(&c, 640, dense);
		float *three = budget_of(&c, 768, dense);

		assert_false(equal(&c, two, between));
		assert_int_equal(equal(&c, three, between), dense == 2);
		free(two);
		free(between);
		free(three);
	}
	scene_close(&c);
}

/* In a window of 512 tokens, which is what 700 come to, the four layers see no further than 2,176, whatever is there. */
static void test_window(void **state)
{
	struct iau_attention a = { .budget = 700, .prompt_budget = 512, .recent = 700 };
	float *one, *other;
	struct scene c;

	(void)state;
	scene_open(&c, "ref", MODEL, CTX);
	for (int choice = 0; choice < 2; choice++) {
		a.recent = choice ? 32 : 700;
		c.other = false;
		one = after(&c, a, START + 2240, 5);
		c.other = true;
		other = after(&c, a, START + 2240, 5);
		assert_int_equal(equal(&c, one, other), !choice);
		free(one);
		free(other);
	}
	scene_close(&c);
}

/* Forgotten tokens leave no bounds behind: of the block in which the sequence ends, too. */
static void shrinks(const char *engine)
{
	float *fresh, *again;
	struct scene c;

	scene_open(&c, engine, MODEL, CTX);
	fresh = after(&c, least, 800, 8);
	extend(&c, 1000, false);
	assert_int_equal(iau_session_truncate(c.s, 499), 0);
	attend(&c, (struct iau_attention){ 0 });
	extend(&c, 792, false);
	attend(&c, least);
	extend(&c, 800, true);
	again = logits(&c);
	assert_true(equal(&c, fresh, again));
	free(fresh);
	free(again);
	scene_close(&c);
}

/* Junk behind the last token in its block, where keys and values of the next ones will be */
static void spoil(const struct scene *c)
{
	const struct iau_kv_layout *kv = &c->s->cfg.kv;
	uint32_t n = iau_session_length(c->s), from = n % 32, tiles = kv->kscale_at / 1024;
	float scale = 1000;

	for (uint32_t l = 0; l < c->info.n_layer; l++) {
		uint8_t *block = block_at(c->s, l, n / 32);

		for (uint32_t i = 0; i < tiles; i++)
			memset(block + i * 1024 + from * 32, 127, (32 - from) * 32);
		for (uint32_t i = 0; i < (kv->vscale_at - kv->kscale_at) / 64; i++)
			memset(block + kv->kscale_at + i * 64 + from * 2, 0x50, (32 - from) * 2);
		for (uint32_t r = from; r < 32; r++)
			memcpy(block + kv->vscale_at + r * 4, &scale, sizeof(scale));
	}
}

/* N tokens are a graph of more rows, which all choose together: what lay where those behind the tokens are has no say. */
static void behind(const char *engine)
{
	static const uint32_t n[] = { 3, 12, 20 };
	struct iau_attention a = least;
	struct scene c;

	a.prompt_budget = a.budget;
	scene_open(&c, engine, MODEL, CTX);
	for (size_t i = 0; i < sizeof(n) / sizeof(*n); i++) {
		float *got[2];

		for (uint32_t k = 0; k < 2; k++) {
			assert_int_equal(iau_session_truncate(c.s, 0), 0);
			attend(&c, a);
			extend(&c, 805, false);
			if (k)
				spoil(&c);
			extend(&c, 805 + n[i], false);
			got[k] = logits(&c);
		}
		if (!equal(&c, got[0], got[1]))
			fail_msg("%u tokens", n[i]);
		free(got[0]);
		free(got[1]);
	}
	scene_close(&c);
}

ENGINES(behind)
ENGINES(covered)
ENGINES(chosen)
ENGINES(mean)
ENGINES(shrinks)

/* Several KV heads, wide heads, more than one turn over the bounds, prompts and single tokens */
static void same_on_engines(const char *model, uint32_t n, struct iau_attention a, uint32_t last)
{
	float *got[2];
	struct scene c;

	for (int i = 0; i < 2; i++) {
		scene_open(&c, i ? "rtl" : "ref", model, CTX);
		got[i] = after(&c, a, n, last);
		if (i)
			assert_true(equal(&c, got[0], got[1]));
		scene_close(&c);
	}
	free(got[0]);
	free(got[1]);
}

static void test_engines(void **state)
{
	struct iau_attention a = { .budget = 580, .prompt_budget = 900, .recent = 160, .sink = 64 };

	(void)state;
	same_on_engines(MODEL, 2400, a, 6);
	a.dense_layers = 1;
	same_on_engines(MODEL, 900, a, 0);
	same_on_engines(SHAPES "6m.gguf", 700, a, 0);
	same_on_engines(SHAPES "6m.gguf", 700, least, 3);
	same_on_engines(SHAPES "qwen3-0.6b.gguf", 300, (struct iau_attention){ .budget = 256 }, 1);
	a.dense_layers = 0;
	a.block = 64;
	same_on_engines(MODEL, 1200, a, 3);
	a.block = 16;
	same_on_engines(MODEL, 1200, a, 3);
	same_on_engines(SHAPES "6m.gguf", 700, a, 0);
	same_on_engines(SHAPES "qwen3-0.6b.gguf", 300, (struct iau_attention){ .budget = 256, .block = 16 }, 1);
}

/* With 10,240 tokens of context a choice for 32 rows needs more scratchpad than there is: prompts go by 16. */
static void test_wide(void **state)
{
	struct iau_attention a = { .budget = 512, .prompt_budget = 512 };
	float *got[2];
	struct scene c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		scene_open(&c, i ? "rtl" : "ref", SHAPES "14m.gguf", 0);
		got[i] = after(&c, a, 600, 0);
		assert_int_equal(c.s->rows[0], 32);
		assert_int_equal(c.s->rows[1], 16);
		if (i)
			assert_true(equal(&c, got[0], got[1]));
		scene_close(&c);
	}
	free(got[0]);
	free(got[1]);
}

/* Every key of a block, or of its half PART, between its bounds */
static void check_block(const struct iau_session *s, uint32_t l, uint32_t head, uint32_t block, uint32_t part)
{
	const struct iau_bounds_layout *y = &s->cfg.bounds;
	const uint8_t *group = (const uint8_t *)s->bounds.ptr + block / 32 * y->group_bytes +
			       l * y->layer_bytes;
	uint32_t hd = s->model->hp.head_dim, tokens = 32 / y->per_block;
	const int8_t *tile = (const int8_t *)group + head * y->head_bytes + part * hd * 64 + block % 32 * 32;
	double keys[32][128];

	for (uint32_t t = 0; t < tokens; t++)
		plain_key(s, l, head, block * 32 + part * tokens + t, keys[t]);
	for (uint32_t ch = 0; ch < hd; ch++) {
		float step = half(group + s->model->hp.n_head_kv * y->head_bytes + head * y->scale_bytes +
				  part * hd * 2 + ch / 32 * 64 + block % 32 * 2);
		float most = (float)tile[ch / 32 * 1024 + ch % 32] * step;
		float least = (float)tile[(hd / 32 + ch / 32) * 1024 + ch % 32] * step;
		float spread = 0;

		for (uint32_t t = 0; t < tokens; t++) {
			float k = (float)keys[t][ch];

			assert_true(k < most && k > least);
			spread = fmaxf(spread, fmaxf(k - least, most - k));
		}
		/* and they are near */
		assert_true(most - least < spread + 3 * step);
	}
}

static void check_bounds(const char *engine, const char *model, uint32_t n, uint32_t block_tokens, uint32_t key_bits)
{
	struct iau_attention a = least;
	struct scene c;

	a.block = block_tokens;
	scene_open_kv(&c, engine, model, CTX, key_bits);
	free(after(&c, a, n, 1));
	assert_int_equal(c.s->bounds_blocks, n / 32);
	assert_int_equal(c.s->cfg.bounds.per_block, block_tokens == 16 ? 2 : 1);
	for (uint32_t l = 0; l < c.info.n_layer; l++)
		for (uint32_t head = 0; head < c.s->model->hp.n_head_kv; head++)
			for (uint32_t i = 0; i < n / 32 * c.s->cfg.bounds.per_block; i++)
				check_block(c.s, l, head, i / c.s->cfg.bounds.per_block, i % c.s->cfg.bounds.per_block);
	scene_close(&c);
}

static void test_bounds(void **state)
{
	(void)state;
	/* of 4 bits: bounds of what keys were before they were rotated */
	for (uint32_t key_bits = 4; key_bits <= 8; key_bits += 4) {
		check_bounds("ref", MODEL, 1200, 0, key_bits);
		check_bounds("rtl", MODEL, 100, 64, key_bits);
		check_bounds("ref", SHAPES "6m.gguf", 200, 32, key_bits);
		check_bounds("ref", SHAPES "qwen3-0.6b.gguf", 70, 0, key_bits);
		check_bounds("ref", MODEL, 1200, 16, key_bits);
		check_bounds("rtl", MODEL, 100, 16, key_bits);
		check_bounds("ref", SHAPES "6m.gguf", 200, 16, key_bits);
		check_bounds("ref", SHAPES "qwen3-0.6b.gguf", 70, 16, key_bits);
	}
}

#define LONG 1250u
#define LONG_BLOCKS (LONG / 32 + 1)

/*
 * Full blocks that the last of LONG tokens attends to in the last layer: of iau-ci, which has one KV head, it is
 * those without whose values it has other logits.
 */
static void attended(struct scene *c, uint32_t block_tokens, bool in[LONG_BLOCKS])
{
	struct iau_attention a = { .budget = 768, .block = block_tokens };
	const struct iau_kv_layout *kv = &c->s->cfg.kv;
	float *want = after(c, a, LONG, 1);

	for (uint32_t block = 0; block < LONG / 32; block++) {
		uint8_t *values = block_at(c->s, c->info.n_layer - 1, block) + kv->key_bytes;
		uint32_t n = kv->head_bytes - kv->key_bytes;

		for (int turn = 0; turn < 2; turn++) {
			for (uint32_t i = 0; i < n; i++)
				values[i] ^= 0x40;
			if (turn)
				break;
			assert_int_equal(iau_session_truncate(c->s, LONG - 1), 0);
			extend(c, LONG, true);
			in[block] = !equal(c, want, iau_session_logits(c->s));
		}
	}
	free(want);
}

/*
 * 768 tokens: 16 blocks of the 32 in full chunks, and the newest 7 full ones. Of 64 tokens they are pairs; by
 * halves they are not quite the same as by blocks, but mostly.
 */
static void test_block_sizes(void **state)
{
	bool in[3][LONG_BLOCKS] = { { false } };
	uint32_t n[3] = { 0 }, apart = 0, common = 0;
	struct scene c;

	(void)state;
	scene_open(&c, "ref", MODEL, CTX);
	assert_int_equal(c.s->model->hp.n_head_kv, 1);
	for (uint32_t k = 0; k < 3; k++) {
		attended(&c, 16u << k, in[k]);
		for (uint32_t i = 0; i < LONG / 32; i++)
			n[k] += in[k][i];
		assert_int_equal(n[k], 16 + LONG / 32 - 32);
	}
	for (uint32_t i = 0; i < 32; i += 2) {
		apart += in[1][i] != in[1][i + 1];
		assert_int_equal(in[2][i], in[2][i + 1]);
	}
	for (uint32_t i = 0; i < 32; i++)
		common += in[0][i] && in[1][i];
	print_message("# %u of 16 pairs are torn by blocks of 32; %u of 16 blocks are chosen by halves, too\n", apart, common);
	assert_true(apart > 0 && common > 10 && common < 16);
	scene_close(&c);
}

/* Whatever they were before, blocks are those that were asked for last; a fork has its parent's. */
static void test_block_size_changes(void **state)
{
	static const uint32_t sizes[] = { 64, 16, 32, 16, 64, 32 };
	struct iau_attention a = least;
	struct iau_session *parent;
	struct scene c;
	float *want[3];

	(void)state;
	for (uint32_t k = 0; k < 3; k++) {
		a.block = 16u << k;
		scene_open(&c, "ref", MODEL, CTX);
		want[k] = after(&c, a, 1101, 1);
		scene_close(&c);
	}
	assert_false(equal(&c, want[0], want[1]));
	assert_false(equal(&c, want[1], want[2]));
	scene_open(&c, "ref", MODEL, CTX);
	extend(&c, 1100, false);
	for (uint32_t i = 0; i < 6; i++) {
		a.block = sizes[i];
		assert_int_equal(iau_session_truncate(c.s, 1100), 0);
		attend(&c, a);
		extend(&c, 1101, true);
		assert_true(equal(&c, want[__builtin_ctz(sizes[i] / 16)], iau_session_logits(c.s)));
		parent = c.s;
		assert_int_equal(iau_session_fork(parent, 1100, &c.s), 0);
		extend(&c, 1101, true);
		assert_true(equal(&c, want[__builtin_ctz(sizes[i] / 16)], iau_session_logits(c.s)));
		iau_session_free(c.s);
		c.s = parent;
	}
	for (uint32_t k = 0; k < 3; k++)
		free(want[k]);
	scene_close(&c);
}

static void test_errors(void **state)
{
	struct iau_attention a = least;
	struct scene c;

	(void)state;
	scene_open(&c, "ref", MODEL, CTX);
	a.budget = 480;
	assert_int_equal(iau_session_attention(c.s, &a), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "480"));
	a = least;
	a.prompt_budget = 1;
	assert_int_equal(iau_session_attention(c.s, &a), -EINVAL);
	a = least;
	a.sink = 257;
	assert_int_equal(iau_session_attention(c.s, &a), -EINVAL);
	a.sink = UINT32_MAX;
	a.recent = UINT32_MAX;
	assert_int_equal(iau_session_attention(c.s, &a), -EINVAL);
	a.sink = 225;
	assert_int_equal(iau_session_attention(c.s, &a), 0);
	a.block = 48;
	assert_int_equal(iau_session_attention(c.s, &a), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "48"));
	a.block = 0;
	/* what is more than there will ever be is all */
	a.budget = UINT32_MAX;
	assert_int_equal(iau_session_attention(c.s, &a), 0);
	extend(&c, 40, true);
	scene_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(covered), ON_ENGINES(chosen), ON_ENGINES(mean), ON_ENGINES(shrinks), ON_ENGINES(behind),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_engines), cmocka_unit_test(test_wide),
		cmocka_unit_test(test_block_sizes), cmocka_unit_test(test_block_size_changes), cmocka_unit_test(test_errors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
