/* SPDX-License-Identifier: MIT */
/* Models and sessions: a GGUF file on a device, and sequences of tokens run through it. */
#ifndef IAU_MODEL_H
#define IAU_MODEL_H

#include "iau/device.h"
#include "iau/gguf.h"
#include "iau/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iau_model;
struct iau_session;

/**
 * struct iau_model_info - what a model is
 * @arch:	architecture name, as in the file
 * @n_vocab:	tokens of the vocabulary
 * @n_ctx:	longest sequence in tokens: the trained context, or the caller's limit if lower
 * @n_layer:	layers
 * @n_embd:	width
 * @requantised: some matrix was F32, F16 or BF16 and became Q8_0
 * @matrix_bytes: bytes of the quantised matrices that one token needs
 * @macs:	multiply-accumulates of one token outside attention
 * @head_macs:	of them, those of the output matrix
 * @spared_macs: of them, those of the last layer but for keys and values: where no token of up to 32 of a prompt
 *		that are worked on at once is asked for logits, these, @head_macs and the last layer's attention are spared
 * @kv_bytes:	bytes of KV cache a token
 * @attention_macs: multiply-accumulates of one token for each key that it sees
 */
struct iau_model_info {
	const char *arch;
	uint32_t n_vocab, n_ctx, n_layer, n_embd;
	bool requantised;
	uint64_t matrix_bytes, macs, head_macs, spared_macs, kv_bytes, attention_macs;
};

/**
 * iau_model_load() - map a GGUF file and put its weights into device memory
 * @path:	the file
 * @n_ctx:	limit of the context, tokens; 0 = as trained
 *
 * Return: 0; errors of the loader; -ENOTSUP what the device or library does not compute;
 * -ENOMEM. The model must not outlive the device.
 */
int iau_model_load(struct iau_device *dev, const char *path, uint32_t n_ctx, struct iau_model **out);
void iau_model_free(struct iau_model *model);
void iau_model_info(const struct iau_model *model, struct iau_model_info *info);
const struct iau_tokenizer *iau_model_tokenizer(const struct iau_model *model);

/**
 * iau_session_create() - an empty sequence with its own KV cache
 *
 * Return: 0; -ENOMEM no space for the KV cache; -ENOTSUP that is more than 4 GiB; -ENOSPC the model is too
 * wide for the scratchpad.
 */
int iau_session_create(struct iau_model *model, struct iau_session **out);
void iau_session_free(struct iau_session *s);

/* Tokens in the sequence. */
uint32_t iau_session_length(const struct iau_session *s);

/* Forgets the tokens from position LENGTH on. -EINVAL if there are fewer. */
int iau_session_truncate(struct iau_session *s, uint32_t length);

/* The tokens of the sequence, iau_session_length() of them. Valid until the next call with the session. */
const int32_t *iau_session_tokens(const struct iau_session *s);

/**
 * iau_session_fork() - a sequence that begins as another does
 * @length:	so many tokens of @from are its first
 *
 * Their keys and values are in memory once, for both, and are not computed again; each sequence then goes its
 * own way. A slab, 256 tokens for the demo model, is copied by whichever first goes on in the middle of it.
 * Attention is chosen as in @from. There are no logits before a token is evaluated.
 *
 * Return: 0; -EINVAL @from is shorter; errors of iau_session_create(). Either may be
 * freed first.
 */
int iau_session_fork(const struct iau_session *from, uint32_t length, struct iau_session **out);

/**
 * iau_session_save() - tokens, keys and values into a file
 *
 * The file appears under its name when it is complete. Return: 0; -EINVAL the sequence is empty; errors of
 * the file system.
 */
int iau_session_save(const struct iau_session *s, const char *path);

/**
 * iau_session_load() - a sequence as it was saved
 *
 * The file is mapped, and read when the sequence is first evaluated; it must not be changed before, but may
 * be replaced by iau_session_save(). There are no logits before a token is evaluated: to go on where it
 * ended, truncate it by one token and evaluate that. Attention is dense until it is chosen.
 *
 * Return: 0; -EINVAL not such a file, damaged, of another model or longer than the context; -ENOTSUP a
 * version that is not known; errors of the file system and of iau_session_create().
 */
int iau_session_load(struct iau_model *model, const char *path, struct iau_session **out);

