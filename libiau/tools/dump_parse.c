/* SPDX-License-Identifier: MIT */
/* Dumps: from bytes to structures, and to the command at which the job stood. */
#include "dump.h"
#include "base/error.h"
#include "iau_hw.h"

#include <errno.h>
#include <string.h>

/* Commands that are followed before giving up: a loop of half a minute. */
#define MAX_STEPS UINT32_C(1000000000)

static int check_header(const struct iau_dump_header *h, size_t bytes)
{
	if (bytes < sizeof(*h) || memcmp(h->magic, IAU_DUMP_MAGIC, sizeof(h->magic)))
		return iau_error(-EINVAL, "not a dump of the iau driver");
	if (h->version != IAU_DUMP_VERSION)
		return iau_error(-EINVAL, "dump of version %u; this program reads %u", h->version,
				 IAU_DUMP_VERSION);
	if (h->bytes > bytes)
		return iau_error(-EINVAL, "the dump was cut: %zu of %llu bytes", bytes,
				 (unsigned long long)h->bytes);
	return 0;
}

static int short_section(uint32_t type)
{
	return iau_error(-EINVAL, "section %u of the dump is too short", type);
}

static int parse_ring(struct dump *d, const uint8_t *p, size_t n)
{
	const struct iau_dump_ring *ring = (const void *)p;

	if (n < sizeof(*ring) ||
	    (n - sizeof(*ring)) / (IAU_JOB_BYTES + IAU_RECORD_BYTES) < ring->entries)
		return short_section(IAU_DUMP_RING);
	d->ring = ring;
	p += sizeof(*ring);
	d->desc = (const void *)p;
	d->rec = (const void *)(p + (size_t)ring->entries * IAU_JOB_BYTES);
	return 0;
}

static int parse_memory(struct dump_memory *m, uint32_t type, const uint8_t *p, size_t n)
{
	struct iau_dump_memory head;

	if (n < sizeof(head))
		return short_section(type);
	memcpy(&head, p, sizeof(head));
	*m = (struct dump_memory){ head.va, p + sizeof(head), n - sizeof(head) };
	return 0;
}

static int parse_section(struct dump *d, uint32_t type, const uint8_t *p, size_t n)
{
	switch (type) {
	case IAU_DUMP_JOB:
		d->job = (const void *)p;
		return n < sizeof(*d->job) ? short_section(type) : 0;
	case IAU_DUMP_FAULT_RECORD:
		d->fault = (const void *)p;
		return n < sizeof(*d->fault) ? short_section(type) : 0;
	case IAU_DUMP_REGISTERS:
		d->reg = (const void *)p;
		d->regs = n / sizeof(*d->reg);
		return 0;
	case IAU_DUMP_RING:
		return parse_ring(d, p, n);
	case IAU_DUMP_MAPPINGS:
		d->mapping = (const void *)p;
		d->mappings = n / sizeof(*d->mapping);
		return 0;
	case IAU_DUMP_COMMANDS:
		return parse_memory(&d->commands, type, p, n);
	case IAU_DUMP_PARAMETERS:
		return parse_memory(&d->params, type, p, n);
	default:
		return 0; /* of a newer driver */
	}
}

int dump_parse(const void *data, size_t bytes, struct dump *out)
{
	const uint8_t *p = data;
	size_t at = sizeof(out->header);
	int err;

	memset(out, 0, sizeof(*out));
	if (bytes >= sizeof(out->header))
		memcpy(&out->header, data, sizeof(out->header));
	err = check_header(&out->header, bytes);
	bytes = (size_t)out->header.bytes;
	while (!err && at < bytes) {
		struct iau_dump_section s;

		if (bytes - at < sizeof(s))
			return iau_error(-EINVAL, "the dump ends within a section's head");
		memcpy(&s, p + at, sizeof(s));
		at += sizeof(s);
		if (s.bytes > bytes - at || s.bytes % 8)
			return iau_error(-EINVAL, "section %u of the dump has %u bytes, of %zu",
					 s.type, s.bytes, bytes - at);
		err = parse_section(out, s.type, p + at, s.bytes);
		at += s.bytes;
	}
	if (!err && !out->job)
		err = iau_error(-EINVAL, "the dump does not say whose job it was");
	return err;
}

const uint32_t *dump_command(const struct dump *d, uint32_t offset)
{
	uint64_t va = d->job->cmd_va + offset;
	size_t at;

	if (va < d->commands.va || va % IAU_CMD_BYTES || offset >= d->job->cmd_bytes)
		return NULL;
	at = (size_t)(va - d->commands.va);
	if (at >= d->commands.bytes || d->commands.bytes - at < IAU_CMD_BYTES)
		return NULL;
	return (const void *)(d->commands.data + at);
}

