/* SPDX-License-Identifier: MIT */
/* The end of a program of one process by an error, a negative errno */
#ifndef STRESS_MUST_H
#define STRESS_MUST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void fail(const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(-err));
	exit(1);
}

static inline void must(const char *what, int err)
{
	if (err)
		fail(what, err);
}

#endif
