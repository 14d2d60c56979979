/* SPDX-License-Identifier: MIT */
/* GGUF loader: what it gives for good files, and that it names the field of bad ones. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gguf_writer.h"

static const uint64_t ne_4x3[2] = { 4, 3 };

/* Finish @w and open the result; the file must stay until iau_gguf_close(). */
static int open_writer(struct gguf_writer *w, uint8_t **file, struct iau_gguf **g)
{
	size_t size;

	*file = gw_finish(w, &size);
	return iau_gguf_open_memory(*file, size, g);
}

/* Finish @w, which must be refused with a message that has @text. */
static void assert_refused(struct gguf_writer *w, int err, const char *text)
{
	struct iau_gguf *g;
	uint8_t *file;

	assert_int_equal(open_writer(w, &file, &g), err);
	assert_null(g);
	assert_message(text);
	free(file);
	gw_fini(w);
}

static void test_values(void **state)
{
	const struct iau_str strs[2] = { { "one", 3 }, { "t\0o", 3 } };
	const int32_t ints[3] = { 1, -2, INT32_MAX };
	const float floats[2] = { 0.5f, -3.0f };
	struct iau_str s, *ss;
	struct gguf_writer w;
	struct iau_gguf *g;
	int32_t *ii;
	uint8_t *file;
	double f64 = 0.25;
	float f, *ff;
	size_t n;
	bool b;

	(void)state;
	gw_init(&w);
	gw_f32(&w, "f", 1.5f);
	gw_raw(&w, "f64", IAU_GGUF_F64, &f64, 8);
	gw_bool(&w, "no", 0);
	gw_bool(&w, "yes", 1);
	gw_str(&w, "s", "text");
	gw_strs(&w, "ss", strs, 2);
	gw_i32s(&w, "ii", ints, 3);
	gw_f32s(&w, "ff", floats, 2);
	gw_i32s(&w, "empty", NULL, 0);
	assert_int_equal(open_writer(&w, &file, &g), 0);

	assert_int_equal(iau_gguf_n_keys(g), 9);
	assert_memory_equal(iau_gguf_key(g, 2).ptr, "no", 2);
	assert_true(iau_gguf_has(g, "s"));
	assert_false(iau_gguf_has(g, "t"));
	assert_int_equal(iau_gguf_f32(g, "f", &f), 0);
	assert_true(f == 1.5f);
	assert_int_equal(iau_gguf_f32(g, "f64", &f), 0);
	assert_true(f == 0.25f);
	assert_int_equal(iau_gguf_bool(g, "no", &b), 0);
	assert_false(b);
	assert_int_equal(iau_gguf_bool(g, "yes", &b), 0);
	assert_true(b);
	assert_int_equal(iau_gguf_str(g, "s", &s), 0);
	assert_int_equal(s.len, 4);
	/* a view into the file, no copy */
	assert_true((const uint8_t *)s.ptr > file && (const uint8_t *)s.ptr < file + 400);
	assert_memory_equal(s.ptr, "text", 4);
	assert_int_equal(iau_gguf_strs(g, "ss", &ss, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(ss[1].ptr, "t\0o", 3);
	free(ss);
	assert_int_equal(iau_gguf_i32s(g, "ii", &ii, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(ii, ints, sizeof(ints));
	free(ii);
	assert_int_equal(iau_gguf_f32s(g, "ff", &ff, &n), 0);
	assert_memory_equal(ff, floats, sizeof(floats));
	free(ff);
	assert_int_equal(iau_gguf_i32s(g, "empty", &ii, &n), 0);
	assert_null(ii);
	assert_int_equal(n, 0);
	assert_int_equal(iau_gguf_array_len(g, "ii", &n), 0);
	assert_int_equal(n, 3);

	assert_int_equal(iau_gguf_f32(g, "s", &f), -EINVAL);
	assert_message("key 's': type STRING is not a float");
	assert_int_equal(iau_gguf_str(g, "absent", &s), -ENOENT);
	assert_message("key 'absent' is missing");
	assert_int_equal(iau_gguf_strs(g, "ii", &ss, &n), -EINVAL);
	assert_message("ARRAY of INT32 is not ARRAY of STRING");
	assert_null(ss);
	assert_int_equal(iau_gguf_i32s(g, "ff", &ii, &n), -EINVAL);
	assert_int_equal(iau_gguf_f32s(g, "f", &ff, &n), -EINVAL);
	assert_int_equal(iau_gguf_bool(g, "f", &b), -EINVAL);
	assert_int_equal(iau_gguf_array_len(g, "f", &n), -EINVAL);
	iau_gguf_close(g);
	free(file);
	gw_fini(&w);
}

static void test_integers(void **state)
{
	static const struct {
		uint32_t type;
		size_t size;
		int64_t value;
		int err;
	} cases[] = {
		{ IAU_GGUF_U8, 1, 255, 0 },
		{ IAU_GGUF_I8, 1, 127, 0 },
		{ IAU_GGUF_I8, 1, -1, -ERANGE },
		{ IAU_GGUF_U16, 2, 65535, 0 },
		{ IAU_GGUF_I16, 2, -32768, -ERANGE },
		{ IAU_GGUF_U32, 4, UINT32_MAX, 0 },
		{ IAU_GGUF_I32, 4, INT32_MAX, 0 },
		{ IAU_GGUF_I32, 4, INT32_MIN, -ERANGE },
		{ IAU_GGUF_U64, 8, UINT32_MAX, 0 },
		{ IAU_GGUF_U64, 8, (int64_t)UINT32_MAX + 1, -ERANGE },
		{ IAU_GGUF_U64, 8, -1, -ERANGE },
		{ IAU_GGUF_I64, 8, 5, 0 },
		{ IAU_GGUF_I64, 8, -5, -ERANGE },
		{ IAU_GGUF_BOOL, 1, 1, -EINVAL },
		{ IAU_GGUF_F32, 4, 1, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gguf_writer w;
		struct iau_gguf *g;
		uint32_t value = 0;
		uint8_t *file;

		gw_init(&w);
		gw_raw(&w, "n", cases[i].type, &cases[i].value, cases[i].size);
		assert_int_equal(open_writer(&w, &file, &g), 0);
		assert_int_equal(iau_gguf_u32(g, "n", &value), cases[i].err);
		assert_int_equal(value, cases[i].err ? 0 : (uint32_t)cases[i].value);
		iau_gguf_close(g);
		free(file);
		gw_fini(&w);
	}
}

static void test_tensors(void **state)
{
	static const float values[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	static const uint64_t ne_64[1] = { 64 };
	const struct iau_tensor *t;
	struct gguf_writer w;
	struct iau_gguf *g;
	uint8_t *file;

	(void)state;
	gw_init(&w);
	gw_u32(&w, "general.alignment", 64);
	w.alignment = 64;
	gw_tensor(&w, "a", IAU_TENSOR_F32, 2, ne_4x3, values, sizeof(values));
	gw_tensor(&w, "q8", IAU_TENSOR_Q8_0, 1, ne_64, NULL, 68);
	gw_tensor(&w, "q4", IAU_TENSOR_Q4_0, 1, ne_64, NULL, 36);
	gw_tensor(&w, "h", IAU_TENSOR_BF16, 1, ne_64, NULL, 128);
	gw_tensor(&w, "k", 14, 1, ne_64, NULL, 210);
	gw_tensor(&w, "new", 77, 1, ne_64, NULL, 1);
	assert_int_equal(open_writer(&w, &file, &g), 0);
	assert_int_equal(iau_gguf_n_tensors(g), 6);
	assert_int_equal(iau_gguf_tensor(g, "a", &t), 0);
	assert_int_equal(t->n_dims, 2);
	assert_int_equal(t->ne[0], 4);
	assert_int_equal(t->ne[1], 3);
	assert_int_equal(t->ne[2], 1);
	assert_int_equal(t->ne[3], 1);
	assert_int_equal(t->bytes, sizeof(values));
	assert_int_equal(((const uint8_t *)t->data - file) % 64, 0);
	assert_memory_equal(t->data, values, sizeof(values));
	assert_int_equal(iau_gguf_tensor(g, "q8", &t), 0);
	assert_int_equal(t->bytes, 68);
	assert_ptr_equal(t, iau_gguf_tensor_at(g, 1));
	assert_int_equal(iau_gguf_tensor(g, "q4", &t), 0);
	assert_int_equal(t->bytes, 36);
	assert_int_equal(iau_gguf_tensor(g, "h", &t), 0);
	assert_int_equal(t->bytes, 128);
	assert_int_equal(iau_gguf_tensor(g, "k", &t), -ENOTSUP);
	assert_message("tensor 'k': type Q6_K (14) is not supported");
	assert_int_equal(iau_gguf_tensor(g, "new", &t), -ENOTSUP);
	assert_message("type unknown (77)");
	assert_int_equal(iau_gguf_tensor(g, "b", &t), -ENOENT);
	assert_message("tensor 'b' is missing");
	iau_gguf_close(g);
	free(file);
	gw_fini(&w);
}

static void test_empty_file_is_valid(void **state)
{
	struct gguf_writer w;
	struct iau_gguf *g;
	uint8_t *file;

	(void)state;
	gw_init(&w);
	assert_int_equal(open_writer(&w, &file, &g), 0);
	assert_int_equal(iau_gguf_n_keys(g), 0);
	assert_int_equal(iau_gguf_n_tensors(g), 0);
	assert_false(iau_gguf_has(g, "x"));
	iau_gguf_close(g);
	free(file);
}

static void test_header(void **state)
{
	struct gguf_writer w;
	struct iau_gguf *g;
	uint8_t *file;
	size_t size;

	(void)state;
	gw_init(&w);
	w.version = 2;
	assert_refused(&w, -EINVAL, "version: 2 is not supported");
	w.version = 0x03000000;
	assert_refused(&w, -EINVAL, "big-endian");
	w.n_kv = 1;
	assert_refused(&w, -EINVAL, "key count: 1 do not fit");
	w.n_kv = UINT64_MAX;
	assert_refused(&w, -EINVAL, "key count: 18446744073709551615");
	w.n_tensors = 1ull << 60;
	assert_refused(&w, -EINVAL, "tensor count:");
	file = gw_finish(&w, &size);
	assert_int_equal(iau_gguf_open_memory(file, size - 1, &g), -EINVAL);
	assert_message("header: the file has only 23 bytes");
	file[0] = 'X';
	assert_int_equal(iau_gguf_open_memory(file, size, &g), -EINVAL);
	assert_message("magic: 0x46554758");
	assert_int_equal(iau_gguf_open_memory(file + 4, size - 4, &g), -EINVAL);
	assert_message("not 8-byte aligned");
	free(file);
}

static void test_bad_keys(void **state)
{
	uint32_t nested[3] = { IAU_GGUF_ARRAY, 0, 0 };
	uint64_t huge = UINT64_MAX / 2;
	struct gguf_writer w;
	uint8_t array[12];

	(void)state;
	gw_init(&w);
	gw_u32(&w, "a", 1);
	gw_u32(&w, "a", 2);
	assert_refused(&w, -EINVAL, "key 'a' occurs twice");
	gw_u32(&w, "", 1);
	assert_refused(&w, -EINVAL, "0 bytes is not 1 to 65535");
	gw_raw(&w, "odd", 13, "12345678", 8);
	assert_refused(&w, -EINVAL, "key 'odd': unknown type 13");
	gw_bool(&w, "flag", 2);
	assert_refused(&w, -EINVAL, "key 'flag': 2 is not a boolean");
	gw_raw(&w, "nest", IAU_GGUF_ARRAY, nested, sizeof(nested));
	assert_refused(&w, -EINVAL, "key 'nest': arrays of arrays");
	gw_raw(&w, "s", IAU_GGUF_STRING, &huge, sizeof(huge));
	assert_refused(&w, -EINVAL, "key 's': string 0: past end of file");
	memcpy(array, &(uint32_t){ IAU_GGUF_F64 }, 4);
	memcpy(array + 4, &huge, 8);
	gw_raw(&w, "big", IAU_GGUF_ARRAY, array, sizeof(array));
	assert_refused(&w, -EINVAL, "key 'big': 9223372036854775807 values of FLOAT64");
	memcpy(array, &(uint32_t){ IAU_GGUF_STRING }, 4);
	gw_raw(&w, "strings", IAU_GGUF_ARRAY, array, sizeof(array));
	assert_refused(&w, -EINVAL, "key 'strings': string 0: past end of file");
	gw_append(&w.kv, &(uint64_t){ 1000 }, 8);
	gw_append(&w.kv, "a name that is too short", 24);
	w.n_kv = 1;
	assert_refused(&w, -EINVAL, "key 0: name: past end of file");
	gw_u32(&w, "end", 1);
	gw_raw(&w, "trunc", IAU_GGUF_U64, "1234", 4);
	assert_refused(&w, -EINVAL, "key 'trunc': 1 values of UINT64: past end of file");
	for (uint32_t bad = 0; bad < 100; bad = bad ? bad * 3 : 3) {
		gw_u32(&w, "general.alignment", bad);
		assert_refused(&w, -EINVAL, "is not a power of two");
	}
	gw_f32(&w, "general.alignment", 32.0f);
	assert_refused(&w, -EINVAL, "key 'general.alignment': type FLOAT32");
}

static void test_bad_tensors(void **state)
{
	static const uint64_t ne_wide[2] = { 1ull << 33, 1ull << 31 };
	static const uint64_t ne_zero[2] = { 4, 0 };
	static const uint64_t ne_33[1] = { 33 };
	static const uint64_t ne_5[5] = { 1, 1, 1, 1, 1 };
	static const uint64_t ne_long[1] = { 1ull << 62 };
	char name[80];
	struct gguf_writer w;

	(void)state;
	gw_init(&w);
	gw_tensor(&w, "t", IAU_TENSOR_F32, 2, ne_4x3, NULL, 48);
	gw_tensor(&w, "t", IAU_TENSOR_F32, 2, ne_4x3, NULL, 48);
	assert_refused(&w, -EINVAL, "tensor 't': the name occurs twice");
	gw_tensor(&w, "t", IAU_TENSOR_F32, 2, ne_4x3, NULL, 47);
	assert_refused(&w, -EINVAL, "tensor 't': offset 0: its 48 bytes end past end of file");
	gw_tensor_info(&w, "blk.0.attn_q.weight", IAU_TENSOR_F32, 2, ne_4x3, 4096);
	assert_refused(&w, -EINVAL, "tensor 'blk.0.attn_q.weight': offset 4096 past end of file");
	gw_tensor_info(&w, "t", 14, 2, ne_4x3, 4096);
	assert_refused(&w, -EINVAL, "tensor 't': offset 4096 past end of file");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 2, ne_4x3, UINT64_MAX - 31);
	assert_refused(&w, -EINVAL, "past end of file");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 2, ne_4x3, 16);
	assert_refused(&w, -EINVAL, "tensor 't': offset 16 is not a multiple of 32");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 2, ne_wide, 0);
	assert_refused(&w, -EINVAL, "tensor 't': dim 1: 2147483648 overflows");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 1, ne_long, 0);
	assert_refused(&w, -EINVAL, "tensor 't': its size overflows");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 2, ne_zero, 0);
	assert_refused(&w, -EINVAL, "tensor 't': dim 1 is zero");
	gw_tensor_info(&w, "t", IAU_TENSOR_Q8_0, 1, ne_33, 0);
	assert_refused(&w, -EINVAL, "tensor 't': dim 0: 33 is not a multiple of 32 (Q8_0)");
	gw_tensor_info(&w, "t", IAU_TENSOR_F32, 5, ne_5, 0);
	assert_refused(&w, -EINVAL, "tensor 't': n_dims 5 is not 1 to 4");
	gw_tensor_info(&w, "zero-dimensional", IAU_TENSOR_F32, 0, NULL, 0);
	gw_append(&w.data, NULL, 64);
	assert_refused(&w, -EINVAL, "n_dims 0");
	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	gw_tensor_info(&w, name, IAU_TENSOR_F32, 2, ne_4x3, 0);
	assert_refused(&w, -EINVAL, "64 bytes is not 1 to 63");
}

/* Every prefix of a good file is refused, with a message. */
static void test_truncation(void **state)
{
	static const float values[12] = { 0 };
	const struct iau_str strs[1] = { { "one", 3 } };
	struct gguf_writer w;
	struct iau_gguf *g;
	uint8_t *file;
	size_t size;

	(void)state;
	gw_init(&w);
	gw_u32(&w, "n", 1);
	gw_strs(&w, "ss", strs, 1);
	gw_tensor(&w, "a", IAU_TENSOR_F32, 2, ne_4x3, values, sizeof(values));
	file = gw_finish(&w, &size);
	for (size_t n = 0; n < size; n++) {
		/* a copy of its own, so that a sanitizer sees reads past the end */
		uint8_t *cut = malloc(n + 1);

		assert_non_null(cut);
		memcpy(cut, file, n);
		cut = realloc(cut, n ? n : 1);
		iau_error(0, "none");
		assert_int_equal(iau_gguf_open_memory(cut, n, &g), -EINVAL);
		assert_string_not_equal(iau_last_error(), "none");
		free(cut);
	}
	free(file);
	gw_fini(&w);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void test_open_path(void **state)
{
	char dir[] = "/tmp/iau-gguf-XXXXXX";
	struct gguf_writer w;
	struct iau_gguf *g;
	char path[64];
	uint8_t *file;
	uint32_t value;
	size_t size;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/m.gguf", dir);
	assert_int_equal(iau_gguf_open(path, &g), -ENOENT);
	assert_message("m.gguf: No such file");
	write_file(path, "", 0);
	assert_int_equal(iau_gguf_open(path, &g), -EINVAL);
	assert_message("m.gguf: the file is empty");
	gw_init(&w);
	gw_u32(&w, "n", 42);
	file = gw_finish(&w, &size);
	write_file(path, file, size);
	assert_int_equal(iau_gguf_open(path, &g), 0);
	assert_int_equal(iau_gguf_u32(g, "n", &value), 0);
	assert_int_equal(value, 42);
	iau_gguf_close(g);
	assert_int_equal(iau_gguf_open(dir, &g), -EINVAL);
	assert_message("not a regular file");
	iau_gguf_close(NULL);
	unlink(path);
	rmdir(dir);
	free(file);
	gw_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	    cmocka_unit_test(test_integers),
		cmocka_unit_test(test_tensors),	    cmocka_unit_test(test_empty_file_is_valid),
		cmocka_unit_test(test_header),	    cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_bad_tensors), cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_open_path),
	};

	return run_group("gguf", tests);
}
