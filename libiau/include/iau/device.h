/* SPDX-License-Identifier: MIT */
/*
 * Devices: memory that the accelerator sees, and jobs. All calls on one device come from one
 * thread at a time. Functions return 0 or a negative errno; iau_last_error() tells more.
 */
#ifndef IAU_DEVICE_H
#define IAU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iau_device;

/**
 * struct iau_device_options - how to open a device
 * @engine:	"rtl" (the Verilated hardware), "ref" (the bit-exact model without time) or "ref:2" (the
 *		same with a second thread), in this process; NULL: a card behind the kernel driver if there is one, else "ref"
 * @node:	device node of a card, such as /dev/accel/accel0, or NULL; not with @engine
 * @latency:	of an engine: cycles from address to first beat of the memory model; 0 = default (100)
 * @bus:	of an engine: bytes a cycle of the memory model, 1 to 64; 0 = default (64)
 * @seed:	seed of the memory model's jitter
 * @memory:	bytes of memory, at least 2 MiB; 0 = default (64 GiB, taken from the host as used)
 */
struct iau_device_options {
	const char *engine;
	const char *node;
	uint32_t latency, bus;
	uint64_t seed;
	uint64_t memory;
};

/**
 * struct iau_device_info - what a device is
 * @engine:	name of the engine, or the card's device node; valid until the device is closed
 * @timed:	cycle counters advance
 * @rows:	columns that the matrix engine computes side by side; tiles have 32 whatever it is
 * @lanes:	elements of a quantisation block
 * @queues:	hardware queues
 * @contexts:	page tables that the device holds
 * @vector_bytes: size of the vector scratchpad
 * @tile_bytes:	size of the tile scratchpad
 */
struct iau_device_info {
	const char *engine;
	bool timed;
	uint32_t rows, lanes, queues, contexts, vector_bytes, tile_bytes;
};

/**
 * struct iau_buffer - memory of the device
 * @va:		address on the device
 * @ptr:	the same memory on the host
 * @size:	bytes, a multiple of 4096
 */
struct iau_buffer {
	uint64_t va;
	void *ptr;
	size_t size;
};

/* Access of the device to a buffer. */
enum iau_access {
	IAU_ACCESS_CONST, /* read and execute only: weights, command buffers */
	IAU_ACCESS_RW,
};

#define IAU_PARAMS 32

/**
 * iau_device_open() - open a device
 * @options:	NULL for the defaults
 * @out:	the device, NULL on failure
 *
 * Return: 0; -EINVAL unknown engine; -ENODEV the engine does not start or the node is no card of
 * ours; -EACCES the node may not be opened; -ENOMEM.
 */
int iau_device_open(const struct iau_device_options *options, struct iau_device **out);

/* Closes a device and frees its buffers. NULL is allowed. */
void iau_device_close(struct iau_device *dev);

void iau_device_info(struct iau_device *dev, struct iau_device_info *info);

/**
 * iau_buffer_create() - zeroed memory that the device can reach
 * @size:	bytes, above 0; rounded up to pages
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int iau_buffer_create(struct iau_device *dev, size_t size, enum iau_access access,
		      struct iau_buffer *out);

/**
 * iau_buffer_reserve() - addresses whose memory comes and goes
 * @size:	bytes, above 0; rounded up to pages
 *
 * The device may load from and store to what iau_buffer_commit() has backed. A job that touches
 * anything else faults; the host must not touch it either. Pages are small, so that no more memory
 * is taken than was asked for.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int iau_buffer_reserve(struct iau_device *dev, size_t size, struct iau_buffer *out);

/* A part of a buffer, in bytes: multiples of 4096 */
struct iau_range {
	uint64_t offset, size;
};

/**
 * iau_buffer_commit() - zeroed memory for parts of a reserved buffer
 * @range:	@n parts; what has memory already keeps it and its contents
 *
 * Return: 0; -EINVAL a part is misaligned or beyond the buffer; -ENOMEM. On failure parts may have
 * got memory.
 */
