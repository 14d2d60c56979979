/* SPDX-License-Identifier: MIT */
/*
 * The merge loop of BPE: neighbouring symbols merge, best pair first and leftmost among equals,
 * until no pair is left. Candidates wait in a heap and symbols are a linked list, so that n bytes
 * take O(n log n); a candidate whose symbols have changed since is recognised by its size.
 */
#include <stdlib.h>

#include "base/error.h"
#include "model/tokenizer_impl.h"

int merge_add_symbol(struct merge_work *w, uint32_t pos, uint32_t len, uint32_t id)
{
	void *array = w->symbols;
	uint32_t i = (uint32_t)w->n_symbols;
	int err = grow_array(&array, &w->room_symbols, w->n_symbols + 1, sizeof(*w->symbols));

	w->symbols = array;
	if (err)
		return err;
	w->symbols[i] = (struct symbol){
		.pos = pos,
		.len = len,
		.id = id,
		.prev = i ? i - 1 : NO_ID,
		.next = NO_ID,
	};
	if (i)
		w->symbols[i - 1].next = i;
	w->n_symbols++;
	return 0;
}

static int heap_push(struct merge_work *w, struct candidate c)
{
	void *array = w->heap;
	size_t i = w->n_heap;
	int err = grow_array(&array, &w->room_heap, w->n_heap + 1, sizeof(*w->heap));

	w->heap = array;
	if (err)
		return err;
	w->n_heap++;
	while (i && c.key < w->heap[(i - 1) / 2].key) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = c;
	return 0;
}

static struct candidate heap_pop(struct merge_work *w)
{
	struct candidate top = w->heap[0];
	struct candidate last = w->heap[--w->n_heap];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= w->n_heap)
			break;
		if (child + 1 < w->n_heap && w->heap[child + 1].key < w->heap[child].key)
			child++;
		if (last.key <= w->heap[child].key)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

static int consider(struct encoder *e, merge_lookup lookup, uint32_t left, uint32_t right)
{
	struct merge_work *w = &e->work;
	struct candidate c = { .right = right };
	uint32_t priority;

	if (left == NO_ID || right == NO_ID)
		return 0;
	if (!lookup(e, &w->symbols[left], &w->symbols[right], &priority, &c.merged))
		return 0;
	c.key = (uint64_t)priority << 32 | left;
	c.size = w->symbols[left].len + w->symbols[right].len;
	return heap_push(w, c);
}

int merge_run(struct encoder *e, merge_lookup lookup)
{
	struct merge_work *w = &e->work;
	int err = 0;

	w->n_heap = 0;
	for (uint32_t i = 1; i < w->n_symbols && !err; i++)
		err = consider(e, lookup, i - 1, i);
	while (w->n_heap && !err) {
		struct candidate c = heap_pop(w);
		uint32_t i = (uint32_t)c.key;
		struct symbol *left = &w->symbols[i];
		struct symbol *right = &w->symbols[c.right];

		if (!left->len || !right->len || left->len + right->len != c.size)
			continue;
		left->len += right->len;
		left->id = c.merged;
		left->next = right->next;
		right->len = 0;
		if (left->next != NO_ID)
			w->symbols[left->next].prev = i;
		err = consider(e, lookup, left->prev, i);
		if (!err)
			err = consider(e, lookup, i, left->next);
	}
	return err;
}
