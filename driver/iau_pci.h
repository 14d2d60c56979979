/* SPDX-License-Identifier: GPL-2.0-only */
/* How the card names itself; sim/vfio says the same. */
#ifndef __IAU_PCI_H__
#define __IAU_PCI_H__

#define IAU_PCI_VENDOR		0x1af4
#define IAU_PCI_DEVICE		0x10f0
#define IAU_PCI_BAR_REGS	0

#endif /* __IAU_PCI_H__ */
