/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RTL_FP_BENCH_H
#define TESTS_RTL_FP_BENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fp_results {
	uint32_t mul, add, i2f, half; /* x y, x + y, the low 25 bits of x, the low 16 bits of x */
};

struct fp_results fp_eval(uint32_t x, uint32_t y);

#ifdef __cplusplus
}
#endif

#endif
