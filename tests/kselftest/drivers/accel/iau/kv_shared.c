// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Parts of a KV buffer at many addresses: what sequences share is bound once for each of them, and
 * moves by being bound elsewhere. Its pages are there once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define PAGES		128ull
#define SLAB		4ull			/* pages of what is shared or moved */
#define MOST		16
#define WRITE		DRM_IAU_BIND_WRITE
#define UNMAP		DRM_IAU_BIND_UNMAP
#define RELEASE		DRM_IAU_COMMIT_RELEASE
/* Each lies differently in its page tables; some cross into the next one. */
#define PLACE(i)	(0x40000000ull + (i) * (0x1ff000 + PAGE * (i)))
#define OTHER(i)	(PLACE(i) + 0x200000000ull)

FIXTURE(shared) {
	struct client c;
	uint32_t bo;
};

FIXTURE_SETUP(shared)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGES * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(shared)
{
	client_close(&self->c);
}

/* A job stores VALUE at VA: 0, a fault, or a negative errno */
static int put(struct client *c, uint64_t va, uint32_t value)
{
	c->src[0] = value;
	return copy_between(c, SRC_VA, va);
}

/* What a job loads from VA, or minus a fault */
static long get(struct client *c, uint64_t va)
{
	int err = copy_between(c, va, DST_VA);

	return err ? -err : (long)c->dst[0];
}

/* Page I of the buffer is at N places, and the device reads VALUE at each. */
static int reads_everywhere(struct client *c, int n, uint64_t i, long value)
{
	for (int k = 0; k < n; k++)
		if (get(c, PLACE(k) + i * PAGE) != value)
			return 0;
	return 1;
}

/* The first slab at N places, of which the first can be written, by one call */
static int bind_places(struct client *c, uint32_t bo, int n)
{
	struct drm_iau_bind_op ops[MOST] = { };
	uint32_t count = n;

	for (int k = 0; k < n; k++)
		ops[k] = (struct drm_iau_bind_op){
			.flags = k ? 0 : WRITE,
			.handle = bo,
			.va = PLACE(k),
			.size = SLAB * PAGE,
		};
	return bind_ops(c->fd, c->vm, ops, &count);
}

FIXTURE(places) {
	struct client c;
	uint32_t bo;
};

FIXTURE_VARIANT(places) {
	int n;
};

FIXTURE_VARIANT_ADD(places, two) { .n = 2 };
FIXTURE_VARIANT_ADD(places, three) { .n = 3 };
FIXTURE_VARIANT_ADD(places, most) { .n = MOST };

FIXTURE_SETUP(places)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGES * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(places)
{
	client_close(&self->c);
}

TEST_F(places, read_the_same)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, SLAB * PAGE, NULL));
	ASSERT_EQ(0, bind_places(c, self->bo, variant->n));
	for (uint64_t i = 0; i < SLAB; i++)
		ASSERT_EQ(0, put(c, PLACE(0) + i * PAGE, 10 + i));
	for (uint64_t i = 0; i < SLAB; i++)
		EXPECT_TRUE(reads_everywhere(c, variant->n, i, 10 + i));
}

/* What gets memory later has it everywhere, and what the device has looked at before, too. */
TEST_F(places, committed_after_binding)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, bind_places(c, self->bo, variant->n));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, -IAU_FAULT_UNMAPPED));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, PAGE, PAGE, NULL));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, 0));
	ASSERT_EQ(0, put(c, PLACE(0) + PAGE, 5));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, 5));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 2, -IAU_FAULT_UNMAPPED));
}

TEST_F(places, released)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, SLAB * PAGE, NULL));
	ASSERT_EQ(0, bind_places(c, self->bo, variant->n));
	ASSERT_EQ(0, put(c, PLACE(0) + PAGE, 1));
	ASSERT_EQ(0, put(c, PLACE(0) + 2 * PAGE, 2));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, 1));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, RELEASE, PAGE, PAGE, NULL));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, -IAU_FAULT_UNMAPPED));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 2, 2));
	/* what comes instead has nothing of it */
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, PAGE, PAGE, NULL));
	EXPECT_TRUE(reads_everywhere(c, variant->n, 1, 0));
}

