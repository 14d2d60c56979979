/* SPDX-License-Identifier: MIT */
/*
 * Random calls of every ioctl, most of them nearly right: fuzz SEED CALLS
 *
 * Arguments are made by a description of each structure, from what the client has; then, in half of
 * the calls, a member is spoilt. The kernel must survive it, give errors that the interface names,
 * and another client must notice nothing. The same seed makes the same calls.
 */
#include "client.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POOL		16
#define MAX_ARGS	320
#define MAX_ELEMENTS	6
#define CLIENT_CALLS	4000	/* then it goes, and a new one comes */
#define WITNESS_CALLS	500
#define NELEMS(a)	(sizeof(a) / sizeof(*(a)))

enum pool { VM, QUEUE, BO, SYNCOBJ, PERF, POOLS };

/* What a member holds */
enum kind { NUMBER, NAME, BYTES, ADDRESS, ARRAY, POINTER };

struct type;

struct field {
	size_t offset, size;
	enum kind kind;
	uint32_t most;			/* NUMBER: 0 to this; NAME: which pool */
	const struct type *element;	/* ARRAY */
};

struct type {
	size_t size;
	const struct field *fields;
	size_t count;
};

struct call {
	const char *name;
	unsigned long request;
	struct type args;
	int made;		/* pool of what it returns, or -1 */
	size_t made_offset;
};

#define FIELD(type, member, ...) \
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), __VA_ARGS__ }
#define TYPE(type, fields) { sizeof(struct type), fields, NELEMS(fields) }

static const struct field sync_fields[] = {
	FIELD(drm_iau_sync, flags, NUMBER, DRM_IAU_SYNC_SIGNAL),
	FIELD(drm_iau_sync, handle, NAME, SYNCOBJ),
	FIELD(drm_iau_sync, point, NUMBER, 20),
};
static const struct type sync_type = TYPE(drm_iau_sync, sync_fields);

static const struct field op_fields[] = {
	FIELD(drm_iau_bind_op, flags, NUMBER, 4),
	FIELD(drm_iau_bind_op, handle, NAME, BO),
	FIELD(drm_iau_bind_op, offset, BYTES),
	FIELD(drm_iau_bind_op, va, ADDRESS),
	FIELD(drm_iau_bind_op, size, BYTES),
};
static const struct type op_type = TYPE(drm_iau_bind_op, op_fields);

static const struct field range_fields[] = {
	FIELD(drm_iau_range, offset, BYTES),
	FIELD(drm_iau_range, size, BYTES),
};
static const struct type range_type = TYPE(drm_iau_range, range_fields);

static const struct field job_fields[] = {
	FIELD(drm_iau_job, cmd_va, ADDRESS),
	FIELD(drm_iau_job, param_va, NUMBER, 0),
	FIELD(drm_iau_job, cmd_bytes, BYTES),
	FIELD(drm_iau_job, budget, NUMBER, 10),
	FIELD(drm_iau_job, tag, NUMBER, 10),
	FIELD(drm_iau_job, syncs, ARRAY, 0, &sync_type),
};
static const struct type job_type = TYPE(drm_iau_job, job_fields);

