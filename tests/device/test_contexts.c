/* SPDX-License-Identifier: MIT */
/*
 * Contexts: what a job can reach is what its own tables map, whatever the device has translated
 * before, is translating ahead, or still remembers.
 */
#include "bench.h"

#define CODE	  UINT64_C(0x7f00010000) /* two pages */
#define DATA	  UINT64_C(0x20000)
#define OUT	  UINT64_C(0x30000)
#define PAGE_CMDS (PAGE / IAU_CMD_BYTES)

/* Context c has CODE, DATA and OUT at the same addresses as every other, and other pages there. */
struct space {
	uint64_t code, data, out;
};

static void space_open(struct bench *b, unsigned int c, struct space *s)
{
	*s = (struct space){ pages_new(b, 2), pages_new(b, 1), pages_new(b, 1) };
	page_map(b, c, CODE, s->code, IAU_PTE_C);
	page_map(b, c, CODE + PAGE, s->code + PAGE, IAU_PTE_C);
	page_map(b, c, DATA, s->data, IAU_PTE_C);
	page_map(b, c, OUT, s->out, IAU_PTE_W);
	for (uint32_t i = 0; i < PAGE; i += 8)
		poke64(b, s->data + i, (c + 1) * UINT64_C(0x0101010101010101) + i);
}

static struct job plain(unsigned int ctx, uint32_t cmd_bytes)
{
	return (struct job){ .ctx = ctx, .cmd_va = CODE, .cmd_bytes = cmd_bytes };
}

/* All contexts, one after the other, more pages than the TLB has entries. */
static void test_same_addresses_in_every_context(void **state)
{
	struct bench *b = *state;
	struct space s[IAU_NUM_CONTEXTS];

	queue_open(b, 0, 5, 1);
	for (unsigned int c = 0; c < IAU_NUM_CONTEXTS; c++) {
		space_open(b, c, &s[c]);
		copy_program(b, s[c].code, DATA, OUT, 4096, 0);
	}
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < IAU_NUM_CONTEXTS; i++) {
			struct job j = plain(i * 5 % IAU_NUM_CONTEXTS, 192);

			job_queue(b, 0, &j);
		}
		doorbell(b, 0);
		run_idle(b);
		for (unsigned int c = 0; c < IAU_NUM_CONTEXTS; c++) {
			assert_memory_equal(b->mem + s[c].data, b->mem + s[c].out, PAGE);
			memset(b->mem + s[c].out, 0, PAGE);
		}
	}
	assert_int_equal(counter(b, IAU_CNT_FAULTS), 0);
}

/* What only another context maps is not there: no read, no write, no command. */
static void test_no_reach_into_another_context(void **state)
{
	static const uint64_t secret = UINT64_C(0x50000);
	struct bench *b = *state;
	struct space s[2];
	uint64_t page = pages_new(b, 1);
	uint32_t n;

	space_open(b, 1, &s[0]);
	space_open(b, 2, &s[1]);
	queue_open(b, 0, 4, 1);
	page_map(b, 1, secret, page, IAU_PTE_W);
	n = copy_program(b, s[0].code, DATA, secret, 64, 0);
	for (unsigned int kind = 0; kind < 3; kind++) {
		struct job own = plain(1, n), other = plain(2, 192);

		memset(b->mem + s[1].out, 0, PAGE);
		copy_program(b, s[1].code, kind == 0 ? secret : DATA, kind == 1 ? secret : OUT, 64,
			     0);
		if (kind == 2)
			other.cmd_va = secret;
		job_queue(b, 0, &own); /* so that its translations are at hand */
		job_submit(b, 0, &other);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_UNMAPPED);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_VA_LO), secret);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CTX), 2);
		assert_memory_equal(b->mem + page, b->mem + s[0].data, 64);
		assert_int_equal(peek32(b, s[1].out), 0);
		queue_write(b, 0, IAU_QREG_CMD, 2);
	}
}

