/* SPDX-License-Identifier: MIT */
/*
 * The in-process host: does for one client what the kernel driver does, with the same registers,
 * rings and page tables. Physical memory is one sparse mapping; a physical address is an offset
 * into it.
 */
#include "device/backend.h"
#include "device/va.h"
#include "iau_dev.h"
#include "iau_hw.h"
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_DEFAULT (UINT64_C(64) << 30)
#define PAGE UINT64_C(4096)
#define CONTEXT 1
#define RING_LOG2 4

/* Fixed pages at the start of physical memory. Page 0 stays unused. */
enum { PAGE_RING = 1, PAGE_RECORD, PAGE_ROOT, PAGES_FIXED };

/* Addresses of a buffer that are seen at others */
struct shown {
	uint64_t va, from, size;
};

struct inproc {
	struct iau_device base;
	const struct iau_dev_ops *ops;
	struct iau_dev *dev;
	uint8_t *arena;
	uint64_t memory;     /* bytes of it, whole 2 MiB blocks */
	uint64_t next_page;  /* grows from the start: tables */
	uint64_t spare;	     /* a table that has gone, whose first entry is the one before it; 0: none */
	struct va_space va;  /* buffers; above table_bytes() in physical memory */
	struct va_space views;
	struct shown *shown; /* what is seen in views */
	size_t n_shown;
	struct iau_buffer params;
	uint32_t tail;
	uint64_t fence;
	iau_span_fn span;
	void *span_opaque;
};

static struct inproc *to_inproc(struct iau_device *base)
{
	return (struct inproc *)(void *)base;
}

/*
 * Room for page tables below the buffers: a buffer that fills its last block with small pages needs
 * one table a block, 1/512 of the memory.
 */
static uint64_t table_bytes(const struct inproc *dev)
{
	return (dev->memory / 256 + VA_BLOCK - 1) & ~(VA_BLOCK - 1);
}

/* Buffers lie in physical memory as they do in the address space. */
static uint64_t pa_of(const struct inproc *dev, uint64_t va)
{
	return va - VA_FIRST + table_bytes(dev);
}

static uint8_t *host_map(void *opaque, uint64_t pa, size_t len, bool write)
{
	struct inproc *dev = opaque;

	(void)write;
	return pa < dev->memory && len <= dev->memory - pa ? dev->arena + pa : NULL;
}

static void host_irq(void *opaque, unsigned int vector)
{
	(void)opaque;
	(void)vector; /* execute() watches the queue instead */
}

static void host_span(void *opaque, const struct iau_dev_span *s)
{
	struct inproc *dev = opaque;
	struct iau_span span = { s->entered, s->started, s->done, s->command, s->unit };

	if (dev->span)
		dev->span(dev->span_opaque, &span);
}

static int inproc_trace(struct iau_device *base, iau_span_fn fn, void *opaque)
{
	struct inproc *dev = to_inproc(base);

	if (!dev->ops->timed)
		return iau_error(-ENOTSUP, "engine '%s' knows no time: rtl traces commands",
				 dev->ops->name);
	dev->span = fn;
	dev->span_opaque = opaque;
	return 0;
}

static uint64_t *table_at(struct inproc *dev, uint64_t pa)
{
	return (uint64_t *)(void *)(dev->arena + pa);
}

/* An empty table */
static uint64_t take_table(struct inproc *dev)
{
	uint64_t pa = dev->spare;

	if (!pa) {
		pa = dev->next_page;
		dev->next_page += PAGE;
		return pa;
	}
	dev->spare = *table_at(dev, pa);
	*table_at(dev, pa) = 0;
	return pa;
}

/* The next-level table behind an entry, made if absent. */
static uint64_t descend(struct inproc *dev, uint64_t *entry)
{
	if (!(*entry & IAU_PTE_V))
		*entry = take_table(dev) | IAU_PTE_V;
	return *entry & ~(PAGE - 1);
}

