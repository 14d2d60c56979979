/* SPDX-License-Identifier: MIT */
/*
 * A sequence as a file: a header, its tokens, a word for each slab that says whether it is packed, and from a
 * page boundary on the slabs, each layer after layer in whole pages, as they lie in device memory. Who loads it
 * maps the slabs as cold ones, so that only what is attended to is read, and only once.
 */
#include "model/gguf_file.h"
#include "runtime/kv_pages.h"
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
#define VERSION 2u

struct header {
	char magic[8];
	uint32_t version, n_tokens;
	uint32_t n_layer, n_head_kv, head_dim, slab_blocks, block_bytes;
	uint16_t key_bits, value_bits; /* of packed slabs; 4 of keys: those in INT8 are rotated, too */
	uint64_t model;	   /* fingerprint */
	uint64_t checksum; /* of the header, with 0 here, and what is before the slabs */
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

static struct header header_of(const struct iau_model *m, uint32_t n)
{
	const struct iau_kv_layout *form = m->pool.form;

	return (struct header){ .magic = MAGIC, .version = VERSION, .n_tokens = n, .n_layer = m->hp.n_layer,
				.n_head_kv = m->hp.n_head_kv, .head_dim = m->hp.head_dim,
				.slab_blocks = form->slab_blocks, .block_bytes = form->block_bytes,
				.key_bits = iau_kv_key_bits(&form[KV_INT8], &form[KV_PACKED]),
				.value_bits = iau_kv_value_bits(&form[KV_INT8], &form[KV_PACKED]), .model = fingerprint(m->gguf) };
}

/* What the words between header and slabs are */
struct words {
	int32_t *token;
	uint32_t *form;
	uint32_t n_tokens, n_slabs;
};

static uint64_t checksum(const struct header *h, const struct words *w)
{
	struct header plain = *h;
	uint64_t sum;

	plain.checksum = 0;
	sum = hash(hash(HASH_START, &plain, sizeof(plain)), w->token, w->n_tokens * sizeof(*w->token));
	return hash(sum, w->form, w->n_slabs * sizeof(*w->form));
}

/* Blocks that slab I of a sequence of N tokens has */
static uint32_t blocks_of(const struct kv_pool *pool, uint32_t n, uint32_t i)
{
	uint32_t per = pool->form->slab_blocks, left = (n + 31) / 32 - i * per;

	return left < per ? left : per;
}

/* Where in the file the slabs begin */
static uint64_t data_at(const struct words *w)
{
	uint64_t words = (uint64_t)w->n_tokens + w->n_slabs;

	return iau_pages(sizeof(struct header) + words * 4);
}

/* Of a layer as many blocks as the sequence has, in whole pages; COPY has room for one of a divided slab */
static bool write_layer(FILE *f, const struct kv_pool *pool, const struct kv_slab *slab, uint32_t l, uint32_t blocks,
			uint8_t *copy)
{
	size_t bytes = (size_t)blocks * pool->form[slab->form].block_bytes;
	size_t pad = kv_layer_pages(pool, slab->form, blocks) - bytes;
	const uint8_t *from = copy;

	if (slab->page)
		kv_pages_copy(pool, slab, l, copy);
	else
		from = kv_slab_ptr(pool, slab, l);
	if (fwrite(from, bytes, 1, f) != 1)
		return false;
	while (pad--)
		putc(0, f);
	return true;
}

static bool write_slabs(FILE *f, const struct iau_session *s, const struct words *w)
{
	const struct kv_pool *pool = &s->model->pool;
	uint8_t *copy = malloc(kv_layer_pages(pool, KV_INT8, pool->form->slab_blocks));
	bool ok = copy;

	for (uint32_t i = 0; i < w->n_slabs; i++)
		for (uint32_t l = 0; l < pool->n_layer && ok; l++)
			ok = write_layer(f, pool, s->kv.slab[i], l, blocks_of(pool, s->length, i), copy);
	free(copy);
	return ok && !ferror(f);
}

static bool write_file(FILE *f, const struct iau_session *s, const struct words *w)
{
	struct header h = header_of(s->model, s->length);

	h.checksum = checksum(&h, w);
	return fwrite(&h, sizeof(h), 1, f) == 1 &&
	       fwrite(w->token, sizeof(*w->token), w->n_tokens, f) == w->n_tokens &&
	       fwrite(w->form, sizeof(*w->form), w->n_slabs, f) == w->n_slabs &&
	       !fseek(f, (long)data_at(w), SEEK_SET) && write_slabs(f, s, w) && !fflush(f) &&
	       !fsync(fileno(f));
}

/* Under another name first: whoever has mapped the file keeps the old one, and an error loses nothing. */
static int save(const struct iau_session *s, const char *path, const struct words *w)
{
	char *tmp;
	FILE *f;
	int err = 0;

	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return iau_error_nomem(path);
	f = fopen(tmp, "wb");
	if (!f || !write_file(f, s, w))
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

int iau_session_save(const struct iau_session *s, const char *path)
{
	struct words w = { s->token, NULL, s->length, iau_kv_slabs(&s->cfg.kv, s->length) };
	int err;

	if (!s->length)
		return iau_error(-EINVAL, "%s: the sequence has no tokens", path);
	w.form = calloc(w.n_slabs, sizeof(*w.form));
	if (!w.form)
		return iau_error_nomem(path);
	for (uint32_t i = 0; i < w.n_slabs; i++)
		w.form[i] = s->kv.slab[i]->form;
	err = save(s, path, &w);
	free(w.form);
	return err;
}

/* What differs between the file and what the model would have written */
static int check_header(const struct iau_model *m, const struct header *h)
{
	struct header want = header_of(m, 0);

	if (memcmp(h->magic, want.magic, sizeof(h->magic)))
		return iau_error(-EINVAL, "not a KV cache: it begins otherwise");
	if (h->version != VERSION)
		return iau_error(-ENOTSUP, "version %u of the format: %u is known", h->version, VERSION);
	if (h->model != want.model || h->n_layer != want.n_layer || h->n_head_kv != want.n_head_kv ||
	    h->head_dim != want.head_dim || h->slab_blocks != want.slab_blocks ||
	    h->block_bytes != want.block_bytes)
		return iau_error(-EINVAL, "the KV cache of another model");
	if (h->key_bits != want.key_bits)
		return iau_error(-EINVAL, "keys of %u bits: the precision of the model's KV cache makes them %u, and those "
				 "of 4 are rotated", h->key_bits, want.key_bits);
	if (!h->n_tokens || h->n_tokens > m->n_ctx)
		return iau_error(-EINVAL, "%u tokens: 1 to %u are possible", h->n_tokens, m->n_ctx);
	return 0;
}

static int read_words(struct iau_session *s, int fd, const struct header *h, struct words *w)
{
	uint32_t bits = iau_kv_value_bits(&s->cfg.kv, &s->cfg.packed);
	bool may_pack = s->cfg.packed.block_bytes && h->value_bits == bits;
	size_t tokens = w->n_tokens * sizeof(*w->token), forms = w->n_slabs * sizeof(*w->form);

	if (pread(fd, w->token, tokens, sizeof(*h)) != (ssize_t)tokens ||
	    pread(fd, w->form, forms, (off_t)(sizeof(*h) + tokens)) != (ssize_t)forms)
		return iau_error(-EINVAL, "it ends before its slabs");
	if (checksum(h, w) != h->checksum)
		return iau_error(-EINVAL, "damaged: the checksum of its tokens is another");
	for (uint32_t i = 0; i < w->n_slabs; i++)
		if (w->form[i] >= KV_FORMS || (w->form[i] == KV_PACKED && !may_pack))
			return iau_error(-EINVAL, "packed slabs, values of %u bits: the precision of the model's KV "
					 "cache makes them %u", h->value_bits, bits);
	return iau_check_tokens(s, w->token, w->n_tokens);
}

static int check_size(const struct kv_pool *pool, const struct words *w, int fd)
{
	uint64_t need = data_at(w);
	struct stat st;

	for (uint32_t i = 0; i < w->n_slabs; i++)
		need += kv_layer_pages(pool, w->form[i], blocks_of(pool, w->n_tokens, i)) * pool->n_layer;
	if (fstat(fd, &st))
		return iau_error(-errno, "%s", strerror(errno));
	if ((uint64_t)st.st_size != need)
		return iau_error(-EINVAL, "%llu bytes instead of %llu", (unsigned long long)st.st_size,
				 (unsigned long long)need);
	return 0;
}

static int map_slabs(struct iau_session *s, int fd, const struct words *w)
{
	struct kv_pool *pool = &s->model->pool;
	uint64_t at = data_at(w);

	for (uint32_t i = 0; i < w->n_slabs; i++) {
		uint32_t blocks = blocks_of(pool, w->n_tokens, i);
		size_t bytes = kv_layer_pages(pool, w->form[i], blocks) * pool->n_layer;
		void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, (off_t)at);
		int err;

		if (map == MAP_FAILED)
			return iau_error(-errno, "%s", strerror(errno));
		err = kv_slab_create(pool, w->form[i], true, &s->kv.slab[i]);
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
	struct words w = { .token = s->token };
	int err;

	if (pread(fd, &h, sizeof(h), 0) != sizeof(h))
		return iau_error(-EINVAL, "not a KV cache: it has no header");
	err = check_header(s->model, &h);
	if (err)
		return err;
	w.n_tokens = h.n_tokens;
	w.n_slabs = iau_kv_slabs(&s->cfg.kv, h.n_tokens);
	w.form = calloc(w.n_slabs, sizeof(*w.form));
	if (!w.form)
		return iau_error_nomem("KV cache");
	err = read_words(s, fd, &h, &w);
	if (!err)
		err = check_size(&s->model->pool, &w, fd);
	if (!err)
		err = map_slabs(s, fd, &w);
	if (!err)
		s->length = h.n_tokens;
	free(w.form);
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
