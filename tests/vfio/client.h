/* SPDX-License-Identifier: MIT */
/* A vfio-user client for tests: starts servers, talks to them as a VMM and as a driver does. */
#ifndef TESTS_VFIO_CLIENT_H
#define TESTS_VFIO_CLIENT_H

#include "cmocka_all.h"
#include "iau_hw.h"
#include "pci_ids.h"
#include "proto.h"

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <sys/types.h>

#define PAGE	     4096u
#define CLIENT_BYTES (4u << 20)
#define CLIENT_PA    (UINT64_C(5) << 36) /* DMA addresses need more than 32 bits */

/* A server of its own process, a connection, and memory that the card can reach. */
struct client {
	const char *engine;
	pid_t server;
	char dir[64], path[96];
	int fd;
	uint16_t id;
	uint8_t *mem;
	int mem_fd;
	uint32_t next_page;
	int irq[IAU_NUM_IRQS];
	uint64_t root;
};

/* What a reply says: 0 or -errno of the server's. */
struct reply {
	int err;
	uint32_t size;
	uint8_t data[4096];
	int fd; /* -1: none came */
};

/* A server with OPTIONS (words, may be ""), not connected. */
void server_run(struct client *c, const char *engine, const char *options);
void server_end(struct client *c);
/* Waits for the server to end by itself; its exit status. */
int server_status(struct client *c);

/* A connection without a handshake, then with one, then as a VMM leaves it to a driver. */
void client_connect(struct client *c);
void client_hello(struct client *c);
void client_ready(struct client *c);
void client_disconnect(struct client *c);
/* All of it, and its end. */
void client_open(struct client *c, const char *engine, const char *options);
void client_close(struct client *c);

/* Sends a command with N descriptors; call() also takes the reply. */
void send_command(struct client *c, uint16_t command, const void *payload, uint32_t size,
		  const int *fds, unsigned int n);
void take_reply(struct client *c, struct reply *r);
void call(struct client *c, struct reply *r, uint16_t command, const void *payload, uint32_t size,
	  const int *fds, unsigned int n);

int dma_window(struct client *c, uint64_t pa, uint64_t size, int fd, uint64_t offset);
int dma_window_gone(struct client *c, uint64_t pa, uint64_t size);
int device_reset(struct client *c);
/* SET_IRQS without data or descriptors. */
int set_irqs(struct client *c, uint32_t flags, uint32_t vector, uint32_t count);
int set_irq_fd(struct client *c, uint32_t vector, int fd);

uint32_t region_read(struct client *c, uint32_t region, uint64_t offset, uint32_t bytes);
void region_write(struct client *c, uint32_t region, uint64_t offset, uint32_t value,
		  uint32_t bytes);
uint32_t reg_read(struct client *c, uint32_t offset);
void reg_write(struct client *c, uint32_t offset, uint32_t value);
/* Without waiting for a reply. */
void reg_post(struct client *c, uint32_t offset, uint32_t value);
uint32_t queue_read(struct client *c, unsigned int q, uint32_t reg);
void queue_write(struct client *c, unsigned int q, uint32_t reg, uint32_t value);
/* The offset of a capability; fails the test if there is none. */
uint32_t capability(struct client *c, uint8_t id);
void bus_master(struct client *c, bool on);
/* Reset by Device Control. */
void function_reset(struct client *c);

/* Waits until VECTOR fires; how often it did since the last time. */
uint64_t irq_wait(struct client *c, unsigned int vector);
/* How often it did, without waiting. */
uint64_t irq_count(struct client *c, unsigned int vector);

#endif
