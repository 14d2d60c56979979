/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <drm/iau_accel.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The first line of a file, or "" */
static void read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	*line = 0;
	if (!f)
		return;
	if (!fgets(line, (int)size, f))
		*line = 0;
	line[strcspn(line, "\n")] = 0;
	fclose(f);
}

static bool is_ours(int fd)
{
	drmVersionPtr v = drmGetVersion(fd);
	bool ours = v && !strcmp(v->name, "iau");

	drmFreeVersion(v);
	return ours;
}

/* /sys/class/accel/accelN/device is a link to the PCI device. */
static void find_pdev(struct usage_card *card)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/accel/%.20s/device", strrchr(card->node, '/') + 1);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = 0;
	snprintf(card->pdev, sizeof(card->pdev), "%.31s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static bool open_card(struct usage_card *card, const char *node)
{
	struct drm_iau_perf_open open_args = { 0 };
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0 || !is_ours(fd)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	memset(card, 0, sizeof(*card));
	snprintf(card->node, sizeof(card->node), "%.31s", node);
	find_pdev(card);
	card->fd = fd;
	/* not everybody may have it: the rest is shown then */
	if (!drmIoctl(fd, DRM_IOCTL_IAU_PERF_OPEN, &open_args))
		card->perf = open_args.id;
	usage_card_read(card);
	return true;
}

size_t usage_cards(struct usage_card *card, size_t max)
{
	glob_t nodes;
	size_t n = 0;

	if (glob("/dev/accel/accel*", 0, NULL, &nodes))
		return 0;
	for (size_t i = 0; i < nodes.gl_pathc && n < max; i++)
		n += open_card(&card[n], nodes.gl_pathv[i]);
	globfree(&nodes);
	return n;
}

void usage_cards_close(struct usage_card *card, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(card[i].fd);
}

void usage_card_read(struct usage_card *card)
{
	struct drm_iau_perf_read args = { .id = card->perf };
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.31s/power/runtime_status", card->pdev);
	read_line(path, card->power, sizeof(card->power));
	card->counters_known = card->perf && !drmIoctl(card->fd, DRM_IOCTL_IAU_PERF_READ, &args);
	if (!card->counters_known)
		return;
	card->time_ns = args.time_ns;
	memcpy(card->counter, args.counters.value, sizeof(card->counter));
}

/* "12 KiB": numbers of fdinfo have units. */
static uint64_t number(const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 10);

	while (*end == ' ')
		end++;
	return !strncmp(end, "KiB", 3) ? v << 10 : !strncmp(end, "MiB", 3) ? v << 20 : v;
}

/* One line of fdinfo; the value is behind a colon and blanks. */
static void take_line(struct usage_client *c, const char *line, bool *ours)
{
	const struct {
		const char *key;
		uint64_t *value;
	} numbers[] = {
		{ "drm-client-id", &c->id },	   { "drm-engine-npu", &c->busy_ns },
		{ "iau-jobs", &c->jobs },	   { "iau-queues", &c->queues },
		{ "iau-vms", &c->vms },		   { "drm-total-memory", &c->total },
		{ "drm-resident-memory", &c->resident }, { "drm-active-memory", &c->active },
	};
	const char *value = strchr(line, ':');
	size_t len;

	if (!value)
		return;
	len = (size_t)(value++ - line);
	value += strspn(value, " \t");
	if (len == strlen("drm-driver") && !strncmp(line, "drm-driver", len))
		*ours = !strcmp(value, "iau");
	if (len == strlen("drm-pdev") && !strncmp(line, "drm-pdev", len))
		snprintf(c->pdev, sizeof(c->pdev), "%.31s", value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strlen(numbers[i].key) == len && !strncmp(line, numbers[i].key, len))
			*numbers[i].value = number(value);
}

static bool read_client(const char *path, struct usage_client *c)
{
	FILE *f = fopen(path, "re");
	char line[256];
	bool ours = false;

	memset(c, 0, sizeof(*c));
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		take_line(c, line, &ours);
	}
	fclose(f);
	return ours;
}

static int add_client(struct usage *u, const struct usage_client *c)
{
	struct usage_client *more;

	/* a file may be open under several numbers, and in several processes */
	for (size_t i = 0; i < u->clients; i++)
		if (u->client[i].id == c->id && !strcmp(u->client[i].pdev, c->pdev))
			return 0;
	more = realloc(u->client, (u->clients + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	u->client = more;
	more[u->clients++] = *c;
	return 0;
}

/* Is file FD of the process a node of accelerators? Saves reading the fdinfo of all others. */
static bool is_node(const char *pid, const char *fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, fd);
	n = readlink(path, target, sizeof(target) - 1);
	return n > 0 && !strncmp(target, "/dev/accel/", strlen("/dev/accel/"));
}

static int sample_process(struct usage *u, const char *pid)
{
	char path[80];
	struct dirent *e;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	/* it has ended, or is somebody else's */
	if (!dir)
		return 0;
	while (!err && (e = readdir(dir))) {
		struct usage_client c;

		if (!isdigit((unsigned char)*e->d_name) || !is_node(pid, e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, e->d_name);
		if (!read_client(path, &c))
			continue;
		c.pid = atoi(pid);
		snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
		read_line(path, c.comm, sizeof(c.comm));
		err = add_client(u, &c);
	}
	closedir(dir);
	return err;
}

static int sample_kv(struct usage *u, int pid)
{
	struct usage_kv one = { .pid = pid }, *more;
	char path[64];

	if (iau_kv_usage_of(pid, &one.kv) <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_line(path, one.comm, sizeof(one.comm));
	more = realloc(u->kv, (u->kvs + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	u->kv = more;
	more[u->kvs++] = one;
	return 0;
}

int usage_sample(struct usage *out)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (!proc)
		return -errno;
	out->time_ns = now_ns();
	while (!err && (e = readdir(proc))) {
		/* but for who asks */
		if (!isdigit((unsigned char)*e->d_name) || atoi(e->d_name) == getpid())
			continue;
		err = sample_process(out, e->d_name);
		if (!err)
			err = sample_kv(out, atoi(e->d_name));
	}
	closedir(proc);
	if (err)
		usage_free(out);
	return err;
}

void usage_free(struct usage *u)
{
	free(u->client);
	free(u->kv);
	memset(u, 0, sizeof(*u));
}

const struct usage_client *usage_before(const struct usage *old, const struct usage_client *now)
{
	for (size_t i = 0; i < old->clients; i++)
		if (old->client[i].id == now->id && !strcmp(old->client[i].pdev, now->pdev))
			return &old->client[i];
	return NULL;
}

struct iau_kv_usage usage_kv_before(const struct usage *old, int pid)
{
	for (size_t i = 0; i < old->kvs; i++)
		if (old->kv[i].pid == pid)
			return old->kv[i].kv;
	return (struct iau_kv_usage){ 0 };
}
