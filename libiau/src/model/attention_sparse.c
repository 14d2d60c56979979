/* SPDX-License-Identifier: MIT */
/*
 * Attention that leaves blocks of keys out (Tang et al. 2024, "Quest"). For each KV head the scores that
 * a block could have at most are products of the queries' positive parts with the greatest keys and of
 * their negative parts with the least; of those of all queries that share the head the greatest counts.
 * The blocks with the greatest scores are attended to as chunks of full blocks are, beside the newest
 * chunk, which always is.
 */
#include "model/attention.h"

/* Tiles of bounds at a time; of halves of blocks as many groups as take no more of the scratchpad */
static uint32_t groups_at_once(const struct iau_graph_config *cfg)
{
	return 4 / cfg->bounds.per_block;
}

enum { R_GROUPS = GRAPH_SPARSE_LOOP, R_SPARE };

uint32_t iau_sparse_candidates(const struct iau_kv_layout *kv, const struct iau_sparse *sparse, uint32_t pos)
{
	uint32_t per = kv->chunk_blocks, full = pos / 32 / per;

	return sparse->chunks && full + 1 >= sparse->chunks + !!sparse->more ? full * per : 0;
}

void iau_sparse_params(const struct iau_hparams *hp, const struct iau_kv_layout *kv,
		       const struct iau_sparse *sparse, uint32_t pos, uint32_t *param)
{
	uint32_t n = iau_sparse_candidates(kv, sparse, pos), per = kv->chunk_blocks;
	uint32_t chosen = sparse->chunks - 1, newest = pos / 32 + 1 - n;
	uint32_t recent = sparse->recent > newest ? sparse->recent - newest : 0;

	if (sparse->pairs)
		recent += recent % 2;
	/* what is recent beyond the budget is not */
	if (recent > chosen * per - sparse->sink)
		recent = chosen * per - sparse->sink;
	param[GRAPH_TOP] = chosen * per << 16 | n;
	param[GRAPH_FORCED] = recent << 16 | sparse->sink;
	param[GRAPH_CHOSEN] = chosen;
	param[GRAPH_GROUPS] = (n + 31) / 32;
	param[GRAPH_DENSE] = sparse->dense_layers;
	param[GRAPH_MORE] = hp->n_layer - sparse->more;
	param[GRAPH_PAIRS] = sparse->pairs;
}

uint32_t iau_chosen_bytes(const struct iau_kv_layout *kv)
{
	return kv->n_ctx / 8;
}

uint32_t iau_sparse_chosen(const uint32_t *param, const struct iau_kv_layout *kv, uint32_t l)
{
	return l < param[GRAPH_DENSE] ? 0 : (param[GRAPH_CHOSEN] + (l >= param[GRAPH_MORE])) * kv->chunk_blocks;
}

uint32_t bound_place_bytes(const struct iau_graph_config *cfg)
{
	return cfg->sparse ? tsp_round(groups_at_once(cfg) * (cfg->bounds.head_bytes + cfg->bounds.scale_bytes)) : 0;
}

/* Times that so many tiles are worked on, for a context as long as may be */
static uint32_t turns_of(const struct builder *b)
{
	uint32_t blocks = groups_at_once(b->cfg) * 32;

	return (b->cfg->kv.n_ctx / 32 + blocks - 1) / blocks;
}

/* Columns of scores in a turn, bytes */
static uint32_t turn_bytes(const struct builder *b)
{
	return groups_at_once(b->cfg) * 128;
}

/* Queries whose signs are split at a time: all of one token's, those of a KV head and half of many */
static uint32_t split_bytes(const struct builder *b)
{
	uint32_t heads = b->rows == 1 ? b->hp->n_head : b->hp->n_head / b->hp->n_head_kv;

	return heads * b->half * b->hp->head_dim;
}

struct choice choice_alloc(struct builder *b, const struct pass *p)
{
	struct choice c = { .list_step = vsp_round(iau_chosen_bytes(&b->cfg->kv)) };

