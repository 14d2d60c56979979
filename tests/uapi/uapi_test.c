/* SPDX-License-Identifier: MIT */
/*
 * Every ioctl of the driver: good arguments, bad ones, boundaries, other clients' handles. Runs where
 * the card is, that is in the virtual machine (tests/vm). The node is the first argument.
 */
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define VA UINT64_C(0x200000)
#define LIMIT (UINT64_C(1) << 39)

static int setup(void **state)
{
	static struct client c;

	client_open(&c);
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	client_close(*state);
	return 0;
}

static void test_version(void **state)
{
	struct client *c = *state;
	drmVersionPtr v = drmGetVersion(c->fd);

	assert_non_null(v);
	assert_string_equal(v->name, "iau");
	drmFreeVersion(v);
}

static void test_query_info(void **state)
{
	struct client *c = *state;
	struct drm_iau_device_info info = { 0 };
	struct drm_iau_dev_query q = { .type = DRM_IAU_DEV_QUERY_INFO };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, sizeof(info));
	q.pointer = (uintptr_t)&info;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), 0);
	assert_int_equal(info.rows, 32);
	assert_int_equal(info.va_bits, 39);
	assert_true(info.queues >= 4 && info.contexts >= 16);
}

/* A client that knows less gets less; one that knows more gets what there is. */
static void test_query_sizes(void **state)
{
	struct client *c = *state;
	uint32_t out[64];
	struct drm_iau_dev_query q = { .type = DRM_IAU_DEV_QUERY_INFO, .size = 4,
				       .pointer = (uintptr_t)out };

	memset(out, 0xee, sizeof(out));
	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, 4);
	assert_int_equal(out[1], 0xeeeeeeee);
	q.size = sizeof(out);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), 0);
	assert_int_equal(q.size, sizeof(struct drm_iau_device_info));
}

static void test_query_bad(void **state)
{
	struct client *c = *state;
	struct drm_iau_dev_query q = { .type = 77 };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), -EINVAL);
	q = (struct drm_iau_dev_query){ .size = 32, .pointer = 8 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_DEV_QUERY, &q), -EFAULT);
}

static void test_vm_ids(void **state)
{
	struct client *c = *state;
	struct drm_iau_vm_create vm = { .flags = 1 };
	struct drm_iau_vm_destroy end = { .id = 12345 };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_CREATE, &vm), -EINVAL);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_DESTROY, &end), -ENOENT);
	end.id = c->vm;
	end.pad = 1;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_DESTROY, &end), -EINVAL);
	vm.flags = 0;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_CREATE, &vm), 0);
	assert_true(vm.id && vm.id != c->vm);
	end = (struct drm_iau_vm_destroy){ .id = vm.id };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_DESTROY, &end), 0);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_DESTROY, &end), -ENOENT);
}

static void test_vm_limit(void **state)
{
	struct client *c = *state;
	struct drm_iau_vm_create vm = { 0 };
	int err = 0, n = 0;

	for (; n < 1000 && !err; n++)
		err = ask(c, DRM_IOCTL_IAU_VM_CREATE, &vm);
	assert_int_equal(err, -ENOSPC);
	assert_true(n > 16);
}

static void test_bo_bad(void **state)
{
	struct client *c = *state;
	struct drm_iau_bo_create bo = { .size = 0 };
	struct drm_iau_bo_mmap_offset at = { .handle = 4242 };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_CREATE, &bo), -EINVAL);
	bo.size = LIMIT + 1;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_CREATE, &bo), -EINVAL);
	bo = (struct drm_iau_bo_create){ .size = 4096, .flags = 1 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_CREATE, &bo), -EINVAL);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &at), -ENOENT);
	at = (struct drm_iau_bo_mmap_offset){ .handle = new_bo(c, 4096), .pad = 1 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_MMAP_OFFSET, &at), -EINVAL);
}

static void test_bo_is_zeroed_and_rounded(void **state)
{
	struct client *c = *state;
	struct drm_iau_bo_create bo = { .size = 5000 };
	uint8_t *p;

	assert_int_equal(ask(c, DRM_IOCTL_IAU_BO_CREATE, &bo), 0);
	assert_int_equal(bo.size, 8192);
	p = map_bo(c, bo.handle, bo.size);
	for (int i = 0; i < 8192; i++)
		assert_int_equal(p[i], 0);
	munmap(p, 8192);
}

