/* SPDX-License-Identifier: MIT */
/* Keys of a sequence as they are in the cache, INT8, and as they were before a rotation. */
#ifndef TESTS_LIBIAU_KEYS_H
#define TESTS_LIBIAU_KEYS_H

#include "model/quant.h"
#include "runtime/session.h"

static inline float half(const uint8_t *p)
{
	uint16_t h = (uint16_t)(p[0] | p[1] << 8);

	return iau_f16_to_f32(h);
}

static inline uint8_t *block_at(const struct iau_session *s, uint32_t l, uint32_t block)
{
	const struct iau_kv_layout *kv = &s->cfg.kv;

	return kv_slab_ptr(&s->model->pool, s->kv.slab[block / kv->slab_blocks], l) +
	       block % kv->slab_blocks * kv->block_bytes;
}

/* Channel CH of token T of KV head HEAD: tiles of [32 tokens][32 channels] */
static inline float stored_key(const struct iau_session *s, uint32_t l, uint32_t head, uint32_t t, uint32_t ch)
{
	const struct iau_kv_layout *kv = &s->cfg.kv;
	const uint8_t *block = block_at(s, l, t / 32), *keys = block + head * kv->head_bytes;
	const uint8_t *scales = block + kv->kscale_at + head * kv->kscale_bytes;

	return (float)(int8_t)keys[ch / 32 * 1024 + t % 32 * 32 + ch % 32] * half(scales + ch / 32 * 64 + t % 32 * 2);
}

/* Element (I, J) of the Hadamard matrix of N x N, as its definition says */
static inline int hadamard(uint32_t n, uint32_t i, uint32_t j)
{
	static const int of_2[2][2] = { { 1, 1 }, { 1, -1 } };
	static const int of_4[4][4] = { { 1, 1, 1, -1 }, { 1, 1, -1, 1 }, { 1, -1, 1, 1 }, { -1, 1, 1, 1 } };
	int sign = n == 64 ? of_2[i / 32][j / 32] : of_4[i / 32][j / 32];

	for (uint32_t bit = 1; bit < 32; bit *= 2)
		if (i & j & bit)
			sign = -sign;
	return sign;
}

/* OUT[head_dim]: the key before it was rotated, if keys are */
static inline void plain_key(const struct iau_session *s, uint32_t l, uint32_t head, uint32_t t, double *out)
{
	uint32_t n = s->model->hp.head_dim;
	double x[128];

	for (uint32_t i = 0; i < n; i++)
		out[i] = x[i] = (double)stored_key(s, l, head, t, i);
	for (uint32_t i = 0; i < n && iau_keys_rotated(&s->cfg); i++) {
		out[i] = 0;
		for (uint32_t j = 0; j < n; j++)
			out[i] += hadamard(n, i, j) * x[j] / 8;
	}
}

#endif
