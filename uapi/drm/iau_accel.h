/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The IAU inference accelerator: what userspace asks of the driver.
 *
 * A client creates a VM (an address space), buffers, binds buffers in the VM, creates a queue on
 * the VM and submits jobs: command buffers, which the device executes. Command buffers are not
 * looked into by the kernel; the page tables of the VM are what isolates clients.
 *
 * Rules common to all ioctls: unknown flags and set padding are refused with EINVAL, unknown
 * handles with ENOENT. ENODEV: the device is gone; EIO: it is wedged until it is reset or bound
 * again. Arrays carry their stride, so that their elements can grow: the kernel zero-fills what an
 * old client lacks, and refuses non-zero bytes that it does not know with E2BIG.
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
	DRM_IAU_BO_COMMIT,
	DRM_IAU_BO_WAIT,
	DRM_IAU_BO_ADVISE,
	DRM_IAU_PERF_OPEN,
	DRM_IAU_PERF_READ,
	DRM_IAU_PERF_CLOSE,
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

/** DRM_IAU_SYNC_SIGNAL - signalled when the work is done; else the work waits for it. */
#define DRM_IAU_SYNC_SIGNAL	(1 << 0)

/**
 * struct drm_iau_sync - a syncobj to wait for or to signal
 *
 * A syncobj without a fence cannot be waited for (EINVAL).
 */
