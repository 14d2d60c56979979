/* SPDX-License-Identifier: MIT */
#include "runtime/kv_pages.h"
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
	const struct iau_kv_layout *form = s->model->pool.form;
	bool packs = form[KV_PACKED].block_bytes;
	uint64_t bytes = iau_kv_bytes(&form[KV_INT8]), packed = packs ? iau_kv_bytes(&form[KV_PACKED]) : 0;
	uint32_t slabs = iau_kv_slabs(&form[KV_INT8], form->n_ctx);
	int err;

	s->kv.slab = calloc(slabs, sizeof(*s->kv.slab));
	s->kv.shown = calloc(slabs, sizeof(*s->kv.shown));
	if (!s->kv.slab || !s->kv.shown)
		return iau_error_nomem("KV cache");
	/* so that a scalar register can hold an offset */
	if ((bytes + packed) >> 32)
		return iau_error(-ENOTSUP, "KV cache of %u tokens: it takes more than 4 GiB", form->n_ctx);
	err = kv_pool_check(&s->model->pool);
	if (!err)
		err = iau_view_create(s->model->dev, bytes + packed, &s->kv.view);
	if (!err && packs)
		err = iau_buffer_create(s->model->dev, slabs * form->slab_blocks * 4, IAU_ACCESS_RW,
					&s->kv.table);
	if (err)
		return iau_error(err, "KV cache of %u tokens: %s", form->n_ctx, iau_last_error());
	s->cfg.kv = form[KV_INT8];
	s->cfg.packed = form[KV_PACKED];
	s->cfg.kv.va = s->kv.view.va;
	s->cfg.packed.va = s->kv.view.va + bytes;
	s->cfg.table_va = s->kv.table.va;
	return 0;
}

void iau_kv_free(struct iau_session *s)
{
	iau_graph_free(s->model->dev, &s->kv.pack);
	iau_buffer_destroy(s->model->dev, &s->kv.table);
	iau_view_destroy(s->model->dev, &s->kv.view);
	while (s->kv.n)
		kv_slab_put(&s->model->pool, s->kv.slab[--s->kv.n]);
	free(s->kv.slab);
	free(s->kv.shown);
}

/* Where slab I of a form is seen */
static struct iau_range part_of_view(const struct iau_session *s, enum kv_form form, uint32_t i)
{
	const struct iau_kv_layout *kv = form == KV_INT8 ? &s->cfg.kv : &s->cfg.packed;

	return (struct iau_range){ kv->va - s->kv.view.va + (uint64_t)i * kv->slab_bytes, kv->slab_bytes };
}

int iau_kv_show(struct iau_session *s, uint32_t i, const struct kv_slab *slab)
{
	const struct kv_pool *pool = &s->model->pool;
	struct iau_range part;
	const struct iau_buffer *buf = kv_slab_place(pool, slab, &part);

	return iau_view_map(pool->dev, &s->kv.view, part_of_view(s, slab->form, i).offset, buf, part);
}

static int show(struct iau_session *s, uint32_t i)
{
	int err = s->kv.shown[i] ? 0 : iau_kv_show(s, i, s->kv.slab[i]);

	s->kv.shown[i] |= !err;
	return err;
}

void iau_kv_hide(struct iau_session *s, uint32_t i, enum kv_form form)
{
	iau_view_unmap(s->model->dev, &s->kv.view, part_of_view(s, form, i));
}

static void hide(struct iau_session *s, uint32_t i)
{
	if (s->kv.shown[i])
		iau_kv_hide(s, i, s->kv.slab[i]->form);
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

/* The slab that the next token goes to may be others', too: they keep it. Nothing is stored into a packed one. */
static int own_last(struct iau_session *s)
{
	struct kv_pool *pool = &s->model->pool;
	uint32_t per = s->cfg.kv.slab_blocks * 32, i = s->length / per, blocks = (s->length % per + 31) / 32;
	struct kv_slab *copy;
	int err;

	if (i >= s->kv.n || (s->kv.slab[i]->refs == 1 && s->kv.slab[i]->form == KV_INT8))
		return 0;
	err = kv_slab_create(pool, KV_INT8, false, &copy);
	if (err)
		return err;
	err = kv_slab_resize(pool, copy, blocks);
	if (err) {
		kv_slab_put(pool, copy);
		return err;
	}
	for (uint32_t l = 0; l < pool->n_layer; l++)
		iau_kv_unpack(s, s->kv.slab[i], l, blocks, kv_slab_ptr(pool, copy, l));
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
		err = kv_slab_create(pool, KV_INT8, false, &s->kv.slab[i]);
		if (err)
			return err;
		s->kv.n++;
	}
	if (s->kv.slab[i]->blocks < blocks)
		err = kv_slab_resize(pool, s->kv.slab[i], blocks);
	return err ? err : show(s, i);
}

int iau_kv_hold(struct iau_session *s, uint32_t i, uint64_t *used)
{
	struct kv_slab *slab = s->kv.slab[i];
	int err = 0;

	*used = slab->used;
	slab->used = s->model->pool.clock;
	if (!slab->arena || slab->page)
		err = kv_slab_promote(&s->model->pool, slab);
	return err ? err : show(s, i);
}

int iau_kv_let_go(struct iau_session *s, uint32_t i, uint64_t used)
{
	struct kv_slab *slab = s->kv.slab[i];

	slab->used = used;
	return i < s->kv.divided && !slab->page ? kv_pages_divide(&s->model->pool, slab) : 0;
}

static int prepare(struct iau_session *s, uint32_t rows)
{
	uint32_t per = s->cfg.kv.slab_blocks, need = (s->length + rows + 31) / 32;
	int err = 0;

	for (uint32_t i = s->kv.divided; i < s->kv.n && !err; i++)
		if (!s->kv.slab[i]->arena || s->kv.slab[i]->page)
			err = kv_slab_promote(&s->model->pool, s->kv.slab[i]);
	if (!err && rows)
		err = own_last(s);
	for (uint32_t i = s->kv.divided; i * per < need && !err; i++)
		err = grow_slab(s, i, need - i * per < per ? need - i * per : per);
	if (!err && s->cfg.packed.block_bytes)
		err = iau_kv_pack(s);
	for (uint32_t i = 0; i < s->kv.divided && !err; i++)
		err = show(s, i);
	return err ? iau_error(err, "KV cache of %u tokens: %s", s->length + rows, iau_last_error()) : 0;
}

/* What is attended to as a whole makes no room for anything else. */
static int begin(struct iau_session *s)
{
	struct kv_pool *pool = &s->model->pool;
	int err = 0;

	for (uint32_t i = 0; i < s->kv.n && !err; i++) {
		struct kv_slab *slab = s->kv.slab[i];

		if (i >= s->kv.divided)
			slab->used = pool->clock;
		else if (!slab->page)
			err = kv_pages_divide(pool, slab);
	}
	return err;
}

int iau_kv_prepare(struct iau_session *const *s, uint32_t n, uint32_t rows)
{
	int err = 0;

	s[0]->model->pool.clock++;
	for (uint32_t i = 0; i < n && !err; i++)
		err = begin(s[i]);
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
	if (!last || s->kv.n < keep || last->refs > 1 || !last->arena || last->page)
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
