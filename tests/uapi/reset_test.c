/* SPDX-License-Identifier: MIT */
/*
 * Clients that do nothing wrong must lose nothing, whatever happens to the card.
 *
 *   reset_test hangs COUNT    beside them, COUNT jobs hang, which the card does at each job with tag
 *                             0xbad; how long the others had to wait is written, but decides nothing.
 *                             Of that is told what the machine itself stood still once the time was
 *                             up: what a process that only sleeps, a millisecond at a time, and goes
 *                             before all others was late by, where it was a millisecond or more
 *   reset_test endless COUNT  beside them, COUNT jobs retire commands without end
 *   reset_test busy FILE      whoever started this does something to the card until it makes the file
 *   reset_test wedged         the card is: each ioctl says so
 *
 * Prints TAP.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD_TAG 0xbad
#define INNOCENTS 3

static unsigned int tests;

static void ok(bool good, const char *name)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests, name);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* What the processes tell each other. */
struct shared {
	atomic_bool stop;
	_Atomic int64_t last_us; /* when a job of any of them was last done */
	_Atomic int64_t gap_us;	 /* longest time without one, since it was set to 0 */
	_Atomic int64_t still_us; /* for how long the machine has stood still since it started ... */
	_Atomic int64_t last_still_us; /* ... when that job was done, ... */
	_Atomic int64_t gap_still_us; /* ... and within the longest time */
	atomic_ulong jobs[INNOCENTS], lost[INNOCENTS];
};

static struct shared *shared;

static void note_done(void)
{
	int64_t still = shared->still_us - atomic_exchange(&shared->last_still_us, shared->still_us);
	int64_t now = now_us(), gap = now - atomic_exchange(&shared->last_us, now);

	if (gap <= shared->gap_us)
		return;
	shared->gap_us = gap;
	shared->gap_still_us = still;
}

static int64_t timeout_us(void)
{
	FILE *f = fopen("/sys/module/iau/parameters/timeout_ms", "r");
	int ms = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%d", &ms) != 1)
		ms = 0;
	fclose(f);
	return ms * INT64_C(1000);
}

/*
 * Who has the highest priority and wants nothing is late only if the machine is. Before the watchdog's
 * time is up that costs nobody anything.
 */
static int sleeper(void)
{
	const struct sched_param highest = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	const struct timespec step = { .tv_nsec = 1000000 };
	const int64_t timeout = timeout_us();

	if (sched_setscheduler(0, SCHED_FIFO, &highest))
		return 1;
	while (!shared->stop) {
		int64_t due = now_us() + 1000, up = shared->last_us + timeout, late;

		clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
		late = now_us() - (due > up ? due : up);
		if (late >= 1000)
			shared->still_us += late;
	}
	return 0;
}

/* Each job adds 1 to its numbers; one that is lost or done twice shows at once. */
static int innocent(int n)
{
	struct drm_iau_queue_create q = { .priority = (uint32_t)n };
	struct client c;
	float *sum;

	client_open(&c);
	q.vm_id = c.vm;
	if (ask(&c, DRM_IOCTL_IAU_QUEUE_CREATE, &q))
		return 1;
	c.queue = q.id;
	prepare_count(&c, &sum);
	for (uint32_t i = 0; !shared->stop; i++) {
		uint32_t jobs = 1 + i % 4;
		float want = sum[0] + (float)jobs;

		if (run_copies(&c, jobs) || sum[0] != want || sum[31] != want) {
			fprintf(stderr, "# client %d: %g for %g\n", n, (double)sum[0], (double)want);
			shared->lost[n]++;
			return 1;
		}
		shared->jobs[n] += jobs;
		/* floats count so far only */
		if (want > 1e6f)
			memset(sum, 0, 128);
		note_done();
	}
	return 0;
}

static bool any_lost(void)
{
	return shared->lost[0] || shared->lost[1] || shared->lost[2];
}

static void start_innocents(pid_t *pid)
{
	fflush(stdout);
	for (int n = 0; n < INNOCENTS; n++) {
		pid[n] = fork();
		if (!pid[n])
			_exit(innocent(n));
	}
	/* until all of them are at work */
	for (int n = 0; n < INNOCENTS; n++)
		for (int i = 0; !shared->jobs[n] && i < 10000; i++)
			usleep(1000);
}

static void check_innocents(pid_t *pid)
{
	unsigned long jobs = 0, lost = 0;
	bool good = true;

	shared->stop = true;
	for (int n = 0; n < INNOCENTS; n++) {
		int status = -1;

		good &= waitpid(pid[n], &status, 0) == pid[n] && status == 0;
		good &= shared->jobs[n] > 0;
		jobs += shared->jobs[n];
		lost += shared->lost[n];
	}
	printf("# %lu jobs of clients that did nothing wrong, %lu lost\n", jobs, lost);
	ok(good && !lost, "clients that did nothing wrong have lost nothing");
}

