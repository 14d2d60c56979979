/* SPDX-License-Identifier: MIT */
/* One cell of a benchmark: device cycles, bytes and MACs of a prefill and of decoding after it. */
#include "base/error.h"
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

/* Sequences that are measured: the loaded session and more like it; the batch that decodes them, if any */
struct measured {
	struct loaded *l;
	struct iau_session *s[IAU_BATCH_MAX];
	struct iau_batch *batch;
	uint32_t n;
};

static int open_measured(struct measured *m, struct loaded *l, uint32_t n)
{
	int err = n > 1 ? iau_batch_create(l->model, n, &m->batch) : 0;

	m->l = l;
	m->s[0] = l->session;
	for (m->n = 1; m->n < n && !err; m->n++)
		err = iau_session_create(l->model, &m->s[m->n]);
	return err;
}

static void close_measured(struct measured *m)
{
	while (m->n > 1)
		iau_session_free(m->s[--m->n]);
	iau_batch_free(m->batch);
}

static int32_t token_at(const struct iau_model_info *info, uint32_t i)
{
	return (int32_t)((i * 7919u + 17) % info->n_vocab);
}

/* SPANS: where to note what the device does, or NULL */
static int prefill(struct measured *m, const struct iau_model_info *info, const struct bench_phase *p,
		   struct spans *spans)
{
	int32_t *tokens = calloc(p->n + 1, sizeof(*tokens));
	int err = 0;

	if (!tokens)
		return iau_error_nomem("tokens");
	for (uint32_t i = 0; i < p->n; i++)
		tokens[i] = token_at(info, i);
	for (uint32_t q = 0; q < m->n && !err; q++) {
		if (spans)
			err = iau_session_trace(m->s[q], spans_add, spans);
		for (size_t i = 0, k; i < p->n && !err; i += k) {
			err = iau_session_eval_some(m->s[q], tokens + i, p->n - i, &k);
			tool_progress(p->name, (size_t)q * p->n + i + k, (size_t)m->n * p->n);
		}
	}
	free(tokens);
	return err;
}

/* Token I of each sequence, or of a single one up to MOST from there on */
static int decode_next(struct measured *m, const struct iau_model_info *info, uint32_t i, uint32_t most)
{
	int32_t tokens[IAU_BATCH_MAX];

	for (uint32_t q = 0; q < m->n; q++)
		tokens[q] = token_at(info, i + q);
	if (m->batch)
		return iau_batch_eval(m->batch, m->s, tokens, m->n);
	return most > 1 ? iau_session_generate(m->s[0], tokens[0], most) :
			  iau_session_eval(m->s[0], tokens, 1, NULL, NULL);
}

static int decode(struct measured *m, const struct iau_model_info *info, const struct bench_phase *p,
		  struct spans *spans)
{
	uint32_t from = iau_session_length(m->s[0]);
	int err = 0;

	if (spans)
		err = m->batch ? iau_batch_trace(m->batch, spans_add, spans) :
				 iau_session_trace(m->s[0], spans_add, spans);
	for (uint32_t i = 0; i < p->n && !err;) {
		err = decode_next(m, info, i, p->ahead < p->n - i ? p->ahead : p->n - i);
		i = iau_session_length(m->s[0]) - from;
		tool_progress(p->name, i, p->n);
	}
	return err;
}

/* Evaluates a phase and describes what it cost. */
static int measure(struct measured *m, struct bench_phase *p, bool decoding, bool breakdown, json_t *cell)
{
	struct iau_device *dev = m->l->dev;
	struct spans *spans = breakdown ? &p->spans : NULL;
	uint32_t n = p->n * m->n;
	struct iau_kv_usage before, after;
	struct iau_model_info info;
	struct meter t;
	double start;
	json_t *r;
	int err;

	iau_model_info(m->l->model, &info);
	iau_model_kv_usage(m->l->model, &before);
	meter_start(&t, dev);
	start = now();
	err = (decoding ? decode : prefill)(m, &info, p, spans);
	if (err)
		return err;
	iau_model_kv_usage(m->l->model, &after);
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
	struct measured m = { 0 };
	struct iau_model_info info;
	struct iau_device_info dev;
	json_t *cell;
	int err = open_measured(&m, l, batch);

	iau_model_info(l->model, &info);
	iau_device_info(l->dev, &dev);
	cell = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "engine", dev.engine,
			 "batch", (json_int_t)batch, "layers", (json_int_t)info.n_layer,
			 "matrix_bytes", (json_int_t)info.matrix_bytes, "matrix_macs",
			 (json_int_t)info.macs, "head_macs", (json_int_t)info.head_macs,
			 "spared_macs", (json_int_t)info.spared_macs,
			 "kv_bytes_per_key", (json_int_t)info.kv_bytes, "attention_macs_per_key",
			 (json_int_t)info.attention_macs, "int8_macs_per_cycle",
			 (int)(dev.rows * dev.lanes));
	for (unsigned int i = 0; i < BENCH_PHASES && !err; i++)
		err = measure(&m, &phase[i], i == BENCH_DECODE, breakdown, cell);
	close_measured(&m);
	if (err)
		json_decref(cell);
	else
		*out = cell;
	return err;
}