static void test_bind_bad(void **state)
{
	struct client *c = *state;
	uint32_t bo = new_bo(c, 8192);

	assert_int_equal(bind(c, 0, bo, 1, VA, 4096), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, VA + 1, 4096), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, VA, 100), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, VA, 0), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 4096, VA, 8192), -EINVAL);
	assert_int_equal(bind(c, 0, bo, UINT64_MAX - 4095, VA, 8192), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, LIMIT - 4096, 8192), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, UINT64_MAX - 4095, 8192), -EINVAL);
	assert_int_equal(bind(c, 0, 999, 0, VA, 4096), -ENOENT);
	assert_int_equal(bind(c, 8, bo, 0, VA, 4096), -EINVAL);
	assert_int_equal(bind(c, DRM_IAU_BIND_WRITE | DRM_IAU_BIND_CONST, bo, 0, VA, 4096), -EINVAL);
	assert_int_equal(bind(c, DRM_IAU_BIND_UNMAP, bo, 0, VA, 4096), -EINVAL);
	assert_int_equal(bind(c, 0, bo, 0, LIMIT - 8192, 8192), 0);
}

static void test_bind_array(void **state)
{
	struct client *c = *state;
	struct drm_iau_bind_op op[3] = { 0 };
	struct drm_iau_vm_bind args = { .vm_id = 999 };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -ENOENT);
	args.vm_id = c->vm;
	args.flags = 1;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -EINVAL);
	args.flags = 0;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), 0);
	args.ops = (struct drm_iau_obj_array){ sizeof(op[0]), 5000, (uintptr_t)op };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -EINVAL);
	args.ops = (struct drm_iau_obj_array){ 0, 1, (uintptr_t)op };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -EINVAL);
	args.ops = (struct drm_iau_obj_array){ sizeof(op[0]), 1, 64 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -EFAULT);
	/* two that work, one that does not: the count tells how many did */
	for (int i = 0; i < 3; i++)
		op[i] = (struct drm_iau_bind_op){ .handle = i < 2 ? new_bo(c, 4096) : 999,
						  .va = VA + (uint64_t)i * 4096, .size = 4096 };
	args.ops = (struct drm_iau_obj_array){ sizeof(op[0]), 3, (uintptr_t)op };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -ENOENT);
	assert_int_equal(args.ops.count, 2);
}

/* A longer structure is taken if what the kernel does not know is zero. */
static void test_bind_grown(void **state)
{
	struct client *c = *state;
	struct { struct drm_iau_bind_op op; uint64_t more; } big = {
		.op = { .handle = new_bo(c, 4096), .va = VA, .size = 4096 } };
	struct drm_iau_vm_bind args = { .vm_id = c->vm,
					.ops = { sizeof(big), 1, (uintptr_t)&big } };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), 0);
	big.more = 1;
	args.ops.count = 1;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_VM_BIND, &args), -E2BIG);
}

static void test_const_excludes_write(void **state)
{
	struct client *c = *state;
	uint32_t bo = new_bo(c, 8192);

	assert_int_equal(bind(c, DRM_IAU_BIND_CONST, bo, 0, VA, 8192), 0);
	assert_int_equal(bind(c, DRM_IAU_BIND_WRITE, bo, 0, VA + 0x100000, 4096), -EBUSY);
	/* half of it goes: the rest still counts */
	assert_int_equal(bind(c, DRM_IAU_BIND_UNMAP, 0, 0, VA, 4096), 0);
	assert_int_equal(bind(c, DRM_IAU_BIND_WRITE, bo, 0, VA + 0x100000, 4096), -EBUSY);
	assert_int_equal(bind(c, DRM_IAU_BIND_UNMAP, 0, 0, VA, 8192), 0);
	assert_int_equal(bind(c, DRM_IAU_BIND_WRITE, bo, 0, VA + 0x100000, 4096), 0);
	assert_int_equal(bind(c, DRM_IAU_BIND_CONST, bo, 0, VA, 8192), -EBUSY);
}

static void test_queue_bad(void **state)
{
	struct client *c = *state;
	struct drm_iau_queue_create q = { .vm_id = 999, .priority = 1 };
	struct drm_iau_queue_destroy end = { .id = 999 };
	struct drm_iau_queue_state s = { .id = 999 };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_CREATE, &q), -ENOENT);
	q.vm_id = c->vm;
	q.priority = 4;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_CREATE, &q), -EINVAL);
	q = (struct drm_iau_queue_create){ .vm_id = c->vm, .pad = 1 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_CREATE, &q), -EINVAL);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_DESTROY, &end), -ENOENT);
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_STATE, &s), -ENOENT);
	end = (struct drm_iau_queue_destroy){ .id = c->queue, .pad = 1 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_DESTROY, &end), -EINVAL);
}

