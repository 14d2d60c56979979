/* SPDX-License-Identifier: MIT */
/* How libiau itself reports an error. */
#ifndef IAU_BASE_ERROR_H
#define IAU_BASE_ERROR_H

#include <errno.h>
#include <stddef.h>

#include "iau/error.h"

/* Set this thread's message. */
__attribute__((format(printf, 1, 2))) void iau_set_error(const char *fmt, ...);

/*
 * Set this thread's message and yield @err (a negative errno), so that a failure is one
 * statement: return iau_error(-EINVAL, "%s: bad version %u", name, version);
 * A macro, so that the compiler sees that what is returned is not 0.
 */
#define iau_error(err, ...)                 \
	__extension__({                     \
		int iau_error_ = (err);     \
		iau_set_error(__VA_ARGS__); \
		iau_error_;                 \
	})

/* iau_error() for a failed allocation of @what. */
static inline int iau_error_nomem(const char *what)
{
	return iau_error(-ENOMEM, "%s: out of memory", what);
}

/*
 * Printable form of untrusted bytes for messages: what is not printable ASCII becomes \xNN and
 * what does not fit ends in "...". A value, so that several fit in one call.
 */
struct iau_printable {
	char text[100];
};

struct iau_printable iau_printable(const char *ptr, size_t len);

#endif
