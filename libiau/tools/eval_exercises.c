/* SPDX-License-Identifier: MIT */
/* Short contexts, as models/common/text/tasks.py and writer.py make them. */
#include "eval_tasks.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows; NULL and an error in the context if there is no memory */
struct joined {
	FILE *f;
	char *text;
	size_t n;
};

static void join_begin(struct eval_context *c, struct joined *j)
{
	memset(j, 0, sizeof(*j));
	j->f = open_memstream(&j->text, &j->n);
	if (!j->f)
		c->err = iau_error_nomem("text");
}

static void join(struct joined *j, const char *word)
{
	if (j->f)
		fprintf(j->f, "%s%s", ftell(j->f) ? " " : "", word);
}

static void join_end(struct eval_context *c, struct joined *j)
{
	if (j->f && fclose(j->f))
		c->err = iau_error_nomem("text");
}

void eval_make_recall(struct eval_context *c)
{
	enum { MOST = 300, ASKED = 8 };
	struct eval_key key[MOST];
	char value[MOST][4];

	eval_keys(c, c->size, key);
	for (uint32_t i = 0; i < c->size; i++) {
		eval_digits(&c->rng, 3, value[i]);
		eval_write(c, &c->text, "%s %s: %s\n", key[i].colour, key[i].noun, value[i]);
	}
	for (uint32_t i = 0; i < ASKED; i++) {
		uint32_t k = (uint32_t)eval_stratum(&c->rng, i, ASKED, c->size);

		eval_ask(c, EVAL_RECALL, c->size, (double)k / c->size, value[k], "%s %s?",
			 key[k].colour, key[k].noun);
	}
}

void eval_make_copy(struct eval_context *c)
{
	static const char digit[10][2] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	struct joined j;

	join_begin(c, &j);
	for (uint32_t i = 0; i < c->size; i++) {
		uint32_t k = eval_below(&c->rng, c->pool->nouns.n + 10);

		join(&j, k < 10 ? digit[k] : c->pool->nouns.v[k - 10]);
	}
	join_end(c, &j);
	eval_write(c, &c->text, "Text: %s\n", j.text);
	eval_ask(c, EVAL_COPY, c->size, -1, j.text, "Copy the text.");
	free(j.text);
}

/* Eight words, one of which makes up a quarter of the text; the others share the rest. */
void eval_make_frequency(struct eval_context *c)
{
	enum { WORDS = 8, MOST = 512 };
	uint32_t noun[MOST], order[MOST];
	struct joined j;

	for (uint32_t i = 0; i < c->pool->nouns.n && i < MOST; i++)
		noun[i] = i;
	eval_shuffle(&c->rng, noun, c->pool->nouns.n < MOST ? c->pool->nouns.n : MOST);
	for (uint32_t i = 0; i < c->size; i++)
		order[i] = i < c->size / 4 ? 0 : 1 + i % (WORDS - 1);
	eval_shuffle(&c->rng, order, c->size);
	join_begin(c, &j);
	for (uint32_t i = 0; i < c->size; i++)
		join(&j, c->pool->nouns.v[noun[order[i]]]);
	join_end(c, &j);
	eval_write(c, &c->text, "Text: %s\n", j.text);
	eval_ask(c, EVAL_FREQUENCY, c->size, -1, c->pool->nouns.v[noun[0]],
		 "Which word comes most often?");
	free(j.text);
}

/* One story and some of its questions, right behind it */
void eval_make_story(struct eval_context *c)
{
	enum { ASKED = 5 };
	const struct eval_story *story = &c->pool->story[eval_below(&c->rng, c->pool->stories)];
	uint32_t n = story->question.n < ASKED ? story->question.n : ASKED;

	if (iau_rng_double(&c->rng) < 0.4)
		eval_write(c, &c->text, "# %s\n", story->title);
	eval_write(c, &c->text, "%s", story->text);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)eval_stratum(&c->rng, i, n, story->question.n);

		eval_ask(c, EVAL_STORIES, 1, -1, story->answer.v[k], "%s", story->question.v[k]);
	}
}

static uint32_t operand(struct iau_rng *rng)
{
	static const uint32_t below[] = { 10, 100, 1000 };

	return eval_below(rng, below[eval_below(rng, 3)]);
}

static uint32_t digits_of(uint32_t n)
{
	return n < 10 ? 1 : n < 100 ? 2 : 3;
}

