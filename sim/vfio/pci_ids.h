/* SPDX-License-Identifier: MIT */
/*
 * How the card names itself on the PCI bus, and what lies in its BARs.
 *
 * The project owns no vendor ID. QEMU's registry (docs/specs/pci-ids.rst) keeps 1af4:10f0 to
 * 1af4:10ff for experiments without registration; this is the first of them. A card that is made
 * or shipped needs an ID of its own.
 */
#ifndef IAU_PCI_IDS_H
#define IAU_PCI_IDS_H

#define IAU_PCI_VENDOR	  0x1af4
#define IAU_PCI_DEVICE	  0x10f0
#define IAU_PCI_SUBVENDOR 0x1af4
#define IAU_PCI_SUBDEVICE 0x0001
#define IAU_PCI_CLASS	  0x120000 /* processing accelerator */

/* The registers of the hardware reference. */
#define IAU_BAR_REGS	   0
#define IAU_BAR_REGS_BYTES 0x10000

/*
 * Read-only and without a trap: a copy of the 4 KiB of queue registers at IAU_QUEUE_OFFSET of BAR
 * 0, current before an interrupt about a change is raised.
 */
#define IAU_BAR_STATUS	     2
#define IAU_BAR_STATUS_BYTES 0x1000

/* The MSI-X table, and the pending bits. */
#define IAU_BAR_MSIX	   4
#define IAU_BAR_MSIX_BYTES 0x1000
#define IAU_MSIX_PBA	   0x800

/*
 * The doorbell page: a vendor-specific capability of 16 bytes, IAU_DBP_TYPE in the byte after its
 * length. Bits 63:12 of the two words at IAU_DBP_ADDR are the DMA address of 4 KiB of host memory;
 * bit 0 enables it, with the write of the lower word. Both words are 0 after a reset.
 *
 * The host writes the tail of queue Q there, at byte 8 * Q, before it looks at the word at
 * IAU_DBP_ASLEEP: only if that is not 0 the doorbell register has to be written, too, with the same
 * tail. The card watches the tails of enabled queues while it works and for a while afterwards. It may
 * see a tail before a register that was written earlier, unless the host has read a register between.
 */
#define IAU_DBP_TYPE   1
#define IAU_DBP_ADDR   4
#define IAU_DBP_BYTES  0x1000
#define IAU_DBP_ASLEEP 0x800

#endif
