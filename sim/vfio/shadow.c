/* SPDX-License-Identifier: MIT */
#include "shadow.h"
#include "pci_ids.h"

#include <stdbool.h>
#include <string.h>

static uint32_t *queue_reg(struct shadow *s, unsigned int q, uint32_t reg)
{
	return &s->word[(IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg) / 4];
}

static void collect_range(struct shadow *s, shadow_reader read, void *opaque, uint32_t first,
			  uint32_t last)
{
	for (uint32_t at = first; at <= last; at += 4)
		s->word[at / 4] = read(opaque, at);
}

void shadow_collect(struct shadow *s, shadow_reader read, void *opaque)
{
	collect_range(s, read, opaque, IAU_REG_STATUS, IAU_REG_STATUS);
	collect_range(s, read, opaque, IAU_REG_IRQ_STATUS, IAU_REG_IRQ_STATUS);
	/* low halves first, for they latch the high ones */
	collect_range(s, read, opaque, IAU_CNT_OFFSET, IAU_CNT_OFFSET + IAU_NUM_COUNTERS * 8 - 4);
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		uint32_t base = IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE;

		collect_range(s, read, opaque, base + IAU_QREG_HEAD, base + IAU_QREG_HEAD);
		collect_range(s, read, opaque, base + IAU_QREG_STATUS, base + IAU_QREG_FAULT_CODE);
		if (shadow_queue(s, q, IAU_QREG_FAULT_CODE))
			collect_range(s, read, opaque, base + IAU_QREG_FAULT_INFO,
				      base + IAU_QREG_FAULT_CTX);
	}
}

void shadow_collect_all(struct shadow *s, shadow_reader read, void *opaque)
{
	memset(s->word, 0, sizeof(s->word));
	collect_range(s, read, opaque, IAU_REG_ID, IAU_REG_CAP2);
	collect_range(s, read, opaque, IAU_REG_IRQ_MASK, IAU_REG_IRQ_MASK);
	collect_range(s, read, opaque, IAU_CTX_OFFSET,
		      IAU_CTX_OFFSET + IAU_NUM_CONTEXTS * IAU_CTX_STRIDE - 4);
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		uint32_t base = IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE;

		collect_range(s, read, opaque, base, base + IAU_QREG_CTRL);
	}
	shadow_collect(s, read, opaque);
}

static void show(struct shadow *s)
{
	for (uint32_t at = 0; s->page && at < IAU_NUM_QUEUES * IAU_QUEUE_STRIDE; at += 4)
		s->page[at / 4] = s->word[(IAU_QUEUE_OFFSET + at) / 4];
}

void shadow_publish(struct shadow *s, const struct shadow *from)
{
	memcpy(s->word, from->word, sizeof(s->word));
	show(s);
}

uint32_t shadow_read(struct shadow *s, uint32_t offset)
{
	uint32_t counter = offset - IAU_CNT_OFFSET;

	if (offset >= SHADOW_BYTES)
		return 0;
	if (offset >= IAU_CNT_OFFSET && counter < IAU_NUM_COUNTERS * 8) {
		if (counter % 8)
			return s->counter_high;
		s->counter_high = s->word[offset / 4 + 1];
	}
	return s->word[offset / 4];
}

static void queue_command(struct shadow *s, unsigned int q, uint32_t value)
{
	uint32_t *status = queue_reg(s, q, IAU_QREG_STATUS);

	if (value == 1) {
		*status = 3;
		*queue_reg(s, q, IAU_QREG_HEAD) = 0;
		*queue_reg(s, q, IAU_QREG_CTRL) = 0;
		for (uint32_t r = IAU_QREG_FAULT_CODE; r <= IAU_QREG_FAULT_CTX; r += 4)
			*queue_reg(s, q, r) = 0;
		s->word[(IAU_DOORBELL_OFFSET + q * 8) / 4] = 0;
	} else if (value == 2 && *status == 2) {
		*status = 0;
		++*queue_reg(s, q, IAU_QREG_HEAD);
		*queue_reg(s, q, IAU_QREG_FAULT_CODE) = 0;
	}
}

/* Bits of the queue registers that software owns, in their order. */
static uint32_t queue_mask(uint32_t reg)
{
	switch (reg) {
	case IAU_QREG_BASE_LO:
		return ~63u;
	case IAU_QREG_BASE_HI:
		return 0xfffff; /* physical addresses have 52 bits */
	case IAU_QREG_SIZE:
		return 15;
	case IAU_QREG_CTRL:
		return 7;
	default:
		return 0;
	}
}

static void write_queue(struct shadow *s, unsigned int q, uint32_t reg, uint32_t value)
{
	if (reg == IAU_QREG_CMD)
		queue_command(s, q, value);
	else if (queue_mask(reg))
		*queue_reg(s, q, reg) = value & queue_mask(reg);
	show(s);
}

void shadow_write(struct shadow *s, uint32_t offset, uint32_t value)
{
	uint32_t at = offset - IAU_QUEUE_OFFSET;

	if (offset == IAU_REG_IRQ_STATUS)
		s->word[offset / 4] &= ~value;
	else if (offset == IAU_REG_IRQ_MASK)
		s->word[offset / 4] = value & ((1u << IAU_NUM_IRQS) - 1);
	else if (offset >= IAU_QUEUE_OFFSET && at < IAU_NUM_QUEUES * IAU_QUEUE_STRIDE)
		write_queue(s, at / IAU_QUEUE_STRIDE, at % IAU_QUEUE_STRIDE, value);
	else if (offset >= IAU_CTX_OFFSET &&
		 offset < IAU_CTX_OFFSET + IAU_NUM_CONTEXTS * IAU_CTX_STRIDE)
		s->word[offset / 4] = value;
	else if (offset >= IAU_DOORBELL_OFFSET && offset < SHADOW_BYTES && offset % 8 == 0)
		s->word[offset / 4] = value;
}
