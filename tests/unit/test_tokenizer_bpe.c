/* SPDX-License-Identifier: MIT */
/* Byte-level BPE: merging against a naive merger, special tokens, odd bytes, long texts. */
#include "tokens.h"

#include <stdio.h>
#include <unistd.h>

#include "runtime/rng.h"
#include "tiny_model.h"

/* "hello" merges to one token: he 256, ll 257, hell 258, hello 259; " w" 260; "12" 261 */
static const char *const hello_merges[] = { "h e", "l l", "he ll", "hell o", "Ġ w", "1 2" };

enum { HE = 256, LL, HELL, HELLO, SPACE_W, TWELVE, IM_START, IM_END, TOOL };

static void load_hello(struct tokens_file *t, const char *pre)
{
	struct gguf_writer w;

	gw_init(&w);
	tiny_bpe(&w, pre, hello_merges, sizeof(hello_merges) / sizeof(hello_merges[0]));
	if (tokens_load(&w, t))
		fail_msg("%s", iau_last_error());
}

static void test_merges(void **state)
{
	struct tokens_file t;

	(void)state;
	load_hello(&t, "gpt-2");
	assert_int_equal(iau_tokenizer_n_vocab(t.tok), 265);
	assert_tokens(&t, "hello", 0, HELLO);
	assert_tokens(&t, "hell", 0, HELL);
	assert_tokens(&t, "helo", 0, HE, 'l', 'o');
	assert_tokens(&t, "hello world", 0, HELLO, SPACE_W, 'o', 'r', 'l', 'd');
	assert_tokens(&t, "lll", 0, LL, 'l');
	assert_tokens(&t, "h\ne", 0, 'h', '\n', 'e');
	assert_tokens(&t, "12", 0, TWELVE);
	tokens_assert(&t, "", 0, 0, NULL, 0);
	tokens_assert(&t, NULL, 0, IAU_ENCODE_ADD_SPECIAL, NULL, 0);
	tokens_free(&t);
	/* the pre-tokenizer keeps digits apart */
	load_hello(&t, "smollm");
	assert_tokens(&t, "12", 0, '1', '2');
	tokens_free(&t);
	load_hello(&t, "qwen2");
	assert_tokens(&t, "12", 0, '1', '2');
	tokens_free(&t);
}

static void test_special_tokens(void **state)
{
	const unsigned int parse = IAU_ENCODE_PARSE_SPECIAL;
	struct tokens_file t;

	(void)state;
	load_hello(&t, "gpt-2");
	assert_tokens(&t, "<|im_start|>hello<|im_end|>", parse, IM_START, HELLO, IM_END);
	assert_tokens(&t, "<|im_end|><|im_end|>h", parse, IM_END, IM_END, 'h');
	assert_tokens(&t, "<|im_end|", parse, '<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|');
	/* control tokens only when asked for, user-defined ones always */
	assert_tokens(&t, "<|im_end|>", 0, '<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>');
	assert_tokens(&t, "h<tool>e", 0, 'h', TOOL, 'e');
	assert_tokens(&t, "h<tool>e", parse, 'h', TOOL, 'e');
	/* a special token ends a word: "he" does not merge over it */
	assert_tokens(&t, "h<|im_end|>e", parse, 'h', IM_END, 'e');
	assert_int_equal(iau_tokenizer_bos(t.tok), IM_START);
	assert_int_equal(iau_tokenizer_eos(t.tok), IM_END);
	assert_true(iau_tokenizer_is_eog(t.tok, IM_END));
	assert_false(iau_tokenizer_is_eog(t.tok, IM_START));
	assert_false(iau_tokenizer_is_eog(t.tok, -1));
	assert_false(iau_tokenizer_is_eog(t.tok, 100000));
	assert_int_equal(iau_tokenizer_find(t.tok, (struct iau_str){ "Ġw", 3 }), SPACE_W);
	assert_int_equal(iau_tokenizer_find(t.tok, (struct iau_str){ " w", 2 }), IAU_TOKEN_NONE);
	tokens_free(&t);
}

