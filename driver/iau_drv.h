/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of the driver. One file each: device, client, buffer, VM, page table, slot, queue, ring,
 * job.
 */
#ifndef __IAU_DRV_H__
#define __IAU_DRV_H__

#include <linux/dma-fence.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
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
 * Jobs that a ring takes from its scheduler at a time. Four rings of three need at most 12 address
 * spaces, so that there is always a slot for a job that is about to start; jobs that have nothing
 * to wait for share the other slots, and the other entries, among them.
 */
#define IAU_RING_JOBS		3
#define IAU_RING_LOG2		6
#define IAU_RING_ENTRIES	BIT(IAU_RING_LOG2)
#define IAU_RING_DIRECT		(IAU_RING_ENTRIES - IAU_RING_JOBS)

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
 * @sched: feeds it with jobs that have to wait for something
 * @desc: IAU_RING_ENTRIES descriptors
 * @rec: their completion records
 * @dma: address of @desc; the records follow
 * @lock: protects @head, @tail, @job, @direct, @again, @again_jobs and changes of @stopped
 * @head: jobs that are over; a free-running count like the device's
 * @tail: jobs given to the device
 * @job: by entry, jobs between @head and @tail
 * @direct: how many of them, of those in @again and of those that have a place reserved have not
 *	come from the scheduler
 * @again: jobs that were taken out, in order, to run again
 * @again_jobs: how many
 * @fence_context: of the fences of its jobs
 * @seqno: last one given out
 * @progress: commands retired when the watchdog last looked
 * @seen: the watchdog saw a job in it the last time ...
 * @seen_head: ... at this place
 * @stopped: nobody gives jobs to it; changed under the reset lock, too
 * @retired: commands that the device must have retired when its oldest job begins
 * @last_cycle: of the device's clock, when its last job ended
 * @bad_records: completion records that cannot be true
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
	unsigned int direct;
	struct iau_job *again[IAU_RING_ENTRIES];
	unsigned int again_jobs;
	u64 fence_context;
	u64 seqno;
	u32 progress;
	bool seen;
	u32 seen_head;
	bool stopped;
	u32 retired;
	u64 last_cycle;
	unsigned int bad_records;
};

/**
 * struct iau_slot - a context of the device
 * @vm: whose page tables are in it, or NULL
 * @jobs: jobs in the rings that use it
 * @direct: those of them that have not come from a scheduler
 * @used: when one was last begun, for choosing whom to replace
 */
struct iau_slot {
	struct iau_vm *vm;
	unsigned int jobs, direct;
	u64 used;
};

struct iau_device {
	struct drm_device drm;
	void __iomem *regs;
	/* queue registers once more, or NULL */
	void __iomem *status;
	struct drm_iau_device_info info;
	struct iau_ring ring[IAU_NUM_QUEUES];
	struct drm_gpu_scheduler bind_sched;
	/* one reset at a time; the members up to wedged are under it */
	struct mutex reset_lock;
	struct workqueue_struct *reset_wq;
	/* the page that the card watches, or NULL, and where the card is told of it */
	__le32 *doorbells;
	dma_addr_t doorbells_dma;
	int doorbell_cap;
	/* registers can be touched */
	bool awake;
	/*
	 * a hardware queue does not reset, or registers read as all ones: the function must be
	 * reset
	 */
	bool stuck;
	/* not even that helps; read without the lock by those who would start something */
	bool wedged;
	struct work_struct tell_wedged;
	/* a dump waits to be published */
	atomic_t dumping;
	/* it is being removed: no job comes into a ring any more; set before they are emptied */
	bool leaving;
	struct work_struct watchdog;
	/* the time of its next look */
	struct hrtimer look;
	/* when the device was last seen to do something */
	atomic64_t moved_ns;
	/* jobs in all rings */
	atomic_t in_flight;
	/* jobs of all clients, and one more; 0 if nothing holds the device awake */
	atomic_t awake_for;
	/* protects the slot* members and the slot member of VMs */
	spinlock_t slot_lock;
	struct iau_slot slot[IAU_NUM_CONTEXTS];
	/* slots with direct jobs */
	unsigned int slots_direct;
	u64 slot_clock;
	/* serialises reads of counters, and protects what is to be added to them */
	struct mutex counter_lock;
	u64 counter[IAU_NUM_COUNTERS];
	bool counters_live;
	/* where files of buffers with large pages lie, or NULL */
	struct vfsmount *huge;
	/* what the kernel may take back; the lock is that of both lists, in kernels without one */
	struct mutex lru_lock;
	struct drm_gem_lru purgeable;
	struct drm_gem_lru kv_lru;
	/* VMs and buffers from which the device may reach memory, until that is undone */
	spinlock_t mapped_lock;
	struct list_head mapped_vms, mapped_bos;
	wait_queue_head_t unmapped;
	/* protects last_end_ns and what clients have used; interrupts off, innermost */
	spinlock_t usage_lock;
	u64 last_end_ns;
	atomic64_t job_ids;
	/* accesses of registers, for debugfs: a submission is one write at most and no read */
	atomic64_t mmio_reads, mmio_writes;
};

