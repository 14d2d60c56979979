/* SPDX-License-Identifier: MIT */
/* LOADs of rows that a list names, rows of 4-bit elements, and TOPK by a table. */
#include "bench.h"

#define CODE UINT64_C(0x10000)
#define DATA UINT64_C(0x20000) /* DATA_PAGES, then nothing */
#define OUT  UINT64_C(0x40000)
#define DATA_PAGES 4u

/* Of the vector scratchpad */
#define LIST 0x1000u
#define ROWS_AT 0x2000u

struct fixture {
	struct bench *b;
	uint64_t code, data, out;
	struct prog p;
};

static void fixture_open(struct fixture *f, struct bench *b)
{
	*f = (struct fixture){ .b = b, .code = pages_new(b, 1), .data = pages_new(b, DATA_PAGES),
			       .out = pages_new(b, 1) };
	page_map(b, 1, CODE, f->code, IAU_PTE_C);
	for (uint32_t i = 0; i < DATA_PAGES; i++)
		page_map(b, 1, DATA + i * PAGE, f->data + i * PAGE, IAU_PTE_C);
	page_map(b, 1, OUT, f->out, IAU_PTE_W);
	for (uint32_t i = 0; i < DATA_PAGES * PAGE; i++)
		b->mem[f->data + i] = (uint8_t)(i * 37 + i / 256);
	queue_open(b, 0, 2, 1);
	f->p = prog_at(b, f->code);
}

static void run(struct fixture *f)
{
	emit_end(&f->p);
	job_submit(f->b, 0, &(struct job){ .ctx = 1, .cmd_va = CODE, .cmd_bytes = f->p.n * IAU_CMD_BYTES });
	run_idle(f->b);
}

static void run_well(struct fixture *f)
{
	run(f);
	assert_int_equal(queue_read(f->b, 0, IAU_QREG_FAULT_CODE), 0);
}

/* Words at the end of the data, from where the program takes them to AT */
static void emit_words(struct fixture *f, uint32_t at, const uint32_t *word, uint32_t n)
{
	static const uint64_t from = DATA_PAGES * PAGE - 512;

	memcpy(f->b->mem + f->data + from, word, 4 * n);
	emit_load(&f->p, DATA + from, at, 4 * n);
}

static uint32_t *emit_list_load(struct fixture *f, uint32_t addr, uint32_t bytes, uint32_t rows)
{
	uint32_t *c = emit(&f->p, IAU_OP_LOAD);

	IAU_PUT(c, 1, IAU_LOAD_BY_LIST);
	IAU_PUT(c, bytes, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c, DATA, IAU_LOAD_VA);
	IAU_PUT(c, rows, IAU_LOAD_ROWS);
	IAU_PUT(c, addr, IAU_LOAD_ADDR);
	IAU_PUT(c, bytes, IAU_LOAD_STRIDE);
	IAU_PUT(c, LIST, IAU_LOAD_LIST_ADDR);
	return c;
}

/* Rows in any order, across pages, with bits that say nothing, and those that lie DELTA further */
static void test_rows(void **state)
{
	static const uint32_t list[] = { 0x1fc0, 64, 0x2000 | 0x3e, 64, 0x1001, 0, 0x3081, 0x0fc0,
					 0x800, 0x840, 0x880, 0x8c0, 0x1800 };
	static const uint32_t n = sizeof(list) / sizeof(*list), bytes = 200;
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, *state);
	emit_words(&f, LIST, list, n);
	c = emit_list_load(&f, ROWS_AT + 3, bytes, n);
	IAU_PUT(c, DATA + 5, IAU_LOAD_VA);
	IAU_PUT(c, (uint32_t)-0x401, IAU_LOAD_DELTA);
	emit_store(&f.p, OUT, ROWS_AT + 3, bytes * n);
	run_well(&f);
	for (uint32_t r = 0; r < n; r++) {
		uint32_t at = 5 + (list[r] & ~63u) - (list[r] & 1 ? 0x401 : 0);

		assert_memory_equal(f.b->mem + f.out + r * bytes, f.b->mem + f.data + at, bytes);
	}
	assert_int_equal(counter(f.b, IAU_CNT_LOAD_BYTES), bytes * n + 4 * n);
}

