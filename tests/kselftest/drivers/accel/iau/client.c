// SPDX-License-Identifier: GPL-2.0 OR MIT
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#define MAX_NODES	64
#define MAX_COPIES	64

int ask(int fd, unsigned long request, void *arg)
{
	int err;

	do {
		err = ioctl(fd, request, arg);
	} while (err && (errno == EINTR || errno == EAGAIN));
	return err ? -errno : 0;
}

static int is_iau(int fd)
{
	char name[8] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !ask(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "iau");
}

int node_open(void)
{
	for (int i = 0; i < MAX_NODES; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/accel/accel%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && is_iau(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENODEV;
}

int client_open(struct client *c)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->fd = node_open();
	if (c->fd < 0)
		return c->fd;
	err = vm_create(c->fd, &c->vm);
	if (!err)
		err = queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_NORMAL, &c->queue);
	if (!err)
		err = syncobj_create(c->fd, &c->timeline);
	if (err)
		client_close(c);
	return err;
}

void client_close(struct client *c)
{
	uint32_t *mapped[] = { c->src, c->dst, c->cmd };

	for (int i = 0; i < 3; i++)
		if (mapped[i])
			munmap(mapped[i], PAGE);
	if (c->fd >= 0)
		close(c->fd);
	c->src = NULL;
	c->dst = NULL;
	c->cmd = NULL;
	c->fd = -1;
}

int vm_create(int fd, uint32_t *id)
{
	struct drm_iau_vm_create args = { };
	int err = ask(fd, DRM_IOCTL_IAU_VM_CREATE, &args);

	*id = args.id;
	return err;
}

int vm_destroy(int fd, uint32_t id)
{
	struct drm_iau_vm_destroy args = { .id = id };

	return ask(fd, DRM_IOCTL_IAU_VM_DESTROY, &args);
}

int queue_create(int fd, uint32_t vm, uint32_t priority, uint32_t *id)
{
	struct drm_iau_queue_create args = { .vm_id = vm, .priority = priority };
	int err = ask(fd, DRM_IOCTL_IAU_QUEUE_CREATE, &args);

	*id = args.id;
	return err;
}

int queue_destroy(int fd, uint32_t id)
{
	struct drm_iau_queue_destroy args = { .id = id };

	return ask(fd, DRM_IOCTL_IAU_QUEUE_DESTROY, &args);
}

int queue_state(int fd, uint32_t id, struct drm_iau_queue_state *state)
{
	*state = (struct drm_iau_queue_state){ .id = id };
	return ask(fd, DRM_IOCTL_IAU_QUEUE_STATE, state);
}

int bo_create(int fd, uint64_t size, uint32_t *handle)
{
	struct drm_iau_bo_create args = { .size = size };
	int err = ask(fd, DRM_IOCTL_IAU_BO_CREATE, &args);

	*handle = args.handle;
	return err;
}

int kv_create(int fd, uint32_t vm, uint64_t size, uint32_t *handle)
{
	struct drm_iau_bo_create args = { .size = size, .flags = DRM_IAU_BO_KV, .vm_id = vm };
	int err = ask(fd, DRM_IOCTL_IAU_BO_CREATE, &args);

	*handle = args.handle;
	return err;
}

int kv_commit(int fd, uint32_t handle, uint32_t flags, uint64_t offset, uint64_t size,
	      uint64_t *committed)
{
	struct drm_iau_range range = { .offset = offset, .size = size };
	struct drm_iau_bo_commit args = {
		.handle = handle,
		.flags = flags,
		.ranges = { sizeof(range), 1, (uintptr_t)&range },
	};
	int err = ask(fd, DRM_IOCTL_IAU_BO_COMMIT, &args);

	if (committed)
		*committed = args.committed;
	return err;
}

int bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return ask(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int memory_share(size_t size, void **p)
{
	struct udmabuf_create args = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd = -1;

	args.memfd = memfd_create("iau", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (dev >= 0 && !ftruncate(args.memfd, size) &&
	    !fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		*p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, args.memfd, 0);
		fd = ioctl(dev, UDMABUF_CREATE, &args);
	}
	close(args.memfd);
	close(dev);
	return fd;
}

int bo_import(int fd, int shared, uint32_t *handle)
{
	struct drm_prime_handle args = { .fd = shared };
	int err = ask(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return err;
}

void *bo_map(int fd, uint32_t handle, size_t size)
{
	struct drm_iau_bo_mmap_offset args = { .handle = handle };
	void *p;

	if (ask(fd, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &args))
		return NULL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	return p == MAP_FAILED ? NULL : p;
}

int bind_ops(int fd, uint32_t vm, struct drm_iau_bind_op *ops, uint32_t *count)
{
	struct drm_iau_vm_bind args = {
		.vm_id = vm,
		.ops = { sizeof(*ops), *count, (uintptr_t)ops },
	};
	int err = ask(fd, DRM_IOCTL_IAU_VM_BIND, &args);

	*count = args.ops.count;
	return err;
}

int bind(struct client *c, uint32_t flags, uint32_t handle, uint64_t offset, uint64_t va,
	 uint64_t size)
{
	struct drm_iau_bind_op op = {
		.flags = flags,
		.handle = handle,
		.offset = offset,
		.va = va,
		.size = size,
	};
	uint32_t count = 1;

	return bind_ops(c->fd, c->vm, &op, &count);
}

int bind_later(struct client *c, uint32_t flags, uint32_t handle, uint64_t offset, uint64_t va,
	       uint64_t size)
{
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = c->timeline,
		.point = c->point + 1,
	};
	struct drm_iau_bind_op op = {
		.flags = flags,
		.handle = handle,
		.offset = offset,
		.va = va,
		.size = size,
	};
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_IAU_VM_BIND_ASYNC,
		.ops = { sizeof(op), 1, (uintptr_t)&op },
		.syncs = { sizeof(out), 1, (uintptr_t)&out },
	};
	int err = ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args);

	if (!err)
		c->point++;
	return err;
}

int unbind(struct client *c, uint64_t va, uint64_t size)
{
	return bind(c, DRM_IAU_BIND_UNMAP, 0, 0, va, size);
}

int syncobj_create(int fd, uint32_t *handle)
{
	struct drm_syncobj_create args = { };
	int err = ask(fd, DRM_IOCTL_SYNCOBJ_CREATE, &args);

	*handle = args.handle;
	return err;
}

int syncobj_signal(int fd, uint32_t handle)
{
	struct drm_syncobj_array args = { .handles = (uintptr_t)&handle, .count_handles = 1 };

	return ask(fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &args);
}

int syncobj_reset(int fd, uint32_t handle)
{
	struct drm_syncobj_array args = { .handles = (uintptr_t)&handle, .count_handles = 1 };

	return ask(fd, DRM_IOCTL_SYNCOBJ_RESET, &args);
}

static int64_t deadline(int ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + ms * 1000000ll;
}

int syncobj_wait(int fd, uint32_t handle, uint64_t point, uint32_t flags, int ms)
{
	struct drm_syncobj_timeline_wait args = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.timeout_nsec = deadline(ms),
		.count_handles = 1,
		.flags = flags,
	};

	return ask(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

int syncobj_query(int fd, uint32_t handle, uint64_t *point)
{
	struct drm_syncobj_timeline_array args = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)point,
		.count_handles = 1,
	};

	return ask(fd, DRM_IOCTL_SYNCOBJ_QUERY, &args);
}

