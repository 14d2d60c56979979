/* SPDX-License-Identifier: MIT */
/* The iau command: one binary, subcommands. */
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *doc;
} commands[] = {
	{ "info", cmd_info, "show what the device is" },
	{ "run", cmd_run, "let a model write text" },
	{ "perplexity", cmd_perplexity, "negative log-likelihood of a text" },
	{ "tokenize", cmd_tokenize, "show a text's tokens" },
	{ "bench", cmd_bench, "device cycles of prefill and decode" },
	{ "eval", cmd_eval, "right answers by task, length and depth" },
	{ "trace", cmd_trace, "what every command did and when, for Perfetto" },
	{ "top", cmd_top, "show what cards and their clients are doing" },
	{ "dump", cmd_dump, "show a core dump of the driver" },
};

static int usage(FILE *f)
{
	fprintf(f, "Usage: iau COMMAND [OPTION...]\n\nCommands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].doc);
	fprintf(f, "\n'iau COMMAND --help' shows a command's options.\n");
	return f == stdout ? EXIT_OK : EXIT_USAGE;
}

/* Output that did not arrive is a failure, whatever the command made of it. */
static int finish(int code)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (!fclose(stdout) && !failed)
		return code;
	fprintf(stderr, "iau: standard output: %s\n", errno ? strerror(errno) : "not all was written");
	return EXIT_INPUT;
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return usage(stdout);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		static char name[32]; /* argp keeps it */

		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "iau %s", argv[1]);
		argv[1] = name;
		return finish(commands[i].run(argc - 1, argv + 1));
	}
	fprintf(stderr, "iau: unknown command '%s'\n", argv[1]);
	return usage(stderr);
}
