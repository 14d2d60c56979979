// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VM_BIND with ASYNC: mappings change between jobs, in the order of the calls. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "kselftest_harness.h"

#define OTHER_VA	0x50000000ull

FIXTURE(later) {
	struct client c;
	uint32_t bo, *p;	/* a second source */
};

FIXTURE_SETUP(later)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &self->bo));
	self->p = bo_map(self->c.fd, self->bo, PAGE);
	ASSERT_NE(NULL, self->p);
}

FIXTURE_TEARDOWN(later)
{
	client_close(&self->c);
}

static int state_of(struct client *c)
{
	struct drm_iau_queue_state state;

	return queue_state(c->fd, c->queue, &state) ?: (int)state.state;
}

TEST_F(later, is_made)
{
	put_end(put_store(put_load(self->c.cmd, OTHER_VA, PAGE), DST_VA, PAGE));
	self->p[5] = 55;
	ASSERT_EQ(0, bind_later(&self->c, 0, self->bo, 0, OTHER_VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0, state_of(&self->c));
	EXPECT_EQ(55, self->c.dst[5]);
}

/* Each job sees what was bound when it was submitted, however long the ones before take. */
TEST_F(later, between_jobs)
{
	struct client *c = &self->c;
	uint32_t *dst[8], bo[8];

	/* one job a destination, all queued up at once */
	for (uint32_t i = 0; i < 8; i++) {
		ASSERT_EQ(0, bo_create(c->fd, PAGE, &bo[i]));
		dst[i] = bo_map(c->fd, bo[i], PAGE);
		ASSERT_NE(NULL, dst[i]);
	}
	for (int round = 0; round < 5; round++) {
		c->src[0] = 100 + round;
		for (uint32_t i = 0; i < 8; i++) {
			ASSERT_EQ(0, bind_later(c, DRM_IAU_BIND_WRITE, bo[i], 0, DST_VA, PAGE));
			ASSERT_EQ(0, submit_copies(c, c->queue, 1));
		}
		ASSERT_EQ(0, client_wait(c, LONG_MS));
		for (uint32_t i = 0; i < 8; i++) {
			ASSERT_EQ(100 + round, dst[i][0]);
			dst[i][0] = 0;
		}
	}
	EXPECT_EQ(0, state_of(c));
	EXPECT_EQ(0, c->dst[0]);
}

/* A buffer whose handle is gone stays until jobs that were submitted before are over. */
TEST_F(later, unmapped_behind_jobs)
{
	struct client *c = &self->c;

	for (uint32_t i = 1; i < 20; i++) {
		uint32_t bo;

		ASSERT_EQ(0, bo_create(c->fd, PAGE, &bo));
		ASSERT_EQ(0, bind(c, DRM_IAU_BIND_WRITE, bo, 0, DST_VA, PAGE));
		ASSERT_EQ(0, submit_copies(c, c->queue, 16));
		ASSERT_EQ(0, bind_later(c, DRM_IAU_BIND_UNMAP, 0, 0, DST_VA, PAGE));
		ASSERT_EQ(0, bo_close(c->fd, bo));
	}
	ASSERT_EQ(0, client_wait(c, LONG_MS));
	EXPECT_EQ(0, state_of(c));
	/* and then it is unmapped */
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT, state_of(c));
}

/* It returns at once, though the job before it never ends. */
TEST_F(later, does_not_wait)
{
	struct client *c = &self->c;
	uint64_t before;

	put_branch(c->cmd, -1);
	ASSERT_EQ(0, submit_copies(c, c->queue, 1));
	before = c->point;
	ASSERT_EQ(0, bind_later(c, 0, self->bo, 0, OTHER_VA, PAGE));
	EXPECT_EQ(-ETIME, client_wait(c, 50));
	/* without its job it goes on */
	ASSERT_EQ(0, queue_destroy(c->fd, c->queue));
	EXPECT_EQ(0, client_wait(c, LONG_MS));
	EXPECT_LT(before, c->point);
	ASSERT_EQ(0, queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_NORMAL, &c->queue));
	put_end(put_store(put_load(c->cmd, OTHER_VA, PAGE), DST_VA, PAGE));
	self->p[1] = 7;
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(7, c->dst[1]);
}

/* A binding that must be made at once waits for those that were asked for before. */
TEST_F(later, then_at_once)
{
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 4));
		ASSERT_EQ(0, bind_later(&self->c, 0, self->bo, 0, OTHER_VA, PAGE));
		ASSERT_EQ(0, unbind(&self->c, OTHER_VA, PAGE));
		ASSERT_EQ(0, client_wait(&self->c, 0));
	}
	put_end(put_store(put_load(self->c.cmd, OTHER_VA, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT, state_of(&self->c));
}

static int bind_behind(struct client *c, uint32_t gate, uint32_t bo)
{
	struct drm_iau_sync syncs[] = {
		{ .handle = gate },
		{ .flags = DRM_IAU_SYNC_SIGNAL, .handle = c->timeline, .point = c->point + 1 },
	};
	struct drm_iau_bind_op op = { .handle = bo, .va = OTHER_VA, .size = PAGE };
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_IAU_VM_BIND_ASYNC,
		.ops = { sizeof(op), 1, (uintptr_t)&op },
		.syncs = { sizeof(syncs[0]), 2, (uintptr_t)syncs },
	};
	int err = ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args);

	if (!err)
		c->point++;
	return err;
}

