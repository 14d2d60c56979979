// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Two clients that know everything of each other but cannot reach it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define SECRET		0x5ec4e700u
#define SECRET_VA	0x123456000ull

FIXTURE(isolation) {
	struct client owner, thief;
	uint32_t bo, *secret;
};

FIXTURE_SETUP(isolation)
{
	OPEN_OR_SKIP(&self->owner);
	ASSERT_EQ(0, copy_prepare(&self->owner));
	ASSERT_EQ(0, client_open(&self->thief));
	ASSERT_EQ(0, copy_prepare(&self->thief));
	ASSERT_EQ(0, bo_create(self->owner.fd, PAGE, &self->bo));
	self->secret = bo_map(self->owner.fd, self->bo, PAGE);
	ASSERT_NE(NULL, self->secret);
	for (uint32_t i = 0; i < WORDS; i++)
		self->secret[i] = SECRET | i % 256;
	ASSERT_EQ(0, bind(&self->owner, DRM_IAU_BIND_WRITE, self->bo, 0, SECRET_VA, PAGE));
}

FIXTURE_TEARDOWN(isolation)
{
	client_close(&self->owner);
	client_close(&self->thief);
}

static int holds_secret(const uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((words[i] & ~255u) == SECRET)
			return 1;
	return 0;
}

static int expect_fault(struct client *c, uint32_t code, uint64_t va)
{
	struct drm_iau_queue_state state;

	return !queue_state(c->fd, c->queue, &state) && state.fault_code == code &&
	       state.fault_va == va;
}

TEST_F(isolation, same_addresses)
{
	self->owner.src[0] = 1;
	self->thief.src[0] = 2;
	ASSERT_EQ(0, run_copy(&self->owner));
	ASSERT_EQ(0, run_copy(&self->thief));
	EXPECT_EQ(1, self->owner.dst[0]);
	EXPECT_EQ(2, self->thief.dst[0]);
}

/* The owner's job has just used the page: its translation is still in the device. */
TEST_F(isolation, load_from_others_address)
{
	put_load(self->owner.cmd, SECRET_VA, PAGE);
	ASSERT_EQ(0, run_copy(&self->owner));
	ASSERT_TRUE(holds_secret(self->owner.dst, WORDS));
	put_load(self->thief.cmd, SECRET_VA, PAGE);
	ASSERT_EQ(0, run_copy(&self->thief));
	EXPECT_FALSE(holds_secret(self->thief.dst, WORDS));
	EXPECT_TRUE(expect_fault(&self->thief, IAU_FAULT_UNMAPPED, SECRET_VA));
}

TEST_F(isolation, store_to_others_address)
{
	put_load(self->owner.cmd, SECRET_VA, PAGE);
	ASSERT_EQ(0, run_copy(&self->owner));
	put_store(self->thief.cmd + IAU_CMD_BYTES / 4, SECRET_VA, PAGE);
	ASSERT_EQ(0, run_copy(&self->thief));
	EXPECT_EQ(SECRET, self->secret[0]);
	EXPECT_TRUE(expect_fault(&self->thief, IAU_FAULT_UNMAPPED, SECRET_VA));
}

TEST_F(isolation, execute_others_commands)
{
	struct drm_iau_job job = copy_job();
	uint32_t code;

	ASSERT_EQ(0, bo_create(self->owner.fd, PAGE, &code));
	ASSERT_EQ(0, bind(&self->owner, DRM_IAU_BIND_CONST, code, 0, 0x66666000, PAGE));
	job.cmd_va = 0x66666000;
	ASSERT_EQ(0, run_job(&self->thief, self->thief.queue, job));
	EXPECT_TRUE(expect_fault(&self->thief, IAU_FAULT_UNMAPPED, 0x66666000));
}

