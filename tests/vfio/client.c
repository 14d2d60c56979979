/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

void server_run(struct client *c, const char *engine, const char *options)
{
	char command[512], line[16] = "";
	int out[2];
	FILE *f;

	memset(c, 0, sizeof(*c));
	c->engine = engine;
	c->fd = -1;
	snprintf(c->dir, sizeof(c->dir), "/tmp/iau-vfio-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(c->path, sizeof(c->path), "%s/card", c->dir);
	snprintf(command, sizeof(command), "exec %s --engine %s %s %s", IAU_VFIO, engine, options,
		 c->path);
	assert_int_equal(pipe(out), 0);
	c->server = fork();
	if (!c->server) {
		/* an assertion that fails leaves this function's caller without closing anything */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "ready\n");
	fclose(f);
}

int server_status(struct client *c)
{
	int status;

	assert_int_equal(waitpid(c->server, &status, 0), c->server);
	c->server = 0;
	unlink(c->path);
	rmdir(c->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void server_end(struct client *c)
{
	kill(c->server, SIGTERM);
	assert_int_equal(server_status(c), 0);
}

void client_connect(struct client *c)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

void client_hello(struct client *c)
{
	static const char hello[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8}}";
	struct reply r;

	call(c, &r, VU_VERSION, hello, sizeof(hello), NULL, 0);
	assert_int_equal(r.err, 0);
	assert_memory_equal(r.data, "\0\0\0\0{", 5);
	assert_int_equal(r.data[r.size - 1], 0);
}

void client_ready(struct client *c)
{
	if (!c->mem) {
		c->mem_fd = memfd_create("guest", MFD_CLOEXEC);
		assert_int_equal(ftruncate(c->mem_fd, CLIENT_BYTES), 0);
		c->mem = mmap(NULL, CLIENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->mem_fd, 0);
		assert_true(c->mem != MAP_FAILED);
		for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
			c->irq[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	assert_int_equal(dma_window(c, CLIENT_PA, CLIENT_BYTES, c->mem_fd, 0), 0);
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
		assert_int_equal(set_irq_fd(c, v, c->irq[v]), 0);
	bus_master(c, true);
}

void client_disconnect(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}

void client_open(struct client *c, const char *engine, const char *options)
{
	server_run(c, engine, options);
	client_connect(c);
	client_hello(c);
	client_ready(c);
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		client_disconnect(c);
	if (c->server)
		server_end(c);
	if (!c->mem)
		return;
	munmap(c->mem, CLIENT_BYTES);
	close(c->mem_fd);
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
		close(c->irq[v]);
}

void send_command(struct client *c, uint16_t command, const void *payload, uint32_t size,
		  const int *fds, unsigned int n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} control = { 0 };
	struct vu_header h = { .id = ++c->id, .command = command, .size = 16 + size };
	struct iovec iov[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload, size } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	if (n) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(c->fd, &m, MSG_NOSIGNAL), 16 + size);
}

void take_reply(struct client *c, struct reply *r)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct vu_header h;
	struct iovec iov = { &h, sizeof(h) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };

	r->fd = -1;
	assert_int_equal(recvmsg(c->fd, &m, MSG_WAITALL | MSG_CMSG_CLOEXEC), sizeof(h));
	if (CMSG_FIRSTHDR(&m))
		memcpy(&r->fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	assert_int_equal(h.id, c->id);
	assert_int_equal(h.flags & VU_TYPE, VU_REPLY);
	assert_in_range(h.size, sizeof(h), sizeof(h) + sizeof(r->data));
	r->size = h.size - (uint32_t)sizeof(h);
	r->err = h.flags & VU_ERROR ? -(int)h.error : 0;
	if (r->err)
		assert_int_equal(r->size, 0);
	if (r->size)
		assert_int_equal(recv(c->fd, r->data, r->size, MSG_WAITALL), r->size);
}

void call(struct client *c, struct reply *r, uint16_t command, const void *payload, uint32_t size,
	  const int *fds, unsigned int n)
{
	send_command(c, command, payload, size, fds, n);
	take_reply(c, r);
}

int dma_window(struct client *c, uint64_t pa, uint64_t size, int fd, uint64_t offset)
{
	struct vu_dma_map map = { sizeof(map), 3, offset, pa, size };
	struct reply r;

	call(c, &r, VU_DMA_MAP, &map, sizeof(map), &fd, fd >= 0);
	return r.err;
}

int dma_window_gone(struct client *c, uint64_t pa, uint64_t size)
{
	struct vu_dma_unmap unmap = { sizeof(unmap), 0, pa, size };
	struct reply r;

	call(c, &r, VU_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0);
	return r.err;
}

int device_reset(struct client *c)
{
	struct reply r;

	call(c, &r, VU_DEVICE_RESET, NULL, 0, NULL, 0);
	return r.err;
}

int set_irqs(struct client *c, uint32_t flags, uint32_t vector, uint32_t count)
{
	struct vfio_irq_set set = { .argsz = sizeof(set),
				    .flags = flags | VFIO_IRQ_SET_DATA_NONE,
				    .index = VFIO_PCI_MSIX_IRQ_INDEX,
				    .start = vector,
				    .count = count };
	struct reply r;

	call(c, &r, VU_DEVICE_SET_IRQS, &set, sizeof(set), NULL, 0);
	return r.err;
}

int set_irq_fd(struct client *c, uint32_t vector, int fd)
{
	struct vfio_irq_set set = { .argsz = sizeof(set),
				    .flags = VFIO_IRQ_SET_DATA_EVENTFD |
					     VFIO_IRQ_SET_ACTION_TRIGGER,
				    .index = VFIO_PCI_MSIX_IRQ_INDEX,
				    .start = vector,
				    .count = 1 };
	struct reply r;

	call(c, &r, VU_DEVICE_SET_IRQS, &set, sizeof(set), &fd, fd >= 0);
	return r.err;
}

uint32_t region_read(struct client *c, uint32_t region, uint64_t offset, uint32_t bytes)
{
	struct vu_region_access a = { offset, region, bytes };
	uint32_t value = 0;
	struct reply r;

	call(c, &r, VU_REGION_READ, &a, sizeof(a), NULL, 0);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.size, sizeof(a) + bytes);
	memcpy(&value, r.data + sizeof(a), bytes);
	return value;
}

void region_write(struct client *c, uint32_t region, uint64_t offset, uint32_t value,
		  uint32_t bytes)
{
	struct {
		struct vu_region_access a;
		uint32_t value;
	} m = { { offset, region, bytes }, value };
	struct reply r;

	call(c, &r, VU_REGION_WRITE, &m, (uint32_t)sizeof(m.a) + bytes, NULL, 0);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.size, sizeof(m.a));
}

