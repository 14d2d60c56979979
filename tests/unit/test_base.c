/* SPDX-License-Identifier: MIT */
/* Messages, string map, exponential and logarithm, UTF-8. */
#include "cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/dmath.h"
#include "base/error.h"
#include "base/strmap.h"
#include "base/utf8.h"
#include "runtime/rng.h"

static struct iau_str str(const char *s)
{
	return (struct iau_str){ s, strlen(s) };
}

static void test_error_returns_code_and_message(void **state)
{
	(void)state;
	assert_int_equal(iau_error(-EINVAL, "%s: %d", "field", 7), -EINVAL);
	assert_string_equal(iau_last_error(), "field: 7");
	/* the old message may be part of the new one */
	iau_error(-EIO, "outer: %s", iau_last_error());
	assert_string_equal(iau_last_error(), "outer: field: 7");
}

static void test_error_long_message_is_cut(void **state)
{
	char text[2 * IAU_ERROR_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	iau_error(-EINVAL, "%s", text);
	assert_int_equal(strlen(iau_last_error()), IAU_ERROR_MAX - 1);
}

static void *other_thread(void *arg)
{
	(void)arg;
	if (iau_last_error()[0] != '\0')
		return "message of another thread";
	iau_error(-EIO, "of the other thread");
	return NULL;
}

static void test_error_belongs_to_thread(void **state)
{
	pthread_t thread;
	void *problem = "no thread";

	(void)state;
	iau_error(-EINVAL, "of this thread");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, &problem), 0);
	assert_null(problem);
	assert_string_equal(iau_last_error(), "of this thread");
}

static void test_printable(void **state)
{
	char text[300];

	(void)state;
	assert_string_equal(iau_printable("a\0b\xff", 4).text, "a\\x00b\\xFF");
	memset(text, 1, sizeof(text));
	assert_true(strlen(iau_printable(text, sizeof(text)).text) < 100);
	assert_non_null(strstr(iau_printable(text, sizeof(text)).text, "..."));
	assert_string_equal(iau_printable(NULL, 0).text, "");
}

static void test_strmap(void **state)
{
	static char keys[5000][12];
	struct iau_strmap map = { 0 };

	(void)state;
	assert_int_equal(iau_strmap_get(&map, str("absent")), IAU_STRMAP_NONE);
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key%u", i);
		assert_int_equal(iau_strmap_add(&map, str(keys[i]), i), 0);
	}
	assert_int_equal(iau_strmap_add(&map, str("key77"), 9), -EEXIST);
	assert_int_equal(iau_strmap_add(&map, str(""), 6000), 0);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(iau_strmap_get(&map, str(keys[i])), i);
	assert_int_equal(iau_strmap_get(&map, str("")), 6000);
	assert_int_equal(iau_strmap_get2(&map, str("ke"), str("y4999")), 4999);
	assert_int_equal(iau_strmap_get2(&map, str("key"), str("")), IAU_STRMAP_NONE);
	assert_int_equal(map.n, 5001);
	iau_strmap_fini(&map);
}

static void check_relative(double got, double want, double limit)
{
	if (fabs(got - want) > limit * fabs(want))
		fail_msg("%.17g is not %.17g", got, want);
}

static void test_exp(void **state)
{
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 1);
	for (int i = 0; i < 200000; i++) {
		double x = (iau_rng_double(&rng) - 0.5) * 1400.0;

		check_relative(iau_exp(x), exp(x), 1e-15);
	}
	assert_true(iau_exp(0.0) == 1.0);
	assert_true(iau_exp(-INFINITY) == 0.0);
	assert_true(iau_exp(-701.0) == 0.0);
	assert_true(iau_exp(710.0) == (double)INFINITY);
	check_relative(iau_exp(709.0), exp(709.0), 1e-15);
	check_relative(iau_exp(-700.0), exp(-700.0), 1e-15);
}

static void test_log(void **state)
{
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 2);
	for (int i = 0; i < 200000; i++) {
		double x = exp((iau_rng_double(&rng) - 0.5) * 1400.0);

		check_relative(iau_log(x), log(x), 1e-15);
	}
	/* the sums that it is used for: from 1 to the size of a vocabulary */
	for (int i = 0; i < 200000; i++) {
		double x = 1.0 + iau_rng_double(&rng) * (i % 2 ? 1e-3 : 2e5);

		check_relative(iau_log(x), log(x), 1e-15);
	}
	assert_true(iau_log(1.0) == 0.0);
}

static void test_utf8_round_trip(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char text[4];
		size_t n = utf8_encode(c, text), used;

		assert_int_equal(utf8_lead_length(text[0]), n);
		assert_int_equal(utf8_decode_lenient(text, n, &used), c);
		assert_int_equal(used, n);
		/* a missing continuation byte makes the lead byte invalid */
		if (n > 1) {
			assert_int_equal(utf8_decode_lenient(text, n - 1, &used), UTF8_REPLACEMENT);
			assert_int_equal(used, 1);
		}
	}
}

static void test_utf8_invalid(void **state)
{
	static const char *const bad[] = { "\x80",	    "\xbf",
					   "\xc3(",	    "\xe2\x82(",
					   "\xf0\x9f\x98(", "\xf8\x88\x80\x80",
					   "\xff",	    "\xf4\x90\x80\x80",
					   "\xc0\x80",	    "\xc1\xbf",
					   "\xe0\x9f\xbf",  "\xf0\x8f\xbf\xbf" };
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(utf8_decode_lenient(bad[i], strlen(bad[i]), &used),
				 UTF8_REPLACEMENT);
		assert_int_equal(used, 1);
	}
}

/* First numbers of seed 0, from the reference implementations of splitmix64 and xoshiro256**. */
static void test_rng(void **state)
{
	struct iau_rng rng;

	(void)state;
	iau_rng_seed(&rng, 0);
	assert_true(rng.s[0] == 0xe220a8397b1dcdafu);
	assert_true(rng.s[1] == 0x6e789e6aa1b965f4u);
	assert_true(rng.s[2] == 0x06c45d188009454fu);
	assert_true(rng.s[3] == 0xf88bb8a8724c81ecu);
	rng = (struct iau_rng){ { 1, 2, 3, 4 } };
	assert_true(iau_rng_next(&rng) == 11520);
	assert_true(iau_rng_next(&rng) == 0);
	assert_true(iau_rng_next(&rng) == 1509978240);
	assert_true(iau_rng_next(&rng) == 1215971899390074240);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_returns_code_and_message),
		cmocka_unit_test(test_error_long_message_is_cut),
		cmocka_unit_test(test_error_belongs_to_thread),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_strmap),
		cmocka_unit_test(test_exp),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_utf8_round_trip),
		cmocka_unit_test(test_utf8_invalid),
		cmocka_unit_test(test_rng),
	};

	return run_group("base", tests);
}
