/* SPDX-License-Identifier: MIT */
/*
 * Runs over many tokens of a prompt, one after the other in one job, whose last token may be asked for logits: those
 * before the last run are a loop then, and it has commands of its own. The next run begins while the last layer makes
 * keys and values, where a job of its own would find nothing to multiply for some 2,000 cycles: x is done with then, and
 * so is, when they are made, the place of the norm, which comes before what is left to do with them. Behind the last
 * run of a job without logits nobody uses what has begun.
 *
 * Registers and places of embeddings of each run are known to the host. Those of the next one are asked for before the
 * last layer stores anything, since LOADs from memory that changes wait for older STOREs.
 */
#include "model/attention.h"

#define EMBD_AT ((uint32_t)offsetof(struct iau_graph_run, embd))
#define PARAM_AT ((uint32_t)offsetof(struct iau_graph_run, param))

void emit_run_asked(struct builder *b, bool is_next)
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
	return b->runs && !b->keeps_row && l + 1 == b->to;
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
		emit_half_norm(b, h, b->half, pack_of(b, 0) + b->w->pack.attn_norm);
	b->cb.label = before;
}

void emit_runs(struct builder *b)
{
	emit_run_asked(b, false);
	emit_second_half(b);
	load_pack(b, 0);
	load_rope(b, 0, b->rows);
	load_first(b);
	emit_run_embedded(b);
	for (uint32_t h = 0; h < b->halves; h++)
		emit_run_norm(b, h);
	b->step = b->cb.n;
}

/* The first weights are on their way; more of them come with the products. */
static void go_on(struct builder *b)
{
	load_round(b);
	iau_cmd_sload_half(&b->cb, 0, b->params + PARAM_AT);
	iau_cmd_sload_half(&b->cb, 16, b->params + PARAM_AT + 64);
	emit_second_half(b);
	load_rope(b, 0, b->rows);
	iau_cmd_branch_to(&b->cb, b->step);
}

void emit_next_run(struct builder *b)
{
	size_t last = iau_cmd_branch_zero(&b->cb, GRAPH_LEFT);

	go_on(b);
	iau_cmd_branch_here(&b->cb, last);
}

/* What is known of weights and the ring where a run begins */
struct beginning {
	size_t next_load;
	uint32_t ring_used, ring_limit, credit;
};

void emit_runs_before(struct builder *b)
{
	struct beginning begun = { b->next_load, b->ring_used, b->ring_limit, b->credit };
	size_t none = iau_cmd_branch_zero(&b->cb, GRAPH_LEFT);

	b->attending = b->to - 1;
	emit_layers(b);
	go_on(b);
	iau_cmd_branch_here(&b->cb, none);
	b->attending = b->to;
	b->keeps_row = true;
	b->list = &b->chunks[1];
	b->cur = b->used = 0;
	b->goes_round = false;
	b->next_load = begun.next_load;
	b->ring_used = begun.ring_used;
	b->ring_limit = begun.ring_limit;
	b->credit = begun.credit;
}

bool begin_alike(const struct builder *b)
{
	const struct chunks *all = &b->chunks[0], *last = &b->chunks[1];

	for (size_t i = 0, bytes = 0; bytes < RUN_CREDIT; bytes += all->chunk[i++].span)
		if (i == all->n || i == last->n || all->chunk[i].va != last->chunk[i].va ||
		    all->chunk[i].at != last->chunk[i].at || all->chunk[i].span != last->chunk[i].span)
			return false;
	return true;
}
