/* SPDX-License-Identifier: MIT */
/*
 * Random command buffers, good and bad, on both engines: memory, fault records and counters that
 * do not depend on time must be the same. usage: random [SEED [COUNT [FIRST]]]; rtl runs from job
 * FIRST (even) on, which finds a failure again in a moment.
 */
#include "iau_dev.h"
#include "iau_hw.h"
#include "ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEM_BYTES (2u << 20)
#define CTX 3
#define VA_BASE UINT64_C(0x40000000)
/* Physical pages: fixed ones, then the pages that the job sees. */
enum { P_RING = 1, P_RECORD, P_L2, P_L1, P_L0, P_FIRST = 16 };
#define CMD_PAGES 2u
#define VA_PAGES 64u /* commands, parameters, constant, writable, holes */
#define P_LISTS (P_FIRST + 20)
/* Of the vector scratchpad: 8 KiB of lists */
#define LISTS_AT 0x3a000u

struct side {
	const struct iau_dev_ops *ops;
	struct iau_dev *dev;
	uint8_t *mem;
	uint32_t irqs, tail;
	uint32_t before[32]; /* free-running counts before the job */
};

static uint64_t rng_state;

/* splitmix64 (Steele et al. 2014) */
static uint64_t rnd64(void)
{
	uint64_t z = rng_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t rnd(uint32_t n)
{
	return (uint32_t)(rnd64() % n);
}

static uint8_t *map(void *opaque, uint64_t pa, size_t len, bool write)
{
	struct side *s = opaque;

	(void)write;
	return pa < MEM_BYTES && len <= MEM_BYTES - pa ? s->mem + pa : NULL;
}

static void irq(void *opaque, unsigned int vector)
{
	((struct side *)opaque)->irqs += 1u << 4 * vector;
}

static void put64(uint8_t *mem, uint64_t pa, uint64_t v)
{
	memcpy(mem + pa, &v, 8);
}

/* Pages 0, 1 commands, 2 parameters, then constant ones (two with lists), writable, holes, bad entries */
static void page_tables(uint8_t *mem)
{
	put64(mem, P_L2 * 4096 + (VA_BASE >> 30 & 511) * 8, P_L1 * 4096 | IAU_PTE_V);
	put64(mem, P_L1 * 4096, P_L0 * 4096 | IAU_PTE_V);
	for (uint32_t i = 0; i < VA_PAGES; i++) {
		uint64_t pte = (uint64_t)(P_FIRST + i) * 4096 | IAU_PTE_V;

		if (i < CMD_PAGES)
			pte |= IAU_PTE_C;
		else if (i == 40)
			pte = 0;
		else if (i == 41)
			pte |= IAU_PTE_C | IAU_PTE_W;
		else if (i == 42)
			pte = UINT64_C(1) << 40 | IAU_PTE_V | IAU_PTE_W;
		else if (i >= 24)
			pte |= IAU_PTE_W;
		else if (i >= 8)
			pte |= IAU_PTE_C;
		put64(mem, P_L0 * 4096 + i * 8, pte);
	}
}

/* Offsets that mostly end in memory, from constant pages on; few of them go where there is none */
static void make_lists(uint8_t *mem)
{
	for (uint32_t i = 0; i < 2 * 4096; i += 4) {
		uint32_t entry = rnd(2000) ? rnd(20 * 4096) : (uint32_t)rnd64();

		memcpy(mem + P_LISTS * 4096 + i, &entry, 4);
	}
}

static uint32_t vsp_addr(uint32_t align, uint32_t room)
{
	return rnd((0x8000 - room) / align) * align;
}

static uint64_t memory_va(bool store)
{
	uint32_t page = rnd(40) ? (store ? 24 + rnd(15) : 8 + rnd(31)) : rnd(VA_PAGES + 2);

	return VA_BASE + page * 4096 + rnd(4096);
}

static void make_copy(uint32_t *c, bool store)
{
	uint32_t bytes = rnd(3) ? 1 + rnd(200) : 64 * (1 + rnd(64)), rows = rnd(6);
	uint32_t stride = bytes + rnd(100);
	bool tsp = !store && rnd(2);

	c[0] = store ? IAU_OP_STORE : IAU_OP_LOAD;
	IAU_PUT(c, bytes, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c, memory_va(store) & (rnd(2) ? ~UINT64_C(63) : ~UINT64_C(0)), IAU_LOAD_VA);
	IAU_PUT(c, rows, IAU_LOAD_ROWS);
	IAU_PUT(c, rnd(6000), IAU_LOAD_MEM_STRIDE);
	IAU_PUT(c, (tsp ? IAU_TSP_BASE : 0) + vsp_addr(rnd(2) ? 64 : 1, 100), IAU_LOAD_ADDR);
	IAU_PUT(c, stride, IAU_LOAD_STRIDE);
}

/*
 * Rows where a list says, from all over the memory; some expanded. The list is one of those that a job
 * begins with, or what another command made of it.
 */
static void make_list_load(uint32_t *c)
{
	uint32_t bytes = rnd(3) ? 1 + rnd(200) : 64 * (1 + rnd(64)), unpack = rnd(2), align = rnd(2) ? 64 : 1;
	bool tsp = unpack ? rnd(40) != 0 : rnd(2);

	if (unpack && rnd(40)) {
		bytes = 128 * (1 + rnd(12));
		align = 64;
	}
	c[0] = IAU_OP_LOAD;
	IAU_PUT(c, rnd(8) != 0, IAU_LOAD_BY_LIST);
	IAU_PUT(c, unpack, IAU_LOAD_UNPACK);
	IAU_PUT(c, bytes, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c, VA_BASE + (8 + rnd(4)) * 4096 + rnd(64) * (align & 1), IAU_LOAD_VA);
	IAU_PUT(c, rnd(20) ? rnd(12) : rnd(100), IAU_LOAD_ROWS);
	IAU_PUT(c, IAU_GET(c, IAU_LOAD_BY_LIST) ? rnd(100) == 0 : align * rnd(50), IAU_LOAD_MEM_STRIDE);
	IAU_PUT(c, (tsp ? IAU_TSP_BASE : 0) + vsp_addr(align, 100), IAU_LOAD_ADDR);
	IAU_PUT(c, bytes + align * rnd(4), IAU_LOAD_STRIDE);
	IAU_PUT(c, LISTS_AT + 4 * rnd(rnd(3) ? 1024 : 2000) + (rnd(100) == 0), IAU_LOAD_LIST_ADDR);
	IAU_PUT(c, (uint32_t)(align * (rnd(300) - 100)), IAU_LOAD_DELTA);
}

/* A copy, or a load, within or into the lists. INT8 rounded to INT8 are a copy, too. */
static void make_list_change(uint32_t *c)
{
	uint32_t kind = rnd(3), blocks = 1 + rnd(rnd(4) ? 4 : 50), from = 1000 + rnd(600);

	if (kind == 2) {
		c[0] = IAU_OP_VEC;
		IAU_PUT(c, 1, IAU_VEC_A_FMT);
		IAU_PUT(c, 4, IAU_VEC_OUT);
		IAU_PUT(c, 1, IAU_VEC_ROWS);
		IAU_PUT(c, 32 * blocks, IAU_VEC_COLS);
		IAU_PUT(c, LISTS_AT + 4 * (from & ~7u), IAU_VEC_A_ADDR);
		IAU_PUT(c, LISTS_AT + 32 * rnd(120), IAU_VEC_D_ADDR);
		/* or a patch could make of it thousands of long rows in one place */
		IAU_PUT(c, 32 * blocks, IAU_VEC_D_STRIDE);
		IAU_PUT(c, 32, IAU_VEC_D_BSTRIDE);
		return;
	}
	c[0] = kind ? IAU_OP_LOAD : IAU_OP_COPY;
	c[1] = 32 * blocks - 4 * rnd(8);
	c[4] = 1;
	c[6] = LISTS_AT + 4 * rnd(1000);
	if (kind)
		IAU_PUT(c, VA_BASE + 20 * 4096 + 4 * from, IAU_LOAD_VA);
	else
		IAU_PUT(c, LISTS_AT + 4 * from, IAU_COPY_SRC);
}

static void make_move(uint32_t *c)
{
	uint32_t bytes = 1 + rnd(200), rows = rnd(6);
	uint32_t base = rnd(3) ? IAU_TSP_BASE : 0x8000 * (rnd(8) != 0);

	c[0] = IAU_OP_COPY;
	IAU_PUT(c, bytes, IAU_COPY_ROW_BYTES);
	IAU_PUT(c, vsp_addr(rnd(2) ? 32 : 1, 8192), IAU_COPY_SRC);
	IAU_PUT(c, rows, IAU_COPY_ROWS);
	IAU_PUT(c, rnd(1000), IAU_COPY_SRC_STRIDE);
	IAU_PUT(c, base + vsp_addr(rnd(2) ? 32 : 1, 8192), IAU_COPY_ADDR);
	IAU_PUT(c, bytes + rnd(1000), IAU_COPY_STRIDE);
}

/* Values that a short mask makes equal often, also as integers that are no numbers */
static void make_topk(uint32_t *c)
{
	uint32_t n = rnd(5) ? rnd(100) : rnd(1200);
	bool list = rnd(3) == 0;

	c[0] = IAU_OP_TOPK;
	IAU_PUT(c, rnd(2), IAU_TOPK_BY_TABLE);
	IAU_PUT(c, rnd(100) ? LISTS_AT + 4 * rnd(1500) : vsp_addr(1, 4096), IAU_TOPK_T_ADDR);
	IAU_PUT(c, n, IAU_TOPK_N);
	IAU_PUT(c, rnd(n + n / 4 + 2), IAU_TOPK_COUNT);
	IAU_PUT(c, rnd(2) * rnd(6), IAU_TOPK_FIRST);
	IAU_PUT(c, rnd(2) * rnd(n + 6), IAU_TOPK_LAST);
	IAU_PUT(c, vsp_addr(128, 4096), IAU_TOPK_A_ADDR);
	IAU_PUT(c, list ? LISTS_AT + 4 * rnd(1000) : vsp_addr(4, 4096) + 0x8000 * rnd(3), IAU_TOPK_D_ADDR);
	IAU_PUT(c, rnd(16), IAU_TOPK_SHIFT);
	IAU_PUT(c, rnd64(), IAU_TOPK_LO);
	IAU_PUT(c, rnd64(), IAU_TOPK_HI);
}

static void make_matmul(uint32_t *c)
{
	uint32_t m = rnd(3) ? 1 + rnd(4) : 1 + rnd(32), nt = 1 + rnd(4), kb = 1 + rnd(4);
	bool in_place = rnd(2);
	uint32_t stride = 128 * (nt + rnd(2)), d = 0x8000 + vsp_addr(128, 128);

	c[0] = IAU_OP_MATMUL;
	IAU_PUT(c, rnd(4), IAU_MATMUL_FORMAT);
	IAU_PUT(c, rnd(4) == 0, IAU_MATMUL_UNIT);
	IAU_PUT(c, rnd(2), IAU_MATMUL_CIN);
	IAU_PUT(c, m, IAU_MATMUL_M);
	IAU_PUT(c, m + (rnd(3) ? 0 : rnd(8)), IAU_MATMUL_PITCH);
	IAU_PUT(c, nt, IAU_MATMUL_NT);
	IAU_PUT(c, kb, IAU_MATMUL_KB);
	IAU_PUT(c, vsp_addr(32, 4096), IAU_MATMUL_A_ADDR);
	IAU_PUT(c, vsp_addr(4, 1024), IAU_MATMUL_AS_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + vsp_addr(64, 0), IAU_MATMUL_W_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + vsp_addr(64, 0), IAU_MATMUL_WL_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + vsp_addr(64, 0), IAU_MATMUL_WS_ADDR);
	IAU_PUT(c, rnd(40), IAU_MATMUL_W_NSTRIDE);
	IAU_PUT(c, rnd(40), IAU_MATMUL_W_KSTRIDE);
	IAU_PUT(c, rnd(20), IAU_MATMUL_WS_NSTRIDE);
	IAU_PUT(c, rnd(20), IAU_MATMUL_WS_KSTRIDE);
	IAU_PUT(c, in_place ? d : vsp_addr(128, 0), IAU_MATMUL_C_ADDR);
	IAU_PUT(c, d, IAU_MATMUL_D_ADDR);
	IAU_PUT(c, in_place ? stride : 128 * rnd(4), IAU_MATMUL_C_STRIDE);
	IAU_PUT(c, stride, IAU_MATMUL_D_STRIDE);
}

/* A MATMUL upon a MATMUL: its Cin, or what it streams, is where OLDER's results go, or beside it. */
static void follow_matmul(uint32_t *c, const uint32_t *older)
{
	uint32_t column = rnd(2) ? 0 : IAU_GET(older, IAU_MATMUL_NT) - 1;
	uint32_t at = IAU_GET(older, IAU_MATMUL_D_ADDR) + 128 * (column + rnd(2));

	memset(c, 0, 64);
	make_matmul(c);
	if (rnd(4) == 0) {
		c[4] = at;
		return;
	}
	IAU_PUT(c, 1, IAU_MATMUL_CIN);
	c[11] = at;
	c[12] = rnd(2) ? at : 0x10000 + vsp_addr(128, 0);
	c[13] = c[14] = older[14];
}

static uint32_t random_float(void)
{
	static const float some[] = { 0, 1, -1, 0.125f, -1.442695f, 1e-6f, 127, 1e30f, -1e30f };
	float f = some[rnd(9)];
	uint32_t u;

	memcpy(&u, &f, 4);
	return rnd(4) ? u : (uint32_t)rnd64();
}

static void make_vec(uint32_t *c)
{
	uint32_t a_fmt = rnd(5) == 0, out = rnd(5), b_fmt = rnd(5) == 0, red = rnd(2) ? rnd(4) : 0;
	uint32_t rows = 1 + rnd(6), cols = rnd(3) ? 32 * (1 + rnd(8)) : 1 + rnd(300);
	uint32_t stride = 128 * ((cols + 31) / 32), a = vsp_addr(a_fmt ? 32 : 128, 0);
	bool same = out == 1 && rnd(3) == 0, mask = rnd(4) == 0;

	c[0] = IAU_OP_VEC;
	IAU_PUT(c, a_fmt, IAU_VEC_A_FMT);
	IAU_PUT(c, rnd(3) ? 0 : rnd(4), IAU_VEC_PERM);
	IAU_PUT(c, b_fmt, IAU_VEC_B_FMT);
	IAU_PUT(c, rnd(3) ? 0 : rnd(8), IAU_VEC_B_WRAP);
	IAU_PUT(c, rnd(5), IAU_VEC_M1);
	IAU_PUT(c, mask ? 2 * rnd(2) : rnd(4), IAU_VEC_A1);
	IAU_PUT(c, rnd(2), IAU_VEC_A1_NEG);
	IAU_PUT(c, rnd(4) == 0, IAU_VEC_A1_MAX);
	IAU_PUT(c, mask, IAU_VEC_MASK);
	IAU_PUT(c, rnd(2), IAU_VEC_MASK_STEP);
	IAU_PUT(c, rnd(4), IAU_VEC_SFU);
	IAU_PUT(c, rnd(4), IAU_VEC_M2);
	IAU_PUT(c, red == 3 && out > 1 ? 1 : red, IAU_VEC_RED);
	IAU_PUT(c, out, IAU_VEC_OUT);
	IAU_PUT(c, rows, IAU_VEC_ROWS);
	IAU_PUT(c, cols, IAU_VEC_COLS);
	IAU_PUT(c, a, IAU_VEC_A_ADDR);
	IAU_PUT(c, rnd(6) ? stride : 0, IAU_VEC_A_STRIDE);
	IAU_PUT(c, vsp_addr(b_fmt ? 4 : 128, 0), IAU_VEC_B_ADDR);
	IAU_PUT(c, rnd(2) ? stride : 0, IAU_VEC_B_STRIDE);
	IAU_PUT(c, vsp_addr(4, 0), IAU_VEC_S_ADDR);
	IAU_PUT(c, same ? a : 0x10000 + vsp_addr(out == 1 ? 128 : 32, 0), IAU_VEC_D_ADDR);
	IAU_PUT(c, out == 1 ? stride : 32 * (1 + rnd(20)), IAU_VEC_D_STRIDE);
	IAU_PUT(c, 32 * (1 + rnd(12)), IAU_VEC_D_BSTRIDE);
	IAU_PUT(c, 0x20000 + vsp_addr(4, 0), IAU_VEC_SC_ADDR);
	IAU_PUT(c, 4 * rnd(40), IAU_VEC_SC_RSTRIDE);
	IAU_PUT(c, 4 * rnd(40), IAU_VEC_SC_BSTRIDE);
	IAU_PUT(c, random_float(), IAU_VEC_IMM0);
	IAU_PUT(c, mask ? rnd(cols + 20) - 10 : random_float(), IAU_VEC_IMM1);
	IAU_PUT(c, 0x30000 + vsp_addr(8, 0), IAU_VEC_R_ADDR);
	IAU_PUT(c, rnd(3) == 0, IAU_VEC_R_INIT);
	IAU_PUT(c, rnd(2), IAU_VEC_RED_MAX);
}

static void make_scalar(uint32_t *c)
{
	uint32_t half;

	switch (rnd(4)) {
	case 0:
		c[0] = IAU_OP_BRANCH;
		IAU_PUT(c, rnd(7), IAU_BRANCH_COND);
		IAU_PUT(c, rnd(32), IAU_BRANCH_RA);
		IAU_PUT(c, rnd(32), IAU_BRANCH_RB);
		IAU_PUT(c, rnd(2), IAU_BRANCH_USE_IMM);
		IAU_PUT(c, rnd(4), IAU_BRANCH_IMM);
		IAU_PUT(c, rnd(10) ? rnd(4) : (uint32_t)-(int)rnd(4), IAU_BRANCH_OFFSET);
		break;
	case 1:
		c[0] = IAU_OP_SLOAD;
		half = rnd(4) == 0;
		IAU_PUT(c, half, IAU_SLOAD_HALF);
		IAU_PUT(c, half ? 16u : 8 + rnd(24), IAU_SLOAD_RD);
		IAU_PUT(c, vsp_addr(half ? 64 : 4, 0) + 0x8000 * rnd(7), IAU_SLOAD_ADDR);
		break;
	default:
		c[0] = IAU_OP_SALU;
		IAU_PUT(c, rnd(9), IAU_SALU_FUNC);
		IAU_PUT(c, rnd(32), IAU_SALU_RD);
		IAU_PUT(c, rnd(32), IAU_SALU_RA);
		IAU_PUT(c, rnd(32), IAU_SALU_RB);
		IAU_PUT(c, rnd(2), IAU_SALU_USE_IMM);
		IAU_PUT(c, rnd(100), IAU_SALU_IMM);
	}
}

static void make_command(uint32_t *c, bool bad)
{
	uint32_t kind = rnd(16);

	memset(c, 0, 64);
	if (kind < 3)
		make_copy(c, false);
	else if (kind >= 15)
		make_list_change(c);
	else if (kind >= 14)
		make_list_load(c);
	else if (kind < 5)
		make_copy(c, true);
	else if (kind < 7)
		make_matmul(c);
	else if (kind < 10)
		make_vec(c);
	else if (kind < 11)
		make_move(c);
	else if (kind < 12)
		make_topk(c);
	else
		make_scalar(c);
	/* registers 0..7 stay small if nothing overwrites them */
	if (rnd(12) == 0) {
		uint32_t w = 1 + rnd(14), n = 1 + rnd(3);

		for (uint32_t p = 0; p < n; p++)
			c[15] |= ((rnd(2) ? w : 1 + rnd(14)) | rnd(8) << 4) << 9 * p;
	}
	/* the others carry out of the address of a copy, more than once */
	if (bad && rnd(4) == 0)
		for (uint32_t p = 0; p < 3; p++)
			c[15] |= ((rnd(4) ? 2 : 3) | (8 + rnd(24)) << 4) << 9 * p;
	else if (bad)
		c[rnd(16)] ^= 1u << rnd(32);
}

/* No faults but those of memory: what comes after a fault tests nothing. */
static void make_legal_command(uint32_t *c)
{
	struct ref_fault fault;

	do {
		uint32_t kind = rnd(12);

		memset(c, 0, 64);
		if (kind >= 11)
			make_list_change(c);
		else if (kind >= 9)
			make_list_load(c);
		else if (kind < 2)
			make_copy(c, kind);
		else if (kind < 5 && (c[-16] & 255) == IAU_OP_MATMUL && rnd(4))
			follow_matmul(c, c - 16);
		else if (kind < 5)
			make_matmul(c);
		else if (kind < 7)
			make_vec(c);
		else if (kind < 8)
			make_topk(c);
		else
			make_move(c);
		fault.code = 0;
		ref_check(c, &fault);
	} while (fault.code);
}

/* Much of the vector scratchpad goes to memory at the end, so that it is compared too. */
static void make_job(uint8_t *mem, uint32_t *n_cmds)
{
	uint32_t n = 4 + rnd(60), bad_at = rnd(2) ? n + 9 : rnd(n);
	uint32_t *desc = (uint32_t *)(void *)(mem + P_RING * 4096);
	uint32_t *param = (uint32_t *)(void *)(mem + (P_FIRST + 2) * 4096);
	uint32_t (*c)[16] = (uint32_t (*)[16])(void *)(mem + P_FIRST * 4096);

	for (uint32_t i = 0; i < 7; i++) {
		memset(c[i], 0, 64);
		c[i][0] = IAU_OP_LOAD;
		IAU_PUT(c[i], VA_BASE + (8 + rnd(8)) * 4096, IAU_LOAD_VA);
		IAU_PUT(c[i], 0x8000, IAU_LOAD_ROW_BYTES);
		IAU_PUT(c[i], 1, IAU_LOAD_ROWS);
		IAU_PUT(c[i], i < 4 ? i * 0x8000 : IAU_TSP_BASE + (i - 4) * 0x8000, IAU_LOAD_ADDR);
	}
	memset(c[6] + 1, 0, 60);
	IAU_PUT(c[6], VA_BASE + (P_LISTS - P_FIRST) * 4096, IAU_LOAD_VA);
	IAU_PUT(c[6], 0x2000, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c[6], 1, IAU_LOAD_ROWS);
	IAU_PUT(c[6], LISTS_AT, IAU_LOAD_ADDR);
	for (uint32_t i = 0, legal = rnd(2); i < n; i++) {
		if (legal)
			make_legal_command(c[i + 7]);
		else
			make_command(c[i + 7], i == bad_at);
	}
	memset(c[n + 7], 0, 128);
	c[n + 7][0] = IAU_OP_STORE;
	IAU_PUT(c[n + 7], VA_BASE + 44 * 4096, IAU_STORE_VA);
	IAU_PUT(c[n + 7], 0x3000, IAU_STORE_ROW_BYTES);
	IAU_PUT(c[n + 7], 4, IAU_STORE_ROWS);
	IAU_PUT(c[n + 7], 0x3000, IAU_STORE_MEM_STRIDE);
	IAU_PUT(c[n + 7], 0x1000 * (8 + rnd(16)), IAU_STORE_ADDR);
	IAU_PUT(c[n + 7], rnd(2) ? 0x3000 : 0x8000, IAU_STORE_STRIDE);
	c[n + 8][0] = IAU_OP_END;
	*n_cmds = n + 9;
	for (uint32_t i = 0; i < 32; i++)
		param[i] = i < 8 ? rnd(4) * 64 : (uint32_t)rnd64();
	for (uint32_t e = 0; e < 2; e++, desc += 16) {
		memset(desc, 0, 64);
		IAU_PUT(desc, 1, IAU_JOB_IRQ);
		IAU_PUT(desc, rnd(200) ? CTX : rnd(16), IAU_JOB_CTX);
		IAU_PUT(desc, (n + 9 - (rnd(20) == 0)) * 64 + (rnd(200) == 0), IAU_JOB_CMD_BYTES);
		IAU_PUT(desc, VA_BASE + (rnd(100) ? 0 : 8192), IAU_JOB_CMD_VA);
		IAU_PUT(desc, VA_BASE + (rnd(100) ? 2 : 40) * 4096, IAU_JOB_PARAM_VA);
		IAU_PUT(desc, P_RECORD * 4096 + 32 * rnd(4), IAU_JOB_FENCE_PA);
		IAU_PUT(desc, rnd64(), IAU_JOB_FENCE_VALUE);
		IAU_PUT(desc, rnd(10) ? 300 : 1 + rnd(80), IAU_JOB_BUDGET);
		IAU_PUT(desc, rnd64() & 0xffffffff, IAU_JOB_TAG);
	}
}

static void bring_up(struct side *s)
{
	uint32_t q = IAU_QUEUE_OFFSET + 2 * IAU_QUEUE_STRIDE;

	s->ops->mmio_write(s->dev, IAU_CTX_OFFSET + CTX * 8, P_L2 * 4096 | 1);
	s->ops->mmio_write(s->dev, IAU_CTX_OFFSET + CTX * 8 + 4, 0);
	s->ops->mmio_write(s->dev, q + IAU_QREG_BASE_LO, P_RING * 4096);
	s->ops->mmio_write(s->dev, q + IAU_QREG_SIZE, 1);
	s->ops->mmio_write(s->dev, q + IAU_QREG_CTRL, 1);
}

static void run_side(struct side *s, uint32_t *state)
{
	static const uint32_t regs[] = { IAU_QREG_HEAD, IAU_QREG_STATUS, IAU_QREG_PROGRESS,
					 IAU_QREG_FAULT_CODE, IAU_QREG_FAULT_INFO,
					 IAU_QREG_FAULT_VA_LO, IAU_QREG_FAULT_VA_HI,
					 IAU_QREG_FAULT_OFFSET, IAU_QREG_FAULT_TAG,
					 IAU_QREG_FAULT_CTX };
	uint32_t q = IAU_QUEUE_OFFSET + 2 * IAU_QUEUE_STRIDE, n = 0;

	s->ops->mmio_write(s->dev, IAU_DOORBELL_OFFSET + 16, ++s->tail);
	if (s->ops->run(s->dev, 2000000))
		state[31] = 0xdead; /* still running: a hang */
	for (size_t i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		state[n++] = s->ops->mmio_read(s->dev, q + regs[i]);
	/* a record left by an earlier fault stays until the next one */
	if (state[1] != 2)
		memset(state + 3, 0, 7 * sizeof(*state));
	for (uint32_t i = 0; i < IAU_CNT_CYCLES; i++)
		state[n++] = s->ops->mmio_read(s->dev, IAU_CNT_OFFSET + i * 8);
	state[n++] = s->irqs;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t now = state[i];

		if (i == 0 || i == 2 || i > 9) /* head, progress, counters, interrupts */
			state[i] -= s->before[i];
		s->before[i] = now;
	}
	if (state[1] == 2) {
		s->ops->mmio_write(s->dev, q + IAU_QREG_CMD, 2);
		s->before[0]++;
	}
	/* the times in the completion records */
	for (uint32_t r = 0; r < 4; r++)
		memset(s->mem + P_RECORD * 4096 + r * 32 + 8, 0, 16);
}

static void dump_job(const uint8_t *mem, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *c = (const uint32_t *)(const void *)(mem + P_FIRST * 4096) + i * 16;

		printf("# %3u:", i);
		for (int w = 0; w < 16; w++)
			printf(" %x", c[w]);
		printf("\n");
	}
}

