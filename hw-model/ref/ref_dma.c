/* SPDX-License-Identifier: MIT */
/*
 * LOAD, STORE and STAMP: copies in pieces that stay within a page, or none at all (ref_tsp.c); rows of a
 * LOAD may lie where a list says, and may be expanded from 4 bits. COPY: within the device.
 */
#include "ref.h"

#include <string.h>

enum kind { KIND_LOAD, KIND_STORE, KIND_UNPACK };

/*
 * Of 64 bytes the lower four bits, with an offset of 8, become the upper four of 64, then the upper ones those
 * of 64 more; 8 is in the middle of what the other four bits were.
 */
static void unpack(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t *word = to + i / 64 * 128 + i % 64;

		word[0] = (uint8_t)(from[i] << 4 ^ 0x88);
		word[64] = (uint8_t)((from[i] & 0xf0) | 8);
	}
}

#define LINE 64u /* of the host's caches */

/* What is at NEXT is copied next: its lines are asked for meanwhile, and do not wait for each other. */
static void copy_and_ask(uint8_t *to, const uint8_t *from, uint32_t bytes, const uint8_t *next)
{
	uint32_t i = 0;

	for (; i + LINE <= bytes; i += LINE) {
		__builtin_prefetch(next + i);
		memcpy(to + i, from + i, LINE);
	}
	memcpy(to + i, from + i, bytes - i);
}

static void copy_piece(uint8_t *mem, uint8_t *scratch, uint32_t bytes, enum kind kind, const uint8_t *next)
{
	if (kind == KIND_STORE)
		memcpy(mem, scratch, bytes);
	else if (kind == KIND_LOAD)
		copy_and_ask(scratch, mem, bytes, next);
	else
		unpack(scratch, mem, bytes);
}

/*
 * Copies one row of BYTES in memory; the bytes before a faulting page have moved. Data that memory does
 * not answer for is left out and noted in BUS: such errors come back late, when more is under way. NEXT: where the
 * next row begins, if that is known.
 */
static bool copy_row(struct iau_dev *dev, uint64_t va, uint8_t *scratch, uint32_t bytes, enum kind kind,
		     const uint8_t *next, struct ref_fault *fault, bool *bus)
{
	while (bytes) {
		uint32_t room = 4096 - (uint32_t)(va & 4095);
		uint32_t n = bytes < room ? bytes : room;
		uint8_t *mem = ref_translate(dev, va, n, kind == KIND_STORE, false, fault);

		if (!mem && !fault->data)
			return false;
		if (!mem) {
			*bus = true;
			*fault = (struct ref_fault){ 0 };
		} else {
			copy_piece(mem, scratch, n, kind, next ? next : mem);
		}
		next = NULL;
		va += n;
		scratch += kind == KIND_UNPACK ? 2 * n : n;
		bytes -= n;
	}
	return true;
}

/* Where BYTES bytes are written. */
static uint8_t *scratch_at(struct iau_dev *dev, uint32_t addr, uint32_t bytes)
{
	uint32_t at = addr - IAU_TSP_BASE;

	if (addr < IAU_TSP_BASE)
		return dev->vsp + addr;
	ref_tsp_cut(dev, at, at + bytes);
	return dev->tsp + at;
}

/* Where row R lies in memory; PACKED: whether it is to be expanded. */
static uint64_t load_row_at(const struct iau_dev *dev, const uint32_t *cmd, uint32_t r, bool *packed)
{
	uint64_t va = IAU_GET(cmd, IAU_LOAD_VA);
	uint32_t entry;

	*packed = IAU_GET(cmd, IAU_LOAD_UNPACK);
	if (!IAU_GET(cmd, IAU_LOAD_BY_LIST))
		return va + r * IAU_GET(cmd, IAU_LOAD_MEM_STRIDE);
	memcpy(&entry, dev->vsp + IAU_GET(cmd, IAU_LOAD_LIST_ADDR) + 4 * r, 4);
	*packed &= entry & 1;
	if (entry & 1)
		va += (uint64_t)(int64_t)(int32_t)IAU_GET(cmd, IAU_LOAD_DELTA);
	return va + (entry & ~63u);
}

#define ROWS_AHEAD 8u

/*
 * Where the next rows of a LOAD from row R on begin in the host's memory, NULL: nowhere. They may lie anywhere, so
 * the processor does not see by itself what comes next.
 */
static void ask_for_rows(struct iau_dev *dev, const uint32_t *cmd, uint32_t r, const uint8_t **at)
{
	uint32_t rows = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROWS) - r;

	for (uint32_t i = 0; i < ROWS_AHEAD; i++) {
		struct ref_fault none = { 0 };
		bool packed;

		at[i] = NULL;
		if (i < rows)
			at[i] = ref_translate(dev, load_row_at(dev, cmd, r + i, &packed), 1, false, false,
					      &none);
		if (at[i]) {
			__builtin_prefetch(at[i]);
			__builtin_prefetch(at[i] + LINE);
		}
	}
}

