// SPDX-License-Identifier: GPL-2.0-only
/*
 * Core dumps. A dump is taken before the fence of its job is signalled, while the client cannot yet
 * take back what the job used; so nothing here may wait for memory, or for long for a lock that is
 * held while somebody waits for the job. It is published by a work of its own.
 */
#include <linux/delay.h>
#include <linux/devcoredump.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/iau_dump.h>

#include "iau_drv.h"

#define MAX_PAGES	96
/* Everything fits: commands and mappings take the most. */
#define MAX_CMD_BYTES	SZ_256K
#define MAX_MAPPINGS	2048
/* for a VM's lock, a tenth of a millisecond apart or more */
#define HANG_TRIES	20
#define FAULT_TRIES	100

struct iau_dump {
	struct iau_device *iau; /* a reference */
	struct work_struct publish;
	struct iau_dump_header header;
	size_t bytes;
	size_t section; /* where the section begins that is being written */
	struct page *page[MAX_PAGES];
};

static struct page *page_at(struct iau_dump *dump, size_t at)
{
	struct page **page = &dump->page[at / PAGE_SIZE];

	if (!*page)
		*page = alloc_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO);
	return *page;
}

static void put(struct iau_dump *dump, const void *data, size_t n)
{
	while (n && !(dump->header.flags & IAU_DUMP_TRUNCATED)) {
		size_t part = min(n, PAGE_SIZE - offset_in_page(dump->bytes));
		bool room = dump->bytes < MAX_PAGES * PAGE_SIZE && page_at(dump, dump->bytes);

		if (!room) {
			dump->header.flags |= IAU_DUMP_TRUNCATED;
			return;
		}
		memcpy(page_address(page_at(dump, dump->bytes)) + offset_in_page(dump->bytes),
		       data, part);
		dump->bytes += part;
		data += part;
		n -= part;
	}
}

/* Writes what is already there again. */
static void patch(struct iau_dump *dump, size_t at, const void *data, size_t n)
{
	/* headers are aligned and do not cross pages */
	memcpy(page_address(dump->page[at / PAGE_SIZE]) + offset_in_page(at), data, n);
}

static void begin(struct iau_dump *dump, u32 type)
{
	struct iau_dump_section section = { .type = type };

	dump->section = dump->bytes;
	put(dump, &section, sizeof(section));
}

static void end(struct iau_dump *dump, u32 type)
{
	struct iau_dump_section section = { .type = type };

	/* memory may have run out before the header of the section was there */
	if (dump->bytes < dump->section + sizeof(section)) {
		dump->bytes = dump->section;
		return;
	}
	/* readers want multiples of 8 even of what was cut short */
	dump->bytes = round_down(dump->bytes, 8);
	section.bytes = dump->bytes - dump->section - sizeof(section);
	patch(dump, dump->section, &section, sizeof(section));
}

static void put_section(struct iau_dump *dump, u32 type, const void *data, size_t n)
{
	begin(dump, type);
	put(dump, data, n);
	end(dump, type);
}

static void put_register(struct iau_dump *dump, u32 offset, u32 value)
{
	struct iau_dump_register reg = { .offset = offset, .value = value };

	put(dump, &reg, sizeof(reg));
}

static void put_queue_register(struct iau_dump *dump, struct iau_device *iau, unsigned int q,
			       u32 reg)
{
	put_register(dump, iau_qreg(q, reg), iau_peek(iau, q, reg));
}

/* Few registers but those of the queue that is concerned: others wait while this reads. */
static void put_registers(struct iau_dump *dump, struct iau_ring *ring)
{
	static const u32 common[] = { IAU_REG_ID, IAU_REG_STATUS, IAU_REG_IRQ_STATUS,
				      IAU_REG_IRQ_MASK };
	struct iau_device *iau = ring->iau;

	begin(dump, IAU_DUMP_REGISTERS);
	for (unsigned int i = 0; i < ARRAY_SIZE(common); i++)
		put_register(dump, common[i], iau_read(iau, common[i]));
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		if (q == ring->index) {
			for (u32 reg = 0; reg <= IAU_QREG_FAULT_CTX; reg += 4)
				put_queue_register(dump, iau, q, reg);
			continue;
		}
		put_queue_register(dump, iau, q, IAU_QREG_HEAD);
		put_queue_register(dump, iau, q, IAU_QREG_STATUS);
		put_queue_register(dump, iau, q, IAU_QREG_PROGRESS);
	}
	end(dump, IAU_DUMP_REGISTERS);
}

