/* SPDX-License-Identifier: MIT */
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Device memory: blocks of registers, one a sequence, then logits. */
struct iau_batch {
	struct iau_model *model;
	struct iau_graph_config cfg;
	struct iau_buffer io;
	struct iau_graph graph[2][IAU_BATCH_MAX]; /* short and long; of N + 1; built when first needed */
	uint32_t max;
};

#define REGISTERS_BYTES (IAU_BATCH_MAX * IAU_PARAM_BYTES)

static void free_graphs(struct iau_batch *b)
{
	for (int i = IAU_BATCH_MAX - 1; i >= 0; i--) {
		iau_graph_free(b->model->dev, &b->graph[0][i]);
		iau_graph_free(b->model->dev, &b->graph[1][i]);
	}
}

/* That of the model's KV caches, which may have become another one since the graphs were built */
static void take_precision(struct iau_batch *b)
{
	const struct iau_kv_layout *packed = &b->model->pool.form[KV_PACKED];

	if (b->cfg.packed.block_bytes == packed->block_bytes && b->cfg.packed.key_bytes == packed->key_bytes)
		return;
	free_graphs(b);
	b->cfg.packed = *packed;
}

int iau_batch_create(struct iau_model *m, uint32_t max, struct iau_batch **out)
{
	struct iau_kv_layout kv = iau_kv_layout(&m->hp, m->n_ctx);
	struct iau_device_info info;
	size_t logits, rows;
	struct iau_batch *b;
	int err;

	*out = NULL;
	if (max < 1 || max > IAU_BATCH_MAX)
		return iau_error(-EINVAL, "a batch has 1 to %u sequences, not %u", IAU_BATCH_MAX, max);
	b = calloc(1, sizeof(*b));
	if (!b)
		return iau_error_nomem("batch");
	iau_device_info(m->dev, &info);
	b->model = m;
	b->max = max;
	logits = (size_t)max * m->hp.n_vocab * 4;
	rows = (size_t)(max + max % 2) * m->hp.n_embd * 4;
	b->cfg = (struct iau_graph_config){ .hp = &m->hp, .w = &m->w, .kv = iau_kv_layout_batch(&kv),
					    .vsp_bytes = info.vector_bytes };
	take_precision(b);
	err = iau_buffer_create(m->dev, REGISTERS_BYTES + logits + rows, IAU_ACCESS_RW, &b->io);
	b->cfg.tokens_va = b->io.va;
	b->cfg.rows_va = b->io.va + REGISTERS_BYTES;
	b->cfg.logits_va = b->cfg.rows_va + rows;
	if (!err)
		err = iau_graph_build_batch(m->dev, &b->cfg, max, true, &b->graph[1][max - 1]);
	if (err) {
		iau_batch_free(b);
		return err;
	}
	*out = b;
	return 0;
}

void iau_batch_free(struct iau_batch *b)
{
	if (!b)
		return;
	free_graphs(b);
	iau_buffer_destroy(b->model->dev, &b->io);
	free(b);
}

static int check(const struct iau_batch *b, struct iau_session *const *s, const int32_t *tokens, uint32_t n)
{
	int err = 0;

	if (n < 1 || n > b->max)
		return iau_error(-EINVAL, "%u sequences for a batch of 1 to %u", n, b->max);
	for (uint32_t i = 0; i < n && !err; i++) {
		if (s[i]->model != b->model)
			return iau_error(-EINVAL, "sequence %u is another model's", i);
		for (uint32_t k = 0; k < i; k++)
			if (s[k] == s[i])
				return iau_error(-EINVAL, "sequences %u and %u are the same", k, i);
		err = iau_check_tokens(s[i], &tokens[i], 1);
		if (err)
			iau_error(err, "sequence %u: %s", i, iau_last_error());
	}
	return err;
}

/* Each sequence's registers, where the device takes them up */
static void set_registers(struct iau_batch *b, struct iau_session *const *s, const int32_t *tokens,
			  uint32_t n, bool *is_long)
{
	uint32_t at[IAU_BATCH_MAX][GRAPH_PARAMS] = { { 0 } };
	uint64_t va[IAU_BATCH_MAX];

	*is_long = false;
	for (uint32_t i = 0; i < n; i++) {
		iau_graph_params(&b->model->hp, &b->cfg.kv, s[i]->length, 1, at[i]);
		at[i][GRAPH_TOKEN] = (uint32_t)tokens[i] * b->model->w.embd_stride;
		at[i][GRAPH_TABLE] = (uint32_t)s[i]->cfg.table_va;
		at[i][GRAPH_TABLE_HI] = (uint32_t)(s[i]->cfg.table_va >> 32);
		va[i] = s[i]->cfg.kv.va;
		*is_long |= at[i][GRAPH_FULL] > 0;
	}
	iau_batch_params(&b->model->hp, va, n, at);
	memcpy(b->io.ptr, at, n * sizeof(*at));
}

static int run(struct iau_batch *b, struct iau_session *const *s, const int32_t *tokens, uint32_t n)
{
	struct iau_graph *g;
	bool is_long;
	int err = 0;

	take_precision(b);
	set_registers(b, s, tokens, n, &is_long);
	g = &b->graph[is_long][n - 1];
	if (!g->bytes)
		err = iau_graph_build_batch(b->model->dev, &b->cfg, n, is_long, g);
	if (err)
		return err;
	b->model->trace.running = g;
	return iau_device_execute(b->model->dev, g->buf.va, g->bytes, NULL);
}

int iau_batch_eval(struct iau_batch *b, struct iau_session *const *s, const int32_t *tokens, uint32_t n)
{
	const float *logits = (const float *)(const void *)((uint8_t *)b->io.ptr + (b->cfg.logits_va - b->io.va));
	int err = check(b, s, tokens, n);

	for (uint32_t i = 0; i < n && !err; i++)
		iau_kv_divide(s[i], 1, NULL);
	if (!err)
		err = iau_kv_prepare(s, n, 1);
	if (!err)
		err = run(b, s, tokens, n);
	for (uint32_t i = 0; i < n && !err; i++) {
		s[i]->last = logits + (size_t)i * b->model->hp.n_vocab;
		s[i]->token[s[i]->length++] = tokens[i];
	}
	return err;
}
