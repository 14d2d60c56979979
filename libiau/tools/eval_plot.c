/* SPDX-License-Identifier: MIT */
/* Heat maps of right answers by gnuplot: a row for each setting, a column for each task. */
#include "eval_report.h"
#include "gnuplot.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WIDTH  260 /* of a map, and its height */
#define HEIGHT 320

/* Tasks with a depth that have results, as bits */
static uint32_t deep_tasks(const struct eval_cells *cells)
{
	uint32_t tasks = 0;

	for (size_t i = 0; i < cells->n; i++)
		if (cells->v[i].task != EVAL_TASKS && eval_tasks[cells->v[i].task].deep)
			tasks |= UINT32_C(1) << cells->v[i].task;
	return tasks;
}

/* $map: column, tenth, share, and "right/all" of each field; returns the number of columns. */
static unsigned int write_fields(FILE *f, const struct eval_cells *cells, enum eval_task_id task,
				 uint32_t setting)
{
	unsigned int columns = 0;

	fputs("$map << END\n", f);
	for (size_t i = 0; i < cells->n; i++) {
		const struct eval_cell *cell = &cells->v[i];

		if (cell->task != task)
			continue;
		for (unsigned int d = 0; d < EVAL_DEPTHS; d++) {
			uint32_t n = cell->n_at[d], right = cell->figure[setting].right_at[d];

			if (n)
				fprintf(f, "%u %u %g %u/%u\n", columns, d, 100.0 * right / n, right,
					n);
		}
		columns++;
	}
	fputs("END\n", f);
	return columns;
}

/* Under each column its size */
static void write_sizes(FILE *f, const struct eval_cells *cells, enum eval_task_id task)
{
	unsigned int columns = 0;

	fputs("set xtics (", f);
	for (size_t i = 0; i < cells->n; i++)
		if (cells->v[i].task == task) {
			fprintf(f, "%s'%u' %u", columns ? ", " : "", cells->v[i].size, columns);
			columns++;
		}
	fputs(")\n", f);
}

static void write_map(FILE *f, const struct eval_cells *cells, enum eval_task_id task,
		      uint32_t setting, const char *name)
{
	unsigned int columns = write_fields(f, cells, task, setting);

	write_sizes(f, cells, task);
	fprintf(f, "set title '%s%s%s'\nset xlabel '%s'\nset xrange [-0.5:%u.5]\n",
		eval_tasks[task].name, *name ? ", " : "", name, eval_tasks[task].by, columns - 1);
	fputs("plot $map using 1:2:(0.5):(0.5):3 with boxxyerror fillstyle solid border lc 'white' "
	      "fillcolor palette notitle, $map using 1:2:4 with labels font ',9' notitle\n",
	      f);
}

static void script(FILE *f, const char *path, uint32_t settings, const struct eval_cells *cells)
{
	uint32_t tasks = deep_tasks(cells), columns = (uint32_t)__builtin_popcount(tasks);

	fprintf(f, "set terminal svg size %u,%u font 'sans,11'\nset output '%s'\n", WIDTH * columns,
		HEIGHT * settings, path);
	fputs("set palette defined (0 '#d73027', 50 '#fee08b', 100 '#66bd63')\n"
	      "set cbrange [0:100]\nunset colorbox\nset yrange [9.5:-0.5]\n"
	      "set ytics 0,1,9 scale 0\nset xtics scale 0\n"
	      "set ylabel 'depth, tenths'\n",
	      f);
	fprintf(f, "set multiplot layout %u,%u\n", settings, columns);
	for (uint32_t s = 0; s < settings; s++)
		for (uint32_t t = 0; t < EVAL_TASKS; t++)
			if (tasks >> t & 1)
				write_map(f, cells, t, s, settings < 2 ? "" : s ? "B" : "A");
}

int eval_check_svg(const char *path, uint32_t tasks)
{
	const char *wrong = NULL;
	uint32_t deep = 0;
	FILE *f;

	for (uint32_t t = 0; t < EVAL_TASKS; t++)
		deep |= tasks >> t & eval_tasks[t].deep;
	if (!deep)
		wrong = "none of the tasks has a depth";
	else if (!gnuplot_takes(path))
		wrong = "not a name that gnuplot takes";
	else if (!(f = fopen(path, "w")) || fclose(f))
		wrong = strerror(errno);
	if (wrong)
		fprintf(stderr, "iau: --svg: '%s': %s\n", path, wrong);
	return wrong ? EXIT_INPUT : EXIT_OK;
}

int eval_write_svg(const char *path, uint32_t settings, const struct eval_cells *cells)
{
	FILE *f;

	if (!deep_tasks(cells)) {
		fprintf(stderr, "iau: --svg: '%s': no answers to draw\n", path);
		return EXIT_INPUT;
	}
	f = gnuplot_open();
	if (f)
		script(f, path, settings, cells);
	return gnuplot_close(f, "--svg");
}
