/* SPDX-License-Identifier: MIT */
#include "model/tensors.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* Sizes that shapes are made of. */
enum size {
	ONE,
	VOCAB,
	EMBD,
	FF,
	HEAD,	/* head_dim */
	ALL_Q,	/* n_head heads */
	ALL_KV, /* n_head_kv heads */
};

enum need {
	ALWAYS,
	IF_BIAS,
	IF_QK_NORM,
};

struct shape {
	const char *name;
	enum size ne[2]; /* ne[0] first */
	enum need need;
};

static const struct shape model_tensors[] = {
	{ "token_embd.weight", { EMBD, VOCAB }, ALWAYS },
	{ "output_norm.weight", { EMBD, ONE }, ALWAYS },
};

static const struct shape output_tensor = { "output.weight", { EMBD, VOCAB }, ALWAYS };

/* Of every layer, as blk.<layer>.<name>. */
static const struct shape layer_tensors[] = {
	{ "attn_norm.weight", { EMBD, ONE }, ALWAYS },
	{ "attn_q.weight", { EMBD, ALL_Q }, ALWAYS },
	{ "attn_k.weight", { EMBD, ALL_KV }, ALWAYS },
	{ "attn_v.weight", { EMBD, ALL_KV }, ALWAYS },
	{ "attn_output.weight", { ALL_Q, EMBD }, ALWAYS },
	{ "attn_q.bias", { ALL_Q, ONE }, IF_BIAS },
	{ "attn_k.bias", { ALL_KV, ONE }, IF_BIAS },
	{ "attn_v.bias", { ALL_KV, ONE }, IF_BIAS },
	{ "attn_q_norm.weight", { HEAD, ONE }, IF_QK_NORM },
	{ "attn_k_norm.weight", { HEAD, ONE }, IF_QK_NORM },
	{ "ffn_norm.weight", { EMBD, ONE }, ALWAYS },
	{ "ffn_gate.weight", { EMBD, FF }, ALWAYS },
	{ "ffn_up.weight", { EMBD, FF }, ALWAYS },
	{ "ffn_down.weight", { FF, EMBD }, ALWAYS },
};

#define N_ELEMS(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t size_value(const struct iau_hparams *hp, enum size size)
{
	switch (size) {
	case VOCAB:
		return hp->n_vocab;
	case EMBD:
		return hp->n_embd;
	case FF:
		return hp->n_ff;
	case HEAD:
		return hp->head_dim;
	case ALL_Q:
		return (uint64_t)hp->n_head * hp->head_dim;
	case ALL_KV:
		return (uint64_t)hp->n_head_kv * hp->head_dim;
	default:
		return 1;
	}
}

static bool needed(const struct iau_hparams *hp, const struct shape *s)
{
	return s->need == ALWAYS || (s->need == IF_BIAS && hp->qkv_bias) ||
	       (s->need == IF_QK_NORM && hp->qk_norm);
}

static int check_tensor(const struct iau_gguf *g, const struct iau_hparams *hp,
			const struct shape *s, const char *name)
{
	uint64_t ne0 = size_value(hp, s->ne[0]);
	uint64_t ne1 = size_value(hp, s->ne[1]);
	const struct iau_tensor *t;
	int err = iau_gguf_tensor(g, name, &t);

	if (err)
		return err;
	if (t->ne[0] == ne0 && t->ne[1] == ne1 && t->ne[2] == 1 && t->ne[3] == 1)
		return 0;
	return iau_error(-EINVAL, "tensor '%s': shape %llu x %llu x %llu x %llu is not %llu x %llu",
			 name, (unsigned long long)t->ne[0], (unsigned long long)t->ne[1],
			 (unsigned long long)t->ne[2], (unsigned long long)t->ne[3],
			 (unsigned long long)ne0, (unsigned long long)ne1);
}

static int check_layer(const struct iau_gguf *g, const struct iau_hparams *hp, uint32_t layer,
		       size_t *n)
{
	char name[64];

	for (size_t i = 0; i < N_ELEMS(layer_tensors); i++) {
		const struct shape *s = &layer_tensors[i];
		int err;

		if (!needed(hp, s))
			continue;
		snprintf(name, sizeof(name), "blk.%u.%s", layer, s->name);
		err = check_tensor(g, hp, s, name);
		if (err)
			return err;
		++*n;
	}
	return 0;
}

/* Whether @name is one of those that were checked. */
static bool expected(const struct iau_hparams *hp, struct iau_str name)
{
	char text[64]; /* names have at most 63 bytes */
	char again[64];
	unsigned int layer;
	int tail = 0;

	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	for (size_t i = 0; i < N_ELEMS(model_tensors); i++)
		if (strcmp(text, model_tensors[i].name) == 0)
			return true;
	if (strcmp(text, output_tensor.name) == 0)
		return true;
	if (sscanf(text, "blk.%u.%n", &layer, &tail) != 1 || !tail || layer >= hp->n_layer)
		return false;
	for (size_t i = 0; i < N_ELEMS(layer_tensors); i++) {
		snprintf(again, sizeof(again), "blk.%u.%s", layer, layer_tensors[i].name);
		if (needed(hp, &layer_tensors[i]) && strcmp(text, again) == 0)
			return true;
	}
	return false;
}

static int refuse_other(const struct iau_gguf *g, const struct iau_hparams *hp)
{
	for (size_t i = 0; i < iau_gguf_n_tensors(g); i++) {
		struct iau_str name = iau_gguf_tensor_at(g, i)->name;

		if (!expected(hp, name) ||
		    strlen(iau_printable(name.ptr, name.len).text) != name.len)
			return iau_error(
				-ENOTSUP, "tensor '%s' is not supported in architecture %s",
				iau_printable(name.ptr, name.len).text, iau_arch_name(hp->arch));
	}
	return 0;
}

static bool has_tensor(const struct iau_gguf *g, const char *name)
{
	for (size_t i = 0; i < iau_gguf_n_tensors(g); i++) {
		struct iau_str s = iau_gguf_tensor_at(g, i)->name;

		if (s.len == strlen(name) && memcmp(s.ptr, name, s.len) == 0)
			return true;
	}
	return false;
}

int iau_tensors_check(const struct iau_gguf *g, struct iau_hparams *hp)
{
	size_t n = N_ELEMS(model_tensors);
	int err = 0;

	for (size_t i = 0; i < N_ELEMS(model_tensors) && !err; i++)
		err = check_tensor(g, hp, &model_tensors[i], model_tensors[i].name);
	hp->tied_output = !has_tensor(g, output_tensor.name);
	if (!err && !hp->tied_output) {
		err = check_tensor(g, hp, &output_tensor, output_tensor.name);
		n++;
	}
	for (uint32_t i = 0; i < hp->n_layer && !err; i++)
		err = check_layer(g, hp, i, &n);
	if (err || n == iau_gguf_n_tensors(g))
		return err;
	return refuse_other(g, hp);
}
