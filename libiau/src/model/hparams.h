/* SPDX-License-Identifier: MIT */
/*
 * Hyperparameters of a model, from the metadata of its file.
 *
 * Whatever is in the file and would change the result in a way that libiau does not compute is
 * refused by name, so that a model either runs as its authors meant it or not at all.
 */
#ifndef IAU_MODEL_HPARAMS_H
#define IAU_MODEL_HPARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "iau/gguf.h"

enum iau_arch {
	IAU_ARCH_LLAMA,
	IAU_ARCH_QWEN2,
	IAU_ARCH_QWEN3,
};

/* Which elements of a head rope rotates together. */
enum iau_rope {
	IAU_ROPE_NORM, /* pairs (2i, 2i + 1) */
	IAU_ROPE_NEOX, /* pairs (i, i + rope_dim / 2) */
};

struct iau_hparams {
	enum iau_arch arch;
	uint32_t n_vocab;
	uint32_t n_ctx; /* trained context length, tokens */
	uint32_t n_embd;
	uint32_t n_layer; /* 1 to 1024 */
	uint32_t n_ff;
	uint32_t n_head;
	uint32_t n_head_kv; /* divides n_head */
	uint32_t head_dim;  /* of keys and values; even; n_head * head_dim may differ from n_embd */
	float rms_eps;	    /* above 0 */
	float rope_base;    /* above 0 */
	uint32_t rope_dim;  /* rotated elements of a head, even, at most head_dim */
	enum iau_rope rope;
	bool qkv_bias;	  /* blk.N.attn_{q,k,v}.bias are added */
	bool qk_norm;	  /* q and k are RMS-normalised per head, before rope */
	bool tied_output; /* no output.weight: token_embd.weight is used */
};

/*
 * Read and check the hyperparameters, and check that the file has exactly the tensors that the
 * architecture needs, each of a supported type and of the right shape. 0, -ENOENT for a missing
 * key or tensor, -EINVAL for a bad value, -ENOTSUP for what is valid but not supported.
 */
int iau_hparams_load(const struct iau_gguf *gguf, struct iau_hparams *hparams);

const char *iau_arch_name(enum iau_arch arch);

#endif
