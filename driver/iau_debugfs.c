// SPDX-License-Identifier: GPL-2.0-only
/* What the device and its clients are doing, for people who look into it; no stable interface. */
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>

#include "iau_drv.h"

static struct iau_device *device_of(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_iau(entry->dev);
}

static void show_ring_jobs(struct seq_file *m, struct iau_ring *ring)
{
	u64 now = ktime_get_ns();

	for (u32 i = ring->head; i != ring->tail; i++) {
		struct iau_job *job = ring->job[i % IAU_RING_ENTRIES];

		seq_printf(m, "  %u: job %llu client %llu queue %u slot %d tag %#x for %llu us\n",
			   i, job->id, job->queue->client->id, job->queue->id, job->slot, job->tag,
			   div_u64(now - job->begun_ns, NSEC_PER_USEC));
	}
}

static int show_rings(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);

	for (unsigned int q = 0; q < iau->info.queues; q++) {
		struct iau_ring *ring = &iau->ring[q];

		spin_lock_irq(&ring->lock);
		seq_printf(m, "ring %u: head %u tail %u last_cycle %llu bad_records %u\n", q,
			   ring->head, ring->tail, ring->last_cycle, ring->bad_records);
		show_ring_jobs(m, ring);
		spin_unlock_irq(&ring->lock);
	}
	return 0;
}

static int show_slots(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);

	spin_lock_irq(&iau->slot_lock);
	for (unsigned int i = 0; i < iau->info.contexts; i++)
		seq_printf(m, "slot %u: vm %p jobs %u used %llu\n", i, iau->slot[i].vm,
			   iau->slot[i].jobs, iau->slot[i].used);
	spin_unlock_irq(&iau->slot_lock);
	return 0;
}

static int show_clients(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);
	struct drm_file *file;
	struct iau_usage usage;
	int err = mutex_lock_interruptible(&iau->drm.filelist_mutex);

	if (err)
		return err;
	list_for_each_entry(file, &iau->drm.filelist, lhead) {
		struct iau_file *priv = file->driver_priv;

		iau_client_usage(iau, priv->client, &usage);
		seq_printf(m, "client %llu: jobs %llu busy_ns %llu cycles %llu pid %d %s\n",
			   priv->client->id, usage.jobs, usage.busy_ns, usage.cycles,
			   priv->client->pid, priv->client->comm);
	}
	mutex_unlock(&iau->drm.filelist_mutex);
	return 0;
}

static void show_file_queues(struct seq_file *m, struct iau_file *priv)
{
	struct iau_queue *queue;
	unsigned long id;

	xa_lock(&priv->queues);
	xa_for_each(&priv->queues, id, queue)
		seq_printf(m, "client %llu queue %lu: vm %p ring %u running %d state %#x fault %u\n",
			   priv->client->id, id, queue->vm, queue->ring->index,
			   atomic_read(&queue->running), queue->state, queue->fault_code);
	xa_unlock(&priv->queues);
}

static int show_queues(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);
	struct drm_file *file;
	int err = mutex_lock_interruptible(&iau->drm.filelist_mutex);

	if (err)
		return err;
	list_for_each_entry(file, &iau->drm.filelist, lhead)
		show_file_queues(m, file->driver_priv);
	mutex_unlock(&iau->drm.filelist_mutex);
	return 0;
}

static int show_counters(struct seq_file *m, void *unused)
{
	static const char *const names[] = IAU_COUNTER_NAMES;
	struct iau_device *iau = device_of(m);
	struct drm_iau_counters c = { };
	int err = iau_read_counters(iau, &c);

	if (err)
		return err;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		seq_printf(m, "%s %llu\n", names[i], c.value[i]);
	return 0;
}

/* References to the VMs of a client, as far as there is room. */
static unsigned int get_vms(struct iau_file *priv, struct iau_vm **vms, unsigned int room)
{
	struct iau_vm *vm;
	unsigned long id;
	unsigned int n = 0;

	xa_lock(&priv->vms);
	xa_for_each(&priv->vms, id, vm) {
		if (n == room)
			break;
		drm_gpuvm_get(&vm->gpuvm);
		vms[n++] = vm;
	}
	xa_unlock(&priv->vms);
	return n;
}

/*
 * A VM's lock may be held for as long as a job runs, and open() needs the list of files: first the
 * VMs are collected, then their locks are taken, one by one.
 */
static int show_gpuvas(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);
	unsigned int n = 0, room = 0;
	struct drm_file *file;
	struct iau_vm **vms;
	int err = mutex_lock_interruptible(&iau->drm.filelist_mutex);

	if (err)
		return err;
	list_for_each_entry(file, &iau->drm.filelist, lhead)
		room += IAU_MAX_VMS;
	vms = kvcalloc(room, sizeof(*vms), GFP_KERNEL);
	list_for_each_entry(file, &iau->drm.filelist, lhead)
		if (vms)
			n += get_vms(file->driver_priv, vms + n, room - n);
	mutex_unlock(&iau->drm.filelist_mutex);
	if (!vms)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		if (!err)
			err = mutex_lock_interruptible(&vms[i]->lock);
		if (!err) {
			err = drm_debugfs_gpuva_info(m, &vms[i]->gpuvm);
			mutex_unlock(&vms[i]->lock);
		}
		iau_vm_put(vms[i]);
	}
	kvfree(vms);
	return err;
}

static int show_mmio(struct seq_file *m, void *unused)
{
	struct iau_device *iau = device_of(m);

	seq_printf(m, "reads %llu\nwrites %llu\n", (u64)atomic64_read(&iau->mmio_reads),
		   (u64)atomic64_read(&iau->mmio_writes));
	return 0;
}

static const struct drm_debugfs_info files[] = {
	{ "clients", show_clients, 0, NULL },
	{ "counters", show_counters, 0, NULL },
	{ "gpuvas", show_gpuvas, 0, NULL },
	{ "mmio", show_mmio, 0, NULL },
	{ "queues", show_queues, 0, NULL },
	{ "rings", show_rings, 0, NULL },
	{ "slots", show_slots, 0, NULL },
};

/* So many pages are taken back as if memory were short, of KV caches without swap, too. */
static int set_shrink(void *data, u64 pages)
{
	unsigned long left = 0;

	iau_shrink(data, min_t(u64, pages, ULONG_MAX), true, &left);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(shrink_fops, NULL, set_shrink, "%llu\n");

void iau_debugfs_init(struct iau_device *iau)
{
	drm_debugfs_add_files(&iau->drm, files, ARRAY_SIZE(files));
	debugfs_create_file("shrink", 0200, iau->drm.debugfs_root, iau, &shrink_fops);
}
