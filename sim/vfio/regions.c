/* SPDX-License-Identifier: MIT */
/* BARs and configuration space: what the client can learn of them, read and write. */
#include "pci_ids.h"
#include "server.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

static const struct {
	uint64_t size;
	uint32_t flags;
} regions[VFIO_PCI_NUM_REGIONS] = {
	[IAU_BAR_REGS] = { IAU_BAR_REGS_BYTES,
			   VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
	[IAU_BAR_STATUS] = { IAU_BAR_STATUS_BYTES,
			     VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP },
	[IAU_BAR_MSIX] = { IAU_BAR_MSIX_BYTES,
			   VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
	[VFIO_PCI_CONFIG_REGION_INDEX] = { CONFIG_BYTES, VFIO_REGION_INFO_FLAG_READ |
								 VFIO_REGION_INFO_FLAG_WRITE },
};

int server_region_info(struct server *s, struct message *msg)
{
	struct vfio_region_info info;

	if (msg->size < sizeof(info))
		return -EINVAL;
	memcpy(&info, msg->payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info = (struct vfio_region_info){ .argsz = sizeof(info),
					  .flags = regions[info.index].flags,
					  .index = info.index,
					  .size = regions[info.index].size };
	if (info.flags & VFIO_REGION_INFO_FLAG_MMAP)
		msg->reply_fd = s->status_fd;
	memcpy(msg->reply, &info, sizeof(info));
	msg->reply_size = sizeof(info);
	return 0;
}

/* The header of an access, checked; SIZE is what the message must be long. */
static int access_of(const struct message *msg, struct vu_region_access *a, bool write)
{
	if (msg->size < sizeof(*a))
		return -EINVAL;
	memcpy(a, msg->payload, sizeof(*a));
	if (a->region >= VFIO_PCI_NUM_REGIONS || !a->count || a->count > VU_MAX_DATA ||
	    a->count > regions[a->region].size || a->offset > regions[a->region].size - a->count)
		return -EINVAL;
	return msg->size == sizeof(*a) + (write ? a->count : 0) ? 0 : -EINVAL;
}

/* Reads as all ones, and ignores writes. */
static bool is_mute(const struct server *s, uint32_t region)
{
	return s->worker.gone ||
	       (region != VFIO_PCI_CONFIG_REGION_INDEX && config_sleeps(&s->config));
}

static uint32_t read32(struct server *s, uint32_t region, uint32_t offset)
{
	switch (region) {
	case IAU_BAR_REGS:
		s->reads++;
		return worker_read(&s->worker, offset);
	case IAU_BAR_STATUS:
		return s->status_page[offset / 4];
	default:
		return msix_read(&s->msix, offset);
	}
}

int server_region_read(struct server *s, struct message *msg)
{
	struct vu_region_access a;
	uint8_t *data = msg->reply + sizeof(a);
	int err = access_of(msg, &a, false);

	if (err)
		return err;
	memcpy(msg->reply, &a, sizeof(a));
	msg->reply_size = (uint32_t)sizeof(a) + a.count;
	if (is_mute(s, a.region)) {
		memset(data, 0xff, a.count);
		return 0;
	}
	if (a.region == VFIO_PCI_CONFIG_REGION_INDEX) {
		memcpy(data, s->config.byte + a.offset, a.count);
		return 0;
	}
	/* parts of words too, but each word is read once */
	for (uint32_t i = 0; i < a.count;) {
		uint32_t at = (uint32_t)a.offset + i, low = at % 4;
		uint32_t part = 4 - low < a.count - i ? 4 - low : a.count - i;
		uint32_t word = read32(s, a.region, at - low);

		memcpy(data + i, (uint8_t *)&word + low, part);
		i += part;
	}
	return 0;
}

static void write32(struct server *s, uint32_t region, uint32_t offset, uint32_t value)
{
	if (region == IAU_BAR_REGS) {
		s->writes++;
		worker_write(&s->worker, offset, value);
	} else if (region == IAU_BAR_MSIX) {
		msix_write(&s->msix, offset, value);
	}
}

static void set_master(struct worker *w, void *arg)
{
	const bool *on = arg;

	w->dma.enabled = *on;
}

static void write_config(struct server *s, const struct vu_region_access *a, const uint8_t *data)
{
	unsigned int asked = config_write(&s->config, (uint32_t)a->offset, data, a->count);
	uint64_t page;
	bool master;

	if (asked & (CONFIG_FLR | CONFIG_WAKE)) {
		server_reset(s, false);
		return;
	}
	if (asked & CONFIG_MASTER) {
		master = config_bus_master(&s->config);
		worker_call(&s->worker, set_master, &master);
	}
	if (asked & CONFIG_DBP) {
		page = config_doorbell_page(&s->config);
		worker_call(&s->worker, worker_watch, &page);
	}
	if (asked & CONFIG_MSIX)
		msix_function_mask(&s->msix, config_msix_masked(&s->config));
}

int server_region_write(struct server *s, struct message *msg)
{
	struct vu_region_access a;
	const uint8_t *data = msg->payload + sizeof(a);
	int err = access_of(msg, &a, true);

	if (err)
		return err;
	if (!(regions[a.region].flags & VFIO_REGION_INFO_FLAG_WRITE))
		return -EPERM;
	memcpy(msg->reply, &a, sizeof(a));
	msg->reply_size = sizeof(a);
	if (is_mute(s, a.region))
		return 0;
	if (a.region == VFIO_PCI_CONFIG_REGION_INDEX) {
		write_config(s, &a, data);
		return 0;
	}
	/* registers have 32 bits; the card ignores writes of less */
	if (a.offset % 4 || a.count % 4)
		return 0;
	for (uint32_t i = 0; i < a.count; i += 4) {
		uint32_t value;

		memcpy(&value, data + i, sizeof(value));
		write32(s, a.region, (uint32_t)a.offset + i, value);
	}
	return 0;
}
