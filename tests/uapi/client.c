/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_COPIES 64

const char *client_node = "/dev/accel/accel0";

int ask(struct client *c, unsigned long request, void *arg)
{
	return drmIoctl(c->fd, request, arg) ? -errno : 0;
}

void client_open(struct client *c)
{
	struct drm_iau_vm_create vm = { 0 };
	struct drm_iau_queue_create queue = { .priority = DRM_IAU_PRIORITY_NORMAL };

	memset(c, 0, sizeof(*c));
	c->cmd_bytes = 3 * IAU_CMD_BYTES;
	c->fd = open(client_node, O_RDWR | O_CLOEXEC);
	assert_true(c->fd >= 0);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_CREATE, &vm), 0);
	c->vm = queue.vm_id = vm.id;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_CREATE, &queue), 0);
	c->queue = queue.id;
	assert_int_equal(drmSyncobjCreate(c->fd, 0, &c->timeline), 0);
}

void client_close(struct client *c)
{
	while (c->pages)
		munmap(c->page[--c->pages], 4096);
	close(c->fd);
}

uint32_t new_bo(struct client *c, uint64_t size)
{
	struct drm_iau_bo_create bo = { .size = size };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_CREATE, &bo), 0);
	return bo.handle;
}

void *map_bo(struct client *c, uint32_t handle, uint64_t size)
{
	struct drm_iau_bo_mmap_offset at = { .handle = handle };
	void *p;

	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &at), 0);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, (off_t)at.offset);
	assert_true(p != MAP_FAILED);
	return p;
}

int bind(struct client *c, uint32_t flags, uint32_t bo, uint64_t offset, uint64_t va, uint64_t size)
{
	struct drm_iau_bind_op op = { flags, bo, offset, va, size };
	struct drm_iau_vm_bind args = { .vm_id = c->vm, .ops = { sizeof(op), 1, (uintptr_t)&op } };

	return ask(c, DRM_IOCTL_IAU_VM_BIND, &args);
}

static uint32_t *bound_page(struct client *c, uint32_t flags, uint64_t va, uint32_t *bo)
{
	*bo = new_bo(c, 4096);
	assert_int_equal(bind(c, flags, *bo, 0, va, 4096), 0);
	return c->page[c->pages++] = map_bo(c, *bo, 4096);
}

void prepare_copy(struct client *c, uint32_t **src, uint32_t **dst)
{
	uint32_t bo, *cmd = bound_page(c, DRM_IAU_BIND_CONST, CMD_VA, &bo);

	*src = bound_page(c, 0, SRC_VA, &bo);
	*dst = bound_page(c, DRM_IAU_BIND_WRITE, DST_VA, &c->dst_bo);
	cmd[0] = IAU_OP_LOAD;
	IAU_PUT(cmd, SRC_VA, IAU_LOAD_VA);
	IAU_PUT(cmd, 4096, IAU_LOAD_ROW_BYTES);
	IAU_PUT(cmd, 1, IAU_LOAD_ROWS);
	cmd += 16;
	cmd[0] = IAU_OP_STORE;
	IAU_PUT(cmd, DST_VA, IAU_STORE_VA);
	IAU_PUT(cmd, 4096, IAU_STORE_ROW_BYTES);
	IAU_PUT(cmd, 1, IAU_STORE_ROWS);
	cmd[16] = IAU_OP_END;
}

void prepare_count(struct client *c, float **sum)
{
	const float one = 1;
	uint32_t bits, *cmd = bound_page(c, DRM_IAU_BIND_CONST, CMD_VA, &c->dst_bo);

	memcpy(&bits, &one, sizeof(bits));
	*sum = (float *)bound_page(c, DRM_IAU_BIND_WRITE, DST_VA, &c->dst_bo);
	c->cmd_bytes = 4 * IAU_CMD_BYTES;
	cmd[0] = IAU_OP_LOAD;
	IAU_PUT(cmd, DST_VA, IAU_LOAD_VA);
	IAU_PUT(cmd, 128, IAU_LOAD_ROW_BYTES);
	IAU_PUT(cmd, 1, IAU_LOAD_ROWS);
	cmd += 16;
	cmd[0] = IAU_OP_VEC;
	IAU_PUT(cmd, 1, IAU_VEC_A1);
	IAU_PUT(cmd, 1, IAU_VEC_OUT);
	IAU_PUT(cmd, 1, IAU_VEC_ROWS);
	IAU_PUT(cmd, 32, IAU_VEC_COLS);
	IAU_PUT(cmd, 1024, IAU_VEC_D_ADDR);
	IAU_PUT(cmd, bits, IAU_VEC_IMM1);
	cmd += 16;
	cmd[0] = IAU_OP_STORE;
	IAU_PUT(cmd, DST_VA, IAU_STORE_VA);
	IAU_PUT(cmd, 128, IAU_STORE_ROW_BYTES);
	IAU_PUT(cmd, 1, IAU_STORE_ROWS);
	IAU_PUT(cmd, 1024, IAU_STORE_ADDR);
	cmd[16] = IAU_OP_END;
}

void prepare_loop(struct client *c)
{
	uint32_t bo, *cmd = bound_page(c, DRM_IAU_BIND_CONST, CMD_VA, &bo);

	cmd[0] = IAU_OP_BRANCH;
	IAU_PUT(cmd, (uint32_t)-1, IAU_BRANCH_OFFSET);
}

/* N copies; the last signals the timeline, the first waits for GATE. */
static int submit(struct client *c, uint32_t n, uint32_t tag, uint32_t gate)
{
	struct drm_iau_sync out = { DRM_IAU_SYNC_SIGNAL, c->timeline, c->point + 1 };
	struct drm_iau_sync in = { 0, gate, 0 };
	struct drm_iau_sync both[2] = { out, in };
	struct drm_iau_job job[MAX_COPIES];
	struct drm_iau_submit s = { .queue_id = c->queue, .jobs = { sizeof(job[0]), n, (uintptr_t)job } };
	int err;

	memset(job, 0, sizeof(job));
	for (uint32_t i = 0; i < n; i++)
		job[i] = (struct drm_iau_job){ .cmd_va = CMD_VA, .cmd_bytes = c->cmd_bytes, .tag = tag };
	job[n - 1].syncs = (struct drm_iau_obj_array){ sizeof(out), gate ? 2 : 1, (uintptr_t)both };
	err = ask(c, DRM_IOCTL_IAU_SUBMIT, &s);
	c->point += !err;
	return err;
}

int wait_point(struct client *c, int ms)
{
	struct timespec now;
	int64_t until;

	clock_gettime(CLOCK_MONOTONIC, &now);
	until = now.tv_sec * INT64_C(1000000000) + now.tv_nsec + ms * INT64_C(1000000);
	return drmSyncobjTimelineWait(c->fd, &c->timeline, &c->point, 1, until, 0, NULL);
}

int run_copies(struct client *c, uint32_t n)
{
	int err = submit(c, n, 0, 0);

	return err ? err : wait_point(c, 60000);
}

int run_copy(struct client *c, uint32_t tag)
{
	int err = submit(c, 1, tag, 0);

	return err ? err : wait_point(c, 60000);
}

void submit_copies(struct client *c, uint32_t n)
{
	submit_tagged(c, n, 0);
}

void submit_tagged(struct client *c, uint32_t n, uint32_t tag)
{
	assert_int_equal(submit(c, n, tag, 0), 0);
}

int submit_copy_behind(struct client *c, uint32_t gate)
{
	return submit(c, 1, 0, gate);
}