static void test_submit_bad(void **state)
{
	struct client *c = *state;
	struct drm_iau_job j = { .cmd_va = VA, .cmd_bytes = 64 };
	struct drm_iau_submit s = { .queue_id = 999, .jobs = { sizeof(j), 1, (uintptr_t)&j } };
	const struct drm_iau_job bad[] = {
		{ .cmd_va = VA, .cmd_bytes = 0 },	   { .cmd_va = VA, .cmd_bytes = 65 },
		{ .cmd_va = VA + 8, .cmd_bytes = 64 },	   { .cmd_va = VA, .cmd_bytes = 64, .pad = 1 },
		{ .cmd_va = VA, .cmd_bytes = 64, .param_va = 64 },
		{ .cmd_va = VA, .cmd_bytes = 64, .syncs = { 16, 65, 0 } },
	};

	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -ENOENT);
	s.queue_id = c->queue;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		j = bad[i];
		assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -EINVAL);
	}
	s.jobs.count = 0;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -EINVAL);
	s.jobs.count = 65;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -EINVAL);
}

static void test_submit_bad_syncs(void **state)
{
	struct client *c = *state;
	struct drm_iau_sync sync = { .flags = 2 };
	struct drm_iau_job j = { .cmd_va = VA, .cmd_bytes = 64,
				 .syncs = { sizeof(sync), 1, (uintptr_t)&sync } };
	struct drm_iau_submit s = { .queue_id = c->queue, .jobs = { sizeof(j), 1, (uintptr_t)&j } };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -EINVAL);
	sync = (struct drm_iau_sync){ .flags = DRM_IAU_SYNC_SIGNAL, .handle = 999, .point = 1 };
	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -ENOENT);
	sync.flags = 0;
	assert_int_equal(ask(c, DRM_IOCTL_IAU_SUBMIT, &s), -ENOENT);
}

static void test_copy_runs(void **state)
{
	struct client *c = *state;
	uint32_t *src, *dst;

	prepare_copy(c, &src, &dst);
	src[5] = 0x12345678;
	assert_int_equal(run_copy(c, 0), 0);
	assert_int_equal(dst[5], 0x12345678);
	/* many in one call, in order */
	src[5] = 7;
	assert_int_equal(run_copies(c, 64), 0);
	assert_int_equal(dst[5], 7);
}

/* A syncobj without a fence cannot be waited for: there would be no telling when it ends. */
static void test_wait_needs_a_fence(void **state)
{
	struct client *c = *state;
	uint32_t *src, *dst, gate;

	prepare_copy(c, &src, &dst);
	assert_int_equal(drmSyncobjCreate(c->fd, 0, &gate), 0);
	assert_int_equal(submit_copy_behind(c, gate), -EINVAL);
	assert_int_equal(drmSyncobjSignal(c->fd, &gate, 1), 0);
	src[0] = 99;
	assert_int_equal(submit_copy_behind(c, gate), 0);
	assert_int_equal(wait_point(c, 5000), 0);
	assert_int_equal(dst[0], 99);
}

static void expect_fault(struct client *c, uint32_t code, uint64_t va)
{
	struct drm_iau_queue_state s = { .id = c->queue };

	assert_int_equal(ask(c, DRM_IOCTL_IAU_QUEUE_STATE, &s), 0);
	assert_int_equal(s.state, DRM_IAU_QUEUE_BANNED | DRM_IAU_QUEUE_FAULT);
	assert_int_equal(s.fault_code, code);
	assert_int_equal(s.fault_va, va);
	assert_int_equal(s.fault_tag, 0xabc);
}

static void test_fault_bans(void **state)
{
	struct client *c = *state;
	uint32_t *src, *dst;

	prepare_copy(c, &src, &dst);
	bind(c, DRM_IAU_BIND_UNMAP, 0, 0, DST_VA, 4096);
	run_copy(c, 0xabc);
	expect_fault(c, IAU_FAULT_UNMAPPED, DST_VA);
	assert_int_equal(run_copy(c, 0), -EIO);
}

