/* SPDX-License-Identifier: MIT */
/* SentencePiece-style BPE: merging by score against a naive merger, spaces, byte fallback. */
#include "tokens.h"

#include <stdio.h>
#include <unistd.h>

#include "runtime/rng.h"
#include "tiny_model.h"

#define SP "\xe2\x96\x81" /* U+2581 */

/* Earlier pieces have higher scores. */
static const char *const pieces[] = { "he", "ll", SP "he", "llo", SP,	      "h",
				      "e",  "l",  "o",	   SP SP, "\xc3\xa9", SP "hello" };

enum { UNK, BOS, EOS, BYTE0, FIRST = BYTE0 + 256 };
enum { HE = FIRST, LL, SHE, LLO, S, H, E, L, O, SS, EACUTE, SHELLO };

static void load_hello(struct tokens_file *t, int space_prefix)
{
	struct gguf_writer w;

	gw_init(&w);
	tiny_spm(&w, pieces, sizeof(pieces) / sizeof(pieces[0]));
	if (space_prefix >= 0)
		gw_bool(&w, "tokenizer.ggml.add_space_prefix", (uint8_t)space_prefix);
	if (tokens_load(&w, t))
		fail_msg("%s", iau_last_error());
}

static void test_merges(void **state)
{
	struct tokens_file t;

	(void)state;
	load_hello(&t, -1);
	/* " he" and "llo" merge in the end, however low the score of the whole */
	assert_tokens(&t, "hello", 0, SHELLO);
	assert_tokens(&t, "hell", 0, SHE, LL);
	assert_tokens(&t, "ehe", 0, S, E, HE);
	assert_tokens(&t, "lll", 0, S, LL, L);
	assert_tokens(&t, " ", 0, SS);
	assert_tokens(&t, "e \xc3\xa9", 0, S, E, S, EACUTE);
	tokens_assert(&t, "", 0, 0, NULL, 0);
	tokens_free(&t);
	load_hello(&t, 0);
	assert_tokens(&t, "hello", 0, HE, LLO);
	tokens_free(&t);
}

static void test_byte_fallback(void **state)
{
	struct tokens_file t;

	(void)state;
	load_hello(&t, 0);
	assert_tokens(&t, "x", 0, BYTE0 + 'x');
	assert_tokens(&t, "\xe2\x82\xac", 0, BYTE0 + 0xe2, BYTE0 + 0x82, BYTE0 + 0xac);
	assert_tokens(&t, "h\nh", 0, H, BYTE0 + '\n', H);
	tokens_assert(&t, "h\0h", 3, 0, (const int32_t[]){ H, BYTE0, H }, 3);
	/* bytes that are no UTF-8 survive */
	assert_tokens(&t, "\xff\x80", 0, BYTE0 + 0xff, BYTE0 + 0x80);
	assert_tokens(&t, "\xe2", 0, BYTE0 + 0xe2);
	/* a lead byte takes what follows with it, well-formed or not */
	assert_tokens(&t, "\xc3h", 0, BYTE0 + 0xc3, BYTE0 + 'h');
	for (int i = 0; i < 256; i++) {
		char text[2] = { (char)i, 'h' };

		tokens_assert_round_trip(&t, text, 2, 0, 0);
	}
	tokens_free(&t);
}

static void test_special_tokens(void **state)
{
	const unsigned int both = IAU_ENCODE_ADD_SPECIAL | IAU_ENCODE_PARSE_SPECIAL;
	struct tokens_file t;

	(void)state;
	load_hello(&t, -1);
	assert_true(iau_tokenizer_adds_bos(t.tok));
	assert_false(iau_tokenizer_adds_eos(t.tok));
	tokens_assert(&t, "", 0, both, (const int32_t[]){ BOS }, 1);
	assert_tokens(&t, "hello", both, BOS, SHELLO);
	/* each text after a special token starts with a space */
	assert_tokens(&t, "he</s>he<s><unk>he", both, BOS, SHE, EOS, SHE, BOS, UNK, SHE);
	assert_tokens(&t, "</s>", 0, S, BYTE0 + '<', BYTE0 + '/', BYTE0 + 's', BYTE0 + '>');
	assert_int_equal(iau_tokenizer_bos(t.tok), BOS);
	assert_int_equal(iau_tokenizer_eos(t.tok), EOS);
	assert_true(iau_tokenizer_is_eog(t.tok, EOS));
	assert_false(iau_tokenizer_is_eog(t.tok, BOS));
	tokens_free(&t);
}

