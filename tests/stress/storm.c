/* SPDX-License-Identifier: MIT */
/*
 * Processes that submit beside each other and look at every result:
 *
 *   storm SEED PROCESSES SUBMISSIONS [GUILTY]
 *
 * GUILTY more processes submit jobs that fault or never end, until the others are done. Prints how
 * many queues of the innocent were banned (a job that the device loses costs its queue, and nothing
 * else) and how many of the guilty; fails if a result is wrong or does not come.
 */
#include "client.h"
#include "random.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROCESSES	64
#define MAX_JOBS	8
#define HOLE		0x70000000ull

struct shared {
	uint32_t innocent_banned, guilty_banned;
};

static struct shared *shared;

static void die(const char *what, int err)
{
	fprintf(stderr, "storm: process %d: %s: %s\n", getpid(), what, strerror(-err));
	_exit(1);
}

static void must(const char *what, int err)
{
	if (err)
		die(what, err);
}

/* If its queue was banned, the client has another one. */
static int replaced(struct client *c, uint32_t *count)
{
	struct drm_iau_queue_state state;

	must("queue_state", queue_state(c->fd, c->queue, &state));
	if (!(state.state & DRM_IAU_QUEUE_BANNED))
		return 0;
	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	must("queue_destroy", queue_destroy(c->fd, c->queue));
	must("queue_create", queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_NORMAL, &c->queue));
	return 1;
}

/* Copies, with the value that is copied changed only while no job is left */
static void one_submission(struct client *c, uint32_t value)
{
	uint32_t at = below(WORDS);

	do {
		int err;

		c->src[at] = value;
		c->dst[at] = ~value;
		err = submit_copies(c, c->queue, 1 + below(MAX_JOBS));
		if (!err)
			err = client_wait(c, LONG_MS);
		if (err && err != -EIO)
			die("submit and wait", err);
	} while (replaced(c, &shared->innocent_banned));
	if (c->dst[at] != value)
		die("a wrong result", -EILSEQ);
}

static void rebind(struct client *c)
{
	must("unbind", unbind(c, SRC_VA, PAGE));
	must("bind", bind(c, 0, c->src_bo, 0, SRC_VA, PAGE));
}

static void innocent(uint32_t submissions)
{
	struct client c;

	must("open", client_open(&c));
	must("prepare", copy_prepare(&c));
	for (uint32_t i = 1; i <= submissions; i++) {
		one_submission(&c, i);
		if (!below(16))
			rebind(&c);
		if (!below(200)) {
			client_close(&c);
			must("open", client_open(&c));
			must("prepare", copy_prepare(&c));
		}
	}
	client_close(&c);
}

/* Submits jobs that fault, or that never end, and takes their queue away while they run. */
static void one_crime(struct client *c)
{
	int endless = below(2), err;

	if (endless)
		put_branch(c->cmd, -1);
	else
		put_load(c->cmd, HOLE, 64);
	err = submit_copies(c, c->queue, 1 + below(3));
	must("submit", err == -EIO ? 0 : err);
	if (!err && !endless)
		must("wait", client_wait(c, LONG_MS));
	if (replaced(c, &shared->guilty_banned))
		return;
	usleep(below(5000));
	must("queue_destroy", queue_destroy(c->fd, c->queue));
	must("queue_create", queue_create(c->fd, c->vm, DRM_IAU_PRIORITY_NORMAL, &c->queue));
}

static void guilty(void)
{
	for (;;) {
		struct client c;

		must("open", client_open(&c));
		must("prepare", loop_prepare(&c));
		for (int i = 0; i < 8; i++)
			one_crime(&c);
		client_close(&c);
	}
}

static pid_t start(uint64_t seed, uint32_t submissions)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	random_seed(seed);
	if (submissions)
		innocent(submissions);
	else
		guilty();
	_exit(0);
}

int main(int argc, char **argv)
{
	uint32_t processes, submissions, bad = 0;
	pid_t criminal[MAX_PROCESSES], pid[MAX_PROCESSES];
	uint64_t seed;
	uint32_t criminals;

	if (argc < 4) {
		fprintf(stderr, "usage: storm SEED PROCESSES SUBMISSIONS [GUILTY]\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	processes = strtoul(argv[2], NULL, 0);
	submissions = strtoul(argv[3], NULL, 0);
	criminals = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;
	if (!submissions || processes > MAX_PROCESSES || criminals > MAX_PROCESSES)
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (uint32_t i = 0; i < criminals; i++)
		criminal[i] = start(seed + 1000 + i, 0);
	for (uint32_t i = 0; i < processes; i++)
		pid[i] = start(seed + i, submissions);
	for (uint32_t i = 0; i < processes; i++) {
		int status;

		bad += waitpid(pid[i], &status, 0) != pid[i] || status;
	}
	/* in the middle of whatever they do */
	for (uint32_t i = 0; i < criminals; i++) {
		int status;

		kill(criminal[i], SIGKILL);
		bad += waitpid(criminal[i], &status, 0) != criminal[i] || !WIFSIGNALED(status);
	}
	printf("storm failed %u innocent_banned %u guilty_banned %u\n", bad, shared->innocent_banned,
	       shared->guilty_banned);
	return !!bad;
}