static void test_commands_must_be_constant(void **state)
{
	struct client *c = *state;
	uint32_t bo = new_bo(c, 4096);

	assert_int_equal(bind(c, DRM_IAU_BIND_WRITE, bo, 0, CMD_VA, 4096), 0);
	run_copy(c, 0xabc);
	expect_fault(c, IAU_FAULT_NOT_CONST, CMD_VA);
}

/* The others lose nothing when one faults. */
static void test_fault_of_another(void **state)
{
	struct client *c = *state, other;
	uint32_t *src, *dst;

	client_open(&other);
	prepare_copy(c, &src, &dst);
	for (int i = 0; i < 20; i++) {
		src[1] = (uint32_t)i + 1;
		if (i % 4 == 0) {
			client_close(&other);
			client_open(&other);
		}
		run_copy(&other, 1); /* nothing is mapped there */
		assert_int_equal(run_copy(c, 0), 0);
		assert_int_equal(dst[1], i + 1);
	}
	client_close(&other);
}

static void test_address_spaces_are_apart(void **state)
{
	struct client *c = *state, other;
	uint32_t *src, *dst, *osrc, *odst;

	client_open(&other);
	prepare_copy(c, &src, &dst);
	prepare_copy(&other, &osrc, &odst);
	src[0] = 1;
	osrc[0] = 2;
	assert_int_equal(run_copy(c, 0), 0);
	assert_int_equal(run_copy(&other, 0), 0);
	assert_int_equal(dst[0], 1);
	assert_int_equal(odst[0], 2);
	/* and so are handles */
	assert_int_equal(bind(&other, 0, c->dst_bo + 100, 0, VA, 4096), -ENOENT);
	client_close(&other);
}

/* More address spaces than the device has contexts */
static void test_more_vms_than_slots(void **state)
{
	static struct client many[24];
	uint32_t *src[24], *dst[24];

	(void)state;
	for (int i = 0; i < 24; i++) {
		client_open(&many[i]);
		prepare_copy(&many[i], &src[i], &dst[i]);
	}
	for (int r = 0; r < 3; r++) {
		for (int i = 0; i < 24; i++) {
			src[i][0] = (uint32_t)(r * 100 + i + 1);
			assert_int_equal(run_copy(&many[i], 0), 0);
			assert_int_equal(dst[i][0], r * 100 + i + 1);
		}
	}
	for (int i = 0; i < 24; i++)
		client_close(&many[i]);
}

/* An endless job goes with its client; another client's jobs behind it are done. */
static void test_close_with_endless_job(void **state)
{
	struct client *c = *state, endless;
	uint32_t *src, *dst;

	prepare_copy(c, &src, &dst);
	for (uint32_t i = 1; i < 6; i++) {
		client_open(&endless);
		prepare_loop(&endless);
		submit_copies(&endless, 3);
		src[2] = i;
		submit_copies(c, 2);
		assert_int_equal(wait_point(&endless, 20), -ETIME);
		client_close(&endless);
		assert_int_equal(wait_point(c, 60000), 0);
		assert_int_equal(dst[2], i);
	}
}

static void test_unmap_waits_for_jobs(void **state)
{
	struct client *c = *state;
	uint32_t *src, *dst;

	prepare_copy(c, &src, &dst);
	for (uint32_t i = 1; i < 20; i++) {
		src[3] = i;
		submit_copies(c, 16);
		/* if it did not wait, the jobs behind would fault */
		assert_int_equal(bind(c, DRM_IAU_BIND_UNMAP, 0, 0, DST_VA, 4096), 0);
		assert_int_equal(dst[3], i);
		assert_int_equal(bind(c, DRM_IAU_BIND_WRITE, c->dst_bo, 0, DST_VA, 4096), 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_version), T(test_query_info), T(test_query_sizes), T(test_query_bad),
		T(test_vm_ids), T(test_vm_limit), T(test_bo_bad), T(test_bo_is_zeroed_and_rounded),
		T(test_bind_bad), T(test_bind_array), T(test_bind_grown), T(test_const_excludes_write),
		T(test_queue_bad), T(test_submit_bad), T(test_submit_bad_syncs), T(test_copy_runs),
		T(test_wait_needs_a_fence), T(test_fault_bans), T(test_commands_must_be_constant),
		T(test_fault_of_another), T(test_address_spaces_are_apart),
		T(test_more_vms_than_slots), T(test_close_with_endless_job),
		T(test_unmap_waits_for_jobs),
	};

	if (argc > 1)
		client_node = argv[1];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("uapi", tests, NULL, NULL);
}
