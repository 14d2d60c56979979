/* SPDX-License-Identifier: MIT */
/* Faults on purpose: each does what its option says, and nothing else. */
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IAU_JOB_TAG_AT 44 /* bytes into a descriptor */

static void wait_head(struct client *c, const struct lane *l)
{
	while (queue_read(c, l->q, IAU_QREG_HEAD) != l->tail)
		;
}

/* Five jobs; how often each interrupted. The next one's interrupt is behind those before it. */
static void count_irqs(const char *engine, const char *options, const uint64_t want[5])
{
	struct client c;
	struct lane l, last;

	client_open(&c, engine, options);
	lane_open(&c, &l, 0, 0);
	lane_open(&c, &last, 1, 0);
	for (unsigned int i = 0; i < 5; i++) {
		lane_submit(&c, &l);
		if (want[i])
			assert_int_equal(irq_wait(&c, 0), want[i]);
		else
			wait_head(&c, &l);
		assert_true(lane_copied(&c, &l));
	}
	lane_submit(&c, &last);
	lane_check(&c, &last);
	assert_int_equal(irq_count(&c, 0), 0);
	client_close(&c);
}

static void test_lost_irq(void **state)
{
	count_irqs(*state, "--drop-irq 3", (const uint64_t[]){ 1, 1, 0, 1, 1 });
}

static void test_irqs_lost_again_and_again(void **state)
{
	count_irqs(*state, "--drop-irq 2/3", (const uint64_t[]){ 1, 0, 1, 1, 0 });
}

static void test_repeated_irq(void **state)
{
	count_irqs(*state, "--repeat-irq 2", (const uint64_t[]){ 1, 2, 1, 1, 1 });
}

static void test_corrupt_record(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--corrupt-record 2");
	lane_open(&c, &l, 3, 0);
	for (unsigned int i = 1; i <= 4; i++) {
		lane_submit(&c, &l);
		assert_int_equal(irq_wait(&c, 3), 1);
		assert_true(record_value(&c, &l) == (i == 2 ? ~l.fence : l.fence));
		assert_true(lane_copied(&c, &l));
	}
	client_close(&c);
}

/* Stalls at job 2, during which registers answer, until RELEASE. */
static void stall_until(const char *engine, void (*release)(struct client *c, struct lane *l))
{
	struct client c;
	struct lane l;

	client_open(&c, engine, "--stall 2");
	lane_open(&c, &l, 0, 0);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	lane_submit(&c, &l);
	/* the device has seen the doorbell when these are answered */
	bus_master(&c, false);
	bus_master(&c, true);
	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(queue_read(&c, 0, IAU_QREG_HEAD), 1);
	assert_int_equal(irq_count(&c, 0), 0);
	release(&c, &l);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	client_close(&c);
}

static void release_by_queue(struct client *c, struct lane *l)
{
	queue_write(c, 0, IAU_QREG_CMD, 1);
	assert_int_equal(irq_wait(c, IAU_IRQ_RESET), 1);
	lane_enable(c, l);
}

static void release_by_function(struct client *c, struct lane *l)
{
	function_reset(c);
	bus_master(c, true);
	lane_enable(c, l);
}

static void test_stall(void **state)
{
	stall_until(*state, release_by_queue);
	stall_until(*state, release_by_function);
}

static void submit_tagged(struct client *c, struct lane *l, uint32_t tag)
{
	uint32_t desc = (l->tail % 16) * IAU_JOB_BYTES;

	lane_queue(c, l);
	memcpy(at_pa(c, l->ring + desc) + IAU_JOB_TAG_AT, &tag, sizeof(tag));
	reg_write(c, IAU_DOORBELL_OFFSET + l->q * 8, l->tail);
}

static void check_stands(struct client *c, struct lane *l)
{
	uint32_t head = l->tail - 1;

	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(queue_read(c, l->q, IAU_QREG_HEAD), head);
}

/* The job in front has begun, and goes no further. */
static void check_stalls(struct client *c, struct lane *l)
{
	for (unsigned int i = 0; queue_read(c, l->q, IAU_QREG_STATUS) != 1; i++)
		assert_true(i < 1000000);
	check_stands(c, l);
}

