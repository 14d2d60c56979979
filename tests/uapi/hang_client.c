/* SPDX-License-Identifier: MIT */
/*
 * A client that behaves badly.
 *
 *   hang_client loop N    submits N endless jobs with tag 0xbad, and stays
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int loop(uint32_t n)
{
	struct client c;

	client_open(&c);
	prepare_loop(&c);
	submit_tagged(&c, n, 0xbad);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "loop"))
		return loop((uint32_t)atoi(argv[2]));
	fprintf(stderr, "usage: hang_client loop N\n");
	return 2;
}
