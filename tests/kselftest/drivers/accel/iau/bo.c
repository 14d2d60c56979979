// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers: their size, contents, mappings and handles. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

FIXTURE(bo) {
	struct client c;
};

FIXTURE_SETUP(bo)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(bo)
{
	client_close(&self->c);
}

static int mmap_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_iau_bo_mmap_offset args = { .handle = handle };
	int err = ask(fd, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &args);

	*offset = args.offset;
	return err;
}

static int try_map(int fd, size_t size, uint64_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

static int export(int fd, uint32_t handle, int *shared)
{
	struct drm_prime_handle args = { .handle = handle, .flags = O_CLOEXEC | O_RDWR };
	int err = ask(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	*shared = args.fd;
	return err;
}

FIXTURE(size) {
	struct client c;
};

FIXTURE_VARIANT(size) {
	uint64_t asked, given;	/* 0: refused */
};

FIXTURE_VARIANT_ADD(size, zero) { .asked = 0 };
FIXTURE_VARIANT_ADD(size, one_byte) { .asked = 1, .given = PAGE };
FIXTURE_VARIANT_ADD(size, a_page) { .asked = PAGE, .given = PAGE };
FIXTURE_VARIANT_ADD(size, a_page_and_a_byte) { .asked = PAGE + 1, .given = 2 * PAGE };
FIXTURE_VARIANT_ADD(size, odd) { .asked = 5000, .given = 2 * PAGE };
FIXTURE_VARIANT_ADD(size, two_mib) { .asked = 2 << 20, .given = 2 << 20 };
FIXTURE_VARIANT_ADD(size, beyond_all_addresses) { .asked = VA_LIMIT + 1 };
FIXTURE_VARIANT_ADD(size, half_of_all) { .asked = 1ull << 63 };
FIXTURE_VARIANT_ADD(size, wraps_when_rounded) { .asked = ~0ull };

FIXTURE_SETUP(size)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(size)
{
	client_close(&self->c);
}

TEST_F(size, create)
{
	struct drm_iau_bo_create args = { .size = variant->asked };
	uint8_t *p;

	ASSERT_EQ(variant->given ? 0 : -EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_CREATE, &args));
	if (!variant->given)
		return;
	EXPECT_EQ(variant->given, args.size);
	EXPECT_NE(0, args.handle);
	/* all of it is there, and zero */
	p = bo_map(self->c.fd, args.handle, args.size);
	ASSERT_NE(NULL, p);
	for (uint64_t i = 0; i < args.size; i++)
		ASSERT_EQ(0, p[i]);
	memset(p, 0xa5, args.size);
}

TEST_F(bo, closed_once)
{
	uint32_t bo;
	uint64_t at;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	EXPECT_EQ(0, bo_close(self->c.fd, bo));
	EXPECT_EQ(-EINVAL, bo_close(self->c.fd, bo));
	EXPECT_EQ(-ENOENT, mmap_offset(self->c.fd, bo, &at));
}

TEST_F(bo, offset_is_stable)
{
	uint64_t a, b;
	uint32_t bo;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	ASSERT_EQ(0, mmap_offset(self->c.fd, bo, &a));
	ASSERT_EQ(0, mmap_offset(self->c.fd, bo, &b));
	EXPECT_EQ(a, b);
}

TEST_F(bo, map_too_much)
{
	uint64_t at;
	uint32_t bo;

	ASSERT_EQ(0, bo_create(self->c.fd, 2 * PAGE, &bo));
	ASSERT_EQ(0, mmap_offset(self->c.fd, bo, &at));
	EXPECT_EQ(0, try_map(self->c.fd, 2 * PAGE, at));
	EXPECT_EQ(-EINVAL, try_map(self->c.fd, 3 * PAGE, at));
	EXPECT_EQ(-EINVAL, try_map(self->c.fd, PAGE, at + 2 * PAGE));
}

TEST_F(bo, map_nothing)
{
	EXPECT_EQ(-EINVAL, try_map(self->c.fd, PAGE, 0x7fff0000000ull));
}

TEST_F(bo, map_after_close)
{
	uint64_t at;
	uint32_t bo;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	ASSERT_EQ(0, mmap_offset(self->c.fd, bo, &at));
	ASSERT_EQ(0, bo_close(self->c.fd, bo));
	EXPECT_NE(0, try_map(self->c.fd, PAGE, at));
}

TEST_F(bo, mapping_outlives_handle)
{
	uint32_t bo, *p;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	p = bo_map(self->c.fd, bo, PAGE);
	ASSERT_NE(NULL, p);
	p[0] = 1;
	ASSERT_EQ(0, bo_close(self->c.fd, bo));
	EXPECT_EQ(1, p[0]);
	p[1] = 2;
	EXPECT_EQ(2, p[1]);
}

TEST_F(bo, mapping_outlives_file)
{
	uint32_t bo, *p;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	p = bo_map(self->c.fd, bo, PAGE);
	ASSERT_NE(NULL, p);
	p[0] = 1;
	close(self->c.fd);
	self->c.fd = -1;
	EXPECT_EQ(1, p[0]);
}

TEST_F(bo, two_mappings_are_one_memory)
{
	uint32_t bo, *a, *b;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	a = bo_map(self->c.fd, bo, PAGE);
	b = bo_map(self->c.fd, bo, PAGE);
	ASSERT_TRUE(a && b && a != b);
	a[9] = 0x1234;
	EXPECT_EQ(0x1234, b[9]);
}

/* Memory that another client gave back comes to the next one as zero. */
TEST_F(bo, no_leftovers)
{
	for (int round = 0; round < 4; round++) {
		enum { SIZE = 4 << 20 };
		struct client other;
		uint32_t bo, *p;

		ASSERT_EQ(0, client_open(&other));
		ASSERT_EQ(0, bo_create(other.fd, SIZE, &bo));
		p = bo_map(other.fd, bo, SIZE);
		ASSERT_NE(NULL, p);
		for (unsigned int i = 0; i < SIZE / sizeof(*p); i++)
			ASSERT_EQ(0, p[i]);
		memset(p, 0x5a, SIZE);
		munmap(p, SIZE);
		client_close(&other);
	}
}

TEST_F(bo, many)
{
	enum { MANY = 1000 };
	static uint32_t bo[MANY];

	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo[i]));
	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(0, bo_close(self->c.fd, bo[i]));
}

