// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Sessions of performance counters: what they count, who may have them, and how many. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define CNT_JOBS	0
#define CNT_LOAD_BYTES	5
#define CNT_STORE_BYTES	6

FIXTURE(perf) {
	struct client c;
	uint32_t id;
};

static int perf_open(int fd, uint32_t flags, uint32_t *id)
{
	struct drm_iau_perf_open args = { .flags = flags };
	int err = ask(fd, DRM_IOCTL_IAU_PERF_OPEN, &args);

	*id = args.id;
	return err;
}

static int perf_read(int fd, uint32_t id, struct drm_iau_perf_read *out)
{
	memset(out, 0xee, sizeof(*out));
	out->id = id;
	out->flags = 0;
	return ask(fd, DRM_IOCTL_IAU_PERF_READ, out);
}

static int perf_close(int fd, uint32_t id, uint32_t pad)
{
	struct drm_iau_perf_close args = { .id = id, .pad = pad };

	return ask(fd, DRM_IOCTL_IAU_PERF_CLOSE, &args);
}

FIXTURE_SETUP(perf)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, perf_open(self->c.fd, 0, &self->id));
	ASSERT_NE(0, self->id);
}

FIXTURE_TEARDOWN(perf)
{
	client_close(&self->c);
}

TEST_F(perf, counts_from_its_opening)
{
	struct drm_iau_perf_read r;

	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, perf_read(self->c.fd, self->id, &r));
	EXPECT_EQ(0, r.counters.value[CNT_JOBS]);
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 5));
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	ASSERT_EQ(0, perf_read(self->c.fd, self->id, &r));
	EXPECT_EQ(5, r.counters.value[CNT_JOBS]);
	EXPECT_EQ(5 * PAGE, r.counters.value[CNT_LOAD_BYTES]);
	EXPECT_EQ(5 * PAGE, r.counters.value[CNT_STORE_BYTES]);
	EXPECT_LT(0, r.time_ns);
	/* those that the device does not have */
	EXPECT_EQ(0, r.counters.value[31]);
}

TEST_F(perf, sessions_are_apart)
{
	struct drm_iau_perf_read first, second;
	uint32_t id;

	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 2));
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	ASSERT_EQ(0, perf_open(self->c.fd, 0, &id));
	ASSERT_EQ(0, submit_copies(&self->c, self->c.queue, 3));
	ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
	/* opened last and read first: reading takes longer than jobs do */
	ASSERT_EQ(0, perf_read(self->c.fd, id, &second));
	ASSERT_EQ(0, perf_read(self->c.fd, self->id, &first));
	EXPECT_EQ(5, first.counters.value[CNT_JOBS]);
	EXPECT_EQ(3, second.counters.value[CNT_JOBS]);
	EXPECT_LT(second.time_ns, first.time_ns);
}

TEST_F(perf, bad_arguments)
{
	struct drm_iau_perf_read r = { .id = self->id, .flags = 1 };
	uint32_t id;

	EXPECT_EQ(-EINVAL, perf_open(self->c.fd, 1, &id));
	EXPECT_EQ(-EINVAL, ask(self->c.fd, DRM_IOCTL_IAU_PERF_READ, &r));
	EXPECT_EQ(-EINVAL, perf_close(self->c.fd, self->id, 1));
	EXPECT_EQ(-ENOENT, perf_read(self->c.fd, self->id + 1, &r));
	EXPECT_EQ(-ENOENT, perf_read(self->c.fd, 0, &r));
	EXPECT_EQ(-ENOENT, perf_close(self->c.fd, UINT32_MAX, 0));
}

TEST_F(perf, closed_once)
{
	struct drm_iau_perf_read r;

	EXPECT_EQ(0, perf_close(self->c.fd, self->id, 0));
	EXPECT_EQ(-ENOENT, perf_close(self->c.fd, self->id, 0));
	EXPECT_EQ(-ENOENT, perf_read(self->c.fd, self->id, &r));
}

TEST_F(perf, a_limited_number)
{
	uint32_t id;

	for (int i = 1; i < 16; i++)
		ASSERT_EQ(0, perf_open(self->c.fd, 0, &id));
	EXPECT_EQ(-ENOSPC, perf_open(self->c.fd, 0, &id));
	EXPECT_EQ(0, perf_close(self->c.fd, self->id, 0));
	EXPECT_EQ(0, perf_open(self->c.fd, 0, &id));
}

TEST_F(perf, of_another_client)
{
	struct drm_iau_perf_read r;
	struct client other;

	ASSERT_EQ(0, client_open(&other));
	EXPECT_EQ(-ENOENT, perf_read(other.fd, self->id, &r));
	EXPECT_EQ(-ENOENT, perf_close(other.fd, self->id, 0));
	client_close(&other);
}

/* They tell what others do. */
TEST_F(perf, not_for_everybody)
{
	struct drm_iau_perf_read r;
	uint32_t id;

	ASSERT_EQ(0, setuid(65534));
	EXPECT_EQ(-EACCES, perf_open(self->c.fd, 0, &id));
	/* a session that somebody with the right has opened goes on */
	EXPECT_EQ(0, perf_read(self->c.fd, self->id, &r));
}

TEST_HARNESS_MAIN