static void salu(struct dump_position *at, const uint32_t *cmd)
{
	unsigned int ra = (unsigned int)IAU_GET(cmd, IAU_SALU_RA);
	unsigned int rb = (unsigned int)IAU_GET(cmd, IAU_SALU_RB);
	unsigned int rd = (unsigned int)IAU_GET(cmd, IAU_SALU_RD);
	bool imm = IAU_GET(cmd, IAU_SALU_USE_IMM);
	uint32_t a = at->reg[ra], b = imm ? (uint32_t)IAU_GET(cmd, IAU_SALU_IMM) : at->reg[rb];
	uint32_t unknown = (at->unknown >> ra | (imm ? 0 : at->unknown >> rb)) & 1;
	uint32_t v = 0;

	switch (IAU_GET(cmd, IAU_SALU_FUNC)) {
	case 0: v = a + b; break;
	case 1: v = a - b; break;
	case 2: v = a * b; break;
	case 3: v = a & b; break;
	case 4: v = a | b; break;
	case 5: v = a << (b & 31); break;
	case 6: v = a >> (b & 31); break;
	case 7: v = a < b ? a : b; break;
	case 8: v = a > b ? a : b; break;
	}
	at->reg[rd] = v;
	at->unknown = (at->unknown & ~(UINT32_C(1) << rd)) | unknown << rd;
}

/* False if it depends on what is not known. */
static bool branch(struct dump_position *at, const uint32_t *cmd)
{
	unsigned int ra = (unsigned int)IAU_GET(cmd, IAU_BRANCH_RA);
	unsigned int rb = (unsigned int)IAU_GET(cmd, IAU_BRANCH_RB);
	bool imm = IAU_GET(cmd, IAU_BRANCH_USE_IMM), taken = true;
	uint32_t a = at->reg[ra], b = imm ? (uint32_t)IAU_GET(cmd, IAU_BRANCH_IMM) : at->reg[rb];
	uint32_t unknown = (at->unknown >> ra | (imm ? 0 : at->unknown >> rb)) & 1;
	uint64_t cond = IAU_GET(cmd, IAU_BRANCH_COND);

	switch (cond) {
	case 1: taken = a == b; break;
	case 2: taken = a != b; break;
	case 3: taken = a < b; break;
	case 4: taken = a >= b; break;
	case 5: taken = (int32_t)a < (int32_t)b; break;
	case 6: taken = (int32_t)a >= (int32_t)b; break;
	}
	if (taken)
		at->offset += (uint32_t)IAU_GET(cmd, IAU_BRANCH_OFFSET) * IAU_CMD_BYTES;
	return !cond || !unknown;
}

/* What a command does to registers and to the place; false if that cannot be known. */
static bool step(struct dump_position *at, const uint32_t *raw)
{
	uint32_t cmd[16];

	memcpy(cmd, raw, sizeof(cmd));
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t patch = raw[15] >> (9 * i) & 0x1ff;

		if (!(patch & 15))
			continue;
		/* a patched command of the scalar kind is rare enough to give up at */
		if (at->unknown >> (patch >> 4) & 1 && (raw[0] & 0xff) <= IAU_OP_BRANCH)
			return false;
		cmd[patch & 15] += at->reg[patch >> 4];
	}
	at->offset += IAU_CMD_BYTES;
	switch (cmd[0] & 0xff) {
	case IAU_OP_SALU:
		salu(at, cmd);
		return true;
	case IAU_OP_BRANCH:
		return branch(at, cmd);
	case IAU_OP_SLOAD:
		at->unknown |= (IAU_GET(cmd, IAU_SLOAD_HALF) ? UINT32_C(0xffff) : UINT32_C(1))
			       << IAU_GET(cmd, IAU_SLOAD_RD);
		return true;
	default:
		return true;
	}
}

void dump_locate(const struct dump *d, struct dump_position *at)
{
	uint32_t n = d->job->retired;

	memset(at, 0, sizeof(*at));
	if (d->params.bytes >= sizeof(at->reg))
		memcpy(at->reg, d->params.data, sizeof(at->reg));
	else if (d->job->param_va)
		at->unknown = UINT32_MAX;
	at->exact = n < MAX_STEPS;
	for (uint32_t i = 0; at->exact && i < n; i++) {
		const uint32_t *cmd = dump_command(d, at->offset);

		at->exact = cmd && step(at, cmd);
	}
	at->known = at->exact;
	if (!d->fault)
		return;
	/* the device says where; registers are right if following it came to the same place */
	at->exact = at->exact && at->offset == d->fault->offset;
	at->known = true;
	at->offset = d->fault->offset;
}
