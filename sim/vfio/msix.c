/* SPDX-License-Identifier: MIT */
#include "msix.h"
#include "pci_ids.h"

#include <sys/eventfd.h>
#include <unistd.h>

#define ENTRY_BYTES 16u

void msix_init(struct msix *m)
{
	*m = (struct msix){ .lock = PTHREAD_MUTEX_INITIALIZER };
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
		m->vector[v] = (struct msix_vector){ .fd = -1, .table_mask = true };
}

static void close_fd(struct msix_vector *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

void msix_disconnect(struct msix *m)
{
	pthread_mutex_lock(&m->lock);
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++) {
		close_fd(&m->vector[v]);
		m->vector[v].client_mask = false;
		m->vector[v].table_mask = true;
	}
	pthread_mutex_unlock(&m->lock);
}

void msix_reset(struct msix *m)
{
	pthread_mutex_lock(&m->lock);
	m->function_mask = false;
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++) {
		m->vector[v].pending = false;
		m->vector[v].table_mask = m->vector[v].fd < 0;
	}
	pthread_mutex_unlock(&m->lock);
}

static bool open_to(const struct msix *m, const struct msix_vector *v)
{
	return v->fd >= 0 && !v->table_mask && !v->client_mask && !m->function_mask;
}

/* Fires what became possible. */
static void settle(struct msix *m)
{
	for (unsigned int i = 0; i < IAU_NUM_IRQS; i++) {
		struct msix_vector *v = &m->vector[i];

		if (v->pending && open_to(m, v)) {
			v->pending = false;
			eventfd_write(v->fd, 1);
		}
	}
}

void msix_fire(struct msix *m, unsigned int vector, unsigned int count)
{
	struct msix_vector *v = &m->vector[vector];

	pthread_mutex_lock(&m->lock);
	if (open_to(m, v))
		eventfd_write(v->fd, count);
	else
		v->pending = true;
	pthread_mutex_unlock(&m->lock);
}

void msix_set_fd(struct msix *m, unsigned int vector, int fd)
{
	struct msix_vector *v = &m->vector[vector];

	pthread_mutex_lock(&m->lock);
	close_fd(v);
	v->fd = fd;
	if (fd >= 0)
		v->table_mask = false;
	settle(m);
	pthread_mutex_unlock(&m->lock);
}

void msix_client_mask(struct msix *m, unsigned int vector, bool mask)
{
	pthread_mutex_lock(&m->lock);
	m->vector[vector].client_mask = mask;
	settle(m);
	pthread_mutex_unlock(&m->lock);
}

void msix_function_mask(struct msix *m, bool mask)
{
	pthread_mutex_lock(&m->lock);
	m->function_mask = mask;
	settle(m);
	pthread_mutex_unlock(&m->lock);
}

uint32_t msix_read(struct msix *m, uint32_t offset)
{
	uint32_t n = offset / ENTRY_BYTES, word = offset % ENTRY_BYTES / 4, value = 0;

	pthread_mutex_lock(&m->lock);
	if (offset == IAU_MSIX_PBA) {
		for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
			value |= (uint32_t)m->vector[v].pending << v;
	} else if (n < IAU_NUM_IRQS) {
		value = word < 3 ? m->vector[n].data[word] : m->vector[n].table_mask;
	}
	pthread_mutex_unlock(&m->lock);
	return value;
}

void msix_write(struct msix *m, uint32_t offset, uint32_t value)
{
	uint32_t n = offset / ENTRY_BYTES, word = offset % ENTRY_BYTES / 4;

	if (n >= IAU_NUM_IRQS)
		return;
	pthread_mutex_lock(&m->lock);
	if (word < 3)
		m->vector[n].data[word] = value;
	else
		m->vector[n].table_mask = value & 1;
	settle(m);
	pthread_mutex_unlock(&m->lock);
}