/* The job that C has submitted is ended as one that hung, and its queue takes no more. */
static bool ended(struct client *c)
{
	struct drm_iau_queue_state s = { .id = c->queue };

	return !wait_point(c, 60000) && !ask(c, DRM_IOCTL_IAU_QUEUE_STATE, &s) &&
	       s.state == (DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_TIMEOUT) && run_copy(c, 0) == -EIO;
}

static bool hang(void)
{
	struct client c;
	float *sum;
	bool good;

	client_open(&c);
	prepare_count(&c, &sum);
	submit_tagged(&c, 1, BAD_TAG);
	good = ended(&c) && sum[0] == 0;
	client_close(&c);
	return good;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void figure(const char *what, int64_t *us, unsigned int count)
{
	qsort(us, count, sizeof(*us), compare);
	printf("# figure: %s: %.1f ms (median), %.1f (95%%), %.1f (99%%), %.1f (longest)\n", what,
	       (double)us[count / 2] / 1e3, (double)us[count - 1 - count / 20] / 1e3,
	       (double)us[count - 1 - count / 100] / 1e3, (double)us[count - 1] / 1e3);
}

static void hangs(unsigned int count)
{
	int64_t *gap = calloc(count, sizeof(*gap)), *moving = calloc(count, sizeof(*moving));
	unsigned int good = 0, done = 0;
	pid_t pid[INNOCENTS], sleeping;
	char name[64];

	if (!gap || !moving)
		exit(1);
	start_innocents(pid);
	sleeping = fork();
	if (!sleeping)
		_exit(sleeper());
	/* without the others there is nothing to wait for */
	while (done < count && !any_lost()) {
		int64_t last;

		shared->gap_us = 0;
		good += hang();
		/* the gap ends with the next job that is done */
		last = shared->last_us;
		for (int k = 0; shared->last_us == last && k < 100000 && !any_lost(); k++)
			usleep(100);
		gap[done] = shared->gap_us;
		moving[done++] = shared->gap_us - shared->gap_still_us;
	}
	snprintf(name, sizeof(name), "%u jobs that hang are ended, one after the other", count);
	ok(good == count, name);
	check_innocents(pid);
	waitpid(sleeping, NULL, 0);
	if (done) {
		figure("from a job that hangs to the next client's", gap, done);
		figure("the same without what the machine stood still then", moving, done);
	}
	free(gap);
	free(moving);
}

static void endless(unsigned int count)
{
	unsigned int good = 0;
	pid_t pid[INNOCENTS];
	char name[64];

	start_innocents(pid);
	for (unsigned int i = 0; i < count; i++) {
		struct client c;

		client_open(&c);
		prepare_loop(&c);
		submit_copies(&c, 1);
		good += ended(&c);
		client_close(&c);
	}
	snprintf(name, sizeof(name), "%u jobs that never end are ended, one after the other", count);
	ok(good == count, name);
	check_innocents(pid);
}

static void busy(const char *over)
{
	pid_t pid[INNOCENTS];

	start_innocents(pid);
	puts("# at work");
	fflush(stdout);
	while (access(over, F_OK))
		usleep(10000);
	check_innocents(pid);
}

static void wedged(void)
{
	struct drm_iau_device_info info = { 0 };
	struct drm_iau_dev_query query = { .type = DRM_IAU_DEV_QUERY_INFO, .size = sizeof(info),
					   .pointer = (uintptr_t)&info };
	struct drm_iau_bo_create bo = { .size = 4096 };
	struct drm_iau_vm_create vm = { 0 };
	struct client c = { .fd = open(client_node, O_RDWR | O_CLOEXEC) };

	ok(c.fd >= 0, "a wedged device can be opened");
	ok(ask(&c, DRM_IOCTL_IAU_VM_CREATE, &vm) == -EIO, "it makes no address space");
	ok(ask(&c, DRM_IOCTL_IAU_BO_CREATE, &bo) == -EIO, "it makes no buffer");
	ok(!ask(&c, DRM_IOCTL_IAU_DEV_QUERY, &query) && info.rows, "it can be asked what it is");
	close(c.fd);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	shared->last_us = now_us();
	if (argc == 3 && n && !strcmp(argv[1], "hangs"))
		hangs(n);
	else if (argc == 3 && n && !strcmp(argv[1], "endless"))
		endless(n);
	else if (argc == 3 && !strcmp(argv[1], "busy"))
		busy(argv[2]);
	else if (argc == 2 && !strcmp(argv[1], "wedged"))
		wedged();
	else
		return fprintf(stderr, "usage: reset_test hangs N | endless N | busy FILE | wedged\n"), 2;
	return 0;
}
