/* SPDX-License-Identifier: MIT */
/* Small valid models and vocabularies for tests, in the parts that a test may want to replace. */
#ifndef TESTS_SUPPORT_TINY_MODEL_H
#define TESTS_SUPPORT_TINY_MODEL_H

#include "gguf_writer.h"
#include "iau/tokenizer.h"

/* The sizes of every tiny model. */
enum {
	TINY_CTX = 64,
	TINY_EMBD = 32,
	TINY_LAYERS = 2,
	TINY_FF = 64,
	TINY_HEADS = 2,
	TINY_KV_HEADS = 1,
	TINY_HEAD_DIM = 16,
};

/* general.architecture and the keys of @arch; the one named @skip (without "<arch>.") is left. */
void tiny_hparams(struct gguf_writer *w, const char *arch, const char *skip);

/* All tensors of @arch for @n_vocab tokens, but not the one named @skip. */
void tiny_tensors(struct gguf_writer *w, const char *arch, uint32_t n_vocab, const char *skip);

/*
 * Byte-level vocabulary: ids 0-255 are the bytes (id = byte), then the new texts that @merges
 * ("a b" in byte-level spelling) make in order, then the control tokens "<|im_start|>" and
 * "<|im_end|>", and the user-defined token "<tool>". Returns the number of tokens.
 */
uint32_t tiny_bpe(struct gguf_writer *w, const char *pre, const char *const *merges, size_t n);

/*
 * SentencePiece-style vocabulary: <unk>, <s>, </s>, <0x00> to <0xFF> (id = 3 + byte), then
 * @pieces with the score -(index). Returns the number of tokens.
 */
uint32_t tiny_spm(struct gguf_writer *w, const char *const *pieces, size_t n);

/* A file of @arch with tokenizer model "gpt2" (pre-tokenizer @pre) or, without @pre, "llama". */
uint8_t *tiny_file(const char *arch, const char *pre, size_t *size);

/* Byte-level spelling of @len bytes, NUL-terminated; static storage, at most 255 characters. */
const char *tiny_spell(const char *bytes, size_t len);

#endif
