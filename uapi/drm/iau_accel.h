/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The IAU inference accelerator: what userspace asks of the driver.
 *
 * A client creates a VM (an address space), buffers, binds buffers in the VM, creates a queue on
 * the VM and submits jobs: command buffers, which the device executes. Command buffers are not
 * looked into by the kernel; the page tables of the VM are what isolates clients.
 *
 * Rules common to all ioctls: unknown flags and set padding are refused with EINVAL, unknown
 * handles with ENOENT. ENODEV: the device is gone. Arrays carry their stride, so that their elements
 * can grow: the kernel zero-fills what an old client lacks, and refuses non-zero bytes that it does
 * not know with E2BIG.
 */
#ifndef _UAPI_IAU_ACCEL_H_
#define _UAPI_IAU_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* Numbers of the ioctls, behind DRM_COMMAND_BASE */
enum drm_iau_ioctl_id {
	DRM_IAU_DEV_QUERY = 0,
	DRM_IAU_VM_CREATE,
	DRM_IAU_VM_DESTROY,
	DRM_IAU_VM_BIND,
	DRM_IAU_BO_CREATE,
	DRM_IAU_BO_MMAP_OFFSET,
	DRM_IAU_QUEUE_CREATE,
	DRM_IAU_QUEUE_DESTROY,
	DRM_IAU_QUEUE_STATE,
	DRM_IAU_SUBMIT,
};

/**
 * struct drm_iau_obj_array - an array of structures that may grow
 */
struct drm_iau_obj_array {
	/** @stride: bytes of an element, sizeof() of its type as the client knows it. */
	__u32 stride;
	/** @count: number of elements. */
	__u32 count;
	/** @array: address of the first element. */
	__u64 array;
};

/**
 * struct drm_iau_device_info - what the device is
 */
struct drm_iau_device_info {
	/** @hw_version: version of the hardware contract. */
	__u32 hw_version;
	/** @rows: output columns that the matrix engine computes side by side. */
	__u32 rows;
	/** @lanes: elements of a quantisation block. */
	__u32 lanes;
	/** @queues: hardware queues; the number of priorities. */
	__u32 queues;
	/** @contexts: address spaces that the device holds at a time. */
	__u32 contexts;
	/** @va_bits: bits of a device address. */
	__u32 va_bits;
	/** @vector_bytes: size of the vector scratchpad. */
	__u32 vector_bytes;
	/** @tile_bytes: size of the tile scratchpad. */
	__u32 tile_bytes;
};

/**
 * struct drm_iau_counters - the device's counters, in the order of the hardware reference
 */
struct drm_iau_counters {
	/** @value: free-running counts; those past the device's last are 0. */
	__u64 value[32];
};

/* What DEV_QUERY can tell */
enum drm_iau_dev_query_type {
	/** @DRM_IAU_DEV_QUERY_INFO: struct drm_iau_device_info */
	DRM_IAU_DEV_QUERY_INFO = 0,
	/** @DRM_IAU_DEV_QUERY_COUNTERS: struct drm_iau_counters */
	DRM_IAU_DEV_QUERY_COUNTERS = 1,
};

/**
 * struct drm_iau_dev_query - ask the device about itself
 *
 * With @pointer 0 only @size is returned. Otherwise at most @size bytes are written, and @size
 * becomes their number.
 */
struct drm_iau_dev_query {
	/** @type: enum drm_iau_dev_query_type */
	__u32 type;
	/** @size: bytes at @pointer. */
	__u32 size;
	/** @pointer: where the answer goes. */
	__u64 pointer;
};

/**
 * struct drm_iau_vm_create - a new, empty address space
 */
struct drm_iau_vm_create {
	/** @flags: must be 0. */
	__u32 flags;
	/** @id: returned. */
	__u32 id;
};

/**
 * struct drm_iau_vm_destroy - give an address space up
 *
 * Its queues go on until they are destroyed, too.
 */
struct drm_iau_vm_destroy {
	/** @id: the VM. */
	__u32 id;
	/** @pad: must be 0. */
	__u32 pad;
};

