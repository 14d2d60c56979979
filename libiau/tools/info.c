/* SPDX-License-Identifier: MIT */
/* iau info: the device's capabilities. */
#include "tool.h"

#include <stdio.h>

static const struct argp_child children[] = { { &common_argp, 0, "Common options:", 1 }, { 0 } };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = state->input;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void print_info(const struct iau_device_info *i, bool json)
{
	if (json) {
		tool_print_json(json_pack("{s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i}", "engine",
					  i->engine, "timed", i->timed, "rows", i->rows, "lanes",
					  i->lanes, "queues", i->queues, "contexts", i->contexts,
					  "vector_scratchpad_bytes", i->vector_bytes,
					  "tile_scratchpad_bytes", i->tile_bytes));
		return;
	}
	printf("engine             %s (%s)\nmatrix engine      %u x %u INT8\nqueues             %u\n"
	       "contexts           %u\nvector scratchpad  %u KiB\ntile scratchpad    %u KiB\n",
	       i->engine, i->timed ? "cycle-accurate" : "no timing", i->rows, i->lanes, i->queues,
	       i->contexts, i->vector_bytes / 1024, i->tile_bytes / 1024);
}

int cmd_info(int argc, char **argv)
{
	static const struct argp argp = { .parser = parse, .children = children,
					  .doc = "Shows what the device is." };
	struct common c = { .seed = 1 };
	struct iau_device_options opt = { 0 };
	struct iau_device_info i;
	struct iau_device *dev;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &c);
	opt.engine = c.engine;
	opt.node = c.device;
	err = iau_device_open(&opt, &dev);
	if (err)
		return tool_fail(err);
	iau_device_info(dev, &i);
	print_info(&i, c.json);
	iau_device_close(dev);
	return EXIT_OK;
}
