/* SPDX-License-Identifier: MIT */
/*
 * Pre-tokenizers: the regular expressions against splitters written by hand from their meaning,
 * on random text over the characters where they differ.
 */
#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "model/tokenizer_impl.h"
#include "runtime/rng.h"

#define MAX_WORDS 4096

struct words {
	size_t pos[MAX_WORDS];
	size_t len[MAX_WORDS];
	size_t n;
};

static struct words got, want;

static int record(struct encoder *e, size_t pos, size_t len)
{
	(void)e;
	assert_true(got.n < MAX_WORDS);
	got.pos[got.n] = pos;
	got.len[got.n++] = len;
	return 0;
}

static void split(enum tokenizer_pre pre, const char *text, size_t len)
{
	struct iau_tokenizer tok = { .pre = pre };
	struct encoder e = { .tok = &tok };

	got.n = 0;
	assert_int_equal(splitter_create(pre, &tok.splitter), 0);
	assert_int_equal(splitter_match_data(tok.splitter, &e.match), 0);
	if (splitter_run(&e, text, len, record))
		fail_msg("%s", iau_last_error());
	splitter_free_match_data(e.match);
	splitter_free(tok.splitter);
}

/* The words of @text joined by '|' must be @joined. */
static void assert_split(enum tokenizer_pre pre, const char *text, const char *joined)
{
	char out[512];
	size_t n = 0;

	split(pre, text, strlen(text));
	for (size_t i = 0; i < got.n; i++) {
		if (i)
			out[n++] = '|';
		memcpy(out + n, text + got.pos[i], got.len[i]);
		n += got.len[i];
	}
	out[n] = '\0';
	assert_string_equal(out, joined);
}

static void test_gpt2(void **state)
{
	(void)state;
	assert_split(PRE_GPT2, "Hello world", "Hello| world");
	assert_split(PRE_GPT2, "I'm we've IT'S", "I|'m| we|'ve| IT|'|S");
	assert_split(PRE_GPT2, "a  b   1234!?  ", "a| | b|  | 1234|!?|  ");
	assert_split(PRE_GPT2, "a\n\n b\n", "a|\n\n| b|\n");
	assert_split(PRE_GPT2, "x\xc2\xa0\xc2\xa0y", "x|\xc2\xa0|\xc2\xa0|y");
	assert_split(PRE_GPT2, "", "");
}

/* Added to Unicode after the tables of old PCRE2 libraries: U+11F02, U+31350 letters, U+11F50 a digit. */
static void test_unicode_15_1(void **state)
{
	static const enum tokenizer_pre pres[] = { PRE_GPT2, PRE_SMOLLM, PRE_LLAMA3, PRE_QWEN2 };

	(void)state;
	for (size_t i = 0; i < sizeof(pres) / sizeof(*pres); i++) {
		assert_split(pres[i], "a\xf0\x91\xbc\x82\xf0\xb1\x8d\x90z!",
			     "a\xf0\x91\xbc\x82\xf0\xb1\x8d\x90z|!");
		assert_split(pres[i], "a\xf0\x91\xbd\x90!", "a|\xf0\x91\xbd\x90|!");
	}
}

static void test_smollm(void **state)
{
	(void)state;
	assert_split(PRE_SMOLLM, "in 1999,", "in| |1|9|9|9|,");
	/* a digit ends the text of what is before it, so no space is left for it */
	assert_split(PRE_SMOLLM, "a   7   b", "a|   |7|  | b");
}

static void test_llama3(void **state)
{
	(void)state;
	assert_split(PRE_LLAMA3, "I'M We'Ve don'T", "I|'M| We|'Ve| don|'T");
	assert_split(PRE_LLAMA3, "x=12345 (y)", "x|=|123|45| (|y|)");
	assert_split(PRE_LLAMA3, "end.\r\n\r\n  next\t\tz", "end|.\r\n\r\n| | next|\t|\tz");
	assert_split(PRE_LLAMA3, "   \n  \n a", "   \n  \n| a");
	assert_split(PRE_LLAMA3, "\xc2\xbd\xd9\xa3", "\xc2\xbd\xd9\xa3"); /* one half, Arabic 3 */
	/* U+017F is an s only without regard to case */
	assert_split(PRE_LLAMA3, "'\xc5\xbf", "'\xc5\xbf");
	/* U+180E is no white space here */
	assert_split(PRE_LLAMA3, "!\xe1\xa0\x8e!", "!\xe1\xa0\x8e!");
}

static void test_qwen2(void **state)
{
	(void)state;
	assert_split(PRE_QWEN2, "x=12345", "x|=|1|2|3|4|5");
	assert_split(PRE_QWEN2, "It's 5pm\n", "It|'s| |5|pm|\n");
}

/* One character of the random texts, with its class: letter, number, space or other. */
static const struct {
	uint32_t c;
	char class;
} alphabet[] = {
	{ 's', 'L' },	 { 'S', 'L' },	  { 't', 'L' },	    { 'r', 'L' },     { 'E', 'L' },
	{ 'v', 'L' },	 { 'M', 'L' },	  { 'l', 'L' },	    { 'L', 'L' },     { 'd', 'L' },
	{ 'e', 'L' },	 { '\'', 'O' },	  { '\'', 'O' },    { ' ', 'S' },     { ' ', 'S' },
	{ ' ', 'S' },	 { '\n', 'S' },	  { '\r', 'S' },    { '\t', 'S' },    { '1', 'N' },
	{ '9', 'N' },	 { '.', 'O' },	  { '!', 'O' },	    { '_', 'O' },     { 0, 'O' },
	{ 0xe9, 'L' },	 { 0x4e2d, 'L' }, { 0x663, 'N' },   { 0xbd, 'N' },    { 0xa0, 'S' },
	{ 0x180e, 'O' }, { 0x2028, 'S' }, { 0x3000, 'S' },  { 0xfffd, 'O' },  { 0x1f600, 'O' },
	{ 0x301, 'O' },	 { 0x17f, 'L' },  { 0x212a, 'L' },  { 0x2160, 'N' },  { 0x85, 'S' },
	{ 0xb, 'S' },	 { 0x200b, 'O' }, { 0x1d7d8, 'N' }, { 0x10400, 'L' },
};

