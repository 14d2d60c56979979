/* SPDX-License-Identifier: MIT */
#include "runtime/session.h"
#include "base/error.h"
#include "model/tensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the prefill graph to try, widest first. */
static const uint32_t row_choices[] = { 32, 16, 8, 4, 2 };

#define TOKEN_BYTES 4096u

/* All but the file itself */
static int load(struct iau_model *m, uint32_t n_ctx)
{
	int err = iau_hparams_load(m->gguf, &m->hp);

	if (!err)
		err = iau_tensors_check(m->gguf, &m->hp);
	if (!err)
		err = iau_tokenizer_load(m->gguf, &m->tok);
	if (err)
		return err;
	m->n_ctx = n_ctx && n_ctx < m->hp.n_ctx ? n_ctx : m->hp.n_ctx;
	return iau_weights_load(m->dev, m->gguf, &m->hp, (m->n_ctx + 31) & ~31u, &m->w);
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
	iau_weights_free(m->dev, &m->w);
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
		.kv_bytes = (uint64_t)m->hp.n_layer * m->hp.n_head_kv * (m->hp.head_dim / 16 * 33 + 4),
		.attention_macs = (uint64_t)m->hp.n_layer * m->hp.n_head * m->hp.head_dim * 2,
	};
}

const struct iau_tokenizer *iau_model_tokenizer(const struct iau_model *m)
{
	return m->tok;
}

/* The widest prefill graph that fits the scratchpad. */
static int choose_rows(struct iau_session *s)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(row_choices) / sizeof(*row_choices); i++) {
		err = iau_graph_build(s->model->dev, &s->cfg, row_choices[i], LOGITS_NONE,
				      &s->many[LOGITS_NONE]);
		if (err != -ENOSPC) {
			s->rows = row_choices[i];
			return err;
		}
	}
	s->rows = 1;
	return 0;
}

int iau_session_create(struct iau_model *m, struct iau_session **out)
{
	struct iau_session *s = calloc(1, sizeof(*s));
	struct iau_device_info info;
	size_t logits = (size_t)32 * m->hp.n_vocab * 4;
	int err;

	*out = NULL;
	if (!s)
		return iau_error_nomem("session");
	s->model = m;
	iau_device_info(m->dev, &info);
	s->cfg = (struct iau_graph_config){ .hp = &m->hp, .w = &m->w,
					    .kv = iau_kv_layout(&m->hp, m->n_ctx),
					    .vsp_bytes = info.vector_bytes };
	s->range = calloc(m->hp.n_layer, sizeof(*s->range));
	if (!s->range) {
		free(s);
		return iau_error_nomem("session");
	}
	err = iau_kv_bytes(&s->cfg.kv) >> 32 ? iau_error(-ENOTSUP, "it takes more than 4 GiB") :
					       iau_buffer_reserve(m->dev, iau_kv_bytes(&s->cfg.kv), &s->kv);
	if (err)
		iau_error(err, "KV cache of %u tokens: %s", m->n_ctx, iau_last_error());
	else
		err = iau_buffer_create(m->dev, TOKEN_BYTES + logits, IAU_ACCESS_RW, &s->io);
	s->cfg.kv.va = s->kv.va;
	s->cfg.tokens_va = s->io.va;
	s->cfg.logits_va = s->io.va + TOKEN_BYTES;
	if (!err)
		err = iau_graph_build(m->dev, &s->cfg, 1, LOGITS_ALL, &s->one[LOGITS_ALL]);
	if (!err)
		err = choose_rows(s);
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
	for (int i = IAU_GRAPH_LOGITS - 1; i >= 0; i--) {
		iau_graph_free(s->model->dev, &s->many[i]);
		iau_graph_free(s->model->dev, &s->one[i]);
	}
	iau_buffer_destroy(s->model->dev, &s->io);
	iau_buffer_destroy(s->model->dev, &s->kv);
	free(s->range);
	free(s);
}

typedef int (*ranges_fn)(struct iau_device *dev, const struct iau_buffer *buf,
			 const struct iau_range *range, size_t n);

/* The pages that blocks FROM to TO - 1, of one slab, of every layer take beyond those before them */
static int for_pages(struct iau_session *s, uint32_t from, uint32_t to, ranges_fn fn)
{
	const struct iau_kv_layout *kv = &s->cfg.kv;
	uint32_t slab = from / kv->slab_blocks, start = slab * kv->slab_blocks;
	uint64_t first = iau_pages((uint64_t)(from - start) * kv->block_bytes);
	uint64_t end = iau_pages((uint64_t)(to - start) * kv->block_bytes);

	if (first == end)
		return 0;
	for (uint32_t l = 0; l < s->model->hp.n_layer; l++)
		s->range[l] = (struct iau_range){ (uint64_t)slab * kv->slab_bytes +
						  (uint64_t)l * kv->layer_bytes + first, end - first };
	return fn(s->model->dev, &s->kv, s->range, s->model->hp.n_layer);
}

