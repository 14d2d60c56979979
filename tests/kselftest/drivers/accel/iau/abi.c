// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What all ioctls have in common: where their structures lie, how long they are, members that must
 * be zero, handles that nobody has.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "client.h"
#include "kselftest_harness.h"

#define MAX_ARGS 64

/* Things that arguments can name */
struct scene {
	struct client c;
	uint32_t vm, queue, bo;	/* to be destroyed */
	uint32_t kv;
	struct drm_iau_job job;
};

static int scene_open(struct scene *s)
{
	int err = client_open(&s->c);

	if (!err)
		err = copy_prepare(&s->c);
	if (!err)
		err = vm_create(s->c.fd, &s->vm);
	if (!err)
		err = queue_create(s->c.fd, s->c.vm, DRM_IAU_PRIORITY_LOW, &s->queue);
	if (!err)
		err = bo_create(s->c.fd, PAGE, &s->bo);
	if (!err)
		err = kv_create(s->c.fd, s->c.vm, PAGE, &s->kv);
	s->job = copy_job();
	return err;
}

/* Arguments of each ioctl that are right */
static void fill_dev_query(struct scene *s, void *p)
{
	*(struct drm_iau_dev_query *)p = (struct drm_iau_dev_query){ };
}

static void fill_vm_create(struct scene *s, void *p)
{
	*(struct drm_iau_vm_create *)p = (struct drm_iau_vm_create){ };
}

static void fill_vm_destroy(struct scene *s, void *p)
{
	*(struct drm_iau_vm_destroy *)p = (struct drm_iau_vm_destroy){ .id = s->vm };
}

static void fill_vm_bind(struct scene *s, void *p)
{
	*(struct drm_iau_vm_bind *)p = (struct drm_iau_vm_bind){ .vm_id = s->c.vm };
}

static void fill_bo_create(struct scene *s, void *p)
{
	*(struct drm_iau_bo_create *)p = (struct drm_iau_bo_create){ .size = PAGE };
}

static void fill_bo_mmap_offset(struct scene *s, void *p)
{
	*(struct drm_iau_bo_mmap_offset *)p = (struct drm_iau_bo_mmap_offset){ .handle = s->bo };
}

static void fill_queue_create(struct scene *s, void *p)
{
	*(struct drm_iau_queue_create *)p = (struct drm_iau_queue_create){ .vm_id = s->c.vm };
}

static void fill_queue_destroy(struct scene *s, void *p)
{
	*(struct drm_iau_queue_destroy *)p = (struct drm_iau_queue_destroy){ .id = s->queue };
}

static void fill_queue_state(struct scene *s, void *p)
{
	*(struct drm_iau_queue_state *)p = (struct drm_iau_queue_state){ .id = s->queue };
}

static void fill_submit(struct scene *s, void *p)
{
	*(struct drm_iau_submit *)p = (struct drm_iau_submit){
		.queue_id = s->c.queue,
		.jobs = { sizeof(s->job), 1, (uintptr_t)&s->job },
	};
}

static void fill_bo_commit(struct scene *s, void *p)
{
	*(struct drm_iau_bo_commit *)p = (struct drm_iau_bo_commit){ .handle = s->kv };
}

static void fill_bo_wait(struct scene *s, void *p)
{
	*(struct drm_iau_bo_wait *)p = (struct drm_iau_bo_wait){ .handle = s->bo };
}

static void fill_bo_advise(struct scene *s, void *p)
{
	*(struct drm_iau_bo_advise *)p = (struct drm_iau_bo_advise){ .handle = s->bo };
}

static void fill_perf_open(struct scene *s, void *p)
{
	(void)s;
	*(struct drm_iau_perf_open *)p = (struct drm_iau_perf_open){ };
}

FIXTURE(args) {
	struct scene s;
	uint32_t *p;
	uint32_t size;
};

FIXTURE_VARIANT(args) {
	unsigned long request;
	void (*fill)(struct scene *s, void *p);
};

#define ARGS(name, NAME)				\
	FIXTURE_VARIANT_ADD(args, name)			\
	{						\
		.request = DRM_IOCTL_IAU_##NAME,	\
		.fill = fill_##name,			\
	}

ARGS(dev_query, DEV_QUERY);
ARGS(vm_create, VM_CREATE);
ARGS(vm_destroy, VM_DESTROY);
ARGS(vm_bind, VM_BIND);
ARGS(bo_create, BO_CREATE);
ARGS(bo_mmap_offset, BO_MMAP_OFFSET);
ARGS(queue_create, QUEUE_CREATE);
ARGS(queue_destroy, QUEUE_DESTROY);
ARGS(queue_state, QUEUE_STATE);
ARGS(submit, SUBMIT);
ARGS(bo_commit, BO_COMMIT);
ARGS(bo_wait, BO_WAIT);
ARGS(bo_advise, BO_ADVISE);
ARGS(perf_open, PERF_OPEN);

