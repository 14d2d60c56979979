/* SPDX-License-Identifier: MIT */
/* Models and sessions as batches see them. */
#ifndef IAU_RUNTIME_SESSION_H
#define IAU_RUNTIME_SESSION_H

#include "iau/model.h"
#include "model/graph.h"
#include "runtime/kv.h"

/* Who is told of commands, and which graph they are of */
struct iau_op_trace {
	const struct iau_graph *running;
	iau_op_span_fn fn;
	void *opaque;
};

struct iau_model {
	struct iau_device *dev;
	struct iau_gguf *gguf;
	struct iau_tokenizer *tok;
	int32_t *stop; /* tokens that end a text */
	uint32_t n_stop;
	struct iau_hparams hp;
	struct iau_weights w;
	uint32_t n_ctx;
	struct kv_pool pool;
	uint32_t kv_recent; /* newest tokens that are not packed */
	struct iau_session *sessions;
	struct iau_op_trace trace;
};

#define IAU_SESSION_ROWS 6 /* graphs of 1 to 32 rows */

struct iau_session {
	struct iau_model *model;
	struct iau_session *prev, *next; /* of the model's */
	struct iau_graph_config cfg;
	struct kv_cache kv;
	struct iau_buffer io; /* token offsets, then logits */
	/* by the logarithm of their rows and whether there is a choice of blocks; built when first needed */
	struct iau_graph graph[IAU_SESSION_ROWS][2][IAU_GRAPH_LOGITS];
	/* of parts of the model, by the logarithm of their rows; lists of blocks and rows that they leave: see kv_cold.c */
	struct iau_graph *part[IAU_SESSION_ROWS];
	struct iau_buffer told;
	/* sparse attention, for one token and for many; bounds of the keys of so many blocks are there */
	struct iau_sparse sparse[2];
	struct iau_buffer bounds;
	uint64_t bounds_bytes; /* that have memory */
	uint32_t bounds_blocks;
	struct iau_graph bound;
	/* of the widest graph, and of the widest with a choice of blocks, 0 = not known yet; 1: one token at a time */
	uint32_t rows[2];
	bool no_steps[2]; /* registers of steps have no room there: see generate.c */
	uint32_t length;
	int32_t *token;
	const float *last;
};

/* A graph, built if need be */
int iau_session_graph(struct iau_session *s, uint32_t rows, bool sparse, enum iau_graph_logits logits,
		      struct iau_graph **out);
/* The choice that one token has to make, or MANY together, wherever in a block they are; NULL: none */
const struct iau_sparse *iau_session_choice(const struct iau_session *s, bool many);
/* Logits of a row of the last job */
const float *iau_session_row(const struct iau_session *s, uint32_t row);
/* Rows of the widest graph with a choice of blocks become known: -ENOSPC, there is none */
int iau_session_widest_choice(struct iau_session *s);
/* If attention is sparse: bounds of all full blocks */
int iau_bounds_update(struct iau_session *s);
void iau_bounds_shrink(struct iau_session *s, uint32_t tokens);
/* TO, which is empty, gets the choice of FROM, and bounds of its first TOKENS tokens. */
int iau_bounds_share(const struct iau_session *from, uint32_t tokens, struct iau_session *to);
/* With the commands that use them; attention is dense from here on. */
void iau_bounds_free(struct iau_session *s);
/* Whether N more tokens can be: -ENOSPC, -EINVAL */
int iau_check_tokens(const struct iau_session *s, const int32_t *tokens, size_t n);

#endif