/* Neither scratchpads nor registers tell a job anything of the one before. */
static void test_nothing_is_left_behind(void **state)
{
	struct bench *b = *state;
	struct space s[2];
	struct prog p;
	struct job j;
	uint32_t *c;

	space_open(b, 1, &s[0]);
	space_open(b, 2, &s[1]);
	queue_open(b, 0, 4, 1);
	p = prog_at(b, s[0].code);
	for (uint32_t at = 0; at < IAU_VSP_BYTES; at += 64 * 1024)
		emit_load(&p, DATA, at, PAGE);
	emit_load(&p, DATA, IAU_TSP_BASE, PAGE);
	for (uint32_t r = 0; r < 8; r++)
		emit_set(&p, r, 0x1000 + r);
	emit_end(&p);
	j = plain(1, p.n * IAU_CMD_BYTES);
	job_queue(b, 0, &j);
	p = prog_at(b, s[1].code);
	for (uint32_t i = 0; i < 4; i++)
		emit_store(&p, OUT + i * 1024, i * 64 * 1024, 1024);
	/* registers 1 to 3 as bytes of a row: a row of 0 bytes is a fault */
	c = emit(&p, IAU_OP_STORE);
	IAU_PUT(c, 4, IAU_STORE_ROW_BYTES);
	IAU_PUT(c, OUT, IAU_STORE_VA);
	IAU_PUT(c, 1, IAU_STORE_ROWS);
	c[15] = 6 | 1 << 4; /* address += register 1 */
	emit_end(&p);
	j = plain(2, p.n * IAU_CMD_BYTES);
	memset(b->mem + s[1].out, 0xff, PAGE);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
	for (uint32_t i = 0; i < PAGE; i += 8)
		assert_true(peek64(b, s[1].out + i) == 0);
}

/* Commands of a job: END is command LAST, the page behind it is translated ahead or not. */
static uint32_t two_pages(struct bench *b, const struct space *s, uint32_t last, uint32_t source)
{
	struct prog p = prog_at(b, s->code);

	emit_nops(&p, last);
	emit_end(&p);
	emit_nops(&p, PAGE_CMDS - p.n);
	emit_load(&p, DATA + source, 0, 64);
	emit_store(&p, OUT, 0, 64);
	emit_end(&p);
	return p.n * IAU_CMD_BYTES;
}

/*
 * A job of context 1 ends while the device translates its next page ahead; the job of context 2
 * right behind it starts at just that address. MAPPED: whether context 1 has the page.
 */
static void walk_outlives_job(struct bench *b, bool mapped)
{
	struct space s[2];
	uint32_t rounds = 0;

	space_open(b, 1, &s[0]);
	space_open(b, 2, &s[1]);
	queue_open(b, 0, 4, 1);
	if (!mapped)
		poke64(b, pte_pa(b, 1, CODE + PAGE, 0), 0);
	for (uint32_t last = PAGE_CMDS - 12; last < PAGE_CMDS; last++) {
		uint32_t n = two_pages(b, &s[0], last, 128);
		struct job j = plain(1, n);

		two_pages(b, &s[1], last, 192);
		for (unsigned int c = 1; c < 3; c++)
			reg_write(b, IAU_REG_TLB_INVALIDATE, c);
		memset(b->mem + s[1].out, 0, 64);
		job_queue(b, 0, &j);
		j = plain(2, n - PAGE);
		j.cmd_va += PAGE;
		job_submit(b, 0, &j);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
		assert_int_equal(queue_read(b, 0, IAU_QREG_HEAD), 2 * ++rounds);
		assert_memory_equal(b->mem + s[1].data + 192, b->mem + s[1].out, 64);
	}
	assert_int_equal(counter(b, IAU_CNT_FAULTS), 0);
}

static void slow_memory(void **state, bool mapped)
{
	struct bench *b = *state, slow;
	struct iau_dev_timing timing = { .latency = 1, .bytes_per_cycle = 64, .seed = 3 };

	for (; timing.latency < 200; timing.latency *= 3) {
		bench_open(&slow, b->ops->name, &timing);
		walk_outlives_job(&slow, mapped);
		bench_close(&slow);
	}
}

static void test_walk_that_outlives_its_job(void **state)
{
	slow_memory(state, true);
}

static void test_failing_walk_that_outlives_its_job(void **state)
{
	slow_memory(state, false);
}

