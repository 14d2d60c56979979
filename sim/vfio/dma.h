/* SPDX-License-Identifier: MIT */
/*
 * Which guest memory the device can reach: windows of DMA addresses, each a mapping of a file of
 * the client's. Belongs to the device's thread.
 */
#ifndef IAU_VFIO_DMA_H
#define IAU_VFIO_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dma_window {
	uint64_t start, size; /* whole 4 KiB pages */
	uint8_t *host;	      /* NULL: the client keeps it to itself */
	bool readable, writable;
};

/* Windows in ascending order, disjoint. */
struct dma {
	struct dma_window *window;
	size_t n, room;
	bool enabled; /* the bus master bit: without it nothing answers */
};

/* Bits of FLAGS below. */
enum { DMA_READABLE = 1, DMA_WRITABLE = 2 };

/*
 * Maps SIZE bytes at START to FD from OFFSET on; FD -1 is a window without memory behind it.
 * Returns 0, -EINVAL for what is not whole pages, -EEXIST for an overlap, -ENOSPC, or why the file
 * cannot be mapped.
 */
int dma_map(struct dma *dma, uint64_t start, uint64_t size, uint32_t flags, int fd,
	    uint64_t offset);
/*
 * All windows within the range, possibly none: a VMM with an IOMMU clears ranges whose windows it
 * does not know one by one. -EINVAL, and nothing happens, if it would cut one.
 */
int dma_unmap(struct dma *dma, uint64_t start, uint64_t size);
void dma_clear(struct dma *dma);

/*
 * The host address of LEN bytes at PA, all in one 4 KiB page; NULL if nothing answers. What spans
 * windows comes page by page, so windows side by side are one memory to the device.
 */
uint8_t *dma_at(const struct dma *dma, uint64_t pa, size_t len, bool write);

#endif
