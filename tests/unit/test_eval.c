/* SPDX-License-Identifier: MIT */
/* Tasks of iau eval: what they ask is so, at the depth that they say; and the statistics. */
#include "cmocka_all.h"
#include "eval_stats.h"
#include "eval_tasks.h"
#include "iau/gguf.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ALL   ((UINT32_C(1) << EVAL_TASKS) - 1)
#define SEEDS 20

static const char *const model_names[] = { "iau-ci", "iau-demo" };

/* A shipped model's vocabulary and pool */
struct fixture {
	struct iau_gguf *gguf;
	struct iau_tokenizer *tok;
	struct eval_marks marks;
	struct eval_pool pool;
};

static struct fixture models[2];

static int open_models(void **state)
{
	char path[100];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture *m = &models[i];

		snprintf(path, sizeof(path), "models/%s/%s-q4_0.gguf", model_names[i],
			 model_names[i]);
		assert_int_equal(iau_gguf_open(path, &m->gguf), 0);
		assert_int_equal(iau_tokenizer_load(m->gguf, &m->tok), 0);
		assert_int_equal(eval_find_marks(m->tok, &m->marks), 0);
		snprintf(path, sizeof(path), "models/%s/eval.json", model_names[i]);
		assert_int_equal(eval_pool_read(path, &m->pool), 0);
	}
	return 0;
}

static int close_models(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		eval_pool_free(&models[i].pool);
		iau_tokenizer_free(models[i].tok);
		iau_gguf_close(models[i].gguf);
	}
	return 0;
}

static void make(struct eval_context *c, const struct fixture *m, const char *sort, uint64_t seed,
		 uint32_t tasks, uint32_t size, uint32_t index)
{
	int i = 0;

	memset(c, 0, sizeof(*c));
	c->tok = m->tok;
	c->marks = &m->marks;
	c->pool = &m->pool;
	while (strcmp(eval_sorts[i].name, sort))
		i++;
	assert_int_equal(eval_make(c, &eval_sorts[i], seed, tasks, size, index), 0);
}

/* Tokens as text, special ones as nothing; the caller frees. */
static char *text_of(const struct eval_context *c, const int32_t *v, size_t n)
{
	char *text;
	size_t len;

	assert_int_equal(iau_tokenizer_decode(c->tok, v, n, 0, &text, &len), 0);
	return text;
}

static char *question_of(const struct eval_context *c, const struct eval_question *q)
{
	return text_of(c, q->text.v, q->asked);
}

/* With its end marker taken off */
static char *answer_of(const struct eval_context *c, const struct eval_question *q)
{
	assert_int_equal(q->text.v[0], c->marks->user);
	assert_int_equal(q->text.v[q->asked - 1], c->marks->assistant);
	assert_int_equal(q->text.v[q->text.n - 1], c->marks->end);
	return text_of(c, q->text.v + q->asked, q->text.n - q->asked - 1);
}

/* Runs CHECK on each question of a sort, for many seeds and both models. */
static void each(const char *sort, uint32_t size,
		 void (*check)(const struct eval_context *c, const struct eval_question *q,
			       const char *text, const char *question, const char *answer))
{
	for (int m = 0; m < 2; m++)
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct eval_context c;
			char *text;

			make(&c, &models[m], sort, seed, ALL, size, (uint32_t)seed);
			text = text_of(&c, c.text.v, c.text.n);
			assert_int_equal(c.text.v[0], c.marks->bos);
			for (size_t i = 0; i < c.questions; i++) {
				char *question = NULL, *answer = NULL;

				if (c.question[i].task != EVAL_PERPLEXITY) {
					question = question_of(&c, &c.question[i]);
					answer = answer_of(&c, &c.question[i]);
				}
				check(&c, &c.question[i], text, question, answer);
				free(question);
				free(answer);
			}
			assert_true(c.questions > 0);
			free(text);
			eval_context_free(&c);
		}
}

/* Where in the text the only place with this stands, as a share of the tokens that a length leaves */
static double depth_of(const struct eval_context *c, const char *text, const char *what)
{
	const char *at = strstr(text, what);
	int32_t *v;
	size_t n;

	assert_non_null(at);
	assert_null(strstr(at + 1, what));
	assert_int_equal(iau_tokenizer_encode(c->tok, text, (size_t)(at - text), 0, &v, &n), 0);
	free(v);
	/* behind the begin token; seams between words may differ by a few tokens */
	return (double)(n + 1) / (c->size - EVAL_QUESTION_ROOM);
}

