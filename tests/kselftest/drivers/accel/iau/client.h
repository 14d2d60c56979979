/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A client of the driver: an address space, a queue, a timeline, and a job that copies a page. All
 * functions that return int give 0 or a negative errno.
 */
#ifndef IAU_CLIENT_H
#define IAU_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <drm/iau_accel.h>

#include "iau_commands.h"

#define PAGE		4096ull
#define CMD_VA		0x10000ull
#define SRC_VA		0x20000ull
#define DST_VA		0x30000ull
#define VA_LIMIT	(1ull << IAU_VA_BITS)
#define WORDS		(PAGE / sizeof(uint32_t))
#define LONG_MS		60000	/* the device may be a slow simulation */

struct client {
	int fd;
	uint32_t vm, queue;
	uint32_t timeline;	/* the last job of each submission signals the next point */
	uint64_t point;
	uint32_t src_bo, dst_bo, cmd_bo;
	uint32_t *src, *dst, *cmd;
};

/* The first IAU, or -ENODEV */
int node_open(void);
/* Once more, as another client */
int client_open(struct client *c);
void client_close(struct client *c);

#define OPEN_OR_SKIP(c)							\
	do {								\
		int err_ = client_open(c);				\
									\
		if (err_ == -ENODEV)					\
			SKIP(return, "there is no IAU accelerator");	\
		ASSERT_EQ(0, err_);					\
	} while (0)

int ask(int fd, unsigned long request, void *arg);

int vm_create(int fd, uint32_t *id);
int vm_destroy(int fd, uint32_t id);
int queue_create(int fd, uint32_t vm, uint32_t priority, uint32_t *id);
int queue_destroy(int fd, uint32_t id);
int queue_state(int fd, uint32_t id, struct drm_iau_queue_state *state);
int bo_create(int fd, uint64_t size, uint32_t *handle);
int bo_close(int fd, uint32_t handle);
/* A KV buffer of VM; memory for BYTES of it, or with RELEASE none. *COMMITTED may be NULL. */
int kv_create(int fd, uint32_t vm, uint64_t size, uint32_t *handle);
int kv_commit(int fd, uint32_t handle, uint32_t flags, uint64_t offset, uint64_t size,
	      uint64_t *committed);
/* NULL if it does not work; errno says why */
void *bo_map(int fd, uint32_t handle, size_t size);
/* Memory of this process as a dma-buf, or -1; *P is where it is seen here. */
int memory_share(size_t size, void **p);
int bo_import(int fd, int shared, uint32_t *handle);
int bind_ops(int fd, uint32_t vm, struct drm_iau_bind_op *ops, uint32_t *count);
int bind(struct client *c, uint32_t flags, uint32_t handle, uint64_t offset, uint64_t va,
	 uint64_t size);
/* In the order of jobs; the timeline's next point is signalled when it is done. */
int bind_later(struct client *c, uint32_t flags, uint32_t handle, uint64_t offset, uint64_t va,
	       uint64_t size);
int unbind(struct client *c, uint64_t va, uint64_t size);

int syncobj_create(int fd, uint32_t *handle);
int syncobj_signal(int fd, uint32_t handle);
int syncobj_reset(int fd, uint32_t handle);
int syncobj_wait(int fd, uint32_t handle, uint64_t point, uint32_t flags, int ms);
int syncobj_query(int fd, uint32_t handle, uint64_t *point);
int syncobj_export(int fd, uint32_t handle, int *shared);
int syncobj_import(int fd, int shared, uint32_t *handle);
/* The fence in a syncobj: 0 while it is pending, 1 once it is signalled, or its error */
int syncobj_status(int fd, uint32_t handle, int *status);

/* Each writes the command at WORDS and returns where the next one goes. */
uint32_t *put_load(uint32_t *words, uint64_t va, uint32_t bytes);
uint32_t *put_store(uint32_t *words, uint64_t va, uint32_t bytes);
uint32_t *put_branch(uint32_t *words, int32_t offset);
uint32_t *put_end(uint32_t *words);

/* Binds a page of commands, a source and a destination; the commands copy from one to the other. */
int copy_prepare(struct client *c);
/* ... and the commands never end. */
int loop_prepare(struct client *c);
struct drm_iau_job copy_job(void);
int submit(struct client *c, uint32_t queue, struct drm_iau_job *jobs, uint32_t count);
/* N copies; the last one signals the timeline. */
int submit_copies(struct client *c, uint32_t queue, uint32_t count);
int client_wait(struct client *c, int ms);
/* One job, to its end: 0 even if it faulted */
int run_job(struct client *c, uint32_t queue, struct drm_iau_job job);
int run_copy(struct client *c);
/*
 * Copies the page at FROM to TO: 0, or the code of the fault that the job met at either of them;
 * the queue is replaced then.
 */
int copy_between(struct client *c, uint64_t from, uint64_t to);

/* A file that the driver has in debugfs */
int debug_open(const char *name, int flags);
/* Has the driver give back what it can, as if memory were short. */
int take_back(void);

/* Room for SIZE bytes that ends where a mapping does: the next byte cannot be touched. */
void *at_page_end(size_t size);

#endif /* IAU_CLIENT_H */
