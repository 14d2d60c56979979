/* SPDX-License-Identifier: MIT */
/* State shared by the parts of the graph builder. */
#ifndef IAU_MODEL_BUILDER_H
#define IAU_MODEL_BUILDER_H

#include "model/graph.h"

/*
 * The tile scratchpad: a ring of weight chunks, then three places for a chunk of keys and values: in
 * use, filled for the next pass, for more of this one and then perhaps for the pass after the next.
 * Everything starts at a granule, so that nothing waits for a neighbour.
 */
#define KV_BYTES 0x9000u
#define KV_PLACES 3u
#define RING_BYTES (IAU_TSP_BYTES - KV_PLACES * KV_BYTES)
#define KV_TSP (IAU_TSP_BASE + RING_BYTES)
#define CHUNK_BYTES 0x8000u /* the largest chunk of weights */
#define MAX_CHUNKS 65536

/* A chunk of weights: a run of tile columns, loaded ahead of its use. */
struct chunk {
	uint64_t va;
	uint32_t bytes;
	uint32_t at;   /* in the ring */
	uint32_t span; /* what it takes of the ring, the unused end included if it starts over */
	uint16_t label; /* of the product that uses it */
};

/*
 * A quantised activation matrix: for each half of the rows blocks (k, row) k-major, and their scales.
 * The halves are STEPs apart and share no granule.
 */
struct act {
	uint32_t data, scale, data_step, scale_step;
};

struct builder {
	const struct iau_graph_config *cfg;
	const struct iau_hparams *hp;
	const struct iau_weights *w;
	struct iau_cmdbuf cb;
	uint32_t rows;
	/*
	 * Many rows go in two halves of as many rows each, a product of one after a product of the
	 * other by the same weights: while one half is at the vector unit the matrix engine has the
	 * other.
	 */
	uint32_t halves, half;
	uint32_t vsp, vsp_peak; /* stack of vector scratchpad allocations */
	struct chunk *chunk;	/* of the first pass, so that the second can load ahead */
	size_t n_chunks, next_load, cur, used; /* CUR is the next one, USED those whose products are queued */
	uint32_t ring_next, ring_used;
	bool planning;
	/* persistent buffers of the vector scratchpad */
	uint32_t x, pack[2], rope, stat, vscale[KV_PLACES];
	struct act act;
	uint32_t fresh; /* new keys and values of every KV head: STOREs may be slow to read them */
};

/* BYTES in whole granules: what does not share one with a neighbour does not wait for it. */
static inline uint32_t vsp_round(uint32_t bytes)
{
	return (bytes + IAU_VSP_GRANULE - 1) & ~(IAU_VSP_GRANULE - 1);
}

uint32_t vsp_alloc(struct builder *b, uint32_t bytes);
/*
 * For second operands. A scratchpad bank gives one vector a cycle, and neighbouring vectors are in
 * neighbouring banks: what starts a bank later than a granule is read beside what starts at one.
 */
uint32_t vsp_alloc_beside(struct builder *b, uint32_t bytes);
struct act act_alloc(struct builder *b, uint32_t cols);

static inline struct act act_half(struct act act, uint32_t h)
{
	act.data += h * act.data_step;
	act.scale += h * act.scale_step;
	return act;
}

/* What the commands to come are for; returns what they were for before. */
static inline uint16_t label(struct builder *b, uint32_t layer, enum iau_op op)
{
	uint16_t before = b->cb.label;

	b->cb.label = IAU_LABEL(layer, op);
	return before;
}

/* The same in the layer at hand */
static inline uint16_t label_op(struct builder *b, enum iau_op op)
{
	return label(b, IAU_LABEL_LAYER(b->cb.label), op);
}

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
void load_ahead(struct builder *b);

/*
 * Attention of a layer between its projections. Q, K, V: what the projections give, [ROWS][heads *
 * head_dim] fp32, turned and quantised by the functions below; queries and the new keys and values
 * remain.
 */
struct attention {
	uint32_t q, k, v;
	struct act queries;
	uint32_t scratch; /* of the vector scratchpad from here on Q, K and V lie, last */
};

struct attention attention_alloc(struct builder *b);
uint32_t fresh_alloc(struct builder *b);
void emit_new_values(struct builder *b, uint32_t l, const struct attention *a);
void emit_new_keys(struct builder *b, uint32_t l, const struct attention *a);
void emit_queries(struct builder *b, uint32_t l, const struct attention *a);
/*
 * OUT: blocks for the output projection. The keys and values of the passes ahead of the first must have been asked
 * for by emit_kv_prefetch(). Takes Q, K and V's place.
 */
void emit_attention(struct builder *b, uint32_t l, const struct attention *a, struct act out);
/*
 * A pass is a layer and KV head. Behind weights asked for before, a chunk of keys takes longer to come
 * than one head of the same layer takes; a whole layer gives it time, and attention leaves memory idle.
 */
static inline uint32_t kv_passes_ahead(const struct iau_hparams *hp)
{
	return hp->n_head_kv > 1 ? 2 : 1;
}

void emit_kv_prefetch(struct builder *b, uint32_t pass);

#endif
