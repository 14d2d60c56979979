/* SPDX-License-Identifier: MIT */
/* The vocabulary of a tokenizer, from the metadata of its file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/tokenizer_impl.h"

#define MAX_VOCAB (1u << 24)

/* Token types of tokenizer.ggml.token_type; any other number is a token without text. */
enum {
	TYPE_NORMAL = 1,
	TYPE_UNKNOWN = 2,
	TYPE_CONTROL = 3,
	TYPE_USER_DEFINED = 4,
	TYPE_BYTE = 6,
};

/*
 * Roles that files often leave out, so that tokens get them by their text: without one of @keys
 * the first of @texts that the vocabulary has becomes a control token, which may end generation.
 */
static const struct {
	const char *keys[2];
	const char *texts[8];
	bool ends;
} roles[] = {
	{ { "tokenizer.ggml.eot_token_id" }, { NULL }, true },
	{ { "tokenizer.ggml.eom_token_id" }, { NULL }, true },
	{ { "tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id" },
	  { "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>",
	    "<|code_prefix|>", "<|prefix|>" },
	  false },
	{ { "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id" },
	  { "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
	    "<|code_suffix|>", "<|suffix|>" },
	  false },
	{ { "tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id" },
	  { "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>",
	    "<|code_middle|>", "<|middle|>" },
	  false },
	{ { "tokenizer.ggml.fim_pad_token_id" },
	  { "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]" },
	  true },
	{ { "tokenizer.ggml.fim_rep_token_id" },
	  { "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>" },
	  true },
	{ { "tokenizer.ggml.fim_sep_token_id" }, { "<|file_sep|>" }, true },
};

/* Texts that make a token a control token that ends generation, whatever its type. */
static const char *const end_texts[] = {
	"<|eot_id|>",
	"<|im_end|>",
	"<|end|>",
	"<|return|>",
	"<|call|>",
	"<|flush|>",
	"<|calls|>",
	"<end_of_turn>",
	"<|endoftext|>",
	"</s>",
	"<|eom_id|>",
	"<EOT>",
	"_<EOT>",
	"[EOT]",
	"[EOS]",
	"<|end_of_text|>",
	"<end_of_utterance>",
	"<eos>",
	"<turn|>",
	"<|tool_response>",
	"<｜end▁of▁sentence｜>",
	"[e~[",
};

/* Texts that make a token user-defined, so that it is always rendered. */
static const char *const rendered_texts[] = {
	"<|channel|>",
	"<|message|>",
	"<|start|>",
	"<|constrain|>",
};

#define N_ELEMS(a) (sizeof(a) / sizeof((a)[0]))

static bool str_is(struct iau_str s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

static struct token *find_text(struct iau_tokenizer *tok, const char *text)
{
	uint32_t id = iau_strmap_get(&tok->intern, iau_str_make(text, strlen(text)));

	return id < tok->n_vocab ? &tok->tokens[id] : NULL;
}

static int load_kind(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	struct iau_str model;
	int err = iau_gguf_str(g, "tokenizer.ggml.model", &model);

	if (err)
		return err;
	if (str_is(model, "gpt2")) {
		tok->kind = TOKENIZER_BPE;
		return 0;
	}
	if (str_is(model, "llama")) {
		tok->kind = TOKENIZER_SPM;
		tok->add_bos = true;
		tok->add_space_prefix = true;
		return 0;
	}
	return iau_error(-ENOTSUP, "tokenizer.ggml.model: '%s' is not supported",
			 iau_printable(model.ptr, model.len).text);
}

static int load_pre(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	static const struct {
		const char *name;
		enum tokenizer_pre pre;
	} names[] = {
		{ "gpt-2", PRE_GPT2 },	     { "smollm", PRE_SMOLLM }, { "qwen2", PRE_QWEN2 },
		{ "llama-bpe", PRE_LLAMA3 }, { "llama3", PRE_LLAMA3 }, { "llama-v3", PRE_LLAMA3 },
	};
	struct iau_str pre;
	int err = iau_gguf_str(g, "tokenizer.ggml.pre", &pre);

	if (err)
		return err;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		if (!str_is(pre, names[i].name))
			continue;
		tok->pre = names[i].pre;
		tok->ignore_merges = tok->pre == PRE_LLAMA3;
		tok->add_bos = tok->pre == PRE_LLAMA3;
		return 0;
	}
	return iau_error(-ENOTSUP, "tokenizer.ggml.pre: '%s' is not supported",
			 iau_printable(pre.ptr, pre.len).text);
}