/* Longer special tokens win over shorter ones that come earlier in the text. */
static void test_longest_special_first(void **state)
{
	const struct iau_str texts[] = {
		{ "a", 1 }, { "b", 1 }, { "c", 1 }, { "ab", 2 }, { "bcc", 3 }
	};
	const int32_t types[] = { 1, 1, 1, 4, 4 };
	struct tokens_file t;
	struct gguf_writer w;

	(void)state;
	gw_init(&w);
	gw_str(&w, "tokenizer.ggml.model", "gpt2");
	gw_str(&w, "tokenizer.ggml.pre", "gpt-2");
	gw_strs(&w, "tokenizer.ggml.tokens", texts, 5);
	gw_i32s(&w, "tokenizer.ggml.token_type", types, 5);
	gw_strs(&w, "tokenizer.ggml.merges", NULL, 0);
	assert_int_equal(tokens_load(&w, &t), 0);
	assert_tokens(&t, "abcc", 0, 0, 4);
	assert_tokens(&t, "abc", 0, 3, 2);
	assert_tokens(&t, "ababccab", 0, 3, 0, 4, 3);
	/* no such defaults in five tokens */
	assert_int_equal(iau_tokenizer_bos(t.tok), IAU_TOKEN_NONE);
	assert_int_equal(iau_tokenizer_eos(t.tok), IAU_TOKEN_NONE);
	tokens_free(&t);
}

static void test_add_special(void **state)
{
	const unsigned int add = IAU_ENCODE_ADD_SPECIAL;
	struct tokens_file t;
	struct gguf_writer w;

	(void)state;
	load_hello(&t, "gpt-2");
	assert_false(iau_tokenizer_adds_bos(t.tok));
	assert_tokens(&t, "hello", add, HELLO);
	tokens_free(&t);
	load_hello(&t, "llama-bpe"); /* adds it unless told otherwise */
	assert_true(iau_tokenizer_adds_bos(t.tok));
	assert_tokens(&t, "hello", add, IM_START, HELLO);
	assert_tokens(&t, "hello", 0, HELLO);
	tokens_assert(&t, "", 0, add, (const int32_t[]){ IM_START }, 1);
	tokens_free(&t);
	gw_init(&w);
	tiny_bpe(&w, "llama-bpe", hello_merges, 6);
	gw_bool(&w, "tokenizer.ggml.add_bos_token", 0);
	gw_bool(&w, "tokenizer.ggml.add_eos_token", 1);
	assert_int_equal(tokens_load(&w, &t), 0);
	assert_tokens(&t, "hello", add, HELLO, IM_END);
	tokens_free(&t);
}

/* llama-bpe takes a word that is a token as it is, even where merges do not lead to it. */
static void test_ignore_merges(void **state)
{
	const struct iau_str texts[] = { { "a", 1 }, { "b", 1 },   { "ab", 2 },
					 { "Ġ", 2 }, { "Ġab", 4 }, { "bb", 2 } };
	const struct iau_str merges[] = { { "b b", 3 } };
	const char *const pres[] = { "gpt-2", "llama-bpe" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct tokens_file t;
		struct gguf_writer w;

		gw_init(&w);
		gw_str(&w, "tokenizer.ggml.model", "gpt2");
		gw_str(&w, "tokenizer.ggml.pre", pres[i]);
		gw_strs(&w, "tokenizer.ggml.tokens", texts, 6);
		gw_strs(&w, "tokenizer.ggml.merges", merges, 1);
		gw_u32(&w, "tokenizer.ggml.bos_token_id", 0);
		assert_int_equal(tokens_load(&w, &t), 0);
		if (i)
			assert_tokens(&t, "ab ab abb", 0, 2, 4, 3, 0, 5);
		else
			assert_tokens(&t, "ab ab abb", 0, 0, 1, 3, 0, 1, 3, 0, 5);
		tokens_free(&t);
	}
}

