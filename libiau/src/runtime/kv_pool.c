/* SPDX-License-Identifier: MIT */
/*
 * Slabs lie in arenas, each of as many places as the longest sequence has slabs; pages get memory as they are
 * needed, so that a place costs addresses alone.
 */
#include "runtime/kv_pages.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct kv_arena {
	struct kv_arena *next;
	struct iau_buffer buf;
	uint32_t taken;
	bool used[];
};

static uint32_t arena_places(const struct kv_pool *pool)
{
	const struct iau_kv_layout *kv = &pool->form[KV_INT8];

	return (kv->n_ctx / 32 + kv->slab_blocks - 1) / kv->slab_blocks;
}

int kv_pool_init(struct kv_pool *pool, struct iau_device *dev, const struct iau_kv_layout *kv,
		 uint32_t n_layer)
{
	pool->dev = dev;
	pool->form[KV_INT8] = *kv;
	pool->n_layer = n_layer;
	pool->range = calloc(n_layer, sizeof(*pool->range));
	return pool->range ? kv_usage_create(&pool->usage) : iau_error_nomem("KV cache");
}

void kv_pool_free(struct kv_pool *pool)
{
	for (int form = 0; form < KV_FORMS; form++)
		while (pool->arenas[form]) {
			struct kv_arena *a = pool->arenas[form];

			pool->arenas[form] = a->next;
			iau_buffer_destroy(pool->dev, &a->buf);
			free(a);
		}
	free(pool->range);
	kv_usage_free(&pool->usage);
}

/* An arena with a free place: the first, so that the others get empty */
static int find_arena(struct kv_pool *pool, enum kv_form form, struct kv_arena **out)
{
	uint32_t places = arena_places(pool);
	struct kv_arena **at = &pool->arenas[form], *a;
	int err;

	for (; *at; at = &(*at)->next)
		if ((*at)->taken < places) {
			*out = *at;
			return 0;
		}
	a = calloc(1, sizeof(*a) + places * sizeof(*a->used));
	if (!a)
		return iau_error_nomem("KV cache");
	err = iau_buffer_reserve(pool->dev, iau_kv_bytes(&pool->form[form]), &a->buf);
	if (err) {
		free(a);
		return err;
	}
	*out = *at = a;
	return 0;
}

int kv_pool_check(struct kv_pool *pool)
{
	struct kv_arena *arena;

	return find_arena(pool, KV_INT8, &arena);
}

int kv_slab_enter(struct kv_pool *pool, struct kv_slab *slab)
{
	int err = find_arena(pool, slab->form, &slab->arena);

	if (err)
		return err;
	for (slab->index = 0; slab->arena->used[slab->index];)
		slab->index++;
	slab->arena->used[slab->index] = true;
	slab->arena->taken++;
	return 0;
}

/* Its pages have no memory any more. The first arena stays, or a sequence alone would come and go with it. */
void kv_slab_leave(struct kv_pool *pool, struct kv_slab *slab)
{
	struct kv_arena *a = slab->arena, **at = &pool->arenas[slab->form];

	slab->arena = NULL;
	a->used[slab->index] = false;
	if (--a->taken || a == *at)
		return;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	iau_buffer_destroy(pool->dev, &a->buf);
	free(a);
}

static int new_slab(struct kv_pool *pool, enum kv_form form, bool is_cold, struct kv_slab **out)
{
	struct kv_slab *slab = calloc(1, sizeof(*slab));
	int err = 0;

	if (!slab)
		return iau_error_nomem("KV cache");
	slab->form = form;
	if (!is_cold)
		err = kv_slab_enter(pool, slab);
	if (err) {
		free(slab);
		return err;
	}
	*out = slab;
	return 0;
}

int kv_slab_create(struct kv_pool *pool, enum kv_form form, bool is_cold, struct kv_slab **out)
{
	int err = new_slab(pool, form, is_cold, out);

	if (err)
		return err;
	(*out)->refs = 1;
	(*out)->used = pool->clock;
	(*out)->next = pool->slabs;
	if (pool->slabs)
		pool->slabs->prev = *out;
	pool->slabs = *out;
	return 0;
}

