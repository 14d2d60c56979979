/* SPDX-License-Identifier: MIT */
/* Four queues: which job runs next, and what a reset or a fault of one means to the others. */
#include "bench.h"

#define CODE UINT64_C(0x10000)
#define DATA UINT64_C(0x20000)
#define OUT  UINT64_C(0x30000)
#define NQ   IAU_NUM_QUEUES

/* Queue q works in context 3 q + 1: its own commands, data, output and records. */
struct lane {
	uint64_t code, data, out, record;
	uint32_t cmd_bytes;
};

static unsigned int ctx_of(unsigned int q)
{
	return 3 * q + 1;
}

static void lanes_open(struct bench *b, struct lane *lane, uint32_t delay)
{
	for (unsigned int q = 0; q < NQ; q++) {
		struct lane *l = &lane[q];

		*l = (struct lane){ pages_new(b, 1), pages_new(b, 1), pages_new(b, 1),
				    pages_new(b, 1), 0 };
		page_map(b, ctx_of(q), CODE, l->code, IAU_PTE_C);
		page_map(b, ctx_of(q), DATA, l->data, IAU_PTE_C);
		page_map(b, ctx_of(q), OUT, l->out, IAU_PTE_W);
		for (uint32_t i = 0; i < PAGE; i += 8)
			poke64(b, l->data + i, (i + 1) * (q + 1) * UINT64_C(0x9e3779b97f4a7c15));
		l->cmd_bytes = copy_program(b, l->code, DATA, OUT, 300, delay);
	}
}

static struct job lane_job(const struct lane *lane, unsigned int q, uint64_t fence)
{
	return (struct job){ .ctx = ctx_of(q),
			     .cmd_va = CODE,
			     .cmd_bytes = lane[q].cmd_bytes,
			     .record_pa = lane[q].record,
			     .fence = fence,
			     .tag = 100 + q,
			     .irq = true };
}

static void assert_output(const struct bench *b, const struct lane *l)
{
	assert_memory_equal(b->mem + l->data, b->mem + l->out, 300);
	assert_int_equal(b->mem[l->out + 300], 0);
}

/*
 * WAITING jobs on each queue with the priorities PRIO. A long job of queue 3 runs meanwhile, so
 * that all wait before the first choice, which starts looking at queue 0. WANT: the queues in the
 * order in which their jobs complete.
 */
static void assert_order(struct bench *b, const uint32_t *prio, uint32_t waiting, const char *want)
{
	struct lane lane[NQ];
	struct job j;

	lanes_open(b, lane, 200);
	j = lane_job(lane, 3, 1);
	j.irq = false;
	queue_open(b, 3, 4, 1);
	job_submit(b, 3, &j);
	while (queue_read(b, 3, IAU_QREG_STATUS) != 1)
		b->ops->run(b->dev, 1);
	for (unsigned int q = 0; q < NQ; q++) {
		lane[q].cmd_bytes = copy_program(b, lane[q].code + 2048, DATA, OUT, 300, 0);
		j = lane_job(lane, q, 1);
		j.cmd_va += 2048;
		if (q < 3)
			queue_open(b, q, 4, 0);
		for (uint32_t i = 0; i < waiting; i++)
			job_queue(b, q, &j);
		queue_write(b, q, IAU_QREG_CTRL, prio[q] << 1 | 1);
		doorbell(b, q);
	}
	run_idle(b);
	assert_int_equal(b->irqs, NQ * waiting);
	for (uint32_t i = 0; i < NQ * waiting; i++)
		assert_int_equal(b->irq_log[i], want[i] - '0');
}

static void test_priorities(void **state)
{
	assert_order(*state, (const uint32_t[]){ 1, 3, 0, 2 }, 3, "111333000222");
}

static void test_round_robin_among_equals(void **state)
{
	assert_order(*state, (const uint32_t[]){ 2, 2, 2, 2 }, 4, "0123012301230123");
}

