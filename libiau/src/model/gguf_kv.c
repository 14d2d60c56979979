/* SPDX-License-Identifier: MIT */
/* GGUF: metadata keys and values. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/gguf_file.h"

#define MAX_KEY 65535 /* by the specification */

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[IAU_GGUF_U8] = { "UINT8", 1 },	     [IAU_GGUF_I8] = { "INT8", 1 },
	[IAU_GGUF_U16] = { "UINT16", 2 },    [IAU_GGUF_I16] = { "INT16", 2 },
	[IAU_GGUF_U32] = { "UINT32", 4 },    [IAU_GGUF_I32] = { "INT32", 4 },
	[IAU_GGUF_F32] = { "FLOAT32", 4 },   [IAU_GGUF_BOOL] = { "BOOL", 1 },
	[IAU_GGUF_STRING] = { "STRING", 0 }, [IAU_GGUF_ARRAY] = { "ARRAY", 0 },
	[IAU_GGUF_U64] = { "UINT64", 8 },    [IAU_GGUF_I64] = { "INT64", 8 },
	[IAU_GGUF_F64] = { "FLOAT64", 8 },
};

size_t gguf_scalar_size(uint32_t type)
{
	return type < sizeof(types) / sizeof(types[0]) ? types[type].size : 0;
}

const char *gguf_type_name(uint32_t type)
{
	return type < sizeof(types) / sizeof(types[0]) ? types[type].name : "unknown";
}

static int skip_strings(const char *key, uint64_t n, struct gguf_cursor *c)
{
	struct iau_str s;

	for (uint64_t i = 0; i < n; i++)
		if (!gguf_take_str(c, &s))
			return iau_error(-EINVAL, "key '%s': string %llu: past end of file", key,
					 (unsigned long long)i);
	return 0;
}

static int check_bools(const char *key, const uint8_t *data, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (data[i] > 1)
			return iau_error(-EINVAL, "key '%s': %u is not a boolean", key, data[i]);
	return 0;
}

/* Check kv->n elements of type @type at the cursor and move behind them. */
static int skip_elems(struct gguf_kv *kv, const char *key, uint32_t type, struct gguf_cursor *c)
{
	size_t size = gguf_scalar_size(type);

	kv->data = c->pos;
	if (type == IAU_GGUF_STRING)
		return skip_strings(key, kv->n, c);
	if (!size)
		return iau_error(-EINVAL, "key '%s': unknown type %u", key, type);
	if (kv->n > UINT64_MAX / size || !gguf_skip(c, kv->n * size))
		return iau_error(-EINVAL, "key '%s': %llu values of %s: past end of file", key,
				 (unsigned long long)kv->n, gguf_type_name(type));
	return type == IAU_GGUF_BOOL ? check_bools(key, kv->data, kv->n) : 0;
}

static int parse_value(struct gguf_kv *kv, const char *key, struct gguf_cursor *c)
{
	if (!gguf_take(c, &kv->type, sizeof(kv->type)))
		return iau_error(-EINVAL, "key '%s': the file ends in its type", key);
	kv->n = 1;
	if (kv->type != IAU_GGUF_ARRAY)
		return skip_elems(kv, key, kv->type, c);
	if (!gguf_take(c, &kv->elem, sizeof(kv->elem)) || !gguf_take(c, &kv->n, sizeof(kv->n)))
		return iau_error(-EINVAL, "key '%s': the file ends in its array header", key);
	if (kv->elem == IAU_GGUF_ARRAY)
		return iau_error(-EINVAL, "key '%s': arrays of arrays are not supported", key);
	return skip_elems(kv, key, kv->elem, c);
}

static int parse_kv(struct iau_gguf *g, size_t i, struct gguf_cursor *c)
{
	struct gguf_kv *kv = &g->kv[i];
	struct iau_printable key;
	int err;

	if (!gguf_take_str(c, &kv->key))
		return iau_error(-EINVAL, "key %zu: name: past end of file", i);
	key = iau_printable(kv->key.ptr, kv->key.len);
	if (kv->key.len < 1 || kv->key.len > MAX_KEY)
		return iau_error(-EINVAL, "key %zu: name '%s': %zu bytes is not 1 to %d", i,
				 key.text, kv->key.len, MAX_KEY);
	err = iau_strmap_add(&g->kv_index, kv->key, (uint32_t)i);
	if (err == -EEXIST)
		return iau_error(-EINVAL, "key '%s' occurs twice", key.text);
	if (err)
		return err;
	return parse_value(kv, key.text, c);
}

