/* SPDX-License-Identifier: MIT */
#include "sequences.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

int sequences_open(struct sequences *q, struct loaded *l, uint32_t n)
{
	int err;

	memset(q, 0, sizeof(*q));
	q->l = l;
	iau_model_info(l->model, &q->info);
	err = n > 1 ? iau_batch_create(l->model, n, &q->batch) : 0;
	q->s[0] = l->session;
	for (q->n = 1; q->n < n && !err; q->n++)
		err = iau_session_create(l->model, &q->s[q->n]);
	return err;
}

void sequences_close(struct sequences *q)
{
	while (q->n > 1)
		iau_session_free(q->s[--q->n]);
	iau_batch_free(q->batch);
}

int sequences_trace(struct sequences *q, iau_op_span_fn fn, void *opaque)
{
	return iau_session_trace(q->s[0], fn, opaque);
}

static int32_t token_at(const struct sequences *q, uint32_t i)
{
	return (int32_t)((i * 7919u + 17) % q->info.n_vocab);
}

int sequences_prefill(struct sequences *q, uint32_t n, const char *name)
{
	int32_t *tokens = calloc(n + 1, sizeof(*tokens));
	int err = 0;

	if (!tokens)
		return iau_error_nomem("tokens");
	for (uint32_t i = 0; i < n; i++)
		tokens[i] = token_at(q, i);
	for (uint32_t k = 0; k < q->n && !err; k++) {
		for (size_t i = 0, done; i < n && !err; i += done) {
			err = iau_session_eval_some(q->s[k], tokens + i, n - i, &done);
			tool_progress(name, (size_t)k * n + i + done, (size_t)q->n * n);
		}
	}
	free(tokens);
	return err;
}

/* Token I of each sequence, or of a single one up to MOST from there on */
static int decode_next(struct sequences *q, uint32_t i, uint32_t most)
{
	int32_t tokens[IAU_BATCH_MAX];

	for (uint32_t k = 0; k < q->n; k++)
		tokens[k] = token_at(q, i + k);
	if (q->batch)
		return iau_batch_eval(q->batch, q->s, tokens, q->n);
	return most > 1 ? iau_session_generate(q->s[0], tokens[0], most) :
			  iau_session_eval(q->s[0], tokens, 1, NULL, NULL);
}

int sequences_decode(struct sequences *q, uint32_t n, uint32_t most, const char *name)
{
	uint32_t from = iau_session_length(q->s[0]);
	int err = 0;

	for (uint32_t i = 0; i < n && !err;) {
		err = decode_next(q, i, most < n - i ? most : n - i);
		i = iau_session_length(q->s[0]) - from;
		tool_progress(name, i, n);
	}
	return err;
}
