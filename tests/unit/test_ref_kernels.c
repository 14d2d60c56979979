/* SPDX-License-Identifier: MIT */
/*
 * The versions of the reference model's arithmetic, with one thread and two, against the portable one:
 * random legal commands on random scratchpads leave the same bits. usage: test_ref_kernels [SEED [COUNT]]
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numerics.h"
#include "ref.h"
#include "runtime/rng.h"

static struct iau_rng rng;
static unsigned int count = 4000;
static struct iau_dev *input, *want, *got;
static struct ref_pair *pair;

static uint32_t rnd(uint32_t n)
{
	return (uint32_t)(iau_rng_next(&rng) % n);
}

/* Mostly numbers of ordinary size; else any bits: NaN, infinities, subnormals. */
static uint32_t random_float(void)
{
	uint32_t u = (uint32_t)iau_rng_next(&rng);

	if (rnd(16))
		u = (u & 0x807fffff) | (118 + rnd(16)) << 23;
	return rnd(32) ? u : rnd(2) << 31;
}

static void fill(struct iau_dev *dev)
{
	bool plain = rnd(2); /* without -128, which one version handles apart */

	for (uint32_t i = 0; i < IAU_VSP_BYTES; i += 4) {
		uint32_t u = random_float();

		memcpy(dev->vsp + i, &u, 4);
		for (uint32_t j = i; j < i + 4 && plain; j++)
			dev->vsp[j] = dev->vsp[j] == 0x80 ? 0x7f : dev->vsp[j];
	}
	for (uint32_t i = 0; i < IAU_TSP_BYTES; i += 8) {
		uint64_t u = iau_rng_next(&rng);

		memcpy(dev->tsp + i, &u, 8);
	}
}

/* An address in one of eight parts of the vector scratchpad, so that operands do not overlap. */
static uint32_t vsp_part(uint32_t part, uint32_t align)
{
	return part * (IAU_VSP_BYTES / 8) + rnd(64) * align;
}

static void make_matmul(uint32_t *c)
{
	uint32_t m = rnd(2) ? 1 + rnd(3) : 1 + rnd(32), nt = 1 + rnd(3), kb = 1 + rnd(6);

	c[0] = IAU_OP_MATMUL;
	IAU_PUT(c, rnd(4), IAU_MATMUL_FORMAT);
	IAU_PUT(c, rnd(4) == 0, IAU_MATMUL_UNIT);
	IAU_PUT(c, rnd(2), IAU_MATMUL_CIN);
	IAU_PUT(c, m, IAU_MATMUL_M);
	IAU_PUT(c, m + rnd(3), IAU_MATMUL_PITCH);
	IAU_PUT(c, nt, IAU_MATMUL_NT);
	IAU_PUT(c, kb, IAU_MATMUL_KB);
	IAU_PUT(c, vsp_part(0, 32), IAU_MATMUL_A_ADDR);
	IAU_PUT(c, vsp_part(1, 4), IAU_MATMUL_AS_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + rnd(64) * 64, IAU_MATMUL_W_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + 0x10000 + rnd(64) * 64, IAU_MATMUL_WL_ADDR);
	IAU_PUT(c, IAU_TSP_BASE + 0x20000 + rnd(64) * 64, IAU_MATMUL_WS_ADDR);
	IAU_PUT(c, rnd(200), IAU_MATMUL_W_NSTRIDE);
	IAU_PUT(c, rnd(20), IAU_MATMUL_W_KSTRIDE);
	IAU_PUT(c, rnd(20), IAU_MATMUL_WS_NSTRIDE);
	IAU_PUT(c, rnd(3), IAU_MATMUL_WS_KSTRIDE);
	IAU_PUT(c, vsp_part(2, 128), IAU_MATMUL_C_ADDR);
	IAU_PUT(c, 128 * rnd(5), IAU_MATMUL_C_STRIDE);
	IAU_PUT(c, vsp_part(4, 128), IAU_MATMUL_D_ADDR);
	IAU_PUT(c, 128 * (nt + rnd(2)), IAU_MATMUL_D_STRIDE);
}

