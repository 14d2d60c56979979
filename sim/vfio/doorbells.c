/* SPDX-License-Identifier: MIT */
#include "doorbells.h"
#include "pci_ids.h"

#include <stdatomic.h>

static _Atomic uint32_t *page_at(const struct doorbells *d, const struct dma *dma)
{
	return d->page ? (_Atomic uint32_t *)(void *)dma_at(dma, d->page, IAU_DBP_BYTES, true) :
			 NULL;
}

void doorbells_sleep(const struct doorbells *d, const struct dma *dma, bool asleep)
{
	_Atomic uint32_t *page = page_at(d, dma);

	/* the host writes a tail and then reads this; the card does it the other way round */
	if (page)
		atomic_store(&page[IAU_DBP_ASLEEP / 4], asleep);
}

int doorbells_news(const struct doorbells *d, const struct dma *dma, const struct shadow *regs,
		   uint32_t *tail)
{
	_Atomic uint32_t *page = page_at(d, dma);

	for (unsigned int q = 0; page && q < IAU_NUM_QUEUES; q++) {
		*tail = atomic_load(&page[q * 2]);
		if (shadow_queue(regs, q, IAU_QREG_CTRL) & 1 &&
		    *tail != regs->word[(IAU_DOORBELL_OFFSET + q * 8) / 4])
			return (int)q;
	}
	return -1;
}
