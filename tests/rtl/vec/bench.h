/* SPDX-License-Identifier: MIT */
/* The vector unit and its scratchpad, clocked by the test. */
#ifndef TESTS_RTL_VEC_BENCH_H
#define TESTS_RTL_VEC_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_result {
	uint64_t cycles; /* from the command's acceptance to done, both included */
	uint64_t busy;	 /* of those, cycles in which a vector was issued */
	bool ok;	 /* done came, once, and no request after it */
};

void bench_start(void);
void bench_stop(void);

/*
 * Runs one command on VSP. In each cycle each port's request is granted with a probability of
 * GRANT / 256; with 256, what the ports show without a grant is left as it was.
 */
struct bench_result bench_run(uint8_t *vsp, const uint32_t *cmd, unsigned int grant, uint64_t seed);

/* Clocks the idle unit. */
void bench_idle(uint64_t cycles);

#ifdef __cplusplus
}
#endif

#endif
