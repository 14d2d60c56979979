/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Steps between two looks at what the client wants: a fraction of a millisecond of most work. */
#define SLICE_CYCLES   256
#define SLICE_COMMANDS 16
/* Less than a job takes, so that jobs are told apart. */
#define SLICE_CYCLES_BY_JOB   32
#define SLICE_COMMANDS_BY_JOB 1
/* How long an idle device watches the doorbell page: a host that had to wait for a job comes back. */
#define WATCH_NS 200000

static uint8_t *host_map(void *opaque, uint64_t pa, size_t len, bool write)
{
	struct worker *w = opaque;

	return dma_at(&w->dma, pa, len, write);
}

static void host_irq(void *opaque, unsigned int vector)
{
	struct worker *w = opaque;

	w->irqs++;
	w->fired[vector] += inject_irq(&w->inject);
}

static uint32_t read_device(void *opaque, uint32_t offset)
{
	struct worker *w = opaque;

	return w->ops->mmio_read(w->dev, offset);
}

static struct iau_dev *make_device(struct worker *w)
{
	struct iau_dev_host host = { .opaque = w, .map = host_map, .irq = host_irq };

	return w->ops->create(&host, &w->timing);
}

void worker_reset(struct worker *w, void *bus)
{
	const bool *by_bus = bus;

	w->ops->destroy(w->dev);
	w->dev = make_device(w);
	if (!w->dev) {
		fprintf(stderr, "iau-vfio: no memory for the device after a reset\n");
		exit(1);
	}
	memset(w->fired, 0, sizeof(w->fired));
	shadow_collect_all(&w->seen, read_device, w);
	for (unsigned int q = 0; q < IAU_NUM_QUEUES; q++)
		inject_head(&w->inject, q, 0);
	inject_reset(&w->inject, *by_bus);
	msix_reset(w->msix);
	w->doorbells.page = 0;
}

void worker_settle(struct worker *w)
{
	if (w->ops->settle)
		w->ops->settle(w->dev);
}

void worker_watch(struct worker *w, void *page)
{
	w->doorbells.page = *(const uint64_t *)page;
}

/*
 * HEAD also moves without a completion, when a queue is reset or goes on after a fault: the
 * injector hears of it before the next run.
 */
static void apply_write(struct worker *w, uint32_t offset, uint32_t value)
{
	uint32_t at = offset - IAU_QUEUE_OFFSET, q = at / IAU_QUEUE_STRIDE;
	bool command = offset >= IAU_QUEUE_OFFSET && q < IAU_NUM_QUEUES &&
		       at % IAU_QUEUE_STRIDE == IAU_QREG_CMD;

	shadow_write(&w->seen, offset, value);
	/* a device that is stuck shows the queue resetting for ever */
	if (command && !inject_queue_resets(&w->inject))
		return;
	w->ops->mmio_write(w->dev, offset, value);
	if (!command)
		return;
	w->commanded = true;
	if (value == 1)
		inject_head(&w->inject, q, 0);
	else
		inject_head(&w->inject, q,
			    w->ops->mmio_read(w->dev, offset - IAU_QREG_CMD + IAU_QREG_HEAD));
}

static void apply(struct worker *w, const struct worker_op *op)
{
	if (op->call)
		op->call(w, op->arg);
	else
		apply_write(w, op->offset, op->value);
}

/* Reads what may have changed. A register that did so beside an interrupt must not be older than it. */
static void collect(struct worker *w)
{
	uint64_t irqs;

	do {
		irqs = w->irqs;
		shadow_collect(&w->seen, read_device, w);
	} while (irqs != w->irqs);
	inject_completions(&w->inject, &w->seen, &w->dma);
	if (w->inject.vanished)
		w->gone = true;
	/* who sees a job run that is to stall can rely on it */
	if (inject_stall_is_due(&w->inject, &w->seen, &w->dma, false))
		inject_stall(&w->inject);
}