uint64_t kv_slab_bytes(const struct kv_pool *pool, const struct kv_slab *slab)
{
	return kv_layer_pages(pool, slab->form, slab->blocks) * pool->n_layer;
}

uint8_t *kv_cold_alloc(const struct kv_pool *pool, const struct kv_slab *slab)
{
	uint8_t *cold = mmap(NULL, kv_slab_bytes(pool, slab), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (cold != MAP_FAILED)
		return cold;
	iau_error_nomem("cold part of the KV cache");
	return NULL;
}

void kv_cold_free(struct kv_pool *pool, struct kv_slab *slab)
{
	if (!slab->cold)
		return;
	munmap(slab->cold, kv_slab_bytes(pool, slab));
	if (!slab->is_mapped)
		pool->usage.now->host -= kv_slab_bytes(pool, slab);
	slab->cold = NULL;
	slab->is_mapped = false;
}

void kv_slab_put(struct kv_pool *pool, struct kv_slab *slab)
{
	if (--slab->refs)
		return;
	if (slab->page) {
		kv_pages_drop(pool, slab);
	} else if (slab->arena) {
		kv_slab_resize(pool, slab, 0);
		kv_slab_leave(pool, slab);
	}
	kv_cold_free(pool, slab);
	*(slab->prev ? &slab->prev->next : &pool->slabs) = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	free(slab);
}

uint64_t kv_layer_pages(const struct kv_pool *pool, enum kv_form form, uint32_t blocks)
{
	return iau_pages((uint64_t)blocks * pool->form[form].block_bytes);
}

const struct iau_buffer *kv_slab_place(const struct kv_pool *pool, const struct kv_slab *slab,
				       struct iau_range *part)
{
	uint64_t bytes = pool->form[slab->form].slab_bytes;

	*part = (struct iau_range){ slab->index * bytes, bytes };
	return &slab->arena->buf;
}

uint8_t *kv_slab_ptr(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t l)
{
	const struct iau_kv_layout *kv = &pool->form[slab->form];

	if (!slab->arena)
		return slab->cold + l * kv_layer_pages(pool, slab->form, slab->blocks);
	return (uint8_t *)slab->arena->buf.ptr + (uint64_t)slab->index * kv->slab_bytes +
	       (uint64_t)l * kv->layer_bytes;
}

/* Bytes FROM to TO of every layer's part get memory, or have it no longer. */
static int populate(struct kv_pool *pool, struct kv_slab *slab, uint64_t from, uint64_t to,
		    int (*fn)(struct iau_device *dev, const struct iau_buffer *buf,
			      const struct iau_range *range, size_t n))
{
	const struct iau_kv_layout *kv = &pool->form[slab->form];

	for (uint32_t l = 0; l < pool->n_layer; l++)
		pool->range[l] = (struct iau_range){ (uint64_t)slab->index * kv->slab_bytes +
						     (uint64_t)l * kv->layer_bytes + from, to - from };
	return fn(pool->dev, &slab->arena->buf, pool->range, pool->n_layer);
}

void kv_count(struct kv_pool *pool, const struct kv_slab *slab, int64_t bytes)
{
	pool->usage.now->device += (uint64_t)bytes;
	if (slab->form == KV_PACKED)
		pool->usage.now->device_packed += (uint64_t)bytes;
}

int kv_slab_resize(struct kv_pool *pool, struct kv_slab *slab, uint32_t blocks)
{
	uint64_t have = kv_layer_pages(pool, slab->form, slab->blocks);
	uint64_t need = kv_layer_pages(pool, slab->form, blocks);
	int err = need > have ? kv_pool_room(pool, (need - have) * pool->n_layer) : 0;

	if (err)
		return err;
	if (need > have) {
		err = populate(pool, slab, have, need, iau_buffer_commit);
		/* all or nothing */
		if (err)
			populate(pool, slab, have, need, iau_buffer_decommit);
	} else if (need < have) {
		err = populate(pool, slab, need, have, iau_buffer_decommit);
	}
	if (err)
		return err;
	kv_count(pool, slab, (int64_t)(need - have) * pool->n_layer);
	slab->blocks = blocks;
	return 0;
}

/* A place of a form in device memory for what SLAB has */
static int make_place(struct kv_pool *pool, const struct kv_slab *slab, enum kv_form form,
		      struct kv_slab *place)
{
	int err;

	*place = (struct kv_slab){ .form = form, .used = pool->clock };
	err = kv_slab_enter(pool, place);
	if (err)
		return err;
	err = kv_slab_resize(pool, place, slab->blocks);
	if (err)
		kv_slab_leave(pool, place);
	return err;
}

/* The slab's place in device memory goes, what is in it is elsewhere by now. */
static void leave_place(struct kv_pool *pool, struct kv_slab *slab)
{
	struct kv_slab place = *slab;

	pool->leaves(pool->opaque, slab);
	kv_slab_resize(pool, &place, 0);
	kv_slab_leave(pool, &place);
	slab->arena = NULL;
}

static void enter_place(struct kv_slab *slab, const struct kv_slab *place)
{
	slab->form = place->form;
	slab->arena = place->arena;
	slab->index = place->index;
}

int kv_slab_promote(struct kv_pool *pool, struct kv_slab *slab)
{
	uint64_t bytes = kv_layer_pages(pool, slab->form, slab->blocks);
	struct kv_slab place;
	int err;

	if (slab->page)
		return kv_pages_join(pool, slab);
	err = make_place(pool, slab, slab->form, &place);
	if (err)
		return err;
	for (uint32_t l = 0; l < pool->n_layer; l++)
		memcpy(kv_slab_ptr(pool, &place, l), slab->cold + l * bytes, bytes);
	kv_cold_free(pool, slab);
	enter_place(slab, &place);
	pool->usage.now->promoted++;
	return 0;
}

int kv_slab_pack(struct kv_pool *pool, struct kv_slab *slab,
		 int (*convert)(void *opaque, const struct kv_slab *place), void *opaque)
{
	struct kv_slab place;
	int err = make_place(pool, slab, KV_PACKED, &place);

	if (err)
		return err;
	err = convert(opaque, &place);
	if (err) {
		kv_slab_resize(pool, &place, 0);
		kv_slab_leave(pool, &place);
		return err;
	}
	leave_place(pool, slab);
	enter_place(slab, &place);
	pool->usage.now->packed++;
	return 0;
}

/* What is in device memory goes to the host's. */
static int demote(struct kv_pool *pool, struct kv_slab *slab)
{
	uint64_t bytes = kv_layer_pages(pool, slab->form, slab->blocks);
	uint8_t *cold = kv_cold_alloc(pool, slab);

	if (!cold)
		return -ENOMEM;
	for (uint32_t l = 0; l < pool->n_layer; l++)
		memcpy(cold + l * bytes, kv_slab_ptr(pool, slab, l), bytes);
	leave_place(pool, slab);
	slab->cold = cold;
	pool->usage.now->host += kv_slab_bytes(pool, slab);
	pool->usage.now->demoted++;
	return 0;
}

/* The whole slab in device memory that was unused the longest, if any is not in use */
static struct kv_slab *oldest(const struct kv_pool *pool)
{
	struct kv_slab *found = NULL;

	for (struct kv_slab *s = pool->slabs; s; s = s->next)
		if (s->arena && !s->page && s->blocks && s->used < pool->clock && (!found || s->used < found->used))
			found = s;
	return found;
}

/* The slab goes, or pages do, that were unused the longest. Of both pages: a slab was attended to as a whole. */
static int make_room(struct kv_pool *pool, uint64_t bytes)
{
	const struct iau_kv_usage *u = pool->usage.now;
	struct kv_slab *slab = oldest(pool);
	uint64_t stamp = kv_pages_oldest(pool);

	if (stamp < pool->clock && (!slab || stamp <= slab->used))
		return kv_pages_demote(pool, stamp, u->device + bytes - u->budget);
	return slab ? demote(pool, slab) :
		      iau_error(-ENOSPC, "KV budget of %llu bytes: what is attended to now has %llu and needs %llu more",
				(unsigned long long)u->budget, (unsigned long long)u->device,
				(unsigned long long)bytes);
}

int kv_pool_room(struct kv_pool *pool, uint64_t bytes)
{
	const struct iau_kv_usage *u = pool->usage.now;
	int err = 0;

	while (!err && u->budget && u->device + bytes > u->budget)
		err = make_room(pool, bytes);
	return err;
}
