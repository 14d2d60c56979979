// SPDX-License-Identifier: GPL-2.0 OR MIT
/* KV buffers: pages that come and go in place, for the device and for the client. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "client.h"
#include "kselftest_harness.h"

#define PAGES	64ull
#define KV_VA	0x40000000ull
#define RELEASE	DRM_IAU_COMMIT_RELEASE

FIXTURE(kv) {
	struct client c;
	uint32_t bo;
};

/* The destination of the copy is a KV buffer, at two addresses. */
FIXTURE_SETUP(kv)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGES * PAGE, &self->bo));
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 0, KV_VA, PAGES * PAGE));
}

FIXTURE_TEARDOWN(kv)
{
	client_close(&self->c);
}

/* Copies the source page to VA: 0, or 1 if the job faulted there. */
static int copy_to(struct client *c, uint64_t va)
{
	int fault = copy_between(c, SRC_VA, va);

	return fault > 0 ? 1 : fault;
}

/* Copies VA to the destination. */
static int copy_from(struct client *c, uint64_t va)
{
	return copy_between(c, va, DST_VA);
}

TEST_F(kv, nothing_at_first)
{
	uint64_t committed = 1;

	EXPECT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, 0, &committed));
	EXPECT_EQ(0, committed);
	EXPECT_EQ(1, copy_to(&self->c, KV_VA));
}

TEST_F(kv, page_by_page)
{
	uint64_t committed;

	for (uint64_t i = 0; i < PAGES; i += 5) {
		ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, i * PAGE, PAGE, &committed));
		ASSERT_EQ((i / 5 + 1) * PAGE, committed);
		self->c.src[0] = i + 1;
		ASSERT_EQ(0, copy_to(&self->c, KV_VA + i * PAGE));
		ASSERT_EQ(1, copy_to(&self->c, KV_VA + (i + 1) % PAGES * PAGE));
	}
	for (uint64_t i = 0; i < PAGES; i += 5) {
		ASSERT_EQ(0, copy_from(&self->c, KV_VA + i * PAGE));
		ASSERT_EQ(i + 1, self->c.dst[0]);
	}
}

/* What is there already stays as it is. */
TEST_F(kv, twice)
{
	uint64_t committed;

	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, PAGE, 2 * PAGE, NULL));
	self->c.src[7] = 77;
	ASSERT_EQ(0, copy_to(&self->c, KV_VA + PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, 3 * PAGE, &committed));
	EXPECT_EQ(3 * PAGE, committed);
	ASSERT_EQ(0, copy_from(&self->c, KV_VA + PAGE));
	EXPECT_EQ(77, self->c.dst[7]);
}

TEST_F(kv, released_and_zero_again)
{
	uint64_t committed;

	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, 4 * PAGE, NULL));
	memset(self->c.src, 0x5a, PAGE);
	ASSERT_EQ(0, copy_to(&self->c, KV_VA + PAGE));
	ASSERT_EQ(0, copy_to(&self->c, KV_VA + 2 * PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, RELEASE, PAGE, PAGE, &committed));
	EXPECT_EQ(3 * PAGE, committed);
	EXPECT_EQ(1, copy_to(&self->c, KV_VA + PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, PAGE, PAGE, NULL));
	ASSERT_EQ(0, copy_from(&self->c, KV_VA + PAGE));
	EXPECT_EQ(0, self->c.dst[0]);
	ASSERT_EQ(0, copy_from(&self->c, KV_VA + 2 * PAGE));
	EXPECT_EQ(0x5a5a5a5a, self->c.dst[0]);
}

TEST_F(kv, release_what_is_not_there)
{
	uint64_t committed;

	EXPECT_EQ(0, kv_commit(self->c.fd, self->bo, RELEASE, 0, PAGES * PAGE, &committed));
	EXPECT_EQ(0, committed);
}

/* Jobs that use a page are over before it goes; if not, they would fault. */
TEST_F(kv, release_waits_for_jobs)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, NULL));
	put_end(put_store(put_load(self->c.cmd, SRC_VA, PAGE), KV_VA, PAGE));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 16));
		ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, RELEASE, 0, PAGE, NULL));
		ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, NULL));
	}
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(0, state.state);
}

/* ... but growing waits for none of them. */
TEST_F(kv, growing_does_not_wait)
{
	struct client *c = &self->c;
	uint32_t loops;

	put_branch(c->cmd, -1);
	ASSERT_EQ(0, queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_LOW, &loops));
	ASSERT_EQ(0, submit_copies(c, loops, 1));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, PAGES * PAGE, NULL));
	EXPECT_EQ(-ETIME, client_wait(c, 0));
	EXPECT_EQ(0, queue_destroy(c->fd, loops));
}