int gguf_parse_kvs(struct iau_gguf *g, struct gguf_cursor *c)
{
	int err;

	if (!g->n_kv)
		return 0;
	g->kv = calloc(g->n_kv, sizeof(*g->kv));
	if (!g->kv)
		return iau_error_nomem("gguf keys");
	err = iau_strmap_reserve(&g->kv_index, g->n_kv);
	for (size_t i = 0; i < g->n_kv && !err; i++)
		err = parse_kv(g, i, c);
	return err;
}

size_t iau_gguf_n_keys(const struct iau_gguf *g)
{
	return g->n_kv;
}

struct iau_str iau_gguf_key(const struct iau_gguf *g, size_t i)
{
	return g->kv[i].key;
}

bool iau_gguf_has(const struct iau_gguf *g, const char *key)
{
	return iau_strmap_get(&g->kv_index, iau_str_make(key, strlen(key))) != IAU_STRMAP_NONE;
}

static int find(const struct iau_gguf *g, const char *key, const struct gguf_kv **kv)
{
	uint32_t i = iau_strmap_get(&g->kv_index, iau_str_make(key, strlen(key)));

	if (i == IAU_STRMAP_NONE)
		return iau_error(-ENOENT, "key '%s' is missing", key);
	*kv = &g->kv[i];
	return 0;
}

static int wrong_type(const char *key, const struct gguf_kv *kv, const char *wanted)
{
	return iau_error(-EINVAL, "key '%s': type %s%s is not %s", key,
			 kv->type == IAU_GGUF_ARRAY ? "ARRAY of " : "",
			 gguf_type_name(kv->type == IAU_GGUF_ARRAY ? kv->elem : kv->type), wanted);
}

/* The bytes of a little-endian integer of @size bytes, sign-extended when @is_signed. */
static uint64_t load_int(const uint8_t *data, size_t size, bool is_signed)
{
	uint64_t value = 0;

	memcpy(&value, data, size);
	if (is_signed && size < 8 && (value >> (8 * size - 1)))
		value |= UINT64_MAX << (8 * size);
	return value;
}

int iau_gguf_u32(const struct iau_gguf *g, const char *key, uint32_t *value)
{
	const struct gguf_kv *kv;
	bool is_signed;
	uint64_t v;
	int err = find(g, key, &kv);

	if (err)
		return err;
	switch (kv->type) {
	case IAU_GGUF_U8:
	case IAU_GGUF_U16:
	case IAU_GGUF_U32:
	case IAU_GGUF_U64:
		is_signed = false;
		break;
	case IAU_GGUF_I8:
	case IAU_GGUF_I16:
	case IAU_GGUF_I32:
	case IAU_GGUF_I64:
		is_signed = true;
		break;
	default:
		return wrong_type(key, kv, "an integer");
	}
	v = load_int(kv->data, gguf_scalar_size(kv->type), is_signed);
	if (is_signed && (int64_t)v < 0)
		return iau_error(-ERANGE, "key '%s': %lld is negative", key, (long long)v);
	if (v > UINT32_MAX)
		return iau_error(-ERANGE, "key '%s': %llu is above 2^32 - 1", key,
				 (unsigned long long)v);
	*value = (uint32_t)v;
	return 0;
}

int iau_gguf_f32(const struct iau_gguf *g, const char *key, float *value)
{
	const struct gguf_kv *kv;
	double wide;
	int err = find(g, key, &kv);

	if (err)
		return err;
	if (kv->type == IAU_GGUF_F32) {
		memcpy(value, kv->data, sizeof(*value));
		return 0;
	}
	if (kv->type != IAU_GGUF_F64)
		return wrong_type(key, kv, "a float");
	memcpy(&wide, kv->data, sizeof(wide));
	*value = (float)wide;
	return 0;
}

