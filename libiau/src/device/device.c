/* SPDX-License-Identifier: MIT */
#include "device/backend.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

int iau_device_open(const struct iau_device_options *options, struct iau_device **out)
{
	struct iau_device_options o = { 0 };
	int err;

	*out = NULL;
	if (options)
		o = *options;
	if (o.engine && o.node)
		return iau_error(-EINVAL, "engine '%s' runs in this process, not on %s", o.engine,
				 o.node);
	if (!o.engine) {
		err = iau_kernel_open(o.node, out);
		if (err || *out)
			return err;
		o.engine = "ref";
	}
	return iau_inproc_open(&o, out);
}

void iau_device_close(struct iau_device *dev)
{
	if (dev)
		dev->ops->close(dev);
}

void iau_device_info(struct iau_device *dev, struct iau_device_info *info)
{
	dev->ops->info(dev, info);
}

int iau_buffer_create(struct iau_device *dev, size_t size, enum iau_access access,
		      struct iau_buffer *out)
{
	memset(out, 0, sizeof(*out));
	if (!size)
		return iau_error(-EINVAL, "buffer of 0 bytes");
	return dev->ops->buffer_create(dev, size, access, out);
}

int iau_buffer_reserve(struct iau_device *dev, size_t size, struct iau_buffer *out)
{
	memset(out, 0, sizeof(*out));
	if (!size)
		return iau_error(-EINVAL, "reservation of 0 bytes");
	return dev->ops->buffer_reserve(dev, size, out);
}

/* Whether part I is whole pages of WHAT, which has SIZE bytes */
static int check_part(const struct iau_range *r, size_t i, const char *what, uint64_t size)
{
	if ((r->offset | r->size) % 4096 || r->offset > size || r->size > size - r->offset)
		return iau_error(-EINVAL, "part %zu: %llu bytes at %llu of a %s of %llu", i,
				 (unsigned long long)r->size, (unsigned long long)r->offset, what,
				 (unsigned long long)size);
	return 0;
}

static int populate(struct iau_device *dev, const struct iau_buffer *buf,
		    const struct iau_range *range, size_t n, bool present)
{
	for (size_t i = 0; i < n; i++) {
		int err = check_part(&range[i], i, "buffer", buf->size);

		if (err)
			return err;
	}
	return dev->ops->buffer_populate(dev, buf, range, n, present);
}

int iau_buffer_commit(struct iau_device *dev, const struct iau_buffer *buf,
		      const struct iau_range *range, size_t n)
{
	return populate(dev, buf, range, n, true);
}

int iau_buffer_decommit(struct iau_device *dev, const struct iau_buffer *buf,
			const struct iau_range *range, size_t n)
{
	return populate(dev, buf, range, n, false);
}

void iau_buffer_destroy(struct iau_device *dev, struct iau_buffer *buf)
{
	if (!buf->ptr)
		return;
	dev->ops->buffer_destroy(dev, buf);
	memset(buf, 0, sizeof(*buf));
}

int iau_view_create(struct iau_device *dev, size_t size, struct iau_view *out)
{
	memset(out, 0, sizeof(*out));
	if (!size)
		return iau_error(-EINVAL, "view of 0 bytes");
	return dev->ops->view_create(dev, (size + 4095) & ~UINT64_C(4095), out);
}

int iau_view_map(struct iau_device *dev, const struct iau_view *view, uint64_t at,
		 const struct iau_buffer *buf, struct iau_range part)
{
	struct iau_range to = { at, part.size };
	int err = check_part(&part, 0, "buffer", buf->size);

	if (!err)
		err = check_part(&to, 0, "view", view->size);
	return err || !part.size ? err : dev->ops->view_map(dev, view->va + at, buf, part);
}

int iau_view_unmap(struct iau_device *dev, const struct iau_view *view, struct iau_range part)
{
	int err = check_part(&part, 0, "view", view->size);

	return err || !part.size ? err : dev->ops->view_unmap(dev, view->va + part.offset, part.size);
}

void iau_view_destroy(struct iau_device *dev, struct iau_view *view)
{
	if (!view->va)
		return;
	dev->ops->view_destroy(dev, view);
	memset(view, 0, sizeof(*view));
}

int iau_device_execute(struct iau_device *dev, uint64_t cmd_va, size_t cmd_bytes,
		       const uint32_t *params)
{
	return dev->ops->execute(dev, cmd_va, cmd_bytes, params);
}

int iau_device_trace(struct iau_device *dev, iau_span_fn fn, void *opaque)
{
	struct iau_device_info info;

	if (dev->ops->trace)
		return dev->ops->trace(dev, fn, opaque);
	iau_device_info(dev, &info);
	return iau_error(-ENOTSUP, "%s: commands are traced by the engine rtl in this process only",
			 info.engine);
}

uint64_t iau_device_counter(struct iau_device *dev, unsigned int counter)
{
	return dev->ops->counter(dev, counter);
}
