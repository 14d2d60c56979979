/* SPDX-License-Identifier: MIT */
#include "model/weights.h"
#include "base/error.h"
#include "model/quant.h"
#include "model/rotation.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hands out the one buffer of the weights. */
struct cursor {
	const struct iau_gguf *gguf;
	const struct iau_hparams *hp;
	struct iau_weights *w;
	size_t at;
	bool dry; /* only count */
};

static uint8_t *take(struct cursor *c, size_t bytes, uint64_t *va)
{
	uint8_t *p = c->dry ? NULL : (uint8_t *)c->w->buf.ptr + c->at;

	*va = c->dry ? 0 : c->w->buf.va + c->at;
	c->at += (bytes + 127) & ~(size_t)127;
	return p;
}

static int find(const struct cursor *c, const char *name, const struct iau_tensor **t)
{
	return iau_gguf_tensor(c->gguf, name, t);
}

static bool is_float(uint32_t type)
{
	return type == IAU_TENSOR_F32 || type == IAU_TENSOR_F16 || type == IAU_TENSOR_BF16;
}

static size_t row_bytes(const struct iau_tensor *t)
{
	return t->bytes / (t->ne[1] * t->ne[2] * t->ne[3]);
}

/* Row N of T as blocks; TMP holds a converted row. */
static int row_blocks(const struct iau_tensor *t, uint32_t n, struct iau_block_q8_0 *tmp,
		      struct iau_block *out)
{
	const uint8_t *row = (const uint8_t *)t->data + n * row_bytes(t);
	uint32_t type = t->type;
	int err = 0;

	if (is_float(type)) {
		err = iau_row_to_q8_0(type, row, tmp, t->ne[0]);
		row = (const uint8_t *)tmp;
		type = IAU_TENSOR_Q8_0;
	}
	for (size_t b = 0; b < t->ne[0] / IAU_BLOCK && !err; b++)
		err = iau_block_view(type, row, b, &out[b]);
	return err;
}

/* Writes row R of a column of tiles; P is the column of a segment of S blocks. */
static void put_blocks(uint8_t *p, uint32_t s, uint32_t r, bool int4, const struct iau_block *blocks)
{
	uint8_t *hi = p + s * 64, *lo = hi + s * 512;

	for (uint32_t b = 0; b < s; b++) {
		const int8_t *q = blocks[b].q;

		memcpy(p + b * 64 + r * 2, &blocks[b].scale, 2);
		for (uint32_t j = 0; j < 16; j++) {
			uint8_t x = (uint8_t)q[j], y = (uint8_t)q[j + 16];
			size_t at = b * 512 + r * 16 + j;

			if (int4) {
				hi[at] = (uint8_t)((x & 15) | y << 4);
			} else {
				hi[at] = (uint8_t)(x >> 4 | (y & 0xf0));
				lo[at] = (uint8_t)((x & 15) | y << 4);
			}
		}
	}
}

static int tile_rows(const struct iau_tensor *t, const struct iau_matrix *m, uint8_t *base)
{
	struct iau_block_q8_0 *tmp = calloc(m->kb, sizeof(*tmp));
	struct iau_block *blocks = calloc(m->kb, sizeof(*blocks));
	int err = tmp && blocks ? 0 : iau_error_nomem("weights");

	for (uint32_t n = 0; n < m->n && !err; n++) {
		uint8_t *seg = base;

		err = row_blocks(t, n, tmp, blocks);
		for (uint32_t k = 0; k < m->kb && !err; k += m->segment) {
			uint32_t s = m->kb - k < m->segment ? m->kb - k : m->segment;
			size_t column = (size_t)s * iau_tile_bytes(m);

			put_blocks(seg + n / 32 * column, s, n % 32, m->int4, blocks + k);
			seg += m->nt * column;
		}
	}
	free(tmp);
	free(blocks);
	return err;
}

/* Loads of a segment of S blocks */
static uint32_t chunks(const struct iau_matrix *m, uint32_t s)
{
	uint32_t columns = s ? IAU_CHUNK_BYTES / (s * iau_tile_bytes(m)) : m->nt;

	return s ? (m->nt + columns - 1) / columns : 0;
}

/*
 * As few segments as can be, in as few chunks, each of which takes commands; then all about alike, because a product
 * with a short one is slower than the sums that it adds to can be read and written.
 */
static uint32_t segment(const struct iau_matrix *m)
{
	uint32_t segments = (m->kb + IAU_SEGMENT_BLOCKS - 1) / IAU_SEGMENT_BLOCKS;
	uint32_t best = 0, least = UINT32_MAX;

	for (uint32_t s = (m->kb + segments - 1) / segments; s <= IAU_SEGMENT_BLOCKS && s <= m->kb; s++) {
		uint32_t n = m->kb / s * chunks(m, s) + chunks(m, m->kb % s);

		if (n < least) {
			least = n;
			best = s;
		}
	}
	return best;
}

