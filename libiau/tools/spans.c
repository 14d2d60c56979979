/* SPDX-License-Identifier: MIT */
#include "spans.h"

#include <stdlib.h>
#include <string.h>

const char *const unit_names[IAU_UNITS] = { "load", "store", "matrix", "vector", "copy", "job" };

void spans_add(void *opaque, const struct iau_op_span *span)
{
	struct spans *s = opaque;

	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 4096;
		void *p = realloc(s->v, cap * sizeof(*s->v));

		s->failed |= !p;
		if (!p)
			return;
		s->v = p;
		s->cap = cap;
	}
	s->v[s->n++] = *span;
}

void spans_free(struct spans *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