static void map_page(struct inproc *dev, uint64_t va, uint64_t pa, uint64_t flags, bool big)
{
	uint64_t l2 = PAGE_ROOT * PAGE;
	uint64_t l1 = descend(dev, &table_at(dev, l2)[va >> 30 & 511]);
	uint64_t *e = &table_at(dev, l1)[va >> 21 & 511];

	if (big) {
		/* small pages were there before: their table is empty by now */
		if (*e & IAU_PTE_V) {
			*table_at(dev, *e & ~(PAGE - 1)) = dev->spare;
			dev->spare = *e & ~(PAGE - 1);
		}
		*e = pa | flags | IAU_PTE_V | IAU_PTE_L;
		return;
	}
	table_at(dev, descend(dev, e))[va >> 12 & 511] = pa | flags | IAU_PTE_V;
}

/* The page goes that VA begins, if there is one; returns the address behind what cannot be there. */
static uint64_t unmap_page(struct inproc *dev, uint64_t va)
{
	uint64_t l2 = table_at(dev, PAGE_ROOT * PAGE)[va >> 30 & 511], *l1;

	if (!(l2 & IAU_PTE_V))
		return va_round(va + 1);
	l1 = &table_at(dev, l2 & ~(PAGE - 1))[va >> 21 & 511];
	if (!(*l1 & IAU_PTE_V))
		return va_round(va + 1);
	if (*l1 & IAU_PTE_L) {
		*l1 = 0;
		return va_round(va + 1);
	}
	table_at(dev, *l1 & ~(PAGE - 1))[va >> 12 & 511] = 0;
	return va + PAGE;
}

static void mmio_write64(struct inproc *dev, uint32_t offset, uint64_t value)
{
	dev->ops->mmio_write(dev->dev, offset, (uint32_t)value);
	dev->ops->mmio_write(dev->dev, offset + 4, (uint32_t)(value >> 32));
}

static int bring_up(struct inproc *dev)
{
	mmio_write64(dev, IAU_CTX_OFFSET + CONTEXT * IAU_CTX_STRIDE, PAGE_ROOT * PAGE | 1);
	mmio_write64(dev, IAU_QUEUE_OFFSET + IAU_QREG_BASE_LO, PAGE_RING * PAGE);
	dev->ops->mmio_write(dev->dev, IAU_QUEUE_OFFSET + IAU_QREG_SIZE, RING_LOG2);
	dev->ops->mmio_write(dev->dev, IAU_QUEUE_OFFSET + IAU_QREG_CTRL, 1);
	dev->next_page = PAGES_FIXED * PAGE;
	dev->va.next = VA_FIRST;
	dev->views.next = VA_VIEWS;
	return iau_buffer_create(&dev->base, IAU_PARAM_BYTES, IAU_ACCESS_RW, &dev->params);
}

static void inproc_close(struct iau_device *base)
{
	struct inproc *dev = to_inproc(base);

	if (dev->dev)
		dev->ops->destroy(dev->dev);
	munmap(dev->arena, dev->memory);
	free(dev->shown);
	va_free(&dev->va);
	va_free(&dev->views);
	free(dev);
}

static void inproc_info(struct iau_device *base, struct iau_device_info *info)
{
	struct inproc *dev = to_inproc(base);
	uint32_t cap0 = dev->ops->mmio_read(dev->dev, IAU_REG_CAP0);
	uint32_t cap1 = dev->ops->mmio_read(dev->dev, IAU_REG_CAP1);

	*info = (struct iau_device_info){
		.engine = dev->ops->name,
		.timed = dev->ops->timed,
		.rows = cap0 & 0xff,
		.lanes = cap0 >> 8 & 0xff,
		.queues = cap0 >> 16 & 0xff,
		.contexts = cap0 >> 24,
		.vector_bytes = (cap1 & 0xffff) * 1024,
		.tile_bytes = (cap1 >> 16) * 1024,
	};
}

