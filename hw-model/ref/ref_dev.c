/* SPDX-License-Identifier: MIT */
/* Registers of the reference model and its entry in the table of engines. */
#include "ref.h"
#include "numerics.h"

#include <stdlib.h>

static struct iau_dev *ref_create(const struct iau_dev_host *host,
				  const struct iau_dev_timing *timing)
{
	struct iau_dev *dev = aligned_alloc(128, (sizeof(*dev) + 127) / 128 * 128);

	(void)timing;
	if (!dev)
		return NULL;
	memset(dev, 0, sizeof(*dev));
	dev->host = *host;
	dev->kernels = ref_choose_kernels();
	return dev;
}

static struct iau_dev *ref_create_pair(const struct iau_dev_host *host,
				       const struct iau_dev_timing *timing)
{
	struct iau_dev *dev = ref_create(host, timing);

	if (!dev)
		return NULL;
	dev->pair = ref_pair_create();
	if (dev->pair)
		return dev;
	free(dev);
	return NULL;
}

static void ref_destroy(struct iau_dev *dev)
{
	ref_pair_destroy(dev->pair);
	free(dev);
}

void ref_raise(struct iau_dev *dev, unsigned int vector)
{
	dev->irq_status |= 1u << vector;
	if (!(dev->irq_mask & 1u << vector))
		dev->host.irq(dev->host.opaque, vector);
}

static bool pending(const struct iau_dev *dev)
{
	for (unsigned int i = 0; i < IAU_NUM_QUEUES; i++) {
		const struct ref_queue *q = &dev->queue[i];

		if ((q->ctrl & 1) && !q->status && q->head != q->tail)
			return true;
	}
	return dev->job.active;
}

static uint32_t read_queue(const struct ref_queue *q, uint32_t reg)
{
	switch (reg) {
	case IAU_QREG_BASE_LO: return (uint32_t)q->base;
	case IAU_QREG_BASE_HI: return (uint32_t)(q->base >> 32);
	case IAU_QREG_SIZE: return q->size;
	case IAU_QREG_HEAD: return q->head;
	case IAU_QREG_CTRL: return q->ctrl;
	case IAU_QREG_STATUS: return q->status;
	case IAU_QREG_PROGRESS: return q->progress;
	case IAU_QREG_FAULT_CODE: return q->fault_code;
	case IAU_QREG_FAULT_INFO: return q->fault_info;
	case IAU_QREG_FAULT_VA_LO: return (uint32_t)q->fault_va;
	case IAU_QREG_FAULT_VA_HI: return (uint32_t)(q->fault_va >> 32);
	case IAU_QREG_FAULT_OFFSET: return q->fault_offset;
	case IAU_QREG_FAULT_TAG: return q->fault_tag;
	case IAU_QREG_FAULT_CTX: return q->fault_ctx;
	default: return 0;
	}
}

static uint32_t read_counter(struct iau_dev *dev, uint32_t offset)
{
	uint32_t n = offset / 8;

	if (n >= IAU_NUM_COUNTERS)
		return 0;
	if (offset % 8)
		return dev->latch_hi;
	dev->latch_hi = (uint32_t)(dev->counter[n] >> 32);
	return (uint32_t)dev->counter[n];
}

static uint32_t ref_mmio_read(struct iau_dev *dev, uint32_t offset)
{
	uint32_t at;

	switch (offset) {
	case IAU_REG_ID: return IAU_ID;
	case IAU_REG_VERSION: return IAU_VERSION;
	case IAU_REG_CAP0:
		return IAU_ROWS | IAU_LANES << 8 | IAU_NUM_QUEUES << 16 | IAU_NUM_CONTEXTS << 24;
	case IAU_REG_CAP1: return IAU_VSP_BYTES / 1024 | IAU_TSP_BYTES / 1024 << 16;
	case IAU_REG_CAP2: return IAU_NUM_IRQS | IAU_VA_BITS << 8;
	case IAU_REG_STATUS: return pending(dev);
	case IAU_REG_IRQ_STATUS: return dev->irq_status;
	case IAU_REG_IRQ_MASK: return dev->irq_mask;
	}
	at = offset - IAU_CNT_OFFSET;
	if (offset >= IAU_CNT_OFFSET && at < 0x100)
		return read_counter(dev, at);
	at = offset - IAU_CTX_OFFSET;
	if (offset >= IAU_CTX_OFFSET && at < IAU_NUM_CONTEXTS * IAU_CTX_STRIDE)
		return (uint32_t)(dev->ctx_root[at / 8] >> (at % 8 ? 32 : 0));
	at = offset - IAU_QUEUE_OFFSET;
	if (offset >= IAU_QUEUE_OFFSET && at < IAU_NUM_QUEUES * IAU_QUEUE_STRIDE)
		return read_queue(&dev->queue[at / IAU_QUEUE_STRIDE], at % IAU_QUEUE_STRIDE);
	at = offset - IAU_DOORBELL_OFFSET;
	if (offset >= IAU_DOORBELL_OFFSET && at < IAU_NUM_QUEUES * 8 && at % 8 == 0)
		return dev->queue[at / 8].tail;
	return 0;
}

