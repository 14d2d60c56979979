/* SPDX-License-Identifier: MIT */
/* The vfio-user server: one card, one client at a time. */
#ifndef IAU_VFIO_SERVER_H
#define IAU_VFIO_SERVER_H

#include "config.h"
#include "msix.h"
#include "proto.h"
#include "worker.h"

struct server {
	struct worker worker;
	struct msix msix;
	struct config config;
	int status_fd; /* the status page, for the client to map */
	volatile uint32_t *status_page;

	/* the client */
	int fd;
	bool greeted; /* VERSION was first */
	uint64_t reads, writes; /* of registers, by trap: the status page is mapped */
};

/* A message being handled, and what its handler answers. */
struct message {
	struct vu_header header;
	uint8_t *payload;
	uint32_t size; /* of the payload */
	int fd[VU_MAX_FDS];
	unsigned int fds;

	uint8_t *reply; /* room for VU_MAX_PAYLOAD bytes */
	uint32_t reply_size;
	int reply_fd; /* -1: none; stays the server's */
};

#define VU_MAX_PAYLOAD (sizeof(struct vu_region_access) + VU_MAX_DATA)

/* Makes the device; returns 0 or -errno, with a message printed. */
int server_open(struct server *s, const struct iau_dev_ops *ops,
		const struct iau_dev_timing *timing, const struct inject_plan *plan);
/* Serves the client behind FD until it goes away or talks nonsense; FD is closed. */
void server_client(struct server *s, int fd);

/* commands.c: what MSG asks; 0 or -errno. */
int server_command(struct server *s, struct message *msg);
/* regions.c */
int server_region_info(struct server *s, struct message *msg);
int server_region_read(struct server *s, struct message *msg);
int server_region_write(struct server *s, struct message *msg);
/* irqs.c */
int server_irq_info(struct server *s, struct message *msg);
int server_set_irqs(struct server *s, struct message *msg);
/* commands.c: reset of the function, or by the bus. */
void server_reset(struct server *s, bool bus);

#endif
