/* SPDX-License-Identifier: MIT */
/*
 * The card's PCI configuration space: IDs, BARs, power management, MSI-X, PCI Express, the doorbell
 * page.
 */
#ifndef IAU_VFIO_CONFIG_H
#define IAU_VFIO_CONFIG_H

#include <stdint.h>

#define CONFIG_BYTES 4096u

struct config {
	uint8_t byte[CONFIG_BYTES];
	uint8_t writable[CONFIG_BYTES]; /* a set bit can be written */
};

/* What a write asked of the device. */
enum { CONFIG_FLR = 1, CONFIG_MASTER = 2, CONFIG_MSIX = 4, CONFIG_WAKE = 8, CONFIG_DBP = 16 };

void config_init(struct config *c);
/* As after power on; the BARs and the command register with it. */
void config_reset(struct config *c);
/* COUNT bytes at OFFSET, both within the space. Returns bits of the enum above. */
unsigned int config_write(struct config *c, uint32_t offset, const uint8_t *data, uint32_t count);
/* In D3hot registers do not answer, and waking up is a reset. */
int config_sleeps(const struct config *c);
int config_bus_master(const struct config *c);
int config_msix_masked(const struct config *c);
/* The DMA address of the doorbell page; 0 if there is none. */
uint64_t config_doorbell_page(const struct config *c);

#endif
