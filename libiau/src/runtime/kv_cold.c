/* SPDX-License-Identifier: MIT */
/*
 * A sequence that does not fit the budget by itself, with a choice of blocks: pages that were not chosen lately are in
 * host memory. A layer's choice needs bounds alone, which stay. So the model is evaluated in parts, each of which ends
 * with the choice of the next one's layer; the host brings the pages that it lacks. No job waits for the host, so that
 * no fence does either.
 */
#include "runtime/kv_pages.h"
#include "runtime/session.h"
#include "base/error.h"

#include <stdlib.h>

/* Device memory for all keys and values of S with ROWS tokens more, and for what cannot go */
static uint64_t whole_bytes(const struct iau_session *s, uint32_t rows)
{
	const struct kv_pool *pool = &s->model->pool;
	uint32_t per = s->cfg.kv.slab_blocks, need = (s->length + rows + 31) / 32;
	/* a slab that gets packed is there in both forms for a while */
	uint64_t bytes = s->cfg.packed.block_bytes ? s->cfg.packed.slab_bytes : 0;

	for (uint32_t i = 0; i * per < need; i++) {
		uint32_t blocks = need - i * per < per ? need - i * per : per;
		const struct kv_slab *slab = i < s->kv.n ? s->kv.slab[i] : NULL;

		bytes += slab && slab->blocks >= blocks ? kv_slab_bytes(pool, slab) :
							  kv_layer_pages(pool, KV_INT8, blocks) * pool->n_layer;
	}
	for (const struct iau_session *o = s->model->sessions; o; o = o->next)
		bytes += o->bounds_bytes;
	/* ... and what bounds of the new tokens take */
	return bytes + iau_pages(iau_bounds_bytes(&s->cfg.bounds, s->length + rows)) - s->bounds_bytes;
}

bool iau_kv_divide(struct iau_session *s, uint32_t rows, const struct iau_sparse *choice)
{
	uint64_t budget = s->model->pool.usage.now->budget;

	s->kv.divided = 0;
	if (choice && budget && whole_bytes(s, rows) > budget)
		s->kv.divided = iau_sparse_candidates(&s->cfg.kv, choice, s->length) / s->cfg.kv.slab_blocks;
	return s->kv.divided;
}

/* Parts by the layers that they tell of; behind those the last one, by its logits. One more than a layer tells of it. */
static struct iau_graph *part_of(struct iau_session *s, uint32_t rows, uint32_t to, enum iau_graph_logits logits)
{
	return &s->part[__builtin_ctz(rows)][to + (to == s->model->hp.n_layer ? logits : 0)];
}

static int create_parts(struct iau_session *s, uint32_t rows)
{
	const struct iau_hparams *hp = &s->model->hp;
	struct iau_graph **part = &s->part[__builtin_ctz(rows)];
	uint32_t lists = hp->n_head_kv * iau_chosen_bytes(&s->cfg.kv);

	if (!*part)
		*part = calloc(hp->n_layer + IAU_GRAPH_LOGITS, sizeof(**part));
	if (!*part)
		return iau_error_nomem("graph");
	return s->told.ptr ? 0 : iau_buffer_create(s->model->dev, lists, IAU_ACCESS_RW, &s->told);
}

static int build_part(struct iau_session *s, uint32_t rows, uint32_t to, enum iau_graph_logits logits)
{
	struct iau_graph *g = part_of(s, rows, to, logits);
	struct iau_graph_config cfg;

	if (g->bytes)
		return 0;
	cfg = s->cfg;
	cfg.sparse = cfg.is_part = true;
	cfg.from = to ? to - 1 : 0;
	cfg.to = to;
	cfg.chosen_va = s->told.va;
	return iau_graph_build(s->model->dev, &cfg, rows, to < s->model->hp.n_layer ? LOGITS_NONE : logits, g);
}

void iau_kv_free_parts(struct iau_session *s)
{
	for (uint32_t r = 0; r < IAU_SESSION_ROWS; r++) {
		for (uint32_t i = 0; s->part[r] && i < s->model->hp.n_layer + IAU_GRAPH_LOGITS; i++)
			iau_graph_free(s->model->dev, &s->part[r][i]);
		free(s->part[r]);
		s->part[r] = NULL;
	}
	iau_buffer_destroy(s->model->dev, &s->told);
}

/* The slab that a list's ENTRY is about, and which of its blocks */
static uint32_t slab_of(const struct iau_session *s, uint32_t entry, uint32_t *block)
{
	bool packed = entry & 1;
	const struct iau_kv_layout *kv = packed ? &s->cfg.packed : &s->cfg.kv;
	uint32_t at = packed ? entry - 1 - (uint32_t)(kv->va - s->cfg.kv.va) : entry;

	*block = at % kv->slab_bytes / kv->block_bytes;
	return at / kv->slab_bytes;
}

static int bring_layer(struct iau_session *s, uint32_t l)
{
	struct kv_pool *pool = &s->model->pool;
	int err = 0;

	for (uint32_t i = 0; i < s->kv.divided && !err; i++)
		err = kv_pages_promote(pool, s->kv.slab[i], kv_pages_all(pool, s->kv.slab[i], l));
	return err;
}

/* What layer L attends to comes: N blocks of each KV head, or all. */
static int bring_chosen(struct iau_session *s, uint32_t l, uint32_t n)
{
	struct kv_pool *pool = &s->model->pool;
	uint32_t words = iau_chosen_bytes(&s->cfg.kv) / 4, n_kv = s->model->hp.n_head_kv;
	const uint32_t *list = s->told.ptr;
	int err = n ? 0 : bring_layer(s, l);

	for (uint32_t k = 0; k < n * n_kv && !err; k++) {
		uint32_t block, i = slab_of(s, list[k / n * words + k % n], &block);

		if (i < s->kv.divided)
			err = kv_pages_promote(pool, s->kv.slab[i], kv_pages_of(pool, s->kv.slab[i], l, block));
	}
	return err;
}

/* What layers before needed may go from here on; slabs that are attended to as wholes may not. */
static void next_layer(struct iau_session *s)
{
	uint64_t clock = ++s->model->pool.clock;

	for (uint32_t i = s->kv.divided; i < s->kv.n; i++)
		s->kv.slab[i]->used = clock;
}

int iau_kv_run_parts(struct iau_session *s, uint32_t rows, enum iau_graph_logits logits, const uint32_t *param)
{
	struct iau_model *m = s->model;
	int err = create_parts(s, rows);

	for (uint32_t to = 0; to <= m->hp.n_layer && !err; to++) {
		const struct iau_graph *g = part_of(s, rows, to, logits);

		err = build_part(s, rows, to, logits);
		m->trace.running = g;
		if (!err)
			err = iau_device_execute(m->dev, g->buf.va, g->bytes, param);
		next_layer(s);
		if (!err && to < m->hp.n_layer)
			err = bring_chosen(s, to, iau_sparse_chosen(param, &s->cfg.kv, to));
	}
	return err;
}
