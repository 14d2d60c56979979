/* SPDX-License-Identifier: MIT */
/*
 * Several devices in one process: each does what it does alone, cycle for cycle, however its runs
 * are cut and mixed with those of the others. The seed is the first argument.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define CODE	  UINT64_C(0x10000)
#define DATA	  UINT64_C(0x20000)
#define OUT	  UINT64_C(0x30000)
#define INSTANCES 6u
#define ROUNDS	  12u

static uint64_t rng_state = 1;

/* splitmix64 (Steele et al. 2014) */
static uint32_t rnd(uint32_t n)
{
	uint64_t z = rng_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % n);
}

static const char *engine_of(unsigned int i)
{
	return i % 3 == 2 ? "ref" : "rtl";
}

/* Instances differ in memory timing and in what they do. */
static void start(struct bench *b, unsigned int i)
{
	struct iau_dev_timing timing = { 10 + 20 * i, 16u << i % 3, 5, 300 + i, 7, 40 + i };
	uint64_t pa[3];

	bench_open(b, engine_of(i), &timing);
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++) {
		for (unsigned int k = 0; k < 3; k++)
			pa[k] = pages_new(b, 1);
		page_map(b, q, CODE, pa[0], IAU_PTE_C);
		page_map(b, q, DATA, pa[1], IAU_PTE_C);
		page_map(b, q, OUT, pa[2], IAU_PTE_W);
		for (uint32_t at = 0; at < PAGE; at += 8)
			poke64(b, pa[1] + at,
			       (at + 1) * (q + 5 * i + 1) * UINT64_C(0x9e3779b97f4a7c15));
		copy_program(b, pa[0], DATA + i, OUT + 3 * q, 900 + 100 * i, 5 * q + i);
		queue_open(b, q, 4, 1 | (q ^ i) % 4 << 1);
	}
}

static void submit(struct bench *b, unsigned int i, uint32_t round)
{
	unsigned int q = (round * 3 + i) % IAU_NUM_QUEUES;
	struct job j = { .ctx = q,
			 .cmd_va = CODE,
			 .cmd_bytes = 64 * 7,
			 .irq = true,
			 .record_pa = b->ring[q] + 2048,
			 .fence = round + 1 };

	if ((round + i) % 5 == 4)
		j.cmd_bytes = 64; /* runs out of commands */
	job_submit(b, q, &j);
	if (queue_read(b, q, IAU_QREG_STATUS) == 2)
		queue_write(b, q, IAU_QREG_CMD, 2);
}

/* Ends the run; what it comes to. */
static void finish(struct bench *b, uint32_t *state)
{
	run_idle(b);
	for (unsigned int c = 0; c < IAU_NUM_COUNTERS; c++)
		state[c] = counter(b, c);
}

static void test_mixed_as_alone(void **state)
{
	static struct bench alone[INSTANCES], mixed[INSTANCES];
	uint32_t want[IAU_NUM_COUNTERS], got[IAU_NUM_COUNTERS], round[INSTANCES] = { 0 };
	unsigned int left = INSTANCES;

	(void)state;
	for (unsigned int i = 0; i < INSTANCES; i++) {
		start(&alone[i], i);
		for (uint32_t r = 0; r < ROUNDS; r++) {
			submit(&alone[i], i, r);
			run_idle(&alone[i]);
		}
		start(&mixed[i], i);
	}
	while (left) {
		unsigned int i = rnd(INSTANCES);

		if (mixed[i].ops->run(mixed[i].dev, 1 + rnd(200)) || round[i] > ROUNDS)
			continue;
		if (round[i] < ROUNDS)
			submit(&mixed[i], i, round[i]);
		else
			left--;
		round[i]++;
	}
	for (unsigned int i = 0; i < INSTANCES; i++) {
		finish(&alone[i], want);
		finish(&mixed[i], got);
		assert_memory_equal(got, want, sizeof(want));
		assert_memory_equal(mixed[i].mem, alone[i].mem, BENCH_BYTES);
		assert_memory_equal(mixed[i].irq_log, alone[i].irq_log, BENCH_IRQ_LOG);
		assert_true(want[IAU_CNT_FAULTS] > 0 && want[IAU_CNT_JOBS] > 0);
		bench_close(&alone[i]);
		bench_close(&mixed[i]);
	}
}

/* One that goes away in the middle of a job disturbs nobody. */
static void test_destroy_while_running(void **state)
{
	static struct bench b[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		start(&b[i], i);
		submit(&b[i], i, 0);
		b[i].ops->run(b[i].dev, 50);
	}
	bench_close(&b[0]);
	run_idle(&b[1]);
	assert_int_equal(counter(&b[1], IAU_CNT_JOBS), 1);
	bench_close(&b[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mixed_as_alone),
		cmocka_unit_test(test_destroy_while_running),
	};

	if (argc > 1)
		rng_state = strtoull(argv[1], NULL, 0);
	printf("# seed %llu\n", (unsigned long long)rng_state);
	return run_group("instances", tests);
}
