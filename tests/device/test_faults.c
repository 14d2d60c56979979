/* SPDX-License-Identifier: MIT */
/* Every fault code, each way to it, with the whole fault record and what was done before. */
#include "bench.h"

#define CODE	  UINT64_C(0x10000)
#define DATA	  UINT64_C(0x20000)
#define OUT	  UINT64_C(0x30000)
#define READ_ONLY UINT64_C(0x40000) /* neither W nor C */
#define NOWHERE	  UINT64_C(0x50000) /* mapped to where no memory answers */
#define BOTH	  UINT64_C(0x60000) /* W and C */
#define HOLE	  UINT64_C(0x70000)
#define HIGH	  (UINT64_C(1) << IAU_VA_BITS)
#define LEAF2	  (UINT64_C(1) << 30) /* a leaf at level 2 */
#define NO_TABLE  (UINT64_C(2) << 30) /* a table where no memory answers */
#define NO_MEM	  (UINT64_C(1) << 40)
#define AT	  (2 * IAU_CMD_BYTES) /* offset of the command under test */

struct expect {
	uint32_t code, info;
	uint64_t va;
	uint32_t offset, ctx, tag;
};

struct fixture {
	struct bench *b;
	uint64_t code, data, out;
	struct prog p;
	struct job job;
	uint32_t commands; /* so far */
};

static void fixture_open(struct fixture *f, struct bench *b)
{
	*f = (struct fixture){
		.b = b, .code = pages_new(b, 1), .data = pages_new(b, 1), .out = pages_new(b, 1)
	};
	page_map(b, 1, CODE, f->code, IAU_PTE_C);
	page_map(b, 1, DATA, f->data, IAU_PTE_C);
	page_map(b, 1, OUT, f->out, IAU_PTE_W);
	page_map(b, 1, READ_ONLY, f->data, 0);
	page_map(b, 1, NOWHERE, NO_MEM, IAU_PTE_W);
	page_map(b, 1, BOTH, f->out, IAU_PTE_W | IAU_PTE_C);
	poke64(b, pte_pa(b, 1, LEAF2, 2), IAU_PTE_V | IAU_PTE_W | IAU_PTE_L);
	poke64(b, pte_pa(b, 1, NO_TABLE, 2), NO_MEM | IAU_PTE_V);
	memset(b->mem + f->data, 0x77, PAGE);
	queue_open(b, 1, 4, 1);
	f->job = (struct job){ .ctx = 1,
			       .cmd_va = CODE,
			       .tag = 0xabcd0123,
			       .irq = true,
			       .record_pa = pages_new(b, 1),
			       .fence = 1 };
}

/* The job as far as the command under test: something done that must stay done. */
static void begin(struct fixture *f)
{
	f->p = prog_at(f->b, f->code);
	memset(f->b->mem + f->out, 0, PAGE);
	emit_load(&f->p, DATA, 0, 256);
	emit_store(&f->p, OUT, 0, 64);
}

static void run_to_fault(struct fixture *f, const struct expect *e)
{
	struct bench *b = f->b;
	uint32_t faults = counter(b, IAU_CNT_FAULTS), head = queue_read(b, 1, IAU_QREG_HEAD);

	b->irqs = 0;
	job_submit(b, 1, &f->job);
	run_idle(b);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_CODE), e->code);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_INFO), e->info);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_VA_LO), (uint32_t)e->va);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_VA_HI), (uint32_t)(e->va >> 32));
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_OFFSET), e->offset);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_TAG), e->tag);
	assert_int_equal(queue_read(b, 1, IAU_QREG_FAULT_CTX), e->ctx);
	assert_int_equal(queue_read(b, 1, IAU_QREG_STATUS), 2);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), head);
	assert_int_equal(counter(b, IAU_CNT_FAULTS), faults + 1);
	assert_int_equal(counter(b, IAU_CNT_JOBS), 0);
	assert_true(peek64(b, f->job.record_pa) == 0);
	assert_int_equal(b->irqs, 1);
	assert_int_equal(b->irq_log[0], IAU_IRQ_FAULT);
	queue_write(b, 1, IAU_QREG_CMD, 2);
	assert_int_equal(queue_read(b, 1, IAU_QREG_HEAD), head + 1);
}

