/* SPDX-License-Identifier: MIT */
/* The model's tensors in device memory, in the layouts that the graph's commands expect. */
#ifndef IAU_MODEL_WEIGHTS_H
#define IAU_MODEL_WEIGHTS_H

#include "iau/device.h"
#include "model/hparams.h"

/* Longest run of k blocks whose tiles lie together, so that one column of tiles fits a slot. */
#define IAU_SEGMENT_BLOCKS 28
#define IAU_CHUNK_BYTES 0x8000u /* what is loaded at a time, whole columns of a segment, at most */

/*
 * A matrix of N outputs by K inputs as tiles of 32 x 32, cut along k into segments. A column of
 * tiles (32 outputs) of a segment of S blocks is contiguous: S x 32 fp16 scales, S upper nibble
 * planes, and S lower planes unless INT4. Columns follow each other, then the next segment.
 */
struct iau_matrix {
	uint64_t va;
	uint32_t n, k; /* as in the file */
	uint32_t nt, kb;
	uint32_t segment; /* blocks of each but perhaps the last */
	bool int4;
};

/* A layer's matrices, and its fp32 vectors in one pack that is one load. */
struct iau_layer {
	struct iau_matrix q, k, v, o, gate, up, down;
	uint64_t pack_va;
};

/* A layer's pack: attn_norm, ffn_norm, then biases of q, k, v, then q_norm, k_norm. */
struct iau_pack_layout {
	uint32_t attn_norm, ffn_norm, bias, q_norm, k_norm, bytes;
};

struct iau_weights {
	struct iau_buffer buf;
	struct iau_pack_layout pack;
	struct iau_layer *layer;
	struct iau_matrix output;
	uint64_t output_norm_va;
	uint64_t embd_va;    /* rows of n_embd INT8 and n_embd / 32 fp32 scales */
	uint32_t embd_stride; /* a multiple of 64, as rows of a list are */
	uint64_t hadamard_va; /* tiles: see rotation.c */
	uint64_t rope_va;    /* a row a position: head_dim cosines, head_dim signed sines */
	bool requantised;    /* some matrix was F32, F16 or BF16 and became Q8_0 */
	uint64_t matrix_bytes; /* bytes of the matrices that one token reads */
	uint64_t macs;	       /* multiply-accumulates of one token outside attention */
};

/* Bytes of one tile with its scales. */
static inline uint32_t iau_tile_bytes(const struct iau_matrix *m)
{
	return m->int4 ? 576 : 1088;
}

/* POSITIONS of the rope table are prepared. 0, -EINVAL, -ENOTSUP or -ENOMEM. */
int iau_weights_load(struct iau_device *dev, const struct iau_gguf *gguf,
		     const struct iau_hparams *hp, uint32_t positions, struct iau_weights *w);
void iau_weights_free(struct iau_device *dev, struct iau_weights *w);

#endif
