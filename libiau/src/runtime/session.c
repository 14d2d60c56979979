/* SPDX-License-Identifier: MIT */
#include "runtime/session.h"
#include "base/error.h"
#include "model/tensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS (1u << (IAU_SESSION_ROWS - 1))

/* Registers of steps, or runs of a prompt */
#define TOKEN_BYTES (GRAPH_STEPS * IAU_PARAM_BYTES + (GRAPH_RUNS + 1) * sizeof(struct iau_graph_run))

static int find_stops(struct iau_model *m)
{
	for (uint32_t i = 0; i < m->hp.n_vocab; i++)
		m->n_stop += iau_tokenizer_is_eog(m->tok, (int32_t)i);
	m->stop = calloc(m->n_stop + 1, sizeof(*m->stop));
	if (!m->stop)
		return iau_error_nomem("model");
	for (uint32_t i = 0, n = 0; n < m->n_stop; i++)
		if (iau_tokenizer_is_eog(m->tok, (int32_t)i))
			m->stop[n++] = (int32_t)i;
	return 0;
}

/* All but the file itself */
static int load(struct iau_model *m, uint32_t n_ctx)
{
	int err = iau_hparams_load(m->gguf, &m->hp);
	struct iau_kv_layout kv;

	if (!err)
		err = iau_tensors_check(m->gguf, &m->hp);
	if (!err)
		err = iau_tokenizer_load(m->gguf, &m->tok);
	if (!err)
		err = find_stops(m);
	if (err)
		return err;
	m->n_ctx = n_ctx && n_ctx < m->hp.n_ctx ? n_ctx : m->hp.n_ctx;
	kv = iau_kv_layout(&m->hp, m->n_ctx);
	err = kv_pool_init(&m->pool, m->dev, &kv, m->hp.n_layer);
	if (err)
		return err;
	m->pool.leaves = iau_kv_leaves;
	m->pool.opaque = m;
	/* many rows may begin at the last position */
	return iau_weights_load(m->dev, m->gguf, &m->hp, m->n_ctx + 31, &m->w);
}

int iau_model_load(struct iau_device *dev, const char *path, uint32_t n_ctx, struct iau_model **out)
{
	struct iau_model *m = calloc(1, sizeof(*m));
	int err;

	*out = NULL;
	if (!m)
		return iau_error_nomem("model");
	m->dev = dev;
	err = iau_gguf_open(path, &m->gguf);
	if (!err) {
		err = load(m, n_ctx);
		if (err)
			iau_error(err, "%s: %s", path, iau_last_error());
	}
	if (err) {
		iau_model_free(m);
		return err;
	}
	*out = m;
	return 0;
}

void iau_model_free(struct iau_model *m)
{
	if (!m)
		return;
	kv_pool_free(&m->pool);
	iau_weights_free(m->dev, &m->w);
	free(m->stop);
	iau_tokenizer_free(m->tok);
	iau_gguf_close(m->gguf);
	free(m);
}

void iau_model_info(const struct iau_model *m, struct iau_model_info *info)
{
	*info = (struct iau_model_info){
		.arch = iau_arch_name(m->hp.arch),
		.n_vocab = m->hp.n_vocab,
		.n_ctx = m->n_ctx,
		.n_layer = m->hp.n_layer,
		.n_embd = m->hp.n_embd,
		.requantised = m->w.requantised,
		.matrix_bytes = m->w.matrix_bytes,
		.macs = m->w.macs,
		.head_macs = (uint64_t)m->hp.n_vocab * m->hp.n_embd,
		.spared_macs = (uint64_t)m->hp.n_embd * (2 * m->hp.n_head * m->hp.head_dim + 3 * m->hp.n_ff),
		.kv_bytes = (uint64_t)m->hp.n_layer * m->hp.n_head_kv * (m->hp.head_dim / 16 * 33 + 4),
		.attention_macs = (uint64_t)m->hp.n_layer * m->hp.n_head * m->hp.head_dim * 2,
	};
}

const struct iau_tokenizer *iau_model_tokenizer(const struct iau_model *m)
{
	return m->tok;
}

static struct iau_graph *graph_of(struct iau_session *s, uint32_t rows, bool sparse,
				  enum iau_graph_logits logits)
{
	return &s->graph[__builtin_ctz(rows)][sparse][logits];
}

int iau_session_graph(struct iau_session *s, uint32_t rows, bool sparse, enum iau_graph_logits logits,
		      struct iau_graph **out)
{
	struct iau_graph *g = graph_of(s, rows, sparse, logits);
	struct iau_graph_config cfg;

	*out = g;
	if (g->bytes)
		return 0;
	cfg = s->cfg;
	cfg.sparse = sparse;
	return iau_graph_build(s->model->dev, &cfg, rows, logits, g);
}

/*
 * ROWS of the widest graph of so many or fewer that fits the scratchpad; -ENOSPC: not even one. With logits: without
 * them the last layer needs less.
 */
static int widest(struct iau_session *s, bool sparse, uint32_t *rows)
{
	struct iau_graph *g;
	int err;

	for (;; *rows /= 2) {
		err = iau_session_graph(s, *rows, sparse, *rows > 1 ? LOGITS_ONE : LOGITS_ALL, &g);
		if (err != -ENOSPC || *rows == 1)
			return err;
	}
}

int iau_session_widest_choice(struct iau_session *s)
{
	uint32_t rows = s->rows[0];
	int err;

	if (s->rows[1])
		return 0;
	err = widest(s, true, &rows);
	if (!err)
		s->rows[1] = rows;
	return err;
}