	for (unsigned int i = 0; i < 3; i++)
		c.scores[i] = vsp_alloc(b, p->m * turn_bytes(b) + i * 128) + i * 128;
	for (unsigned int i = 0; i < 2; i++) {
		if (i < b->halves) {
			c.positive[i] = vsp_alloc(b, split_bytes(b));
			c.negative[i] = vsp_alloc(b, split_bytes(b));
		}
		c.best[i] = vsp_alloc_beside(b, turns_of(b) * turn_bytes(b));
	}
	c.list = vsp_alloc(b, b->hp->n_head_kv * c.list_step);
	return c;
}

/* REG = tiles of turn I */
static void groups_of_turn(struct builder *b, unsigned int reg, uint32_t i)
{
	uint32_t before = i * groups_at_once(b->cfg);

	if (i) {
		iau_cmd_salu_imm(&b->cb, SALU_MAX, reg, GRAPH_GROUPS, before);
		iau_cmd_salu_imm(&b->cb, SALU_SUB, reg, reg, before);
	}
	iau_cmd_salu_imm(&b->cb, SALU_MIN, reg, i ? reg : GRAPH_GROUPS, groups_at_once(b->cfg));
}

static uint32_t bounds_at(const struct builder *b, uint32_t step)
{
	return b->bound_places + step % 2 * bound_place_bytes(b->cfg);
}

/* Tiles and scales of step STEP of a layer: turns of a head, heads in order */
static void load_bounds(struct builder *b, uint32_t l, uint32_t step)
{
	const struct iau_bounds_layout *y = &b->cfg->bounds;
	uint32_t turns = turns_of(b), head = step / turns, i = step % turns, to = bounds_at(b, step);
	uint64_t va = y->va + (uint64_t)l * y->layer_bytes + (uint64_t)i * groups_at_once(b->cfg) * y->group_bytes;
	struct iau_copy part[2] = {
		{ .va = va + head * y->head_bytes, .addr = to, .row_bytes = y->head_bytes },
		{ .va = va + b->hp->n_head_kv * y->head_bytes + head * y->scale_bytes,
		  .addr = to + groups_at_once(b->cfg) * y->head_bytes, .row_bytes = y->scale_bytes },
	};
	uint16_t before = b->cb.label;

	if (head >= b->hp->n_head_kv)
		return;
	label(b, l, OP_BLOCK_CHOICE);
	groups_of_turn(b, R_SPARE, i);
	for (unsigned int k = 0; k < 2; k++) {
		part[k].mem_stride = y->group_bytes;
		part[k].stride = part[k].row_bytes;
		iau_cmd_patch(iau_cmd_load(&b->cb, part[k]), 4, R_SPARE);
	}
	b->cb.label = before;
}

void emit_bounds_prefetch(struct builder *b, uint32_t l)
{
	if (l >= b->hp->n_layer)
		return;
	load_bounds(b, l, 0);
	load_bounds(b, l, 1);
}

/* q = max(q, 0) + min(q, 0), INT8 as they are, of the heads of G that a split has */
static void split_queries(struct builder *b, const struct choice *c, uint32_t g, struct act q)
{
	for (uint32_t h = 0; h < b->halves; h++) {
		struct iau_vec v = { .rows = 1, .cols = split_bytes(b), .a_i8 = 1, .a1 = VEC_A_IMM,
				     .a = act_half(q, h).data + g * split_bytes(b), .at_least = true,
				     .out = VEC_I8, .d = c->positive[h], .d_block = 32 };

		iau_cmd_vec(&b->cb, v);
		v.m1 = v.m2 = VEC_M_IMM, v.imm0 = -1.0f, v.d = c->negative[h];
		iau_cmd_vec(&b->cb, v);
	}
}

