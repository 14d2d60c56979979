/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of the kernel fails in turn. Needs a kernel that can do so (/proc/self/fail-nth).
 *
 *   failnth                         a client's whole life, for every allocation in it
 *   failnth SEED RUNS COMMAND...    a program's run, for every allocation of the driver in it, or for
 *                                   RUNS that lie evenly among them, from where SEED says
 *
 * What fails must say ENOMEM, or a program must end by itself, and write what it writes otherwise if
 * it ends well; another client's jobs go on. Whether something was lost is for kmemleak to see
 * afterwards.
 */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST	1000000	/* allocations in any of this */

static void write_number(const char *path, const char *number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, number, strlen(number)) < 0) {
		fprintf(stderr, "failnth: %s: %s; it needs the debug kernel (make check-debug)\n", path,
			strerror(errno));
		exit(2);
	}
	close(fd);
}

/* A file of each of the two that make allocations fail: of slabs, of pages */
static void write_both(const char *file, unsigned long value)
{
	char path[64], number[32];

	snprintf(number, sizeof(number), "%#lx", value);
	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", file);
	write_number(path, number);
	snprintf(path, sizeof(path), "/sys/kernel/debug/fail_page_alloc/%s", file);
	write_number(path, number);
}

/* Where the kernel's functions lie: those of MODULE, or the one with NAME */
static void find_text(const char *module, const char *name, unsigned long *start, unsigned long *end)
{
	unsigned long at, from = 0;
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char type, line[512], symbol[256], in[64];

	*start = -1ul;
	*end = 0;
	while (symbols && fgets(line, sizeof(line), symbols)) {
		in[0] = '\0';
		if (sscanf(line, "%lx %c %255s [%63[^]]", &at, &type, symbol, in) < 3 ||
		    (type | ' ') != 't')
			continue;
		/* a function ends where the next one begins */
		if (from && !*end && at > from)
			*end = at;
		if (name && !strcmp(symbol, name))
			*start = from = at;
		if (module && !strcmp(in, module)) {
			*start = at < *start ? at : *start;
			*end = at >= *end ? (at | (PAGE - 1)) + 1 : *end;
		}
	}
	if (symbols)
		fclose(symbols);
	if (*end <= *start) {
		fprintf(stderr, "failnth: %s is not in /proc/kallsyms\n", module ? module : name);
		exit(2);
	}
}

/*
 * Allocations that may wait fail, too, and nothing is printed about it. Those of DMA debugging do not:
 * it would look at nothing any more.
 */
static void set_up(void)
{
	unsigned long start, end;

	write_number("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_number("/sys/kernel/debug/failslab/verbose", "0");
	write_number("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_number("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_number("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_number("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	find_text(NULL, "add_dma_entry", &start, &end);
	write_both("reject-start", start);
	write_both("reject-end", end);
}

/* Only what has the driver in its stack is counted from here on. */
static void only_the_driver(void)
{
	unsigned long start, end;

	find_text("iau", NULL, &start, &end);
	write_both("require-start", start);
	write_both("require-end", end);
}

static int fail_file = -1;

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_file, text, len, 0) != len)
		exit(2);
}

/* What is left to count: 0 if an allocation has failed */
static unsigned int left(int file)
{
	char text[16] = "";

	if (pread(file, text, sizeof(text) - 1, 0) <= 0)
		exit(2);
	return strtoul(text, NULL, 10);
}

static int share(struct client *c)
{
	struct drm_prime_handle out = { .handle = c->src_bo, .flags = O_CLOEXEC | O_RDWR };
	struct drm_prime_handle in = { };
	int err = ask(c->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &out);

	if (err)
		return err;
	in.fd = out.fd;
	err = ask(c->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &in);
	close(out.fd);
	return err;
}

static int grow(struct client *c)
{
	struct drm_iau_bo_create kv = { .size = 64 * PAGE, .flags = DRM_IAU_BO_KV, .vm_id = c->vm };
	struct drm_iau_range range = { .offset = 0, .size = 3 * PAGE };
	struct drm_iau_bo_commit commit = {
		.ranges = { sizeof(range), 1, (uintptr_t)&range },
	};
	int err = ask(c->fd, DRM_IOCTL_IAU_BO_CREATE, &kv);

	if (err)
		return err;
	err = bind(c, DRM_IAU_BIND_WRITE, kv.handle, 0, 0x10000000, kv.size);
	commit.handle = kv.handle;
	if (!err)
		err = ask(c->fd, DRM_IOCTL_IAU_BO_COMMIT, &commit);
	commit.flags = DRM_IAU_COMMIT_RELEASE;
	if (!err)
		err = ask(c->fd, DRM_IOCTL_IAU_BO_COMMIT, &commit);
	return err;
}

