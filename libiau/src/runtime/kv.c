/* SPDX-License-Identifier: MIT */
#include "runtime/kv.h"
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t iau_kv_slabs(const struct iau_kv_layout *kv, uint32_t tokens)
{
	uint32_t per = kv->slab_blocks * 32;

	return (tokens + per - 1) / per;
}

int iau_kv_create(struct iau_session *s)
{
	uint64_t bytes = iau_kv_bytes(&s->cfg.kv);
	uint32_t slabs = iau_kv_slabs(&s->cfg.kv, s->cfg.kv.n_ctx);
	int err;

	s->kv.slab = calloc(slabs, sizeof(*s->kv.slab));
	s->kv.shown = calloc(slabs, sizeof(*s->kv.shown));
	if (!s->kv.slab || !s->kv.shown)
		return iau_error_nomem("KV cache");
	/* so that a scalar register can hold an offset */
	if (bytes >> 32)
		return iau_error(-ENOTSUP, "KV cache of %u tokens: it takes more than 4 GiB", s->cfg.kv.n_ctx);
	err = iau_view_create(s->model->dev, bytes, &s->kv.view);
	if (err)
		return iau_error(err, "KV cache of %u tokens: %s", s->cfg.kv.n_ctx, iau_last_error());
	s->cfg.kv.va = s->kv.view.va;
	return 0;
}

void iau_kv_free(struct iau_session *s)
{
	iau_view_destroy(s->model->dev, &s->kv.view);
	while (s->kv.n)
		kv_slab_put(&s->model->pool, s->kv.slab[--s->kv.n]);
	free(s->kv.slab);
	free(s->kv.shown);
}

static struct iau_range part_of_view(const struct iau_session *s, uint32_t i)
{
	return (struct iau_range){ (uint64_t)i * s->cfg.kv.slab_bytes, s->cfg.kv.slab_bytes };
}

static int show(struct iau_session *s, uint32_t i)
{
	const struct kv_pool *pool = &s->model->pool;
	const struct iau_buffer *buf;
	struct iau_range part;
	int err;

	if (s->kv.shown[i])
		return 0;
	buf = kv_slab_place(pool, s->kv.slab[i], &part);
	err = iau_view_map(pool->dev, &s->kv.view, part_of_view(s, i).offset, buf, part);
	s->kv.shown[i] = !err;
	return err;
}

static void hide(struct iau_session *s, uint32_t i)
{
	if (s->kv.shown[i])
		iau_view_unmap(s->model->dev, &s->kv.view, part_of_view(s, i));
	s->kv.shown[i] = false;
}

void iau_kv_leaves(void *opaque, const struct kv_slab *slab)
{
	const struct iau_model *m = opaque;

	for (struct iau_session *s = m->sessions; s; s = s->next)
		for (uint32_t i = 0; i < s->kv.n; i++)
			if (s->kv.slab[i] == slab)
				hide(s, i);
}

/* The slab that the next token goes to may be others', too: they keep it. */
static int own_last(struct iau_session *s)
{
	struct kv_pool *pool = &s->model->pool;
	uint32_t per = s->cfg.kv.slab_blocks * 32, i = s->length / per, blocks = (s->length % per + 31) / 32;
	struct kv_slab *copy;
	int err;

	if (i >= s->kv.n || s->kv.slab[i]->refs == 1)
		return 0;
	err = kv_slab_create(pool, false, &copy);
	if (err)
		return err;
	err = kv_slab_resize(pool, copy, blocks);
	if (err) {
		kv_slab_put(pool, copy);
		return err;
	}
	for (uint32_t l = 0; l < pool->n_layer; l++)
		memcpy(kv_slab_ptr(pool, copy, l), kv_slab_ptr(pool, s->kv.slab[i], l),
		       (size_t)blocks * s->cfg.kv.block_bytes);
	hide(s, i);
	kv_slab_put(pool, s->kv.slab[i]);
	s->kv.slab[i] = copy;
	return 0;
}

/* Slab I has memory for so many blocks. */
static int grow_slab(struct iau_session *s, uint32_t i, uint32_t blocks)
{
	struct kv_pool *pool = &s->model->pool;
	int err = 0;

	if (i == s->kv.n) {
		err = kv_slab_create(pool, false, &s->kv.slab[i]);
		if (err)
			return err;
		s->kv.n++;
	}
	if (s->kv.slab[i]->blocks < blocks)
		err = kv_slab_resize(pool, s->kv.slab[i], blocks);
	return err ? err : show(s, i);
}

static int prepare(struct iau_session *s, uint32_t rows)
{
	uint32_t per = s->cfg.kv.slab_blocks, need = (s->length + rows + 31) / 32;
	int err = 0;

	for (uint32_t i = 0; i < s->kv.n && !err; i++)
		if (!s->kv.slab[i]->arena)
			err = kv_slab_promote(&s->model->pool, s->kv.slab[i]);
	if (!err)
		err = own_last(s);
	for (uint32_t i = 0; i * per < need && !err; i++)
		err = grow_slab(s, i, need - i * per < per ? need - i * per : per);
	return err ? iau_error(err, "KV cache of %u tokens: %s", s->length + rows, iau_last_error()) : 0;
}

int iau_kv_prepare(struct iau_session *const *s, uint32_t n, uint32_t rows)
{
	int err = 0;

	s[0]->model->pool.clock++;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < s[i]->kv.n; k++)
			s[i]->kv.slab[k]->used = s[i]->model->pool.clock;
	for (uint32_t i = 0; i < n && !err; i++)
		err = prepare(s[i], rows);
	return err;
}

int iau_kv_shrink(struct iau_session *s, uint32_t tokens)
{
	uint32_t keep = iau_kv_slabs(&s->cfg.kv, tokens), per = s->cfg.kv.slab_blocks;
	struct kv_slab *last;

	while (s->kv.n > keep) {
		hide(s, --s->kv.n);
		kv_slab_put(&s->model->pool, s->kv.slab[s->kv.n]);
	}
	last = s->kv.n ? s->kv.slab[s->kv.n - 1] : NULL;
	if (!last || s->kv.n < keep || last->refs > 1 || !last->arena)
		return 0;
	tokens -= (keep - 1) * per * 32;
	return last->blocks > (tokens + 31) / 32 ?
		       kv_slab_resize(&s->model->pool, last, (tokens + 31) / 32) : 0;
}

void iau_kv_share(const struct iau_session *from, uint32_t tokens, struct iau_session *to)
{
	to->kv.n = iau_kv_slabs(&from->cfg.kv, tokens);
	for (uint32_t i = 0; i < to->kv.n; i++) {
		to->kv.slab[i] = from->kv.slab[i];
		to->kv.slab[i]->refs++;
	}
}
