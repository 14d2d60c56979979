// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Mappings of buffers in an address space. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "kselftest_harness.h"

#define VA	0x200000ull
#define OTHER	0x40000000ull

FIXTURE(bind) {
	struct client c;
	uint32_t bo;	/* of four pages */
};

FIXTURE_SETUP(bind)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, bo_create(self->c.fd, 4 * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(bind)
{
	client_close(&self->c);
}

#define KIND_read	0
#define KIND_write	DRM_IAU_BIND_WRITE
#define KIND_const	DRM_IAU_BIND_CONST

/* One operation, with arguments at and behind each limit */
FIXTURE(op) {
	struct client c;
	uint32_t bo;
};

FIXTURE_VARIANT(op) {
	struct drm_iau_bind_op op;	/* its handle is the buffer's unless there is another */
	int err;
};

#define OP(name, result, ...) \
	FIXTURE_VARIANT_ADD(op, name) { .op = { __VA_ARGS__ }, .err = result }

OP(first_page_of_all, 0, .va = 0, .size = PAGE);
OP(last_page_of_all, 0, .va = VA_LIMIT - PAGE, .size = PAGE);
OP(whole_buffer, 0, .va = VA, .size = 4 * PAGE);
OP(last_page_of_buffer, 0, .va = VA, .size = PAGE, .offset = 3 * PAGE);
OP(across_tables, 0, .va = VA - 2 * PAGE, .size = 4 * PAGE);
OP(across_tables_of_tables, 0, .va = OTHER - PAGE, .size = 4 * PAGE);
OP(writable, 0, .flags = DRM_IAU_BIND_WRITE, .va = VA, .size = PAGE);
OP(constant, 0, .flags = DRM_IAU_BIND_CONST, .va = VA, .size = PAGE);
OP(writable_and_constant, -EINVAL, .flags = KIND_write | KIND_const, .va = VA, .size = PAGE);
OP(writable_unmapping, -EINVAL, .flags = DRM_IAU_BIND_UNMAP | KIND_write, .va = VA, .size = PAGE);
OP(unmapping_with_handle, -EINVAL, .flags = DRM_IAU_BIND_UNMAP, .va = VA, .size = PAGE);
OP(highest_flag, -EINVAL, .flags = 1u << 31, .va = VA, .size = PAGE);
OP(no_size, -EINVAL, .va = VA, .size = 0);
OP(size_unaligned, -EINVAL, .va = VA, .size = PAGE + 1);
OP(address_unaligned, -EINVAL, .va = VA + 64, .size = PAGE);
OP(offset_unaligned, -EINVAL, .va = VA, .size = PAGE, .offset = 64);
OP(more_than_buffer, -EINVAL, .va = VA, .size = 5 * PAGE);
OP(offset_behind_buffer, -EINVAL, .va = VA, .size = PAGE, .offset = 4 * PAGE);
OP(end_behind_buffer, -EINVAL, .va = VA, .size = 2 * PAGE, .offset = 3 * PAGE);
OP(offset_wraps, -EINVAL, .va = VA, .size = 2 * PAGE, .offset = -PAGE);
OP(behind_all, -EINVAL, .va = VA_LIMIT, .size = PAGE);
OP(end_behind_all, -EINVAL, .va = VA_LIMIT - PAGE, .size = 2 * PAGE);
OP(end_wraps, -EINVAL, .va = -PAGE, .size = 2 * PAGE);
OP(size_of_everything, -EINVAL, .va = 0, .size = -PAGE);
OP(unknown_handle, -ENOENT, .handle = 4242, .va = VA, .size = PAGE);

FIXTURE_SETUP(op)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, bo_create(self->c.fd, 4 * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(op)
{
	client_close(&self->c);
}

TEST_F(op, bind)
{
	struct drm_iau_bind_op op = variant->op;
	uint32_t count = 1;

	if (!op.handle)
		op.handle = self->bo;
	EXPECT_EQ(variant->err, bind_ops(self->c.fd, self->c.vm, &op, &count));
	EXPECT_EQ(variant->err ? 0 : 1, count);
	if (!variant->err)
		EXPECT_EQ(0, unbind(&self->c, op.va, op.size));
}

TEST_F(bind, unmap_what_is_not_there)
{
	EXPECT_EQ(0, unbind(&self->c, VA, PAGE));
	EXPECT_EQ(0, unbind(&self->c, 0, 1ull << 30));
}

TEST_F(bind, unmap_everything)
{
	ASSERT_EQ(0, copy_prepare(&self->c));
	EXPECT_EQ(0, unbind(&self->c, 0, VA_LIMIT));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(-EIO, run_copy(&self->c));
}

/* Which mappings of one buffer may be in an address space with which */
FIXTURE(kinds) {
	struct client c;
	uint32_t bo;
};

FIXTURE_VARIANT(kinds) {
	uint32_t first, second;
	int err;
};

#define KINDS(a, b, result) \
	FIXTURE_VARIANT_ADD(kinds, a##_then_##b) \
	{ .first = KIND_##a, .second = KIND_##b, .err = result }

KINDS(read, read, 0);
KINDS(read, write, 0);
KINDS(read, const, 0);
KINDS(write, read, 0);
KINDS(write, write, 0);
KINDS(write, const, -EBUSY);
KINDS(const, read, 0);
KINDS(const, write, -EBUSY);
KINDS(const, const, 0);

FIXTURE_SETUP(kinds)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, bo_create(self->c.fd, 4 * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(kinds)
{
	client_close(&self->c);
}

TEST_F(kinds, same_vm)
{
	ASSERT_EQ(0, bind(&self->c, variant->first, self->bo, 0, VA, 4 * PAGE));
	EXPECT_EQ(variant->err, bind(&self->c, variant->second, self->bo, 0, OTHER, PAGE));
	/* half of the first one goes: the rest still counts */
	ASSERT_EQ(0, unbind(&self->c, VA + PAGE, 2 * PAGE));
	ASSERT_EQ(0, unbind(&self->c, OTHER, PAGE));
	EXPECT_EQ(variant->err, bind(&self->c, variant->second, self->bo, 0, OTHER, PAGE));
	ASSERT_EQ(0, unbind(&self->c, VA, 4 * PAGE));
	EXPECT_EQ(0, bind(&self->c, variant->second, self->bo, 0, OTHER, PAGE));
}

/* Each address space looks ahead for itself only. */
TEST_F(kinds, other_vm)
{
	struct client second = self->c;

	ASSERT_EQ(0, vm_create(self->c.fd, &second.vm));
	ASSERT_EQ(0, bind(&self->c, variant->first, self->bo, 0, VA, PAGE));
	EXPECT_EQ(0, bind(&second, variant->second, self->bo, 0, VA, PAGE));
}

TEST_F(bind, no_operations)
{
	uint32_t count = 0;

	EXPECT_EQ(0, bind_ops(self->c.fd, self->c.vm, NULL, &count));
}

TEST_F_TIMEOUT(bind, most_operations, 120)
{
	enum { MOST = 4096 };
	static struct drm_iau_bind_op op[MOST + 1];
	uint32_t count = MOST + 1;

	for (uint64_t i = 0; i <= MOST; i++)
		op[i] = (struct drm_iau_bind_op){
			.handle = self->bo, .va = VA + i * 2 * PAGE, .size = PAGE,
		};
	EXPECT_EQ(-EINVAL, bind_ops(self->c.fd, self->c.vm, op, &count));
	count = MOST;
	EXPECT_EQ(0, bind_ops(self->c.fd, self->c.vm, op, &count));
	EXPECT_EQ(MOST, count);
	EXPECT_EQ(0, unbind(&self->c, VA, MOST * 2 * PAGE));
}

static int bind_array(struct client *c, uint32_t stride, uint32_t count, const void *array)
{
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.ops = { stride, count, (uintptr_t)array },
	};

	return ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args);
}

TEST_F(bind, array_ends_at_a_page)
{
	struct drm_iau_bind_op *op = at_page_end(2 * sizeof(*op));

	ASSERT_NE(NULL, op);
	for (uint64_t i = 0; i < 2; i++)
		op[i] = (struct drm_iau_bind_op){
			.handle = self->bo, .va = VA + i * PAGE, .size = PAGE,
		};
	EXPECT_EQ(0, bind_array(&self->c, sizeof(*op), 2, op));
	EXPECT_EQ(-EFAULT, bind_array(&self->c, sizeof(*op), 3, op));
}

TEST_F(bind, array_elsewhere)
{
	EXPECT_EQ(-EFAULT, bind_array(&self->c, sizeof(struct drm_iau_bind_op), 1, (void *)64));
	EXPECT_EQ(-EFAULT, bind_array(&self->c, sizeof(struct drm_iau_bind_op), 1, (void *)-PAGE));
}

TEST_F(bind, no_stride)
{
	struct drm_iau_bind_op op = { .handle = self->bo, .va = VA, .size = PAGE };

	EXPECT_EQ(-EINVAL, bind_array(&self->c, 0, 1, &op));
}

/* An old client's operations end before the size: it reads as zero, which is refused. */
TEST_F(bind, short_stride)
{
	struct drm_iau_bind_op op = { .handle = self->bo, .va = VA, .size = PAGE };
	void *p = at_page_end(24);

	ASSERT_NE(NULL, p);
	memcpy(p, &op, 24);
	EXPECT_EQ(-EINVAL, bind_array(&self->c, 24, 1, p));
}

/* A new client's operations are longer: as long as they say nothing new, they are understood. */
TEST_F(bind, long_stride)
{
	struct {
		struct drm_iau_bind_op op;
		uint64_t more;
	} op[2] = { };

	for (uint64_t i = 0; i < 2; i++)
		op[i].op = (struct drm_iau_bind_op){
			.handle = self->bo, .va = VA + i * PAGE, .size = PAGE,
		};
	EXPECT_EQ(0, bind_array(&self->c, sizeof(op[0]), 2, op));
	op[1].more = 1;
	EXPECT_EQ(-E2BIG, bind_array(&self->c, sizeof(op[0]), 2, op));
}

TEST_F(bind, stride_wraps)
{
	struct drm_iau_bind_op op = { .handle = self->bo, .va = VA, .size = PAGE };
	int err = bind_array(&self->c, ~0u, 4096, &op);

	EXPECT_TRUE(err == -EFAULT || err == -EINVAL || err == -E2BIG);
}

/* Those before the one that fails stay, and the count tells how many that is. */
TEST_F(bind, fails_in_the_middle)
{
	struct drm_iau_bind_op op[4] = { };
	uint32_t count = 4;

	for (uint64_t i = 0; i < 4; i++)
		op[i] = (struct drm_iau_bind_op){
			.flags = DRM_IAU_BIND_CONST,
			.handle = i == 2 ? 4242 : self->bo,
			.va = VA + i * PAGE,
			.size = PAGE,
		};
	EXPECT_EQ(-ENOENT, bind_ops(self->c.fd, self->c.vm, op, &count));
	EXPECT_EQ(2, count);
	EXPECT_EQ(-EBUSY, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 0, OTHER, PAGE));
	ASSERT_EQ(0, unbind(&self->c, VA, 2 * PAGE));
	EXPECT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->bo, 0, OTHER, PAGE));
}

