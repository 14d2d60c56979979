/* SPDX-License-Identifier: MIT */
#include "jobs.h"

#define CODE	  UINT64_C(0x10000)
#define IN	  UINT64_C(0x20000)
#define OUT	  UINT64_C(0x40000)
#define RING_LOG2 4u

uint64_t page_new(struct client *c, uint32_t n)
{
	uint64_t pa = CLIENT_PA + (uint64_t)c->next_page * PAGE;

	c->next_page += n;
	assert_true(c->next_page * PAGE <= CLIENT_BYTES);
	return pa;
}

uint8_t *at_pa(struct client *c, uint64_t pa)
{
	return c->mem + (pa - CLIENT_PA);
}

static void put64(struct client *c, uint64_t pa, uint64_t value)
{
	memcpy(at_pa(c, pa), &value, sizeof(value));
}

/* One set of tables for all lanes: the context's number is the queue's, its addresses differ. */
static void map_page(struct client *c, unsigned int q, uint64_t va, uint64_t pa, uint64_t flags)
{
	uint64_t l1, l0;

	if (!c->root) {
		c->root = page_new(c, 3);
		put64(c, c->root, (c->root + PAGE) | IAU_PTE_V);
		put64(c, c->root + PAGE, (c->root + 2 * PAGE) | IAU_PTE_V);
	}
	l1 = c->root + PAGE;
	l0 = l1 + PAGE;
	put64(c, l0 + ((va >> 12) + q) * 8, pa | flags | IAU_PTE_V);
}

static uint64_t va_of(const struct lane *l, uint64_t base)
{
	return base + l->q * PAGE;
}

static uint32_t *command(struct client *c, struct lane *l, uint32_t opcode)
{
	uint32_t *w = (uint32_t *)(void *)(at_pa(c, l->code) + l->cmd_bytes);

	memset(w, 0, IAU_CMD_BYTES);
	w[0] = opcode;
	l->cmd_bytes += IAU_CMD_BYTES;
	return w;
}

static void copy_command(struct client *c, struct lane *l, uint32_t opcode, uint64_t va)
{
	uint32_t *w = command(c, l, opcode);

	IAU_PUT(w, LANE_BYTES, IAU_LOAD_ROW_BYTES);
	IAU_PUT(w, va, IAU_LOAD_VA);
	IAU_PUT(w, 1, IAU_LOAD_ROWS);
}

/* Counts register 0, which starts at 0, up to N. */
static void delay_commands(struct client *c, struct lane *l, uint32_t n)
{
	uint32_t *w = command(c, l, IAU_OP_SALU);

	IAU_PUT(w, 1, IAU_SALU_USE_IMM);
	IAU_PUT(w, 1, IAU_SALU_IMM);
	w = command(c, l, IAU_OP_BRANCH);
	IAU_PUT(w, 2, IAU_BRANCH_COND);
	IAU_PUT(w, 1, IAU_BRANCH_USE_IMM);
	IAU_PUT(w, n, IAU_BRANCH_IMM);
	IAU_PUT(w, (uint32_t)-2, IAU_BRANCH_OFFSET);
}

void lane_open(struct client *c, struct lane *l, unsigned int q, uint32_t delay)
{
	*l = (struct lane){ .q = q };
	l->ring = page_new(c, 1);
	l->code = page_new(c, 1);
	l->in = page_new(c, 1);
	l->out = page_new(c, 1);
	l->record = page_new(c, 1);
	map_page(c, q, CODE, l->code, IAU_PTE_C);
	map_page(c, q, IN, l->in, IAU_PTE_C);
	map_page(c, q, OUT, l->out, IAU_PTE_W);
	for (uint32_t i = 0; i < LANE_BYTES; i++)
		at_pa(c, l->in)[i] = (uint8_t)(i * 7 + q);
	copy_command(c, l, IAU_OP_LOAD, va_of(l, IN));
	if (delay)
		delay_commands(c, l, delay);
	copy_command(c, l, IAU_OP_STORE, va_of(l, OUT));
	command(c, l, IAU_OP_END);
	lane_enable(c, l);
}

void lane_enable(struct client *c, struct lane *l)
{
	uint32_t ctx = IAU_CTX_OFFSET + l->q * IAU_CTX_STRIDE;

	l->tail = 0;
	reg_write(c, ctx, (uint32_t)c->root | 1);
	reg_write(c, ctx + 4, (uint32_t)(c->root >> 32));
	queue_write(c, l->q, IAU_QREG_BASE_LO, (uint32_t)l->ring);
	queue_write(c, l->q, IAU_QREG_BASE_HI, (uint32_t)(l->ring >> 32));
	queue_write(c, l->q, IAU_QREG_SIZE, RING_LOG2);
	queue_write(c, l->q, IAU_QREG_CTRL, 1);
}

void lane_endless(struct client *c, struct lane *l)
{
	uint32_t *w;

	l->cmd_bytes = 0;
	w = command(c, l, IAU_OP_BRANCH);
	IAU_PUT(w, (uint32_t)-1, IAU_BRANCH_OFFSET);
}

void lane_queue(struct client *c, struct lane *l)
{
	uint32_t entry = l->tail++ & ((1u << RING_LOG2) - 1);
	uint32_t *d = (uint32_t *)(void *)(at_pa(c, l->ring) + entry * IAU_JOB_BYTES);

	memset(at_pa(c, l->out), 0, PAGE);
	memset(d, 0, IAU_JOB_BYTES);
	IAU_PUT(d, 1, IAU_JOB_IRQ);
	IAU_PUT(d, l->q, IAU_JOB_CTX);
	IAU_PUT(d, l->cmd_bytes, IAU_JOB_CMD_BYTES);
	IAU_PUT(d, va_of(l, CODE), IAU_JOB_CMD_VA);
	IAU_PUT(d, l->record, IAU_JOB_FENCE_PA);
	IAU_PUT(d, ++l->fence, IAU_JOB_FENCE_VALUE);
}

void lane_submit(struct client *c, struct lane *l)
{
	lane_queue(c, l);
	reg_write(c, IAU_DOORBELL_OFFSET + l->q * 8, l->tail);
}

bool lane_copied(struct client *c, const struct lane *l)
{
	return !memcmp(at_pa(c, l->in), at_pa(c, l->out), LANE_BYTES);
}

uint64_t record_value(struct client *c, const struct lane *l)
{
	uint64_t value;

	memcpy(&value, at_pa(c, l->record), sizeof(value));
	return value;
}

void lane_check(struct client *c, struct lane *l)
{
	assert_int_equal(irq_wait(c, l->q), 1);
	assert_int_equal(queue_read(c, l->q, IAU_QREG_HEAD), l->tail);
	assert_int_equal(record_value(c, l), l->fence);
	assert_true(lane_copied(c, l));
}