/* A list that was just copied, and another in its place right behind the LOAD */
static void test_hazards(void **state)
{
	static const uint32_t list[2][8] = { { 0, 0x40, 0x80, 0xc0, 0x100, 0x140, 0x180, 0x1c0 },
					     { 0x200, 0x240, 0x280, 0x2c0, 0x300, 0x340, 0x380, 0x3c0 } };
	struct fixture f;

	fixture_open(&f, *state);
	emit_words(&f, 0x8000, list[0], 16);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t *c = emit(&f.p, IAU_OP_COPY);

		IAU_PUT(c, 32, IAU_COPY_ROW_BYTES);
		IAU_PUT(c, 0x8000 + i * 32, IAU_COPY_SRC);
		IAU_PUT(c, 1, IAU_COPY_ROWS);
		IAU_PUT(c, LIST, IAU_COPY_ADDR);
		emit_list_load(&f, ROWS_AT + i * 512, 64, 8);
	}
	emit_store(&f.p, OUT, ROWS_AT, 1024);
	run_well(&f);
	assert_memory_equal(f.b->mem + f.out, f.b->mem + f.data, 1024);
}

static int unpacked(const uint8_t *packed, uint32_t i)
{
	uint8_t byte = packed[i / 128 * 64 + i % 64];

	return i & 64 ? (int8_t)(byte & 0xf0) + 8 : ((byte & 15) - 8) * 16 + 8;
}

/* The tile at the start of the tile scratchpad to OUT, [lane][row]: its product with the identity */
static void emit_tile_out(struct fixture *f)
{
	uint32_t *c;

	for (uint32_t i = 0; i < 32; i++)
		for (uint32_t k = 0; k < 32; k++)
			f->b->mem[f->data + 2 * PAGE + i * 32 + k] = i == k;
	for (uint32_t i = 0; i < 32; i++)
		memcpy(f->b->mem + f->data + 2 * PAGE + 1024 + 4 * i, &(float){ 1 }, 4);
	emit_load(&f->p, DATA + 2 * PAGE, 0x10000, 1024 + 128);
	c = emit(&f->p, IAU_OP_MATMUL);
	IAU_PUT(c, 1, IAU_MATMUL_UNIT);
	IAU_PUT(c, 32, IAU_MATMUL_M);
	IAU_PUT(c, 32, IAU_MATMUL_PITCH);
	IAU_PUT(c, 1, IAU_MATMUL_NT);
	IAU_PUT(c, 1, IAU_MATMUL_KB);
	IAU_PUT(c, 0x10000, IAU_MATMUL_A_ADDR);
	IAU_PUT(c, 0x10400, IAU_MATMUL_AS_ADDR);
	IAU_PUT(c, IAU_TSP_BASE, IAU_MATMUL_W_ADDR);
	IAU_PUT(c, 0x20000, IAU_MATMUL_D_ADDR);
	IAU_PUT(c, 128, IAU_MATMUL_D_STRIDE);
	emit_store(&f->p, OUT, 0x20000, 4096);
}

static float tile_element(const struct fixture *f, uint32_t row, uint32_t lane)
{
	float x;

	memcpy(&x, f->b->mem + f->out + lane * 128 + row * 4, 4);
	return x;
}

/* Two rows of half a tile, one of them packed; the tile has all values in all places over the runs. */
static void test_unpack(void **state)
{
	struct fixture f;

	fixture_open(&f, *state);
	for (uint32_t run = 0; run < 4; run++) {
		const uint8_t *row[2] = { f.b->mem + f.data + 64 * run, f.b->mem + f.data + 0x800 };
		uint32_t packed = run & 1, before = counter(f.b, IAU_CNT_LOAD_BYTES), *c;
		const uint32_t list[2] = { 64 * run + !packed, 0x800 + packed };

		f.p = prog_at(f.b, f.code);
		emit_words(&f, LIST, list, 2);
		c = emit_list_load(&f, IAU_TSP_BASE, 512, 2);
		IAU_PUT(c, 1, IAU_LOAD_UNPACK);
		emit_tile_out(&f);
		run_well(&f);
		for (uint32_t i = 0; i < 1024; i++) {
			const uint8_t *from = row[i / 512];
			int want = i / 512 == packed ? unpacked(from, i % 512) : (int8_t)from[i % 512];

			assert_true(tile_element(&f, i / 32, i % 32) == (float)want);
		}
		assert_int_equal(counter(f.b, IAU_CNT_LOAD_BYTES) - before, 8 + 768 + 1152);
	}
}

