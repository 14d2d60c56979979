/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks as plots, by gnuplot: throughput against the length of the prompt, and, of engines with
 * cycles, the roofline (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009).
 */
#include "bench.h"
#include "gnuplot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BUS_BYTES 64 /* a cycle, of the memory model */

static const char *const phases[BENCH_PHASES] = { "prefill", "decode" };

static const char *engine_of(json_t *cell)
{
	return json_string_value(json_object_get(cell, "engine"));
}

static bool is_timed(json_t *cell, const char *phase)
{
	return bench_number(cell, phase, "cycles") > 0;
}

static int batch_of(json_t *cell)
{
	return (int)json_integer_value(json_object_get(cell, "batch"));
}

/* What has a line of its own: an engine with so many sequences */
static bool is_alike(json_t *a, json_t *b)
{
	return !strcmp(engine_of(a), engine_of(b)) && batch_of(a) == batch_of(b);
}

/* Whether cell N is the first of its line. */
static bool is_first(json_t *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_alike(json_array_get(cells, i), json_array_get(cells, n)))
			return false;
	return true;
}

typedef bool (*point_fn)(json_t *cell, const char *phase, double *x, double *y);

/* Device time where there is any: of a clock of 1 GHz */
static bool throughput(json_t *cell, const char *phase, double *x, double *y)
{
	double seconds = is_timed(cell, phase) ? bench_number(cell, phase, "cycles") / 1e9 :
						 bench_number(cell, phase, "host_seconds");

	*x = bench_number(cell, "prefill", "tokens") / batch_of(cell);
	*y = bench_number(cell, phase, "tokens") / seconds;
	return bench_has(cell, phase) && *x > 0;
}

static bool roofline(json_t *cell, const char *phase, double *x, double *y)
{
	*x = bench_number(cell, phase, "macs") /
	     (bench_number(cell, phase, "load_bytes") + bench_number(cell, phase, "store_bytes"));
	*y = bench_number(cell, phase, "macs") / bench_number(cell, phase, "cycles");
	return bench_has(cell, phase) && is_timed(cell, phase);
}

/* The data blocks $d0, $d1, ... and their titles t0, t1, ... Returns how many there are. */
static unsigned int write_data(FILE *f, json_t *cells, point_fn point)
{
	unsigned int n = 0;
	double x, y;

	for (size_t e = 0; e < json_array_size(cells); e++) {
		json_t *first = json_array_get(cells, e);

		for (unsigned int p = 0; p < BENCH_PHASES && is_first(cells, e); p++) {
			unsigned int points = 0;

			fprintf(f, "$d%u << END\n", n);
			for (size_t i = e; i < json_array_size(cells); i++) {
				json_t *cell = json_array_get(cells, i);

				if (!is_alike(cell, first) || !point(cell, phases[p], &x, &y))
					continue;
				fprintf(f, "%g %g\n", x, y);
				points++;
			}
			fputs("END\n", f);
			if (!points)
				continue;
			fprintf(f, "t%u = '%s, %s", n++, engine_of(first), phases[p]);
			if (batch_of(first) > 1)
				fprintf(f, " of %d", batch_of(first));
			fputs("'\n", f);
		}
	}
	return n;
}

static void write_plot(FILE *f, unsigned int n, const char *more, const char *style)
{
	fputs("plot ", f);
	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "$d%u using 1:2 %s title t%u, ", i, style, i);
	fprintf(f, "%s\n", *more ? more : "NaN notitle");
}

static void begin(FILE *f, const char *dir, const char *name, const char *x, const char *y)
{
	fprintf(f, "reset\nset terminal svg size 720,480 font 'sans,12'\nset output '%s/%s.svg'\n"
		"set grid\nset key outside below\nset logscale xy\nset xlabel '%s'\nset ylabel '%s'\n",
		dir, name, x, y);
}

static void script(FILE *f, const char *dir, json_t *cells)
{
	int peak = (int)json_integer_value(json_object_get(json_array_get(cells, 0),
							   "int8_macs_per_cycle"));
	char roofs[256];
	unsigned int n;

	begin(f, dir, "throughput", "tokens of the prompt",
	      "tokens/s (with cycles: at 1 GHz; else of the host)");
	n = write_data(f, cells, throughput);
	/* of several cells with a prompt the mean */
	write_plot(f, n, "", "smooth unique with linespoints pointtype 7");
	begin(f, dir, "roofline", "MACs per byte of memory", "MACs per cycle");
	n = write_data(f, cells, roofline);
	if (!n)
		return;
	snprintf(roofs, sizeof(roofs),
		 "(x * %d < %d ? x * %d : %d) with lines title 'roof, INT8', "
		 "(x * %d < %d ? x * %d : %d) with lines dashtype 2 title 'roof, INT4'",
		 BUS_BYTES, peak, BUS_BYTES, peak, BUS_BYTES, 2 * peak, BUS_BYTES, 2 * peak);
	fputs("set xrange [0.5:2000]\nset samples 500\n", f);
	write_plot(f, n, roofs, "with points pointtype 7");
}

int bench_write_plots(const char *dir, json_t *cells)
{
	FILE *f;

	errno = 0;
	if (!gnuplot_takes(dir) || (mkdir(dir, 0777) && errno != EEXIST)) {
		fprintf(stderr, "iau: --plots: '%s': %s\n", dir,
			errno ? strerror(errno) : "not a name that gnuplot takes");
		return EXIT_INPUT;
	}
	f = gnuplot_open();
	if (f)
		script(f, dir, cells);
	return gnuplot_close(f, "--plots");
}
