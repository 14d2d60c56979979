/* SPDX-License-Identifier: MIT */
/*
 * Mutated GGUF files: gguf_mutate [SEED [COUNT]]
 *
 * Takes small valid files of every architecture and tokenizer, damages them, and loads what comes
 * out: file, hyperparameters, tokenizer, and some text through the tokenizer. Nothing may crash,
 * leak or read out of bounds (run it under the sanitizers), and each failure must carry a new
 * message. Prints TAP with its seed; the same seed and count make the same files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "iau/gguf.h"
#include "iau/tokenizer.h"
#include "model/hparams.h"
#include "model/quant.h"
#include "runtime/rng.h"
#include "tiny_model.h"

#define N_FILES 6

struct file {
	uint8_t *data;
	size_t size;
};

static struct file originals[N_FILES];
static unsigned long loaded, models, tokenizers, failures;

static size_t below(struct iau_rng *rng, size_t n)
{
	return n ? (size_t)(iau_rng_next(rng) % n) : 0;
}

static void make_originals(void)
{
	static const struct {
		const char *arch, *pre;
	} list[N_FILES] = {
		{ "llama", NULL },    { "llama", "llama-bpe" }, { "llama", "smollm" },
		{ "qwen2", "qwen2" }, { "qwen3", "qwen2" },	{ "llama", "gpt-2" },
	};

	for (int i = 0; i < N_FILES; i++)
		originals[i].data = tiny_file(list[i].arch, list[i].pre, &originals[i].size);
}

/* Bytes before the tensor data, where damage does something. */
static size_t head_size(const struct file *f)
{
	return f->size < 20000 ? f->size : 20000;
}

static void flip(struct iau_rng *rng, struct file *f)
{
	f->data[below(rng, head_size(f))] ^= (uint8_t)(1u << below(rng, 8));
}

static void set_byte(struct iau_rng *rng, struct file *f)
{
	f->data[below(rng, head_size(f))] = (uint8_t)iau_rng_next(rng);
}

static void truncate_file(struct iau_rng *rng, struct file *f)
{
	f->size = below(rng, iau_rng_next(rng) % 2 ? f->size : head_size(f));
}

/* Put a number that is likely to matter where a length, count or type may be. */
static void set_number(struct iau_rng *rng, struct file *f)
{
	static const uint64_t numbers[] = { 0,
					    1,
					    2,
					    8,
					    9,
					    12,
					    13,
					    31,
					    33,
					    255,
					    65536,
					    INT32_MAX,
					    UINT32_MAX,
					    1ull << 32,
					    INT64_MAX,
					    UINT64_MAX,
					    UINT64_MAX - 31,
					    1ull << 61 };
	uint64_t value = numbers[below(rng, sizeof(numbers) / sizeof(numbers[0]))];
	size_t width = iau_rng_next(rng) % 2 ? 4 : 8;
	size_t at = below(rng, head_size(f));

	if (iau_rng_next(rng) % 4 == 0)
		at = 4 * below(rng, 6); /* the header */
	if (f->size >= at + width)
		memcpy(f->data + at, &value, width);
}

/* Change a number that is there by a little. */
static void nudge(struct iau_rng *rng, struct file *f)
{
	size_t at = below(rng, head_size(f));
	int32_t value;

	if (f->size < at + sizeof(value))
		return;
	memcpy(&value, f->data + at, sizeof(value));
	value = (int32_t)((uint32_t)value + (uint32_t)below(rng, 9) - 4u);
	memcpy(f->data + at, &value, sizeof(value));
}

/* Copy a stretch of this or another file over this one. */
static void splice(struct iau_rng *rng, struct file *f)
{
	const struct file *from = &originals[below(rng, N_FILES)];
	size_t at = below(rng, head_size(f)), source = below(rng, head_size(from));
	size_t n = 1 + below(rng, 200);

	if (at + n <= f->size && source + n <= from->size)
		memcpy(f->data + at, from->data + source, n);
}

/* Take a stretch out, so that all that follows moves. */
static void cut_out(struct iau_rng *rng, struct file *f)
{
	size_t at = below(rng, head_size(f)), n = 1 + below(rng, 32);

	if (at + n > f->size)
		return;
	memmove(f->data + at, f->data + at + n, f->size - at - n);
	f->size -= n;
}

