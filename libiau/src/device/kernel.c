/* SPDX-License-Identifier: MIT */
/*
 * A card behind the kernel driver: one client, one address space, one queue. Buffers are bound once,
 * at addresses that this library chooses.
 */
#include "device/backend.h"
#include "device/va.h"
#include "base/error.h"
#include "iau_hw.h"

#include <drm/iau_accel.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

/* The oldest driver that waits for the jobs of a submission by the call that makes it */
#define DRIVER_MAJOR 0
#define DRIVER_MINOR 2

/* A buffer's other half: what iau_buffer does not tell */
struct bound {
	uint64_t va;
	uint32_t handle;
};

struct kernel {
	struct iau_device base;
	int fd;
	char *path;
	struct drm_iau_device_info info;
	uint32_t vm, queue;
	struct va_space va, views;
	struct bound *bound;
	size_t n_bound;
	struct iau_buffer params;
};

static struct kernel *to_kernel(struct iau_device *base)
{
	return (struct kernel *)(void *)base;
}

static int call(struct kernel *k, unsigned long request, void *arg, const char *what)
{
	if (!drmIoctl(k->fd, request, arg))
		return 0;
	if (errno == EDQUOT)
		return iau_error(-EDQUOT, "%s: %s: more memory than a client may have (module parameter client_mib)",
				 k->path, what);
	return iau_error(-errno, "%s: %s: %s", k->path, what, strerror(errno));
}

static void kernel_close(struct iau_device *base)
{
	struct kernel *k = to_kernel(base);

	/* the driver ends what the client had */
	close(k->fd);
	free(k->bound);
	va_free(&k->va);
	va_free(&k->views);
	free(k->path);
	free(k);
}

static void kernel_info(struct iau_device *base, struct iau_device_info *info)
{
	struct kernel *k = to_kernel(base);

	*info = (struct iau_device_info){
		.engine = k->path,
		.timed = true,
		.rows = k->info.rows,
		.lanes = k->info.lanes,
		.queues = k->info.queues,
		.contexts = k->info.contexts,
		.vector_bytes = k->info.vector_bytes,
		.tile_bytes = k->info.tile_bytes,
	};
}

static int bind_part(struct kernel *k, uint32_t flags, uint32_t handle, uint64_t va, struct iau_range part)
{
	struct drm_iau_bind_op op = { .flags = flags, .handle = handle, .offset = part.offset, .va = va,
				      .size = part.size };
	struct drm_iau_vm_bind args = { .vm_id = k->vm,
					.ops = { .stride = sizeof(op), .count = 1,
						 .array = (uintptr_t)&op } };

	return call(k, DRM_IOCTL_IAU_VM_BIND, &args, "bind");
}

static int bind(struct kernel *k, uint32_t flags, uint32_t handle, uint64_t va, uint64_t size)
{
	return bind_part(k, flags, handle, va, (struct iau_range){ 0, size });
}

static int map_buffer(struct kernel *k, uint32_t handle, uint64_t size, void **ptr)
{
	struct drm_iau_bo_mmap_offset args = { .handle = handle };
	int err = call(k, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &args, "mmap offset");

	if (err)
		return err;
	*ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, k->fd, (off_t)args.offset);
	if (*ptr == MAP_FAILED) {
		*ptr = NULL;
		return iau_error(-errno, "%s: mmap of %llu bytes: %s", k->path,
				 (unsigned long long)size, strerror(errno));
	}
	return 0;
}

static int note_bound(struct kernel *k, uint64_t va, uint32_t handle)
{
	struct bound *b = realloc(k->bound, (k->n_bound + 1) * sizeof(*b));

	if (!b)
		return iau_error_nomem("buffer");
	k->bound = b;
	b[k->n_bound++] = (struct bound){ va, handle };
	return 0;
}

static const struct bound *find_bound(const struct kernel *k, uint64_t va)
{
	for (size_t i = 0; i < k->n_bound; i++)
		if (k->bound[i].va == va)
			return &k->bound[i];
	return NULL;
}

/* Maps a new buffer here and on the device, and notes it down. */
static int place_buffer(struct kernel *k, const struct drm_iau_bo_create *bo, uint32_t bind_flags,
			struct iau_buffer *out)
{
	uint64_t va = va_find(&k->va, bo->size);
	void *ptr = NULL;
	int err = map_buffer(k, bo->handle, bo->size, &ptr);

	if (!err)
		err = bind(k, bind_flags, bo->handle, va, bo->size);
	if (!err)
		err = note_bound(k, va, bo->handle);
	if (err) {
		if (ptr)
			munmap(ptr, bo->size);
		drmCloseBufferHandle(k->fd, bo->handle);
		return err;
	}
	va_take(&k->va, bo->size);
	*out = (struct iau_buffer){ .va = va, .ptr = ptr, .size = bo->size };
	return 0;
}

static int kernel_buffer_create(struct iau_device *base, size_t size, enum iau_access access,
				struct iau_buffer *out)
{
	struct kernel *k = to_kernel(base);
	struct drm_iau_bo_create bo = { .size = size };
	int err = call(k, DRM_IOCTL_IAU_BO_CREATE, &bo, "buffer");