TEST_F(places, evicted)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, 3 * PAGE, NULL));
	ASSERT_EQ(0, bind_places(c, self->bo, variant->n));
	for (long round = 1; round < 4; round++) {
		ASSERT_EQ(0, put(c, PLACE(0) + PAGE, round));
		ASSERT_EQ(0, take_back());
		EXPECT_TRUE(reads_everywhere(c, variant->n, 1, round));
		EXPECT_TRUE(reads_everywhere(c, variant->n, 3, -IAU_FAULT_UNMAPPED));
	}
}

/* A place that has gone gets no pages; the others do. */
TEST_F(shared, one_place_less)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, bind_places(c, self->bo, 3));
	ASSERT_EQ(0, unbind(c, PLACE(1), SLAB * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, PAGE, NULL));
	ASSERT_EQ(0, put(c, PLACE(0), 3));
	EXPECT_EQ(3, get(c, PLACE(2)));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, PLACE(1)));
}

/* A slab's owner releases it while jobs use another one of the buffer. */
TEST_F(shared, released_beside_jobs)
{
	struct client *c = &self->c;
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, 2 * SLAB * PAGE, NULL));
	ASSERT_EQ(0, bind(c, WRITE, self->bo, 0, PLACE(0), SLAB * PAGE));
	ASSERT_EQ(0, bind(c, WRITE, self->bo, SLAB * PAGE, PLACE(1), SLAB * PAGE));
	put_end(put_store(put_load(c->cmd, PLACE(0), PAGE), PLACE(0) + PAGE, PAGE));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, submit_copies(c, c->queue, 16));
		ASSERT_EQ(0, kv_commit(c->fd, self->bo, RELEASE, SLAB * PAGE, SLAB * PAGE, NULL));
		ASSERT_EQ(0, submit_copies(c, c->queue, 16));
		ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, SLAB * PAGE, SLAB * PAGE, NULL));
	}
	ASSERT_EQ(0, client_wait(c, LONG_MS));
	ASSERT_EQ(0, queue_state(c->fd, c->queue, &state));
	EXPECT_EQ(0, state.state);
}

/* Moves MOST slabs from PLACE to OTHER, or back, by one call. */
static int move_all(struct client *c, uint32_t bo, int back, int later)
{
	struct drm_iau_bind_op ops[2 * MOST] = { };
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = later ? DRM_IAU_VM_BIND_ASYNC : 0,
		.ops = { sizeof(ops[0]), 2 * MOST, (uintptr_t)ops },
	};

	for (int k = 0; k < MOST; k++) {
		ops[2 * k] = (struct drm_iau_bind_op){
			.flags = UNMAP,
			.va = back ? OTHER(k) : PLACE(k),
			.size = SLAB * PAGE,
		};
		ops[2 * k + 1] = (struct drm_iau_bind_op){
			.flags = WRITE,
			.handle = bo,
			.offset = k * SLAB * PAGE,
			.va = back ? PLACE(k) : OTHER(k),
			.size = SLAB * PAGE,
		};
	}
	return ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args);
}

static int bind_slabs(struct client *c, uint32_t bo)
{
	int err = kv_commit(c->fd, bo, 0, 0, MOST * SLAB * PAGE, NULL);

	for (int k = 0; k < MOST && !err; k++) {
		err = bind(c, WRITE, bo, k * SLAB * PAGE, PLACE(k), SLAB * PAGE);
		if (!err)
			err = put(c, PLACE(k) + PAGE, 100 + k);
	}
	return err;
}

FIXTURE(move) {
	struct client c;
	uint32_t bo;
};

FIXTURE_VARIANT(move) {
	int later;
};

FIXTURE_VARIANT_ADD(move, at_once) { .later = 0 };
FIXTURE_VARIANT_ADD(move, later) { .later = 1 };

FIXTURE_SETUP(move)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, kv_create(self->c.fd, self->c.vm, PAGES * PAGE, &self->bo));
	ASSERT_EQ(0, bind_slabs(&self->c, self->bo));
}

FIXTURE_TEARDOWN(move)
{
	client_close(&self->c);
}