int syncobj_export(int fd, uint32_t handle, int *shared)
{
	struct drm_syncobj_handle args = { .handle = handle };
	int err = ask(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	*shared = args.fd;
	return err;
}

int syncobj_import(int fd, int shared, uint32_t *handle)
{
	struct drm_syncobj_handle args = { .fd = shared };
	int err = ask(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return err;
}

int syncobj_status(int fd, uint32_t handle, int *status)
{
	struct drm_syncobj_handle args = {
		.handle = handle,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};
	struct sync_file_info info = { };
	int err = ask(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	if (err)
		return err;
	err = ask(args.fd, SYNC_IOC_FILE_INFO, &info);
	*status = info.status;
	close(args.fd);
	return err;
}

static void put64(uint32_t *words, int word, uint64_t value)
{
	words[word] = value;
	words[word + 1] = value >> 32;
}

static uint32_t *put_opcode(uint32_t *words, uint32_t opcode)
{
	memset(words, 0, IAU_CMD_BYTES);
	words[0] = opcode;
	return words + IAU_CMD_BYTES / sizeof(*words);
}

uint32_t *put_load(uint32_t *words, uint64_t va, uint32_t bytes)
{
	uint32_t *next = put_opcode(words, IAU_OP_LOAD);

	put64(words, IAU_LOAD_VA_WORD, va);
	words[IAU_LOAD_ROW_BYTES_WORD] = bytes;
	words[IAU_LOAD_ROWS_WORD] = 1;
	return next;
}

uint32_t *put_store(uint32_t *words, uint64_t va, uint32_t bytes)
{
	uint32_t *next = put_opcode(words, IAU_OP_STORE);

	put64(words, IAU_STORE_VA_WORD, va);
	words[IAU_STORE_ROW_BYTES_WORD] = bytes;
	words[IAU_STORE_ROWS_WORD] = 1;
	return next;
}

uint32_t *put_branch(uint32_t *words, int32_t offset)
{
	uint32_t *next = put_opcode(words, IAU_OP_BRANCH);

	words[IAU_BRANCH_OFFSET_WORD] = offset;
	return next;
}

uint32_t *put_end(uint32_t *words)
{
	return put_opcode(words, IAU_OP_END);
}

static int bound_page(struct client *c, uint32_t flags, uint64_t va, uint32_t *bo, uint32_t **p)
{
	int err = bo_create(c->fd, PAGE, bo);

	if (!err)
		err = bind(c, flags, *bo, 0, va, PAGE);
	if (err)
		return err;
	*p = bo_map(c->fd, *bo, PAGE);
	return *p ? 0 : -errno;
}

int copy_prepare(struct client *c)
{
	int err = bound_page(c, DRM_IAU_BIND_CONST, CMD_VA, &c->cmd_bo, &c->cmd);

	if (!err)
		err = bound_page(c, 0, SRC_VA, &c->src_bo, &c->src);
	if (!err)
		err = bound_page(c, DRM_IAU_BIND_WRITE, DST_VA, &c->dst_bo, &c->dst);
	if (!err)
		put_end(put_store(put_load(c->cmd, SRC_VA, PAGE), DST_VA, PAGE));
	return err;
}

int loop_prepare(struct client *c)
{
	int err = bound_page(c, DRM_IAU_BIND_CONST, CMD_VA, &c->cmd_bo, &c->cmd);

	if (!err)
		put_branch(c->cmd, -1);
	return err;
}

struct drm_iau_job copy_job(void)
{
	return (struct drm_iau_job){ .cmd_va = CMD_VA, .cmd_bytes = PAGE };
}

int submit(struct client *c, uint32_t queue, struct drm_iau_job *jobs, uint32_t count)
{
	struct drm_iau_submit args = {
		.queue_id = queue,
		.jobs = { sizeof(*jobs), count, (uintptr_t)jobs },
	};

	return ask(c->fd, DRM_IOCTL_IAU_SUBMIT, &args);
}

int submit_copies(struct client *c, uint32_t queue, uint32_t count)
{
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = c->timeline,
		.point = c->point + 1,
	};
	struct drm_iau_job jobs[MAX_COPIES];
	int err;

	for (uint32_t i = 0; i < count; i++)
		jobs[i] = copy_job();
	jobs[count - 1].syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	err = submit(c, queue, jobs, count);
	if (!err)
		c->point++;
	return err;
}

int client_wait(struct client *c, int ms)
{
	return syncobj_wait(c->fd, c->timeline, c->point, 0, ms);
}

int run_job(struct client *c, uint32_t queue, struct drm_iau_job job)
{
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = c->timeline,
		.point = c->point + 1,
	};
	int err;

	job.syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	err = submit(c, queue, &job, 1);
	if (err)
		return err;
	c->point++;
	return client_wait(c, LONG_MS);
}

int run_copy(struct client *c)
{
	return run_job(c, c->queue, copy_job());
}

int copy_between(struct client *c, uint64_t from, uint64_t to)
{
	struct drm_iau_queue_state state;
	int err;

	put_end(put_store(put_load(c->cmd, from, PAGE), to, PAGE));
	err = run_copy(c);
	if (!err)
		err = queue_state(c->fd, c->queue, &state);
	if (err || !state.state)
		return err;
	if (!(state.state & DRM_IAU_QUEUE_FAULT) ||
	    (state.fault_va != from && state.fault_va != to))
		return -EPROTO;
	queue_destroy(c->fd, c->queue);
	return queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_NORMAL, &c->queue) ?:
	       (int)state.fault_code;
}

int debug_open(const char *name, int flags)
{
	glob_t files;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accel/*/%s", name);
	if (glob(path, 0, NULL, &files))
		return -ENOENT;
	fd = open(files.gl_pathv[0], flags | O_CLOEXEC);
	globfree(&files);
	return fd < 0 ? -errno : fd;
}

int take_back(void)
{
	int fd = debug_open("shrink", O_WRONLY), err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, "1000000", 7) != 7)
		err = -errno;
	close(fd);
	return err;
}

void *at_page_end(size_t size)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, PAGE, PROT_NONE))
		return NULL;
	return p + PAGE - size;
}
