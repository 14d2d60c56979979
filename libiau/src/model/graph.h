/* SPDX-License-Identifier: MIT */
/*
 * The model as a command buffer: built once for a number of rows, replayed for every token.
 * What changes from token to token comes in the parameter block.
 */
#ifndef IAU_MODEL_GRAPH_H
#define IAU_MODEL_GRAPH_H

#include "command/command.h"
#include "iau/model.h"
#include "model/weights.h"

/*
 * Registers that the host sets. Attention takes the newest chunk of keys first, which holds the new
 * tokens', and then the chunks before it, which are full.
 *
 * A batch has such a block for each sequence, in the vector scratchpad: what attention needs is the
 * first half, which is taken up into either half of the registers; the second goes into the second.
 */
enum iau_graph_param {
	GRAPH_CHUNK,	/* byte offset of the newest chunk in a layer's cache; in a batch the lower address */
	GRAPH_BLOCKS,	/* blocks of 32 tokens in it */
	GRAPH_COLS,	/* its keys, in the upper half */
	GRAPH_LIMIT,	/* its keys that the first row may see */
	GRAPH_NEW_KV,	/* byte offset of the new keys in the chunk; of values, too */
	GRAPH_NEW_KS,	/* ... of the keys' scales among those of the chunk */
	GRAPH_NEW_VS,	/* ... of the values' scales among those of the chunk */
	GRAPH_FULL,	/* chunks before it */
	GRAPH_HI,	/* batch: the upper half of the cache's addresses */
	GRAPH_AHEAD_CHUNK, /* batch: CHUNK, BLOCKS and HI of the sequence that is asked for meanwhile */
	GRAPH_AHEAD_BLOCKS,
	GRAPH_AHEAD_HI,
	GRAPH_BASE,	/* batch: the lower half of the address of the cache */
	GRAPH_LOOP,	/* three that loops over full chunks use */
	/* many rows, where batches have theirs: bytes of the new tokens in a tile, and of both sorts of scales */
	GRAPH_KV_BYTES = GRAPH_HI,
	GRAPH_KS_BYTES,
	GRAPH_VS_BYTES,
	GRAPH_PAIRS,	/* sparse attention: not 0 if two neighbouring blocks are chosen together */
	GRAPH_SECOND,	/* many rows: those that are tokens; the graph makes of it those of its second half */

	GRAPH_TOKEN = 16, /* one row: byte offset of the token's embedding */
	GRAPH_ROPE,	/* byte offset of the first position in the rope table */
	GRAPH_KV_AT,	/* byte offset of the new keys in a layer's and head's cache; of values, too */
	GRAPH_KS_AT,	/* ... of the keys' scales */
	GRAPH_VS_AT,	/* ... of the values' scales; in a batch these three are lower addresses */
	GRAPH_KV_HI,	/* HI once more */
	GRAPH_ROW,	/* which row gets logits, if one of many does */
	GRAPH_CHOICE,	/* steps: the next token; at the start bytes of the registers of all */
	/* of sparse attention */
	GRAPH_TOP,	/* blocks of full chunks, and in the upper half how many of them are chosen */
	GRAPH_FORCED,	/* first blocks that always are, and in the upper half last ones */
	GRAPH_CHOSEN,	/* chunks that the chosen ones are */
	GRAPH_GROUPS,	/* tiles of bounds that those blocks have */
	GRAPH_DENSE,	/* layers, from the first, that do without choice */
	GRAPH_MORE,	/* the first layer that chooses one chunk more, as do those behind it */
	GRAPH_SPARSE_LOOP, /* two that its loops use */
	/* batch, where a choice has its: the address of the table of blocks, if some may be packed */
	GRAPH_TABLE = GRAPH_TOP,
	GRAPH_TABLE_HI,
	/* a graph that goes on by itself, where batches and many rows have theirs */
	GRAPH_LEFT = GRAPH_KV_HI, /* steps, or runs, after this one */
	GRAPH_STEP = GRAPH_ROW, /* byte offset of this step's registers; of the next run's */
	GRAPH_PARAMS = IAU_PARAM_BYTES / 4,
};

/*
 * The KV buffer: slabs, each of so many tokens that a layer's part of it is whole pages; the parts of all
 * layers lie side by side, and each grows from its start with the sequence. So what there is of a short
 * sequence lies close together, for few translations, and a chunk still lies in one piece.
 *
 * A block of 32 tokens holds the tiles of all KV heads, of each its keys and its values; then the scales
 * of the keys; then those of the values. Tiles are all alike, and so are scales: the new ones of a
 * token, whatever the number of heads, are one STORE of each.
 */
