/* SPDX-License-Identifier: MIT */
/* Memory of devices: what a job reaches is what buffers are there, at every moment. */
#include "devices.h"
#include "command/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAGE 4096u
#define BLOCK (2u << 20)

/* 0 if a job can copy 64 bytes from FROM to TO, -EIO if it faults */
static int copy(struct iau_device *dev, uint64_t from, uint64_t to)
{
	const uint32_t params[IAU_PARAMS] = { 0 };
	struct iau_cmdbuf cb = { 0 };
	struct iau_buffer code;
	int err;

	iau_cmd_load(&cb, (struct iau_copy){ .va = from, .row_bytes = 64, .rows = 1 });
	iau_cmd_store(&cb, (struct iau_copy){ .va = to, .row_bytes = 64, .rows = 1 });
	iau_cmd_end(&cb);
	assert_int_equal(iau_buffer_create(dev, cb.n * IAU_CMD_BYTES, IAU_ACCESS_CONST, &code), 0);
	memcpy(code.ptr, cb.cmd, cb.n * IAU_CMD_BYTES);
	err = iau_device_execute(dev, code.va, cb.n * IAU_CMD_BYTES, params);
	iau_buffer_destroy(dev, &code);
	iau_cmdbuf_free(&cb);
	return err;
}

static void write_at(struct iau_buffer *b, uint64_t offset, uint32_t value)
{
	memcpy((uint8_t *)b->ptr + offset, &value, 4);
}

static uint32_t read_at(const struct iau_buffer *b, uint64_t offset)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)b->ptr + offset, 4);
	return value;
}

/* A fault stops a client of the kernel for good: a test that wants to see one opens a device for it. */
static void unreachable(const char *engine, uint64_t offset)
{
	struct iau_device *dev = device_open(engine);
	struct iau_range two = { PAGE, 2 * PAGE };
	struct iau_buffer kv, out;

	assert_int_equal(iau_buffer_reserve(dev, 8 * PAGE, &kv), 0);
	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &two, 1), 0);
	assert_int_equal(copy(dev, kv.va + PAGE, out.va), 0);
	assert_int_equal(copy(dev, kv.va + offset, out.va), -EIO);
	assert_non_null(strstr(iau_last_error(), "unmapped"));
	iau_device_close(dev);
}

static void outside_of_what_is_committed(const char *engine)
{
	unreachable(engine, 0);
	unreachable(engine, 3 * PAGE);
	unreachable(engine, 8 * PAGE);
}

static void growing_keeps_contents(const char *engine)
{
	struct iau_device *dev = device_open(engine);
	struct iau_buffer kv, out;

	assert_int_equal(iau_buffer_reserve(dev, 100 * PAGE, &kv), 0);
	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	for (uint32_t i = 0; i < 100; i += 3) {
		struct iau_range r = { i * PAGE, (i + 3 < 100 ? 3 : 100 - i) * PAGE };

		assert_int_equal(iau_buffer_commit(dev, &kv, &r, 1), 0);
		write_at(&kv, i * PAGE, i + 1);
		for (uint32_t k = 0; k <= i; k += 33) {
			assert_int_equal(copy(dev, kv.va + k * PAGE, out.va), 0);
			assert_int_equal(read_at(&out, 0), k % 3 ? 0 : k + 1);
		}
	}
	iau_device_close(dev);
}

static void released_memory_is_zero_again(const char *engine)
{
	struct iau_device *dev = device_open(engine);
	struct iau_range all = { 0, 4 * PAGE }, second = { PAGE, PAGE };
	struct iau_buffer kv, out;

	assert_int_equal(iau_buffer_reserve(dev, 4 * PAGE, &kv), 0);
	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &all, 1), 0);
	write_at(&kv, PAGE, 7);
	write_at(&kv, 2 * PAGE, 8);
	assert_int_equal(copy(dev, kv.va + PAGE, out.va), 0);
	assert_int_equal(iau_buffer_decommit(dev, &kv, &second, 1), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &all, 1), 0);
	assert_int_equal(copy(dev, kv.va + PAGE, out.va), 0);
	assert_int_equal(read_at(&out, 0), 0);
	assert_int_equal(copy(dev, kv.va + 2 * PAGE, out.va), 0);
	assert_int_equal(read_at(&out, 0), 8);
	iau_device_close(dev);
}

