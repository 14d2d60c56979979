/* SPDX-License-Identifier: MIT */
#ifndef IAU_MODEL_ROTATION_H
#define IAU_MODEL_ROTATION_H

#include "model/hparams.h"

/*
 * Tiles of a Hadamard matrix of head_dim x head_dim: tile (i, j) is the one at i + j. In INT4 they are what rows are
 * multiplied with, in INT8, behind those, rows that are multiplied.
 */
static inline uint32_t iau_hadamard_tiles(const struct iau_hparams *hp)
{
	return 2 * (hp->head_dim / 32) - 1;
}

#define HADAMARD_INT4 512u /* bytes of a tile */
#define HADAMARD_INT8 1024u

static inline uint32_t iau_hadamard_bytes(const struct iau_hparams *hp)
{
	return iau_hadamard_tiles(hp) * (HADAMARD_INT4 + HADAMARD_INT8);
}

void iau_hadamard_fill(const struct iau_hparams *hp, uint8_t *tiles);

/*
 * Products with it are multiplied by these, powers of two that together make the rotation of both orthogonal;
 * what keys were is the product with theirs, times that of queries.
 */
#define ROTATED_QUERY 0.125f
#define ROTATED_KEY(head_dim) (8.0f / (float)(head_dim))

#endif
