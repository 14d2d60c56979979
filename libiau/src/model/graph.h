/* SPDX-License-Identifier: MIT */
/*
 * The model as a command buffer: built once for a number of rows, replayed for every token.
 * What changes from token to token comes in the parameter block.
 */
#ifndef IAU_MODEL_GRAPH_H
#define IAU_MODEL_GRAPH_H

#include "command/command.h"
#include "model/weights.h"

/*
 * Registers that the host sets. Attention takes the newest chunk of keys first, which holds the new
 * tokens', and then the chunks before it, which are full.
 */
enum iau_graph_param {
	GRAPH_TOKEN,	/* one row: byte offset of the token's embedding */
	GRAPH_ROPE,	/* byte offset of the first position in the rope table */
	GRAPH_KV_AT,	/* byte offset of the new keys in a layer's and head's cache; of values, too */
	GRAPH_KS_AT,	/* ... of the keys' scales */
	GRAPH_VS_AT,	/* ... of the values' scales */
	GRAPH_CHUNK,	/* ... of the newest chunk */
	GRAPH_BLOCKS,	/* blocks of 32 tokens in it */
	GRAPH_COLS,	/* its keys, in the upper half */
	GRAPH_LIMIT,	/* its keys that the first row may see */
	GRAPH_NEW_KV,	/* byte offset of the new keys in the chunk; of values, too */
	GRAPH_NEW_KS,	/* ... of the keys' scales among those of the chunk */
	GRAPH_NEW_VS,	/* ... of the values' scales among those of the chunk */
	GRAPH_FULL,	/* chunks before it */
	GRAPH_ROW,	/* byte offset of the row that gets logits, if one of many does */
	GRAPH_PARAMS,
};

/* Blocks of a chunk of keys: what the tile scratchpad has room for. */
static inline uint32_t iau_chunk_blocks(uint32_t head_dim)
{
	return head_dim == 64 ? 8 : 4;
}

/*
 * The KV buffer: a region for each layer, which grows from its start with the sequence. In it, a block
 * of 32 tokens holds the tiles of all KV heads, of each its keys and its values; then the scales of
 * the keys; then those of the values. Tiles are all alike, and so are scales: the new ones of a token,
 * whatever the number of heads, are one STORE of each.
 */
struct iau_kv_layout {
	uint32_t n_ctx; /* a multiple of 32 */
	uint64_t va;
	uint32_t head_bytes;   /* tiles of a head in a block */
	uint32_t kscale_bytes; /* scales of a head's keys in a block; of its values: 128 */
	uint32_t kscale_at, vscale_at; /* in a block */
	uint32_t block_bytes;
	uint64_t layer_bytes; /* whole pages */
};

/* What commands are for, by the names that users know */
enum iau_op {
	OP_EMBEDDING,
	OP_ATTN_NORM,
	OP_QKV,
	OP_QK_NORM,
	OP_ROPE,
	OP_KV_QUANTISE,
	OP_KV_CACHE,
	OP_ATTN_SCORES,
	OP_SOFTMAX,
	OP_ATTN_VALUES,
	OP_ATTN_OUTPUT,
	OP_FFN_NORM,
	OP_FFN_GATE_UP,
	OP_FFN_ACTIVATION,
	OP_FFN_DOWN,
	OP_OUTPUT_NORM,
	OP_LOGITS,
	IAU_OPS,
};

#define IAU_OP_NAMES { \
	"embedding", "attention norm", "qkv projection", "q, k norm", "rope", "kv quantise", "kv cache", \
	"attention scores", "softmax", "attention values", "attention output", "ffn norm", \
	"ffn gate, up", "ffn activation", "ffn down", "output norm", "logits" }

/* Labels of commands: the operator, and the layer above it. */
#define IAU_LABEL(layer, op) ((uint16_t)((layer) << 5 | (op)))
#define IAU_LABEL_OP(label) ((label) & 31u)
#define IAU_LABEL_LAYER(label) ((label) >> 5)

enum iau_graph_logits {
	LOGITS_NONE,
	LOGITS_ALL, /* of every row */
	LOGITS_ONE, /* of the row at GRAPH_ROW */
	IAU_GRAPH_LOGITS,
};

struct iau_graph {
	uint16_t *labels; /* one a command */
	uint32_t rows; /* tokens a run: 1, or a divisor of 32 that starts at its multiples */
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
/* Of a layer's region, with TOKENS tokens: whole blocks. */
uint64_t iau_kv_used(const struct iau_kv_layout *kv, uint32_t tokens);

/* The registers of a run over ROWS tokens from POS on, GRAPH_TOKEN and GRAPH_ROW aside. */
void iau_graph_params(const struct iau_hparams *hp, const struct iau_kv_layout *kv, uint32_t pos,
		      uint32_t rows, uint32_t *param);

/* -ENOSPC if ROWS rows do not fit the vector scratchpad. */
int iau_graph_build(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t rows,
		    enum iau_graph_logits logits, struct iau_graph *out);
void iau_graph_free(struct iau_device *dev, struct iau_graph *g);

#endif
