/* SPDX-License-Identifier: MIT */
/* What a traced evaluation was made of, and what can be told from it. */
#ifndef IAU_SPANS_H
#define IAU_SPANS_H

#include "iau/model.h"

#include <jansson.h>

/* Spans in the order of their ends */
struct spans {
	struct iau_op_span *v;
	size_t n, cap;
	bool failed; /* no memory for more */
};

extern const char *const unit_names[IAU_UNITS];

/* A callback for iau_session_trace(); OPAQUE is struct spans. */
void spans_add(void *opaque, const struct iau_op_span *span);
void spans_free(struct spans *s);

/*
 * Where the cycles of all jobs went: of each unit, busy, waiting for memory, for another unit, for
 * commands to arrive, or without work; of each operator, cycles of each unit. Prints a table of cycles a
 * token, or gives JSON.
 */
void breakdown_print(const struct spans *s, uint32_t tokens);
json_t *breakdown_json(const struct spans *s, uint32_t tokens);

#endif
