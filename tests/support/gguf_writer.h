/* SPDX-License-Identifier: MIT */
/*
 * Writes GGUF files into memory, for tests. It checks nothing, so that bad files can be made;
 * running out of memory aborts.
 */
#ifndef TESTS_SUPPORT_GGUF_WRITER_H
#define TESTS_SUPPORT_GGUF_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "iau/gguf.h"

struct gw_bytes {
	uint8_t *ptr;
	size_t len;
	size_t room;
};

struct gguf_writer {
	uint32_t version;
	uint32_t alignment; /* of tensor data; the key is not written by itself */
	uint64_t n_kv;
	uint64_t n_tensors;
	struct gw_bytes kv;
	struct gw_bytes infos;
	struct gw_bytes data;
};

void gw_init(struct gguf_writer *w);
void gw_fini(struct gguf_writer *w);

void gw_append(struct gw_bytes *b, const void *ptr, size_t len);
void gw_append_str(struct gw_bytes *b, const char *s, size_t len);

/* Any value: type number, then the bytes as they are. */
void gw_raw(struct gguf_writer *w, const char *key, uint32_t type, const void *ptr, size_t len);
void gw_u32(struct gguf_writer *w, const char *key, uint32_t value);
void gw_f32(struct gguf_writer *w, const char *key, float value);
void gw_bool(struct gguf_writer *w, const char *key, uint8_t value);
void gw_str(struct gguf_writer *w, const char *key, const char *value);
void gw_strs(struct gguf_writer *w, const char *key, const struct iau_str *values, size_t n);
void gw_i32s(struct gguf_writer *w, const char *key, const int32_t *values, size_t n);
void gw_f32s(struct gguf_writer *w, const char *key, const float *values, size_t n);

/* @len bytes of data, zeros when @data is NULL, aligned behind those of the tensor before. */
void gw_tensor(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims,
	       const uint64_t *ne, const void *data, size_t len);
/* An entry alone, with any offset. */
void gw_tensor_info(struct gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims,
		    const uint64_t *ne, uint64_t offset);

/* The file, to be freed with free(). The writer can go on. */
uint8_t *gw_finish(const struct gguf_writer *w, size_t *size);

#endif