TEST_F(move, contents_go_along)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, move_all(c, self->bo, 0, variant->later));
	for (int k = 0; k < MOST; k++) {
		EXPECT_EQ(100 + k, get(c, OTHER(k) + PAGE));
		EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, PLACE(k) + PAGE));
	}
	ASSERT_EQ(0, move_all(c, self->bo, 1, variant->later));
	EXPECT_EQ(100, get(c, PLACE(0) + PAGE));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, OTHER(0) + PAGE));
}

/* Jobs that were submitted before find the old addresses. */
TEST_F(move, behind_jobs)
{
	struct client *c = &self->c;

	put_end(put_store(put_load(c->cmd, PLACE(3) + PAGE, PAGE), DST_VA, PAGE));
	for (int i = 0; i < 10; i++) {
		c->dst[0] = 0;
		ASSERT_EQ(0, submit_copies(c, c->queue, 32));
		ASSERT_EQ(0, move_all(c, self->bo, 0, variant->later));
		ASSERT_EQ(0, move_all(c, self->bo, 1, variant->later));
		ASSERT_EQ(0, submit_copies(c, c->queue, 1));
		ASSERT_EQ(0, client_wait(c, LONG_MS));
		ASSERT_EQ(103, c->dst[0]);
	}
	EXPECT_EQ(103, get(c, PLACE(3) + PAGE));
}

/* What was evicted comes back where it is bound then, and nowhere else. */
TEST_F(move, while_evicted)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, take_back());
	ASSERT_EQ(0, move_all(c, self->bo, 0, variant->later));
	EXPECT_EQ(107, get(c, OTHER(7) + PAGE));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, PLACE(7) + PAGE));
}

/* Pages that get memory between the call and the mapping are not forgotten. */
TEST_F(move, then_committed)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, RELEASE, 0, SLAB * PAGE, NULL));
	put_end(put_store(put_load(c->cmd, PLACE(3) + PAGE, PAGE), DST_VA, PAGE));
	ASSERT_EQ(0, submit_copies(c, c->queue, 32));
	ASSERT_EQ(0, move_all(c, self->bo, 0, variant->later));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, SLAB * PAGE, NULL));
	EXPECT_EQ(0, put(c, OTHER(0), 1));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, put(c, PLACE(0), 1));
}

static long register_writes(void)
{
	int fd = debug_open("mmio", O_RDONLY);
	char text[128] = "";
	long n = -1;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "reads %*u writes %ld", &n) != 1)
		n = -1;
	close(fd);
	return n;
}

/* However many mappings change, the device is told once, when no job can use them. */
TEST_F(move, device_is_told_once)
{
	struct client *c = &self->c;
	struct drm_iau_range range[MOST];
	struct drm_iau_bo_commit release = {
		.handle = self->bo,
		.flags = RELEASE,
		.ranges = { sizeof(range[0]), MOST, (uintptr_t)range },
	};
	long before = register_writes();

	for (uint64_t k = 0; k < MOST; k++)
		range[k] = (struct drm_iau_range){ k * SLAB * PAGE, PAGE };
	ASSERT_LE(0, before);
	ASSERT_EQ(0, move_all(c, self->bo, 0, variant->later));
	/* this one waits for it */
	ASSERT_EQ(0, ask(c->fd, DRM_IOCTL_IAU_BO_COMMIT, &release));
	EXPECT_GE(before + 4, register_writes());
	EXPECT_EQ(101, get(c, OTHER(1) + PAGE));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, OTHER(1)));
}

/* Two slabs change places: each operation replaces what the other one had. */
TEST_F(move, swapped)
{
	struct client *c = &self->c;
	struct drm_iau_bind_op ops[2] = {
		{ WRITE, self->bo, 0, PLACE(1), SLAB * PAGE },
		{ WRITE, self->bo, SLAB * PAGE, PLACE(0), SLAB * PAGE },
	};
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = variant->later ? DRM_IAU_VM_BIND_ASYNC : 0,
		.ops = { sizeof(ops[0]), 2, (uintptr_t)ops },
	};

	ASSERT_EQ(0, ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args));
	EXPECT_EQ(101, get(c, PLACE(0) + PAGE));
	EXPECT_EQ(100, get(c, PLACE(1) + PAGE));
}