static void check_depth(const struct eval_context *c, const struct eval_question *q,
			const char *text, const char *what)
{
	double depth = depth_of(c, text, what);

	if (fabs(depth - q->depth) > 40.0 / c->size)
		fail_msg("\"%s\" is at depth %g, not %g", what, depth, q->depth);
}

/* "What is the code for the KEY?" */
static void key_of(const char *question, char *key, size_t size)
{
	const char *head = "What is the code for the ";

	assert_memory_equal(question, head, strlen(head));
	snprintf(key, size, "%s", question + strlen(head));
	key[strlen(key) - 1] = 0;
}

static void check_reference(const struct eval_context *c, const struct eval_question *q,
			    const char *text, const char *key, const char *answer)
{
	char what[200], other[100];
	const char *at;

	snprintf(what, sizeof(what), "The code for the %s is the same as for the ", key);
	check_depth(c, q, text, what);
	at = strstr(text, what) + strlen(what);
	snprintf(other, sizeof(other), "%.*s", (int)strcspn(at, "."), at);
	snprintf(what, sizeof(what), "The code for the %s is %s.\n", other, answer);
	assert_non_null(strstr(text, what));
}

/* A story whose title and question are those, with this answer */
static bool is_told(const struct eval_pool *pool, const char *asked, const char *answer)
{
	char question[400];

	for (uint32_t i = 0; i < pool->stories; i++)
		for (uint32_t k = 0; k < pool->story[i].question.n; k++) {
			snprintf(question, sizeof(question), "In \"%s\": %s", pool->story[i].title,
				 pool->story[i].question.v[k]);
			if (!strcmp(question, asked) && !strcmp(pool->story[i].answer.v[k], answer))
				return true;
		}
	return false;
}

static void check_haystack(const struct eval_context *c, const struct eval_question *q,
			   const char *text, const char *question, const char *answer)
{
	char what[200], key[100];

	assert_true(q->at + q->text.n <= c->size);
	if (q->task == EVAL_PERPLEXITY) {
		assert_int_equal(q->text.n, EVAL_WINDOW);
		assert_memory_equal(q->text.v, c->text.v + q->at, EVAL_WINDOW * sizeof(int32_t));
		assert_in_range(q->at, q->size, q->size + 400);
		return;
	}
	assert_int_equal(q->size, c->size);
	assert_int_equal(q->at, c->text.n);
	assert_true(q->depth >= 0 && q->depth < 1);
	if (q->task == EVAL_TITLES) {
		assert_true(is_told(c->pool, question, answer));
		snprintf(what, sizeof(what), "# %.*s\n",
			 (int)(strstr(question, "\": ") - question - 4), question + 4);
		check_depth(c, q, text, what);
		return;
	}
	if (q->task == EVAL_PASSKEY) {
		snprintf(what, sizeof(what), "The passkey is %s. Remember it.\n", answer);
		check_depth(c, q, text, what);
		assert_true(fabs(q->depth - (c->index % 10 + 0.5) / 10) < 0.05 + 400.0 / c->size);
		return;
	}
	key_of(question, key, sizeof(key));
	if (q->task == EVAL_TWO_HOP) {
		check_reference(c, q, text, key, answer);
		return;
	}
	assert_int_equal(q->task, EVAL_KEYS);
	snprintf(what, sizeof(what), "The code for the %s is %s.\n", key, answer);
	check_depth(c, q, text, what);
}

static void needles_are_in_the_context_at_their_depth(void **state)
{
	(void)state;
	each("haystack", EVAL_SHORTEST, check_haystack);
	each("haystack", 1024, check_haystack);
	each("haystack", 4096, check_haystack);
}

static void long_contexts_are_full_and_have_every_question(void **state)
{
	uint32_t tenths[EVAL_TASKS] = { 0 };

	(void)state;
	for (uint32_t index = 0; index < 10; index++) {
		uint32_t asked[EVAL_TASKS] = { 0 };
		struct eval_context c;

		make(&c, &models[1], "haystack", 7, ALL, 10240, index);
		for (size_t i = 0; i < c.questions; i++) {
			const struct eval_question *q = &c.question[i];

			asked[q->task]++;
			if (q->task != EVAL_PERPLEXITY)
				tenths[q->task] |= UINT32_C(1) << (int)(q->depth * 10);
		}
		assert_in_range(c.text.n, 10240 - EVAL_QUESTION_ROOM - 100,
				10240 - EVAL_QUESTION_ROOM);
		assert_int_equal(asked[EVAL_PASSKEY], 1);
		assert_int_equal(asked[EVAL_KEYS], 8);
		assert_int_equal(asked[EVAL_TWO_HOP], 8);
		assert_int_equal(asked[EVAL_TITLES], 8);
		assert_int_equal(asked[EVAL_PERPLEXITY], 8);
		eval_context_free(&c);
	}
	for (enum eval_task_id task = EVAL_PASSKEY; task <= EVAL_TITLES; task++)
		assert_int_equal(tenths[task], 0x3ff);
}

