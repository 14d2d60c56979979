/* SPDX-License-Identifier: MIT */
/* Hyperparameters and the tensor list: good models of all architectures, and refusals by name. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/hparams.h"
#include "tiny_model.h"

static const char *const archs[] = { "llama", "qwen2", "qwen3" };

/* A model in the making; the tensors follow in load(). */
static void start(struct gguf_writer *w, const char *arch, const char *skip)
{
	gw_init(w);
	tiny_hparams(w, arch, skip);
	gw_u32(w, "general.file_type", 7);
}

static int load_tensors(struct gguf_writer *w, const char *arch, const char *skip,
			struct iau_hparams *hp)
{
	struct iau_gguf *g;
	uint32_t n_vocab;
	uint8_t *file;
	size_t size;
	int err;

	n_vocab = tiny_bpe(w, "gpt-2", NULL, 0);
	tiny_tensors(w, arch, n_vocab, skip);
	file = gw_finish(w, &size);
	assert_int_equal(iau_gguf_open_memory(file, size, &g), 0);
	err = iau_hparams_load(g, hp);
	iau_gguf_close(g);
	free(file);
	gw_fini(w);
	return err;
}

static int load(struct gguf_writer *w, const char *arch, struct iau_hparams *hp)
{
	return load_tensors(w, arch, NULL, hp);
}

static void test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct gguf_writer w;
		struct iau_hparams hp;

		start(&w, archs[i], NULL);
		if (load(&w, archs[i], &hp))
			fail_msg("%s: %s", archs[i], iau_last_error());
		assert_string_equal(iau_arch_name(hp.arch), archs[i]);
		assert_int_equal(hp.n_vocab, 259);
		assert_int_equal(hp.n_ctx, TINY_CTX);
		assert_int_equal(hp.n_embd, TINY_EMBD);
		assert_int_equal(hp.n_layer, TINY_LAYERS);
		assert_int_equal(hp.n_ff, TINY_FF);
		assert_int_equal(hp.n_head, TINY_HEADS);
		assert_int_equal(hp.n_head_kv, TINY_KV_HEADS);
		assert_int_equal(hp.head_dim, TINY_HEAD_DIM);
		assert_true(hp.rms_eps == 1e-5f);
		assert_true(hp.rope_base == 10000.0f);
		assert_int_equal(hp.rope_dim, TINY_HEAD_DIM);
		assert_int_equal(hp.rope, i == 0 ? IAU_ROPE_NORM : IAU_ROPE_NEOX);
		assert_int_equal(hp.qkv_bias, i == 1);
		assert_int_equal(hp.qk_norm, i == 2);
		assert_false(hp.tied_output);
	}
}

static void test_given_values(void **state)
{
	struct gguf_writer w;
	struct iau_hparams hp;

	(void)state;
	start(&w, "qwen3", NULL);
	gw_f32(&w, "qwen3.rope.freq_base", 1e6f);
	gw_u32(&w, "qwen3.rope.dimension_count", 8);
	gw_u32(&w, "qwen3.attention.key_length", TINY_HEAD_DIM);
	gw_u32(&w, "qwen3.attention.value_length", TINY_HEAD_DIM);
	assert_int_equal(load_tensors(&w, "qwen3", "output.weight", &hp), 0);
	assert_true(hp.rope_base == 1e6f);
	assert_int_equal(hp.rope_dim, 8);
	assert_true(hp.tied_output);
}

static void test_missing_keys(void **state)
{
	static const char *const keys[] = {
		"context_length",	"embedding_length",	"block_count",
		"feed_forward_length",	"attention.head_count", "attention.layer_norm_rms_epsilon",
		"general.architecture",
	};
	struct iau_hparams hp;
	struct gguf_writer w;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		start(&w, "llama", keys[i]);
		assert_int_equal(load(&w, "llama", &hp), -ENOENT);
		assert_message(keys[i]);
		assert_message("is missing");
	}
}

