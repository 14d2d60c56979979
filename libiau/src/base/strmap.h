/* SPDX-License-Identifier: MIT */
/*
 * Hash map from byte strings to small integers. The strings are borrowed: they must outlive the
 * map. Open addressing with linear probing; nothing is ever removed.
 */
#ifndef IAU_BASE_STRMAP_H
#define IAU_BASE_STRMAP_H

#include <stdint.h>

#include "iau/gguf.h"

#define IAU_STRMAP_NONE UINT32_MAX

struct iau_strmap_slot {
	struct iau_str key;
	uint32_t hash;
	uint32_t value; /* IAU_STRMAP_NONE: the slot is empty */
};

/* All zero is an empty map. */
struct iau_strmap {
	struct iau_strmap_slot *slots;
	size_t n_slots; /* zero or a power of two, at least twice the entries */
	size_t n;
};

/* Room for @n entries in one go; 0 or -ENOMEM. */
int iau_strmap_reserve(struct iau_strmap *map, size_t n);

/*
 * Map @key to @value (not IAU_STRMAP_NONE). Returns 0, -EEXIST (without a message, and the map
 * unchanged) when the key is there, or -ENOMEM.
 */
int iau_strmap_add(struct iau_strmap *map, struct iau_str key, uint32_t value);

/* Value of @key, or IAU_STRMAP_NONE. */
uint32_t iau_strmap_get(const struct iau_strmap *map, struct iau_str key);

/* Value of the concatenation of @a and @b, or IAU_STRMAP_NONE. */
uint32_t iau_strmap_get2(const struct iau_strmap *map, struct iau_str a, struct iau_str b);

void iau_strmap_fini(struct iau_strmap *map);

static inline struct iau_str iau_str_make(const char *ptr, size_t len)
{
	return (struct iau_str){ .ptr = ptr, .len = len };
}

#endif