/* A STORE has the fields of a LOAD at the same places, but for those of lists, which it must leave zero. */
static void copy_2d(struct iau_dev *dev, const uint32_t *cmd, bool store, struct ref_fault *fault)
{
	uint32_t bytes = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROW_BYTES);
	uint32_t rows = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROWS);
	uint32_t addr = (uint32_t)IAU_GET(cmd, IAU_LOAD_ADDR);
	const uint8_t *begin[ROWS_AHEAD + 1] = { NULL };
	uint64_t moved = 0;
	bool bus = false;

	for (uint32_t r = 0; r < rows; r++) {
		bool packed;
		uint64_t va = load_row_at(dev, cmd, r, &packed);
		uint32_t n = packed ? bytes / 2 : bytes;

		if (!store && rows > 1 && r % ROWS_AHEAD == 0)
			ask_for_rows(dev, cmd, r, begin);
		if (!copy_row(dev, va, scratch_at(dev, addr, bytes), n,
			      packed ? KIND_UNPACK : store ? KIND_STORE : KIND_LOAD, begin[r % ROWS_AHEAD + 1],
			      fault, &bus))
			return;
		moved += n;
		addr += (uint32_t)IAU_GET(cmd, IAU_LOAD_STRIDE);
	}
	if (bus) {
		*fault = (struct ref_fault){ IAU_FAULT_BUS, 0, IAU_GET(cmd, IAU_LOAD_VA), true };
		return;
	}
	dev->counter[store ? IAU_CNT_STORE_BYTES : IAU_CNT_LOAD_BYTES] += moved;
}

/* The host address of BYTES bytes at VA if they are constant and lie side by side there, or NULL. */
static const uint8_t *constant_at(struct iau_dev *dev, uint64_t va, uint32_t bytes)
{
	struct ref_page page = { 0 };
	struct ref_fault fault;
	const uint8_t *first = NULL;
	uint32_t n;

	for (uint32_t at = 0; at < bytes; at += n, page.pa += n, page.room -= n) {
		uint32_t room = 4096 - (uint32_t)((va + at) & 4095);
		const uint8_t *p;

		n = bytes - at < room ? bytes - at : room;
		if (!page.room && !ref_walk(dev, va + at, &page, &fault))
			return NULL;
		p = page.constant ? dev->host.map(dev->host.opaque, page.pa, n, false) : NULL;
		if (!p || (first && p != first + at))
			return NULL;
		first = first ? first : p;
	}
	return first;
}

void ref_load(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault)
{
	uint32_t bytes = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROW_BYTES);
	uint32_t addr = (uint32_t)IAU_GET(cmd, IAU_LOAD_ADDR);
	const uint8_t *mem = NULL;
	bool as_is = !IAU_GET(cmd, IAU_LOAD_BY_LIST) && !IAU_GET(cmd, IAU_LOAD_UNPACK);

	if (as_is && addr >= IAU_TSP_BASE && IAU_GET(cmd, IAU_LOAD_ROWS) == 1)
		mem = constant_at(dev, IAU_GET(cmd, IAU_LOAD_VA), bytes);
	if (!mem) {
		copy_2d(dev, cmd, false, fault);
		return;
	}
	ref_tsp_view(dev, addr - IAU_TSP_BASE, bytes, mem);
	dev->counter[IAU_CNT_LOAD_BYTES] += bytes;
}

void ref_store(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault)
{
	copy_2d(dev, cmd, true, fault);
}

void ref_stamp(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault)
{
	uint8_t *mem = ref_translate(dev, IAU_GET(cmd, IAU_STAMP_VA), 8, true, false, fault);

	if (!mem)
		return;
	memset(mem, 0, 8);
	dev->counter[IAU_CNT_STORE_BYTES] += 8;
}

void ref_copy(struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t bytes = (uint32_t)IAU_GET(cmd, IAU_COPY_ROW_BYTES);
	uint32_t rows = (uint32_t)IAU_GET(cmd, IAU_COPY_ROWS);
	uint32_t addr = (uint32_t)IAU_GET(cmd, IAU_COPY_ADDR);
	const uint8_t *src = dev->vsp + IAU_GET(cmd, IAU_COPY_SRC);

	for (uint32_t r = 0; r < rows; r++) {
		memcpy(scratch_at(dev, addr, bytes), src, bytes);
		addr += (uint32_t)IAU_GET(cmd, IAU_COPY_STRIDE);
		src += IAU_GET(cmd, IAU_COPY_SRC_STRIDE);
	}
}
