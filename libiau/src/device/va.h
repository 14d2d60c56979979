/* SPDX-License-Identifier: MIT */
/*
 * Addresses of buffers on the device, chosen alike for every kind of device: the same program has the
 * same addresses, page sizes and hence cycles on all of them. Each buffer starts a 2 MiB block, so
 * that all but its end can lie in large pages, and lies across no line of 4 GiB unless it is larger, so
 * that a scalar register can hold an address in it but for the upper half, which is common. A buffer
 * takes the first hole that others left and that has room for it, else the end of what is in use.
 */
#ifndef IAU_DEVICE_VA_H
#define IAU_DEVICE_VA_H

#include <stddef.h>
#include <stdint.h>

#define VA_BLOCK (UINT64_C(2) << 20)
#define VA_LINE	 (UINT64_C(1) << 32)
#define VA_FIRST VA_BLOCK /* address 0 stays invalid */
#define VA_VIEWS (UINT64_C(1) << 38) /* views have no memory of their own, and lie apart */

struct va_hole {
	uint64_t va, end;
};

/* Zeroed but for NEXT, the first address */
struct va_space {
	uint64_t next; /* behind all that is in use */
	struct va_hole *hole; /* ascending, none beside another or the end */
	size_t n, room;
};

static inline uint64_t va_round(uint64_t size)
{
	return (size + VA_BLOCK - 1) & ~(VA_BLOCK - 1);
}

/* Where SIZE bytes would lie that nothing takes yet */
uint64_t va_find(const struct va_space *s, uint64_t size);
uint64_t va_take(struct va_space *s, uint64_t size);
/* What va_take() gave; without memory for a note of it the addresses stay in use. */
void va_give(struct va_space *s, uint64_t va, uint64_t size);
void va_free(struct va_space *s);

#endif