static int compare(const struct side *s, const uint32_t (*state)[32], uint32_t job, uint64_t seed)
{
	for (uint32_t i = 0; i < 32; i++) {
		if (state[0][i] == state[1][i])
			continue;
		printf("# job %u of seed %llu: state word %u: ref %#x, rtl %#x (fault ref %u, rtl %u, offset %#x)\n",
		       job, (unsigned long long)seed, i, state[0][i], state[1][i], state[0][3],
		       state[1][3], state[0][7]);
		return 1;
	}
	for (uint32_t i = 0; i < MEM_BYTES; i++) {
		if (s[0].mem[i] == s[1].mem[i])
			continue;
		printf("# job %u of seed %llu: memory at %#x: ref %02x, rtl %02x\n", job,
		       (unsigned long long)seed, i, s[0].mem[i], s[1].mem[i]);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 2000;
	struct iau_dev_timing timing = IAU_DEV_TIMING_DEFAULT;
	struct side s[2] = { { .ops = &iau_ref_engine }, { .ops = &iau_rtl_engine } };
	uint32_t first = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0;
	uint32_t bad = 0, faults = 0, seen[16] = { 0 };

	printf("1..1\n# seed %llu, %u jobs\n", (unsigned long long)seed, count);
	rng_state = seed;
	timing.seed = seed;
	for (int i = 0; i < 2; i++) {
		struct iau_dev_host host = { .opaque = &s[i], .map = map, .irq = irq };

		s[i].mem = calloc(1, MEM_BYTES);
		s[i].dev = s[i].ops->create(&host, &timing);
		bring_up(&s[i]);
	}
	for (uint32_t job = 0; job < count && !bad; job++) {
		uint32_t state[2][32] = { { 0 } }, n;

		if (job % 16 == 0) {
			for (uint32_t i = P_FIRST * 4096; i < MEM_BYTES; i += 8)
				put64(s[0].mem, i, rnd(8) ? rnd64() : rnd64() & UINT64_C(0x3fff80003fff8000));
			make_lists(s[0].mem);
			page_tables(s[0].mem);
		}
		make_job(s[0].mem, &n);
		memcpy(s[1].mem, s[0].mem, MEM_BYTES);
		for (int i = 0; i < 1 + (job >= first); i++)
			run_side(&s[i], state[i]);
		if (job < first)
			continue;
		faults += state[0][1] == 2;
		seen[state[0][3] & 15]++;
		bad = (uint32_t)compare(s, (const uint32_t (*)[32])state, job, seed);
		if (bad)
			dump_job(s[0].mem, n);
	}
	printf("# %u jobs faulted; by code:", faults);
	for (uint32_t i = 0; i < 16; i++)
		printf(" %u", seen[i]);
	printf("\n%s 1 - %u random jobs are identical on ref and rtl\n", bad ? "not ok" : "ok", count);
	for (int i = 0; i < 2; i++) {
		s[i].ops->destroy(s[i].dev);
		free(s[i].mem);
	}
	return bad != 0;
}