static int create(struct iau_session *s)
{
	struct iau_model *m = s->model;
	size_t logits = (size_t)MOST_ROWS * m->hp.n_vocab * 4, rows = (size_t)MOST_ROWS * m->hp.n_embd * 4;
	struct iau_device_info info;
	int err;

	iau_device_info(m->dev, &info);
	s->cfg = (struct iau_graph_config){ .hp = &m->hp, .w = &m->w, .stop = m->stop, .n_stop = m->n_stop,
					    .vsp_bytes = info.vector_bytes };
	s->token = calloc(m->n_ctx, sizeof(*s->token));
	err = s->token ? iau_kv_create(s) : iau_error_nomem("session");
	if (!err)
		err = iau_buffer_create(m->dev, TOKEN_BYTES + logits + rows, IAU_ACCESS_RW, &s->io);
	s->cfg.tokens_va = s->io.va;
	s->cfg.logits_va = s->io.va + TOKEN_BYTES;
	s->cfg.rows_va = s->cfg.logits_va + logits;
	s->rows[0] = MOST_ROWS;
	return err ? err : widest(s, false, &s->rows[0]);
}

int iau_session_create(struct iau_model *m, struct iau_session **out)
{
	struct iau_session *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return iau_error_nomem("session");
	s->model = m;
	s->next = m->sessions;
	if (s->next)
		s->next->prev = s;
	m->sessions = s;
	err = create(s);
	if (err) {
		iau_session_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void iau_session_free(struct iau_session *s)
{
	if (!s)
		return;
	iau_bounds_free(s);
	for (uint32_t rows = 1; rows <= MOST_ROWS; rows *= 2)
		for (int i = 0; i < IAU_GRAPH_LOGITS; i++)
			iau_graph_free(s->model->dev, graph_of(s, rows, false, i));
	iau_buffer_destroy(s->model->dev, &s->io);
	iau_kv_free(s);
	*(s->prev ? &s->prev->next : &s->model->sessions) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s->token);
	free(s);
}

uint32_t iau_session_length(const struct iau_session *s)
{
	return s->length;
}

int iau_session_truncate(struct iau_session *s, uint32_t length)
{
	if (length > s->length)
		return iau_error(-EINVAL, "sequence has %u tokens, not %u", s->length, length);
	s->length = length;
	s->last = NULL;
	iau_bounds_shrink(s, length);
	return iau_kv_shrink(s, length);
}

const int32_t *iau_session_tokens(const struct iau_session *s)
{
	return s->token;
}

int iau_session_fork(const struct iau_session *from, uint32_t length, struct iau_session **out)
{
	int err;

	*out = NULL;
	if (length > from->length)
		return iau_error(-EINVAL, "sequence has %u tokens, not %u", from->length, length);
	err = iau_session_create(from->model, out);
	if (!err)
		err = iau_bounds_share(from, length, *out);
	if (err) {
		iau_session_free(*out);
		*out = NULL;
		return err;
	}
	iau_kv_share(from, length, *out);
	memcpy((*out)->token, from->token, length * sizeof(*from->token));
	(*out)->length = length;
	return 0;
}

int iau_model_kv_budget(struct iau_model *m, uint64_t bytes)
{
	uint64_t before = m->pool.usage.now->budget;
	int err;

	m->pool.usage.now->budget = bytes;
	m->pool.clock++; /* nothing is in use */
	err = kv_pool_room(&m->pool, 0);
	if (err)
		m->pool.usage.now->budget = before;
	return err;
}

void iau_model_kv_usage(const struct iau_model *m, struct iau_kv_usage *out)
{
	*out = *m->pool.usage.now;
}

const float *iau_session_logits(const struct iau_session *s)
{
	return s->last;
}

const float *iau_session_row(const struct iau_session *s, uint32_t row)
{
	return (const float *)(const void *)((const uint8_t *)s->io.ptr + TOKEN_BYTES) +
	       (size_t)row * s->model->hp.n_vocab;
}

const struct iau_sparse *iau_session_choice(const struct iau_session *s, bool many)
{
	return iau_sparse_candidates(&s->cfg.kv, &s->sparse[many], s->length) ? &s->sparse[many] : NULL;
}

static void on_span(void *opaque, const struct iau_span *span)
{
	static const char *const names[] = IAU_OP_NAMES;
	const struct iau_op_trace *t = opaque;
	struct iau_op_span out = { .span = *span, .rows = t->running->rows };

	_Static_assert(sizeof(names) / sizeof(*names) == IAU_OPS, "a name for each operator");
	if (span->unit != IAU_UNIT_JOB) {
		uint16_t label = t->running->labels[span->command];

		out.op = names[IAU_LABEL_OP(label)];
		out.layer = IAU_LABEL_LAYER(label);
	}
	t->fn(t->opaque, &out);
}

int iau_session_trace(struct iau_session *s, iau_op_span_fn fn, void *opaque)
{
	struct iau_model *m = s->model;

	m->trace.fn = fn;
	m->trace.opaque = opaque;
	return iau_device_trace(m->dev, fn ? on_span : NULL, &m->trace);
}

int iau_check_tokens(const struct iau_session *s, const int32_t *tokens, size_t n)
{
	if (n > s->model->n_ctx - s->length)
		return iau_error(-ENOSPC, "%zu tokens after %u do not fit the context of %u", n,
				 s->length, s->model->n_ctx);
	for (size_t i = 0; i < n; i++)
		if (tokens[i] < 0 || (uint32_t)tokens[i] >= s->model->hp.n_vocab)
			return iau_error(-EINVAL, "token %zu is %d; the vocabulary has %u", i,
					 tokens[i], s->model->hp.n_vocab);
	return 0;
}
