/* SPDX-License-Identifier: MIT */
/* What the subcommands of iau share. */
#ifndef IAU_TOOL_H
#define IAU_TOOL_H

#include "iau/device.h"
#include "iau/error.h"
#include "iau/model.h"
#include "iau/sampler.h"

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

/* Exit codes, documented in iau(1). */
enum { EXIT_OK, EXIT_USAGE = 2, EXIT_INPUT, EXIT_DEVICE, EXIT_INTERRUPTED = 130 };

/* How a model's KV cache is kept; bits of 0 stand for 8 */
#define TOOL_KV_RECENT 256

struct tool_kv {
	uint32_t key_bits, value_bits, recent;
	uint64_t budget; /* bytes, 0 = none */
};

/* Options of every subcommand that runs a model. */
struct common {
	const char *model, *engine; /* NULL: a card, else ref */
	const char *device; /* node of a card */
	uint64_t seed;
	uint32_t ctx, latency, bus, memory; /* memory: MiB */
	bool json;
	struct iau_attention attention; /* of the session; of a batch always dense */
	struct tool_kv kv;
	const char *load_kv;		/* file that the session comes from */
};

struct loaded {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_session *session;
};

extern const struct argp common_argp;

/* Prints "iau: MESSAGE" and gives the exit code for ERR. */
int tool_fail(int err);
int tool_load(const struct common *c, struct loaded *l);
void tool_unload(struct loaded *l);
/* Reads a file, or standard input for "-". The caller frees. */
int tool_read(const char *path, char **text, size_t *len);
/* 0, or EXIT_INPUT and a message if what NAME gave is not UTF-8. */
int tool_check_utf8(const char *name, const char *text, size_t len);
/* Whole number of an option, or exits with a usage error. */
uint64_t tool_number(const struct argp_state *state, const char *name, const char *arg, uint64_t max);

#define TOOL_LIST_MAX 32

struct tool_list {
	uint32_t v[TOOL_LIST_MAX];
	size_t n;
};

/* Whole numbers of an option, separated by commas: at least one, or a usage error. Cuts ARG up. */
void tool_list(const struct argp_state *state, const char *name, char *arg, uint32_t max, struct tool_list *out);
/* Of --ahead: 1 or more */
uint32_t tool_ahead(const struct argp_state *state, const char *arg);
/* Bytes of an option: a whole number, with K, M or G behind it if wanted; or exits with a usage error. */
uint64_t tool_bytes(const struct argp_state *state, const char *name, const char *arg);
double tool_real(const struct argp_state *state, const char *name, const char *arg, double max);
/* Attention of an option, see iau(1), or exits with a usage error. */
void tool_attention(const struct argp_state *state, const char *name, const char *arg,
		    struct iau_attention *out);
/* Precision of an option: k8v8, k8v4, k4v8 or k4v4, and perhaps how many tokens stay in 8 bits */
void tool_kv(const struct argp_state *state, const char *name, const char *arg, struct tool_kv *kv);
void tool_print_json(json_t *root);
void tool_progress(const char *what, size_t done, size_t total);
/* Set by ^C; long work stops at the next token. */
bool tool_interrupted(void);
void tool_catch_interrupt(void);

/* Counters before and after a piece of work. */
struct meter {
	uint64_t start[16];
};

void meter_start(struct meter *m, struct iau_device *dev);
uint64_t meter_read(const struct meter *m, struct iau_device *dev, unsigned int counter);

int cmd_info(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_perplexity(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_trace(int argc, char **argv);

#endif