TEST_F(kv, at_two_addresses)
{
	const uint64_t again = KV_VA + 0x10000000;

	ASSERT_EQ(0, bind(&self->c, 0, self->bo, 8 * PAGE, again, 8 * PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 10 * PAGE, PAGE, NULL));
	self->c.src[1] = 11;
	ASSERT_EQ(0, copy_to(&self->c, KV_VA + 10 * PAGE));
	ASSERT_EQ(0, copy_from(&self->c, again + 2 * PAGE));
	EXPECT_EQ(11, self->c.dst[1]);
	/* the second address has no right to write */
	EXPECT_EQ(1, copy_to(&self->c, again + 2 * PAGE));
}

/* Pages that are there before the buffer is bound are found, too. */
TEST_F(kv, bound_after_commit)
{
	ASSERT_EQ(0, unbind(&self->c, KV_VA, PAGES * PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, 3 * PAGE, NULL));
	EXPECT_EQ(1, copy_to(&self->c, KV_VA));
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 0, KV_VA, PAGES * PAGE));
	EXPECT_EQ(0, copy_to(&self->c, KV_VA));
	EXPECT_EQ(1, copy_to(&self->c, KV_VA + 3 * PAGE));
}

TEST_F(kv, more_than_a_chunk)
{
	const uint64_t pages = 3 * 512, va = KV_VA + (1ull << 30);
	uint64_t committed;
	uint32_t bo;

	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, pages * PAGE, &bo));
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, bo, 0, va, pages * PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, bo, 0, 511 * PAGE, 514 * PAGE, &committed));
	EXPECT_EQ(514 * PAGE, committed);
	EXPECT_EQ(0, copy_to(&self->c, va + 511 * PAGE));
	EXPECT_EQ(0, copy_to(&self->c, va + 1024 * PAGE));
	EXPECT_EQ(1, copy_to(&self->c, va + 1025 * PAGE));
	EXPECT_EQ(1, copy_to(&self->c, va + 510 * PAGE));
	ASSERT_EQ(0, kv_commit(self->c.fd, bo, RELEASE, 0, pages * PAGE, &committed));
	EXPECT_EQ(0, committed);
}

/* Addresses cost page tables, not memory. */
TEST_F(kv, larger_than_memory)
{
	uint64_t committed;
	uint32_t bo;

	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, 64ull << 30, &bo));
	ASSERT_EQ(0, kv_commit(self->c.fd, bo, 0, (64ull << 30) - PAGE, PAGE, &committed));
	EXPECT_EQ(PAGE, committed);
}

TEST_F(kv, ranges_in_one_call)
{
	struct drm_iau_range range[] = {
		{ 0, PAGE },
		{ 5 * PAGE, 2 * PAGE },
		{ 6 * PAGE, 2 * PAGE },
	};
	struct drm_iau_bo_commit args = {
		.handle = self->bo,
		.ranges = { sizeof(range[0]), 3, (uintptr_t)range },
	};

	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_IAU_BO_COMMIT, &args));
	EXPECT_EQ(4 * PAGE, args.committed);
	/* one that is wrong, and nothing is done */
	range[2].offset = 1;
	range[0].offset = 20 * PAGE;
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_COMMIT, &args));
	EXPECT_EQ(4 * PAGE, args.committed);
	args.ranges.count = 4097;
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_COMMIT, &args));
	args.ranges = (struct drm_iau_obj_array){ sizeof(range[0]), 1, 64 };
	EXPECT_EQ(-EFAULT, ask(self->c.fd, DRM_IOCTL_IAU_BO_COMMIT, &args));
	args.ranges = (struct drm_iau_obj_array){ 0, 1, (uintptr_t)range };
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_COMMIT, &args));
}

FIXTURE(range) {
	struct client c;
	uint32_t bo;
};

FIXTURE_VARIANT(range) {
	uint64_t offset, size;
	int result;
};

#define RANGE(name, o, s, r) \
	FIXTURE_VARIANT_ADD(range, name) { .offset = (o), .size = (s), .result = (r) }

