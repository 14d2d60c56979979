/* SPDX-License-Identifier: MIT */
/* A client of the driver with one address space and one queue, and a job that copies a page. */
#ifndef TESTS_UAPI_CLIENT_H
#define TESTS_UAPI_CLIENT_H

#include "cmocka_all.h"
#include "iau_hw.h"

#include <drm/iau_accel.h>
#include <stdint.h>
#include <xf86drm.h>

/* Where the copy's parts lie in the address space */
#define CMD_VA UINT64_C(0x10000)
#define SRC_VA UINT64_C(0x20000)
#define DST_VA UINT64_C(0x30000)

struct client {
	int fd;
	uint32_t vm, queue, timeline;
	uint64_t point;
	uint32_t dst_bo, cmd_bytes;
	void *page[3]; /* mapped by prepare_...(); a mapping keeps the client alive */
	int pages;
};

extern const char *client_node;

/* Assert that it works. */
void client_open(struct client *c);
void client_close(struct client *c);
uint32_t new_bo(struct client *c, uint64_t size);
void *map_bo(struct client *c, uint32_t handle, uint64_t size);

/* 0 or a negative errno */
int ask(struct client *c, unsigned long request, void *arg);
int bind(struct client *c, uint32_t flags, uint32_t bo, uint64_t offset, uint64_t va, uint64_t size);

/* Binds commands, a source and a destination. */
void prepare_copy(struct client *c, uint32_t **src, uint32_t **dst);
/* Binds commands that add 1 to 32 numbers in memory: doing them twice, or not, shows. */
void prepare_count(struct client *c, float **sum);
/* Binds commands that never end instead. */
void prepare_loop(struct client *c);
/* Runs what was prepared and waits for it: 0 once it is over, faulted or not. */
int run_copy(struct client *c, uint32_t tag);
int run_copies(struct client *c, uint32_t n);
void submit_copies(struct client *c, uint32_t n);
void submit_tagged(struct client *c, uint32_t n, uint32_t tag);
/* ... when GATE is signalled: 0 or a negative errno */
int submit_copy_behind(struct client *c, uint32_t gate);
/* Waits for the last submission: 0 or -ETIME. */
int wait_point(struct client *c, int ms);

#endif