/* A large mapping, cut in the middle, by a job and at once */
static int rebind(struct client *c)
{
	struct drm_iau_bind_op op = {
		.flags = DRM_IAU_BIND_UNMAP, .va = 0x20000000 + 5 * PAGE, .size = PAGE,
	};
	struct drm_iau_vm_bind args = {
		.vm_id = c->vm,
		.flags = DRM_IAU_VM_BIND_ASYNC,
		.ops = { sizeof(op), 1, (uintptr_t)&op },
	};
	uint32_t bo;
	int err = bo_create(c->fd, 3 << 20, &bo);

	if (!err)
		err = bind(c, 0, bo, 0, 0x20000000, 3 << 20);
	if (!err)
		err = ask(c->fd, DRM_IOCTL_IAU_VM_BIND, &args);
	return err ? err : unbind(c, 0x20000000, 1 << 20);
}

static int life(struct client *c)
{
	int err = client_open(c);

	/* a node that could not be opened is as good as none */
	if (err)
		return err == -ENODEV ? -ENOMEM : err;
	err = copy_prepare(c);
	if (!err)
		err = submit_copies(c, c->queue, 3);
	if (!err)
		err = client_wait(c, LONG_MS);
	if (!err)
		err = share(c);
	if (!err)
		err = grow(c);
	if (!err)
		err = rebind(c);
	if (!err)
		err = run_copy(c);
	return err;
}

static int all_of_a_life(void)
{
	struct client witness;
	unsigned int n, failed = 0;

	if (client_open(&witness) || copy_prepare(&witness))
		return 2;
	for (n = 1; n < MOST; n++) {
		struct client c = { .fd = -1 };
		unsigned int not_reached;
		int err;

		arm(n);
		err = life(&c);
		not_reached = left(fail_file);
		arm(0);
		client_close(&c);
		if (err && err != -ENOMEM) {
			fprintf(stderr, "failnth: with allocation %u: %s\n", n, strerror(-err));
			return 1;
		}
		if (not_reached && err)
			return 1;
		failed += !!err;
		witness.src[0] = n;
		if (run_copy(&witness) || witness.dst[0] != n) {
			fprintf(stderr, "failnth: with allocation %u: another client suffers\n", n);
			return 1;
		}
		if (not_reached)
			break;
	}
	printf("failnth allocations %u failed %u\n", n - 1, failed);
	return 0;
}

/* A program's run. @left: allocations that there would have been until the one that fails */
struct run {
	unsigned int left;
	int status, output;
};

static struct run run(char **command, unsigned int n)
{
	struct run r = { .output = memfd_create("output", MFD_CLOEXEC) };
	siginfo_t info;
	char path[32];
	pid_t child = fork();
	int file;

	if (!child) {
		dup2(r.output, STDOUT_FILENO);
		fail_file = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
		arm(n);
		execvp(command[0], command);
		_exit(127);
	}
	/* a zombie still has its count */
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", child);
	file = open(path, O_RDONLY);
	r.left = left(file);
	close(file);
	waitpid(child, &r.status, 0);
	return r;
}

static int same_output(int a, int b)
{
	off_t size = lseek(a, 0, SEEK_END);
	char *p, *q;
	int same;

	if (lseek(b, 0, SEEK_END) != size)
		return 0;
	if (!size)
		return 1;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, a, 0);
	q = mmap(NULL, size, PROT_READ, MAP_SHARED, b, 0);
	same = p != MAP_FAILED && q != MAP_FAILED && !memcmp(p, q, size);
	munmap(p, size);
	munmap(q, size);
	return same;
}

static int some_of_a_run(char **command, unsigned int seed, unsigned int runs)
{
	struct run whole = run(command, MOST);
	unsigned int n, all = MOST - whole.left, step, failed = 0, done = 0;

	if (whole.status || !whole.left || !all) {
		fprintf(stderr, "failnth: status %#x, %u allocations, and none failed\n", whole.status,
			all);
		return 1;
	}
	step = all > runs ? all / runs : 1;
	for (n = 1 + seed % step; n <= all; n += step, done++) {
		struct run r = run(command, n);

		if (!WIFEXITED(r.status) ||
		    (!r.status && !same_output(r.output, whole.output))) {
			fprintf(stderr, "failnth: with allocation %u: status %#x\n", n, r.status);
			return 1;
		}
		failed += !!r.status;
		close(r.output);
	}
	printf("failnth allocations %u seed %u step %u runs %u failed %u\n", all, seed, step, done,
	       failed);
	return 0;
}

int main(int argc, char **argv)
{
	set_up();
	if (argc > 3 && atoi(argv[2]) > 0) {
		only_the_driver();
		return some_of_a_run(argv + 3, atoi(argv[1]), atoi(argv[2]));
	}
	fail_file = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_file < 0 ? 2 : all_of_a_life();
}
