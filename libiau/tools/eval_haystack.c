/* SPDX-License-Identifier: MIT */
/* Stories with needles between them, as models/common/text/haystack.py makes them. */
#include "eval_tasks.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define MOST_KEYS    8
#define MOST_NEEDLES (2 * MOST_KEYS + 1) /* as many that refer to another, and the passkey */
#define TITLES	     8

/* A sentence to be remembered */
struct needle {
	enum eval_task_id task;
	struct eval_key key;
	char value[6];
	struct eval_tokens text;
	size_t place; /* token that it should stand at */
	size_t at;    /* and does */
};

/* A story that the context holds */
struct told {
	const struct eval_story *story;
	size_t at;
};

struct haystack {
	struct eval_context *c;
	struct needle needle[MOST_NEEDLES]; /* by place */
	uint32_t needles, hidden;
	struct told *told;
	uint32_t stories;
	size_t room; /* tokens */
};

static struct needle *add_needle(struct haystack *h, enum eval_task_id task, double depth)
{
	struct needle *n = &h->needle[h->needles++];

	n->task = task;
	n->place = (size_t)(depth * (double)h->room);
	return n;
}

static void add_passkey(struct haystack *h)
{
	/* ten contexts have it at ten depths */
	struct needle *n = add_needle(h, EVAL_PASSKEY, (h->c->index % 10 + 0.5) / 10);

	eval_digits(&h->c->rng, 5, n->value);
	eval_write(h->c, &n->text, "The passkey is ");
	eval_write(h->c, &n->text, "%s", n->value);
	eval_write(h->c, &n->text, ". Remember it.\n");
}

static void add_code(struct haystack *h, const struct eval_key *key, double depth)
{
	struct needle *n = add_needle(h, EVAL_KEYS, depth);

	n->key = *key;
	eval_digits(&h->c->rng, 5, n->value);
	eval_write(h->c, &n->text, "The code for the %s %s is ", key->colour, key->noun);
	eval_write(h->c, &n->text, "%s", n->value);
	eval_write(h->c, &n->text, ".\n");
}

static void add_reference(struct haystack *h, const struct eval_key *key,
			  const struct needle *other, double depth)
{
	struct needle *n = add_needle(h, EVAL_TWO_HOP, depth);

	n->key = *key;
	memcpy(n->value, other->value, sizeof(n->value));
	eval_write(h->c, &n->text, "The code for the %s %s is the same as for the ", key->colour,
		   key->noun);
	eval_write(h->c, &n->text, "%s %s", other->key.colour, other->key.noun);
	eval_write(h->c, &n->text, ".\n");
}