static int check_room(const struct inproc *dev, size_t size)
{
	uint64_t pa = pa_of(dev, va_find(&dev->va, size));

	if (size > dev->memory || pa > dev->memory || va_round(size) > dev->memory - pa)
		return iau_error(-ENOMEM, "no room for %zu bytes: of the device's %llu none lie free before %llu",
				 size, (unsigned long long)dev->memory, (unsigned long long)pa);
	return 0;
}

static struct iau_buffer take_buffer(struct inproc *dev, size_t size)
{
	uint64_t va = va_take(&dev->va, size);

	return (struct iau_buffer){ .va = va, .ptr = dev->arena + pa_of(dev, va),
				    .size = (size + PAGE - 1) & ~(PAGE - 1) };
}

static int inproc_buffer_create(struct iau_device *base, size_t size, enum iau_access access,
				struct iau_buffer *out)
{
	struct inproc *dev = to_inproc(base);
	uint64_t flags = access == IAU_ACCESS_CONST ? IAU_PTE_C : IAU_PTE_W;
	int err = check_room(dev, size);

	if (err)
		return err;
	*out = take_buffer(dev, size);
	for (uint64_t o = 0; o < out->size;) {
		uint64_t va = out->va + o;
		bool big = out->size - o >= VA_BLOCK;

		map_page(dev, va, pa_of(dev, va), flags, big);
		o += big ? VA_BLOCK : PAGE;
	}
	return 0;
}

/* Addresses only: the arena is sparse anyway, the page tables stay empty. */
static int inproc_buffer_reserve(struct iau_device *base, size_t size, struct iau_buffer *out)
{
	struct inproc *dev = to_inproc(base);
	int err = check_room(dev, size);

	if (!err)
		*out = take_buffer(dev, size);
	return err;
}

/* The pages at FROM, of a buffer, are seen at VA, too or in the first place. */
static void enter(struct inproc *dev, uint64_t va, uint64_t from, uint64_t size)
{
	for (uint64_t o = 0; o < size; o += PAGE)
		map_page(dev, va + o, pa_of(dev, from + o), IAU_PTE_W, false);
}

static void forget(struct inproc *dev, uint64_t va, uint64_t size)
{
	for (uint64_t end = va + size; va < end;)
		va = unmap_page(dev, va);
	dev->ops->mmio_write(dev->dev, IAU_REG_TLB_INVALIDATE, CONTEXT);
}

/* The common part of [VA, VA + SIZE) and what is shown there from elsewhere; nothing: false */
static bool meet(const struct shown *s, uint64_t va, uint64_t size, struct shown *part)
{
	uint64_t start = va > s->from ? va : s->from;
	uint64_t end = va + size < s->from + s->size ? va + size : s->from + s->size;

	*part = (struct shown){ s->va + start - s->from, start, end - start };
	return start < end;
}

static void commit(struct inproc *dev, uint64_t va, uint64_t size)
{
	struct shown part;

	enter(dev, va, va, size);
	for (size_t i = 0; i < dev->n_shown; i++)
		if (meet(&dev->shown[i], va, size, &part))
			enter(dev, part.va, part.from, part.size);
}

/* The device forgets the pages, and the host takes their memory back. */
static void unmap(struct inproc *dev, uint64_t va, uint64_t size)
{
	struct shown part;

	madvise(dev->arena + pa_of(dev, va), size, MADV_DONTNEED);
	forget(dev, va, size);
	for (size_t i = 0; i < dev->n_shown; i++)
		if (meet(&dev->shown[i], va, size, &part))
			forget(dev, part.va, part.size);
}

static int inproc_buffer_populate(struct iau_device *base, const struct iau_buffer *buf,
				  const struct iau_range *range, size_t n, bool present)
{
	struct inproc *dev = to_inproc(base);

	for (size_t i = 0; i < n; i++) {
		if (present)
			commit(dev, buf->va + range[i].offset, range[i].size);
		else
			unmap(dev, buf->va + range[i].offset, range[i].size);
	}
	return 0;
}

