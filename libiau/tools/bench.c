/* SPDX-License-Identifier: MIT */
/* iau bench: device cycles, bytes and MACs of a prefill and of decoding after it. */
#include "tool.h"
#include "iau_hw.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct options {
	struct common common;
	uint32_t prompt, gen;
};

static const struct argp_option options[] = {
	{ "prompt", 'p', "N", 0, "Tokens to prefill (512)", 0 },
	{ "gen", 'n', "N", 0, "Tokens to decode after them (32)", 0 },
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

/* Evaluates N tokens, one at a time if SINGLY, and describes what it cost. */
static int measure(struct loaded *l, uint32_t n, bool singly, const char *name, json_t *root)
{
	struct iau_model_info info;
	struct meter m;
	double start;
	int err = 0;
	int32_t *tokens = calloc(n ? n : 1, sizeof(*tokens));

	iau_model_info(l->model, &info);
	for (uint32_t i = 0; i < n && tokens; i++)
		tokens[i] = (int32_t)((i * 7919u + 17) % info.n_vocab);
	meter_start(&m, l->dev);
	start = now();
	for (uint32_t i = 0, k; i < n && !err; i += k) {
		k = singly ? 1 : n - i < 256 ? n - i : 256;
		err = iau_session_eval(l->session, tokens + i, k, NULL, NULL);
		tool_progress(name, i + k, n);
	}
	free(tokens);
	if (err)
		return err;
	json_object_set_new(root, name, json_pack(
		"{s:i, s:f, s:I, s:I, s:I, s:I, s:I}", "tokens", n, "host_seconds", now() - start, "cycles",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_CYCLES), "load_bytes",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_LOAD_BYTES), "store_bytes",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_STORE_BYTES), "macs",
		(json_int_t)(meter_read(&m, l->dev, IAU_CNT_MACS_I8) +
			     meter_read(&m, l->dev, IAU_CNT_MACS_I4)), "elements",
		(json_int_t)meter_read(&m, l->dev, IAU_CNT_VEC_ELEMENTS)));
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
	json_t *root;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
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
	err = measure(&l, o.prompt, false, "prefill", root);
	if (!err)
		err = measure(&l, o.gen, true, "decode", root);
	tool_unload(&l);
	if (err) {
		json_decref(root);
		return tool_fail(err);
	}
	if (o.common.json) {
		tool_print_json(root);
		return EXIT_OK;
	}
	print_row("prefill", json_object_get(root, "prefill"));
	print_row("decode", json_object_get(root, "decode"));
	json_decref(root);
	return EXIT_OK;
}
