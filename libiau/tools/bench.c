/* SPDX-License-Identifier: MIT */
/* iau bench: engines, lengths of prompts and of what is decoded after them, batches, each with each. */
#include "bench.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct common common;
	struct tool_list prompt, gen, batch;
	uint32_t ahead;
	const char *csv, *plots;
	bool breakdown;
};

enum { OPT_CSV = 1024, OPT_PLOTS };

static const struct argp_option options[] = {
	{ "prompt", 'p', "N[,N...]", 0, "Tokens to prefill (512)", 0 },
	{ "gen", 'n', "N[,N...]", 0, "Tokens to decode after them (32)", 0 },
	{ "batch", 'B', "N[,N...]", 0, "Sequences that decode together, 1 to 16 (1)", 0 },
	{ "ahead", 'a', "N", 0, "Tokens in a job, which the device chooses itself; 1 = given ones, one by one (1)", 0 },
	{ "breakdown", 'b', NULL, 0, "Where the cycles go, by unit and by operator (rtl)", 0 },
	{ "csv", OPT_CSV, "FILE", 0, "Write comma-separated values, too", 0 },
	{ "plots", OPT_PLOTS, "DIR", 0, "Draw throughput.svg and, with cycles, roofline.svg there", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case 'p':
		tool_list(state, "--prompt", arg, 1 << 20, &o->prompt);
		return 0;
	case 'n':
		tool_list(state, "--gen", arg, 1 << 20, &o->gen);
		return 0;
	case 'B':
		tool_list(state, "--batch", arg, IAU_BATCH_MAX, &o->batch);
		for (size_t i = 0; i < o->batch.n; i++)
			if (!o->batch.v[i])
				argp_error(state, "--batch: no sequence");
		return 0;
	case 'a':
		o->ahead = tool_ahead(state, arg);
		return 0;
	case 'b':
		o->breakdown = true;
		return 0;
	case OPT_CSV:
		o->csv = arg;
		return 0;
	case OPT_PLOTS:
		o->plots = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		for (size_t i = 0; i < o->batch.n; i++)
			if (o->ahead > 1 && o->batch.v[i] > 1)
				argp_error(state, "--ahead: a batch has one token of each sequence in a job");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void show(const struct options *o, const struct bench_phase *phase, uint32_t batch, bool alone,
		 json_t *cell)
{
	if (o->common.json)
		return;
	if (!alone)
		printf("%s, %u tokens and %u after them", json_string_value(json_object_get(cell, "engine")),
		       phase[0].n, phase[1].n);
	if (!alone && o->batch.n > 1)
		printf(", of %u sequences", batch);
	if (!alone)
		putchar('\n');
	bench_print(phase, cell, o->breakdown);
}

/*
 * One length with one other, which CELLS gets. On a device of its own: what ran before would show in
 * its cycles.
 */
static int bench_cell(const struct options *o, struct bench_phase *phase, uint32_t batch, bool alone,
		      json_t *cells)
{
	struct loaded l;
	json_t *cell;
	int err = tool_load(&o->common, &l);

	if (err)
		return err;
	err = bench_measure(&l, phase, batch, o->breakdown, &cell);
	tool_unload(&l);
	if (!err) {
		show(o, phase, batch, alone, cell);
		json_array_append_new(cells, cell);
	}
	for (unsigned int i = 0; i < BENCH_PHASES; i++)
		spans_free(&phase[i].spans);
	return err;
}

static int bench_engine(struct options *o, const char *engine, bool alone, json_t *cells)
{
	int err = 0;

	o->common.engine = engine;
	for (size_t i = 0; i < o->prompt.n * o->gen.n * o->batch.n && !err; i++) {
		size_t lengths = i / o->batch.n;
		struct bench_phase phase[BENCH_PHASES] = {
			[BENCH_PREFILL] = { .name = "prefill", .n = o->prompt.v[lengths / o->gen.n] },
			[BENCH_DECODE] = { .name = "decode", .n = o->gen.v[lengths % o->gen.n], .ahead = o->ahead },
		};

		err = bench_cell(o, phase, o->batch.v[i % o->batch.n], alone, cells);
	}
	return err;
}

/* Every engine that is named, or the default one. */
static int bench_all(struct options *o, json_t *cells)
{
	char *names = o->common.engine ? strdup(o->common.engine) : NULL, *rest;
	bool alone = o->prompt.n * o->gen.n * o->batch.n == 1 && !(names && strchr(names, ','));
	int err = 0;

	if (!o->common.engine)
		return bench_engine(o, NULL, alone, cells);
	if (!names)
		return iau_error(-ENOMEM, "no memory");
	for (char *e = strtok_r(names, ",", &rest); e && !err; e = strtok_r(NULL, ",", &rest))
		err = bench_engine(o, e, alone, cells);
	if (!err && !json_array_size(cells))
		err = iau_error(-EINVAL, "--engine: no engine");
	free(names);
	return err;
}

/* One cell as it is; several as an array. */
static void print_json(json_t *cells)
{
	tool_print_json(json_incref(json_array_size(cells) == 1 ? json_array_get(cells, 0) : cells));
}

int cmd_bench(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };
	static const struct argp argp = {
		.options = options, .parser = parse, .children = children,
		.doc = "Measures prefill and decode. Several lengths, numbers of sequences, and engines "
		       "after -e, are separated by commas and measured each with each.",
	};
	struct options o = { .common = { .seed = 1 }, .prompt = { { 512 }, 1 }, .gen = { { 32 }, 1 },
			     .batch = { { 1 }, 1 }, .ahead = 1 };
	json_t *cells = json_array();
	int err, code = EXIT_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	err = bench_all(&o, cells);
	if (err)
		code = tool_fail(err);
	if (!code && o.common.json)
		print_json(cells);
	if (!code && o.csv)
		code = bench_write_csv(o.csv, cells);
	if (!code && o.plots)
		code = bench_write_plots(o.plots, cells);
	json_decref(cells);
	return code;
}
