/* SPDX-License-Identifier: MIT */
/* State shared by the parts of the graph builder. */
#ifndef IAU_MODEL_BUILDER_H
#define IAU_MODEL_BUILDER_H

#include "model/graph.h"

#include <stddef.h>

/*
 * The tile scratchpad: a ring of weight chunks, then places for chunks of keys and values, then two for
 * bounds of keys, then what rotates them. Everything starts at a granule, so that nothing waits for a neighbour.
 */
#define MAX_KV_PLACES 6u
#define ADD_PIECES 3u /* of x at hand: asked for, in use, on its way back */
#define EARLY_CREDIT (2 * IAU_CHUNK_BYTES)
#define DECODE_CREDIT (3 * IAU_CHUNK_BYTES) /* of one token: with less, memory stands still where its latency is long */
#define RUN_CREDIT (EARLY_CREDIT - IAU_CHUNK_BYTES / 4) /* of the next run: the rope table and keys come behind */
#define RING_GROWS (IAU_CHUNK_BYTES / 4) /* with each product */
#define MAX_CHUNKS 65536
/* with each product: those of 16 sequences are done when a feed-forward layer is, and hold back no norm */
#define BATCH_STORES 2u

/* A chunk of weights: a run of tile columns, loaded ahead of its use. */
struct chunk {
	uint64_t va;
	uint32_t bytes;
	uint32_t at;   /* in the ring */
	uint32_t span; /* what it takes of the ring, the unused end included if it starts over */
	uint16_t label; /* of the product that uses it */
	uint32_t stage; /* see struct builder */
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
	uint32_t fresh_rows; /* with new keys and values: all that there are, also where only one goes on */
	uint32_t from, to; /* layers that are worked on, TO not among them */
	/* Those before it attend. Without logits the last layer does not: nothing but its keys and values is seen again. */
	uint32_t attending;
	/*
	 * The one row that gets logits goes on alone in the last layer; with a choice of blocks, which all make, they do. Of
	 * a prompt whose runs are one job only in the last one.
	 */
	bool keeps_row;
	/*
	 * Many rows go in two halves of as many rows each, a product of one after a product of the
	 * other by the same weights: while one half is at the vector unit the matrix engine has the
	 * other.
	 */
	uint32_t halves, half;
	/*
	 * Rows of the second half that are no tokens are left out of products with weights and of attention, and of what
	 * the vector unit has to do with halves; what stands in them nobody reads. A choice of blocks is made by all rows.
	 */
	bool shortens;
	/*
	 * Rows too wide for the scratchpad: x lies in memory at cfg->rows_va between blocks (IN_MEMORY is of the
	 * graph, SPILLED of the place at hand), and what is made of it comes in pieces: see rows.c.
	 */
	bool in_memory, spilled;
	uint32_t add_at[ADD_PIECES]; /* columns of such rows that something is added to */
	uint32_t vsp, vsp_peak; /* stack of vector scratchpad allocations */
	/* of the first pass, so that the second can load ahead; if a prompt's runs are one job, of a run and of the last */
	struct chunks {
		struct chunk *chunk;
		size_t n;
	} chunks[2], *list;
	size_t next_load, cur, used; /* CUR is the next one, USED those whose products are queued */
	uint32_t ring_bytes, ring_used;
	uint32_t ring_end; /* behind the last chunk of a run that another one follows */
	/* of it what is asked for ahead: of runs less at first, so that LOADs do not fill the window before memory has time */
	uint32_t ring_limit;
	/*
	 * What is asked for comes in order. Chunks of a later stage are asked for while CREDIT, bytes,
	 * lasts: attention of one token or of a batch so lets keys and values in between, and its beginning
	 * finds memory at work.
	 */
	uint32_t stage, credit;
	bool planning;
	uint32_t kv_places, kv_bytes, kv_at; /* of the tile scratchpad, behind the ring's room */
	uint32_t bound_places; /* behind those */
	uint32_t hadamard;     /* behind those, if keys are rotated */
	uint32_t table; /* where blocks are, if some may be packed; of a batch one after the other */
	/* of a batch: sequences; STOREs of keys and values that are done; where their registers lie, as those of runs do */
	uint32_t seqs, stored, params;
	bool is_long;  /* they may have full chunks */
	uint32_t regs; /* where those of the sequence at hand are: 0 or 16 */
	/* of a graph that goes on by itself: see generate.c */
	bool steps;
	size_t step, end;   /* commands that a step or a run begins with, and that end the job */
	/* of a prompt whose runs are one job: see prompt.c */
	bool runs;
	bool alone;	     /* they are not: no room for what the next run begins with, or the last one begins otherwise */
	bool goes_round;     /* chunks of weights that are asked for are the next run's */
	uint32_t embd;	     /* its rows of embeddings */
	uint32_t first_pack; /* weights of norms of the first layer, the same for all runs */
	uint32_t likeliest; /* {fp32, u32}: a logit, and which token it is; behind them 0, or NaN if one is not finite */
	bool has_output_norm; /* asked for, where the pack of one layer more would be */
	/* persistent buffers of the vector scratchpad */
	uint32_t x, pack[2], rope, rope_step, stat, vscale[MAX_KV_PLACES];
	struct act act;
	/* new keys and values of every KV head, or of one if they go through memory: STOREs may be slow to read them */
	uint32_t fresh;
};

