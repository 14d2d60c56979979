/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>

static uint8_t *host_map(void *opaque, uint64_t pa, size_t len, bool write)
{
	struct bench *b = opaque;

	(void)write;
	return pa < BENCH_BYTES && len <= BENCH_BYTES - pa ? b->mem + pa : NULL;
}

static void host_irq(void *opaque, unsigned int vector)
{
	struct bench *b = opaque;

	assert_in_range(vector, 0, IAU_NUM_IRQS - 1);
	b->irq_count[vector]++;
	b->irq_log[b->irqs++ % BENCH_IRQ_LOG] = (uint8_t)vector;
}

void bench_open(struct bench *b, const char *engine, const struct iau_dev_timing *timing)
{
	static const struct iau_dev_timing quick = { 12, 64, 3, 400, 4, 1 };
	struct iau_dev_host host = { .opaque = b, .map = host_map, .irq = host_irq };

	memset(b, 0, sizeof(*b));
	b->mem = calloc(1, BENCH_BYTES);
	assert_non_null(b->mem);
	b->next_page = 1;
	b->ops = iau_dev_engine(engine);
	assert_non_null(b->ops);
	b->dev = b->ops->create(&host, timing ? timing : &quick);
	assert_non_null(b->dev);
}

void bench_close(struct bench *b)
{
	b->ops->destroy(b->dev);
	free(b->mem);
}

int bench_setup(void **state)
{
	struct bench *b = malloc(sizeof(*b));

	if (!b)
		return -1;
	bench_open(b, *state, NULL);
	*state = b;
	return 0;
}