struct iau_kv_layout {
	uint32_t n_ctx; /* a multiple of 32 */
	uint32_t chunk_blocks; /* what attention takes at a time */
	uint32_t slab_blocks;  /* whole chunks */
	uint64_t va;
	uint32_t key_bytes;    /* tiles of a head's keys in a block */
	uint32_t head_bytes;   /* ... and of its values */
	uint32_t kscale_bytes; /* scales of a head's keys in a block; of its values: 128 */
	uint32_t kscale_at, vscale_at; /* in a block */
	uint32_t block_bytes;
	uint32_t layer_bytes, slab_bytes; /* of a slab: a layer's, all */
};

/*
 * A packed cache: keys or values, or both, of 4 bits, the upper four of what they were in INT8. 128 bytes of
 * tiles v become 64: of byte i the lower four bits are those of v[i], with an offset of 8, the upper ones those of
 * v[i + 64]. LOAD with UNPACK makes INT8 of them again, whose lower four bits are 8, in the middle. Scales
 * stay.
 */
struct iau_kv_layout iau_kv_layout_packed(const struct iau_hparams *hp, const struct iau_kv_layout *kv,
					  uint32_t key_bits, uint32_t value_bits);

/* Bits of keys and of values in a packed layout; 8 if there is none */
uint16_t iau_kv_key_bits(const struct iau_kv_layout *kv, const struct iau_kv_layout *packed);
uint16_t iau_kv_value_bits(const struct iau_kv_layout *kv, const struct iau_kv_layout *packed);

/*
 * Bounds of the keys of each full block of 32 tokens, by which sparse attention chooses: of every channel
 * the greatest and the least, INT8, with an fp16 scale for 32 channels of a block and head. 32 blocks are a
 * group; of a group, layer and head they are tiles whose rows are blocks, those of the greatest and then
 * those of the least, and the scales of a layer's heads follow its tiles. If each half of a block has bounds of
 * its own, those of all second halves follow those of the first ones, tiles and scales alike.
 */
struct iau_bounds_layout {
	uint64_t va;
	uint32_t per_block; /* 1, or 2: of each half */
	uint32_t head_bytes, scale_bytes; /* of a head in a group: tiles, scales */
	uint32_t layer_bytes, group_bytes;
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
	OP_BLOCK_CHOICE,
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
	OP_NEXT_TOKEN,
	IAU_OPS,
};

#define IAU_OP_NAMES { \
	"embedding", "attention norm", "qkv projection", "q, k norm", "rope", "kv quantise", "kv cache", \
	"block choice", "attention scores", "softmax", "attention values", "attention output", "ffn norm", \
	"ffn gate, up", "ffn activation", "ffn down", "output norm", "logits", \
	"next token" }

/* Labels of commands: the operator, and the layer above it. */
#define IAU_LABEL(layer, op) ((uint16_t)((layer) << 5 | (op)))
#define IAU_LABEL_OP(label) ((label) & 31u)
#define IAU_LABEL_LAYER(label) ((label) >> 5)

enum iau_graph_logits {
	LOGITS_NONE,
	LOGITS_ALL, /* of every row */
	LOGITS_ONE, /* of the row at GRAPH_ROW */
	LOGITS_NEXT, /* of one row, which is followed by the likeliest token: see generate.c */
	IAU_GRAPH_LOGITS,
};

#define GRAPH_STEPS 128u /* of a job that goes on by itself, at most */
#define GRAPH_RUNS 64u	 /* of a prompt without logits: see prompt.c */

/* What a run over many rows takes from memory: where their embeddings are, and its registers */
struct iau_graph_run {
	uint32_t embd[32];
	uint32_t param[GRAPH_PARAMS];
};

struct iau_graph {
	uint16_t *labels; /* one a command */
	uint32_t rows; /* tokens a run: 1, more up to 32, or a batch's */
	bool runs;     /* takes up registers of runs by itself: see prompt.c */
	struct iau_buffer buf;
	size_t bytes;
};

/* What the builder needs to know. */
struct iau_graph_config {
	const struct iau_hparams *hp;
	const struct iau_weights *w;
	struct iau_kv_layout kv;
	struct iau_bounds_layout bounds;
	/*
	 * If slabs may be packed (block_bytes is not 0): their layout, whose VA is behind that of KV by less
	 * than 4 GiB, and a table, for each block its offset from the VA of KV, and 1 if it is packed. A batch's
	 * tables are where registers say
	 */
	struct iau_kv_layout packed;
	uint64_t table_va;
	bool sparse; /* attention may leave blocks out */
	/*
	 * Only a part of the model, with a choice of blocks: layers FROM to TO - 1, and of layer TO, if there is one, the
	 * choice for each KV head, of which lists go to CHOSEN_VA, iau_chosen_bytes() apart. From part to part the rows
	 * lie at ROWS_VA.
	 */
	bool is_part;
	uint32_t from, to;
	uint64_t chosen_va;
	uint64_t rows_va; /* [ROWS][n_embd] fp32: also of rows that are too wide for the scratchpad */
	/*
	 * Many rows: a struct iau_graph_run, of which those with logits have the registers from the host; without logits
	 * as many as the job has runs, and one that nobody uses. A batch, and steps: blocks of registers
	 */
	uint64_t tokens_va;
	uint64_t logits_va; /* ROWS x n_vocab fp32 */
	/* tokens that end a text, which no graph goes on with by itself */
	const int32_t *stop;
	uint32_t n_stop;
	uint32_t vsp_bytes;
};