/* A part of a mapping is replaced, another one removed; the rest stays, and grows and shrinks. */
TEST_F(shared, cut_to_pieces)
{
	struct client *c = &self->c;
	const uint64_t va = PLACE(0);

	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, 40 * PAGE, NULL));
	ASSERT_EQ(0, bind(c, WRITE, self->bo, 0, va, 16 * PAGE));
	ASSERT_EQ(0, bind(c, WRITE, self->bo, 32 * PAGE, PLACE(1), 4 * PAGE));
	for (uint64_t i = 0; i < 16; i++)
		ASSERT_EQ(0, put(c, va + i * PAGE, i));
	for (uint64_t i = 0; i < 4; i++)
		ASSERT_EQ(0, put(c, PLACE(1) + i * PAGE, 32 + i));
	ASSERT_EQ(0, bind(c, 0, self->bo, 32 * PAGE, va + 6 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, unbind(c, va + 8 * PAGE, 4 * PAGE));
	for (long i = 0; i < 16; i++)
		EXPECT_EQ(i < 6 || i >= 12 ? i : i < 8 ? 26 + i : -IAU_FAULT_UNMAPPED,
			  get(c, va + i * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, RELEASE, 5 * PAGE, 8 * PAGE, NULL));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, va + 5 * PAGE));
	EXPECT_EQ(32, get(c, va + 6 * PAGE));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, va + 12 * PAGE));
	EXPECT_EQ(13, get(c, va + 13 * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, 40 * PAGE, NULL));
	EXPECT_EQ(0, get(c, va + 5 * PAGE));
	EXPECT_EQ(32, get(c, va + 6 * PAGE));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(c, va + 8 * PAGE));
	EXPECT_EQ(0, get(c, va + 12 * PAGE));
	EXPECT_EQ(IAU_FAULT_PERMISSION, put(c, va + 7 * PAGE, 1));
	EXPECT_EQ(0, put(c, va + 4 * PAGE, 1));
}

/* The same page, once to read and once to write, whichever gets its memory first */
TEST_F(shared, read_only_place)
{
	struct client *c = &self->c;

	ASSERT_EQ(0, bind_places(c, self->bo, 2));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, PAGE, NULL));
	ASSERT_EQ(0, put(c, PLACE(0), 1));
	EXPECT_EQ(IAU_FAULT_PERMISSION, put(c, PLACE(1), 2));
	EXPECT_EQ(1, get(c, PLACE(1)));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(IAU_FAULT_PERMISSION, put(c, PLACE(1), 2));
	EXPECT_EQ(0, put(c, PLACE(0), 3));
	EXPECT_EQ(3, get(c, PLACE(1)));
	/* and the other way round */
	ASSERT_EQ(0, bind(c, 0, self->bo, 0, PLACE(0), SLAB * PAGE));
	ASSERT_EQ(0, bind(c, WRITE, self->bo, 0, PLACE(1), SLAB * PAGE));
	EXPECT_EQ(IAU_FAULT_PERMISSION, put(c, PLACE(0), 4));
	EXPECT_EQ(0, put(c, PLACE(1), 4));
	EXPECT_EQ(4, get(c, PLACE(0)));
}

