/* SPDX-License-Identifier: MIT */
/* Keys and values in 4 bits: what is packed, when, and that attention sees exactly that. */
#include "scene.h"
#include "runtime/session.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

static const uint32_t bits[][2] = { { 8, 4 }, { 4, 8 }, { 4, 4 } };
#define FORMS 3
#define SLAB 512u /* tokens of iau-ci's */

static void open_packed(struct scene *c, const char *engine, uint32_t form, uint32_t recent)
{
	scene_open(c, engine);
	assert_int_equal(iau_model_kv_precision(c->model, bits[form][0], bits[form][1], recent), 0);
}

static struct iau_session *new_session(const struct scene *c)
{
	struct iau_session *s;

	assert_int_equal(iau_session_create(c->model, &s), 0);
	return s;
}

static bool is_packed(const struct iau_session *s, uint32_t slab)
{
	return s->kv.slab[slab]->form == KV_PACKED;
}

/* Part of a head in block BLOCK: keys, or values behind them */
static uint8_t *part_of(const struct iau_session *s, uint32_t block, uint32_t l, uint32_t head, bool values)
{
	const struct kv_slab *slab = s->kv.slab[block / s->cfg.kv.slab_blocks];
	const struct iau_kv_layout *kv = slab->form == KV_PACKED ? &s->cfg.packed : &s->cfg.kv;

	return kv_slab_ptr(&s->model->pool, slab, l) + block % kv->slab_blocks * kv->block_bytes +
	       head * kv->head_bytes + (values ? kv->key_bytes : 0);
}

/* Element I of a part as attention sees it */
static int8_t element(const uint8_t *part, bool packed, uint32_t i)
{
	uint8_t byte = packed ? part[i / 128 * 64 + i % 64] : part[i];

	if (!packed)
		return (int8_t)byte;
	return (int8_t)(i & 64 ? (byte & 0xf0) | 8 : (byte << 4 ^ 0x88));
}

/* The upper half of an INT8, 8 below it */
static int8_t halved(int8_t v)
{
	return (int8_t)((v & 0xf0) | 8);
}

/* What is in a packed slab of A follows from what is in the slab of B that is not; B gets what A has. */
static void check_slab(const struct iau_session *a, const struct iau_session *b, uint32_t form)
{
	const struct iau_hparams *hp = &a->model->hp;
	uint32_t n = a->cfg.kv.key_bytes, scales = a->cfg.kv.block_bytes - a->cfg.kv.kscale_at;

	for (uint32_t i = 0; i < a->cfg.kv.slab_blocks * hp->n_layer * hp->n_head_kv * 2; i++) {
		uint32_t values = i % 2, head = i / 2 % hp->n_head_kv, l = i / 2 / hp->n_head_kv % hp->n_layer;
		uint32_t block = i / 2 / hp->n_head_kv / hp->n_layer;
		bool packed = bits[form][values] == 4;
		uint8_t *from = part_of(a, block, l, head, values), *to = part_of(b, block, l, head, values);

		for (uint32_t k = 0; k < n; k++) {
			int8_t v = (int8_t)to[k], want = packed ? halved(v) : v;

			if (element(from, packed, k) != want)
				fail_msg("layer %u, block %u, head %u, %s, element %u: %d of %d", l, block, head,
					 values ? "values" : "keys", k, element(from, packed, k), v);
			to[k] = (uint8_t)want;
		}
		if (!values && !head)
			assert_memory_equal(part_of(a, block, l, 0, false) + a->cfg.packed.kscale_at,
					    part_of(b, block, l, 0, false) + b->cfg.kv.kscale_at, scales);
	}
}

/* The same model, whose slabs never get old enough */
static void open_unpacked(struct scene *c, const char *engine, uint32_t form)
{
	open_packed(c, engine, form, 1u << 20);
}