/**
 * iau_model_kv_budget() - limit the device memory of a model's KV caches
 * @bytes:	of keys, values and bounds of all sequences; 0 = no limit
 *
 * What would be more goes to host memory, slab by slab, those first that were unused the longest, and comes
 * back before it is attended to. Of a sequence whose own keys and values are more, pages that no choice of blocks
 * (iau_session_attention()) had for the longest go and come one by one; it takes a job a layer then, not one, and the
 * same results. What such a sequence needs for one layer, and its newest slab, have to be there; without a choice that
 * is all of it.
 *
 * Return: 0; -ENOSPC bounds alone, which stay, are more; -ENOMEM the host has no memory. Nothing changed then
 * but where slabs are.
 */
int iau_model_kv_budget(struct iau_model *model, uint64_t bytes);

/**
 * iau_model_kv_precision() - keep keys or values in 4 bits
 * @key_bits, @value_bits: 8, as they are without this call, or 4: the upper half of the 8. Keys are rotated then, with
 *		the queries (QuaRot, Ashkboos et al. 2024), also while they are in 8 bits
 * @recent:	newest tokens of each sequence that stay in 8 bits, at least; a slab gets packed as soon as all
 *		sequences that have it are so much longer
 *
 * For all sequences of the model; there must be none yet.
 *
 * Return: 0; -EINVAL other numbers of bits; -EBUSY there are sessions.
 */
int iau_model_kv_precision(struct iau_model *model, uint32_t key_bits, uint32_t value_bits, uint32_t recent);

/**
 * struct iau_kv_usage - memory of a model's KV caches
 * @budget:	iau_model_kv_budget(), 0 = none
 * @device:	bytes of device memory, bounds included; what several sequences share counts once
 * @device_packed: of them those of slabs with 4 bits
 * @host:	bytes of host memory; files that are mapped do not count
 * @packed:	slabs that were packed so far
 * @demoted:	slabs that went to host memory so far
 * @promoted:	slabs that came from there, or from files
 * @pages_demoted, @pages_promoted: the same of single pages of 4096 bytes, of sequences that do not fit the budget by
 *		themselves
 */
struct iau_kv_usage {
	uint64_t budget, device, device_packed, host, packed, demoted, promoted, pages_demoted, pages_promoted;
};

void iau_model_kv_usage(const struct iau_model *model, struct iau_kv_usage *usage);

/**
 * iau_kv_usage_of() - the same of another process, or of this one, by all its models together
 *
 * It is read from the process's open files; iau top shows it.
 *
 * Return: how many models it has; -ESRCH no such process; -EACCES it is somebody else's.
 */
int iau_kv_usage_of(int pid, struct iau_kv_usage *usage);

/**
 * struct iau_attention - which keys a token attends to
 * @budget:	tokens that a single new token attends to, at most, on average over the layers; 0 = all. In
 *		each layer and for each KV head, blocks of 32 tokens are chosen that could have the highest
 *		scores, beside the newest ones
 * @prompt_budget: the same where many tokens are evaluated at a time, a choice for so many of them together
 * @sink:	tokens at the start that are always among them
 * @recent:	newest tokens that always are, before any choice: as many as the budget make a window. There
 *		are 1 to 8 blocks of them in any case (4 if head_dim is 128)
 * @dense_layers: layers, from the first, that attend to all
 * @block:	16: a block is as good as the better of its halves, which have bounds of their own, twice as many;
 *		64: neighbouring blocks are chosen together; 32 or 0: each by itself. Between 16 and the others bounds
 *		are made anew
 *
 * All are rounded up to blocks of 32. A layer takes a multiple of 8 (4) blocks; where a budget is none, the last
 * layers take 8 (4) more than the first ones, but not with a window, which is rounded down. A sequence that the
 * budget covers is attended to whole, with the same result to the bit as without one.
 */
struct iau_attention {
	uint32_t budget, prompt_budget, sink, recent, dense_layers, block;
};

/**
 * iau_session_attention() - choose it, for the tokens to come
 *
 * Return: 0; -EINVAL a budget is less than 16 (8) blocks, @sink is more than is chosen, or there is no such @block;
 * -ENOMEM; -ENOSPC the model is so wide that not even one token has room for a choice. After the last two all keys
 * may be attended to, if @block had changed.
 */
int iau_session_attention(struct iau_session *s, const struct iau_attention *attention);

/**
 * struct iau_op_span - a command of a session on its way through the device
 * @span:	where it was when
 * @op:		what it is for, such as "qkv projection"; of a job NULL
 * @layer:	of the model; of the embedding 0, of output norm and logits the number of layers
 * @rows:	tokens that are evaluated at a time
 */
struct iau_op_span {
	struct iau_span span;
	const char *op;
	uint32_t layer, rows;
};

