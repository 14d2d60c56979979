/* SPDX-License-Identifier: MIT */
#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME  0x100000001b3u

/* FNV-1a, continued from @hash so that two pieces hash like their concatenation. */
static uint64_t hash_bytes(uint64_t hash, struct iau_str s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.ptr[i]) * FNV_PRIME;
	return hash;
}

static uint32_t hash_fold(uint64_t hash)
{
	return (uint32_t)(hash ^ (hash >> 32));
}

static bool equals2(struct iau_str key, struct iau_str a, struct iau_str b)
{
	return key.len == a.len + b.len && (!a.len || memcmp(key.ptr, a.ptr, a.len) == 0) &&
	       (!b.len || memcmp(key.ptr + a.len, b.ptr, b.len) == 0);
}

/* The slot that holds a+b, or the empty one where it would go. */
static struct iau_strmap_slot *find_slot(const struct iau_strmap *map, uint32_t hash,
					 struct iau_str a, struct iau_str b)
{
	size_t mask = map->n_slots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct iau_strmap_slot *slot = &map->slots[i];

		if (slot->value == IAU_STRMAP_NONE)
			return slot;
		if (slot->hash == hash && equals2(slot->key, a, b))
			return slot;
	}
}

static int resize(struct iau_strmap *map, size_t n_slots)
{
	struct iau_strmap grown = { .n_slots = n_slots, .n = map->n };

	grown.slots = malloc(n_slots * sizeof(*grown.slots));
	if (!grown.slots)
		return iau_error_nomem("string map");
	for (size_t i = 0; i < n_slots; i++)
		grown.slots[i].value = IAU_STRMAP_NONE;
	for (size_t i = 0; i < map->n_slots; i++) {
		struct iau_strmap_slot *from = &map->slots[i];

		if (from->value != IAU_STRMAP_NONE)
			*find_slot(&grown, from->hash, from->key, iau_str_make(NULL, 0)) = *from;
	}
	free(map->slots);
	*map = grown;
	return 0;
}

int iau_strmap_reserve(struct iau_strmap *map, size_t n)
{
	size_t n_slots = map->n_slots ? map->n_slots : 16;

	if (n > SIZE_MAX / (4 * sizeof(*map->slots)))
		return iau_error_nomem("string map");
	while (n_slots < 2 * n)
		n_slots *= 2;
	return n_slots == map->n_slots ? 0 : resize(map, n_slots);
}

int iau_strmap_add(struct iau_strmap *map, struct iau_str key, uint32_t value)
{
	uint32_t hash = hash_fold(hash_bytes(FNV_OFFSET, key));
	struct iau_strmap_slot *slot;
	int err = iau_strmap_reserve(map, map->n + 1);

	if (err)
		return err;
	slot = find_slot(map, hash, key, iau_str_make(NULL, 0));
	if (slot->value != IAU_STRMAP_NONE)
		return -EEXIST;
	*slot = (struct iau_strmap_slot){ .key = key, .hash = hash, .value = value };
	map->n++;
	return 0;
}

uint32_t iau_strmap_get2(const struct iau_strmap *map, struct iau_str a, struct iau_str b)
{
	if (!map->n)
		return IAU_STRMAP_NONE;
	return find_slot(map, hash_fold(hash_bytes(hash_bytes(FNV_OFFSET, a), b)), a, b)->value;
}

uint32_t iau_strmap_get(const struct iau_strmap *map, struct iau_str key)
{
	return iau_strmap_get2(map, key, iau_str_make(NULL, 0));
}

void iau_strmap_fini(struct iau_strmap *map)
{
	free(map->slots);
	*map = (struct iau_strmap){ 0 };
}
