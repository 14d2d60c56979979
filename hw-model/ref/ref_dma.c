/* SPDX-License-Identifier: MIT */
/*
 * LOAD, STORE and STAMP: copies in pieces that stay within a page, or none at all (ref_tsp.c). COPY:
 * within the device.
 */
#include "ref.h"

#include <string.h>

/*
 * Copies one row; the bytes before a faulting page have moved. Data that memory does not answer
 * for is left out and noted in BUS: such errors come back late, when more is under way.
 */
static bool copy_row(struct iau_dev *dev, uint64_t va, uint8_t *scratch, uint32_t bytes, bool store,
		     struct ref_fault *fault, bool *bus)
{
	while (bytes) {
		uint32_t room = 4096 - (uint32_t)(va & 4095);
		uint32_t n = bytes < room ? bytes : room;
		uint8_t *mem = ref_translate(dev, va, n, store, false, fault);

		if (!mem && !fault->data)
			return false;
		if (!mem) {
			*bus = true;
			*fault = (struct ref_fault){ 0 };
		} else if (store) {
			memcpy(mem, scratch, n);
		} else {
			memcpy(scratch, mem, n);
		}
		va += n;
		scratch += n;
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

static void copy_2d(struct iau_dev *dev, const uint32_t *cmd, bool store, struct ref_fault *fault)
{
	uint32_t bytes = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROW_BYTES);
	uint32_t rows = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROWS);
	uint32_t addr = (uint32_t)IAU_GET(cmd, IAU_LOAD_ADDR);
	uint64_t va = IAU_GET(cmd, IAU_LOAD_VA);
	bool bus = false;

	for (uint32_t r = 0; r < rows; r++) {
		if (!copy_row(dev, va, scratch_at(dev, addr, bytes), bytes, store, fault, &bus))
			return;
		va += IAU_GET(cmd, IAU_LOAD_MEM_STRIDE);
		addr += (uint32_t)IAU_GET(cmd, IAU_LOAD_STRIDE);
	}
	if (bus) {
		*fault = (struct ref_fault){ IAU_FAULT_BUS, 0, IAU_GET(cmd, IAU_LOAD_VA), true };
		return;
	}
	dev->counter[store ? IAU_CNT_STORE_BYTES : IAU_CNT_LOAD_BYTES] += (uint64_t)rows * bytes;
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

	if (addr >= IAU_TSP_BASE && IAU_GET(cmd, IAU_LOAD_ROWS) == 1)
		mem = constant_at(dev, IAU_GET(cmd, IAU_LOAD_VA), bytes);
	if (!mem) {
		copy_2d(dev, cmd, false, fault);
		return;
	}
	ref_tsp_view(dev, addr - IAU_TSP_BASE, bytes, mem);
	dev->counter[IAU_CNT_LOAD_BYTES] += bytes;
}

/* STORE has the fields of LOAD at the same places. */
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
