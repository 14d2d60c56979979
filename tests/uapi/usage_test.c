/* SPDX-License-Identifier: MIT */
/*
 * What the driver tells of a client in /proc/self/fdinfo: time, cycles, jobs and memory, its own and
 * nobody else's. The node is the first argument.
 */
#include "client.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB (UINT64_C(1) << 20)

/* The text behind KEY, or "" */
static const char *fdinfo(const struct client *c, const char *key)
{
	static char line[256];
	size_t len = strlen(key);
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		fclose(f);
		line[strcspn(line, "\n")] = 0;
		return line + len + 1 + strspn(line + len + 1, " \t");
	}
	fclose(f);
	return "";
}

static uint64_t number(const struct client *c, const char *key)
{
	const char *text = fdinfo(c, key);

	assert_true(*text >= '0' && *text <= '9');
	return strtoull(text, NULL, 10);
}

/* With its unit, as the kernel's documentation has them. */
static uint64_t bytes(const struct client *c, const char *key)
{
	uint64_t n = number(c, key);
	const char *unit = strchr(fdinfo(c, key), ' ');

	if (!unit)
		return n;
	assert_true(!strcmp(unit, " KiB") || !strcmp(unit, " MiB"));
	return n << (unit[1] == 'K' ? 10 : 20);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void test_names(void **state)
{
	struct client c;

	(void)state;
	client_open(&c);
	assert_string_equal(fdinfo(&c, "drm-driver"), "iau");
	assert_true(strlen(fdinfo(&c, "drm-pdev")) >= strlen("0000:00:00.0"));
	assert_true(number(&c, "drm-client-id") > 0);
	assert_non_null(strstr(fdinfo(&c, "drm-engine-npu"), " ns"));
	client_close(&c);
}

static void test_time_and_jobs(void **state)
{
	struct client c, other;
	uint32_t *src, *dst;
	uint64_t start, busy, wall, total;

	(void)state;
	client_open(&c);
	client_open(&other);
	prepare_copy(&c, &src, &dst);
	assert_int_equal(number(&c, "drm-engine-npu"), 0);
	total = number(&c, "drm-total-cycles-npu");
	start = now_ns();
	assert_int_equal(run_copies(&c, 20), 0);
	wall = now_ns() - start;
	busy = number(&c, "drm-engine-npu");
	assert_true(busy > 0 && busy <= wall);
	assert_int_equal(number(&c, "iau-jobs"), 20);
	/* the model without time has no cycles; if there are any, the client's are among them */
	assert_true(number(&c, "drm-cycles-npu") <= number(&c, "drm-total-cycles-npu") - total);
	assert_true(!number(&c, "drm-total-cycles-npu") || number(&c, "drm-cycles-npu") > 0);
	assert_int_equal(number(&other, "drm-engine-npu"), 0);
	assert_int_equal(number(&other, "iau-jobs"), 0);
	client_close(&other);
	client_close(&c);
}

/* A job that faults has used the device, too. */
static void test_faulted_jobs_count(void **state)
{
	struct client c;

	(void)state;
	client_open(&c);
	run_copy(&c, 1); /* nothing is mapped */
	assert_int_equal(number(&c, "iau-jobs"), 1);
	assert_true(number(&c, "drm-engine-npu") > 0);
	client_close(&c);
}

static void test_memory(void **state)
{
	struct client c;
	uint32_t bo;

	(void)state;
	client_open(&c);
	assert_int_equal(bytes(&c, "drm-total-memory"), 0);
	bo = new_bo(&c, 3 * MIB);
	assert_int_equal(bytes(&c, "drm-total-memory"), 3 * MIB);
	assert_int_equal(bytes(&c, "drm-resident-memory"), 0);
	assert_int_equal(bytes(&c, "drm-shared-memory"), 0);
	assert_int_equal(bind(&c, 0, bo, 0, SRC_VA, 3 * MIB), 0);
	assert_int_equal(bytes(&c, "drm-resident-memory"), 3 * MIB);
	assert_int_equal(bytes(&c, "drm-active-memory"), 0);
	drmCloseBufferHandle(c.fd, bo);
	assert_int_equal(bytes(&c, "drm-total-memory"), 0);
	client_close(&c);
}

static void test_active_while_a_job_runs(void **state)
{
	struct client c;

	(void)state;
	client_open(&c);
	prepare_loop(&c);
	submit_copies(&c, 1);
	assert_int_equal(wait_point(&c, 20), -ETIME);
	assert_int_equal(bytes(&c, "drm-active-memory"), 4096);
	client_close(&c);
}

/* A number that the driver tells in debugfs. */
static uint64_t mmio(const char *key)
{
	unsigned long long v = 0;
	char name[32];
	glob_t found;
	FILE *f;

	assert_int_equal(glob("/sys/kernel/debug/accel/0*/mmio", 0, NULL, &found), 0);
	f = fopen(found.gl_pathv[0], "r");
	globfree(&found);
	assert_non_null(f);
	while (fscanf(f, "%31s %llu", name, &v) == 2 && strcmp(name, key))
		;
	fclose(f);
	assert_string_equal(name, key);
	return v;
}

/* Interrupts of completions, of all queues */
static uint64_t irqs(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	uint64_t n = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strlen(line) > 5 && !strcmp(line + strlen(line) - 5, "  iau"))
			n += strtoull(strchr(line, ':') + 1, NULL, 10);
	}
	fclose(f);
	return n;
}

/* No read, and at most one write a call, the doorbell: none if the card is awake. */
static void test_registers_of_a_submission(void **state)
{
	uint32_t *src, *dst;
	uint64_t reads, writes;
	struct client c;

	(void)state;
	client_open(&c);
	prepare_copy(&c, &src, &dst);
	/* the first one wakes the device and takes a context */
	assert_int_equal(run_copy(&c, 0), 0);
	reads = mmio("reads");
	writes = mmio("writes");
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(run_copy(&c, 0), 0);
	assert_int_equal(run_copies(&c, 50), 0);
	assert_int_equal(mmio("reads") - reads, 0);
	assert_in_range(mmio("writes") - writes, 0, 51);
	client_close(&c);
}

/*
 * Who submits one by one gets an interrupt for each; of a batch, those that nobody waits for are told
 * by the next, as far as the device has not begun before the next is there.
 */
static void test_interrupts(void **state)
{
	const uint64_t jobs = 20 * 32;
	uint32_t *src, *dst;
	struct client c;
	uint64_t n;

	(void)state;
	client_open(&c);
	prepare_copy(&c, &src, &dst);
	n = irqs();
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(run_copy(&c, 0), 0);
	assert_int_equal(irqs() - n, 20);
	n = irqs();
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(run_copies(&c, 32), 0);
	n = irqs() - n;
	printf("# %llu interrupts for %llu jobs in batches\n", (unsigned long long)n,
	       (unsigned long long)jobs);
	assert_true(n >= 20 && n <= jobs);
	/* a device with time is the slower one here */
	if (number(&c, "drm-cycles-npu"))
		assert_true(n <= jobs * 3 / 4);
	client_close(&c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_time_and_jobs),
		cmocka_unit_test(test_faulted_jobs_count),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_active_while_a_job_runs),
		cmocka_unit_test(test_registers_of_a_submission),
		cmocka_unit_test(test_interrupts),
	};

	if (argc > 1)
		client_node = argv[1];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
