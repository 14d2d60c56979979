/* SPDX-License-Identifier: MIT */
/* Sequences that are measured together: the loaded session and more like it. */
#ifndef IAU_TOOLS_SEQUENCES_H
#define IAU_TOOLS_SEQUENCES_H

#include "tool.h"

struct sequences {
	struct loaded *l;
	struct iau_model_info info;
	struct iau_session *s[IAU_BATCH_MAX];
	struct iau_batch *batch; /* of several */
	uint32_t n;
};

/* N: 1 to IAU_BATCH_MAX. To be closed whatever it returns */
int sequences_open(struct sequences *q, struct loaded *l, uint32_t n);
void sequences_close(struct sequences *q);
/* FN is told of every command from here on. */
int sequences_trace(struct sequences *q, iau_op_span_fn fn, void *opaque);
/* N tokens to each of them, one sequence after the other; NAME: what to show while it lasts */
int sequences_prefill(struct sequences *q, uint32_t n, const char *name);
/*
 * N more to each, by a batch if they are several; else up to MOST of them in a job, of which the device chooses all but the
 * first
 */
int sequences_decode(struct sequences *q, uint32_t n, uint32_t most, const char *name);

#endif
