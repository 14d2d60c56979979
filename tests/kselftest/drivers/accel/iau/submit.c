// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Submissions: arguments of jobs, arrays of them, and that either all or none are taken. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "kselftest_harness.h"

#define MOST	64
#define PARAM_VA	0x50000ull

FIXTURE(submit) {
	struct client c;
};

FIXTURE_SETUP(submit)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(submit)
{
	client_close(&self->c);
}

/* One job, with arguments at and behind each limit */
FIXTURE(job) {
	struct client c;
};

FIXTURE_VARIANT(job) {
	struct drm_iau_job job;
	int err;
};

#define JOB(name, result, ...) \
	FIXTURE_VARIANT_ADD(job, name) { .job = { __VA_ARGS__ }, .err = result }

JOB(shortest, 0, .cmd_va = CMD_VA + 128, .cmd_bytes = 64);
JOB(as_long_as_it_is, 0, .cmd_va = CMD_VA, .cmd_bytes = 192);
JOB(longer_than_it_is, 0, .cmd_va = CMD_VA, .cmd_bytes = 1u << 31);
JOB(no_commands, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 0);
JOB(size_unaligned, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 65);
JOB(size_of_half_a_command, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 32);
JOB(address_unaligned, -EINVAL, .cmd_va = CMD_VA + 32, .cmd_bytes = 64);
JOB(parameters_unaligned, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 192, .param_va = SRC_VA + 64);
JOB(parameters, 0, .cmd_va = CMD_VA, .cmd_bytes = 192, .param_va = SRC_VA + 128);
JOB(budget, 0, .cmd_va = CMD_VA, .cmd_bytes = 192, .budget = 3);
JOB(largest_budget, 0, .cmd_va = CMD_VA, .cmd_bytes = 192, .budget = ~0u);
JOB(largest_tag, 0, .cmd_va = CMD_VA, .cmd_bytes = 192, .tag = ~0u);
JOB(padding, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 192, .pad = 1);
JOB(too_many_syncs, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 192, .syncs = { 16, 65, 0 });
JOB(syncs_without_stride, -EINVAL, .cmd_va = CMD_VA, .cmd_bytes = 192, .syncs = { 0, 1, 4096 });
JOB(syncs_elsewhere, -EFAULT, .cmd_va = CMD_VA, .cmd_bytes = 192, .syncs = { 16, 1, 64 });

FIXTURE_SETUP(job)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(job)
{
	client_close(&self->c);
}

TEST_F(job, submit)
{
	struct drm_iau_queue_state state;
	struct drm_iau_job job = variant->job;

	EXPECT_EQ(variant->err, submit(&self->c, self->c.queue, &job, 1));
	/* taken or not, the queue is as good as before */
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(0, state.state);
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_F(submit, a_page)
{
	for (uint32_t i = 0; i < WORDS; i++)
		self->c.src[i] = i * 0x01010101 + 1;
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0, memcmp(self->c.src, self->c.dst, PAGE));
}

TEST_F(submit, no_jobs)
{
	struct drm_iau_job job = copy_job();

	EXPECT_EQ(-EINVAL, submit(&self->c, self->c.queue, &job, 0));
}

TEST_F(submit, most_jobs)
{
	struct drm_iau_job jobs[MOST + 1];

	for (int i = 0; i <= MOST; i++)
		jobs[i] = copy_job();
	EXPECT_EQ(-EINVAL, submit(&self->c, self->c.queue, jobs, MOST + 1));
	EXPECT_EQ(0, submit(&self->c, self->c.queue, jobs, MOST));
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_F(submit, count_that_wraps)
{
	struct drm_iau_job job = copy_job();

	EXPECT_EQ(-EINVAL, submit(&self->c, self->c.queue, &job, ~0u));
	EXPECT_EQ(-EINVAL, submit(&self->c, self->c.queue, &job, 1u << 26));
}

static int submit_array(struct client *c, uint32_t stride, uint32_t count, const void *array)
{
	struct drm_iau_submit args = {
		.queue_id = c->queue,
		.jobs = { stride, count, (uintptr_t)array },
	};

	return ask(c->fd, DRM_IOCTL_IAU_SUBMIT, &args);
}

TEST_F(submit, array_ends_at_a_page)
{
	struct drm_iau_job *jobs = at_page_end(2 * sizeof(*jobs));

	ASSERT_NE(NULL, jobs);
	jobs[0] = copy_job();
	jobs[1] = copy_job();
	EXPECT_EQ(0, submit_array(&self->c, sizeof(*jobs), 2, jobs));
	EXPECT_EQ(-EFAULT, submit_array(&self->c, sizeof(*jobs), 3, jobs));
}

TEST_F(submit, array_elsewhere)
{
	EXPECT_EQ(-EFAULT, submit_array(&self->c, sizeof(struct drm_iau_job), 1, (void *)64));
	EXPECT_EQ(-EFAULT, submit_array(&self->c, sizeof(struct drm_iau_job), 1, (void *)-PAGE));
}

TEST_F(submit, no_stride)
{
	struct drm_iau_job job = copy_job();

	EXPECT_EQ(-EINVAL, submit_array(&self->c, 0, 1, &job));
}

/* An old client's jobs end before the tag: they run, with tag 0. */
TEST_F(submit, short_stride)
{
	struct drm_iau_job job = copy_job();
	size_t old = offsetof(struct drm_iau_job, tag);
	void *p = at_page_end(2 * old);

	ASSERT_NE(NULL, p);
	memcpy(p, &job, old);
	memcpy((char *)p + old, &job, old);
	self->c.src[0] = 123;
	ASSERT_EQ(0, submit_array(&self->c, old, 2, p));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(123, self->c.dst[0]);
}

TEST_F(submit, long_stride)
{
	struct {
		struct drm_iau_job job;
		uint64_t more;
	} jobs[2] = { };

	jobs[0].job = copy_job();
	jobs[1].job = copy_job();
	EXPECT_EQ(0, submit_array(&self->c, sizeof(jobs[0]), 2, jobs));
	jobs[1].more = 1;
	EXPECT_EQ(-E2BIG, submit_array(&self->c, sizeof(jobs[0]), 2, jobs));
}

/* The last of many is wrong: none runs, and no timeline moves. */
TEST_F(submit, all_or_none)
{
	struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL, .point = 1 };
	struct drm_iau_job jobs[MOST];
	uint64_t point = 99;

	ASSERT_EQ(0, syncobj_create(self->c.fd, &out.handle));
	for (int i = 0; i < MOST; i++)
		jobs[i] = copy_job();
	jobs[0].syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	jobs[MOST - 1].pad = 1;
	self->c.src[0] = 4;
	EXPECT_EQ(-EINVAL, submit(&self->c, self->c.queue, jobs, MOST));
	EXPECT_EQ(-EINVAL, syncobj_wait(self->c.fd, out.handle, 1, 0, 100));
	ASSERT_EQ(0, syncobj_query(self->c.fd, out.handle, &point));
	EXPECT_EQ(0, point);
	EXPECT_EQ(0, self->c.dst[0]);
}

