/* SPDX-License-Identifier: MIT */
#include "command/command.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void iau_cmdbuf_free(struct iau_cmdbuf *cb)
{
	free(cb->cmd);
	free(cb->labels);
	memset(cb, 0, sizeof(*cb));
}

static void grow(struct iau_cmdbuf *cb)
{
	size_t cap = cb->cap ? cb->cap * 2 : 256;
	void *p = realloc(cb->cmd, cap * sizeof(*cb->cmd));
	void *q = p ? realloc(cb->labels, cap * sizeof(*cb->labels)) : NULL;

	if (p)
		cb->cmd = p;
	if (q)
		cb->labels = q;
	if (p && q)
		cb->cap = cap;
	else
		cb->err = iau_error_nomem("command buffer");
}

uint32_t *iau_cmd_new(struct iau_cmdbuf *cb, enum iau_opcode op)
{
	static _Thread_local uint32_t scratch[16];
	uint32_t *cmd;

	if (cb->n == cb->cap && !cb->err)
		grow(cb);
	if (cb->err) {
		cmd = scratch;
	} else {
		cb->labels[cb->n] = cb->label;
		cmd = cb->cmd[cb->n++];
	}
	memset(cmd, 0, IAU_CMD_BYTES);
	cmd[0] = op;
	return cmd;
}

void iau_cmd_patch(uint32_t *cmd, unsigned int word, unsigned int reg)
{
	for (unsigned int p = 0; p < 3; p++) {
		if (!(cmd[15] >> 9 * p & 15)) {
			cmd[15] |= (word | reg << 4) << 9 * p;
			return;
		}
	}
}

void iau_cmd_end(struct iau_cmdbuf *cb)
{
	iau_cmd_new(cb, IAU_OP_END);
}

void iau_cmd_salu_imm(struct iau_cmdbuf *cb, enum iau_salu func, unsigned int rd, unsigned int ra,
		      uint32_t imm)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_SALU);

	IAU_PUT(cmd, func, IAU_SALU_FUNC);
	IAU_PUT(cmd, rd, IAU_SALU_RD);
	IAU_PUT(cmd, ra, IAU_SALU_RA);
	IAU_PUT(cmd, 1, IAU_SALU_USE_IMM);
	IAU_PUT(cmd, imm, IAU_SALU_IMM);
}

void iau_cmd_salu(struct iau_cmdbuf *cb, enum iau_salu func, unsigned int rd, unsigned int ra,
		  unsigned int rb)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_SALU);

	IAU_PUT(cmd, func, IAU_SALU_FUNC);
	IAU_PUT(cmd, rd, IAU_SALU_RD);
	IAU_PUT(cmd, ra, IAU_SALU_RA);
	IAU_PUT(cmd, rb, IAU_SALU_RB);
}

static void branch(struct iau_cmdbuf *cb, uint32_t cond, unsigned int ra, uint32_t imm, size_t target)
{
	uint32_t offset = (uint32_t)target - (uint32_t)(cb->n + 1);
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_BRANCH);

	IAU_PUT(cmd, cond, IAU_BRANCH_COND);
	IAU_PUT(cmd, ra, IAU_BRANCH_RA);
	IAU_PUT(cmd, 1, IAU_BRANCH_USE_IMM);
	IAU_PUT(cmd, imm, IAU_BRANCH_IMM);
	IAU_PUT(cmd, offset, IAU_BRANCH_OFFSET);
}

void iau_cmd_branch_to(struct iau_cmdbuf *cb, size_t target)
{
	branch(cb, 0, 0, 0, target);
}

void iau_cmd_branch_equal(struct iau_cmdbuf *cb, unsigned int ra, uint32_t imm, size_t target)
{
	branch(cb, 1, ra, imm, target);
}

void iau_cmd_branch_nonzero(struct iau_cmdbuf *cb, unsigned int ra, size_t target)
{
	branch(cb, 2, ra, 0, target);
}

/* Where to is not known yet. */
static size_t branch_on(struct iau_cmdbuf *cb, uint32_t cond, unsigned int ra, uint32_t imm)
{
	size_t at = cb->n;

	branch(cb, cond, ra, imm, at + 1);
	return at;
}

size_t iau_cmd_branch_zero(struct iau_cmdbuf *cb, unsigned int ra)
{
	return branch_on(cb, 1, ra, 0);
}

size_t iau_cmd_branch_above(struct iau_cmdbuf *cb, unsigned int ra, uint32_t imm)
{
	return branch_on(cb, 4, ra, imm + 1);
}

size_t iau_cmd_branch(struct iau_cmdbuf *cb)
{
	return branch_on(cb, 0, 0, 0);
}

