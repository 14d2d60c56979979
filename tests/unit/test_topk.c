/* SPDX-License-Identifier: MIT */
/* TOPK of the reference model against a sort: random values, many of them equal. usage: test_topk [SEED] */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numerics.h"
#include "ref.h"
#include "runtime/rng.h"

#define MOST 2000u

struct column {
	float value;
	uint32_t index;
	bool forced;
};

static struct iau_rng rng;

static uint32_t rnd(uint32_t n)
{
	return (uint32_t)(iau_rng_next(&rng) % n);
}

/* Forced ones first, then by value, then by place */
static int order(const void *pa, const void *pb)
{
	const struct column *a = pa, *b = pb;
	uint32_t x = fp_order_key(a->value), y = fp_order_key(b->value);

	if (a->forced != b->forced)
		return a->forced ? -1 : 1;
	if (!a->forced && x != y)
		return x > y ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

static int by_place(const void *pa, const void *pb)
{
	const struct column *a = pa, *b = pb;

	return a->index < b->index ? -1 : 1;
}

static float random_value(void)
{
	static const uint32_t odd[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0, 0x80000000, 1 };
	uint32_t u = rnd(20) ? rnd(2) << 31 | (120 + rnd(8)) << 23 | rnd(4) << 21 : odd[rnd(6)];

	return u2f(u);
}

static uint32_t table_word(uint32_t column)
{
	return column * 2654435761u;
}

static void check_one(struct iau_dev *dev)
{
	uint32_t n = rnd(4) ? rnd(100) : rnd(MOST), count = rnd(n + 4), first = rnd(2) * rnd(5);
	uint32_t last = rnd(2) * rnd(7), shift = rnd(6), chosen = count < n ? count : n;
	struct column column[MOST];
	uint32_t cmd[16] = { IAU_OP_TOPK };
	bool by_table = rnd(2);

	for (uint32_t i = 0; i < n; i++) {
		column[i] = (struct column){ random_value(), i, i < first || i + last >= n };
		memcpy(dev->vsp + 1024 + 4 * i, &column[i].value, 4);
		memcpy(dev->vsp + 0x10004 + 4 * i, &(uint32_t){ table_word(i) }, 4);
	}
	memset(dev->vsp + 0x8000, 0xee, 4 * MOST + 4);
	IAU_PUT(cmd, n, IAU_TOPK_N);
	IAU_PUT(cmd, count, IAU_TOPK_COUNT);
	IAU_PUT(cmd, first, IAU_TOPK_FIRST);
	IAU_PUT(cmd, last, IAU_TOPK_LAST);
	IAU_PUT(cmd, 1024, IAU_TOPK_A_ADDR);
	IAU_PUT(cmd, 0x8000, IAU_TOPK_D_ADDR);
	IAU_PUT(cmd, shift, IAU_TOPK_SHIFT);
	IAU_PUT(cmd, 10, IAU_TOPK_LO);
	IAU_PUT(cmd, 100000, IAU_TOPK_HI);
	IAU_PUT(cmd, by_table, IAU_TOPK_BY_TABLE);
	IAU_PUT(cmd, 0x10004, IAU_TOPK_T_ADDR);
	ref_topk(dev, cmd);
	qsort(column, n, sizeof(*column), order);
	qsort(column, chosen, sizeof(*column), by_place);
	for (uint32_t i = 0; i <= chosen; i++) {
		uint32_t c = column[i].index, want = c % (1u << shift) * 10 + (c >> shift) * 100000, got;

		if (by_table)
			want = table_word(c);
		memcpy(&got, dev->vsp + 0x8000 + 4 * i, 4);
		assert_int_equal(got, i < chosen ? want : 0xeeeeeeee);
	}
}

static void test_random(void **state)
{
	struct iau_dev *dev = calloc(1, sizeof(*dev));

	(void)state;
	assert_non_null(dev);
	iau_fp_enter();
	for (unsigned int i = 0; i < 4000; i++)
		check_one(dev);
	free(dev);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	printf("# seed %llu\n", (unsigned long long)seed);
	iau_rng_seed(&rng, seed);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("topk", tests, NULL, NULL);
}