struct drm_iau_sync {
	/** @flags: DRM_IAU_SYNC_* */
	__u32 flags;
	/** @handle: the syncobj. */
	__u32 handle;
	/** @point: of a timeline syncobj; 0 for a binary one. */
	__u64 point;
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

/** DRM_IAU_VM_BIND_ASYNC - in the VM's order of jobs, without waiting for it. */
#define DRM_IAU_VM_BIND_ASYNC	(1 << 0)

/**
 * struct drm_iau_vm_bind - change the mappings of a VM
 *
 * The operations are done in order. On failure those before the failing one stay, and @ops.count
 * becomes their number. Whatever is unmapped stays until all jobs that were submitted in the VM
 * before are over.
 *
 * Without flags the change is made when the call returns; it may wait for jobs (EINTR: nothing more
 * than @ops.count says was done). With ASYNC the change takes its place between the jobs of the VM
 * that were submitted before and those that are submitted later, on whichever queue, and after what
 * @syncs waits for; the call returns at once, and all errors are reported by it.
 */
struct drm_iau_vm_bind {
	/** @vm_id: the VM. */
	__u32 vm_id;
	/** @flags: DRM_IAU_VM_BIND_* */
	__u32 flags;
	/** @ops: array of struct drm_iau_bind_op, at most 4096. */
	struct drm_iau_obj_array ops;
	/** @syncs: array of struct drm_iau_sync, at most 64; with ASYNC only, else EINVAL. */
	struct drm_iau_obj_array syncs;
};

/**
 * DRM_IAU_BO_KV - addresses whose memory comes and goes by BO_COMMIT, page by page: for caches that
 * grow with a sequence. It belongs to one VM.
 */
#define DRM_IAU_BO_KV		(1 << 0)

/**
 * struct drm_iau_bo_create - zeroed memory for the device
 *
 * EDQUOT: it would be more than a client may have (module parameter client_mib).
 */
struct drm_iau_bo_create {
	/** @size: bytes, rounded up to pages; returned. */
	__u64 size;
	/** @flags: DRM_IAU_BO_* */
	__u32 flags;
	/** @handle: returned. */
	__u32 handle;
	/** @vm_id: with KV the VM in which it can be bound, else 0. */
	__u32 vm_id;
	/** @pad: must be 0. */
	__u32 pad;
};

/**
 * struct drm_iau_range - a part of a buffer
 */
struct drm_iau_range {
	/** @offset: bytes, a multiple of 4096. */
	__u64 offset;
	/** @size: bytes, a multiple of 4096. */
	__u64 size;
};

/** DRM_IAU_COMMIT_RELEASE - give memory back; the VM's jobs are waited for. */
#define DRM_IAU_COMMIT_RELEASE	(1 << 0)

/**
 * struct drm_iau_bo_commit - memory for parts of a KV buffer, or none
 *
 * What has memory keeps it and its contents; what gets some reads as zero. Wherever the buffer is
 * bound the device finds it at once, and jobs that are running need not be waited for, but for
 * those in front of a VM_BIND with ASYNC that is still to be made. EINVAL: not a KV buffer, a range
 * beyond its end or misaligned: nothing was changed. ENOMEM, EDQUOT, EINTR: a part of the ranges
 * may have got memory, see @committed.
 */
struct drm_iau_bo_commit {
	/** @handle: the buffer. */
	__u32 handle;
	/** @flags: DRM_IAU_COMMIT_* */
	__u32 flags;
	/** @ranges: array of struct drm_iau_range, at most 4096. */
	struct drm_iau_obj_array ranges;
	/** @committed: returned, bytes of the buffer that have memory now. */
	__u64 committed;
};

/**
 * struct drm_iau_bo_wait - wait until no job can be using a buffer
 *
 * That is, until all jobs are over that were submitted in the VMs in which it is bound. ETIME: they
 * are not, in time.
 */
struct drm_iau_bo_wait {
	/** @handle: the buffer. */
	__u32 handle;
	/** @pad: must be 0. */
	__u32 pad;
	/** @timeout_ns: how long, relative; 0 asks only; negative values wait without limit. */
	__s64 timeout_ns;
};

/* What is in a buffer */
enum drm_iau_advice {
	/** @DRM_IAU_ADVICE_WILLNEED: contents matter; what every buffer begins with. */
	DRM_IAU_ADVICE_WILLNEED = 0,
	/**
	 * @DRM_IAU_ADVICE_DONTNEED: when memory is short, the kernel may take the buffer's while no
	 * job is left in its VMs. It is then as if it were unmapped: jobs fault that touch it.
	 */
	DRM_IAU_ADVICE_DONTNEED = 1,
};

/**
 * struct drm_iau_bo_advise - say whether a buffer's contents matter
 *
 * EINVAL: a KV buffer, or one that is shared with another driver.
 */
struct drm_iau_bo_advise {
	/** @handle: the buffer. */
	__u32 handle;
	/** @advice: enum drm_iau_advice */
	__u32 advice;
	/** @retained: returned: 1, or 0 if the contents are gone; it must be created anew then. */
	__u32 retained;
	/** @pad: must be 0. */
	__u32 pad;
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
/** DRM_IAU_QUEUE_TIMEOUT - a job made no progress, or had the device for too long. */
#define DRM_IAU_QUEUE_TIMEOUT	(1 << 2)
/** DRM_IAU_QUEUE_LOST - the device lost a job that was in it, and may have done a part of it. */
#define DRM_IAU_QUEUE_LOST	(1 << 3)

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
 * DRM_IAU_SUBMIT_WAIT - wait for the jobs, and say how they ended. Drivers from version 0.2 on have
 * it; others say EINVAL.
 */
#define DRM_IAU_SUBMIT_WAIT	(1 << 0)

/**
 * struct drm_iau_submit - run jobs on a queue, in order
 *
 * All jobs are submitted or none: none if the call fails, unless it is with EFAULT because this
 * structure cannot be written.
 *
 * With WAIT the call returns when the last job is over, or before that because of a signal or of
 * @timeout_ns, with @result -EINTR or -ETIME. It has succeeded then, too: the jobs are submitted
 * and must not be submitted again. Whoever wants to wait for the rest asks BO_WAIT, or the syncobjs
 * that the jobs signal.
 */
struct drm_iau_submit {
	/** @queue_id: the queue. */
	__u32 queue_id;
	/** @flags: DRM_IAU_SUBMIT_* */
	__u32 flags;
	/** @jobs: array of struct drm_iau_job, at most 64. */
	struct drm_iau_obj_array jobs;
	/**
	 * @timeout_ns: with WAIT how long, relative; 0 does not wait; negative values wait without
	 * limit. Without WAIT it must be 0.
	 */
	__s64 timeout_ns;
	/** @state: returned, with WAIT: DRM_IAU_QUEUE_* of the queue; QUEUE_STATE tells more. */
	__u32 state;
	/**
	 * @result: returned, with WAIT: 0 if the last job came to its end; -EINTR or -ETIME if it
	 * is not over yet; else the error of its fence: -EIO, -ETIMEDOUT, -ECANCELED or -ENODEV.
	 */
	__s32 result;
};

/**
 * struct drm_iau_perf_open - start a session of performance counters
 *
 * Counters are those of the whole device, so they tell what others do with it: EACCES without
 * CAP_PERFMON (or CAP_SYS_ADMIN), unless the module's parameter perf_unprivileged is set. ENOSPC:
 * the client has 16 sessions.
 */
struct drm_iau_perf_open {
	/** @flags: must be 0. */
	__u32 flags;
	/** @id: returned. */
	__u32 id;
};

/**
 * struct drm_iau_perf_read - what was counted since the session was opened
 *
 * The counters go on over resets and sleep of the device, which is not woken for them. Reading
 * disturbs no job.
 */
struct drm_iau_perf_read {
	/** @id: the session. */
	__u32 id;
	/** @flags: must be 0. */
	__u32 flags;
	/** @time_ns: returned, time since the session was opened. */
	__u64 time_ns;
	/** @counters: returned, since the session was opened. */
	struct drm_iau_counters counters;
};

/**
 * struct drm_iau_perf_close - end a session
 */
struct drm_iau_perf_close {
	/** @id: the session. */
	__u32 id;
	/** @pad: must be 0. */
	__u32 pad;
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
#define DRM_IOCTL_IAU_BO_COMMIT		DRM_IOCTL_IAU(IOWR, BO_COMMIT, bo_commit)
#define DRM_IOCTL_IAU_BO_WAIT		DRM_IOCTL_IAU(IOWR, BO_WAIT, bo_wait)
#define DRM_IOCTL_IAU_BO_ADVISE		DRM_IOCTL_IAU(IOWR, BO_ADVISE, bo_advise)
#define DRM_IOCTL_IAU_PERF_OPEN		DRM_IOCTL_IAU(IOWR, PERF_OPEN, perf_open)
#define DRM_IOCTL_IAU_PERF_READ		DRM_IOCTL_IAU(IOWR, PERF_READ, perf_read)
#define DRM_IOCTL_IAU_PERF_CLOSE	DRM_IOCTL_IAU(IOWR, PERF_CLOSE, perf_close)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_IAU_ACCEL_H_ */
