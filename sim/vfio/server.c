/* SPDX-License-Identifier: MIT */
/* The socket: messages in, replies out, descriptors beside them. */
#include "server.h"
#include "pci_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A page that the client can map, but neither write nor shrink. */
static int make_status_page(struct server *s)
{
	void *p = MAP_FAILED;

	s->status_fd = memfd_create("iau-status", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->status_fd < 0)
		return -errno;
	if (!ftruncate(s->status_fd, IAU_BAR_STATUS_BYTES))
		p = mmap(NULL, IAU_BAR_STATUS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 s->status_fd, 0);
	if (p == MAP_FAILED ||
	    fcntl(s->status_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE))
		return -errno;
	s->status_page = p;
	return 0;
}

int server_open(struct server *s, const struct iau_dev_ops *ops,
		const struct iau_dev_timing *timing, const struct inject_plan *plan)
{
	int err;

	s->fd = -1;
	config_init(&s->config);
	msix_init(&s->msix);
	err = make_status_page(s);
	if (!err)
		err = worker_start(&s->worker, ops, timing, plan, &s->msix, s->status_page);
	if (err)
		fprintf(stderr, "iau-vfio: engine %s does not start: %s\n", ops->name,
			strerror(-err));
	return err;
}

static void take_fds(struct message *msg, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		const int *fd = (const int *)(const void *)CMSG_DATA(c);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (msg->fds < VU_MAX_FDS)
				msg->fd[msg->fds++] = fd[i];
			else
				close(fd[i]);
		}
	}
}

/* SIZE bytes, and the descriptors that come with them. False if there are no more messages. */
static bool receive(struct server *s, struct message *msg, void *buf, size_t size)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} control;

	for (size_t at = 0; at < size;) {
		struct iovec iov = { (uint8_t *)buf + at, size - at };
		struct msghdr h = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control.room,
				    .msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(s->fd, &h, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		take_fds(msg, &h);
		at += (size_t)n;
	}
	return true;
}

static bool send_reply(struct server *s, const struct message *msg, int err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	uint32_t payload = err ? 0 : msg->reply_size;
	struct vu_header h = { .id = msg->header.id,
			       .command = msg->header.command,
			       .size = (uint32_t)sizeof(h) + payload,
			       .flags = VU_REPLY | (err ? VU_ERROR : 0),
			       .error = (uint32_t)-err };
	struct iovec iov[] = { { &h, sizeof(h) }, { msg->reply, payload } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (!err && msg->reply_fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		memset(control.room, 0, sizeof(control.room));
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &msg->reply_fd, sizeof(int));
	}
	while (iov[0].iov_len + iov[1].iov_len) {
		ssize_t n = sendmsg(s->fd, &m, MSG_NOSIGNAL);
		size_t first = n < 0 ? 0 : (size_t)n;

		if (n < 0 && errno != EINTR)
			return false;
		m.msg_controllen = n > 0 ? 0 : m.msg_controllen;
		for (unsigned int i = 0; i < 2; i++) {
			size_t part = first < iov[i].iov_len ? first : iov[i].iov_len;

			iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			first -= part;
		}
	}
	return true;
}

/* One message, answered. False when the client is gone, or where its next message starts unknown. */
static bool serve(struct server *s, struct message *msg)
{
	bool more = true;
	int err;

	msg->fds = 0;
	msg->reply_size = 0;
	msg->reply_fd = -1;
	if (!receive(s, msg, &msg->header, sizeof(msg->header)))
		return false;
	if (msg->header.size < sizeof(msg->header) ||
	    msg->header.size - sizeof(msg->header) > VU_MAX_PAYLOAD) {
		fprintf(stderr, "iau-vfio: a message of %u bytes; client dropped\n",
			msg->header.size);
		send_reply(s, msg, -EINVAL);
		return false;
	}
	msg->size = msg->header.size - (uint32_t)sizeof(msg->header);
	if (!receive(s, msg, msg->payload, msg->size))
		return false;
	err = server_command(s, msg);
	for (unsigned int i = 0; i < msg->fds; i++)
		if (msg->fd[i] >= 0)
			close(msg->fd[i]);
	if (!(msg->header.flags & VU_NO_REPLY))
		more = send_reply(s, msg, err);
	return more;
}

static void disconnected(struct worker *w, void *unused)
{
	(void)unused;
	worker_settle(w);
	dma_clear(&w->dma);
}

void server_client(struct server *s, int fd)
{
	struct message msg = { .payload = malloc(VU_MAX_PAYLOAD), .reply = malloc(VU_MAX_PAYLOAD) };

	s->fd = fd;
	s->greeted = false;
	s->reads = 0;
	s->writes = 0;
	while (msg.payload && msg.reply && serve(s, &msg))
		;
	/* the device keeps its state; what was the client's goes */
	worker_call(&s->worker, disconnected, NULL);
	msix_disconnect(&s->msix);
	close(fd);
	s->fd = -1;
	free(msg.payload);
	free(msg.reply);
}
