/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects of the driver. One file each: device, client, buffer, VM, page table, slot, queue, ring, job. */
#ifndef __IAU_DRV_H__
#define __IAU_DRV_H__

#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include <drm/iau_accel.h>

#include "iau_regs.h"

/*
 * Jobs that a ring takes at a time. Four rings of four need at most 16 address spaces: there is
 * always a slot for a job that is about to start.
 */
#define IAU_RING_JOBS		4
#define IAU_RING_LOG2		3
#define IAU_RING_ENTRIES	BIT(IAU_RING_LOG2)

struct iau_vm;
struct iau_job;

/* What the device writes when a job is done. */
struct iau_record {
	__le64 value;
	__le64 start_cycle;
	__le64 end_cycle;
	__le64 commands;
};

/**
 * struct iau_ring - a hardware queue, which serves one priority
 * @iau: the device
 * @index: number of the hardware queue
 * @sched: feeds it
 * @desc: IAU_RING_ENTRIES descriptors
 * @rec: their completion records
 * @dma: address of @desc; the records follow
 * @lock: protects @head, @tail, @job
 * @head: jobs that are over; a free-running count like the device's
 * @tail: jobs given to the device
 * @job: by entry, jobs between @head and @tail
 * @fence_context: of the fences of its jobs
 * @seqno: last one given out
 * @progress: commands retired when a job was last found late
 * @retired: commands that the device must have retired when its oldest job begins
 * @last_cycle: of the device's clock, when its last job ended
 * @bad_records: completion records whose cycles cannot be true
 * @reset_lock: one reset at a time
 */
struct iau_ring {
	struct iau_device *iau;
	unsigned int index;
	struct drm_gpu_scheduler sched;
	void *desc;
	struct iau_record *rec;
	dma_addr_t dma;
	spinlock_t lock;
	u32 head, tail;
	struct iau_job *job[IAU_RING_ENTRIES];
	u64 fence_context;
	u64 seqno;
	u32 progress;
	u32 retired;
	u64 last_cycle;
	unsigned int bad_records;
	struct mutex reset_lock;
};

/**
 * struct iau_slot - a context of the device
 * @vm: whose page tables are in it, or NULL
 * @jobs: jobs in the rings that use it
 * @used: when one was last begun, for choosing whom to replace
 */
struct iau_slot {
	struct iau_vm *vm;
	unsigned int jobs;
	u64 used;
};

struct iau_device {
	struct drm_device drm;
	void __iomem *regs;
	struct drm_iau_device_info info;
	struct iau_ring ring[IAU_NUM_QUEUES];
	struct workqueue_struct *timeout_wq;
	/* protects slot[], slot_clock and the slot member of VMs */
	spinlock_t slot_lock;
	struct iau_slot slot[IAU_NUM_CONTEXTS];
	u64 slot_clock;
	/* serialises reads of counters, whose low word latches the high one */
	struct mutex counter_lock;
	/* where files of buffers with large pages lie, or NULL */
	struct vfsmount *huge;
	/* protects last_end_ns and what clients have used; interrupts off, innermost */
	spinlock_t usage_lock;
	u64 last_end_ns;
	atomic64_t job_ids;
};

#define to_iau(d) container_of(d, struct iau_device, drm)

static inline u32 iau_read(struct iau_device *iau, u32 reg)
{
	return readl(iau->regs + reg);
}

static inline void iau_write(struct iau_device *iau, u32 reg, u32 value)
{
	writel(value, iau->regs + reg);
}

static inline u32 iau_qreg(unsigned int queue, u32 reg)
{
	return IAU_QUEUE_OFFSET + queue * IAU_QUEUE_STRIDE + reg;
}

int iau_read_counters(struct iau_device *iau, struct drm_iau_counters *c);

/* Clients ------------------------------------------------------------------------------------ */

/**
 * struct iau_client - what a client has used
 * @ref: held by its file and by its queues, which jobs hold
 * @id: that of drm_file
 * @pid: of the process that opened it
 * @comm: its name
 * @busy_ns: time of the device, under usage_lock like those that follow
 * @cycles: cycles of the device, as far as its records can be true
 * @jobs: jobs that are over, one way or another
 */
struct iau_client {
	struct kref ref;
	u64 id;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	u64 busy_ns;
	u64 cycles;
	u64 jobs;
};

struct iau_usage {
	u64 busy_ns, cycles, jobs;
};

/* An open file of the device's node */
struct iau_file {
	struct iau_client *client;
	struct xarray vms;
	struct xarray queues;
};

#define IAU_MAX_VMS	64
#define IAU_MAX_QUEUES	256

struct iau_client *iau_client_create(u64 id);
void iau_client_put(struct iau_client *client);
void iau_client_account(struct iau_ring *ring, struct iau_job *job, const struct iau_record *rec);
void iau_client_usage(struct iau_device *iau, struct iau_client *client, struct iau_usage *usage);
void iau_show_fdinfo(struct drm_printer *p, struct drm_file *file);
void iau_debugfs_init(struct iau_device *iau);

/* Page tables ------------------------------------------------------------------------------- */