static void put_ring(struct iau_dump *dump, struct iau_ring *ring)
{
	struct iau_dump_ring r = {
		.index = ring->index,
		.head = READ_ONCE(ring->head),
		.tail = READ_ONCE(ring->tail),
		.entries = IAU_RING_ENTRIES,
	};

	begin(dump, IAU_DUMP_RING);
	put(dump, &r, sizeof(r));
	put(dump, ring->desc, IAU_RING_ENTRIES * IAU_JOB_BYTES);
	put(dump, ring->rec, IAU_RING_ENTRIES * sizeof(*ring->rec));
	end(dump, IAU_DUMP_RING);
}

/* Under the VM's lock, like those below. */
static void put_mappings(struct iau_dump *dump, struct iau_vm *vm)
{
	struct drm_gpuva *va;
	unsigned int n = 0;

	begin(dump, IAU_DUMP_MAPPINGS);
	drm_gpuvm_for_each_va(va, &vm->gpuvm) {
		struct iau_dump_mapping m = { .va = va->va.addr, .size = va->va.range };

		/* the address space's own bookkeeping is a mapping, too */
		if (!va->gem.obj)
			continue;
		if (n++ == MAX_MAPPINGS)
			break;
		m.offset = va->gem.offset;
		m.flags = iau_va_flags(va);
		put(dump, &m, sizeof(m));
	}
	end(dump, IAU_DUMP_MAPPINGS);
}

/* Copies what of a page is mapped at VA; false if nothing is. */
static bool put_page_at(struct iau_dump *dump, struct iau_vm *vm, u64 va, size_t n)
{
	struct drm_gpuva *map = drm_gpuva_find_first(&vm->gpuvm, va, 1);
	struct drm_gem_shmem_object *shmem;
	void *from;
	u64 at;

	if (!map || !map->gem.obj)
		return false;
	shmem = to_drm_gem_shmem_obj(map->gem.obj);
	/* buffers of other drivers have no pages of ours */
	if (map->gem.obj->import_attach || !shmem->pages)
		return false;
	at = map->gem.offset + va - map->va.addr;
	from = kmap_local_page(shmem->pages[at / PAGE_SIZE]);
	put(dump, from + offset_in_page(at), n);
	kunmap_local(from);
	return true;
}

static void put_memory(struct iau_dump *dump, struct iau_vm *vm, u32 type, u64 va, size_t n)
{
	struct iau_dump_memory m = { .va = va };

	begin(dump, type);
	put(dump, &m, sizeof(m));
	while (n) {
		size_t part = min_t(size_t, n, PAGE_SIZE - offset_in_page(va));

		if (!put_page_at(dump, vm, va, part))
			break;
		va += part;
		n -= part;
	}
	end(dump, type);
}

/* The command buffer, or a part of it with the command at byte OFFSET in its middle. */
static void put_commands(struct iau_dump *dump, struct iau_vm *vm, const struct iau_dump_job *job,
			 u64 offset)
{
	u64 from = 0, n = min_t(u64, job->cmd_bytes, MAX_CMD_BYTES), room = job->cmd_bytes - n;

	if (offset > n / 2)
		from = min(round_down(offset - n / 2, IAU_CMD_BYTES), room);
	put_memory(dump, vm, IAU_DUMP_COMMANDS, job->cmd_va + from, n);
}

/*
 * The call that submitted a job that faults may not have returned yet, on a slow processor; but who
 * holds the lock may also wait for the job.
 */
static bool lock_soon(struct iau_vm *vm, unsigned int tries)
{
	while (tries--) {
		if (mutex_trylock(&vm->lock))
			return true;
		usleep_range(100, 200);
	}
	return false;
}

