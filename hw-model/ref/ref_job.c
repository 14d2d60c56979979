/* SPDX-License-Identifier: MIT */
/* Jobs: choosing a queue, starting, running command by command, completing, faulting. */
#include "ref.h"

#include <string.h>

/* The operands of SALU and BRANCH, whose fields stand at the same places. */
static uint32_t operand_a(const struct iau_dev *dev, const uint32_t *cmd)
{
	return dev->job.reg[IAU_GET(cmd, IAU_SALU_RA)];
}

static uint32_t operand_b(const struct iau_dev *dev, const uint32_t *cmd)
{
	return IAU_GET(cmd, IAU_SALU_USE_IMM) ? (uint32_t)IAU_GET(cmd, IAU_SALU_IMM) :
						dev->job.reg[IAU_GET(cmd, IAU_SALU_RB)];
}

static void raise_fault(struct iau_dev *dev, const struct ref_fault *fault)
{
	struct ref_queue *q = &dev->queue[dev->job.queue];

	q->status = 2;
	q->fault_code = fault->code;
	q->fault_info = fault->info;
	q->fault_va = fault->va;
	q->fault_offset = dev->job.pc * IAU_CMD_BYTES;
	q->fault_tag = dev->job.tag;
	q->fault_ctx = dev->job.ctx;
	dev->job.active = false;
	dev->counter[IAU_CNT_FAULTS]++;
	ref_raise(dev, IAU_IRQ_FAULT);
}

static void complete(struct iau_dev *dev)
{
	struct ref_job *job = &dev->job;
	struct ref_queue *q = &dev->queue[job->queue];
	uint64_t record[4] = { job->fence_value, 0, 0, job->executed };

	job->active = false;
	dev->counter[IAU_CNT_JOBS]++;
	q->head++;
	q->status = 0;
	if (job->fence_pa) {
		uint64_t pa = job->fence_pa & ((UINT64_C(1) << 52) - 1);
		uint8_t *p = dev->host.map(dev->host.opaque, pa, sizeof(record), true);

		if (p)
			memcpy(p, record, sizeof(record));
	}
	if (job->irq)
		ref_raise(dev, job->queue);
}

/* The runnable queue of the highest priority; round robin among equals. */
static int choose_queue(const struct iau_dev *dev)
{
	int best = -1;
	uint32_t best_prio = 0;

	for (unsigned int i = 1; i <= IAU_NUM_QUEUES; i++) {
		unsigned int n = (dev->last_queue + i) % IAU_NUM_QUEUES;
		const struct ref_queue *q = &dev->queue[n];
		uint32_t prio = q->ctrl >> 1 & 3;

		if (!(q->ctrl & 1) || q->status || q->head == q->tail)
			continue;
		if (best < 0 || prio > best_prio) {
			best = (int)n;
			best_prio = prio;
		}
	}
	return best;
}

static void check_job(const struct iau_dev *dev, const uint32_t *desc, struct ref_fault *fault)
{
	uint32_t bad = 0;

	bad |= dev->ctx_root[dev->job.ctx] & 1 ? 0 : 1u << 0;
	bad |= desc[1] % IAU_CMD_BYTES ? 1u << 1 : 0;
	bad |= desc[2] % IAU_CMD_BYTES ? 1u << 2 : 0;
	bad |= desc[4] % IAU_PARAM_BYTES ? 1u << 4 : 0;
	bad |= desc[6] % IAU_RECORD_BYTES ? 1u << 6 : 0;
	if (bad) {
		fault->code = IAU_FAULT_BAD_JOB;
		fault->info = (uint32_t)__builtin_ctz(bad);
	}
}

static void start_job(struct iau_dev *dev, unsigned int queue)
{
	struct ref_queue *q = &dev->queue[queue];
	uint64_t at = q->base + (q->head & ((1u << q->size) - 1)) * (uint64_t)IAU_JOB_BYTES;
	const uint8_t *p = dev->host.map(dev->host.opaque, at, IAU_JOB_BYTES, false);
	uint64_t param = 0;
	uint32_t desc[16] = { 0 };
	struct ref_fault fault = { 0 };
	struct ref_job *job = &dev->job;

	dev->last_queue = queue;
	dev->views = 0;
	*job = (struct ref_job){ .active = true, .queue = queue };
	q->status = 1;
	if (p) {
		memcpy(desc, p, sizeof(desc));
		param = IAU_GET(desc, IAU_JOB_PARAM_VA);
		job->ctx = (unsigned int)IAU_GET(desc, IAU_JOB_CTX);
		job->cmd_va = IAU_GET(desc, IAU_JOB_CMD_VA);
		job->cmd_bytes = (uint32_t)IAU_GET(desc, IAU_JOB_CMD_BYTES);
		job->fence_pa = IAU_GET(desc, IAU_JOB_FENCE_PA);
		job->fence_value = IAU_GET(desc, IAU_JOB_FENCE_VALUE);
		job->budget = (uint32_t)IAU_GET(desc, IAU_JOB_BUDGET);
		job->tag = (uint32_t)IAU_GET(desc, IAU_JOB_TAG);
		job->irq = IAU_GET(desc, IAU_JOB_IRQ);
		check_job(dev, desc, &fault);
	} else {
		fault = (struct ref_fault){ .code = IAU_FAULT_BUS, .va = at };
	}
	if (!fault.code && param) {
		p = ref_translate(dev, param, IAU_PARAM_BYTES, false, false, &fault);
		if (p)
			memcpy(job->reg, p, IAU_PARAM_BYTES);
	}
	/* clearing costs more than all else about an empty job */
	if (dev->scratch_used) {
		memset(dev->vsp, 0, sizeof(dev->vsp));
		memset(dev->tsp, 0, sizeof(dev->tsp));
		dev->scratch_used = false;
	}
	if (fault.code)
		raise_fault(dev, &fault);
}