/* Registers come from the parameter block and go into the commands that name them. */
TEST_F(submit, parameters)
{
	uint32_t bo, *param;
	struct drm_iau_job job = copy_job();

	ASSERT_EQ(0, bo_create(self->c.fd, PAGE, &bo));
	param = bo_map(self->c.fd, bo, PAGE);
	ASSERT_NE(NULL, param);
	ASSERT_EQ(0, bind(&self->c, 0, bo, 0, PARAM_VA, PAGE));
	put_load(self->c.cmd, SRC_VA, 4);
	put_store(self->c.cmd + IAU_CMD_BYTES / 4, DST_VA, 4);
	/* LOAD's address grows by register 3 */
	self->c.cmd[IAU_PATCH_WORD] = IAU_PATCH(3, IAU_LOAD_VA_WORD);
	job.param_va = PARAM_VA + IAU_PARAM_BYTES;
	for (uint32_t i = 0; i < WORDS; i += 100) {
		self->c.src[i] = i + 1;
		param[IAU_PARAM_BYTES / 4 + 3] = i * 4;
		ASSERT_EQ(0, run_job(&self->c, self->c.queue, job));
		EXPECT_EQ(i + 1, self->c.dst[0]);
	}
	/* without parameters registers are zero */
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(1, self->c.dst[0]);
}

/* Jobs of a queue run in order: each adds to what the one before it left. */
TEST_F(submit, in_order)
{
	struct drm_iau_job jobs[MOST];
	uint32_t *cmd = self->c.cmd;

	/* job I moves the destination's words up by one, so after N jobs the first is at N */
	ASSERT_EQ(0, bind(&self->c, DRM_IAU_BIND_WRITE, self->c.dst_bo, 0, DST_VA, PAGE));
	put_end(put_store(put_load(cmd, DST_VA, 1024), DST_VA + 4, 1024));
	self->c.dst[0] = 0xabcd;
	for (int i = 0; i < MOST; i++)
		jobs[i] = copy_job();
	ASSERT_EQ(0, submit(&self->c, self->c.queue, jobs, MOST));
	ASSERT_EQ(0, submit(&self->c, self->c.queue, jobs, MOST));
	ASSERT_EQ(0, run_copy(&self->c));
	EXPECT_EQ(0xabcd, self->c.dst[2 * MOST + 1]);
	EXPECT_EQ(0, self->c.dst[2 * MOST + 2]);
}

/* Many submissions, nobody waits in between. */
TEST_F(submit, storm)
{
	for (uint32_t i = 1; i <= 500; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 1 + i % 7));
	}
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	EXPECT_EQ(500, self->c.dst[0]);
}

TEST_F(submit, queue_of_another_vm)
{
	uint32_t vm, queue;
	struct drm_iau_queue_state state;

	ASSERT_EQ(0, vm_create(self->c.fd, &vm));
	ASSERT_EQ(0, queue_create(self->c.fd, vm, DRM_IAU_PRIORITY_NORMAL, &queue));
	ASSERT_EQ(0, run_job(&self->c, queue, copy_job()));
	ASSERT_EQ(0, queue_state(self->c.fd, queue, &state));
	EXPECT_EQ(IAU_FAULT_UNMAPPED, state.fault_code);
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_HARNESS_MAIN
