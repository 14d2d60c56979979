/* SPDX-License-Identifier: MIT */
/*
 * iau trace: every command of an evaluation, on its unit's track in device time, as trace events that
 * Perfetto and Chrome show (the "Trace Event Format"). A cycle is shown as a microsecond.
 */
#include "sequences.h"
#include "spans.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16 /* of a unit whose commands overlap */
enum { PID_DEVICE = 1, PID_HOST };

struct options {
	struct common common;
	uint32_t prompt, gen, batch;
	const char *out;
};

static const struct argp_option options[] = {
	{ "prompt", 'p', "N", 0, "Tokens to prefill, of each sequence (32)", 0 },
	{ "gen", 'n', "N", 0, "Tokens to decode after them (2)", 0 },
	{ "batch", 'B', "N", 0, "Sequences that decode together, 1 to 16 (1)", 0 },
	{ "output", 'o', "FILE", 0, "Where the trace goes (standard output)", 0 },
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
		o->prompt = (uint32_t)tool_number(state, "--prompt", arg, 1 << 20);
		return 0;
	case 'n':
		o->gen = (uint32_t)tool_number(state, "--gen", arg, 1 << 20);
		return 0;
	case 'B':
		o->batch = (uint32_t)tool_number(state, "--batch", arg, IAU_BATCH_MAX);
		if (!o->batch)
			argp_error(state, "--batch: no sequence");
		return 0;
	case 'o':
		o->out = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void name_track(FILE *f, int pid, unsigned int tid, const char *name)
{
	fprintf(f, ",\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}},\n"
		"{\"ph\":\"M\",\"pid\":%d,\"tid\":%u,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}",
		pid, tid, name, pid, tid, tid);
}

static void write_head(FILE *f)
{
	fprintf(f, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"time\":\"device cycles\"},\"traceEvents\":[\n"
		"{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\",\"args\":{\"name\":\"device\"}},\n"
		"{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\",\"args\":{\"name\":\"host\"}}",
		PID_DEVICE, PID_HOST);
	name_track(f, PID_HOST, 0, "evaluation");
}

/* The first lane that is free; a track shows what nests, not what overlaps. */
static unsigned int lane_for(uint64_t *until, uint64_t start)
{
	unsigned int lane = 0;

	while (lane + 1 < LANES && until[lane] > start)
		lane++;
	return lane;
}

static void write_span(FILE *f, const struct iau_op_span *s, unsigned int lane)
{
	unsigned int tid = s->span.unit * LANES + lane;

	fprintf(f, ",\n{\"ph\":\"X\",\"pid\":%d,\"tid\":%u,\"ts\":%llu,\"dur\":%llu,\"name\":\"%s\",\"cat\":\"%s\","
		"\"args\":{\"layer\":%u,\"rows\":%u,\"command\":%u,\"waited\":%llu}}",
		PID_DEVICE, tid, (unsigned long long)s->span.started,
		(unsigned long long)(s->span.done - s->span.started), s->op, unit_names[s->span.unit],
		s->layer, s->rows, s->span.command,
		(unsigned long long)(s->span.started - s->span.entered));
}

/* A job as the host sees it: submitted, then waited for. */
static void write_job(FILE *f, const struct iau_op_span *s)
{
	fprintf(f, ",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":%d,\"tid\":0,\"ts\":%llu,\"name\":\"submit\"},\n"
		"{\"ph\":\"X\",\"pid\":%d,\"tid\":0,\"ts\":%llu,\"dur\":%llu,\"name\":\"wait\",\"args\":{\"rows\":%u}}",
		PID_HOST, (unsigned long long)s->span.started, PID_HOST,
		(unsigned long long)s->span.started,
		(unsigned long long)(s->span.done - s->span.started), s->rows);
}

static int by_start(const void *a, const void *b)
{
	const struct iau_op_span *x = a, *y = b;

	return x->span.started < y->span.started ? -1 : x->span.started > y->span.started;
}

static void write_trace(FILE *f, struct spans *s)
{
	uint64_t until[IAU_UNITS][LANES] = { { 0 } };
	bool named[IAU_UNITS][LANES] = { { false } };

	qsort(s->v, s->n, sizeof(*s->v), by_start);
	write_head(f);
	for (size_t i = 0; i < s->n; i++) {
		const struct iau_op_span *v = &s->v[i];
		unsigned int u = v->span.unit, lane;

		if (u == IAU_UNIT_JOB) {
			write_job(f, v);
			continue;
		}
		lane = lane_for(until[u], v->span.started);
		until[u][lane] = v->span.done;
		if (!named[u][lane])
			name_track(f, PID_DEVICE, u * LANES + lane, unit_names[u]);
		named[u][lane] = true;
		write_span(f, v, lane);
	}
	fprintf(f, "\n]}\n");
}

static int evaluate(struct loaded *l, const struct options *o, struct spans *spans)
{
	struct sequences q;
	int err = sequences_open(&q, l, o->batch);

	if (!err)
		err = sequences_trace(&q, spans_add, spans);
	if (!err)
		err = sequences_prefill(&q, o->prompt, "prefill");
	if (!err)
		err = sequences_decode(&q, o->gen, 1, "decode");
	sequences_close(&q);
	return err;
}

static int save(const struct options *o, struct spans *s)
{
	FILE *f = o->out ? fopen(o->out, "w") : stdout;
	bool failed;

	if (!f) {
		fprintf(stderr, "iau: %s: %s\n", o->out, strerror(errno));
		return EXIT_INPUT;
	}
	write_trace(f, s);
	if (!o->out)
		return EXIT_OK; /* what became of standard output is seen at the end */
	failed = ferror(f);
	failed |= fclose(f) != 0;
	if (!failed)
		return EXIT_OK;
	fprintf(stderr, "iau: %s: %s\n", o->out, strerror(errno));
	return EXIT_INPUT;
}

int cmd_trace(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };
	static const struct argp argp = { .options = options, .parser = parse, .children = children,
					  .doc = "Writes what every command of an evaluation did and when, "
						 "for Perfetto's viewer or chrome://tracing; a cycle is "
						 "shown as a microsecond." };
	struct options o = { .common = { .seed = 1, .engine = "rtl" }, .prompt = 32, .gen = 2, .batch = 1 };
	struct spans s = { 0 };
	struct loaded l;
	int err, code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	err = tool_load(&o.common, &l);
	if (err)
		return tool_fail(err);
	err = evaluate(&l, &o, &s);
	tool_unload(&l);
	if (err) {
		code = tool_fail(err);
	} else if (s.failed) {
		fprintf(stderr, "iau: no memory for all of the trace\n");
		code = EXIT_INPUT;
	} else {
		code = save(&o, &s);
	}
	spans_free(&s);
	return code;
}