static void test_decode(void **state)
{
	const unsigned int strip = IAU_DECODE_STRIP_PREFIX;
	const int32_t ids[] = {
		BOS, SHELLO, SHE, BYTE0 + 0xe2, BYTE0 + 0x82, BYTE0 + 0xac, EOS, SHE
	};
	struct tokens_file t;
	char *text;
	size_t len;

	(void)state;
	load_hello(&t, -1);
	assert_int_equal(iau_tokenizer_decode(t.tok, ids, 8, 0, &text, &len), 0);
	assert_string_equal(text, " hello he\xe2\x82\xac he");
	free(text);
	assert_int_equal(iau_tokenizer_decode(t.tok, ids, 8, strip, &text, &len), 0);
	assert_string_equal(text, "hello he\xe2\x82\xache");
	free(text);
	assert_int_equal(
		iau_tokenizer_decode(t.tok, ids, 8, strip | IAU_DECODE_SPECIAL, &text, &len), 0);
	assert_string_equal(text, "<s>hello he\xe2\x82\xac</s>he");
	free(text);
	tokens_assert_round_trip(&t, "hello  \xe2\x82\xac\xff\0he", 14, IAU_ENCODE_ADD_SPECIAL,
				 strip);
	tokens_assert_round_trip(&t, "  ", 2, IAU_ENCODE_ADD_SPECIAL, strip);
	tokens_free(&t);
}

/* A vocabulary without byte tokens: raw bytes, then the unknown token, then an error. */
static void test_no_byte_tokens(void **state)
{
	const struct iau_str texts[] = { { "<unk>", 5 }, { "a", 1 }, { "\xc3", 1 }, { "b", 1 } };
	const int32_t types[] = { 2, 1, 1, 1 };

	(void)state;
	for (int unknown = 0; unknown < 2; unknown++) {
		struct tokens_file t;
		struct gguf_writer w;
		int32_t *ids;
		size_t n;

		gw_init(&w);
		gw_str(&w, "tokenizer.ggml.model", "llama");
		gw_strs(&w, "tokenizer.ggml.tokens", texts + !unknown, 4u - !unknown);
		gw_i32s(&w, "tokenizer.ggml.token_type", types + !unknown, 4u - !unknown);
		gw_bool(&w, "tokenizer.ggml.add_space_prefix", 0);
		gw_bool(&w, "tokenizer.ggml.add_bos_token", 0);
		assert_int_equal(tokens_load(&w, &t), 0);
		if (unknown) {
			/* once for a character, however many bytes it has */
			assert_tokens(&t, "ax\xc3\xa9\xc3", 0, 1, 0, 0, 2);
		} else {
			/* the default id of the unknown token is that of "a" here */
			assert_int_equal(iau_tokenizer_encode(t.tok, "ax", 2, 0, &ids, &n), 0);
			assert_int_equal(n, 2);
			free(ids);
		}
		tokens_free(&t);
	}
}

struct part {
	char text[160];
};

static void join(struct part *out, const struct part *a, const struct part *b)
{
	size_t n = strlen(a->text), m = strlen(b->text);

	assert_true(n + m < sizeof(out->text));
	memcpy(out->text, a->text, n);
	memcpy(out->text + n, b->text, m + 1);
}

/* Reference: the pair that makes the piece of the highest score merges, leftmost first. */
static size_t naive_merge(struct part *parts, size_t n, const struct iau_tokenizer *tok,
			  const float *scores)
{
	for (;;) {
		size_t at = n;
		float best = 0.0f;
		struct part joined;

		for (size_t i = 0; i + 1 < n; i++) {
			int32_t id;

			join(&joined, &parts[i], &parts[i + 1]);
			id = iau_tokenizer_find(
				tok, (struct iau_str){ joined.text, strlen(joined.text) });
			if (id >= 0 && (at == n || scores[id] > best)) {
				at = i;
				best = scores[id];
			}
		}
		if (at == n)
			return n;
		join(&joined, &parts[at], &parts[at + 1]);
		parts[at] = joined;
		memmove(&parts[at + 1], &parts[at + 2], (n - at - 2) * sizeof(*parts));
		n--;
	}
}

#define RANDOM_PIECES 60

/* Random pieces of few characters, with scores of few values, so that many are equal. */
static size_t random_vocab(struct iau_rng *rng, struct part *texts, struct iau_str *strs,
			   float *scores)
{
	static const char *const letters[] = { "a", "b", "c", "\xc3\xa9", SP };
	size_t n = 0;

	while (n < RANDOM_PIECES) {
		size_t len = n < 5 ? 1 : 2 + iau_rng_next(rng) % 4;
		int known = 0;

		texts[n].text[0] = '\0';
		for (size_t i = 0; i < len; i++)
			strcat(texts[n].text, letters[n < 5 ? n : iau_rng_next(rng) % 5]);
		for (size_t i = 0; i < n; i++)
			known |= strcmp(texts[i].text, texts[n].text) == 0;
		if (known)
			continue;
		strs[n] = (struct iau_str){ texts[n].text, strlen(texts[n].text) };
		scores[n] = (float)(iau_rng_next(rng) % 8) - 4.0f;
		if (scores[n] == 0.0f && iau_rng_next(rng) % 2)
			scores[n] = -0.0f;
		n++;
	}
	return n;
}

