/* SPDX-License-Identifier: MIT */
/* iau eval: generated tasks with known answers, by length and depth; two models side by side. */
#include "eval_report.h"
#include "base/error.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct common common;
	uint32_t tasks; /* a bit each */
	struct tool_list lengths;
	bool lengths_given;
	uint32_t contexts; /* of each sort and size */
	const char *pool, *against, *against_attention, *against_kv, *svg;
	struct iau_attention attention; /* that AGAINST_ATTENTION names */
	struct tool_kv kv;		/* ... AGAINST_KV */
};

enum { OPT_POOL = 1024, OPT_AGAINST, OPT_AGAINST_ATTENTION, OPT_AGAINST_KV, OPT_SVG };

static const struct argp_option options[] = {
	{ "tasks", 'T', "TASK[,TASK...]", 0, "What to ask for (all)", 0 },
	{ "lengths", 'l', "N[,N...]", 0,
	  "Tokens of long contexts (1024,4096,10240, as far as they fit)", 0 },
	{ "contexts", 'n', "N", 0, "Contexts of each sort and size (10)", 0 },
	{ "pool", OPT_POOL, "FILE", 0, "Words and stories (eval.json beside the model)", 0 },
	{ "against", OPT_AGAINST, "MODEL", 0, "Compare with this model of the same vocabulary", 0 },
	{ "against-attention", OPT_AGAINST_ATTENTION, "HOW", 0,
	  "Compare with attention like this; with the same prompts, what was read of them is shared", 0 },
	{ "against-kv", OPT_AGAINST_KV, "HOW", 0, "Compare with keys and values kept like this", 0 },
	{ "svg", OPT_SVG, "FILE", 0, "Draw right answers by length and depth", 0 },
	{ 0 },
};

