/* SPDX-License-Identifier: MIT */
/* One queue: completion records, STAMP, budgets, the ring's wrap-around, doorbells. */
#include "bench.h"

#define CODE UINT64_C(0x10000)
#define DATA UINT64_C(0x20000)
#define OUT  UINT64_C(0x30000)

/* The pages of a test: commands, constant data, output, records. */
struct pages {
	uint64_t code, data, out, record;
};

static struct pages map_pages(struct bench *b, unsigned int ctx)
{
	struct pages p = { pages_new(b, 1), pages_new(b, 1), pages_new(b, 1), pages_new(b, 1) };

	page_map(b, ctx, CODE, p.code, IAU_PTE_C);
	page_map(b, ctx, DATA, p.data, IAU_PTE_C);
	page_map(b, ctx, OUT, p.out, IAU_PTE_W);
	for (uint32_t i = 0; i < PAGE; i += 8)
		poke64(b, p.data + i, i * UINT64_C(0x9e3779b97f4a7c15));
	return p;
}

static void test_completion_record(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .fence = UINT64_C(0x123456789abcdef0) };

	queue_open(b, 0, 2, 1);
	j.record_pa = UINT64_C(0xfff) << 52 | (p.record + 32); /* of 52 bits */
	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 256, 0);
	for (uint32_t i = 0; i < PAGE; i += 8)
		poke64(b, p.record + i, ~UINT64_C(0));
	job_submit(b, 0, &j);
	run_idle(b);
	assert_true(peek64(b, p.record + 32) == j.fence);
	assert_true(peek64(b, p.record + 56) == 3);
	if (b->ops->timed) {
		assert_true(peek64(b, p.record + 40) < peek64(b, p.record + 48));
		assert_true(peek64(b, p.record + 48) <= counter(b, IAU_CNT_CYCLES));
	} else {
		assert_true(peek64(b, p.record + 40) == 0 && peek64(b, p.record + 48) == 0);
	}
	/* nothing beside the record, no interrupt without the descriptor's bit */
	assert_true(peek64(b, p.record + 24) == ~UINT64_C(0));
	assert_true(peek64(b, p.record + 64) == ~UINT64_C(0));
	assert_int_equal(b->irqs, 0);
	assert_memory_equal(b->mem + p.data, b->mem + p.out, 256);
	assert_int_equal(peek32(b, p.out + 256), 0);
	assert_int_equal(counter(b, IAU_CNT_JOBS), 1);
	assert_int_equal(counter(b, IAU_CNT_COMMANDS), 3);
}

/* Without a record address nothing is written: physical page 0 stays as it was. */
static void test_no_record(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .fence = 7, .irq = true };

	queue_open(b, 0, 2, 1);
	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 64, 0);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 1);
	assert_int_equal(b->irq_count[0], 1);
	for (uint32_t i = 0; i < PAGE; i += 8)
		assert_true(peek64(b, i) == 0);
}

/* A record that memory does not answer for is lost; the job is complete nevertheless. */
static void test_record_without_memory(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = UINT64_C(1) << 40, .irq = true };

	queue_open(b, 0, 2, 1);
	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 64, 0);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 1);
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
	assert_int_equal(b->irq_count[0], 1);
}

static void test_stamp(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = p.record, .fence = 1 };
	struct prog prog = prog_at(b, p.code);
	uint64_t start, end, t[3];

	for (uint32_t i = 0; i < 64; i += 8)
		poke64(b, p.out + i, ~UINT64_C(0));
	emit_stamp(&prog, OUT + 8);
	emit_load(&prog, DATA, 0, 4096);
	emit_stamp(&prog, OUT + 16);
	emit_delay(&prog, 5, 100);
	emit_stamp(&prog, OUT + 56);
	emit_end(&prog);
	j.cmd_bytes = prog.n * IAU_CMD_BYTES;
	queue_open(b, 3, 1, 1);
	job_submit(b, 3, &j);
	run_idle(b);
	start = peek64(b, p.record + 8);
	end = peek64(b, p.record + 16);
	t[0] = peek64(b, p.out + 8);
	t[1] = peek64(b, p.out + 16);
	t[2] = peek64(b, p.out + 56);
	assert_true(peek64(b, p.out) == ~UINT64_C(0));
	assert_true(peek64(b, p.out + 24) == ~UINT64_C(0));
	assert_true(peek64(b, p.out + 64) == 0);
	assert_int_equal(counter(b, IAU_CNT_STORE_BYTES), 24);
	if (!b->ops->timed) {
		assert_true(t[0] == 0 && t[1] == 0 && t[2] == 0);
		return;
	}
	/* the LOAD between the first two moves 64 beats, one a cycle at best */
	assert_true(start < t[0] && t[0] + 64 <= t[1] && t[1] < t[2] && t[2] <= end);
}