	if (err)
		return err;
	return place_buffer(k, &bo,
			    access == IAU_ACCESS_CONST ? DRM_IAU_BIND_CONST : DRM_IAU_BIND_WRITE,
			    out);
}

static int kernel_buffer_reserve(struct iau_device *base, size_t size, struct iau_buffer *out)
{
	struct kernel *k = to_kernel(base);
	struct drm_iau_bo_create bo = { .size = size, .flags = DRM_IAU_BO_KV, .vm_id = k->vm };
	int err = call(k, DRM_IOCTL_IAU_BO_CREATE, &bo, "reservation");

	return err ? err : place_buffer(k, &bo, DRM_IAU_BIND_WRITE, out);
}

static int no_buffer(const struct kernel *k, const struct iau_buffer *buf)
{
	return iau_error(-EINVAL, "%s: no buffer at %#llx", k->path, (unsigned long long)buf->va);
}

static int kernel_buffer_populate(struct iau_device *base, const struct iau_buffer *buf,
				  const struct iau_range *range, size_t n, bool present)
{
	struct kernel *k = to_kernel(base);
	const struct bound *b = find_bound(k, buf->va);
	struct drm_iau_bo_commit args = { .flags = present ? 0 : DRM_IAU_COMMIT_RELEASE };

	_Static_assert(sizeof(struct iau_range) == sizeof(struct drm_iau_range), "same layout");
	if (!b)
		return no_buffer(k, buf);
	args.handle = b->handle;
	/* the kernel takes so many at a time */
	for (size_t i = 0; i < n; i += args.ranges.count) {
		int err;

		args.ranges = (struct drm_iau_obj_array){
			.stride = sizeof(*range), .count = n - i < 4096 ? (uint32_t)(n - i) : 4096,
			.array = (uintptr_t)&range[i] };
		err = call(k, DRM_IOCTL_IAU_BO_COMMIT, &args, "memory");
		if (err)
			return err;
	}
	return 0;
}

static void kernel_buffer_destroy(struct iau_device *base, struct iau_buffer *buf)
{
	struct kernel *k = to_kernel(base);

	munmap(buf->ptr, buf->size);
	bind(k, DRM_IAU_BIND_UNMAP, 0, buf->va, buf->size);
	for (size_t i = 0; i < k->n_bound; i++) {
		if (k->bound[i].va != buf->va)
			continue;
		drmCloseBufferHandle(k->fd, k->bound[i].handle);
		k->bound[i] = k->bound[--k->n_bound];
		break;
	}
	va_give(&k->va, buf->va, buf->size);
}

static int kernel_view_create(struct iau_device *base, uint64_t size, struct iau_view *out)
{
	struct kernel *k = to_kernel(base);

	*out = (struct iau_view){ va_take(&k->views, size), size };
	return 0;
}

static int kernel_view_map(struct iau_device *base, uint64_t va, const struct iau_buffer *buf,
			   struct iau_range part)
{
	struct kernel *k = to_kernel(base);
	const struct bound *b = find_bound(k, buf->va);

	return b ? bind_part(k, DRM_IAU_BIND_WRITE, b->handle, va, part) : no_buffer(k, buf);
}

static int kernel_view_unmap(struct iau_device *base, uint64_t va, uint64_t size)
{
	return bind(to_kernel(base), DRM_IAU_BIND_UNMAP, 0, va, size);
}

static void kernel_view_destroy(struct iau_device *base, const struct iau_view *view)
{
	struct kernel *k = to_kernel(base);

	bind(k, DRM_IAU_BIND_UNMAP, 0, view->va, view->size);
	va_give(&k->views, view->va, view->size);
}

/* What became of a job that ended with ERROR, or with which its queue did */
static int report(struct kernel *k, int error)
{
	static const char *const names[] = IAU_FAULT_NAMES;
	struct drm_iau_queue_state s = { .id = k->queue };
	int err = call(k, DRM_IOCTL_IAU_QUEUE_STATE, &s, "queue state");

	if (err)
		return err;
	if (s.state & DRM_IAU_QUEUE_FAULT)
		return iau_error(-EIO, "device fault %s in the command at byte %u, info %u, address %#llx",
				 s.fault_code < sizeof(names) / sizeof(*names) ? names[s.fault_code] : "?",
				 s.fault_offset, s.fault_info, (unsigned long long)s.fault_va);
	if (s.state & DRM_IAU_QUEUE_TIMEOUT)
		return iau_error(-EIO, "%s: a job has hung", k->path);
	if (s.state & DRM_IAU_QUEUE_BANNED)
		return iau_error(-EIO, "%s: the device has lost a job", k->path);
	return error ? iau_error(error, "%s: job: %s", k->path, strerror(-error)) : 0;
}

/* Until no job runs, whatever signals come; parameters lie where every job can reach them. */
static int wait_idle(struct kernel *k)
{
	struct drm_iau_bo_wait args = { .handle = find_bound(k, k->params.va)->handle,
					.timeout_ns = -1 };

	return call(k, DRM_IOCTL_IAU_BO_WAIT, &args, "wait");
}

