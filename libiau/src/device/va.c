/* SPDX-License-Identifier: MIT */
#include "device/va.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first address from VA on from which SIZE bytes cross no line, unless they are more than one has */
static uint64_t uncrossed(uint64_t va, uint64_t size)
{
	uint64_t line = (va + VA_LINE - 1) & ~(VA_LINE - 1);

	return size <= VA_LINE && va + size > line && line > va ? line : va;
}

/* The hole that SIZE bytes go to, or the number of holes: behind all */
static size_t find_hole(const struct va_space *s, uint64_t size)
{
	size_t i = 0;

	while (i < s->n && uncrossed(s->hole[i].va, size) + size > s->hole[i].end)
		i++;
	return i;
}

/* Where SIZE bytes lie in hole I, or behind all */
static uint64_t place_in(const struct va_space *s, size_t i, uint64_t size)
{
	return uncrossed(i < s->n ? s->hole[i].va : s->next, size);
}

uint64_t va_find(const struct va_space *s, uint64_t size)
{
	return place_in(s, find_hole(s, size), size);
}

/* False: no memory */
static bool insert(struct va_space *s, size_t i, struct va_hole hole)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct va_hole *more = realloc(s->hole, room * sizeof(*more));

		if (!more)
			return false;
		s->hole = more;
		s->room = room;
	}
	memmove(&s->hole[i + 1], &s->hole[i], (s->n++ - i) * sizeof(hole));
	s->hole[i] = hole;
	return true;
}

static void drop(struct va_space *s, size_t i)
{
	memmove(&s->hole[i], &s->hole[i + 1], (--s->n - i) * sizeof(*s->hole));
}

/* Addresses in hole I: what is left before them and behind */
static void take_hole(struct va_space *s, size_t i, uint64_t va, uint64_t end)
{
	struct va_hole before = { s->hole[i].va, va };

	s->hole[i].va = end;
	if (s->hole[i].va == s->hole[i].end)
		drop(s, i);
	if (before.va < before.end)
		insert(s, i, before);
}

uint64_t va_take(struct va_space *s, uint64_t size)
{
	size_t i = find_hole(s, size);
	uint64_t va = place_in(s, i, size), end = va + va_round(size);

	if (i < s->n) {
		take_hole(s, i, va, end);
		return va;
	}
	if (s->next < va)
		insert(s, s->n, (struct va_hole){ s->next, va });
	s->next = end;
	return va;
}

void va_give(struct va_space *s, uint64_t va, uint64_t size)
{
	uint64_t end = va + va_round(size);
	size_t i = 0;

	while (i < s->n && s->hole[i].va < va)
		i++;
	if (i && s->hole[i - 1].end == va)
		va = s->hole[--i].va;
	else if (!insert(s, i, (struct va_hole){ va, end }))
		return;
	s->hole[i].end = end;
	if (i + 1 < s->n && s->hole[i + 1].va == end) {
		s->hole[i].end = s->hole[i + 1].end;
		drop(s, i + 1);
	}
	if (s->hole[i].end == s->next) {
		s->next = va;
		drop(s, i);
	}
}

void va_free(struct va_space *s)
{
	free(s->hole);
}
