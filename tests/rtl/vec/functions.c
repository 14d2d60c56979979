/* SPDX-License-Identifier: MIT */
#include "functions.h"
#include "bench.h"
#include "numerics.h"
#include "sfu_args.h"

#include <stdio.h>

enum { EXP2 = 1, RECIP = 2, RSQRT = 3 };

#define ROWS   16
#define COLS   2048
#define D_ADDR (ROWS * COLS * 4)

static uint32_t wanted(unsigned int function, uint32_t x)
{
	float f = u2f(fp_canonical(u2f(x)));

	return f2u(function == EXP2    ? sfu_exp2(f)
		   : function == RECIP ? sfu_recip(f)
				       : sfu_rsqrt(f));
}

/* One command: D = function(A), ROWS * COLS arguments from number FIRST on. */
static bool batch(unsigned int function, enum sfu_domain domain, uint64_t seed, uint64_t first)
{
	static uint8_t vsp[IAU_VSP_BYTES];
	uint32_t cmd[16] = { IAU_OP_VEC };
	uint32_t x, got;

	IAU_PUT(cmd, function, IAU_VEC_SFU);
	IAU_PUT(cmd, 1, IAU_VEC_OUT);
	IAU_PUT(cmd, ROWS, IAU_VEC_ROWS);
	IAU_PUT(cmd, COLS, IAU_VEC_COLS);
	IAU_PUT(cmd, COLS * 4, IAU_VEC_A_STRIDE);
	IAU_PUT(cmd, D_ADDR, IAU_VEC_D_ADDR);
	IAU_PUT(cmd, COLS * 4, IAU_VEC_D_STRIDE);
	for (uint32_t i = 0; i < ROWS * COLS; i++) {
		x = sfu_argument(domain, seed, first + i);
		memcpy(vsp + 4 * i, &x, 4);
	}
	if (!bench_run(vsp, cmd, 256, 0).ok)
		return false;
	for (uint32_t i = 0; i < ROWS * COLS; i++) {
		memcpy(&x, vsp + 4 * i, 4);
		memcpy(&got, vsp + D_ADDR + 4 * i, 4);
		if (got == wanted(function, x))
			continue;
		printf("# function %u of %08x: %08x, not %08x\n", function, x, got,
		       wanted(function, x));
		return false;
	}
	return true;
}

bool functions_agree(uint64_t seed, uint32_t count)
{
	static const unsigned int function[] = {
		[SFU_EXP2_UNIT] = EXP2,
		[SFU_EXP2_WIDE] = EXP2,
		[SFU_RECIP] = RECIP,
		[SFU_RSQRT] = RSQRT,
	};

	for (uint64_t i = 0; i < count; i += ROWS * COLS) {
		for (unsigned int f = EXP2; f <= RSQRT; f++)
			if (!batch(f, SFU_ANY, seed, i))
				return false;
		for (unsigned int d = 0; d < SFU_ANY; d++)
			if (!batch(function[d], d, seed, i))
				return false;
	}
	return true;
}
