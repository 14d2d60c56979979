/* SPDX-License-Identifier: MIT */
/*
 * Where cycles go. A unit takes its commands in order, so between two of them it waits for the second:
 * to enter the window, then for what it depends on. That is taken to be the command of another unit
 * that was done last before the second could start; if it is a LOAD, the wait is one for memory.
 */
#include "spans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPS 32

enum wait { WAIT_MEMORY, WAIT_UNIT, WAIT_ISSUE, WAIT_IDLE, WAITS };
static const char *const wait_names[WAITS] = { "memory", "other_unit", "issue", "idle" };

struct op {
	const char *name;
	uint64_t busy[IAU_UNITS];
};

struct breakdown {
	uint64_t total;
	uint64_t busy[IAU_UNITS], wait[IAU_UNITS][WAITS];
	struct op op[MAX_OPS];
	size_t ops;
};

static struct op *op_of(struct breakdown *b, const char *name)
{
	for (size_t i = 0; i < b->ops; i++)
		if (b->op[i].name == name)
			return &b->op[i];
	if (b->ops == MAX_OPS)
		return &b->op[MAX_OPS - 1];
	b->op[b->ops].name = name;
	return &b->op[b->ops++];
}

/* When a unit is no longer at work on what it has begun, as spans go by in the order of their ends */
struct cursor {
	uint64_t busy_until[IAU_UNITS]; /* in the job at hand */
	uint64_t done[IAU_UNITS];       /* of the last command */
};

/* The last that another unit finished until AT: the unit, or U itself if there was none in the gap */
static unsigned int blocker(const struct cursor *c, unsigned int u, uint64_t at)
{
	unsigned int best = u;
	uint64_t latest = c->busy_until[u];

	for (unsigned int v = 0; v < IAU_UNIT_JOB; v++) {
		if (v != u && c->done[v] <= at && c->done[v] >= latest) {
			latest = c->done[v];
			best = v;
		}
	}
	return best;
}

static void add_span(struct breakdown *b, struct cursor *c, const struct iau_op_span *s)
{
	unsigned int u = s->span.unit, by;
	uint64_t from = c->busy_until[u], start = s->span.started, entered = s->span.entered;

	if (start > from) {
		/* what is done at the edge at which a command starts is seen a cycle later */
		by = blocker(c, u, start);
		entered = entered < from ? from : entered > start ? start : entered;
		b->wait[u][WAIT_ISSUE] += entered - from;
		if (by != u)
			b->wait[u][by == IAU_UNIT_LOAD ? WAIT_MEMORY : WAIT_UNIT] += start - entered;
		else
			b->wait[u][WAIT_ISSUE] += start - entered;
		from = start;
	}
	/* LOADs overlap: a cycle is counted once for the unit, and for the operator that began it */
	if (s->span.done > from) {
		b->busy[u] += s->span.done - from;
		op_of(b, s->op)->busy[u] += s->span.done - from;
		c->busy_until[u] = s->span.done;
	}
}

static void end_job(struct breakdown *b, struct cursor *c, const struct iau_span *job)
{
	b->total += job->done - job->started;
	for (unsigned int u = 0; u < IAU_UNIT_JOB; u++)
		if (job->done > c->busy_until[u])
			b->wait[u][WAIT_IDLE] += job->done - c->busy_until[u];
}

static int by_start(const void *a, const void *b)
{
	const struct iau_op_span *x = *(const struct iau_op_span *const *)a;
	const struct iau_op_span *y = *(const struct iau_op_span *const *)b;

	return x->span.started < y->span.started ? -1 : x->span.started > y->span.started;
}

