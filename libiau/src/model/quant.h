/* SPDX-License-Identifier: MIT */
/*
 * Number formats of the weights: fp16, bf16 and blocks of 32.
 *
 * A Q8_0 block is an fp16 scale d and 32 signed bytes q: x = d q. A Q4_0 block is an fp16 scale d
 * and 16 bytes: byte j holds x[j] in its low and x[j + 16] in its high nibble, x = d (n - 8).
 */
#ifndef IAU_MODEL_QUANT_H
#define IAU_MODEL_QUANT_H

#include <stddef.h>
#include <stdint.h>

#define IAU_BLOCK 32 /* values of a block */

struct iau_block_q8_0 {
	uint8_t d[2]; /* fp16, little-endian */
	int8_t q[IAU_BLOCK];
};

struct iau_block_q4_0 {
	uint8_t d[2];
	uint8_t q[IAU_BLOCK / 2];
};

_Static_assert(sizeof(struct iau_block_q8_0) == 34, "as stored in files");
_Static_assert(sizeof(struct iau_block_q4_0) == 18, "as stored in files");

/* A block of either format as integers: x[i] = scale q[i]. */
struct iau_block {
	uint16_t scale; /* fp16 bits, untouched */
	int8_t q[IAU_BLOCK];
};

/* Exact; NaN stays NaN (made quiet), infinities stay. */
float iau_f16_to_f32(uint16_t h);
float iau_bf16_to_f32(uint16_t h);

/* Round to nearest even; above 65519.99 infinity, NaN stays NaN (made quiet). */
uint16_t iau_f32_to_f16(float f);

/*
 * Quantise @n finite values, a multiple of 32, to Q8_0 as ggml's reference does: d = amax / 127,
 * q = roundf(x / d) computed as x * (1 / d), d stored as fp16. Blocks with amax above 8.3e6
 * overflow the scale to infinity, as there.
 */
void iau_quantize_q8_0(const float *x, struct iau_block_q8_0 *blocks, size_t n);

/*
 * Row of @n elements (a multiple of 32) of type F32, F16 or BF16 to Q8_0. 0, or -EINVAL with a
 * message for another type, length or a value that is not finite.
 */
int iau_row_to_q8_0(uint32_t type, const void *row, struct iau_block_q8_0 *blocks, size_t n);

/* Block @i of Q8_0 or Q4_0 data. 0, or -EINVAL with a message for another type. */
int iau_block_view(uint32_t type, const void *data, size_t i, struct iau_block *block);

#endif