/* TO = what the blocks of a step could score, or those halves I % per_block, with the next part I of KV head G */
static void emit_bound_scores(struct builder *b, const struct choice *c, const struct pass *p, uint32_t g,
			      uint32_t step, uint32_t i, uint32_t to, struct act q)
{
	const struct iau_bounds_layout *y = &b->cfg->bounds;
	uint32_t n = hd_blocks(b), tiles = bounds_at(b, step) + i % y->per_block * n * 2048;
	uint32_t scales = bounds_at(b, step) + groups_at_once(b->cfg) * y->head_bytes + i % y->per_block * n * 64;
	uint32_t part = i / y->per_block, head = part / b->halves, h = part % b->halves;
	uint32_t group = b->hp->n_head / b->hp->n_head_kv, one = b->rows == 1;
	/* one token's heads lie side by side, split all at once; else each has n blocks of its tokens */
	uint32_t split = one ? g * group : head * n * b->half;
	uint32_t block = one ? g * group : (g * group + head) * n * b->half;
	struct iau_matmul mm = { .m = p->m, .pitch = p->pitch, .kb = n, .a = c->positive[h] + split * 32,
				 .as = act_half(q, h).scale + block * 4, .w = tiles, .w_n = y->head_bytes / 64,
				 .w_k = 16, .ws = scales, .ws_n = y->scale_bytes / 64, .ws_k = 1,
				 .d = to, .d_stride = turn_bytes(b) };

	iau_cmd_patch(iau_cmd_matmul(&b->cb, mm), 2, R_GROUPS);
	mm.a = c->negative[h] + split * 32;
	mm.w += n * 1024;
	mm.cin = true;
	mm.c = mm.d;
	mm.c_stride = mm.d_stride;
	iau_cmd_patch(iau_cmd_matmul(&b->cb, mm), 2, R_GROUPS);
}

/* D = max(X, Y), rows of scores; D may be X */
static void emit_greater(struct builder *b, uint32_t d, uint32_t x, uint32_t y, uint32_t rows)
{
	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = rows, .cols = turn_bytes(b) / 4, .a = x,
					      .a_stride = turn_bytes(b), .a1 = VEC_A_B, .at_least = true, .b = y,
					      .b_stride = turn_bytes(b), .out = VEC_F32, .d = d,
					      .d_stride = turn_bytes(b) });
}

/* BEST = the greatest of every column of ROWS rows of scores */
static void fold_scores(struct builder *b, uint32_t rows, uint32_t scores, uint32_t best)
{
	for (; rows > 2; rows -= rows / 2)
		emit_greater(b, scores, scores, scores + (rows - rows / 2) * turn_bytes(b), rows / 2);
	/* of one row alone the greater of it and itself */
	emit_greater(b, best, scores, scores + (rows - 1) * turn_bytes(b), 1);
}

/*
 * One turn: the scores of all queries of KV head G, with a block or the better of its halves. One token: its heads
 * are the rows of one part. The rows of all parts are compared as they come, and those of the result at the end.
 */
static void emit_turn_scores(struct builder *b, const struct choice *c, const struct pass *p, uint32_t g,
			     uint32_t turn, struct act q)
{
	uint32_t step = g * turns_of(b) + turn, most = c->scores[turn % 3];

	emit_bound_scores(b, c, p, g, step, 0, most, q);
	for (uint32_t i = 1; i < p->parts * b->cfg->bounds.per_block; i++) {
		uint32_t scores = c->scores[(turn + 1 + i % 2) % 3];

		emit_bound_scores(b, c, p, g, step, i, scores, q);
		emit_greater(b, most, most, scores, p->m);
	}
	fold_scores(b, p->m, most, c->best[g & 1] + turn * turn_bytes(b));
}

/* Either block of a pair gets the greater score: of equal ones the lower comes first, so that they stay together. */
static void join_pairs(struct builder *b, uint32_t best)
{
	size_t none = iau_cmd_branch_zero(&b->cb, GRAPH_PAIRS);

	iau_cmd_vec(&b->cb, (struct iau_vec){ .rows = 1, .cols = turns_of(b) * turn_bytes(b) / 4, .a = best, .perm = 1,
					      .a1 = VEC_A_B, .at_least = true, .b = best, .out = VEC_F32, .d = best });
	iau_cmd_branch_here(&b->cb, none);
}

/* From the first of the layers that choose a chunk more on, the registers say so. */
void emit_more_chosen(struct builder *b, uint32_t l)
{
	size_t over = iau_cmd_branch_above(&b->cb, GRAPH_MORE, l);

	iau_cmd_salu_imm(&b->cb, SALU_ADD, GRAPH_CHOSEN, GRAPH_CHOSEN, 1);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, GRAPH_TOP, GRAPH_TOP, b->cfg->kv.chunk_blocks << 16);
	iau_cmd_salu_imm(&b->cb, SALU_ADD, GRAPH_MORE, GRAPH_MORE, b->hp->n_layer);
	iau_cmd_branch_here(&b->cb, over);
}