static void inproc_buffer_destroy(struct iau_device *base, struct iau_buffer *buf)
{
	struct inproc *dev = to_inproc(base);

	unmap(dev, buf->va, buf->size);
	va_give(&dev->va, buf->va, buf->size);
}

static int inproc_view_create(struct iau_device *base, uint64_t size, struct iau_view *out)
{
	struct inproc *dev = to_inproc(base);

	*out = (struct iau_view){ va_take(&dev->views, size), size };
	return 0;
}

/* Page VA has memory. */
static bool is_mapped(struct inproc *dev, uint64_t va)
{
	uint64_t *entry = &table_at(dev, PAGE_ROOT * PAGE)[va >> 30 & 511];

	for (int shift = 21; shift >= 12 && *entry & IAU_PTE_V && !(*entry & IAU_PTE_L); shift -= 9)
		entry = &table_at(dev, *entry & ~(PAGE - 1))[va >> shift & 511];
	return *entry & IAU_PTE_V;
}

static int inproc_view_map(struct iau_device *base, uint64_t va, const struct iau_buffer *buf,
			   struct iau_range part)
{
	struct inproc *dev = to_inproc(base);
	struct shown *more = realloc(dev->shown, (dev->n_shown + 1) * sizeof(*more));

	if (!more)
		return iau_error_nomem("view");
	dev->shown = more;
	/* a table for each 2 MiB that it touches, and one above */
	if (dev->next_page + (va_round(part.size) / VA_BLOCK + 3) * PAGE > table_bytes(dev))
		return iau_error(-ENOMEM, "no room for page tables of a view");
	more[dev->n_shown++] = (struct shown){ va, buf->va + part.offset, part.size };
	for (uint64_t o = 0; o < part.size; o += PAGE)
		if (is_mapped(dev, buf->va + part.offset + o))
			enter(dev, va + o, buf->va + part.offset + o, PAGE);
	return 0;
}

static int inproc_view_unmap(struct iau_device *base, uint64_t va, uint64_t size)
{
	struct inproc *dev = to_inproc(base);
	size_t left = 0;

	for (size_t i = 0; i < dev->n_shown; i++)
		if (dev->shown[i].va < va || dev->shown[i].va >= va + size)
			dev->shown[left++] = dev->shown[i];
	dev->n_shown = left;
	forget(dev, va, size);
	return 0;
}

static void inproc_view_destroy(struct iau_device *base, const struct iau_view *view)
{
	struct inproc *dev = to_inproc(base);

	inproc_view_unmap(base, view->va, view->size);
	va_give(&dev->views, view->va, view->size);
}

static uint32_t queue_reg(struct inproc *dev, uint32_t reg)
{
	return dev->ops->mmio_read(dev->dev, IAU_QUEUE_OFFSET + reg);
}

static int report_fault(struct inproc *dev)
{
	static const char *const names[] = IAU_FAULT_NAMES;
	uint32_t code = queue_reg(dev, IAU_QREG_FAULT_CODE);
	uint64_t va = queue_reg(dev, IAU_QREG_FAULT_VA_LO) |
		      (uint64_t)queue_reg(dev, IAU_QREG_FAULT_VA_HI) << 32;
	int err = iau_error(-EIO, "device fault %s in the command at byte %u, info %u, address %#llx",
			    code < sizeof(names) / sizeof(*names) ? names[code] : "?",
			    queue_reg(dev, IAU_QREG_FAULT_OFFSET),
			    queue_reg(dev, IAU_QREG_FAULT_INFO), (unsigned long long)va);

	dev->ops->mmio_write(dev->dev, IAU_QUEUE_OFFSET + IAU_QREG_CMD, 2);
	return err;
}