/* Without a list every row is packed. */
static void test_unpack_all(void **state)
{
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, *state);
	c = emit(&f.p, IAU_OP_LOAD);
	IAU_PUT(c, 1, IAU_LOAD_UNPACK);
	IAU_PUT(c, 128, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c, DATA, IAU_LOAD_VA);
	IAU_PUT(c, 8, IAU_LOAD_ROWS);
	IAU_PUT(c, 192, IAU_LOAD_MEM_STRIDE);
	IAU_PUT(c, IAU_TSP_BASE, IAU_LOAD_ADDR);
	IAU_PUT(c, 128, IAU_LOAD_STRIDE);
	emit_tile_out(&f);
	run_well(&f);
	for (uint32_t i = 0; i < 1024; i++) {
		int want = unpacked(f.b->mem + f.data + i / 128 * 192, i % 128);

		assert_true(tile_element(&f, i / 32, i % 32) == (float)want);
	}
}

static void expect_fault(struct fixture *f, uint32_t code, uint32_t info, uint64_t va)
{
	run(f);
	assert_int_equal(queue_read(f->b, 0, IAU_QREG_FAULT_CODE), code);
	assert_int_equal(queue_read(f->b, 0, IAU_QREG_FAULT_INFO), info);
	assert_int_equal(queue_read(f->b, 0, IAU_QREG_FAULT_VA_LO), (uint32_t)va);
	assert_int_equal(queue_read(f->b, 0, IAU_QREG_FAULT_VA_HI), (uint32_t)(va >> 32));
	queue_write(f->b, 0, IAU_QREG_CMD, 2);
	f->p = prog_at(f->b, f->code);
}

/* A row in a hole, between others and between commands; the rows behind it are of no account. */
static void test_row_in_a_hole(void **state)
{
	static const uint32_t list[] = { 0, 64, DATA_PAGES * PAGE - 64, 128, 0x40000001 };
	struct fixture f;

	fixture_open(&f, *state);
	for (uint32_t first = 0; first < 2; first++) {
		uint32_t *c;

		emit_words(&f, LIST, list, 5);
		c = emit_list_load(&f, ROWS_AT, 128, 5 - first);
		IAU_PUT(c, 4 * first, IAU_LOAD_LIST_ADDR);
		for (uint32_t i = 0; i < 3; i++)
			emit_list_load(&f, ROWS_AT + 0x1000 * (i + 1), 64, 2);
		expect_fault(&f, IAU_FAULT_UNMAPPED, 0, DATA + DATA_PAGES * PAGE);
	}
	/* the last row's address has more bits than there are */
	emit_words(&f, LIST, list, 5);
	IAU_PUT(emit_list_load(&f, ROWS_AT, 8, 5), (uint32_t)-0x40020041, IAU_LOAD_DELTA);
	expect_fault(&f, IAU_FAULT_UNMAPPED, 0, -UINT64_C(0x41));
	/* and the device is as before */
	emit_words(&f, LIST, list, 2);
	emit_list_load(&f, ROWS_AT, 64, 2);
	emit_store(&f.p, OUT, ROWS_AT, 128);
	run_well(&f);
	assert_memory_equal(f.b->mem + f.out, f.b->mem + f.data, 128);
}

/* LOADs of no rows come while one is given up, at any moment; a list is read by the next job. */
static void test_behind_a_fault(void **state)
{
	static const uint64_t hole = DATA + DATA_PAGES * PAGE;
	static const uint32_t list[] = { 0x800, 0x40 };
	struct fixture f;

	fixture_open(&f, *state);
	for (uint32_t wait = 0; wait < 240; wait++) {
		f.p = prog_at(f.b, f.code);
		emit_load(&f.p, hole, ROWS_AT, 64);
		emit_delay(&f.p, 1, 1 + wait / 4);
		emit_nops(&f.p, wait % 4);
		for (uint32_t i = 0; i < 6; i++)
			IAU_PUT(emit(&f.p, IAU_OP_LOAD), 1, IAU_LOAD_ROW_BYTES);
		expect_fault(&f, IAU_FAULT_UNMAPPED, 0, hole);
		f.p = prog_at(f.b, f.code);
		emit_words(&f, LIST, list, 2);
		emit_list_load(&f, ROWS_AT, 64, 2);
		emit_store(&f.p, OUT, ROWS_AT, 128);
		run_well(&f);
		assert_memory_equal(f.b->mem + f.out, f.b->mem + f.data + 0x800, 64);
		assert_memory_equal(f.b->mem + f.out + 64, f.b->mem + f.data + 0x40, 64);
	}
}

