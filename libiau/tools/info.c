/* SPDX-License-Identifier: MIT */
/* iau info: the device's capabilities. */
#include "tool.h"
#include "usage.h"

#include <stdio.h>

#define MAX_CARDS 16

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

static json_t *json_info(const struct iau_device_info *i)
{
	return json_pack("{s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i}", "engine", i->engine, "timed",
			 i->timed, "rows", i->rows, "lanes", i->lanes, "queues", i->queues, "contexts",
			 i->contexts, "vector_scratchpad_bytes", i->vector_bytes,
			 "tile_scratchpad_bytes", i->tile_bytes);
}

static void print_info(const struct iau_device_info *i)
{
	printf("engine             %s (%s)\nmatrix engine      %u x %u INT8\nqueues             %u\n"
	       "contexts           %u\nvector scratchpad  %u KiB\ntile scratchpad    %u KiB\n",
	       i->engine, i->timed ? "cycle-accurate" : "no timing", i->rows, i->lanes, i->queues,
	       i->contexts, i->vector_bytes / 1024, i->tile_bytes / 1024);
}

int cmd_info(int argc, char **argv)
{
	static const struct argp argp = { .parser = parse, .children = children,
					  .doc = "Shows what the device is, or each card if there "
						 "are several." };
	struct common c = { .seed = 1 };
	struct iau_device_options opt = { 0 };
	struct iau_device_info i;
	struct iau_device *dev;
	struct usage_card card[MAX_CARDS];
	json_t *all = json_array();
	size_t cards = 0;
	int err = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &c);
	opt.engine = c.engine;
	opt.node = c.device;
	if (!opt.engine && !opt.node)
		cards = usage_cards(card, MAX_CARDS);
	/* one at least: what was asked for, or what a model would run on */
	for (size_t n = 0; !err && n < (cards ? cards : 1); n++) {
		if (cards)
			opt.node = card[n].node;
		err = iau_device_open(&opt, &dev);
		if (err)
			break;
		iau_device_info(dev, &i);
		if (n && !c.json)
			putchar('\n');
		if (c.json)
			json_array_append_new(all, json_info(&i));
		else
			print_info(&i);
		iau_device_close(dev);
	}
	usage_cards_close(card, cards);
	if (c.json && !err)
		tool_print_json(json_array_size(all) == 1 ? json_incref(json_array_get(all, 0)) :
						      json_incref(all));
	json_decref(all);
	return err ? tool_fail(err) : EXIT_OK;
}