/* Buffers of all sizes come and go: large pages in the place of small ones, and the other way. */
static void addresses_are_used_again(const char *engine)
{
	static const size_t size[] = { PAGE, 3 * BLOCK, PAGE, BLOCK + PAGE, 2 * BLOCK, 5, 2 * BLOCK };
	struct iau_device *dev = device_open(engine);
	struct iau_buffer out, b;
	uint64_t va = 0;

	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	for (uint32_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		size_t last;

		assert_int_equal(iau_buffer_create(dev, size[i], IAU_ACCESS_RW, &b), 0);
		assert_true(!va || b.va == va);
		va = b.va;
		last = b.size - 64;
		assert_int_equal(read_at(&b, last), 0);
		write_at(&b, last, i + 1);
		assert_int_equal(copy(dev, b.va + last, out.va), 0);
		assert_int_equal(read_at(&out, 0), i + 1);
		iau_buffer_destroy(dev, &b);
	}
	iau_device_close(dev);
}

static void a_buffer_that_is_gone(const char *engine, size_t size)
{
	struct iau_device *dev = device_open(engine);
	struct iau_buffer out, b;
	uint64_t va;

	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	assert_int_equal(iau_buffer_create(dev, size, IAU_ACCESS_RW, &b), 0);
	/* something behind it, or the next command buffer would take its place */
	va = b.va;
	assert_int_equal(copy(dev, va, out.va), 0);
	iau_buffer_destroy(dev, &b);
	assert_int_equal(iau_buffer_reserve(dev, size, &b), 0);
	assert_true(b.va == va);
	assert_int_equal(copy(dev, va, out.va), -EIO);
	iau_device_close(dev);
}

static void gone_is_gone(const char *engine)
{
	a_buffer_that_is_gone(engine, PAGE);
	a_buffer_that_is_gone(engine, 2 * BLOCK);
}

/* A part of a buffer is seen at two places: memory that comes or goes does so at both. */
static void views_show_what_there_is(const char *engine)
{
	struct iau_device *dev = device_open(engine);
	struct iau_range all = { 0, 8 * PAGE }, some = { 4 * PAGE, 4 * PAGE }, first = { 4 * PAGE, PAGE };
	struct iau_buffer kv, out;
	struct iau_view view;

	assert_int_equal(iau_buffer_reserve(dev, 8 * PAGE, &kv), 0);
	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	assert_int_equal(iau_view_create(dev, 16 * PAGE, &view), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &first, 1), 0);
	assert_int_equal(iau_view_map(dev, &view, 0, &kv, some), 0);
	assert_int_equal(iau_view_map(dev, &view, 8 * PAGE, &kv, all), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &some, 1), 0);
	for (uint32_t i = 0; i < 4; i++)
		write_at(&kv, (4 + i) * PAGE, i + 1);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(copy(dev, view.va + i * PAGE, out.va), 0);
		assert_int_equal(read_at(&out, 0), i + 1);
		/* what is stored through one is loaded through the other */
		assert_int_equal(copy(dev, out.va, view.va + (12 + (i + 1) % 4) * PAGE), 0);
		assert_int_equal(copy(dev, view.va + (i + 1) % 4 * PAGE, out.va), 0);
		assert_int_equal(read_at(&out, 0), i + 1);
		write_at(&kv, (4 + (i + 1) % 4) * PAGE, (i + 1) % 4 + 1);
	}
	/* moved: what was first is second */
	assert_int_equal(iau_view_unmap(dev, &view, (struct iau_range){ 0, 4 * PAGE }), 0);
	assert_int_equal(iau_view_map(dev, &view, PAGE, &kv, some), 0);
	assert_int_equal(copy(dev, view.va + PAGE, out.va), 0);
	assert_int_equal(read_at(&out, 0), 1);
	iau_view_destroy(dev, &view);
	assert_int_equal(copy(dev, kv.va + 5 * PAGE, out.va), 0);
	assert_int_equal(read_at(&out, 0), 2);
	iau_device_close(dev);
}

/* Page PAGE_NO of a view, after what F did, is not there. */
static void unseen(const char *engine, void (*f)(struct iau_device *dev, struct iau_buffer *kv, struct iau_view *view),
		   uint32_t page_no)
{
	struct iau_device *dev = device_open(engine);
	struct iau_range all = { 0, 2 * PAGE };
	struct iau_buffer kv, out;
	struct iau_view view;
	uint64_t va;

	assert_int_equal(iau_buffer_reserve(dev, 2 * PAGE, &kv), 0);
	assert_int_equal(iau_buffer_create(dev, PAGE, IAU_ACCESS_RW, &out), 0);
	assert_int_equal(iau_view_create(dev, 4 * PAGE, &view), 0);
	assert_int_equal(iau_buffer_commit(dev, &kv, &all, 1), 0);
	assert_int_equal(iau_view_map(dev, &view, 0, &kv, all), 0);
	assert_int_equal(copy(dev, view.va + PAGE, out.va), 0);
	va = view.va + page_no * PAGE;
	f(dev, &kv, &view);
	assert_int_equal(copy(dev, va, out.va), -EIO);
	iau_device_close(dev);
}