static void test_round_robin_below_a_higher_one(void **state)
{
	/* queue 2 was served last, so its neighbour comes first among the equals */
	assert_order(*state, (const uint32_t[]){ 1, 1, 3, 1 }, 3, "222301301301");
}

static void test_two_pairs_of_equals(void **state)
{
	assert_order(*state, (const uint32_t[]){ 0, 2, 0, 2 }, 3, "131313020202");
}

/* A job that is running is not interrupted; the higher one comes right after it. */
static void test_higher_priority_waits_for_the_running_job(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	struct job low, high;

	lanes_open(b, lane, 40);
	low = lane_job(lane, 0, 1);
	high = lane_job(lane, 1, 1);
	queue_open(b, 0, 2, 1);
	queue_open(b, 1, 2, 1 | 3 << 1);
	job_queue(b, 0, &low);
	job_submit(b, 0, &low);
	b->ops->run(b->dev, 30);
	job_submit(b, 1, &high);
	run_idle(b);
	assert_memory_equal(b->irq_log, "\0\1\0", 3);
}

/* PRIORITY may be changed while jobs wait. */
static void test_priority_changes(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];

	lanes_open(b, lane, 40);
	for (unsigned int q = 0; q < NQ; q++) {
		struct job j = lane_job(lane, q, 1);

		queue_open(b, q, 2, 1);
		job_submit(b, q, &j);
		b->ops->run(b->dev, 10); /* the first one starts */
	}
	queue_write(b, 3, IAU_QREG_CTRL, 1 | 1 << 1);
	queue_write(b, 2, IAU_QREG_CTRL, 1 | 2 << 1);
	run_idle(b);
	assert_memory_equal(b->irq_log, "\0\2\3\1", 4);
}

static void test_four_queues_in_four_contexts(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];

	lanes_open(b, lane, 3);
	for (unsigned int q = 0; q < NQ; q++)
		queue_open(b, q, 3, 1);
	for (uint32_t round = 1; round <= 20; round++) {
		for (unsigned int q = 0; q < NQ; q++) {
			struct job j = lane_job(lane, q, round);

			memset(b->mem + lane[q].out, 0, PAGE);
			job_submit(b, q, &j);
		}
		run_idle(b);
		for (unsigned int q = 0; q < NQ; q++) {
			assert_output(b, &lane[q]);
			assert_true(peek64(b, lane[q].record) == round);
			assert_int_equal(b->irq_count[q], round);
		}
	}
	for (unsigned int q = 0; q < NQ; q++)
		assert_int_equal(queue_read(b, q, IAU_QREG_PROGRESS),
				 20 * (2 * 3 + 2 + lane[0].cmd_bytes / 64 - 4));
}

/* What the reset of queue 0 must leave, and that the other queues have lost nothing. */
static void check_reset(struct bench *b, const struct lane *lane, uint32_t round, uint32_t *jobs)
{
	bool finished = peek64(b, lane[0].record) == round;

	assert_int_equal(b->irq_count[IAU_IRQ_RESET], round);
	assert_int_equal(b->irq_count[IAU_IRQ_FAULT], 0);
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
	assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 0);
	assert_int_equal(queue_read(b, 0, IAU_QREG_CTRL), 0);
	assert_int_equal(reg_read(b, IAU_DOORBELL_OFFSET), 0);
	*jobs += finished;
	for (unsigned int q = 1; q < NQ; q++) {
		assert_output(b, &lane[q]);
		assert_true(peek64(b, lane[q].record) == round);
		assert_int_equal(b->irq_count[q], round);
		assert_int_equal(queue_read(b, q, IAU_QREG_HEAD), round);
	}
	*jobs += NQ - 1;
	/* a job that completed counts even if its queue was reset in the same moment */
	assert_int_equal(counter(b, IAU_CNT_JOBS), *jobs);
}

/*
 * CMD = 1 at every step from the doorbell on until the job is over: before it starts, while its
 * descriptor is read, in the middle, during its completion record, in the cycle it ends.
 */