#define to_iau(d) container_of(d, struct iau_device, drm)

/* For what may wait for memory or for others' locks, which nothing may for which fences wait */
extern struct workqueue_struct *iau_wq;

static inline u32 iau_read(struct iau_device *iau, u32 reg)
{
	atomic64_inc(&iau->mmio_reads);
	return readl(iau->regs + reg);
}

static inline void iau_write(struct iau_device *iau, u32 reg, u32 value)
{
	atomic64_inc(&iau->mmio_writes);
	writel(value, iau->regs + reg);
}

static inline u32 iau_qreg(unsigned int queue, u32 reg)
{
	return IAU_QUEUE_OFFSET + queue * IAU_QUEUE_STRIDE + reg;
}

/*
 * A queue register as the card last showed it, which it does before an interrupt: of a virtual
 * machine's card, without a trap. It does not tell whether the card is still there.
 */
static inline u32 iau_peek(struct iau_device *iau, unsigned int queue, u32 reg)
{
	if (!iau->status)
		return iau_read(iau, iau_qreg(queue, reg));
	return readl(iau->status + queue * IAU_QUEUE_STRIDE + reg);
}

int iau_read_counters(struct iau_device *iau, struct drm_iau_counters *c);
void iau_counters_stop(struct iau_device *iau);
void iau_counters_start(struct iau_device *iau);

/* Clients ------------------------------------------------------------------------------------ */

/**
 * struct iau_client - what a client has used
 * @ref: held by its file, its buffers, and its queues, which jobs hold
 * @memory: bytes of its buffers
 * @id: that of drm_file
 * @pid: of the process that opened it
 * @comm: its name
 * @busy_ns: time of the device, under usage_lock like those that follow
 * @cycles: cycles of the device, as far as its records can be true
 * @jobs: jobs that are over, one way or another
 */
struct iau_client {
	struct kref ref;
	atomic64_t memory;
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
	struct xarray perfs;
};

#define IAU_MAX_VMS	64
#define IAU_MAX_QUEUES	256

struct iau_client *iau_client_create(u64 id);
struct iau_client *iau_client_get(struct iau_client *client);
void iau_client_put(struct iau_client *client);
int iau_client_charge(struct iau_client *client, u64 bytes);
void iau_client_uncharge(struct iau_client *client, u64 bytes);
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
/* VMs ---------------------------------------------------------------------------------------- */

/**
 * struct iau_vm - an address space
 * @gpuvm: what is mapped where; its reference count is the VM's
 * @iau: the device
 * @lock: protects mappings, and the order of submissions and changes of mappings
 * @pt_lock: protects page tables, and where pages of KV buffers are; nothing is allocated and
 *	nothing waited for under it
 * @root: level-2 table; NULL once the device has gone, under @pt_lock
 * @mapped: in the device's list of VMs
 * @slot: context of the device that holds it, or -1; under slot_lock
 * @bind: mappings that are changed in the order of jobs
 * @closed: its handle has gone, and mappings change no more; under @lock
 * @last_bind: finished fence of the last of them, or NULL; under @lock
 * @evicted: KV buffers that lack pages, under @evicted_lock
 */
struct iau_vm {
	struct drm_gpuvm gpuvm;
	struct iau_device *iau;
	struct mutex lock;
	struct mutex pt_lock;
	struct iau_table *root;
	struct list_head mapped;
	int slot;
	struct drm_sched_entity bind;
	bool closed;
	struct dma_fence *last_bind;
	spinlock_t evicted_lock;
	struct list_head evicted;
};

#define to_iau_vm(g) container_of(g, struct iau_vm, gpuvm)

struct iau_vm *iau_vm_create(struct iau_device *iau);
struct iau_vm *iau_vm_get(struct iau_file *file, u32 id);
void iau_vm_put(struct iau_vm *vm);
void iau_vm_close(struct iau_vm *vm);
int iau_vm_idle(struct iau_vm *vm, bool interruptible);
bool iau_vm_is_idle(struct iau_vm *vm);
void iau_vms_unmap(struct iau_device *iau);
int iau_vm_settle(struct iau_vm *vm);

int iau_bind_init(struct iau_device *iau);
void iau_bind_clear(struct iau_vm *vm);
u32 iau_va_flags(const struct drm_gpuva *va);
u64 iau_va_entry(const struct drm_gpuva *va);
struct drm_gpuvm_bo *iau_vm_bo_alloc(void);
void iau_vm_bo_free(struct drm_gpuvm_bo *vm_bo);

