// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clients use of the device, and what /proc/PID/fdinfo tells of it (drm-usage-stats).
 *
 * Time is the host's, from the doorbell or the end of the job before, whichever is later, to the
 * completion: the device runs one job at a time. Cycles come from the device's records.
 */
#include <linux/dma-resv.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "iau_compat.h"
#include "iau_drv.h"

static unsigned int client_mib;
module_param(client_mib, uint, 0644);
MODULE_PARM_DESC(client_mib, "MiB of buffers that a client may have; 0: half of the memory (0)");

/* More cycles than a job can take: 18 minutes of a device of 1 GHz. */
#define MAX_JOB_CYCLES	BIT_ULL(40)

struct iau_client *iau_client_create(u64 id)
{
	struct iau_client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return NULL;
	kref_init(&client->ref);
	client->id = id;
	client->pid = task_tgid_nr(current);
	get_task_comm(client->comm, current);
	return client;
}

struct iau_client *iau_client_get(struct iau_client *client)
{
	kref_get(&client->ref);
	return client;
}

static void client_free(struct kref *ref)
{
	kfree(container_of(ref, struct iau_client, ref));
}

void iau_client_put(struct iau_client *client)
{
	kref_put(&client->ref, client_free);
}

static u64 memory_limit(void)
{
	return client_mib ? (u64)client_mib * SZ_1M : (u64)totalram_pages() << (PAGE_SHIFT - 1);
}

/* Memory for a client's buffer, which control groups count, too, as soon as it is used. */
int iau_client_charge(struct iau_client *client, u64 bytes)
{
	if (atomic64_add_return(bytes, &client->memory) <= memory_limit())
		return 0;
	atomic64_sub(bytes, &client->memory);
	return -EDQUOT;
}

void iau_client_uncharge(struct iau_client *client, u64 bytes)
{
	atomic64_sub(bytes, &client->memory);
}

/* Cycles of a job, or 0 if its record, which the device writes, cannot be true. */
static u64 cycles_of(struct iau_ring *ring, const struct iau_record *rec)
{
	u64 start = le64_to_cpu(READ_ONCE(rec->start_cycle));
	u64 end = le64_to_cpu(READ_ONCE(rec->end_cycle));

	if (start < ring->last_cycle || end < start || end - start > MAX_JOB_CYCLES) {
		ring->bad_records++;
		return 0;
	}
	ring->last_cycle = end;
	return end - start;
}

/* A job is over; REC is its record if it came to its end. Under the ring's lock. */
void iau_client_account(struct iau_ring *ring, struct iau_job *job, const struct iau_record *rec)
{
	struct iau_device *iau = ring->iau;
	struct iau_client *client = job->queue->client;
	u64 now = ktime_get_ns();

	job->cycles = rec ? cycles_of(ring, rec) : 0;
	spin_lock(&iau->usage_lock);
	/* rings may learn of their jobs' ends in another order than the device's */
	if (now > max(job->begun_ns, iau->last_end_ns))
		client->busy_ns += now - max(job->begun_ns, iau->last_end_ns);
	iau->last_end_ns = max(now, iau->last_end_ns);
	client->cycles += job->cycles;
	client->jobs++;
	spin_unlock(&iau->usage_lock);
}

/* A copy, consistent in itself. */
void iau_client_usage(struct iau_device *iau, struct iau_client *client, struct iau_usage *usage)
{
	spin_lock_irq(&iau->usage_lock);
	usage->busy_ns = client->busy_ns;
	usage->cycles = client->cycles;
	usage->jobs = client->jobs;
	spin_unlock_irq(&iau->usage_lock);
}

/* The device's time as its records last told it: the clock runs while there is work only. */
static u64 total_cycles(struct iau_device *iau)
{
	u64 cycles = 0;

	for (unsigned int q = 0; q < iau->info.queues; q++)
		cycles = max(cycles, READ_ONCE(iau->ring[q].last_cycle));
	return cycles;
}

/* Is the buffer mapped where jobs have not ended? Called under a spinlock, so it cannot wait. */
static bool is_active(struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	bool active = false;

	/* a list that is just being changed is not worth a wait in a statistic */
	if (!dma_resv_trylock(obj->resv))
		return false;
	drm_gem_for_each_gpuvm_bo(vm_bo, obj)
		active |= !dma_resv_test_signaled(drm_gpuvm_resv(vm_bo->vm),
						  DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(obj->resv);
	return active;
}

static void add_object(struct drm_memory_stats *stats, struct drm_gem_object *obj)
{
	enum drm_gem_object_status status = obj->funcs->status(obj);
	bool active = is_active(obj);

	if (drm_gem_object_is_shared_for_memory_stats(obj))
		stats->shared += obj->size;
	else
		stats->private += obj->size;
	if (active)
		stats->active += obj->size;
	if (status & DRM_GEM_OBJECT_RESIDENT) {
		stats->resident += obj->funcs->rss ? obj->funcs->rss(obj) : obj->size;
		if (status & DRM_GEM_OBJECT_PURGEABLE && !active)
			stats->purgeable += obj->size;
	}
}

/*
 * Not drm_show_memory_stats(): it looks for fences at the buffer, and those of jobs are at the
 * address space, so that a submission costs the same however many buffers are mapped.
 */
static void show_memory(struct drm_printer *p, struct drm_file *file)
{
	struct drm_memory_stats stats = { };
	struct drm_gem_object *obj;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id)
		add_object(&stats, obj);
	spin_unlock(&file->table_lock);
	drm_print_memory_stats(p, &stats, IAU_GEM_STATUS, "memory");
}

static unsigned int count(struct xarray *xa)
{
	unsigned long id;
	unsigned int n = 0;
	void *entry;

	xa_for_each(xa, id, entry)
		n++;
	return n;
}

void iau_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct iau_device *iau = to_iau(file->minor->dev);
	struct iau_file *priv = file->driver_priv;
	struct iau_usage usage;

	iau_client_usage(iau, priv->client, &usage);
	drm_printf(p, "drm-engine-npu:\t%llu ns\n", usage.busy_ns);
	drm_printf(p, "drm-cycles-npu:\t%llu\n", usage.cycles);
	drm_printf(p, "drm-total-cycles-npu:\t%llu\n", total_cycles(iau));
	drm_printf(p, "iau-jobs:\t%llu\n", usage.jobs);
	drm_printf(p, "iau-queues:\t%u\n", count(&priv->queues));
	drm_printf(p, "iau-vms:\t%u\n", count(&priv->vms));
	drm_printf(p, "iau-charged:\t%llu KiB\n",
		   (u64)atomic64_read(&priv->client->memory) / SZ_1K);
	show_memory(p, file);
}
