/* SPDX-License-Identifier: MIT */
/* GGUF: the tensor list. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/gguf_file.h"

#define MAX_TENSOR_NAME 63

static const struct {
	const char *name;
	struct gguf_block block;
} types[] = {
	[IAU_TENSOR_F32] = { "F32", { 1, 4 } },
	[IAU_TENSOR_F16] = { "F16", { 1, 2 } },
	[IAU_TENSOR_Q4_0] = { "Q4_0", { 32, 18 } },
	[3] = { .name = "Q4_1" },
	[6] = { .name = "Q5_0" },
	[7] = { .name = "Q5_1" },
	[IAU_TENSOR_Q8_0] = { "Q8_0", { 32, 34 } },
	[9] = { .name = "Q8_1" },
	[10] = { .name = "Q2_K" },
	[11] = { .name = "Q3_K" },
	[12] = { .name = "Q4_K" },
	[13] = { .name = "Q5_K" },
	[14] = { .name = "Q6_K" },
	[15] = { .name = "Q8_K" },
	[16] = { .name = "IQ2_XXS" },
	[17] = { .name = "IQ2_XS" },
	[18] = { .name = "IQ3_XXS" },
	[19] = { .name = "IQ1_S" },
	[20] = { .name = "IQ4_NL" },
	[21] = { .name = "IQ3_S" },
	[22] = { .name = "IQ2_S" },
	[23] = { .name = "IQ4_XS" },
	[24] = { .name = "I8" },
	[25] = { .name = "I16" },
	[26] = { .name = "I32" },
	[27] = { .name = "I64" },
	[28] = { .name = "F64" },
	[29] = { .name = "IQ1_M" },
	[IAU_TENSOR_BF16] = { "BF16", { 1, 2 } },
	[34] = { .name = "TQ1_0" },
	[35] = { .name = "TQ2_0" },
	[39] = { .name = "MXFP4" },
};

struct gguf_block gguf_tensor_block(uint32_t type)
{
	return type < sizeof(types) / sizeof(types[0]) ? types[type].block
						       : (struct gguf_block){ 0 };
}

const char *iau_tensor_type_name(uint32_t type)
{
	const char *name = type < sizeof(types) / sizeof(types[0]) ? types[type].name : NULL;

	return name ? name : "unknown";
}

static int parse_dims(struct iau_tensor *t, const char *name, struct gguf_cursor *c)
{
	uint64_t total = 1;

	if (!gguf_take(c, &t->n_dims, sizeof(t->n_dims)))
		return iau_error(-EINVAL, "tensor '%s': the file ends in n_dims", name);
	if (t->n_dims < 1 || t->n_dims > IAU_GGUF_MAX_DIMS)
		return iau_error(-EINVAL, "tensor '%s': n_dims %u is not 1 to %d", name, t->n_dims,
				 IAU_GGUF_MAX_DIMS);
	for (uint32_t i = 0; i < IAU_GGUF_MAX_DIMS; i++) {
		t->ne[i] = 1;
		if (i < t->n_dims && !gguf_take(c, &t->ne[i], sizeof(t->ne[i])))
			return iau_error(-EINVAL, "tensor '%s': the file ends in dim %u", name, i);
		if (t->ne[i] == 0)
			return iau_error(-EINVAL, "tensor '%s': dim %u is zero", name, i);
		if (t->ne[i] > INT64_MAX / total)
			return iau_error(-EINVAL, "tensor '%s': dim %u: %llu overflows the size",
					 name, i, (unsigned long long)t->ne[i]);
		total *= t->ne[i];
	}
	return 0;
}

/* bytes = product of ne, in blocks; 0 when the type has no known blocks. */
static int check_size(struct iau_tensor *t, const char *name, uint64_t *bytes)
{
	struct gguf_block block = gguf_tensor_block(t->type);
	uint64_t blocks;

	*bytes = 0;
	if (!block.elems)
		return 0;
	if (t->ne[0] % block.elems)
		return iau_error(-EINVAL, "tensor '%s': dim 0: %llu is not a multiple of %u (%s)",
				 name, (unsigned long long)t->ne[0], block.elems,
				 iau_tensor_type_name(t->type));
	blocks = t->ne[0] / block.elems * t->ne[1] * t->ne[2] * t->ne[3];
	if (blocks > INT64_MAX / block.bytes)
		return iau_error(-EINVAL, "tensor '%s': its size overflows", name);
	*bytes = blocks * block.bytes;
	return 0;
}