void emit_choice(struct builder *b, const struct choice *c, const struct pass *p, uint32_t l,
			uint32_t g, struct act q)
{
	const struct iau_kv_layout *kv = &b->cfg->kv;
	uint32_t turns = turns_of(b), *cmd;

	label_op(b, OP_BLOCK_CHOICE);
	if (b->rows > 1 || g == 0)
		split_queries(b, c, g, q);
	for (uint32_t i = 0; i < turns; i++) {
		size_t none;

		groups_of_turn(b, R_GROUPS, i);
		none = iau_cmd_branch_zero(&b->cb, R_GROUPS);
		emit_turn_scores(b, c, p, g, i, q);
		iau_cmd_branch_here(&b->cb, none);
		load_bounds(b, l, g * turns + i + 2);
	}
	join_pairs(b, c->best[g & 1]);
	cmd = iau_cmd_topk(&b->cb, (struct iau_topk){ .a = c->best[g & 1], .d = c->list + g * c->list_step,
						      .shift = (uint32_t)__builtin_ctz(kv->slab_blocks),
						      .lo = kv->block_bytes, .hi = kv->slab_bytes,
						      .by_table = is_packed(b), .table = b->table });
	iau_cmd_patch(cmd, 1, GRAPH_TOP);
	iau_cmd_patch(cmd, 2, GRAPH_FORCED);
}

/* The list of KV head G, here and where the host sees it; a row a chunk */
static struct iau_copy told_list(const struct builder *b, const struct choice *c, uint32_t g)
{
	uint32_t row = b->cfg->kv.chunk_blocks * 4;

	return (struct iau_copy){ .va = b->cfg->chosen_va + (uint64_t)g * iau_chosen_bytes(&b->cfg->kv),
				  .addr = c->list + g * c->list_step, .row_bytes = row, .mem_stride = row, .stride = row };
}

void store_chosen(struct builder *b, const struct choice *c)
{
	for (uint32_t g = 0; g < b->hp->n_head_kv; g++)
		iau_cmd_patch(iau_cmd_store(&b->cb, told_list(b, c, g)), 4, GRAPH_CHOSEN);
}

void load_told_choice(struct builder *b, const struct choice *c)
{
	for (uint32_t g = 0; g < b->hp->n_head_kv; g++)
		iau_cmd_patch(iau_cmd_load(&b->cb, told_list(b, c, g)), 4, GRAPH_CHOSEN);
}

static struct older chosen_blocks(const struct builder *b, const struct choice *c, uint32_t l, uint32_t g)
{
	return (struct older){ head_va(b->cfg, l, g), c, c->list + g * c->list_step, l, g };
}

void load_behind(struct builder *b, const struct older *o, bool newest)
{
	uint32_t n_kv = b->hp->n_head_kv, pass = o->layer * n_kv + o->head;
	bool ahead = kv_passes_ahead(b->hp) == 2;

	if (ahead && newest)
		emit_kv_prefetch(b, o->layer, o->head + 2);
	if (o->head + 1 == n_kv) {
		emit_bounds_prefetch(b, o->layer + 1);
	} else if (o->choice) {
		struct older next = chosen_blocks(b, o->choice, o->layer, o->head + 1);

		load_listed(b, &next, place_at(b, pass + 3), GRAPH_CHOSEN);
	}
	if (ahead && !newest)
		emit_kv_prefetch(b, o->layer, o->head + 2);
}

/* The first chunk is on its way, or asked for; then the blocks of the next KV head are chosen. */
void emit_chosen_chunks(struct builder *b, const struct choice *c, const struct pass *p, uint32_t l,
			uint32_t g, struct act q, struct place first, struct place second)
{
	struct older chosen = chosen_blocks(b, c, l, g);

	label_op(b, OP_KV_CACHE);
	if (g == 0)
		load_listed(b, &chosen, first, GRAPH_CHOSEN);
	if (g + 1 < b->hp->n_head_kv && !b->cfg->is_part)
		emit_choice(b, c, p, l, g + 1, q);
	label_op(b, OP_KV_CACHE);
	emit_older_loop(b, p, &chosen, first, second);
}
