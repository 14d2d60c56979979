/* SPDX-License-Identifier: MIT */
#include "model/quant.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "iau/gguf.h"

static uint32_t float_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static float bits_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

float iau_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exp = (h >> 10) & 0x1f;
	uint32_t frac = h & 0x3ff;

	if (exp == 0x1f)
		return bits_float(sign | 0x7f800000 | frac << 13 | (frac ? 0x400000 : 0));
	if (exp == 0) { /* zero or subnormal: frac 2^-24 is exact in fp32 */
		float f = (float)frac * 0x1p-24f;

		return sign ? -f : f;
	}
	return bits_float(sign | (exp + 112) << 23 | frac << 13);
}

float iau_bf16_to_f32(uint16_t h)
{
	return bits_float((uint32_t)h << 16);
}

uint16_t iau_f32_to_f16(float f)
{
	uint32_t bits = float_bits(f);
	uint32_t sign = (bits >> 16) & 0x8000;
	uint32_t mag = bits & 0x7fffffff;

	if (mag > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | ((mag >> 13) & 0x1ff));
	if (mag >= 0x477ff000) /* 65520 and above round to infinity */
		return (uint16_t)(sign | 0x7c00);
	if (mag < 0x38800000) { /* below 2^-14: let fp32 addition round at 2^-24 */
		float r = bits_float(mag) + 0.5f;

		return (uint16_t)(sign | (float_bits(r) - float_bits(0.5f)));
	}
	mag += 0xfff + ((mag >> 13) & 1); /* ties to even; a carry moves into the exponent */
	return (uint16_t)(sign | ((mag >> 13) - (112 << 10)));
}

static void quantize_block(const float *x, struct iau_block_q8_0 *block)
{
	float amax = 0.0f;
	float d, inv;
	uint16_t h;

	for (int i = 0; i < IAU_BLOCK; i++)
		amax = fabsf(x[i]) > amax ? fabsf(x[i]) : amax;
	d = amax / 127.0f;
	inv = d != 0.0f ? 1.0f / d : 0.0f;
	if (isinf(inv)) /* d is below 2^-128, and 0 as fp16: so are the values */
		inv = 0.0f;
	h = iau_f32_to_f16(d);
	block->d[0] = (uint8_t)(h & 0xff);
	block->d[1] = (uint8_t)(h >> 8);
	for (int i = 0; i < IAU_BLOCK; i++)
		block->q[i] = (int8_t)roundf(x[i] * inv);
}

void iau_quantize_q8_0(const float *x, struct iau_block_q8_0 *blocks, size_t n)
{
	for (size_t i = 0; i < n / IAU_BLOCK; i++)
		quantize_block(x + i * IAU_BLOCK, &blocks[i]);
}

static float load_element(uint32_t type, const void *row, size_t i)
{
	uint16_t h;
	float f;

	if (type == IAU_TENSOR_F32) {
		memcpy(&f, (const char *)row + i * sizeof(f), sizeof(f));
		return f;
	}
	memcpy(&h, (const char *)row + i * sizeof(h), sizeof(h));
	return type == IAU_TENSOR_F16 ? iau_f16_to_f32(h) : iau_bf16_to_f32(h);
}

int iau_row_to_q8_0(uint32_t type, const void *row, struct iau_block_q8_0 *blocks, size_t n)
{
	float x[IAU_BLOCK];

	if (type != IAU_TENSOR_F32 && type != IAU_TENSOR_F16 && type != IAU_TENSOR_BF16)
		return iau_error(-EINVAL, "quantise: type %s is not a float type",
				 iau_tensor_type_name(type));
	if (n % IAU_BLOCK)
		return iau_error(-EINVAL, "quantise: %zu is not a multiple of %d", n, IAU_BLOCK);
	for (size_t i = 0; i < n; i++) {
		x[i % IAU_BLOCK] = load_element(type, row, i);
		if (!isfinite(x[i % IAU_BLOCK]))
			return iau_error(-EINVAL, "quantise: element %zu is not finite", i);
		if (i % IAU_BLOCK == IAU_BLOCK - 1)
			quantize_block(x, &blocks[i / IAU_BLOCK]);
	}
	return 0;
}

static uint16_t load_scale(const uint8_t d[2])
{
	return (uint16_t)(d[0] | d[1] << 8);
}

int iau_block_view(uint32_t type, const void *data, size_t i, struct iau_block *block)
{
	if (type == IAU_TENSOR_Q8_0) {
		const struct iau_block_q8_0 *b = (const struct iau_block_q8_0 *)data + i;

		block->scale = load_scale(b->d);
		memcpy(block->q, b->q, sizeof(block->q));
		return 0;
	}
	if (type == IAU_TENSOR_Q4_0) {
		const struct iau_block_q4_0 *b = (const struct iau_block_q4_0 *)data + i;

		block->scale = load_scale(b->d);
		for (int j = 0; j < IAU_BLOCK / 2; j++) {
			block->q[j] = (int8_t)((b->q[j] & 15) - 8);
			block->q[j + IAU_BLOCK / 2] = (int8_t)((b->q[j] >> 4) - 8);
		}
		return 0;
	}
	return iau_error(-EINVAL, "block view: type %s has no blocks of 32",
			 iau_tensor_type_name(type));
}
