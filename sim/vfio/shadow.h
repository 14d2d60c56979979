/* SPDX-License-Identifier: MIT */
/*
 * What the registers read as, without asking the device: it may be in the middle of a long command.
 *
 * The device's thread publishes what it reads from the device. A write takes effect here at once as
 * far as it is known what the device will make of it, so that who writes sees it: registers that
 * software owns, cleared interrupts, a reset queue. Writes that the device has not yet seen are
 * repeated on top of what is published. The caller holds one lock around all of it.
 */
#ifndef IAU_VFIO_SHADOW_H
#define IAU_VFIO_SHADOW_H

#include "iau_hw.h"

#include <stdint.h>

#define SHADOW_BYTES (IAU_DOORBELL_OFFSET + IAU_NUM_QUEUES * 8u)

struct shadow {
	uint32_t word[SHADOW_BYTES / 4];
	uint32_t counter_high;	 /* latched by the low half */
	volatile uint32_t *page; /* the status page, or NULL */
};

/* One register of a device; OFFSET as in BAR 0. */
typedef uint32_t (*shadow_reader)(void *opaque, uint32_t offset);

/* Reads all registers, after a reset. */
void shadow_collect_all(struct shadow *s, shadow_reader read, void *opaque);
/* Reads those that the device changes by itself; writes must have been told by shadow_write(). */
void shadow_collect(struct shadow *s, shadow_reader read, void *opaque);
/* Takes the registers of FROM over, and shows the queues' in the status page. */
void shadow_publish(struct shadow *s, const struct shadow *from);

uint32_t shadow_read(struct shadow *s, uint32_t offset);
void shadow_write(struct shadow *s, uint32_t offset, uint32_t value);

/* The register REG of queue Q. */
static inline uint32_t shadow_queue(const struct shadow *s, unsigned int q, uint32_t reg)
{
	return s->word[(IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg) / 4];
}

#endif