/* Whether keys and queries are rotated, as they are if keys get 4 bits: see rotation.c */
static inline bool iau_keys_rotated(const struct iau_graph_config *cfg)
{
	return iau_kv_key_bits(&cfg->kv, &cfg->packed) == 4;
}

struct iau_kv_layout iau_kv_layout(const struct iau_hparams *hp, uint32_t n_ctx);
/* The same cache in the smaller chunks of a batch */
struct iau_kv_layout iau_kv_layout_batch(const struct iau_kv_layout *kv);
uint64_t iau_kv_bytes(const struct iau_kv_layout *kv);
/* Byte offset of a block in a layer's cache */
uint32_t iau_kv_block_at(const struct iau_kv_layout *kv, uint32_t block);

/*
 * The registers of a run over ROWS tokens from POS on, which lie in one block of 32; TOKEN, ROW and what batches
 * have more aside. A graph may have more rows than that: they leave nothing.
 */
void iau_graph_params(const struct iau_hparams *hp, const struct iau_kv_layout *kv, uint32_t pos,
		      uint32_t rows, uint32_t *param);

/*
 * The registers of a batch of N sequences: AT[i], what iau_graph_params() and GRAPH_TOKEN made of each,
 * gets the addresses of its cache at VA[i], which crosses no line of 4 GiB.
 */
void iau_batch_params(const struct iau_hparams *hp, const uint64_t *va, uint32_t n,
		      uint32_t (*at)[GRAPH_PARAMS]);

struct iau_bounds_layout iau_bounds_layout(const struct iau_hparams *hp, uint32_t per_block);
/* Bytes of the bounds of so many tokens */
uint64_t iau_bounds_bytes(const struct iau_bounds_layout *bounds, uint32_t tokens);

/*
 * What sparse attention takes; see struct iau_attention. Chunks that a layer attends to, with the newest, 0 =
 * all; the number of layers, the last ones, that take one more; the others in blocks of 32 tokens and layers.
 */
struct iau_sparse {
	uint32_t chunks, more, sink, recent, dense_layers;
	bool pairs; /* of neighbouring blocks are chosen together; SINK is even then */
};

/* Full blocks that sparse attention would choose among for tokens from POS on in its block; 0 if all */
uint32_t iau_sparse_candidates(const struct iau_kv_layout *kv, const struct iau_sparse *sparse, uint32_t pos);
/* More registers of a run, for a graph with sparse attention */
void iau_sparse_params(const struct iau_hparams *hp, const struct iau_kv_layout *kv,
		       const struct iau_sparse *sparse, uint32_t pos, uint32_t *param);

/* Bytes that a list of blocks may take */
uint32_t iau_chosen_bytes(const struct iau_kv_layout *kv);
/* Blocks that layer L chooses for each KV head with those registers; 0: it attends to all */
uint32_t iau_sparse_chosen(const uint32_t *param, const struct iau_kv_layout *kv, uint32_t l);

/* The bounds of a block, of all layers: registers of a run */
void iau_bounds_params(const struct iau_graph_config *cfg, uint32_t block, uint32_t *param);
int iau_bounds_build(struct iau_device *dev, const struct iau_graph_config *cfg, struct iau_graph *out);

/* Packing of a slab: where its layers lie in both forms, from the VAs on */
void iau_pack_params(const struct iau_graph_config *cfg, uint32_t slab, uint32_t *param);
int iau_pack_build(struct iau_device *dev, const struct iau_graph_config *cfg, struct iau_graph *out);

/* -ENOSPC if ROWS rows do not fit the vector scratchpad. */
int iau_graph_build(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t rows,
		    enum iau_graph_logits logits, struct iau_graph *out);
/*
 * One token for each of N sequences, 1 to IAU_BATCH_MAX; CFG's KV layout is that of a batch. Unless IS_LONG,
 * none may have full chunks: the commands for them take time to fetch even if they are skipped.
 */
int iau_graph_build_batch(struct iau_device *dev, const struct iau_graph_config *cfg, uint32_t n,
			  bool is_long, struct iau_graph *out);
/* Commands as they are, ended, become a graph of so many rows; they are freed in any case. */
int iau_graph_finish(struct iau_device *dev, struct iau_cmdbuf *cb, uint32_t rows, struct iau_graph *out);
void iau_graph_free(struct iau_device *dev, struct iau_graph *g);

#endif