/* Runs what begin() and the caller wrote. */
static void expect_fault(struct fixture *f, uint32_t code, uint32_t info, uint64_t va)
{
	struct expect e = { code, info, va, AT, f->job.ctx, f->job.tag };

	emit_store(&f->p, OUT + 64, 0, 64); /* must not happen */
	emit_end(&f->p);
	f->job.cmd_bytes = f->p.n * IAU_CMD_BYTES;
	run_to_fault(f, &e);
	f->commands += 2;
	assert_int_equal(queue_read(f->b, 1, IAU_QREG_PROGRESS), f->commands);
	assert_int_equal(counter(f->b, IAU_CNT_COMMANDS), f->commands);
	assert_memory_equal(f->b->mem + f->out, f->b->mem + f->data, 64);
	assert_int_equal(peek32(f->b, f->out + 64), 0);
}

static void test_bad_opcode(void **state)
{
	static const uint32_t mask[256][16] = IAU_COMMAND_MASKS;
	struct fixture f;

	fixture_open(&f, *state);
	for (uint32_t op = 0; op < 256; op++) {
		if (mask[op][0])
			continue;
		begin(&f);
		emit(&f.p, op);
		expect_fault(&f, IAU_FAULT_BAD_OPCODE, 0, 0);
	}
}

static void test_bad_field(void **state)
{
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, *state);
	/* a bit without a name in each word of a NOP, and every one of the first */
	for (uint32_t w = 0; w < 15; w++) {
		begin(&f);
		c = emit(&f.p, IAU_OP_NOP);
		c[w] |= UINT32_C(1) << (31 - w);
		expect_fault(&f, IAU_FAULT_BAD_FIELD, w, 0);
	}
	/* patches of word 15, and the bits above them */
	for (uint32_t i = 0; i < 4; i++) {
		begin(&f);
		c = emit(&f.p, IAU_OP_NOP);
		c[15] = i < 3 ? UINT32_C(15) << 9 * i : UINT32_C(1) << 27;
		expect_fault(&f, IAU_FAULT_BAD_FIELD, 15, 0);
	}
	begin(&f);
	emit_load(&f.p, DATA, 0, IAU_MAX_ROW_BYTES + 1);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 1, 0);
	begin(&f);
	emit_stamp(&f.p, OUT + 4);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 2, 0);
	begin(&f);
	c = emit(&f.p, IAU_OP_SALU);
	IAU_PUT(c, 9, IAU_SALU_FUNC);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 0, 0);
	begin(&f);
	emit(&f.p, IAU_OP_MATMUL); /* M, NT, KB are 0: the lowest word is told */
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 1, 0);
}

static void test_scratch_range(void **state)
{
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, *state);
	begin(&f);
	emit_load(&f.p, DATA, IAU_VSP_BYTES - 63, 64);
	expect_fault(&f, IAU_FAULT_SCRATCH_RANGE, 6, 0);
	begin(&f);
	emit_load(&f.p, DATA, IAU_TSP_BASE + IAU_TSP_BYTES, 1);
	expect_fault(&f, IAU_FAULT_SCRATCH_RANGE, 6, 0);
	begin(&f);
	emit_store(&f.p, OUT, IAU_TSP_BASE, 1); /* STORE reads the vector scratchpad only */
	expect_fault(&f, IAU_FAULT_SCRATCH_RANGE, 6, 0);
	begin(&f);
	c = emit(&f.p, IAU_OP_SLOAD);
	IAU_PUT(c, IAU_VSP_BYTES, IAU_SLOAD_ADDR);
	expect_fault(&f, IAU_FAULT_SCRATCH_RANGE, 2, 0);
	begin(&f);
	c = emit(&f.p, IAU_OP_SLOAD);
	IAU_PUT(c, 1, IAU_SLOAD_HALF);
	IAU_PUT(c, IAU_VSP_BYTES, IAU_SLOAD_ADDR);
	expect_fault(&f, IAU_FAULT_SCRATCH_RANGE, 2, 0);
	begin(&f);
	c = emit(&f.p, IAU_OP_SLOAD);
	IAU_PUT(c, 1, IAU_SLOAD_HALF);
	IAU_PUT(c, 32, IAU_SLOAD_ADDR);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 2, 0);
	begin(&f);
	c = emit(&f.p, IAU_OP_SLOAD);
	IAU_PUT(c, 1, IAU_SLOAD_HALF);
	IAU_PUT(c, 8, IAU_SLOAD_RD);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 1, 0);
}

