/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * What the driver leaves in /sys/class/devcoredump when a job faults or hangs; `iau dump` shows it.
 *
 * A header, then sections, each with its type and size, so that a reader can pass over what it does
 * not know. Everything is little-endian and aligned to 8 bytes. What the device wrote is as it was
 * found, and need not make sense.
 */
#ifndef _UAPI_IAU_DUMP_H_
#define _UAPI_IAU_DUMP_H_

#include <linux/types.h>

#define IAU_DUMP_MAGIC		"IAUDUMP"
/* Raised when a reader of the old version would misunderstand; new sections do not raise it. */
#define IAU_DUMP_VERSION	1

enum iau_dump_reason {
	/** @IAU_DUMP_FAULT: the device refused a command or an address. */
	IAU_DUMP_FAULT = 1,
	/** @IAU_DUMP_HANG: the job retired no command for the driver's timeout. */
	IAU_DUMP_HANG = 2,
};

/** IAU_DUMP_BUSY - the address space was being changed: no mappings and no memory. */
#define IAU_DUMP_BUSY		(1 << 0)
/** IAU_DUMP_TRUNCATED - memory ran out; what is missing was at the end. */
#define IAU_DUMP_TRUNCATED	(1 << 1)

/**
 * struct iau_dump_header - the start of a dump
 */
struct iau_dump_header {
	/** @magic: IAU_DUMP_MAGIC with its zero. */
	__u8 magic[8];
	/** @version: IAU_DUMP_VERSION */
	__u32 version;
	/** @reason: enum iau_dump_reason */
	__u32 reason;
	/** @flags: IAU_DUMP_* */
	__u32 flags;
	/** @pad: 0 */
	__u32 pad;
	/** @bytes: of the whole dump. */
	__u64 bytes;
	/** @time_ns: since 1970. */
	__u64 time_ns;
	/** @device: its name on its bus, zero-terminated. */
	__u8 device[24];
};

enum iau_dump_section_type {
	/** @IAU_DUMP_JOB: struct iau_dump_job */
	IAU_DUMP_JOB = 1,
	/** @IAU_DUMP_FAULT_RECORD: struct iau_dump_fault_record, for IAU_DUMP_FAULT */
	IAU_DUMP_FAULT_RECORD = 2,
	/** @IAU_DUMP_REGISTERS: array of struct iau_dump_register */
	IAU_DUMP_REGISTERS = 3,
	/** @IAU_DUMP_RING: struct iau_dump_ring, its descriptors, its completion records */
	IAU_DUMP_RING = 4,
	/** @IAU_DUMP_MAPPINGS: array of struct iau_dump_mapping, by address, the first of them */
	IAU_DUMP_MAPPINGS = 5,
	/** @IAU_DUMP_COMMANDS: struct iau_dump_memory and commands around the one at fault */
	IAU_DUMP_COMMANDS = 6,
	/** @IAU_DUMP_PARAMETERS: struct iau_dump_memory and the job's parameter block */
	IAU_DUMP_PARAMETERS = 7,
};

/**
 * struct iau_dump_section - before the contents of each section
 */
struct iau_dump_section {
	/** @type: enum iau_dump_section_type */
	__u32 type;
	/** @bytes: of what follows, a multiple of 8. */
	__u32 bytes;
};

/**
 * struct iau_dump_job - whose job it was
 */
struct iau_dump_job {
	/** @id: as in the driver's tracepoints. */
	__u64 id;
	/** @client: drm-client-id of fdinfo. */
	__u64 client;
	/** @cmd_va: address of the command buffer. */
	__u64 cmd_va;
	/** @param_va: address of the parameter block, or 0. */
	__u64 param_va;
	/** @age_ns: since the device was told of it. */
	__u64 age_ns;
	/** @cmd_bytes: size of the command buffer. */
	__u32 cmd_bytes;
	/** @budget: commands it may execute; 0: no limit. */
	__u32 budget;
	/** @tag: the client's. */
	__u32 tag;
	/** @queue: the client's handle. */
	__u32 queue;
	/** @ring: hardware queue. */
	__u32 ring;
	/** @slot: context of the device. */
	__u32 slot;
	/** @retired: commands of the job that the device has retired. */
	__u32 retired;
	/** @pid: of the process that opened the device. */
	__u32 pid;
	/** @comm: its name, zero-terminated. */
	__u8 comm[16];
};

/**
 * struct iau_dump_fault_record - what the device said of a fault
 */
struct iau_dump_fault_record {
	/** @code: as in the hardware reference. */
	__u32 code;
	/** @info: meaning by code. */
	__u32 info;
	/** @va: the address at fault. */
	__u64 va;
	/** @offset: byte offset of the command in its buffer. */
	__u32 offset;
	/** @tag: of the job. */
	__u32 tag;
};

/**
 * struct iau_dump_register - a register when the job was found
 */
struct iau_dump_register {
	/** @offset: in BAR 0. */
	__u32 offset;
	/** @value: what it read as. */
	__u32 value;
};

/**
 * struct iau_dump_ring - the hardware queue; descriptors and records of 64 and 32 bytes follow
 */
struct iau_dump_ring {
	/** @index: number of the hardware queue. */
	__u32 index;
	/** @head: jobs that are over, a free-running count. */
	__u32 head;
	/** @tail: jobs that the device was told of. */
	__u32 tail;
	/** @entries: descriptors, and records, that follow. */
	__u32 entries;
};

/**
 * struct iau_dump_mapping - a range of the address space
 */
struct iau_dump_mapping {
	/** @va: where it starts. */
	__u64 va;
	/** @size: bytes. */
	__u64 size;
	/** @offset: into its buffer. */
	__u64 offset;
	/** @flags: DRM_IAU_BIND_* */
	__u32 flags;
	/** @pad: 0 */
	__u32 pad;
};

/**
 * struct iau_dump_memory - bytes of the address space follow, as far as they are mapped
 */
struct iau_dump_memory {
	/** @va: address of the first. */
	__u64 va;
};

#endif /* _UAPI_IAU_DUMP_H_ */
