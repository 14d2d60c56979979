// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Waiting for buffers, contents that do not matter, and memory that the kernel takes back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define KV_VA	0x40000000ull

FIXTURE(memory) {
	struct client c;
};

FIXTURE_SETUP(memory)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(memory)
{
	client_close(&self->c);
}

static int bo_wait(int fd, uint32_t handle, int64_t timeout_ns)
{
	struct drm_iau_bo_wait args = { .handle = handle, .timeout_ns = timeout_ns };

	return ask(fd, DRM_IOCTL_IAU_BO_WAIT, &args);
}

/* Whether the contents are there, or a negative errno */
static int advise(int fd, uint32_t handle, uint32_t advice)
{
	struct drm_iau_bo_advise args = { .handle = handle, .advice = advice };
	int err = ask(fd, DRM_IOCTL_IAU_BO_ADVISE, &args);

	return err ?: args.retained;
}

TEST_F(memory, idle_buffer)
{
	EXPECT_EQ(0, bo_wait(self->c.fd, self->c.dst_bo, 0));
	EXPECT_EQ(0, bo_wait(self->c.fd, self->c.dst_bo, -1));
	EXPECT_EQ(0, bo_wait(self->c.fd, self->c.dst_bo, INT64_MAX));
}

TEST_F(memory, wait_for_jobs)
{
	for (uint32_t i = 1; i < 20; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 8));
		ASSERT_EQ(0, bo_wait(self->c.fd, self->c.dst_bo, -1));
		ASSERT_EQ(i, self->c.dst[0]);
	}
}

TEST_F(memory, wait_in_vain)
{
	uint32_t unbound;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &unbound));
	put_branch(self->c.cmd, -1);
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 1));
	EXPECT_EQ(-ETIME, bo_wait(self->c.fd, self->c.dst_bo, 0));
	EXPECT_EQ(-ETIME, bo_wait(self->c.fd, self->c.dst_bo, 1));
	EXPECT_EQ(-ETIME, bo_wait(self->c.fd, self->c.dst_bo, 20000000));
	/* no job of this VM can reach it */
	EXPECT_EQ(0, bo_wait(self->c.fd, unbound, 0));
}

TEST_F(memory, advice)
{
	uint32_t kv;

	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
	EXPECT_EQ(-EINVAL, advise(self->c.fd, self->c.dst_bo, 2));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGE, &kv));
	EXPECT_EQ(-EINVAL, advise(self->c.fd, kv, DRM_IAU_ADVICE_DONTNEED));
}

TEST_F(memory, shared_buffers_matter)
{
	struct drm_prime_handle args = { .handle = self->c.dst_bo, .flags = O_CLOEXEC | O_RDWR };

	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
	EXPECT_EQ(-EINVAL, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	close(args.fd);
}

/* What matters stays, and is where it was. */
TEST_F(memory, shrinking_takes_nothing_that_matters)
{
	self->c.src[9] = 99;
	ASSERT_EQ(0, take_back());
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(99, self->c.dst[9]);
	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
}

TEST_F(memory, purged)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(0, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
	/* as if it were unmapped */
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(DST_VA, state.fault_va);
	/* and it cannot be bound again */
	EXPECT_EQ(-EINVAL, bind(&self->c, DRM_IAU_BIND_WRITE, self->c.dst_bo, 0, DST_VA, PAGE));
	EXPECT_EQ(0, unbind(&self->c, DST_VA, PAGE));
}

TEST_F(memory, needed_again_in_time)
{
	self->c.src[2] = 22;
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	ASSERT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(22, self->c.dst[2]);
}

/* A job may still come to it: nothing is taken while the VM has work. */
TEST_F(memory, busy_buffers_stay)
{
	put_branch(self->c.cmd, -1);
	ASSERT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_DONTNEED));
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 1));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(1, advise(self->c.fd, self->c.dst_bo, DRM_IAU_ADVICE_WILLNEED));
}

/* A KV cache is taken from an idle VM, and is there again when a job needs it. */
TEST_F(memory, kv_comes_back)
{
	struct client *c = &self->c;
	uint64_t committed;
	uint32_t kv;

	ASSERT_EQ(0, kv_create(c->fd, c->vm, 16 * PAGE, &kv));
	ASSERT_EQ(0, bind(c, DRM_IAU_BIND_WRITE, kv, 0, KV_VA, 16 * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, kv, 0, 2 * PAGE, 3 * PAGE, NULL));
	for (uint32_t round = 0; round < 5; round++) {
		c->src[4] = 400 + round;
		put_end(put_store(put_load(c->cmd, SRC_VA, PAGE), KV_VA + 3 * PAGE, PAGE));
		ASSERT_EQ(0, run_copy(c));
		ASSERT_EQ(0, take_back());
		ASSERT_EQ(0, kv_commit(c->fd, kv, 0, 0, 0, &committed));
		EXPECT_EQ(3 * PAGE, committed);
		put_end(put_store(put_load(c->cmd, KV_VA + 3 * PAGE, PAGE), DST_VA, PAGE));
		ASSERT_EQ(0, run_copy(c));
		EXPECT_EQ(400 + round, c->dst[4]);
	}
}

/* A KV buffer of four pages, two of which have memory and begin with 1 and 2; all are at *P. */
static int two_of_four(struct client *c, uint32_t *kv, uint32_t **p)
{
	int err = kv_create(c->fd, c->vm, 4 * PAGE, kv);

	err = err ?: bind(c, DRM_IAU_BIND_WRITE, *kv, 0, KV_VA, 4 * PAGE);
	err = err ?: kv_commit(c->fd, *kv, 0, 0, 2 * PAGE, NULL);
	if (err)
		return err;
	*p = bo_map(c->fd, *kv, 4 * PAGE);
	if (!*p)
		return -errno;
	(*p)[0] = 1;
	(*p)[WORDS] = 2;
	return 0;
}

