/* SPDX-License-Identifier: MIT */
#include "dma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE_MASK   UINT64_C(4095)
#define MAX_WINDOWS 65535u /* the protocol's default */

/* The first window that ends after PA; dma->n if there is none. */
static size_t find(const struct dma *dma, uint64_t pa)
{
	size_t lo = 0, hi = dma->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (dma->window[mid].start + (dma->window[mid].size - 1) < pa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(struct dma *dma)
{
	size_t room = dma->room ? dma->room * 2 : 16;
	struct dma_window *w;

	if (dma->n < dma->room)
		return 0;
	if (dma->n >= MAX_WINDOWS)
		return -ENOSPC;
	w = realloc(dma->window, room * sizeof(*w));
	if (!w)
		return -ENOMEM;
	dma->window = w;
	dma->room = room;
	return 0;
}

/* A file shorter than its window would be a SIGBUS in the middle of a job. */
static int map_file(struct dma_window *w, int fd, uint64_t offset)
{
	int prot = (w->readable ? PROT_READ : 0) | (w->writable ? PROT_WRITE : 0);
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return -errno;
	if (offset > INT64_MAX - w->size || (uint64_t)st.st_size < offset + w->size)
		return -EINVAL;
	p = mmap(NULL, w->size, prot, MAP_SHARED, fd, (off_t)offset);
	if (p == MAP_FAILED)
		return -errno;
	w->host = p;
	return 0;
}

int dma_map(struct dma *dma, uint64_t start, uint64_t size, uint32_t flags, int fd, uint64_t offset)
{
	struct dma_window w = { .start = start,
				.size = size,
				.readable = flags & DMA_READABLE,
				.writable = flags & DMA_WRITABLE };
	size_t at;
	int err;

	if (!size || ((start | size | offset) & PAGE_MASK) || start + (size - 1) < start ||
	    flags & ~(uint32_t)(DMA_READABLE | DMA_WRITABLE))
		return -EINVAL;
	at = find(dma, start);
	if (at < dma->n && dma->window[at].start <= start + (size - 1))
		return -EEXIST;
	err = make_room(dma);
	if (!err && fd >= 0)
		err = map_file(&w, fd, offset);
	if (err)
		return err;
	memmove(dma->window + at + 1, dma->window + at, (dma->n - at) * sizeof(w));
	dma->window[at] = w;
	dma->n++;
	return 0;
}

int dma_unmap(struct dma *dma, uint64_t start, uint64_t size)
{
	uint64_t last = start + (size - 1);
	size_t first = find(dma, start), end = first;

	if (!size || last < start)
		return -EINVAL;
	for (; end < dma->n && dma->window[end].start <= last; end++) {
		const struct dma_window *w = &dma->window[end];

		if (w->start < start || w->start + (w->size - 1) > last)
			return -EINVAL;
	}
	for (size_t i = first; i < end; i++)
		if (dma->window[i].host)
			munmap(dma->window[i].host, dma->window[i].size);
	if (first == end)
		return 0;
	memmove(dma->window + first, dma->window + end, (dma->n - end) * sizeof(*dma->window));
	dma->n -= end - first;
	return 0;
}

void dma_clear(struct dma *dma)
{
	for (size_t i = 0; i < dma->n; i++)
		if (dma->window[i].host)
			munmap(dma->window[i].host, dma->window[i].size);
	free(dma->window);
	dma->window = NULL;
	dma->n = 0;
	dma->room = 0;
}

uint8_t *dma_at(const struct dma *dma, uint64_t pa, size_t len, bool write)
{
	size_t at = find(dma, pa);
	const struct dma_window *w = dma->window + at;

	if (!dma->enabled || at == dma->n || pa < w->start || len > w->size - (pa - w->start))
		return NULL;
	if (!w->host || !(write ? w->writable : w->readable))
		return NULL;
	return w->host + (pa - w->start);
}
