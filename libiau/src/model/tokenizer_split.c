/* SPDX-License-Identifier: MIT */
/*
 * Text to words for byte-level BPE, by the regular expressions of the pre-tokenizers. White space
 * is listed instead of \s: PCRE2 counts U+180E as white space, the vocabularies' authors did not.
 */
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "model/tokenizer_impl.h"

#define SPACE                                                            \
	"\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}" \
	"\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

#define SPACES "[" SPACE "]+(?![^" SPACE "])|[" SPACE "]+"

/*
 * Letters and numbers of Unicode 15.1, which is what llama.cpp knows. PCRE2 before 10.43 knows
 * those of 14.0; the ranges are what DerivedAge.txt and UnicodeData.txt add in 15.0 and 15.1.
 */
#define LETTER                                                                           \
	"\\p{L}\\x{1123f}\\x{11240}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}" \
	"\\x{1342f}\\x{13441}-\\x{13446}\\x{1b132}\\x{1b155}\\x{1df25}-\\x{1df2a}"       \
	"\\x{1e030}-\\x{1e06d}\\x{1e4d0}-\\x{1e4eb}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}"      \
	"\\x{31350}-\\x{323af}"
#define NUMBER "\\p{N}\\x{11f50}-\\x{11f59}\\x{1d2c0}-\\x{1d2d3}\\x{1e4f0}-\\x{1e4f9}"

#define GPT2                                                       \
	"'s|'t|'re|'ve|'m|'ll|'d| ?[" LETTER "]+| ?[" NUMBER "]+|" \
	" ?[^" SPACE LETTER NUMBER "]+|" SPACES

#define LLAMA3(DIGITS)                                                                      \
	"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|"                            \
	"[^\\r\\n" LETTER NUMBER "]?[" LETTER "]+|" DIGITS "| ?[^" SPACE LETTER NUMBER "]+" \
	"[\\r\\n]*|[" SPACE "]*[\\r\\n]+|" SPACES

/* The expressions are applied one after the other, each to the pieces of the one before. */
#define MAX_PASSES 2

static const char *const expressions[][MAX_PASSES] = {
	[PRE_GPT2] = { GPT2 },
	[PRE_SMOLLM] = { "[" NUMBER "]", GPT2 },
	[PRE_LLAMA3] = { LLAMA3("[" NUMBER "]{1,3}") },
	[PRE_QWEN2] = { LLAMA3("[" NUMBER "]") },
};

struct splitter {
	pcre2_code *passes[MAX_PASSES];
	pcre2_match_context *limits;
};

static int compile(const char *expression, pcre2_code **code)
{
	PCRE2_UCHAR text[120];
	PCRE2_SIZE offset;
	int error;

	*code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error,
			      &offset, NULL);
	if (!*code) {
		pcre2_get_error_message(error, text, sizeof(text));
		return iau_error(-EIO, "pre-tokenizer: pcre2: %s", (const char *)text);
	}
	/* without a just-in-time compiler, matching is slower and gives the same */
	pcre2_jit_compile(*code, PCRE2_JIT_COMPLETE);
	return 0;
}

int splitter_create(enum tokenizer_pre pre, struct splitter **out)
{
	struct splitter *s = calloc(1, sizeof(*s));
	int err = 0;

	*out = s;
	if (!s)
		return iau_error_nomem("pre-tokenizer");
	s->limits = pcre2_match_context_create(NULL);
	if (!s->limits)
		return iau_error_nomem("pre-tokenizer");
	/* the expressions do not backtrack more than once over a run of characters */
	pcre2_set_match_limit(s->limits, UINT32_MAX);
	for (int i = 0; i < MAX_PASSES && expressions[pre][i] && !err; i++)
		err = compile(expressions[pre][i], &s->passes[i]);
	return err;
}

void splitter_free(struct splitter *s)
{
	if (!s)
		return;
	for (int i = 0; i < MAX_PASSES; i++)
		pcre2_code_free(s->passes[i]);
	pcre2_match_context_free(s->limits);
	free(s);
}

int splitter_match_data(const struct splitter *s, void **match)
{
	*match = pcre2_match_data_create_from_pattern(s->passes[0], NULL);
	return *match ? 0 : iau_error_nomem("pre-tokenizer");
}

void splitter_free_match_data(void *match)
{
	pcre2_match_data_free(match);
}

/* Find the next match in [*begin, len); *begin = len when there is none. */
static int next_match(struct encoder *e, const pcre2_code *code, const char *text, size_t len,
		      size_t *begin, size_t *end)
{
	const PCRE2_SIZE *bounds;
	PCRE2_UCHAR message[120];
	int rc = pcre2_match(code, (PCRE2_SPTR)text, len, *begin, PCRE2_NO_UTF_CHECK, e->match,
			     e->tok->splitter->limits);

	if (rc == PCRE2_ERROR_NOMATCH) {
		*begin = *end = len;
		return 0;
	}
	if (rc < 0) {
		pcre2_get_error_message(rc, message, sizeof(message));
		return iau_error(-EIO, "pre-tokenizer: pcre2: %s", (const char *)message);
	}
	bounds = pcre2_get_ovector_pointer(e->match);
	*begin = bounds[0];
	*end = bounds[1];
	return 0;
}

/* Split text[pos, pos + len) from pass @pass on. A piece is a text of its own to later passes. */
static int split(struct encoder *e, int pass, const char *text, size_t pos, size_t len,
		 split_word word)
{
	const struct splitter *s = e->tok->splitter;
	size_t done = 0;
	int err = 0;

	if (pass == MAX_PASSES || !s->passes[pass])
		return word(e, pos, len);
	while (done < len && !err) {
		size_t begin = done, end = done;

		err = next_match(e, s->passes[pass], text + pos, len, &begin, &end);
		if (!err && begin > done)
			err = split(e, pass + 1, text, pos + done, begin - done, word);
		if (!err && end > begin)
			err = split(e, pass + 1, text, pos + begin, end - begin, word);
		done = end;
	}
	return err;
}

int splitter_run(struct encoder *e, const char *text, size_t len, split_word word)
{
	return split(e, 0, text, 0, len, word);
}
