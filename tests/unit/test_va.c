/* SPDX-License-Identifier: MIT */
/* Addresses: nothing is given twice, holes are taken up again, and no line is crossed. */
#include "cmocka_all.h"
#include "device/va.h"
#include "runtime/rng.h"

#define SLOTS 64u

struct range {
	uint64_t va, size;
};

static void test_random(void **state)
{
	struct va_space s = { .next = VA_FIRST };
	struct range in[SLOTS] = { { 0, 0 } };
	struct iau_rng rng;
	uint64_t most = 0;

	(void)state;
	iau_rng_seed(&rng, 1);
	for (uint32_t n = 0; n < 200000; n++) {
		uint64_t r = iau_rng_next(&rng);
		struct range *x = &in[r % SLOTS];

		if (x->size) {
			va_give(&s, x->va, x->size);
			x->size = 0;
			continue;
		}
		/* up to 16 MiB, now and then up to three lines */
		x->size = 1 + (r >> 8) % (r >> 60 ? VA_BLOCK * 8 : 3 * VA_LINE);
		x->va = va_find(&s, x->size);
		assert_int_equal(va_take(&s, x->size), x->va);
		assert_int_equal(x->va % VA_BLOCK, 0);
		assert_true(x->size > VA_LINE || x->va / VA_LINE == (x->va + x->size - 1) / VA_LINE);
		for (uint32_t i = 0; i < SLOTS; i++)
			assert_true(&in[i] == x || !in[i].size || in[i].va + in[i].size <= x->va ||
				    x->va + x->size <= in[i].va);
		most = s.next > most ? s.next : most;
	}
	/* 64 ranges, a few of them large */
	assert_true(most < 64 * VA_LINE);
	for (uint32_t i = 0; i < SLOTS; i++)
		if (in[i].size)
			va_give(&s, in[i].va, in[i].size);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.next, VA_FIRST);
	va_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("va", tests, NULL, NULL);
}
