/* SPDX-License-Identifier: MIT */
/* cmocka with the headers that it wants before it. */
#ifndef TESTS_SUPPORT_CMOCKA_ALL_H
#define TESTS_SUPPORT_CMOCKA_ALL_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

/* The last message must name @text. */
#define assert_message(text)                                                      \
	do {                                                                      \
		if (!strstr(iau_last_error(), text))                              \
			fail_msg("\"%s\" has no \"%s\"", iau_last_error(), text); \
	} while (0)

/* Run the group @name of @tests with TAP output; the value of main(). */
#define run_group(name, tests)                     \
	(cmocka_set_message_output(CM_OUTPUT_TAP), \
	 _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), NULL, NULL))

#endif
