// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Submissions that wait for their jobs: how they end, and that nothing is submitted twice. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define MOST	64
#define FOREVER	(-1ll)
#define MS	1000000ll
#define HOLE	0x70000000ull
#define FAULTED	(DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT)
#define NOTHING	0x5a5a5a5a	/* what no call returns */

FIXTURE(wait) {
	struct client c;
	struct drm_iau_job jobs[MOST];
	struct drm_iau_submit args;
};

FIXTURE_SETUP(wait)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
	for (int i = 0; i < MOST; i++)
		self->jobs[i] = copy_job();
	self->args = (struct drm_iau_submit){
		.queue_id = self->c.queue,
		.flags = DRM_IAU_SUBMIT_WAIT,
		.jobs = { sizeof(self->jobs[0]), 1, (uintptr_t)self->jobs },
		.timeout_ns = FOREVER,
		.state = NOTHING,
		.result = NOTHING,
	};
}

FIXTURE_TEARDOWN(wait)
{
	client_close(&self->c);
}

/* Once: what a signal interrupts is not made again here. */
static int submit_once(int fd, struct drm_iau_submit *args)
{
	return ioctl(fd, DRM_IOCTL_IAU_SUBMIT, args) ? -errno : 0;
}

static long jobs_done(struct client *c)
{
	char path[64], line[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "iau-jobs: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

TEST_F(wait, is_done)
{
	for (uint32_t i = 1; i < 100; i++) {
		self->c.src[i] = i;
		self->args.state = NOTHING;
		self->args.result = NOTHING;
		ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
		ASSERT_EQ(0, self->args.result);
		ASSERT_EQ(0, self->args.state);
		ASSERT_EQ(i, self->c.dst[i]);
	}
	EXPECT_EQ(99, jobs_done(&self->c));
}

TEST_F(wait, several)
{
	for (uint32_t n = 1; n <= MOST; n++) {
		self->c.src[0] = n;
		self->args.jobs.count = n;
		ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
		ASSERT_EQ(0, self->args.result);
		ASSERT_EQ(n, self->c.dst[0]);
		ASSERT_EQ(n * (n + 1) / 2, jobs_done(&self->c));
	}
}

/* Not asked to wait, it says nothing. */
TEST_F(wait, without_the_flag)
{
	self->args.flags = 0;
	EXPECT_EQ(-EINVAL, submit_once(self->c.fd, &self->args));
	self->args.timeout_ns = 0;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(0, self->args.result);
	EXPECT_EQ(0, self->args.state);
}

/* Nothing that is refused has been submitted. */
TEST_F(wait, refused)
{
	const uint32_t bad[] = { 2, 1u << 31, ~0u };

	for (int i = 0; i < 3; i++) {
		self->args.flags = DRM_IAU_SUBMIT_WAIT | bad[i];
		EXPECT_EQ(-EINVAL, submit_once(self->c.fd, &self->args));
	}
	self->args.flags = DRM_IAU_SUBMIT_WAIT;
	self->args.jobs.count = 0;
	EXPECT_EQ(-EINVAL, submit_once(self->c.fd, &self->args));
	self->args.jobs.count = MOST + 1;
	EXPECT_EQ(-EINVAL, submit_once(self->c.fd, &self->args));
	self->args.jobs.count = 2;
	self->jobs[1].pad = 1;
	EXPECT_EQ(-EINVAL, submit_once(self->c.fd, &self->args));
	self->jobs[1].pad = 0;
	self->args.queue_id = 4242;
	EXPECT_EQ(-ENOENT, submit_once(self->c.fd, &self->args));
	self->args.queue_id = self->c.queue;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(2, jobs_done(&self->c));
}

/* Any time is long enough for jobs that end, but for none. */
TEST_F(wait, times)
{
	const int64_t times[] = { INT64_MIN, -1, INT64_MAX, INT64_MAX - 1, 1ll << 40, 60000 * MS };

	for (int i = 0; i < 6; i++) {
		self->args.timeout_ns = times[i];
		ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
		EXPECT_EQ(0, self->args.result);
	}
	self->args.timeout_ns = 0;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_TRUE(!self->args.result || self->args.result == -ETIME);
}

TEST_F(wait, not_in_time)
{
	const int64_t times[] = { 0, 1, 5 * MS, 50 * MS };

	put_branch(self->c.cmd, -1);
	for (int i = 0; i < 4; i++) {
		double start = now_ms();

		self->args.timeout_ns = times[i];
		ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
		EXPECT_EQ(-ETIME, self->args.result);
		EXPECT_EQ(0, self->args.state);
		EXPECT_LE(times[i] / 1e6, now_ms() - start);
	}
	/* each was submitted, once */
	ASSERT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
	ASSERT_EQ(0, unbind(&self->c, DST_VA, PAGE));
	EXPECT_EQ(4, jobs_done(&self->c));
}

TEST_F(wait, signals_syncobjs_too)
{
	struct drm_iau_sync out = {
		.flags = DRM_IAU_SYNC_SIGNAL,
		.handle = self->c.timeline,
		.point = 1,
	};

	self->args.jobs.count = 3;
	self->jobs[1].syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(0, syncobj_wait(self->c.fd, self->c.timeline, 1, 0, 0));
}

TEST_F(wait, fault)
{
	struct drm_iau_queue_state state;

	put_load(self->c.cmd, HOLE, 64);
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(-EIO, self->args.result);
	EXPECT_EQ(FAULTED, self->args.state);
	ASSERT_EQ(0, queue_state(self->c.fd, self->c.queue, &state));
	EXPECT_EQ(HOLE, state.fault_va);
	/* the queue is banned: that is not how a job ended, but none was taken */
	EXPECT_EQ(-EIO, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(1, jobs_done(&self->c));
}

TEST_F(wait, first_of_several_faults)
{
	self->jobs[0].cmd_va = HOLE;
	self->args.jobs.count = 8;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(-ECANCELED, self->args.result);
	EXPECT_EQ(FAULTED, self->args.state);
	EXPECT_EQ(0, self->c.dst[0]);
}

TEST_F(wait, last_of_several_faults)
{
	self->jobs[7].cmd_va = HOLE;
	self->args.jobs.count = 8;
	self->c.src[0] = 1;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(-EIO, self->args.result);
	EXPECT_EQ(FAULTED, self->args.state);
	EXPECT_EQ(1, self->c.dst[0]);
}

static void on_alarm(int sig)
{
}

static void alarm_in(int ms, int flags)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval timer = { .it_value.tv_usec = ms * 1000 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A signal ends the wait; the call has succeeded, and is not made again by the kernel either. */
TEST_F(wait, signal)
{
	const int flags[] = { 0, SA_RESTART };

	put_branch(self->c.cmd, -1);
	for (int i = 0; i < 2; i++) {
		struct drm_iau_bo_wait wait = { .handle = self->c.dst_bo };

		alarm_in(30, flags[i]);
		ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
		EXPECT_EQ(-EINTR, self->args.result);
		EXPECT_EQ(0, self->args.state);
		EXPECT_EQ(-ETIME, ask(self->c.fd, DRM_IOCTL_IAU_BO_WAIT, &wait));
		ASSERT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
		wait.timeout_ns = FOREVER;
		ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_IAU_BO_WAIT, &wait));
		EXPECT_EQ(i + 1, jobs_done(&self->c));
		ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL,
					  &self->c.queue));
		self->args.queue_id = self->c.queue;
	}
}

