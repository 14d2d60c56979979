/* SPDX-License-Identifier: MIT */
/*
 * What a command costs all of the machine, its kernel included:
 *
 *   vm_spend COMMAND [ARGUMENT...]     prints the nanoseconds that tasks ran meanwhile
 *
 * Under QEMU's -icount shift=0 a nanosecond is an instruction. /proc/schedstat (the kernel's
 * Documentation/scheduler/sched-stats.rst) counts what tasks ran, in the kernel and out of it; what
 * interrupts do while the processor idles is not in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The seventh number of a processor's line. The machine has one processor. */
static unsigned long long tasks_ran(void)
{
	unsigned long long ns = 0;
	char line[512];
	FILE *f = fopen("/proc/schedstat", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu0 %*u %*u %*u %*u %*u %*u %llu", &ns) == 1)
			break;
	if (!f || !ns) {
		fprintf(stderr, "vm_spend: /proc/schedstat does not tell\n");
		exit(1);
	}
	fclose(f);
	return ns;
}

/* What a process leaves to the kernel is done a little later: it is the command's, not the next one's. */
static void settle(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
}

int main(int argc, char **argv)
{
	unsigned long long start;
	pid_t pid;
	int status;

	if (argc < 2)
		return fprintf(stderr, "usage: vm_spend COMMAND [ARGUMENT...]\n"), 2;
	settle();
	start = tasks_ran();
	pid = fork();
	if (!pid) {
		/* progress, too, is for nobody */
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "vm_spend: %s failed\n", argv[1]);
		return 1;
	}
	settle();
	printf("%llu\n", tasks_ran() - start);
	return 0;
}
