// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What jobs wait for and what they signal. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define MOST	64

FIXTURE(sync) {
	struct client c;
	uint32_t binary;
};

FIXTURE_SETUP(sync)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, syncobj_create(self->c.fd, &self->binary));
}

FIXTURE_TEARDOWN(sync)
{
	client_close(&self->c);
}

static int submit_with(struct client *c, struct drm_iau_sync *syncs, uint32_t count)
{
	struct drm_iau_job job = copy_job();

	job.syncs = (struct drm_iau_obj_array){ sizeof(*syncs), count, (uintptr_t)syncs };
	return submit(c, c->queue, &job, 1);
}

static int submit_sync(struct client *c, uint32_t flags, uint32_t handle, uint64_t point)
{
	struct drm_iau_sync sync = { .flags = flags, .handle = handle, .point = point };

	return submit_with(c, &sync, 1);
}

TEST_F(sync, binary)
{
	self->c.src[0] = 3;
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->binary, 0));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, self->binary, 0, 0, LONG_MS));
	EXPECT_EQ(3, self->c.dst[0]);
}

TEST_F(sync, binary_again)
{
	for (uint32_t i = 1; i < 20; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->binary, 0));
		ASSERT_EQ(0, syncobj_wait(self->c.fd, self->binary, 0, 0, LONG_MS));
		ASSERT_EQ(i, self->c.dst[0]);
	}
}

TEST_F(sync, timeline)
{
	uint64_t point;

	for (uint64_t i = 1; i <= 20; i++)
		ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, i * 5));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 7, 0, LONG_MS));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 100, 0, LONG_MS));
	ASSERT_EQ(0, syncobj_query(self->c.fd, self->c.timeline, &point));
	EXPECT_EQ(100, point);
}

TEST_F(sync, point_that_does_not_come)
{
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 1));
	EXPECT_EQ(-ETIME, syncobj_wait(self->c.fd, self->c.timeline, 2,
				       DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, 50));
	EXPECT_EQ(-EINVAL, syncobj_wait(self->c.fd, self->c.timeline, 2, 0, 50));
}

TEST_F(sync, bad_flags)
{
	EXPECT_EQ(-EINVAL, submit_sync(&self->c, 1u << 1, self->binary, 0));
	EXPECT_EQ(-EINVAL, submit_sync(&self->c, 1u << 31, self->binary, 0));
}

TEST_F(sync, bad_handle)
{
	EXPECT_EQ(-ENOENT, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, 4242, 0));
	EXPECT_EQ(-ENOENT, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, 4242, 1));
	EXPECT_EQ(-ENOENT, submit_sync(&self->c, 0, 4242, 0));
	EXPECT_EQ(-ENOENT, submit_sync(&self->c, 0, 0, 0));
}

/* Waiting for what nobody has promised would be waiting without end. */
TEST_F(sync, nothing_to_wait_for)
{
	EXPECT_EQ(-EINVAL, submit_sync(&self->c, 0, self->binary, 0));
	ASSERT_EQ(0, syncobj_signal(self->c.fd, self->binary));
	EXPECT_EQ(0, submit_sync(&self->c, 0, self->binary, 0));
	ASSERT_EQ(0, syncobj_reset(self->c.fd, self->binary));
	EXPECT_EQ(-EINVAL, submit_sync(&self->c, 0, self->binary, 0));
}

TEST_F(sync, future_point)
{
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 5));
	EXPECT_EQ(0, submit_sync(&self->c, 0, self->c.timeline, 5));
	EXPECT_EQ(-EINVAL, submit_sync(&self->c, 0, self->c.timeline, 6));
}

/* A point that is not ahead of the last one breaks no order: it comes when the last one does. */
TEST_F(sync, point_backwards)
{
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 10));
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 3));
	EXPECT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 10, 0, LONG_MS));
}

TEST_F(sync, most)
{
	struct drm_iau_sync syncs[MOST + 1];

	for (int i = 0; i <= MOST; i++) {
		syncs[i] = (struct drm_iau_sync){ .flags = DRM_IAU_SYNC_SIGNAL };
		ASSERT_EQ(0, syncobj_create(self->c.fd, &syncs[i].handle));
	}
	EXPECT_EQ(-EINVAL, submit_with(&self->c, syncs, MOST + 1));
	ASSERT_EQ(0, submit_with(&self->c, syncs, MOST));
	for (int i = 0; i < MOST; i++)
		ASSERT_EQ(0, syncobj_wait(self->c.fd, syncs[i].handle, 0, 0, LONG_MS));
	/* and to wait for all of them */
	for (int i = 0; i < MOST; i++)
		syncs[i].flags = 0;
	EXPECT_EQ(0, submit_with(&self->c, syncs, MOST));
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_F(sync, one_job_waits_and_signals)
{
	struct drm_iau_sync syncs[2] = {
		{ .flags = 0, .handle = self->c.timeline, .point = 1 },
		{ .flags = DRM_IAU_SYNC_SIGNAL, .handle = self->c.timeline, .point = 2 },
	};

	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 1));
	ASSERT_EQ(0, submit_with(&self->c, syncs, 2));
	EXPECT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 2, 0, LONG_MS));
}

/* A set with one bad member signals nothing. */
TEST_F(sync, none_of_a_bad_set_signals)
{
	struct drm_iau_sync syncs[2] = {
		{ .flags = DRM_IAU_SYNC_SIGNAL, .handle = self->binary },
		{ .flags = DRM_IAU_SYNC_SIGNAL, .handle = 4242 },
	};

	EXPECT_EQ(-ENOENT, submit_with(&self->c, syncs, 2));
	EXPECT_EQ(-EINVAL, syncobj_wait(self->c.fd, self->binary, 0, 0, 10));
}