void iau_cmd_branch_here(struct iau_cmdbuf *cb, size_t branch)
{
	if (!cb->err)
		IAU_PUT(cb->cmd[branch], (uint32_t)(cb->n - branch - 1), IAU_BRANCH_OFFSET);
}

uint32_t *iau_cmd_sload(struct iau_cmdbuf *cb, unsigned int rd, uint32_t addr)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_SLOAD);

	IAU_PUT(cmd, rd, IAU_SLOAD_RD);
	IAU_PUT(cmd, addr, IAU_SLOAD_ADDR);
	return cmd;
}

uint32_t *iau_cmd_sload_half(struct iau_cmdbuf *cb, unsigned int rd, uint32_t addr)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_SLOAD);

	IAU_PUT(cmd, rd, IAU_SLOAD_RD);
	IAU_PUT(cmd, 1, IAU_SLOAD_HALF);
	IAU_PUT(cmd, addr, IAU_SLOAD_ADDR);
	return cmd;
}

static uint32_t *put_copy(struct iau_cmdbuf *cb, enum iau_opcode op, struct iau_copy copy)
{
	uint32_t *cmd = iau_cmd_new(cb, op);

	IAU_PUT(cmd, copy.va, IAU_LOAD_VA);
	IAU_PUT(cmd, copy.addr, IAU_LOAD_ADDR);
	IAU_PUT(cmd, copy.row_bytes, IAU_LOAD_ROW_BYTES);
	IAU_PUT(cmd, copy.rows, IAU_LOAD_ROWS);
	IAU_PUT(cmd, copy.mem_stride, IAU_LOAD_MEM_STRIDE);
	IAU_PUT(cmd, copy.stride, IAU_LOAD_STRIDE);
	return cmd;
}

uint32_t *iau_cmd_load(struct iau_cmdbuf *cb, struct iau_copy copy)
{
	uint32_t *cmd = put_copy(cb, IAU_OP_LOAD, copy);

	IAU_PUT(cmd, copy.by_list, IAU_LOAD_BY_LIST);
	IAU_PUT(cmd, copy.unpack, IAU_LOAD_UNPACK);
	IAU_PUT(cmd, copy.list, IAU_LOAD_LIST_ADDR);
	IAU_PUT(cmd, (uint32_t)copy.delta, IAU_LOAD_DELTA);
	return cmd;
}

uint32_t *iau_cmd_store(struct iau_cmdbuf *cb, struct iau_copy copy)
{
	return put_copy(cb, IAU_OP_STORE, copy);
}

uint32_t *iau_cmd_copy(struct iau_cmdbuf *cb, struct iau_move move)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_COPY);

	IAU_PUT(cmd, move.src, IAU_COPY_SRC);
	IAU_PUT(cmd, move.src_stride, IAU_COPY_SRC_STRIDE);
	IAU_PUT(cmd, move.addr, IAU_COPY_ADDR);
	IAU_PUT(cmd, move.stride, IAU_COPY_STRIDE);
	IAU_PUT(cmd, move.row_bytes, IAU_COPY_ROW_BYTES);
	IAU_PUT(cmd, move.rows, IAU_COPY_ROWS);
	return cmd;
}

uint32_t *iau_cmd_topk(struct iau_cmdbuf *cb, struct iau_topk top)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_TOPK);

	IAU_PUT(cmd, top.n, IAU_TOPK_N);
	IAU_PUT(cmd, top.count, IAU_TOPK_COUNT);
	IAU_PUT(cmd, top.first, IAU_TOPK_FIRST);
	IAU_PUT(cmd, top.last, IAU_TOPK_LAST);
	IAU_PUT(cmd, top.a, IAU_TOPK_A_ADDR);
	IAU_PUT(cmd, top.d, IAU_TOPK_D_ADDR);
	IAU_PUT(cmd, top.shift, IAU_TOPK_SHIFT);
	IAU_PUT(cmd, top.lo, IAU_TOPK_LO);
	IAU_PUT(cmd, top.hi, IAU_TOPK_HI);
	IAU_PUT(cmd, top.by_table, IAU_TOPK_BY_TABLE);
	IAU_PUT(cmd, top.table, IAU_TOPK_T_ADDR);
	return cmd;
}