static const struct field query_fields[] = {
	FIELD(drm_iau_dev_query, type, NUMBER, 1),
	FIELD(drm_iau_dev_query, size, NUMBER, 300),
	FIELD(drm_iau_dev_query, pointer, POINTER),
};
static const struct field vm_destroy_fields[] = { FIELD(drm_iau_vm_destroy, id, NAME, VM) };
static const struct field vm_bind_fields[] = {
	FIELD(drm_iau_vm_bind, vm_id, NAME, VM),
	FIELD(drm_iau_vm_bind, flags, NUMBER, DRM_IAU_VM_BIND_ASYNC),
	FIELD(drm_iau_vm_bind, ops, ARRAY, 0, &op_type),
	FIELD(drm_iau_vm_bind, syncs, ARRAY, 0, &sync_type),
};
static const struct field bo_create_fields[] = {
	FIELD(drm_iau_bo_create, size, BYTES),
};
static const struct field kv_create_fields[] = {
	FIELD(drm_iau_bo_create, size, BYTES),
	FIELD(drm_iau_bo_create, flags, NUMBER, DRM_IAU_BO_KV),
	FIELD(drm_iau_bo_create, vm_id, NAME, VM),
};
static const struct field bo_commit_fields[] = {
	FIELD(drm_iau_bo_commit, handle, NAME, BO),
	FIELD(drm_iau_bo_commit, flags, NUMBER, DRM_IAU_COMMIT_RELEASE),
	FIELD(drm_iau_bo_commit, ranges, ARRAY, 0, &range_type),
};
static const struct field bo_wait_fields[] = {
	FIELD(drm_iau_bo_wait, handle, NAME, BO),
	FIELD(drm_iau_bo_wait, timeout_ns, NUMBER, 100000),
};
static const struct field bo_advise_fields[] = {
	FIELD(drm_iau_bo_advise, handle, NAME, BO),
	FIELD(drm_iau_bo_advise, advice, NUMBER, 1),
};
static const struct field mmap_offset_fields[] = {
	FIELD(drm_iau_bo_mmap_offset, handle, NAME, BO),
};
static const struct field queue_create_fields[] = {
	FIELD(drm_iau_queue_create, vm_id, NAME, VM),
	FIELD(drm_iau_queue_create, priority, NUMBER, DRM_IAU_PRIORITY_REALTIME),
};
static const struct field queue_destroy_fields[] = { FIELD(drm_iau_queue_destroy, id, NAME, QUEUE) };
static const struct field queue_state_fields[] = { FIELD(drm_iau_queue_state, id, NAME, QUEUE) };
static const struct field submit_fields[] = {
	FIELD(drm_iau_submit, queue_id, NAME, QUEUE),
	FIELD(drm_iau_submit, jobs, ARRAY, 0, &job_type),
};
static const struct field submit_wait_fields[] = {
	FIELD(drm_iau_submit, queue_id, NAME, QUEUE),
	FIELD(drm_iau_submit, flags, NUMBER, DRM_IAU_SUBMIT_WAIT),
	FIELD(drm_iau_submit, jobs, ARRAY, 0, &job_type),
	FIELD(drm_iau_submit, timeout_ns, NUMBER, 100000),
};
static const struct field close_fields[] = { FIELD(drm_gem_close, handle, NAME, BO) };
static const struct field syncobj_destroy_fields[] = {
	FIELD(drm_syncobj_destroy, handle, NAME, SYNCOBJ),
};

static const struct field perf_read_fields[] = { FIELD(drm_iau_perf_read, id, NAME, PERF) };
static const struct field perf_close_fields[] = { FIELD(drm_iau_perf_close, id, NAME, PERF) };