static void test_reset_at_every_step(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	uint32_t round = 0, jobs = 0;
	bool over = false;

	lanes_open(b, lane, 8);
	for (unsigned int q = 1; q < NQ; q++)
		queue_open(b, q, 3, 1);
	while (!over) {
		struct job j = lane_job(lane, 0, round + 1);

		for (unsigned int q = 0; q < NQ; q++)
			memset(b->mem + lane[q].out, 0, PAGE);
		queue_open(b, 0, 3, 1 | 3 << 1);
		job_submit(b, 0, &j);
		b->ops->run(b->dev, round);
		over = b->irq_count[0] > 0 && queue_read(b, 0, IAU_QREG_STATUS) == 0;
		for (unsigned int q = 1; q < NQ; q++) {
			j = lane_job(lane, q, round + 1);
			job_submit(b, q, &j);
		}
		queue_write(b, 0, IAU_QREG_CMD, 1);
		run_idle(b);
		b->irq_count[0] = over ? b->irq_count[0] : 0;
		check_reset(b, lane, ++round, &jobs);
	}
	print_message("# %u steps\n", round);
	assert_true(round > 20);
}

/* Without the registers written in between: the reset falls into the cycles after the doorbell. */
static void test_reset_right_after_doorbell(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	struct job j;

	lanes_open(b, lane, 8);
	for (uint32_t round = 1; round < 6; round++) {
		j = lane_job(lane, 0, round);
		queue_open(b, 0, 3, 1);
		job_submit(b, 0, &j);
		if (round > 1)
			b->ops->run(b->dev, round - 2);
		queue_write(b, 0, IAU_QREG_CMD, 1);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
		assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 0);
		assert_int_equal(b->irq_count[IAU_IRQ_RESET], round);
		assert_true(peek64(b, lane[0].record) == 0);
		assert_int_equal(b->irq_count[0], 0);
	}
	queue_open(b, 0, 3, 1);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_output(b, &lane[0]);
}

/* The job faults at some step; a reset at each step around it leaves a clean queue. */
static void test_reset_around_a_fault(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	uint32_t faults = 0;

	lanes_open(b, lane, 2);
	b->mem[lane[0].code] = 0xee; /* no such opcode */
	for (uint32_t round = 0; round < 200 && faults < 3; round++) {
		struct job j = lane_job(lane, 0, 1);

		queue_open(b, 0, 3, 1);
		job_submit(b, 0, &j);
		b->ops->run(b->dev, round);
		if (queue_read(b, 0, IAU_QREG_STATUS) == 2)
			faults++;
		queue_write(b, 0, IAU_QREG_CMD, 1);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
		assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 0);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), 0);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_TAG), 0);
		assert_int_equal(b->irq_count[IAU_IRQ_RESET], round + 1);
	}
	assert_int_equal(faults, 3);
}

/* An endless job ends by a reset. */
static void test_reset_of_an_endless_job(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	struct prog p;
	struct job j;
	uint32_t *c;

	lanes_open(b, lane, 0);
	p = prog_at(b, lane[0].code);
	c = emit(&p, IAU_OP_BRANCH);
	IAU_PUT(c, (uint32_t)-1, IAU_BRANCH_OFFSET);
	for (unsigned int q = 0; q < NQ; q++) {
		j = lane_job(lane, q, 1);
		queue_open(b, q, 1, q ? 1 : 1 | 1 << 1);
		job_submit(b, q, &j);
	}
	assert_true(b->ops->run(b->dev, 5000));
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 1);
	assert_true(queue_read(b, 0, IAU_QREG_PROGRESS) > 0);
	queue_write(b, 0, IAU_QREG_CMD, 1);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
	assert_true(peek64(b, lane[0].record) == 0);
	for (unsigned int q = 1; q < NQ; q++)
		assert_output(b, &lane[q]);
}