int iau_kv_grow(struct iau_session *s, uint32_t tokens)
{
	uint32_t need = (tokens + 31) / 32, have = s->kv_blocks;
	int err;

	/* a slab at a time: what could be had remains */
	for (; have < need; have = s->kv_blocks) {
		uint32_t slab = s->cfg.kv.slab_blocks, next = have / slab * slab + slab;

		if (next > need)
			next = need;
		err = for_pages(s, have, next, iau_buffer_commit);
		if (err)
			return iau_error(err, "KV cache of %u tokens: %s", tokens, iau_last_error());
		s->kv_blocks = next;
	}
	return 0;
}

/* What the cache has beyond TOKENS tokens goes back. */
static int kv_shrink(struct iau_session *s, uint32_t tokens)
{
	uint32_t need = (tokens + 31) / 32, have = s->kv_blocks;
	int err;

	/* from the end: what is left is as if it had never grown further */
	for (; have > need; have = s->kv_blocks) {
		uint32_t slab = s->cfg.kv.slab_blocks, next = (have - 1) / slab * slab;

		if (next < need)
			next = need;
		err = for_pages(s, next, have, iau_buffer_decommit);
		if (err)
			return err;
		s->kv_blocks = next;
	}
	return 0;
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
	return kv_shrink(s, length);
}

const float *iau_session_logits(const struct iau_session *s)
{
	return s->last;
}

/* Whether the next tokens attend to a choice of blocks */
static bool is_sparse(const struct iau_session *s, bool many)
{
	return iau_sparse_candidates(&s->cfg.kv, &s->sparse[many], s->length, many ? s->rows : 1);
}

static int get_graph(struct iau_session *s, bool many, enum iau_graph_logits logits,
		     struct iau_graph **out)
{
	struct iau_graph_config cfg = s->cfg;

	cfg.sparse = is_sparse(s, many);
	*out = cfg.sparse ? &s->chosen[many][logits] : many ? &s->many[logits] : &s->one[logits];
	if ((*out)->bytes)
		return 0;
	return iau_graph_build(s->model->dev, &cfg, many ? s->rows : 1, logits, *out);
}

/* Runs one graph over N tokens; the graph's rows beyond N compute what nobody reads. */
static int run_graph(struct iau_session *s, const struct iau_graph *g, const int32_t *tokens, size_t n)
{
	uint32_t *offset = s->io.ptr, param[IAU_PARAMS] = { 0 };
	int err = iau_kv_grow(s, s->length + g->rows);

	if (err)
		return err;
	for (uint32_t r = 0; r < g->rows; r++)
		offset[r] = r < n ? (uint32_t)tokens[r] * s->model->w.embd_stride : 0;
	param[GRAPH_TOKEN] = offset[0];
	param[GRAPH_ROW] = (uint32_t)(n - 1) * s->model->hp.n_embd * 4;
	iau_graph_params(&s->model->hp, &s->cfg.kv, s->length, g->rows, param);
	if (is_sparse(s, g->rows > 1)) {
		err = iau_bounds_update(s);
		if (err)
			return err;
		iau_sparse_params(&s->cfg.kv, &s->sparse[g->rows > 1], s->length, g->rows, param);
	}
	s->trace.running = g;
	return iau_device_execute(s->model->dev, g->buf.va, g->bytes, param);
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

int iau_op_trace(struct iau_device *dev, struct iau_op_trace *t, iau_op_span_fn fn, void *opaque)
{
	t->fn = fn;
	t->opaque = opaque;
	return iau_device_trace(dev, fn ? on_span : NULL, t);
}

int iau_session_trace(struct iau_session *s, iau_op_span_fn fn, void *opaque)
{
	return iau_op_trace(s->model->dev, &s->trace, fn, opaque);
}

/* How many of N tokens the next run takes; sets MANY if the wide graph runs. */
static size_t next_run(const struct iau_session *s, size_t n, bool *many)
{
	*many = s->rows > 1 && s->length % s->rows == 0 && n > s->rows / 4 &&
		s->length + s->rows <= s->cfg.kv.n_ctx;
	if (!*many)
		return 1;
	return n < s->rows ? n : s->rows;
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

int iau_session_eval(struct iau_session *s, const int32_t *tokens, size_t n, iau_logits_fn each,
		     void *opaque)
{
	const float *logits = (const float *)(const void *)((uint8_t *)s->io.ptr + TOKEN_BYTES);
	uint32_t n_vocab = s->model->hp.n_vocab;
	int err = iau_check_tokens(s, tokens, n);

	while (n && !err) {
		struct iau_graph *g;
		bool many;
		size_t take = next_run(s, n, &many);
		enum iau_graph_logits want = each || (n == take && !many) ? LOGITS_ALL :
					     n == take			   ? LOGITS_ONE :
									     LOGITS_NONE;

		err = get_graph(s, many, want, &g);
		if (!err)
			err = run_graph(s, g, tokens, take);
		for (size_t r = 0; r < take && each && !err; r++)
			err = each(opaque, s->length + (uint32_t)r, logits + r * n_vocab);
		if (err)
			break;
		s->last = want == LOGITS_NONE ? NULL :
			  want == LOGITS_ONE  ? logits :
						logits + (take - 1) * n_vocab;
		s->length += (uint32_t)take;
		tokens += take;
		n -= take;
		err = iau_bounds_update(s);
	}
	return err;
}