/* What the device sees after mappings changed under the addresses of a job */
FIXTURE(seen) {
	struct client c;
};

FIXTURE_SETUP(seen)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	self->c.src[0] = 1;
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(1, self->c.dst[0]);
}

FIXTURE_TEARDOWN(seen)
{
	client_close(&self->c);
}

TEST_F(seen, replaced)
{
	uint32_t bo, *p;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	p = bo_map(self->c.fd, bo, PAGE);
	ASSERT_NE(NULL, p);
	for (uint32_t i = 2; i < 20; i += 2) {
		p[0] = i;
		ASSERT_EQ(0, bind(&self->c, 0, bo, 0, SRC_VA, PAGE));
		ASSERT_EQ(0, run_copy(&self->c));
		EXPECT_EQ(i, self->c.dst[0]);
		self->c.src[0] = i + 1;
		ASSERT_EQ(0, bind(&self->c, 0, self->c.src_bo, 0, SRC_VA, PAGE));
		ASSERT_EQ(0, run_copy(&self->c));
		EXPECT_EQ(i + 1, self->c.dst[0]);
	}
}

TEST_F(seen, unmapped)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, unbind(&self->c, SRC_VA, PAGE));
	self->c.dst[0] = 0;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0, self->c.dst[0]);
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(SRC_VA, state.fault_va);
}