static void queue_command(struct iau_dev *dev, unsigned int n, uint32_t value)
{
	struct ref_queue *q = &dev->queue[n];

	if (value == 1) {
		uint64_t base = q->base;
		uint32_t size = q->size, progress = q->progress;

		if (dev->job.active && dev->job.queue == n)
			dev->job.active = false;
		*q = (struct ref_queue){ .base = base, .size = size, .progress = progress };
		ref_raise(dev, IAU_IRQ_RESET);
	} else if (value == 2 && q->status == 2) {
		q->head++;
		q->status = 0;
		q->fault_code = 0;
	}
}

static void write_queue(struct iau_dev *dev, unsigned int n, uint32_t reg, uint32_t value)
{
	struct ref_queue *q = &dev->queue[n];

	switch (reg) {
	case IAU_QREG_BASE_LO:
		q->base = (q->base >> 32 << 32) | (value & ~63u);
		break;
	case IAU_QREG_BASE_HI:
		/* physical addresses have 52 bits */
		q->base = (uint32_t)q->base | (uint64_t)(value & 0xfffff) << 32;
		break;
	case IAU_QREG_SIZE:
		q->size = value & 15;
		break;
	case IAU_QREG_CTRL:
		q->ctrl = value & 7;
		break;
	case IAU_QREG_CMD:
		queue_command(dev, n, value);
		break;
	}
}

static void write_irq_mask(struct iau_dev *dev, uint32_t value)
{
	uint32_t fire = dev->irq_mask & ~value & dev->irq_status;

	dev->irq_mask = value & ((1u << IAU_NUM_IRQS) - 1);
	for (unsigned int i = 0; i < IAU_NUM_IRQS; i++)
		if (fire & 1u << i)
			dev->host.irq(dev->host.opaque, i);
}

static void ref_mmio_write(struct iau_dev *dev, uint32_t offset, uint32_t value)
{
	uint32_t at;

	if (offset == IAU_REG_IRQ_STATUS)
		dev->irq_status &= ~value;
	else if (offset == IAU_REG_IRQ_MASK)
		write_irq_mask(dev, value);
	at = offset - IAU_CTX_OFFSET;
	if (offset >= IAU_CTX_OFFSET && at < IAU_NUM_CONTEXTS * IAU_CTX_STRIDE) {
		uint64_t *root = &dev->ctx_root[at / 8];

		*root = at % 8 ? (uint32_t)*root | (uint64_t)value << 32 :
				 (*root >> 32 << 32) | value;
	}
	at = offset - IAU_QUEUE_OFFSET;
	if (offset >= IAU_QUEUE_OFFSET && at < IAU_NUM_QUEUES * IAU_QUEUE_STRIDE)
		write_queue(dev, at / IAU_QUEUE_STRIDE, at % IAU_QUEUE_STRIDE, value);
	at = offset - IAU_DOORBELL_OFFSET;
	if (offset >= IAU_DOORBELL_OFFSET && at < IAU_NUM_QUEUES * 8 && at % 8 == 0)
		dev->queue[at / 8].tail = value;
}

static bool ref_run(struct iau_dev *dev, uint64_t budget)
{
	unsigned int fp = iau_fp_enter();

	while (budget-- && ref_step(dev))
		;
	iau_fp_leave(fp);
	return pending(dev);
}

#define REF_ENGINE(NAME, CREATE) {	\
	.name = NAME,			\
	.timed = false,			\
	.create = CREATE,		\
	.destroy = ref_destroy,		\
	.mmio_read = ref_mmio_read,	\
	.mmio_write = ref_mmio_write,	\
	.run = ref_run,			\
	.settle = ref_settle,	\
}

const struct iau_dev_ops iau_ref_engine = REF_ENGINE("ref", ref_create);
const struct iau_dev_ops iau_ref2_engine = REF_ENGINE("ref:2", ref_create_pair);