/* The larger operand has so many digits. */
static void ask_sum(struct eval_context *c, uint32_t digits)
{
	char answer[16];
	uint32_t a, b;
	bool minus;

	do {
		a = operand(&c->rng);
		b = operand(&c->rng);
	} while (digits_of(a > b ? a : b) != digits);
	minus = iau_rng_double(&c->rng) < 0.3;
	if (minus && a < b) {
		uint32_t kept = a;

		a = b;
		b = kept;
	}
	snprintf(answer, sizeof(answer), "%u", minus ? a - b : a + b);
	eval_ask(c, EVAL_ARITHMETIC, digits, -1, answer, "What is %u %c %u?", a, minus ? '-' : '+',
		 b);
}

void eval_make_arithmetic(struct eval_context *c)
{
	enum { EACH = 4 };

	for (uint32_t digits = 1; digits <= 3; digits++)
		for (uint32_t i = 0; i < EACH; i++)
			ask_sum(c, digits);
}

/* Brackets until NESTING of them are open, a few of them closed again */
static void ask_brackets(struct eval_context *c, uint32_t nesting, uint32_t size)
{
	static const char open[4][2] = { "(", "[", "{", "<" };
	static const char closed[4][2] = { ")", "]", "}", ">" };
	struct joined shown, answer;
	uint32_t stack[64], n = 0;

	join_begin(c, &shown);
	join_begin(c, &answer);
	while (n < nesting) {
		if (n && iau_rng_double(&c->rng) < 0.2) {
			join(&shown, closed[stack[--n]]);
		} else {
			stack[n] = eval_below(&c->rng, 4);
			join(&shown, open[stack[n++]]);
		}
	}
	while (n)
		join(&answer, closed[stack[--n]]);
	join_end(c, &shown);
	join_end(c, &answer);
	eval_ask(c, EVAL_BRACKETS, size, -1, answer.text, "Close: %s", shown.text);
	free(shown.text);
	free(answer.text);
}

void eval_make_brackets(struct eval_context *c)
{
	enum { BAND = 8, EACH = 2 };

	for (uint32_t band = BAND; band <= c->pool->brackets; band += BAND)
		for (uint32_t i = 0; i < EACH; i++)
			ask_brackets(c, band - eval_below(&c->rng, BAND), band);
}

struct variable {
	char name[2], value[3];
	const struct variable *from; /* or a value of its own */
	uint32_t copies;
};

/* Variables, each with a value or a copy of one before; returns the most copies behind one. */
static uint32_t draw_variables(struct eval_context *c, struct variable *v, uint32_t n)
{
	static const char names[] = "abcdefghijkmnpqrstuvwxyz";
	uint32_t order[sizeof(names) - 1], most = 0;

	for (uint32_t i = 0; i < sizeof(names) - 1; i++)
		order[i] = i;
	eval_shuffle(&c->rng, order, sizeof(names) - 1);
	for (uint32_t i = 0; i < n; i++) {
		const struct variable *from = NULL;

		if (i && eval_below(&c->rng, 2))
			from = &v[eval_below(&c->rng, i)];
		memset(&v[i], 0, sizeof(v[i]));
		v[i].name[0] = names[order[i]];
		eval_digits(&c->rng, 2, v[i].value);
		if (from && from->copies < c->pool->hops) {
			v[i].from = from;
			v[i].copies = from->copies + 1;
			memcpy(v[i].value, from->value, sizeof(v[i].value));
		}
		if (v[i].copies > most)
			most = v[i].copies;
	}
	return most;
}

/* Drawn until one is behind as many copies as the model knows; a question for each number */
void eval_make_variables(struct eval_context *c)
{
	struct variable v[8];
	uint32_t n;

	do {
		n = 3 + eval_below(&c->rng, 6);
	} while (draw_variables(c, v, n) < c->pool->hops);
	for (uint32_t i = 0; i < n; i++)
		eval_write(c, &c->text, "%s%s = %s.", i ? " " : "", v[i].name,
			   v[i].from ? v[i].from->name : v[i].value);
	eval_write(c, &c->text, "\n");
	for (uint32_t copies = 0; copies <= c->pool->hops; copies++) {
		uint32_t first = eval_below(&c->rng, n), k = first;

		while (v[k].copies != copies)
			k = (k + 1) % n;
		eval_ask(c, EVAL_VARIABLES, copies, -1, v[k].value, "What is %s?", v[k].name);
	}
}
