/* SPDX-License-Identifier: MIT */
/* Which tensors an architecture has, and of what shape. */
#ifndef IAU_MODEL_TENSORS_H
#define IAU_MODEL_TENSORS_H

#include "model/hparams.h"

/*
 * Check that the file holds exactly the tensors that @hp calls for, and set @hp->tied_output.
 * 0, -ENOENT (missing), -EINVAL (wrong shape), -ENOTSUP (another tensor, or its type).
 */
int iau_tensors_check(const struct iau_gguf *gguf, struct iau_hparams *hp);

#endif
