/* SPDX-License-Identifier: MIT */
#include "iau_dev.h"

#include <string.h>

const struct iau_dev_ops *iau_dev_engine(const char *name)
{
	static const struct iau_dev_ops *const engines[] = {
		&iau_ref_engine,
		&iau_ref2_engine,
		&iau_rtl_engine,
	};

	for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