/* Flags of a mapping; neither: the device may load from it, after older stores. */
/** DRM_IAU_BIND_WRITE - the device may store to it. */
#define DRM_IAU_BIND_WRITE	(1 << 0)
/**
 * DRM_IAU_BIND_CONST - the device may execute it and read it ahead of time. While a buffer is
 * mapped so anywhere in a VM, it cannot be mapped with WRITE there (EBUSY), nor the other way.
 */
#define DRM_IAU_BIND_CONST	(1 << 1)
/** DRM_IAU_BIND_UNMAP - remove what is mapped in the range; @handle and @offset must be 0. */
#define DRM_IAU_BIND_UNMAP	(1 << 2)

/**
 * struct drm_iau_bind_op - one mapping, made or removed
 */
struct drm_iau_bind_op {
	/** @flags: DRM_IAU_BIND_* */
	__u32 flags;
	/** @handle: the buffer. */
	__u32 handle;
	/** @offset: into the buffer, a multiple of 4096. */
	__u64 offset;
	/** @va: device address, a multiple of 4096, below 2^va_bits. */
	__u64 va;
	/** @size: bytes, a multiple of 4096, not 0. */
	__u64 size;
};

/**
 * struct drm_iau_vm_bind - change the mappings of a VM, at once
 *
 * The operations are done in order. On failure those before the failing one stay, and @ops.count
 * becomes their number. What jobs in flight use must not be unmapped: they would fault.
 */
struct drm_iau_vm_bind {
	/** @vm_id: the VM. */
	__u32 vm_id;
	/** @flags: must be 0. */
	__u32 flags;
	/** @ops: array of struct drm_iau_bind_op, at most 4096. */
	struct drm_iau_obj_array ops;
};

/**
 * struct drm_iau_bo_create - zeroed memory for the device
 */
struct drm_iau_bo_create {
	/** @size: bytes, rounded up to pages; returned. */
	__u64 size;
	/** @flags: must be 0. */
	__u32 flags;
	/** @handle: returned. */
	__u32 handle;
};

/**
 * struct drm_iau_bo_mmap_offset - where to mmap() a buffer in the device node
 */
struct drm_iau_bo_mmap_offset {
	/** @handle: the buffer. */
	__u32 handle;
	/** @pad: must be 0. */
	__u32 pad;
	/** @offset: returned. */
	__u64 offset;
};

/* Priorities of queues */
enum drm_iau_priority {
	DRM_IAU_PRIORITY_LOW = 0,
	DRM_IAU_PRIORITY_NORMAL = 1,
	/** @DRM_IAU_PRIORITY_HIGH: needs CAP_SYS_NICE, else EACCES. */
	DRM_IAU_PRIORITY_HIGH = 2,
	/** @DRM_IAU_PRIORITY_REALTIME: needs CAP_SYS_NICE, else EACCES. */
	DRM_IAU_PRIORITY_REALTIME = 3,
};

/**
 * struct drm_iau_queue_create - a queue: its jobs run in order
 */
struct drm_iau_queue_create {
	/** @vm_id: the VM in which its jobs run. */
	__u32 vm_id;
	/** @priority: enum drm_iau_priority */
	__u32 priority;
	/** @id: returned. */
	__u32 id;
	/** @pad: must be 0. */
	__u32 pad;
};

/**
 * struct drm_iau_queue_destroy - give a queue up; jobs that have not started are dropped
 */
struct drm_iau_queue_destroy {
	/** @id: the queue. */
	__u32 id;
	/** @pad: must be 0. */
	__u32 pad;
};

/** DRM_IAU_QUEUE_BANNED - a job faulted or hung: the queue takes no more (EIO at submit). */
#define DRM_IAU_QUEUE_BANNED	(1 << 0)
/** DRM_IAU_QUEUE_FAULT - the fault_* members say why. */
#define DRM_IAU_QUEUE_FAULT	(1 << 1)
/** DRM_IAU_QUEUE_TIMEOUT - a job made no progress. */
#define DRM_IAU_QUEUE_TIMEOUT	(1 << 2)