/* A sweep over addresses, a page in each GiB and around the owner's */
TEST_F(isolation, sweep)
{
	for (uint64_t va = SECRET_VA & ((1 << 30) - 1); va < VA_LIMIT; va += 16ull << 30) {
		uint32_t queue;

		ASSERT_EQ(0, queue_create(self->thief.fd, self->thief.vm, 1, &queue));
		put_load(self->thief.cmd, va, PAGE);
		ASSERT_EQ(0, run_job(&self->thief, queue, copy_job()));
		ASSERT_FALSE(holds_secret(self->thief.dst, WORDS));
		ASSERT_EQ(0, queue_destroy(self->thief.fd, queue));
	}
}

/* The owner's job leaves the secret in the scratchpad; the thief's stores what it finds there. */
TEST_F(isolation, scratchpad)
{
	put_end(put_load(self->owner.cmd, SECRET_VA, PAGE));
	put_end(put_store(self->thief.cmd, DST_VA, PAGE));
	for (int i = 0; i < 10; i++) {
		memset(self->thief.dst, 0xff, PAGE);
		ASSERT_EQ(0, submit_copies(&self->owner, self->owner.queue, 2));
		ASSERT_EQ(0, submit_copies(&self->thief, self->thief.queue, 1));
		ASSERT_EQ(0, client_wait(&self->owner, LONG_MS));
		ASSERT_EQ(0, client_wait(&self->thief, LONG_MS));
		for (uint32_t w = 0; w < WORDS; w++)
			ASSERT_EQ(0, self->thief.dst[w]);
	}
}

/* Registers of a job without parameters are zero, whatever the job before it had. */
TEST_F(isolation, registers)
{
	struct drm_iau_job job = copy_job();

	job.param_va = SECRET_VA;
	put_end(self->owner.cmd);
	/* length of the load: one plus a register that should be zero */
	put_end(put_store(put_load(self->thief.cmd, SRC_VA, 1), DST_VA, 4));
	self->thief.cmd[IAU_PATCH_WORD] = IAU_PATCH(7, IAU_LOAD_ROW_BYTES_WORD);
	self->thief.src[0] = 0xffffffff;
	for (int i = 0; i < 10; i++) {
		self->thief.dst[0] = 0;
		ASSERT_EQ(0, submit(&self->owner, self->owner.queue, &job, 1));
		ASSERT_EQ(0, run_copy(&self->thief));
		EXPECT_EQ(0xff, self->thief.dst[0]);
	}
}

/* Pages that the owner gave back come to the thief as zero. */
TEST_F(isolation, returned_pages)
{
	for (int i = 0; i < 8; i++) {
		uint32_t bo, *p;

		ASSERT_EQ(0, unbind(&self->owner, SECRET_VA, PAGE));
		munmap(self->secret, PAGE);
		ASSERT_EQ(0, bo_close(self->owner.fd, self->bo));
		ASSERT_EQ(0, bo_create(self->thief.fd, 64 * PAGE, &bo));
		ASSERT_EQ(0, bind(&self->thief, 0, bo, 0, SECRET_VA, 64 * PAGE));
		for (uint64_t page = 0; page < 64; page += 9) {
			put_load(self->thief.cmd, SECRET_VA + page * PAGE, PAGE);
			ASSERT_EQ(0, run_copy(&self->thief));
			ASSERT_FALSE(holds_secret(self->thief.dst, WORDS));
		}
		p = bo_map(self->thief.fd, bo, 64 * PAGE);
		ASSERT_NE(NULL, p);
		ASSERT_FALSE(holds_secret(p, 64 * WORDS));
		munmap(p, 64 * PAGE);
		ASSERT_EQ(0, bo_create(self->owner.fd, PAGE, &self->bo));
		self->secret = bo_map(self->owner.fd, self->bo, PAGE);
		ASSERT_NE(NULL, self->secret);
		self->secret[0] = SECRET;
		ASSERT_EQ(0, bind(&self->owner, DRM_IAU_BIND_WRITE, self->bo, 0, SECRET_VA, PAGE));
	}
}

/* Handles, IDs and offsets are numbers; the file says whose they are. */
TEST_F(isolation, buffer_handles)
{
	for (uint32_t handle = 0; handle < 200; handle++) {
		uint32_t *p = bo_map(self->thief.fd, handle, PAGE);

		if (!p)
			continue;
		ASSERT_FALSE(holds_secret(p, WORDS));
		munmap(p, PAGE);
	}
}

