/* SPDX-License-Identifier: MIT */
/* Attention as options name it: dense; sparse:TOKENS or window:TOKENS with what follows in any order. */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* NAME=N at *AT, which goes behind it */
static bool take_number(const char **at, const char *name, uint32_t *out)
{
	size_t n = strlen(name);
	unsigned long v;
	char *end;

	if (strncmp(*at, name, n) || (*at)[n] < '0' || (*at)[n] > '9')
		return false;
	v = strtoul(*at + n, &end, 10);
	if (v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	*at = end;
	return true;
}

static bool parse(const char *spec, struct iau_attention *out)
{
	*out = (struct iau_attention){ 0 };
	if (!strcmp(spec, "dense"))
		return true;
	out->sink = out->recent = 32;
	if (take_number(&spec, "window:", &out->budget))
		out->recent = out->budget;
	else if (!take_number(&spec, "sparse:", &out->budget))
		return false;
	if (!out->budget)
		return false;
	while (*spec)
		if (!take_number(&spec, ",sink=", &out->sink) &&
		    !take_number(&spec, ",recent=", &out->recent) &&
		    !take_number(&spec, ",dense=", &out->dense_layers) &&
		    !take_number(&spec, ",prompt=", &out->prompt_budget) &&
		    !take_number(&spec, ",block=", &out->block))
			return false;
	return true;
}

void tool_attention(const struct argp_state *state, const char *name, const char *arg,
		    struct iau_attention *out)
{
	if (!parse(arg, out))
		argp_error(state, "%s: '%s' is not dense, window:TOKENS or sparse:TOKENS[,sink=N][,recent=N]"
				  "[,dense=N][,prompt=TOKENS][,block=16|32|64]", name, arg);
}
