/* SPDX-License-Identifier: MIT */
/* Command buffers in the making: one function a command. */
#ifndef IAU_COMMAND_H
#define IAU_COMMAND_H

#include "iau_hw.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Commands in order, each with the label that was set when it was made: what it is for, for whoever
 * looks at a trace. After a failed allocation ERR stays set and further calls do nothing.
 */
struct iau_cmdbuf {
	uint32_t (*cmd)[16];
	uint16_t *labels;
	size_t n, cap;
	uint16_t label;
	int err;
};

void iau_cmdbuf_free(struct iau_cmdbuf *cb);

/* Appends a zeroed command of opcode OP; never NULL (a scratch command after an error). */
uint32_t *iau_cmd_new(struct iau_cmdbuf *cb, enum iau_opcode op);

/* Before the command runs, register REG is added to WORD. At most three for a command. */
void iau_cmd_patch(uint32_t *cmd, unsigned int word, unsigned int reg);

void iau_cmd_end(struct iau_cmdbuf *cb);

enum iau_salu { SALU_ADD, SALU_SUB, SALU_MUL, SALU_AND, SALU_OR, SALU_SHL, SALU_SHR, SALU_MIN, SALU_MAX };

void iau_cmd_salu_imm(struct iau_cmdbuf *cb, enum iau_salu func, unsigned int rd, unsigned int ra,
		      uint32_t imm);
void iau_cmd_salu(struct iau_cmdbuf *cb, enum iau_salu func, unsigned int rd, unsigned int ra,
		  unsigned int rb);
/* Goes to command TARGET; if register RA is IMM; if it is not zero. */
void iau_cmd_branch_to(struct iau_cmdbuf *cb, size_t target);
void iau_cmd_branch_equal(struct iau_cmdbuf *cb, unsigned int ra, uint32_t imm, size_t target);
void iau_cmd_branch_nonzero(struct iau_cmdbuf *cb, unsigned int ra, size_t target);
/* Goes on at a place that iau_cmd_branch_here() names later if register RA is zero. */
size_t iau_cmd_branch_zero(struct iau_cmdbuf *cb, unsigned int ra);
/* ... if it is more than IMM; always */
size_t iau_cmd_branch_above(struct iau_cmdbuf *cb, unsigned int ra, uint32_t imm);
size_t iau_cmd_branch(struct iau_cmdbuf *cb);
void iau_cmd_branch_here(struct iau_cmdbuf *cb, size_t branch);
uint32_t *iau_cmd_sload(struct iau_cmdbuf *cb, unsigned int rd, uint32_t addr);
/* Sixteen registers from RD on, which is 0 or 16 */
uint32_t *iau_cmd_sload_half(struct iau_cmdbuf *cb, unsigned int rd, uint32_t addr);

/*
 * A 2-D copy; ROWS of ROW_BYTES. Of a LOAD also: with BY_LIST rows lie at VA + entry, those whose entry has
 * bit 0 set DELTA further; UNPACK expands 4-bit rows, with BY_LIST those.
 */
struct iau_copy {
	uint64_t va;
	uint32_t addr, row_bytes, rows, mem_stride, stride;
	bool by_list, unpack;
	uint32_t list;
	int32_t delta;
};

uint32_t *iau_cmd_load(struct iau_cmdbuf *cb, struct iau_copy copy);
uint32_t *iau_cmd_store(struct iau_cmdbuf *cb, struct iau_copy copy);

/* A 2-D copy from the vector scratchpad to a scratchpad */
struct iau_move {
	uint32_t src, src_stride, addr, stride, row_bytes, rows;
};

uint32_t *iau_cmd_copy(struct iau_cmdbuf *cb, struct iau_move move);

/*
 * The COUNT greatest of N values at A; at D where each lies: (c >> shift) * hi + (c mod 2^shift) * lo, or
 * BY_TABLE word c of TABLE
 */
struct iau_topk {
	uint32_t n, count, first, last, a, d, shift, lo, hi, table;
	bool by_table;
};

uint32_t *iau_cmd_topk(struct iau_cmdbuf *cb, struct iau_topk top);

/* Fields as in the hardware reference; strides of tiles in units of 64 bytes. */
struct iau_matmul {
	uint32_t format, unit, cin, m, pitch, nt, kb;
	uint32_t a, as, w, wl, ws, w_n, w_k, ws_n, ws_k, c, d, c_stride, d_stride;
};

uint32_t *iau_cmd_matmul(struct iau_cmdbuf *cb, struct iau_matmul mm);

enum iau_vec_m { VEC_M_NONE, VEC_M_IMM, VEC_M_S, VEC_M_B, VEC_M_SQUARE };
enum iau_vec_a { VEC_A_NONE, VEC_A_IMM, VEC_A_S, VEC_A_B };
enum iau_vec_sfu { VEC_SFU_NONE, VEC_EXP2, VEC_RECIP, VEC_RSQRT };
enum iau_vec_red { VEC_RED_NONE, VEC_SUM, VEC_MAXABS, VEC_ARGMAX };
enum iau_vec_out { VEC_OUT_NONE, VEC_F32, VEC_Q8, VEC_Q8_F16, VEC_I8 };

/* Fields as in the hardware reference; LIMIT replaces IMM1 when MASK is set. */
struct iau_vec {
	uint32_t a_i8, perm, b_blocks, b_wrap;
	enum iau_vec_m m1;
	enum iau_vec_a a1;
	bool negate, at_least, mask, mask_step, init, max;
	enum iau_vec_sfu sfu;
	enum iau_vec_m m2;
	enum iau_vec_red red;
	enum iau_vec_out out;
	uint32_t rows, cols;
	uint32_t a, a_stride, b, b_stride, s, d, d_stride, d_block, sc, sc_row, sc_block, r;
	float imm0, imm1;
	int32_t limit;
};

uint32_t *iau_cmd_vec(struct iau_cmdbuf *cb, struct iau_vec v);

#endif