TEST_F(seen, read_only_from_now_on)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, bind(&self->c, 0, self->c.dst_bo, 0, DST_VA, PAGE));
	self->c.src[0] = 2;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(1, self->c.dst[0]);
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_PERMISSION, state.fault_code);
	EXPECT_EQ(DST_VA, state.fault_va);
}

/* A mapping cut in two: both ends stay, the middle is gone. */
TEST_F(seen, split)
{
	uint32_t bo, *p;

	ASSERT_EQ(0, bo_create(self->c.fd, 5 * PAGE, &bo));
	p = bo_map(self->c.fd, bo, 5 * PAGE);
	ASSERT_NE(NULL, p);
	for (uint32_t i = 0; i < 5; i++)
		p[i * WORDS] = 100 + i;
	ASSERT_EQ(0, bind(&self->c, 0, bo, 0, VA, 5 * PAGE));
	ASSERT_EQ(0, bind(&self->c, 0, self->c.src_bo, 0, VA + 2 * PAGE, PAGE));
	self->c.src[0] = 55;
	for (uint64_t i = 0; i < 5; i++) {
		put_load(self->c.cmd, VA + i * PAGE, PAGE);
		ASSERT_EQ(0, run_copy(&self->c));
		EXPECT_EQ(i == 2 ? 55 : 100 + i, self->c.dst[0]);
	}
	ASSERT_EQ(0, unbind(&self->c, VA + 2 * PAGE, PAGE));
	put_load(self->c.cmd, VA + 3 * PAGE, PAGE);
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(103, self->c.dst[0]);
	put_load(self->c.cmd, VA + 2 * PAGE, PAGE);
	self->c.dst[0] = 9;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(9, self->c.dst[0]);
}

