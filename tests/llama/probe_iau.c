/* SPDX-License-Identifier: MIT */
/* libiau on the reference model behind probe.h. */
#include "probe.h"

#include <iau/device.h>
#include <iau/error.h>
#include <iau/model.h>

#include <stdio.h>
#include <stdlib.h>

struct probe {
	struct iau_gguf *gguf;
	struct iau_tokenizer *tok;
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_session *session;
	struct iau_model_info info;
};

static int open_vocab(struct probe *p, const char *path)
{
	int err = iau_gguf_open(path, &p->gguf);

	return err ? err : iau_tokenizer_load(p->gguf, &p->tok);
}

static int open_model(struct probe *p, const char *path)
{
	struct iau_device_options options = { .engine = "ref" };
	int err = iau_device_open(&options, &p->dev);

	if (!err)
		err = iau_model_load(p->dev, path, PROBE_CONTEXT, &p->model);
	if (!err)
		err = iau_session_create(p->model, &p->session);
	if (!err)
		iau_model_info(p->model, &p->info);
	return err;
}

struct probe *probe_open(const char *path, bool vocab_only)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p && (vocab_only ? open_vocab(p, path) : open_model(p, path))) {
		fprintf(stderr, "%s: %s\n", path, iau_last_error());
		probe_close(p);
		return NULL;
	}
	return p;
}

void probe_close(struct probe *p)
{
	iau_session_free(p->session);
	iau_model_free(p->model);
	iau_device_close(p->dev);
	iau_tokenizer_free(p->tok);
	iau_gguf_close(p->gguf);
	free(p);
}

int probe_tokenize(struct probe *p, const char *text, size_t len, int32_t **tokens, size_t *n)
{
	int err = iau_tokenizer_encode(
		p->tok, text, len, IAU_ENCODE_ADD_SPECIAL | IAU_ENCODE_PARSE_SPECIAL, tokens, n);

	if (err)
		fprintf(stderr, "%s\n", iau_last_error());
	return err;
}

uint32_t probe_n_vocab(const struct probe *p)
{
	return p->info.n_vocab;
}

int probe_attention(struct probe *p, uint32_t budget)
{
	struct iau_attention choice = { .budget = budget };
	int err = iau_session_attention(p->session, &choice);

	if (err)
		fprintf(stderr, "%s\n", iau_last_error());
	return err;
}

struct visitor {
	probe_logits_fn each;
	void *opaque;
};

static int visit(void *opaque, uint32_t position, const float *logits)
{
	const struct visitor *v = opaque;

	(void)position;
	return v->each(v->opaque, logits);
}

int probe_eval(struct probe *p, const int32_t *tokens, size_t n, probe_logits_fn each, void *opaque)
{
	struct visitor v = { each, opaque };
	int err = iau_session_eval(p->session, tokens, n, each ? visit : NULL, &v);

	if (err)
		fprintf(stderr, "%s\n", iau_last_error());
	return err;
}

const float *probe_step(struct probe *p, int32_t token)
{
	if (iau_session_eval(p->session, &token, 1, NULL, NULL)) {
		fprintf(stderr, "%s\n", iau_last_error());
		return NULL;
	}
	return iau_session_logits(p->session);
}
