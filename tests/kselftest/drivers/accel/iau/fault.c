// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs that fault: what the client learns, and that nobody else notices. */
#include <errno.h>

#include "client.h"
#include "kselftest_harness.h"

#define TAG	0xabcdef01u
#define HOLE	0x70000000ull

FIXTURE(fault) {
	struct client c;
};

FIXTURE_SETUP(fault)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(fault)
{
	client_close(&self->c);
}

/* One command that is wrong in one way, behind one that is right */
static void bad_opcode(uint32_t *cmd)
{
	cmd[0] = 0xff;
}

static void bad_field(uint32_t *cmd)
{
	put_load(cmd, SRC_VA, 0);
}

static void scratch_range(uint32_t *cmd)
{
	put_load(cmd, SRC_VA, 64);
	cmd[IAU_LOAD_ADDR_WORD] = IAU_VSP_BYTES - 32;
}

static void load_hole(uint32_t *cmd)
{
	put_load(cmd, HOLE, 64);
}

static void load_behind_page(uint32_t *cmd)
{
	put_load(cmd, SRC_VA + PAGE - 32, 64);
}

static void load_high(uint32_t *cmd)
{
	put_load(cmd, VA_LIMIT, 64);
}

static void store_hole(uint32_t *cmd)
{
	put_store(cmd, HOLE, 64);
}

static void store_read_only(uint32_t *cmd)
{
	put_store(cmd, SRC_VA, 64);
}

static void store_commands(uint32_t *cmd)
{
	put_store(cmd, CMD_VA, 64);
}

static void leave_buffer(uint32_t *cmd)
{
	put_branch(cmd, 1000);
}

static void leave_backwards(uint32_t *cmd)
{
	put_branch(cmd, -100);
}

static void endless(uint32_t *cmd)
{
	put_branch(cmd, -1);
}

FIXTURE(code) {
	struct client c;
};

FIXTURE_VARIANT(code) {
	void (*spoil)(uint32_t *cmd);
	uint32_t code, offset, budget;
	uint64_t va;
};

#define CODE(name, fault, ...) \
	FIXTURE_VARIANT_ADD(code, name) \
	{ .spoil = name, .code = IAU_FAULT_##fault, .offset = 64, __VA_ARGS__ }

CODE(bad_opcode, BAD_OPCODE);
CODE(bad_field, BAD_FIELD);
CODE(scratch_range, SCRATCH_RANGE);
CODE(load_hole, UNMAPPED, .va = HOLE);
CODE(load_behind_page, UNMAPPED, .va = SRC_VA + PAGE);
CODE(load_high, UNMAPPED, .va = VA_LIMIT);
CODE(store_hole, UNMAPPED, .va = HOLE);
CODE(store_read_only, PERMISSION, .va = SRC_VA);
CODE(store_commands, PERMISSION, .va = CMD_VA);
CODE(leave_buffer, CMD_RANGE, .offset = 64 * 1002);
CODE(leave_backwards, CMD_RANGE, .offset = (uint32_t)(-98 * 64));
CODE(endless, BUDGET, .budget = 1000);

FIXTURE_SETUP(code)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(code)
{
	client_close(&self->c);
}

TEST_F(code, report)
{
	struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL };
	struct drm_iau_job job = copy_job();
	struct drm_iau_queue_state state;
	int status;

	put_load(self->c.cmd, SRC_VA, 64);
	variant->spoil(self->c.cmd + IAU_CMD_BYTES / 4);
	ASSERT_EQ(0, syncobj_create(self->c.fd, &out.handle));
	job.tag = TAG;
	job.budget = variant->budget;
	job.syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	ASSERT_EQ(0, submit(&self->c, self->c.queue, &job, 1));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, out.handle, 0, 0, LONG_MS));
	ASSERT_EQ(0, syncobj_status(self->c.fd, out.handle, &status));
	EXPECT_EQ(-EIO, status);
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT, state.state);
	EXPECT_EQ(variant->code, state.fault_code);
	EXPECT_EQ(TAG, state.fault_tag);
	EXPECT_EQ(variant->offset, state.fault_offset);
	if (variant->va)
		EXPECT_EQ(variant->va, state.fault_va);
}

