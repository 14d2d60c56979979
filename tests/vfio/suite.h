/* SPDX-License-Identifier: MIT */
/* cmocka: each test with a server and a client of its own, on both engines. */
#ifndef TESTS_VFIO_SUITE_H
#define TESTS_VFIO_SUITE_H

#include "client.h"

#include <stdlib.h>

static inline int suite_setup(void **state)
{
	struct client *c = malloc(sizeof(*c));

	client_open(c, *state, "");
	*state = c;
	return 0;
}

static inline int suite_teardown(void **state)
{
	client_close(*state);
	free(*state);
	return 0;
}

/* clang-format off */
#define ON_BOTH(f)                                            \
	{ #f " on ref", f, suite_setup, suite_teardown, "ref" }, \
	{ #f " on rtl", f, suite_setup, suite_teardown, "rtl" }
/* clang-format on */

#endif
