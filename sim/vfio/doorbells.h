/* SPDX-License-Identifier: MIT */
/*
 * The doorbell page (pci_ids.h): tails of queues in host memory, which the card watches while it is
 * awake, so that a host need not leave its virtual machine to ring. NVMe's shadow doorbells
 * (specification 1.3, section 5.7) do the same. Belongs to who is in a step of the device.
 */
#ifndef IAU_VFIO_DOORBELLS_H
#define IAU_VFIO_DOORBELLS_H

#include "dma.h"
#include "shadow.h"

struct doorbells {
	uint64_t page; /* DMA address; 0 if there is none */
};

/* From now on the host writes the doorbell registers, or (!ASLEEP) it need not. */
void doorbells_sleep(const struct doorbells *d, const struct dma *dma, bool asleep);

/*
 * The first enabled queue whose tail in the page is not the one that the device knows, and that
 * TAIL; -1 if there is none, or nothing answers at the page.
 */
int doorbells_news(const struct doorbells *d, const struct dma *dma, const struct shadow *regs,
		   uint32_t *tail);

#endif