/* It waits for the job of another client, whose fence came through a syncobj. */
TEST_F(later, behind_another_client)
{
	struct client other;
	int shared;
	uint32_t gate;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, loop_prepare(&other));
	ASSERT_EQ(0, submit_copies(&other, other.queue, 1));
	ASSERT_EQ(0, syncobj_export(other.fd, other.timeline, &shared));
	ASSERT_EQ(0, syncobj_import(self->c.fd, shared, &gate));
	ASSERT_EQ(0, bind_behind(&self->c, gate, self->bo));
	EXPECT_EQ(-ETIME, client_wait(&self->c, 50));
	client_close(&other);
	EXPECT_EQ(0, client_wait(&self->c, LONG_MS));
}

TEST_F(later, errors_come_at_once)
{
	struct client *c = &self->c;

	EXPECT_EQ(-ENOENT, bind_later(c, 0, 4242, 0, OTHER_VA, PAGE));
	EXPECT_EQ(-EINVAL, bind_later(c, 0, self->bo, 0, OTHER_VA + 1, PAGE));
	EXPECT_EQ(-EINVAL, bind_later(c, 0, self->bo, 0, OTHER_VA, 2 * PAGE));
	EXPECT_EQ(-EBUSY, bind_later(c, DRM_IAU_BIND_WRITE, c->cmd_bo, 0, OTHER_VA, PAGE));
}

/* Those before the failing one are made, the timeline tells when, the rest is not. */
TEST_F(later, some_of_several)
{
	struct client *c = &self->c;
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = c->timeline,
		.point = c->point + 1,
	};
	struct drm_iau_bind_op ops[3] = {
		{ .handle = self->bo, .va = OTHER_VA, .size = PAGE },
		{ .handle = 4242, .va = OTHER_VA + PAGE, .size = PAGE },
		{ .flags = DRM_IAU_BIND_UNMAP, .va = SRC_VA, .size = PAGE },
	};
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_IAU_VM_BIND_ASYNC,
		.ops = { sizeof(ops[0]), 3, (uintptr_t)ops },
		.syncs = { sizeof(out), 1, (uintptr_t)&out },
	};

	EXPECT_EQ(-ENOENT, ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args));
	EXPECT_EQ(1, args.ops.count);
	c->point++;
	ASSERT_EQ(0, client_wait(c, LONG_MS));
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(0, state_of(c));
}

/* Without operations it is a fence behind the jobs of the VM. */
TEST_F(later, nothing)
{
	struct client *c = &self->c;
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = c->timeline,
		.point = c->point + 2,
	};
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_IAU_VM_BIND_ASYNC,
		.syncs = { sizeof(out), 1, (uintptr_t)&out },
	};

	c->src[0] = 5;
	ASSERT_EQ(0, submit_copies(c, c->queue, 32));
	ASSERT_EQ(0, ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args));
	c->point++;
	ASSERT_EQ(0, client_wait(c, LONG_MS));
	EXPECT_EQ(5, c->dst[0]);
}

TEST_F(later, syncs_need_the_flag)
{
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = self->c.timeline,
		.point = 1,
	};
	struct drm_iau_vm_bind args = {
		.vm_id = self->c.vm,
		.syncs = { sizeof(out), 1, (uintptr_t)&out },
	};

	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_VM_BIND, &args));
	args.flags = DRM_IAU_VM_BIND_ASYNC;
	args.syncs.count = 65;
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_VM_BIND, &args));
	args.syncs.count = 1;
	out.handle = 4242;
	EXPECT_EQ(-ENOENT, ask(self->c.fd, DRM_IOCTL_IAU_VM_BIND, &args));
	out = (struct drm_iau_sync){ .handle = self->c.timeline, .point = 9 };
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_VM_BIND, &args));
}

/* A KV buffer with pages, bound behind jobs, and growing while that is under way */
TEST_F(later, kv)
{
	struct client *c = &self->c;
	uint32_t kv;

	ASSERT_EQ(0, kv_create(c->fd, c->vm, 8 * PAGE, &kv));
	ASSERT_EQ(0, kv_commit(c->fd, kv, 0, 0, PAGE, NULL));
	ASSERT_EQ(0, submit_copies(c, c->queue, 16));
	ASSERT_EQ(0, bind_later(c, DRM_IAU_BIND_WRITE, kv, 0, DST_VA, PAGE));
	ASSERT_EQ(0, bind_later(c, DRM_IAU_BIND_WRITE, kv, 0, OTHER_VA, 8 * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, kv, 0, PAGE, PAGE, NULL));
	c->src[1] = 9;
	ASSERT_EQ(0, run_copy(c));
	put_end(put_store(put_load(c->cmd, OTHER_VA, PAGE), OTHER_VA + PAGE, PAGE));
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(0, state_of(c));
}

/* Clients that leave with bindings under way */
TEST_F(later, client_leaves)
{
	for (int i = 0; i < 10; i++) {
		struct client c;

		ASSERT_EQ(0, client_open(&c));
		ASSERT_EQ(0, copy_prepare(&c));
		ASSERT_EQ(0, submit_copies(&c, c.queue, 32));
		ASSERT_EQ(0, bind_later(&c, DRM_IAU_BIND_UNMAP, 0, 0, 0, VA_LIMIT));
		client_close(&c);
	}
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0, state_of(&self->c));
}

TEST_HARNESS_MAIN
