// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells. A card that has the capability watches a page of our memory while it is awake, so that
 * a virtual machine need not be left to ring: tails are written there, and to a register only if
 * the card says that it sleeps.
 */
#include <linux/dma-mapping.h>
#include <linux/pci.h>

#include "iau_drv.h"
#include "iau_pci.h"

/* The capability's place, or 0. */
static int find(struct pci_dev *pdev)
{
	int at = pci_find_capability(pdev, PCI_CAP_ID_VNDR);
	u8 type;

	while (at) {
		if (!pci_read_config_byte(pdev, at + PCI_CAP_FLAGS + 1, &type) &&
		    type == IAU_DBP_TYPE)
			return at;
		at = pci_find_next_capability(pdev, at, PCI_CAP_ID_VNDR);
	}
	return 0;
}

/* Before the page is freed, the card must forget it: it writes there, too. */
static void stop(void *data)
{
	struct iau_device *iau = data;

	pci_write_config_dword(to_pci_dev(iau->drm.dev), iau->doorbell_cap + IAU_DBP_ADDR, 0);
}

/* A card without the capability costs nothing but time. */
int iau_doorbell_init(struct iau_device *iau)
{
	struct device *dev = iau->drm.dev;

	iau->doorbell_cap = find(to_pci_dev(dev));
	if (!iau->doorbell_cap)
		return 0;
	iau->doorbells = dmam_alloc_coherent(dev, IAU_DBP_BYTES, &iau->doorbells_dma, GFP_KERNEL);
	if (!iau->doorbells)
		return -ENOMEM;
	iau_doorbell_start(iau);
	return devm_add_action_or_reset(dev, stop, iau);
}

/* The device has forgotten where the page is; no queue of it is enabled. */
void iau_doorbell_start(struct iau_device *iau)
{
	struct pci_dev *pdev = to_pci_dev(iau->drm.dev);
	int at = iau->doorbell_cap + IAU_DBP_ADDR;

	if (!iau->doorbells)
		return;
	memset(iau->doorbells, 0, IAU_DBP_BYTES);
	iau->doorbells[IAU_DBP_ASLEEP / 4] = cpu_to_le32(1);
	pci_write_config_dword(pdev, at + 4, upper_32_bits(iau->doorbells_dma));
	pci_write_config_dword(pdev, at, lower_32_bits(iau->doorbells_dma) | 1);
}

/* The hardware queue Q is about to be enabled: as many jobs as the device knows of it, none. */
void iau_doorbell_reset(struct iau_device *iau, unsigned int q)
{
	if (iau->doorbells)
		WRITE_ONCE(iau->doorbells[q * 2], 0);
}

/* What is in the ring of hardware queue Q up to TAIL is there for the device. */
void iau_doorbell_ring(struct iau_device *iau, unsigned int q, u32 tail)
{
	if (iau->doorbells) {
		/* descriptors before the tail */
		dma_wmb();
		WRITE_ONCE(iau->doorbells[q * 2], cpu_to_le32(tail));
		/* the card does it the other way round before it sleeps */
		mb();
		if (!READ_ONCE(iau->doorbells[IAU_DBP_ASLEEP / 4]))
			return;
	}
	/* writel() orders the descriptors before the doorbell */
	iau_write(iau, IAU_DOORBELL_OFFSET + q * 8, tail);
}
