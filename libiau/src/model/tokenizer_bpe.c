/* SPDX-License-Identifier: MIT */
/*
 * Byte-level BPE. Each byte of the text is spelled as one character (its "byte-level spelling"),
 * so that a symbol of n bytes is n characters of the vocabulary's texts. Texts are interned, and a
 * merge rule maps the ids of two neighbours to their rank and to the id of what they make.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/tokenizer_impl.h"

/* Printable Latin-1 bytes spell themselves. */
static bool spells_itself(uint32_t byte)
{
	return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

/* The others are U+0100 and up, in the order of their values: 0x00-0x20, 0x7f-0xa0, 0xad. */
uint32_t bpe_byte_to_char(uint8_t byte)
{
	if (spells_itself(byte))
		return byte;
	if (byte <= 0x20)
		return 0x100u + byte;
	if (byte <= 0xa0)
		return 0x121u + byte - 0x7fu;
	return 0x143;
}

int bpe_char_to_byte(uint32_t c)
{
	if (c < 0x100)
		return spells_itself(c) ? (int)c : -1;
	if (c <= 0x120)
		return (int)(c - 0x100);
	if (c <= 0x142)
		return (int)(c - 0x121 + 0x7f);
	return c == 0x143 ? 0xad : -1;
}

static size_t rule_hash(const struct iau_tokenizer *tok, uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */

	return (size_t)(h >> 32) & (tok->n_rule_slots - 1);
}

static struct merge_rule *find_rule(const struct iau_tokenizer *tok, uint32_t left, uint32_t right)
{
	for (size_t i = rule_hash(tok, left, right);; i = (i + 1) & (tok->n_rule_slots - 1)) {
		struct merge_rule *r = &tok->rules[i];

		if (r->left == NO_ID || (r->left == left && r->right == right))
			return r;
	}
}

/* Intern id of a+b, which is made if it is new. */
static int intern(struct iau_tokenizer *tok, struct iau_str a, struct iau_str b, uint32_t *id)
{
	struct iau_str text;
	int err;

	*id = iau_strmap_get2(&tok->intern, a, b);
	if (*id != IAU_STRMAP_NONE)
		return 0;
	err = tokenizer_own(tok, a.ptr, a.len, b.ptr, b.len, &text);
	if (err)
		return err;
	*id = (uint32_t)tok->intern.n;
	return iau_strmap_add(&tok->intern, text, *id);
}

static int add_rule(struct iau_tokenizer *tok, struct iau_str text, uint32_t rank)
{
	const char *space = text.len > 1 ? memchr(text.ptr + 1, ' ', text.len - 1) : NULL;
	struct iau_str none = { NULL, 0 };
	struct iau_str left, right;
	struct merge_rule rule = { .rank = rank };
	struct merge_rule *slot;
	int err;

	if (!space || space + 1 == text.ptr + text.len)
		return iau_error(-EINVAL, "tokenizer.ggml.merges: %u: '%s' is not two texts", rank,
				 iau_printable(text.ptr, text.len).text);
	left = iau_str_make(text.ptr, (size_t)(space - text.ptr));
	right = iau_str_make(space + 1, text.len - left.len - 1);
	err = intern(tok, left, none, &rule.left);
	if (!err)
		err = intern(tok, right, none, &rule.right);
	if (!err)
		err = intern(tok, left, right, &rule.merged);
	if (err)
		return err;
	slot = find_rule(tok, rule.left, rule.right);
	if (slot->left == NO_ID) /* of equal rules the first one counts */
		*slot = rule;
	return 0;
}

static int load_rules(struct iau_tokenizer *tok, const struct iau_str *merges, size_t n)
{
	int err = 0;

	tok->n_rule_slots = 16;
	while (tok->n_rule_slots < 2 * n)
		tok->n_rule_slots *= 2;
	tok->rules = malloc(tok->n_rule_slots * sizeof(*tok->rules));
	if (!tok->rules)
		return iau_error_nomem("tokenizer merges");
	for (size_t i = 0; i < tok->n_rule_slots; i++)
		tok->rules[i].left = NO_ID;
	for (size_t i = 0; i < n && !err; i++)
		err = add_rule(tok, merges[i], (uint32_t)i);
	return err;
}

/* Tables by byte: its spelling, and the token whose text is the raw byte. */
static void load_bytes(struct iau_tokenizer *tok)
{
	char spelling[4];
	char raw;

	for (int i = 0; i < 256; i++) {
		size_t n = utf8_encode(bpe_byte_to_char((uint8_t)i), spelling);
		uint32_t id;

		tok->byte_char[i] = iau_strmap_get(&tok->intern, iau_str_make(spelling, n));
		raw = (char)i;
		id = iau_strmap_get(&tok->intern, iau_str_make(&raw, 1));
		tok->byte_token[i] = id < tok->n_vocab ? (int32_t)id : IAU_TOKEN_NONE;
	}
}

int bpe_load(struct iau_tokenizer *tok, const struct iau_gguf *g)
{
	struct iau_str *merges;
	size_t n;
	int err = iau_gguf_strs(g, "tokenizer.ggml.merges", &merges, &n);

	if (err)
		return err;
	/* three texts a rule at most */
	if (n > (NO_ID - tok->n_vocab) / 4)
		err = iau_error(-EINVAL, "tokenizer.ggml.merges: %zu are too many", n);
	if (!err)
		err = load_rules(tok, merges, n);
	free(merges);
	if (err)
		return err;
	load_bytes(tok);
	return splitter_create(tok->pre, &tok->splitter);
}

static bool lookup_rule(const struct encoder *e, const struct symbol *left,
			const struct symbol *right, uint32_t *priority, uint32_t *merged)
{
	const struct merge_rule *r;

	if (left->id == NO_ID || right->id == NO_ID)
		return false;
	r = find_rule(e->tok, left->id, right->id);
	if (r->left == NO_ID)
		return false;
	*priority = r->rank;
	*merged = r->merged;
	return true;
}

/* A symbol without a token: those bytes of its spelling that are tokens, the others are dropped. */
static int emit_bytes(struct encoder *e, const char *bytes, size_t len)
{
	char spelling[4];
	int err = 0;

	for (size_t i = 0; i < len; i++) {
		size_t n = utf8_encode(bpe_byte_to_char((uint8_t)bytes[i]), spelling);

		for (size_t j = 0; j < n && !err; j++) {
			int32_t id = e->tok->byte_token[(unsigned char)spelling[j]];

			if (id != IAU_TOKEN_NONE)
				err = encoder_emit(e, id);
		}
	}
	return err;
}

/* Token of a whole word in byte-level spelling, or NO_ID. */
static int whole_word(struct encoder *e, const char *bytes, size_t len, uint32_t *id)
{
	void *array = e->word;
	size_t n = 0;
	int err = grow_array(&array, &e->word_room, 2 * len + 2, 1);

	e->word = array;
	if (err)
		return err;
	for (size_t i = 0; i < len; i++) {
		char spelling[4];
		size_t k = utf8_encode(bpe_byte_to_char((uint8_t)bytes[i]), spelling);

		memcpy(e->word + n, spelling, k);
		n += k;
	}
	*id = iau_strmap_get(&e->tok->intern, iau_str_make(e->word, n));
	if (*id >= e->tok->n_vocab)
		*id = NO_ID;
	return 0;
}

static int encode_word(struct encoder *e, size_t pos, size_t len)
{
	const char *bytes = e->text + pos;
	uint32_t id = NO_ID;
	int err = 0;

	if (e->tok->ignore_merges)
		err = whole_word(e, bytes, len, &id);
	if (err)
		return err;
	if (id != NO_ID)
		return encoder_emit(e, (int32_t)id);

	e->work.n_symbols = 0;
	for (size_t i = 0; i < len && !err; i++)
		err = merge_add_symbol(&e->work, (uint32_t)i, 1,
				       e->tok->byte_char[(unsigned char)bytes[i]]);
	if (!err)
		err = merge_run(e, lookup_rule);
	for (uint32_t i = 0; i != NO_ID && !err; i = e->work.symbols[i].next) {
		const struct symbol *s = &e->work.symbols[i];

		if (s->id < e->tok->n_vocab)
			err = encoder_emit(e, (int32_t)s->id);
		else
			err = emit_bytes(e, bytes + s->pos, s->len);
	}
	return err;
}

/*
 * Rewrite @text as what is read from it (see the public header on invalid UTF-8). @match is the
 * same with surrogates, which PCRE2 does not take, as U+FFFD: of the same length and, to the
 * expressions, of the same kind. Both have room for 3 len bytes.
 */
static size_t normalise(const char *text, size_t len, char *out, char *match)
{
	size_t n = 0;

	for (size_t i = 0, used; i < len; i += used) {
		uint32_t c = utf8_decode_lenient(text + i, len - i, &used);
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		char bytes[4];
		size_t k = utf8_encode(c, bytes);

		memcpy(out + n, bytes, k);
		utf8_encode(surrogate ? UTF8_REPLACEMENT : c, bytes);
		memcpy(match + n, bytes, k);
		n += k;
	}
	return n;
}

int bpe_encode(struct encoder *e, const char *text, size_t len)
{
	char *buf = malloc(6 * len);
	char *match = buf + 3 * len;
	size_t n;
	int err = 0;

	if (!buf)
		return iau_error_nomem("tokenizer text");
	n = normalise(text, len, buf, match);
	e->text = buf;
	if (!e->match)
		err = splitter_match_data(e->tok->splitter, &e->match);
	if (!err)
		err = splitter_run(e, match, n, encode_word);
	e->text = NULL;
	free(buf);
	return err;
}
