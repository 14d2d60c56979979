/* SPDX-License-Identifier: MIT */
/* iau bench: device cycles, bytes and MACs of a prefill and of decoding after it. */
#include "spans.h"
#include "tool.h"
#include "iau_hw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct options {
	struct common common;
	uint32_t prompt, gen;
	bool breakdown;
};

static const struct argp_option options[] = {
	{ "prompt", 'p', "N", 0, "Tokens to prefill (512)", 0 },
	{ "gen", 'n', "N", 0, "Tokens to decode after them (32)", 0 },
	{ "breakdown", 'b', NULL, 0, "Where the cycles go, by unit and by operator (rtl)", 0 },
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
	case 'b':
		o->breakdown = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A phase of the benchmark: N tokens, one at a time if SINGLY */
struct phase {
	const char *name;
	uint32_t n;
	bool singly;
	struct spans spans;
};

static int evaluate(struct loaded *l, const struct phase *p, const int32_t *tokens)
{
	int err = 0;

	for (uint32_t i = 0, k; i < p->n && !err; i += k) {
		k = p->singly ? 1 : p->n - i < 256 ? p->n - i : 256;
		err = iau_session_eval(l->session, tokens + i, k, NULL, NULL);
		tool_progress(p->name, i + k, p->n);
	}
	return err;
}

/* Evaluates a phase and describes what it cost. */
static int measure(struct loaded *l, struct phase *p, bool breakdown, json_t *root)
{
	struct iau_model_info info;
	struct meter m;
	double start;
	int err = breakdown ? iau_session_trace(l->session, spans_add, &p->spans) : 0;
	int32_t *tokens = calloc(p->n ? p->n : 1, sizeof(*tokens));
	json_t *r;

	iau_model_info(l->model, &info);
	for (uint32_t i = 0; i < p->n && tokens; i++)
		tokens[i] = (int32_t)((i * 7919u + 17) % info.n_vocab);
	meter_start(&m, l->dev);
	start = now();
	if (!err)
		err = tokens ? evaluate(l, p, tokens) : -ENOMEM;
	free(tokens);
	if (err)
		return err;
	r = json_pack("{s:i, s:f, s:I, s:I, s:I, s:I, s:I}", "tokens", p->n, "host_seconds", now() - start, "cycles",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_CYCLES), "load_bytes",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_LOAD_BYTES), "store_bytes",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_STORE_BYTES), "macs",
		(json_int_t)(meter_read(&m, l->dev, IAU_CNT_MACS_I8) +
			     meter_read(&m, l->dev, IAU_CNT_MACS_I4)), "elements",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_VEC_ELEMENTS));
	if (breakdown && p->n)
		json_object_set_new(r, "breakdown", breakdown_json(&p->spans, p->n));
	json_object_set_new(root, p->name, r);
	return 0;
}

static void print_row(const char *name, json_t *r)
{
	double n = (double)json_integer_value(json_object_get(r, "tokens"));
	double s = json_real_value(json_object_get(r, "host_seconds"));

	if (n > 0)
		printf("%-8s %6.0f tokens  %12.0f cycles/token  %10.0f bytes/token  %10.1f tokens/s\n",
		       name, n, (double)json_integer_value(json_object_get(r, "cycles")) / n,
		       (double)json_integer_value(json_object_get(r, "load_bytes")) / n, n / s);
}

int cmd_bench(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };
	static const struct argp argp = { .options = options, .parser = parse, .children = children,
					  .doc = "Measures prefill and decode." };
	struct options o = { .common = { .seed = 1 }, .prompt = 512, .gen = 32 };
	struct iau_model_info info;
	struct iau_device_info dev;
	struct loaded l;
	struct phase phase[2] = { { .name = "prefill" }, { .name = "decode", .singly = true } };
	json_t *root;
	int err, code = EXIT_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	phase[0].n = o.prompt;
	phase[1].n = o.gen;
	err = tool_load(&o.common, &l);
	if (err)
		return tool_fail(err);
	iau_model_info(l.model, &info);
	iau_device_info(l.dev, &dev);
	root = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "engine", dev.engine, "matrix_bytes",
			 (json_int_t)info.matrix_bytes, "matrix_macs", (json_int_t)info.macs,
			 "head_macs", (json_int_t)info.head_macs, "kv_bytes_per_key",
			 (json_int_t)info.kv_bytes, "attention_macs_per_key",
			 (json_int_t)info.attention_macs);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = measure(&l, &phase[i], o.breakdown, root);
	tool_unload(&l);
	if (err) {
		json_decref(root);
		code = tool_fail(err);
	} else if (o.common.json) {
		tool_print_json(root);
	} else {
		for (unsigned int i = 0; i < 2; i++) {
			print_row(phase[i].name, json_object_get(root, phase[i].name));
			if (o.breakdown && phase[i].n)
				breakdown_print(&phase[i].spans, phase[i].n);
		}
		json_decref(root);
	}
	for (unsigned int i = 0; i < 2; i++)
		spans_free(&phase[i].spans);
	return code;
}
