/* SPDX-License-Identifier: MIT */
/* The reference model: the device without time, command by command. */
#ifndef IAU_REF_H
#define IAU_REF_H

#include "iau_dev.h"
#include "iau_hw.h"

struct ref_queue {
	uint64_t base;
	uint32_t size, head, tail, ctrl, status, progress;
	uint32_t fault_code, fault_info, fault_offset, fault_tag, fault_ctx;
	uint64_t fault_va;
};

/* The job in flight: what a command can see. */
struct ref_job {
	bool active;
	unsigned int queue, ctx;
	uint64_t cmd_va, fence_pa, fence_value;
	uint32_t cmd_bytes, pc, budget, executed, tag;
	bool irq;
	/* the page of commands at hand, in the host's memory, and its address; NULL: not known */
	const uint8_t *page;
	uint64_t page_va;
	uint32_t reg[IAU_NUM_REGS];
};

struct ref_fault {
	enum iau_fault code;
	uint32_t info;
	uint64_t va;
	bool data; /* a bus error of the data itself, not of a page table */
};

/* Bytes LO to HI of the tile scratchpad that lie in constant memory: in the host's, at MEM. */
struct ref_view {
	uint32_t lo, hi;
	const uint8_t *mem;
};

#define REF_VIEWS 32

/* The commands that compute, in one of several versions that give the same bits. */
struct ref_kernels {
	const char *name;
	bool (*supported)(void); /* by this processor */
	void (*matmul)(struct iau_dev *dev, const uint32_t *cmd);
	void (*vec)(struct iau_dev *dev, const uint32_t *cmd);
};

struct iau_dev {
	struct iau_dev_host host;
	const struct ref_kernels *kernels;
	struct ref_queue queue[IAU_NUM_QUEUES];
	uint64_t ctx_root[IAU_NUM_CONTEXTS];
	uint64_t counter[IAU_NUM_COUNTERS];
	uint32_t latch_hi, irq_status, irq_mask;
	unsigned int last_queue;
	struct ref_job job;
	uint8_t vsp[IAU_VSP_BYTES] __attribute__((aligned(128)));
	uint8_t tsp[IAU_TSP_BYTES] __attribute__((aligned(128)));
	bool scratch_used; /* since they were cleared */
	/* disjoint; what TSP has there is of no account */
	struct ref_view view[REF_VIEWS];
	unsigned int views;
	struct ref_pair *pair; /* a second thread, or NULL */
};

/* ref_mmu.c: where an address lies, and how many bytes from there on the page has. */
struct ref_page {
	uint64_t pa, room;
	bool writable, constant;
};

bool ref_walk(struct iau_dev *dev, uint64_t va, struct ref_page *page, struct ref_fault *fault);
/* The host address of LEN bytes at VA, which must not cross a 4 KiB page. */
uint8_t *ref_translate(struct iau_dev *dev, uint64_t va, size_t len, bool write, bool command,
		       struct ref_fault *fault);

/* ref_tsp.c: who writes to the tile scratchpad cuts first, who reads asks where. */
void ref_tsp_cut(struct iau_dev *dev, uint32_t lo, uint32_t hi);
void ref_tsp_view(struct iau_dev *dev, uint32_t at, uint32_t bytes, const uint8_t *mem);
const uint8_t *ref_tsp_read(struct iau_dev *dev, uint32_t at, uint32_t bytes);
void ref_settle(struct iau_dev *dev);

/* ref_check.c: verifies a command after its patches; FAULT->code is set if it is bad. */
void ref_check(const uint32_t *cmd, struct ref_fault *fault);
bool ref_check_masks(const uint32_t *cmd, struct ref_fault *fault);

/* One function a command. They run checked commands only. */
void ref_load(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault);
void ref_store(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault);
void ref_copy(struct iau_dev *dev, const uint32_t *cmd);
void ref_topk(struct iau_dev *dev, const uint32_t *cmd);
void ref_stamp(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault);
void ref_matmul(struct iau_dev *dev, const uint32_t *cmd);
void ref_vec(struct iau_dev *dev, const uint32_t *cmd);

/* The same for instruction sets that not every processor has. */
void ref_matmul_avx2(struct iau_dev *dev, const uint32_t *cmd);
void ref_matmul_avx512(struct iau_dev *dev, const uint32_t *cmd);
void ref_vec_avx2(struct iau_dev *dev, const uint32_t *cmd);
void ref_vec_avx512(struct iau_dev *dev, const uint32_t *cmd);

/* ref_pair.c: columns FROM to TO - 1 of a product, X; a second thread takes some of them if there is one. */
typedef void (*ref_columns)(const void *x, uint32_t from, uint32_t to);
void ref_run_columns(struct iau_dev *dev, ref_columns fn, const void *x, uint32_t columns, uint64_t macs);
struct ref_pair *ref_pair_create(void);
void ref_pair_destroy(struct ref_pair *p);

/* ref_dispatch.c: fastest first; the last one runs everywhere. */
#define REF_NUM_KERNELS 3
extern const struct ref_kernels ref_kernels[REF_NUM_KERNELS];
const struct ref_kernels *ref_choose_kernels(void);

/* ref_job.c: executes one command of the job in flight, or starts one. False when idle. */
bool ref_step(struct iau_dev *dev);
void ref_raise(struct iau_dev *dev, unsigned int vector);

#endif
