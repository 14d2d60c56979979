// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clients that go, in every state, while the others go on. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

FIXTURE(lifetime) {
	struct client c;
};

FIXTURE_SETUP(lifetime)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(lifetime)
{
	client_close(&self->c);
}

static int still_works(struct client *c, uint32_t value)
{
	c->src[2] = value;
	return !run_copy(c) && c->dst[2] == value;
}

TEST_F(lifetime, open_and_close)
{
	for (int i = 0; i < 200; i++) {
		int fd = node_open();

		ASSERT_LE(0, fd);
		close(fd);
	}
	EXPECT_TRUE(still_works(&self->c, 1));
}

TEST_F(lifetime, close_idle)
{
	for (uint32_t i = 1; i < 50; i++) {
		struct client other;

		ASSERT_EQ(0, client_open(&other));
		ASSERT_EQ(0, copy_prepare(&other));
		ASSERT_TRUE(still_works(&other, i));
		client_close(&other);
	}
	EXPECT_TRUE(still_works(&self->c, 1));
}

TEST_F(lifetime, close_with_jobs)
{
	for (uint32_t i = 1; i < 20; i++) {
		struct client other;

		ASSERT_EQ(0, client_open(&other));
		ASSERT_EQ(0, copy_prepare(&other));
		ASSERT_EQ(0, submit_copies(&other, other.queue, 64));
		client_close(&other);
		ASSERT_TRUE(still_works(&self->c, i));
	}
}

TEST_F(lifetime, close_with_endless_job)
{
	for (uint32_t i = 1; i < 6; i++) {
		struct client endless;

		ASSERT_EQ(0, client_open(&endless));
		ASSERT_EQ(0, loop_prepare(&endless));
		ASSERT_EQ(0, submit_copies(&endless, endless.queue, 3));
		self->c.src[2] = i;
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 2));
		EXPECT_EQ(-ETIME, client_wait(&endless, 20));
		client_close(&endless);
		ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
		EXPECT_EQ(i, self->c.dst[2]);
	}
}

TEST_F(lifetime, destroy_queue_with_endless_job)
{
	struct client endless;

	ASSERT_EQ(0, client_open(&endless));
	ASSERT_EQ(0, loop_prepare(&endless));
	for (uint32_t i = 1; i < 4; i++) {
		ASSERT_EQ(0, submit_copies(&endless, endless.queue, 3));
		ASSERT_EQ(0, queue_destroy(endless.fd, endless.queue));
		EXPECT_EQ(0, client_wait(&endless, LONG_MS));
		ASSERT_EQ(0, queue_create(endless.fd, endless.vm, DRM_IAU_PRIORITY_NORMAL,
					  &endless.queue));
		ASSERT_TRUE(still_works(&self->c, i));
	}
	client_close(&endless);
}

/* A child that opens its own client, starts jobs and is killed */
static pid_t spawn(int loop)
{
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child) {
		struct client c;
		int err = client_open(&c);

		if (!err)
			err = loop ? loop_prepare(&c) : copy_prepare(&c);
		if (!err)
			err = submit_copies(&c, c.queue, 64);
		if (!err && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		waitpid(child, NULL, 0);
		child = -1;
	}
	close(ready[0]);
	return child;
}

TEST_F(lifetime, killed_with_jobs)
{
	for (uint32_t i = 1; i < 10; i++) {
		pid_t child = spawn(0);

		ASSERT_LT(0, child);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
		ASSERT_TRUE(still_works(&self->c, i));
	}
}

TEST_F(lifetime, killed_with_endless_job)
{
	for (uint32_t i = 1; i < 4; i++) {
		pid_t child = spawn(1);

		ASSERT_LT(0, child);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
		ASSERT_TRUE(still_works(&self->c, i));
	}
}

/* Many clients die at once. */
TEST_F(lifetime, many_killed)
{
	pid_t child[8];

	for (int i = 0; i < 8; i++) {
		child[i] = spawn(0);
		ASSERT_LT(0, child[i]);
	}
	for (int i = 0; i < 8; i++)
		kill(child[i], SIGKILL);
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(child[i], waitpid(child[i], NULL, 0));
	EXPECT_TRUE(still_works(&self->c, 5));
}

/* A forked child shares the client, which lasts until both have closed it. */
TEST_F(lifetime, forked)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(still_works(&self->c, 6) ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(6, self->c.dst[2]);
	EXPECT_TRUE(still_works(&self->c, 7));
}

TEST_F(lifetime, vm_destroyed_with_jobs)
{
	for (uint32_t i = 1; i < 10; i++) {
		struct client other;

		ASSERT_EQ(0, client_open(&other));
		ASSERT_EQ(0, copy_prepare(&other));
		other.src[0] = i;
		ASSERT_EQ(0, submit_copies(&other, other.queue, 16));
		ASSERT_EQ(0, vm_destroy(other.fd, other.vm));
		ASSERT_EQ(0, client_wait(&other, LONG_MS));
		client_close(&other);
	}
	EXPECT_TRUE(still_works(&self->c, 8));
}

/* A syncobj's fence outlives the client whose job signals it. */
TEST_F(lifetime, fence_outlives_client)
{
	struct client other;
	uint32_t mine;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, copy_prepare(&other));
	ASSERT_EQ(0, submit_copies(&other, other.queue, 8));
	ASSERT_EQ(0, syncobj_export(other.fd, other.timeline, &shared));
	ASSERT_EQ(0, syncobj_import(self->c.fd, shared, &mine));
	client_close(&other);
	EXPECT_EQ(0, syncobj_wait(self->c.fd, mine, 1, 0, LONG_MS));
	close(shared);
}

TEST_HARNESS_MAIN