/* All that can be done with an evicted cache, but for using it */
TEST_F(memory, evicted_kv)
{
	struct client *c = &self->c;
	uint64_t committed;
	uint32_t kv, *p;

	ASSERT_EQ(0, two_of_four(c, &kv, &p));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(1, p[0]);
	ASSERT_EQ(0, kv_commit(c->fd, kv, DRM_IAU_COMMIT_RELEASE, 0, PAGE, &committed));
	EXPECT_EQ(PAGE, committed);
	ASSERT_EQ(0, kv_commit(c->fd, kv, 0, 2 * PAGE, PAGE, &committed));
	EXPECT_EQ(2 * PAGE, committed);
	put_end(put_store(put_load(c->cmd, KV_VA + PAGE, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(2, c->dst[0]);
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(0, bo_close(c->fd, kv));
	EXPECT_EQ(0, unbind(c, KV_VA, 4 * PAGE));
}

/* A page that somebody is just reading by its address is not taken from under him. */
TEST_F(memory, page_in_use_elsewhere)
{
	struct client *c = &self->c;
	struct iovec page = { .iov_len = PAGE };
	uint32_t kv, *p, got[WORDS];
	int pipes[2];

	ASSERT_EQ(0, two_of_four(c, &kv, &p));
	page.iov_base = p;
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &page, 1, 0));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(2, p[WORDS]);
	/* the pipe has the page, not what was in it */
	p[0] = 3;
	ASSERT_EQ(PAGE, read(pipes[0], got, sizeof(got)));
	EXPECT_EQ(3, got[0]);
	put_end(put_store(put_load(c->cmd, KV_VA, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, run_copy(c));
	EXPECT_EQ(3, c->dst[0]);
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(3, p[0]);
	close(pipes[0]);
	close(pipes[1]);
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int write_parameter(const char *value)
{
	return write_file("/sys/module/iau/parameters/client_mib", value);
}

/* A client's memory has a limit; what goes makes room, and other clients have their own. */
TEST_F(memory, limit_of_a_client)
{
	struct client other;
	uint32_t bo, kv;

	ASSERT_EQ(0, write_parameter("8"));
	EXPECT_EQ(0, bo_create(self->c.fd, 7 << 20, &bo));
	EXPECT_EQ(-EDQUOT, bo_create(self->c.fd, 7 << 20, &kv));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, 64 << 20, &kv));
	EXPECT_EQ(-EDQUOT, kv_commit(self->c.fd, kv, 0, 0, 2 << 20, NULL));
	EXPECT_EQ(0, client_open(&other));
	EXPECT_EQ(0, bo_close(self->c.fd, bo));
	EXPECT_EQ(0, bo_create(other.fd, 7 << 20, &bo));
	client_close(&other);
	EXPECT_EQ(0, kv_commit(self->c.fd, kv, 0, 0, 2 << 20, NULL));
	ASSERT_EQ(0, write_parameter("0"));
}

#define GROUPS	"/tmp/iau-groups"
#define GROUP	GROUPS "/iau"

/* Makes a control group that counts memory and moves this process there. */
static int enter_group(void)
{
	int err;

	mkdir(GROUPS, 0700);
	if (mount("none", GROUPS, "cgroup2", 0, NULL))
		return -errno;
	err = write_file(GROUPS "/cgroup.subtree_control", "+memory");
	if (!err && mkdir(GROUP, 0700))
		err = -errno;
	return err ?: write_file(GROUP "/cgroup.procs", "0");
}

static void leave_group(void)
{
	write_file(GROUPS "/cgroup.procs", "0");
	rmdir(GROUP);
	umount(GROUPS);
}

static long long group_bytes(void)
{
	char text[32] = "";
	int fd = open(GROUP "/memory.current", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	return atoll(text);
}

/* Device memory is the control group's: it is counted there, and its limit holds. */
TEST_F(memory, of_a_control_group)
{
	const long long mib = 1 << 20;
	long long before, with;
	char limit[32];
	uint32_t kv;

	ASSERT_EQ(0, enter_group());
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, 64 * mib, &kv));
	before = group_bytes();
	ASSERT_LE(0, before);
	ASSERT_EQ(0, kv_commit(self->c.fd, kv, 0, 0, 8 * mib, NULL));
	with = group_bytes();
	EXPECT_LE(before + 8 * mib, with);
	EXPECT_GT(before + 10 * mib, with);
	/* whoever it is that takes it back, what is kept of it is the group's */
	ASSERT_EQ(0, write_file(GROUPS "/cgroup.procs", "0"));
	ASSERT_EQ(0, take_back());
	ASSERT_EQ(0, write_file(GROUP "/cgroup.procs", "0"));
	EXPECT_LE(before + 8 * mib, group_bytes());
	EXPECT_GT(before + 10 * mib, group_bytes());
	snprintf(limit, sizeof(limit), "%lld", with + 2 * mib);
	ASSERT_EQ(0, write_file(GROUP "/memory.max", limit));
	EXPECT_EQ(-ENOMEM, kv_commit(self->c.fd, kv, 0, 8 * mib, 32 * mib, NULL));
	EXPECT_EQ(0, kv_commit(self->c.fd, kv, DRM_IAU_COMMIT_RELEASE, 0, 64 * mib, NULL));
	EXPECT_GT(before + 2 * mib, group_bytes());
	EXPECT_EQ(0, kv_commit(self->c.fd, kv, 0, 0, 8 * mib, NULL));
	leave_group();
}

TEST_HARNESS_MAIN