static void put_vm(struct iau_dump *dump, struct iau_vm *vm, const struct iau_dump_job *job,
		   u64 offset)
{
	if (!lock_soon(vm, dump->header.reason == IAU_DUMP_FAULT ? FAULT_TRIES : HANG_TRIES)) {
		dump->header.flags |= IAU_DUMP_BUSY;
		return;
	}
	if (job->param_va)
		put_memory(dump, vm, IAU_DUMP_PARAMETERS, job->param_va, IAU_PARAM_BYTES);
	put_commands(dump, vm, job, offset);
	put_mappings(dump, vm);
	mutex_unlock(&vm->lock);
}

/* Who it was; under the ring's lock. */
void iau_dump_describe(const struct iau_job *job, struct iau_dump_job *out)
{
	const struct iau_queue *queue = job->queue;

	*out = (struct iau_dump_job){
		.id = job->id,
		.client = queue->client->id,
		.cmd_va = job->cmd_va,
		.param_va = job->param_va,
		.age_ns = ktime_get_ns() - job->begun_ns,
		.cmd_bytes = job->cmd_bytes,
		.budget = job->budget,
		.tag = job->tag,
		.queue = queue->id,
		.ring = queue->ring->index,
		.slot = job->slot,
		.pid = queue->client->pid,
	};
	memcpy(out->comm, queue->client->comm, sizeof(out->comm));
}

/* Hands PAGES pages of it over; true if they are no longer the dump's. */
static bool hand_over(struct iau_dump *dump, unsigned int pages)
{
	struct scatterlist *table = kmalloc_array(pages, sizeof(*table), GFP_KERNEL);

	if (!table)
		return false;
	sg_init_table(table, pages);
	for (unsigned int i = 0; i < pages; i++)
		sg_set_page(&table[i], dump->page[i], PAGE_SIZE, 0);
	dev_coredumpsg(dump->iau->drm.dev, table, dump->bytes, GFP_KERNEL);
	return true;
}

static void publish(struct work_struct *work)
{
	struct iau_dump *dump = container_of(work, struct iau_dump, publish);
	unsigned int n = DIV_ROUND_UP(dump->bytes, PAGE_SIZE), first = 0;
	struct iau_device *iau = dump->iau;
	int idx;

	/* the dump of a device is seen in its folder */
	if (n && drm_dev_enter(&iau->drm, &idx)) {
		first = hand_over(dump, n) ? n : 0;
		drm_dev_exit(idx);
	}
	for (unsigned int i = first; i < MAX_PAGES && dump->page[i]; i++)
		__free_page(dump->page[i]);
	kfree(dump);
	atomic_set(&iau->dumping, 0);
	drm_dev_put(&iau->drm);
}

/*
 * The state around a job, which has faulted if there is a FAULT. Without memory, or while another
 * one waits to be published, there is no dump: it is not worth a failure.
 */
void iau_dump_take(struct iau_ring *ring, struct iau_vm *vm, const struct iau_dump_job *job,
		   const struct iau_dump_fault_record *fault)
{
	struct iau_device *iau = ring->iau;
	struct iau_dump *dump;

	if (atomic_xchg(&iau->dumping, 1))
		return;
	dump = kzalloc(sizeof(*dump), GFP_NOWAIT | __GFP_NOWARN);
	if (!dump) {
		atomic_set(&iau->dumping, 0);
		return;
	}
	memcpy(dump->header.magic, IAU_DUMP_MAGIC, sizeof(dump->header.magic));
	dump->header.version = IAU_DUMP_VERSION;
	dump->header.reason = fault ? IAU_DUMP_FAULT : IAU_DUMP_HANG;
	dump->header.time_ns = ktime_get_real_ns();
	strscpy(dump->header.device, dev_name(iau->drm.dev), sizeof(dump->header.device));
	put(dump, &dump->header, sizeof(dump->header));
	put_section(dump, IAU_DUMP_JOB, job, sizeof(*job));
	if (fault)
		put_section(dump, IAU_DUMP_FAULT_RECORD, fault, sizeof(*fault));
	put_registers(dump, ring);
	put_ring(dump, ring);
	put_vm(dump, vm, job, fault ? fault->offset : (u64)job->retired * IAU_CMD_BYTES);
	dump->header.bytes = dump->bytes;
	if (dump->page[0])
		patch(dump, 0, &dump->header, sizeof(dump->header));
	dump->iau = iau;
	drm_dev_get(&iau->drm);
	INIT_WORK(&dump->publish, publish);
	queue_work(iau_wq, &dump->publish);
}