/* The order of a buffer's pages is that of the mapping, however memory is scattered. */
TEST_F(seen, many_pages)
{
	enum { PAGES = 700 };
	uint32_t bo, *p;

	ASSERT_EQ(0, bo_create(self->c.fd, PAGES * PAGE, &bo));
	p = bo_map(self->c.fd, bo, PAGES * PAGE);
	ASSERT_NE(NULL, p);
	for (uint32_t i = 0; i < PAGES; i++)
		p[i * WORDS] = i;
	ASSERT_EQ(0, bind(&self->c, 0, bo, 0, OTHER - 300 * PAGE, PAGES * PAGE));
	for (uint64_t i = 0; i < PAGES; i += 13) {
		put_load(self->c.cmd, OTHER + (i - 300) * PAGE, PAGE);
		ASSERT_EQ(0, run_copy(&self->c));
		ASSERT_EQ(i, self->c.dst[0]);
	}
}

/* An unmapping waits for the jobs that came before it. */
TEST_F(seen, unmapping_waits)
{
	for (uint32_t i = 2; i < 20; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 16));
		ASSERT_EQ(0, unbind(&self->c, DST_VA, PAGE));
		EXPECT_EQ(i, self->c.dst[0]);
		EXPECT_EQ(0, client_wait(&self->c, 0));
		ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->c.dst_bo, 0, DST_VA, PAGE));
	}
}

/* Two addresses, one memory */
TEST_F(seen, alias)
{
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->c.dst_bo, 0, OTHER, PAGE));
	put_store(self->c.cmd + IAU_CMD_BYTES / 4, OTHER, PAGE);
	self->c.src[0] = 31;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(31, self->c.dst[0]);
}

TEST_HARNESS_MAIN
