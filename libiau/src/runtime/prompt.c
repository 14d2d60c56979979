/* SPDX-License-Identifier: MIT */
/* Tokens that are given, in runs of as many as a graph takes at once. */
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

#define FEW_ROWS 4u /* no graph of two or three is faster */
/* Cycles of the matrix engine that a job takes, about, at most: no other one runs meanwhile */
#define JOB_CYCLES 4000000u

/* Some of the tokens to come: as many as a graph takes at once */
struct run {
	uint32_t tokens;
	uint32_t rows; /* of the graph; those behind the tokens are left out, or compute what nobody reads */
	const struct iau_sparse *sparse; /* NULL: all blocks are attended to */
	bool in_parts;
	uint32_t more; /* runs behind it in the same job, each of as many tokens as fit */
	uint32_t all;  /* tokens of the job */
};

/* Tokens of a run from POS on that is as long as can be with so many rows */
static uint32_t whole_run(uint32_t pos, uint32_t widest)
{
	uint32_t left = 32 - pos % 32;

	return left < widest ? left : widest;
}

/*
 * The next of N tokens, in the narrowest graph. A narrow one takes as long as weights and keys take to come, a wide
 * one as long as the products: 4, 8, 16 and 32 rows of iau-demo after 1,024 tokens 1.06, 1.18, 1.46 and 2.22 times
 * as long as one, 20 in the graph of 32 1.75 times.
 */
static struct run next_run(struct iau_session *s, size_t n)
{
	uint32_t widest = s->rows[iau_session_choice(s, true) != NULL];
	uint32_t most = whole_run(s->length, widest);
	struct run run = { .tokens = n < most ? (uint32_t)n : most, .rows = 1 };

	if (run.tokens > 1)
		for (run.rows = FEW_ROWS; run.rows < run.tokens; run.rows *= 2)
			;
	if (run.rows > widest)
		run.rows = widest;
	run.all = run.tokens;
	run.sparse = iau_session_choice(s, run.rows > 1);
	run.in_parts = iau_kv_divide(s, run.tokens, run.sparse);
	return run;
}

static void only_one(struct run *run)
{
	run->more = 0;
	run->all = run->tokens;
}

/* Whether a job that ends with these LOGITS takes more than one run; there may be no room for what they begin with. */
static bool takes_runs(struct iau_session *s, const struct run *run, enum iau_graph_logits logits)
{
	struct iau_graph *g;

	return !iau_session_graph(s, run->rows, false, logits, &g) && g->runs;
}

/*
 * Runs behind RUN, of N tokens in all, for the same job: all of the widest graph, attending to all, before a slab gets
 * packed, and others have waited enough. The last one, of tokens that no narrower graph takes, gets logits; where
 * there is more to come, or that is not for the widest graph, none of the job's does.
 */
static void add_runs(struct iau_session *s, struct run *run, size_t n)
{
	const struct iau_model *m = s->model;
	uint64_t cycles, until = iau_kv_until_packed(s);
	struct iau_device_info info;

	if (run->rows != s->rows[0] || run->sparse)
		return;
	iau_device_info(m->dev, &info);
	cycles = m->w.macs / (info.rows * info.lanes);
	while (run->more + 1 < GRAPH_RUNS && run->all < n) {
		uint32_t pos = s->length + run->all, tokens = whole_run(pos, run->rows), all;

		if (n - run->all < tokens)
			tokens = (uint32_t)(n - run->all);
		all = run->all + tokens;
		if (all == n && (tokens <= run->rows / 2 || !takes_runs(s, run, LOGITS_ONE)))
			break;
		if (all > until || all * cycles > JOB_CYCLES ||
		    iau_sparse_candidates(&s->cfg.kv, &s->sparse[1], pos))
			break;
		run->more++;
		run->all = all;
	}
	if (run->more && run->all < n && !takes_runs(s, run, LOGITS_NONE))
		only_one(run);
}

/*
 * Registers of RUN and those behind it in its job, where the device takes them up by itself: each says then where the
 * next one's are, but for one that gets LOGITS
 */