int iau_gguf_bool(const struct iau_gguf *g, const char *key, bool *value)
{
	const struct gguf_kv *kv;
	int err = find(g, key, &kv);

	if (err)
		return err;
	if (kv->type != IAU_GGUF_BOOL)
		return wrong_type(key, kv, "BOOL");
	*value = kv->data[0];
	return 0;
}

/* The string at @data, which was checked when the file was opened; @data moves behind it. */
static struct iau_str load_str(const uint8_t **data)
{
	struct iau_str s;
	uint64_t len;

	memcpy(&len, *data, sizeof(len));
	s = iau_str_make((const char *)*data + sizeof(len), (size_t)len);
	*data += sizeof(len) + len;
	return s;
}

int iau_gguf_str(const struct iau_gguf *g, const char *key, struct iau_str *value)
{
	const struct gguf_kv *kv;
	const uint8_t *data;
	int err = find(g, key, &kv);

	if (err)
		return err;
	if (kv->type != IAU_GGUF_STRING)
		return wrong_type(key, kv, "STRING");
	data = kv->data;
	*value = load_str(&data);
	return 0;
}

int iau_gguf_array_len(const struct iau_gguf *g, const char *key, size_t *n)
{
	const struct gguf_kv *kv;
	int err = find(g, key, &kv);

	if (err)
		return err;
	if (kv->type != IAU_GGUF_ARRAY)
		return wrong_type(key, kv, "ARRAY");
	*n = (size_t)kv->n;
	return 0;
}

/* Find an array and allocate @size bytes for each element; *values is NULL when it is empty. */
static int alloc_array(const struct iau_gguf *g, const char *key, size_t size,
		       const struct gguf_kv **kv, void **values, size_t *n)
{
	int err = find(g, key, kv);

	*values = NULL;
	*n = 0;
	if (err)
		return err;
	if ((*kv)->type != IAU_GGUF_ARRAY)
		return wrong_type(key, *kv, "ARRAY");
	if (!(*kv)->n)
		return 0;
	*values = calloc((size_t)(*kv)->n, size);
	if (!*values)
		return iau_error_nomem(key);
	*n = (size_t)(*kv)->n;
	return 0;
}

int iau_gguf_strs(const struct iau_gguf *g, const char *key, struct iau_str **values, size_t *n)
{
	const struct gguf_kv *kv;
	const uint8_t *data;
	void *array;
	int err = alloc_array(g, key, sizeof(**values), &kv, &array, n);

	*values = array;
	if (err || !array)
		return err;
	if (kv->elem != IAU_GGUF_STRING) {
		free(array);
		*values = NULL;
		*n = 0;
		return wrong_type(key, kv, "ARRAY of STRING");
	}
	data = kv->data;
	for (size_t i = 0; i < *n; i++)
		(*values)[i] = load_str(&data);
	return 0;
}

int iau_gguf_i32s(const struct iau_gguf *g, const char *key, int32_t **values, size_t *n)
{
	const struct gguf_kv *kv;
	void *array;
	int err = alloc_array(g, key, sizeof(**values), &kv, &array, n);

	*values = array;
	if (err || !array)
		return err;
	if (kv->elem == IAU_GGUF_I32 || kv->elem == IAU_GGUF_U32)
		memcpy(array, kv->data, *n * sizeof(**values));
	else
		err = wrong_type(key, kv, "ARRAY of INT32");
	for (size_t i = 0; !err && kv->elem == IAU_GGUF_U32 && i < *n; i++)
		if ((*values)[i] < 0)
			err = iau_error(-ERANGE, "key '%s': element %zu is above INT32_MAX", key,
					i);
	if (err) {
		free(array);
		*values = NULL;
		*n = 0;
	}
	return err;
}

int iau_gguf_f32s(const struct iau_gguf *g, const char *key, float **values, size_t *n)
{
	const struct gguf_kv *kv;
	void *array;
	int err = alloc_array(g, key, sizeof(**values), &kv, &array, n);

	*values = array;
	if (err || !array)
		return err;
	if (kv->elem != IAU_GGUF_F32) {
		free(array);
		*values = NULL;
		*n = 0;
		return wrong_type(key, kv, "ARRAY of FLOAT32");
	}
	memcpy(array, kv->data, *n * sizeof(**values));
	return 0;
}
