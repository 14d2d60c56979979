/* SPDX-License-Identifier: MIT */
/* iau-vfio: the device as a PCI card for a virtual machine, over a vfio-user socket. */
#include "server.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct options {
	const char *engine, *path, *count;
	struct iau_dev_timing timing;
	struct inject_plan inject;
};

enum { OPT_DROP = 256, OPT_REPEAT, OPT_CORRUPT, OPT_STALL, OPT_STALL_TAG, OPT_STUCK, OPT_DIE, OPT_VANISH };

static const struct argp_option options[] = {
	{ "engine", 'e', "NAME", 0,
	  "rtl (the Verilated hardware), ref (the C model, default) or ref:2 (the same with two threads)", 0 },
	{ "seed", 's', "N", 0, "Seed of the memory's jitter (rtl)", 0 },
	{ "latency", 'L', "CYCLES", 0, "Memory latency (rtl; default 100)", 0 },
	{ "count", 'C', "FILE", 0,
	  "Write there how often each client has read and written registers, when it goes", 0 },
	{ NULL, 0, NULL, 0, "Faults on purpose, counted from 1 over all queues:", 1 },
	{ "drop-irq", OPT_DROP, "N[/EVERY]", 0,
	  "Lose the Nth interrupt, and every EVERYth behind it", 1 },
	{ "repeat-irq", OPT_REPEAT, "N[/EVERY]", 0, "Raise the Nth interrupt twice", 1 },
	{ "corrupt-record", OPT_CORRUPT, "N[/EVERY]", 0,
	  "Invert the fence value in the Nth job's completion record", 1 },
	{ "stall", OPT_STALL, "N[:MICROSECONDS]", 0,
	  "Stand still before job N, for so long or until a queue or the device is reset", 1 },
	{ "stall-tag", OPT_STALL_TAG, "TAG", 0,
	  "Stand still within each job with this tag, until a reset", 1 },
	{ "stuck", OPT_STUCK, "queue|function", 0,
	  "A stalled device ignores resets of queues, or of the function, too; not those by the bus", 1 },
	{ "die-after", OPT_DIE, "N", 0,
	  "Exit once N jobs are done, before the last one's interrupt", 1 },
	{ "vanish-after", OPT_VANISH, "N", 0,
	  "Read as all ones once N jobs are done, as a card that was pulled out", 1 },
	{ 0 },
};

/* Up to END, which is what follows the number. */
static uint64_t number(const struct argp_state *state, const char *arg, uint64_t max, char **end)
{
	unsigned long long v;
	char *e;

	errno = 0;
	v = strtoull(arg, &e, 0);
	if (errno || e == arg || *arg == '-' || v > max || (*e && !end))
		argp_error(state, "'%s' is not a whole number from 0 to %llu", arg,
			   (unsigned long long)max);
	if (end)
		*end = e;
	return v;
}

static void parse_stall(struct options *o, const char *arg, const struct argp_state *state)
{
	char *end;

	o->inject.stall_job = number(state, arg, UINT64_MAX, &end);
	if (*end == ':')
		o->inject.stall_us = number(state, end + 1, UINT32_MAX, NULL);
	else if (*end)
		argp_error(state, "--stall: '%s' is not N or N:MICROSECONDS", arg);
}

static struct inject_when when(const struct argp_state *state, const char *arg)
{
	struct inject_when w = { 0 };
	char *end;

	w.first = number(state, arg, UINT64_MAX, &end);
	if (*end == '/')
		w.every = number(state, end + 1, UINT64_MAX, NULL);
	else if (*end)
		argp_error(state, "'%s' is not N or N/EVERY", arg);
	return w;
}

static enum inject_stuck stuck(const struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "queue"))
		return INJECT_STUCK_QUEUE;
	if (strcmp(arg, "function"))
		argp_error(state, "--stuck: '%s' is not queue or function", arg);
	return INJECT_STUCK_FUNCTION;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'e':
		o->engine = arg;
		return 0;
	case 's':
		o->timing.seed = number(state, arg, UINT64_MAX, NULL);
		return 0;
	case 'L':
		o->timing.latency = (uint32_t)number(state, arg, 100000, NULL);
		return 0;
	case 'C':
		o->count = arg;
		return 0;
	case OPT_DROP:
		o->inject.drop_irq = when(state, arg);
		return 0;
	case OPT_REPEAT:
		o->inject.repeat_irq = when(state, arg);
		return 0;
	case OPT_CORRUPT:
		o->inject.corrupt_record = when(state, arg);
		return 0;
	case OPT_STALL:
		parse_stall(o, arg, state);
		return 0;
	case OPT_STALL_TAG:
		o->inject.stall_tags = true;
		o->inject.stall_tag = (uint32_t)number(state, arg, UINT32_MAX, NULL);
		return 0;
	case OPT_STUCK:
		o->inject.stuck = stuck(state, arg);
		return 0;
	case OPT_DIE:
		o->inject.die_after = number(state, arg, UINT64_MAX, NULL);
		return 0;
	case OPT_VANISH:
		o->inject.vanish_after = number(state, arg, UINT64_MAX, NULL);
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "'%s': one socket is enough", arg);
		o->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			argp_error(state, "no socket: give its path");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *socket_path;

/* Nothing of the server outlives it but the socket's name. */
static void on_signal(int sig)
{
	(void)sig;
	unlink(socket_path);
	_exit(0);
}

/* What is left of a server that died makes way; a living one does not. */
static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return -EADDRINUSE;
	if (errno == ECONNREFUSED)
		unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		return -errno;
	return fd;
}

static void count(const struct server *s, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "reads %llu\nwrites %llu\n", (unsigned long long)s->reads,
			  (unsigned long long)s->writes) < 0)
		fprintf(stderr, "iau-vfio: %s: %s\n", path, strerror(errno));
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "SOCKET",
		.doc = "Serves the device as a PCI card over the vfio-user protocol, one client "
		       "after the other. A line 'ready' is printed once SOCKET can be connected "
		       "to; SIGTERM ends it.",
	};
	struct options o = { .engine = "ref", .timing = IAU_DEV_TIMING_DEFAULT };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t terms;
	const struct iau_dev_ops *ops;
	static struct server server;
	int listener;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	ops = iau_dev_engine(o.engine);
	if (!ops) {
		fprintf(stderr, "iau-vfio: engine '%s': unknown; there are rtl, ref and ref:2\n",
			o.engine);
		return 2;
	}
	listener = listen_at(o.path);
	if (listener < 0) {
		fprintf(stderr, "iau-vfio: %s: %s\n", o.path, strerror(-listener));
		return 1;
	}
	/* of all threads only this one, and with --count only while nobody is being counted */
	sigemptyset(&terms);
	sigaddset(&terms, SIGTERM);
	sigprocmask(SIG_BLOCK, &terms, NULL);
	if (server_open(&server, ops, &o.timing, &o.inject))
		return 1;
	socket_path = o.path;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd;

		sigprocmask(SIG_UNBLOCK, &terms, NULL);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != ECONNABORTED)
			break;
		if (fd < 0)
			continue;
		if (o.count)
			sigprocmask(SIG_BLOCK, &terms, NULL);
		server_client(&server, fd);
		if (o.count)
			count(&server, o.count);
	}
	fprintf(stderr, "iau-vfio: %s: %s\n", o.path, strerror(errno));
	return 1;
}
