/* SPDX-License-Identifier: MIT */
#include "runtime/kv_usage.h"
#include "base/error.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "iau-kv-usage"

struct file {
	char magic[8]; /* "iau-kv-" and the version of what follows */
	struct iau_kv_usage now;
};

static const struct file empty = { .magic = { 'i', 'a', 'u', '-', 'k', 'v', '-', 1 } };

static struct file *map_file(int fd)
{
	struct file *f = MAP_FAILED;

	if (!ftruncate(fd, sizeof(*f)))
		f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return f == MAP_FAILED ? NULL : f;
}

/* Without such files or room for one the figures are this process's own. */
int kv_usage_create(struct kv_usage *usage)
{
	struct file *f = NULL;

	usage->fd = memfd_create(NAME, MFD_CLOEXEC);
	if (usage->fd >= 0)
		f = map_file(usage->fd);
	if (!f) {
		if (usage->fd >= 0)
			close(usage->fd);
		usage->fd = -1;
		f = malloc(sizeof(*f));
		if (!f)
			return iau_error_nomem("KV cache");
	}
	*f = empty;
	usage->now = &f->now;
	return 0;
}

void kv_usage_free(struct kv_usage *usage)
{
	struct file *f;

	if (!usage->now)
		return;
	f = (struct file *)(void *)((uint8_t *)usage->now - offsetof(struct file, now));
	if (usage->fd < 0) {
		free(f);
	} else {
		munmap(f, sizeof(*f));
		close(usage->fd);
	}
	usage->now = NULL;
}

/* Whether PATH, a file that a process has open, is one of those; adds what is in it. */
static bool add_file(const char *path, struct iau_kv_usage *total)
{
	static const char name[] = "/memfd:" NAME;
	char target[sizeof(name)];
	struct file f;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	int fd;

	if (n != sizeof(target) - 1 || memcmp(target, name, (size_t)n) != 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, &f, sizeof(f), 0);
	close(fd);
	if (n != sizeof(f) || memcmp(f.magic, empty.magic, sizeof(f.magic)) != 0)
		return false;
	total->budget += f.now.budget;
	total->device += f.now.device;
	total->device_packed += f.now.device_packed;
	total->host += f.now.host;
	total->packed += f.now.packed;
	total->demoted += f.now.demoted;
	total->promoted += f.now.promoted;
	total->pages_demoted += f.now.pages_demoted;
	total->pages_promoted += f.now.pages_promoted;
	return true;
}

int iau_kv_usage_of(int pid, struct iau_kv_usage *total)
{
	char path[64];
	struct dirent *e;
	int models = 0;
	DIR *dir;

	*total = (struct iau_kv_usage){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return iau_error(errno == ENOENT ? -ESRCH : -errno, "%s: %s", path, strerror(errno));
	while ((e = readdir(dir))) {
		if (!isdigit((unsigned char)*e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", pid, e->d_name);
		models += add_file(path, total);
	}
	closedir(dir);
	return models;
}
