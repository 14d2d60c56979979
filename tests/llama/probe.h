/* SPDX-License-Identifier: MIT */
/* What probe.c asks of an engine that runs GGUF models: libiau or llama.cpp. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest sequence that any of the commands evaluates. */
#define PROBE_CONTEXT 10752

struct probe;

/* Logits of the next token of a sequence. */
typedef int (*probe_logits_fn)(void *opaque, const float *logits);

/* Opens a model, or only its vocabulary; one thread. NULL after printing why not. */
struct probe *probe_open(const char *path, bool vocab_only);
void probe_close(struct probe *p);

/* Tokens of a text, special tokens recognised and added; the caller frees *TOKENS. */
int probe_tokenize(struct probe *p, const char *text, size_t len, int32_t **tokens, size_t *n);

uint32_t probe_n_vocab(const struct probe *p);

/* New tokens that come one by one attend to a choice of so many, if the engine has one. */
int probe_attention(struct probe *p, uint32_t budget);

/* Appends tokens to the sequence; EACH sees the logits after every one of them, NULL: only the last has any. */
int probe_eval(struct probe *p, const int32_t *tokens, size_t n, probe_logits_fn each,
	       void *opaque);

/* Appends one token and returns the logits after it; NULL: it failed. */
const float *probe_step(struct probe *p, int32_t token);

#endif