/* CMD = 2 does nothing to a queue that has not faulted, at whatever step. */
static void test_resume_is_for_faults_only(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];

	lanes_open(b, lane, 8);
	queue_open(b, 0, 3, 1);
	queue_open(b, 1, 3, 1);
	for (uint32_t round = 1; round <= 200; round++) {
		struct job j0 = lane_job(lane, 0, round), j1 = lane_job(lane, 1, round);

		memset(b->mem + lane[0].out, 0, PAGE);
		memset(b->mem + lane[1].out, 0, PAGE);
		job_submit(b, 0, &j0);
		job_submit(b, 1, &j1);
		b->ops->run(b->dev, round);
		queue_write(b, 0, IAU_QREG_CMD, 2);
		queue_write(b, 1, IAU_QREG_CMD, 2);
		run_idle(b);
		for (unsigned int q = 0; q < 2; q++) {
			assert_output(b, &lane[q]);
			assert_int_equal(queue_read(b, q, IAU_QREG_HEAD), round);
			assert_true(peek64(b, lane[q].record) == round);
		}
	}
}

/* Faulted queues stand still with their records while others run; CMD = 2 goes on behind the job. */
static void test_resume_after_a_fault(void **state)
{
	struct bench *b = *state;
	struct lane lane[NQ];
	struct job bad;

	lanes_open(b, lane, 4);
	for (unsigned int q = 0; q < NQ; q++)
		queue_open(b, q, 3, 1);
	for (unsigned int q = 0; q < NQ; q++) {
		struct job j = lane_job(lane, q, 1);

		if (q % 2 == 0) {
			bad = j;
			bad.cmd_bytes = 64; /* only the LOAD: then the range is left */
			bad.fence = 77;
			job_queue(b, q, &bad);
		}
		job_submit(b, q, &j);
	}
	run_idle(b);
	for (unsigned int q = 0; q < NQ; q++) {
		bool faulted = q % 2 == 0;

		assert_int_equal(queue_read(b, q, IAU_QREG_STATUS), faulted ? 2 : 0);
		assert_int_equal(queue_read(b, q, IAU_QREG_HEAD), !faulted);
		assert_true(peek64(b, lane[q].record) == !faulted);
		if (!faulted)
			continue;
		assert_int_equal(queue_read(b, q, IAU_QREG_FAULT_CODE), IAU_FAULT_CMD_RANGE);
		assert_int_equal(queue_read(b, q, IAU_QREG_FAULT_TAG), 100 + q);
		assert_int_equal(queue_read(b, q, IAU_QREG_FAULT_CTX), ctx_of(q));
		assert_int_equal(queue_read(b, q, IAU_QREG_FAULT_OFFSET), 64);
	}
	assert_int_equal(b->irq_count[IAU_IRQ_FAULT], 2);
	/* more for a healthy one, then the faulted one after the other */
	for (unsigned int q = 0; q < NQ; q += 2) {
		struct job j = lane_job(lane, 1, 2 + q);

		job_submit(b, 1, &j);
		queue_write(b, q, IAU_QREG_CMD, 2);
		run_idle(b);
		assert_int_equal(queue_read(b, q, IAU_QREG_STATUS), 0);
		assert_int_equal(queue_read(b, q, IAU_QREG_FAULT_CODE), 0);
		assert_int_equal(queue_read(b, q, IAU_QREG_HEAD), 2);
		assert_true(peek64(b, lane[q].record) == 1);
		assert_true(peek64(b, lane[1].record) == 2 + q);
		assert_output(b, &lane[q]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_priorities),
		ON_BOTH(test_round_robin_among_equals),
		ON_BOTH(test_round_robin_below_a_higher_one),
		ON_BOTH(test_two_pairs_of_equals),
		ON_BOTH(test_higher_priority_waits_for_the_running_job),
		ON_BOTH(test_priority_changes),
		ON_BOTH(test_four_queues_in_four_contexts),
		ON_BOTH(test_reset_at_every_step),
		ON_BOTH(test_reset_right_after_doorbell),
		ON_BOTH(test_reset_around_a_fault),
		ON_BOTH(test_reset_of_an_endless_job),
		ON_BOTH(test_resume_is_for_faults_only),
		ON_BOTH(test_resume_after_a_fault),
	};

	return run_group("queues", tests);
}
