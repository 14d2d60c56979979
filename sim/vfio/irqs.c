/* SPDX-License-Identifier: MIT */
/* Interrupt types: MSI-X, and an error event that VMMs ask for and that never comes. */
#include "server.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

int server_irq_info(struct server *s, struct message *msg)
{
	struct vfio_irq_info info = { 0 };

	(void)s;
	if (msg->size < sizeof(info))
		return -EINVAL;
	memcpy(&info, msg->payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = 0;
	info.count = 0;
	if (info.index == VFIO_PCI_MSIX_IRQ_INDEX) {
		info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE;
		info.count = IAU_NUM_IRQS;
	} else if (info.index == VFIO_PCI_ERR_IRQ_INDEX) {
		info.flags = VFIO_IRQ_INFO_EVENTFD;
		info.count = 1;
	}
	memcpy(msg->reply, &info, sizeof(info));
	msg->reply_size = sizeof(info);
	return 0;
}

/* Descriptors for vectors START..; none at all takes those that are there away. */
static int set_fds(struct server *s, struct message *msg, const struct vfio_irq_set *set)
{
	if (msg->fds && msg->fds != set->count)
		return -EINVAL;
	for (uint32_t i = 0; i < set->count; i++) {
		msix_set_fd(&s->msix, set->start + i, msg->fds ? msg->fd[i] : -1);
		if (msg->fds)
			msg->fd[i] = -1; /* the vector's now */
	}
	return 0;
}

static void act(struct server *s, uint32_t action, unsigned int vector)
{
	if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
		msix_fire(&s->msix, vector, 1);
	else
		msix_client_mask(&s->msix, vector, action == VFIO_IRQ_SET_ACTION_MASK);
}

static int set_msix(struct server *s, struct message *msg, const struct vfio_irq_set *set)
{
	uint32_t type = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	const uint8_t *chosen = msg->payload + sizeof(*set);

	if (type == VFIO_IRQ_SET_DATA_EVENTFD)
		return action == VFIO_IRQ_SET_ACTION_TRIGGER ? set_fds(s, msg, set) : -EINVAL;
	if (type == VFIO_IRQ_SET_DATA_NONE && action == VFIO_IRQ_SET_ACTION_TRIGGER &&
	    !set->count) {
		msix_disconnect(&s->msix);
		return 0;
	}
	if (type == VFIO_IRQ_SET_DATA_BOOL && msg->size < sizeof(*set) + set->count)
		return -EINVAL;
	for (uint32_t i = 0; i < set->count; i++)
		if (type == VFIO_IRQ_SET_DATA_NONE || chosen[i])
			act(s, action, set->start + i);
	return 0;
}

static bool one_bit(uint32_t v)
{
	return v && !(v & (v - 1));
}

int server_set_irqs(struct server *s, struct message *msg)
{
	struct vfio_irq_set set;

	if (msg->size < sizeof(set))
		return -EINVAL;
	memcpy(&set, msg->payload, sizeof(set));
	if (!one_bit(set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK) ||
	    !one_bit(set.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) || set.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (set.index == VFIO_PCI_ERR_IRQ_INDEX)
		return !set.start && set.count <= 1 ? 0 : -EINVAL;
	if (set.index != VFIO_PCI_MSIX_IRQ_INDEX)
		return set.count ? -EINVAL : 0;
	if (set.start > IAU_NUM_IRQS || set.count > IAU_NUM_IRQS - set.start)
		return -EINVAL;
	return set_msix(s, msg, &set);
}
