/* SPDX-License-Identifier: MIT */
/*
 * exp and log that give the same bits on every machine with IEEE double: only +, -, *, / and
 * integer operations, in a fixed order. Relative error below 1e-15 (tested against libm). They
 * must be compiled without contraction into fused multiply-adds (-ffp-contract=off).
 */
#ifndef IAU_BASE_DMATH_H
#define IAU_BASE_DMATH_H

/* e to the @x for any x that is not NaN; 0 below -700, infinity above 709. */
double iau_exp(double x);

/* Natural logarithm of a positive, normal, finite @x. */
double iau_log(double x);

#endif