#define N_ALPHABET (sizeof(alphabet) / sizeof(alphabet[0]))
#define MAX_CHARS  40

/* A random text as characters; class is 0 from n on. */
struct chars {
	uint32_t c[MAX_CHARS + 4];
	char class[MAX_CHARS + 4];
	size_t at[MAX_CHARS + 4]; /* byte position */
	size_t n;
};

static size_t run(const struct chars *t, size_t i, size_t end, const char *classes)
{
	while (i < end && strchr(classes, t->class[i]))
		i++;
	return i;
}

static char lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c < 128 ? (char)c : '\0';
}

/* End of a contraction at @i, or @i. */
static size_t contraction(const struct chars *t, size_t i, size_t end, bool any_case)
{
	char a, b;

	if (t->c[i] != '\'' || i + 1 >= end)
		return i;
	a = any_case ? lower(t->c[i + 1]) : t->c[i + 1] < 128 ? (char)t->c[i + 1] : '\0';
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return i + 2;
	if (i + 2 >= end)
		return i;
	b = any_case ? lower(t->c[i + 2]) : t->c[i + 2] < 128 ? (char)t->c[i + 2] : '\0';
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return i + 3;
	return i;
}

/* White space before something leaves its last character to it. */
static size_t spaces(const struct chars *t, size_t i, size_t end)
{
	size_t j = run(t, i, end, "S");

	return j < end && j - i > 1 ? j - 1 : j;
}

static size_t next_gpt2(const struct chars *t, size_t i, size_t end)
{
	size_t j = contraction(t, i, end, false);
	size_t k = i + (t->c[i] == ' ');

	if (j > i)
		return j;
	if (k < end && t->class[k] != 'S') {
		char one[2] = { t->class[k], '\0' };

		return run(t, k, end, one);
	}
	return spaces(t, i, end);
}

static bool is_newline(const struct chars *t, size_t i, size_t end)
{
	return i < end && (t->c[i] == '\r' || t->c[i] == '\n');
}

static size_t next_llama3(const struct chars *t, size_t i, size_t end, size_t digits)
{
	size_t j = contraction(t, i, end, true);
	size_t k, last = 0;

	if (j > i)
		return j;
	k = i + (t->class[i] != 'L' && t->class[i] != 'N' && !is_newline(t, i, end));
	if (k < end && t->class[k] == 'L')
		return run(t, k, end, "L");
	j = run(t, i, end, "N");
	if (j > i)
		return j - i > digits ? i + digits : j;
	k = i + (t->c[i] == ' ');
	j = run(t, k, end, "O");
	if (j > k) {
		while (is_newline(t, j, end))
			j++;
		return j;
	}
	for (j = i; j < end && t->class[j] == 'S'; j++)
		if (is_newline(t, j, end))
			last = j + 1;
	return last ? last : spaces(t, i, end);
}

static size_t next_word(enum tokenizer_pre pre, const struct chars *t, size_t i)
{
	size_t end = i;

	if (pre == PRE_GPT2)
		return next_gpt2(t, i, t->n);
	if (pre != PRE_SMOLLM)
		return next_llama3(t, i, t->n, pre == PRE_LLAMA3 ? 3 : 1);
	if (t->class[i] == 'N')
		return i + 1;
	while (end < t->n && t->class[end] != 'N')
		end++;
	return next_gpt2(t, i, end);
}

static void check_random(enum tokenizer_pre pre, struct iau_rng *rng)
{
	struct chars t = { .n = 1 + iau_rng_next(rng) % MAX_CHARS };
	char text[4 * MAX_CHARS];
	size_t len = 0;

	for (size_t i = 0; i < t.n; i++) {
		size_t a = iau_rng_next(rng) % N_ALPHABET;

		t.c[i] = alphabet[a].c;
		t.class[i] = alphabet[a].class;
		t.at[i] = len;
		len += utf8_encode(t.c[i], text + len);
	}
	t.at[t.n] = len;
	want.n = 0;
	for (size_t i = 0, j; i < t.n; i = j) {
		j = next_word(pre, &t, i);
		want.pos[want.n] = t.at[i];
		want.len[want.n++] = t.at[j] - t.at[i];
	}
	split(pre, text, len);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.pos, want.pos, want.n * sizeof(size_t));
	assert_memory_equal(got.len, want.len, want.n * sizeof(size_t));
}

static void test_random(void **state)
{
	static const enum tokenizer_pre pres[] = { PRE_GPT2, PRE_SMOLLM, PRE_LLAMA3, PRE_QWEN2 };
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 6);
	for (int i = 0; i < 4000; i++)
		check_random(pres[i % 4], &rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gpt2),   cmocka_unit_test(test_unicode_15_1),
		cmocka_unit_test(test_smollm), cmocka_unit_test(test_llama3),
		cmocka_unit_test(test_qwen2),  cmocka_unit_test(test_random),
	};

	return run_group("split", tests);
}