/* Merged texts without a token fall to the tokens of their bytes, and what has none is dropped. */
static void test_missing_tokens(void **state)
{
	const struct iau_str texts[] = { { "a", 1 }, { "b", 1 }, { "abc", 3 } };
	const struct iau_str merges[] = { { "a b", 3 }, { "ab c", 4 }, { "a d", 3 } };
	struct tokens_file t;
	struct gguf_writer w;

	(void)state;
	gw_init(&w);
	gw_str(&w, "tokenizer.ggml.model", "gpt2");
	gw_str(&w, "tokenizer.ggml.pre", "gpt-2");
	gw_strs(&w, "tokenizer.ggml.tokens", texts, 3);
	gw_strs(&w, "tokenizer.ggml.merges", merges, 3);
	assert_int_equal(tokens_load(&w, &t), 0);
	assert_tokens(&t, "abc", 0, 2);
	assert_tokens(&t, "abab", 0, 0, 1, 0, 1);
	assert_tokens(&t, "adb", 0, 0, 1);
	tokens_assert(&t, "xyz \xc3\xa9", 6, 0, NULL, 0);
	tokens_free(&t);
}

static void test_odd_bytes(void **state)
{
	struct tokens_file t;
	char all[256];
	int32_t want[256];

	(void)state;
	load_hello(&t, "gpt-2");
	tokens_assert(&t, "a\0b\0\0", 5, 0, (const int32_t[]){ 'a', 0, 'b', 0, 0 }, 5);
	/* what is no UTF-8 reads as U+FFFD: EF BF BD */
	assert_tokens(&t, "\xff", 0, 0xef, 0xbf, 0xbd);
	assert_tokens(&t, "a\x80z", 0, 'a', 0xef, 0xbf, 0xbd, 'z');
	assert_tokens(&t, "\xe2\x82", 0, 0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd);
	assert_tokens(&t, "\xf4\x90\x80\x80", 0, 0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd, 0xef, 0xbf,
		      0xbd, 0xef, 0xbf, 0xbd);
	assert_tokens(&t, "\xc1\xa1", 0, 0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd);
	/* a surrogate stays */
	assert_tokens(&t, "\xed\xa0\x80", 0, 0xed, 0xa0, 0x80);
	/* every byte up to 7F, and every other one inside a character */
	for (int i = 0; i < 128; i++) {
		all[i] = (char)i;
		want[i] = i;
	}
	for (int i = 0; i < 128; i++) {
		tokens_assert(&t, &all[i], 1, 0, &want[i], 1);
		all[0] = (char)(i < 64 ? 0xd0 : 0xc2 + (i - 64) % 30);
		all[1] = (char)(0x80 + i % 64);
		tokens_assert(&t, all, 2, 0,
			      (const int32_t[]){ (unsigned char)all[0], (unsigned char)all[1] }, 2);
		all[0] = 0;
		all[1] = 1;
	}
	tokens_free(&t);
}

static void test_decode(void **state)
{
	const int32_t ids[] = { IM_START, HELLO, SPACE_W, TOOL, 0xe2, 0x82, 0xac, IM_END };
	const int32_t bad[] = { 1, 265 };
	struct tokens_file t;
	struct iau_str piece;
	char *text;
	size_t len;

	(void)state;
	load_hello(&t, "gpt-2");
	assert_int_equal(iau_tokenizer_decode(t.tok, ids, 8, 0, &text, &len), 0);
	assert_string_equal(text, "hello w<tool>\xe2\x82\xac");
	free(text);
	assert_int_equal(iau_tokenizer_decode(t.tok, ids, 8, IAU_DECODE_SPECIAL, &text, &len), 0);
	assert_string_equal(text, "<|im_start|>hello w<tool>\xe2\x82\xac<|im_end|>");
	free(text);
	assert_int_equal(iau_tokenizer_decode(t.tok, NULL, 0, 0, &text, &len), 0);
	assert_int_equal(len, 0);
	free(text);
	assert_int_equal(iau_tokenizer_decode(t.tok, bad, 2, 0, &text, &len), -EINVAL);
	assert_message("token 1: 265 is not below 265");
	assert_null(text);
	piece = iau_tokenizer_piece(t.tok, 0xe2, 0);
	assert_int_equal(piece.len, 1);
	assert_int_equal((unsigned char)piece.ptr[0], 0xe2);
	assert_int_equal(iau_tokenizer_piece(t.tok, IM_END, 0).len, 0);
	assert_int_equal(iau_tokenizer_piece(t.tok, IM_END, IAU_DECODE_SPECIAL).len, 10);
	assert_int_equal(iau_tokenizer_piece(t.tok, -1, 0).len, 0);
	assert_int_equal(iau_tokenizer_piece(t.tok, 265, 0).len, 0);
	tokens_assert_round_trip(&t, "hello \xe2\x82\xac\0 world\n", 17, 0, 0);
	tokens_free(&t);
}

