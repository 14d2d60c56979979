/* SPDX-License-Identifier: MIT */
/*
 * The figures of a model's KV caches, kept where other processes can read them: in a file without a name
 * (memfd_create(2)) that is open in this one, and gone with it.
 */
#ifndef IAU_RUNTIME_KV_USAGE_H
#define IAU_RUNTIME_KV_USAGE_H

#include "iau/model.h"

struct kv_usage {
	struct iau_kv_usage *now;
	int fd; /* -1: there are no such files, so it is told to nobody */
};

int kv_usage_create(struct kv_usage *usage);
void kv_usage_free(struct kv_usage *usage);

#endif