/* Between jobs a page moves; after TLB_INVALIDATE the next job sees the new one. */
static void test_invalidate_between_jobs(void **state)
{
	struct bench *b = *state;
	struct space s[2];
	uint64_t other = pages_new(b, 1);

	space_open(b, 1, &s[0]);
	space_open(b, 2, &s[1]);
	queue_open(b, 0, 4, 1);
	memset(b->mem + other, 0x5a, PAGE);
	for (uint32_t round = 0; round < 4; round++) {
		uint64_t now = round % 2 ? other : s[0].data;
		struct job j = plain(1, copy_program(b, s[0].code, DATA, OUT, 512, 0));
		struct job k = plain(2, copy_program(b, s[1].code, DATA, OUT, 512, 0));

		page_map(b, 1, DATA, now, IAU_PTE_C);
		reg_write(b, IAU_REG_TLB_INVALIDATE, 1);
		job_queue(b, 0, &j);
		job_submit(b, 0, &k);
		run_idle(b);
		assert_memory_equal(b->mem + now, b->mem + s[0].out, 512);
		assert_memory_equal(b->mem + s[1].data, b->mem + s[1].out, 512);
	}
	/* a page is taken away, and given back without permission to write */
	poke64(b, pte_pa(b, 1, OUT, 0), 0);
	reg_write(b, IAU_REG_TLB_INVALIDATE, 1);
	for (uint32_t round = 0; round < 2; round++) {
		struct job j = plain(1, 192);

		job_submit(b, 0, &j);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE),
				 round ? IAU_FAULT_PERMISSION : IAU_FAULT_UNMAPPED);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_VA_LO), OUT);
		page_map(b, 1, OUT, s[0].out, IAU_PTE_C);
		reg_write(b, IAU_REG_TLB_INVALIDATE, 1);
		queue_write(b, 0, IAU_QREG_CMD, 2);
	}
}

/* A new root is a new address space at once: writing it drops what was translated. */
static void test_new_root(void **state)
{
	struct bench *b = *state;
	struct space s[2];
	struct job j = plain(1, 192);

	space_open(b, 1, &s[0]);
	space_open(b, 2, &s[1]);
	copy_program(b, s[0].code, DATA, OUT, 64, 0);
	copy_program(b, s[1].code, DATA, OUT, 64, 0);
	queue_open(b, 0, 4, 1);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_memory_equal(b->mem + s[0].data, b->mem + s[0].out, 64);
	reg_write(b, IAU_CTX_OFFSET + 8, (uint32_t)b->root[2] | 1);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_memory_equal(b->mem + s[1].data, b->mem + s[1].out, 64);
	reg_write(b, IAU_CTX_OFFSET + 8, (uint32_t)b->root[2]);
	job_submit(b, 0, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_BAD_JOB);
}

/*
 * A page moves and TLB_INVALIDATE is written at every step of a job that uses it: that job may see
 * either page, the next one must see the new one. The page moves by its entry or, with TABLES, by
 * the entry above, so that a walk may be under way in the old table.
 */
static void invalidate_at_every_step(struct bench *b, bool tables)
{
	struct space s;
	uint64_t page[2], table[2], l1, l0;
	struct job j;

	space_open(b, 1, &s);
	page[0] = s.data;
	page[1] = pages_new(b, 1);
	memset(b->mem + page[1], 0x5a, PAGE);
	l1 = pte_pa(b, 1, DATA, 1);
	l0 = pte_pa(b, 1, DATA, 0);
	table[0] = l0 & ~(uint64_t)(PAGE - 1);
	table[1] = pages_new(b, 1);
	memcpy(b->mem + table[1], b->mem + table[0], PAGE);
	poke64(b, table[1] + l0 % PAGE, page[1] | IAU_PTE_V | IAU_PTE_C);
	queue_open(b, 0, 4, 1);
	j = plain(1, copy_program(b, s.code, DATA, OUT, 64, 0));
	for (uint32_t step = 0; step < 400; step++) {
		unsigned int now = (step + 1) % 2;

		reg_write(b, IAU_REG_TLB_INVALIDATE, 1);
		job_submit(b, 0, &j);
		b->ops->run(b->dev, step);
		if (tables)
			poke64(b, l1, table[now] | IAU_PTE_V);
		else
			poke64(b, l0, page[now] | IAU_PTE_V | IAU_PTE_C);
		reg_write(b, IAU_REG_TLB_INVALIDATE, 1);
		run_idle(b);
		assert_true(peek64(b, s.out) == peek64(b, page[0]) ||
			    peek64(b, s.out) == peek64(b, page[1]));
		job_submit(b, 0, &j);
		run_idle(b);
		assert_memory_equal(b->mem + page[now], b->mem + s.out, 64);
	}
	assert_int_equal(counter(b, IAU_CNT_FAULTS), 0);
}

static void test_new_entry_at_every_step(void **state)
{
	invalidate_at_every_step(*state, false);
}

static void test_new_table_at_every_step(void **state)
{
	invalidate_at_every_step(*state, true);
}