struct part {
	char text[64];
};

/* Whether @merge is "left right". */
static int is_rule(const char *merge, const struct part *left, const struct part *right)
{
	size_t n = strlen(left->text);

	return strncmp(merge, left->text, n) == 0 && merge[n] == ' ' &&
	       strcmp(merge + n + 1, right->text) == 0;
}

/* Reference: the pair of the lowest rule merges, leftmost first, until none does. */
static size_t naive_merge(struct part *parts, size_t n, const char *const *merges, size_t n_merges)
{
	for (;;) {
		size_t best = n_merges, at = 0, len;

		for (size_t i = 0; i + 1 < n; i++)
			for (size_t m = 0; m < best; m++)
				if (is_rule(merges[m], &parts[i], &parts[i + 1])) {
					best = m;
					at = i;
				}
		if (best == n_merges)
			return n;
		len = strlen(parts[at].text);
		assert_true(len + strlen(parts[at + 1].text) < sizeof(parts->text));
		memcpy(parts[at].text + len, parts[at + 1].text, strlen(parts[at + 1].text) + 1);
		memmove(&parts[at + 1], &parts[at + 2], (n - at - 2) * sizeof(*parts));
		n--;
	}
}

/* Random rules over few letters, so that many apply and compete. */
static size_t random_merges(struct iau_rng *rng, char merges[][64], const char *list[])
{
	char texts[80][32] = { "a", "b", "c", "d" };
	size_t n_texts = 4, n = 0;

	while (n < 40) {
		const char *left = texts[iau_rng_next(rng) % n_texts];
		const char *right = texts[iau_rng_next(rng) % n_texts];

		if (strlen(left) + strlen(right) > 9)
			continue;
		snprintf(merges[n], 64, "%s %s", left, right);
		list[n] = merges[n];
		snprintf(texts[n_texts++], 32, "%s%s", left, right);
		n++;
	}
	return n;
}

static void test_random_merges(void **state)
{
	static char merges[40][64];
	static struct part parts[64];
	struct iau_rng rng;
	const char *list[40];

	(void)state;
	iau_rng_seed(&rng, 7);
	for (int round = 0; round < 60; round++) {
		size_t n_merges = random_merges(&rng, merges, list);
		struct tokens_file t;
		struct gguf_writer w;

		gw_init(&w);
		tiny_bpe(&w, "gpt-2", list, n_merges);
		assert_int_equal(tokens_load(&w, &t), 0);
		for (int i = 0; i < 50; i++) {
			int32_t want[64];
			char text[64];
			size_t len = 1 + iau_rng_next(&rng) % 50, n;

			for (size_t j = 0; j < len; j++) {
				text[j] = (char)('a' + iau_rng_next(&rng) % 4);
				parts[j] = (struct part){ { text[j] } };
			}
			n = naive_merge(parts, len, list, n_merges);
			for (size_t j = 0; j < n; j++)
				want[j] = iau_tokenizer_find(
					t.tok,
					(struct iau_str){ parts[j].text, strlen(parts[j].text) });
			tokens_assert(&t, text, len, 0, want, n);
			tokens_assert_round_trip(&t, text, len, 0, 0);
		}
		tokens_free(&t);
	}
}

