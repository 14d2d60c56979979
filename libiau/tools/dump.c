/* SPDX-License-Identifier: MIT */
/* iau dump: what a core dump of the driver says of the job that faulted or hung. */
#include "dump.h"
#include "iau_hw.h"
#include "iau_hw_names.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct options {
	const char *path;
	uint32_t around;
	bool json;
};

static const char *fault_name(uint32_t code)
{
	static const char *const names[] = IAU_FAULT_NAMES;

	return code < COUNT(names) ? names[code] : "unknown";
}

static const char *reason_name(uint32_t reason)
{
	return reason == IAU_DUMP_FAULT ? "fault" : reason == IAU_DUMP_HANG ? "hang" : "unknown";
}

static const struct iau_hw_op *op_of(const uint32_t *cmd)
{
	for (size_t i = 0; i < COUNT(iau_hw_ops); i++)
		if (iau_hw_ops[i].code == (cmd[0] & 0xff))
			return &iau_hw_ops[i];
	return NULL;
}

/* The name of a register of BAR 0, with its queue. */
static void register_name(uint32_t offset, char *name, size_t size)
{
	uint32_t at = offset - IAU_QUEUE_OFFSET;

	if (offset >= IAU_QUEUE_OFFSET && at < IAU_NUM_QUEUES * IAU_QUEUE_STRIDE) {
		for (size_t i = 0; i < COUNT(iau_hw_qregs); i++) {
			if (iau_hw_qregs[i].offset != at % IAU_QUEUE_STRIDE)
				continue;
			snprintf(name, size, "Q%u.%s", at / IAU_QUEUE_STRIDE, iau_hw_qregs[i].name);
			return;
		}
	}
	snprintf(name, size, "%#x", offset);
	for (size_t i = 0; i < COUNT(iau_hw_regs); i++)
		if (iau_hw_regs[i].offset == offset)
			snprintf(name, size, "%s", iau_hw_regs[i].name);
}

static void time_text(uint64_t ns, char *text, size_t size)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, size, "%llu ns", (unsigned long long)ns);
}

/* Text ---------------------------------------------------------------------------------------- */

static void print_fields(const uint32_t *cmd, const struct iau_hw_op *op)
{
	for (unsigned int i = 0; i < op->fields; i++) {
		const struct iau_hw_field *f = &op->field[i];
		uint64_t v = iau_hw_get(cmd, f->word, f->lsb, f->width);

		/* most fields of most commands are not used */
		if (v)
			printf(v > 9 && f->width > 16 ? " %s=%#llx" : " %s=%llu", f->name,
			       (unsigned long long)v);
	}
}

/* "+ r3" behind the words that registers are added to; their values where AT knows them. */
static void print_patches(const uint32_t *cmd, const struct dump_position *at)
{
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t patch = cmd[15] >> (9 * i) & 0x1ff, r = patch >> 4;

		if (!(patch & 15))
			continue;
		printf(" word%u+=r%u", patch & 15, r);
		if (at && at->exact && !(at->unknown >> r & 1))
			printf("(%#x)", at->reg[r]);
	}
}

static void print_command(const struct dump *d, uint32_t offset, const struct dump_position *at)
{
	const uint32_t *cmd = dump_command(d, offset);
	bool here = at->known && at->offset == offset;
	const struct iau_hw_op *op;

	if (!cmd)
		return;
	op = op_of(cmd);
	printf("%c %#8x  %-6s", here ? '>' : ' ', offset, op ? op->name : "?");
	if (op)
		print_fields(cmd, op);
	else
		printf(" opcode=%#x", cmd[0] & 0xff);
	print_patches(cmd, here ? at : NULL);
	putchar('\n');
}

