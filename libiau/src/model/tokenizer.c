/* SPDX-License-Identifier: MIT */
/* Tokenizer: life, special tokens in text, encode. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/tokenizer_impl.h"

/* A stretch of the text, or a special token found in it. */
struct fragment {
	uint32_t token; /* NO_ID: text */
	size_t pos;
	size_t len;
};

struct fragments {
	struct fragment *items;
	size_t n;
	size_t room;
};

int grow_array(void **array, size_t *room, size_t need, size_t size)
{
	size_t wanted = *room < 32 ? 32 : *room;
	void *grown;

	if (need <= *room)
		return 0;
	while (wanted < need)
		wanted += wanted / 2;
	grown = reallocarray(*array, wanted, size);
	if (!grown)
		return iau_error_nomem("tokenizer");
	*array = grown;
	*room = wanted;
	return 0;
}

int tokenizer_own(struct iau_tokenizer *tok, const char *a, size_t a_len, const char *b,
		  size_t b_len, struct iau_str *text)
{
	char *copy;

	/* the room is a power of two, so it is known from the count */
	if (!(tok->n_owned & (tok->n_owned - 1)) || !tok->n_owned) {
		size_t room = tok->n_owned ? 2 * tok->n_owned : 1;
		char **grown = reallocarray(tok->owned, room, sizeof(*grown));

		if (!grown)
			return iau_error_nomem("tokenizer texts");
		tok->owned = grown;
	}
	copy = malloc(a_len + b_len + 1);
	if (!copy)
		return iau_error_nomem("tokenizer texts");
	memcpy(copy, a, a_len);
	if (b_len)
		memcpy(copy + a_len, b, b_len);
	tok->owned[tok->n_owned++] = copy;
	*text = iau_str_make(copy, a_len + b_len);
	return 0;
}

int iau_tokenizer_load(const struct iau_gguf *g, struct iau_tokenizer **out)
{
	struct iau_tokenizer *tok = calloc(1, sizeof(*tok));
	int err;

	*out = NULL;
	if (!tok)
		return iau_error_nomem("tokenizer");
	err = vocab_load(tok, g);
	if (!err)
		err = tok->kind == TOKENIZER_BPE ? bpe_load(tok, g) : spm_load(tok);
	if (!err)
		err = pieces_load(tok);
	if (err) {
		iau_tokenizer_free(tok);
		return err;
	}
	*out = tok;
	return 0;
}

void iau_tokenizer_free(struct iau_tokenizer *tok)
{
	if (!tok)
		return;
	free(tok->piece_at);
	free(tok->pieces);
	free(tok->special);
	splitter_free(tok->splitter);
	free(tok->rules);
	for (size_t i = 0; i < tok->n_owned; i++)
		free(tok->owned[i]);
	free(tok->owned);
	iau_strmap_fini(&tok->intern);
	free(tok->tokens);
	free(tok);
}

uint32_t iau_tokenizer_n_vocab(const struct iau_tokenizer *tok)
{
	return tok->n_vocab;
}

int32_t iau_tokenizer_bos(const struct iau_tokenizer *tok)
{
	return tok->bos;
}

int32_t iau_tokenizer_eos(const struct iau_tokenizer *tok)
{
	return tok->eos;
}

bool iau_tokenizer_adds_bos(const struct iau_tokenizer *tok)
{
	return tok->add_bos;
}

bool iau_tokenizer_adds_eos(const struct iau_tokenizer *tok)
{
	return tok->add_eos;
}

bool iau_tokenizer_is_eog(const struct iau_tokenizer *tok, int32_t id)
{
	return id >= 0 && (uint32_t)id < tok->n_vocab && (tok->tokens[id].attr & ATTR_EOG);
}

int32_t iau_tokenizer_find(const struct iau_tokenizer *tok, struct iau_str text)
{
	uint32_t id = iau_strmap_get(&tok->intern, text);

	return id < tok->n_vocab ? (int32_t)id : IAU_TOKEN_NONE;
}

int encoder_emit(struct encoder *e, int32_t id)
{
	void *array = e->out.ids;
	int err = grow_array(&array, &e->out.room, e->out.n + 1, sizeof(*e->out.ids));

	e->out.ids = array;
	if (!err)
		e->out.ids[e->out.n++] = id;
	return err;
}

static int add_fragment(struct fragments *f, uint32_t token, size_t pos, size_t len)
{
	void *array = f->items;
	int err;

	if (token == NO_ID && !len)
		return 0;
	err = grow_array(&array, &f->room, f->n + 1, sizeof(*f->items));
	f->items = array;
	if (!err)
		f->items[f->n++] = (struct fragment){ .token = token, .pos = pos, .len = len };
	return err;
}

