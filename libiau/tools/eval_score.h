/* SPDX-License-Identifier: MIT */
/* Questions answered by a model, and what came of it. */
#ifndef IAU_EVAL_SCORE_H
#define IAU_EVAL_SCORE_H

#include "eval_tasks.h"
#include "iau/model.h"

#define EVAL_SETTINGS 2 /* that can be compared */

/* A way to answer: what differs is how a question is read and answered, not the context. */
struct eval_setting {
	const char *name;
	struct iau_session *session;
	struct iau_attention attention;
	bool shares; /* the session of the setting before, and the context that it has read */
	struct iau_sampler *sampler; /* greedy */
};

struct eval_outcome {
	double value; /* 1: right, 0: wrong; of EVAL_PERPLEXITY the log-likelihood of its tokens */
	char *text;   /* the answer, if there is one */
};

struct eval_result {
	enum eval_task_id task;
	uint32_t size, context; /* CONTEXT: its number among all */
	double depth;
	uint32_t n;		 /* what the value is of: 1 answer, or so many tokens */
	char *question, *answer; /* NULL of EVAL_PERPLEXITY */
	struct eval_outcome outcome[EVAL_SETTINGS];
};

struct eval_results {
	struct eval_result *v; /* those about one context beside each other */
	size_t n;
	uint32_t contexts, settings;
};

/*
 * Has every setting read the context and then answer its questions, and adds the results. 0; an
 * error; above 0: interrupted.
 */
int eval_score(const struct eval_setting *setting, uint32_t settings, const struct eval_context *c,
	       struct eval_results *results);
void eval_results_free(struct eval_results *results);

#endif