int bench_teardown(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

uint32_t reg_read(struct bench *b, uint32_t offset)
{
	return b->ops->mmio_read(b->dev, offset);
}

void reg_write(struct bench *b, uint32_t offset, uint32_t value)
{
	b->ops->mmio_write(b->dev, offset, value);
}

uint32_t queue_read(struct bench *b, unsigned int q, uint32_t reg)
{
	return reg_read(b, IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg);
}

void queue_write(struct bench *b, unsigned int q, uint32_t reg, uint32_t value)
{
	reg_write(b, IAU_QUEUE_OFFSET + q * IAU_QUEUE_STRIDE + reg, value);
}

uint32_t counter(struct bench *b, unsigned int n)
{
	return reg_read(b, IAU_CNT_OFFSET + n * 8);
}

uint64_t pages_new(struct bench *b, uint32_t n)
{
	uint64_t pa = (uint64_t)b->next_page * PAGE;

	b->next_page += n;
	assert_true(b->next_page * PAGE <= BENCH_BYTES);
	return pa;
}

uint64_t peek64(const struct bench *b, uint64_t pa)
{
	uint64_t v;

	memcpy(&v, b->mem + pa, sizeof(v));
	return v;
}

uint32_t peek32(const struct bench *b, uint64_t pa)
{
	uint32_t v;

	memcpy(&v, b->mem + pa, sizeof(v));
	return v;
}

void poke64(struct bench *b, uint64_t pa, uint64_t value)
{
	memcpy(b->mem + pa, &value, sizeof(value));
}

uint64_t pte_pa(struct bench *b, unsigned int ctx, uint64_t va, int level)
{
	uint64_t table = b->root[ctx];

	for (int l = 2;; l--) {
		uint64_t at = table + (va >> (12 + 9 * l) & 511) * 8;

		if (l == level)
			return at;
		if (!(peek64(b, at) & IAU_PTE_V))
			poke64(b, at, pages_new(b, 1) | IAU_PTE_V);
		table = peek64(b, at) & ~(uint64_t)(PAGE - 1);
	}
}

void page_map(struct bench *b, unsigned int ctx, uint64_t va, uint64_t pa, uint64_t flags)
{
	if (!b->root[ctx]) {
		b->root[ctx] = pages_new(b, 1);
		reg_write(b, IAU_CTX_OFFSET + ctx * IAU_CTX_STRIDE, (uint32_t)b->root[ctx] | 1);
		reg_write(b, IAU_CTX_OFFSET + ctx * IAU_CTX_STRIDE + 4, 0);
	}
	poke64(b, pte_pa(b, ctx, va, 0), pa | flags | IAU_PTE_V);
}

void queue_open(struct bench *b, unsigned int q, uint32_t log2, uint32_t ctrl)
{
	if (!b->ring[q])
		b->ring[q] = pages_new(b, 1);
	b->log2[q] = log2;
	b->tail[q] = 0;
	queue_write(b, q, IAU_QREG_BASE_LO, (uint32_t)b->ring[q]);
	queue_write(b, q, IAU_QREG_BASE_HI, 0);
	queue_write(b, q, IAU_QREG_SIZE, log2);
	queue_write(b, q, IAU_QREG_CTRL, ctrl);
}

void job_queue(struct bench *b, unsigned int q, const struct job *j)
{
	uint32_t entry = b->tail[q]++ & ((1u << b->log2[q]) - 1);
	uint32_t *desc = (uint32_t *)(void *)(b->mem + b->ring[q] + entry * IAU_JOB_BYTES);

	memset(desc, 0, IAU_JOB_BYTES);
	IAU_PUT(desc, j->irq, IAU_JOB_IRQ);
	IAU_PUT(desc, j->ctx, IAU_JOB_CTX);
	IAU_PUT(desc, j->cmd_bytes, IAU_JOB_CMD_BYTES);
	IAU_PUT(desc, j->cmd_va, IAU_JOB_CMD_VA);
	IAU_PUT(desc, j->param_va, IAU_JOB_PARAM_VA);
	IAU_PUT(desc, j->record_pa, IAU_JOB_FENCE_PA);
	IAU_PUT(desc, j->fence, IAU_JOB_FENCE_VALUE);
	IAU_PUT(desc, j->budget, IAU_JOB_BUDGET);
	IAU_PUT(desc, j->tag, IAU_JOB_TAG);
}

void doorbell(struct bench *b, unsigned int q)
{
	reg_write(b, IAU_DOORBELL_OFFSET + q * 8, b->tail[q]);
}

void job_submit(struct bench *b, unsigned int q, const struct job *j)
{
	job_queue(b, q, j);
	doorbell(b, q);
}

void run_idle(struct bench *b)
{
	assert_false(b->ops->run(b->dev, 4000000));
}

struct prog prog_at(struct bench *b, uint64_t pa)
{
	return (struct prog){ .cmd = (uint32_t(*)[16])(void *)(b->mem + pa) };
}

uint32_t *emit(struct prog *p, uint32_t opcode)
{
	uint32_t *c = p->cmd[p->n++];

	memset(c, 0, IAU_CMD_BYTES);
	c[0] = opcode;
	return c;
}

void emit_end(struct prog *p)
{
	emit(p, IAU_OP_END);
}

void emit_nops(struct prog *p, uint32_t n)
{
	while (n--)
		emit(p, IAU_OP_NOP);
}

void emit_set(struct prog *p, uint32_t rd, uint32_t imm)
{
	uint32_t *c = emit(p, IAU_OP_SALU);

	/* no register is always zero, so: rd = 0 AND 0, rd = rd + imm */
	IAU_PUT(c, 3, IAU_SALU_FUNC);
	IAU_PUT(c, rd, IAU_SALU_RD);
	IAU_PUT(c, 1, IAU_SALU_USE_IMM);
	c = emit(p, IAU_OP_SALU);
	IAU_PUT(c, rd, IAU_SALU_RD);
	IAU_PUT(c, rd, IAU_SALU_RA);
	IAU_PUT(c, 1, IAU_SALU_USE_IMM);
	IAU_PUT(c, imm, IAU_SALU_IMM);
}

void emit_delay(struct prog *p, uint32_t rd, uint32_t n)
{
	uint32_t *c;

	emit_set(p, rd, n);
	c = emit(p, IAU_OP_SALU);
	IAU_PUT(c, 1, IAU_SALU_FUNC);
	IAU_PUT(c, rd, IAU_SALU_RD);
	IAU_PUT(c, rd, IAU_SALU_RA);
	IAU_PUT(c, 1, IAU_SALU_USE_IMM);
	IAU_PUT(c, 1, IAU_SALU_IMM);
	c = emit(p, IAU_OP_BRANCH);
	IAU_PUT(c, 2, IAU_BRANCH_COND);
	IAU_PUT(c, rd, IAU_BRANCH_RA);
	IAU_PUT(c, 1, IAU_BRANCH_USE_IMM);
	IAU_PUT(c, (uint32_t)-2, IAU_BRANCH_OFFSET);
}

static void emit_copy(struct prog *p, uint32_t op, uint64_t va, uint32_t addr, uint32_t bytes)
{
	uint32_t *c = emit(p, op);

	IAU_PUT(c, bytes, IAU_LOAD_ROW_BYTES);
	IAU_PUT(c, va, IAU_LOAD_VA);
	IAU_PUT(c, 1, IAU_LOAD_ROWS);
	IAU_PUT(c, addr, IAU_LOAD_ADDR);
}

void emit_load(struct prog *p, uint64_t va, uint32_t addr, uint32_t bytes)
{
	emit_copy(p, IAU_OP_LOAD, va, addr, bytes);
}

void emit_store(struct prog *p, uint64_t va, uint32_t addr, uint32_t bytes)
{
	emit_copy(p, IAU_OP_STORE, va, addr, bytes);
}

void emit_stamp(struct prog *p, uint64_t va)
{
	uint32_t *c = emit(p, IAU_OP_STAMP);

	IAU_PUT(c, va, IAU_STAMP_VA);
}

uint32_t copy_program(struct bench *b, uint64_t pa, uint64_t src, uint64_t dst, uint32_t bytes,
		      uint32_t delay)
{
	struct prog p = prog_at(b, pa);

	emit_load(&p, src, 0, bytes);
	if (delay)
		emit_delay(&p, 9, delay);
	emit_store(&p, dst, 0, bytes);
	emit_end(&p);
	return p.n * IAU_CMD_BYTES;
}
