/* SPDX-License-Identifier: MIT */
/*
 * The device C ABI: one simulated accelerator behind a flat interface, the same for every engine.
 * No state is shared between instances. Calls on one instance must not overlap.
 */
#ifndef IAU_DEV_H
#define IAU_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iau_dev;

/* Units that take commands, in the order of the hardware's; JOB stands for a job as a whole. */
enum iau_dev_unit {
	IAU_DEV_LOAD, IAU_DEV_STORE, IAU_DEV_MATMUL, IAU_DEV_VEC, IAU_DEV_COPY, IAU_DEV_JOB,
	IAU_DEV_UNITS
};

/*
 * What became of a command, in cycles of the cycle counter: checked and put into the window, given to
 * its unit, done. COMMAND is its index in the command buffer. Of a job, all but the end are its start.
 */
struct iau_dev_span {
	uint64_t entered, started, done;
	uint32_t command;
	enum iau_dev_unit unit;
};

/* What the host of a device provides. */
struct iau_dev_host {
	void *opaque;
	/*
	 * Returns the host address of LEN bytes of device-visible memory at physical address PA,
	 * or NULL if nothing answers there. LEN never crosses a 4 KiB boundary.
	 */
	uint8_t *(*map)(void *opaque, uint64_t pa, size_t len, bool write);
	/* MSI-X vector VECTOR fires. May be called from within iau_dev_run() and mmio_write. */
	void (*irq)(void *opaque, unsigned int vector);
	/* A command or a job is done; engines that know time call it if it is not NULL. */
	void (*span)(void *opaque, const struct iau_dev_span *span);
};

/* The memory behind the port, for engines that know time. Cycles are device clock cycles. */
struct iau_dev_timing {
	uint32_t latency;	  /* cycles from address to first beat; default 100 */
	uint32_t bytes_per_cycle; /* 1..64; default 64 */
	uint32_t jitter;	  /* up to this many cycles more, by a seeded generator; default 8 */
	uint32_t refresh_every;	  /* the memory pauses once in so many cycles, 0 = never; 3900 */
	uint32_t refresh_cycles;  /* for so long; default 16 */
	uint64_t seed;
};

#define IAU_DEV_TIMING_DEFAULT { 100, 64, 8, 3900, 16, 1 }

struct iau_dev_ops {
	const char *name; /* "ref", "ref:2" (with a second thread) or "rtl" */
	bool timed;	  /* cycle counters advance */
	struct iau_dev *(*create)(const struct iau_dev_host *host,
				  const struct iau_dev_timing *timing);
	void (*destroy)(struct iau_dev *dev);
	/* BAR0, 32-bit registers; OFFSET is a multiple of 4 below 64 KiB. */
	uint32_t (*mmio_read)(struct iau_dev *dev, uint32_t offset);
	void (*mmio_write)(struct iau_dev *dev, uint32_t offset, uint32_t value);
	/*
	 * Lets the device work for at most BUDGET steps (rtl: cycles, ref: commands). Returns true
	 * while work is pending. The clock stands still otherwise.
	 */
	bool (*run)(struct iau_dev *dev, uint64_t budget);
	/*
	 * The host is about to take memory away while a job may be under way: what was loaded from
	 * it must not be needed there any more. NULL if an engine keeps no address that map() gave.
	 */
	void (*settle)(struct iau_dev *dev);
};

/* Engines by name; NULL if NAME is unknown. */
const struct iau_dev_ops *iau_dev_engine(const char *name);

extern const struct iau_dev_ops iau_ref_engine, iau_ref2_engine;
extern const struct iau_dev_ops iau_rtl_engine;

#endif
