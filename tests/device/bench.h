/* SPDX-License-Identifier: MIT */
/*
 * A device with memory, page tables, rings and a log of interrupts, driven through the C ABI as a
 * driver would, for tests that must hold on every engine.
 */
#ifndef TESTS_DEVICE_BENCH_H
#define TESTS_DEVICE_BENCH_H

#include "cmocka_all.h"
#include "iau_dev.h"
#include "iau_hw.h"

#define BENCH_BYTES   (4u << 20)
#define BENCH_IRQ_LOG 64u
#define PAGE	      4096u

struct bench {
	const struct iau_dev_ops *ops;
	struct iau_dev *dev;
	uint8_t *mem;
	uint32_t next_page;
	uint64_t root[IAU_NUM_CONTEXTS];
	uint64_t ring[IAU_NUM_QUEUES];
	uint32_t log2[IAU_NUM_QUEUES], tail[IAU_NUM_QUEUES];
	unsigned int irq_count[IAU_NUM_IRQS], irqs;
	uint8_t irq_log[BENCH_IRQ_LOG]; /* vectors in the order in which they came */
};

struct job {
	unsigned int ctx;
	uint64_t cmd_va, param_va, record_pa, fence;
	uint32_t cmd_bytes, budget, tag;
	bool irq;
};

/* Commands being written to memory. */
struct prog {
	uint32_t (*cmd)[16];
	uint32_t n;
};

/* TIMING may be NULL: a quick memory, so that sweeps over every cycle stay short. */
void bench_open(struct bench *b, const char *engine, const struct iau_dev_timing *timing);
void bench_close(struct bench *b);

/* cmocka: a device for each test; the initial state is the engine's name. */
int bench_setup(void **state);
int bench_teardown(void **state);
#define ON_BOTH(f)                                                  \
	{ #f " on ref", f, bench_setup, bench_teardown, "ref" },    \
	{                                                           \
#f " on rtl", f, bench_setup, bench_teardown, "rtl" \
	}

uint32_t reg_read(struct bench *b, uint32_t offset);
void reg_write(struct bench *b, uint32_t offset, uint32_t value);
uint32_t queue_read(struct bench *b, unsigned int q, uint32_t reg);
void queue_write(struct bench *b, unsigned int q, uint32_t reg, uint32_t value);
uint32_t counter(struct bench *b, unsigned int n);

/* Physical pages, zeroed. */
uint64_t pages_new(struct bench *b, uint32_t n);
uint64_t peek64(const struct bench *b, uint64_t pa);
void poke64(struct bench *b, uint64_t pa, uint64_t value);
uint32_t peek32(const struct bench *b, uint64_t pa);

/* Maps a 4 KiB page in CTX, whose tables and root come to be as needed. */
void page_map(struct bench *b, unsigned int ctx, uint64_t va, uint64_t pa, uint64_t flags);
/* The physical address of the entry of VA at LEVEL; the tables above it exist. */
uint64_t pte_pa(struct bench *b, unsigned int ctx, uint64_t va, int level);

/* A ring of 2^LOG2 entries; CTRL as in the register. */
void queue_open(struct bench *b, unsigned int q, uint32_t log2, uint32_t ctrl);
/* A descriptor at the tail; the doorbell is the caller's, so that several can wait. */
void job_queue(struct bench *b, unsigned int q, const struct job *j);
void doorbell(struct bench *b, unsigned int q);
void job_submit(struct bench *b, unsigned int q, const struct job *j);
/* Runs until nothing is pending. */
void run_idle(struct bench *b);

struct prog prog_at(struct bench *b, uint64_t pa);
uint32_t *emit(struct prog *p, uint32_t opcode);
void emit_end(struct prog *p);
void emit_nops(struct prog *p, uint32_t n);
/* rd = imm */
void emit_set(struct prog *p, uint32_t rd, uint32_t imm);
/* Counts register RD down to zero: N times two commands. */
void emit_delay(struct prog *p, uint32_t rd, uint32_t n);
void emit_load(struct prog *p, uint64_t va, uint32_t addr, uint32_t bytes);
void emit_store(struct prog *p, uint64_t va, uint32_t addr, uint32_t bytes);
void emit_stamp(struct prog *p, uint64_t va);

/* A job that copies N bytes from SRC to DST (virtual) after DELAY rounds; returns its bytes. */
uint32_t copy_program(struct bench *b, uint64_t pa, uint64_t src, uint64_t dst, uint32_t bytes,
		      uint32_t delay);

#endif