/* Tiles and a row of A from DATA; later their product to OUT */
static uint32_t product_program(struct bench *b, uint64_t pa)
{
	struct prog p = prog_at(b, pa);
	uint32_t *c;

	emit_load(&p, DATA, IAU_TSP_BASE, 1024);
	emit_load(&p, DATA, 0, 4096);
	emit_delay(&p, 9, 50);
	c = emit(&p, IAU_OP_MATMUL);
	IAU_PUT(c, 1, IAU_MATMUL_UNIT);
	IAU_PUT(c, 1, IAU_MATMUL_M);
	IAU_PUT(c, 1, IAU_MATMUL_PITCH);
	IAU_PUT(c, 1, IAU_MATMUL_NT);
	IAU_PUT(c, 1, IAU_MATMUL_KB);
	IAU_PUT(c, 2048, IAU_MATMUL_AS_ADDR);
	IAU_PUT(c, IAU_TSP_BASE, IAU_MATMUL_W_ADDR);
	IAU_PUT(c, 4096, IAU_MATMUL_D_ADDR);
	emit_store(&p, OUT, 4096, 128);
	emit_end(&p);
	return p.n * IAU_CMD_BYTES;
}

/* What a job has loaded stays, although its memory goes: a host says so before. */
static void test_memory_goes(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE };
	uint8_t want[128];

	poke64(b, p.data + 2048, 0x3f800000); /* the row's scale, 1 */
	j.cmd_bytes = product_program(b, p.code);
	queue_open(b, 0, 2, 1);
	job_submit(b, 0, &j);
	run_idle(b);
	memcpy(want, b->mem + p.out, sizeof(want));
	assert_true(peek64(b, p.out));
	memset(b->mem + p.out, 0, sizeof(want));
	job_submit(b, 0, &j);
	for (uint32_t before = queue_read(b, 0, IAU_QREG_PROGRESS);
	     queue_read(b, 0, IAU_QREG_PROGRESS) - before < 2;)
		b->ops->run(b->dev, 1);
	if (b->ops->settle)
		b->ops->settle(b->dev);
	memset(b->mem + p.data, 0, PAGE);
	run_idle(b);
	assert_memory_equal(b->mem + p.out, want, sizeof(want));
}

static void test_budget(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = p.record, .fence = 9 };
	struct prog prog = prog_at(b, p.code);

	emit_nops(&prog, 9);
	emit_end(&prog);
	j.cmd_bytes = prog.n * IAU_CMD_BYTES;
	queue_open(b, 0, 3, 1);
	for (j.budget = 0; j.budget <= 11; j.budget++) {
		poke64(b, p.record, 0);
		job_submit(b, 0, &j);
		run_idle(b);
		if (j.budget == 0 || j.budget >= 10) {
			assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
			assert_true(peek64(b, p.record) == 9);
			continue;
		}
		assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 2);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_BUDGET);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_OFFSET), j.budget * 64);
		assert_true(peek64(b, p.record) == 0);
		queue_write(b, 0, IAU_QREG_CMD, 2);
	}
	assert_int_equal(counter(b, IAU_CNT_COMMANDS), 3 * 10 + 45);
	assert_int_equal(queue_read(b, 0, IAU_QREG_PROGRESS), 3 * 10 + 45);
}

/* Rings of every size up to a page's: each entry is used in turn, many times around. */
static void test_ring_wraps(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = p.record };
	uint64_t jobs = 0;

	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 8, 0);
	for (uint32_t log2 = 1; log2 <= 6; log2++) {
		uint32_t n = 1u << log2;

		queue_write(b, 2, IAU_QREG_CMD, 1);
		queue_open(b, 2, log2, 1);
		for (uint32_t done = 0; done < 5 * n;) {
			uint32_t some = 1 + (done * 7 + log2) % n;

			for (uint32_t i = 0; i < some; i++) {
				j.fence = ++jobs;
				job_queue(b, 2, &j);
			}
			doorbell(b, 2);
			run_idle(b);
			done += some;
			assert_int_equal(queue_read(b, 2, IAU_QREG_HEAD), done);
			assert_true(peek64(b, p.record) == jobs);
		}
	}
	assert_int_equal(counter(b, IAU_CNT_JOBS), jobs);
}

