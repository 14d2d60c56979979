/* SPDX-License-Identifier: MIT */
#include "runtime/kv_pages.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Pages that a layer of a slab has */
static uint32_t layer_pages(const struct kv_pool *pool, const struct kv_slab *slab)
{
	return (uint32_t)(kv_layer_pages(pool, slab->form, slab->blocks) / KV_PAGE);
}

struct kv_run kv_pages_all(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer)
{
	return (struct kv_run){ layer, 0, layer_pages(pool, slab) };
}

struct kv_run kv_pages_of(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer, uint32_t i)
{
	uint64_t bytes = pool->form[slab->form].block_bytes, from = i * bytes, to = from + bytes;
	uint32_t first = (uint32_t)(from / KV_PAGE);

	return (struct kv_run){ layer, first, (uint32_t)(iau_pages(to) / KV_PAGE) - first };
}

/* The first page of a run; the others follow. */
static struct kv_page *page_at(const struct kv_pool *pool, const struct kv_slab *slab, struct kv_run run)
{
	return &slab->page[run.layer * layer_pages(pool, slab) + run.first];
}

/* Where a run lies in the buffer of the slab's place, and in its cold part */
static struct iau_range part_of(const struct kv_pool *pool, const struct kv_slab *slab, struct kv_run run)
{
	struct iau_range part;

	kv_slab_place(pool, slab, &part);
	return (struct iau_range){ part.offset + run.layer * (uint64_t)pool->form[slab->form].layer_bytes +
					   run.first * KV_PAGE, run.n * KV_PAGE };
}

static uint8_t *cold_at(const struct kv_pool *pool, const struct kv_slab *slab, struct kv_run run)
{
	return slab->cold + (run.layer * (uint64_t)layer_pages(pool, slab) + run.first) * KV_PAGE;
}

static void set_here(struct kv_pool *pool, struct kv_slab *slab, struct kv_run run, bool here)
{
	struct kv_page *page = page_at(pool, slab, run);
	int64_t bytes = (int64_t)(run.n * KV_PAGE);

	for (uint32_t i = 0; i < run.n; i++)
		page[i].is_here = here;
	kv_count(pool, slab, here ? bytes : -bytes);
	pool->usage.now->host -= (uint64_t)(here ? bytes : -bytes);
	*(here ? &pool->usage.now->pages_promoted : &pool->usage.now->pages_demoted) += run.n;
}

/* A run of cold pages: there is room. */
static int bring(struct kv_pool *pool, struct kv_slab *slab, struct kv_run run)
{
	struct iau_range part = part_of(pool, slab, run);
	const struct iau_buffer *buf = kv_slab_place(pool, slab, &(struct iau_range){ 0 });
	int err = iau_buffer_commit(pool->dev, buf, &part, 1);

	if (err)
		return err;
	memcpy((uint8_t *)buf->ptr + part.offset, cold_at(pool, slab, run), part.size);
	madvise(cold_at(pool, slab, run), part.size, MADV_DONTNEED);
	set_here(pool, slab, run, true);
	return 0;
}

static int take_away(struct kv_pool *pool, struct kv_slab *slab, struct kv_run run)
{
	struct iau_range part = part_of(pool, slab, run);
	const struct iau_buffer *buf = kv_slab_place(pool, slab, &(struct iau_range){ 0 });

	memcpy(cold_at(pool, slab, run), (const uint8_t *)buf->ptr + part.offset, part.size);
	set_here(pool, slab, run, false);
	return iau_buffer_decommit(pool->dev, buf, &part, 1);
}

/* A cold slab gets a place, and host memory that can be written. */
static int enter_cold(struct kv_pool *pool, struct kv_slab *slab)
{
	uint64_t bytes = kv_slab_bytes(pool, slab);
	uint8_t *own = slab->cold;
	int err;

	if (slab->is_mapped) {
		own = kv_cold_alloc(pool, slab);
		if (!own)
			return -ENOMEM;
		memcpy(own, slab->cold, bytes);
	}
	err = kv_slab_enter(pool, slab);
	if (err) {
		if (own != slab->cold)
			munmap(own, bytes);
		return err;
	}
	if (slab->is_mapped) {
		kv_cold_free(pool, slab);
		slab->cold = own;
		pool->usage.now->host += bytes;
	}
	return 0;
}

int kv_pages_divide(struct kv_pool *pool, struct kv_slab *slab)
{
	uint32_t n = layer_pages(pool, slab) * pool->n_layer;
	struct kv_page *page = calloc(n, sizeof(*page));
	bool here = slab->arena;
	int err = page ? 0 : iau_error_nomem("pages of the KV cache");

	if (!err && here) {
		slab->cold = kv_cold_alloc(pool, slab);
		err = slab->cold ? 0 : -ENOMEM;
	} else if (!err) {
		err = enter_cold(pool, slab);
	}
	if (err) {
		free(page);
		return err;
	}
	for (uint32_t i = 0; i < n; i++)
		page[i] = (struct kv_page){ here ? slab->used : 0, here };
	slab->page = page;
	return 0;
}

