/* SPDX-License-Identifier: MIT */
/* What a kind of device does; the layers above do not know which it is. */
#ifndef IAU_DEVICE_BACKEND_H
#define IAU_DEVICE_BACKEND_H

#include "iau/device.h"

struct iau_device_ops {
	void (*close)(struct iau_device *dev);
	void (*info)(struct iau_device *dev, struct iau_device_info *info);
	int (*buffer_create)(struct iau_device *dev, size_t size, enum iau_access access,
			     struct iau_buffer *out);
	int (*buffer_reserve)(struct iau_device *dev, size_t size, struct iau_buffer *out);
	/* memory for a part, or none: checked to be pages of the buffer */
	int (*buffer_populate)(struct iau_device *dev, const struct iau_buffer *buf,
			       const struct iau_range *range, size_t n, bool present);
	void (*buffer_destroy)(struct iau_device *dev, struct iau_buffer *buf);
	int (*view_create)(struct iau_device *dev, uint64_t size, struct iau_view *out); /* whole pages */
	/* the rest: parts are checked to be pages of both */
	int (*view_map)(struct iau_device *dev, uint64_t va, const struct iau_buffer *buf,
			struct iau_range part);
	int (*view_unmap)(struct iau_device *dev, uint64_t va, uint64_t size);
	void (*view_destroy)(struct iau_device *dev, const struct iau_view *view);
	int (*execute)(struct iau_device *dev, uint64_t cmd_va, size_t cmd_bytes,
		       const uint32_t *params);
	int (*trace)(struct iau_device *dev, iau_span_fn fn, void *opaque); /* may be NULL */
	uint64_t (*counter)(struct iau_device *dev, unsigned int counter);
};

/* The first member of every kind's own structure */
struct iau_device {
	const struct iau_device_ops *ops;
};

/* An engine in this process */
int iau_inproc_open(const struct iau_device_options *options, struct iau_device **out);

/* A card behind the kernel driver. PATH NULL: the first one, or success with *OUT NULL. */
int iau_kernel_open(const char *path, struct iau_device **out);

#endif