/* BYTES in whole granules: what does not share one with a neighbour does not wait for it. */
static inline uint32_t vsp_round(uint32_t bytes)
{
	return (bytes + IAU_VSP_GRANULE - 1) & ~(IAU_VSP_GRANULE - 1);
}

static inline uint32_t tsp_round(uint32_t bytes)
{
	return (bytes + IAU_TSP_GRANULE - 1) & ~(IAU_TSP_GRANULE - 1);
}

/* Whether what outlives no block has its place in the scratchpad only meanwhile: a prompt's rows in memory */
static inline bool in_frames(const struct builder *b)
{
	return b->spilled && !b->seqs;
}

/* Whether blocks may be packed, so that a table says where they are */
static inline bool is_packed(const struct builder *b)
{
	return b->cfg->packed.block_bytes;
}

/* Where weights of norms, and biases, of layer L are */
static inline uint32_t pack_of(const struct builder *b, uint32_t l)
{
	return b->runs && !l ? b->first_pack : b->pack[l & 1];
}

static inline uint32_t table_bytes(const struct builder *b)
{
	return vsp_round(b->cfg->kv.n_ctx / 8);
}

uint32_t vsp_alloc(struct builder *b, uint32_t bytes);
/*
 * For second operands. A scratchpad bank gives one vector a cycle, and neighbouring vectors are in
 * neighbouring banks: what starts a bank later than a granule is read beside what starts at one.
 */
uint32_t vsp_alloc_beside(struct builder *b, uint32_t bytes);
struct act act_alloc(struct builder *b, uint32_t cols);
/* As many columns as x or the output of attention has */
struct act act_alloc_widest(struct builder *b);

static inline struct act act_half(struct act act, uint32_t h)
{
	act.data += h * act.data_step;
	act.scale += h * act.scale_step;
	return act;
}

/* ACT from so many bytes of its data on, whole blocks */
static inline struct act act_from(struct act act, uint32_t bytes)
{
	act.data += bytes;
	act.scale += bytes / 8;
	return act;
}

/* How a VEC of so many rows writes blocks (k, row) to OUT */
static inline struct iau_vec to_blocks(struct act out, uint32_t rows)
{
	return (struct iau_vec){ .out = VEC_Q8, .d = out.data, .d_stride = 32, .d_block = rows * 32,
				 .sc = out.scale, .sc_row = 4, .sc_block = rows * 4 };
}

/* What the commands to come are for; returns what they were for before. */
static inline uint16_t label(struct builder *b, uint32_t layer, enum iau_op op)
{
	uint16_t before = b->cb.label;

	b->cb.label = IAU_LABEL(layer, op);
	return before;
}

/* Rows of half H, as commands have them; for the second one a register adds to word 1 of CMD how many they are */
static inline uint32_t rows_of(const struct builder *b, uint32_t h)
{
	return h && b->shortens ? 0 : b->half;
}

static inline void patch_rows(const struct builder *b, uint32_t *cmd, uint32_t h)
{
	if (h && b->shortens)
		iau_cmd_patch(cmd, 1, GRAPH_SECOND);
}

/* The same in the layer at hand */
static inline uint16_t label_op(struct builder *b, enum iau_op op)
{
	return label(b, IAU_LABEL_LAYER(b->cb.label), op);
}

/*
 * OUT[r][n] = CIN + ACT . M^T for the columns FIRST .. FIRST + COUNT - 1 of tiles; of their KB blocks from K on,
 * which begin and end with segments. KB = 0: all. ACT begins with block K.
 */
struct linear {
	const struct iau_matrix *m;
	struct act act;
	uint32_t first, count;
	uint32_t k, kb;
	uint32_t out, out_stride;
	bool cin;
	uint32_t c, c_stride;
	bool to_norm; /* the next thing is a norm of what comes out */
	const struct iau_copy *store; /* what comes out, to memory, or NULL */
};

