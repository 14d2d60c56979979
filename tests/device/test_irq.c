/* SPDX-License-Identifier: MIT */
/* Interrupts: status, masking, clearing, and that none is lost at any step. */
#include "bench.h"

#define CODE UINT64_C(0x10000)
#define ALL  ((1u << IAU_NUM_IRQS) - 1)

/* Jobs of one queue each that raise their queue's vector; queue 3's faults. */
static struct job irq_job(struct bench *b, unsigned int q)
{
	struct prog p;
	uint64_t pa;

	if (!b->root[q]) {
		pa = pages_new(b, 1);
		page_map(b, q, CODE, pa, IAU_PTE_C);
		p = prog_at(b, pa);
		emit_nops(&p, 3);
		emit_end(&p);
		queue_open(b, q, 4, 1);
	}
	return (struct job){
		.ctx = q, .cmd_va = CODE, .cmd_bytes = q == 3 ? 128 : 256, .irq = true
	};
}

static void submit_all(struct bench *b)
{
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		struct job j = irq_job(b, q);

		job_submit(b, q, &j);
	}
	run_idle(b);
}

static void test_status_and_clearing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(reg_read(b, IAU_REG_IRQ_MASK), 0);
	submit_all(b);
	assert_int_equal(b->irqs, 4);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 0x17);
	reg_write(b, IAU_REG_IRQ_STATUS, 0x2);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 0x15);
	reg_write(b, IAU_REG_IRQ_STATUS, 0);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 0x15);
	reg_write(b, IAU_REG_IRQ_STATUS, ~0u);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 0);
	queue_write(b, 3, IAU_QREG_CMD, 1);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 1u << IAU_IRQ_RESET);
	assert_int_equal(b->irqs, 5);
}

/* A vector fires each time, also while its status is set. */
static void test_fires_again_without_clearing(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 1; i <= 3; i++) {
		struct job j = irq_job(b, 1);

		job_submit(b, 1, &j);
		run_idle(b);
		assert_int_equal(b->irq_count[1], i);
	}
}

static void test_masked_is_pending(void **state)
{
	struct bench *b = *state;

	reg_write(b, IAU_REG_IRQ_MASK, ~0u);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_MASK), ALL);
	submit_all(b);
	queue_write(b, 3, IAU_QREG_CMD, 1);
	assert_int_equal(b->irqs, 0);
	assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 0x37);
	/* raised when its own bit is cleared, once, in any order */
	reg_write(b, IAU_REG_IRQ_MASK, ALL & ~(1u << IAU_IRQ_FAULT));
	assert_int_equal(b->irqs, 1);
	assert_int_equal(b->irq_count[IAU_IRQ_FAULT], 1);
	reg_write(b, IAU_REG_IRQ_MASK, ALL & ~(1u << IAU_IRQ_FAULT));
	assert_int_equal(b->irqs, 1);
	/* what was cleared meanwhile is gone */
	reg_write(b, IAU_REG_IRQ_STATUS, 1 << 0);
	reg_write(b, IAU_REG_IRQ_MASK, 0);
	assert_int_equal(b->irq_count[0], 0);
	assert_int_equal(b->irq_count[1], 1);
	assert_int_equal(b->irq_count[2], 1);
	assert_int_equal(b->irq_count[IAU_IRQ_RESET], 1);
	assert_int_equal(b->irqs, 4);
}

/* Several events behind a mask are one interrupt. */
static void test_pending_does_not_count(void **state)
{
	struct bench *b = *state;

	reg_write(b, IAU_REG_IRQ_MASK, 1 << 2);
	for (unsigned int i = 0; i < 3; i++) {
		struct job j = irq_job(b, 2);

		job_submit(b, 2, &j);
		run_idle(b);
	}
	assert_int_equal(b->irqs, 0);
	reg_write(b, IAU_REG_IRQ_MASK, 0);
	assert_int_equal(b->irq_count[2], 1);
}

/* The mask goes at each step of a job: its interrupt comes once, before or after. */
static void test_unmask_at_every_step(void **state)
{
	struct bench *b = *state;

	for (uint32_t step = 0; step < 300; step++) {
		struct job j = irq_job(b, 0);

		reg_write(b, IAU_REG_IRQ_MASK, ALL);
		reg_write(b, IAU_REG_IRQ_STATUS, ALL);
		b->irqs = 0;
		job_submit(b, 0, &j);
		b->ops->run(b->dev, step);
		reg_write(b, IAU_REG_IRQ_MASK, 0);
		run_idle(b);
		assert_int_equal(b->irqs, 1);
		assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), 1);
	}
}

/*
 * Status is cleared at each step of a job: the event is seen by the status if it is later than the
 * clearing, and by the interrupt in any case.
 */
static void test_clear_at_every_step(void **state)
{
	struct bench *b = *state;

	for (uint32_t step = 0; step < 300; step++) {
		struct job j = irq_job(b, 0);
		uint32_t before;

		reg_write(b, IAU_REG_IRQ_STATUS, ALL);
		b->irqs = 0;
		job_submit(b, 0, &j);
		b->ops->run(b->dev, step);
		before = b->irqs;
		reg_write(b, IAU_REG_IRQ_STATUS, ALL);
		run_idle(b);
		assert_int_equal(b->irqs, 1);
		assert_int_equal(reg_read(b, IAU_REG_IRQ_STATUS), !before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_status_and_clearing),  ON_BOTH(test_fires_again_without_clearing),
		ON_BOTH(test_masked_is_pending),    ON_BOTH(test_pending_does_not_count),
		ON_BOTH(test_unmask_at_every_step), ON_BOTH(test_clear_at_every_step),
	};

	return run_group("irq", tests);
}