/* A sequence is compared with one in INT8 whose memory a test changes as packing would have. */
static void attention_sees_what_is_packed(const char *engine)
{
	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_session *a, *b;
		struct scene c, d;

		open_packed(&c, engine, form, 32);
		open_unpacked(&d, engine, form);
		a = new_session(&c);
		b = new_session(&d);
		scene_eval(&c, a, 0, SLAB + 31);
		scene_eval(&d, b, 0, SLAB + 31);
		assert_false(is_packed(a, 0));
		/* the next token finds 32 between it and the slab only when it has been evaluated */
		scene_eval(&c, a, 0, SLAB + 32);
		scene_eval(&d, b, 0, SLAB + 32);
		assert_false(is_packed(a, 0));
		scene_same(&c, a, b);
		scene_eval(&c, a, 0, SLAB + 33);
		assert_true(is_packed(a, 0) && !is_packed(a, 1));
		check_slab(a, b, form);
		/* one by one, and many at a time */
		scene_eval(&d, b, 0, SLAB + 33);
		scene_same(&c, a, b);
		scene_eval(&c, a, 0, SLAB + 100);
		scene_eval(&d, b, 0, SLAB + 100);
		scene_same(&c, a, b);
		iau_session_free(a);
		iau_session_free(b);
		scene_close(&c);
		scene_close(&d);
	}
}

/* Both engines, over several slabs */
static void engines_agree(void **state)
{
	(void)state;
	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_session *a, *b;
		struct scene ref, rtl;

		open_packed(&ref, "ref", form, 0);
		open_packed(&rtl, "rtl", form, 0);
		a = new_session(&ref);
		b = new_session(&rtl);
		scene_eval(&ref, a, 0, 2 * SLAB + 40);
		scene_eval(&rtl, b, 0, 2 * SLAB + 40);
		assert_true(is_packed(a, 1) && is_packed(b, 1));
		scene_same(&rtl, b, a);
		iau_session_free(a);
		iau_session_free(b);
		scene_close(&ref);
		scene_close(&rtl);
	}
}

static struct iau_kv_usage usage(const struct scene *c)
{
	struct iau_kv_usage u;

	iau_model_kv_usage(c->model, &u);
	return u;
}

/* Memory: of 8 + 4 bits three quarters of the tiles, of 4 + 4 a half; scales stay. */
static void memory_of_packed_slabs(void **state)
{
	(void)state;
	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_session *s;
		uint64_t one, tiles;
		struct scene c;

		open_packed(&c, "ref", form, 0);
		s = new_session(&c);
		scene_eval(&c, s, 0, SLAB);
		one = usage(&c).device;
		tiles = (uint64_t)SLAB * c.info.n_layer * s->model->hp.n_head_kv * s->model->hp.head_dim;
		scene_eval(&c, s, 0, SLAB + 1);
		assert_true(is_packed(s, 0));
		/* tiles are of whole pages; the new slab has a block */
		one -= tiles * (16 - bits[form][0] - bits[form][1]) / 8;
		assert_int_equal(usage(&c).device - usage(&c).device_packed,
				 c.info.n_layer * kv_layer_pages(&s->model->pool, KV_INT8, 1));
		assert_true(usage(&c).device >= one);
		assert_true(usage(&c).device <= one + (uint64_t)c.info.n_layer * 3 * 4096 + 32 * c.info.kv_bytes);
		iau_session_free(s);
		assert_int_equal(usage(&c).device + usage(&c).device_packed, 0);
		scene_close(&c);
	}
}

