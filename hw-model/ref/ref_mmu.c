/* SPDX-License-Identifier: MIT */
/* Three-level page tables, 9 bits a level, 4 KiB and 2 MiB pages. */
#include "ref.h"

#include <string.h>

#define PTE_ADDR UINT64_C(0x000ffffffffff000)

static bool refuse(struct ref_fault *fault, enum iau_fault code, uint64_t va)
{
	fault->code = code;
	fault->info = 0;
	fault->va = va;
	return false;
}

bool ref_walk(struct iau_dev *dev, uint64_t va, struct ref_page *page, struct ref_fault *fault)
{
	uint64_t table = dev->ctx_root[dev->job.ctx] & PTE_ADDR, pte = 0, mask;
	uint8_t *p;
	int level;

	if (va >> IAU_VA_BITS)
		return refuse(fault, IAU_FAULT_UNMAPPED, va);
	for (level = 2; level >= 0; level--) {
		unsigned int shift = 12 + 9 * (unsigned int)level;

		p = dev->host.map(dev->host.opaque, table + (va >> shift & 511) * 8, 8, false);
		if (!p)
			return refuse(fault, IAU_FAULT_BUS, va);
		memcpy(&pte, p, 8);
		if (!(pte & IAU_PTE_V))
			return refuse(fault, IAU_FAULT_UNMAPPED, va);
		if (level == 2 && (pte & IAU_PTE_L))
			return refuse(fault, IAU_FAULT_BAD_PTE, va);
		if (level == 0 || (pte & IAU_PTE_L))
			break;
		table = pte & PTE_ADDR;
	}
	if ((pte & IAU_PTE_W) && (pte & IAU_PTE_C))
		return refuse(fault, IAU_FAULT_BAD_PTE, va);
	mask = (level == 1 ? UINT64_C(2) << 20 : 4096) - 1;
	*page = (struct ref_page){ .pa = (pte & PTE_ADDR & ~mask) | (va & mask),
				   .room = mask + 1 - (va & mask),
				   .writable = pte & IAU_PTE_W,
				   .constant = pte & IAU_PTE_C };
	return true;
}

uint8_t *ref_translate(struct iau_dev *dev, uint64_t va, size_t len, bool write, bool command,
		       struct ref_fault *fault)
{
	struct ref_page page;
	uint8_t *p;

	if (!ref_walk(dev, va, &page, fault))
		return NULL;
	if (write && !page.writable)
		refuse(fault, IAU_FAULT_PERMISSION, va);
	else if (command && !page.constant)
		refuse(fault, IAU_FAULT_NOT_CONST, va);
	if (fault->code)
		return NULL;
	p = dev->host.map(dev->host.opaque, page.pa, len, write);
	if (p)
		return p;
	fault->data = true;
	refuse(fault, IAU_FAULT_BUS, va);
	return NULL;
}
