/* SPDX-License-Identifier: GPL-2.0-only */
/* Events of jobs, in the order of their life, and of what else happens to a device. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iau

#if !defined(__IAU_TRACE_H__) || defined(TRACE_HEADER_MULTI_READ)
#define __IAU_TRACE_H__

#include <linux/tracepoint.h>

#include <drm/iau_dump.h>

#include "iau_drv.h"

DECLARE_EVENT_CLASS(iau_job,
	TP_PROTO(const struct iau_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__string(dev, dev_name(job->queue->ring->iau->drm.dev))
		__field(u64, id)
		__field(u64, client)
		__field(u32, queue)
		__field(u32, ring)
		__field(u32, tag)
		__field(int, slot)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->id = job->id;
		__entry->client = job->queue->client->id;
		__entry->queue = job->queue->id;
		__entry->ring = job->queue->ring->index;
		__entry->tag = job->tag;
		__entry->slot = job->slot;
	),
	TP_printk("%s job=%llu client=%llu queue=%u ring=%u tag=%#x slot=%d", __get_str(dev),
		  __entry->id, __entry->client, __entry->queue, __entry->ring, __entry->tag,
		  __entry->slot)
);

/* A client has submitted it. */
DEFINE_EVENT(iau_job, iau_job_submit, TP_PROTO(const struct iau_job *job), TP_ARGS(job));
/* The device has it. */
DEFINE_EVENT(iau_job, iau_job_run, TP_PROTO(const struct iau_job *job), TP_ARGS(job));
/* It retires no commands any more. */
DEFINE_EVENT(iau_job, iau_job_timeout, TP_PROTO(const struct iau_job *job), TP_ARGS(job));

TRACE_EVENT(iau_job_done,
	TP_PROTO(const struct iau_job *job, int error),
	TP_ARGS(job, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(job->queue->ring->iau->drm.dev))
		__field(u64, id)
		__field(u64, client)
		__field(u64, cycles)
		__field(u32, ring)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->id = job->id;
		__entry->client = job->queue->client->id;
		__entry->cycles = job->cycles;
		__entry->ring = job->queue->ring->index;
		__entry->error = error;
	),
	TP_printk("%s job=%llu client=%llu ring=%u cycles=%llu error=%d", __get_str(dev),
		  __entry->id, __entry->client, __entry->ring, __entry->cycles, __entry->error)
);

TRACE_EVENT(iau_job_fault,
	TP_PROTO(const struct iau_device *iau, const struct iau_dump_job *job,
		 const struct iau_dump_fault_record *fault),
	TP_ARGS(iau, job, fault),
	TP_STRUCT__entry(
		__string(dev, dev_name(iau->drm.dev))
		__field(u64, id)
		__field(u64, client)
		__field(u64, va)
		__field(u32, code)
		__field(u32, info)
		__field(u32, offset)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->id = job->id;
		__entry->client = job->client;
		__entry->va = fault->va;
		__entry->code = fault->code;
		__entry->info = fault->info;
		__entry->offset = fault->offset;
	),
	TP_printk("%s job=%llu client=%llu code=%u info=%u offset=%u va=%#llx", __get_str(dev),
		  __entry->id, __entry->client, __entry->code, __entry->info, __entry->offset,
		  __entry->va)
);

/* The watchdog looks; the device has not moved for so long, or has nothing to do. */
TRACE_EVENT(iau_look,
	TP_PROTO(const struct iau_device *iau, int in_flight, u64 still_ns),
	TP_ARGS(iau, in_flight, still_ns),
	TP_STRUCT__entry(
		__string(dev, dev_name(iau->drm.dev))
		__field(int, in_flight)
		__field(u64, still_ns)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->in_flight = in_flight;
		__entry->still_ns = still_ns;
	),
	TP_printk("%s in_flight=%d still_ns=%llu", __get_str(dev), __entry->in_flight,
		  __entry->still_ns)
);

TRACE_EVENT(iau_reset,
	TP_PROTO(const struct iau_device *iau, const char *what, int error),
	TP_ARGS(iau, what, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(iau->drm.dev))
		__string(what, what)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(what);
		__entry->error = error;
	),
	TP_printk("%s %s error=%d", __get_str(dev), __get_str(what), __entry->error)
);

TRACE_EVENT(iau_bind,
	TP_PROTO(const struct iau_vm *vm, u64 va, u64 size, u32 flags, int error),
	TP_ARGS(vm, va, size, flags, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->iau->drm.dev))
		__field(const void *, vm)
		__field(u64, va)
		__field(u64, size)
		__field(u32, flags)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->vm = vm;
		__entry->va = va;
		__entry->size = size;
		__entry->flags = flags;
		__entry->error = error;
	),
	TP_printk("%s vm=%p va=%#llx size=%#llx flags=%#x error=%d", __get_str(dev), __entry->vm,
		  __entry->va, __entry->size, __entry->flags, __entry->error)
);

#endif /* __IAU_TRACE_H__ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE iau_trace
#include <trace/define_trace.h>