uint32_t reg_read(struct client *c, uint32_t offset)
{
	return region_read(c, IAU_BAR_REGS, offset, 4);
}

void reg_write(struct client *c, uint32_t offset, uint32_t value)
{
	region_write(c, IAU_BAR_REGS, offset, value, 4);
}

void reg_post(struct client *c, uint32_t offset, uint32_t value)
{
	struct {
		struct vu_header h;
		struct vu_region_access a;
		uint32_t value;
	} __attribute__((packed)) m = { { ++c->id, VU_REGION_WRITE, sizeof(m), VU_NO_REPLY, 0 },
					{ offset, IAU_BAR_REGS, 4 },
					value };

	assert_int_equal(send(c->fd, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

uint32_t queue_read(struct client *c, unsigned int q, uint32_t reg)
{
	return reg_read(c, IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg);
}

void queue_write(struct client *c, unsigned int q, uint32_t reg, uint32_t value)
{
	reg_write(c, IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg, value);
}

uint32_t capability(struct client *c, uint8_t id)
{
	uint32_t at = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, PCI_CAPABILITY_LIST, 1);

	for (unsigned int i = 0; i < 16 && at; i++) {
		if (region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at, 1) == id)
			return at;
		at = region_read(c, VFIO_PCI_CONFIG_REGION_INDEX, at + 1, 1);
	}
	fail_msg("no capability %u", id);
	return 0;
}

void bus_master(struct client *c, bool on)
{
	region_write(c, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
		     PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0), 2);
}

void function_reset(struct client *c)
{
	region_write(c, VFIO_PCI_CONFIG_REGION_INDEX,
		     capability(c, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
}

uint64_t irq_count(struct client *c, unsigned int vector)
{
	uint64_t n = 0;

	return eventfd_read(c->irq[vector], &n) ? 0 : n;
}

uint64_t irq_wait(struct client *c, unsigned int vector)
{
	struct pollfd p = { .fd = c->irq[vector], .events = POLLIN };

	/* a server that is stuck fails the test, it does not hang it */
	assert_int_equal(poll(&p, 1, 60000), 1);
	return irq_count(c, vector);
}