/* The queue takes no more; another one of the same address space does. */
TEST_F(code, banned)
{
	struct drm_iau_job job = copy_job();
	uint32_t queue;

	variant->spoil(self->c.cmd);
	job.budget = variant->budget;
	ASSERT_EQ(0, run_job(&self->c, self->c.queue, job));
	EXPECT_EQ(-EIO, submit(&self->c, self->c.queue, &job, 1));
	ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL, &queue));
	put_end(put_store(put_load(self->c.cmd, SRC_VA, PAGE), DST_VA, PAGE));
	self->c.src[0] = 17;
	ASSERT_EQ(0, run_job(&self->c, queue, copy_job()));
	EXPECT_EQ(17, self->c.dst[0]);
}

TEST_F(fault, commands_must_be_constant)
{
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, bind(&self->c, 0, self->c.cmd_bo, 0, CMD_VA, PAGE));
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_NOT_CONST, state.fault_code);
	EXPECT_EQ(CMD_VA, state.fault_va);
	EXPECT_EQ(0, state.fault_offset);
}

TEST_F(fault, parameters_unmapped)
{
	struct drm_iau_queue_state state;
	struct drm_iau_job job = copy_job();

	job.param_va = HOLE;
	ASSERT_EQ(0, run_job(&self->c, self->c.queue, job));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(HOLE, state.fault_va);
}

TEST_F(fault, commands_unmapped)
{
	struct drm_iau_queue_state state;
	struct drm_iau_job job = { .cmd_va = -64ull, .cmd_bytes = 64 };

	ASSERT_EQ(0, run_job(&self->c, self->c.queue, job));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(-64ull, state.fault_va);
}

/* Effects of the commands before the one that faulted stay. */
TEST_F(fault, what_came_before_stays)
{
	uint32_t *next = put_store(put_load(self->c.cmd, SRC_VA, PAGE), DST_VA, PAGE);

	put_end(put_load(next, HOLE, 64));
	self->c.src[0] = 41;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(41, self->c.dst[0]);
}

/* Jobs behind the one that faulted do not run: what they stand on is not there. */
TEST_F(fault, jobs_behind_are_dropped)
{
	struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL };
	struct drm_iau_job jobs[8];
	int status;

	ASSERT_EQ(0, syncobj_create(self->c.fd, &out.handle));
	for (int i = 0; i < 8; i++)
		jobs[i] = copy_job();
	jobs[0].cmd_va = HOLE;
	jobs[7].syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	self->c.src[0] = 8;
	ASSERT_EQ(0, submit(&self->c, self->c.queue, jobs, 8));
	ASSERT_EQ(0, syncobj_wait(self->c.fd, out.handle, 0, 0, LONG_MS));
	ASSERT_EQ(0, syncobj_status(self->c.fd, out.handle, &status));
	EXPECT_EQ(-ECANCELED, status);
	EXPECT_EQ(0, self->c.dst[0]);
}

/* The first reason stays. */
TEST_F(fault, first_of_two)
{
	struct drm_iau_queue_state state;
	struct drm_iau_job jobs[2] = { copy_job(), copy_job() };

	jobs[0].cmd_va = HOLE;
	jobs[0].tag = 1;
	jobs[1].cmd_va = HOLE + PAGE;
	jobs[1].tag = 2;
	ASSERT_EQ(0, submit(&self->c, self->c.queue, jobs, 2));
	/* unmapping waits for jobs */
	ASSERT_EQ(0, unbind(&self->c, SRC_VA, PAGE));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(1, state.fault_tag);
	EXPECT_EQ(HOLE, state.fault_va);
}

/* The others on the same hardware queue lose nothing. */
TEST_F(fault, of_another)
{
	for (uint32_t i = 1; i <= 40; i++) {
		struct client other;

		ASSERT_EQ(0, client_open(&other));
		self->c.src[1] = i;
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 3));
		ASSERT_EQ(0, submit_copies(&other, other.queue, 3)); /* nothing is mapped there */
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 3));
		ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
		EXPECT_EQ(i, self->c.dst[1]);
		client_close(&other);
	}
}

TEST_HARNESS_MAIN
