/* SPDX-License-Identifier: MIT */
/*
 * What a job costs, beside what an emulated NVMe drive and virtio-gpu do in the same machine:
 *
 *   vm_bench [NVME_DEVICE]     "NAME VALUE" a line, medians of ROUNDS rounds in turns
 *   vm_bench -j JOBS           submits so many empty jobs, one by one, and nothing else
 */
#include "client.h"

#include <virtgpu_drm.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	7
#define SINGLES	300	/* one at a time, a round */
#define MANY	2000	/* with DEPTH in flight, a round */
#define DEPTH	16
#define BLOCK	4096

static void die(const char *what, int err)
{
	fprintf(stderr, "vm_bench: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	exit(1);
}

static void must(const char *what, int err)
{
	if (err)
		die(what, err);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

/* Jobs ---------------------------------------------------------------------------------------- */

/* Without waiting for each job: a syncobj takes the fence of a submission's last job. */
struct bench {
	struct client c;
	uint32_t done[2];
};

static void submit_and_signal(struct bench *b, struct drm_iau_job *jobs, uint32_t n, uint32_t done)
{
	struct drm_iau_sync out = { .flags = DRM_IAU_SYNC_SIGNAL, .handle = done };

	for (uint32_t i = 0; i < n; i++)
		jobs[i] = (struct drm_iau_job){ .cmd_va = CMD_VA, .cmd_bytes = IAU_CMD_BYTES };
	jobs[n - 1].syncs = (struct drm_iau_obj_array){ sizeof(out), 1, (uintptr_t)&out };
	must("submit", submit(&b->c, b->c.queue, jobs, n));
}

static void submit_empty(struct bench *b)
{
	struct drm_iau_job job;

	submit_and_signal(b, &job, 1, b->done[0]);
}

static void wait_for(struct bench *b, uint32_t done)
{
	struct drm_syncobj_wait args = {
		.handles = (uintptr_t)&done, .timeout_nsec = INT64_MAX, .count_handles = 1,
	};

	must("wait", ask(b->c.fd, DRM_IOCTL_SYNCOBJ_WAIT, &args));
}

/* As libiau does it: one call submits and waits. */
static void run_empty(struct bench *b)
{
	struct drm_iau_job job = { .cmd_va = CMD_VA, .cmd_bytes = IAU_CMD_BYTES };
	struct drm_iau_submit args = {
		.queue_id = b->c.queue,
		.flags = DRM_IAU_SUBMIT_WAIT,
		.jobs = { sizeof(job), 1, (uintptr_t)&job },
		.timeout_ns = -1,
	};

	must("submit", ask(b->c.fd, DRM_IOCTL_IAU_SUBMIT, &args));
	must("job", args.result);
}

static double job_latency(struct bench *b)
{
	double t[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		double start = now_ns();

		run_empty(b);
		t[i] = now_ns() - start;
	}
	return median(t, SINGLES);
}

/*
 * As reads_per_second() does it: what is done makes room for as much, asked for by one call, of half of
 * what may be in flight; the last job of each tells that they are done.
 */
static double jobs_per_second(struct bench *b)
{
	struct drm_iau_job jobs[DEPTH / 2];
	double start = now_ns();
	int half = 0;

	submit_and_signal(b, jobs, DEPTH / 2, b->done[half]);
	for (int i = DEPTH / 2; i < MANY; i += DEPTH / 2) {
		submit_and_signal(b, jobs, DEPTH / 2, b->done[!half]);
		wait_for(b, b->done[half]);
		half = !half;
	}
	wait_for(b, b->done[half]);
	return MANY / (now_ns() - start) * 1e9;
}

/* The call alone, with nothing else in flight */
static double submit_ns(struct bench *b)
{
	double t[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		double start = now_ns();

		submit_empty(b);
		t[i] = now_ns() - start;
		wait_for(b, b->done[0]);
	}
	return median(t, SINGLES);
}

/* io_uring ------------------------------------------------------------------------------------ */

struct uring {
	int fd, file;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *buffer;
	uint64_t blocks, next;
};

static void *map_ring(int fd, size_t size, uint64_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (p == MAP_FAILED)
		die("io_uring", 0);
	return p;
}

static void uring_open(struct uring *u, const char *device)
{
	struct io_uring_params p = { };
	char *sq, *cq;

	u->file = open(device, O_RDONLY | O_DIRECT);
	if (u->file < 0)
		die(device, 0);
	u->blocks = lseek(u->file, 0, SEEK_END) / BLOCK;
	u->fd = syscall(SYS_io_uring_setup, DEPTH, &p);
	if (u->fd < 0)
		die("io_uring_setup", 0);
	sq = map_ring(u->fd, p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	cq = map_ring(u->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	u->sqe = map_ring(u->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	u->sq_tail = (uint32_t *)(sq + p.sq_off.tail);
	u->sq_mask = (uint32_t *)(sq + p.sq_off.ring_mask);
	u->sq_array = (uint32_t *)(sq + p.sq_off.array);
	u->cq_head = (uint32_t *)(cq + p.cq_off.head);
	u->cq_tail = (uint32_t *)(cq + p.cq_off.tail);
	u->cq_mask = (uint32_t *)(cq + p.cq_off.ring_mask);
	u->cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	u->buffer = aligned_alloc(BLOCK, BLOCK * DEPTH);
}

/* One read of 4 KiB into buffer SLOT */
static void uring_read(struct uring *u, uint32_t slot)
{
	uint32_t tail = *u->sq_tail, i = tail & *u->sq_mask;

	u->sqe[i] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = u->file,
		.addr = (uintptr_t)u->buffer + slot * BLOCK,
		.len = BLOCK,
		.off = u->next++ * 7919 % u->blocks * BLOCK,
		.user_data = slot,
	};
	u->sq_array[i] = i;
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static void uring_enter(struct uring *u, uint32_t submits, uint32_t completions)
{
	if (syscall(SYS_io_uring_enter, u->fd, submits, completions, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		die("io_uring_enter", 0);
}

/* A completed read's slot, or -1 */
static int uring_reap(struct uring *u)
{
	uint32_t head = *u->cq_head;
	struct io_uring_cqe *cqe = &u->cqe[head & *u->cq_mask];
	int slot;

	if (head == __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE))
		return -1;
	if (cqe->res != BLOCK)
		die("a read", cqe->res);
	slot = cqe->user_data;
	__atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
	return slot;
}

static double read_latency(struct uring *u)
{
	double t[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		double start = now_ns();

		uring_read(u, 0);
		uring_enter(u, 1, 1);
		while (uring_reap(u) < 0)
			uring_enter(u, 0, 1);
		t[i] = now_ns() - start;
	}
	return median(t, SINGLES);
}

static double reads_per_second(struct uring *u)
{
	double start = now_ns();
	int started, done = 0;

	for (started = 0; started < DEPTH; started++)
		uring_read(u, started);
	uring_enter(u, DEPTH, 1);
	while (done < MANY) {
		uint32_t again = 0;
		int slot;

		while ((slot = uring_reap(u)) >= 0) {
			done++;
			if (started >= MANY)
				continue;
			uring_read(u, slot);
			started++;
			again++;
		}
		if (done < MANY)
			uring_enter(u, again, 1);
	}
	return MANY / (now_ns() - start) * 1e9;
}

/* virtio-gpu without 3D: the transfer of one pixel is a command in a ring, and a doorbell --------- */

static int gpu_open(uint32_t *buffer)
{
	struct drm_mode_create_dumb dumb = { .width = 64, .height = 64, .bpp = 32 };

	for (int i = 0; i < 8; i++) {
		char path[32], name[16] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR);
		if (fd < 0)
			continue;
		if (!ask(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "virtio_gpu")) {
			must("a buffer of virtio-gpu", ask(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
			*buffer = dumb.handle;
			return fd;
		}
		close(fd);
	}
	die("virtio-gpu", -ENODEV);
	return -1;
}

/* The call alone; what it has asked for is waited for in between. */
static double transfer_ns(int fd, uint32_t buffer)
{
	double t[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		struct drm_virtgpu_3d_transfer_to_host transfer = {
			.bo_handle = buffer, .box = { .w = 1, .h = 1, .d = 1 },
		};
		struct drm_virtgpu_3d_wait wait = { .handle = buffer };
		double start = now_ns();

		must("transfer", ask(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer));
		t[i] = now_ns() - start;
		must("wait", ask(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait));
	}
	return median(t, SINGLES);
}

/* -------------------------------------------------------------------------------------------- */

static void compare_all(struct bench *b, const char *device)
{
	double latency[2][ROUNDS], rate[2][ROUNDS], call[2][ROUNDS], ratio[3][ROUNDS];
	struct uring u;
	uint32_t buffer;
	int gpu = gpu_open(&buffer);

	uring_open(&u, device);
	for (int i = 0; i < ROUNDS; i++) {
		latency[0][i] = job_latency(b);
		latency[1][i] = read_latency(&u);
		ratio[0][i] = latency[0][i] / latency[1][i];
		rate[0][i] = jobs_per_second(b);
		rate[1][i] = reads_per_second(&u);
		ratio[1][i] = rate[0][i] / rate[1][i];
		call[0][i] = submit_ns(b);
		call[1][i] = transfer_ns(gpu, buffer);
		ratio[2][i] = call[0][i] / call[1][i];
	}
	printf("vm_empty_job_us %.1f\n", median(latency[0], ROUNDS) / 1000);
	printf("vm_nvme_read_qd1_us %.1f\n", median(latency[1], ROUNDS) / 1000);
	printf("vm_empty_job_vs_nvme_qd1 %.3f\n", median(ratio[0], ROUNDS));
	printf("vm_jobs_per_s %.0f\n", median(rate[0], ROUNDS));
	printf("vm_nvme_reads_per_s_qd16 %.0f\n", median(rate[1], ROUNDS));
	printf("vm_jobs_per_s_vs_nvme_qd16 %.3f\n", median(ratio[1], ROUNDS));
	printf("vm_submit_ns %.0f\n", median(call[0], ROUNDS));
	printf("vm_virtio_gpu_transfer_ns %.0f\n", median(call[1], ROUNDS));
	printf("vm_submit_kernel_ns_vs_virtio_gpu %.3f\n", median(ratio[2], ROUNDS));
}

int main(int argc, char **argv)
{
	struct bench b;

	must("open", client_open(&b.c));
	must("prepare", copy_prepare(&b.c));
	put_end(b.c.cmd);
	for (int i = 0; i < 2; i++)
		must("syncobj", syncobj_create(b.c.fd, &b.done[i]));
	if (argc == 3 && !strcmp(argv[1], "-j")) {
		for (int i = 0; i < atoi(argv[2]); i++)
			run_empty(&b);
	} else if (argc == 2) {
		compare_all(&b, argv[1]);
	} else {
		fprintf(stderr, "usage: vm_bench NVME_DEVICE | -j JOBS\n");
		return 2;
	}
	client_close(&b.c);
	return 0;
}
