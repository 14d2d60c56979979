/* SPDX-License-Identifier: MIT */
/* The card as a driver meets it: jobs, interrupts, resets, memory that comes and goes. */
#include "jobs.h"
#include "suite.h"

#include <sys/mman.h>
#include <unistd.h>

static void test_jobs(void **state)
{
	struct client *c = *state;
	struct lane l[IAU_NUM_QUEUES];

	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
		lane_open(c, &l[q], q, q * 20);
	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
			lane_submit(c, &l[q]);
		for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
			lane_check(c, &l[q]);
	}
	assert_int_equal(reg_read(c, IAU_CNT_OFFSET + IAU_CNT_JOBS * 8), 40 * IAU_NUM_QUEUES);
	assert_int_equal(reg_read(c, IAU_CNT_OFFSET + IAU_CNT_JOBS * 8 + 4), 0);
}

/* Until the device has begun on the job of L. */
static void wait_running(struct client *c, const struct lane *l)
{
	for (unsigned int i = 0; i < 10000000; i++)
		if (queue_read(c, l->q, IAU_QREG_PROGRESS))
			return;
	fail_msg("queue %u does not start", l->q);
}

static void assert_clean(struct client *c)
{
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		assert_int_equal(queue_read(c, q, IAU_QREG_STATUS), 0);
		assert_int_equal(queue_read(c, q, IAU_QREG_HEAD), 0);
		assert_int_equal(queue_read(c, q, IAU_QREG_CTRL), 0);
	}
	assert_int_equal(reg_read(c, IAU_REG_STATUS), 0);
	assert_int_equal(reg_read(c, IAU_REG_IRQ_STATUS), 0);
}

static void reset_in_a_job(struct client *c, void (*reset)(struct client *c))
{
	struct lane endless, l;

	lane_open(c, &endless, 1, 0);
	lane_open(c, &l, 0, 0);
	lane_endless(c, &endless);
	lane_submit(c, &endless);
	wait_running(c, &endless);
	reset(c);
	assert_clean(c);
	bus_master(c, true);
	lane_enable(c, &l);
	lane_submit(c, &l);
	lane_check(c, &l);
	assert_int_equal(record_value(c, &endless), 0);
	assert_int_equal(irq_count(c, 1), 0);
}

static void test_function_reset_in_a_job(void **state)
{
	reset_in_a_job(*state, function_reset);
}

static void bus_reset(struct client *c)
{
	assert_int_equal(device_reset(c), 0);
}

static void test_bus_reset_in_a_job(void **state)
{
	reset_in_a_job(*state, bus_reset);
}

/* A queue that is reset reads so from then on, and says when it is done. */
static void test_queue_reset_in_a_job(void **state)
{
	struct client *c = *state;
	struct lane l;

	lane_open(c, &l, 3, 0);
	lane_endless(c, &l);
	lane_submit(c, &l);
	wait_running(c, &l);
	queue_write(c, 3, IAU_QREG_CMD, 1);
	assert_int_equal(queue_read(c, 3, IAU_QREG_CTRL), 0);
	assert_int_equal(reg_read(c, IAU_DOORBELL_OFFSET + 3 * 8), 0);
	assert_int_equal(irq_wait(c, IAU_IRQ_RESET), 1);
	assert_int_equal(queue_read(c, 3, IAU_QREG_STATUS), 0);
}

static uint32_t pending_bits(struct client *c)
{
	return region_read(c, IAU_BAR_MSIX, IAU_MSIX_PBA, 4);
}

/* A masked vector is pending until it is unmasked, then it fires once. MASK does and undoes it. */
static void held_back(struct client *c, struct lane *l, void (*mask)(struct client *c, bool on))
{
	mask(c, true);
	for (unsigned int i = 0; i < 3; i++) {
		lane_submit(c, l);
		/* done once HEAD says so */
		while (queue_read(c, l->q, IAU_QREG_HEAD) != l->tail)
			;
	}
	/* an interrupt comes after the register shows why */
	while (!(pending_bits(c) & 1u << l->q))
		;
	assert_int_equal(irq_count(c, l->q), 0);
	mask(c, false);
	assert_int_equal(irq_wait(c, l->q), 1);
	assert_int_equal(pending_bits(c), 0);
	lane_submit(c, l);
	lane_check(c, l);
}

static void mask_by_table(struct client *c, bool on)
{
	region_write(c, IAU_BAR_MSIX, 2 * 16 + 12, on, 4);
	assert_int_equal(region_read(c, IAU_BAR_MSIX, 2 * 16 + 12, 4), on);
}