FIXTURE_SETUP(args)
{
	OPEN_OR_SKIP(&self->s.c);
	client_close(&self->s.c);
	ASSERT_EQ(0, scene_open(&self->s));
	self->size = _IOC_SIZE(variant->request);
	ASSERT_LE(self->size, MAX_ARGS);
	self->p = at_page_end(self->size);
	ASSERT_NE(NULL, self->p);
	variant->fill(&self->s, self->p);
}

FIXTURE_TEARDOWN(args)
{
	client_close(&self->s.c);
}

/* The kernel touches no byte behind the structure. */
TEST_F(args, end_of_page)
{
	EXPECT_EQ(0, ask(self->s.c.fd, variant->request, self->p));
}

/* ... and if the structure does not fit, says so. */
TEST_F(args, past_end_of_page)
{
	void *p = (char *)self->p + 8;

	memmove(p, self->p, self->size - 8);
	EXPECT_EQ(-EFAULT, ask(self->s.c.fd, variant->request, p));
}

TEST_F(args, null)
{
	EXPECT_EQ(-EFAULT, ask(self->s.c.fd, variant->request, NULL));
}

TEST_F(args, kernel_address)
{
	EXPECT_EQ(-EFAULT, ask(self->s.c.fd, variant->request, (void *)-PAGE));
}

/* The answer has nowhere to go; the arguments were right. */
TEST_F(args, read_only)
{
	ASSERT_EQ(0, mprotect((char *)self->p + self->size - PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, ask(self->s.c.fd, variant->request, self->p));
}

/* A newer client's structure: the kernel knows its first part only. */
TEST_F(args, longer)
{
	unsigned long longer = _IOC(_IOC_DIR(variant->request), _IOC_TYPE(variant->request),
				    _IOC_NR(variant->request), self->size + 8);
	uint32_t *p = at_page_end(self->size + 8);

	ASSERT_NE(NULL, p);
	memcpy(p, self->p, self->size);
	memset(p + self->size / 4, 0, 8);
	EXPECT_EQ(0, ask(self->s.c.fd, longer, p));
	EXPECT_EQ(0, p[self->size / 4]);
	EXPECT_EQ(0, p[self->size / 4 + 1]);
}

/* An older client's: what it lacks reads as zero, and nothing is written where it lacks it. */
TEST_F(args, shorter)
{
	unsigned long shorter = _IOC(_IOC_DIR(variant->request), _IOC_TYPE(variant->request),
				     _IOC_NR(variant->request), self->size - 4);
	uint32_t full[MAX_ARGS / 4];
	uint32_t *p = at_page_end(self->size - 4);
	struct scene again;
	int err;

	/* the same with that zero written out, on a scene of its own: equal IDs in equal order */
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, scene_open(&again));
	variant->fill(&again, full);
	full[self->size / 4 - 1] = 0;
	memcpy(p, self->p, self->size - 4);
	err = ask(again.c.fd, variant->request, full);
	EXPECT_EQ(err, ask(self->s.c.fd, shorter, p));
	client_close(&again.c);
}

/* Members that must be zero */
FIXTURE(reserved) {
	struct scene s;
	uint32_t p[MAX_ARGS / 4];
};

FIXTURE_VARIANT(reserved) {
	unsigned long request;
	void (*fill)(struct scene *s, void *p);
	size_t offset;
};