/* A queue waits for another one: a copy into the source, then the copy from it. */
TEST_F(sync, across_queues)
{
	struct drm_iau_job first = copy_job(), second = copy_job();
	struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL, .handle = self->binary };
	struct drm_iau_sync in = { .handle = self->binary };
	uint32_t low, high;

	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_LOW, &low));
	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL, &high));
	put_end(put_store(put_load(self->c.cmd + 512, DST_VA, 512), DST_VA + 2048, 512));
	first.syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	second.cmd_va = CMD_VA + 2048;
	second.cmd_bytes = 192;
	second.syncs = (struct drm_iau_obj_array){ sizeof(in), 1, (uintptr_t)&in };
	for (uint32_t i = 1; i < 30; i++) {
		self->c.src[5] = i;
		ASSERT_EQ(0, submit(&self->c, low, &first, 1));
		ASSERT_EQ(0, submit(&self->c, high, &second, 1));
		/* waits for both */
		ASSERT_EQ(0, unbind(&self->c, SRC_VA, PAGE));
		ASSERT_EQ(0, bind(&self->c, 0, self->c.src_bo, 0, SRC_VA, PAGE));
		ASSERT_EQ(i, self->c.dst[512 + 5]);
	}
}

/* A job that has nothing to wait for still comes behind one of its queue that has. */
TEST_F(sync, none_overtakes_one_that_waits)
{
	struct drm_iau_job busy[16], first = copy_job(), second = copy_job();
	struct drm_iau_sync begun = { .flags = DRM_IAU_SYNC_SIGNAL, .handle = self->binary };
	struct drm_iau_sync in = { .handle = self->binary }, out = begun;
	uint32_t other;

	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL, &other));
	ASSERT_EQ(0, syncobj_create(self->c.fd, &out.handle));
	for (int i = 0; i < 16; i++)
		busy[i] = copy_job();
	busy[15].syncs = (struct drm_iau_obj_array){ sizeof(begun), 1, (uintptr_t)&begun };
	/* the second takes on what the first has left */
	put_end(put_store(put_load(self->c.cmd + 256, SRC_VA, 4), DST_VA + 1024, 4));
	put_end(put_store(put_load(self->c.cmd + 512, DST_VA + 1024, 4), DST_VA + 1028, 4));
	first.cmd_va += 1024;
	first.cmd_bytes = 192;
	first.syncs = (struct drm_iau_obj_array){ sizeof(in), 1, (uintptr_t)&in };
	second.cmd_va += 2048;
	second.cmd_bytes = 192;
	second.syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	for (uint32_t i = 1; i <= 10; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, submit(&self->c, other, busy, 16));
		ASSERT_EQ(0, submit(&self->c, self->c.queue, &first, 1));
		ASSERT_EQ(0, submit(&self->c, self->c.queue, &second, 1));
		ASSERT_EQ(0, syncobj_wait(self->c.fd, out.handle, 0, 0, LONG_MS));
		ASSERT_EQ(i, self->c.dst[257]);
	}
}

/* ... and for another client's, which shares its syncobj. */
TEST_F(sync, across_clients)
{
	struct client other;
	uint32_t theirs;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, copy_prepare(&other));
	ASSERT_EQ(0, syncobj_export(self->c.fd, self->binary, &shared));
	ASSERT_EQ(0, syncobj_import(other.fd, shared, &theirs));
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 30));
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->binary, 0));
	ASSERT_EQ(0, submit_sync(&other, 0, theirs, 0));
	ASSERT_EQ(0, run_copy(&other));
	EXPECT_EQ(0, client_wait(&self->c, 0));
	close(shared);
	client_close(&other);
}

/* Nobody waits for a client that has gone: its fences are signalled. */
TEST_F(sync, signaller_goes)
{
	struct client other;
	uint32_t theirs;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, loop_prepare(&other));
	ASSERT_EQ(0, syncobj_export(self->c.fd, self->binary, &shared));
	ASSERT_EQ(0, syncobj_import(other.fd, shared, &theirs));
	ASSERT_EQ(0, submit_sync(&other, DRM_IAU_SYNC_SIGNAL, theirs, 0));
	ASSERT_EQ(0, submit_sync(&self->c, 0, self->binary, 0));
	client_close(&other);
	EXPECT_EQ(0, run_copy(&self->c));
	close(shared);
}

TEST_F(sync, as_file)
{
	struct drm_syncobj_handle args = {
		.handle = self->binary,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};
	struct pollfd waiting;
	int status;

	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->binary, 0));
	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args));
	waiting = (struct pollfd){ .fd = args.fd, .events = POLLIN };
	EXPECT_EQ(1, poll(&waiting, 1, LONG_MS));
	ASSERT_EQ(0, syncobj_status(self->c.fd, self->binary, &status));
	EXPECT_EQ(1, status);
	close(args.fd);
}

/* A fence tells what became of its job. */
TEST_F(sync, error_of_a_fault)
{
	int status;

	ASSERT_EQ(0, unbind(&self->c, DST_VA, PAGE));
	ASSERT_EQ(0, submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->binary, 0));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, self->binary, 0, 0, LONG_MS));
	ASSERT_EQ(0, syncobj_status(self->c.fd, self->binary, &status));
	EXPECT_EQ(-EIO, status);
}

TEST_F(sync, wait_before_submit)
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		usleep(50000);
		_exit(submit_sync(&self->c, DRM_IAU_SYNC_SIGNAL, self->c.timeline, 1) ? 1 : 0);
	}
	EXPECT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 1,
				  DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, LONG_MS));
	waitpid(child, NULL, 0);
}

TEST_HARNESS_MAIN