/* LOAD, STORE and STAMP at each kind of address. */
static void test_addresses(void **state)
{
	static const struct {
		uint64_t va;
		uint32_t load, store;
	} at[] = {
		{ HOLE, IAU_FAULT_UNMAPPED, IAU_FAULT_UNMAPPED },
		{ HIGH, IAU_FAULT_UNMAPPED, IAU_FAULT_UNMAPPED },
		{ HIGH | DATA, IAU_FAULT_UNMAPPED, IAU_FAULT_UNMAPPED },
		{ UINT64_C(1) << 63 | OUT, IAU_FAULT_UNMAPPED, IAU_FAULT_UNMAPPED },
		{ DATA + 64, 0, IAU_FAULT_PERMISSION },
		{ READ_ONLY, 0, IAU_FAULT_PERMISSION },
		{ BOTH + 8, IAU_FAULT_BAD_PTE, IAU_FAULT_BAD_PTE },
		{ LEAF2, IAU_FAULT_BAD_PTE, IAU_FAULT_BAD_PTE },
		{ NO_TABLE + 24, IAU_FAULT_BUS, IAU_FAULT_BUS },
		{ NOWHERE + 32, IAU_FAULT_BUS, IAU_FAULT_BUS },
	};
	struct fixture f;

	fixture_open(&f, *state);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		if (at[i].load) {
			begin(&f);
			emit_load(&f.p, at[i].va, 512, 8);
			expect_fault(&f, at[i].load, 0, at[i].va);
		}
		begin(&f);
		emit_store(&f.p, at[i].va, 0, 8);
		expect_fault(&f, at[i].store, 0, at[i].va);
		begin(&f);
		emit_stamp(&f.p, at[i].va);
		expect_fault(&f, at[i].store, 0, at[i].va);
	}
}

/* A copy that meets a bad page has moved what comes before it, and names the page's first byte. */
static void test_copy_into_a_hole(void **state)
{
	struct fixture f;
	uint64_t last = OUT + PAGE - 16;

	fixture_open(&f, *state);
	begin(&f);
	emit_store(&f.p, last, 0, 64);
	expect_fault(&f, IAU_FAULT_UNMAPPED, 0, OUT + PAGE);
	assert_memory_equal(f.b->mem + f.out + PAGE - 16, f.b->mem + f.data, 16);
	/* memory that does not answer: the copy goes on, and names its own address */
	page_map(f.b, 1, OUT + PAGE, NO_MEM, IAU_PTE_W);
	page_map(f.b, 1, OUT + 2 * PAGE, pages_new(f.b, 1), IAU_PTE_W);
	begin(&f);
	emit_store(&f.p, last, 0, PAGE + 48);
	expect_fault(&f, IAU_FAULT_BUS, 0, last);
	assert_memory_equal(f.b->mem + f.out + PAGE - 16, f.b->mem + f.data, 16);
}

static void test_commands(void **state)
{
	static const struct {
		uint64_t va;
		uint32_t code;
	} at[] = {
		{ OUT, IAU_FAULT_NOT_CONST }, { READ_ONLY, IAU_FAULT_NOT_CONST },
		{ HOLE, IAU_FAULT_UNMAPPED }, { HIGH, IAU_FAULT_UNMAPPED },
		{ BOTH, IAU_FAULT_BAD_PTE },  { LEAF2, IAU_FAULT_BAD_PTE },
		{ NO_TABLE, IAU_FAULT_BUS },
	};
	struct bench *b = *state;
	struct fixture f;

	fixture_open(&f, b);
	f.job.cmd_bytes = 64;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct expect e = { at[i].code, 0, at[i].va, 0, 1, f.job.tag };

		f.job.cmd_va = at[i].va;
		run_to_fault(&f, &e);
	}
	page_map(b, 1, NOWHERE, NO_MEM, IAU_PTE_C);
	f.job.cmd_va = NOWHERE + 64;
	run_to_fault(&f, &(struct expect){ IAU_FAULT_BUS, 0, NOWHERE + 64, 0, 1, f.job.tag });
	assert_int_equal(counter(b, IAU_CNT_COMMANDS), 0);
	/* the second page of a program */
	f.job.cmd_va = CODE;
	f.p = prog_at(b, f.code);
	emit_nops(&f.p, PAGE / 64);
	f.job.cmd_bytes = PAGE + 64;
	run_to_fault(&f,
		     &(struct expect){ IAU_FAULT_UNMAPPED, 0, CODE + PAGE, PAGE, 1, f.job.tag });
	assert_int_equal(counter(b, IAU_CNT_COMMANDS), PAGE / 64);
}

