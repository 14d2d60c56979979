/* SPDX-License-Identifier: MIT */
/* Bytes in pieces to whole characters. */
#include "cmocka_all.h"

#include "iau/tokenizer.h"
#include "runtime/rng.h"

/* Push @text in steps of @step bytes, then flush. */
static size_t stream(const char *text, size_t len, size_t step, char *out)
{
	struct iau_utf8_stream s = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < len; i += step)
		n += iau_utf8_push(&s, text + i, len - i < step ? len - i : step, out + n);
	n += iau_utf8_flush(&s, out + n);
	assert_int_equal(iau_utf8_flush(&s, out + n), 0);
	return n;
}

static void assert_stream(const char *text, const char *want)
{
	char out[256];

	for (size_t step = 1; step < 8; step++) {
		size_t n = stream(text, strlen(text), step, out);

		assert_int_equal(n, strlen(want));
		assert_memory_equal(out, want, n);
	}
}

static void test_valid_passes(void **state)
{
	(void)state;
	assert_stream("", "");
	assert_stream("plain", "plain");
	assert_stream("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z",
		      "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
	assert_stream(
		"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80",
		"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80");
}

static void test_holds_back(void **state)
{
	struct iau_utf8_stream s = { 0 };
	char out[IAU_UTF8_OUT(4)];

	(void)state;
	assert_int_equal(iau_utf8_push(&s, "a\xf0\x9f", 3, out), 1);
	assert_int_equal(iau_utf8_push(&s, "\x98", 1, out), 0);
	assert_int_equal(iau_utf8_push(&s, "\x80", 1, out), 4);
	assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
}

#define R "\xef\xbf\xbd"

/* The examples of Unicode 15, tables 3-8 to 3-11, among others. */
static void test_invalid_is_replaced(void **state)
{
	(void)state;
	assert_stream("\x80", R);
	assert_stream("a\xff"
		      "b",
		      "a" R "b");
	assert_stream("\xc3(", R "(");
	assert_stream("\xe2\x82", R);
	assert_stream("\xe2\x82"
		      "A",
		      R "A");
	assert_stream("\xf0\x9f\x98\xe2\x82\xac", R "\xe2\x82\xac");
	assert_stream("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "A");
	assert_stream("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "A");
	assert_stream("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "A" R R "B");
	assert_stream("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "A");
}

/* A strict validator, written from the table of well-formed sequences. */
static int is_valid(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		static const struct {
			unsigned char lo, hi, lo2, hi2, n;
		} rows[] = {
			{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
			{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
			{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
			{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
			{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
		};
		size_t r = 0;

		while (r < 9 && !(s[i] >= rows[r].lo && s[i] <= rows[r].hi))
			r++;
		if (r == 9 || i + rows[r].n > len)
			return 0;
		for (size_t j = 1; j < rows[r].n; j++) {
			unsigned char lo = j == 1 ? rows[r].lo2 : 0x80;
			unsigned char hi = j == 1 ? rows[r].hi2 : 0xbf;

			if (s[i + j] < lo || s[i + j] > hi)
				return 0;
		}
		i += rows[r].n;
	}
	return 1;
}

static void test_random(void **state)
{
	static const unsigned char leads[] = { 0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xe2, 0xed, 0xf0,
					       0xf1, 0xf4, 0xf5, 0xff, 0xa0, 0x9f, 0x90, 0x8f };
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 5);
	for (int i = 0; i < 50000; i++) {
		char text[24], whole[IAU_UTF8_OUT(24)], parts[24 * IAU_UTF8_OUT(1)];
		size_t len = iau_rng_next(&rng) % sizeof(text), n;

		for (size_t j = 0; j < len; j++)
			text[j] = (char)leads[iau_rng_next(&rng) % sizeof(leads)];
		n = stream(text, len, 24, whole);
		assert_true(is_valid((unsigned char *)whole, n));
		if (is_valid((unsigned char *)text, len)) {
			assert_int_equal(n, len);
			assert_memory_equal(whole, text, n);
		}
		assert_int_equal(stream(text, len, 1, parts), n);
		assert_memory_equal(parts, whole, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_passes),
		cmocka_unit_test(test_holds_back),
		cmocka_unit_test(test_invalid_is_replaced),
		cmocka_unit_test(test_random),
	};

	return run_group("utf8_stream", tests);
}
