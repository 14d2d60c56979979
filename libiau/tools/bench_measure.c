/* SPDX-License-Identifier: MIT */
/* One cell of a benchmark: device cycles, bytes and MACs of a prefill and of decoding after it. */
#include "bench.h"
#include "iau_hw.h"
#include "sequences.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Evaluates a phase and describes what it cost. */
static int measure(struct sequences *q, struct bench_phase *p, bool decoding, bool breakdown, json_t *cell)
{
	struct iau_device *dev = q->l->dev;
	uint32_t n = p->n * q->n;
	struct iau_kv_usage before, after;
	struct meter t;
	double start;
	json_t *r;
	int err = 0;

	iau_model_kv_usage(q->l->model, &before);
	meter_start(&t, dev);
	start = now();
	if (breakdown)
		err = sequences_trace(q, spans_add, &p->spans);
	if (!err)
		err = decoding ? sequences_decode(q, p->n, p->ahead, p->name) : sequences_prefill(q, p->n, p->name);
	if (err)
		return err;
	iau_model_kv_usage(q->l->model, &after);
	r = json_pack("{s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "tokens", (json_int_t)n, "host_seconds",
		now() - start, "cycles", (json_int_t)meter_read(&t, dev, IAU_CNT_CYCLES), "load_bytes",
		(json_int_t)meter_read(&t, dev, IAU_CNT_LOAD_BYTES), "store_bytes",
		(json_int_t)meter_read(&t, dev, IAU_CNT_STORE_BYTES), "macs",
		(json_int_t)(meter_read(&t, dev, IAU_CNT_MACS_I8) +
			     meter_read(&t, dev, IAU_CNT_MACS_I4)), "elements",
		(json_int_t)meter_read(&t, dev, IAU_CNT_VEC_ELEMENTS), "kv_pages_promoted",
		(json_int_t)(after.pages_promoted - before.pages_promoted));
	if (breakdown && n)
		json_object_set_new(r, "breakdown", breakdown_json(&p->spans, n));
	json_object_set_new(cell, p->name, r);
	return 0;
}

int bench_measure(struct loaded *l, struct bench_phase *phase, uint32_t batch, bool breakdown, json_t **out)
{
	struct sequences q;
	struct iau_device_info dev;
	json_t *cell;
	int err = sequences_open(&q, l, batch);

	iau_device_info(l->dev, &dev);
	cell = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "engine", dev.engine,
			 "batch", (json_int_t)batch, "layers", (json_int_t)q.info.n_layer,
			 "matrix_bytes", (json_int_t)q.info.matrix_bytes, "matrix_macs",
			 (json_int_t)q.info.macs, "head_macs", (json_int_t)q.info.head_macs,
			 "spared_macs", (json_int_t)q.info.spared_macs,
			 "kv_bytes_per_key", (json_int_t)q.info.kv_bytes, "attention_macs_per_key",
			 (json_int_t)q.info.attention_macs, "int8_macs_per_cycle",
			 (int)(dev.rows * dev.lanes));
	for (unsigned int i = 0; i < BENCH_PHASES && !err; i++)
		err = measure(&q, &phase[i], i == BENCH_DECODE, breakdown, cell);
	sequences_close(&q);
	if (err)
		json_decref(cell);
	else
		*out = cell;
	return err;
}
