// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Queues: priorities, limits, states. */
#include <errno.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

FIXTURE(queue) {
	struct client c;
};

FIXTURE_SETUP(queue)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(queue)
{
	client_close(&self->c);
}

FIXTURE(priority) {
	struct client c;
};

FIXTURE_VARIANT(priority) {
	uint32_t priority;
	int as_root, as_nobody;
};

FIXTURE_VARIANT_ADD(priority, low) { .priority = DRM_IAU_PRIORITY_LOW };
FIXTURE_VARIANT_ADD(priority, normal) { .priority = DRM_IAU_PRIORITY_NORMAL };
FIXTURE_VARIANT_ADD(priority, high) {
	.priority = DRM_IAU_PRIORITY_HIGH, .as_nobody = -EACCES,
};

FIXTURE_VARIANT_ADD(priority, realtime) {
	.priority = DRM_IAU_PRIORITY_REALTIME, .as_nobody = -EACCES,
};

FIXTURE_VARIANT_ADD(priority, beyond) {
	.priority = DRM_IAU_PRIORITY_REALTIME + 1, .as_root = -EINVAL, .as_nobody = -EINVAL,
};

FIXTURE_VARIANT_ADD(priority, far_beyond) {
	.priority = ~0u, .as_root = -EINVAL, .as_nobody = -EINVAL,
};

FIXTURE_SETUP(priority)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(priority)
{
	client_close(&self->c);
}

TEST_F(priority, as_root)
{
	uint32_t queue;

	ASSERT_EQ(variant->as_root,
		  queue_create(self->c.fd, self->c.vm, variant->priority, &queue));
	if (variant->as_root)
		return;
	self->c.src[0] = 0x77;
	ASSERT_EQ(0, submit_copies(&self->c, queue, 3));
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	EXPECT_EQ(0x77, self->c.dst[0]);
}

TEST_F(priority, as_nobody)
{
	uint32_t queue;

	ASSERT_EQ(0, setuid(65534));
	EXPECT_EQ(variant->as_nobody,
		  queue_create(self->c.fd, self->c.vm, variant->priority, &queue));
}

TEST_F(queue, ids_differ)
{
	uint32_t a, b;

	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, 0, &a));
	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, 0, &b));
	EXPECT_NE(0, a);
	EXPECT_NE(a, b);
	EXPECT_NE(self->c.queue, a);
}

TEST_F(queue, fresh)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(0, state.state);
	EXPECT_EQ(0, state.fault_code);
	EXPECT_EQ(0, state.fault_va);
}

TEST_F(queue, state_is_only_returned)
{
	struct drm_iau_queue_state state = {
		.id = self->c.queue, .state = 7, .fault_code = 7, .fault_info = 7, .fault_va = 7,
		.fault_offset = 7, .fault_tag = 7,
	};

	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_IAU_QUEUE_STATE, &state));
	EXPECT_EQ(0, state.state | state.fault_code | state.fault_info | state.fault_va |
		     state.fault_offset | state.fault_tag);
}

TEST_F(queue, destroyed_once)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
	EXPECT_EQ(-ENOENT, queue_destroy(self->c.fd, self->c.queue));
	EXPECT_EQ(-ENOENT, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(-ENOENT, submit_copies(&self->c, self->c.queue, 1));
}

TEST_F(queue, limit)
{
	uint32_t id, last = 0;
	int n = 0, err;

	while (!(err = queue_create(self->c.fd, self->c.vm, 0, &id)) && n < 100000) {
		last = id;
		n++;
	}
	EXPECT_EQ(-ENOSPC, err);
	EXPECT_LE(16, n);
	EXPECT_EQ(0, queue_destroy(self->c.fd, last));
	EXPECT_EQ(0, queue_create(self->c.fd, self->c.vm, 0, &id));
	EXPECT_EQ(-ENOSPC, queue_create(self->c.fd, self->c.vm, 0, &id));
}

/* Queues of all priorities on one address space */
TEST_F(queue, all_at_once)
{
	uint32_t queue[4];

	ASSERT_EQ(0, copy_prepare(&self->c));
	for (uint32_t i = 0; i < 4; i++)
		ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, i, &queue[i]));
	for (uint32_t round = 1; round < 10; round++) {
		uint32_t handle[4];

		self->c.src[0] = round;
		for (int i = 0; i < 4; i++) {
			struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL };
			struct drm_iau_job job = copy_job();

			ASSERT_EQ(0, syncobj_create(self->c.fd, &handle[i]));
			out.handle = handle[i];
			job.syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
			ASSERT_EQ(0, submit(&self->c, queue[i], &job, 1));
		}
		for (int i = 0; i < 4; i++)
			ASSERT_EQ(0, syncobj_wait(self->c.fd, handle[i], 0, 0, LONG_MS));
		EXPECT_EQ(round, self->c.dst[0]);
	}
}

/* Jobs that have not started go with their queue; their fences say so. */
TEST_F(queue, destroyed_with_jobs)
{
	int status;

	ASSERT_EQ(0, copy_prepare(&self->c));
	for (int round = 0; round < 10; round++) {
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 64));
		ASSERT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
		EXPECT_EQ(0, client_wait(&self->c, LONG_MS));
		ASSERT_EQ(0, syncobj_status(self->c.fd, self->c.timeline, &status));
		EXPECT_NE(0, status);
		ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL,
					  &self->c.queue));
	}
}

TEST_HARNESS_MAIN
