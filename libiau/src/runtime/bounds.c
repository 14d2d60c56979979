/* SPDX-License-Identifier: MIT */
/*
 * Sparse attention of a session: what is asked for, and the bounds of keys that it chooses by. Those follow
 * from the KV cache; they are made, if attention is sparse, as blocks are filled.
 */
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

static uint32_t blocks(uint32_t tokens)
{
	return (uint32_t)(((uint64_t)tokens + 31) / 32);
}

static int grow(struct iau_session *s, uint32_t tokens)
{
	uint64_t need = iau_pages(iau_bounds_bytes(&s->cfg.bounds, tokens));
	struct iau_range more = { s->bounds_bytes, need - s->bounds_bytes };
	int err;

	if (need <= s->bounds_bytes)
		return 0;
	err = kv_pool_room(&s->model->pool, more.size);
	if (!err)
		err = iau_buffer_commit(s->model->dev, &s->bounds, &more, 1);
	if (err)
		return iau_error(err, "bounds of %u tokens: %s", tokens, iau_last_error());
	s->model->pool.usage.now->device += more.size;
	s->bounds_bytes = need;
	return 0;
}

/* Room for bounds, PER_BLOCK of a block; other ones than there are make a new start. */
static int reserve(struct iau_session *s, uint32_t per_block)
{
	struct iau_bounds_layout bounds = iau_bounds_layout(&s->model->hp, per_block);
	int err;

	if (s->bounds.va && s->cfg.bounds.per_block == per_block)
		return 0;
	iau_bounds_free(s);
	err = iau_buffer_reserve(s->model->dev, iau_bounds_bytes(&bounds, s->cfg.kv.n_ctx), &s->bounds);
	if (err)
		return iau_error(err, "bounds of %u tokens: %s", s->cfg.kv.n_ctx, iau_last_error());
	bounds.va = s->bounds.va;
	s->cfg.bounds = bounds;
	return 0;
}

int iau_bounds_share(const struct iau_session *from, uint32_t tokens, struct iau_session *to)
{
	uint32_t blocks = from->bounds_blocks < tokens / 32 ? from->bounds_blocks : tokens / 32;
	int err = from->bounds.va ? reserve(to, from->cfg.bounds.per_block) : 0;

	if (!err)
		err = grow(to, blocks * 32);
	if (err)
		return err;
	if (blocks)
		memcpy(to->bounds.ptr, from->bounds.ptr, iau_bounds_bytes(&to->cfg.bounds, blocks * 32));
	to->bounds_blocks = blocks;
	memcpy(to->sparse, from->sparse, sizeof(to->sparse));
	to->rows[1] = from->rows[1];
	return 0;
}

/* Those of slab I, as far as the sequence has full blocks */
static int update_slab(struct iau_session *s, uint32_t i)
{
	uint32_t end = (i + 1) * s->cfg.kv.slab_blocks, need = s->length / 32 < end ? s->length / 32 : end;
	uint64_t used;
	int err = iau_kv_hold(s, i, &used);

	for (; !err && s->bounds_blocks < need; s->bounds_blocks++) {
		uint32_t param[IAU_PARAMS] = { 0 };

		iau_bounds_params(&s->cfg, s->bounds_blocks, param);
		s->model->trace.running = &s->bound;
		err = iau_device_execute(s->model->dev, s->bound.buf.va, s->bound.bytes, param);
		if (err)
			break;
	}
	return err ? err : iau_kv_let_go(s, i, used);
}

int iau_bounds_update(struct iau_session *s)
{
	uint32_t need = s->sparse[0].chunks | s->sparse[1].chunks ? s->length / 32 : 0;
	int err = grow(s, need * 32);

	if (err || s->bounds_blocks >= need)
		return err;
	if (s->cfg.packed.block_bytes)
		err = iau_kv_pack(s);
	if (!err && !s->bound.bytes)
		err = iau_bounds_build(s->model->dev, &s->cfg, &s->bound);
	while (!err && s->bounds_blocks < need)
		err = update_slab(s, s->bounds_blocks / s->cfg.kv.slab_blocks);
	return err;
}

/*
 * OUT: what a budget of so many tokens a layer, on average, comes to. Layers differ by a chunk at most, and the
 * last ones, whose choices there is no layer behind to make up for, have more. What a window leaves, it leaves in
 * all layers.
 */
static int take(const struct iau_session *s, const struct iau_attention *a, uint32_t budget, struct iau_sparse *out)
{
	uint32_t per = s->cfg.kv.chunk_blocks, layers = s->model->hp.n_layer, chosen;
	uint64_t chunks = (uint64_t)blocks(budget) * layers / per;

	*out = (struct iau_sparse){ .chunks = (uint32_t)(chunks / layers), .more = (uint32_t)(chunks % layers),
				    .sink = blocks(a->sink), .recent = blocks(a->recent),
				    .dense_layers = a->dense_layers, .pairs = a->block == 64 };
	out->sink += out->pairs && out->sink % 2;
	if (!budget)
		return 0;
	if (out->chunks < 2)
		return iau_error(-EINVAL, "a budget of %u tokens is less than %u", budget, 2 * per * 32);
	chosen = (out->chunks - 1) * per;
	if (out->sink > chosen)
		return iau_error(-EINVAL, "%u first tokens are more than %u, which a budget of %u leaves beside "
				 "the newest", out->sink * 32, chosen * 32, budget);
	if (out->recent > chosen)
		out->more = 0;
	return 0;
}

int iau_session_attention(struct iau_session *s, const struct iau_attention *a)
{
	struct iau_sparse want[2];
	int err;

	if (a->block && a->block != 16 && a->block != 32 && a->block != 64)
		return iau_error(-EINVAL, "blocks of %u tokens: 16, 32 and 64 are possible", a->block);
	err = take(s, a, a->budget, &want[0]);
	if (!err)
		err = take(s, a, a->prompt_budget, &want[1]);
	if (!err && (a->budget || a->prompt_budget))
		err = reserve(s, a->block == 16 ? 2 : 1);
	if (!err && want[1].chunks)
		err = iau_session_widest_choice(s);
	if (err)
		return err;
	memcpy(s->sparse, want, sizeof(want));
	s->model->pool.clock++;
	return iau_bounds_update(s);
}

/* A block that lost its last tokens gets new ones, and bounds of theirs. */
void iau_bounds_shrink(struct iau_session *s, uint32_t tokens)
{
	uint64_t keep = s->bounds.va ? iau_pages(iau_bounds_bytes(&s->cfg.bounds, tokens)) : 0;
	struct iau_range less = { keep, s->bounds_bytes - keep };

	if (s->bounds_blocks > tokens / 32)
		s->bounds_blocks = tokens / 32;
	if (keep < s->bounds_bytes && !iau_buffer_decommit(s->model->dev, &s->bounds, &less, 1)) {
		s->model->pool.usage.now->device -= less.size;
		s->bounds_bytes = keep;
	}
}

void iau_bounds_free(struct iau_session *s)
{
	iau_graph_free(s->model->dev, &s->bound);
	for (uint32_t i = 0; i < IAU_SESSION_ROWS; i++)
		for (uint32_t k = 0; k < IAU_GRAPH_LOGITS; k++)
			iau_graph_free(s->model->dev, &s->graph[i][true][k]);
	iau_kv_free_parts(s);
	iau_buffer_destroy(s->model->dev, &s->bounds);
	s->model->pool.usage.now->device -= s->bounds_bytes;
	s->bounds_bytes = 0;
	s->bounds_blocks = s->rows[1] = 0;
	memset(s->sparse, 0, sizeof(s->sparse));
}