static uint32_t find_task(const struct argp_state *state, const char *name)
{
	uint32_t i = 0;

	while (i < EVAL_TASKS && strcmp(name, eval_tasks[i].name))
		i++;
	if (i < EVAL_TASKS)
		return i;
	fprintf(stderr, "%s: --tasks: '%s': unknown; there are", state->name, name);
	for (i = 0; i < EVAL_TASKS; i++)
		fprintf(stderr, " %s", eval_tasks[i].name);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

static void parse_tasks(const struct argp_state *state, char *arg, uint32_t *tasks)
{
	char *rest;

	*tasks = 0;
	for (char *word = strtok_r(arg, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		*tasks |= UINT32_C(1) << find_task(state, word);
	if (!*tasks)
		argp_error(state, "--tasks: no task");
}

static void parse_lengths(const struct argp_state *state, char *arg, struct options *o)
{
	tool_list(state, "--lengths", arg, 1 << 20, &o->lengths);
	o->lengths_given = true;
	for (size_t i = 0; i < o->lengths.n; i++)
		if (o->lengths.v[i] < EVAL_SHORTEST)
			argp_error(state, "--lengths: %u: needles and a question need %d",
				   o->lengths.v[i], EVAL_SHORTEST);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case 'T':
		parse_tasks(state, arg, &o->tasks);
		return 0;
	case 'l':
		parse_lengths(state, arg, o);
		return 0;
	case 'n':
		o->contexts = (uint32_t)tool_number(state, "--contexts", arg, 100000);
		if (!o->contexts)
			argp_error(state, "--contexts: no context");
		return 0;
	case OPT_POOL:
		o->pool = arg;
		return 0;
	case OPT_AGAINST:
		o->against = arg;
		return 0;
	case OPT_AGAINST_ATTENTION:
		o->against_attention = arg;
		tool_attention(state, "--against-attention", arg, &o->attention);
		return 0;
	case OPT_AGAINST_KV:
		o->against_kv = arg;
		tool_kv(state, "--against-kv", arg, &o->kv);
		return 0;
	case OPT_SVG:
		o->svg = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What answers, and what it is asked with */
struct evaluation {
	const struct options *o;
	struct loaded l[EVAL_SETTINGS];
	struct eval_setting setting[EVAL_SETTINGS];
	uint32_t settings;
	struct eval_pool pool;
	struct eval_marks marks;
	struct tool_list lengths; /* that fit */
	struct eval_results results;
	size_t done, contexts; /* for the progress */
};

/* One that attends alike to prompts has no need to read them again. */
static bool can_share(const struct options *o)
{
	const struct iau_attention *a = &o->common.attention, *b = &o->attention;

	return !o->against && !o->against_kv && a->prompt_budget == b->prompt_budget &&
	       (!a->prompt_budget || (a->sink == b->sink && a->recent == b->recent &&
				      a->dense_layers == b->dense_layers));
}

static int open_setting(struct evaluation *e, const char *name, const char *model,
			const struct tool_kv *kv, const struct iau_attention *attention, bool shares)
{
	struct eval_setting *s = &e->setting[e->settings];
	struct loaded *l = &e->l[e->settings];
	struct iau_sampler_params greedy = iau_sampler_defaults();
	struct common common = e->o->common;
	int err = 0;

	common.model = model;
	common.kv = *kv;
	if (shares)
		*l = l[-1];
	else
		err = tool_load(&common, l);
	if (err)
		return err;
	e->settings++;
	*s = (struct eval_setting){ .name = name, .session = l->session, .attention = *attention,
				    .shares = shares };
	return iau_sampler_create(&greedy, iau_tokenizer_n_vocab(iau_model_tokenizer(l->model)),
				  &s->sampler);
}

/* Both are given the same tokens. */
static int check_vocabularies(const struct evaluation *e)
{
	const struct iau_tokenizer *a = iau_model_tokenizer(e->l[0].model),
				   *b = iau_model_tokenizer(e->l[1].model);
	uint32_t n = iau_tokenizer_n_vocab(a);
	bool same = n == iau_tokenizer_n_vocab(b);

	for (int32_t i = 0; same && (uint32_t)i < n; i++) {
		struct iau_str x = iau_tokenizer_piece(a, i, IAU_DECODE_SPECIAL);
		struct iau_str y = iau_tokenizer_piece(b, i, IAU_DECODE_SPECIAL);

		same = x.len == y.len && !memcmp(x.ptr, y.ptr, x.len);
	}
	if (same)
		return 0;
	return iau_error(-EINVAL, "%s: another vocabulary than that of %s", e->o->against,
			 e->o->common.model);
}

static int read_pool(struct evaluation *e)
{
	const char *slash = strrchr(e->o->common.model, '/');
	int len = slash ? (int)(slash - e->o->common.model) + 1 : 0;
	char *path;
	int err;

	if (e->o->pool)
		return eval_pool_read(e->o->pool, &e->pool);
	if (asprintf(&path, "%.*seval.json", len, e->o->common.model) < 0)
		return iau_error_nomem("pool");
	err = eval_pool_read(path, &e->pool);
	free(path);
	return err;
}

static uint32_t shorter_context(const struct evaluation *e)
{
	struct iau_model_info info;
	uint32_t n = UINT32_MAX;

	for (uint32_t i = 0; i < e->settings; i++) {
		iau_model_info(e->l[i].model, &info);
		n = info.n_ctx < n ? info.n_ctx : n;
	}
	return n;
}

static int check_lengths(struct evaluation *e)
{
	uint32_t n_ctx = shorter_context(e);

	for (size_t i = 0; i < e->o->lengths.n; i++) {
		uint32_t length = e->o->lengths.v[i];

		if (length > n_ctx && e->o->lengths_given)
			return iau_error(-ENOSPC,
					 "--lengths: %u tokens do not fit the context of %u",
					 length, n_ctx);
		if (length <= n_ctx)
			e->lengths.v[e->lengths.n++] = length;
	}
	return 0;
}

/* By what the second setting differs from the first */
static const char *second_name(const struct options *o)
{
	return o->against_attention ? o->against_attention : o->against_kv ? o->against_kv : o->against;
}

static int evaluation_open(struct evaluation *e)
{
	const struct options *o = e->o;
	const struct iau_attention *attention = o->against_attention ? &o->attention : &o->common.attention;
	struct tool_kv kv = o->against_kv ? o->kv : o->common.kv;
	int err = open_setting(e, o->common.model, o->common.model, &o->common.kv, &o->common.attention, false);

	kv.budget = o->common.kv.budget;
	if (!err && second_name(o))
		err = open_setting(e, second_name(o), o->against ? o->against : o->common.model, &kv, attention,
				   can_share(o));
	if (!err && e->o->against)
		err = check_vocabularies(e);
	if (!err)
		err = read_pool(e);
	if (!err)
		err = eval_find_marks(iau_model_tokenizer(e->l[0].model), &e->marks);
	e->results.settings = e->settings;
	return err ? err : check_lengths(e);
}

static void evaluation_close(struct evaluation *e)
{
	eval_results_free(&e->results);
	eval_pool_free(&e->pool);
	while (e->settings--) {
		iau_sampler_free(e->setting[e->settings].sampler);
		if (!e->setting[e->settings].shares)
			tool_unload(&e->l[e->settings]);
	}
}

static const uint32_t *sizes_of(const struct evaluation *e, const struct eval_sort *sort, size_t *n)
{
	*n = sort->sizes ? sort->sizes : e->lengths.n;
	if (!(sort->tasks & e->o->tasks))
		*n = 0;
	return sort->sizes ? sort->size : e->lengths.v;
}

static int evaluate_one(struct evaluation *e, const struct eval_sort *sort, uint32_t size,
			uint32_t index)
{
	struct eval_context c = { .tok = iau_model_tokenizer(e->l[0].model),
				  .marks = &e->marks,
				  .pool = &e->pool };
	int err = eval_make(&c, sort, e->o->common.seed, e->o->tasks, size, index);

	tool_progress("contexts", e->done++, e->contexts);
	if (!err && c.questions)
		err = eval_score(e->setting, e->settings, &c, &e->results);
	eval_context_free(&c);
	return err;
}

static int evaluate(struct evaluation *e)
{
	size_t sizes;
	int err = 0;

	for (unsigned int i = 0; i < EVAL_SORTS; i++) {
		sizes_of(e, &eval_sorts[i], &sizes);
		e->contexts += sizes * e->o->contexts;
	}
	for (unsigned int i = 0; i < EVAL_SORTS; i++) {
		const uint32_t *size = sizes_of(e, &eval_sorts[i], &sizes);

		for (size_t k = 0; k < sizes; k++)
			for (uint32_t n = 0; n < e->o->contexts && !err; n++)
				err = evaluate_one(e, &eval_sorts[i], size[k], n);
	}
	tool_progress("contexts", e->contexts, e->contexts);
	if (!err && !e->results.n)
		err = iau_error(-EINVAL,
				"--tasks: no question: the pool has none, or the context is short");
	return err;
}

static void print_json(const struct evaluation *e, const struct eval_cells *cells)
{
	json_t *root = eval_json(e->setting, &e->results, cells);
	struct iau_device_info dev;

	iau_device_info(e->l[0].dev, &dev);
	json_object_set_new(root, "engine", json_string(dev.engine));
	json_object_set_new(root, "seed", json_integer((json_int_t)e->o->common.seed));
	tool_print_json(root);
}

/* Of an evaluation that was interrupted, what there is */
static int report(const struct evaluation *e)
{
	struct eval_cells cells;
	int err = eval_cells_make(&e->results, e->o->common.seed, &cells), code = EXIT_OK;

	if (err)
		code = tool_fail(err);
	else if (e->o->common.json)
		print_json(e, &cells);
	else
		eval_print(e->setting, e->settings, &cells);
	if (!err && e->o->svg)
		code = eval_write_svg(e->o->svg, e->settings, &cells);
	eval_cells_free(&cells);
	return code;
}

int cmd_eval(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.children = children,
		.doc = "Asks a model questions whose answers are known, about texts made by the "
		       "seed, and counts the right answers by task, length and depth.",
	};
	struct options o = { .common = { .seed = 1 },
			     .tasks = (UINT32_C(1) << EVAL_TASKS) - 1,
			     .lengths = { { 1024, 4096, 10240 }, 3 },
			     .contexts = 10 };
	struct evaluation e = { .o = &o };
	int err, code = EXIT_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	tool_catch_interrupt();
	/* before hours of work */
	if (o.svg && eval_check_svg(o.svg, o.tasks))
		return EXIT_INPUT;
	err = evaluation_open(&e);
	if (!err)
		err = evaluate(&e);
	if (err < 0)
		code = tool_fail(err);
	else
		code = report(&e);
	evaluation_close(&e);
	return err > 0 && !code ? err : code;
}