static void a_model_that_knows_no_references_is_asked_for_none(void **state)
{
	struct eval_context c;

	(void)state;
	make(&c, &models[0], "haystack", 7, UINT32_C(1) << EVAL_TWO_HOP, 1024, 0);
	assert_int_equal(c.questions, 0);
	eval_context_free(&c);
}

static void check_recall(const struct eval_context *c, const struct eval_question *q,
			 const char *text, const char *question, const char *answer)
{
	char line[100];
	uint32_t before = 0;
	const char *at;

	snprintf(line, sizeof(line), "%.*s: %s\n", (int)strlen(question) - 1, question, answer);
	at = strstr(text, line);
	assert_non_null(at);
	for (const char *p = text; p < at; p++)
		before += *p == '\n';
	assert_true(fabs(q->depth - (double)before / c->size) < 1e-9);
	snprintf(line, sizeof(line), "\n%.*s:", (int)strlen(question) - 1, question);
	assert_null(strstr(at, line));
}

static void pairs_are_in_the_list_once_at_their_depth(void **state)
{
	(void)state;
	each("recall", 24, check_recall);
	each("recall", 200, check_recall);
}

static void check_copy(const struct eval_context *c, const struct eval_question *q,
		       const char *text, const char *question, const char *answer)
{
	uint32_t words = 1;

	(void)q;
	(void)question;
	assert_int_equal(strncmp(text + strlen("Text: "), answer, strlen(answer)), 0);
	for (const char *p = answer; *p; p++)
		words += *p == ' ';
	assert_int_equal(words, c->size);
}

static uint32_t times(const char *text, const char *word)
{
	uint32_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n += p[-1] == ' ' && (p[strlen(word)] == ' ' || p[strlen(word)] == '\n');
	return n;
}

static void check_frequency(const struct eval_context *c, const struct eval_question *q,
			    const char *text, const char *question, const char *answer)
{
	uint32_t words = 0;

	(void)q;
	(void)question;
	assert_int_equal(times(text, answer), c->size / 4);
	for (uint32_t i = 0; i < c->pool->nouns.n; i++) {
		uint32_t n = times(text, c->pool->nouns.v[i]);

		words += n;
		assert_true(n < c->size / 4 || !strcmp(c->pool->nouns.v[i], answer));
	}
	assert_int_equal(words, c->size);
}

static void words_are_those_of_the_text(void **state)
{
	(void)state;
	each("copy", 10, check_copy);
	each("copy", 60, check_copy);
	each("frequency", 32, check_frequency);
	each("frequency", 512, check_frequency);
}

static void check_story(const struct eval_context *c, const struct eval_question *q,
			const char *text, const char *question, const char *answer)
{
	bool found = false;

	(void)q;
	for (uint32_t i = 0; i < c->pool->stories && !found; i++) {
		const struct eval_story *story = &c->pool->story[i];
		size_t n = strlen(text), k = strlen(story->text);

		if (n < k || strcmp(text + n - k, story->text))
			continue;
		for (uint32_t j = 0; j < story->question.n; j++)
			found |= !strcmp(story->question.v[j], question) &&
				 !strcmp(story->answer.v[j], answer);
	}
	assert_true(found);
}

static void stories_answer_their_questions(void **state)
{
	(void)state;
	each("stories", 1, check_story);
}

static void check_sum(const struct eval_context *c, const struct eval_question *q, const char *text,
		      const char *question, const char *answer)
{
	char sign;
	int a, b;

	(void)c;
	(void)text;
	assert_int_equal(sscanf(question, "What is %d %c %d?", &a, &sign, &b), 3);
	assert_int_equal(atoi(answer), sign == '+' ? a + b : a - b);
	assert_true(atoi(answer) >= 0);
	assert_int_equal(snprintf(NULL, 0, "%d", a > b ? a : b), q->size);
}

