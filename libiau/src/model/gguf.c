/* SPDX-License-Identifier: MIT */
/* GGUF: opening, header, and the order in which the parts are read. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "model/gguf_file.h"

#define GGUF_MAGIC	 0x46554747u /* "GGUF" */
#define GGUF_VERSION	 3u
#define GGUF_ALIGNMENT	 32u
#define MIN_KV_BYTES	 (8 + 1 + 4 + 1)	 /* name length, name, type, smallest value */
#define MIN_TENSOR_BYTES (8 + 1 + 4 + 8 + 4 + 8) /* name, n_dims, one dim, type, offset */

bool gguf_skip(struct gguf_cursor *c, uint64_t n)
{
	if (n > (uint64_t)(c->end - c->pos))
		return false;
	c->pos += n;
	return true;
}

bool gguf_take(struct gguf_cursor *c, void *dst, size_t n)
{
	const uint8_t *from = c->pos;

	if (!gguf_skip(c, n))
		return false;
	memcpy(dst, from, n);
	return true;
}

bool gguf_take_str(struct gguf_cursor *c, struct iau_str *s)
{
	uint64_t len;

	if (!gguf_take(c, &len, sizeof(len)))
		return false;
	s->ptr = (const char *)c->pos;
	s->len = (size_t)len;
	return gguf_skip(c, len);
}

static int check_version(uint32_t version)
{
	if (version == GGUF_VERSION)
		return 0;
	if (version == __builtin_bswap32(GGUF_VERSION))
		return iau_error(-EINVAL, "gguf: version: the file is big-endian");
	return iau_error(-EINVAL, "gguf: version: %u is not supported, only %u", version,
			 GGUF_VERSION);
}

static int parse_header(struct iau_gguf *g, struct gguf_cursor *c)
{
	struct {
		uint32_t magic;
		uint32_t version;
		uint64_t n_tensors;
		uint64_t n_kv;
	} head;
	uint64_t left;
	int err;

	if (!gguf_take(c, &head, sizeof(head)))
		return iau_error(-EINVAL, "gguf: header: the file has only %zu bytes", g->size);
	if (head.magic != GGUF_MAGIC)
		return iau_error(-EINVAL, "gguf: magic: 0x%08x is not \"GGUF\"", head.magic);
	err = check_version(head.version);
	if (err)
		return err;
	left = (uint64_t)(c->end - c->pos);
	if (head.n_kv > left / MIN_KV_BYTES || head.n_kv >= IAU_STRMAP_NONE)
		return iau_error(-EINVAL, "gguf: key count: %llu do not fit in the file",
				 (unsigned long long)head.n_kv);
	if (head.n_tensors > left / MIN_TENSOR_BYTES || head.n_tensors >= IAU_STRMAP_NONE)
		return iau_error(-EINVAL, "gguf: tensor count: %llu do not fit in the file",
				 (unsigned long long)head.n_tensors);
	g->n_kv = (size_t)head.n_kv;
	g->n_tensors = (size_t)head.n_tensors;
	return 0;
}

static int parse_alignment(struct iau_gguf *g)
{
	int err;

	g->alignment = GGUF_ALIGNMENT;
	err = iau_gguf_u32(g, "general.alignment", &g->alignment);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	if (g->alignment == 0 || (g->alignment & (g->alignment - 1)))
		return iau_error(-EINVAL, "key 'general.alignment': %u is not a power of two",
				 g->alignment);
	return 0;
}

static int parse(struct iau_gguf *g)
{
	struct gguf_cursor c = { .pos = g->map, .end = g->map + g->size };
	int err;

	err = parse_header(g, &c);
	if (!err)
		err = gguf_parse_kvs(g, &c);
	if (!err)
		err = parse_alignment(g);
	if (!err)
		err = gguf_parse_tensors(g, &c);
	return err;
}

static int open_common(const void *data, size_t size, bool mapped, struct iau_gguf **out)
{
	struct iau_gguf *g = calloc(1, sizeof(*g));
	int err;

	if (!g) {
		if (mapped)
			munmap((void *)(uintptr_t)data, size);
		return iau_error_nomem("gguf");
	}
	g->map = data;
	g->size = size;
	g->mapped = mapped;
	err = parse(g);
	if (err) {
		iau_gguf_close(g);
		return err;
	}
	*out = g;
	return 0;
}

int iau_gguf_open_memory(const void *data, size_t size, struct iau_gguf **out)
{
	*out = NULL;
	if ((uintptr_t)data % 8)
		return iau_error(-EINVAL, "gguf: the memory is not 8-byte aligned");
	return open_common(data, size, false, out);
}

static int map_file(const char *path, int fd, void **map, size_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return iau_error(-errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return iau_error(-EINVAL, "%s: not a regular file", path);
	if (st.st_size == 0)
		return iau_error(-EINVAL, "%s: the file is empty", path);
	*size = (size_t)st.st_size;
	*map = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	if (*map == MAP_FAILED)
		return iau_error(-errno, "%s: mmap: %s", path, strerror(errno));
	return 0;
}

int iau_gguf_open(const char *path, struct iau_gguf **out)
{
	void *map = NULL;
	size_t size = 0;
	int err, fd;

	*out = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return iau_error(-errno, "%s: %s", path, strerror(errno));
	err = map_file(path, fd, &map, &size);
	close(fd);
	if (err)
		return err;
	err = open_common(map, size, true, out);
	return err ? iau_error(err, "%s: %s", path, iau_last_error()) : 0;
}

void iau_gguf_close(struct iau_gguf *g)
{
	if (!g)
		return;
	iau_strmap_fini(&g->tensor_index);
	free(g->tensors);
	iau_strmap_fini(&g->kv_index);
	free(g->kv);
	if (g->mapped)
		munmap((void *)(uintptr_t)g->map, g->size);
	free(g);
}
