/* SPDX-License-Identifier: MIT */
#include "eval_text.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int eval_find_marks(const struct iau_tokenizer *tok, struct eval_marks *marks)
{
	const struct {
		const char *text;
		int32_t *out;
	} wanted[] = {
		{ "<|bos|>", &marks->bos },
		{ "<|user|>", &marks->user },
		{ "<|assistant|>", &marks->assistant },
		{ "<|end|>", &marks->end },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		const char *text = wanted[i].text;

		*wanted[i].out = iau_tokenizer_find(tok, (struct iau_str){ text, strlen(text) });
		if (*wanted[i].out == IAU_TOKEN_NONE)
			return iau_error(-ENOENT,
					 "the vocabulary has no %s: questions are asked in the "
					 "format of the models in models/",
					 text);
	}
	return 0;
}

void eval_append(struct eval_context *c, struct eval_tokens *to, const int32_t *v, size_t n)
{
	int32_t *more = c->err ? NULL : realloc(to->v, (to->n + n) * sizeof(*v));

	if (!more) {
		if (!c->err)
			c->err = iau_error_nomem("context");
		return;
	}
	memcpy(more + to->n, v, n * sizeof(*v));
	to->v = more;
	to->n += n;
}

static void append_text(struct eval_context *c, struct eval_tokens *to, const char *text)
{
	int32_t *v = NULL;
	size_t n = 0;

	if (!c->err)
		c->err = iau_tokenizer_encode(c->tok, text, strlen(text), 0, &v, &n);
	if (n)
		eval_append(c, to, v, n);
	free(v);
}

__attribute__((format(printf, 3, 0))) static void
append_format(struct eval_context *c, struct eval_tokens *to, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0) {
		c->err = iau_error_nomem("context");
		return;
	}
	append_text(c, to, text);
	free(text);
}

void eval_write(struct eval_context *c, struct eval_tokens *to, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append_format(c, to, fmt, args);
	va_end(args);
}

static struct eval_question *add_question(struct eval_context *c)
{
	struct eval_question *more =
		c->err ? NULL : realloc(c->question, (c->questions + 1) * sizeof(*more));

	if (!more) {
		if (!c->err)
			c->err = iau_error_nomem("questions");
		return NULL;
	}
	c->question = more;
	return memset(&more[c->questions++], 0, sizeof(*more));
}

void eval_ask(struct eval_context *c, enum eval_task_id task, uint32_t size, double depth,
	      const char *answer, const char *question, ...)
{
	struct eval_question *q = c->tasks >> task & 1 ? add_question(c) : NULL;
	va_list args;

	if (!q)
		return;
	q->task = task;
	q->size = size;
	q->depth = depth;
	q->at = c->text.n;
	eval_append(c, &q->text, &c->marks->user, 1);
	va_start(args, question);
	append_format(c, &q->text, question, args);
	va_end(args);
	eval_append(c, &q->text, &c->marks->assistant, 1);
	q->asked = q->text.n;
	append_text(c, &q->text, answer);
	eval_append(c, &q->text, &c->marks->end, 1);
}

void eval_ask_text(struct eval_context *c, uint32_t size, size_t at, size_t n)
{
	struct eval_question *q = c->tasks >> EVAL_PERPLEXITY & 1 ? add_question(c) : NULL;

	if (!q)
		return;
	q->task = EVAL_PERPLEXITY;
	q->size = size;
	q->depth = -1;
	q->at = at;
	q->asked = 1;
	eval_append(c, &q->text, c->text.v + at, n);
}

void eval_context_free(struct eval_context *c)
{
	for (size_t i = 0; i < c->questions; i++)
		free(c->question[i].text.v);
	free(c->question);
	free(c->text.v);
	c->question = NULL;
	c->questions = 0;
	c->text = (struct eval_tokens){ 0 };
}

uint32_t eval_below(struct iau_rng *rng, uint32_t n)
{
	return (uint32_t)(iau_rng_double(rng) * n);
}

double eval_stratum(struct iau_rng *rng, uint32_t i, uint32_t n, double below)
{
	return (i + iau_rng_double(rng)) / n * below;
}

void eval_shuffle(struct iau_rng *rng, uint32_t *v, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = eval_below(rng, i), kept = v[i - 1];

		v[i - 1] = v[k];
		v[k] = kept;
	}
}
