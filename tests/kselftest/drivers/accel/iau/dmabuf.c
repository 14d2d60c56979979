// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory of others: pages of a process (udmabuf) and of a heap, for the device without a copy. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-heap.h>

#include "client.h"
#include "kselftest_harness.h"

#define PAGES	8ull
#define VA	0x40000000ull

FIXTURE(shared) {
	struct client c;
	int fd;
	uint32_t *p, bo;
};

FIXTURE_VARIANT(shared) {
	int (*create)(size_t size, void **p);
};

static int from_heap(size_t size, void **p)
{
	struct dma_heap_allocation_data args = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (heap < 0 || ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args))
		return -1;
	close(heap);
	*p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, args.fd, 0);
	return args.fd;
}

FIXTURE_VARIANT_ADD(shared, process) { .create = memory_share };
FIXTURE_VARIANT_ADD(shared, heap) { .create = from_heap };

FIXTURE_SETUP(shared)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	self->fd = variant->create(PAGES * PAGE, (void **)&self->p);
	ASSERT_LE(0, self->fd);
	ASSERT_NE(MAP_FAILED, (void *)self->p);
	ASSERT_EQ(0, bo_import(self->c.fd, self->fd, &self->bo));
}

FIXTURE_TEARDOWN(shared)
{
	client_close(&self->c);
	close(self->fd);
}

/* The device reads what the process wrote, in any page of it. */
TEST_F(shared, read)
{
	ASSERT_EQ(0, bind(&self->c, 0, self->bo, 0, VA, PAGES * PAGE));
	for (uint64_t i = 0; i < PAGES; i++) {
		self->p[i * WORDS + 3] = i + 1;
		put_end(put_store(put_load(self->c.cmd, VA + i * PAGE, PAGE), DST_VA, PAGE));
		ASSERT_EQ(0, run_copy(&self->c));
		EXPECT_EQ(i + 1, self->c.dst[3]);
	}
}

TEST_F(shared, write)
{
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 2 * PAGE, VA, PAGE));
	self->c.src[5] = 55;
	put_end(put_store(put_load(self->c.cmd, SRC_VA, PAGE), VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(55, self->p[2 * WORDS + 5]);
}

/* The device's mapping keeps the memory, whoever else lets go of it. */
TEST_F(shared, outlives_its_file)
{
	ASSERT_EQ(0, bind(&self->c, 0, self->bo, 0, VA, PAGE));
	self->p[0] = 9;
	munmap(self->p, PAGES * PAGE);
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, bo_close(self->c.fd, self->bo));
	put_end(put_store(put_load(self->c.cmd, VA, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(9, self->c.dst[0]);
}

TEST_F(shared, same_handle_twice)
{
	uint32_t again;

	ASSERT_EQ(0, bo_import(self->c.fd, self->fd, &again));
	EXPECT_EQ(self->bo, again);
}

TEST_F(shared, beyond_its_end)
{
	EXPECT_EQ(-EINVAL, bind(&self->c, 0, self->bo, 0, VA, (PAGES + 1) * PAGE));
}

/* What another owns is mapped and given back by it, not by the driver. */
TEST_F(shared, not_ours)
{
	struct drm_iau_bo_mmap_offset at = { .handle = self->bo };
	struct drm_iau_bo_advise advise = { .handle = self->bo, .advice = DRM_IAU_ADVICE_DONTNEED };

	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &at));
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_BO_ADVISE, &advise));
	EXPECT_EQ(-EINVAL, kv_commit(self->c.fd, self->bo, 0, 0, PAGE, NULL));
}

TEST_F(shared, two_clients)
{
	struct client other;
	uint32_t bo;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, copy_prepare(&other));
	ASSERT_EQ(0, bo_import(other.fd, self->fd, &bo));
	ASSERT_EQ(0, bind(&other, 0, bo, 0, VA, PAGE));
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 0, VA, PAGE));
	self->c.src[1] = 77;
	put_end(put_store(put_load(self->c.cmd, SRC_VA, PAGE), VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	put_end(put_store(put_load(other.cmd, VA, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, run_copy(&other));
	EXPECT_EQ(77, other.dst[1]);
	client_close(&other);
}

FIXTURE(import) {
	struct client c;
};

FIXTURE_SETUP(import)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(import)
{
	client_close(&self->c);
}

TEST_F(import, what_is_no_buffer)
{
	uint32_t bo;
	int fd = memfd_create("no buffer", MFD_CLOEXEC);

	EXPECT_EQ(-EINVAL, bo_import(self->c.fd, fd, &bo));
	EXPECT_EQ(-EBADF, bo_import(self->c.fd, 4242, &bo));
	close(fd);
}

TEST_HARNESS_MAIN
