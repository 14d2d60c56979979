/* SPDX-License-Identifier: MIT */
/* Results of a task of one size, counted: a line of the table. */
#ifndef IAU_EVAL_CELLS_H
#define IAU_EVAL_CELLS_H

#include "eval_score.h"
#include "eval_stats.h"

#define EVAL_DEPTHS 10

struct eval_figure {
	uint32_t right;
	double value; /* share of right answers, or perplexity */
	struct eval_interval interval;
	uint32_t right_at[EVAL_DEPTHS]; /* by tenths of the depth */
};

struct eval_cell {
	enum eval_task_id task; /* EVAL_TASKS: all of those with right answers */
	uint32_t size;
	uint32_t n; /* answers, or tokens of EVAL_PERPLEXITY */
	uint32_t contexts; /* that they are about */
	uint32_t n_at[EVAL_DEPTHS];
	struct eval_figure figure[EVAL_SETTINGS];
	/*
	 * The second setting beside the first: its value over that one's, and answers that
	 * are no longer right, or now are.
	 */
	double kept;
	struct eval_interval kept_interval;
	uint32_t lost, gained;
};

struct eval_cells {
	struct eval_cell *v; /* in the order of tasks, then sizes; all together at the end */
	size_t n;
};

int eval_cells_make(const struct eval_results *results, uint64_t seed, struct eval_cells *out);
void eval_cells_free(struct eval_cells *cells);

#endif