RANGE(none, 0, 0, 0);
RANGE(none_at_the_end, PAGES * PAGE, 0, 0);
RANGE(all, 0, PAGES * PAGE, 0);
RANGE(last_page, (PAGES - 1) * PAGE, PAGE, 0);
RANGE(one_page_too_many, 0, (PAGES + 1) * PAGE, -EINVAL);
RANGE(behind_the_end, PAGES * PAGE, PAGE, -EINVAL);
RANGE(odd_offset, 1, PAGE, -EINVAL);
RANGE(odd_size, 0, PAGE - 1, -EINVAL);
RANGE(wraps, PAGE, -PAGE, -EINVAL);
RANGE(far_offset, -PAGE, PAGE, -EINVAL);

FIXTURE_SETUP(range)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGES * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(range)
{
	client_close(&self->c);
}

TEST_F(range, commit)
{
	uint64_t committed;

	EXPECT_EQ(variant->result, kv_commit(self->c.fd, self->bo, 0, variant->offset,
					     variant->size, &committed));
	EXPECT_EQ(variant->result ? 0 : variant->size, committed);
}

TEST_F(range, release)
{
	uint64_t committed;

	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGES * PAGE, NULL));
	EXPECT_EQ(variant->result, kv_commit(self->c.fd, self->bo, RELEASE,
					     variant->offset, variant->size, &committed));
	EXPECT_EQ(PAGES * PAGE - (variant->result ? 0 : variant->size), committed);
}

TEST_F(kv, only_of_kv_buffers)
{
	EXPECT_EQ(-EINVAL, kv_commit(self->c.fd, self->c.dst_bo, 0, 0, PAGE, NULL));
}

TEST_F(kv, create_bad)
{
	struct drm_iau_bo_create args = { .size = PAGE, .flags = DRM_IAU_BO_KV, .vm_id = 999 };

	EXPECT_EQ(-ENOENT, ask(self->c.fd, DRM_IOCTL_IAU_BO_CREATE, &args));
	/* a plain buffer belongs to no VM */
	args = (struct drm_iau_bo_create){ .size = PAGE, .vm_id = self->c.vm };
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_CREATE, &args));
}

TEST_F(kv, bound_in_its_vm_only)
{
	struct drm_iau_bind_op op = { .handle = self->bo, .va = KV_VA, .size = PAGE };
	uint32_t other, count = 1;

	ASSERT_EQ(0, vm_create(self->c.fd, &other));
	EXPECT_EQ(-EINVAL, bind_ops(self->c.fd, other, &op, &count));
}

TEST_F(kv, never_constant)
{
	const uint64_t va = KV_VA + (1ull << 30);

	EXPECT_EQ(-EINVAL, bind(&self->c, DRM_IAU_BIND_CONST, self->bo, 0, va, PAGE));
}

TEST_F(kv, not_exported)
{
	struct drm_prime_handle args = { .handle = self->bo, .flags = O_CLOEXEC | O_RDWR };

	EXPECT_EQ(-EOPNOTSUPP, ask(self->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args));
}

/* Without its VM it is a buffer that nobody can bind. */
TEST_F(kv, outlives_its_vm)
{
	uint64_t committed;

	ASSERT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
	ASSERT_EQ(0, vm_destroy(self->c.fd, self->c.vm));
	EXPECT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, &committed));
	EXPECT_EQ(PAGE, committed);
	EXPECT_EQ(0, bo_close(self->c.fd, self->bo));
}

static sigjmp_buf jump;

static void on_bus_error(int sig)
{
	siglongjmp(jump, 1);
}

/* 1 if the client cannot touch P */
static int faults(uint32_t *p)
{
	signal(SIGBUS, on_bus_error);
	if (sigsetjmp(jump, 1))
		return 1;
	__atomic_load_n(p, __ATOMIC_RELAXED);
	return 0;
}

TEST_F(kv, client_sees_what_there_is)
{
	uint32_t *p = bo_map(self->c.fd, self->bo, PAGES * PAGE);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(1, faults(p));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, NULL));
	ASSERT_EQ(0, faults(p));
	EXPECT_EQ(1, faults(p + WORDS));
	self->c.src[3] = 33;
	ASSERT_EQ(0, copy_to(&self->c, KV_VA));
	EXPECT_EQ(33, p[3]);
	p[3] = 34;
	ASSERT_EQ(0, copy_from(&self->c, KV_VA));
	EXPECT_EQ(34, self->c.dst[3]);
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, RELEASE, 0, PAGE, NULL));
	EXPECT_EQ(1, faults(p));
	ASSERT_EQ(0, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, NULL));
	EXPECT_EQ(0, p[3]);
}

TEST_F(kv, no_private_mapping)
{
	struct drm_iau_bo_mmap_offset args = { .handle = self->bo };

	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &args));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->c.fd,
				   args.offset));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
