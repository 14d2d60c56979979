/* SPDX-License-Identifier: MIT */
/* State shared by the parts of the graph builder. */
#ifndef IAU_MODEL_BUILDER_H
#define IAU_MODEL_BUILDER_H

#include "model/graph.h"

/* The tile scratchpad: a ring of slots for weights, then room for a chunk of keys and values. */
#define SLOT_BYTES 0x8000u
#define N_SLOTS 6u
#define KV_TSP (IAU_TSP_BASE + N_SLOTS * SLOT_BYTES)
#define K_TSP_BYTES 0x5000u
#define MAX_CHUNKS 65536

/* A chunk of weights: a run of tile columns, loaded ahead of its use. */
struct chunk {
	uint64_t va;
	uint32_t bytes;
};

struct builder {
	const struct iau_graph_config *cfg;
	const struct iau_hparams *hp;
	const struct iau_weights *w;
	struct iau_cmdbuf cb;
	uint32_t rows;
	uint32_t vsp, vsp_peak; /* stack of vector scratchpad allocations */
	struct chunk *chunk;	/* of the first pass, so that the second can load ahead */
	size_t n_chunks, next_load, cur;
	bool planning;
	/* persistent buffers of the vector scratchpad */
	uint32_t x, zeros, pack[2], rope, act, act_scale, stat;
};

/* A quantised activation matrix: blocks (k, row) k-major, and their scales. */
struct act {
	uint32_t data, scale;
};

uint32_t vsp_alloc(struct builder *b, uint32_t bytes);

/* OUT[r][n] = CIN + ACT . M^T for the columns FIRST .. FIRST + COUNT - 1 of tiles. */
struct linear {
	const struct iau_matrix *m;
	struct act act;
	uint32_t first, count;
	uint32_t out, out_stride;
	bool cin;
	uint32_t c, c_stride;
};

void emit_linear(struct builder *b, struct linear lin);
void emit_rmsnorm_q8(struct builder *b, uint32_t x, uint32_t n, uint32_t weight, struct act out);
void emit_q8(struct builder *b, uint32_t rows, uint32_t src, uint32_t stride, uint32_t cols,
	     struct act out);
void emit_attention(struct builder *b, uint32_t l, uint32_t qkv, uint32_t stride, struct act out);

#endif
