/* SPDX-License-Identifier: MIT */
#include "eval_pool.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Enough for as many different keys as a context holds, and for texts of several words */
#define FEWEST_WORDS 10

static int read_words(const char *path, json_t *list, const char *name, size_t fewest,
		      struct eval_words *out)
{
	size_t i;
	json_t *word;

	if (json_array_size(list) < fewest)
		return iau_error(-EINVAL, "%s: %s: not a list of at least %zu", path, name, fewest);
	out->v = calloc(json_array_size(list), sizeof(*out->v));
	if (!out->v)
		return iau_error_nomem(name);
	json_array_foreach(list, i, word) {
		out->v[i] = json_string_value(word);
		if (!out->v[i])
			return iau_error(-EINVAL, "%s: %s: element %zu is not text", path, name, i);
	}
	out->n = (uint32_t)json_array_size(list);
	return 0;
}

/* A list of pairs of texts */
static int read_questions(json_t *list, struct eval_story *story)
{
	size_t n = json_array_size(list), i;
	json_t *pair;

	if (!n)
		return -EINVAL;
	story->question.v = calloc(n, sizeof(*story->question.v));
	story->answer.v = calloc(n, sizeof(*story->answer.v));
	if (!story->question.v || !story->answer.v)
		return -ENOMEM;
	json_array_foreach(list, i, pair) {
		story->question.v[i] = json_string_value(json_array_get(pair, 0));
		story->answer.v[i] = json_string_value(json_array_get(pair, 1));
		if (!story->question.v[i] || !story->answer.v[i])
			return -EINVAL;
	}
	story->question.n = story->answer.n = (uint32_t)n;
	return 0;
}

static int read_stories(const char *path, json_t *list, struct eval_pool *pool)
{
	size_t i;
	json_t *item;

	if (!json_array_size(list))
		return iau_error(-EINVAL, "%s: stories: not a list of them", path);
	pool->story = calloc(json_array_size(list), sizeof(*pool->story));
	if (!pool->story)
		return iau_error_nomem("stories");
	pool->stories = (uint32_t)json_array_size(list);
	json_array_foreach(list, i, item) {
		struct eval_story *story = &pool->story[i];

		story->title = json_string_value(json_object_get(item, "title"));
		story->text = json_string_value(json_object_get(item, "text"));
		if (!story->title || !story->text ||
		    read_questions(json_object_get(item, "questions"), story))
			return iau_error(-EINVAL, "%s: stories: element %zu is not a title, a "
					 "text and questions with answers", path, i);
	}
	return 0;
}

static int read_limit(const char *path, json_t *root, const char *name, uint32_t fewest,
		      uint32_t most, uint32_t *out)
{
	json_t *v = json_object_get(root, name);

	if (!json_is_integer(v) || json_integer_value(v) < fewest || json_integer_value(v) > most)
		return iau_error(-EINVAL, "%s: %s: not a whole number from %u to %u", path, name,
				 fewest, most);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

static int read_all(const char *path, json_t *root, struct eval_pool *pool)
{
	int err = read_words(path, json_object_get(root, "colours"), "colours", FEWEST_WORDS,
			     &pool->colours);

	if (!err)
		err = read_words(path, json_object_get(root, "nouns"), "nouns", 3 * FEWEST_WORDS,
				 &pool->nouns);
	if (!err)
		err = read_limit(path, root, "brackets", 8, 64, &pool->brackets);
	if (!err)
		err = read_limit(path, root, "hops", 1, 4, &pool->hops);
	if (!err)
		err = read_limit(path, root, "two_hop_keys", 0, 16, &pool->two_hop_keys);
	return err ? err : read_stories(path, json_object_get(root, "stories"), pool);
}

int eval_pool_read(const char *path, struct eval_pool *pool)
{
	json_error_t error;
	int err;

	memset(pool, 0, sizeof(*pool));
	pool->root = json_load_file(path, 0, &error);
	if (!pool->root && json_error_code(&error) == json_error_cannot_open_file)
		return iau_error(-ENOENT,
				 "%s: %s; models/make_eval.py makes one, --pool names another",
				 path, strerror(errno));
	if (!pool->root)
		return iau_error(-EINVAL, "%s: line %d: %s", path, error.line, error.text);
	err = read_all(path, pool->root, pool);
	if (err)
		eval_pool_free(pool);
	return err;
}

void eval_pool_free(struct eval_pool *pool)
{
	for (uint32_t i = 0; i < pool->stories; i++) {
		free(pool->story[i].question.v);
		free(pool->story[i].answer.v);
	}
	free(pool->story);
	free(pool->colours.v);
	free(pool->nouns.v);
	json_decref(pool->root);
	memset(pool, 0, sizeof(*pool));
}