/* What was read, and on top of it the writes that the device has yet to see. */
static void publish(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	shadow_publish(&w->shadow, &w->seen);
	for (uint64_t i = w->applied; i < w->queued; i++) {
		const struct worker_op *op = &w->op[i % WORKER_OPS];

		if (!op->call)
			shadow_write(&w->shadow, op->offset, op->value);
	}
	w->published = w->applied;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static void deliver(struct worker *w)
{
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++) {
		if (w->fired[v] && !w->gone)
			msix_fire(w->msix, v, w->fired[v]);
		w->fired[v] = 0;
	}
}

static bool work(struct worker *w)
{
	bool by_job = inject_by_job(&w->inject);

	if (w->ops->timed)
		return w->ops->run(w->dev, by_job ? SLICE_CYCLES_BY_JOB : SLICE_CYCLES);
	return w->ops->run(w->dev, by_job ? SLICE_COMMANDS_BY_JOB : SLICE_COMMANDS);
}

/* Takes one operation out; false if there is none. */
static bool next_op(struct worker *w, struct worker_op *op)
{
	bool any;

	pthread_mutex_lock(&w->lock);
	any = w->applied != w->queued;
	if (any)
		*op = w->op[w->applied++ % WORKER_OPS];
	pthread_mutex_unlock(&w->lock);
	return any;
}

/* True while the device has to stand still although it has work; *FOR_US says for how long yet. */
static bool stalls(struct worker *w, uint64_t *for_us)
{
	if (inject_stall_is_due(&w->inject, &w->seen, &w->dma, read_device(w, IAU_REG_STATUS) & 1))
		inject_stall(&w->inject);
	return inject_stalls(&w->inject, for_us);
}

/* Does what was asked for; true if there was any. */
static bool drain(struct worker *w)
{
	struct worker_op op;
	bool any = false;

	for (; next_op(w, &op); any = true)
		apply(w, &op);
	return any;
}

/*
 * Takes tails from the doorbell page; true if there was a new one. What the host wrote to registers
 * before it wrote the tail comes first: what is queued once the tail has been seen. That may have set
 * the queue up anew, with another tail.
 */
static bool take_doorbells(struct worker *w)
{
	uint32_t tail, again;
	bool any = false;
	int q;

	while ((q = doorbells_news(&w->doorbells, &w->dma, &w->seen, &tail)) >= 0) {
		drain(w);
		if (doorbells_news(&w->doorbells, &w->dma, &w->seen, &again) != q || again != tail)
			continue;
		apply_write(w, IAU_DOORBELL_OFFSET + (uint32_t)q * 8, tail);
		any = true;
	}
	return any;
}

/* What was asked for, a short run, and what became of both. Returns next_us. */
static uint64_t step(struct worker *w)
{
	uint64_t next_us = UINT64_MAX;
	bool news = drain(w);

	news |= take_doorbells(w);
	if (!w->gone && !stalls(w, &next_us)) {
		if (work(w)) {
			next_us = 0;
			/* it is here again soon */
			doorbells_sleep(&w->doorbells, &w->dma, false);
		}
		collect(w);
		news = true;
		w->worked = true;
	} else if (w->commanded) {
		/* otherwise not while it stalls: reading would be cycles for it to move on */
		collect(w);
	}
	w->commanded = false;
	if (news)
		publish(w);
	deliver(w);
	return next_us;
}

/* One step, by whoever finds the device not busy. The lock is held, but not meanwhile. */
static void locked_step(struct worker *w)
{
	uint64_t next_us;

	w->busy = true;
	pthread_mutex_unlock(&w->lock);
	next_us = step(w);
	pthread_mutex_lock(&w->lock);
	w->next_us = next_us;
	w->busy = false;
}

/* The time US from now */
static struct timespec time_after(uint64_t us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)(us % 1000000 * 1000);
	t.tv_sec += (time_t)(us / 1000000) + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* There is something to do in the doorbell page or among the operations. */
static bool has_news(struct worker *w)
{
	uint32_t tail;

	return w->queued != w->applied ||
	       doorbells_news(&w->doorbells, &w->dma, &w->seen, &tail) >= 0;
}

