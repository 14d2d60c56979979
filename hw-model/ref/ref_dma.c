/* SPDX-License-Identifier: MIT */
/* LOAD, STORE and STAMP: copies in pieces that stay within a page. COPY: within the device. */
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

static void copy_2d(struct iau_dev *dev, const uint32_t *cmd, bool store, struct ref_fault *fault)
{
	uint32_t bytes = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROW_BYTES);
	uint32_t rows = (uint32_t)IAU_GET(cmd, IAU_LOAD_ROWS);
	uint32_t addr = (uint32_t)IAU_GET(cmd, IAU_LOAD_ADDR);
	uint64_t va = IAU_GET(cmd, IAU_LOAD_VA);
	uint8_t *scratch = addr >= IAU_TSP_BASE ? dev->tsp + (addr - IAU_TSP_BASE) :
						  dev->vsp + addr;
	bool bus = false;

	for (uint32_t r = 0; r < rows; r++) {
		if (!copy_row(dev, va, scratch, bytes, store, fault, &bus))
			return;
		va += IAU_GET(cmd, IAU_LOAD_MEM_STRIDE);
		if (r + 1 < rows)
			scratch += IAU_GET(cmd, IAU_LOAD_STRIDE);
	}
	if (bus) {
		*fault = (struct ref_fault){ IAU_FAULT_BUS, 0, IAU_GET(cmd, IAU_LOAD_VA), true };
		return;
	}
	dev->counter[store ? IAU_CNT_STORE_BYTES : IAU_CNT_LOAD_BYTES] += (uint64_t)rows * bytes;
}

void ref_load(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault)
{
	copy_2d(dev, cmd, false, fault);
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
	uint8_t *dst = addr >= IAU_TSP_BASE ? dev->tsp + (addr - IAU_TSP_BASE) : dev->vsp + addr;
	const uint8_t *src = dev->vsp + IAU_GET(cmd, IAU_COPY_SRC);

	for (uint32_t r = 0; r < rows; r++)
		memcpy(dst + r * IAU_GET(cmd, IAU_COPY_STRIDE),
		       src + r * IAU_GET(cmd, IAU_COPY_SRC_STRIDE), bytes);
}