/* A slab stays in INT8 as long as a sequence that has it is not beyond it; both see what they would alone. */
static void sharing_packed_slabs(void **state)
{
	struct iau_session *a, *b;
	struct scene c;

	(void)state;
	open_packed(&c, "ref", 2, 0);
	a = new_session(&c);
	scene_eval(&c, a, 0, SLAB - 10);
	assert_int_equal(iau_session_fork(a, SLAB - 10, &b), 0);
	scene_eval(&c, a, 0, SLAB + 20);
	assert_true(is_packed(a, 0)); /* a copy by then */
	assert_false(is_packed(b, 0));
	scene_check(&c, a, scene_want(&c, SLAB - 10, 0, SLAB + 20));
	iau_session_free(b);
	assert_int_equal(iau_session_fork(a, SLAB, &b), 0);
	assert_ptr_equal(a->kv.slab[0], b->kv.slab[0]);
	scene_eval(&c, b, 7, SLAB + 5);
	iau_session_free(a);
	scene_eval(&c, b, 7, SLAB + 6);
	scene_check(&c, b, scene_want(&c, SLAB, 7, SLAB + 6));
	/* one that stays at the beginning keeps the first slab in INT8, but no other */
	a = new_session(&c);
	scene_eval(&c, a, 0, SLAB);
	iau_session_free(b);
	assert_int_equal(iau_session_fork(a, SLAB, &b), 0);
	assert_int_equal(iau_session_truncate(a, SLAB - 1), 0);
	scene_eval(&c, b, 0, 2 * SLAB + 1);
	assert_true(!is_packed(b, 0) && is_packed(b, 1));
	iau_session_free(a);
	scene_eval(&c, b, 0, 2 * SLAB + 2);
	assert_true(is_packed(b, 0));
	/* forgotten and told again */
	assert_int_equal(iau_session_truncate(b, SLAB), 0);
	scene_eval(&c, b, 7, SLAB + 6);
	scene_check(&c, b, scene_want(&c, SLAB, 7, SLAB + 6));
	iau_session_free(b);
	scene_close(&c);
}

/* Nothing is stored into a packed slab: what is left of it is of INT8 again, without what was lost. */
static void truncating_into_a_packed_slab(const char *engine)
{
	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_session *a, *b, *fork;
		struct scene c, d;

		open_packed(&c, engine, form, 0);
		open_unpacked(&d, engine, form);
		a = new_session(&c);
		b = new_session(&d);
		scene_eval(&c, a, 0, SLAB + 1);
		scene_eval(&d, b, 0, SLAB + 1);
		check_slab(a, b, form);
		assert_int_equal(iau_session_fork(a, 70, &fork), 0);
		assert_int_equal(iau_session_truncate(a, 100), 0);
		assert_int_equal(iau_session_truncate(b, 100), 0);
		scene_eval(&c, a, 3, 105);
		scene_eval(&d, b, 3, 105);
		scene_same(&c, a, b);
		assert_int_equal(iau_session_truncate(b, 70), 0);
		scene_eval(&c, fork, 5, 71);
		scene_eval(&d, b, 5, 71);
		scene_same(&c, fork, b);
		iau_session_free(fork);
		iau_session_free(a);
		iau_session_free(b);
		scene_close(&c);
		scene_close(&d);
	}
}

/* Bounds are those of the keys that are attended to; a budget that covers all changes nothing. */
static void choices_among_packed_blocks(const char *engine)
{
	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_attention all = { .budget = 2048, .prompt_budget = 2048 }, some = { .budget = 1024 };
		struct iau_session *a, *b;
		struct scene c;

		open_packed(&c, engine, form, 0);
		a = new_session(&c);
		b = new_session(&c);
		assert_int_equal(iau_session_attention(a, &all), 0);
		scene_eval(&c, a, 0, 2 * SLAB + 600);
		scene_eval(&c, b, 0, 2 * SLAB + 600);
		scene_same(&c, a, b);
		/* bounds made on the way, or at once at the end */
		assert_int_equal(iau_session_attention(a, &some), 0);
		assert_int_equal(iau_session_attention(b, &some), 0);
		scene_eval(&c, a, 0, 2 * SLAB + 602);
		scene_eval(&c, b, 0, 2 * SLAB + 602);
		scene_same(&c, a, b);
		assert_memory_equal(a->bounds.ptr, b->bounds.ptr, a->bounds_bytes);
		iau_session_free(a);
		iau_session_free(b);
		scene_close(&c);
	}
}

#define MANY 4

/* Sequences of a scene, and a batch that was made before the precision is known */
static struct iau_batch *new_batch(struct scene *c, const char *engine, const uint32_t length[MANY], uint32_t key_bits,
				   uint32_t value_bits, uint32_t recent, struct iau_session *s[MANY])
{
	struct iau_batch *batch;

	scene_open(c, engine);
	assert_int_equal(iau_batch_create(c->model, MANY, &batch), 0);
	assert_int_equal(iau_model_kv_precision(c->model, key_bits, value_bits, recent), 0);
	for (int i = 0; i < MANY; i++) {
		s[i] = new_session(c);
		scene_eval(c, s[i], 0, length[i]);
	}
	return batch;
}

