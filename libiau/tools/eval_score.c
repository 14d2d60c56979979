/* SPDX-License-Identifier: MIT */
#include "eval_score.h"
#include "base/error.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* Tokens by which a wrong answer may be longer than the right one */
#define MORE 4

static int read_context(const struct eval_setting *s, const struct eval_tokens *text)
{
	int err = iau_session_truncate(s->session, 0);

	if (!err)
		err = iau_session_attention(s->session, &s->attention);
	for (size_t i = 0, n; i < text->n && !err; i += n) {
		err = iau_session_eval_some(s->session, text->v + i, text->n - i, &n);
		if (tool_interrupted())
			return EXIT_INTERRUPTED;
	}
	return err;
}

/* Token by token, as answers come: what is compared may act on decoding only. */
static int read_question(struct iau_session *session, const struct eval_question *q)
{
	int err = 0;

	for (size_t i = 0; i < q->asked && !err; i++)
		err = iau_session_eval(session, &q->text.v[i], 1, NULL, NULL);
	return err;
}

/* What was answered, for people: characters that are not whole are replaced. */
static int decode(const struct iau_tokenizer *tok, const int32_t *token, size_t n, char **out)
{
	struct iau_utf8_stream utf8 = { 0 };
	char *raw = NULL;
	size_t len;
	int err = iau_tokenizer_decode(tok, token, n, 0, &raw, &len);

	if (err)
		return err;
	*out = malloc(IAU_UTF8_OUT(len) + IAU_UTF8_OUT(0) + 1);
	if (*out) {
		len = iau_utf8_push(&utf8, raw, len, *out);
		len += iau_utf8_flush(&utf8, *out + len);
		(*out)[len] = 0;
	}
	free(raw);
	return *out ? 0 : iau_error_nomem("answer");
}

/* Until the end of an answer, which is right if it is the one wanted to the last token. */
static int answer(const struct eval_setting *s, const struct eval_context *c,
		  const struct eval_question *q, struct eval_outcome *out)
{
	const int32_t *wanted = q->text.v + q->asked;
	size_t n = q->text.n - q->asked, got = 0;
	int32_t *token = calloc(n + MORE, sizeof(*token));
	int err = token ? 0 : iau_error_nomem("answer");

	while (!err && got < n + MORE) {
		err = iau_sampler_sample(s->sampler, iau_session_logits(s->session), &token[got]);
		if (err || token[got++] == c->marks->end)
			break;
		err = iau_session_eval(s->session, &token[got - 1], 1, NULL, NULL);
	}
	if (!err) {
		out->value = got == n && !memcmp(token, wanted, n * sizeof(*token));
		err = decode(c->tok, token, got, &out->text);
	}
	free(token);
	return err;
}

/* How likely the rest of the question's text was, token by token. */
static int follow(const struct eval_setting *s, const struct eval_context *c,
		  const struct eval_question *q, struct eval_outcome *out)
{
	int err = 0;

	for (size_t i = q->asked; i < q->text.n && !err; i++) {
		double logprob = 0;

		err = iau_logprob(iau_session_logits(s->session), iau_tokenizer_n_vocab(c->tok),
				  q->text.v[i], &logprob);
		out->value += logprob;
		if (!err)
			err = iau_session_eval(s->session, &q->text.v[i], 1, NULL, NULL);
	}
	return err;
}

static int ask(const struct eval_setting *s, const struct eval_context *c,
	       const struct eval_question *q, struct eval_outcome *out)
{
	int err = iau_session_truncate(s->session, (uint32_t)q->at);

	if (!err)
		err = iau_session_attention(s->session, &s->attention);
	if (!err)
		err = read_question(s->session, q);
	if (err)
		return err;
	return q->task == EVAL_PERPLEXITY ? follow(s, c, q, out) : answer(s, c, q, out);
}

static struct eval_result *add_result(struct eval_results *results)
{
	struct eval_result *more = realloc(results->v, (results->n + 1) * sizeof(*more));

	if (!more)
		return NULL;
	results->v = more;
	return memset(&more[results->n], 0, sizeof(*more));
}

static int describe(const struct eval_context *c, const struct eval_question *q,
		    struct eval_result *r)
{
	const int32_t *v = q->text.v;
	int err;

	r->task = q->task;
	r->size = q->size;
	r->depth = q->depth;
	r->n = 1;
	if (q->task == EVAL_PERPLEXITY) {
		r->n = (uint32_t)(q->text.n - q->asked);
		return 0;
	}
	err = decode(c->tok, v, q->asked, &r->question);
	return err ? err : decode(c->tok, v + q->asked, q->text.n - q->asked, &r->answer);
}

static void free_result(struct eval_result *r)
{
	free(r->question);
	free(r->answer);
	for (uint32_t i = 0; i < EVAL_SETTINGS; i++)
		free(r->outcome[i].text);
}

int eval_score(const struct eval_setting *setting, uint32_t settings, const struct eval_context *c,
	       struct eval_results *results)
{
	int err = 0;

	for (uint32_t i = 0; i < settings && !err; i++)
		err = setting[i].shares ? 0 : read_context(&setting[i], &c->text);
	for (size_t k = 0; k < c->questions && !err; k++) {
		struct eval_result *r = add_result(results);

		if (!r)
			return iau_error_nomem("results");
		r->context = results->contexts;
		err = describe(c, &c->question[k], r);
		for (uint32_t i = 0; i < settings && !err; i++)
			err = ask(&setting[i], c, &c->question[k], &r->outcome[i]);
		if (!err && tool_interrupted())
			err = EXIT_INTERRUPTED;
		if (err)
			free_result(r);
		else
			results->n++;
	}
	results->contexts++;
	return err;
}

void eval_results_free(struct eval_results *results)
{
	for (size_t i = 0; i < results->n; i++)
		free_result(&results->v[i]);
	free(results->v);
}