static void mutate(struct iau_rng *rng, struct file *f)
{
	static void (*const ways[])(struct iau_rng *, struct file *) = {
		flip, set_byte, truncate_file, set_number, set_number, nudge, splice, cut_out,
	};
	size_t n = 1 + below(rng, 3);

	for (size_t i = 0; i < n && f->size; i++)
		ways[below(rng, sizeof(ways) / sizeof(ways[0]))](rng, f);
}

/* Whether a step went as promised: success, or an errno and a message of its own. */
static int expect(const char *step, int err)
{
	if (!err) {
		iau_error(-EINVAL, "stale");
		return 1;
	}
	if (err > 0 || err < -4095 || !strcmp(iau_last_error(), "stale") || !*iau_last_error()) {
		printf("# %s: %d without a message\n", step, err);
		failures++;
	}
	iau_error(-EINVAL, "stale");
	return 0;
}

static void use_tensors(const struct iau_gguf *g)
{
	for (size_t i = 0; i < iau_gguf_n_tensors(g); i++) {
		const struct iau_tensor *t = iau_gguf_tensor_at(g, i);
		volatile uint8_t sink;
		struct iau_block block;

		if (!t->data)
			continue;
		sink = ((const uint8_t *)t->data)[0];
		sink = ((const uint8_t *)t->data)[t->bytes - 1];
		(void)sink;
		if (t->type == IAU_TENSOR_Q8_0)
			expect("block view",
			       iau_block_view(t->type, t->data, t->bytes / 34 - 1, &block));
	}
}

static void use_tokenizer(struct iau_rng *rng, const struct iau_tokenizer *tok)
{
	static const char text[] =
		"hello  world 1234 it's\n\n<|im_start|><s></s> \xc3\xa9\xff\xe2\x82"
		"\0\xf0\x9f\x98\x80 <tool>";
	char random[64];
	size_t n, len;
	int32_t *ids;
	char *back;

	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (char)iau_rng_next(rng);
	for (unsigned int flags = 0; flags < 4; flags++) {
		const char *from = flags == 1 ? random : text;
		size_t size = flags == 1 ? sizeof(random) : sizeof(text) - 1;

		if (!expect("encode", iau_tokenizer_encode(tok, from, size, flags, &ids, &n)))
			continue;
		if (expect("decode", iau_tokenizer_decode(tok, ids, n, flags, &back, &len)))
			free(back);
		free(ids);
	}
	for (uint32_t i = 0; i < iau_tokenizer_n_vocab(tok); i++)
		iau_tokenizer_piece(tok, (int32_t)i, IAU_DECODE_SPECIAL);
}

static void load(struct iau_rng *rng, const struct file *f)
{
	struct iau_tokenizer *tok;
	struct iau_hparams hp;
	struct iau_gguf *g;

	if (!expect("file", iau_gguf_open_memory(f->data, f->size, &g)))
		return;
	loaded++;
	use_tensors(g);
	models += (unsigned long)expect("hyperparameters", iau_hparams_load(g, &hp));
	if (expect("tokenizer", iau_tokenizer_load(g, &tok))) {
		tokenizers++;
		use_tokenizer(rng, tok);
		iau_tokenizer_free(tok);
	}
	iau_gguf_close(g);
}

static void run(struct iau_rng *rng)
{
	const struct file *from = &originals[below(rng, N_FILES)];
	struct file f = { malloc(from->size), from->size };

	if (!f.data)
		abort();
	memcpy(f.data, from->data, f.size);
	mutate(rng, &f);
	/* exactly as long as the file, so that the sanitizers see what is read behind it */
	f.data = realloc(f.data, f.size ? f.size : 1);
	load(rng, &f);
	free(f.data);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 2000;
	struct iau_rng rng;
	int good;

	make_originals();
	printf("1..2\n# seed %llu count %lu\n", (unsigned long long)seed, count);
	iau_rng_seed(&rng, seed);
	iau_error(-EINVAL, "stale");
	for (int i = 0; i < N_FILES; i++)
		load(&rng, &originals[i]);
	good = loaded == N_FILES && models == N_FILES && tokenizers == N_FILES;
	printf("%sok 1 - unmutated files load\n", good ? "" : "not ");
	for (unsigned long i = 0; i < count; i++)
		run(&rng);
	printf("# of %lu files loaded: %lu, models %lu, tokenizers %lu\n", count, loaded - N_FILES,
	       models - N_FILES, tokenizers - N_FILES);
	printf("%sok 2 - mutated files fail with a message or load\n", failures ? "not " : "");
	for (int i = 0; i < N_FILES; i++)
		free(originals[i].data);
	return !good || failures;
}
