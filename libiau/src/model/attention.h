/* SPDX-License-Identifier: MIT */
/* The parts of attention: the KV cache, what a pass over a layer and KV head does, and both for batches. */
#ifndef IAU_MODEL_ATTENTION_H
#define IAU_MODEL_ATTENTION_H

#include "model/builder.h"

/* Scalar registers of the loop over full chunks, of the sequence's half. */
enum { R_REM = GRAPH_LOOP, R_AT, R_ROWS };

/* Commands take the registers of the sequence at hand. */
static inline void patch_seq(const struct builder *b, uint32_t *cmd, unsigned int word, unsigned int reg)
{
	iau_cmd_patch(cmd, word, b->regs + reg);
}

/* Whether rows are tokens of one sequence */
static inline bool is_prompt(const struct builder *b)
{
	return b->rows > 1 && !b->seqs;
}

/* Whether new keys and values are of many tokens of one sequence: of how many, registers say */
static inline bool brings_many(const struct builder *b)
{
	return b->fresh_rows > 1 && !b->seqs;
}

/* Whether the graph is of one token: its products wait for weights, and keys wait behind those */
static inline bool is_decode(const struct builder *b)
{
	return b->fresh_rows == 1;
}

static inline uint32_t hd_blocks(const struct builder *b)
{
	return b->hp->head_dim / 32;
}

static inline uint32_t chunk_keys(const struct builder *b)
{
	return b->cfg->kv.chunk_blocks * 32;
}

/*
 * New keys and values of a KV head, quantised: rows of its key tiles, then of its value tiles, at equal
 * distances through all heads, and so the scales. Keys and values and heads share no granule.
 */
struct fresh {
	uint32_t k, v, ks, vs;
};

#define KSCALE_STEP (IAU_VSP_GRANULE / 2) /* from block to block of keys, of which no head has less than two */
#define VSCALE_STEP IAU_VSP_GRANULE	   /* from head to head */

/*
 * Whether new keys and values are stored head by head, and come back with their chunks: beside rows in memory there is
 * no room for those of all heads.
 */
static inline bool kv_through_memory(const struct builder *b)
{
	return b->in_memory && !b->seqs;
}

static inline uint32_t tile_step(const struct builder *b)
{
	return b->fresh_rows * 32 < IAU_VSP_GRANULE / 2 ? IAU_VSP_GRANULE / 2 : b->fresh_rows * 32;
}

uint32_t fresh_alloc(struct builder *b);
struct fresh fresh_at(const struct builder *b, uint32_t head);

/* A KV head's part of a layer's first block, and how much further it is in a packed one */
struct head_va {
	uint64_t kv, kscale, vscale;
	struct {
		int32_t keys, values, kscale, vscale;
	} packed;
};

struct head_va head_va(const struct iau_graph_config *cfg, uint32_t layer, uint32_t head);

/* Where a chunk lies on the device: blocks of keys and values, scales of keys, scales of values. */
struct place {
	uint32_t kv, kscale, vscale;
};

struct place place_at(const struct builder *b, uint32_t pass);

/* Registers that say where a chunk is and how many blocks it has, 0 loads nothing. */
struct chunk_regs {
	unsigned int at, hi, blocks;
};

void load_chunk(struct builder *b, struct head_va va, struct place to, struct chunk_regs regs);
/* The chunks before the newest, in order: all full ones, or those of the blocks that are in a list */
struct older {
	struct head_va va;
	const struct choice *choice; /* NULL: all */
	uint32_t list; /* of the blocks; without a choice, if some may be packed, of all */
	uint32_t layer, head; /* of sparse attention */
};

/* All of them, of a layer, sequence and KV head */
struct older all_older(const struct builder *b, uint32_t layer, uint32_t seq, uint32_t head);
/* The last of so many chunks of the blocks on O's list as register LEFT says, if any */
void load_listed(struct builder *b, const struct older *o, struct place to, unsigned int left);
/* The newest chunk of PASS, counted through all layers, labelled as its layer's; none behind the last one at work */
void load_newest(struct builder *b, uint32_t pass, struct chunk_regs regs);
/* The last of so many full chunks of O as register LEFT says, if any: R_AT becomes its place */
void load_full(struct builder *b, const struct older *o, struct place to, unsigned int left);
/*
 * New tokens of a KV head into the chunk at hand: of a batch the one in row ROW, else as many from there on as
 * are in the block that the first is in
 */
