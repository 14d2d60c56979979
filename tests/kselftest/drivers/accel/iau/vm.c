// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Address spaces */
#include <errno.h>

#include "client.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	struct client c;
};

FIXTURE_SETUP(vm)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(vm)
{
	client_close(&self->c);
}

TEST_F(vm, ids_differ)
{
	uint32_t a, b;

	ASSERT_EQ(0, vm_create(self->c.fd, &a));
	ASSERT_EQ(0, vm_create(self->c.fd, &b));
	EXPECT_NE(0, a);
	EXPECT_NE(a, b);
	EXPECT_NE(self->c.vm, a);
}

TEST_F(vm, destroyed_once)
{
	uint32_t id;

	ASSERT_EQ(0, vm_create(self->c.fd, &id));
	EXPECT_EQ(0, vm_destroy(self->c.fd, id));
	EXPECT_EQ(-ENOENT, vm_destroy(self->c.fd, id));
}

TEST_F(vm, gone_for_binding)
{
	ASSERT_EQ(0, vm_destroy(self->c.fd, self->c.vm));
	EXPECT_EQ(-ENOENT, unbind(&self->c, SRC_VA, PAGE));
}

TEST_F(vm, gone_for_queues)
{
	uint32_t queue;

	ASSERT_EQ(0, vm_destroy(self->c.fd, self->c.vm));
	EXPECT_EQ(-ENOENT, queue_create(self->c.fd, self->c.vm, 0, &queue));
}

/* A queue outlives its address space; there is nothing left that its jobs could reach. */
TEST_F(vm, queue_goes_on)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, vm_destroy(self->c.fd, self->c.vm));
	self->c.src[0] = 1;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0, self->c.dst[0]);
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(CMD_VA, state.fault_va);
}

TEST_F(vm, limit)
{
	uint32_t id, last = 0;
	int n = 0, err;

	while (!(err = vm_create(self->c.fd, &id)) && n < 100000) {
		last = id;
		n++;
	}
	EXPECT_EQ(-ENOSPC, err);
	EXPECT_LE(IAU_NUM_CONTEXTS, n);
	/* one that goes makes room for one */
	EXPECT_EQ(0, vm_destroy(self->c.fd, last));
	EXPECT_EQ(0, vm_create(self->c.fd, &id));
	EXPECT_EQ(-ENOSPC, vm_create(self->c.fd, &id));
}

/* The limit is each client's own. */
TEST_F(vm, limit_of_another)
{
	struct client other;
	uint32_t id;

	while (!vm_create(self->c.fd, &id))
		;
	ASSERT_EQ(0, client_open(&other));
	EXPECT_EQ(0, vm_create(other.fd, &id));
	client_close(&other);
}

/* More address spaces than the device has contexts take turns. */
TEST_F_TIMEOUT(vm, more_than_contexts, 120)
{
	enum { MANY = IAU_NUM_CONTEXTS + 8 };
	static struct client many[MANY];

	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(0, client_open(&many[i]));
		ASSERT_EQ(0, copy_prepare(&many[i]));
	}
	for (uint32_t round = 1; round <= 3; round++)
		for (uint32_t i = 0; i < MANY; i++) {
			many[i].src[0] = round * 100 + i;
			ASSERT_EQ(0, run_copy(&many[i]));
			ASSERT_EQ(round * 100 + i, many[i].dst[0]);
		}
	for (int i = 0; i < MANY; i++)
		client_close(&many[i]);
}

/* ... all of them at once, too. */
TEST_F_TIMEOUT(vm, more_than_contexts_at_once, 120)
{
	enum { MANY = IAU_NUM_CONTEXTS + 8 };
	static struct client many[MANY];

	for (uint32_t i = 0; i < MANY; i++) {
		ASSERT_EQ(0, client_open(&many[i]));
		ASSERT_EQ(0, copy_prepare(&many[i]));
		many[i].src[7] = i + 1;
	}
	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(0, submit_copies(&many[i], many[i].queue, 8));
	for (uint32_t i = 0; i < MANY; i++) {
		ASSERT_EQ(0, client_wait(&many[i], LONG_MS));
		EXPECT_EQ(i + 1, many[i].dst[7]);
	}
	for (int i = 0; i < MANY; i++)
		client_close(&many[i]);
}

/* Two address spaces of one client see different memory at one address. */
TEST_F(vm, two_of_one_client)
{
	struct client second = self->c;
	struct drm_iau_job job = copy_job();
	uint32_t queue;

	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, vm_create(self->c.fd, &second.vm));
	ASSERT_EQ(0, queue_create(self->c.fd, second.vm, DRM_IAU_PRIORITY_NORMAL, &queue));
	second.queue = queue;
	ASSERT_EQ(0, copy_prepare(&second));
	self->c.src[0] = 1;
	second.src[0] = 2;
	ASSERT_EQ(0, submit(&self->c, self->c.queue, &job, 1));
	ASSERT_EQ(0, run_copy(&second));
	self->c.point = second.point;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(1, self->c.dst[0]);
	EXPECT_EQ(2, second.dst[0]);
}

TEST_HARNESS_MAIN
