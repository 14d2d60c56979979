/* SPDX-License-Identifier: MIT */
#include "gnuplot.h"
#include "tool.h"

#include <signal.h>
#include <string.h>

/* Names stand between quotes in a script. */
bool gnuplot_takes(const char *path)
{
	return *path && !strpbrk(path, "'\n");
}

FILE *gnuplot_open(void)
{
	/* a gnuplot that is not there reads nothing */
	signal(SIGPIPE, SIG_IGN);
	return popen("gnuplot", "w");
}

int gnuplot_close(FILE *f, const char *option)
{
	if (f && !pclose(f))
		return EXIT_OK;
	fprintf(stderr, "iau: %s: gnuplot failed; apt-get install gnuplot-nox brings it\n", option);
	return EXIT_INPUT;
}