/* From page I of a run on, as many as are alike: FN tells of a page whether it is meant. */
static struct kv_run next_run(const struct kv_page *page, struct kv_run run, uint32_t i,
			      bool (*fn)(const struct kv_page *page, uint64_t stamp), uint64_t stamp)
{
	struct kv_run next = { run.layer, run.first + i, 0 };

	while (i + next.n < run.n && fn(&page[i + next.n], stamp))
		next.n++;
	return next;
}

static bool is_cold(const struct kv_page *page, uint64_t stamp)
{
	(void)stamp;
	return !page->is_here;
}

static bool was_used_at(const struct kv_page *page, uint64_t stamp)
{
	return page->is_here && page->used == stamp;
}

int kv_pages_promote(struct kv_pool *pool, struct kv_slab *slab, struct kv_run run)
{
	struct kv_page *page = page_at(pool, slab, run);
	int err = 0;

	/* what is here already shall not make room for the rest */
	for (uint32_t i = 0; i < run.n; i++)
		page[i].used = pool->clock;
	for (uint32_t i = 0; i < run.n && !err; i++) {
		struct kv_run cold = next_run(page, run, i, is_cold, 0);

		if (!cold.n)
			continue;
		err = kv_pool_room(pool, cold.n * KV_PAGE);
		if (!err)
			err = bring(pool, slab, cold);
		i += cold.n;
	}
	return err;
}

int kv_pages_join(struct kv_pool *pool, struct kv_slab *slab)
{
	int err = 0;

	for (uint32_t l = 0; l < pool->n_layer && !err; l++)
		err = kv_pages_promote(pool, slab, kv_pages_all(pool, slab, l));
	if (err)
		return err;
	free(slab->page);
	slab->page = NULL;
	munmap(slab->cold, kv_slab_bytes(pool, slab));
	slab->cold = NULL;
	return 0;
}

void kv_pages_drop(struct kv_pool *pool, struct kv_slab *slab)
{
	uint32_t n = layer_pages(pool, slab) * pool->n_layer;
	uint64_t here = 0;

	for (uint32_t l = 0; l < pool->n_layer; l++) {
		struct iau_range part = part_of(pool, slab, kv_pages_all(pool, slab, l));

		iau_buffer_decommit(pool->dev, kv_slab_place(pool, slab, &(struct iau_range){ 0 }), &part, 1);
	}
	for (uint32_t i = 0; i < n; i++)
		here += slab->page[i].is_here;
	kv_count(pool, slab, -(int64_t)(here * KV_PAGE));
	pool->usage.now->host -= (n - here) * KV_PAGE;
	munmap(slab->cold, n * KV_PAGE);
	slab->cold = NULL;
	free(slab->page);
	slab->page = NULL;
	kv_slab_leave(pool, slab);
}

uint64_t kv_pages_oldest(const struct kv_pool *pool)
{
	uint64_t found = UINT64_MAX;

	for (const struct kv_slab *s = pool->slabs; s; s = s->next) {
		uint32_t n = s->page ? layer_pages(pool, s) * pool->n_layer : 0;

		for (uint32_t i = 0; i < n; i++)
			if (s->page[i].is_here && s->page[i].used < found)
				found = s->page[i].used;
	}
	return found;
}

static int demote_layer(struct kv_pool *pool, struct kv_slab *slab, uint32_t l, uint64_t stamp, uint32_t *left)
{
	struct kv_run all = kv_pages_all(pool, slab, l);
	const struct kv_page *page = page_at(pool, slab, all);
	int err = 0;

	for (uint32_t i = 0; i < all.n && *left && !err; i++) {
		struct kv_run run = next_run(page, all, i, was_used_at, stamp);

		if (!run.n)
			continue;
		if (run.n > *left)
			run.n = *left;
		err = take_away(pool, slab, run);
		*left -= run.n;
		i += run.n;
	}
	return err;
}

int kv_pages_demote(struct kv_pool *pool, uint64_t stamp, uint64_t bytes)
{
	uint32_t left = (uint32_t)(iau_pages(bytes) / KV_PAGE);
	int err = 0;

	for (struct kv_slab *s = pool->slabs; s; s = s->next)
		for (uint32_t l = 0; s->page && l < pool->n_layer && left && !err; l++)
			err = demote_layer(pool, s, l, stamp, &left);
	return err;
}

void kv_pages_copy(const struct kv_pool *pool, const struct kv_slab *slab, uint32_t layer, uint8_t *to)
{
	struct kv_run all = kv_pages_all(pool, slab, layer);
	const struct kv_page *page = page_at(pool, slab, all);
	struct iau_range part = part_of(pool, slab, all);
	const uint8_t *here = kv_slab_place(pool, slab, &(struct iau_range){ 0 })->ptr;
	const uint8_t *cold = cold_at(pool, slab, all);

	for (uint32_t i = 0; i < all.n; i++)
		memcpy(to + i * KV_PAGE, page[i].is_here ? here + part.offset + i * KV_PAGE : cold + i * KV_PAGE, KV_PAGE);
}