void insert_fresh(struct builder *b, struct place at, const struct fresh *f, uint32_t row);
/* ... one after the other, of many tokens */
void insert_fresh_keys(struct builder *b, struct place at, const struct fresh *f);
void insert_fresh_values(struct builder *b, struct place at, const struct fresh *f);
/* ... of N KV heads from G on into the cache, for the tokens that follow: PART of STORE_PARTS */
#define STORE_PARTS 3u
void store_fresh(struct builder *b, uint32_t layer, uint32_t g, uint32_t n, uint32_t row, uint32_t part);
/* All parts, but of a batch */
void emit_stores(struct builder *b, uint32_t layer, uint32_t g, uint32_t n);
/* Those of KV head G through memory, and the first chunks behind them */
void emit_kv_stored(struct builder *b, uint32_t layer, uint32_t g);

/* Rows that share a matrix product: all heads of a group for one token, else the tokens of a head. */
struct part {
	struct act q;
	uint32_t max, sum, o;
};

#define TURNS 3u
#define TURN_BYTES 0x4000u /* of half-turned queries of a batch */

/* A pass: a layer and KV head, and in a batch a sequence */
struct pass {
	uint32_t m, parts, pitch;
	struct part part; /* the first; the others follow at equal distances, halves of a head in turns */
	uint32_t q_step, o_step;
	/* of each in turns, so that the products of other parts overlap a softmax */
	uint32_t scores[TURNS];
	struct act p[TURNS];
	uint32_t old, alpha, inv;
};

/* Bytes of one scalar a row, for as many rows as there may be: a vector */
#define ROW_SCALARS 128u

/* The steps for part I; the first chunk's number of blocks is in a register. */
void emit_scores(struct builder *b, const struct pass *p, struct place at, uint32_t i, bool first);
void emit_softmax(struct builder *b, const struct pass *p, struct place at, uint32_t i, bool first);
void emit_values(struct builder *b, const struct pass *p, struct place at, uint32_t i, bool first);
/*
 * One chunk for all parts. Scores of the next two go ahead of a softmax, so that the vector unit,
 * which takes longer than one product, has not much left when they are all done. LATE: new values that
 * it gets behind the first scores, or NULL: a granule of tiles has keys and values.
 */
void emit_chunk(struct builder *b, const struct pass *p, struct place at, bool first, const struct fresh *late);
/*
 * The choice of blocks: of each half queries by sign; in turns scores of bounds, and the best of each block;
 * what was chosen
 */
struct choice {
	uint32_t positive[2], negative[2], scores[3], best[2], list, list_step;
};

struct choice choice_alloc(struct builder *b, const struct pass *p);
/* For the first KV heads of a layer; none behind the last */
void emit_bounds_prefetch(struct builder *b, uint32_t l);
/* Before the first choice of a layer */
void emit_more_chosen(struct builder *b, uint32_t l);
/* Of KV head G; all blocks of one are chosen before the next one's */
void emit_choice(struct builder *b, const struct choice *c, const struct pass *p, uint32_t l, uint32_t g,
		 struct act q);
/* What was chosen, for the host to know */
void store_chosen(struct builder *b, const struct choice *c);
/* ... and back, for all KV heads of a layer */
void load_told_choice(struct builder *b, const struct choice *c);
/*
 * Backwards, two a turn: one place is filled, one in use. The first must have been asked for; without any
 * nothing happens.
 */
void emit_older_loop(struct builder *b, const struct pass *p, const struct older *o, struct place first,
		     struct place second);
/*
 * What comes behind the last chunk of O: the newest chunk of the pass after the next one, and chosen blocks
 * of the next head or bounds of the next layer. Only one of the places that they take need be free when the
 * last chunk is worked on; NEWEST: that of the newest chunk, so it goes first.
 */
void load_behind(struct builder *b, const struct older *o, bool newest);
/* The chosen blocks of KV head G; the choice for the one after it is made meanwhile. */
void emit_chosen_chunks(struct builder *b, const struct choice *c, const struct pass *p, uint32_t l,
			uint32_t g, struct act q, struct place first, struct place second);
/* Of the tile scratchpad, one of two places for bounds */
uint32_t bound_place_bytes(const struct iau_graph_config *cfg);

/*
 * Attention of a layer between its projections. Q, K, V: what the projections give, [ROWS][heads *
 * head_dim] fp32, turned and quantised by the functions below, from head H or KV head G on; queries and the new
 * keys and values remain. OUT: blocks for the output projection, in the place of what the others have read
 */
