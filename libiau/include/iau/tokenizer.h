/* SPDX-License-Identifier: MIT */
/*
 * Text to tokens and back, by the vocabulary of a GGUF file.
 *
 * Supported are byte-level BPE (tokenizer.ggml.model "gpt2" with tokenizer.ggml.pre "llama-bpe"
 * (also "llama3", "llama-v3"), "qwen2", "smollm" or "gpt-2") and SentencePiece-style BPE (model
 * "llama"). The tokens are those of llama.cpp for the same file and text.
 *
 * Text is any bytes, NUL included. Where it is not valid UTF-8:
 *  - byte-level BPE reads each byte that is not part of a well-formed sequence as U+FFFD, so the
 *    text does not survive exactly (as in llama.cpp); encoded surrogates survive;
 *  - SentencePiece-style BPE falls back to its byte tokens, and the text survives.
 *
 * Known differences to llama.cpp: where a SentencePiece vocabulary has no token for a byte,
 * llama.cpp fails and this library gives the unknown token, once a character; decoding does not
 * "clean up" spaces before punctuation; general categories of characters are those of the Unicode
 * version of the installed PCRE2.
 *
 * A tokenizer is immutable after loading: several threads may use it at once.
 */
#ifndef IAU_TOKENIZER_H
#define IAU_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iau/gguf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iau_tokenizer;

/* No such token. */
#define IAU_TOKEN_NONE (-1)

/* Longest text for iau_tokenizer_encode(), bytes. */
#define IAU_TOKENIZER_MAX_TEXT ((size_t)1 << 28)

/* Flags of iau_tokenizer_encode(). */
enum iau_encode_flags {
	/* Add the begin and end tokens that the metadata asks for. */
	IAU_ENCODE_ADD_SPECIAL = 1 << 0,
	/* Recognise the text of control tokens; user-defined ones always are. */
	IAU_ENCODE_PARSE_SPECIAL = 1 << 1,
};

/* Flags of iau_tokenizer_piece() and iau_tokenizer_decode(). */
enum iau_decode_flags {
	/* Render control and unknown tokens as their text instead of nothing. */
	IAU_DECODE_SPECIAL = 1 << 0,
	/* decode only: drop the space that encoding put before the text (SentencePiece). */
	IAU_DECODE_STRIP_PREFIX = 1 << 1,
};

/**
 * iau_tokenizer_load() - build the tokenizer of a file
 * @gguf:	the file; must outlive the tokenizer
 * @out:	the tokenizer, NULL on failure
 *
 * Return: 0; -ENOENT a key is missing; -EINVAL a value is not valid; -ENOTSUP the model or
 * pre-tokenizer is not one of those above; -ENOMEM.
 */
int iau_tokenizer_load(const struct iau_gguf *gguf, struct iau_tokenizer **out);

/** iau_tokenizer_free() - release a tokenizer; NULL is allowed */
void iau_tokenizer_free(struct iau_tokenizer *tok);

/** iau_tokenizer_n_vocab() - number of tokens; ids are 0 to this less one */
uint32_t iau_tokenizer_n_vocab(const struct iau_tokenizer *tok);

/** iau_tokenizer_bos() - begin-of-text token, or IAU_TOKEN_NONE */
int32_t iau_tokenizer_bos(const struct iau_tokenizer *tok);

/** iau_tokenizer_eos() - end-of-text token, or IAU_TOKEN_NONE */
int32_t iau_tokenizer_eos(const struct iau_tokenizer *tok);

/** iau_tokenizer_adds_bos() - whether IAU_ENCODE_ADD_SPECIAL puts the begin token first */
bool iau_tokenizer_adds_bos(const struct iau_tokenizer *tok);

/** iau_tokenizer_adds_eos() - whether IAU_ENCODE_ADD_SPECIAL puts the end token last */
bool iau_tokenizer_adds_eos(const struct iau_tokenizer *tok);

/**
 * iau_tokenizer_is_eog() - whether generation ends at token @id
 *
 * True for the end-of-text token and for those that end a turn ("<|im_end|>", "<|eot_id|>", ...).
 * False for an @id outside the vocabulary.
 */
bool iau_tokenizer_is_eog(const struct iau_tokenizer *tok, int32_t id);

/**
 * iau_tokenizer_find() - token whose text in the vocabulary is exactly @text
 *
 * The text is as stored in the file (byte-encoded, or with U+2581 for spaces).
 * Return: its id, or IAU_TOKEN_NONE.
 */
int32_t iau_tokenizer_find(const struct iau_tokenizer *tok, struct iau_str text);

/**
 * iau_tokenizer_encode() - text to tokens
 * @text:	@len bytes, may be NULL when @len is 0
 * @len:	at most IAU_TOKENIZER_MAX_TEXT
 * @flags:	enum iau_encode_flags
 * @tokens:	ids, to be freed with free(); NULL when there are none
 * @n:		how many
 *
 * Time is O(len log len). Bytes for which a byte-level vocabulary has no token are dropped.
 *
 * Return: 0; -E2BIG the text is too long; -EINVAL a SentencePiece vocabulary has neither a byte
 * token nor an unknown token where one is needed; -EIO PCRE2 gave up; -ENOMEM.
 */
int iau_tokenizer_encode(const struct iau_tokenizer *tok, const char *text, size_t len,
			 unsigned int flags, int32_t **tokens, size_t *n);

/**
 * iau_tokenizer_piece() - bytes of one token
 * @flags:	0 or IAU_DECODE_SPECIAL
 *
 * A piece may hold part of a character. Return: the bytes, owned by the tokenizer; empty for an
 * @id outside the vocabulary, and for control tokens without IAU_DECODE_SPECIAL.
 */
struct iau_str iau_tokenizer_piece(const struct iau_tokenizer *tok, int32_t id, unsigned int flags);

/**
 * iau_tokenizer_decode() - tokens to text
 * @tokens:	@n ids
 * @flags:	enum iau_decode_flags
 * @text:	bytes and a NUL behind them, to be freed with free()
 * @len:	how many, without the NUL
 *
 * Return: 0; -EINVAL an id is outside the vocabulary; -ENOMEM.
 */
int iau_tokenizer_decode(const struct iau_tokenizer *tok, const int32_t *tokens, size_t n,
			 unsigned int flags, char **text, size_t *len);

/**
 * struct iau_utf8_stream - turns pieces into whole characters, for display
 *
 * All zero to start. What comes out is always valid UTF-8: an incomplete character is held back
 * until the bytes that complete it arrive, and bytes that can never be part of one come out as
 * U+FFFD, one for each maximal invalid part (Unicode 15, section 3.9).
 */
struct iau_utf8_stream {
	unsigned char held[4];
	unsigned int n_held;
};

/* Room that @out of iau_utf8_push() must have for @len bytes of input. */
#define IAU_UTF8_OUT(len) (3 * ((len) + 3))

/**
 * iau_utf8_push() - feed @len bytes
 * @out:	IAU_UTF8_OUT(len) bytes
 *
 * Return: bytes written to @out, not NUL-terminated.
 */
size_t iau_utf8_push(struct iau_utf8_stream *stream, const char *bytes, size_t len, char *out);

/**
 * iau_utf8_flush() - end of the text: give out a held-back rest as U+FFFD and start over
 * @out:	IAU_UTF8_OUT(0) bytes
 *
 * Return: bytes written to @out: 0 or 3.
 */
size_t iau_utf8_flush(struct iau_utf8_stream *stream, char *out);

#ifdef __cplusplus
}
#endif

#endif