/* Append text[pos, pos + len) to @out, cut at every occurrence of token @id. */
static int cut(const struct iau_tokenizer *tok, const char *text, struct fragment from, uint32_t id,
	       struct fragments *out)
{
	struct iau_str needle = tok->tokens[id].text;
	size_t end = from.pos + from.len;
	size_t pos = from.pos;
	int err = 0;

	while (!err) {
		const char *hit = memmem(text + pos, end - pos, needle.ptr, needle.len);

		if (!hit)
			break;
		err = add_fragment(out, NO_ID, pos, (size_t)(hit - text) - pos);
		if (!err)
			err = add_fragment(out, id, 0, 0);
		pos = (size_t)(hit - text) + needle.len;
	}
	return err ? err : add_fragment(out, NO_ID, pos, end - pos);
}

static int cut_all(const struct iau_tokenizer *tok, const char *text, uint32_t id,
		   struct fragments *f)
{
	struct fragments out = { 0 };
	int err = 0;

	for (size_t i = 0; i < f->n && !err; i++) {
		if (f->items[i].token == NO_ID)
			err = cut(tok, text, f->items[i], id, &out);
		else
			err = add_fragment(&out, f->items[i].token, 0, 0);
	}
	free(f->items);
	*f = out;
	return err;
}

/*
 * Cut the text at its special tokens. Longer tokens are looked for first, each over all that is
 * still text, so that an earlier, shorter one does not hide a longer one.
 */
static int partition(const struct iau_tokenizer *tok, const char *text, size_t len, bool control,
		     struct fragments *f)
{
	bool occurs[256] = { false };
	int err = add_fragment(f, NO_ID, 0, len);

	for (size_t i = 0; i < len; i++)
		occurs[(unsigned char)text[i]] = true;
	for (size_t i = 0; i < tok->n_special && !err; i++) {
		uint32_t id = tok->special[i];
		struct iau_str t = tok->tokens[id].text;

		if (!control && (tok->tokens[id].attr & (ATTR_CONTROL | ATTR_UNKNOWN)))
			continue;
		if (!occurs[(unsigned char)t.ptr[0]] || !memmem(text, len, t.ptr, t.len))
			continue;
		err = cut_all(tok, text, id, f);
	}
	return err;
}

static int encode_fragments(struct encoder *e, const char *text, const struct fragments *f)
{
	bool after_special = true;
	int err = 0;

	for (size_t i = 0; i < f->n && !err; i++) {
		const struct fragment *part = &f->items[i];

		if (part->token != NO_ID)
			err = encoder_emit(e, (int32_t)part->token);
		else if (e->tok->kind == TOKENIZER_BPE)
			err = bpe_encode(e, text + part->pos, part->len);
		else
			err = spm_encode(e, text + part->pos, part->len,
					 e->tok->add_space_prefix && after_special);
		after_special = part->token != NO_ID;
	}
	return err;
}

static int encode(struct encoder *e, const char *text, size_t len, unsigned int flags)
{
	const struct iau_tokenizer *tok = e->tok;
	bool add = flags & IAU_ENCODE_ADD_SPECIAL;
	struct fragments f = { 0 };
	int err = partition(tok, text, len, flags & IAU_ENCODE_PARSE_SPECIAL, &f);

	if (!err && add && tok->add_bos)
		err = encoder_emit(e, tok->bos);
	if (!err)
		err = encode_fragments(e, text, &f);
	if (!err && add && tok->add_eos)
		err = encoder_emit(e, tok->eos);
	free(f.items);
	return err;
}

int iau_tokenizer_encode(const struct iau_tokenizer *tok, const char *text, size_t len,
			 unsigned int flags, int32_t **tokens, size_t *n)
{
	struct encoder e = { .tok = tok };
	int err;

	*tokens = NULL;
	*n = 0;
	if (len > IAU_TOKENIZER_MAX_TEXT)
		return iau_error(-E2BIG, "encode: %zu bytes of text are above %zu", len,
				 IAU_TOKENIZER_MAX_TEXT);
	err = encode(&e, text, len, flags);
	free(e.work.symbols);
	free(e.work.heap);
	free(e.word);
	splitter_free_match_data(e.match);
	if (err) {
		free(e.out.ids);
		return err;
	}
	*tokens = e.out.ids;
	*n = e.out.n;
	return 0;
}