static void make_vec(uint32_t *c)
{
	uint32_t a_fmt = rnd(4) == 0, b_fmt = rnd(3) == 0, out = rnd(5),
		 d_align = out == 1 ? 128 : 32;
	uint32_t red = rnd(4), a1 = rnd(4), mask = a1 != 1 && rnd(2), cols = 1 + rnd(160);

	c[0] = IAU_OP_VEC;
	IAU_PUT(c, a_fmt, IAU_VEC_A_FMT);
	IAU_PUT(c, rnd(4), IAU_VEC_PERM);
	IAU_PUT(c, b_fmt, IAU_VEC_B_FMT);
	IAU_PUT(c, rnd(2) ? 0 : rnd(4), IAU_VEC_B_WRAP);
	IAU_PUT(c, rnd(5), IAU_VEC_M1);
	IAU_PUT(c, a1, IAU_VEC_A1);
	IAU_PUT(c, rnd(2), IAU_VEC_A1_NEG);
	IAU_PUT(c, rnd(4) == 0, IAU_VEC_A1_MAX);
	IAU_PUT(c, mask, IAU_VEC_MASK);
	IAU_PUT(c, rnd(2), IAU_VEC_MASK_STEP);
	IAU_PUT(c, rnd(4), IAU_VEC_SFU);
	IAU_PUT(c, rnd(4), IAU_VEC_M2);
	IAU_PUT(c, red, IAU_VEC_RED);
	IAU_PUT(c, red == 3 && out > 1 ? 1 : out, IAU_VEC_OUT);
	IAU_PUT(c, rnd(2), IAU_VEC_R_INIT);
	IAU_PUT(c, rnd(2), IAU_VEC_RED_MAX);
	IAU_PUT(c, 1 + rnd(8), IAU_VEC_ROWS);
	IAU_PUT(c, cols, IAU_VEC_COLS);
	IAU_PUT(c, vsp_part(0, 128), IAU_VEC_A_ADDR);
	IAU_PUT(c, 128 * rnd(8), IAU_VEC_A_STRIDE);
	IAU_PUT(c, vsp_part(1, 128), IAU_VEC_B_ADDR);
	IAU_PUT(c, 128 * rnd(8), IAU_VEC_B_STRIDE);
	IAU_PUT(c, vsp_part(2, 4), IAU_VEC_S_ADDR);
	IAU_PUT(c, vsp_part(3, 128), IAU_VEC_D_ADDR);
	IAU_PUT(c, d_align * rnd(8), IAU_VEC_D_STRIDE);
	IAU_PUT(c, 32 * rnd(8), IAU_VEC_D_BSTRIDE);
	IAU_PUT(c, vsp_part(5, 4), IAU_VEC_SC_ADDR);
	IAU_PUT(c, 4 * rnd(8), IAU_VEC_SC_RSTRIDE);
	IAU_PUT(c, 4 * rnd(8), IAU_VEC_SC_BSTRIDE);
	IAU_PUT(c, vsp_part(6, 8), IAU_VEC_R_ADDR);
	IAU_PUT(c, random_float(), IAU_VEC_IMM0);
	IAU_PUT(c, mask ? rnd(200) - 20 : random_float(), IAU_VEC_IMM1);
}

static void run(const struct ref_kernels *k, struct ref_pair *second, struct iau_dev *dev,
		const uint32_t *cmd)
{
	memcpy(dev, input, sizeof(*dev));
	dev->pair = second;
	if ((cmd[0] & 0xff) == IAU_OP_VEC)
		k->vec(dev, cmd);
	else
		k->matmul(dev, cmd);
	dev->pair = NULL;
}

static void compare(const struct ref_kernels *k, unsigned int i)
{
	if (!memcmp(got, want, sizeof(*got)))
		return;
	for (uint32_t at = 0; at < IAU_VSP_BYTES; at++)
		if (got->vsp[at] != want->vsp[at])
			fail_msg("%s: command %u: byte %#x of the scratchpad is %02x, not %02x",
				 k->name, i, at, got->vsp[at], want->vsp[at]);
	fail_msg("%s: command %u: counters differ", k->name, i);
}

static void test_same_bits(void (*make)(uint32_t *))
{
	const struct ref_kernels *portable = &ref_kernels[REF_NUM_KERNELS - 1];
	unsigned int fp = iau_fp_enter(), legal = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct ref_fault fault = { 0 };
		uint32_t cmd[16] = { 0 };

		if (i % 64 == 0)
			fill(input);
		make(cmd);
		ref_check(cmd, &fault);
		if (fault.code)
			continue;
		legal++;
		run(portable, NULL, want, cmd);
		for (const struct ref_kernels *k = ref_kernels; k <= portable; k++) {
			if (!k->supported())
				continue;
			run(k, NULL, got, cmd);
			compare(k, i);
			run(k, pair, got, cmd);
			compare(k, i);
		}
	}
	iau_fp_leave(fp);
	assert_true(legal > count / 4);
}

static void test_matmul(void **state)
{
	(void)state;
	test_same_bits(make_matmul);
}

static void test_vec(void **state)
{
	(void)state;
	test_same_bits(make_vec);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matmul),
		cmocka_unit_test(test_vec),
	};
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	int failed;

	count = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : count;
	iau_rng_seed(&rng, seed);
	printf("# seed %llu, versions:", (unsigned long long)seed);
	for (int i = 0; i < REF_NUM_KERNELS; i++)
		printf(" %s%s", ref_kernels[i].name,
		       ref_kernels[i].supported() ? "" : " (not here)");
	printf("\n");
	input = aligned_alloc(128, (sizeof(*input) + 127) / 128 * 128);
	want = aligned_alloc(128, (sizeof(*want) + 127) / 128 * 128);
	got = aligned_alloc(128, (sizeof(*got) + 127) / 128 * 128);
	pair = ref_pair_create();
	if (!input || !want || !got || !pair)
		return 1;
	memset(input, 0, sizeof(*input));
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("ref_kernels", tests, NULL, NULL);
	ref_pair_destroy(pair);
	free(input);
	free(want);
	free(got);
	return failed;
}
