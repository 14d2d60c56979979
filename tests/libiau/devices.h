/* SPDX-License-Identifier: MIT */
/* Which devices a test runs on. */
#ifndef TESTS_LIBIAU_DEVICES_H
#define TESTS_LIBIAU_DEVICES_H

#include "cmocka_all.h"
#include "iau/device.h"
#include "iau/error.h"

#include <stdlib.h>

/* The card that IAU_NODE names, or an engine in this process; asserts that it opens. */
static inline struct iau_device *device_open(const char *engine)
{
	const char *node = getenv("IAU_NODE");
	struct iau_device_options o = { .engine = node ? NULL : engine, .node = node };
	struct iau_device *dev;

	if (iau_device_open(&o, &dev))
		fail_msg("%s", iau_last_error());
	return dev;
}

/* A test function F as two tests, one for each engine */
#define ENGINES(f)									\
	static void f##_on_ref(void **state) { (void)state; f("ref"); }			\
	static void f##_on_rtl(void **state) { (void)state; f("rtl"); }

#define ON_ENGINES(f) cmocka_unit_test(f##_on_ref), cmocka_unit_test(f##_on_rtl)

#endif
