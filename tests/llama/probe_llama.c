/* SPDX-License-Identifier: MIT */
/*
 * llama.cpp behind probe.h. GGML_BACKENDS names the folder of its processor-specific parts. With
 * FLASH_ATTENTION=1 attention is what llama.cpp would choose; without, it is computed step by step,
 * with sums in fp32.
 */
#include "probe.h"
#include "ggml-backend.h"
#include "llama.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 512

struct probe {
	struct llama_model *model;
	struct llama_context *ctx;
	const struct llama_vocab *vocab;
	struct llama_batch batch;
	int32_t length;
};

static void print_errors(enum ggml_log_level level, const char *text, void *opaque)
{
	(void)opaque;
	if (level == GGML_LOG_LEVEL_ERROR)
		fputs(text, stderr);
}

static int open_context(struct probe *p)
{
	struct llama_context_params params = llama_context_default_params();

	params.n_ctx = PROBE_CONTEXT;
	params.n_batch = params.n_ubatch = BATCH;
	params.n_threads = params.n_threads_batch = 1;
	if (!getenv("FLASH_ATTENTION"))
		params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
	p->batch = llama_batch_init(BATCH, 0, 1);
	p->ctx = llama_init_from_model(p->model, params);
	return p->ctx ? 0 : -1;
}

struct probe *probe_open(const char *path, bool vocab_only)
{
	struct llama_model_params params = llama_model_default_params();
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	llama_log_set(print_errors, NULL);
	ggml_backend_load_all_from_path(getenv("GGML_BACKENDS"));
	params.vocab_only = vocab_only;
	p->model = llama_model_load_from_file(path, params);
	if (!p->model)
		return NULL;
	p->vocab = llama_model_get_vocab(p->model);
	return vocab_only || !open_context(p) ? p : NULL;
}

void probe_close(struct probe *p)
{
	if (p->ctx) {
		llama_batch_free(p->batch);
		llama_free(p->ctx);
	}
	llama_model_free(p->model);
	free(p);
}

int probe_tokenize(struct probe *p, const char *text, size_t len, int32_t **tokens, size_t *n)
{
	int32_t room = (int32_t)len + 3;
	int32_t got;

	*tokens = calloc((size_t)room, sizeof(**tokens));
	if (!*tokens)
		return -1;
	got = llama_tokenize(p->vocab, text, (int32_t)len, *tokens, room, true, true);
	*n = (size_t)(got < 0 ? 0 : got);
	return got < 0;
}

uint32_t probe_n_vocab(const struct probe *p)
{
	return (uint32_t)llama_vocab_n_tokens(p->vocab);
}

int probe_attention(struct probe *p, uint32_t budget)
{
	(void)p;
	(void)budget;
	return 0;
}

static int run_batch(struct probe *p, const int32_t *tokens, int32_t n, bool all)
{
	p->batch.n_tokens = n;
	for (int32_t i = 0; i < n; i++) {
		p->batch.token[i] = tokens[i];
		p->batch.pos[i] = p->length + i;
		p->batch.n_seq_id[i] = 1;
		p->batch.seq_id[i][0] = 0;
		p->batch.logits[i] = all || i == n - 1;
	}
	p->length += n;
	return llama_decode(p->ctx, p->batch);
}

int probe_eval(struct probe *p, const int32_t *tokens, size_t n, probe_logits_fn each, void *opaque)
{
	int err = 0;

	for (size_t at = 0; at < n && !err; at += BATCH) {
		int32_t k = (int32_t)(n - at < BATCH ? n - at : BATCH);

		err = run_batch(p, tokens + at, k, each);
		for (int32_t i = 0; i < k && each && !err; i++)
			err = each(opaque, llama_get_logits_ith(p->ctx, i));
	}
	return err;
}

const float *probe_step(struct probe *p, int32_t token)
{
	return run_batch(p, &token, 1, true) ? NULL : llama_get_logits_ith(p->ctx, 0);
}