/*
 * An idle device watches the doorbell page for a while, others first, and then tells the host that it
 * does not. True if there is news. The lock is held, but not meanwhile.
 */
static bool watch(struct worker *w)
{
	uint64_t end;
	bool news = false;

	w->worked = false;
	if (!w->doorbells.page || w->gone)
		return false;
	w->busy = true;
	pthread_mutex_unlock(&w->lock);
	doorbells_sleep(&w->doorbells, &w->dma, false);
	for (end = now_ns() + WATCH_NS; !news && now_ns() < end; news = has_news(w))
		sched_yield();
	if (!news) {
		doorbells_sleep(&w->doorbells, &w->dma, true);
		/* it may just have rung, and have found the card awake */
		news = has_news(w);
	}
	pthread_mutex_lock(&w->lock);
	w->busy = false;
	return news;
}

/* Until there may be something to do for the device's thread. */
static void wait_for_work(struct worker *w)
{
	struct timespec t;

	if (w->busy || w->next_us == UINT64_MAX) {
		pthread_cond_wait(&w->wake, &w->lock);
		return;
	}
	t = time_after(w->next_us);
	if (pthread_cond_timedwait(&w->wake, &w->lock, &t) == ETIMEDOUT)
		w->next_us = 0;
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		if (!w->busy && (w->applied != w->queued || !w->next_us))
			locked_step(w);
		else if (!w->busy && w->worked && w->next_us == UINT64_MAX)
			w->next_us = watch(w) ? 0 : UINT64_MAX;
		else
			wait_for_work(w);
	}
	return NULL;
}

int worker_start(struct worker *w, const struct iau_dev_ops *ops,
		 const struct iau_dev_timing *timing, const struct inject_plan *plan,
		 struct msix *msix, volatile uint32_t *status_page)
{
	pthread_condattr_t monotonic;
	int err;

	memset(w, 0, sizeof(*w));
	w->ops = ops;
	w->timing = *timing;
	w->inject.plan = *plan;
	w->msix = msix;
	w->shadow.page = status_page;
	w->next_us = UINT64_MAX;
	w->dev = make_device(w);
	if (!w->dev)
		return -ENOMEM;
	shadow_collect_all(&w->seen, read_device, w);
	shadow_publish(&w->shadow, &w->seen);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &monotonic);
	pthread_cond_init(&w->done, NULL);
	pthread_condattr_destroy(&monotonic);
	err = pthread_create(&w->thread, NULL, worker_thread, w);
	if (err)
		w->ops->destroy(w->dev);
	return -err;
}

uint32_t worker_read(struct worker *w, uint32_t offset)
{
	uint32_t value;

	pthread_mutex_lock(&w->lock);
	value = shadow_read(&w->shadow, offset);
	pthread_mutex_unlock(&w->lock);
	return value;
}

/* Under the lock. Waits for room; returns the operation's number. */
static uint64_t enqueue(struct worker *w, const struct worker_op *op)
{
	while (w->queued - w->applied == WORKER_OPS)
		pthread_cond_wait(&w->done, &w->lock);
	w->op[w->queued % WORKER_OPS] = *op;
	return w->queued++;
}

void worker_write(struct worker *w, uint32_t offset, uint32_t value)
{
	struct worker_op op = { .offset = offset, .value = value };

	pthread_mutex_lock(&w->lock);
	enqueue(w, &op);
	shadow_write(&w->shadow, offset, value);
	if (!w->busy && w->next_us == UINT64_MAX)
		locked_step(w);
	/* what is left is for the device's thread: work, the end of a stall, doorbells to watch */
	if (w->next_us != UINT64_MAX || w->applied != w->queued || w->worked)
		pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void worker_call(struct worker *w, void (*call)(struct worker *w, void *arg), void *arg)
{
	struct worker_op op = { .call = call, .arg = arg };
	uint64_t n;

	pthread_mutex_lock(&w->lock);
	n = enqueue(w, &op);
	pthread_cond_signal(&w->wake);
	while (w->published <= n)
		pthread_cond_wait(&w->done, &w->lock);
	pthread_mutex_unlock(&w->lock);
}
