/* SPDX-License-Identifier: MIT */
/* Sequences in files: they go on as if they had never been away, and what is no such file is told so. */
#include "scene.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/iau-kv-file.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void there_and_back(const char *engine)
{
	static const uint32_t length[] = { 1, 31, 32, 511, 512, 513, 700 };
	struct scene c;

	scene_open(&c, engine);
	for (size_t i = 0; i < sizeof(length) / sizeof(*length); i++) {
		struct iau_session *a, *b;

		assert_int_equal(iau_session_create(c.model, &a), 0);
		scene_eval(&c, a, 0, length[i]);
		assert_int_equal(iau_session_save(a, path_of("s")), 0);
		iau_session_free(a);
		assert_int_equal(iau_session_load(c.model, path_of("s"), &b), 0);
		assert_int_equal(iau_session_length(b), length[i]);
		assert_memory_equal(iau_session_tokens(b), c.token, length[i] * sizeof(*c.token));
		/* saved again before it was read, over the file that is mapped */
		assert_int_equal(iau_session_save(b, path_of("s")), 0);
		scene_eval(&c, b, 0, length[i] + 1);
		scene_check(&c, b, scene_want(&c, length[i], 0, length[i] + 1));
		iau_session_free(b);
	}
	scene_close(&c);
}

/* A device of another kind reads it as well. */
static void from_engine_to_engine(void **state)
{
	struct iau_session *a, *b;
	struct scene ref, rtl;

	(void)state;
	scene_open(&ref, "ref");
	scene_open(&rtl, "rtl");
	assert_int_equal(iau_session_create(ref.model, &a), 0);
	scene_eval(&ref, a, 0, 100);
	assert_int_equal(iau_session_save(a, path_of("s")), 0);
	assert_int_equal(iau_session_load(rtl.model, path_of("s"), &b), 0);
	scene_eval(&ref, a, 0, 101);
	scene_eval(&rtl, b, 0, 101);
	scene_same(&rtl, b, a);
	iau_session_free(a);
	iau_session_free(b);
	scene_close(&ref);
	scene_close(&rtl);
}

/* Bounds are made of keys that are still in the file. */
static void choosing_at_once(const char *engine)
{
	struct iau_attention sparse = { .budget = 1024 };
	struct iau_session *a, *b;
	struct scene c;

	scene_open(&c, engine);
	assert_int_equal(iau_session_create(c.model, &a), 0);
	scene_eval(&c, a, 0, 1600);
	assert_int_equal(iau_session_save(a, path_of("s")), 0);
	assert_int_equal(iau_session_load(c.model, path_of("s"), &b), 0);
	assert_int_equal(iau_session_attention(a, &sparse), 0);
	assert_int_equal(iau_session_attention(b, &sparse), 0);
	scene_eval(&c, a, 0, 1602);
	scene_eval(&c, b, 0, 1602);
	scene_same(&c, a, b);
	iau_session_free(a);
	iau_session_free(b);
	scene_close(&c);
}

static void refused(const struct scene *c, const char *name, int err, const char *text)
{
	struct iau_session *s;

	assert_int_equal(iau_session_load(c->model, path_of(name), &s), err);
	assert_null(s);
	if (!strstr(iau_last_error(), text) || !strstr(iau_last_error(), path_of(name)))
		fail_msg("\"%s\" is not in: %s", text, iau_last_error());
}

/* The file "s" with byte AT changed, or cut there */
static void spoil(long at, bool cut)
{
	FILE *from = fopen(path_of("s"), "rb"), *to;
	static uint8_t bytes[4 << 20];
	size_t n;

	assert_non_null(from);
	n = fread(bytes, 1, sizeof(bytes), from);
	assert_true(n < sizeof(bytes) && at < (long)n);
	fclose(from);
	bytes[at] ^= 0x10;
	to = fopen(path_of("bad"), "wb");
	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, cut ? (size_t)at : n, to), cut ? (size_t)at : n);
	fclose(to);
}

static void what_is_no_such_file(void **state)
{
	struct iau_session *s, *t;
	struct scene c;
	FILE *f;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &s), 0);
	assert_int_equal(iau_session_save(s, path_of("empty")), -EINVAL);
	scene_eval(&c, s, 0, 40);
	assert_int_equal(iau_session_save(s, path_of("s")), 0);
	refused(&c, "nothing", -ENOENT, "No such file");
	refused(&c, "", -EINVAL, "not a KV cache");
	f = fopen(path_of("bad"), "wb");
	assert_non_null(f);
	fclose(f);
	refused(&c, "bad", -EINVAL, "not a KV cache");
	for (long at = 0; at < 56 + 40 * 4; at++) {
		spoil(at, false);
		assert_true(iau_session_load(c.model, path_of("bad"), &t) < 0);
		assert_null(t);
		spoil(at, true);
		assert_true(iau_session_load(c.model, path_of("bad"), &t) < 0);
	}
	spoil(0, false);
	refused(&c, "bad", -EINVAL, "it begins otherwise");
	spoil(8, false);
	refused(&c, "bad", -ENOTSUP, "version 18");
	spoil(41, false);
	refused(&c, "bad", -EINVAL, "another model");
	spoil(60, false);
	refused(&c, "bad", -EINVAL, "damaged");
	spoil(8000, true);
	refused(&c, "bad", -EINVAL, "8000 bytes instead of");
	/* a directory that is not there; the sequence is still what it was */
	assert_int_equal(iau_session_save(s, path_of("no/s")), -ENOENT);
	scene_eval(&c, s, 0, 41);
	iau_session_free(s);
	scene_close(&c);
}

/* A context that is shorter than what was saved, and another model */
static void for_other_models(void **state)
{
	struct iau_model *m;
	struct scene c;
	struct iau_session *s;

	(void)state;
	scene_open(&c, "ref");
	assert_int_equal(iau_session_create(c.model, &s), 0);
	scene_eval(&c, s, 0, 100);
	assert_int_equal(iau_session_save(s, path_of("s")), 0);
	iau_session_free(s);
	assert_int_equal(iau_model_load(c.dev, SCENE_MODEL, 64, &m), 0);
	assert_int_equal(iau_session_load(m, path_of("s"), &s), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "100 tokens: 1 to 64"));
	iau_model_free(m);
	assert_int_equal(iau_model_load(c.dev, "models/iau-ci/iau-ci-q8_0.gguf", 0, &m), 0);
	assert_int_equal(iau_session_load(m, path_of("s"), &s), -EINVAL);
	assert_non_null(strstr(iau_last_error(), "another model"));
	iau_model_free(m);
	scene_close(&c);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path_of("s"));
	unlink(path_of("bad"));
	return rmdir(dir);
}

ENGINES(there_and_back)
ENGINES(choosing_at_once)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(there_and_back), ON_ENGINES(choosing_at_once),
		cmocka_unit_test(from_engine_to_engine),
		cmocka_unit_test(what_is_no_such_file), cmocka_unit_test(for_other_models),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("kv files", tests, make_dir, remove_dir);
}