/* Signals all the time: as many jobs as calls, and all of them run. */
TEST_F(wait, storm_of_signals)
{
	struct itimerval often = { .it_value.tv_usec = 300, .it_interval.tv_usec = 300 };
	int done = 0, interrupted = 0, calls;

	alarm_in(1, SA_RESTART);
	setitimer(ITIMER_REAL, &often, NULL);
	self->args.jobs.count = 8;
	for (calls = 0; calls < 500; calls++) {
		int err = submit_once(self->c.fd, &self->args);

		/* one that came before anything was submitted */
		if (err == -EINTR) {
			calls--;
			continue;
		}
		ASSERT_EQ(0, err);
		done += self->args.result == 0;
		interrupted += self->args.result == -EINTR;
	}
	often = (struct itimerval){ };
	setitimer(ITIMER_REAL, &often, NULL);
	EXPECT_EQ(calls, done + interrupted);
	ASSERT_EQ(0, unbind(&self->c, DST_VA, PAGE));
	EXPECT_EQ(8 * calls, jobs_done(&self->c));
}

TEST_F(wait, killed)
{
	pid_t child;
	int status;

	put_branch(self->c.cmd, -1);
	child = fork();
	if (!child) {
		submit_once(self->c.fd, &self->args);
		_exit(0);
	}
	usleep(30000);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

static void *destroy_later(void *p)
{
	struct client *c = p;

	usleep(30000);
	queue_destroy(c->fd, c->queue);
	return NULL;
}

TEST_F(wait, queue_destroyed_meanwhile)
{
	pthread_t thread;

	put_branch(self->c.cmd, -1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroy_later, &self->c));
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(-ECANCELED, self->args.result);
	EXPECT_EQ(DRM_IAU_QUEUE_BANNED, self->args.state);
	pthread_join(thread, NULL);
}