/* The data start is known only after the last entry, so the offset is returned apart. */
static int parse_info(struct iau_gguf *g, size_t i, uint64_t *offset, struct gguf_cursor *c)
{
	struct iau_tensor *t = &g->tensors[i];
	struct iau_printable name;
	uint64_t bytes;
	int err;

	if (!gguf_take_str(c, &t->name))
		return iau_error(-EINVAL, "tensor %zu: name: past end of file", i);
	name = iau_printable(t->name.ptr, t->name.len);
	if (t->name.len < 1 || t->name.len > MAX_TENSOR_NAME)
		return iau_error(-EINVAL, "tensor %zu: name '%s': %zu bytes is not 1 to %d", i,
				 name.text, t->name.len, MAX_TENSOR_NAME);
	err = iau_strmap_add(&g->tensor_index, t->name, (uint32_t)i);
	if (err == -EEXIST)
		return iau_error(-EINVAL, "tensor '%s': the name occurs twice", name.text);
	if (err)
		return err;
	err = parse_dims(t, name.text, c);
	if (err)
		return err;
	if (!gguf_take(c, &t->type, sizeof(t->type)))
		return iau_error(-EINVAL, "tensor '%s': the file ends in its type", name.text);
	if (!gguf_take(c, offset, sizeof(*offset)))
		return iau_error(-EINVAL, "tensor '%s': the file ends in its offset", name.text);
	if (*offset % g->alignment)
		return iau_error(-EINVAL, "tensor '%s': offset %llu is not a multiple of %u",
				 name.text, (unsigned long long)*offset, g->alignment);
	return check_size(t, name.text, &bytes);
}

static int locate(struct iau_gguf *g, struct iau_tensor *t, uint64_t start, uint64_t offset)
{
	struct iau_printable name = iau_printable(t->name.ptr, t->name.len);
	uint64_t bytes, room = start < g->size ? g->size - start : 0;
	int err = check_size(t, name.text, &bytes);

	if (err)
		return err;
	if (offset > room)
		return iau_error(-EINVAL, "tensor '%s': offset %llu past end of file", name.text,
				 (unsigned long long)offset);
	if (bytes > room - offset)
		return iau_error(-EINVAL,
				 "tensor '%s': offset %llu: its %llu bytes end past end "
				 "of file",
				 name.text, (unsigned long long)offset, (unsigned long long)bytes);
	if (bytes)
		t->data = g->map + start + offset;
	t->bytes = (size_t)bytes;
	return 0;
}

int gguf_parse_tensors(struct iau_gguf *g, struct gguf_cursor *c)
{
	uint64_t *offsets;
	uint64_t start;
	int err;

	if (!g->n_tensors)
		return 0;
	g->tensors = calloc(g->n_tensors, sizeof(*g->tensors));
	offsets = calloc(g->n_tensors, sizeof(*offsets));
	if (!g->tensors || !offsets) {
		free(offsets);
		return iau_error_nomem("gguf tensors");
	}
	err = iau_strmap_reserve(&g->tensor_index, g->n_tensors);
	for (size_t i = 0; i < g->n_tensors && !err; i++)
		err = parse_info(g, i, &offsets[i], c);
	start = (uint64_t)(c->pos - g->map);
	start = (start + g->alignment - 1) / g->alignment * g->alignment;
	for (size_t i = 0; i < g->n_tensors && !err; i++)
		err = locate(g, &g->tensors[i], start, offsets[i]);
	free(offsets);
	return err;
}

size_t iau_gguf_n_tensors(const struct iau_gguf *g)
{
	return g->n_tensors;
}

const struct iau_tensor *iau_gguf_tensor_at(const struct iau_gguf *g, size_t i)
{
	return &g->tensors[i];
}

int iau_gguf_tensor(const struct iau_gguf *g, const char *name, const struct iau_tensor **tensor)
{
	uint32_t i = iau_strmap_get(&g->tensor_index, iau_str_make(name, strlen(name)));

	if (i == IAU_STRMAP_NONE)
		return iau_error(-ENOENT, "tensor '%s' is missing", name);
	if (!gguf_tensor_block(g->tensors[i].type).elems)
		return iau_error(-ENOTSUP, "tensor '%s': type %s (%u) is not supported", name,
				 iau_tensor_type_name(g->tensors[i].type), g->tensors[i].type);
	*tensor = &g->tensors[i];
	return 0;
}
