/* SPDX-License-Identifier: MIT */
#include "eval_cells.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>

/* Results that a cell counts; those about one context are beside each other. */
struct range {
	const struct eval_result **v;
	size_t n;
};

static int by_cell(const void *a, const void *b)
{
	const struct eval_result *x = *(const struct eval_result *const *)a;
	const struct eval_result *y = *(const struct eval_result *const *)b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x > y) - (x < y);
}

static double kept_answers(const struct eval_sums *sums)
{
	return sums->b / sums->a;
}

static double perplexity(const struct eval_sums *sums)
{
	return exp(-sums->a / sums->n);
}

static double kept_perplexity(const struct eval_sums *sums)
{
	return exp((sums->a - sums->b) / sums->n);
}

static size_t sum_contexts(const struct range *range, struct eval_sums *sums)
{
	size_t n = 0;

	for (size_t i = 0; i < range->n; i++) {
		const struct eval_result *r = range->v[i];

		n += !i || r->context != range->v[i - 1]->context;
		sums[n - 1].a += r->outcome[0].value;
		sums[n - 1].b += r->outcome[1].value;
		sums[n - 1].n += r->n;
	}
	return n;
}

static struct eval_sums total(const struct eval_sums *sums, size_t n)
{
	struct eval_sums all = { 0 };

	for (size_t i = 0; i < n; i++) {
		all.a += sums[i].a;
		all.b += sums[i].b;
		all.n += sums[i].n;
	}
	return all;
}

/* sums[] are of the cell's contexts. */
static int compare(struct eval_cell *cell, struct eval_sums *sums, uint64_t seed)
{
	eval_statistic_fn statistic =
		cell->task == EVAL_PERPLEXITY ? kept_perplexity : kept_answers;
	struct eval_sums all = total(sums, cell->contexts);

	cell->kept = statistic(&all);
	return eval_bootstrap(sums, cell->contexts, statistic, seed, &cell->kept_interval);
}

static int measure_perplexity(struct eval_cell *cell, struct eval_sums *sums, uint32_t setting,
			      uint64_t seed)
{
	struct eval_figure *f = &cell->figure[setting];
	struct eval_sums all;

	/* perplexity() looks at the first of two */
	for (uint32_t i = 0; i < cell->contexts && setting; i++)
		sums[i].a = sums[i].b;
	all = total(sums, cell->contexts);
	f->value = perplexity(&all);
	return eval_bootstrap(sums, cell->contexts, perplexity, seed, &f->interval);
}

static void count(struct eval_cell *cell, const struct range *range, uint32_t settings)
{
	for (size_t i = 0; i < range->n; i++) {
		const struct eval_result *r = range->v[i];
		bool a = r->outcome[0].value > 0, b = r->outcome[1].value > 0;

		cell->n += r->n;
		cell->lost += a && !b;
		cell->gained += b && !a;
		cell->figure[0].right += a;
		cell->figure[1].right += b;
		if (r->depth < 0)
			continue;
		cell->n_at[(int)(r->depth * EVAL_DEPTHS)]++;
		cell->figure[0].right_at[(int)(r->depth * EVAL_DEPTHS)] += a;
		cell->figure[1].right_at[(int)(r->depth * EVAL_DEPTHS)] += b;
	}
	for (uint32_t s = 0; s < settings; s++) {
		struct eval_figure *f = &cell->figure[s];

		f->value = (double)f->right / cell->n;
		f->interval = eval_wilson(f->right, cell->n);
	}
}

static int make_cell(struct eval_cell *cell, const struct range *range, uint32_t settings,
		     uint64_t seed)
{
	struct eval_sums *sums = calloc(range->n, sizeof(*sums));
	int err = 0;

	if (!sums)
		return iau_error_nomem("results");
	cell->contexts = (uint32_t)sum_contexts(range, sums);
	count(cell, range, settings);
	if (settings > 1)
		err = compare(cell, sums, seed);
	for (uint32_t s = 0; s < settings && !err && cell->task == EVAL_PERPLEXITY; s++)
		err = measure_perplexity(cell, sums, s, seed);
	free(sums);
	return err;
}

/* All answers that are right or wrong, as they came */
static int make_total(struct eval_cells *cells, const struct eval_results *results,
		      const struct eval_result **list, uint64_t seed)
{
	struct range range = { list, 0 };

	for (size_t i = 0; i < results->n; i++)
		if (results->v[i].task != EVAL_PERPLEXITY)
			list[range.n++] = &results->v[i];
	if (!range.n)
		return 0;
	cells->v[cells->n].task = EVAL_TASKS;
	return make_cell(&cells->v[cells->n++], &range, results->settings, seed);
}

int eval_cells_make(const struct eval_results *results, uint64_t seed, struct eval_cells *out)
{
	const struct eval_result **list = calloc(results->n + 1, sizeof(*list));
	int err = 0;

	out->n = 0;
	out->v = calloc(results->n + 1, sizeof(*out->v));
	if (!list || !out->v) {
		free(list);
		return iau_error_nomem("results");
	}
	for (size_t i = 0; i < results->n; i++)
		list[i] = &results->v[i];
	qsort(list, results->n, sizeof(*list), by_cell);
	for (size_t i = 0, k; i < results->n && !err; i = k) {
		struct eval_cell *cell = &out->v[out->n++];

		cell->task = list[i]->task;
		cell->size = list[i]->size;
		for (k = i;
		     k < results->n && list[k]->task == cell->task && list[k]->size == cell->size;)
			k++;
		err = make_cell(cell, &(struct range){ list + i, k - i }, results->settings, seed);
	}
	if (!err)
		err = make_total(out, results, list, seed);
	free(list);
	return err;
}

void eval_cells_free(struct eval_cells *cells)
{
	free(cells->v);
}
