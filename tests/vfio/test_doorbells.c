/* SPDX-License-Identifier: MIT */
/* The doorbell page: tails in the client's memory that the card watches while it is awake. */
#include "jobs.h"
#include "suite.h"

#include <unistd.h>

/* What the card does in its time, within minutes if it does it at all */
#define UNTIL(condition)                                                      \
	do {                                                                  \
		for (unsigned int tries = 0; !(condition); tries++) {         \
			if (tries == 3000000)                                 \
				fail_msg("never comes true: %s", #condition); \
			usleep(10);                                           \
		}                                                             \
	} while (0)

static void enable(struct client *c, uint64_t page)
{
	uint32_t at = capability(c, PCI_CAP_ID_VNDR) + IAU_DBP_ADDR;

	region_write(c, VFIO_PCI_CONFIG_REGION_INDEX, at + 4, (uint32_t)(page >> 32), 4);
	region_write(c, VFIO_PCI_CONFIG_REGION_INDEX, at, (uint32_t)page | 1, 4);
}

static volatile uint32_t *word(struct client *c, uint64_t page, uint32_t offset)
{
	return (volatile uint32_t *)(void *)(at_pa(c, page) + offset);
}

static uint64_t page_open(struct client *c)
{
	uint64_t page = page_new(c, 1);

	*word(c, page, IAU_DBP_ASLEEP) = 1;
	enable(c, page);
	return page;
}

static void write_tail(struct client *c, uint64_t page, const struct lane *l)
{
	__atomic_store_n(word(c, page, l->q * 8), l->tail, __ATOMIC_SEQ_CST);
}

static bool asleep(struct client *c, uint64_t page)
{
	return __atomic_load_n(word(c, page, IAU_DBP_ASLEEP), __ATOMIC_SEQ_CST);
}

static void ring(struct client *c, uint64_t page, const struct lane *l)
{
	write_tail(c, page, l);
	if (asleep(c, page))
		reg_write(c, IAU_DOORBELL_OFFSET + l->q * 8, l->tail);
}

static void test_capability(void **state)
{
	struct client *c = *state;
	uint32_t at = capability(c, PCI_CAP_ID_VNDR);
	uint32_t head = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at, 4);

	assert_int_equal(head >> 16 & 0xff, 16);
	assert_int_equal(head >> 24, IAU_DBP_TYPE);
	assert_int_equal(region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at + IAU_DBP_ADDR, 4), 0);
	enable(c, UINT64_C(0xfff1234567890000));
	assert_int_equal(region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at + IAU_DBP_ADDR, 4),
			 0x67890001);
	assert_int_equal(region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at + IAU_DBP_ADDR + 4, 4),
			 0x12345);
}

/* Whenever the card falls asleep, no job is overlooked. */
static void test_every_job_is_seen(void **state)
{
	struct client *c = *state;
	uint64_t page = page_open(c);
	struct lane l[IAU_NUM_QUEUES];

	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
		lane_open(c, &l[q], q, 0);
	for (unsigned int i = 0; i < 200; i++) {
		/* one alone, then all of them */
		for (unsigned int q = i % 2 ? 0 : 3; q < IAU_NUM_QUEUES; q++) {
			lane_queue(c, &l[q]);
			ring(c, page, &l[q]);
		}
		for (unsigned int q = i % 2 ? 0 : 3; q < IAU_NUM_QUEUES; q++)
			lane_check(c, &l[q]);
	}
	UNTIL(asleep(c, page));
}

/* A card that works watches: the tail reaches it without a register. */
static void test_awake_while_it_works(void **state)
{
	struct client *c = *state;
	uint64_t page = page_open(c);
	struct lane endless, l;

	lane_open(c, &endless, 0, 0);
	lane_open(c, &l, 3, 0);
	lane_endless(c, &endless);
	lane_queue(c, &endless);
	ring(c, page, &endless);
	UNTIL(!asleep(c, page));
	lane_queue(c, &l);
	write_tail(c, page, &l);
	UNTIL(reg_read(c, IAU_DOORBELL_OFFSET + 3 * 8) == 1);
	/* what a queue that is reset had is not read again */
	queue_write(c, 0, IAU_QREG_CMD, 1);
	UNTIL(!queue_read(c, 0, IAU_QREG_STATUS));
	lane_check(c, &l);
	assert_int_equal(reg_read(c, IAU_DOORBELL_OFFSET), 0);
}

static void check_without_page(struct client *c)
{
	struct lane l;

	lane_open(c, &l, 1, 0);
	for (unsigned int i = 0; i < 10; i++) {
		lane_submit(c, &l);
		lane_check(c, &l);
	}
}

/* A page where nothing answers is as none. */
static void test_no_memory(void **state)
{
	enable(*state, CLIENT_PA + CLIENT_BYTES);
	check_without_page(*state);
}

/* A reset forgets the page: it is neither read nor written any more. */
static void test_reset(void **state)
{
	struct client *c = *state;
	uint64_t page = page_open(c);
	uint32_t at = capability(c, PCI_CAP_ID_VNDR) + IAU_DBP_ADDR;

	function_reset(c);
	assert_int_equal(region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at, 4), 0);
	bus_master(c, true);
	*word(c, page, IAU_DBP_ASLEEP) = 0x55;
	*word(c, page, 1 * 8) = 77;
	check_without_page(c);
	assert_int_equal(*word(c, page, IAU_DBP_ASLEEP), 0x55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_capability), ON_BOTH(test_every_job_is_seen),
		ON_BOTH(test_awake_while_it_works), ON_BOTH(test_no_memory), ON_BOTH(test_reset),
	};

	return run_group("vfio doorbell page", tests);
}