static void salu(struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t a = operand_a(dev, cmd), b = operand_b(dev, cmd);
	uint32_t d = 0;

	switch (IAU_GET(cmd, IAU_SALU_FUNC)) {
	case 0: d = a + b; break;
	case 1: d = a - b; break;
	case 2: d = a * b; break;
	case 3: d = a & b; break;
	case 4: d = a | b; break;
	case 5: d = a << (b & 31); break;
	case 6: d = a >> (b & 31); break;
	case 7: d = a < b ? a : b; break;
	case 8: d = a > b ? a : b; break;
	}
	dev->job.reg[IAU_GET(cmd, IAU_SALU_RD)] = d;
}

static bool branch_taken(const struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t a = operand_a(dev, cmd), b = operand_b(dev, cmd);

	switch (IAU_GET(cmd, IAU_BRANCH_COND)) {
	case 1: return a == b;
	case 2: return a != b;
	case 3: return a < b;
	case 4: return a >= b;
	case 5: return (int32_t)a < (int32_t)b;
	case 6: return (int32_t)a >= (int32_t)b;
	default: return true;
	}
}

static void execute(struct iau_dev *dev, const uint32_t *cmd, struct ref_fault *fault)
{
	uint32_t op = cmd[0] & 0xff;

	dev->scratch_used |= op != IAU_OP_END;
	switch (op) {
	case IAU_OP_SALU:
		salu(dev, cmd);
		break;
	case IAU_OP_BRANCH:
		if (branch_taken(dev, cmd))
			dev->job.pc += (uint32_t)IAU_GET(cmd, IAU_BRANCH_OFFSET);
		break;
	case IAU_OP_SLOAD:
		memcpy(dev->job.reg + IAU_GET(cmd, IAU_SLOAD_RD), dev->vsp + IAU_GET(cmd, IAU_SLOAD_ADDR),
		       IAU_GET(cmd, IAU_SLOAD_HALF) ? 64 : 4);
		break;
	case IAU_OP_LOAD:
		ref_load(dev, cmd, fault);
		break;
	case IAU_OP_STORE:
		ref_store(dev, cmd, fault);
		break;
	case IAU_OP_COPY:
		ref_copy(dev, cmd);
		break;
	case IAU_OP_TOPK:
		ref_topk(dev, cmd);
		break;
	case IAU_OP_STAMP:
		ref_stamp(dev, cmd, fault);
		break;
	case IAU_OP_MATMUL:
		dev->kernels->matmul(dev, cmd);
		break;
	case IAU_OP_VEC:
		dev->kernels->vec(dev, cmd);
		break;
	}
}

/* Registers added to words; a carry out of the address word of a copy is kept. */
static void patch(const struct iau_dev *dev, uint32_t *cmd)
{
	uint32_t op = cmd[0] & 0xff;
	bool copy = op == IAU_OP_LOAD || op == IAU_OP_STORE || op == IAU_OP_STAMP;

	for (unsigned int p = 0; p < 3; p++) {
		uint32_t w = cmd[15] >> 9 * p & 15, v = dev->job.reg[cmd[15] >> (9 * p + 4) & 31];

		if (!w)
			continue;
		cmd[w] += v;
		if (copy && w == 2 && cmd[2] < v)
			cmd[3]++;
	}
}

/* A translation may be kept for as long as a job takes; that of commands is, as there is one each. */
static const uint8_t *command_at(struct iau_dev *dev, uint64_t va, struct ref_fault *fault)
{
	struct ref_job *job = &dev->job;
	struct ref_fault none = { 0 };

	if (!job->page || va - job->page_va >= 4096) {
		job->page_va = va & ~UINT64_C(4095);
		job->page = ref_translate(dev, job->page_va, 4096, false, true, &none);
	}
	return job->page ? job->page + (va - job->page_va) :
			   ref_translate(dev, va, IAU_CMD_BYTES, false, true, fault);
}

static bool fetch(struct iau_dev *dev, uint32_t *cmd, struct ref_fault *fault)
{
	struct ref_job *job = &dev->job;
	const uint8_t *p;

	if (job->pc >= job->cmd_bytes / IAU_CMD_BYTES) {
		fault->code = IAU_FAULT_CMD_RANGE;
		return false;
	}
	if (job->executed == (job->budget ? job->budget : UINT32_MAX)) {
		fault->code = IAU_FAULT_BUDGET;
		return false;
	}
	p = command_at(dev, job->cmd_va + (uint64_t)job->pc * IAU_CMD_BYTES, fault);
	if (p)
		memcpy(cmd, p, IAU_CMD_BYTES);
	return p;
}

bool ref_step(struct iau_dev *dev)
{
	struct ref_fault fault = { 0 };
	uint32_t cmd[16];
	int queue;

	if (!dev->job.active) {
		queue = choose_queue(dev);
		if (queue < 0)
			return false;
		start_job(dev, (unsigned int)queue);
		return true;
	}
	if (fetch(dev, cmd, &fault) && ref_check_masks(cmd, &fault)) {
		patch(dev, cmd);
		ref_check(cmd, &fault);
		if (!fault.code)
			execute(dev, cmd, &fault);
	}
	if (fault.code) {
		raise_fault(dev, &fault);
		return true;
	}
	dev->job.pc++;
	dev->job.executed++;
	dev->counter[IAU_CNT_COMMANDS]++;
	dev->queue[dev->job.queue].progress++;
	if ((cmd[0] & 0xff) == IAU_OP_END)
		complete(dev);
	return true;
}