static int kernel_execute(struct iau_device *base, uint64_t cmd_va, size_t cmd_bytes,
			  const uint32_t *params)
{
	struct kernel *k = to_kernel(base);
	struct drm_iau_job job = { .cmd_va = cmd_va, .param_va = params ? k->params.va : 0,
				   .cmd_bytes = (uint32_t)cmd_bytes };
	struct drm_iau_submit submit = { .queue_id = k->queue,
					 .flags = DRM_IAU_SUBMIT_WAIT,
					 .jobs = { .stride = sizeof(job), .count = 1,
						   .array = (uintptr_t)&job },
					 .timeout_ns = -1 };
	int err;

	if (params)
		memcpy(k->params.ptr, params, IAU_PARAM_BYTES);
	err = call(k, DRM_IOCTL_IAU_SUBMIT, &submit, "submit");
	if (err)
		return err;
	if (!submit.result && !submit.state)
		return 0;
	if (submit.result != -EINTR)
		return report(k, submit.result);
	err = wait_idle(k);
	return err ? err : report(k, 0);
}

static uint64_t kernel_counter(struct iau_device *base, unsigned int counter)
{
	struct kernel *k = to_kernel(base);
	struct drm_iau_counters c = { { 0 } };
	struct drm_iau_dev_query q = { .type = DRM_IAU_DEV_QUERY_COUNTERS, .size = sizeof(c),
				       .pointer = (uintptr_t)&c };

	if (counter >= sizeof(c.value) / sizeof(*c.value) ||
	    call(k, DRM_IOCTL_IAU_DEV_QUERY, &q, "counters"))
		return 0;
	return c.value[counter];
}

static const struct iau_device_ops kernel_ops = {
	.close = kernel_close,
	.info = kernel_info,
	.buffer_create = kernel_buffer_create,
	.buffer_reserve = kernel_buffer_reserve,
	.buffer_populate = kernel_buffer_populate,
	.buffer_destroy = kernel_buffer_destroy,
	.view_create = kernel_view_create,
	.view_map = kernel_view_map,
	.view_unmap = kernel_view_unmap,
	.view_destroy = kernel_view_destroy,
	.execute = kernel_execute,
	.counter = kernel_counter,
};

static int bring_up(struct kernel *k)
{
	struct drm_iau_dev_query q = { .type = DRM_IAU_DEV_QUERY_INFO, .size = sizeof(k->info),
				       .pointer = (uintptr_t)&k->info };
	struct drm_iau_vm_create vm = { 0 };
	struct drm_iau_queue_create queue = { .priority = DRM_IAU_PRIORITY_NORMAL };
	int err = call(k, DRM_IOCTL_IAU_DEV_QUERY, &q, "query");

	if (!err)
		err = call(k, DRM_IOCTL_IAU_VM_CREATE, &vm, "address space");
	k->vm = queue.vm_id = vm.id;
	if (!err)
		err = call(k, DRM_IOCTL_IAU_QUEUE_CREATE, &queue, "queue");
	k->queue = queue.id;
	k->va.next = VA_FIRST;
	k->views.next = VA_VIEWS;
	if (!err)
		err = iau_buffer_create(&k->base, IAU_PARAM_BYTES, IAU_ACCESS_RW, &k->params);
	return err;
}

/* Is FD a node of our driver, and is it new enough? */
static int check_driver(const char *path, int fd)
{
	drmVersionPtr v = drmGetVersion(fd);
	int err = 0;

	if (!v || strcmp(v->name, "iau"))
		err = iau_error(-ENODEV, "%s: not a device of the iau driver", path);
	else if (v->version_major != DRIVER_MAJOR || v->version_minor < DRIVER_MINOR)
		err = iau_error(-EPROTO, "%s: the driver is version %d.%d; this library needs %d.%d: load iau.ko of the same release",
				path, v->version_major, v->version_minor, DRIVER_MAJOR, DRIVER_MINOR);
	drmFreeVersion(v);
	return err;
}

static int open_node(const char *path, struct iau_device **out)
{
	struct kernel *k;
	int fd = open(path, O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		return iau_error(-errno, "%s: %s", path, strerror(errno));
	err = check_driver(path, fd);
	if (err) {
		close(fd);
		return err;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		k->path = strdup(path);
	if (!k || !k->path) {
		free(k);
		close(fd);
		return iau_error_nomem("device");
	}
	k->base.ops = &kernel_ops;
	k->fd = fd;
	err = bring_up(k);
	if (err) {
		kernel_close(&k->base);
		return err;
	}
	*out = &k->base;
	return 0;
}

int iau_kernel_open(const char *path, struct iau_device **out)
{
	glob_t nodes;
	int err = 0;

	*out = NULL;
	if (path)
		return open_node(path, out);
	if (glob("/dev/accel/accel*", 0, NULL, &nodes))
		return 0;
	for (size_t i = 0; i < nodes.gl_pathc && !*out; i++) {
		err = open_node(nodes.gl_pathv[i], out);
		/* other drivers have accel nodes, too */
		if (err == -ENODEV)
			err = 0;
		if (err)
			break;
	}
	globfree(&nodes);
	return err;
}