/*
 * Sequences whose slabs get packed, or have none, and the same in a batch of INT8 whose memory
 * changes as packing would have it. Without rotation that one knows of no packed slabs at all.
 */
static void batches(const char *engine)
{
	/* one gets packed in each step */
	static const uint32_t length[MANY] = { SLAB + 32, 10, SLAB + 30, SLAB + 31 };

	for (uint32_t form = 0; form < FORMS; form++) {
		struct iau_session *a[MANY], *b[MANY];
		struct iau_batch *packed, *plain;
		struct scene c, d;

		packed = new_batch(&c, engine, length, bits[form][0], bits[form][1], 32, a);
		plain = new_batch(&d, engine, length, bits[form][0], bits[form][0] == 8 ? 8 : bits[form][1], 1u << 20,
				  b);
		assert_true(!is_packed(a[0], 0) && !is_packed(a[2], 0));
		for (uint32_t n = 0; n < 3; n++) {
			int32_t token[MANY];

			for (int i = 0; i < MANY; i++)
				token[i] = c.token[length[i] + n];
			assert_int_equal(iau_batch_eval(packed, a, token, MANY), 0);
			for (int i = 0; i < MANY; i++)
				if (is_packed(a[i], 0))
					check_slab(a[i], b[i], form);
			assert_int_equal(iau_batch_eval(plain, b, token, MANY), 0);
			for (int i = 0; i < MANY; i++)
				scene_same(&c, a[i], b[i]);
		}
		assert_true(is_packed(a[0], 0) && is_packed(a[2], 0) && is_packed(a[3], 0));
		iau_batch_free(packed);
		iau_batch_free(plain);
		for (int i = 0; i < MANY; i++) {
			iau_session_free(a[i]);
			iau_session_free(b[i]);
		}
		scene_close(&c);
		scene_close(&d);
	}
}

static void files(void **state)
{
	static const char path[] = "/tmp/iau-kv-packed";
	struct iau_session *s;
	struct scene c;

	(void)state;
	open_packed(&c, "ref", 0, 0);
	s = new_session(&c);
	scene_eval(&c, s, 0, SLAB + 40);
	assert_int_equal(iau_session_save(s, path), 0);
	iau_session_free(s);
	assert_int_equal(iau_session_load(c.model, path, &s), 0);
	assert_true(is_packed(s, 0));
	scene_eval(&c, s, 0, SLAB + 41);
	scene_check(&c, s, scene_want(&c, SLAB + 40, 0, SLAB + 41));
	assert_int_equal(iau_model_kv_precision(c.model, 4, 4, 0), -EBUSY);
	iau_session_free(s);
	assert_int_equal(iau_model_kv_precision(c.model, 4, 4, 0), 0);
	assert_int_equal(iau_session_load(c.model, path, &s), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "precision"));
	assert_int_equal(iau_model_kv_precision(c.model, 8, 3, 0), -EINVAL);
	assert_int_equal(iau_model_kv_precision(c.model, 8, 8, 0), 0);
	assert_int_equal(iau_session_load(c.model, path, &s), -EINVAL);
	/* as many bytes, but of keys */
	assert_int_equal(iau_model_kv_precision(c.model, 4, 8, 0), 0);
	assert_int_equal(iau_session_load(c.model, path, &s), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "keys of 8 bits"));
	unlink(path);
	scene_close(&c);
}

ENGINES(attention_sees_what_is_packed)
ENGINES(truncating_into_a_packed_slab)
ENGINES(choices_among_packed_blocks)
ENGINES(batches)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(attention_sees_what_is_packed), cmocka_unit_test(engines_agree),
		cmocka_unit_test(memory_of_packed_slabs), cmocka_unit_test(sharing_packed_slabs),
		ON_ENGINES(truncating_into_a_packed_slab), ON_ENGINES(choices_among_packed_blocks),
		ON_ENGINES(batches), cmocka_unit_test(files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv packed", tests, NULL, NULL);
}
