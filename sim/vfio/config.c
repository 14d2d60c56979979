/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "iau_hw.h"
#include "pci_ids.h"

#include <linux/pci_regs.h>
#include <string.h>

/* Capabilities, in the order of their list. */
enum { CAP_PM = 0x40, CAP_MSIX = 0x50, CAP_EXP = 0x60, CAP_DBP = 0xa0, CAP_DBP_BYTES = 16 };

static void put16(uint8_t *p, uint32_t at, uint32_t v)
{
	p[at] = (uint8_t)v;
	p[at + 1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t at, uint32_t v)
{
	put16(p, at, v);
	put16(p, at + 2, v >> 16);
}

static uint32_t get16(const struct config *c, uint32_t at)
{
	return c->byte[at] | (uint32_t)c->byte[at + 1] << 8;
}

static void capability(struct config *c, uint32_t at, uint8_t id, uint8_t next)
{
	c->byte[at] = id;
	c->byte[at + 1] = next;
}

static void reset_header(struct config *c)
{
	put16(c->byte, PCI_VENDOR_ID, IAU_PCI_VENDOR);
	put16(c->byte, PCI_DEVICE_ID, IAU_PCI_DEVICE);
	put16(c->byte, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put32(c->byte, PCI_CLASS_REVISION, (uint32_t)IAU_PCI_CLASS << 8 | IAU_VERSION);
	put16(c->byte, PCI_SUBSYSTEM_VENDOR_ID, IAU_PCI_SUBVENDOR);
	put16(c->byte, PCI_SUBSYSTEM_ID, IAU_PCI_SUBDEVICE);
	c->byte[PCI_CAPABILITY_LIST] = CAP_PM;
}

static void reset_capabilities(struct config *c)
{
	capability(c, CAP_PM, PCI_CAP_ID_PM, CAP_MSIX);
	put16(c->byte, CAP_PM + PCI_PM_PMC, 3);

	capability(c, CAP_MSIX, PCI_CAP_ID_MSIX, CAP_EXP);
	put16(c->byte, CAP_MSIX + PCI_MSIX_FLAGS, IAU_NUM_IRQS - 1);
	put32(c->byte, CAP_MSIX + PCI_MSIX_TABLE, IAU_BAR_MSIX);
	put32(c->byte, CAP_MSIX + PCI_MSIX_PBA, IAU_MSIX_PBA | IAU_BAR_MSIX);

	capability(c, CAP_EXP, PCI_CAP_ID_EXP, CAP_DBP);
	put16(c->byte, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(c->byte, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	put32(c->byte, CAP_EXP + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_8_0GB | 8 << 4);
	put16(c->byte, CAP_EXP + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_8_0GB | PCI_EXP_LNKSTA_NLW_X8);

	capability(c, CAP_DBP, PCI_CAP_ID_VNDR, 0);
	c->byte[CAP_DBP + PCI_CAP_FLAGS] = CAP_DBP_BYTES;
	c->byte[CAP_DBP + PCI_CAP_FLAGS + 1] = IAU_DBP_TYPE;
}

void config_reset(struct config *c)
{
	memset(c->byte, 0, sizeof(c->byte));
	reset_header(c);
	reset_capabilities(c);
}

void config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	config_reset(c);
	put16(c->writable, PCI_COMMAND,
	      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
		      PCI_COMMAND_INTX_DISABLE);
	c->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	c->writable[PCI_INTERRUPT_LINE] = 0xff;
	/* the size of a BAR is the lowest address bit that can be written */
	put32(c->writable, PCI_BASE_ADDRESS_0, ~(uint32_t)(IAU_BAR_REGS_BYTES - 1));
	put32(c->writable, PCI_BASE_ADDRESS_2, ~(uint32_t)(IAU_BAR_STATUS_BYTES - 1));
	put32(c->writable, PCI_BASE_ADDRESS_4, ~(uint32_t)(IAU_BAR_MSIX_BYTES - 1));
	put16(c->writable, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	put16(c->writable, CAP_MSIX + PCI_MSIX_FLAGS,
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put16(c->writable, CAP_EXP + PCI_EXP_DEVCTL, 0x7fff);
	put32(c->writable, CAP_DBP + IAU_DBP_ADDR, ~(uint32_t)(IAU_DBP_BYTES - 1) | 1);
	put32(c->writable, CAP_DBP + IAU_DBP_ADDR + 4, 0xfffff); /* of 52 bits */
}

unsigned int config_write(struct config *c, uint32_t offset, const uint8_t *data, uint32_t count)
{
	const uint32_t flr_at = CAP_EXP + PCI_EXP_DEVCTL + 1;
	uint32_t command = get16(c, PCI_COMMAND), flags = get16(c, CAP_MSIX + PCI_MSIX_FLAGS);
	int slept = config_sleeps(c);
	unsigned int asked = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t mask = c->writable[offset + i];
		uint8_t *p = &c->byte[offset + i];

		*p = (uint8_t)((*p & ~mask) | (data[i] & mask));
		if (offset + i == flr_at && data[i] & PCI_EXP_DEVCTL_BCR_FLR >> 8)
			asked |= CONFIG_FLR;
	}
	if ((get16(c, PCI_COMMAND) ^ command) & PCI_COMMAND_MASTER)
		asked |= CONFIG_MASTER;
	if (get16(c, CAP_MSIX + PCI_MSIX_FLAGS) != flags)
		asked |= CONFIG_MSIX;
	if (offset <= CAP_DBP + IAU_DBP_ADDR && offset + count > CAP_DBP + IAU_DBP_ADDR)
		asked |= CONFIG_DBP;
	if (slept && !config_sleeps(c))
		asked |= CONFIG_WAKE;
	return asked;
}

int config_sleeps(const struct config *c)
{
	return (get16(c, CAP_PM + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK) == 3;
}

int config_bus_master(const struct config *c)
{
	return !!(get16(c, PCI_COMMAND) & PCI_COMMAND_MASTER);
}

int config_msix_masked(const struct config *c)
{
	return !!(get16(c, CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL);
}

uint64_t config_doorbell_page(const struct config *c)
{
	uint32_t at = CAP_DBP + IAU_DBP_ADDR;
	uint64_t address = 0;

	if (!(c->byte[at] & 1))
		return 0;
	for (uint32_t i = 8; i--;)
		address = address << 8 | c->byte[at + i];
	return address - 1;
}
