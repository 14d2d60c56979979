/* SPDX-License-Identifier: MIT */
/* iau run: streams text, then a line of figures. */
#include "tool.h"
#include "base/error.h"
#include "iau_hw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct common common;
	const char *prompt, *save_kv;
	uint32_t n, ahead;
	struct iau_sampler_params sampler;
};

enum { OPT_TOP_K = 256, OPT_TOP_P, OPT_MIN_P, OPT_REPEAT, OPT_REPEAT_N, OPT_SAVE_KV, OPT_LOAD_KV, OPT_AHEAD };

static const struct argp_option options[] = {
	{ "prompt", 'p', "TEXT", 0, "Prompt; without it, standard input is read", 0 },
	{ "tokens", 'n', "N", 0, "Tokens to write at most (128)", 0 },
	{ "temperature", 't', "T", 0, "0 = greedy (0)", 0 },
	{ "ahead", OPT_AHEAD, "N", 0, "Greedy: tokens that the device chooses before they are shown, at most (8)", 0 },
	{ "top-k", OPT_TOP_K, "K", 0, "Sample from the K likeliest tokens; 0 = all", 0 },
	{ "top-p", OPT_TOP_P, "P", 0, "... from the likeliest of total probability P", 0 },
	{ "min-p", OPT_MIN_P, "P", 0, "... from those of at least P times the likeliest", 0 },
	{ "repeat-penalty", OPT_REPEAT, "X", 0, "Penalise repeated tokens; 1 = not", 0 },
	{ "repeat-last-n", OPT_REPEAT_N, "N", 0, "... within the last N", 0 },
	{ "save-kv", OPT_SAVE_KV, "FILE", 0, "Keep tokens and KV cache there at the end", 0 },
	{ "load-kv", OPT_LOAD_KV, "FILE", 0, "Go on after what was kept there; the prompt may be empty", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case 'p':
		o->prompt = arg;
		return 0;
	case 'n':
		o->n = (uint32_t)tool_number(state, "--tokens", arg, 1 << 20);
		return 0;
	case 't':
		o->sampler.temperature = (float)tool_real(state, "--temperature", arg, 100);
		return 0;
	case OPT_AHEAD:
		o->ahead = tool_ahead(state, arg);
		return 0;
	case OPT_TOP_K:
		o->sampler.top_k = (uint32_t)tool_number(state, "--top-k", arg, 1 << 24);
		return 0;
	case OPT_TOP_P:
		o->sampler.top_p = (float)tool_real(state, "--top-p", arg, 1);
		return 0;
	case OPT_MIN_P:
		o->sampler.min_p = (float)tool_real(state, "--min-p", arg, 1);
		return 0;
	case OPT_REPEAT:
		o->sampler.repeat_penalty = (float)tool_real(state, "--repeat-penalty", arg, 100);
		return 0;
	case OPT_REPEAT_N:
		o->sampler.repeat_last_n = (uint32_t)tool_number(state, "--repeat-last-n", arg, 1 << 20);
		return 0;
	case OPT_SAVE_KV:
		o->save_kv = arg;
		return 0;
	case OPT_LOAD_KV:
		o->common.load_kv = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->common.model)
			argp_error(state, "no model: give -m FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Where the generated text goes. */
struct sink {
	const struct iau_tokenizer *tok;
	struct iau_utf8_stream utf8;
	bool json;
	char *text;
	size_t len;
	FILE *mem;
};

static void emit(struct sink *out, const char *bytes, size_t n)
{
	if (out->json) {
		fwrite(bytes, 1, n, out->mem);
	} else {
		fwrite(bytes, 1, n, stdout);
	}
}

static void show(const struct sink *out)
{
	if (!out->json)
		fflush(stdout);
}

static void emit_token(struct sink *out, int32_t token)
{
	struct iau_str piece = iau_tokenizer_piece(out->tok, token, 0);
	char buf[512];

	while (piece.len) {
		size_t n = piece.len < 256 ? piece.len : 256;

		emit(out, buf, iau_utf8_push(&out->utf8, piece.ptr, n, buf));
		piece.ptr += n;
		piece.len -= n;
	}
}

/* By the user, or because nobody reads any more. */
static bool stopped(void)
{
	return tool_interrupted() || ferror(stdout);
}

/* The likeliest token is always the next one: the device can choose it. */
static bool is_greedy(const struct options *o)
{
	return o->sampler.temperature == 0 && o->sampler.repeat_penalty == 1;
}

/* TOKEN is evaluated, perhaps with more after it, so many at most; those are written. */
static int go_on(const struct options *o, struct loaded *l, struct iau_sampler *s, struct sink *out, int32_t token,
		 uint32_t most, uint32_t *count)
{
	uint32_t i = iau_session_length(l->session) + 1;
	int err;

	if (is_greedy(o) && o->ahead > 1)
		err = iau_session_generate(l->session, token, most < o->ahead ? most : o->ahead);
	else
		err = iau_session_eval(l->session, &token, 1, NULL, NULL);
	for (; !err && i < iau_session_length(l->session); i++, ++*count) {
		token = iau_session_tokens(l->session)[i];
		emit_token(out, token);
		err = iau_sampler_accept(s, token);
	}
	return err;
}

static int generate(const struct options *o, struct loaded *l, struct iau_sampler *s,
		    struct sink *out, uint32_t *count)
{
	struct iau_model_info info;
	int err = 0;

	iau_model_info(l->model, &info);
	for (*count = 0; *count < o->n && !err && !stopped(); show(out)) {
		int32_t token;

		err = iau_sampler_sample(s, iau_session_logits(l->session), &token);
		if (err || iau_tokenizer_is_eog(out->tok, token))
			break;
		emit_token(out, token);
		++*count;
		err = iau_sampler_accept(s, token);
		if (iau_session_length(l->session) == info.n_ctx)
			break;
		if (!err)
			err = go_on(o, l, s, out, token, o->n - *count + 1, count);
	}
	return err;
}

struct figures {
	size_t before, prompt, tokens;
	uint64_t cycles, decode_cycles, bytes, macs, decode_bytes;
};

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void report(const struct options *o, struct loaded *l, struct sink *out, const struct figures *f)
{
	struct iau_device_info dev;
	struct iau_kv_usage kv;

	iau_device_info(l->dev, &dev);
	iau_model_kv_usage(l->model, &kv);
	if (o->common.json) {
		fclose(out->mem);
		tool_print_json(json_pack(
			"{s:s%, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I}", "text", out->text, out->len,
			"engine", dev.engine, "tokens_before", (json_int_t)f->before, "prompt_tokens",
			(json_int_t)f->prompt, "tokens", (json_int_t)f->tokens, "cycles", (json_int_t)f->cycles, "bytes",
			(json_int_t)f->bytes, "macs", (json_int_t)f->macs, "decode_cycles_per_token",
			ratio(f->decode_cycles, f->tokens), "kv_pages_promoted",
			(json_int_t)kv.pages_promoted));
		return;
	}
	fprintf(stderr, "\n[%s: %zu prompt + %zu new tokens, ", dev.engine, f->prompt, f->tokens);
	/* not with an engine without time, here or behind the kernel */
	if (f->cycles)
		fprintf(stderr, "%llu cycles, %.0f cycles/token, memory %.1f%%, ",
			(unsigned long long)f->cycles, ratio(f->decode_cycles, f->tokens),
			100 * ratio(f->decode_bytes, 64 * f->decode_cycles));
	fprintf(stderr, "%llu bytes, %llu MACs", (unsigned long long)f->bytes, (unsigned long long)f->macs);
	if (kv.pages_promoted)
		fprintf(stderr, ", %llu pages of keys and values from host memory",
			(unsigned long long)kv.pages_promoted);
	fputs("]\n", stderr);
}

/* What is evaluated before anything is written: in JSON what was before is not part of the text. */
struct prompt {
	int32_t *tokens; /* NULL: those of the session's */
	size_t n, before;
};

static int check_prompt(const struct prompt *p, uint32_t n_ctx)
{
	if (p->n && p->n <= n_ctx - p->before)
		return EXIT_OK;
	if (!p->n)
		fprintf(stderr, "iau: the prompt has no tokens\n");
	else if (p->before)
		fprintf(stderr, "iau: the prompt has %zu tokens after %zu, the context %u\n", p->n, p->before, n_ctx);
	else
		fprintf(stderr, "iau: the prompt has %zu tokens, the context %u\n", p->n, n_ctx);
	return EXIT_INPUT;
}

/* An empty prompt after what was kept: its last token is evaluated again, for the logits. */
static int take_up(struct loaded *l, struct prompt *p)
{
	p->tokens = malloc(sizeof(*p->tokens));
	if (!p->tokens)
		return iau_error_nomem("prompt");
	p->n = 1;
	p->before--;
	p->tokens[0] = iau_session_tokens(l->session)[p->before];
	return iau_session_truncate(l->session, (uint32_t)p->before);
}

static int make_prompt(struct loaded *l, const char *text, size_t len, struct prompt *p)
{
	unsigned int special = IAU_ENCODE_PARSE_SPECIAL;

	p->before = iau_session_length(l->session);
	if (p->before && !len)
		return take_up(l, p);
	if (!p->before)
		special |= IAU_ENCODE_ADD_SPECIAL;
	return iau_tokenizer_encode(iau_model_tokenizer(l->model), text, len, special, &p->tokens, &p->n);
}

/* The sampler knows all tokens that there are. */
static int accept_all(struct iau_sampler *s, const struct loaded *l, const struct prompt *p)
{
	const int32_t *before = iau_session_tokens(l->session);
	int err = 0;

	for (size_t i = 0; i < p->before && !err; i++)
		err = iau_sampler_accept(s, before[i]);
	for (size_t i = 0; i < p->n && !err; i++)
		err = iau_sampler_accept(s, p->tokens[i]);
	return err;
}

static int read_prompt(struct loaded *l, const struct prompt *p)
{
	int err = 0;

	for (size_t i = 0, n; i < p->n && !err && !tool_interrupted(); i += n) {
		err = iau_session_eval_some(l->session, p->tokens + i, p->n - i, &n);
		if (p->n > 256)
			tool_progress("prompt", i + n, p->n);
	}
	return err;
}

/* Prompt and text, and what they took */
static int write_text(const struct options *o, struct loaded *l, const struct prompt *p,
		      struct iau_sampler *s, struct sink *out, struct figures *f)
{
	struct meter all, decode;
	uint32_t count = 0;
	char tail[16];
	int err;

	meter_start(&all, l->dev);
	err = read_prompt(l, p);
	meter_start(&decode, l->dev);
	if (!err && !tool_interrupted())
		err = generate(o, l, s, out, &count);
	emit(out, tail, iau_utf8_flush(&out->utf8, tail));
	show(out);
	f->prompt = p->n;
	f->before = p->before;
	f->tokens = count;
	f->cycles = meter_read(&all, l->dev, IAU_CNT_CYCLES);
	f->decode_cycles = meter_read(&decode, l->dev, IAU_CNT_CYCLES);
	f->decode_bytes = meter_read(&decode, l->dev, IAU_CNT_LOAD_BYTES) +
			  meter_read(&decode, l->dev, IAU_CNT_STORE_BYTES);
	f->bytes = meter_read(&all, l->dev, IAU_CNT_LOAD_BYTES) +
		   meter_read(&all, l->dev, IAU_CNT_STORE_BYTES);
	f->macs = meter_read(&all, l->dev, IAU_CNT_MACS_I8) + meter_read(&all, l->dev, IAU_CNT_MACS_I4);
	return err;
}

static int run(const struct options *o, struct loaded *l, const char *text, size_t len)
{
	struct sink out = { .tok = iau_model_tokenizer(l->model), .json = o->common.json };
	struct prompt prompt = { 0 };
	struct iau_sampler *s = NULL;
	struct iau_model_info info;
	struct figures f = { 0 };
	int err, code = EXIT_OK;

	iau_model_info(l->model, &info);
	err = make_prompt(l, text, len, &prompt);
	if (!err)
		err = iau_sampler_create(&o->sampler, info.n_vocab, &s);
	if (!err)
		code = check_prompt(&prompt, info.n_ctx);
	if (!err && !code)
		err = accept_all(s, l, &prompt);
	if (!err && !code) {
		if (o->common.json)
			out.mem = open_memstream(&out.text, &out.len);
		else
			emit(&out, text, len);
		show(&out);
		err = write_text(o, l, &prompt, s, &out, &f);
		/* what was evaluated is kept, even if there is no more to come */
		if (o->save_kv && (!err || err == -ENOSPC)) {
			int failed = iau_session_save(l->session, o->save_kv);

			err = err ? err : failed;
		}
		if (!err)
			report(o, l, &out, &f);
		else if (out.mem)
			fclose(out.mem);
	}
	free(out.text);
	free(prompt.tokens);
	iau_sampler_free(s);
	return code ? code : err ? tool_fail(err) : tool_interrupted() ? EXIT_INTERRUPTED : EXIT_OK;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };
	static const struct argp argp = { .options = options, .parser = parse, .children = children,
					  .doc = "Streams the text that a model writes after a prompt." };
	struct options o = { .common = { .seed = 1 }, .n = 128, .ahead = 8,
			     .sampler = iau_sampler_defaults() };
	struct loaded l;
	char *text = NULL;
	size_t len;
	int err, code;

	o.sampler.temperature = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	o.sampler.seed = o.common.seed;
	tool_catch_interrupt();
	if (o.prompt) {
		len = strlen(o.prompt);
	} else if (tool_read("-", &text, &len)) {
		return tool_interrupted() ? EXIT_INTERRUPTED : EXIT_INPUT;
	}
	if (tool_check_utf8(o.prompt ? "--prompt" : "standard input", text ? text : o.prompt, len)) {
		free(text);
		return EXIT_INPUT;
	}
	err = tool_load(&o.common, &l);
	if (err) {
		free(text);
		return tool_fail(err);
	}
	code = run(&o, &l, text ? text : o.prompt, len);
	tool_unload(&l);
	free(text);
	return code;
}
