/* SPDX-License-Identifier: MIT */
/* iau top: what cards and their clients are doing. */
#include "iau_hw.h"
#include "tool.h"
#include "usage.h"

#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_CARDS 16

struct options {
	double seconds;
	bool json;
};

/* Two samples and the cards' counters at both */
struct top {
	struct usage_card card[MAX_CARDS];
	uint64_t before[MAX_CARDS][32];
	size_t cards;
	struct usage old, now;
};

/* What a client used in between; since it was opened if it is new. */
struct rate {
	const struct usage_client *c;
	double busy, jobs; /* part of the time; a second */
};

static double elapsed(const struct top *t)
{
	return (double)(t->now.time_ns - t->old.time_ns) / 1e9;
}

static struct rate rate_of(const struct top *t, const struct usage_client *c)
{
	const struct usage_client *b = usage_before(&t->old, c);
	double s = elapsed(t);

	if (s <= 0)
		s = 1;
	return (struct rate){ c, (double)(c->busy_ns - (b ? b->busy_ns : 0)) / 1e9 / s,
			      (double)(c->jobs - (b ? b->jobs : 0)) / s };
}

static double card_busy(const struct top *t, const struct usage_card *card)
{
	double busy = 0;

	for (size_t i = 0; i < t->now.clients; i++)
		if (!strcmp(t->now.client[i].pdev, card->pdev))
			busy += rate_of(t, &t->now.client[i]).busy;
	return busy < 1 ? busy : 1;
}

/* The next sample, SECONDS after the last. */
static int advance(struct top *t)
{
	usage_free(&t->old);
	t->old = t->now;
	memset(&t->now, 0, sizeof(t->now));
	for (size_t i = 0; i < t->cards; i++) {
		memcpy(t->before[i], t->card[i].counter, sizeof(t->before[i]));
		usage_card_read(&t->card[i]);
	}
	return usage_sample(&t->now);
}

/* JSON ---------------------------------------------------------------------------------------- */

static json_t *json_card(const struct top *t, size_t i)
{
	static const char *const names[] = IAU_COUNTER_NAMES;
	const struct usage_card *card = &t->card[i];
	json_t *counters = card->counters_known ? json_object() : json_null();

	for (size_t k = 0; card->counters_known && k < IAU_NUM_COUNTERS; k++)
		json_object_set_new(counters, names[k],
				    json_integer((json_int_t)(card->counter[k] - t->before[i][k])));
	return json_pack("{s:s, s:s, s:s, s:f, s:o}", "node", card->node, "pdev", card->pdev,
			 "power", card->power, "busy", card_busy(t, card), "counters", counters);
}

static json_t *json_client(const struct top *t, const struct usage_client *c)
{
	struct rate r = rate_of(t, c);

	return json_pack("{s:s, s:I, s:i, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "pdev",
			 c->pdev, "client", (json_int_t)c->id, "pid", c->pid, "process", c->comm,
			 "busy", r.busy, "jobs_per_s", r.jobs, "jobs", (json_int_t)c->jobs, "queues",
			 (json_int_t)c->queues, "address_spaces", (json_int_t)c->vms,
			 "total_bytes", (json_int_t)c->total, "resident_bytes",
			 (json_int_t)c->resident, "active_bytes", (json_int_t)c->active);
}

static json_t *json_kv(const struct usage_kv *p)
{
	const struct iau_kv_usage *u = &p->kv;

	return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "pid", p->pid, "process", p->comm,
			 "budget_bytes", (json_int_t)u->budget, "device_bytes", (json_int_t)u->device,
			 "device_packed_bytes", (json_int_t)u->device_packed, "host_bytes",
			 (json_int_t)u->host, "packed", (json_int_t)u->packed, "demoted",
			 (json_int_t)u->demoted, "promoted", (json_int_t)u->promoted, "pages_demoted",
			 (json_int_t)u->pages_demoted, "pages_promoted", (json_int_t)u->pages_promoted);
}

static void print_json(const struct top *t)
{
	json_t *devices = json_array(), *clients = json_array(), *kv = json_array();

	for (size_t i = 0; i < t->cards; i++)
		json_array_append_new(devices, json_card(t, i));
	for (size_t i = 0; i < t->now.clients; i++)
		json_array_append_new(clients, json_client(t, &t->now.client[i]));
	for (size_t i = 0; i < t->now.kvs; i++)
		json_array_append_new(kv, json_kv(&t->now.kv[i]));
	tool_print_json(json_pack("{s:f, s:o, s:o, s:o}", "seconds", elapsed(t), "devices", devices,
				  "clients", clients, "kv_caches", kv));
}

/* Screen -------------------------------------------------------------------------------------- */

static int by_busy(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return (x->busy < y->busy) - (x->busy > y->busy);
}

/* The next line of the screen, cut off where the screen ends. */
__attribute__((format(printf, 3, 4)))
static void draw_line(int *y, attr_t attr, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	attron(attr);
	mvaddnstr((*y)++, 0, text, COLS);
	attroff(attr);
}

static void draw_card(const struct top *t, size_t i, int *y)
{
	static const char full[] = "||||||||||||||||||||||||||||||";
	const struct usage_card *card = &t->card[i];
	double busy = card_busy(t, card), s = elapsed(t);
	int width = sizeof(full) - 1;

	draw_line(y, A_NORMAL, "%s  %s  %s", card->node, card->pdev, card->power);
	draw_line(y, A_NORMAL, "  engine [%-*.*s] %5.1f%%", width, (int)(busy * width + 0.5), full,
		  busy * 100);
	if (card->counters_known && s > 0)
		draw_line(y, A_NORMAL, "  %.1f GMAC/s  load %.1f MB/s  store %.1f MB/s  faults %llu",
			  (double)(card->counter[IAU_CNT_MACS_I8] - t->before[i][IAU_CNT_MACS_I8] +
				   card->counter[IAU_CNT_MACS_I4] - t->before[i][IAU_CNT_MACS_I4]) / s / 1e9,
			  (double)(card->counter[IAU_CNT_LOAD_BYTES] - t->before[i][IAU_CNT_LOAD_BYTES]) / s / 1e6,
			  (double)(card->counter[IAU_CNT_STORE_BYTES] - t->before[i][IAU_CNT_STORE_BYTES]) / s / 1e6,
			  (unsigned long long)card->counter[IAU_CNT_FAULTS]);
}

