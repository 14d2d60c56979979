/* SPDX-License-Identifier: MIT */
/*
 * SentencePiece-style BPE: spaces become U+2581, characters merge greedily by the highest score
 * of what they make, and what is no token falls back to bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/tokenizer_impl.h"

#define ESCAPED_SPACE "\xe2\x96\x81" /* U+2581 */

int spm_load(struct iau_tokenizer *tok)
{
	for (int i = 0; i < 256; i++) {
		char text[8];
		char raw = (char)i;
		uint32_t id;

		snprintf(text, sizeof(text), "<0x%02X>", (unsigned int)i);
		id = iau_strmap_get(&tok->intern, iau_str_make(text, 6));
		if (id == IAU_STRMAP_NONE)
			id = iau_strmap_get(&tok->intern, iau_str_make(&raw, 1));
		tok->byte_token[i] = id == IAU_STRMAP_NONE ? IAU_TOKEN_NONE : (int32_t)id;
	}
	return 0;
}

/* Number that is lower for a higher score and equal for equal ones; @score is not NaN. */
static uint32_t score_priority(float score)
{
	uint32_t bits;

	score += 0.0f; /* -0 becomes +0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits & 0x80000000 ? bits : 0x7fffffff - bits;
}

static bool lookup_score(const struct encoder *e, const struct symbol *left,
			 const struct symbol *right, uint32_t *priority, uint32_t *merged)
{
	size_t len = (size_t)left->len + right->len;
	uint32_t id = iau_strmap_get(&e->tok->intern, iau_str_make(e->text + left->pos, len));

	if (id == IAU_STRMAP_NONE)
		return false;
	*priority = score_priority(e->tok->tokens[id].score);
	*merged = id;
	return true;
}

static int emit_symbol(struct encoder *e, const struct symbol *s)
{
	const struct iau_tokenizer *tok = e->tok;
	int err = 0;

	if (s->id != NO_ID)
		return encoder_emit(e, (int32_t)s->id);
	for (uint32_t i = 0; i < s->len; i++) {
		if (tok->byte_token[(unsigned char)e->text[s->pos + i]] != IAU_TOKEN_NONE)
			continue;
		if (tok->unk == IAU_TOKEN_NONE)
			return iau_error(-EINVAL,
					 "tokenizer: no token for byte 0x%02x and no "
					 "unknown token",
					 (unsigned char)e->text[s->pos + i]);
		return encoder_emit(e, tok->unk);
	}
	for (uint32_t i = 0; i < s->len && !err; i++)
		err = encoder_emit(e, tok->byte_token[(unsigned char)e->text[s->pos + i]]);
	return err;
}

/* Copy with spaces escaped; @out has room for 3 (len + 1) bytes. */
static size_t escape(const char *text, size_t len, bool prefix, char *out)
{
	size_t n = 0;

	if (prefix) {
		memcpy(out, ESCAPED_SPACE, 3);
		n = 3;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] != ' ') {
			out[n++] = text[i];
			continue;
		}
		memcpy(out + n, ESCAPED_SPACE, 3);
		n += 3;
	}
	return n;
}

static int encode_escaped(struct encoder *e, size_t len)
{
	int err = 0;

	e->work.n_symbols = 0;
	for (size_t i = 0, n; i < len && !err; i += n) {
		uint32_t id;

		n = utf8_lead_length(e->text[i]);
		n = n < len - i ? n : len - i;
		id = iau_strmap_get(&e->tok->intern, iau_str_make(e->text + i, n));
		err = merge_add_symbol(&e->work, (uint32_t)i, (uint32_t)n, id);
	}
	if (!err)
		err = merge_run(e, lookup_score);
	for (uint32_t i = 0; i != NO_ID && !err; i = e->work.symbols[i].next)
		err = emit_symbol(e, &e->work.symbols[i]);
	return err;
}

int spm_encode(struct encoder *e, const char *text, size_t len, bool prefix)
{
	char *buf = malloc(3 * (len + 1));
	int err;

	if (!buf)
		return iau_error_nomem("tokenizer text");
	e->text = buf;
	err = encode_escaped(e, escape(text, len, prefix, buf));
	e->text = NULL;
	free(buf);
	return err;
}
