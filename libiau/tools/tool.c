/* SPDX-License-Identifier: MIT */
#include "tool.h"
#include "base/utf8.h"
#include "iau_hw.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void tool_catch_interrupt(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &sa, NULL);
}

bool tool_interrupted(void)
{
	return interrupted;
}

int tool_fail(int err)
{
	fprintf(stderr, "iau: %s\n", iau_last_error());
	return err == -EIO || err == -ENODEV ? EXIT_DEVICE : EXIT_INPUT;
}

uint64_t tool_number(const struct argp_state *state, const char *name, const char *arg, uint64_t max)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(arg, &end, 0);
	if (errno || *end || end == arg || *arg == '-' || v > max)
		argp_error(state, "%s: '%s' is not a whole number from 0 to %llu", name, arg,
			   (unsigned long long)max);
	return v;
}

uint32_t tool_ahead(const struct argp_state *state, const char *arg)
{
	uint32_t n = (uint32_t)tool_number(state, "--ahead", arg, 1 << 20);

	if (!n)
		argp_error(state, "--ahead: no token");
	return n;
}

uint64_t tool_bytes(const struct argp_state *state, const char *name, const char *arg)
{
	static const char units[] = "KMG";
	size_t n = strlen(arg);
	const char *unit = n ? strchr(units, arg[n - 1]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	char *number = strndup(arg, unit ? n - 1 : n), *end;
	unsigned long long v;

	if (!number)
		argp_failure(state, EXIT_INPUT, 0, "out of memory");
	errno = 0;
	v = strtoull(number, &end, 10);
	if (errno || *end || end == number || *number == '-' || v > UINT64_MAX >> shift || !v)
		argp_error(state, "%s: '%s' is not a number of bytes, such as 8M", name, arg);
	free(number);
	return (uint64_t)v << shift;
}

double tool_real(const struct argp_state *state, const char *name, const char *arg, double max)
{
	char *end;
	double v = strtod(arg, &end);

	if (*end || end == arg || !(v >= 0 && v <= max))
		argp_error(state, "%s: '%s' is not a number from 0 to %g", name, arg, max);
	return v;
}

void tool_list(const struct argp_state *state, const char *name, char *arg, uint32_t max, struct tool_list *out)
{
	char *rest;

	out->n = 0;
	for (char *word = strtok_r(arg, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (out->n == TOOL_LIST_MAX)
			argp_error(state, "%s: more than %d numbers", name, TOOL_LIST_MAX);
		out->v[out->n++] = (uint32_t)tool_number(state, name, word, max);
	}
	if (!out->n)
		argp_error(state, "%s: no number", name);
}

enum { OPT_MEMORY = 512, OPT_DEVICE, OPT_BUS, OPT_ATTENTION, OPT_KV, OPT_KV_BUDGET };

void tool_kv(const struct argp_state *state, const char *name, const char *arg, struct tool_kv *kv)
{
	static const char recent[] = ",recent=";
	size_t n = strcspn(arg, ",");

	if (n != 4 || arg[0] != 'k' || arg[2] != 'v' || !strchr("48", arg[1]) || !strchr("48", arg[3]) ||
	    (arg[n] && strncmp(arg + n, recent, sizeof(recent) - 1)))
		argp_error(state, "%s: '%s' is not k8v8, k8v4, k4v8 or k4v4, with ,recent=TOKENS or without",
			   name, arg);
	kv->key_bits = (uint32_t)(arg[1] - '0');
	kv->value_bits = (uint32_t)(arg[3] - '0');
	kv->recent = arg[n] ? (uint32_t)tool_number(state, name, arg + n + sizeof(recent) - 1, 1 << 20) :
			      TOOL_KV_RECENT;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct common *c = state->input;

	switch (key) {
	case 'm':
		c->model = arg;
		return 0;
	case 'e':
		c->engine = arg;
		return 0;
	case OPT_DEVICE:
		c->device = arg;
		return 0;
	case 's':
		c->seed = tool_number(state, "--seed", arg, UINT64_MAX);
		return 0;
	case 'c':
		c->ctx = (uint32_t)tool_number(state, "--ctx", arg, 1 << 20);
		return 0;
	case 'L':
		c->latency = (uint32_t)tool_number(state, "--latency", arg, 100000);
		return 0;
	case OPT_BUS:
		c->bus = (uint32_t)tool_number(state, "--bus", arg, 64);
		return 0;
	case OPT_MEMORY:
		c->memory = (uint32_t)tool_number(state, "--memory", arg, 1 << 16);
		return 0;
	case OPT_ATTENTION:
		tool_attention(state, "--attention", arg, &c->attention);
		return 0;
	case OPT_KV:
		tool_kv(state, "--kv", arg, &c->kv);
		return 0;
	case OPT_KV_BUDGET:
		c->kv.budget = tool_bytes(state, "--kv-budget", arg);
		return 0;
	case 'j':
		c->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option common_options[] = {
	{ "model", 'm', "FILE", 0, "GGUF model file", 1 },
	{ "engine", 'e', "rtl|ref|ref:2", 0, "The Verilated hardware, or its bit-exact model without time, "
	  "with one thread or two; default: a card if the kernel has one, else ref", 1 },
	{ "device", OPT_DEVICE, "NODE", 0, "A card behind the kernel driver, such as /dev/accel/accel0", 1 },
	{ "seed", 's', "N", 0, "Seed of sampling and of the memory model's jitter (1)", 1 },
	{ "ctx", 'c', "N", 0, "Limit the context to N tokens", 1 },
	{ "latency", 'L', "CYCLES", 0, "Latency of the memory model (100)", 1 },
	{ "bus", OPT_BUS, "BYTES", 0, "Bytes a cycle of the memory model, 1 to 64 (64)", 1 },
	{ "memory", OPT_MEMORY, "MIB", 0, "Memory of the device, 2 to 65536 MiB (65536)", 1 },
	{ "attention", OPT_ATTENTION, "HOW", 0, "dense, or sparse:TOKENS, what a new token attends to at "
	  "most, chosen in blocks of 32; ,prompt=TOKENS: and those of a prompt (all); ,sink=N ,recent=N: "
	  "always among them (32); ,dense=N: layers that attend to all (0); ,block=16|32|64 (32). window:TOKENS: the newest", 1 },
	{ "kv", OPT_KV, "HOW", 0, "k8v8, or k8v4, k4v8, k4v4: keys or values in 4 bits; ,recent=TOKENS: newest ones "
	  "that stay in 8, at least (256)", 1 },
	{ "kv-budget", OPT_KV_BUDGET, "BYTES", 0, "Device memory of KV caches at most, such as 8M; what is "
	  "more waits in host memory until it is attended to", 1 },
	{ "json", 'j', NULL, 0, "Print JSON", 1 },
	{ 0 },
};

const struct argp common_argp = { .options = common_options, .parser = parse_common };

int tool_load(const struct common *c, struct loaded *l)
{
	struct iau_device_options opt = { .engine = c->engine, .node = c->device, .latency = c->latency,
					  .bus = c->bus, .seed = c->seed,
					  .memory = (uint64_t)c->memory << 20 };
	struct iau_model_info info;
	int err;

	memset(l, 0, sizeof(*l));
	err = iau_device_open(&opt, &l->dev);
	if (!err)
		err = iau_model_load(l->dev, c->model, c->ctx, &l->model);
	if (!err)
		err = iau_model_kv_budget(l->model, c->kv.budget);
	if (!err && c->kv.key_bits)
		err = iau_model_kv_precision(l->model, c->kv.key_bits, c->kv.value_bits, c->kv.recent);
	if (!err)
		err = c->load_kv ? iau_session_load(l->model, c->load_kv, &l->session) :
				   iau_session_create(l->model, &l->session);
	if (!err)
		err = iau_session_attention(l->session, &c->attention);
	if (err) {
		tool_unload(l);
		return err;
	}
	iau_model_info(l->model, &info);
	if (info.requantised)
		fprintf(stderr, "iau: %s: float matrices were quantised to Q8_0\n", c->model);
	return 0;
}

void tool_unload(struct loaded *l)
{
	iau_session_free(l->session);
	iau_model_free(l->model);
	iau_device_close(l->dev);
}

int tool_read(const char *path, char **text, size_t *len)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t cap = 1 << 16, n = 0, got;
	char *p = malloc(cap);

	while (f && p && (got = fread(p + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap) {
			char *q = realloc(p, cap *= 2);

			if (!q)
				free(p);
			p = q;
		}
	}
	if (!f || !p || ferror(f)) {
		fprintf(stderr, "iau: %s: %s\n", strcmp(path, "-") ? path : "standard input",
			strerror(errno));
		free(p);
		if (f && f != stdin)
			fclose(f);
		return -1;
	}
	if (f != stdin)
		fclose(f);
	*text = p;
	*len = n;
	return 0;
}

int tool_check_utf8(const char *name, const char *text, size_t len)
{
	for (size_t i = 0, used; i < len; i += used) {
		uint32_t c = utf8_decode_lenient(text + i, len - i, &used);

		if (used == 1 ? (unsigned char)text[i] > 127 : c >= 0xd800 && c < 0xe000) {
			fprintf(stderr, "iau: %s: byte %zu (0x%02x) is not UTF-8\n", name, i,
				(unsigned char)text[i]);
			return EXIT_INPUT;
		}
	}
	return EXIT_OK;
}

void tool_print_json(json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

void tool_progress(const char *what, size_t done, size_t total)
{
	if (!isatty(2))
		return;
	fprintf(stderr, done < total ? "\r%s %zu/%zu" : "\r\033[K", what, done, total);
	fflush(stderr);
}

void meter_start(struct meter *m, struct iau_device *dev)
{
	for (unsigned int i = 0; i < IAU_NUM_COUNTERS; i++)
		m->start[i] = iau_device_counter(dev, i);
}

uint64_t meter_read(const struct meter *m, struct iau_device *dev, unsigned int counter)
{
	return iau_device_counter(dev, counter) - m->start[counter];
}
