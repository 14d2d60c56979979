/* SPDX-License-Identifier: MIT */
/* A context as tokens, and the questions about it. */
#ifndef IAU_EVAL_TEXT_H
#define IAU_EVAL_TEXT_H

#include "eval_pool.h"
#include "iau/tokenizer.h"
#include "runtime/rng.h"

/* What is asked for; the order is that of reports. */
enum eval_task_id {
	EVAL_PASSKEY,
	EVAL_KEYS,
	EVAL_TWO_HOP,
	EVAL_TITLES,
	EVAL_RECALL,
	EVAL_COPY,
	EVAL_FREQUENCY,
	EVAL_STORIES,
	EVAL_ARITHMETIC,
	EVAL_BRACKETS,
	EVAL_VARIABLES,
	EVAL_PERPLEXITY, /* the only one without an answer that is right or wrong */
	EVAL_TASKS,
};

/* Tokens that the chat format needs. */
struct eval_marks {
	int32_t bos, user, assistant, end;
};

struct eval_tokens {
	int32_t *v;
	size_t n;
};

/*
 * A question about the first AT tokens of a context: ASKED tokens of TEXT, and the answer behind
 * them. Of EVAL_PERPLEXITY the context itself goes on like that.
 */
struct eval_question {
	enum eval_task_id task;
	uint32_t size; /* what the task's results are told apart by: tokens, pairs, digits ... */
	double depth; /* where in the context the fact stands, 0 to below 1; else -1 */
	size_t at, asked;
	struct eval_tokens text;
};

struct eval_context {
	const struct iau_tokenizer *tok;
	const struct eval_marks *marks;
	const struct eval_pool *pool;
	struct iau_rng rng;
	uint32_t tasks;	      /* that are asked for, a bit each */
	uint32_t size, index; /* of its sort; number among those of this size */
	struct eval_tokens text;
	struct eval_question *question;
	size_t questions;
	int err; /* of the first function that failed; those after it do nothing */
};

/* 0, or -ENOENT: the vocabulary is of another chat format. */
int eval_find_marks(const struct iau_tokenizer *tok, struct eval_marks *marks);

/* Formatted text, behind TO. Words at the seam do not merge into one token. */
__attribute__((format(printf, 3, 4))) void eval_write(struct eval_context *c,
						      struct eval_tokens *to, const char *fmt, ...);
void eval_append(struct eval_context *c, struct eval_tokens *to, const int32_t *v, size_t n);

/* A question about all of the context so far, if it is of a task that is asked for. */
__attribute__((format(printf, 6, 7))) void eval_ask(struct eval_context *c, enum eval_task_id task,
						    uint32_t size, double depth, const char *answer,
						    const char *question, ...);
/* N tokens of the context from AT on as what it goes on with; the first is given. */
void eval_ask_text(struct eval_context *c, uint32_t size, size_t at, size_t n);

/* Everything that eval_write() and the like allocated. */
void eval_context_free(struct eval_context *c);

/* 0 to N - 1, each as likely. */
uint32_t eval_below(struct iau_rng *rng, uint32_t n);
/* One of N equal parts of what is BELOW, part I: for things that stand everywhere as often. */
double eval_stratum(struct iau_rng *rng, uint32_t i, uint32_t n, double below);
void eval_shuffle(struct iau_rng *rng, uint32_t *v, uint32_t n);

#endif
