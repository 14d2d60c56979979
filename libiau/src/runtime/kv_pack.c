/* SPDX-License-Identifier: MIT */
/*
 * Slabs in 4 bits: which, and where attention finds them. A slab gets packed when all sequences that have it are
 * so many tokens beyond; what a sequence attends to follows from its tokens alone then, whoever shares them.
 */
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

/* Whether slab I of S is old enough for S, and for all others that have it */
static bool is_old(const struct iau_session *s, uint32_t i)
{
	const struct kv_slab *slab = s->kv.slab[i];
	uint64_t length = (uint64_t)(i + 1) * s->cfg.kv.slab_blocks * 32 + s->model->kv_recent;

	if (s->length < length)
		return false;
	for (const struct iau_session *o = s->model->sessions; o && slab->refs > 1; o = o->next)
		if (i < o->kv.n && o->kv.slab[i] == slab && o->length < length)
			return false;
	return true;
}

uint32_t iau_kv_until_packed(const struct iau_session *s)
{
	uint32_t per = s->cfg.kv.slab_blocks * 32, recent = s->model->kv_recent;

	if (!s->cfg.packed.block_bytes)
		return UINT32_MAX;
	return s->length < recent + per ? recent + per - s->length : per - (s->length - recent) % per;
}

/* What a conversion is about */
struct packing {
	struct iau_session *s;
	uint32_t slab;
};

static int convert(void *opaque, const struct kv_slab *place)
{
	struct packing *p = opaque;
	struct iau_session *s = p->s;
	uint32_t param[IAU_PARAMS] = { 0 };
	int err = s->kv.pack.bytes ? 0 : iau_pack_build(s->model->dev, &s->cfg, &s->kv.pack);

	if (!err)
		err = iau_kv_show(s, p->slab, place);
	if (err)
		return err;
	iau_pack_params(&s->cfg, p->slab, param);
	s->model->trace.running = &s->kv.pack;
	err = iau_device_execute(s->model->dev, s->kv.pack.buf.va, s->kv.pack.bytes, param);
	if (err)
		iau_kv_hide(s, p->slab, KV_PACKED);
	return err;
}

/* Slab I of S gets packed. */
static int pack(struct iau_session *s, uint32_t i)
{
	struct packing p = { s, i };
	uint64_t used;
	int err = iau_kv_hold(s, i, &used);

	if (!err)
		err = kv_slab_pack(&s->model->pool, s->kv.slab[i], convert, &p);
	if (err)
		return err;
	s->kv.shown[i] = true;
	return iau_kv_let_go(s, i, used);
}

/* Bounds of keys that lost bits are those of what is left of them. */
static void forget_bounds(struct iau_session *s, uint32_t i, const struct kv_slab *slab)
{
	uint32_t first = i * s->cfg.kv.slab_blocks;

	if (!iau_keys_rotated(&s->cfg))
		return;
	for (struct iau_session *o = s->model->sessions; o; o = o->next)
		if (i < o->kv.n && o->kv.slab[i] == slab && o->bounds_blocks > first)
			o->bounds_blocks = first;
}

/* N bytes of INT8 from N, or half as many: what LOAD does with UNPACK */
static void unpack(uint8_t *to, const uint8_t *from, uint32_t n, bool packed)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t byte = packed ? from[i / 128 * 64 + i % 64] : from[i];

		if (packed)
			byte = (uint8_t)(i & 64 ? (byte & 0xf0) | 8 : byte << 4 ^ 0x88);
		to[i] = byte;
	}
}

void iau_kv_unpack(const struct iau_session *s, const struct kv_slab *slab, uint32_t l, uint32_t blocks,
		   uint8_t *to)
{
	const struct iau_kv_layout *kv = &s->cfg.kv, *from_kv = slab->form == KV_PACKED ? &s->cfg.packed : kv;
	const uint8_t *from = kv_slab_ptr(&s->model->pool, slab, l);
	uint32_t values = from_kv->head_bytes - from_kv->key_bytes;

	for (uint32_t j = 0; j < blocks; j++, from += from_kv->block_bytes, to += kv->block_bytes) {
		for (uint32_t g = 0; g < s->model->hp.n_head_kv; g++) {
			const uint8_t *head = from + g * from_kv->head_bytes;
			uint8_t *keys = to + g * kv->head_bytes;

			unpack(keys, head, kv->key_bytes, from_kv->key_bytes < kv->key_bytes);
			unpack(keys + kv->key_bytes, head + from_kv->key_bytes, kv->key_bytes,
			       values < kv->key_bytes);
		}
		memcpy(to + kv->kscale_at, from + from_kv->kscale_at, kv->block_bytes - kv->kscale_at);
	}
}

static void fill_table(struct iau_session *s)
{
	uint32_t *entry = s->kv.table.ptr, packed = (uint32_t)(s->cfg.packed.va - s->cfg.kv.va);

	for (uint32_t i = 0; i < s->kv.n * s->cfg.kv.slab_blocks; i++)
		entry[i] = s->kv.slab[i / s->cfg.kv.slab_blocks]->form == KV_INT8 ?
				   iau_kv_block_at(&s->cfg.kv, i) :
				   packed + iau_kv_block_at(&s->cfg.packed, i) + 1;
}

int iau_kv_pack(struct iau_session *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->kv.n && !err; i++) {
		struct kv_slab *slab = s->kv.slab[i];

		/* a first one may have to wait for others that have it */
		if (slab->form == KV_PACKED || !is_old(s, i))
			continue;
		err = pack(s, i);
		if (!err)
			forget_bounds(s, i, slab);
	}
	fill_table(s);
	return err;
}

int iau_model_kv_precision(struct iau_model *m, uint32_t key_bits, uint32_t value_bits, uint32_t recent)
{
	if ((key_bits != 8 && key_bits != 4) || (value_bits != 8 && value_bits != 4))
		return iau_error(-EINVAL, "keys in %u and values in %u bits: 8 or 4 are possible", key_bits,
				 value_bits);
	if (m->sessions)
		return iau_error(-EBUSY, "precision of the KV cache: there are sessions already");
	m->kv_recent = recent;
	m->pool.form[KV_PACKED] = (struct iau_kv_layout){ 0 };
	if (key_bits + value_bits < 16)
		m->pool.form[KV_PACKED] = iau_kv_layout_packed(&m->hp, &m->pool.form[KV_INT8], key_bits,
							       value_bits);
	return 0;
}