int iau_pt_reserve(struct iau_vm *vm, u64 va, u64 size);
void iau_pt_map(struct iau_vm *vm, u64 va, u64 size, struct sg_table *sgt, u64 offset, u64 flags);
void iau_pt_map_page(struct iau_vm *vm, u64 va, dma_addr_t dma, u64 flags);
void iau_pt_unmap(struct iau_vm *vm, u64 va, u64 size);

/* Buffers ------------------------------------------------------------------------------------ */

struct iau_kv_chunk;

/**
 * struct iau_kv - the pages of a KV buffer
 * @bo: the buffer
 * @vm: where it can be bound; a reference
 * @lock: protects the pages, which change under the VM's lock only; who holds it may be waiting for
 *	memory, so that no job takes it
 * @chunk: 512 pages each, made when the first of them gets memory; these, and where the pages are,
 *	change under the VM's pt_lock, too
 * @chunks: number of them
 * @committed: pages that have memory, or will again before a job runs
 * @evicted: in the VM's list: the device lacks pages that were committed
 * @memcg: to which copies of pages that were taken back are charged; a reference
 */
struct iau_kv {
	struct iau_bo *bo;
	struct iau_vm *vm;
	struct mutex lock;
	struct iau_kv_chunk **chunk;
	u32 chunks;
	u64 committed;
	struct list_head evicted;
	struct mem_cgroup *memcg;
};

/**
 * struct iau_bo - a buffer
 * @shmem: its object; of a KV buffer only the file is used
 * @client: to whom its memory is charged, or NULL
 * @charged: bytes
 * @kv: pages of a KV buffer, or NULL
 * @mapped: in the device's list of buffers
 * @imported: what another driver gave, or NULL; a reference
 */
struct iau_bo {
	struct drm_gem_shmem_object shmem;
	struct iau_client *client;
	u64 charged;
	struct iau_kv *kv;
	struct list_head mapped;
	struct dma_buf *imported;
};

static inline struct iau_bo *to_iau_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct iau_bo, shmem);
}

static inline struct iau_kv *iau_kv_of(struct drm_gem_object *obj)
{
	return to_iau_bo(obj)->kv;
}

struct drm_gem_object *iau_gem_create_object(struct drm_device *drm, size_t size);
struct drm_gem_object *iau_gem_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct sg_table *iau_gem_pages(struct drm_gem_object *obj);
void iau_gem_unmap_all(struct iau_device *iau);
void iau_gem_free(struct drm_gem_object *obj);

int iau_kv_init(struct iau_bo *bo, struct iau_vm *vm);
void iau_kv_map(struct drm_gem_object *obj, struct iau_vm *vm, u64 va, u64 size, u64 offset,
		u64 flags);
int iau_kv_restore(struct iau_vm *vm);
bool iau_kv_evict(struct drm_gem_object *obj);
void iau_kv_unmap(struct drm_gem_object *obj);

int iau_shrinker_init(struct iau_device *iau);
unsigned long iau_shrink(struct iau_device *iau, unsigned long n, bool kv, unsigned long *left);

int iau_huge_init(struct iau_device *iau);
int iau_huge_file(struct iau_device *iau, struct drm_gem_object *obj);
int iau_small_file(struct drm_gem_object *obj);

int iau_slot_get(struct iau_vm *vm, unsigned int jobs, bool direct);
void iau_slot_put(struct iau_device *iau, int slot, bool direct);
void iau_slot_flush(struct iau_vm *vm);
void iau_slot_release(struct iau_vm *vm);
void iau_slots_forget(struct iau_device *iau);
void iau_slots_restore(struct iau_device *iau);

/* Syncobjs ----------------------------------------------------------------------------------- */

#define IAU_MAX_SYNCS	64

/* What work signals when it is over */
struct iau_signals {
	struct iau_signal *list;
	unsigned int n;
};

long iau_timeout(s64 ns);
int iau_array_get(const struct drm_iau_obj_array *array, u32 i, void *out, size_t size);
int iau_syncs_add(const struct drm_iau_obj_array *syncs, struct drm_sched_job *job,
		  struct drm_file *file, struct iau_signals *s);
void iau_signals_attach(struct iau_signals *s, struct dma_fence *fence);
void iau_signals_free(struct iau_signals *s);

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
 * @waiting: its jobs on their way there through the scheduler
 * @freeing: what remains to be done in process context when nobody holds it any more
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
	atomic_t running, waiting;
	struct work_struct freeing;
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
 * struct iau_job - a command buffer on its way
 * @base: in the scheduler
 * @done: signalled when the device is done with it; of the scheduler only: clients wait for its
 *	"finished" fences. A job that is @started goes with its last reference.
 * @done_lock: of @done
 * @queue: whose it is
 * @started: @done is initialised
 * @direct: it does not come from the scheduler, which knows nothing of it, and has no use for @done
 * @quiet: nobody waits for it but for those behind it of the same submission; a direct one has no
 *	fence then
 * @ring: number of its hardware queue
 * @slot: context while it is in a ring
 * @id: tells it from all others of the device
 * @begun_ns: when the device was told of it
 * @cycles: of the device, once it is over
 */
