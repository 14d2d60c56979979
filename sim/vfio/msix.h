/* SPDX-License-Identifier: MIT */
/*
 * Interrupt vectors: the MSI-X table and pending bits in their BAR, and the client's event file
 * descriptors. Called from the client's thread and the device's; a lock of its own orders them.
 */
#ifndef IAU_VFIO_MSIX_H
#define IAU_VFIO_MSIX_H

#include "iau_hw.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct msix_vector {
	int fd;		  /* -1: none */
	uint32_t data[3]; /* address and data of the table; nothing here uses them */
	bool table_mask;  /* by the table's vector control */
	bool client_mask; /* by SET_IRQS */
	bool pending;
};

struct msix {
	pthread_mutex_t lock;
	struct msix_vector vector[IAU_NUM_IRQS];
	bool function_mask;
};

void msix_init(struct msix *m);
/* The client is gone: no descriptors, the state of a reset. */
void msix_disconnect(struct msix *m);
/* A reset of the device: nothing pending. Descriptors stay, for they are the client's. */
void msix_reset(struct msix *m);

/* VECTOR fires COUNT times; it becomes pending if it is masked or has no descriptor. */
void msix_fire(struct msix *m, unsigned int vector, unsigned int count);

/*
 * Gives VECTOR a descriptor, which becomes the vector's own, or takes it away (-1). A client that
 * keeps the table itself gives descriptors to unmasked vectors only and never writes the table
 * here, so a new descriptor unmasks.
 */
void msix_set_fd(struct msix *m, unsigned int vector, int fd);
void msix_client_mask(struct msix *m, unsigned int vector, bool mask);
/* Of the capability's message control. */
void msix_function_mask(struct msix *m, bool mask);

/* The BAR, 32 bits at a time. */
uint32_t msix_read(struct msix *m, uint32_t offset);
void msix_write(struct msix *m, uint32_t offset, uint32_t value);

#endif