static void print_commands(const struct dump *d, const struct options *o)
{
	uint32_t span = o->around * IAU_CMD_BYTES, from = 0, to;
	struct dump_position at;

	dump_locate(d, &at);
	if (!at.known)
		printf("\nThe place in the commands is not known: %u commands were retired.\n",
		       d->job->retired);
	else
		printf("\nCommand at byte %u, after %u retired:\n", at.offset, d->job->retired);
	if (at.known && at.offset > span)
		from = at.offset - span;
	to = (at.known ? at.offset : 0) + span;
	from -= from % IAU_CMD_BYTES;
	for (uint32_t offset = from; offset <= to && offset < d->job->cmd_bytes;
	     offset += IAU_CMD_BYTES)
		print_command(d, offset, &at);
	if (!at.known || dump_command(d, at.offset))
		return;
	printf(d->header.flags & IAU_DUMP_BUSY ?
		       "The address space was being changed; the dump has no memory of it.\n" :
		       "The dump does not have that command: it is not mapped, or not in the buffer.\n");
}

static void print_job(const struct dump *d)
{
	const struct iau_dump_job *j = d->job;
	char when[32];

	time_text(d->header.time_ns, when, sizeof(when));
	printf("device    %.24s, %s\n", (const char *)d->header.device, when);
	printf("reason    %s\n", reason_name(d->header.reason));
	printf("client    %llu, process %u (%.16s), queue %u\n", (unsigned long long)j->client,
	       j->pid, (const char *)j->comm, j->queue);
	printf("job       %llu, tag %#x, in ring %u, slot %u, for %.3f ms\n",
	       (unsigned long long)j->id, j->tag, j->ring, j->slot, (double)j->age_ns / 1e6);
	printf("commands  %u bytes at %#llx, parameters at %#llx, budget %u\n", j->cmd_bytes,
	       (unsigned long long)j->cmd_va, (unsigned long long)j->param_va, j->budget);
	if (d->fault)
		printf("fault     %s, info %u, address %#llx, in the command at byte %u\n",
		       fault_name(d->fault->code), d->fault->info,
		       (unsigned long long)d->fault->va, d->fault->offset);
	if (d->header.flags & IAU_DUMP_TRUNCATED)
		printf("The kernel had no memory for all of it.\n");
}

static void print_ring(const struct dump *d)
{
	if (!d->ring)
		return;
	printf("\nRing %u, head %u, tail %u:\n", d->ring->index, d->ring->head, d->ring->tail);
	for (uint32_t i = 0; i < d->ring->entries; i++) {
		printf("  %2u:", i);
		for (size_t f = 0; f < COUNT(iau_hw_job_fields); f++) {
			const struct iau_hw_field *field = &iau_hw_job_fields[f];

			printf(" %s=%#llx", field->name,
			       (unsigned long long)iau_hw_get(d->desc[i], field->word, field->lsb,
							      field->width));
		}
		printf(" record=%llu,%llu,%llu,%llu\n", (unsigned long long)d->rec[i][0],
		       (unsigned long long)d->rec[i][1], (unsigned long long)d->rec[i][2],
		       (unsigned long long)d->rec[i][3]);
	}
}

static void print_dump(const struct dump *d, const struct options *o)
{
	print_job(d);
	print_commands(d, o);
	printf("\nMappings, %zu:\n", d->mappings);
	for (size_t i = 0; i < d->mappings; i++) {
		const struct iau_dump_mapping *m = &d->mapping[i];

		printf("  %#12llx  %#10llx bytes%s%s\n", (unsigned long long)m->va,
		       (unsigned long long)m->size, m->flags & DRM_IAU_BIND_WRITE ? " write" : "",
		       m->flags & DRM_IAU_BIND_CONST ? " const" : "");
	}
	printf("\nRegisters:\n");
	for (size_t i = 0; i < d->regs; i++) {
		char name[32];

		register_name(d->reg[i].offset, name, sizeof(name));
		printf("  %-15s %#10x\n", name, d->reg[i].value);
	}
	print_ring(d);
}

/* JSON ---------------------------------------------------------------------------------------- */

static json_t *json_u64(uint64_t v)
{
	return json_integer((json_int_t)v);
}

/* Bytes of a name that need not be text */
static json_t *json_name(const uint8_t *name, size_t max)
{
	json_t *s = json_stringn((const char *)name, strnlen((const char *)name, max));

	return s ? s : json_string("?");
}

