/* SPDX-License-Identifier: MIT */
/*
 * Tokens of one sequence, one after the other, in one job: each step ends with the choice of the likeliest token,
 * which the next one begins with. Registers of the steps, which the host knows all of but the token, are in the
 * vector scratchpad, and a step takes up its own. Every result is that of a job for each token, to the bit.
 *
 * It ends sooner where the host has to decide: before a token that ends the text, and if a logit is not finite.
 */
#include "model/attention.h"

/* Behind the likeliest token: 0, or NaN if a logit was not finite */
#define BROKEN_AT 8u

/* What is before the first step; and the end, where a step finds it */
void emit_steps(struct builder *b)
{
	uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->cfg->tokens_va, .addr = b->params, .rows = 1 });
	size_t over;

	iau_cmd_patch(cmd, 1, GRAPH_CHOICE);
	/* the first token, as if one were chosen */
	iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->cfg->tokens_va + GRAPH_TOKEN * 4, .addr = b->likeliest + 4,
						.row_bytes = 4, .rows = 1 });
	load_first(b);
	over = iau_cmd_branch(&b->cb);
	b->end = b->cb.n;
	iau_cmd_end(&b->cb);
	iau_cmd_branch_here(&b->cb, over);
	b->step = b->cb.n;
}

/* A step's registers and its token */
void emit_step(struct builder *b)
{
	iau_cmd_patch(iau_cmd_sload_half(&b->cb, 0, b->params), 2, GRAPH_STEP);
	iau_cmd_patch(iau_cmd_sload_half(&b->cb, 16, b->params + 64), 2, GRAPH_STEP);
	iau_cmd_sload(&b->cb, GRAPH_TOKEN, b->likeliest + 4);
	iau_cmd_salu_imm(&b->cb, SALU_MUL, GRAPH_TOKEN, GRAPH_TOKEN, b->w->embd_stride);
}

void emit_likeliest(struct builder *b, uint32_t logits, uint32_t first, uint32_t cols)
{
	uint16_t before = label_op(b, OP_NEXT_TOKEN);
	struct iau_vec v = { .rows = 1, .cols = cols, .a = logits, .init = first > 0 }, broken = v;

	v.red = VEC_ARGMAX;
	v.r = b->likeliest;
	v.d_block = first;
	iau_cmd_vec(&b->cb, v);
	broken.m1 = VEC_M_IMM;
	broken.red = VEC_SUM;
	broken.r = b->likeliest + BROKEN_AT;
	iau_cmd_vec(&b->cb, broken);
	b->cb.label = before;
}

/* Weights are asked for before the token is known, for memory not to wait. */
void emit_next_step(struct builder *b)
{
	const struct iau_graph_config *cfg = b->cfg;
	struct iau_copy choice = { .va = cfg->tokens_va + GRAPH_CHOICE * 4, .addr = b->likeliest + 4, .row_bytes = 4,
				   .rows = 1 };

	label_op(b, OP_NEXT_TOKEN);
	iau_cmd_patch(iau_cmd_store(&b->cb, choice), 2, GRAPH_STEP);
	iau_cmd_branch_equal(&b->cb, GRAPH_LEFT, 0, b->end);
	load_first(b);
	iau_cmd_sload(&b->cb, GRAPH_CHOICE, b->likeliest + BROKEN_AT);
	iau_cmd_salu_imm(&b->cb, SALU_SHL, GRAPH_CHOICE, GRAPH_CHOICE, 1); /* without its sign */
	iau_cmd_branch_nonzero(&b->cb, GRAPH_CHOICE, b->end);
	iau_cmd_sload(&b->cb, GRAPH_CHOICE, b->likeliest + 4);
	for (uint32_t i = 0; i < cfg->n_stop; i++)
		iau_cmd_branch_equal(&b->cb, GRAPH_CHOICE, (uint32_t)cfg->stop[i], b->end);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, GRAPH_STEP, GRAPH_STEP, IAU_PARAM_BYTES);
	iau_cmd_branch_nonzero(&b->cb, GRAPH_LEFT, b->step);
}