uint32_t *iau_cmd_matmul(struct iau_cmdbuf *cb, struct iau_matmul mm)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_MATMUL);

	IAU_PUT(cmd, mm.format, IAU_MATMUL_FORMAT);
	IAU_PUT(cmd, mm.unit, IAU_MATMUL_UNIT);
	IAU_PUT(cmd, mm.cin, IAU_MATMUL_CIN);
	IAU_PUT(cmd, mm.m, IAU_MATMUL_M);
	IAU_PUT(cmd, mm.pitch, IAU_MATMUL_PITCH);
	IAU_PUT(cmd, mm.nt, IAU_MATMUL_NT);
	IAU_PUT(cmd, mm.kb, IAU_MATMUL_KB);
	IAU_PUT(cmd, mm.a, IAU_MATMUL_A_ADDR);
	IAU_PUT(cmd, mm.as, IAU_MATMUL_AS_ADDR);
	IAU_PUT(cmd, mm.w, IAU_MATMUL_W_ADDR);
	IAU_PUT(cmd, mm.wl, IAU_MATMUL_WL_ADDR);
	IAU_PUT(cmd, mm.ws, IAU_MATMUL_WS_ADDR);
	IAU_PUT(cmd, mm.w_n, IAU_MATMUL_W_NSTRIDE);
	IAU_PUT(cmd, mm.w_k, IAU_MATMUL_W_KSTRIDE);
	IAU_PUT(cmd, mm.ws_n, IAU_MATMUL_WS_NSTRIDE);
	IAU_PUT(cmd, mm.ws_k, IAU_MATMUL_WS_KSTRIDE);
	IAU_PUT(cmd, mm.c, IAU_MATMUL_C_ADDR);
	IAU_PUT(cmd, mm.d, IAU_MATMUL_D_ADDR);
	IAU_PUT(cmd, mm.c_stride, IAU_MATMUL_C_STRIDE);
	IAU_PUT(cmd, mm.d_stride, IAU_MATMUL_D_STRIDE);
	return cmd;
}

static uint32_t float_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

uint32_t *iau_cmd_vec(struct iau_cmdbuf *cb, struct iau_vec v)
{
	uint32_t *cmd = iau_cmd_new(cb, IAU_OP_VEC);

	IAU_PUT(cmd, v.a_i8, IAU_VEC_A_FMT);
	IAU_PUT(cmd, v.perm, IAU_VEC_PERM);
	IAU_PUT(cmd, v.b_blocks, IAU_VEC_B_FMT);
	IAU_PUT(cmd, v.b_wrap, IAU_VEC_B_WRAP);
	IAU_PUT(cmd, v.m1, IAU_VEC_M1);
	IAU_PUT(cmd, v.a1, IAU_VEC_A1);
	IAU_PUT(cmd, v.negate, IAU_VEC_A1_NEG);
	IAU_PUT(cmd, v.at_least, IAU_VEC_A1_MAX);
	IAU_PUT(cmd, v.mask, IAU_VEC_MASK);
	IAU_PUT(cmd, v.mask_step, IAU_VEC_MASK_STEP);
	IAU_PUT(cmd, v.sfu, IAU_VEC_SFU);
	IAU_PUT(cmd, v.m2, IAU_VEC_M2);
	IAU_PUT(cmd, v.red, IAU_VEC_RED);
	IAU_PUT(cmd, v.out, IAU_VEC_OUT);
	IAU_PUT(cmd, v.rows, IAU_VEC_ROWS);
	IAU_PUT(cmd, v.cols, IAU_VEC_COLS);
	IAU_PUT(cmd, v.a, IAU_VEC_A_ADDR);
	IAU_PUT(cmd, v.a_stride, IAU_VEC_A_STRIDE);
	IAU_PUT(cmd, v.b, IAU_VEC_B_ADDR);
	IAU_PUT(cmd, v.b_stride, IAU_VEC_B_STRIDE);
	IAU_PUT(cmd, v.s, IAU_VEC_S_ADDR);
	IAU_PUT(cmd, v.d, IAU_VEC_D_ADDR);
	IAU_PUT(cmd, v.d_stride, IAU_VEC_D_STRIDE);
	IAU_PUT(cmd, v.d_block, IAU_VEC_D_BSTRIDE);
	IAU_PUT(cmd, v.sc, IAU_VEC_SC_ADDR);
	IAU_PUT(cmd, v.sc_row, IAU_VEC_SC_RSTRIDE);
	IAU_PUT(cmd, v.sc_block, IAU_VEC_SC_BSTRIDE);
	IAU_PUT(cmd, float_bits(v.imm0), IAU_VEC_IMM0);
	IAU_PUT(cmd, v.mask ? (uint32_t)v.limit : float_bits(v.imm1), IAU_VEC_IMM1);
	IAU_PUT(cmd, v.r, IAU_VEC_R_ADDR);
	IAU_PUT(cmd, v.init, IAU_VEC_R_INIT);
	IAU_PUT(cmd, v.max, IAU_VEC_RED_MAX);
	return cmd;
}
