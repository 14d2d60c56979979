/* SPDX-License-Identifier: MIT */
/*
 * A KV cache from 0 to 2,048 tokens and back. On a card (IAU_NODE) the memory that the kernel charges
 * must be what the tokens need, to a page a layer, at every length. That nothing is copied shows in the
 * device's counter: what is stored is the keys and values of each token once, and logits.
 */
#include "devices.h"
#include "iau/model.h"
#include "iau_hw.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define MODEL "models/iau-ci/iau-ci-q4_0.gguf"
#define TOKENS 2048u
#define PAGE 4096u

struct scene {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_session *s;
	struct iau_model_info info;
	int32_t token[TOKENS];
};

static void scene_open(struct scene *c, const char *engine)
{
	c->dev = device_open(engine);
	assert_int_equal(iau_model_load(c->dev, MODEL, 0, &c->model), 0);
	iau_model_info(c->model, &c->info);
	assert_int_equal(iau_session_create(c->model, &c->s), 0);
	for (uint32_t i = 0; i < TOKENS; i++)
		c->token[i] = (int32_t)(i * 7919 % c->info.n_vocab);
}

static void scene_close(struct scene *c)
{
	iau_session_free(c->s);
	iau_model_free(c->model);
	iau_device_close(c->dev);
}

static void eval(struct scene *c, uint32_t to)
{
	uint32_t from = iau_session_length(c->s);

	assert_int_equal(iau_session_eval(c->s, c->token + from, to - from, NULL, NULL), 0);
}

/* Of this process, as its files say; 0 without a card */
static uint64_t charged_bytes(void)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	unsigned long long kib = 0;
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) && !kib) {
		char path[300], line[200];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "iau-charged: %llu", &kib);
		if (f)
			fclose(f);
	}
	closedir(dir);
	return kib * 1024;
}

/* Bytes of the blocks of 32 that hold N tokens */
static uint64_t need(const struct scene *c, uint32_t n)
{
	return (uint64_t)(n + 31) / 32 * 32 * c->info.kv_bytes;
}

static void check_memory(const struct scene *c, uint64_t base)
{
	uint64_t kv = charged_bytes() - base, least = need(c, iau_session_length(c->s));

	if (!getenv("IAU_NODE"))
		return;
	if (kv < least || kv - least >= (uint64_t)c->info.n_layer * PAGE)
		fail_msg("%u tokens: %llu bytes are committed, %llu needed", iau_session_length(c->s),
			 (unsigned long long)kv, (unsigned long long)least);
}

static void memory_follows_the_tokens(const char *engine)
{
	struct scene c;
	uint64_t base, stored;

	scene_open(&c, engine);
	/* all kinds of graphs are built before anything is counted */
	eval(&c, 32);
	eval(&c, 96);
	eval(&c, 97);
	assert_int_equal(iau_session_truncate(c.s, 0), 0);
	base = charged_bytes();
	assert_true(!getenv("IAU_NODE") || base);
	stored = iau_device_counter(c.dev, IAU_CNT_STORE_BYTES);
	for (uint32_t n = 32; n <= TOKENS; n += 32) {
		/* the last token alone, with its logits */
		eval(&c, n);
		check_memory(&c, base);
	}
	/* once more the rows beside each last token, whose places are filled again */
	stored = iau_device_counter(c.dev, IAU_CNT_STORE_BYTES) - stored;
	assert_true(stored <= TOKENS * c.info.kv_bytes + TOKENS / 32 * (c.info.n_vocab * 4 + 32 * c.info.kv_bytes));
	for (uint32_t n = TOKENS; n; n = n > 300 ? n - 300 : 0) {
		assert_int_equal(iau_session_truncate(c.s, n), 0);
		check_memory(&c, base);
	}
	scene_close(&c);
}

/* What is forgotten and told again is as if it had been told once. */
static void shrinking_and_growing_again(const char *engine)
{
	struct scene c;
	float *want;
	size_t bytes;

	scene_open(&c, engine);
	bytes = c.info.n_vocab * sizeof(*want);
	want = malloc(bytes);
	assert_non_null(want);
	eval(&c, 333);
	memcpy(want, iau_session_logits(c.s), bytes);
	for (uint32_t n = 0; n < 333; n += 83) {
		assert_int_equal(iau_session_truncate(c.s, n), 0);
		eval(&c, 333);
		assert_memory_equal(want, iau_session_logits(c.s), bytes);
	}
	free(want);
	scene_close(&c);
}

static void memory_follows_on_ref(void **state)
{
	(void)state;
	memory_follows_the_tokens("ref");
}

ENGINES(shrinking_and_growing_again)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_follows_on_ref), ON_ENGINES(shrinking_and_growing_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv growth", tests, NULL, NULL);
}
