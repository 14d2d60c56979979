/* SPDX-License-Identifier: MIT */
#include "model/hparams.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/tensors.h"

#define MAX_LAYERS 1024
#define MAX_DIM	   (1u << 24) /* of any one size, so that products of two fit in 64 bits */
#define MAX_KEY	   128

static const struct {
	const char *name;
	enum iau_rope rope;
	bool qkv_bias;
	bool qk_norm;
} archs[] = {
	[IAU_ARCH_LLAMA] = { "llama", IAU_ROPE_NORM, false, false },
	[IAU_ARCH_QWEN2] = { "qwen2", IAU_ROPE_NEOX, true, false },
	[IAU_ARCH_QWEN3] = { "qwen3", IAU_ROPE_NEOX, false, true },
};

#define N_ARCHS (sizeof(archs) / sizeof(archs[0]))

/* Keys below "<arch>." that iau_hparams_load() reads, or that do not change the result. */
static const char *const known_keys[] = {
	"context_length",
	"embedding_length",
	"block_count",
	"feed_forward_length",
	"vocab_size",
	"attention.head_count",
	"attention.head_count_kv",
	"attention.key_length",
	"attention.value_length",
	"attention.layer_norm_rms_epsilon",
	"rope.freq_base",
	"rope.dimension_count",
	"rope.scaling.type",
	"rope.scaling.original_context_length", /* used by scaling only, which is refused */
	"rope.scaling.finetuned",		/* informative */
	"tensor_data_layout",			/* informative */
};

/* Keys that are accepted with the one value that means "off". */
static const struct {
	const char *key;
	enum iau_gguf_type type; /* U32 for any integer */
	float off;
} neutral_keys[] = {
	{ "rope.scaling.factor", IAU_GGUF_F32, 1.0f },
	{ "rope.scale_linear", IAU_GGUF_F32, 1.0f },
	{ "rope.scaling.attn_factor", IAU_GGUF_F32, 1.0f },
	{ "attention.sliding_window", IAU_GGUF_U32, 0.0f },
	{ "attention.max_alibi_bias", IAU_GGUF_F32, 0.0f },
	{ "attention.clamp_kqv", IAU_GGUF_F32, 0.0f },
	{ "attention.causal", IAU_GGUF_BOOL, 1.0f },
	{ "attn_logit_softcapping", IAU_GGUF_F32, 0.0f },
	{ "final_logit_softcapping", IAU_GGUF_F32, 0.0f },
	{ "logit_scale", IAU_GGUF_F32, 1.0f },
	{ "expert_count", IAU_GGUF_U32, 0.0f },
	{ "expert_used_count", IAU_GGUF_U32, 0.0f },
	{ "pooling_type", IAU_GGUF_U32, 0.0f },
	{ "use_parallel_residual", IAU_GGUF_BOOL, 0.0f },
};

const char *iau_arch_name(enum iau_arch arch)
{
	return archs[arch].name;
}