static double mib(uint64_t bytes)
{
	return (double)bytes / 1048576;
}

static void draw_clients(const struct top *t, int *y)
{
	struct rate *r = calloc(t->now.clients + 1, sizeof(*r));

	for (size_t i = 0; r && i < t->now.clients; i++)
		r[i] = rate_of(t, &t->now.client[i]);
	if (r)
		qsort(r, t->now.clients, sizeof(*r), by_busy);
	draw_line(y, A_REVERSE, "%7s %-16s %6s %8s %6s %9s %9s %9s  %s", "PID", "PROCESS", "BUSY%",
		  "JOBS/S", "QUEUES", "MEM MiB", "RESIDENT", "ACTIVE", "DEVICE");
	for (size_t i = 0; r && i < t->now.clients; i++)
		draw_line(y, A_NORMAL, "%7d %-16s %6.1f %8.1f %6llu %9.1f %9.1f %9.1f  %s", r[i].c->pid,
			  r[i].c->comm, r[i].busy * 100, r[i].jobs,
			  (unsigned long long)r[i].c->queues, mib(r[i].c->total),
			  mib(r[i].c->resident), mib(r[i].c->active),
			  r[i].c->pdev);
	free(r);
}

/* Tiers of KV caches: device memory, of it what has 4 bits, host memory; and slabs and single pages that moved between two looks */
static void draw_kv(const struct top *t, int *y)
{
	draw_line(y, A_REVERSE, "%7s %-13s %10s %7s %9s %7s %6s %7s %8s %8s %7s", "PID", "KV CACHES OF",
		  "BUDGET MiB", "DEVICE", "OF 4 BITS", "HOST", "PACKED", "DEMOTED", "PROMOTED", "PAGE OUT", "PAGE IN");
	for (size_t i = 0; i < t->now.kvs; i++) {
		const struct usage_kv *p = &t->now.kv[i];
		struct iau_kv_usage b = usage_kv_before(&t->old, p->pid);

		draw_line(y, A_NORMAL, "%7d %-13.13s %10.1f %7.1f %9.1f %7.1f %6llu %7llu %8llu %8llu %7llu",
			  p->pid, p->comm, mib(p->kv.budget), mib(p->kv.device), mib(p->kv.device_packed), mib(p->kv.host),
			  (unsigned long long)(p->kv.packed - b.packed),
			  (unsigned long long)(p->kv.demoted - b.demoted),
			  (unsigned long long)(p->kv.promoted - b.promoted),
			  (unsigned long long)(p->kv.pages_demoted - b.pages_demoted),
			  (unsigned long long)(p->kv.pages_promoted - b.pages_promoted));
	}
}

static int run_screen(struct top *t, double seconds)
{
	int err = 0;
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen) {
		fprintf(stderr, "iau: the terminal is not known; TERM says what it is\n");
		return EXIT_INPUT;
	}
	noecho();
	curs_set(0);
	timeout((int)(seconds * 1000));
	do {
		int y = 0;

		erase();
		for (size_t i = 0; i < t->cards; i++)
			draw_card(t, i, &y);
		y++;
		draw_clients(t, &y);
		if (t->now.kvs) {
			y++;
			draw_kv(t, &y);
		}
		refresh();
		if (getch() == 'q')
			break;
		err = advance(t);
	} while (!err && !tool_interrupted());
	endwin();
	delscreen(screen);
	return err ? EXIT_INPUT : EXIT_OK;
}

/* Command line -------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->seconds = tool_real(state, "--delay", arg, 3600);
		if (o->seconds < 0.01)
			argp_error(state, "--delay: at least 0.01");
		return 0;
	case 'j':
		o->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void wait_seconds(double s)
{
	struct timespec t = { .tv_sec = (time_t)s };

	t.tv_nsec = (long)((s - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
}

static int run(struct top *t, const struct options *o)
{
	int err = usage_sample(&t->now);

	if (!err) {
		wait_seconds(o->json ? o->seconds : 0.1);
		err = advance(t);
	}
	if (err) {
		fprintf(stderr, "iau: /proc: %s\n", strerror(-err));
		return EXIT_INPUT;
	}
	if (!o->json)
		return run_screen(t, o->seconds);
	print_json(t);
	return EXIT_OK;
}

int cmd_top(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "delay", 'd', "SECONDS", 0, "Between two looks (1)", 0 },
		{ "json", 'j', NULL, 0, "Print one sample as JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Shows what the cards behind the kernel driver and their clients are doing. "
		       "'q' ends it.",
	};
	struct options o = { .seconds = 1 };
	struct top t = { 0 };
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.json && !isatty(1)) {
		fprintf(stderr, "iau: standard output is no terminal; --json prints one sample\n");
		return EXIT_INPUT;
	}
	t.cards = usage_cards(t.card, MAX_CARDS);
	if (!t.cards) {
		fprintf(stderr, "iau: no card of the iau driver in /dev/accel\n");
		return EXIT_DEVICE;
	}
	tool_catch_interrupt();
	code = run(&t, &o);
	usage_free(&t.old);
	usage_free(&t.now);
	usage_cards_close(t.card, t.cards);
	return code;
}
