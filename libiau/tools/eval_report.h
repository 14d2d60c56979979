/* SPDX-License-Identifier: MIT */
/* Ways to show what iau eval measured. */
#ifndef IAU_EVAL_REPORT_H
#define IAU_EVAL_REPORT_H

#include "eval_cells.h"

void eval_print(const struct eval_setting *setting, uint32_t settings,
		const struct eval_cells *cells);

/* Everything, with every answer; the caller adds what it was measured of. */
json_t *eval_json(const struct eval_setting *setting, const struct eval_results *results,
		  const struct eval_cells *cells);

/* Whether there will be something to draw, and a file for it. 0, or an exit code after a message. */
int eval_check_svg(const char *path, uint32_t tasks);
/* A heat map of right answers by length and depth for each task and setting; the same. */
int eval_write_svg(const char *path, uint32_t settings, const struct eval_cells *cells);

#endif