/* Behind a job of another client that ends only when that one goes */
TEST_F(wait, behind_another_client)
{
	struct client other;
	struct drm_iau_sync in = { };
	pthread_t thread;
	int shared;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, loop_prepare(&other));
	ASSERT_EQ(0, submit_copies(&other, other.queue, 1));
	ASSERT_EQ(0, syncobj_export(other.fd, other.timeline, &shared));
	ASSERT_EQ(0, syncobj_import(self->c.fd, shared, &in.handle));
	in.point = other.point;
	self->jobs[0].syncs = (struct drm_iau_obj_array){ sizeof(in), 1, (uintptr_t)&in };
	self->args.timeout_ns = 20 * MS;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(-ETIME, self->args.result);
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroy_later, &other));
	self->args.timeout_ns = FOREVER;
	self->c.src[0] = 9;
	ASSERT_EQ(0, submit_once(self->c.fd, &self->args));
	EXPECT_EQ(0, self->args.result);
	EXPECT_EQ(9, self->c.dst[0]);
	pthread_join(thread, NULL);
	client_close(&other);
}

/* A client that knows no more than the jobs may wait, for no time, and hears nothing. */
TEST_F(wait, short_structure)
{
	size_t old = offsetof(struct drm_iau_submit, timeout_ns);
	unsigned long request = _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
				     DRM_COMMAND_BASE + DRM_IAU_SUBMIT, old);
	struct drm_iau_submit *p = at_page_end(old);

	ASSERT_NE(NULL, p);
	memcpy(p, &self->args, old);
	ASSERT_EQ(0, ioctl(self->c.fd, request, p));
	ASSERT_EQ(0, unbind(&self->c, DST_VA, PAGE));
	EXPECT_EQ(1, jobs_done(&self->c));
}

TEST_F(wait, structure_at_end_of_page)
{
	struct drm_iau_submit *p = at_page_end(sizeof(*p));

	ASSERT_NE(NULL, p);
	*p = self->args;
	ASSERT_EQ(0, submit_once(self->c.fd, p));
	EXPECT_EQ(0, p->result);
	EXPECT_EQ(0, p->state);
	memmove((char *)p + 8, p, sizeof(*p) - 8);
	EXPECT_EQ(-EFAULT, submit_once(self->c.fd, (void *)((char *)p + 8)));
	EXPECT_EQ(1, jobs_done(&self->c));
}

static void *wait_often(void *p)
{
	struct client *c = p;
	struct drm_iau_job job = copy_job();
	struct drm_iau_submit args = {
		.queue_id = c->queue,
		.flags = DRM_IAU_SUBMIT_WAIT,
		.jobs = { sizeof(job), 1, (uintptr_t)&job },
		.timeout_ns = FOREVER,
	};

	for (int i = 0; i < 200; i++)
		if (submit_once(c->fd, &args) || args.result || args.state)
			return p;
	return NULL;
}

TEST_F(wait, many_threads)
{
	pthread_t thread[8];
	void *failed;

	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, wait_often, &self->c));
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], &failed);
		EXPECT_EQ(NULL, failed);
	}
	EXPECT_EQ(8 * 200, jobs_done(&self->c));
}

TEST_HARNESS_MAIN
