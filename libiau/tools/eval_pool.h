/* SPDX-License-Identifier: MIT */
/* The words and stories that tasks are made of: eval.json, which models/make_eval.py writes. */
#ifndef IAU_EVAL_POOL_H
#define IAU_EVAL_POOL_H

#include <jansson.h>
#include <stdint.h>

struct eval_words {
	const char **v;
	uint32_t n;
};

struct eval_story {
	const char *title, *text;
	struct eval_words question, answer; /* as many of both, at least one */
};

struct eval_pool {
	json_t *root; /* owns the text */
	struct eval_words colours, nouns;
	struct eval_story *story;
	uint32_t stories;
	uint32_t brackets, hops; /* deepest that the model was trained on */
	uint32_t two_hop_keys;	 /* at most, in one context; 0: it was not */
};

/* 0; -ENOENT, or -EINVAL and what is wrong with the file. */
int eval_pool_read(const char *path, struct eval_pool *pool);
void eval_pool_free(struct eval_pool *pool);

#endif