TEST_F(isolation, mmap_offset)
{
	struct drm_iau_bo_mmap_offset args = { .handle = self->bo };
	void *p;

	ASSERT_EQ(0, ask(self->owner.fd, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &args));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->thief.fd, args.offset);
	EXPECT_EQ(MAP_FAILED, p);
	EXPECT_EQ(EACCES, errno);
	/* the owner's own number works */
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->owner.fd, args.offset);
	EXPECT_NE(MAP_FAILED, p);
}

TEST_F(isolation, queue_ids)
{
	struct drm_iau_queue_state state;
	struct client nobody = { .fd = node_open() };
	struct drm_iau_job job = copy_job();

	ASSERT_LE(0, nobody.fd);
	for (uint32_t id = 0; id < 600; id++) {
		ASSERT_EQ(-ENOENT, queue_state(nobody.fd, id, &state));
		ASSERT_EQ(-ENOENT, queue_destroy(nobody.fd, id));
		ASSERT_EQ(-ENOENT, submit(&nobody, id, &job, 1));
	}
	EXPECT_EQ(0, run_copy(&self->owner));
	client_close(&nobody);
}

TEST_F(isolation, vm_ids)
{
	struct client nobody = { .fd = node_open() };

	ASSERT_LE(0, nobody.fd);
	for (nobody.vm = 0; nobody.vm < 200; nobody.vm++) {
		uint32_t queue;

		ASSERT_EQ(-ENOENT, vm_destroy(nobody.fd, nobody.vm));
		ASSERT_EQ(-ENOENT, queue_create(nobody.fd, nobody.vm, 0, &queue));
		ASSERT_EQ(-ENOENT, unbind(&nobody, SECRET_VA, PAGE));
	}
	EXPECT_EQ(0, run_copy(&self->owner));
	client_close(&nobody);
}

TEST_F(isolation, syncobj_handles)
{
	struct client nobody = { .fd = node_open() };
	uint64_t point;

	ASSERT_LE(0, nobody.fd);
	for (uint32_t handle = 0; handle < 200; handle++)
		ASSERT_EQ(-ENOENT, syncobj_query(nobody.fd, handle, &point));
	client_close(&nobody);
}

/* A shared buffer is shared and nothing around it. */
TEST_F(isolation, shared_buffer_only)
{
	struct drm_prime_handle out = { .handle = self->bo, .flags = O_CLOEXEC | O_RDWR };
	struct drm_prime_handle in = { };

	ASSERT_EQ(0, ask(self->owner.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out));
	in.fd = out.fd;
	ASSERT_EQ(0, ask(self->thief.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &in));
	ASSERT_EQ(0, bind(&self->thief, 0, in.handle, 0, SECRET_VA, PAGE));
	put_load(self->thief.cmd, SECRET_VA, PAGE);
	ASSERT_EQ(0, run_copy(&self->thief));
	EXPECT_TRUE(holds_secret(self->thief.dst, WORDS));
	put_load(self->thief.cmd, SECRET_VA + PAGE - 64, 128);
	ASSERT_EQ(0, run_copy(&self->thief));
	EXPECT_TRUE(expect_fault(&self->thief, IAU_FAULT_UNMAPPED, SECRET_VA + PAGE));
	close(out.fd);
}

/* Who is banned is the one who faulted. */
TEST_F(isolation, fault_of_the_other)
{
	struct drm_iau_queue_state state;

	put_load(self->thief.cmd, SECRET_VA, PAGE);
	for (uint32_t i = 1; i < 10; i++) {
		self->owner.src[0] = i;
		ASSERT_EQ(0, submit_copies(&self->owner, self->owner.queue, 5));
		submit_copies(&self->thief, self->thief.queue, 5);
		ASSERT_EQ(0, client_wait(&self->owner, LONG_MS));
		EXPECT_EQ(i, self->owner.dst[0]);
	}
	ASSERT_EQ(0, queue_state(self->owner.fd, self->owner.queue, &state));
	EXPECT_EQ(0, state.state);
}

TEST_HARNESS_MAIN