static int inproc_execute(struct iau_device *base, uint64_t cmd_va, size_t cmd_bytes,
			  const uint32_t *params)
{
	struct inproc *dev = to_inproc(base);
	uint32_t *desc = (uint32_t *)(void *)(dev->arena + PAGE_RING * PAGE +
					      (dev->tail & ((1u << RING_LOG2) - 1)) * IAU_JOB_BYTES);

	if (params)
		memcpy(dev->params.ptr, params, IAU_PARAM_BYTES);
	memset(desc, 0, IAU_JOB_BYTES);
	IAU_PUT(desc, CONTEXT, IAU_JOB_CTX);
	IAU_PUT(desc, cmd_bytes, IAU_JOB_CMD_BYTES);
	IAU_PUT(desc, cmd_va, IAU_JOB_CMD_VA);
	IAU_PUT(desc, params ? dev->params.va : 0, IAU_JOB_PARAM_VA);
	IAU_PUT(desc, PAGE_RECORD * PAGE, IAU_JOB_FENCE_PA);
	IAU_PUT(desc, ++dev->fence, IAU_JOB_FENCE_VALUE);
	dev->ops->mmio_write(dev->dev, IAU_DOORBELL_OFFSET, ++dev->tail);
	while (dev->ops->run(dev->dev, 1 << 20))
		;
	if (queue_reg(dev, IAU_QREG_STATUS) == 2)
		return report_fault(dev);
	return 0;
}

static uint64_t inproc_counter(struct iau_device *base, unsigned int counter)
{
	struct inproc *dev = to_inproc(base);
	uint32_t lo = dev->ops->mmio_read(dev->dev, IAU_CNT_OFFSET + counter * 8);

	return lo | (uint64_t)dev->ops->mmio_read(dev->dev, IAU_CNT_OFFSET + counter * 8 + 4) << 32;
}

static const struct iau_device_ops inproc_ops = {
	.close = inproc_close,
	.info = inproc_info,
	.buffer_create = inproc_buffer_create,
	.buffer_reserve = inproc_buffer_reserve,
	.buffer_populate = inproc_buffer_populate,
	.buffer_destroy = inproc_buffer_destroy,
	.view_create = inproc_view_create,
	.view_map = inproc_view_map,
	.view_unmap = inproc_view_unmap,
	.view_destroy = inproc_view_destroy,
	.execute = inproc_execute,
	.counter = inproc_counter,
	.trace = inproc_trace,
};

int iau_inproc_open(const struct iau_device_options *o, struct iau_device **out)
{
	struct iau_dev_timing timing = IAU_DEV_TIMING_DEFAULT;
	struct iau_dev_host host = { .map = host_map, .irq = host_irq, .span = host_span };
	struct inproc *dev;
	int err;

	if (o->bus > 64)
		return iau_error(-EINVAL, "a bus of %u bytes: 64 at most", o->bus);
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return iau_error_nomem("device");
	dev->base.ops = &inproc_ops;
	dev->ops = iau_dev_engine(o->engine);
	if (!dev->ops) {
		free(dev);
		return iau_error(-EINVAL, "engine '%s': unknown; there are rtl, ref and ref:2", o->engine);
	}
	dev->memory = (o->memory ? o->memory : MEMORY_DEFAULT) & ~(VA_BLOCK - 1);
	if (!dev->memory || dev->memory > MEMORY_DEFAULT) {
		free(dev);
		return iau_error(-EINVAL, "device memory of %llu bytes: 2 MiB to 64 GiB are possible",
				 (unsigned long long)o->memory);
	}
	dev->arena = mmap(NULL, dev->memory, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dev->arena == MAP_FAILED) {
		free(dev);
		return iau_error_nomem("device memory");
	}
	host.opaque = dev;
	timing.latency = o->latency ? o->latency : timing.latency;
	timing.bytes_per_cycle = o->bus ? o->bus : timing.bytes_per_cycle;
	timing.seed = o->seed;
	dev->dev = dev->ops->create(&host, &timing);
	if (!dev->dev) {
		iau_error(-ENODEV, "engine '%s' does not start", dev->ops->name);
		inproc_close(&dev->base);
		return -ENODEV;
	}
	err = bring_up(dev);
	if (err) {
		inproc_close(&dev->base);
		return err;
	}
	*out = &dev->base;
	return 0;
}
