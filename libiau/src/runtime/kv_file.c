/* SPDX-License-Identifier: MIT */
/*
 * A sequence as a file: a header, its tokens, and from a page boundary on its slabs, each layer after layer
 * in whole pages, as they lie in device memory. Who loads it maps the slabs as cold ones, so that only what
 * is attended to is read, and only once.
 */
#include "model/gguf_file.h"
#include "runtime/session.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "IAU-KV\n"
#define VERSION 1u

struct header {
	char magic[8];
	uint32_t version, n_tokens;
	uint32_t n_layer, n_head_kv, head_dim, slab_blocks, block_bytes, pad;
	uint64_t model;	   /* fingerprint */
	uint64_t checksum; /* of the header, with 0 here, and the tokens */
};

_Static_assert(sizeof(struct header) == 56, "no holes");

/* Fowler, Noll and Vo's hash, FNV-1a, 64 bits */
static uint64_t hash(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Of the tensors' names, shapes and first values: another training or quantisation has others. */
static uint64_t fingerprint(const struct iau_gguf *g)
{
	uint64_t h = HASH_START;

	for (size_t i = 0; i < g->n_tensors; i++) {
		const struct iau_tensor *t = &g->tensors[i];

		h = hash(h, t->name.ptr, t->name.len);
		h = hash(h, &t->type, sizeof(t->type));
		h = hash(h, t->ne, sizeof(t->ne));
		h = hash(h, t->data, t->bytes < 4096 ? t->bytes : 4096);
	}
	return h;
}

static struct header header_of(const struct iau_model *m, const int32_t *token, uint32_t n)
{
	struct header h = { .magic = MAGIC, .version = VERSION, .n_tokens = n, .n_layer = m->hp.n_layer,
			    .n_head_kv = m->hp.n_head_kv, .head_dim = m->hp.head_dim,
			    .slab_blocks = m->pool.kv.slab_blocks, .block_bytes = m->pool.kv.block_bytes,
			    .model = fingerprint(m->gguf) };

	h.checksum = hash(hash(HASH_START, &h, sizeof(h)), token, n * sizeof(*token));
	return h;
}

/* Blocks that slab I of a sequence of N tokens has, and where in the file its slabs begin */
static uint32_t blocks_of(const struct kv_pool *pool, uint32_t n, uint32_t i)
{
	uint32_t per = pool->kv.slab_blocks, left = (n + 31) / 32 - i * per;

	return left < per ? left : per;
}

static uint64_t data_at(uint32_t n)
{
	return (sizeof(struct header) + (uint64_t)n * 4 + 4095) & ~UINT64_C(4095);
}

static bool write_slabs(FILE *f, const struct iau_session *s)
{
	const struct kv_pool *pool = &s->model->pool;

	for (uint32_t i = 0; i < iau_kv_slabs(&pool->kv, s->length); i++) {
		uint32_t blocks = blocks_of(pool, s->length, i);
		size_t bytes = (size_t)blocks * pool->kv.block_bytes;
		size_t pad = kv_layer_pages(pool, blocks) - bytes;

		for (uint32_t l = 0; l < pool->n_layer; l++) {
			if (fwrite(kv_slab_ptr(pool, s->kv.slab[i], l), bytes, 1, f) != 1)
				return false;
			for (size_t k = 0; k < pad; k++)
				putc(0, f);
		}
	}
	return !ferror(f);
}

static bool write_file(FILE *f, const struct iau_session *s)
{
	struct header h = header_of(s->model, s->token, s->length);

	return fwrite(&h, sizeof(h), 1, f) == 1 &&
	       fwrite(s->token, sizeof(*s->token), s->length, f) == s->length &&
	       !fseek(f, (long)data_at(s->length), SEEK_SET) && write_slabs(f, s) && !fflush(f) &&
	       !fsync(fileno(f));
}

/* Under another name first: whoever has mapped the file keeps the old one, and an error loses nothing. */
int iau_session_save(const struct iau_session *s, const char *path)
{
	char *tmp;
	FILE *f;
	int err = 0;

	if (!s->length)
		return iau_error(-EINVAL, "%s: the sequence has no tokens", path);
	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return iau_error_nomem(path);
	f = fopen(tmp, "wb");
	if (!f || !write_file(f, s))
		err = iau_error(-errno, "%s: %s", tmp, strerror(errno));
	if (f && fclose(f) && !err)
		err = iau_error(-errno, "%s: %s", tmp, strerror(errno));
	if (!err && rename(tmp, path))
		err = iau_error(-errno, "%s: %s", path, strerror(errno));
	if (err)
		unlink(tmp);
	free(tmp);
	return err;
}

/* What differs between the file and what the model would have written */
static int check_header(const struct iau_model *m, const struct header *h, uint64_t size)
{
	struct header want = header_of(m, NULL, 0);
	uint64_t need = data_at(h->n_tokens);

	if (memcmp(h->magic, want.magic, sizeof(h->magic)))
		return iau_error(-EINVAL, "not a KV cache: it begins otherwise");
	if (h->version != VERSION)
		return iau_error(-ENOTSUP, "version %u of the format: %u is known", h->version, VERSION);
	if (h->model != want.model || h->n_layer != want.n_layer || h->n_head_kv != want.n_head_kv ||
	    h->head_dim != want.head_dim || h->slab_blocks != want.slab_blocks ||
	    h->block_bytes != want.block_bytes)
		return iau_error(-EINVAL, "the KV cache of another model");
	if (!h->n_tokens || h->n_tokens > m->n_ctx)
		return iau_error(-EINVAL, "%u tokens: 1 to %u are possible", h->n_tokens, m->n_ctx);
	for (uint32_t i = 0; i < iau_kv_slabs(&m->pool.kv, h->n_tokens); i++)
		need += kv_layer_pages(&m->pool, blocks_of(&m->pool, h->n_tokens, i)) * m->hp.n_layer;
	if (size != need)
		return iau_error(-EINVAL, "%llu bytes instead of %llu", (unsigned long long)size,
				 (unsigned long long)need);
	return 0;
}

static int read_tokens(struct iau_session *s, int fd, const struct header *h)
{
	size_t bytes = h->n_tokens * sizeof(*s->token);
	struct header plain = *h;

	plain.checksum = 0;
	if (pread(fd, s->token, bytes, sizeof(*h)) != (ssize_t)bytes)
		return iau_error(-EIO, "its tokens cannot be read");
	if (hash(hash(HASH_START, &plain, sizeof(plain)), s->token, bytes) != h->checksum)
		return iau_error(-EINVAL, "damaged: the checksum of its tokens is another");
	return iau_check_tokens(s, s->token, h->n_tokens);
}

static int map_slabs(struct iau_session *s, int fd, uint32_t n)
{
	struct kv_pool *pool = &s->model->pool;
	uint64_t at = data_at(n);

	for (uint32_t i = 0; i < iau_kv_slabs(&pool->kv, n); i++) {
		uint32_t blocks = blocks_of(pool, n, i);
		size_t bytes = kv_layer_pages(pool, blocks) * pool->n_layer;
		void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, (off_t)at);
		int err;

		if (map == MAP_FAILED)
			return iau_error(-errno, "%s", strerror(errno));
		err = kv_slab_create(pool, true, &s->kv.slab[i]);
		if (err) {
			munmap(map, bytes);
			return err;
		}
		s->kv.slab[i]->cold = map;
		s->kv.slab[i]->is_mapped = true;
		s->kv.slab[i]->blocks = blocks;
		s->kv.n++;
		at += bytes;
	}
	return 0;
}

static int load(struct iau_session *s, int fd)
{
	struct header h;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return iau_error(-errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode) || pread(fd, &h, sizeof(h), 0) != sizeof(h))
		return iau_error(-EINVAL, "not a KV cache: it has no header");
	err = check_header(s->model, &h, (uint64_t)st.st_size);
	if (!err)
		err = read_tokens(s, fd, &h);
	if (!err)
		err = map_slabs(s, fd, h.n_tokens);
	if (!err)
		s->length = h.n_tokens;
	return err;
}

int iau_session_load(struct iau_model *m, const char *path, struct iau_session **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*out = NULL;
	if (fd < 0)
		return iau_error(-errno, "%s: %s", path, strerror(errno));
	err = iau_session_create(m, out);
	if (!err) {
		err = load(*out, fd);
		if (err)
			iau_error(err, "%s: %s", path, iau_last_error());
	}
	close(fd);
	if (err) {
		iau_session_free(*out);
		*out = NULL;
	}
	return err;
}