#define CALL(NAME, name, ...) \
	{ #name, DRM_IOCTL_IAU_##NAME, TYPE(drm_iau_##name, __VA_ARGS__##_fields), -1, 0 }
#define MAKES(NAME, name, fields, pool, id) \
	{ #name, DRM_IOCTL_IAU_##NAME, TYPE(drm_iau_##name, fields), pool, \
	  offsetof(struct drm_iau_##name, id) }

/* What comes more often is here more often. */
static const struct call calls[] = {
	CALL(DEV_QUERY, dev_query, query),
	{ "vm_create", DRM_IOCTL_IAU_VM_CREATE, { sizeof(struct drm_iau_vm_create), NULL, 0 }, VM,
	  offsetof(struct drm_iau_vm_create, id) },
	CALL(VM_DESTROY, vm_destroy, vm_destroy),
	CALL(VM_BIND, vm_bind, vm_bind),
	CALL(VM_BIND, vm_bind, vm_bind),
	CALL(VM_BIND, vm_bind, vm_bind),
	MAKES(BO_CREATE, bo_create, bo_create_fields, BO, handle),
	MAKES(BO_CREATE, bo_create, kv_create_fields, BO, handle),
	CALL(BO_COMMIT, bo_commit, bo_commit),
	CALL(BO_COMMIT, bo_commit, bo_commit),
	CALL(BO_WAIT, bo_wait, bo_wait),
	CALL(BO_ADVISE, bo_advise, bo_advise),
	CALL(BO_MMAP_OFFSET, bo_mmap_offset, mmap_offset),
	MAKES(QUEUE_CREATE, queue_create, queue_create_fields, QUEUE, id),
	CALL(QUEUE_DESTROY, queue_destroy, queue_destroy),
	CALL(QUEUE_STATE, queue_state, queue_state),
	CALL(SUBMIT, submit, submit_wait),
	CALL(SUBMIT, submit, submit),
	CALL(SUBMIT, submit, submit),
	CALL(SUBMIT, submit, submit),
	{ "perf_open", DRM_IOCTL_IAU_PERF_OPEN, { sizeof(struct drm_iau_perf_open), NULL, 0 }, PERF,
	  offsetof(struct drm_iau_perf_open, id) },
	CALL(PERF_READ, perf_read, perf_read),
	CALL(PERF_CLOSE, perf_close, perf_close),
	{ "gem_close", DRM_IOCTL_GEM_CLOSE, TYPE(drm_gem_close, close_fields), -1, 0 },
	{ "syncobj_create", DRM_IOCTL_SYNCOBJ_CREATE, { sizeof(struct drm_syncobj_create), NULL, 0 },
	  SYNCOBJ, offsetof(struct drm_syncobj_create, handle) },
	{ "syncobj_destroy", DRM_IOCTL_SYNCOBJ_DESTROY,
	  TYPE(drm_syncobj_destroy, syncobj_destroy_fields), -1, 0 },
};

static const int errors[] = {
	EINVAL, ENOENT, EFAULT, ENOSPC, EBUSY, E2BIG, EIO, ENOMEM, EDQUOT, ETIME,
};

static uint32_t pool[POOLS][POOL];
static char *arena, *arena_end;	/* arrays; what follows it cannot be touched */

static uint64_t some_bytes(void)
{
	static const uint64_t sizes[] = {
		0, 64, 192, PAGE, PAGE, PAGE, 2 * PAGE, 5000, 16 * PAGE, 1 << 20, 2 << 20, 5 << 20,
	};

	return sizes[below(NELEMS(sizes))];
}

static uint64_t some_address(void)
{
	static const uint64_t bases[] = {
		CMD_VA, CMD_VA, SRC_VA, DST_VA, 0, 1 << 21, (1 << 21) - PAGE, 1 << 30, VA_LIMIT - PAGE,
	};

	return bases[below(NELEMS(bases))] + below(4) * PAGE;
}

static uint64_t odd_value(void)
{
	static const uint64_t values[] = {
		0, 1, 2, 63, 64, 65, 4095, 4096, 4097, 1u << 31, ~0u, 1ull << 32, 1ull << 39, 1ull << 63,
		-PAGE, ~0ull, 0xffff800000000000, 0xdead0000,
	};

	return values[below(NELEMS(values))];
}

/* Little-endian, as the machine is. */
static void put(void *at, size_t size, uint64_t value)
{
	memcpy(at, &value, size);
}

static void fill(const struct type *type, char *args);

static void fill_array(const struct type *element, struct drm_iau_obj_array *array)
{
	uint32_t count = below(MAX_ELEMENTS);
	uint32_t stride = element->size + (below(16) ? 0 : 8);

	if (arena + count * stride > arena_end)
		count = 0;
	*array = (struct drm_iau_obj_array){ stride, count, (uintptr_t)arena };
	arena += count * stride;
	memset((void *)(uintptr_t)array->array, 0, count * stride);
	for (uint32_t i = 0; i < count; i++)
		fill(element, (char *)(uintptr_t)array->array + i * stride);
}

static void fill(const struct type *type, char *args)
{
	for (size_t i = 0; i < type->count; i++) {
		const struct field *f = &type->fields[i];
		char *at = args + f->offset;

		switch (f->kind) {
		case NUMBER: put(at, f->size, below(f->most + 1)); break;
		case NAME: put(at, f->size, pool[f->most][below(POOL)]); break;
		case BYTES: put(at, f->size, some_bytes()); break;
		case ADDRESS: put(at, f->size, some_address()); break;
		case POINTER: put(at, f->size, (uintptr_t)arena_end - below(512)); break;
		case ARRAY: fill_array(f->element, (struct drm_iau_obj_array *)at); break;
		}
	}
}

/* One member of the arguments, or of an array's element, becomes something else. */
static void spoil(const struct type *type, char *args)
{
	const struct field *f;
	char *at;

	if (!type->count || !below(8)) {
		put(args + below(type->size / 4) * 4, 4, odd_value());
		return;
	}
	f = &type->fields[below(type->count)];
	at = args + f->offset;
	if (f->kind == ARRAY) {
		struct drm_iau_obj_array *array = (void *)at;

		switch (below(4)) {
		case 0: array->count = odd_value(); break;
		case 1: array->stride = odd_value(); break;
		case 2: array->array = odd_value(); break;
		default:
			if (array->count)
				spoil(f->element, (char *)(uintptr_t)array->array +
						  below(array->count) * array->stride);
		}
	} else if (below(2)) {
		at[below(f->size)] ^= 1 << below(8);
	} else {
		put(at, f->size, odd_value());
	}
}

static int allowed(int err)
{
	for (size_t i = 0; i < NELEMS(errors); i++)
		if (err == -errors[i])
			return 1;
	return 0;
}

/* Gives whether the call worked. */
static int one_call(struct client *c, char *arena_start, uint64_t number)
{
	const struct call *call = &calls[below(NELEMS(calls))];
	unsigned long request = call->request;
	char args[MAX_ARGS] = "";
	void *p = args;
	int err;

	arena = arena_start;
	fill(&call->args, args);
	if (below(2))
		spoil(&call->args, args);
	if (!below(32)) {
		/* another size than the kernel's, at the end of what can be read */
		uint32_t size = 4 * (1 + below(call->args.size / 4 + 2));

		request = _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
		p = memcpy(arena_end - size, args, size);
	}
	err = ask(c->fd, request, p);
	if (err && !allowed(err)) {
		fprintf(stderr, "call %llu: %s gives error %d\n", (unsigned long long)number, call->name,
			-err);
		exit(1);
	}
	if (!err && call->made >= 0 && call->made_offset + sizeof(uint32_t) <= _IOC_SIZE(request))
		memcpy(&pool[call->made][below(POOL)], (char *)p + call->made_offset, sizeof(uint32_t));
	return !err;
}

static void begin(struct client *c)
{
	if (client_open(c) || copy_prepare(c)) {
		fprintf(stderr, "a client cannot begin: %s\n", strerror(errno));
		exit(1);
	}
	memset(pool, 0, sizeof(pool));
	for (int i = 0; i < POOL / 2; i++) {
		pool[VM][i] = c->vm;
		pool[QUEUE][i] = c->queue;
		pool[SYNCOBJ][i] = c->timeline;
		pool[BO][i] = i % 2 ? c->src_bo : c->cmd_bo;
	}
}

/*
 * Another client, in a process of its own: a spoilt pointer may well lead the kernel to write into what
 * this process has mapped. It copies each value that it is sent, and dies if that does not work.
 */
static void witness(int values, int answers)
{
	struct drm_iau_queue_state state = { };
	struct client c;
	uint32_t value;
	int err;

	if (client_open(&c) || copy_prepare(&c))
		exit(1);
	while (read(values, &value, sizeof(value)) == sizeof(value)) {
		c.src[3] = value;
		err = run_copy(&c);
		if (err || c.dst[3] != value) {
			queue_state(c.fd, c.queue, &state);
			fprintf(stderr, "another client's job has suffered: error %d, state %#x, fault %u\n",
				-err, state.state, state.fault_code);
			exit(1);
		}
		if (write(answers, &value, sizeof(value)) != sizeof(value))
			exit(1);
	}
	exit(0);
}

static int to_witness, from_witness;

static void start_witness(void)
{
	int values[2], answers[2];

	if (pipe(values) || pipe(answers))
		exit(2);
	if (!fork()) {
		close(values[1]);
		witness(values[0], answers[1]);
	}
	close(values[0]);
	close(answers[1]);
	to_witness = values[1];
	from_witness = answers[0];
}

static void look(uint32_t value)
{
	uint32_t answer;

	if (write(to_witness, &value, sizeof(value)) != sizeof(value) ||
	    read(from_witness, &answer, sizeof(answer)) != sizeof(answer) || answer != value) {
		fprintf(stderr, "fuzz: the witness is gone before call %u\n", value - 1);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	uint64_t total = argc == 3 ? strtoull(argv[2], NULL, 0) : 0, worked = 0;
	char *memory = at_page_end(PAGE);
	struct client c;

	if (!total || !memory) {
		fprintf(stderr, "usage: fuzz SEED CALLS\n");
		return 2;
	}
	random_seed(strtoull(argv[1], NULL, 0));
	arena_end = memory + PAGE;
	start_witness();
	for (uint64_t i = 0; i < total; i++) {
		if (i % CLIENT_CALLS == 0) {
			if (i)
				client_close(&c);
			begin(&c);
		}
		if (i % WITNESS_CALLS == 0)
			look(i + 1);
		worked += one_call(&c, memory, i);
	}
	client_close(&c);
	look(total + 1);
	printf("fuzz calls %llu worked %llu\n", (unsigned long long)total, (unsigned long long)worked);
	return 0;
}