static void test_architecture(void **state)
{
	struct iau_hparams hp;
	struct gguf_writer w;

	(void)state;
	start(&w, "mamba", NULL);
	assert_int_equal(load(&w, "mamba", &hp), -ENOTSUP);
	assert_message("architecture 'mamba' is not supported");
	start(&w, "llam", NULL);
	assert_int_equal(load(&w, "llama", &hp), -ENOTSUP);
}

/* What is refused with a value other than off, and passes with off. */
static void test_neutral_keys(void **state)
{
	static const struct {
		const char *key;
		enum iau_gguf_type type;
		float off, on;
	} keys[] = {
		{ "rope.scaling.factor", IAU_GGUF_F32, 1, 4 },
		{ "rope.scale_linear", IAU_GGUF_F32, 1, 2 },
		{ "rope.scaling.attn_factor", IAU_GGUF_F32, 1, 2 },
		{ "attention.sliding_window", IAU_GGUF_U32, 0, 4096 },
		{ "attention.max_alibi_bias", IAU_GGUF_F32, 0, 8 },
		{ "attention.clamp_kqv", IAU_GGUF_F32, 0, 8 },
		{ "attention.causal", IAU_GGUF_BOOL, 1, 0 },
		{ "attn_logit_softcapping", IAU_GGUF_F32, 0, 50 },
		{ "final_logit_softcapping", IAU_GGUF_F32, 0, 30 },
		{ "logit_scale", IAU_GGUF_F32, 1, 0.5f },
		{ "expert_count", IAU_GGUF_U32, 0, 8 },
		{ "expert_used_count", IAU_GGUF_U32, 0, 2 },
		{ "pooling_type", IAU_GGUF_U32, 0, 1 },
		{ "use_parallel_residual", IAU_GGUF_BOOL, 0, 1 },
	};
	struct iau_hparams hp;
	struct gguf_writer w;
	char key[96];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(keys) / sizeof(keys[0]); i++) {
		float value = i % 2 ? keys[i / 2].on : keys[i / 2].off;

		start(&w, "qwen2", NULL);
		snprintf(key, sizeof(key), "qwen2.%s", keys[i / 2].key);
		if (keys[i / 2].type == IAU_GGUF_F32)
			gw_f32(&w, key, value);
		else if (keys[i / 2].type == IAU_GGUF_BOOL)
			gw_bool(&w, key, (uint8_t)value);
		else
			gw_u32(&w, key, (uint32_t)value);
		assert_int_equal(load(&w, "qwen2", &hp), i % 2 ? -ENOTSUP : 0);
		if (i % 2)
			assert_message(key);
	}
}

static void test_unknown_keys(void **state)
{
	struct iau_hparams hp;
	struct gguf_writer w;

	(void)state;
	start(&w, "llama", NULL);
	gw_f32(&w, "llama.embedding_scale", 1.0f);
	assert_int_equal(load(&w, "llama", &hp), -ENOTSUP);
	assert_message("key 'llama.embedding_scale' is not supported");
	/* keys of others do not matter */
	start(&w, "llama", NULL);
	gw_u32(&w, "qwen2.expert_count", 8);
	gw_u32(&w, "llamas.expert_count", 8);
	assert_int_equal(load(&w, "llama", &hp), 0);
}