static void mask_by_function(struct client *c, bool on)
{
	region_write(c, VFIO_PCI_CONFIG_REGION_INDEX,
		     capability(c, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS,
		     PCI_MSIX_FLAGS_ENABLE | (on ? PCI_MSIX_FLAGS_MASKALL : 0), 2);
}

static void mask_by_request(struct client *c, bool on)
{
	assert_int_equal(
		set_irqs(c, on ? VFIO_IRQ_SET_ACTION_MASK : VFIO_IRQ_SET_ACTION_UNMASK, 2, 1), 0);
}

static void mask_by_descriptor(struct client *c, bool on)
{
	assert_int_equal(set_irq_fd(c, 2, on ? -1 : c->irq[2]), 0);
}

static void test_masks(void **state)
{
	struct client *c = *state;
	struct lane l;

	lane_open(c, &l, 2, 0);
	held_back(c, &l, mask_by_table);
	held_back(c, &l, mask_by_function);
	held_back(c, &l, mask_by_request);
	held_back(c, &l, mask_by_descriptor);
	/* a client can fire a vector, and take all of them away */
	assert_int_equal(set_irqs(c, VFIO_IRQ_SET_ACTION_TRIGGER, 5, 1), 0);
	assert_int_equal(irq_wait(c, 5), 1);
	assert_int_equal(set_irqs(c, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0), 0);
	assert_int_equal(set_irqs(c, VFIO_IRQ_SET_ACTION_TRIGGER, 5, 1), 0);
	assert_int_equal(irq_count(c, 5), 0);
	assert_int_equal(pending_bits(c), 1 << 5);
}

/* One copy over windows of different files, side by side in DMA addresses only. */
static void test_windows_side_by_side(void **state)
{
	struct client *c = *state;
	const uint64_t page = 70 * PAGE; /* of the client's memory, unused */
	struct lane l;

	assert_int_equal(dma_window_gone(c, CLIENT_PA, CLIENT_BYTES), 0);
	for (uint64_t at = 0; at < CLIENT_BYTES; at += at < page ? page : PAGE)
		assert_int_equal(
			dma_window(c, CLIENT_PA + at, at < page ? page : PAGE, c->mem_fd, at), 0);
	c->next_page = 60;
	lane_open(c, &l, 0, 0);
	lane_submit(c, &l);
	lane_check(c, &l);
	/* the VMM of an IOMMU takes them away in one */
	assert_int_equal(dma_window_gone(c, CLIENT_PA, CLIENT_BYTES), 0);
	lane_submit(c, &l);
	assert_int_equal(irq_wait(c, IAU_IRQ_FAULT), 1);
}

/* Once the unmapping is answered the memory is not touched; the job that needs it faults. */
static void test_unmap_while_running(void **state)
{
	struct client *c = *state;
	struct lane l, other;

	lane_open(c, &l, 0, 20000);
	lane_open(c, &other, 1, 0);
	for (unsigned int i = 0; i < 5; i++) {
		lane_submit(c, &l);
		assert_int_equal(dma_window_gone(c, CLIENT_PA, CLIENT_BYTES), 0);
		memset(at_pa(c, l.out), 0x55, PAGE);
		if (irq_count(c, 0) == 0) {
			assert_int_equal(irq_wait(c, IAU_IRQ_FAULT), 1);
			assert_int_equal(queue_read(c, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_BUS);
			queue_write(c, 0, IAU_QREG_CMD, 2);
		}
		for (uint32_t b = 0; b < PAGE; b++)
			assert_int_equal(at_pa(c, l.out)[b], 0x55);
		assert_int_equal(dma_window(c, CLIENT_PA, CLIENT_BYTES, c->mem_fd, 0), 0);
	}
	lane_submit(c, &other);
	lane_check(c, &other);
}

/* A card that is not allowed to master the bus reaches no memory. */
static void test_bus_master(void **state)
{
	struct client *c = *state;
	struct lane l;

	lane_open(c, &l, 0, 0);
	bus_master(c, false);
	lane_submit(c, &l);
	assert_int_equal(irq_wait(c, IAU_IRQ_FAULT), 1);
	assert_int_equal(queue_read(c, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_BUS);
	bus_master(c, true);
	queue_write(c, 0, IAU_QREG_CMD, 2);
	lane_submit(c, &l);
	lane_check(c, &l);
}

static void test_several_cards(void **state)
{
	struct client card[3];
	struct lane l[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		client_open(&card[i], i % 2 ? "rtl" : "ref", "--seed 7 --latency 40");
		lane_open(&card[i], &l[i], i, 10);
	}
	for (unsigned int round = 0; round < 10; round++) {
		for (unsigned int i = 0; i < 3; i++)
			lane_submit(&card[i], &l[i]);
		for (unsigned int i = 0; i < 3; i++)
			lane_check(&card[i], &l[i]);
		/* a reset of one is none of the others' business */
		function_reset(&card[round % 3]);
		bus_master(&card[round % 3], true);
		lane_enable(&card[round % 3], &l[round % 3]);
	}
	for (unsigned int i = 0; i < 3; i++)
		client_close(&card[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_jobs),
		ON_BOTH(test_function_reset_in_a_job),
		ON_BOTH(test_bus_reset_in_a_job),
		ON_BOTH(test_queue_reset_in_a_job),
		ON_BOTH(test_masks),
		ON_BOTH(test_windows_side_by_side),
		ON_BOTH(test_unmap_while_running),
		ON_BOTH(test_bus_master),
		cmocka_unit_test(test_several_cards),
	};

	return run_group("vfio card", tests);
}