static bool str_is(struct iau_str s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

static int read_arch(const struct iau_gguf *g, struct iau_hparams *hp)
{
	struct iau_str name;
	int err = iau_gguf_str(g, "general.architecture", &name);

	if (err)
		return err;
	for (size_t i = 0; i < N_ARCHS; i++) {
		if (!str_is(name, archs[i].name))
			continue;
		hp->arch = (enum iau_arch)i;
		hp->rope = archs[i].rope;
		hp->qkv_bias = archs[i].qkv_bias;
		hp->qk_norm = archs[i].qk_norm;
		return 0;
	}
	return iau_error(-ENOTSUP, "architecture '%s' is not supported",
			 iau_printable(name.ptr, name.len).text);
}

/* Value of the number @key, whatever its type is; *value is unchanged when it is absent. */
static int read_neutral(const struct iau_gguf *g, const char *key, enum iau_gguf_type type,
			float *value)
{
	uint32_t u = 0;
	bool b = false;
	int err;

	if (type == IAU_GGUF_F32)
		return iau_gguf_f32(g, key, value);
	if (type == IAU_GGUF_BOOL) {
		err = iau_gguf_bool(g, key, &b);
		*value = (float)b;
		return err;
	}
	err = iau_gguf_u32(g, key, &u);
	*value = (float)u;
	return err;
}

/* @tail is the key without "<arch>.", @key the whole. */
static int check_key(const struct iau_gguf *g, struct iau_str tail, struct iau_str whole)
{
	struct iau_printable key = iau_printable(whole.ptr, whole.len);
	char name[MAX_KEY];
	float value = 0.0f;
	int err;

	for (size_t i = 0; i < sizeof(known_keys) / sizeof(known_keys[0]); i++)
		if (str_is(tail, known_keys[i]))
			return 0;
	for (size_t i = 0; i < sizeof(neutral_keys) / sizeof(neutral_keys[0]); i++) {
		if (!str_is(tail, neutral_keys[i].key))
			continue;
		memcpy(name, whole.ptr, whole.len); /* a known key: short */
		name[whole.len] = '\0';
		err = read_neutral(g, name, neutral_keys[i].type, &value);
		if (err || value == neutral_keys[i].off)
			return err;
		return iau_error(-ENOTSUP, "key '%s': value %g is not supported, only %g", key.text,
				 (double)value, (double)neutral_keys[i].off);
	}
	return iau_error(-ENOTSUP, "key '%s' is not supported", key.text);
}

static int check_keys(const struct iau_gguf *g, const struct iau_hparams *hp)
{
	const char *arch = archs[hp->arch].name;
	size_t n = strlen(arch);

	for (size_t i = 0; i < iau_gguf_n_keys(g); i++) {
		struct iau_str key = iau_gguf_key(g, i);
		struct iau_str tail = { key.ptr + n + 1, key.len - n - 1 };
		int err;

		if (key.len <= n || memcmp(key.ptr, arch, n) || key.ptr[n] != '.')
			continue;
		err = check_key(g, tail, key);
		if (err)
			return err;
	}
	return 0;
}

static const char *arch_key(const struct iau_hparams *hp, const char *tail, char buf[MAX_KEY])
{
	snprintf(buf, MAX_KEY, "%s.%s", archs[hp->arch].name, tail);
	return buf;
}

/* An integer from 1 to MAX_DIM; @value keeps its default when @optional and absent. */
static int read_dim(const struct iau_gguf *g, const struct iau_hparams *hp, const char *tail,
		    bool optional, uint32_t *value)
{
	char key[MAX_KEY];
	int err;

	arch_key(hp, tail, key);
	if (optional && !iau_gguf_has(g, key))
		return 0;
	err = iau_gguf_u32(g, key, value);
	if (err)
		return err;
	if (*value < 1 || *value > MAX_DIM)
		return iau_error(-EINVAL, "key '%s': %u is not 1 to %u", key, *value, MAX_DIM);
	return 0;
}

/* A finite float above 0. */
static int read_positive(const struct iau_gguf *g, const struct iau_hparams *hp, const char *tail,
			 bool optional, float *value)
{
	char key[MAX_KEY];
	int err;

	arch_key(hp, tail, key);
	if (optional && !iau_gguf_has(g, key))
		return 0;
	err = iau_gguf_f32(g, key, value);
	if (err)
		return err;
	if (!isfinite(*value) || *value <= 0.0f)
		return iau_error(-EINVAL, "key '%s': %g is not above 0", key, (double)*value);
	return 0;
}

static int read_sizes(const struct iau_gguf *g, struct iau_hparams *hp)
{
	int err = read_dim(g, hp, "context_length", false, &hp->n_ctx);

	if (!err)
		err = read_dim(g, hp, "embedding_length", false, &hp->n_embd);
	if (!err)
		err = read_dim(g, hp, "block_count", false, &hp->n_layer);
	if (!err)
		err = read_dim(g, hp, "feed_forward_length", false, &hp->n_ff);
	if (!err)
		err = read_dim(g, hp, "attention.head_count", false, &hp->n_head);
	if (err)
		return err;
	if (hp->n_layer > MAX_LAYERS)
		return iau_error(-EINVAL, "block_count: %u is above %u", hp->n_layer, MAX_LAYERS);
	hp->n_head_kv = hp->n_head;
	err = read_dim(g, hp, "attention.head_count_kv", true, &hp->n_head_kv);
	if (err)
		return err;
	if (hp->n_head % hp->n_head_kv)
		return iau_error(-EINVAL,
				 "attention.head_count_kv: %u does not divide head_count %u",
				 hp->n_head_kv, hp->n_head);
	return 0;
}

static int read_head_dim(const struct iau_gguf *g, struct iau_hparams *hp)
{
	uint32_t values;
	int err;

	hp->head_dim = hp->n_embd / hp->n_head;
	err = read_dim(g, hp, "attention.key_length", true, &hp->head_dim);
	if (err)
		return err;
	values = hp->n_embd / hp->n_head;
	err = read_dim(g, hp, "attention.value_length", true, &values);
	if (err)
		return err;
	if (values != hp->head_dim)
		return iau_error(-ENOTSUP, "attention.value_length: %u differs from key_length %u",
				 values, hp->head_dim);
	if (hp->head_dim == 0 || hp->head_dim % 2)
		return iau_error(-EINVAL, "attention.key_length: %u is not an even head size",
				 hp->head_dim);
	if ((uint64_t)hp->head_dim * hp->n_head > MAX_DIM)
		return iau_error(-EINVAL, "attention.head_count: %u heads of %u are too many",
				 hp->n_head, hp->head_dim);
	return 0;
}

static int read_rope(const struct iau_gguf *g, struct iau_hparams *hp)
{
	struct iau_str type;
	char key[MAX_KEY];
	int err;

	hp->rope_base = 10000.0f;
	err = read_positive(g, hp, "rope.freq_base", true, &hp->rope_base);
	if (err)
		return err;
	hp->rope_dim = hp->head_dim;
	err = read_dim(g, hp, "rope.dimension_count", true, &hp->rope_dim);
	if (err)
		return err;
	if (hp->rope_dim > hp->head_dim || hp->rope_dim % 2)
		return iau_error(-EINVAL, "rope.dimension_count: %u is not an even part of %u",
				 hp->rope_dim, hp->head_dim);
	arch_key(hp, "rope.scaling.type", key);
	if (!iau_gguf_has(g, key))
		return 0;
	err = iau_gguf_str(g, key, &type);
	/* linear scaling by 1, the only factor that check_key() lets pass, is none */
	if (err || str_is(type, "none") || str_is(type, "linear"))
		return err;
	return iau_error(-ENOTSUP, "key '%s': rope scaling '%s' is not supported", key,
			 iau_printable(type.ptr, type.len).text);
}

/* The vocabulary is the token list; vocab_size stands in for it in a file without tokenizer. */
static int read_vocab(const struct iau_gguf *g, struct iau_hparams *hp)
{
	size_t n;
	int err;

	if (!iau_gguf_has(g, "tokenizer.ggml.tokens"))
		return read_dim(g, hp, "vocab_size", false, &hp->n_vocab);
	err = iau_gguf_array_len(g, "tokenizer.ggml.tokens", &n);
	if (err)
		return err;
	if (n < 1 || n > MAX_DIM)
		return iau_error(-EINVAL, "tokenizer.ggml.tokens: %zu tokens is not 1 to %u", n,
				 MAX_DIM);
	hp->n_vocab = (uint32_t)n;
	return 0;
}

int iau_hparams_load(const struct iau_gguf *g, struct iau_hparams *hp)
{
	int err;

	*hp = (struct iau_hparams){ 0 };
	err = read_arch(g, hp);
	if (!err)
		err = check_keys(g, hp);
	if (!err)
		err = read_sizes(g, hp);
	if (!err)
		err = read_head_dim(g, hp);
	if (!err)
		err = read_rope(g, hp);
	if (!err)
		err = read_positive(g, hp, "attention.layer_norm_rms_epsilon", false, &hp->rms_eps);
	if (!err)
		err = read_vocab(g, hp);
	if (!err)
		err = iau_tensors_check(g, hp);
	return err;
}