static int by_place(const void *a, const void *b)
{
	const struct needle *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

/* Codes and references to them, each of them spread over the whole depth */
static void add_needles(struct haystack *h)
{
	struct iau_rng *rng = &h->c->rng;
	uint32_t most = h->c->size / 128 < MOST_KEYS ? h->c->size / 128 : MOST_KEYS;
	uint32_t hops = h->c->pool->two_hop_keys < most ? h->c->pool->two_hop_keys : most;
	struct eval_key key[2 * MOST_KEYS];

	add_passkey(h);
	eval_keys(h->c, most + hops, key);
	for (uint32_t i = 0; i < most; i++)
		add_code(h, &key[i], eval_stratum(rng, i, most, 1));
	for (uint32_t i = 0; i < hops; i++)
		add_reference(h, &key[most + i], &h->needle[1 + eval_below(rng, most)],
			      eval_stratum(rng, i, hops, 1));
	qsort(h->needle, h->needles, sizeof(*h->needle), by_place);
}

/* Hides the needles whose place has come, at the end ALL. */
static void hide(struct haystack *h, bool all)
{
	struct eval_context *c = h->c;

	while (h->hidden < h->needles && (all || h->needle[h->hidden].place <= c->text.n)) {
		struct needle *n = &h->needle[h->hidden++];

		n->at = c->text.n;
		eval_append(c, &c->text, n->text.v, n->text.n);
	}
}

static size_t tokens_to_hide(const struct haystack *h)
{
	size_t n = 0;

	for (uint32_t i = h->hidden; i < h->needles; i++)
		n += h->needle[i].text.n;
	return n;
}

static void tell(struct haystack *h, const struct eval_story *story)
{
	struct eval_context *c = h->c;
	struct eval_tokens text = { 0 };

	eval_write(c, &text, "# %s\n", story->title);
	eval_write(c, &text, "%s", story->text);
	eval_write(c, &text, "\n");
	if (c->text.n + text.n + tokens_to_hide(h) <= h->room) {
		h->told[h->stories++] = (struct told){ story, c->text.n };
		eval_append(c, &c->text, text.v, text.n);
	}
	free(text.v);
}

/* Stories in random order, those that fit, and needles in between */
static void fill(struct haystack *h)
{
	const struct eval_pool *pool = h->c->pool;
	uint32_t *order = calloc(pool->stories, sizeof(*order));

	h->told = calloc(pool->stories, sizeof(*h->told));
	if (!order || !h->told) {
		h->c->err = iau_error_nomem("stories");
		free(order);
		return;
	}
	for (uint32_t i = 0; i < pool->stories; i++)
		order[i] = i;
	eval_shuffle(&h->c->rng, order, pool->stories);
	for (uint32_t i = 0; i < pool->stories && !h->c->err; i++) {
		hide(h, false);
		tell(h, &pool->story[order[i]]);
	}
	hide(h, true);
	free(order);
}

static void ask_needle(struct haystack *h, const struct needle *n)
{
	double depth = (double)n->at / (double)h->room;

	if (n->task == EVAL_PASSKEY)
		eval_ask(h->c, n->task, h->c->size, depth, n->value, "What is the passkey?");
	else
		eval_ask(h->c, n->task, h->c->size, depth, n->value,
			 "What is the code for the %s %s?", n->key.colour, n->key.noun);
}

/* About a story near each of some depths */
static void ask_titles(struct haystack *h)
{
	uint32_t n = h->stories < TITLES ? h->stories : TITLES;

	for (uint32_t i = 0; i < n; i++) {
		const struct told *told =
			&h->told[(uint32_t)eval_stratum(&h->c->rng, i, n, h->stories)];
		const struct eval_story *story = told->story;
		uint32_t k = eval_below(&h->c->rng, story->question.n);

		eval_ask(h->c, EVAL_TITLES, h->c->size, (double)told->at / (double)h->room,
			 story->answer.v[k], "In \"%s\": %s", story->title, story->question.v[k]);
	}
}

/* Windows of stories only: what a needle says cannot be foreseen. The deepest comes first. */
static void ask_text(struct haystack *h)
{
	uint32_t position = EVAL_WINDOW;

	while (position * 2 + EVAL_WINDOW <= h->room)
		position *= 2;
	for (; position >= EVAL_WINDOW; position /= 2) {
		size_t at = position;

		for (uint32_t i = 0; i < h->needles; i++) {
			const struct needle *n = &h->needle[i];

			if (n->at < at + EVAL_WINDOW && n->at + n->text.n > at)
				at = n->at + n->text.n;
		}
		if (at + EVAL_WINDOW <= h->c->text.n)
			eval_ask_text(h->c, position, at, EVAL_WINDOW);
	}
}

void eval_make_haystack(struct eval_context *c)
{
	struct haystack h = { .c = c, .room = c->size - EVAL_QUESTION_ROOM };

	add_needles(&h);
	fill(&h);
	for (uint32_t i = 0; i < h.needles; i++)
		ask_needle(&h, &h.needle[i]);
	ask_titles(&h);
	ask_text(&h);
	for (uint32_t i = 0; i < h.needles; i++)
		free(h.needle[i].text.v);
	free(h.told);
}
