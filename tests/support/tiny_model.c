/* SPDX-License-Identifier: MIT */
#include "tiny_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 1024

struct vocab {
	struct iau_str text[MAX_TOKENS];
	int32_t type[MAX_TOKENS];
	float score[MAX_TOKENS];
	uint32_t n;
};

static void add(struct vocab *v, const char *text, size_t len, int32_t type, float score)
{
	char *copy = malloc(len + 1);

	if (!copy || v->n == MAX_TOKENS)
		abort();
	memcpy(copy, text, len);
	v->text[v->n] = (struct iau_str){ copy, len };
	v->type[v->n] = type;
	v->score[v->n++] = score;
}

static int has(const struct vocab *v, const char *text)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (v->text[i].len == strlen(text) && !memcmp(v->text[i].ptr, text, strlen(text)))
			return 1;
	return 0;
}

static uint32_t write_vocab(struct gguf_writer *w, struct vocab *v, int scores)
{
	gw_strs(w, "tokenizer.ggml.tokens", v->text, v->n);
	gw_i32s(w, "tokenizer.ggml.token_type", v->type, v->n);
	if (scores)
		gw_f32s(w, "tokenizer.ggml.scores", v->score, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		free((char *)(uintptr_t)v->text[i].ptr);
	return v->n;
}

/* The byte-level alphabet, written out independently of the library. */
static size_t spell_byte(unsigned char b, char *out)
{
	int hidden = 0;

	if ((b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae) {
		if (b < 0x80) {
			out[0] = (char)b;
			return 1;
		}
		out[0] = (char)(0xc0 | b >> 6);
		out[1] = (char)(0x80 | (b & 0x3f));
		return 2;
	}
	for (int i = 0; i < b; i++)
		hidden += !((i >= '!' && i <= '~') || (i >= 0xa1 && i <= 0xac) || i >= 0xae);
	out[0] = (char)(0xc0 | (256 + hidden) >> 6);
	out[1] = (char)(0x80 | ((256 + hidden) & 0x3f));
	return 2;
}

const char *tiny_spell(const char *bytes, size_t len)
{
	static char text[512];
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(text) - 3; i++)
		n += spell_byte((unsigned char)bytes[i], text + n);
	text[n] = '\0';
	return text;
}

uint32_t tiny_bpe(struct gguf_writer *w, const char *pre, const char *const *merges, size_t n)
{
	struct vocab v = { .n = 0 };
	struct iau_str texts[MAX_TOKENS];

	for (int i = 0; i < 256; i++) {
		char text[4];

		add(&v, text, spell_byte((unsigned char)i, text), 1, 0.0f);
	}
	for (size_t i = 0; i < n; i++) {
		char text[256];
		const char *space = strchr(merges[i] + 1, ' ');

		texts[i] = (struct iau_str){ merges[i], strlen(merges[i]) };
		snprintf(text, sizeof(text), "%.*s%s", (int)(space - merges[i]), merges[i],
			 space + 1);
		if (!has(&v, text))
			add(&v, text, strlen(text), 1, 0.0f);
	}
	add(&v, "<|im_start|>", 12, 3, 0.0f);
	add(&v, "<|im_end|>", 10, 3, 0.0f);
	add(&v, "<tool>", 6, 4, 0.0f);
	gw_str(w, "tokenizer.ggml.model", "gpt2");
	gw_str(w, "tokenizer.ggml.pre", pre);
	gw_strs(w, "tokenizer.ggml.merges", texts, n);
	gw_u32(w, "tokenizer.ggml.bos_token_id", v.n - 3);
	gw_u32(w, "tokenizer.ggml.eos_token_id", v.n - 2);
	return write_vocab(w, &v, 0);
}

uint32_t tiny_spm(struct gguf_writer *w, const char *const *pieces, size_t n)
{
	struct vocab v = { .n = 0 };
	char text[8];

	add(&v, "<unk>", 5, 2, 0.0f);
	add(&v, "<s>", 3, 3, 0.0f);
	add(&v, "</s>", 4, 3, 0.0f);
	for (int i = 0; i < 256; i++) {
		snprintf(text, sizeof(text), "<0x%02X>", (unsigned int)i);
		add(&v, text, 6, 6, 0.0f);
	}
	for (size_t i = 0; i < n; i++)
		add(&v, pieces[i], strlen(pieces[i]), 1, -(float)i);
	gw_str(w, "tokenizer.ggml.model", "llama");
	return write_vocab(w, &v, 1);
}

static int wanted(const char *name, const char *skip)
{
	return !skip || strcmp(name, skip) != 0;
}

static void hparam(struct gguf_writer *w, const char *arch, const char *name, const char *skip,
		   uint32_t value)
{
	char key[96];

	snprintf(key, sizeof(key), "%s.%s", arch, name);
	if (wanted(name, skip))
		gw_u32(w, key, value);
}

void tiny_hparams(struct gguf_writer *w, const char *arch, const char *skip)
{
	char key[96];

	if (wanted("general.architecture", skip))
		gw_str(w, "general.architecture", arch);
	hparam(w, arch, "context_length", skip, TINY_CTX);
	hparam(w, arch, "embedding_length", skip, TINY_EMBD);
	hparam(w, arch, "block_count", skip, TINY_LAYERS);
	hparam(w, arch, "feed_forward_length", skip, TINY_FF);
	hparam(w, arch, "attention.head_count", skip, TINY_HEADS);
	hparam(w, arch, "attention.head_count_kv", skip, TINY_KV_HEADS);
	snprintf(key, sizeof(key), "%s.attention.layer_norm_rms_epsilon", arch);
	if (wanted("attention.layer_norm_rms_epsilon", skip))
		gw_f32(w, key, 1e-5f);
}

static void tensor(struct gguf_writer *w, const char *name, const char *skip, uint64_t ne0,
		   uint64_t ne1)
{
	uint64_t ne[2] = { ne0, ne1 };
	int matrix = ne1 > 1;

	if (wanted(name, skip))
		gw_tensor(w, name, matrix ? IAU_TENSOR_Q8_0 : IAU_TENSOR_F32, matrix ? 2 : 1, ne,
			  NULL, matrix ? ne0 / 32 * 34 * ne1 : ne0 * 4);
}

static void layer(struct gguf_writer *w, const char *arch, int i, const char *skip)
{
	const struct {
		const char *name;
		uint64_t ne0, ne1;
		const char *only;
	} list[] = {
		{ "attn_norm.weight", TINY_EMBD, 1, NULL },
		{ "attn_q.weight", TINY_EMBD, TINY_HEADS * TINY_HEAD_DIM, NULL },
		{ "attn_k.weight", TINY_EMBD, TINY_KV_HEADS * TINY_HEAD_DIM, NULL },
		{ "attn_v.weight", TINY_EMBD, TINY_KV_HEADS * TINY_HEAD_DIM, NULL },
		{ "attn_output.weight", TINY_HEADS * TINY_HEAD_DIM, TINY_EMBD, NULL },
		{ "ffn_norm.weight", TINY_EMBD, 1, NULL },
		{ "ffn_gate.weight", TINY_EMBD, TINY_FF, NULL },
		{ "ffn_up.weight", TINY_EMBD, TINY_FF, NULL },
		{ "ffn_down.weight", TINY_FF, TINY_EMBD, NULL },
		{ "attn_q.bias", TINY_HEADS * TINY_HEAD_DIM, 1, "qwen2" },
		{ "attn_k.bias", TINY_KV_HEADS * TINY_HEAD_DIM, 1, "qwen2" },
		{ "attn_v.bias", TINY_KV_HEADS * TINY_HEAD_DIM, 1, "qwen2" },
		{ "attn_q_norm.weight", TINY_HEAD_DIM, 1, "qwen3" },
		{ "attn_k_norm.weight", TINY_HEAD_DIM, 1, "qwen3" },
	};

	for (size_t j = 0; j < sizeof(list) / sizeof(list[0]); j++) {
		char name[64];

		snprintf(name, sizeof(name), "blk.%d.%s", i, list[j].name);
		if (!list[j].only || strcmp(list[j].only, arch) == 0)
			tensor(w, name, skip, list[j].ne0, list[j].ne1);
	}
}

void tiny_tensors(struct gguf_writer *w, const char *arch, uint32_t n_vocab, const char *skip)
{
	tensor(w, "token_embd.weight", skip, TINY_EMBD, n_vocab);
	tensor(w, "output_norm.weight", skip, TINY_EMBD, 1);
	tensor(w, "output.weight", skip, TINY_EMBD, n_vocab);
	for (int i = 0; i < TINY_LAYERS; i++)
		layer(w, arch, i, skip);
}

uint8_t *tiny_file(const char *arch, const char *pre, size_t *size)
{
	static const char *const merges[] = { "h e", "l l", "he ll", "hell o", "Ġ w" };
	static const char *const pieces[] = { "▁", "h", "e", "l", "o", "ll", "he", "▁he", "llo" };
	struct gguf_writer w;
	uint32_t n_vocab;
	uint8_t *file;

	gw_init(&w);
	tiny_hparams(&w, arch, NULL);
	n_vocab = pre ? tiny_bpe(&w, pre, merges, sizeof(merges) / sizeof(merges[0]))
		      : tiny_spm(&w, pieces, sizeof(pieces) / sizeof(pieces[0]));
	tiny_tensors(&w, arch, n_vocab, NULL);
	file = gw_finish(&w, size);
	gw_fini(&w);
	return file;
}
