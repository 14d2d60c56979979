/* SPDX-License-Identifier: MIT */
/* A tokenizer made by a test, and assertions on what it gives. */
#ifndef TESTS_SUPPORT_TOKENS_H
#define TESTS_SUPPORT_TOKENS_H

#include <stdlib.h>

#include "cmocka_all.h"
#include "gguf_writer.h"
#include "iau/tokenizer.h"

struct tokens_file {
	uint8_t *file;
	struct iau_gguf *gguf;
	struct iau_tokenizer *tok;
};

/* Finish @w, which is released, and load it; the result of iau_tokenizer_load(). */
static inline int tokens_load(struct gguf_writer *w, struct tokens_file *t)
{
	size_t size;

	t->file = gw_finish(w, &size);
	gw_fini(w);
	assert_int_equal(iau_gguf_open_memory(t->file, size, &t->gguf), 0);
	return iau_tokenizer_load(t->gguf, &t->tok);
}

static inline void tokens_free(struct tokens_file *t)
{
	iau_tokenizer_free(t->tok);
	iau_gguf_close(t->gguf);
	free(t->file);
}

static inline void tokens_assert(const struct tokens_file *t, const char *text, size_t len,
				 unsigned int flags, const int32_t *want, size_t n_want)
{
	int32_t *ids;
	size_t n;

	if (iau_tokenizer_encode(t->tok, text, len, flags, &ids, &n))
		fail_msg("%s", iau_last_error());
	for (size_t i = 0; i < n && i < n_want; i++)
		if (ids[i] != want[i])
			fail_msg("'%s': token %zu: %d is not %d", text, i, ids[i], want[i]);
	assert_int_equal(n, n_want);
	free(ids);
}

/* tokens_assert() with the ids as arguments. */
#define assert_tokens(t, text, flags, ...)                                            \
	tokens_assert(t, text, strlen(text), flags, (const int32_t[]){ __VA_ARGS__ }, \
		      sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

/* Encode and decode give the text back. */
static inline void tokens_assert_round_trip(const struct tokens_file *t, const char *text,
					    size_t len, unsigned int encode, unsigned int decode)
{
	size_t n, back_len;
	int32_t *ids;
	char *back;

	assert_int_equal(iau_tokenizer_encode(t->tok, text, len, encode, &ids, &n), 0);
	assert_int_equal(iau_tokenizer_decode(t->tok, ids, n, decode, &back, &back_len), 0);
	assert_int_equal(back_len, len);
	assert_memory_equal(back, text, len);
	assert_int_equal(back[back_len], 0);
	free(back);
	free(ids);
}

#endif
