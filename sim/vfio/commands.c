/* SPDX-License-Identifier: MIT */
/* Commands about the session, the device and its memory windows. */
#include "server.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

static int version(struct server *s, struct message *msg)
{
	static const char capabilities[] =
		"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536}}";
	uint16_t v[2];

	if (s->greeted || msg->size < sizeof(v))
		return -EINVAL;
	memcpy(v, msg->payload, sizeof(v));
	if (v[0] || (msg->size > sizeof(v) && msg->payload[msg->size - 1]))
		return -EINVAL;
	v[1] = 0;
	memcpy(msg->reply, v, sizeof(v));
	memcpy(msg->reply + sizeof(v), capabilities, sizeof(capabilities));
	msg->reply_size = (uint32_t)(sizeof(v) + sizeof(capabilities));
	s->greeted = true;
	return 0;
}

/* A call into the device's thread, with its outcome. */
struct dma_request {
	struct vu_dma_map map;
	struct vu_dma_unmap unmap;
	int fd, err;
	bool enable;
};

static void do_map(struct worker *w, void *arg)
{
	struct dma_request *r = arg;

	r->err = dma_map(&w->dma, r->map.address, r->map.size, r->map.flags, r->fd, r->map.offset);
}

static void do_unmap(struct worker *w, void *arg)
{
	struct dma_request *r = arg;

	worker_settle(w);
	r->err = dma_unmap(&w->dma, r->unmap.address, r->unmap.size);
}

static int map(struct server *s, struct message *msg)
{
	struct dma_request r = { .fd = msg->fds ? msg->fd[0] : -1 };

	if (msg->size != sizeof(r.map) || msg->fds > 1)
		return -EINVAL;
	memcpy(&r.map, msg->payload, sizeof(r.map));
	worker_call(&s->worker, do_map, &r);
	return r.err;
}

/* Once this is answered, the device does not touch the window any more. */
static int unmap(struct server *s, struct message *msg)
{
	struct dma_request r = { .err = 0 };

	if (msg->size < sizeof(r.unmap))
		return -EINVAL;
	memcpy(&r.unmap, msg->payload, sizeof(r.unmap));
	if (r.unmap.flags)
		return -EINVAL;
	worker_call(&s->worker, do_unmap, &r);
	memcpy(msg->reply, &r.unmap, sizeof(r.unmap));
	msg->reply_size = sizeof(r.unmap);
	return r.err;
}

static int device_info(struct message *msg)
{
	const struct vfio_device_info info = { .argsz = 16,
					       .flags = VFIO_DEVICE_FLAGS_RESET |
							VFIO_DEVICE_FLAGS_PCI,
					       .num_regions = VFIO_PCI_NUM_REGIONS,
					       .num_irqs = VFIO_PCI_NUM_IRQS };

	if (msg->size < info.argsz)
		return -EINVAL;
	memcpy(msg->reply, &info, info.argsz);
	msg->reply_size = info.argsz;
	return 0;
}

static void do_reset(struct worker *w, void *bus)
{
	worker_reset(w, bus);
	w->dma.enabled = false;
}

void server_reset(struct server *s, bool bus)
{
	config_reset(&s->config);
	worker_call(&s->worker, do_reset, &bus);
}

static int reset(struct server *s, struct message *msg)
{
	if (msg->size)
		return -EINVAL;
	server_reset(s, true);
	return 0;
}

int server_command(struct server *s, struct message *msg)
{
	if (msg->header.flags & VU_TYPE)
		return -EINVAL;
	if (!s->greeted && msg->header.command != VU_VERSION)
		return -EINVAL;
	switch (msg->header.command) {
	case VU_VERSION:
		return version(s, msg);
	case VU_DMA_MAP:
		return map(s, msg);
	case VU_DMA_UNMAP:
		return unmap(s, msg);
	case VU_DEVICE_GET_INFO:
		return device_info(msg);
	case VU_DEVICE_GET_REGION_INFO:
		return server_region_info(s, msg);
	case VU_DEVICE_GET_IRQ_INFO:
		return server_irq_info(s, msg);
	case VU_DEVICE_SET_IRQS:
		return server_set_irqs(s, msg);
	case VU_REGION_READ:
		return server_region_read(s, msg);
	case VU_REGION_WRITE:
		return server_region_write(s, msg);
	case VU_DEVICE_RESET:
		return reset(s, msg);
	default:
		return -ENOSYS;
	}
}
