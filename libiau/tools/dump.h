/* SPDX-License-Identifier: MIT */
/* A core dump of the driver (uapi/drm/iau_dump.h), read from a file that need not be one. */
#ifndef IAU_TOOLS_DUMP_H
#define IAU_TOOLS_DUMP_H

#include <drm/iau_accel.h>
#include <drm/iau_dump.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory of the job; none if BYTES is 0 */
struct dump_memory {
	uint64_t va;
	const uint8_t *data;
	size_t bytes;
};

/* Pointers lead into the file's bytes; what it does not have is NULL or empty. */
struct dump {
	struct iau_dump_header header;
	const struct iau_dump_job *job;
	const struct iau_dump_fault_record *fault;
	const struct iau_dump_register *reg;
	size_t regs;
	const struct iau_dump_ring *ring;
	const uint32_t (*desc)[16];
	const uint64_t (*rec)[4];
	const struct iau_dump_mapping *mapping;
	size_t mappings;
	struct dump_memory commands, params;
};

/* DATA is aligned to 8 bytes. Returns 0, or -EINVAL and says why in iau_last_error(). */
int dump_parse(const void *data, size_t bytes, struct dump *out);

/* The command at which the job stood, by the rules of the hardware. */
struct dump_position {
	bool known;	 /* the rest means something */
	bool exact;	 /* every register and branch up to here could be followed */
	uint32_t offset; /* in the command buffer */
	uint32_t reg[32];
	uint32_t unknown; /* bits of registers whose values came from memory */
};

void dump_locate(const struct dump *d, struct dump_position *at);

/* The command at byte OFFSET of the buffer, or NULL if the dump does not have it. */
const uint32_t *dump_command(const struct dump *d, uint32_t offset);

#endif