int iau_buffer_commit(struct iau_device *dev, const struct iau_buffer *buf,
		      const struct iau_range *range, size_t n);

/**
 * iau_buffer_decommit() - give the memory of parts of a reserved buffer back
 *
 * Return: 0; -EINVAL as above.
 */
int iau_buffer_decommit(struct iau_device *dev, const struct iau_buffer *buf,
			const struct iau_range *range, size_t n);

/**
 * struct iau_view - addresses at which the device sees parts of buffers
 * @va:		address on the device
 * @size:	bytes, a multiple of 4096
 *
 * What a view shows may be seen in other views too: memory is shared and moved without a copy.
 */
struct iau_view {
	uint64_t va, size;
};

/**
 * iau_view_create() - addresses at which nothing is seen yet
 * @size:	bytes, above 0; rounded up to pages
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int iau_view_create(struct iau_device *dev, size_t size, struct iau_view *out);

/**
 * iau_view_map() - show a part of a reserved buffer
 * @at:		offset in the view, a multiple of 4096
 * @part:	of @buf; nothing else may be seen at @at
 *
 * The device loads and stores there whatever memory the part has, now or later.
 *
 * Return: 0; -EINVAL misaligned or beyond an end; -ENOMEM.
 */
int iau_view_map(struct iau_device *dev, const struct iau_view *view, uint64_t at,
		 const struct iau_buffer *buf, struct iau_range part);

/**
 * iau_view_unmap() - show nothing in a part of a view
 * @part:	of the view, what one or several iau_view_map() showed
 *
 * Return: 0; -EINVAL misaligned or beyond the end.
 */
int iau_view_unmap(struct iau_device *dev, const struct iau_view *view, struct iau_range part);

/* Shows nothing any more and gives the addresses back. */
void iau_view_destroy(struct iau_device *dev, struct iau_view *view);

/* Gives a buffer's memory back; no view may show it any more. */
void iau_buffer_destroy(struct iau_device *dev, struct iau_buffer *buf);

/**
 * iau_device_execute() - run one job and wait for it
 * @cmd_va:	command buffer
 * @cmd_bytes:	its size
 * @params:	initial scalar registers; NULL: all zero, which starts sooner
 *
 * Return: 0; -EIO the job faulted: iau_last_error() says where and why.
 */
int iau_device_execute(struct iau_device *dev, uint64_t cmd_va, size_t cmd_bytes,
		       const uint32_t *params);

/* Counter by its number in the hardware reference. */
uint64_t iau_device_counter(struct iau_device *dev, unsigned int counter);

/* Units of a device that take commands; IAU_UNIT_JOB stands for a job as a whole. */
enum iau_unit {
	IAU_UNIT_LOAD,
	IAU_UNIT_STORE,
	IAU_UNIT_MATMUL,
	IAU_UNIT_VEC,
	IAU_UNIT_COPY,
	IAU_UNIT_JOB,
	IAU_UNITS,
};

/**
 * struct iau_span - a command's or job's way through the device, in device cycles
 * @entered:	checked and put into the window of commands under way
 * @started:	given to its unit
 * @done:	over
 * @command:	its index in the command buffer
 * @unit:	enum iau_unit
 *
 * Cycles are those of the cycle counter: they stand still between jobs.
 */
struct iau_span {
	uint64_t entered, started, done;
	uint32_t command;
	uint32_t unit;
};

typedef void (*iau_span_fn)(void *opaque, const struct iau_span *span);

/**
 * iau_device_trace() - be told of every command that is done, and of every job
 * @fn:		called from within iau_device_execute(); NULL: no more
 *
 * Return: 0; -ENOTSUP not the rtl engine in this process.
 */
int iau_device_trace(struct iau_device *dev, iau_span_fn fn, void *opaque);

#ifdef __cplusplus
}
#endif

#endif
