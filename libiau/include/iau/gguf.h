/* SPDX-License-Identifier: MIT */
/*
 * GGUF files, version 3, read-only.
 *
 * The whole file is checked when it is opened: after that, every key, string, array and tensor
 * that the functions below return lies inside the file. Everything is a view into the mapped
 * file and lives until iau_gguf_close(). A handle may be read by several threads at once.
 *
 * The format is described in the GGUF specification of the ggml project (docs/gguf.md there).
 */
#ifndef IAU_GGUF_H
#define IAU_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iau_gguf;

/* Bytes with a length; not NUL-terminated, any byte may occur. */
struct iau_str {
	const char *ptr;
	size_t len;
};

/* Element types of tensors that libiau computes with, by their ggml number. */
enum iau_tensor_type {
	IAU_TENSOR_F32 = 0,
	IAU_TENSOR_F16 = 1,
	IAU_TENSOR_Q4_0 = 2, /* 32 values: fp16 scale, 16 bytes of nibbles */
	IAU_TENSOR_Q8_0 = 8, /* 32 values: fp16 scale, 32 signed bytes */
	IAU_TENSOR_BF16 = 30,
};

/* Value types of metadata, by their GGUF number. */
enum iau_gguf_type {
	IAU_GGUF_U8 = 0,
	IAU_GGUF_I8 = 1,
	IAU_GGUF_U16 = 2,
	IAU_GGUF_I16 = 3,
	IAU_GGUF_U32 = 4,
	IAU_GGUF_I32 = 5,
	IAU_GGUF_F32 = 6,
	IAU_GGUF_BOOL = 7,
	IAU_GGUF_STRING = 8,
	IAU_GGUF_ARRAY = 9,
	IAU_GGUF_U64 = 10,
	IAU_GGUF_I64 = 11,
	IAU_GGUF_F64 = 12,
};

#define IAU_GGUF_MAX_DIMS 4

/**
 * struct iau_tensor - one tensor of the file
 * @name:	its name, 1 to 63 bytes
 * @type:	ggml type number; one of enum iau_tensor_type, or another, which has no data here
 * @n_dims:	dimensions given in the file, 1 to 4
 * @ne:		elements per dimension, ne[0] contiguous in memory; 1 beyond n_dims; never 0
 * @data:	first byte, aligned as the file says; NULL when the type is not supported
 * @bytes:	size of the data; 0 when the type is not supported
 */
struct iau_tensor {
	struct iau_str name;
	uint32_t type;
	uint32_t n_dims;
	uint64_t ne[IAU_GGUF_MAX_DIMS];
	const void *data;
	size_t bytes;
};

/**
 * iau_gguf_open() - map and check a file
 * @path:	file name
 * @out:	the handle, NULL on failure
 *
 * Return: 0, a negative errno of open(2) or mmap(2), -EINVAL when the file is no valid GGUF v3,
 * -ENOMEM. The file must not be truncated while it is open.
 */
int iau_gguf_open(const char *path, struct iau_gguf **out);

/**
 * iau_gguf_open_memory() - the same for a file in memory
 * @data:	the file, at least 8-byte aligned; borrowed, must outlive the handle
 * @size:	its length in bytes
 * @out:	the handle, NULL on failure
 *
 * Return: as iau_gguf_open().
 */
int iau_gguf_open_memory(const void *data, size_t size, struct iau_gguf **out);

/** iau_gguf_close() - release a handle and its mapping; NULL is allowed */
void iau_gguf_close(struct iau_gguf *gguf);

/** iau_gguf_n_keys() - number of metadata keys */
size_t iau_gguf_n_keys(const struct iau_gguf *gguf);

/** iau_gguf_key() - name of key @i, i below iau_gguf_n_keys(), in file order */
struct iau_str iau_gguf_key(const struct iau_gguf *gguf, size_t i);

/** iau_gguf_has() - whether the metadata has @key */
bool iau_gguf_has(const struct iau_gguf *gguf, const char *key);

/**
 * iau_gguf_u32() - unsigned integer
 *
 * Any integer type is accepted if its value fits.
 * Return: 0; -ENOENT no such key; -EINVAL not an integer; -ERANGE does not fit. @value is
 * written on success only.
 */
int iau_gguf_u32(const struct iau_gguf *gguf, const char *key, uint32_t *value);

/** iau_gguf_f32() - FLOAT32, or FLOAT64 rounded to it; errors as iau_gguf_u32() */
int iau_gguf_f32(const struct iau_gguf *gguf, const char *key, float *value);

/** iau_gguf_bool() - BOOL; errors as iau_gguf_u32() */
int iau_gguf_bool(const struct iau_gguf *gguf, const char *key, bool *value);

/** iau_gguf_str() - STRING, a view into the file; errors as iau_gguf_u32() */
int iau_gguf_str(const struct iau_gguf *gguf, const char *key, struct iau_str *value);

/**
 * iau_gguf_strs() - array of strings
 * @values:	views into the file, in an array that the caller frees with free(); NULL when empty
 * @n:		how many
 *
 * Return: 0, -ENOENT, -EINVAL (not an array of strings), -ENOMEM.
 */
int iau_gguf_strs(const struct iau_gguf *gguf, const char *key, struct iau_str **values, size_t *n);

/** iau_gguf_i32s() - array of INT32 or UINT32 (-ERANGE above INT32_MAX); as iau_gguf_strs() */
int iau_gguf_i32s(const struct iau_gguf *gguf, const char *key, int32_t **values, size_t *n);

/** iau_gguf_f32s() - array of FLOAT32; as iau_gguf_strs() */
int iau_gguf_f32s(const struct iau_gguf *gguf, const char *key, float **values, size_t *n);

/**
 * iau_gguf_array_len() - number of elements of an array of any type
 *
 * Return: 0, -ENOENT, -EINVAL (not an array).
 */
int iau_gguf_array_len(const struct iau_gguf *gguf, const char *key, size_t *n);

/** iau_gguf_n_tensors() - number of tensors */
size_t iau_gguf_n_tensors(const struct iau_gguf *gguf);

/** iau_gguf_tensor_at() - tensor @i, i below iau_gguf_n_tensors(), in file order */
const struct iau_tensor *iau_gguf_tensor_at(const struct iau_gguf *gguf, size_t i);

/**
 * iau_gguf_tensor() - tensor by name, to compute with
 * @tensor:	written on success only
 *
 * Return: 0; -ENOENT no such tensor; -ENOTSUP its type is not one of enum iau_tensor_type.
 */
int iau_gguf_tensor(const struct iau_gguf *gguf, const char *name,
		    const struct iau_tensor **tensor);

/** iau_tensor_type_name() - ggml's name of a type number ("Q6_K"); "unknown" for others */
const char *iau_tensor_type_name(uint32_t type);

#ifdef __cplusplus
}
#endif

#endif
