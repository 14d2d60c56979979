/* SPDX-License-Identifier: MIT */
/*
 * The model as a command buffer: built once for a number of rows, replayed for every token.
 * What changes from token to token comes in the parameter block.
 */
#ifndef IAU_MODEL_GRAPH_H
#define IAU_MODEL_GRAPH_H

#include "command/command.h"
#include "model/weights.h"

/* Registers that the host sets; the device derives the rest. */
enum iau_graph_param {
	GRAPH_BLOCKS,	/* KV blocks of 32 tokens to attend to, the new tokens' included */
	GRAPH_LIMIT,	/* position of the first row plus one: the keys that it may see */
	GRAPH_ROPE,	/* byte offset of the first position in the rope table */
	GRAPH_K_AT,	/* byte offset of the new keys in a key cache */
	GRAPH_KS_AT,	/* ... of their scales */
	GRAPH_V_AT,	/* ... of the new values in a value cache */
	GRAPH_VS_AT,	/* ... of their scales in a value scale array */
	GRAPH_PARAMS,
};

/* Where a layer's and KV head's caches lie in the KV buffer. Blocks of 32 tokens. */
struct iau_kv_layout {
	uint32_t n_ctx; /* a multiple of 32 */
	uint64_t va;
	uint64_t k_bytes, v_bytes, vs_bytes; /* of one head's array */
	uint64_t head_bytes;		     /* of all three */
};

struct iau_graph {
	uint32_t rows; /* tokens a run: 1, or a divisor of 32 that starts at its multiples */
	bool logits;
	struct iau_buffer buf;
	size_t bytes;
};

/* What the builder needs to know. */
struct iau_graph_config {
	const struct iau_hparams *hp;
	const struct iau_weights *w;
	struct iau_kv_layout kv;
	uint64_t tokens_va; /* ROWS x u32: byte offset of each token's embedding row */
	uint64_t logits_va; /* ROWS x n_vocab fp32 */
	uint32_t vsp_bytes;
};

struct iau_kv_layout iau_kv_layout(const struct iau_hparams *hp, uint32_t n_ctx);
uint64_t iau_kv_bytes(const struct iau_hparams *hp, const struct iau_kv_layout *kv);

/* -ENOSPC if ROWS rows do not fit the vector scratchpad. */
int iau_graph_build(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t rows,
		    bool logits, struct iau_graph *out);

#endif