#define RESERVED(name, NAME, member)						\
	FIXTURE_VARIANT_ADD(reserved, name##_##member)				\
	{									\
		.request = DRM_IOCTL_IAU_##NAME,				\
		.fill = fill_##name,						\
		.offset = offsetof(struct drm_iau_##name, member),		\
	}

RESERVED(vm_create, VM_CREATE, flags);
RESERVED(vm_destroy, VM_DESTROY, pad);
RESERVED(vm_bind, VM_BIND, flags);
RESERVED(bo_create, BO_CREATE, flags);
RESERVED(bo_mmap_offset, BO_MMAP_OFFSET, pad);
RESERVED(queue_create, QUEUE_CREATE, pad);
RESERVED(queue_destroy, QUEUE_DESTROY, pad);
RESERVED(submit, SUBMIT, flags);
RESERVED(bo_create, BO_CREATE, pad);
RESERVED(bo_commit, BO_COMMIT, flags);
RESERVED(bo_wait, BO_WAIT, pad);
RESERVED(bo_advise, BO_ADVISE, advice);
RESERVED(bo_advise, BO_ADVISE, pad);
RESERVED(perf_open, PERF_OPEN, flags);

FIXTURE_SETUP(reserved)
{
	OPEN_OR_SKIP(&self->s.c);
	client_close(&self->s.c);
	ASSERT_EQ(0, scene_open(&self->s));
	variant->fill(&self->s, self->p);
}

FIXTURE_TEARDOWN(reserved)
{
	client_close(&self->s.c);
}

TEST_F(reserved, highest_bit)
{
	self->p[variant->offset / 4] |= 1u << 31;
	EXPECT_EQ(-EINVAL, ask(self->s.c.fd, variant->request, self->p));
	/* it was that bit, and nothing else has happened */
	self->p[variant->offset / 4] &= ~(1u << 31);
	EXPECT_EQ(0, ask(self->s.c.fd, variant->request, self->p));
}

/* Names of nothing */
FIXTURE(unknown) {
	struct scene s;
	uint32_t p[MAX_ARGS / 4];
};

FIXTURE_VARIANT(unknown) {
	unsigned long request;
	void (*fill)(struct scene *s, void *p);
	size_t offset;
};

#define UNKNOWN(name, NAME, member)						\
	FIXTURE_VARIANT_ADD(unknown, name##_##member)				\
	{									\
		.request = DRM_IOCTL_IAU_##NAME,				\
		.fill = fill_##name,						\
		.offset = offsetof(struct drm_iau_##name, member),		\
	}

UNKNOWN(vm_destroy, VM_DESTROY, id);
UNKNOWN(vm_bind, VM_BIND, vm_id);
UNKNOWN(bo_mmap_offset, BO_MMAP_OFFSET, handle);
UNKNOWN(queue_create, QUEUE_CREATE, vm_id);
UNKNOWN(queue_destroy, QUEUE_DESTROY, id);
UNKNOWN(queue_state, QUEUE_STATE, id);
UNKNOWN(submit, SUBMIT, queue_id);
UNKNOWN(bo_commit, BO_COMMIT, handle);
UNKNOWN(bo_wait, BO_WAIT, handle);
UNKNOWN(bo_advise, BO_ADVISE, handle);

FIXTURE_SETUP(unknown)
{
	OPEN_OR_SKIP(&self->s.c);
	client_close(&self->s.c);
	ASSERT_EQ(0, scene_open(&self->s));
	variant->fill(&self->s, self->p);
}

FIXTURE_TEARDOWN(unknown)
{
	client_close(&self->s.c);
}

TEST_F(unknown, never_given_out)
{
	self->p[variant->offset / 4] = 0;
	EXPECT_EQ(-ENOENT, ask(self->s.c.fd, variant->request, self->p));
	self->p[variant->offset / 4] = 12345;
	EXPECT_EQ(-ENOENT, ask(self->s.c.fd, variant->request, self->p));
	self->p[variant->offset / 4] = ~0u;
	EXPECT_EQ(-ENOENT, ask(self->s.c.fd, variant->request, self->p));
}

/* The number is the client's own in one file and nobody's in another. */
TEST_F(unknown, of_another_client)
{
	struct client empty;

	empty.fd = node_open();
	ASSERT_LE(0, empty.fd);
	EXPECT_EQ(-ENOENT, ask(empty.fd, variant->request, self->p));
	close(empty.fd);
	EXPECT_EQ(0, ask(self->s.c.fd, variant->request, self->p));
}

TEST(ioctls_that_do_not_exist)
{
	char buffer[256] = { };
	int fd = node_open();

	if (fd == -ENODEV)
		SKIP(return, "there is no IAU accelerator");
	for (int nr = DRM_IAU_PERF_CLOSE + 1; nr < DRM_COMMAND_END - DRM_COMMAND_BASE; nr++)
		EXPECT_EQ(-EINVAL, ask(fd, DRM_IOWR(DRM_COMMAND_BASE + nr, buffer), buffer));
	close(fd);
}

/* Not a display: what the core offers to those must be refused. */
TEST(modesetting)
{
	struct drm_mode_card_res res = { };
	int fd = node_open();

	if (fd == -ENODEV)
		SKIP(return, "there is no IAU accelerator");
	EXPECT_EQ(-EOPNOTSUPP, ask(fd, DRM_IOCTL_MODE_GETRESOURCES, &res));
	close(fd);
}

TEST_HARNESS_MAIN