typedef void (*iau_op_span_fn)(void *opaque, const struct iau_op_span *span);

/**
 * iau_session_trace() - be told of every command of the evaluations to come
 * @fn:		called from within iau_session_eval(); NULL: no more
 *
 * Those of other sessions and batches of the model are told, too. Return: 0; -ENOTSUP not the rtl engine in this process.
 */
int iau_session_trace(struct iau_session *s, iau_op_span_fn fn, void *opaque);

/**
 * iau_logits_fn - receives the logits of one position
 * @logits:	n_vocab values, the prediction after token @position; valid during the call
 *
 * Return: 0 to go on; else the evaluation stops and returns the value.
 */
typedef int (*iau_logits_fn)(void *opaque, uint32_t position, const float *logits);

/**
 * iau_session_eval() - append tokens
 * @tokens:	N ids below n_vocab
 * @each:	called for every position; NULL = only the last position's logits are computed
 *
 * Return: 0; -EINVAL a token out of range; -ENOSPC the context is full (nothing was appended);
 * -ENOSPC the KV budget is too small for the sequence (as many as fit were appended);
 * -EIO the device faulted.
 */
int iau_session_eval(struct iau_session *s, const int32_t *tokens, size_t n, iau_logits_fn each,
		     void *opaque);

/**
 * iau_session_eval_some() - append the first of the tokens that are to be appended
 * @tokens:	N ids below n_vocab
 * @n:		all of them: the last one's logits are computed, when it is its turn
 * @done:	how many were appended: as many as one job takes, of some four million cycles
 *
 * The same as iau_session_eval(), for those who tell of progress or may be interrupted: call it with the others until there
 * are none.
 *
 * Return: as iau_session_eval().
 */
int iau_session_eval_some(struct iau_session *s, const int32_t *tokens, size_t n, size_t *done);

/**
 * iau_session_generate() - append a token, and after it the likeliest ones, which the device chooses itself
 * @token:	the first one
 * @n:		so many at most, the first included; not 0
 *
 * One job evaluates several tokens, each of which is the likeliest after the one before, with the same results as
 * iau_session_eval() for one after the other; of equally likely ones the first in the vocabulary is taken. How many
 * iau_session_length() tells, and iau_session_tokens() which: at least one, and at most 128 or as many as read 256 MiB of
 * weights, because other jobs wait meanwhile. It ends sooner before a token that ends the text, if logits are not finite,
 * if the context is full, and where there is work for the host: with sparse attention behind each block of 32 tokens. iau_session_logits() are
 * those after the last one, so that the caller chooses the next and goes on.
 *
 * Return: as iau_session_eval(); -EINVAL also if @n is 0. After an error nothing was appended.
 */
int iau_session_generate(struct iau_session *s, int32_t token, size_t n);

/*
 * Logits after the last token, n_vocab values; NULL before the first. Valid until the sequence or the
 * batch that evaluated it is evaluated again or freed.
 */
const float *iau_session_logits(const struct iau_session *s);

struct iau_batch;

#define IAU_BATCH_MAX 16 /* sequences */

/**
 * iau_batch_create() - to decode several sequences of a model at once
 * @max:	sequences at a time, 1 to IAU_BATCH_MAX
 *
 * A batch reads each weight once for all of its sequences. Their sessions may be filled, decoded alone and
 * in any batch in between, one thread at a time; prompts are evaluated by iau_session_eval().
 *
 * Return: 0; -EINVAL @max out of range; -ENOMEM; -ENOSPC the model is too wide for so many.
 */
int iau_batch_create(struct iau_model *model, uint32_t max, struct iau_batch **out);
void iau_batch_free(struct iau_batch *b);

/**
 * iau_batch_eval() - append a token to each of several sequences, in one job
 * @sessions:	N different ones of the batch's model; lengths may differ
 * @tokens:	of each, the token
 *
 * The logits are those that the sequences would have alone, but for the order in which attention sums
 * over keys (smaller chunks), and nothing depends on which others are in the batch.
 * iau_session_logits() of each has them.
 *
 * Return: 0; -EINVAL N is not 1 to the batch's maximum, a session twice or of another model, a token out
 * of range; -ENOSPC a context is full; -ENOMEM; -EIO the device faulted. After an error nothing was appended to any sequence.
 */
int iau_batch_eval(struct iau_batch *b, struct iau_session *const *sessions, const int32_t *tokens,
		   uint32_t n);

#ifdef __cplusplus
}
#endif

#endif
