/* SPDX-License-Identifier: MIT */
/* Dumps of the driver: whole, cut anywhere, damaged; and finding the command at which a job stood. */
#include "cmocka_all.h"
#include "dump.h"
#include "iau_hw.h"
#include "runtime/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CMD_VA UINT64_C(0x10000)
#define MAX_BYTES 8192

struct file {
	_Alignas(8) uint8_t data[MAX_BYTES];
	size_t bytes;
};

static void add(struct file *f, const void *data, size_t n)
{
	if (n)
		memcpy(f->data + f->bytes, data, n);
	f->bytes += n;
}

static void add_section(struct file *f, uint32_t type, const void *head, size_t n,
			const void *more, size_t m)
{
	struct iau_dump_section s = { type, (uint32_t)(n + m) };

	add(f, &s, sizeof(s));
	add(f, head, n);
	add(f, more, m);
}

/* A dump of a job of N commands that has retired RETIRED of them; FAULT may be NULL. */
static void make(struct file *f, const uint32_t *cmd, uint32_t n, uint32_t retired,
		 const struct iau_dump_fault_record *fault, const uint32_t *params)
{
	struct iau_dump_header h = { .version = IAU_DUMP_VERSION,
				     .reason = fault ? IAU_DUMP_FAULT : IAU_DUMP_HANG };
	struct iau_dump_job job = { .id = 7, .cmd_va = CMD_VA, .cmd_bytes = n * IAU_CMD_BYTES,
				    .retired = retired, .param_va = params ? 0x20000 : 0 };
	struct iau_dump_memory commands = { CMD_VA }, parameters = { 0x20000 };
	struct iau_dump_register reg[2] = { { IAU_REG_ID, IAU_ID }, { 0x1018, 1 } };
	struct iau_dump_mapping map = { .va = CMD_VA, .size = 4096, .flags = DRM_IAU_BIND_CONST };
	struct iau_dump_ring ring = { .index = 1, .head = 3, .tail = 4, .entries = 2 };
	uint8_t entries[2 * (IAU_JOB_BYTES + IAU_RECORD_BYTES)] = { 1 };

	memset(f, 0, sizeof(*f));
	memcpy(h.magic, IAU_DUMP_MAGIC, sizeof(h.magic));
	strcpy((char *)h.device, "0000:01:00.0");
	add(f, &h, sizeof(h));
	add_section(f, IAU_DUMP_JOB, &job, sizeof(job), NULL, 0);
	if (fault)
		add_section(f, IAU_DUMP_FAULT_RECORD, fault, sizeof(*fault), NULL, 0);
	add_section(f, IAU_DUMP_REGISTERS, reg, sizeof(reg), NULL, 0);
	add_section(f, IAU_DUMP_RING, &ring, sizeof(ring), entries, sizeof(entries));
	add_section(f, 1000, &ring, sizeof(ring), NULL, 0); /* of a newer driver */
	if (params)
		add_section(f, IAU_DUMP_PARAMETERS, &parameters, sizeof(parameters), params,
			    IAU_PARAM_BYTES);
	add_section(f, IAU_DUMP_COMMANDS, &commands, sizeof(commands), cmd, n * IAU_CMD_BYTES);
	add_section(f, IAU_DUMP_MAPPINGS, &map, sizeof(map), NULL, 0);
	((struct iau_dump_header *)(void *)f->data)->bytes = f->bytes;
}

static struct dump parsed(const struct file *f)
{
	struct dump d;

	assert_int_equal(dump_parse(f->data, f->bytes, &d), 0);
	return d;
}

static void test_all_sections(void **state)
{
	uint32_t cmd[2][16] = { { IAU_OP_LOAD }, { IAU_OP_END } };
	static struct file f;
	struct dump d;

	(void)state;
	make(&f, cmd[0], 2, 1, NULL, NULL);
	d = parsed(&f);
	assert_string_equal((const char *)d.header.device, "0000:01:00.0");
	assert_int_equal(d.job->id, 7);
	assert_null(d.fault);
	assert_int_equal(d.regs, 2);
	assert_int_equal(d.ring->entries, 2);
	assert_int_equal(d.desc[0][0], 1);
	assert_int_equal(d.mappings, 1);
	assert_int_equal(dump_command(&d, 64)[0], IAU_OP_END);
	assert_null(dump_command(&d, 128));
	assert_null(dump_command(&d, 32));
}

/* Nothing but the whole file is taken; the sanitizers see reads behind its end. */
static void test_cut_anywhere(void **state)
{
	uint32_t cmd[16] = { IAU_OP_END };
	static struct file f;

	(void)state;
	make(&f, cmd, 1, 0, NULL, NULL);
	for (size_t n = 0; n < f.bytes; n++) {
		void *copy = malloc(n ? n : 1);
		struct dump d;

		memcpy(copy, f.data, n);
		assert_int_equal(dump_parse(copy, n, &d), -EINVAL);
		if (n >= sizeof(d.header)) {
			/* and with a header that says so */
			((struct iau_dump_header *)copy)->bytes = n;
			if (!dump_parse(copy, n, &d))
				assert_non_null(d.job);
		}
		free(copy);
	}
}

