/* SPDX-License-Identifier: MIT */
/* One cell of a benchmark: device cycles, bytes and MACs of a prefill and of decoding after it. */
#include "bench.h"
#include "iau_hw.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int evaluate(struct loaded *l, const struct bench_phase *p, const int32_t *tokens)
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
static int measure(struct loaded *l, struct bench_phase *p, bool breakdown, json_t *cell)
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
	json_object_set_new(cell, p->name, r);
	return 0;
}

int bench_measure(struct loaded *l, struct bench_phase *phase, bool breakdown, json_t **out)
{
	struct iau_model_info info;
	struct iau_device_info dev;
	json_t *cell;
	int err = 0;

	iau_model_info(l->model, &info);
	iau_device_info(l->dev, &dev);
	cell = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:i}", "engine", dev.engine, "matrix_bytes",
			 (json_int_t)info.matrix_bytes, "matrix_macs", (json_int_t)info.macs,
			 "head_macs", (json_int_t)info.head_macs, "kv_bytes_per_key",
			 (json_int_t)info.kv_bytes, "attention_macs_per_key",
			 (json_int_t)info.attention_macs, "int8_macs_per_cycle",
			 (int)(dev.rows * dev.lanes));
	for (unsigned int i = 0; i < BENCH_PHASES && !err; i++)
		err = measure(l, &phase[i], breakdown, cell);
	if (err)
		json_decref(cell);
	else
		*out = cell;
	return err;
}
