/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the tokenizer share.
 *
 *   tokenizer.c         life, special tokens in text, encode
 *   tokenizer_vocab.c   the vocabulary from the metadata
 *   tokenizer_bpe.c     byte-level BPE: merge table, words to tokens
 *   tokenizer_split.c   byte-level BPE: text to words
 *   tokenizer_spm.c     SentencePiece-style BPE
 *   tokenizer_merge.c   the merge loop that both use
 *   tokenizer_text.c    tokens to text
 */
#ifndef IAU_MODEL_TOKENIZER_IMPL_H
#define IAU_MODEL_TOKENIZER_IMPL_H

#include "base/strmap.h"
#include "iau/tokenizer.h"

#define NO_ID UINT32_MAX

/* Attributes of a token; several may be set. */
enum token_attr {
	ATTR_NORMAL = 1 << 0,
	ATTR_UNKNOWN = 1 << 1,
	ATTR_CONTROL = 1 << 2,
	ATTR_USER_DEFINED = 1 << 3,
	ATTR_BYTE = 1 << 4,
	ATTR_EOG = 1 << 5,
};

enum tokenizer_kind {
	TOKENIZER_BPE,
	TOKENIZER_SPM,
};

enum tokenizer_pre {
	PRE_GPT2,
	PRE_SMOLLM,
	PRE_LLAMA3,
	PRE_QWEN2,
};

struct token {
	struct iau_str text; /* as in the vocabulary, never empty */
	float score;
	uint32_t attr; /* enum token_attr */
};

/* Two neighbouring texts, by intern id, and what they merge into. */
struct merge_rule {
	uint32_t left; /* NO_ID: the slot is empty */
	uint32_t right;
	uint32_t rank; /* lower merges first */
	uint32_t merged;
};

struct iau_tokenizer {
	enum tokenizer_kind kind;
	enum tokenizer_pre pre;
	struct token *tokens;
	uint32_t n_vocab;

	/*
	 * Every text of the vocabulary to its id; for BPE also every text that only merges
	 * mention, with ids from n_vocab on.
	 */
	struct iau_strmap intern;
	char **owned; /* texts that are not in the file */
	size_t n_owned;

	struct merge_rule *rules; /* hash table by (left, right) */
	size_t n_rule_slots;	  /* a power of two */
	uint32_t byte_char[256];  /* intern id of a byte in its byte-level spelling */
	int32_t byte_token[256];  /* fallback of a raw byte, or IAU_TOKEN_NONE */
	struct splitter *splitter;

	uint32_t *special; /* tokens looked for in text, longest first */
	size_t n_special;
	int32_t bos, eos, unk;
	bool add_bos, add_eos;
	bool add_space_prefix;
	bool ignore_merges;

	char *pieces; /* decoded bytes of token i: from piece_at[i] to piece_at[i + 1] */
	size_t *piece_at;
};

/* Tokens being made. */
struct token_list {
	int32_t *ids;
	size_t n;
	size_t room;
};

/* A stretch of text during merging; dead when len is 0. */
struct symbol {
	uint32_t pos;
	uint32_t len;
	uint32_t id; /* intern id or NO_ID */
	uint32_t prev;
	uint32_t next; /* NO_ID at the ends */
};

/* A pair that may merge; stale when the two no longer have @size bytes together. */
struct candidate {
	uint64_t key; /* priority, lower first, in the upper half; left symbol in the lower */
	uint32_t right;
	uint32_t size;
	uint32_t merged;
};

/* Buffers of the merge loop, kept between words. */
struct merge_work {
	struct symbol *symbols;
	size_t n_symbols, room_symbols;
	struct candidate *heap;
	size_t n_heap, room_heap;
};

/* Everything that one call of iau_tokenizer_encode() needs besides the tokenizer. */
struct encoder {
	const struct iau_tokenizer *tok;
	struct token_list out;
	struct merge_work work;
	const char *text; /* of the fragment that symbols point into */
	char *word;	  /* scratch for one byte-encoded word */
	size_t word_room;
	void *match; /* PCRE2 match data */
};

/* Number that merges before others, and the id of the merged text; false: they do not merge. */
typedef bool (*merge_lookup)(const struct encoder *e, const struct symbol *left,
			     const struct symbol *right, uint32_t *priority, uint32_t *merged);

/* tokenizer.c */
int tokenizer_own(struct iau_tokenizer *tok, const char *a, size_t a_len, const char *b,
		  size_t b_len, struct iau_str *text);
int encoder_emit(struct encoder *e, int32_t id);
/* Make *array hold at least @need elements of @size bytes. */
int grow_array(void **array, size_t *room, size_t need, size_t size);

/* tokenizer_vocab.c */
int vocab_load(struct iau_tokenizer *tok, const struct iau_gguf *g);

/* tokenizer_bpe.c */
int bpe_load(struct iau_tokenizer *tok, const struct iau_gguf *g);
int bpe_encode(struct encoder *e, const char *text, size_t len);
/* Code point that spells @byte in a byte-level vocabulary, and back (-1: none). */
uint32_t bpe_byte_to_char(uint8_t byte);
int bpe_char_to_byte(uint32_t c);

/* tokenizer_split.c */
int splitter_create(enum tokenizer_pre pre, struct splitter **out);
void splitter_free(struct splitter *s);
int splitter_match_data(const struct splitter *s, void **match);
void splitter_free_match_data(void *match);
typedef int (*split_word)(struct encoder *e, size_t pos, size_t len);
/* Call @word for every word of valid UTF-8 @text, in order, without gaps. */
int splitter_run(struct encoder *e, const char *text, size_t len, split_word word);

/* tokenizer_spm.c */
int spm_load(struct iau_tokenizer *tok);
int spm_encode(struct encoder *e, const char *text, size_t len, bool prefix);

/* tokenizer_merge.c */
int merge_add_symbol(struct merge_work *w, uint32_t pos, uint32_t len, uint32_t id);
/* Merge the symbols until nothing merges; the first symbol always survives. */
int merge_run(struct encoder *e, merge_lookup lookup);

/* tokenizer_text.c */
int pieces_load(struct iau_tokenizer *tok);

#endif
