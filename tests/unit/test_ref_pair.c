/* SPDX-License-Identifier: MIT */
/*
 * Two threads that share the columns of products: each column is computed once, for the product that it belongs
 * to, also where short and long products take turns and one of the threads is late.
 */
#include "cmocka_all.h"
#include "ref.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PRODUCTS 300000u
#define MOST	 64u

/* A product: how often each of its columns was computed */
struct product {
	uint32_t columns;
	atomic_uint count[MOST];
};

static atomic_uint strangers;

static void compute(const void *x, uint32_t from, uint32_t to)
{
	struct product *p = (struct product *)(uintptr_t)x;

	for (; from < to; from++) {
		if (from >= p->columns)
			atomic_fetch_add(&strangers, 1);
		else
			atomic_fetch_add(&p->count[from], 1);
	}
}

static void test_columns(void **state)
{
	struct iau_dev *dev = calloc(1, sizeof(*dev));
	/* not the next one in the place of the last */
	struct product *p = calloc(2, sizeof(*p));

	(void)state;
	assert_non_null(dev);
	assert_non_null(p);
	dev->pair = ref_pair_create();
	assert_non_null(dev->pair);
	for (uint32_t n = 0; n < PRODUCTS; n++) {
		struct product *now = &p[n & 1];

		now->columns = n & 1 ? MOST : 2 + n % 7;
		ref_run_columns(dev, compute, now, now->columns, UINT64_MAX);
		for (uint32_t c = 0; c < MOST; c++)
			if (atomic_exchange(&now->count[c], 0) != (c < now->columns))
				fail_msg("product %u of %u columns: column %u", n, now->columns, c);
		assert_int_equal(atomic_load(&strangers), 0);
	}
	ref_pair_destroy(dev->pair);
	free(p);
	free(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_columns) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ref pair", tests, NULL, NULL);
}
