/* SPDX-License-Identifier: MIT */
/* Jobs for the card of a client, in the client's memory. */
#ifndef TESTS_VFIO_JOBS_H
#define TESTS_VFIO_JOBS_H

#include "client.h"

/* A queue with a context of its own, which copies BYTES from one page to another. */
struct lane {
	unsigned int q;
	uint64_t ring, code, in, out, record, fence; /* DMA addresses; the last fence value */
	uint32_t tail, cmd_bytes;
};

#define LANE_BYTES 1000u

/* DELAY rounds of two commands between the load and the store; 0 rounds are none. */
void lane_open(struct client *c, struct lane *l, unsigned int q, uint32_t delay);
/* The registers of the queue and its context once more, after a reset. */
void lane_enable(struct client *c, struct lane *l);
/* Submits a job that raises the queue's vector; lane_queue() leaves the doorbell to the caller. */
void lane_submit(struct client *c, struct lane *l);
void lane_queue(struct client *c, struct lane *l);
/* Waits for its interrupt, and checks the record and the copy. */
void lane_check(struct client *c, struct lane *l);
bool lane_copied(struct client *c, const struct lane *l);

uint64_t page_new(struct client *c, uint32_t n);
uint8_t *at_pa(struct client *c, uint64_t pa);
/* Makes the job of L endless. */
void lane_endless(struct client *c, struct lane *l);
uint64_t record_value(struct client *c, const struct lane *l);

#endif
