/* SPDX-License-Identifier: MIT */
/* Plots by gnuplot, which is a program of its own. */
#ifndef IAU_TOOLS_GNUPLOT_H
#define IAU_TOOLS_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

/* Whether gnuplot can write a file of that name. */
bool gnuplot_takes(const char *path);
/* Where a script goes; NULL if there is no process to be had. */
FILE *gnuplot_open(void);
/* Waits for it. 0, or an exit code after a message about what OPTION wanted. */
int gnuplot_close(FILE *f, const char *option);

#endif