/* A megabyte that is one word, of each kind; quadratic time would take hours. */
static void test_long_text(void **state)
{
	static const char *const pres[] = { "gpt-2", "smollm", "llama-bpe", "qwen2" };
	static const char *const units[] = { "a", "ab",	 " ",	   "\n", "1",
					     "!", " \n", "<tool>", "'s", "\xff" };
	static const char *const merges[] = { "a a",   "aa aa", "aaaa aaaa", "a b",
					      "ab ab", "Ġ Ġ",	"ĠĠ ĠĠ" };
	size_t size = 1 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	alarm(300);
	for (size_t i = 0; i < 4; i++) {
		struct tokens_file t;
		struct gguf_writer w;

		gw_init(&w);
		tiny_bpe(&w, pres[i], merges, sizeof(merges) / sizeof(merges[0]));
		assert_int_equal(tokens_load(&w, &t), 0);
		for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
			int32_t *ids;
			size_t n;

			for (size_t j = 0; j < size; j++)
				text[j] = units[u][j % strlen(units[u])];
			assert_int_equal(iau_tokenizer_encode(t.tok, text, size, 0, &ids, &n), 0);
			assert_true(n >= size / 8);
			free(ids);
		}
		tokens_free(&t);
	}
	alarm(0);
	free(text);
}

/* Write the tokenizer keys, each but @skip, with @n_types types. */
static void partial(struct gguf_writer *w, const char *skip, size_t n_types)
{
	const struct iau_str texts[] = { { "a", 1 }, { "b", 1 }, { "", 0 } };
	const int32_t types[] = { 1, 1, 1 };

	gw_init(w);
	if (strcmp(skip, "model"))
		gw_str(w, "tokenizer.ggml.model", "gpt2");
	if (strcmp(skip, "pre"))
		gw_str(w, "tokenizer.ggml.pre", "gpt-2");
	if (strcmp(skip, "tokens"))
		gw_strs(w, "tokenizer.ggml.tokens", texts, 3);
	if (strcmp(skip, "merges"))
		gw_strs(w, "tokenizer.ggml.merges", NULL, 0);
	gw_i32s(w, "tokenizer.ggml.token_type", types, n_types);
}

static void assert_load(struct gguf_writer *w, int err, const char *text)
{
	struct tokens_file t;

	assert_int_equal(tokens_load(w, &t), err);
	if (err) {
		assert_null(t.tok);
		assert_message(text);
	}
	tokens_free(&t);
}