static void sums_are_right(void **state)
{
	(void)state;
	each("arithmetic", 1, check_sum);
}

static void check_brackets(const struct eval_context *c, const struct eval_question *q,
			   const char *text, const char *question, const char *answer)
{
	static const char open[] = "([{<", closed[] = ")]}>";
	char all[1000], stack[1000];
	size_t n = 0, deepest = 0;

	(void)c;
	(void)text;
	snprintf(all, sizeof(all), "%s %s", question + strlen("Close: "), answer);
	for (const char *p = all; *p; p += p[1] ? 2 : 1) {
		if (strchr(open, *p)) {
			stack[n++] = closed[strchr(open, *p) - open];
		} else {
			assert_true(n > 0);
			assert_int_equal(*p, stack[--n]);
		}
		deepest = n > deepest ? n : deepest;
	}
	assert_int_equal(n, 0);
	assert_int_equal((deepest + 7) / 8 * 8, q->size);
	assert_int_equal(strlen(answer), 2 * deepest - 1);
}

static void brackets_are_closed(void **state)
{
	(void)state;
	each("brackets", 1, check_brackets);
}

/* "a = 42. b = a. d = b.\n" */
static void check_variable(const struct eval_context *c, const struct eval_question *q,
			   const char *text, const char *question, const char *answer)
{
	char what[] = "? = ", name = question[strlen("What is ")];
	uint32_t copies = 0;
	const char *at;

	(void)c;
	for (;;) {
		what[0] = name;
		at = strstr(text, what);
		assert_non_null(at);
		if (isdigit((unsigned char)at[4]))
			break;
		assert_true(strchr(text, at[4]) < at);
		name = at[4];
		copies++;
	}
	assert_int_equal(strncmp(at + 4, answer, 2), 0);
	assert_int_equal(at[6], '.');
	assert_int_equal(copies, q->size);
}

static void variables_are_copied_so_many_times(void **state)
{
	(void)state;
	each("variables", 1, check_variable);
}

static bool same_text(const struct eval_context *a, const struct eval_context *b)
{
	return a->text.n == b->text.n &&
	       !memcmp(a->text.v, b->text.v, a->text.n * sizeof(*a->text.v));
}

static void text_depends_on_seed_size_and_index_alone(void **state)
{
	struct eval_context a, b, tasks, seed, index;

	(void)state;
	for (unsigned int i = 0; i < EVAL_SORTS; i++) {
		const struct eval_sort *s = &eval_sorts[i];
		uint32_t size = s->sizes ? s->size[0] : 1024;

		make(&a, &models[1], s->name, 3, ALL, size, 2);
		make(&b, &models[1], s->name, 3, ALL, size, 2);
		make(&tasks, &models[1], s->name, 3, 0, size, 2);
		make(&seed, &models[1], s->name, 4, ALL, size, 2);
		make(&index, &models[1], s->name, 3, ALL, size, 3);
		assert_true(same_text(&a, &b));
		assert_int_equal(a.questions, b.questions);
		for (size_t k = 0; k < a.questions; k++) {
			struct eval_tokens *x = &a.question[k].text, *y = &b.question[k].text;

			assert_int_equal(x->n, y->n);
			assert_memory_equal(x->v, y->v, x->n * sizeof(*x->v));
		}
		assert_true(same_text(&a, &tasks));
		assert_int_equal(tasks.questions, 0);
		/* exercises have no text but their questions */
		assert_true(a.text.n == 1 || !same_text(&a, &seed));
		assert_true(a.text.n == 1 || !same_text(&a, &index));
		eval_context_free(&a);
		eval_context_free(&b);
		eval_context_free(&tasks);
		eval_context_free(&seed);
		eval_context_free(&index);
	}
}

/* As in the text that the models were trained on */
static void pieces_of_text_do_not_merge(void **state)
{
	struct eval_context c = { .tok = models[1].tok, .marks = &models[1].marks };
	struct eval_tokens together = { 0 }, apart = { 0 };

	(void)state;
	eval_write(&c, &together, "the same as for the silver candle");
	eval_write(&c, &apart, "the same as for the ");
	eval_write(&c, &apart, "%s %s", "silver", "candle");
	assert_int_equal(c.err, 0);
	assert_true(apart.n > together.n);
	free(together.v);
	free(apart.v);
}

