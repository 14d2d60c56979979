/* SPDX-License-Identifier: MIT */
/* What is asked, and who makes the contexts for it. docs/evaluation.md shows the text of each. */
#ifndef IAU_EVAL_TASKS_H
#define IAU_EVAL_TASKS_H

#include "eval_text.h"

#include <stdbool.h>

struct eval_task {
	const char *name, *by; /* "keys", "length": what struct eval_question.size is of it */
	bool deep;	       /* its questions have a depth */
};

extern const struct eval_task eval_tasks[EVAL_TASKS];

/* Contexts of one kind, about which questions of some tasks are asked */
struct eval_sort {
	const char *name;
	uint32_t tasks; /* a bit each */
	uint32_t sizes; /* 0: the lengths that are asked for */
	uint32_t size[4];
	void (*make)(struct eval_context *c);
};

#define EVAL_SORTS 8

extern const struct eval_sort eval_sorts[EVAL_SORTS];

/*
 * Makes context INDEX of SIZE for the seed, with questions of TASKS; the rest of *C is given. The
 * text does not depend on TASKS or on what was made before. Free it also after a failure.
 */
int eval_make(struct eval_context *c, const struct eval_sort *sort, uint64_t seed, uint32_t tasks,
	      uint32_t size, uint32_t index);

/* Shortest length of a long context, and its tokens that are left for a question and answer. */
#define EVAL_SHORTEST	   512
#define EVAL_QUESTION_ROOM 96
/* Tokens of a window of EVAL_PERPLEXITY; one starts at each power of two from here on. */
#define EVAL_WINDOW 64

struct eval_key {
	const char *colour, *noun;
};

/* N different ones, at most 300 */
void eval_keys(struct eval_context *c, uint32_t n, struct eval_key *key);
/* N random digits and a NUL */
void eval_digits(struct iau_rng *rng, uint32_t n, char *text);

/* Stories with facts between them: EVAL_PASSKEY to EVAL_TITLES, and EVAL_PERPLEXITY */
void eval_make_haystack(struct eval_context *c);
void eval_make_recall(struct eval_context *c);
void eval_make_copy(struct eval_context *c);
void eval_make_frequency(struct eval_context *c);
void eval_make_story(struct eval_context *c);
void eval_make_arithmetic(struct eval_context *c);
void eval_make_brackets(struct eval_context *c);
void eval_make_variables(struct eval_context *c);

#endif