static void test_refusals(void **state)
{
	static const char *const keys[] = { "model", "pre", "tokens", "merges" };
	const struct iau_str same[] = { { "a", 1 }, { "a", 1 } };
	const struct iau_str bad_merges[] = { { "ab", 2 }, { " a", 2 }, { "a ", 2 }, { "", 0 } };
	const int32_t byte_type[] = { 6, 1, 1 };
	struct gguf_writer w;

	(void)state;
	partial(&w, "", 3);
	assert_load(&w, 0, "");
	for (size_t i = 0; i < 4; i++) {
		partial(&w, keys[i], 3);
		assert_load(&w, -ENOENT, keys[i]);
	}
	partial(&w, "", 2);
	assert_load(&w, -EINVAL, "tokenizer.ggml.token_type: 2 for 3 tokens");
	partial(&w, "model", 3);
	gw_str(&w, "tokenizer.ggml.model", "bert");
	assert_load(&w, -ENOTSUP, "tokenizer.ggml.model: 'bert' is not supported");
	partial(&w, "pre", 3);
	gw_str(&w, "tokenizer.ggml.pre", "tekken");
	assert_load(&w, -ENOTSUP, "tokenizer.ggml.pre: 'tekken' is not supported");
	partial(&w, "tokens", 0);
	gw_strs(&w, "tokenizer.ggml.tokens", same, 2);
	assert_load(&w, -EINVAL, "'a' is both 0 and 1");
	partial(&w, "tokens", 0);
	gw_strs(&w, "tokenizer.ggml.tokens", NULL, 0);
	assert_load(&w, -EINVAL, "0 tokens");
	for (size_t i = 0; i < 4; i++) {
		partial(&w, "merges", 3);
		gw_strs(&w, "tokenizer.ggml.merges", &bad_merges[i], 1);
		assert_load(&w, -EINVAL, "tokenizer.ggml.merges: 0:");
	}
	partial(&w, "", 3);
	gw_bool(&w, "tokenizer.ggml.add_bos_token", 1);
	assert_load(&w, -EINVAL, "add_bos_token: there is no bos token");
	partial(&w, "", 3);
	gw_str(&w, "tokenizer.ggml.bos_token_id", "one");
	assert_load(&w, -EINVAL, "tokenizer.ggml.bos_token_id");
	partial(&w, "", 3);
	gw_str(&w, "general.name", "My Phi-3 mini");
	assert_load(&w, -ENOTSUP, "general.name");
	gw_init(&w);
	gw_str(&w, "tokenizer.ggml.model", "gpt2");
	gw_str(&w, "tokenizer.ggml.pre", "gpt-2");
	gw_strs(&w, "tokenizer.ggml.tokens", (const struct iau_str[]){ { "a", 1 } }, 1);
	gw_i32s(&w, "tokenizer.ggml.token_type", byte_type, 3);
	gw_strs(&w, "tokenizer.ggml.merges", NULL, 0);
	assert_load(&w, -EINVAL, "byte token 'a' is not <0xXX>");
}

/* Tokens that end generation or are control tokens by their text alone. */
static void test_roles_by_text(void **state)
{
	const struct iau_str texts[] = { { "a", 1 },
					 { "<|eot_id|>", 10 },
					 { "<|fim_prefix|>", 14 },
					 { "<|file_sep|>", 12 },
					 { "<|fim_pad|>", 11 },
					 { "<PAD>", 5 },
					 { "<|message|>", 11 } };
	struct tokens_file t;
	struct gguf_writer w;

	(void)state;
	gw_init(&w);
	gw_str(&w, "tokenizer.ggml.model", "gpt2");
	gw_str(&w, "tokenizer.ggml.pre", "gpt-2");
	gw_strs(&w, "tokenizer.ggml.tokens", texts, 7);
	gw_strs(&w, "tokenizer.ggml.merges", NULL, 0);
	gw_u32(&w, "tokenizer.ggml.eos_token_id", 0);
	gw_u32(&w, "tokenizer.ggml.bos_token_id", 7); /* not in the vocabulary: ignored */
	assert_int_equal(tokens_load(&w, &t), 0);
	for (int32_t i = 0; i < 7; i++)
		assert_int_equal(iau_tokenizer_is_eog(t.tok, i),
				 i == 0 || i == 1 || i == 3 || i == 4);
	assert_int_equal(iau_tokenizer_piece(t.tok, 2, 0).len, 0);
	assert_int_equal(iau_tokenizer_piece(t.tok, 5, 0).len, 5);
	assert_int_equal(iau_tokenizer_piece(t.tok, 6, 0).len, 11);
	assert_int_equal(iau_tokenizer_bos(t.tok), IAU_TOKEN_NONE);
	assert_tokens(&t, "<|fim_prefix|>a<|message|>", IAU_ENCODE_PARSE_SPECIAL, 2, 0, 6);
	tokens_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merges),
		cmocka_unit_test(test_special_tokens),
		cmocka_unit_test(test_longest_special_first),
		cmocka_unit_test(test_add_special),
		cmocka_unit_test(test_ignore_merges),
		cmocka_unit_test(test_missing_tokens),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_random_merges),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_roles_by_text),
	};

	return run_group("tokenizer_bpe", tests);
}
