/* SPDX-License-Identifier: MIT */
/*
 * The device goes while clients have it open, with jobs in flight, again and again:
 *
 *   gone ROUNDS
 *
 * What was promised comes, with an error or without; calls give ENODEV; memory stays what it was; and
 * the driver can be bound again while the old clients are still there.
 */
#define _GNU_SOURCE
#include "client.h"
#include "must.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DRIVER	"/sys/bus/pci/drivers/iau"
#define CLIENTS	4
#define BIG	(5 << 20) /* a page of the device's, and small ones */
#define KV	(64 * PAGE)
#define KV_VA	0x10000000
#define BIG_VA	0x20000000
#define SHARED_VA	0x30000000

static void must_be(const char *what, int err, int expected)
{
	if (err != expected) {
		fprintf(stderr, "gone: %s gives %d instead of %d\n", what, err, expected);
		exit(1);
	}
}

/* The name of the only device that is bound */
static void device_name(char *name, size_t size)
{
	glob_t found;

	if (glob(DRIVER "/0000:*", 0, NULL, &found) || found.gl_pathc != 1)
		fail("no device, or several", -ENODEV);
	snprintf(name, size, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
}

static void tell(const char *file, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), DRIVER "/%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		fail(path, -errno);
	close(fd);
}

/* What one client can have for the device: large and small pages, those of a sequence, another's */
static void take_memory(struct client *c)
{
	uint32_t big, kv, shared;
	void *p;
	int fd = memory_share(4 * PAGE, &p);

	must("bo_create", bo_create(c->fd, BIG, &big));
	must("bind", bind(c, DRM_IAU_BIND_WRITE, big, 0, BIG_VA, BIG));
	must("kv_create", kv_create(c->fd, c->vm, KV, &kv));
	must("bind", bind(c, DRM_IAU_BIND_WRITE, kv, 0, KV_VA, KV));
	must("commit", kv_commit(c->fd, kv, 0, PAGE, 3 * PAGE, NULL));
	must("import", bo_import(c->fd, fd, &shared));
	must("bind", bind(c, DRM_IAU_BIND_WRITE, shared, 0, SHARED_VA, 4 * PAGE));
	/* nothing but the mapping holds this one */
	must("close", bo_close(c->fd, big));
	munmap(p, 4 * PAGE);
	close(fd);
}

/* One copies, one has far more to copy, one never ends, one has nothing but memory. */
static void begin(struct client *c)
{
	for (int i = 0; i < CLIENTS; i++) {
		must("open", client_open(&c[i]));
		must("prepare", i == 2 ? loop_prepare(&c[i]) : copy_prepare(&c[i]));
	}
	c[0].src[0] = 1;
	must("copy", run_copy(&c[0]));
	for (int i = 0; i < 20; i++)
		must("submit", submit_copies(&c[1], c[1].queue, 64));
	must("submit", submit_copies(&c[2], c[2].queue, 4));
	/* its turn never comes while the device is there */
	must("bind", bind_later(&c[2], 0, c[2].cmd_bo, 0, BIG_VA, PAGE));
	take_memory(&c[3]);
}

/* Waits for a job that does not end while the device is there; the call has submitted it. */
static void *wait_by_submit(void *p)
{
	struct client *c = p;
	struct drm_iau_job job = copy_job();
	struct drm_iau_submit args = {
		.queue_id = c->queue,
		.flags = DRM_IAU_SUBMIT_WAIT,
		.jobs = { sizeof(job), 1, (uintptr_t)&job },
		.timeout_ns = -1,
	};

	must("submit and wait", ask(c->fd, DRM_IOCTL_IAU_SUBMIT, &args));
	must_be("the job that was waited for", args.result, -ENODEV);
	return NULL;
}

static void *wait_by_buffer(void *p)
{
	struct client *c = p;
	struct drm_iau_bo_wait args = { .handle = c->cmd_bo, .timeout_ns = -1 };

	must("wait for a buffer", ask(c->fd, DRM_IOCTL_IAU_BO_WAIT, &args));
	return NULL;
}

/* ... for its jobs to be over, so that it can unmap something; whether it can is a matter of luck. */
static void *wait_by_unbind(void *p)
{
	struct client *c = p;
	int err = unbind(c, BIG_VA, PAGE);

	if (err)
		must_be("unmapping", err, -ENODEV);
	return NULL;
}

/* A promise as a file, which can be waited for without the device */
static int promise(struct client *c)
{
	struct drm_syncobj_handle args = {
		.handle = c->timeline,
		.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
	};

	must("export", ask(c->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args));
	return args.fd;
}

static void keep(int file)
{
	struct pollfd waiting = { .fd = file, .events = POLLIN };

	must_be("what was promised", poll(&waiting, 1, LONG_MS), 1);
	close(file);
}

static void look(struct client *c)
{
	struct drm_iau_queue_state state;
	uint32_t id;

	for (int i = 0; i < CLIENTS; i++) {
		must_be("submit", submit_copies(&c[i], c[i].queue, 1), -ENODEV);
		must_be("queue_state", queue_state(c[i].fd, c[i].queue, &state), -ENODEV);
		must_be("queue_destroy", queue_destroy(c[i].fd, c[i].queue), -ENODEV);
		must_be("vm_create", vm_create(c[i].fd, &id), -ENODEV);
		must_be("bo_create", bo_create(c[i].fd, PAGE, &id), -ENODEV);
		must_be("unbind", unbind(&c[i], SRC_VA, PAGE), -ENODEV);
	}
	/* memory is memory */
	must_be("memory", c[0].dst[0], 1);
	c[0].src[1] = 5;
	must_be("memory", c[0].src[1], 5);
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;
	char name[32];

	if (rounds <= 0) {
		fprintf(stderr, "usage: gone ROUNDS\n");
		return 2;
	}
	device_name(name, sizeof(name));
	for (int i = 0; i < rounds; i++) {
		struct client c[CLIENTS], next;
		pthread_t waiting[3];
		int promised[3];

		begin(c);
		must("thread", -pthread_create(&waiting[0], NULL, wait_by_submit, &c[2]));
		must("thread", -pthread_create(&waiting[1], NULL, wait_by_buffer, &c[2]));
		/* they sleep by then, and the last one holds the VM's lock */
		usleep(20000);
		must("thread", -pthread_create(&waiting[2], NULL, wait_by_unbind, &c[2]));
		usleep(20000);
		for (int k = 0; k < 3; k++)
			promised[k] = promise(&c[k]);
		tell("unbind", name);
		for (int k = 0; k < 3; k++)
			keep(promised[k]);
		for (int k = 0; k < 3; k++)
			pthread_join(waiting[k], NULL);
		look(c);
		/* every other time, those who are left over go first */
		for (int k = 0; i % 2 && k < CLIENTS; k++)
			client_close(&c[k]);
		tell("bind", name);
		must("open again", client_open(&next));
		must("prepare again", copy_prepare(&next));
		next.src[0] = i;
		must("copy again", run_copy(&next));
		must_be("the copy", next.dst[0], i);
		client_close(&next);
		for (int k = 0; !(i % 2) && k < CLIENTS; k++)
			client_close(&c[k]);
	}
	printf("gone rounds %d\n", rounds);
	return 0;
}
