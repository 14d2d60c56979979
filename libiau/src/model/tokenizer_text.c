/* SPDX-License-Identifier: MIT */
/* Tokens to text. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/tokenizer_impl.h"

/* Text of a byte-level token to bytes; characters that spell no byte stay as they are. */
static size_t decode_bpe(struct iau_str text, char *out)
{
	size_t n = 0;

	for (size_t i = 0, used; i < text.len; i += used) {
		int byte = bpe_char_to_byte(utf8_decode_lenient(text.ptr + i, text.len - i, &used));

		if (byte >= 0) {
			out[n++] = (char)byte;
			continue;
		}
		memcpy(out + n, text.ptr + i, used);
		n += used;
	}
	return n;
}

static size_t decode_spm(struct iau_str text, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.len - i >= 3 && memcmp(text.ptr + i, "\xe2\x96\x81", 3) == 0) {
			out[n++] = ' ';
			i += 2;
			continue;
		}
		out[n++] = text.ptr[i];
	}
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte token is written <0xXX>. */
static int decode_byte(struct iau_str text, char *out)
{
	int high = text.len == 6 ? hex_digit(text.ptr[3]) : -1;
	int low = text.len == 6 ? hex_digit(text.ptr[4]) : -1;

	if (high < 0 || low < 0 || memcmp(text.ptr, "<0x", 3) || text.ptr[5] != '>')
		return iau_error(-EINVAL, "tokenizer.ggml.tokens: byte token '%s' is not <0xXX>",
				 iau_printable(text.ptr, text.len).text);
	*out = (char)(high << 4 | low);
	return 0;
}

/* Pieces are never longer than the texts. */
int pieces_load(struct iau_tokenizer *tok)
{
	size_t total = 1, n = 0;
	int err;

	for (uint32_t i = 0; i < tok->n_vocab; i++)
		total += tok->tokens[i].text.len;
	tok->pieces = malloc(total);
	tok->piece_at = malloc(((size_t)tok->n_vocab + 1) * sizeof(*tok->piece_at));
	if (!tok->pieces || !tok->piece_at)
		return iau_error_nomem("tokenizer pieces");
	for (uint32_t i = 0; i < tok->n_vocab; i++) {
		const struct token *t = &tok->tokens[i];

		tok->piece_at[i] = n;
		if (t->attr & (ATTR_UNKNOWN | ATTR_CONTROL | ATTR_USER_DEFINED)) {
			memcpy(tok->pieces + n, t->text.ptr, t->text.len);
			n += t->text.len;
		} else if (t->attr & ATTR_NORMAL) {
			n += tok->kind == TOKENIZER_BPE ? decode_bpe(t->text, tok->pieces + n)
							: decode_spm(t->text, tok->pieces + n);
		} else if (t->attr & ATTR_BYTE) {
			err = decode_byte(t->text, tok->pieces + n++);
			if (err)
				return err;
		}
	}
	tok->piece_at[tok->n_vocab] = n;
	return 0;
}

struct iau_str iau_tokenizer_piece(const struct iau_tokenizer *tok, int32_t id, unsigned int flags)
{
	if (id < 0 || (uint32_t)id >= tok->n_vocab)
		return iau_str_make("", 0);
	if (!(flags & IAU_DECODE_SPECIAL) && (tok->tokens[id].attr & (ATTR_CONTROL | ATTR_UNKNOWN)))
		return iau_str_make("", 0);
	return iau_str_make(tok->pieces + tok->piece_at[id],
			    tok->piece_at[id + 1] - tok->piece_at[id]);
}

static bool strips_prefix(const struct iau_tokenizer *tok, unsigned int flags)
{
	return (flags & IAU_DECODE_STRIP_PREFIX) && tok->kind == TOKENIZER_SPM &&
	       tok->add_space_prefix;
}

int iau_tokenizer_decode(const struct iau_tokenizer *tok, const int32_t *tokens, size_t n,
			 unsigned int flags, char **text, size_t *len)
{
	bool strip = strips_prefix(tok, flags);
	size_t total = 0, at = 0;

	*text = NULL;
	*len = 0;
	for (size_t i = 0; i < n; i++) {
		if (tokens[i] < 0 || (uint32_t)tokens[i] >= tok->n_vocab)
			return iau_error(-EINVAL, "decode: token %zu: %d is not below %u", i,
					 tokens[i], tok->n_vocab);
		total += iau_tokenizer_piece(tok, tokens[i], flags).len;
	}
	*text = malloc(total + 1);
	if (!*text)
		return iau_error_nomem("decode");
	for (size_t i = 0; i < n; i++) {
		struct iau_str piece = iau_tokenizer_piece(tok, tokens[i], flags);

		/* encoding puts a space before the text after each special token */
		if (strip && piece.len && piece.ptr[0] == ' ') {
			piece.ptr++;
			piece.len--;
		}
		strip = strips_prefix(tok, flags) &&
			(tok->tokens[tokens[i]].attr & (ATTR_CONTROL | ATTR_USER_DEFINED));
		memcpy(*text + at, piece.ptr, piece.len);
		at += piece.len;
	}
	(*text)[at] = '\0';
	*len = at;
	return 0;
}

/* Whether @c may follow what is held; the second byte is restricted after some leads. */
static bool may_follow(const struct iau_utf8_stream *s, unsigned char c)
{
	unsigned char lead = s->held[0];

	if ((c & 0xc0) != 0x80)
		return false;
	if (s->n_held > 1)
		return true;
	if (lead == 0xe0)
		return c >= 0xa0;
	if (lead == 0xed)
		return c <= 0x9f;
	if (lead == 0xf0)
		return c >= 0x90;
	return lead != 0xf4 || c <= 0x8f;
}

size_t iau_utf8_push(struct iau_utf8_stream *s, const char *bytes, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (s->n_held && !may_follow(s, c))
			n += iau_utf8_flush(s, out + n);
		if (!s->n_held && c < 0x80) {
			out[n++] = (char)c;
			continue;
		}
		if (!s->n_held && (c < 0xc2 || c > 0xf4)) {
			n += utf8_encode(UTF8_REPLACEMENT, out + n);
			continue;
		}
		s->held[s->n_held++] = c;
		if (s->n_held == utf8_lead_length((char)s->held[0])) {
			memcpy(out + n, s->held, s->n_held);
			n += s->n_held;
			s->n_held = 0;
		}
	}
	return n;
}

size_t iau_utf8_flush(struct iau_utf8_stream *s, char *out)
{
	if (!s->n_held)
		return 0;
	s->n_held = 0;
	return utf8_encode(UTF8_REPLACEMENT, out);
}