static void bad_pools_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "line 1: " },
		{ "[]", "colours: not a list of at least 10" },
		{ "{\"colours\": [1,2,3,4,5,6,7,8,9,0]}", "colours: element 0 is not text" },
		{ "{\"colours\": [\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}",
		  "nouns: " },
	};
	char path[] = "/tmp/test_eval.XXXXXX";
	int fd = mkstemp(path);
	struct eval_pool pool;

	(void)state;
	assert_true(fd >= 0);
	fclose(fdopen(fd, "w"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		FILE *f = fopen(path, "w");

		fputs(bad[i].text, f);
		fclose(f);
		assert_int_equal(eval_pool_read(path, &pool), -EINVAL);
		assert_message(path);
		assert_message(bad[i].message);
	}
	remove(path);
	assert_int_equal(eval_pool_read(path, &pool), -ENOENT);
	assert_message("No such file");
}

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) < 5e-5))
		fail_msg("%g is not %g", a, b);
}

/* Method 3 in table I of R. G. Newcombe, Statistics in Medicine 17, 1998 */
static void wilson_is_that_of_the_literature(void **state)
{
	static const struct {
		uint32_t right, n;
		double low, high;
	} known[] = {
		{ 81, 263, 0.2553, 0.3662 },
		{ 15, 148, 0.0624, 0.1605 },
		{ 0, 20, 0, 0.1611 },
		{ 1, 29, 0.0061, 0.1718 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct eval_interval v = eval_wilson(known[i].right, known[i].n);
		struct eval_interval other = eval_wilson(known[i].n - known[i].right, known[i].n);

		assert_near(v.low, known[i].low);
		assert_near(v.high, known[i].high);
		assert_near(other.low, 1 - v.high);
		assert_near(other.high, 1 - v.low);
	}
	assert_true(isnan(eval_wilson(0, 0).low));
}

static double share(const struct eval_sums *sums)
{
	return sums->a / sums->n;
}

static double ratio(const struct eval_sums *sums)
{
	return sums->b / sums->a;
}

static void the_bootstrap_knows_about_contexts(void **state)
{
	struct eval_sums sums[100] = { 0 };
	struct eval_interval v, again;

	(void)state;
	for (int i = 0; i < 100; i++)
		sums[i] = (struct eval_sums){ i % 2 ? 8 : 0, 4, 8 };
	assert_int_equal(eval_bootstrap(sums, 100, share, 1, &v), 0);
	/* a hundred draws, not eight hundred: 0.5 plus or minus 1.96 * 0.5 / sqrt(100) */
	assert_in_range((int)(1000 * v.low), 385, 425);
	assert_in_range((int)(1000 * v.high), 575, 615);
	assert_int_equal(eval_bootstrap(sums, 100, share, 1, &again), 0);
	assert_true(again.low == v.low && again.high == v.high);
	for (int i = 0; i < 100; i++)
		sums[i] = (struct eval_sums){ 8, 8, 8 };
	assert_int_equal(eval_bootstrap(sums, 100, ratio, 1, &v), 0);
	assert_true(v.low == 1 && v.high == 1);
}

static void what_cannot_be_told_is_not(void **state)
{
	struct eval_sums sums[10] = { { 1, 1, 1 } };
	struct eval_interval v;

	(void)state;
	assert_int_equal(eval_bootstrap(sums, 1, ratio, 1, &v), 0);
	assert_true(isnan(v.low) && isnan(v.high));
	memset(sums, 0, sizeof(sums));
	assert_int_equal(eval_bootstrap(sums, 10, ratio, 1, &v), 0);
	assert_true(isnan(v.low) && isnan(v.high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needles_are_in_the_context_at_their_depth),
		cmocka_unit_test(long_contexts_are_full_and_have_every_question),
		cmocka_unit_test(a_model_that_knows_no_references_is_asked_for_none),
		cmocka_unit_test(pairs_are_in_the_list_once_at_their_depth),
		cmocka_unit_test(words_are_those_of_the_text),
		cmocka_unit_test(stories_answer_their_questions),
		cmocka_unit_test(sums_are_right),
		cmocka_unit_test(brackets_are_closed),
		cmocka_unit_test(variables_are_copied_so_many_times),
		cmocka_unit_test(text_depends_on_seed_size_and_index_alone),
		cmocka_unit_test(pieces_of_text_do_not_merge),
		cmocka_unit_test(bad_pools_are_refused),
		cmocka_unit_test(wilson_is_that_of_the_literature),
		cmocka_unit_test(the_bootstrap_knows_about_contexts),
		cmocka_unit_test(what_cannot_be_told_is_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("eval", tests, open_models, close_models);
}
