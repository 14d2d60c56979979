/* SPDX-License-Identifier: MIT */
/*
 * Runs over many tokens of a prompt, none of which is asked for logits, one after the other in one job. The next
 * run begins while the last layer makes keys and values, where a job of its own would find nothing to multiply for some
 * 2,000 cycles: x is done with then, and so is, when they are made, the place of the norm, which comes before what is
 * left to do with them. Behind the last run of a job nobody uses what has begun.
 *
 * Registers and places of embeddings of each run are known to the host. Those of the next one are asked for before the
 * last layer stores anything, since LOADs from memory that changes wait for older STOREs.
 */
#include "model/attention.h"

#define EMBD_AT ((uint32_t)offsetof(struct iau_graph_run, embd))
#define PARAM_AT ((uint32_t)offsetof(struct iau_graph_run, param))

/* A run's registers and embeddings: of the first one, or, IS_NEXT, from where the one at hand says */
static void ask(struct builder *b, bool is_next)
{
	uint16_t before = label(b, 0, OP_EMBEDDING);
	uint32_t *cmd = iau_cmd_load(&b->cb, (struct iau_copy){ .va = b->cfg->tokens_va, .addr = b->params,
								.row_bytes = sizeof(struct iau_graph_run),
								.rows = 1 });

	if (is_next)
		iau_cmd_patch(cmd, 2, GRAPH_STEP);
	load_embeddings(b, b->params + EMBD_AT, b->embd);
	b->cb.label = before;
}

bool begins_run(const struct builder *b, uint32_t l)
{
	return b->runs && l + 1 == b->to;
}

void emit_run_asked(struct builder *b)
{
	ask(b, true);
}

void emit_run_embedded(struct builder *b)
{
	uint16_t before = label(b, 0, OP_EMBEDDING);

	emit_rows_embedded(b, b->embd, embd_step(b));
	b->cb.label = before;
}

void emit_run_norm(struct builder *b, uint32_t h)
{
	uint16_t before = label(b, 0, OP_ATTN_NORM);

	if (h < b->halves)
		emit_half_norm(b, h, pack_of(b, 0) + b->w->pack.attn_norm);
	b->cb.label = before;
}

void emit_runs(struct builder *b)
{
	ask(b, false);
	load_pack(b, 0);
	load_first(b);
	emit_run_embedded(b);
	for (uint32_t h = 0; h < b->halves; h++)
		emit_run_norm(b, h);
	b->step = b->cb.n;
}

/* The first weights are on their way; more of them come with the products. */
void emit_run(struct builder *b)
{
	iau_cmd_sload_half(&b->cb, 0, b->params + PARAM_AT);
	iau_cmd_sload_half(&b->cb, 16, b->params + PARAM_AT + 64);
	load_rope(b, 0, b->rows);
	emit_kv_prefetches(b);
}

void emit_next_run(struct builder *b)
{
	if (!b->planning)
		load_round(b);
	iau_cmd_branch_nonzero(&b->cb, GRAPH_LEFT, b->step);
}