/**
 * struct iau_table - 512 entries as the device reads them
 * @entry: CPU address
 * @dma: address for the device
 * @sub: tables below, NULL at level 0
 */
struct iau_table {
	__le64 *entry;
	dma_addr_t dma;
	struct iau_table **sub;
};

struct iau_table *iau_pt_create(struct device *dev);
void iau_pt_destroy(struct device *dev, struct iau_table *root);
int iau_pt_reserve(struct device *dev, struct iau_table *root, u64 va, u64 size);
void iau_pt_map(struct iau_table *root, u64 va, u64 size, struct sg_table *sgt, u64 offset, u64 flags);
void iau_pt_unmap(struct iau_table *root, u64 va, u64 size);

/* VMs ---------------------------------------------------------------------------------------- */

/**
 * struct iau_vm - an address space
 * @gpuvm: what is mapped where; its reference count is the VM's
 * @iau: the device
 * @lock: protects mappings and page tables
 * @root: level-2 table
 * @slot: context of the device that holds it, or -1; under slot_lock
 */
struct iau_vm {
	struct drm_gpuvm gpuvm;
	struct iau_device *iau;
	struct mutex lock;
	struct iau_table *root;
	int slot;
};

#define to_iau_vm(g) container_of(g, struct iau_vm, gpuvm)

struct iau_vm *iau_vm_create(struct iau_device *iau);
struct iau_vm *iau_vm_get(struct iau_file *file, u32 id);
void iau_vm_put(struct iau_vm *vm);
void iau_vm_close(struct iau_vm *vm);
u32 iau_va_flags(struct drm_gpuva *va);

int iau_slot_get(struct iau_vm *vm);
void iau_slot_put(struct iau_device *iau, int slot);
void iau_slot_flush(struct iau_vm *vm);
void iau_slot_release(struct iau_vm *vm);

/* Queues and jobs ---------------------------------------------------------------------------- */

/**
 * struct iau_queue - what a client submits to
 * @ref: held by the client's handle and by jobs
 * @id: its handle
 * @client: whose it is
 * @entity: its jobs in order
 * @vm: where they run
 * @ring: hardware queue of its priority
 * @running: its jobs in the ring
 * @lock: protects @state and the fault
 * @state: DRM_IAU_QUEUE_*
 */
struct iau_queue {
	struct kref ref;
	u32 id;
	struct iau_client *client;
	struct drm_sched_entity entity;
	struct iau_vm *vm;
	struct iau_ring *ring;
	atomic_t running;
	spinlock_t lock;
	u32 state;
	u32 fault_code, fault_info, fault_offset, fault_tag;
	u64 fault_va;
};

struct iau_queue *iau_queue_get(struct iau_file *file, u32 id);
void iau_queue_put(struct iau_queue *queue);
void iau_queue_close(struct iau_queue *queue);
void iau_queue_ban(struct iau_queue *queue, u32 why);
struct iau_dump_fault_record;
void iau_queue_fault(struct iau_queue *queue, const struct iau_dump_fault_record *fault);

/**
 * struct iau_fence - signalled when the device is done with a job
 */
struct iau_fence {
	struct dma_fence base;
	struct iau_ring *ring;
};

/**
 * struct iau_job - a command buffer on its way
 * @base: in the scheduler
 * @queue: whose it is
 * @done: its fence; made before arming, so that starting it cannot fail
 * @started: @done is initialised
 * @slot: context while it is in a ring
 * @id: tells it from all others of the device
 * @begun_ns: when the device was told of it
 * @cycles: of the device, once it is over
 */
struct iau_job {
	struct drm_sched_job base;
	struct iau_queue *queue;
	struct iau_fence *done;
	bool started;
	int slot;
	u64 id;
	u64 begun_ns;
	u64 cycles;
	u64 cmd_va, param_va;
	u32 cmd_bytes, budget, tag;
};

#define to_iau_job(j) container_of(j, struct iau_job, base)

void iau_job_free(struct iau_job *job);

struct iau_dump;
struct iau_dump_job;
void iau_dump_describe(const struct iau_job *job, struct iau_dump_job *out);
struct iau_dump *iau_dump_take(struct iau_ring *ring, struct iau_vm *vm,
			       const struct iau_dump_job *job,
			       const struct iau_dump_fault_record *fault);
void iau_dump_publish(struct iau_device *iau, struct iau_dump *dump);

int iau_rings_init(struct iau_device *iau);
void iau_rings_stop(struct iau_device *iau);
void iau_ring_kill_banned(struct iau_ring *ring);
irqreturn_t iau_ring_irq(int irq, void *data);
irqreturn_t iau_fault_irq(int irq, void *data);

int iau_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_state(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

int iau_huge_init(struct iau_device *iau);
int iau_huge_file(struct iau_device *iau, struct drm_gem_object *obj);

struct drm_gem_object *iau_gem_create_object(struct drm_device *drm, size_t size);
int iau_array_get(const struct drm_iau_obj_array *array, u32 i, void *out, size_t size);

#endif /* __IAU_DRV_H__ */