/* A doorbell of a queue that is not enabled is kept; nothing runs until CTRL enables it. */
static void test_doorbell_of_disabled_queue(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = p.record, .fence = 5, .irq = true };

	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 8, 0);
	queue_open(b, 1, 2, 0);
	job_submit(b, 1, &j);
	assert_int_equal(reg_read(b, IAU_REG_STATUS), 0);
	assert_false(b->ops->run(b->dev, 1000));
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), 0);
	assert_int_equal(reg_read(b, IAU_DOORBELL_OFFSET + 8), 1);
	assert_true(peek64(b, p.record) == 0);
	queue_write(b, 1, IAU_QREG_CTRL, 1);
	run_idle(b);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), 1);
	assert_true(peek64(b, p.record) == 5);
	assert_int_equal(b->irq_count[1], 1);
	/* disabling while a job waits */
	queue_write(b, 1, IAU_QREG_CTRL, 0);
	job_submit(b, 1, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), 1);
}

/* Disabling a queue lets its running job end and starts no other. */
static void test_disable_while_running(void **state)
{
	struct bench *b = *state;
	struct pages p = map_pages(b, 1);
	struct job j = { .ctx = 1, .cmd_va = CODE, .record_pa = p.record, .fence = 5 };

	j.cmd_bytes = copy_program(b, p.code, DATA, OUT, 8, 50);
	queue_open(b, 1, 2, 1);
	job_queue(b, 1, &j);
	job_submit(b, 1, &j);
	b->ops->run(b->dev, 20);
	queue_write(b, 1, IAU_QREG_CTRL, 0);
	run_idle(b);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), 1);
	queue_write(b, 1, IAU_QREG_CTRL, 1);
	run_idle(b);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), 2);
}

/* Registers hold what the reference says; others read as zero and take no harm. */
static void test_registers(void **state)
{
	struct bench *b = *state;

	assert_int_equal(reg_read(b, IAU_REG_ID), IAU_ID);
	assert_int_equal(reg_read(b, IAU_REG_VERSION), IAU_VERSION);
	assert_int_equal(reg_read(b, IAU_REG_CAP0),
			 IAU_ROWS | IAU_LANES << 8 | IAU_NUM_QUEUES << 16 | IAU_NUM_CONTEXTS << 24);
	assert_int_equal(reg_read(b, IAU_REG_CAP1),
			 IAU_VSP_BYTES / 1024 | IAU_TSP_BYTES / 1024 << 16);
	assert_int_equal(reg_read(b, IAU_REG_CAP2), IAU_NUM_IRQS | IAU_VA_BITS << 8);
	queue_write(b, 1, IAU_QREG_BASE_LO, 0xffffffff);
	queue_write(b, 1, IAU_QREG_BASE_HI, 0xffffffff);
	queue_write(b, 1, IAU_QREG_SIZE, 0xffffffff);
	queue_write(b, 1, IAU_QREG_CTRL, 0xfffffffe);
	assert_int_equal(queue_read(b, 1, IAU_QREG_BASE_LO), 0xffffffc0);
	assert_int_equal(queue_read(b, 1, IAU_QREG_BASE_HI), 0xfffff);
	assert_int_equal(queue_read(b, 1, IAU_QREG_SIZE), 15);
	assert_int_equal(queue_read(b, 1, IAU_QREG_CTRL), 6);
	reg_write(b, IAU_CTX_OFFSET + 15 * 8, 0x12345001);
	reg_write(b, IAU_CTX_OFFSET + 15 * 8 + 4, 0x9abc);
	assert_int_equal(reg_read(b, IAU_CTX_OFFSET + 15 * 8), 0x12345001);
	assert_int_equal(reg_read(b, IAU_CTX_OFFSET + 15 * 8 + 4), 0x9abc);
	for (uint32_t at = 0; at < 0x10000; at += 4) {
		bool named = at < 0x2c || (at >= IAU_CTX_OFFSET && at < IAU_CTX_OFFSET + 0x80) ||
			     (at >= IAU_QUEUE_OFFSET && at < IAU_QUEUE_OFFSET + 0x200) ||
			     (at >= IAU_CNT_OFFSET && at < IAU_CNT_OFFSET + IAU_NUM_COUNTERS * 8);

		if (named)
			continue;
		reg_write(b, at,
			  at >= IAU_DOORBELL_OFFSET && at < IAU_DOORBELL_OFFSET + 0x20 ? 0 : ~0u);
		assert_int_equal(reg_read(b, at), 0);
	}
	assert_int_equal(queue_read(b, 1, IAU_QREG_SIZE), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_completion_record),
		ON_BOTH(test_no_record),
		ON_BOTH(test_record_without_memory),
		ON_BOTH(test_stamp),
		ON_BOTH(test_memory_goes),
		ON_BOTH(test_budget),
		ON_BOTH(test_ring_wraps),
		ON_BOTH(test_doorbell_of_disabled_queue),
		ON_BOTH(test_disable_while_running),
		ON_BOTH(test_registers),
	};

	return run_group("jobs", tests);
}
