/* SPDX-License-Identifier: GPL-2.0-only */
/* How the card names itself; sim/vfio says the same. */
#ifndef __IAU_PCI_H__
#define __IAU_PCI_H__

#define IAU_PCI_VENDOR		0x1af4
#define IAU_PCI_DEVICE		0x10f0
#define IAU_PCI_BAR_REGS	0
/* What the queue registers hold, in memory; a card may be without it */
#define IAU_PCI_BAR_STATUS	2
#define IAU_PCI_STATUS_BYTES	0x1000

/* The doorbell page: type of the vendor-specific capability, address in it, tails, a word */
#define IAU_DBP_TYPE		1
#define IAU_DBP_ADDR		4
#define IAU_DBP_BYTES		0x1000
#define IAU_DBP_ASLEEP		0x800

#endif /* __IAU_PCI_H__ */
