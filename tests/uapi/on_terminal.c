/* SPDX-License-Identifier: MIT */
/*
 * on_terminal TEXT KEYS COMMAND...: runs a command on a terminal with 24 lines of 100 columns and passes
 * on what it writes there; once it has written TEXT, KEYS are typed. Its exit code is the command's.
 */
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 100 };
	static char all[1 << 20];
	int terminal, status, typed = 0;
	size_t n = 0;
	ssize_t got;
	pid_t child;

	if (argc < 4) {
		fprintf(stderr, "usage: on_terminal TEXT KEYS COMMAND...\n");
		return 2;
	}
	child = forkpty(&terminal, NULL, NULL, &size);
	if (!child) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (child < 0) {
		perror("on_terminal");
		return 2;
	}
	/* an error is how a terminal without programs ends */
	while (n < sizeof(all) && (got = read(terminal, all + n, sizeof(all) - n)) > 0) {
		n += (size_t)got;
		if (!typed && memmem(all, n, argv[1], strlen(argv[1])))
			typed = write(terminal, argv[2], strlen(argv[2])) > 0;
	}
	fwrite(all, 1, n, stdout);
	close(terminal);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
