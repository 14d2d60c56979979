/* SPDX-License-Identifier: MIT */
/*
 * Errors of libiau.
 *
 * A function that can fail returns 0, or a negative errno value (-EINVAL, -ENOMEM, ...), and leaves
 * a message that names what failed and where. The message belongs to the calling thread. The
 * library prints nothing and never exits.
 */
#ifndef IAU_ERROR_H
#define IAU_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Longest message kept, including the terminating NUL; longer ones are cut. */
#define IAU_ERROR_MAX 512

/**
 * iau_last_error() - message of the last failure in this thread
 *
 * Returns a NUL-terminated string, never NULL; "" when nothing failed yet in this thread. It is
 * overwritten by the next failure in the same thread and is not cleared by success. Bytes of
 * untrusted names that are not printable ASCII appear as \xNN.
 */
const char *iau_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