/* The program counter leaves the buffer at its end, by branches forward and backward, at once. */
static void test_command_range(void **state)
{
	struct bench *b = *state;
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, b);
	f.p = prog_at(b, f.code);
	emit_nops(&f.p, 3);
	f.job.cmd_bytes = 3 * 64;
	run_to_fault(&f, &(struct expect){ IAU_FAULT_CMD_RANGE, 0, 0, 192, 1, f.job.tag });
	f.job.cmd_bytes = 0;
	run_to_fault(&f, &(struct expect){ IAU_FAULT_CMD_RANGE, 0, 0, 0, 1, f.job.tag });
	f.job.cmd_bytes = 3 * 64;
	for (int32_t offset = -5; offset <= 100; offset += 105) {
		f.p.n = 1;
		c = emit(&f.p, IAU_OP_BRANCH);
		IAU_PUT(c, (uint32_t)offset, IAU_BRANCH_OFFSET);
		run_to_fault(&f, &(struct expect){ IAU_FAULT_CMD_RANGE, 0, 0,
						   (uint32_t)(2 + offset) * 64, 1, f.job.tag });
	}
}

static void test_bad_job(void **state)
{
	struct bench *b = *state;
	struct fixture f;
	struct job good;
	struct expect e = { .code = IAU_FAULT_BAD_JOB, .ctx = 1, .tag = 0xabcd0123 };

	fixture_open(&f, b);
	f.job.cmd_bytes = 64;
	good = f.job;
	for (uint32_t bit = 0; bit < 6; bit++) {
		f.job.cmd_bytes = 64 | 1u << bit;
		e.info = 1;
		run_to_fault(&f, &e);
		f.job = good;
		f.job.cmd_va |= 1u << bit;
		e.info = 2;
		run_to_fault(&f, &e);
		f.job = good;
	}
	for (uint32_t bit = 0; bit < 7; bit++) {
		f.job.param_va = DATA | 1u << bit;
		e.info = 4;
		run_to_fault(&f, &e);
		f.job = good;
	}
	for (uint32_t bit = 0; bit < 5; bit++) {
		f.job.record_pa |= 1u << bit;
		e.info = 6;
		run_to_fault(&f, &e);
		f.job = good;
	}
	/* several: the lowest word is told; a context without a root is word 0 */
	f.job.param_va = DATA | 8;
	f.job.cmd_va |= 8;
	e.info = 2;
	run_to_fault(&f, &e);
	f.job.ctx = 9;
	e.ctx = 9;
	e.info = 0;
	run_to_fault(&f, &e);
}

static void test_parameters(void **state)
{
	static const struct {
		uint64_t va;
		uint32_t code;
	} at[] = {
		{ HOLE, IAU_FAULT_UNMAPPED }, { HIGH, IAU_FAULT_UNMAPPED },
		{ BOTH, IAU_FAULT_BAD_PTE },  { LEAF2, IAU_FAULT_BAD_PTE },
		{ NO_TABLE, IAU_FAULT_BUS },  { NOWHERE + 128, IAU_FAULT_BUS },
	};
	struct fixture f;

	fixture_open(&f, *state);
	f.job.cmd_bytes = 64;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct expect e = { at[i].code, 0, at[i].va, 0, 1, f.job.tag };

		f.job.param_va = at[i].va;
		run_to_fault(&f, &e);
	}
}

/* A ring where no memory answers: nothing of the descriptor is known. */
static void test_descriptor_without_memory(void **state)
{
	struct bench *b = *state;
	struct fixture f;

	fixture_open(&f, b);
	f.job.cmd_bytes = 64;
	queue_write(b, 1, IAU_QREG_BASE_HI, (uint32_t)(NO_MEM >> 32));
	run_to_fault(&f, &(struct expect){ .code = IAU_FAULT_BUS, .va = NO_MEM | b->ring[1] });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_bad_opcode),	ON_BOTH(test_bad_field),
		ON_BOTH(test_scratch_range),	ON_BOTH(test_addresses),
		ON_BOTH(test_copy_into_a_hole), ON_BOTH(test_commands),
		ON_BOTH(test_command_range),	ON_BOTH(test_bad_job),
		ON_BOTH(test_parameters),	ON_BOTH(test_descriptor_without_memory),
	};

	return run_group("faults", tests);
}
