/* SPDX-License-Identifier: MIT */
/* The matrix engine between two scratchpads. */
#ifndef TESTS_RTL_MXU_BENCH_H
#define TESTS_RTL_MXU_BENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mxu_stats {
	uint64_t cycles, busy, reads, writes;
};

/*
 * Run N commands to their end on VSP and TSP, each offered as soon as the engine takes it. A request
 * is granted with a probability of GRANT in 256; SEED selects the sequence. Returns false if they do
 * not end within LIMIT cycles.
 */
int mxu_run(const uint32_t (*cmd)[16], unsigned int n, uint8_t *vsp, const uint8_t *tsp,
	    unsigned int grant, uint32_t seed, uint64_t limit, struct mxu_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
