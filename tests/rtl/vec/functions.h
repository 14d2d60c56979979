/* SPDX-License-Identifier: MIT */
/* Special functions of the vector unit against those of the reference, argument by argument. */
#ifndef TESTS_RTL_VEC_FUNCTIONS_H
#define TESTS_RTL_VEC_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* COUNT arguments of each domain of sfu_args.h through VEC commands. */
bool functions_agree(uint64_t seed, uint32_t count);

#endif