static void nothing(struct iau_device *dev, struct iau_buffer *kv, struct iau_view *view)
{
	(void)dev;
	(void)kv;
	(void)view;
}

static void decommit(struct iau_device *dev, struct iau_buffer *kv, struct iau_view *view)
{
	struct iau_range second = { PAGE, PAGE };

	(void)view;
	assert_int_equal(iau_buffer_decommit(dev, kv, &second, 1), 0);
}

static void unmap(struct iau_device *dev, struct iau_buffer *kv, struct iau_view *view)
{
	(void)kv;
	assert_int_equal(iau_view_unmap(dev, view, (struct iau_range){ 0, 2 * PAGE }), 0);
}

static void destroy(struct iau_device *dev, struct iau_buffer *kv, struct iau_view *view)
{
	(void)kv;
	iau_view_destroy(dev, view);
}

static void what_views_do_not_show(const char *engine)
{
	unseen(engine, nothing, 2);
	unseen(engine, decommit, 1);
	unseen(engine, unmap, 1);
	unseen(engine, destroy, 0);
}

static void bad_views(struct iau_device *dev, const struct iau_buffer *kv)
{
	static const struct iau_range bad[] = { { 1, PAGE }, { 0, 1 }, { 0, 9 * PAGE }, { 8 * PAGE, PAGE } };
	struct iau_view view;

	assert_int_equal(iau_view_create(dev, 0, &view), -EINVAL);
	assert_int_equal(iau_view_create(dev, 16 * PAGE, &view), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(iau_view_map(dev, &view, 0, kv, bad[i]), -EINVAL);
	assert_int_equal(iau_view_map(dev, &view, 15 * PAGE, kv, (struct iau_range){ 0, 2 * PAGE }), -EINVAL);
	assert_int_equal(iau_view_map(dev, &view, 1, kv, (struct iau_range){ 0, PAGE }), -EINVAL);
	assert_int_equal(iau_view_unmap(dev, &view, (struct iau_range){ 0, 17 * PAGE }), -EINVAL);
	assert_int_equal(iau_view_map(dev, &view, 0, kv, (struct iau_range){ 0, 0 }), 0);
	iau_view_destroy(dev, &view);
}

static void bad_arguments(const char *engine)
{
	static const struct iau_range bad[] = {
		{ 1, PAGE }, { 0, 1 }, { 0, 9 * PAGE }, { 8 * PAGE, PAGE }, { UINT64_MAX - 4095, PAGE },
		{ PAGE, UINT64_MAX - 4095 },
	};
	struct iau_device *dev = device_open(engine);
	struct iau_buffer kv;

	assert_int_equal(iau_buffer_reserve(dev, 0, &kv), -EINVAL);
	assert_int_equal(iau_buffer_create(dev, 0, IAU_ACCESS_RW, &kv), -EINVAL);
	assert_int_equal(iau_buffer_reserve(dev, 8 * PAGE, &kv), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(iau_buffer_commit(dev, &kv, &bad[i], 1), -EINVAL);
		assert_int_equal(iau_buffer_decommit(dev, &kv, &bad[i], 1), -EINVAL);
	}
	assert_int_equal(iau_buffer_commit(dev, &kv, NULL, 0), 0);
	bad_views(dev, &kv);
	iau_device_close(dev);
}

ENGINES(outside_of_what_is_committed)
ENGINES(growing_keeps_contents)
ENGINES(released_memory_is_zero_again)
ENGINES(addresses_are_used_again)
ENGINES(gone_is_gone)
ENGINES(views_show_what_there_is)
ENGINES(what_views_do_not_show)
ENGINES(bad_arguments)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ENGINES(outside_of_what_is_committed), ON_ENGINES(growing_keeps_contents),
		ON_ENGINES(released_memory_is_zero_again), ON_ENGINES(addresses_are_used_again),
		ON_ENGINES(gone_is_gone), ON_ENGINES(views_show_what_there_is),
		ON_ENGINES(what_views_do_not_show), ON_ENGINES(bad_arguments),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("buffers", tests, NULL, NULL);
}
