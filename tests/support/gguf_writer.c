/* SPDX-License-Identifier: MIT */
#include "gguf_writer.h"

#include <stdlib.h>
#include <string.h>

void gw_init(struct gguf_writer *w)
{
	*w = (struct gguf_writer){ .version = 3, .alignment = 32 };
}

void gw_fini(struct gguf_writer *w)
{
	free(w->kv.ptr);
	free(w->infos.ptr);
	free(w->data.ptr);
	gw_init(w);
}

void gw_append(struct gw_bytes *b, const void *ptr, size_t len)
{
	if (b->len + len > b->room) {
		b->room = 2 * (b->len + len);
		b->ptr = realloc(b->ptr, b->room);
		if (!b->ptr)
			abort();
	}
	if (len && ptr)
		memcpy(b->ptr + b->len, ptr, len);
	else if (len)
		memset(b->ptr + b->len, 0, len);
	b->len += len;
}

void gw_append_str(struct gw_bytes *b, const char *s, size_t len)
{
	uint64_t n = len;

	gw_append(b, &n, sizeof(n));
	gw_append(b, s, len);
}

void gw_raw(struct gguf_writer *w, const char *key, uint32_t type, const void *ptr, size_t len)
{
	gw_append_str(&w->kv, key, strlen(key));
	gw_append(&w->kv, &type, sizeof(type));
	gw_append(&w->kv, ptr, len);
	w->n_kv++;
}

void gw_u32(struct gguf_writer *w, const char *key, uint32_t value)
{
	gw_raw(w, key, IAU_GGUF_U32, &value, sizeof(value));
}

void gw_f32(struct gguf_writer *w, const char *key, float value)
{
	gw_raw(w, key, IAU_GGUF_F32, &value, sizeof(value));
}

void gw_bool(struct gguf_writer *w, const char *key, uint8_t value)
{
	gw_raw(w, key, IAU_GGUF_BOOL, &value, sizeof(value));
}

void gw_str(struct gguf_writer *w, const char *key, const char *value)
{
	gw_raw(w, key, IAU_GGUF_STRING, NULL, 0);
	gw_append_str(&w->kv, value, strlen(value));
}

static void array_header(struct gguf_writer *w, const char *key, uint32_t elem, uint64_t n)
{
	gw_raw(w, key, IAU_GGUF_ARRAY, &elem, sizeof(elem));
	gw_append(&w->kv, &n, sizeof(n));
}

void gw_strs(struct gguf_writer *w, const char *key, const struct iau_str *values, size_t n)
{
	array_header(w, key, IAU_GGUF_STRING, n);
	for (size_t i = 0; i < n; i++)
		gw_append_str(&w->kv, values[i].ptr, values[i].len);
}

void gw_i32s(struct gguf_writer *w, const char *key, const int32_t *values, size_t n)
{
	array_header(w, key, IAU_GGUF_I32, n);
	gw_append(&w->kv, values, n * sizeof(*values));
}

void gw_f32s(struct gguf_writer *w, const char *key, const float *values, size_t n)
{
	array_header(w, key, IAU_GGUF_F32, n);
	gw_append(&w->kv, values, n * sizeof(*values));
}

void gw_tensor_info(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims,
		    const uint64_t *ne, uint64_t offset)
{
	gw_append_str(&w->infos, name, strlen(name));
	gw_append(&w->infos, &n_dims, sizeof(n_dims));
	gw_append(&w->infos, ne, n_dims * sizeof(*ne));
	gw_append(&w->infos, &type, sizeof(type));
	gw_append(&w->infos, &offset, sizeof(offset));
	w->n_tensors++;
}

static void pad(struct gw_bytes *b, size_t alignment)
{
	if (b->len % alignment)
		gw_append(b, NULL, alignment - b->len % alignment);
}

void gw_tensor(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims,
	       const uint64_t *ne, const void *data, size_t len)
{
	pad(&w->data, w->alignment);
	gw_tensor_info(w, name, type, n_dims, ne, w->data.len);
	gw_append(&w->data, data, len);
}

uint8_t *gw_finish(const struct gguf_writer *w, size_t *size)
{
	struct gw_bytes file = { 0 };

	gw_append(&file, "GGUF", 4);
	gw_append(&file, &w->version, sizeof(w->version));
	gw_append(&file, &w->n_tensors, sizeof(w->n_tensors));
	gw_append(&file, &w->n_kv, sizeof(w->n_kv));
	gw_append(&file, w->kv.ptr, w->kv.len);
	gw_append(&file, w->infos.ptr, w->infos.len);
	if (w->n_tensors)
		pad(&file, w->alignment);
	gw_append(&file, w->data.ptr, w->data.len);
	*size = file.len;
	return file.ptr;
}
