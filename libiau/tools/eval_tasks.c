/* SPDX-License-Identifier: MIT */
#include "eval_tasks.h"

#include <string.h>

#define BIT(task) (UINT32_C(1) << (task))

const struct eval_task eval_tasks[EVAL_TASKS] = {
	[EVAL_PASSKEY] = { "passkey", "length", true },
	[EVAL_KEYS] = { "keys", "length", true },
	[EVAL_TWO_HOP] = { "two-hop", "length", true },
	[EVAL_TITLES] = { "titles", "length", true },
	[EVAL_RECALL] = { "recall", "pairs", true },
	[EVAL_COPY] = { "copy", "words", false },
	[EVAL_FREQUENCY] = { "frequency", "words", false },
	[EVAL_STORIES] = { "stories", "stories", false },
	[EVAL_ARITHMETIC] = { "arithmetic", "digits", false },
	[EVAL_BRACKETS] = { "brackets", "nesting", false },
	[EVAL_VARIABLES] = { "variables", "copies", false },
	[EVAL_PERPLEXITY] = { "perplexity", "position", false },
};

const struct eval_sort eval_sorts[EVAL_SORTS] = {
	{ "haystack",
	  BIT(EVAL_PASSKEY) | BIT(EVAL_KEYS) | BIT(EVAL_TWO_HOP) | BIT(EVAL_TITLES) |
		  BIT(EVAL_PERPLEXITY),
	  0,
	  { 0 },
	  eval_make_haystack },
	{ "recall", BIT(EVAL_RECALL), 2, { 24, 200 }, eval_make_recall },
	{ "copy", BIT(EVAL_COPY), 4, { 10, 20, 40, 60 }, eval_make_copy },
	{ "frequency", BIT(EVAL_FREQUENCY), 3, { 32, 128, 512 }, eval_make_frequency },
	{ "stories", BIT(EVAL_STORIES), 1, { 1 }, eval_make_story },
	{ "arithmetic", BIT(EVAL_ARITHMETIC), 1, { 1 }, eval_make_arithmetic },
	{ "brackets", BIT(EVAL_BRACKETS), 1, { 1 }, eval_make_brackets },
	{ "variables", BIT(EVAL_VARIABLES), 1, { 1 }, eval_make_variables },
};

/* FNV-1a, of what tells one context from all others */
static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

int eval_make(struct eval_context *c, const struct eval_sort *sort, uint64_t seed, uint32_t tasks,
	      uint32_t size, uint32_t index)
{
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), &seed, sizeof(seed));

	hash = mix(hash, sort->name, strlen(sort->name));
	hash = mix(hash, &size, sizeof(size));
	iau_rng_seed(&c->rng, mix(hash, &index, sizeof(index)));
	c->tasks = tasks;
	c->size = size;
	c->index = index;
	c->text = (struct eval_tokens){ 0 };
	c->question = NULL;
	c->questions = 0;
	c->err = 0;
	eval_append(c, &c->text, &c->marks->bos, 1);
	sort->make(c);
	return c->err;
}

static bool is_new(const struct eval_key *key, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (key[i].colour == key[n].colour && key[i].noun == key[n].noun)
			return false;
	return true;
}

void eval_keys(struct eval_context *c, uint32_t n, struct eval_key *key)
{
	for (uint32_t i = 0; i < n; i++)
		do {
			key[i].colour = c->pool->colours.v[eval_below(&c->rng, c->pool->colours.n)];
			key[i].noun = c->pool->nouns.v[eval_below(&c->rng, c->pool->nouns.n)];
		} while (!is_new(key, i));
}

void eval_digits(struct iau_rng *rng, uint32_t n, char *text)
{
	for (uint32_t i = 0; i < n; i++)
		text[i] = (char)('0' + eval_below(rng, 10));
	text[n] = 0;
}
