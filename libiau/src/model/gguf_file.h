/* SPDX-License-Identifier: MIT */
/* What the parts of the GGUF loader share. */
#ifndef IAU_MODEL_GGUF_FILE_H
#define IAU_MODEL_GGUF_FILE_H

#include "base/strmap.h"
#include "iau/gguf.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "GGUF is read in place and is little-endian"
#endif

/* One metadata value. Its payload was checked to lie inside the file. */
struct gguf_kv {
	struct iau_str key;
	uint32_t type;	     /* enum iau_gguf_type */
	uint32_t elem;	     /* type of the elements when type is IAU_GGUF_ARRAY */
	uint64_t n;	     /* elements; 1 unless an array */
	const uint8_t *data; /* first byte of the (first) element; not aligned */
};

struct iau_gguf {
	const uint8_t *map;
	size_t size;
	bool mapped; /* map is ours to unmap */

	uint32_t alignment;
	struct gguf_kv *kv;
	size_t n_kv;
	struct iau_strmap kv_index;
	struct iau_tensor *tensors;
	size_t n_tensors;
	struct iau_strmap tensor_index;
};

/* Unread part of the file. */
struct gguf_cursor {
	const uint8_t *pos;
	const uint8_t *end;
};

/* Each takes one field and returns false when the file ends before it does. */
bool gguf_take(struct gguf_cursor *c, void *dst, size_t n);
bool gguf_take_str(struct gguf_cursor *c, struct iau_str *s);
bool gguf_skip(struct gguf_cursor *c, uint64_t n);

/* Bytes of a scalar value type; 0 for strings, arrays and unknown types. */
size_t gguf_scalar_size(uint32_t type);
const char *gguf_type_name(uint32_t type);

int gguf_parse_kvs(struct iau_gguf *g, struct gguf_cursor *c);
int gguf_parse_tensors(struct iau_gguf *g, struct gguf_cursor *c);

/* Block shape of a tensor type; elems is 0 when libiau cannot compute with it. */
struct gguf_block {
	uint32_t elems;
	uint32_t bytes;
};

struct gguf_block gguf_tensor_block(uint32_t type);

#endif