static int matrix(struct cursor *c, const char *name, struct iau_matrix *m)
{
	const struct iau_tensor *t;
	uint8_t *p;
	int err = find(c, name, &t);

	if (err)
		return err;
	if (t->ne[0] % IAU_BLOCK)
		return iau_error(-ENOTSUP, "tensor '%s': rows of %llu elements are not whole blocks of 32",
				 name, (unsigned long long)t->ne[0]);
	*m = (struct iau_matrix){
		.n = (uint32_t)t->ne[1],
		.k = (uint32_t)t->ne[0],
		.nt = (uint32_t)((t->ne[1] + 31) / 32),
		.kb = (uint32_t)(t->ne[0] / 32),
		.int4 = t->type == IAU_TENSOR_Q4_0,
	};
	m->segment = segment(m);
	p = take(c, (size_t)m->nt * m->kb * iau_tile_bytes(m), &m->va);
	if (c->dry) {
		c->w->requantised |= is_float(t->type);
		c->w->matrix_bytes += (uint64_t)m->n * m->kb * (m->int4 ? 18 : 34);
		c->w->macs += (uint64_t)m->n * m->k;
		return 0;
	}
	return tile_rows(t, m, p);
}

/* An fp32 vector of any float type. */
static int vector(const struct cursor *c, const char *name, float *out, uint32_t n)
{
	const struct iau_tensor *t;
	int err = find(c, name, &t);

	if (err)
		return err;
	if (!is_float(t->type) || t->ne[0] != n)
		return iau_error(-EINVAL, "tensor '%s': expected %u floats", name, n);
	for (uint32_t i = 0; i < n && out; i++) {
		const uint8_t *p = (const uint8_t *)t->data + i * (t->type == IAU_TENSOR_F32 ? 4u : 2u);
		uint16_t h;

		if (t->type == IAU_TENSOR_F32) {
			memcpy(&out[i], p, 4);
			continue;
		}
		memcpy(&h, p, 2);
		out[i] = t->type == IAU_TENSOR_F16 ? iau_f16_to_f32(h) : iau_bf16_to_f32(h);
	}
	return 0;
}

struct name {
	char text[64];
};

static struct name layer_name(uint32_t l, const char *suffix)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "blk.%u.%s", l, suffix);
	return n;
}

static void plan_pack(const struct iau_hparams *hp, struct iau_pack_layout *p)
{
	uint32_t qkv = (hp->n_head + 2 * hp->n_head_kv) * hp->head_dim * 4, at = 0;

	p->attn_norm = at;
	at += hp->n_embd * 4;
	p->ffn_norm = at;
	at += hp->n_embd * 4;
	p->bias = at;
	at += hp->qkv_bias ? qkv : 0;
	p->q_norm = at;
	at += hp->qk_norm ? hp->head_dim * 4 : 0;
	p->k_norm = at;
	at += hp->qk_norm ? hp->head_dim * 4 : 0;
	p->bytes = at;
}

static int pack(struct cursor *c, uint32_t l)
{
	const struct iau_hparams *hp = c->hp;
	const struct iau_pack_layout *lay = &c->w->pack;
	uint32_t nq = hp->n_head * hp->head_dim, nkv = hp->n_head_kv * hp->head_dim;
	const struct { const char *name; uint32_t at, n; bool have; } part[] = {
		{ "attn_norm.weight", lay->attn_norm, hp->n_embd, true },
		{ "ffn_norm.weight", lay->ffn_norm, hp->n_embd, true },
		{ "attn_q.bias", lay->bias, nq, hp->qkv_bias },
		{ "attn_k.bias", lay->bias + nq * 4, nkv, hp->qkv_bias },
		{ "attn_v.bias", lay->bias + (nq + nkv) * 4, nkv, hp->qkv_bias },
		{ "attn_q_norm.weight", lay->q_norm, hp->head_dim, hp->qk_norm },
		{ "attn_k_norm.weight", lay->k_norm, hp->head_dim, hp->qk_norm },
	};
	uint8_t *p = take(c, lay->bytes, &c->w->layer[l].pack_va);
	int err = 0;

	for (size_t i = 0; i < sizeof(part) / sizeof(*part) && !err; i++) {
		float *out = p ? (float *)(void *)(p + part[i].at) : NULL;

		if (part[i].have)
			err = vector(c, layer_name(l, part[i].name).text, out, part[i].n);
	}
	return err;
}

static int layer(struct cursor *c, uint32_t l)
{
	struct iau_layer *y = &c->w->layer[l];
	const struct { const char *name; struct iau_matrix *m; } part[] = {
		{ "attn_q.weight", &y->q },	   { "attn_k.weight", &y->k },
		{ "attn_v.weight", &y->v },	   { "attn_output.weight", &y->o },
		{ "ffn_gate.weight", &y->gate }, { "ffn_up.weight", &y->up },
		{ "ffn_down.weight", &y->down },
	};
	int err = pack(c, l);

	for (size_t i = 0; i < sizeof(part) / sizeof(*part) && !err; i++)
		err = matrix(c, layer_name(l, part[i].name).text, part[i].m);
	return err;
}