/* Tokens of a model of this name strip spaces, which nothing in the file says. */
static int refuse_stripping(const struct iau_gguf *g)
{
	struct iau_str name;

	if (!iau_gguf_has(g, "general.name"))
		return 0;
	if (iau_gguf_str(g, "general.name", &name))
		return -EINVAL;
	for (size_t i = 0; i + 4 <= name.len; i++)
		if (strncasecmp(name.ptr + i, "phi3", 4) == 0 ||
		    (i + 5 <= name.len && strncasecmp(name.ptr + i, "phi-3", 5) == 0))
			return iau_error(-ENOTSUP,
					 "general.name: the tokenizer of '%s' is not "
					 "supported",
					 iau_printable(name.ptr, name.len).text);
	return 0;
}

static int add_token(struct iau_tokenizer *tok, uint32_t id, struct iau_str text)
{
	char name[24];
	int err = 0;

	if (!text.len) {
		snprintf(name, sizeof(name), "[EMPTY_%u]", id);
		err = tokenizer_own(tok, name, strlen(name), NULL, 0, &text);
	}
	if (err)
		return err;
	tok->tokens[id] = (struct token){ .text = text, .attr = ATTR_NORMAL };
	err = iau_strmap_add(&tok->intern, text, id);
	if (err == -EEXIST)
		return iau_error(-EINVAL, "tokenizer.ggml.tokens: '%s' is both %u and %u",
				 iau_printable(text.ptr, text.len).text,
				 iau_strmap_get(&tok->intern, text), id);
	return err;
}

static int load_tokens(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	struct iau_str *texts;
	size_t n;
	int err = iau_gguf_strs(g, "tokenizer.ggml.tokens", &texts, &n);

	if (err)
		return err;
	if (n < 1 || n > MAX_VOCAB) {
		free(texts);
		return iau_error(-EINVAL, "tokenizer.ggml.tokens: %zu tokens is not 1 to %u", n,
				 MAX_VOCAB);
	}
	tok->tokens = calloc(n, sizeof(*tok->tokens));
	if (!tok->tokens) {
		free(texts);
		return iau_error_nomem("tokenizer tokens");
	}
	tok->n_vocab = (uint32_t)n;
	err = iau_strmap_reserve(&tok->intern, n);
	for (uint32_t i = 0; i < n && !err; i++)
		err = add_token(tok, i, texts[i]);
	free(texts);
	return err;
}

static int load_scores(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	float *scores;
	size_t n;
	int err;

	if (!iau_gguf_has(g, "tokenizer.ggml.scores"))
		return 0;
	err = iau_gguf_f32s(g, "tokenizer.ggml.scores", &scores, &n);
	if (err)
		return err;
	if (n < tok->n_vocab)
		err = iau_error(-EINVAL, "tokenizer.ggml.scores: %zu for %u tokens", n,
				tok->n_vocab);
	for (uint32_t i = 0; i < tok->n_vocab && !err; i++) {
		tok->tokens[i].score = scores[i];
		if (isnan(scores[i]))
			err = iau_error(-EINVAL, "tokenizer.ggml.scores: %u is not a number", i);
	}
	free(scores);
	return err;
}

static uint32_t type_attr(int32_t type)
{
	switch (type) {
	case TYPE_NORMAL:
		return ATTR_NORMAL;
	case TYPE_UNKNOWN:
		return ATTR_UNKNOWN;
	case TYPE_CONTROL:
		return ATTR_CONTROL;
	case TYPE_USER_DEFINED:
		return ATTR_USER_DEFINED;
	case TYPE_BYTE:
		return ATTR_BYTE;
	default:
		return 0;
	}
}

static int load_types(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	int32_t *types;
	size_t n;
	int err;

	if (!iau_gguf_has(g, "tokenizer.ggml.token_type"))
		return 0;
	err = iau_gguf_i32s(g, "tokenizer.ggml.token_type", &types, &n);
	if (err)
		return err;
	if (n < tok->n_vocab)
		err = iau_error(-EINVAL, "tokenizer.ggml.token_type: %zu for %u tokens", n,
				tok->n_vocab);
	for (uint32_t i = 0; i < tok->n_vocab && !err; i++)
		tok->tokens[i].attr = type_attr(types[i]);
	free(types);
	return err;
}

/* Id from @key where it is there and in the vocabulary, else the default. */
static int load_id(const struct iau_tokenizer *tok, const struct iau_gguf *g, const char *key,
		   int32_t *id)
{
	uint32_t value;
	int err;

	if (*id >= 0 && (uint32_t)*id >= tok->n_vocab)
		*id = IAU_TOKEN_NONE;
	if (!iau_gguf_has(g, key))
		return 0;
	err = iau_gguf_u32(g, key, &value);
	if (err == -ERANGE) /* -1 is used for none */
		return 0;
	if (!err && value < tok->n_vocab)
		*id = (int32_t)value;
	return err;
}

