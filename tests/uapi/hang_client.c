/* SPDX-License-Identifier: MIT */
/*
 * A client that behaves badly.
 *
 *   hang_client loop N    submits N endless jobs with tag 0xbad, and stays
 *   hang_client store     stores where nothing is mapped, with tag 0xbad
 *   hang_client hang      a job with tag 0xbad; prints what became of it
 *   hang_client wait N    N such jobs, by a call that waits for them; prints what it tells
 *   hang_client copy N    well-behaved: N jobs; prints "copied" or what became of its queue
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int loop(uint32_t n)
{
	struct client c;

	client_open(&c);
	prepare_loop(&c);
	submit_tagged(&c, n, 0xbad);
	pause();
	return 0;
}

static uint32_t state(struct client *c)
{
	struct drm_iau_queue_state s = { .id = c->queue };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_STATE, &s), 0);
	return s.state;
}

static int store(void)
{
	struct client c;
	uint32_t *src, *dst;
	int err;

	client_open(&c);
	prepare_copy(&c, &src, &dst);
	assert_int_equal(bind(&c, DRM_IAU_BIND_UNMAP, 0, 0, DST_VA, 4096), 0);
	err = run_copy(&c, 0xbad);
	printf("stored: error %d, state %#x\n", err, state(&c));
	return 0;
}

static int hang(void)
{
	struct client c;
	uint32_t *src, *dst;
	int err;

	client_open(&c);
	prepare_copy(&c, &src, &dst);
	err = run_copy(&c, 0xbad);
	printf("hung: error %d, state %#x\n", err, state(&c));
	return 0;
}

static int wait(uint32_t n)
{
	struct drm_iau_job job[64];
	struct drm_iau_submit s = { .flags = DRM_IAU_SUBMIT_WAIT, .timeout_ns = -1,
				    .jobs = { sizeof(job[0]), n, (uintptr_t)job } };
	struct client c;
	uint32_t *src, *dst;
	int err;

	client_open(&c);
	prepare_copy(&c, &src, &dst);
	for (uint32_t i = 0; i < n; i++)
		job[i] = (struct drm_iau_job){ .cmd_va = CMD_VA, .cmd_bytes = c.cmd_bytes, .tag = 0xbad };
	s.queue_id = c.queue;
	err = ask(&c, DRM_IOCTL_IAU_SUBMIT, &s);
	printf("waited: error %d, result %d, state %#x\n", err, s.result, s.state);
	return 0;
}

static int copy(uint32_t n)
{
	struct client c;
	uint32_t *src, *dst;
	int err;

	client_open(&c);
	prepare_copy(&c, &src, &dst);
	for (uint32_t i = 1; i <= n; i++) {
		src[0] = i;
		err = run_copy(&c, 0);
		if (!err && dst[0] == i && !state(&c))
			continue;
		printf("job %u: error %d, state %#x\n", i, err, state(&c));
		return 1;
	}
	puts("copied");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "loop"))
		return loop((uint32_t)atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "store"))
		return store();
	if (argc == 2 && !strcmp(argv[1], "hang"))
		return hang();
	if (argc == 3 && !strcmp(argv[1], "wait") && atoi(argv[2]) <= 64)
		return wait((uint32_t)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "copy"))
		return copy((uint32_t)atoi(argv[2]));
	fprintf(stderr, "usage: hang_client loop N | store | hang | wait N | copy N\n");
	return 2;
}