/* Each job with the tag stalls, those with others do not. */
static void test_stall_by_tag(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--stall-tag 0xbad");
	lane_open(&c, &l, 0, 0);
	for (unsigned int i = 0; i < 3; i++) {
		submit_tagged(&c, &l, 0xbad + 1);
		lane_check(&c, &l);
		submit_tagged(&c, &l, 0xbad);
		check_stalls(&c, &l);
		release_by_queue(&c, &l);
	}
	client_close(&c);
}

static void test_stuck_queue(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--stall-tag 0xbad --stuck queue");
	lane_open(&c, &l, 0, 0);
	submit_tagged(&c, &l, 0xbad);
	check_stalls(&c, &l);
	queue_write(&c, 0, IAU_QREG_CMD, 1);
	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(queue_read(&c, 0, IAU_QREG_STATUS), 3);
	assert_int_equal(irq_count(&c, IAU_IRQ_RESET), 0);
	release_by_function(&c, &l);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	client_close(&c);
}

static void test_stuck_function(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--stall-tag 0xbad --stuck function");
	lane_open(&c, &l, 0, 0);
	submit_tagged(&c, &l, 0xbad);
	check_stalls(&c, &l);
	release_by_function(&c, &l);
	lane_submit(&c, &l);
	check_stands(&c, &l);
	client_close(&c);
}

static void test_stall_for_a_time(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--stall 1:20000");
	lane_open(&c, &l, 0, 0);
	for (unsigned int i = 0; i < 3; i++) {
		lane_submit(&c, &l);
		lane_check(&c, &l);
	}
	client_close(&c);
}

static void test_death(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--die-after 3");
	lane_open(&c, &l, 0, 0);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	lane_queue(&c, &l);
	reg_post(&c, IAU_DOORBELL_OFFSET, l.tail); /* nobody may be there any more to reply */
	assert_int_equal(server_status(&c), 1);
	assert_int_equal(irq_count(&c, 0), 0);
	assert_int_equal(record_value(&c, &l), l.fence);
	client_close(&c);
}

static void test_vanishes(void **state)
{
	struct client c;
	struct lane l;

	client_open(&c, *state, "--vanish-after 2");
	lane_open(&c, &l, 0, 0);
	lane_submit(&c, &l);
	lane_check(&c, &l);
	lane_submit(&c, &l);
	while (reg_read(&c, IAU_REG_ID) != ~0u)
		;
	assert_int_equal(queue_read(&c, 0, IAU_QREG_STATUS), ~0u);
	assert_int_equal(irq_count(&c, 0), 0);
	client_close(&c);
}

/* Options that make no sense are refused with a message. */
static void test_bad_options(void **state)
{
	static const char *const bad[] = {
		"",    "--stall x s",	 "--stall 1: s", "--drop-irq -1 s", "--engine q s",
		"s t", "/nonexistent/s", "--bogus s",	 "--drop-irq 1/ s", "--stuck s s",
	};
	char command[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(command, sizeof(command), "%s %s 2>&1 >/dev/null | grep -q iau-vfio",
			 IAU_VFIO, bad[i]);
		assert_int_equal(system(command), 0);
	}
}

#define ON_ENGINES(f)                                                  \
	{ #f " on ref", f, NULL, NULL, (void *)(uintptr_t) "ref" },    \
	{                                                              \
#f " on rtl", f, NULL, NULL, (void *)(uintptr_t) "rtl" \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(test_lost_irq),	    ON_ENGINES(test_irqs_lost_again_and_again),
		ON_ENGINES(test_repeated_irq),	    ON_ENGINES(test_corrupt_record),
		ON_ENGINES(test_stall),		    ON_ENGINES(test_stall_by_tag),
		ON_ENGINES(test_stuck_queue),	    ON_ENGINES(test_stuck_function),
		ON_ENGINES(test_stall_for_a_time),  ON_ENGINES(test_death),
		ON_ENGINES(test_vanishes),	    cmocka_unit_test(test_bad_options),
	};

	return run_group("vfio faults on purpose", tests);
}