static int load_ids(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	bool bpe = tok->kind == TOKENIZER_BPE;
	int err;

	tok->bos = bpe ? 11 : 1;
	tok->eos = bpe ? 11 : 2;
	tok->unk = bpe ? IAU_TOKEN_NONE : 0;
	err = load_id(tok, g, "tokenizer.ggml.bos_token_id", &tok->bos);
	if (!err)
		err = load_id(tok, g, "tokenizer.ggml.eos_token_id", &tok->eos);
	if (!err)
		err = load_id(tok, g, "tokenizer.ggml.unknown_token_id", &tok->unk);
	return err;
}

static int load_flag(const struct iau_gguf *g, const char *key, bool *flag)
{
	return iau_gguf_has(g, key) ? iau_gguf_bool(g, key, flag) : 0;
}

static int load_flags(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	int err = load_flag(g, "tokenizer.ggml.add_bos_token", &tok->add_bos);

	if (!err)
		err = load_flag(g, "tokenizer.ggml.add_eos_token", &tok->add_eos);
	if (!err)
		err = load_flag(g, "tokenizer.ggml.add_space_prefix", &tok->add_space_prefix);
	if (err)
		return err;
	if (tok->add_bos && tok->bos == IAU_TOKEN_NONE)
		return iau_error(-EINVAL, "tokenizer.ggml.add_bos_token: there is no bos token");
	if (tok->add_eos && tok->eos == IAU_TOKEN_NONE)
		return iau_error(-EINVAL, "tokenizer.ggml.add_eos_token: there is no eos token");
	return 0;
}

static int load_role(struct iau_tokenizer *tok, const struct iau_gguf *g, size_t role)
{
	struct token *t = NULL;
	int32_t id = IAU_TOKEN_NONE;
	int err = 0;

	for (size_t i = 0; i < N_ELEMS(roles[role].keys) && roles[role].keys[i] && !err; i++)
		err = load_id(tok, g, roles[role].keys[i], &id);
	if (err)
		return err;
	if (id != IAU_TOKEN_NONE) {
		if (roles[role].ends)
			tok->tokens[id].attr |= ATTR_EOG;
		return 0;
	}
	for (size_t i = 0; i < N_ELEMS(roles[role].texts) && roles[role].texts[i] && !t; i++)
		t = find_text(tok, roles[role].texts[i]);
	if (t)
		t->attr |= ATTR_CONTROL | (roles[role].ends ? ATTR_EOG : 0u);
	return 0;
}

static int load_roles(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	struct token *t;
	int err = 0;

	for (size_t i = 0; i < N_ELEMS(roles) && !err; i++)
		err = load_role(tok, g, i);
	if (err)
		return err;
	for (size_t i = 0; i < N_ELEMS(end_texts); i++) {
		t = find_text(tok, end_texts[i]);
		if (t)
			t->attr |= ATTR_CONTROL | ATTR_EOG;
	}
	for (size_t i = 0; i < N_ELEMS(rendered_texts); i++) {
		t = find_text(tok, rendered_texts[i]);
		if (t)
			t->attr = ATTR_USER_DEFINED | (t->attr & ATTR_EOG);
	}
	if (tok->eos != IAU_TOKEN_NONE)
		tok->tokens[tok->eos].attr |= ATTR_EOG;
	return 0;
}

static int compare_special(const void *a, const void *b, void *arg)
{
	const struct iau_tokenizer *tok = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	size_t x_len = tok->tokens[x].text.len, y_len = tok->tokens[y].text.len;

	if (x_len != y_len)
		return x_len > y_len ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int load_special(struct iau_tokenizer *tok)
{
	tok->special = malloc(tok->n_vocab * sizeof(*tok->special));
	if (!tok->special)
		return iau_error_nomem("tokenizer special tokens");
	for (uint32_t i = 0; i < tok->n_vocab; i++)
		if (tok->tokens[i].attr & (ATTR_CONTROL | ATTR_USER_DEFINED | ATTR_UNKNOWN))
			tok->special[tok->n_special++] = i;
	qsort_r(tok->special, tok->n_special, sizeof(*tok->special), compare_special, tok);
	return 0;
}

int vocab_load(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	int err = load_kind(tok, g);

	if (!err && tok->kind == TOKENIZER_BPE)
		err = load_pre(tok, g);
	if (!err)
		err = refuse_stripping(g);
	if (!err)
		err = load_tokens(tok, g);
	if (!err)
		err = load_scores(tok, g);
	if (!err)
		err = load_types(tok, g);
	if (!err)
		err = load_ids(tok, g);
	if (!err)
		err = load_flags(tok, g);
	if (!err)
		err = load_roles(tok, g);
	if (!err)
		err = load_special(tok);
	return err;
}