/* One job: spans FROM to TO, in the order of their starts; ends of other units are seen in time. */
static void one_job(struct breakdown *b, const struct iau_op_span **v, size_t n,
		    const struct iau_span *job)
{
	struct cursor c;

	for (unsigned int u = 0; u < IAU_UNITS; u++) {
		c.busy_until[u] = job->started;
		c.done[u] = 0;
	}
	qsort(v, n, sizeof(*v), by_start);
	for (size_t i = 0; i < n; i++) {
		/* the latest ends before this start; starts are in order, so few spans back suffice */
		for (size_t k = i; k-- && i - k <= 64;) {
			const struct iau_span *s = &v[k]->span;

			if (s->done <= v[i]->span.started && s->done > c.done[s->unit])
				c.done[s->unit] = s->done;
		}
		add_span(b, &c, v[i]);
	}
	end_job(b, &c, job);
}

static void analyse(const struct spans *s, struct breakdown *b)
{
	const struct iau_op_span **v = calloc(s->n ? s->n : 1, sizeof(*v));
	size_t n = 0;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < s->n && v; i++) {
		if (s->v[i].span.unit != IAU_UNIT_JOB) {
			v[n++] = &s->v[i];
			continue;
		}
		one_job(b, v, n, &s->v[i].span);
		n = 0;
	}
	free(v);
}

static int by_busy(const void *a, const void *b)
{
	const struct op *x = a, *y = b;
	uint64_t p = 0, q = 0;

	/* what computes comes first: loads are hidden behind it, or are what it waits for */
	for (unsigned int u = IAU_UNIT_MATMUL; u <= IAU_UNIT_VEC; u++) {
		p += x->busy[u];
		q += y->busy[u];
	}
	return p > q ? -1 : p < q;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

void breakdown_print(const struct spans *s, uint32_t tokens)
{
	struct breakdown b;

	analyse(s, &b);
	qsort(b.op, b.ops, sizeof(*b.op), by_busy);
	printf("  %-18s%8s%10s%12s%8s%8s\n", "unit", "busy", "memory", "other unit", "issue", "idle");
	for (unsigned int u = 0; u < IAU_UNIT_JOB; u++) {
		printf("  %-18s%7.1f%%", unit_names[u], share(b.busy[u], b.total));
		printf("%9.1f%%%11.1f%%%7.1f%%%7.1f%%\n", share(b.wait[u][WAIT_MEMORY], b.total),
		       share(b.wait[u][WAIT_UNIT], b.total), share(b.wait[u][WAIT_ISSUE], b.total),
		       share(b.wait[u][WAIT_IDLE], b.total));
	}
	printf("  %-18s%8s%10s%12s%8s%8s   cycles/token\n", "operator", "matrix", "vector", "load",
	       "store", "copy");
	for (size_t i = 0; i < b.ops; i++) {
		const uint64_t *c = b.op[i].busy;
		double n = tokens;

		printf("  %-18s%8.0f%10.0f%12.0f%8.0f%8.0f\n", b.op[i].name,
		       (double)c[IAU_UNIT_MATMUL] / n, (double)c[IAU_UNIT_VEC] / n,
		       (double)c[IAU_UNIT_LOAD] / n, (double)c[IAU_UNIT_STORE] / n,
		       (double)c[IAU_UNIT_COPY] / n);
	}
}

json_t *breakdown_json(const struct spans *s, uint32_t tokens)
{
	json_t *units = json_object(), *ops = json_object();
	struct breakdown b;

	analyse(s, &b);
	for (unsigned int u = 0; u < IAU_UNIT_JOB; u++) {
		json_t *unit = json_pack("{s:I}", "busy", (json_int_t)b.busy[u]);

		for (unsigned int w = 0; w < WAITS; w++)
			json_object_set_new(unit, wait_names[w], json_integer((json_int_t)b.wait[u][w]));
		json_object_set_new(units, unit_names[u], unit);
	}
	for (size_t i = 0; i < b.ops; i++) {
		json_t *op = json_object();

		for (unsigned int u = 0; u < IAU_UNIT_JOB; u++)
			json_object_set_new(op, unit_names[u], json_integer((json_int_t)b.op[i].busy[u]));
		json_object_set_new(ops, b.op[i].name, op);
	}
	return json_pack("{s:I, s:i, s:o, s:o}", "cycles", (json_int_t)b.total, "tokens", (int)tokens,
			 "units", units, "operators", ops);
}