struct iau_job {
	struct drm_sched_job base;
	struct dma_fence done;
	spinlock_t done_lock;
	struct iau_queue *queue;
	bool started;
	bool direct;
	bool quiet;
	unsigned int ring;
	int slot;
	u64 id;
	u64 begun_ns;
	u64 cycles;
	u64 cmd_va, param_va;
	u32 cmd_bytes, budget, tag;
};

#define to_iau_job(j) container_of(j, struct iau_job, base)

void iau_job_free(struct iau_job *job);

struct iau_dump_job;
void iau_dump_describe(const struct iau_job *job, struct iau_dump_job *out);
void iau_dump_take(struct iau_ring *ring, struct iau_vm *vm, const struct iau_dump_job *job,
		   const struct iau_dump_fault_record *fault);

int iau_doorbell_init(struct iau_device *iau);
void iau_doorbell_start(struct iau_device *iau);
void iau_doorbell_reset(struct iau_device *iau, unsigned int q);
void iau_doorbell_ring(struct iau_device *iau, unsigned int q, u32 tail);

int iau_rings_init(struct iau_device *iau);
int iau_ring_reserve(struct iau_ring *ring, struct iau_vm *vm, unsigned int n);
void iau_ring_run(struct iau_ring *ring, struct iau_job **job, unsigned int n, int slot);
void iau_ring_drop_entity(struct iau_ring *ring, struct drm_sched_entity *entity);
void iau_ring_collect(struct iau_ring *ring);
void iau_ring_believe(struct iau_ring *ring, u32 head);
bool iau_ring_skip(struct iau_ring *ring, u64 id, const struct iau_queue *queue, u32 retired);
bool iau_ring_head_banned(struct iau_ring *ring);
void iau_ring_ban(struct iau_ring *ring, u32 why);
void iau_ring_setup(struct iau_ring *ring);
void iau_ring_enable(struct iau_ring *ring, bool on);
void iau_ring_stop(struct iau_ring *ring);
int iau_ring_abort(struct iau_ring *ring);
void iau_ring_empty(struct iau_ring *ring, int error, bool all);
void iau_ring_release(struct iau_ring *ring);
void iau_ring_start(struct iau_ring *ring);
irqreturn_t iau_ring_irq(int irq, void *data);

/* The oldest job of a ring that has one; under its lock. */
static inline struct iau_job *iau_ring_head(struct iau_ring *ring)
{
	return ring->job[ring->head % IAU_RING_ENTRIES];
}

static inline bool iau_queue_banned(struct iau_queue *queue)
{
	return READ_ONCE(queue->state) & DRM_IAU_QUEUE_BANNED;
}

/* Faults, hangs, resets ---------------------------------------------------------------------- */

void iau_fault_handle(struct iau_ring *ring);
irqreturn_t iau_fault_irq(int irq, void *data);

int iau_watchdog_init(struct iau_device *iau);
void iau_watchdog_in(struct iau_device *iau, u64 ns);
void iau_watchdog_start(struct iau_device *iau);
void iau_watchdog_stop(struct iau_device *iau);
void iau_watchdog_moved(struct iau_device *iau);
void iau_watchdog_kick(struct iau_device *iau);
unsigned int iau_watchdog_ms(void);

extern const struct pci_error_handlers iau_err_handlers;
int iau_reset_init(struct iau_device *iau);
void iau_restart_ring(struct iau_ring *ring, int error);
void iau_reset_ring(struct iau_ring *ring, int error);
void iau_reset_function(struct iau_device *iau);
int iau_device_stop(struct iau_device *iau, bool now);
int iau_device_start(struct iau_device *iau, bool test);

extern const struct dev_pm_ops iau_pm_ops;
void iau_pm_init(struct iau_device *iau);
void iau_pm_fini(struct iau_device *iau);
int iau_pm_get(struct iau_device *iau);
void iau_pm_put(struct iau_device *iau);
bool iau_pm_needed(struct iau_device *iau);
void iau_device_fini(struct iau_device *iau);

int iau_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_commit(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_wait(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_bo_advise(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_queue_state(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_perf_open(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_perf_read(struct drm_device *drm, void *data, struct drm_file *file);
int iau_ioctl_perf_close(struct drm_device *drm, void *data, struct drm_file *file);
void iau_perf_close_all(struct iau_file *priv);
int iau_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

#endif /* __IAU_DRV_H__ */
