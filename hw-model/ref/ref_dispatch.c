/* SPDX-License-Identifier: MIT */
/* The versions of the arithmetic, all with the same results, and the choice among them. */
#include "ref.h"

static bool always(void)
{
	return true;
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd") &&
	       __builtin_cpu_supports("avx512vnni");
}

const struct ref_kernels ref_kernels[REF_NUM_KERNELS] = {
	{ "avx512", has_avx512, ref_matmul_avx512, ref_vec_avx512 },
	{ "avx2", has_avx2, ref_matmul_avx2, ref_vec_avx2 },
	{ "portable", always, ref_matmul, ref_vec },
};

const struct ref_kernels *ref_choose_kernels(void)
{
	const struct ref_kernels *k = ref_kernels;

	while (!k->supported())
		k++;
	return k;
}
