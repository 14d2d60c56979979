/* SPDX-License-Identifier: MIT */
/*
 * The vfio-user protocol, version 0.x, as QEMU's docs/interop/vfio-user.rst specifies it. Flags and
 * indexes that it shares with the kernel's interface come from <linux/vfio.h>.
 */
#ifndef IAU_VFIO_PROTO_H
#define IAU_VFIO_PROTO_H

#include <stdint.h>

enum {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_DEVICE_GET_INFO = 4,
	VU_DEVICE_GET_REGION_INFO = 5,
	VU_DEVICE_GET_REGION_IO_FDS = 6,
	VU_DEVICE_GET_IRQ_INFO = 7,
	VU_DEVICE_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DEVICE_RESET = 13,
};

#define VU_TYPE	    0xfu /* of the flags: 0 command, 1 reply */
#define VU_REPLY    0x1u
#define VU_NO_REPLY 0x10u
#define VU_ERROR    0x20u

#define VU_MAX_FDS  8	    /* in one message */
#define VU_MAX_DATA 0x10000 /* bytes of one REGION_READ or REGION_WRITE */

struct vu_header {
	uint16_t id, command;
	uint32_t size; /* header included */
	uint32_t flags, error;
};

struct vu_dma_map {
	uint32_t argsz, flags; /* 1 readable, 2 writable */
	uint64_t offset, address, size;
};

struct vu_dma_unmap {
	uint32_t argsz, flags;
	uint64_t address, size;
};

struct vu_region_access {
	uint64_t offset;
	uint32_t region, count; /* data follow */
};

#endif