static int embedding(struct cursor *c)
{
	uint32_t kb = c->hp->n_embd / 32, stride = (c->hp->n_embd + kb * 4 + 63) & ~63u;
	const struct iau_tensor *t;
	struct iau_block_q8_0 *tmp;
	struct iau_block *blocks;
	uint8_t *p;
	int err = find(c, "token_embd.weight", &t);

	if (err)
		return err;
	c->w->embd_stride = stride;
	p = take(c, (size_t)stride * t->ne[1], &c->w->embd_va);
	if (c->dry)
		return 0;
	tmp = calloc(kb, sizeof(*tmp));
	blocks = calloc(kb, sizeof(*blocks));
	err = tmp && blocks ? 0 : iau_error_nomem("embeddings");
	for (uint32_t n = 0; n < t->ne[1] && !err; n++, p += stride) {
		err = row_blocks(t, n, tmp, blocks);
		for (uint32_t b = 0; b < kb && !err; b++) {
			float s = iau_f16_to_f32(blocks[b].scale);

			memcpy(p + b * 32, blocks[b].q, 32);
			memcpy(p + c->hp->n_embd + b * 4, &s, 4);
		}
	}
	free(tmp);
	free(blocks);
	return err;
}

/* cos and sin of pos * base^(-2i/d); the sign of the rotation is in the sine (RoFormer, eq. 34). */
static void rope_table(struct cursor *c, uint32_t positions)
{
	uint32_t d = c->hp->head_dim, half = d / 2;
	float *p = (float *)(void *)take(c, (size_t)positions * d * 8, &c->w->rope_va);

	for (uint32_t pos = 0; pos < positions && p; pos++, p += 2 * d) {
		for (uint32_t i = 0; i < half; i++) {
			double angle = pos * pow((double)c->hp->rope_base, -2.0 * i / d);
			uint32_t a = c->hp->rope == IAU_ROPE_NORM ? 2 * i : i;
			uint32_t b = c->hp->rope == IAU_ROPE_NORM ? 2 * i + 1 : i + half;

			p[a] = p[b] = (float)cos(angle);
			p[d + a] = (float)-sin(angle);
			p[d + b] = (float)sin(angle);
		}
	}
}

static int fill(struct cursor *c, uint32_t positions)
{
	uint8_t *p;
	int err = 0;

	c->at = 0;
	for (uint32_t l = 0; l < c->hp->n_layer && !err; l++)
		err = layer(c, l);
	if (!err)
		err = matrix(c, c->hp->tied_output ? "token_embd.weight" : "output.weight",
			     &c->w->output);
	if (!err)
		err = embedding(c);
	if (err)
		return err;
	p = take(c, c->hp->n_embd * 4, &c->w->output_norm_va);
	err = vector(c, "output_norm.weight", (float *)(void *)p, c->hp->n_embd);
	p = take(c, iau_hadamard_bytes(c->hp), &c->w->hadamard_va);
	if (p)
		iau_hadamard_fill(c->hp, p);
	rope_table(c, positions);
	return err;
}

static int supported(const struct iau_hparams *hp)
{
	if (hp->head_dim != 64 && hp->head_dim != 128)
		return iau_error(-ENOTSUP, "head_dim %u is not supported; 64 and 128 are", hp->head_dim);
	if (hp->rope_dim != hp->head_dim)
		return iau_error(-ENOTSUP, "rope over %u of %u elements is not supported",
				 hp->rope_dim, hp->head_dim);
	if (hp->n_embd % 32 || hp->n_ff % 32)
		return iau_error(-ENOTSUP, "widths %u and %u are not multiples of 32", hp->n_embd,
				 hp->n_ff);
	return 0;
}

int iau_weights_load(struct iau_device *dev, const struct iau_gguf *gguf,
		     const struct iau_hparams *hp, uint32_t positions, struct iau_weights *w)
{
	struct cursor c = { .gguf = gguf, .hp = hp, .w = w, .dry = true };
	int err = supported(hp);

	memset(w, 0, sizeof(*w));
	if (err)
		return err;
	w->layer = calloc(hp->n_layer, sizeof(*w->layer));
	if (!w->layer)
		return iau_error_nomem("layers");
	plan_pack(hp, &w->pack);
	err = fill(&c, positions);
	if (!err)
		err = iau_buffer_create(dev, c.at, IAU_ACCESS_CONST, &w->buf);
	if (err && c.dry)
		iau_error(err, "weights: %s", iau_last_error());
	c.dry = false;
	if (!err)
		err = fill(&c, positions);
	if (err)
		iau_weights_free(dev, w);
	return err;
}

void iau_weights_free(struct iau_device *dev, struct iau_weights *w)
{
	iau_buffer_destroy(dev, &w->buf);
	free(w->layer);
	memset(w, 0, sizeof(*w));
}
