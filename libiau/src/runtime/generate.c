/* SPDX-License-Identifier: MIT */
/* Several tokens of a sequence in one job: see model/generate.c. */
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

#define NOT_CHOSEN UINT32_MAX
/* Weights that a job reads, at most: four million cycles, in which no other job runs */
#define JOB_BYTES (256u << 20)

/* Registers of N steps from the end of the sequence on, where the device takes them up */
static void set_steps(struct iau_session *s, const struct iau_sparse *sparse, int32_t token, uint32_t n)
{
	uint32_t(*to)[GRAPH_PARAMS] = s->io.ptr;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t param[GRAPH_PARAMS] = { [GRAPH_TOKEN] = (uint32_t)token };

		iau_graph_params(&s->model->hp, &s->cfg.kv, s->length + i, 1, param);
		if (sparse)
			iau_sparse_params(&s->model->hp, &s->cfg.kv, sparse, s->length + i, param);
		param[GRAPH_STEP] = i * IAU_PARAM_BYTES;
		param[GRAPH_LEFT] = n - 1 - i;
		param[GRAPH_CHOICE] = NOT_CHOSEN;
		memcpy(to[i], param, sizeof(param));
	}
}

/* Steps that were done: each left its choice. */
static uint32_t steps_done(const struct iau_session *s, uint32_t n)
{
	const uint32_t(*at)[GRAPH_PARAMS] = s->io.ptr;
	uint32_t done = 0;

	while (done < n && at[done][GRAPH_CHOICE] != NOT_CHOSEN)
		done++;
	return done;
}

/* What the device evaluated: TOKEN, and of its choices all but the last, which is the caller's */
static void append(struct iau_session *s, int32_t token, uint32_t done)
{
	const uint32_t(*at)[GRAPH_PARAMS] = s->io.ptr;

	for (uint32_t i = 0; i < done; i++)
		s->token[s->length + i] = i ? (int32_t)at[i - 1][GRAPH_CHOICE] : token;
	s->length += done;
	s->last = iau_session_row(s, 0);
	s->model->pool.clock++; /* nothing is in use */
}

static int run_steps(struct iau_session *s, const struct iau_graph *g, const struct iau_sparse *sparse, int32_t token,
		     uint32_t n)
{
	uint32_t param[IAU_PARAMS] = { [GRAPH_CHOICE] = n * IAU_PARAM_BYTES };
	int err = sparse ? iau_bounds_update(s) : 0;

	if (err)
		return err;
	set_steps(s, sparse, token, n);
	s->model->trace.running = g;
	err = iau_device_execute(s->model->dev, g->buf.va, g->bytes, param);
	if (err)
		return err;
	append(s, token, steps_done(s, n));
	return iau_bounds_update(s);
}

static uint32_t least(uint32_t a, uint64_t b)
{
	return a < b ? a : (uint32_t)b;
}

/* Steps of one job, of N that are asked for: until there is something for the host to do, or others have waited enough */
static uint32_t steps_of_job(const struct iau_session *s, size_t n)
{
	uint32_t most = least(GRAPH_STEPS, n);

	most = least(most, s->model->n_ctx - s->length);
	most = least(most, iau_kv_until_packed(s));
	/* new bounds behind each block */
	if (s->sparse[0].chunks)
		most = least(most, 32 - s->length % 32);
	most = least(most, JOB_BYTES / s->model->w.matrix_bytes);
	return most ? most : 1;
}

int iau_session_generate(struct iau_session *s, int32_t token, size_t n)
{
	const struct iau_sparse *sparse = iau_session_choice(s, false);
	bool *no_steps = &s->no_steps[sparse != NULL];
	int err = iau_check_tokens(s, &token, 1);
	struct iau_graph *g;
	uint32_t most;

	if (err)
		return err;
	if (!n)
		return iau_error(-EINVAL, "no tokens to generate");
	most = steps_of_job(s, n);
	/* where the host brings keys there is a job for each layer */
	if (*no_steps || iau_kv_divide(s, most, sparse))
		return iau_session_eval(s, &token, 1, NULL, NULL);
	err = iau_session_graph(s, 1, sparse, LOGITS_NEXT, &g);
	*no_steps = err == -ENOSPC;
	if (!err)
		err = iau_kv_prepare(&s, 1, most);
	/* the budget may have room for one token more */
	if (err == -ENOSPC)
		return iau_session_eval(s, &token, 1, NULL, NULL);
	if (err)
		return err;
	return run_steps(s, g, sparse, token, most);
}