/*
 * Behind the planning pass: where in the ring chunks come. Each of the runs of a prompt begins where the ring does, with
 * chunks that are asked for during the run before, and what is left behind the last one of that run is of no use until
 * then: the ring is as small as it can be begun as often.
 */
void place_chunks(struct builder *b);
void emit_linear(struct builder *b, struct linear lin);
/* COUNT products of the same rows, one after the other */
void emit_linears(struct builder *b, const struct linear *lin, uint32_t count);
/*
 * ROWS rows at X, N wide, whose sums lie at STAT; 0: those of the second half that are tokens. OUT: their place among
 * blocks of B->half rows
 */
void emit_rmsnorm_q8(struct builder *b, uint32_t x, uint32_t n, uint32_t rows, uint32_t weight, uint32_t stat,
		     struct act out);
void load_ahead(struct builder *b);
/* In attention, behind a pass: so many bytes more of the weights behind it; more would make keys late */
void load_between(struct builder *b, uint32_t bytes);
/* Attention is over: what comes before the next one is asked for as the ring has room, and CREDIT bytes behind it. */
void begin_stage(struct builder *b, uint32_t credit);
/* The first chunks of what comes next, all others being used */
void load_first(struct builder *b);
/* The same of the next run, as far as they have not been asked for */
void load_round(struct builder *b);

/* X, the residual stream, [rows][n_embd] fp32, wherever it lies: room for it; from one row of embeddings each; */
void rows_alloc(struct builder *b);
void emit_rows_embedded(struct builder *b, uint32_t embd, uint32_t stride);
/* ... as the part before left it; for the part behind; of all rows the one that GRAPH_ROW says goes on */
void emit_rows_taken(struct builder *b);
void emit_rows_left(struct builder *b);
void emit_row_kept(struct builder *b);
/*
 * ... B->act = its norm; of ROWS of one half, as commands have them, if it is in the scratchpad; x += ACT . M^T for KB
 * blocks of M from K on
 */
void emit_rows_norm(struct builder *b, uint32_t weight);
void emit_half_norm(struct builder *b, uint32_t h, uint32_t rows, uint32_t weight);
/* For the next emit_rows_add(): its room until then, and the first columns of x, if those lie in memory */
void emit_rows_add_asked(struct builder *b);
void emit_rows_add(struct builder *b, const struct iau_matrix *m, struct act act, uint32_t k, uint32_t kb);
/* Bytes of the scratchpad that emit_rows_add_asked() takes */
uint32_t rows_add_bytes(const struct builder *b);
void set_rows(struct builder *b, uint32_t rows);

/* Of a graph that goes on by itself: before all steps; before each; with COLS logits from FIRST on; behind each */
void emit_steps(struct builder *b);
void emit_step(struct builder *b);
void emit_likeliest(struct builder *b, uint32_t logits, uint32_t first, uint32_t cols);
void emit_next_step(struct builder *b);

/* Rows of embeddings to EMBD, EMBD_STEP apart, whose places are a list at LIST */
void load_embeddings(struct builder *b, uint32_t list, uint32_t embd);
uint32_t embd_step(const struct builder *b);
/* Of a prompt whose runs are one job: before the first; behind each */
void emit_runs(struct builder *b);
void emit_next_run(struct builder *b);
/* Before the layers of the last one, which gets logits: those that get none, if registers say that there are any */
void emit_runs_before(struct builder *b);
/* Whether the last one begins with the weights of the others, which are asked for before it is known which it is */
bool begin_alike(const struct builder *b);
/* Before a run: the register of the rows that its second half has */
void emit_second_half(struct builder *b);
/* The layers of the model, as far as they are asked for */
void emit_layers(struct builder *b);
/* Whether the next run begins in layer L: x = its embeddings; B->act = the norm of half H, if there is one */
bool begins_run(const struct builder *b, uint32_t l);
/* Registers and embeddings of the job's first run, or of the next one */
void emit_run_asked(struct builder *b, bool is_next);
void emit_run_embedded(struct builder *b);
void emit_run_norm(struct builder *b, uint32_t h);
/* Weights of norms, and biases, of layer L; the rope table from row R on */
void load_pack(struct builder *b, uint32_t l);
void load_rope(struct builder *b, uint32_t r, uint32_t rows);

/* What a batch has to store, piece by piece among commands that leave the STOREs time. */
void emit_batch_stores(struct builder *b, uint32_t most);

#endif
