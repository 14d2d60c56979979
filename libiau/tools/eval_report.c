/* SPDX-License-Identifier: MIT */
/* What iau eval measured as a table and as JSON. */
#include "eval_report.h"

#include <math.h>
#include <stdio.h>

static const char *name_of(const struct eval_cell *cell)
{
	return cell->task == EVAL_TASKS ? "all answers" : eval_tasks[cell->task].name;
}

/* Room for it, if it cannot be told and something follows */
static void print_interval(const struct eval_interval *v, double scale, int digits, bool follows)
{
	if (!isnan(v->low))
		printf("  %5.*f to %5.*f", digits, scale * v->low, digits, scale * v->high);
	else if (follows)
		printf("  %14s", "");
}

/* Shares in percent, perplexities as they are */
static void print_figure(const struct eval_cell *cell, uint32_t setting, uint32_t settings)
{
	const struct eval_figure *f = &cell->figure[setting];
	bool share = cell->task != EVAL_PERPLEXITY;
	double scale = share ? 100 : 1;
	int digits = share ? 1 : 3;

	printf("  %6.*f", digits, scale * f->value);
	print_interval(&f->interval, scale, digits, settings > 1);
}

static void print_comparison(const struct eval_cell *cell)
{
	bool counted = cell->task != EVAL_PERPLEXITY;

	/* of nothing right nothing is kept */
	if (isnan(cell->kept))
		printf("  %6s", "");
	else
		printf("  %6.3f", cell->kept);
	print_interval(&cell->kept_interval, 1, 3, counted);
	if (counted)
		printf("  %4u  %4u", cell->lost, cell->gained);
}

static void print_head(const struct eval_setting *setting, uint32_t settings)
{
	if (settings > 1)
		printf("A: %s\nB: %s\n", setting[0].name, setting[1].name);
	printf("%-11s %-8s %6s  %5s", "task", "", "", "n");
	for (uint32_t s = 0; s < settings; s++)
		printf("  %6s  %14s", settings > 1 ? s ? "B" : "A" : "right", "95 %");
	if (settings > 1)
		printf("  %6s  %14s  %4s  %4s", "B/A", "95 %", "lost", "new");
	putchar('\n');
}

void eval_print(const struct eval_setting *setting, uint32_t settings,
		const struct eval_cells *cells)
{
	print_head(setting, settings);
	for (size_t i = 0; i < cells->n; i++) {
		const struct eval_cell *cell = &cells->v[i];

		if (cell->task == EVAL_TASKS)
			printf("%-11s %15s", name_of(cell), "");
		else
			printf("%-11s %-8s %6u", name_of(cell), eval_tasks[cell->task].by,
			       cell->size);
		printf("  %5u", cell->n);
		for (uint32_t s = 0; s < settings; s++)
			print_figure(cell, s, settings);
		if (settings > 1)
			print_comparison(cell);
		putchar('\n');
	}
}

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *interval(const struct eval_interval *v)
{
	return json_pack("[o, o]", number(v->low), number(v->high));
}

static json_t *depths(const struct eval_cell *cell, const struct eval_figure *f)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < EVAL_DEPTHS; i++)
		json_array_append_new(list,
				      json_pack("[i, i]", (int)f->right_at[i], (int)cell->n_at[i]));
	return list;
}

static json_t *figure_json(const struct eval_cell *cell, const struct eval_figure *f)
{
	json_t *out = json_object();

	if (cell->task == EVAL_PERPLEXITY) {
		json_object_set_new(out, "perplexity", number(f->value));
	} else {
		json_object_set_new(out, "right", json_integer(f->right));
		json_object_set_new(out, "share", number(f->value));
	}
	json_object_set_new(out, "interval", interval(&f->interval));
	if (cell->task != EVAL_TASKS && eval_tasks[cell->task].deep)
		json_object_set_new(out, "by_depth", depths(cell, f));
	return out;
}

static json_t *cell_json(const struct eval_cell *cell, uint32_t settings)
{
	json_t *out = json_pack("{s:s, s:i, s:i}", "task", name_of(cell), "n", (int)cell->n,
				"contexts", (int)cell->contexts);
	json_t *figures = json_array();

	if (cell->task != EVAL_TASKS)
		json_object_set_new(out, eval_tasks[cell->task].by, json_integer(cell->size));
	for (uint32_t s = 0; s < settings; s++)
		json_array_append_new(figures, figure_json(cell, &cell->figure[s]));
	json_object_set_new(out, "settings", figures);
	if (settings < 2)
		return out;
	json_object_set_new(out, "kept", number(cell->kept));
	json_object_set_new(out, "kept_interval", interval(&cell->kept_interval));
	if (cell->task != EVAL_PERPLEXITY) {
		json_object_set_new(out, "lost", json_integer(cell->lost));
		json_object_set_new(out, "gained", json_integer(cell->gained));
	}
	return out;
}

static json_t *answer_json(const struct eval_result *r, uint32_t settings)
{
	json_t *out = json_pack("{s:s, s:i, s:i}", "task", eval_tasks[r->task].name,
				eval_tasks[r->task].by, (int)r->size, "context", (int)r->context);
	json_t *given = json_array();

	if (r->depth >= 0)
		json_object_set_new(out, "depth", json_real(r->depth));
	if (r->task != EVAL_PERPLEXITY) {
		json_object_set_new(out, "question", json_string(r->question));
		json_object_set_new(out, "answer", json_string(r->answer));
	}
	for (uint32_t s = 0; s < settings; s++) {
		const struct eval_outcome *o = &r->outcome[s];

		if (r->task == EVAL_PERPLEXITY)
			json_array_append_new(given, json_pack("{s:f}", "logprob", o->value));
		else
			json_array_append_new(given, json_pack("{s:b, s:s}", "right", o->value > 0,
							       "text", o->text));
	}
	json_object_set_new(out, "given", given);
	return out;
}

json_t *eval_json(const struct eval_setting *setting, const struct eval_results *results,
		  const struct eval_cells *cells)
{
	json_t *names = json_array(), *lines = json_array(), *answers = json_array();

	for (uint32_t s = 0; s < results->settings; s++)
		json_array_append_new(names, json_string(setting[s].name));
	for (size_t i = 0; i < cells->n; i++)
		json_array_append_new(lines, cell_json(&cells->v[i], results->settings));
	for (size_t i = 0; i < results->n; i++)
		json_array_append_new(answers, answer_json(&results->v[i], results->settings));
	return json_pack("{s:o, s:o, s:o}", "settings", names, "results", lines, "answers",
			 answers);
}