static json_t *json_command(const struct dump *d, const struct dump_position *at)
{
	const uint32_t *cmd = dump_command(d, at->offset);
	const struct iau_hw_op *op = cmd ? op_of(cmd) : NULL;
	json_t *fields = json_object(), *out;

	for (unsigned int i = 0; op && i < op->fields; i++) {
		const struct iau_hw_field *f = &op->field[i];

		json_object_set_new(fields, f->name,
				    json_u64(iau_hw_get(cmd, f->word, f->lsb, f->width)));
	}
	out = json_pack("{s:b, s:b, s:I, s:s?, s:o}", "known", at->known, "exact", at->exact,
			"offset", (json_int_t)at->offset, "op", op ? op->name : NULL, "fields",
			fields);
	return out;
}

static json_t *json_job(const struct iau_dump_job *j)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			 "id", json_u64(j->id), "client", json_u64(j->client), "cmd_va",
			 json_u64(j->cmd_va), "param_va", json_u64(j->param_va), "age_ns",
			 json_u64(j->age_ns), "cmd_bytes", (json_int_t)j->cmd_bytes, "budget",
			 (json_int_t)j->budget, "tag", (json_int_t)j->tag, "queue",
			 (json_int_t)j->queue, "ring", (json_int_t)j->ring, "slot",
			 (json_int_t)j->slot, "retired", (json_int_t)j->retired, "pid",
			 (json_int_t)j->pid, "process", json_name(j->comm, sizeof(j->comm)));
}

static json_t *json_fault(const struct iau_dump_fault_record *f)
{
	if (!f)
		return json_null();
	return json_pack("{s:s, s:I, s:o, s:I, s:I}", "code", fault_name(f->code), "info",
			 (json_int_t)f->info, "va", json_u64(f->va), "offset",
			 (json_int_t)f->offset, "tag", (json_int_t)f->tag);
}

static void print_json(const struct dump *d)
{
	json_t *mappings = json_array(), *regs = json_object();
	struct dump_position at;
	char name[32];

	dump_locate(d, &at);
	for (size_t i = 0; i < d->mappings; i++)
		json_array_append_new(mappings,
				      json_pack("{s:o, s:o, s:o, s:I}", "va",
						json_u64(d->mapping[i].va), "size",
						json_u64(d->mapping[i].size), "offset",
						json_u64(d->mapping[i].offset), "flags",
						(json_int_t)d->mapping[i].flags));
	for (size_t i = 0; i < d->regs; i++) {
		register_name(d->reg[i].offset, name, sizeof(name));
		json_object_set_new(regs, name, json_integer(d->reg[i].value));
	}
	time_text(d->header.time_ns, name, sizeof(name));
	tool_print_json(json_pack("{s:o, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "device",
				  json_name(d->header.device, sizeof(d->header.device)), "time",
				  name, "reason", reason_name(d->header.reason), "flags",
				  (json_int_t)d->header.flags, "job", json_job(d->job), "fault",
				  json_fault(d->fault), "command", json_command(d, &at),
				  "mappings", mappings, "registers", regs));
}

/* Command line -------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'n':
		o->around = (uint32_t)tool_number(state, "--around", arg, 1 << 20);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "'%s': one file is enough", arg);
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			argp_error(state, "no file: give one, such as "
					  "/sys/class/devcoredump/devcd1/data");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_dump(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "around", 'n', "N", 0, "Show N commands before and after (8)", 0 },
		{ "json", 'j', NULL, 0, "Print JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "FILE",
		.doc = "Shows a core dump of the kernel driver: whose job faulted or hung, and at "
		       "which command.",
	};
	struct options o = { .around = 8 };
	struct dump d;
	size_t bytes;
	char *data;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (tool_read(o.path, &data, &bytes))
		return EXIT_INPUT;
	err = dump_parse(data, bytes, &d);
	if (err)
		fprintf(stderr, "iau: %s: %s\n", o.path, iau_last_error());
	else if (o.json)
		print_json(&d);
	else
		print_dump(&d, &o);
	free(data);
	return err ? EXIT_INPUT : EXIT_OK;
}
