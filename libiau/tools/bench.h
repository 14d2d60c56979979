/* SPDX-License-Identifier: MIT */
/* What iau bench measures, and the ways to show it. */
#ifndef IAU_BENCH_H
#define IAU_BENCH_H

#include "spans.h"
#include "tool.h"

/* A phase of a benchmark: N tokens of each sequence, all at once or one at a time */
struct bench_phase {
	const char *name;
	uint32_t n;
	uint32_t ahead; /* tokens of one sequence that a job chooses and evaluates, at most */
	struct spans spans; /* with a breakdown */
};

enum { BENCH_PREFILL, BENCH_DECODE, BENCH_PHASES };

/*
 * Evaluates the phases one after the other, of BATCH sequences, which decode together if there are
 * several; *OUT describes what they cost.
 */
int bench_measure(struct loaded *l, struct bench_phase *phase, uint32_t batch, bool breakdown, json_t **out);

/* Shows one of them as lines of a table. */
void bench_print(const struct bench_phase *phase, json_t *cell, bool breakdown);

/*
 * Writes CELLS, an array of what bench_measure() gave: a line of comma-separated values a phase; plots in
 * DIR, made by gnuplot. 0, or an exit code after a message.
 */
int bench_write_csv(const char *path, json_t *cells);
int bench_write_plots(const char *dir, json_t *cells);

/* Of a phase of CELL: a number, and whether it has evaluated any tokens. */
double bench_number(json_t *cell, const char *phase, const char *key);
bool bench_has(json_t *cell, const char *phase);

#endif