/**
 * struct drm_iau_queue_state - what became of a queue
 */
struct drm_iau_queue_state {
	/** @id: the queue. */
	__u32 id;
	/** @state: returned, DRM_IAU_QUEUE_* */
	__u32 state;
	/** @fault_code: returned, as in the hardware reference. */
	__u32 fault_code;
	/** @fault_info: returned, meaning by code. */
	__u32 fault_info;
	/** @fault_va: returned, the address at fault. */
	__u64 fault_va;
	/** @fault_offset: returned, byte offset of the command in its buffer. */
	__u32 fault_offset;
	/** @fault_tag: returned, tag of the job. */
	__u32 fault_tag;
};

/** DRM_IAU_SYNC_SIGNAL - signalled when the job is done; else the job waits for it. */
#define DRM_IAU_SYNC_SIGNAL	(1 << 0)

/**
 * struct drm_iau_sync - a syncobj to wait for or to signal
 */
struct drm_iau_sync {
	/** @flags: DRM_IAU_SYNC_* */
	__u32 flags;
	/** @handle: the syncobj. */
	__u32 handle;
	/** @point: of a timeline syncobj; 0 for a binary one. */
	__u64 point;
};

/**
 * struct drm_iau_job - a command buffer to run
 */
struct drm_iau_job {
	/** @cmd_va: command buffer, mapped CONST, a multiple of 64. */
	__u64 cmd_va;
	/** @param_va: parameter block, a multiple of 128; 0: registers start as zero. */
	__u64 param_va;
	/** @cmd_bytes: size of the command buffer, a multiple of 64, not 0. */
	__u32 cmd_bytes;
	/** @budget: commands that the job may execute; 0: no limit. */
	__u32 budget;
	/** @tag: comes back in fault reports. */
	__u32 tag;
	/** @pad: must be 0. */
	__u32 pad;
	/** @syncs: array of struct drm_iau_sync, at most 64. */
	struct drm_iau_obj_array syncs;
};

/**
 * struct drm_iau_submit - run jobs on a queue, in order
 *
 * All jobs are submitted or none.
 */
struct drm_iau_submit {
	/** @queue_id: the queue. */
	__u32 queue_id;
	/** @flags: must be 0. */
	__u32 flags;
	/** @jobs: array of struct drm_iau_job, at most 64. */
	struct drm_iau_obj_array jobs;
};

#define DRM_IOCTL_IAU(dir, id, type) \
	DRM_##dir(DRM_COMMAND_BASE + DRM_IAU_##id, struct drm_iau_##type)

#define DRM_IOCTL_IAU_DEV_QUERY		DRM_IOCTL_IAU(IOWR, DEV_QUERY, dev_query)
#define DRM_IOCTL_IAU_VM_CREATE		DRM_IOCTL_IAU(IOWR, VM_CREATE, vm_create)
#define DRM_IOCTL_IAU_VM_DESTROY	DRM_IOCTL_IAU(IOWR, VM_DESTROY, vm_destroy)
#define DRM_IOCTL_IAU_VM_BIND		DRM_IOCTL_IAU(IOWR, VM_BIND, vm_bind)
#define DRM_IOCTL_IAU_BO_CREATE		DRM_IOCTL_IAU(IOWR, BO_CREATE, bo_create)
#define DRM_IOCTL_IAU_BO_MMAP_OFFSET	DRM_IOCTL_IAU(IOWR, BO_MMAP_OFFSET, bo_mmap_offset)
#define DRM_IOCTL_IAU_QUEUE_CREATE	DRM_IOCTL_IAU(IOWR, QUEUE_CREATE, queue_create)
#define DRM_IOCTL_IAU_QUEUE_DESTROY	DRM_IOCTL_IAU(IOWR, QUEUE_DESTROY, queue_destroy)
#define DRM_IOCTL_IAU_QUEUE_STATE	DRM_IOCTL_IAU(IOWR, QUEUE_STATE, queue_state)
#define DRM_IOCTL_IAU_SUBMIT		DRM_IOCTL_IAU(IOWR, SUBMIT, submit)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_IAU_ACCEL_H_ */