struct attention {
	uint32_t q, k, v;
	struct act queries;
	struct act choosers; /* queries as they choose blocks: not rotated */
	uint32_t scratch; /* of the vector scratchpad from here on Q, K and V lie, last */
	/* KV heads that K and V hold, and heads that Q does: all; of rows in memory one, and of a prompt's one query */
	uint32_t at_once, q_at_once;
	struct act out;
};

struct attention attention_alloc(struct builder *b);
/* Behind the norm, which takes the same place */
void attention_alloc_projections(struct builder *b, struct attention *a);
/*
 * Rows turned by their position: x cos + swapped(x) signed sin (Su et al. 2021). ROWS x COLS at X,
 * STRIDE apart, whose positions are in the table from TURN on. Leaves x cos at X and gives where the
 * other summand is, COLS apart; it lies there until something is allocated.
 */
uint32_t emit_turn(struct builder *b, uint32_t x, uint32_t turn, uint32_t rows, uint32_t cols,
		   uint32_t stride);
/* Of the keys or values of new tokens, which lie from FROM on, those of the I-th KV head worked on at once */
uint32_t new_at(const struct builder *b, uint32_t from, uint32_t i);
/* Of COUNT of them from the FROM-th on, whose products lie side by side */
void emit_new_values(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t from,
		     uint32_t count);
void emit_new_keys(struct builder *b, uint32_t l, const struct attention *a, uint32_t g, uint32_t from,
		   uint32_t count);
/* If they are to be: of all KV heads at hand, which begin with G, what emit_new_keys() left, rotated */
void emit_rotated_keys(struct builder *b, uint32_t l, const struct attention *a, uint32_t g);
void emit_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t h);
/*
 * ROWS rows of head_dim, blocks (k, row) of PITCH rows at X, rotated and multiplied by FACTOR, are written as OUT
 * says. ROWS: 1 to 32; Y: room for them in fp32
 */
void emit_rotated(struct builder *b, struct act x, uint32_t rows, uint32_t pitch, uint32_t y, float factor,
		  struct iau_vec out);
/* If they are to be: what emit_queries() left, rotated. Through the place of Q, a head, or all of one token, at a time */
void emit_rotated_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t head);
/*
 * All passes of a layer that attends, then the new keys and values to memory. Those of the passes ahead of the first
 * must have been asked for by emit_kv_prefetch(). Takes Q, K and V's place.
 */
void emit_attention(struct builder *b, uint32_t l, const struct attention *a);

/*
 * Of layer L, whose weights of norms lie at PACK: x += attention of its norm. The last layer, where only one row gets
 * logits: keys and values are made of all rows, and that one goes on alone.
 */
void emit_attention_block(struct builder *b, uint32_t l, uint32_t pack);
void emit_kept_attention_block(struct builder *b, uint32_t l, uint32_t pack);
/* What a part tells of layer L, which the next one begins with: by the queries, the blocks that it will choose */
void emit_peek(struct builder *b, uint32_t l, uint32_t pack);

/* The choice of layer L alone, told to the host, by its queries */
void emit_told_choice(struct builder *b, uint32_t l, const struct attention *a);

/*
 * Behind weights asked for before, a chunk of keys takes longer to come than one head of the same layer
 * takes; a whole layer gives it time, and attention leaves memory idle.
 */
static inline uint32_t kv_passes_ahead(const struct iau_hparams *hp)
{
	return hp->n_head_kv > 1 ? 2 : 1;
}

/* Of a batch, whole sequences if they are short: keys of the next layer come before others are stored. */
static inline uint32_t batch_seqs_ahead(const struct iau_hparams *hp)
{
	return hp->n_head_kv < 4 ? 4 / hp->n_head_kv : 1;
}

static inline uint32_t batch_passes_ahead(const struct iau_hparams *hp)
{
	return hp->n_head_kv < 4 ? batch_seqs_ahead(hp) * hp->n_head_kv : 4;
}

/*
 * The newest chunk of KV head G of layer L or, behind its last one, of the next layer's first ones, unless those are yet
 * to be stored; of the first ones, and what a choice of blocks needs
 */
void emit_kv_prefetch(struct builder *b, uint32_t l, uint32_t g);
void emit_kv_prefetches(struct builder *b);

/* The same for a batch: B->seqs sequences of a token each */
void emit_batch_queries(struct builder *b, uint32_t l, const struct attention *a, uint32_t h);
void emit_batch_attention(struct builder *b, uint32_t l, const struct attention *a);
/* More of a layer's own, before its projections */
void emit_batch_early(struct builder *b, uint32_t l);
/* What the first passes need */
void emit_batch_prefetch(struct builder *b);

#endif
