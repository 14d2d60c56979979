/* SPDX-License-Identifier: MIT */
/*
 * Addresses of buffers on the device, chosen alike for every kind of device: the same program has the
 * same addresses, page sizes and hence cycles on all of them. Each buffer starts a 2 MiB block, so
 * that all but its end can lie in large pages, and lies across no line of 4 GiB unless it is larger, so
 * that a scalar register can hold an address in it but for the upper half, which is common. The end of the space is taken up again when a buffer
 * goes, holes are not: there are 2^39 bytes.
 */
#ifndef IAU_DEVICE_VA_H
#define IAU_DEVICE_VA_H

#include <stdint.h>

#define VA_BLOCK (UINT64_C(2) << 20)
#define VA_LINE	 (UINT64_C(1) << 32)
#define VA_FIRST VA_BLOCK /* address 0 stays invalid */
#define VA_VIEWS (UINT64_C(1) << 38) /* views have no memory of their own, and lie apart */

struct va_space {
	uint64_t next;
};

static inline uint64_t va_round(uint64_t size)
{
	return (size + VA_BLOCK - 1) & ~(VA_BLOCK - 1);
}

static inline void va_init(struct va_space *s, uint64_t first)
{
	s->next = first;
}

static inline uint64_t va_take(struct va_space *s, uint64_t size)
{
	uint64_t line = (s->next + VA_LINE - 1) & ~(VA_LINE - 1);
	uint64_t va = size <= VA_LINE && s->next + size > line && line > s->next ? line : s->next;

	s->next = va + va_round(size);
	return va;
}

static inline void va_give(struct va_space *s, uint64_t va, uint64_t size)
{
	if (va + va_round(size) == s->next)
		s->next = va;
}

#endif