static void set_runs(struct iau_session *s, const struct run *run, bool is_loop, enum iau_graph_logits logits,
		     const int32_t *tokens)
{
	const struct iau_model *m = s->model;
	struct iau_graph_run *to = s->io.ptr;

	for (uint32_t i = 0, at = 0, n; i <= run->more; i++, to++, at += n) {
		uint32_t pos = s->length + at, left = run->all - at;

		n = i ? whole_run(pos, run->rows) : run->tokens;
		n = n < left ? n : left;
		for (uint32_t r = 0; r < run->rows; r++)
			to->embd[r] = (uint32_t)tokens[at + (r < n ? r : n - 1)] * m->w.embd_stride;
		memset(to->param, 0, sizeof(to->param));
		/* rows behind the tokens have a say in a choice: they leave keys in the block, to see those, not what lay there */
		iau_graph_params(&m->hp, &s->cfg.kv, pos, run->sparse ? whole_run(pos, run->rows) : n, to->param);
		if (run->sparse)
			iau_sparse_params(&m->hp, &s->cfg.kv, run->sparse, pos, to->param);
		to->param[GRAPH_TOKEN] = to->embd[0];
		to->param[GRAPH_SECOND] = n;
		if (is_loop)
			to->param[GRAPH_LEFT] = run->more - i;
		if (is_loop && (i < run->more || logits == LOGITS_NONE))
			to->param[GRAPH_STEP] = (i + 1) * sizeof(*to);
		else
			to->param[GRAPH_ROW] = n - 1;
	}
}

/* What a job's runs attend to is in device memory, or comes as it is chosen; there may be room for one of them alone. */
static int prepare(struct iau_session *s, struct run *run)
{
	int err = iau_kv_prepare(&s, 1, run->all);

	if (err == -ENOSPC && run->more) {
		only_one(run);
		err = iau_kv_prepare(&s, 1, run->tokens);
	}
	return !err && run->sparse ? iau_bounds_update(s) : err;
}

/* What the last token of a job over the first of N tokens gets, if EACH says nothing of all */
static enum iau_graph_logits wanted(const struct run *run, size_t n, iau_logits_fn each)
{
	if (each || (n == run->tokens && run->rows == 1))
		return LOGITS_ALL;
	return n == run->all ? LOGITS_ONE : LOGITS_NONE;
}

/* RUN and those behind it, of N tokens, as far as there is room; LOGITS: of the last one */
static int plan_job(struct iau_session *s, struct run *run, size_t n, iau_logits_fn each, enum iau_graph_logits *logits,
		    struct iau_graph **g)
{
	int err;

	if (!each && !run->in_parts)
		add_runs(s, run, n);
	err = prepare(s, run);
	*logits = wanted(run, n, each);
	return err || run->in_parts ? err : iau_session_graph(s, run->rows, run->sparse, *logits, g);
}

/* Of N tokens the first ones */
static int run_graph(struct iau_session *s, struct run *run, enum iau_graph_logits *logits, const int32_t *tokens,
		     size_t n, iau_logits_fn each)
{
	const struct iau_graph_run *first = s->io.ptr;
	uint32_t param[IAU_PARAMS] = { 0 };
	struct iau_graph *g = NULL;
	int err = plan_job(s, run, n, each, logits, &g);

	if (err)
		return err;
	set_runs(s, run, g && g->runs, *logits, tokens);
	memcpy(param, first->param, sizeof(first->param));
	if (run->in_parts)
		return iau_kv_run_parts(s, run->rows, *logits, param);
	s->model->trace.running = g;
	return iau_device_execute(s->model->dev, g->buf.va, g->bytes, param);
}

/* The first of N tokens, those of one job */
static int eval_job(struct iau_session *s, const int32_t *tokens, size_t n, iau_logits_fn each, void *opaque,
		    size_t *done)
{
	struct run run = next_run(s, n);
	enum iau_graph_logits logits;
	int err = run_graph(s, &run, &logits, tokens, n, each);

	for (uint32_t r = 0; r < run.tokens && each && !err; r++)
		err = each(opaque, s->length + r, iau_session_row(s, r));
	if (err)
		return err;
	s->last = logits == LOGITS_NONE ? NULL : iau_session_row(s, logits == LOGITS_ONE ? 0 : run.tokens - 1);
	memcpy(s->token + s->length, tokens, run.all * sizeof(*tokens));
	s->length += run.all;
	s->model->pool.clock++; /* nothing is in use */
	*done = run.all;
	return iau_bounds_update(s);
}

int iau_session_eval_some(struct iau_session *s, const int32_t *tokens, size_t n, size_t *done)
{
	int err = iau_check_tokens(s, tokens, n);

	*done = 0;
	return n && !err ? eval_job(s, tokens, n, NULL, NULL, done) : err;
}

int iau_session_eval(struct iau_session *s, const int32_t *tokens, size_t n, iau_logits_fn each,
		     void *opaque)
{
	int err = iau_check_tokens(s, tokens, n);

	for (size_t i = 0, done = 0; i < n && !err; i += done)
		err = eval_job(s, tokens + i, n - i, each, opaque, &done);
	return err;
}
