/* SPDX-License-Identifier: MIT */
/* iau perplexity and iau tokenize: what a model makes of a text. */
#include "tool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	struct common common;
	const char *file;
	uint32_t n;
};

static const struct argp_option options[] = {
	{ "tokens", 'n', "N", 0, "Only the first N tokens", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case 'n':
		o->n = (uint32_t)tool_number(state, "--tokens", arg, 1 << 24);
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one file at a time");
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		if (!o->file)
			argp_error(state, "no text: give a file, or - for standard input");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };

struct score {
	const int32_t *tokens;
	size_t n;
	uint32_t n_vocab;
	double nll;
	uint64_t hash; /* FNV-1a of every logit's bits */
	json_t *list;
};

static int score_one(void *opaque, uint32_t position, const float *logits)
{
	struct score *s = opaque;
	int32_t next;
	uint32_t best = 0;
	double lp;
	int err;

	for (size_t i = 0; i < (size_t)s->n_vocab * 4; i++)
		s->hash = (s->hash ^ ((const uint8_t *)logits)[i]) * UINT64_C(0x100000001b3);
	if (position + 1 >= s->n)
		return 0;
	next = s->tokens[position + 1];
	err = iau_logprob(logits, s->n_vocab, next, &lp);
	if (err)
		return err;
	for (uint32_t i = 1; i < s->n_vocab; i++)
		if (logits[i] > logits[best])
			best = i;
	s->nll -= lp;
	if (s->list)
		json_array_append_new(s->list, json_pack("{s:i, s:f, s:i}", "token", next, "logprob",
							 lp, "argmax", (int)best));
	return tool_interrupted() ? EXIT_INTERRUPTED : 0;
}

static int score_text(const struct options *o, struct loaded *l, const int32_t *tokens, size_t n)
{
	struct iau_model_info info;
	char hash[20];
	struct score s = { .tokens = tokens, .n = n, .hash = UINT64_C(0xcbf29ce484222325),
			   .list = o->common.json ? json_array() : NULL };
	int err = 0;

	iau_model_info(l->model, &info);
	s.n_vocab = info.n_vocab;
	for (size_t i = 0, k; i < n && !err; i += k) {
		k = n - i < 256 ? n - i : 256;
		err = iau_session_eval(l->session, tokens + i, k, score_one, &s);
		tool_progress("tokens", i + k, n);
	}
	if (err) {
		json_decref(s.list);
		return err == EXIT_INTERRUPTED ? err : tool_fail(err);
	}
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)s.hash);
	if (o->common.json)
		tool_print_json(json_pack("{s:I, s:s, s:f, s:f, s:o}", "tokens", (json_int_t)n - 1,
					  "logits_fnv1a", hash,
					  "nll_per_token", s.nll / (double)(n - 1), "perplexity",
					  exp(s.nll / (double)(n - 1)), "per_token", s.list));
	else
		printf("tokens %zu  nll/token %.6f  perplexity %.4f\n", n - 1,
		       s.nll / (double)(n - 1), exp(s.nll / (double)(n - 1)));
	return EXIT_OK;
}

static int encode(const struct options *o, const struct iau_tokenizer *tok, int32_t **tokens, size_t *n)
{
	char *text;
	size_t len;
	int err;

	if (tool_read(o->file, &text, &len))
		return EXIT_INPUT;
	err = iau_tokenizer_encode(tok, text, len, IAU_ENCODE_ADD_SPECIAL | IAU_ENCODE_PARSE_SPECIAL,
				   tokens, n);
	free(text);
	if (err)
		return tool_fail(err);
	if (o->n && o->n < *n)
		*n = o->n;
	return EXIT_OK;
}

int cmd_perplexity(int argc, char **argv)
{
	static const struct argp argp = { .options = options, .parser = parse, .children = children,
					  .args_doc = "FILE",
					  .doc = "Negative log-likelihood per token of a text." };
	struct options o = { .common = { .seed = 1 } };
	struct loaded l;
	int32_t *tokens = NULL;
	size_t n;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	tool_catch_interrupt();
	code = tool_load(&o.common, &l);
	if (code)
		return tool_fail(code);
	code = encode(&o, iau_model_tokenizer(l.model), &tokens, &n);
	if (!code && n < 2) {
		fprintf(stderr, "iau: %s: fewer than two tokens\n", o.file);
		code = EXIT_INPUT;
	}
	if (!code)
		code = score_text(&o, &l, tokens, n);
	free(tokens);
	tool_unload(&l);
	return code;
}

static void show_token(const struct iau_tokenizer *tok, int32_t id)
{
	struct iau_str p = iau_tokenizer_piece(tok, id, IAU_DECODE_SPECIAL);

	printf("%6d  ", id);
	for (size_t i = 0; i < p.len; i++) {
		unsigned char ch = (unsigned char)p.ptr[i];

		if (ch < 32 || ch == 127 || ch == '\\')
			printf("\\x%02x", ch);
		else
			putchar(ch);
	}
	putchar('\n');
}

int cmd_tokenize(int argc, char **argv)
{
	static const struct argp argp = { .options = options, .parser = parse, .children = children,
					  .args_doc = "FILE", .doc = "Shows the tokens of a text." };
	struct options o = { .common = { .seed = 1 } };
	struct iau_gguf *gguf = NULL;
	struct iau_tokenizer *tok = NULL;
	int32_t *tokens = NULL;
	json_t *list = NULL;
	size_t n = 0;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = iau_gguf_open(o.common.model, &gguf);
	if (!code)
		code = iau_tokenizer_load(gguf, &tok);
	code = code ? tool_fail(code) : encode(&o, tok, &tokens, &n);
	if (!code && o.common.json)
		list = json_array();
	for (size_t i = 0; i < n && !code; i++) {
		if (list)
			json_array_append_new(list, json_integer(tokens[i]));
		else
			show_token(tok, tokens[i]);
	}
	if (list)
		tool_print_json(list);
	free(tokens);
	iau_tokenizer_free(tok);
	iau_gguf_close(gguf);
	return code;
}