static void test_bad_headers(void **state)
{
	uint32_t cmd[16] = { IAU_OP_END };
	static struct file f;
	struct iau_dump_header *h = (void *)f.data;
	struct dump d;

	(void)state;
	make(&f, cmd, 1, 0, NULL, NULL);
	h->magic[0]++;
	assert_int_equal(dump_parse(f.data, f.bytes, &d), -EINVAL);
	h->magic[0]--;
	h->version++;
	assert_int_equal(dump_parse(f.data, f.bytes, &d), -EINVAL);
	h->version--;
	h->bytes = UINT64_MAX;
	assert_int_equal(dump_parse(f.data, f.bytes, &d), -EINVAL);
	h->bytes = 8; /* less than itself */
	assert_int_equal(dump_parse(f.data, f.bytes, &d), -EINVAL);
}

/* Whatever the bytes are: an error, or pointers that can be followed. */
static void test_damaged(void **state)
{
	uint32_t cmd[4][16] = { { IAU_OP_SALU }, { IAU_OP_BRANCH }, { IAU_OP_SLOAD }, { IAU_OP_END } };
	uint32_t params[32] = { 1, 2, 3 };
	static struct file f;
	struct iau_rng rng;
	unsigned int good = 0;

	(void)state;
	iau_rng_seed(&rng, 1);
	for (int i = 0; i < 20000; i++) {
		struct dump_position at;
		struct dump d;
		uint8_t *copy;

		make(&f, cmd[0], 4, (uint32_t)(i % 8), NULL, params);
		for (int k = 0; k < 3; k++)
			f.data[iau_rng_next(&rng) % f.bytes] = (uint8_t)iau_rng_next(&rng);
		copy = malloc(f.bytes);
		memcpy(copy, f.data, f.bytes);
		if (!dump_parse(copy, f.bytes, &d)) {
			/* what nobody would wait for */
			if (d.job->retired < 100000)
				dump_locate(&d, &at);
			good++;
		}
		free(copy);
	}
	assert_true(good > 1000);
}

static struct dump_position located(const uint32_t *cmd, uint32_t n, uint32_t retired,
				    const struct iau_dump_fault_record *fault,
				    const uint32_t *params)
{
	static struct file f;
	struct dump_position at;
	struct dump d;

	make(&f, cmd, n, retired, fault, params);
	d = parsed(&f);
	dump_locate(&d, &at);
	return at;
}

/* A loop of three: r0 counts down from its parameter. */
static void test_follows_a_loop(void **state)
{
	uint32_t cmd[4][16] = { { IAU_OP_NOP }, { IAU_OP_SALU }, { IAU_OP_BRANCH }, { IAU_OP_END } };
	uint32_t params[32] = { 5 };
	struct dump_position at;

	(void)state;
	IAU_PUT(cmd[1], 1, IAU_SALU_FUNC);
	IAU_PUT(cmd[1], 1, IAU_SALU_USE_IMM);
	IAU_PUT(cmd[1], 1, IAU_SALU_IMM);
	IAU_PUT(cmd[2], 2, IAU_BRANCH_COND);
	IAU_PUT(cmd[2], 1, IAU_BRANCH_USE_IMM);
	IAU_PUT(cmd[2], (uint32_t)-3, IAU_BRANCH_OFFSET);
	at = located(cmd[0], 4, 0, NULL, params);
	assert_true(at.known && at.exact && at.offset == 0 && at.reg[0] == 5);
	at = located(cmd[0], 4, 3 * 3 + 1, NULL, params);
	assert_true(at.exact);
	assert_int_equal(at.offset, 64);
	assert_int_equal(at.reg[0], 2);
	at = located(cmd[0], 4, 5 * 3, NULL, params);
	assert_int_equal(at.offset, 3 * 64);
	/* more than there is: not known, and said so */
	at = located(cmd[0], 4, 5 * 3 + 2, NULL, params);
	assert_false(at.known);
}

static void test_what_memory_decides_is_not_known(void **state)
{
	uint32_t cmd[3][16] = { { IAU_OP_SLOAD }, { IAU_OP_BRANCH }, { IAU_OP_END } };

	(void)state;
	IAU_PUT(cmd[0], 4, IAU_SLOAD_RD);
	IAU_PUT(cmd[1], 1, IAU_BRANCH_COND);
	IAU_PUT(cmd[1], 4, IAU_BRANCH_RA);
	assert_true(located(cmd[0], 3, 1, NULL, NULL).known);
	assert_false(located(cmd[0], 3, 2, NULL, NULL).known);
	/* an unconditional one is */
	cmd[1][0] = IAU_OP_BRANCH;
	assert_true(located(cmd[0], 3, 2, NULL, NULL).known);
}

static void test_the_device_says_where_it_faulted(void **state)
{
	uint32_t cmd[3][16] = { { IAU_OP_NOP }, { IAU_OP_STORE }, { IAU_OP_END } };
	struct iau_dump_fault_record fault = { .code = IAU_FAULT_UNMAPPED, .offset = 64 };
	struct dump_position at = located(cmd[0], 3, 1, &fault, NULL);

	(void)state;
	assert_true(at.known && at.exact);
	assert_int_equal(at.offset, 64);
	/* a count that does not fit makes registers doubtful, not the place */
	at = located(cmd[0], 3, 0, &fault, NULL);
	assert_true(at.known && !at.exact);
	assert_int_equal(at.offset, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sections),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_follows_a_loop),
		cmocka_unit_test(test_what_memory_decides_is_not_known),
		cmocka_unit_test(test_the_device_says_where_it_faulted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