static void check_random_text(struct iau_rng *rng, const struct tokens_file *t, const float *scores)
{
	static const char *const letters[] = { "a", "b", "c", "\xc3\xa9", " " };
	struct part parts[40];
	size_t n = 1 + iau_rng_next(rng) % 40;
	char text[200] = "";
	int32_t want[40];

	for (size_t i = 0; i < n; i++) {
		size_t l = iau_rng_next(rng) % 5;

		strcat(text, letters[l]);
		strcpy(parts[i].text, l == 4 ? SP : letters[l]);
	}
	n = naive_merge(parts, n, t->tok, scores);
	for (size_t i = 0; i < n; i++)
		want[i] = iau_tokenizer_find(
			t->tok, (struct iau_str){ parts[i].text, strlen(parts[i].text) });
	tokens_assert(t, text, strlen(text), 0, want, n);
	tokens_assert_round_trip(t, text, strlen(text), 0, 0);
}

static void test_random_merges(void **state)
{
	struct part texts[RANDOM_PIECES];
	struct iau_str strs[RANDOM_PIECES];
	float scores[RANDOM_PIECES];
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 8);
	for (int round = 0; round < 60; round++) {
		struct tokens_file t;
		struct gguf_writer w;

		gw_init(&w);
		gw_str(&w, "tokenizer.ggml.model", "llama");
		gw_strs(&w, "tokenizer.ggml.tokens", strs, random_vocab(&rng, texts, strs, scores));
		gw_f32s(&w, "tokenizer.ggml.scores", scores, RANDOM_PIECES);
		gw_bool(&w, "tokenizer.ggml.add_space_prefix", 0);
		assert_int_equal(tokens_load(&w, &t), 0);
		for (int i = 0; i < 50; i++)
			check_random_text(&rng, &t, scores);
		tokens_free(&t);
	}
}

static void test_long_text(void **state)
{
	static const char *const units[] = { "l", "hello", " ", "x", "\xff", "\xc3\xa9" };
	size_t size = 1 << 20;
	char *text = malloc(size);
	struct tokens_file t;

	(void)state;
	assert_non_null(text);
	load_hello(&t, -1);
	alarm(300);
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		int32_t *ids;
		size_t n;

		for (size_t j = 0; j < size; j++)
			text[j] = units[u][j % strlen(units[u])];
		assert_int_equal(iau_tokenizer_encode(t.tok, text, size, 0, &ids, &n), 0);
		assert_true(n >= size / 8);
		free(ids);
	}
	alarm(0);
	tokens_free(&t);
	free(text);
}

static void test_refusals(void **state)
{
	const struct iau_str texts[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
	float scores[] = { 0.0f, 0.0f, 0.0f };
	struct tokens_file t;
	struct gguf_writer w;

	(void)state;
	gw_init(&w);
	gw_str(&w, "tokenizer.ggml.model", "llama");
	gw_strs(&w, "tokenizer.ggml.tokens", texts, 3);
	gw_f32s(&w, "tokenizer.ggml.scores", scores, 2);
	assert_int_equal(tokens_load(&w, &t), -EINVAL);
	assert_message("tokenizer.ggml.scores: 2 for 3 tokens");
	tokens_free(&t);
	memcpy(&scores[1], "\0\0\xc0\x7f", 4);
	gw_str(&w, "tokenizer.ggml.model", "llama");
	gw_strs(&w, "tokenizer.ggml.tokens", texts, 3);
	gw_f32s(&w, "tokenizer.ggml.scores", scores, 3);
	assert_int_equal(tokens_load(&w, &t), -EINVAL);
	assert_message("tokenizer.ggml.scores: 1 is not a number");
	tokens_free(&t);
	load_hello(&t, -1);
	{
		size_t n = 1;
		int32_t *ids;

		/* the length is refused before the text is looked at */
		assert_int_equal(
			iau_tokenizer_encode(t.tok, "", IAU_TOKENIZER_MAX_TEXT + 1, 0, &ids, &n),
			-E2BIG);
		assert_int_equal(n, 0);
		assert_null(ids);
	}
	tokens_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merges),	       cmocka_unit_test(test_byte_fallback),
		cmocka_unit_test(test_special_tokens), cmocka_unit_test(test_decode),
		cmocka_unit_test(test_no_byte_tokens), cmocka_unit_test(test_random_merges),
		cmocka_unit_test(test_long_text),      cmocka_unit_test(test_refusals),
	};

	return run_group("tokenizer_spm", tests);
}