/* Neither another VM nor another client comes to the pages. */
TEST_F(shared, with_nobody_else)
{
	struct client *c = &self->c, other;
	struct drm_iau_bind_op ops[2] = {
		{ 0, self->bo, 0, PLACE(0), SLAB * PAGE },
		{ 0, self->bo, 0, PLACE(1), SLAB * PAGE },
	};
	struct drm_gem_flink flink = { .handle = self->bo };
	struct drm_gem_open named = { };
	uint32_t vm, count = 2;

	ASSERT_EQ(0, vm_create(c->fd, &vm));
	EXPECT_EQ(-EINVAL, bind_ops(c->fd, vm, ops, &count));
	EXPECT_EQ(0, count);
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, copy_prepare(&other));
	EXPECT_EQ(-ENOENT, bind(&other, 0, self->bo, 0, PLACE(0), SLAB * PAGE));
	/* a name that root may give it does not make it another VM's */
	ASSERT_EQ(0, ask(c->fd, DRM_IOCTL_GEM_FLINK, &flink));
	named.name = flink.name;
	ASSERT_EQ(0, ask(other.fd, DRM_IOCTL_GEM_OPEN, &named));
	EXPECT_EQ(-EINVAL, bind(&other, 0, named.handle, 0, PLACE(0), SLAB * PAGE));
	ASSERT_EQ(0, bind_places(c, self->bo, 1));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, PAGE, NULL));
	ASSERT_EQ(0, put(c, PLACE(0), 77));
	EXPECT_EQ(-IAU_FAULT_UNMAPPED, get(&other, PLACE(0)));
	client_close(&other);
}

/* The number in the line of a file that starts with NAME */
static long line_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[128];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), "%ld", &n);
	if (f)
		fclose(f);
	return n;
}

static long charged_kib(struct client *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	return line_of(path, "iau-charged:");
}

/* A page is paid for once, wherever it is bound, and for as long as it has memory. */
TEST_F(shared, counted_once)
{
	struct client *c = &self->c;
	long before = charged_kib(c);

	ASSERT_LE(0, before);
	ASSERT_EQ(0, bind_places(c, self->bo, MOST));
	EXPECT_EQ(before, charged_kib(c));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, SLAB * PAGE, NULL));
	EXPECT_EQ(before + 4 * SLAB, charged_kib(c));
	ASSERT_EQ(0, unbind(c, PLACE(0), SLAB * PAGE));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, 0, 0, SLAB * PAGE, NULL));
	EXPECT_EQ(before + 4 * SLAB, charged_kib(c));
	ASSERT_EQ(0, take_back());
	EXPECT_EQ(before + 4 * SLAB, charged_kib(c));
	ASSERT_EQ(0, kv_commit(c->fd, self->bo, RELEASE, 0, PAGE, NULL));
	EXPECT_EQ(before + 4 * (SLAB - 1), charged_kib(c));
	/* the places that are left hold it */
	ASSERT_EQ(0, bo_close(c->fd, self->bo));
	EXPECT_EQ(before + 4 * (SLAB - 1), charged_kib(c));
	ASSERT_EQ(0, unbind(c, 0x40000000, VA_LIMIT - 0x40000000));
	EXPECT_EQ(before, charged_kib(c));
}

/* A client that is killed while its jobs use what is bound everywhere */
static void be_killed(void)
{
	struct client c;
	uint32_t bo;
	int err = client_open(&c) ?: copy_prepare(&c);

	if (!err)
		err = kv_create(c.fd, c.vm, 1024 * PAGE, &bo) ?:
		      kv_commit(c.fd, bo, 0, 0, 1024 * PAGE, NULL);
	if (!err)
		err = bind_places(&c, bo, MOST);
	put_end(put_store(put_load(c.cmd, PLACE(5), PAGE), PLACE(0), PAGE));
	if (!err)
		err = submit_copies(&c, c.queue, 64);
	if (!err && !move_all(&c, bo, 0, 1))
		kill(getpid(), SIGKILL);
	_exit(1);
}

static int clients(void)
{
	int fd = debug_open("clients", O_RDONLY), n = 0;
	char text[4096] = "";

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		for (char *p = text; (p = strchr(p, '\n')); p++)
			n++;
	close(fd);
	return n;
}

TEST_F_TIMEOUT(shared, client_dies, 120)
{
	long before, now, slack = 1024;

	before = line_of("/proc/meminfo", "Shmem:");
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();
		int status;

		if (!child)
			be_killed();
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
	}
	/* ten times 4 MiB would show */
	now = line_of("/proc/meminfo", "Shmem:");
	for (int i = 0; i < 100 && now > before + slack; i++) {
		usleep(10000);
		now = line_of("/proc/meminfo", "Shmem:");
	}
	EXPECT_GE(before + slack, now);
	EXPECT_EQ(1, clients());
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_HARNESS_MAIN