static void test_bad_fields(void **state)
{
	/* WORD is made VALUE; the fault names INFO */
	static const struct {
		uint32_t word, value, code, info;
	} bad[] = {
		{ 1, 192, IAU_FAULT_BAD_FIELD, 1 },
		{ 2, (uint32_t)DATA + 32, IAU_FAULT_BAD_FIELD, 2 },
		{ 5, 64, IAU_FAULT_BAD_FIELD, 5 },
		{ 6, IAU_TSP_BASE + 32, IAU_FAULT_BAD_FIELD, 6 },
		{ 6, ROWS_AT, IAU_FAULT_BAD_FIELD, 6 },
		{ 7, 160, IAU_FAULT_BAD_FIELD, 7 },
		{ 8, LIST + 2, IAU_FAULT_BAD_FIELD, 8 },
		{ 8, IAU_VSP_BYTES - 4, IAU_FAULT_SCRATCH_RANGE, 8 },
		{ 9, 32, IAU_FAULT_BAD_FIELD, 9 },
	};
	struct fixture f;

	fixture_open(&f, *state);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint32_t *c = emit_list_load(&f, IAU_TSP_BASE, 128, 2);

		IAU_PUT(c, 1, IAU_LOAD_UNPACK);
		c[bad[i].word] = bad[i].value;
		expect_fault(&f, bad[i].code, bad[i].info, 0);
	}
	/* a list in its own rows */
	emit_list_load(&f, LIST - 128, 128, 2);
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 8, 0);
}

static void test_table(void **state)
{
	static const float value[] = { 0, 3, 1, 4, 2 };
	static const uint32_t table[] = { 0xdead0000, 0xdead0001, 0xdead0002, 0xdead0003, 0xdead0004 };
	struct fixture f;
	uint32_t *c;

	fixture_open(&f, *state);
	for (uint32_t i = 0; i < 5; i++)
		memcpy(f.b->mem + f.data + 4 * i, &value[i], 4);
	emit_load(&f.p, DATA, 0, 20);
	emit_words(&f, LIST - 4, table, 5);
	c = emit(&f.p, IAU_OP_TOPK);
	IAU_PUT(c, 1, IAU_TOPK_BY_TABLE);
	IAU_PUT(c, 5, IAU_TOPK_N);
	IAU_PUT(c, 3, IAU_TOPK_COUNT);
	IAU_PUT(c, ROWS_AT, IAU_TOPK_D_ADDR);
	IAU_PUT(c, LIST - 4, IAU_TOPK_T_ADDR);
	emit_store(&f.p, OUT, ROWS_AT, 16);
	run_well(&f);
	assert_int_equal(peek32(f.b, f.out), table[1]);
	assert_int_equal(peek32(f.b, f.out + 4), table[3]);
	assert_int_equal(peek32(f.b, f.out + 8), table[4]);
	assert_int_equal(peek32(f.b, f.out + 12), 0);
	f.p = prog_at(f.b, f.code);
	c = emit(&f.p, IAU_OP_TOPK);
	IAU_PUT(c, 1, IAU_TOPK_BY_TABLE);
	c[1] = 3 << 16 | 5;
	c[4] = 0x1000;
	c[8] = 0x1008;
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 4, 0);
	c = emit(&f.p, IAU_OP_TOPK);
	IAU_PUT(c, 1, IAU_TOPK_BY_TABLE);
	c[1] = 3 << 16 | 5;
	c[4] = 0x1000;
	c[8] = 0x2002;
	expect_fault(&f, IAU_FAULT_BAD_FIELD, 8, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_rows),
		ON_BOTH(test_hazards),
		ON_BOTH(test_unpack),
		ON_BOTH(test_unpack_all),
		ON_BOTH(test_row_in_a_hole),
		ON_BOTH(test_behind_a_fault),
		ON_BOTH(test_bad_fields),
		ON_BOTH(test_table),
	};

	return run_group("lists", tests);
}