TEST_F(bo, shared_by_file_descriptor)
{
	struct client other;
	uint32_t bo, theirs, *a, *b;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	ASSERT_EQ(0, export(self->c.fd, bo, &shared));
	ASSERT_EQ(0, bo_import(other.fd, shared, &theirs));
	a = bo_map(self->c.fd, bo, PAGE);
	b = bo_map(other.fd, theirs, PAGE);
	ASSERT_TRUE(a && b);
	a[3] = 77;
	EXPECT_EQ(77, b[3]);
	close(shared);
	client_close(&other);
}

TEST_F(bo, imported_twice_is_one_handle)
{
	uint32_t bo, a, b;
	int shared;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	ASSERT_EQ(0, export(self->c.fd, bo, &shared));
	ASSERT_EQ(0, bo_import(self->c.fd, shared, &a));
	ASSERT_EQ(0, bo_import(self->c.fd, shared, &b));
	EXPECT_EQ(bo, a);
	EXPECT_EQ(bo, b);
	close(shared);
}

TEST_F(bo, file_descriptor_outlives_client)
{
	struct client other;
	uint32_t bo, mine, *p;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, bo_create(other.fd, PAGE, &bo));
	p = bo_map(other.fd, bo, PAGE);
	ASSERT_NE(NULL, p);
	p[0] = 5;
	munmap(p, PAGE);
	ASSERT_EQ(0, export(other.fd, bo, &shared));
	client_close(&other);
	ASSERT_EQ(0, bo_import(self->c.fd, shared, &mine));
	p = bo_map(self->c.fd, mine, PAGE);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(5, p[0]);
	close(shared);
}

TEST_F(bo, export_what_is_not_there)
{
	int shared;

	EXPECT_EQ(-ENOENT, export(self->c.fd, 0, &shared));
	EXPECT_EQ(-ENOENT, export(self->c.fd, 4242, &shared));
}

TEST_F(bo, import_what_is_no_buffer)
{
	int pipes[2];
	uint32_t bo;

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EINVAL, bo_import(self->c.fd, pipes[0], &bo));
	EXPECT_EQ(-EBADF, bo_import(self->c.fd, -1, &bo));
	EXPECT_EQ(-EINVAL, bo_import(self->c.fd, self->c.fd, &bo));
}

/* Its pages stay while a job may use them. */
TEST_F(bo, mapping_outlives_handle_on_the_device)
{
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, bo_close(self->c.fd, self->c.src_bo));
	ASSERT_EQ(0, bo_close(self->c.fd, self->c.dst_bo));
	ASSERT_EQ(0, bo_close(self->c.fd, self->c.cmd_bo));
	self->c.src[1] = 11;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(11, self->c.dst[1]);
}

TEST_HARNESS_MAIN
