/* SPDX-License-Identifier: MIT */
/* A shipped model on a device, with tokens enough for every test. */
#ifndef TESTS_LIBIAU_SCENE_H
#define TESTS_LIBIAU_SCENE_H

#include "devices.h"
#include "iau/model.h"

#include <string.h>

#define SCENE_MODEL "models/iau-ci/iau-ci-q4_0.gguf"
#define SCENE_TOKENS 2048u

struct scene {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_model_info info;
	int32_t token[SCENE_TOKENS];
};

static inline void scene_open_with(struct scene *c, const char *engine, const char *model)
{
	c->dev = device_open(engine);
	assert_int_equal(iau_model_load(c->dev, model, 0, &c->model), 0);
	iau_model_info(c->model, &c->info);
	for (uint32_t i = 0; i < SCENE_TOKENS; i++)
		c->token[i] = (int32_t)(i * 7919 % c->info.n_vocab);
}

static inline void scene_open(struct scene *c, const char *engine)
{
	scene_open_with(c, engine, SCENE_MODEL);
}

static inline void scene_close(struct scene *c)
{
	iau_model_free(c->model);
	iau_device_close(c->dev);
}

/* Sequence S goes on to TO tokens, those of the scene from OFFSET on. */
static inline void scene_eval(const struct scene *c, struct iau_session *s, uint32_t offset, uint32_t to)
{
	uint32_t from = iau_session_length(s);

	if (iau_session_eval(s, c->token + offset + from, to - from, NULL, NULL))
		fail_msg("%u to %u: %s", from, to, iau_last_error());
}

/* Logits after tokens of the scene: the first SAME of them, then those from OFFSET on; the caller frees. */
static inline float *scene_want(const struct scene *c, uint32_t same, uint32_t offset, uint32_t to)
{
	size_t bytes = c->info.n_vocab * sizeof(float);
	float *want = malloc(bytes);
	struct iau_session *s;

	assert_non_null(want);
	assert_int_equal(iau_session_create(c->model, &s), 0);
	scene_eval(c, s, 0, same);
	scene_eval(c, s, offset, to);
	memcpy(want, iau_session_logits(s), bytes);
	iau_session_free(s);
	return want;
}

/* Two sequences of the scene's model have the same logits. */
static inline void scene_same(const struct scene *c, const struct iau_session *a, const struct iau_session *b)
{
	assert_memory_equal(iau_session_logits(a), iau_session_logits(b), c->info.n_vocab * sizeof(float));
}

static inline void scene_check(const struct scene *c, const struct iau_session *s, float *want)
{
	assert_memory_equal(iau_session_logits(s), want, c->info.n_vocab * sizeof(float));
	free(want);
}

#endif