static void test_rope_scaling(void **state)
{
	struct iau_hparams hp;
	struct gguf_writer w;
	uint64_t ne[1] = { 8 };

	(void)state;
	start(&w, "llama", NULL);
	gw_str(&w, "llama.rope.scaling.type", "yarn");
	assert_int_equal(load(&w, "llama", &hp), -ENOTSUP);
	assert_message("rope scaling 'yarn' is not supported");
	start(&w, "llama", NULL);
	gw_str(&w, "llama.rope.scaling.type", "none");
	assert_int_equal(load(&w, "llama", &hp), 0);
	start(&w, "llama", NULL);
	gw_tensor(&w, "rope_freqs.weight", IAU_TENSOR_F32, 1, ne, NULL, 32);
	assert_int_equal(load(&w, "llama", &hp), -ENOTSUP);
	assert_message("tensor 'rope_freqs.weight' is not supported");
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *key;
		uint32_t value;
		int err;
		const char *message;
	} cases[] = {
		{ "block_count", 0, -EINVAL, "block_count': 0 is not 1" },
		{ "block_count", 1025, -EINVAL, "block_count: 1025 is above 1024" },
		{ "embedding_length", 1u << 25, -EINVAL, "33554432 is not 1 to" },
		{ "attention.head_count_kv", 3, -EINVAL, "3 does not divide head_count 2" },
		{ "attention.head_count", 64, -EINVAL, "0 is not an even head size" },
		{ "attention.key_length", 64, -ENOTSUP,
		  "value_length: 16 differs from key_length 64" },
		{ "rope.dimension_count", 32, -EINVAL, "32 is not an even part of 16" },
		{ "rope.dimension_count", 7, -EINVAL, "7 is not an even part of 16" },
		{ "feed_forward_length", 32, -EINVAL,
		  "tensor 'blk.0.ffn_gate.weight': shape 32 x 64" },
	};
	struct iau_hparams hp;
	struct gguf_writer w;
	char key[96];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&w, "llama", cases[i].key);
		snprintf(key, sizeof(key), "llama.%s", cases[i].key);
		gw_u32(&w, key, cases[i].value);
		assert_int_equal(load(&w, "llama", &hp), cases[i].err);
		assert_message(cases[i].message);
	}
	start(&w, "llama", "attention.layer_norm_rms_epsilon");
	gw_f32(&w, "llama.attention.layer_norm_rms_epsilon", 0.0f);
	assert_int_equal(load(&w, "llama", &hp), -EINVAL);
	assert_message("0 is not above 0");
	start(&w, "llama", NULL);
	gw_raw(&w, "llama.rope.freq_base", IAU_GGUF_F32, "\0\0\xc0\x7f", 4); /* NaN */
	assert_int_equal(load(&w, "llama", &hp), -EINVAL);
	assert_message("llama.rope.freq_base");
}

static void test_missing_tensors(void **state)
{
	static const struct {
		const char *arch, *name;
	} cases[] = {
		{ "llama", "token_embd.weight" },   { "llama", "output_norm.weight" },
		{ "llama", "blk.1.attn_q.weight" }, { "llama", "blk.0.ffn_down.weight" },
		{ "qwen2", "blk.1.attn_v.bias" },   { "qwen3", "blk.0.attn_k_norm.weight" },
	};
	struct iau_hparams hp;
	struct gguf_writer w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&w, cases[i].arch, NULL);
		assert_int_equal(load_tensors(&w, cases[i].arch, cases[i].name, &hp), -ENOENT);
		assert_message(cases[i].name);
	}
}

static void test_other_tensors(void **state)
{
	static const char *const names[] = {
		"blk.0.attn_q.bias",	      "blk.2.attn_norm.weight",	  "blk.00.attn_norm.weight",
		"blk.0.ffn_gate_exps.weight", "rope_factors_long.weight", "x"
	};
	uint64_t ne[1] = { TINY_EMBD };
	struct iau_hparams hp;
	struct gguf_writer w;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start(&w, "llama", NULL);
		gw_tensor(&w, names[i], IAU_TENSOR_F32, 1, ne, NULL, TINY_EMBD * 4);
		assert_int_equal(load(&w, "llama", &hp), -ENOTSUP);
		assert_message(names[i]);
		assert_message("architecture llama");
	}
	start(&w, "llama", NULL);
	gw_tensor(&w, "blk.0.attn_norm.weight", 14, 1, ne, NULL, TINY_EMBD * 4);
	assert_int_equal(load_tensors(&w, "llama", "blk.0.attn_norm.weight", &hp), -ENOTSUP);
	assert_message("tensor 'blk.0.attn_norm.weight': type Q6_K");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),	cmocka_unit_test(test_given_values),
		cmocka_unit_test(test_missing_keys),	cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_neutral_keys),	cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_rope_scaling),	cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_missing_tensors), cmocka_unit_test(test_other_tensors),
	};

	return run_group("hparams", tests);
}