/* 2 MiB leaves: the whole of the page is reached, and 4 KiB entries beside it. */
static void test_big_pages(void **state)
{
	static const uint64_t big = UINT64_C(0x40000000), len = UINT64_C(2) << 20;
	struct bench *b = *state;
	struct space s;
	struct job j = plain(1, 0);
	struct prog p;

	space_open(b, 1, &s);
	poke64(b, pte_pa(b, 1, big, 1), len | IAU_PTE_V | IAU_PTE_W | IAU_PTE_L);
	queue_open(b, 0, 4, 1);
	p = prog_at(b, s.code);
	emit_load(&p, DATA, 0, PAGE);
	emit_store(&p, big, 0, 64);
	emit_store(&p, big + len / 2 - 32, 64, 64);
	emit_store(&p, big + len - 64, 128, 64);
	emit_end(&p);
	j.cmd_bytes = p.n * IAU_CMD_BYTES;
	job_submit(b, 0, &j);
	run_idle(b);
	assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
	assert_memory_equal(b->mem + len, b->mem + s.data, 64);
	assert_memory_equal(b->mem + len + len / 2 - 32, b->mem + s.data + 64, 64);
	assert_memory_equal(b->mem + 2 * len - 64, b->mem + s.data + 128, 64);
}

/*
 * A page that was not there becomes one: nothing has to be told to the device, whatever it remembers of
 * the entries beside it. BIG: the pages are large ones.
 */
static void pages_appear(struct bench *b, bool big)
{
	static const uint64_t at = UINT64_C(0x40000000);
	const uint64_t size = big ? UINT64_C(2) << 20 : PAGE;
	const int level = big;
	struct space s;
	struct job j;

	space_open(b, 1, &s);
	queue_open(b, 0, 4, 1);
	for (uint32_t i = 0; i < 20; i++) {
		/* 0, 7, 14, 1, 8, ...: within a line of entries and beyond it, in any order */
		uint64_t va = at + i * 7 % 20 * size, pa = big ? size : s.data;
		uint64_t entry = pa | IAU_PTE_V | IAU_PTE_C | (big ? IAU_PTE_L : 0);

		poke64(b, pa, i + 1);
		j = plain(1, copy_program(b, s.code, va, OUT, 64, 0));
		job_submit(b, 0, &j);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_UNMAPPED);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_VA_LO), (uint32_t)va);
		queue_write(b, 0, IAU_QREG_CMD, 2);
		poke64(b, pte_pa(b, 1, va, level), entry);
		job_submit(b, 0, &j);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_STATUS), 0);
		assert_true(peek64(b, s.out) == i + 1);
	}
}

static void test_pages_appear(void **state)
{
	pages_appear(*state, false);
}

static void test_big_pages_appear(void **state)
{
	pages_appear(*state, true);
}

/* Entries that no access may use are refused although the one beside them was read with them. */
static void test_bad_entries_beside_good_ones(void **state)
{
	static const uint64_t at = UINT64_C(0x40000000);
	struct bench *b = *state;
	struct space s;
	struct job j;

	space_open(b, 1, &s);
	queue_open(b, 0, 4, 1);
	page_map(b, 1, at, s.data, IAU_PTE_C);
	poke64(b, pte_pa(b, 1, at + PAGE, 0), s.data | IAU_PTE_V | IAU_PTE_C | IAU_PTE_W);
	poke64(b, pte_pa(b, 1, at + 2 * PAGE, 0), s.data | IAU_PTE_C);
	page_map(b, 1, at + 3 * PAGE, s.data + 64, IAU_PTE_C);
	for (uint32_t i = 0; i < 8; i++) {
		static const int code[] = { 0, IAU_FAULT_BAD_PTE, IAU_FAULT_UNMAPPED, 0 };

		j = plain(1, copy_program(b, s.code, at + i % 4 * PAGE, OUT, 64, 0));
		job_submit(b, 0, &j);
		run_idle(b);
		assert_int_equal(queue_read(b, 0, IAU_QREG_FAULT_CODE), code[i % 4]);
		queue_write(b, 0, IAU_QREG_CMD, 2);
	}
	assert_int_equal(counter(b, IAU_CNT_FAULTS), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_same_addresses_in_every_context),
		ON_BOTH(test_no_reach_into_another_context),
		ON_BOTH(test_nothing_is_left_behind),
		ON_BOTH(test_walk_that_outlives_its_job),
		ON_BOTH(test_failing_walk_that_outlives_its_job),
		ON_BOTH(test_invalidate_between_jobs),
		ON_BOTH(test_new_root),
		ON_BOTH(test_new_entry_at_every_step),
		ON_BOTH(test_new_table_at_every_step),
		ON_BOTH(test_big_pages),
		ON_BOTH(test_pages_appear),
		ON_BOTH(test_big_pages_appear),
		ON_BOTH(test_bad_entries_beside_good_ones),
	};

	return run_group("contexts", tests);
}
