// SPDX-License-Identifier: MIT
// The Verilated device behind the C ABI. C++ because Verilator's classes are.
#include "Viau_sim.h"
#include "verilated.h"

extern "C" {
#include "dram.h"
extern const struct iau_dev_ops iau_rtl_engine;
}

#include <cstdlib>
#include <cstring>
#include <new>

double sc_time_stamp() { return 0; }

struct iau_dev {
	VerilatedContext context;
	Viau_sim top{ &context };
	iau_dev_host host;
	struct dram dram;
	// commands on their way, by their place in the window; the job that runs
	iau_dev_span span[32];
	iau_dev_span job;
	bool in_job;
};

// Commands that start or are done in this cycle.
static void trace_units(struct iau_dev *dev)
{
	Viau_sim &t = dev->top;
	uint64_t now = dev->dram.now;
	const CData starts[] = { t.ev_load_start_o, t.ev_store_start_o, t.ev_matmul_start_o,
				 t.ev_vec_start_o, t.ev_copy_start_o };
	const CData ends[] = { t.ev_load_done_o, t.ev_store_done_o, t.ev_matmul_done_o,
			       t.ev_vec_done_o, t.ev_copy_done_o };

	for (unsigned int u = 0; u < sizeof(starts); u++) {
		iau_dev_span &started = dev->span[t.ev_start_place_o >> 5 * u & 31];
		iau_dev_span &done = dev->span[t.ev_done_place_o >> 5 * u & 31];

		if (ends[u]) {
			done.done = now;
			dev->host.span(dev->host.opaque, &done);
		}
		if (starts[u])
			started.started = now;
	}
}

// What the trace ports say in the cycle before the edge.
static void trace(struct iau_dev *dev)
{
	Viau_sim &t = dev->top;
	uint64_t now = dev->dram.now;

	if (t.ev_any_o)
		trace_units(dev);
	if (t.ev_enter_o)
		dev->span[t.ev_place_o] = { now, now, now, t.ev_pc_o, (iau_dev_unit)t.ev_unit_o };
	if (t.counts_o && !dev->in_job)
		dev->job = { now, now, now, 0, IAU_DEV_JOB };
	if (!t.counts_o && dev->in_job) {
		dev->job.done = now;
		dev->host.span(dev->host.opaque, &dev->job);
	}
	dev->in_job = t.counts_o;
}

static void raise_irqs(struct iau_dev *dev)
{
	for (unsigned int v = 0; dev->top.irq_o >> v; v++)
		if (dev->top.irq_o >> v & 1)
			dev->host.irq(dev->host.opaque, v);
}

// The memory model's side of the next cycle, for the registers before the device.
static void drive(struct iau_dev *dev)
{
	Viau_sim &t = dev->top;
	struct dram *d = &dev->dram;
	unsigned int id = 0;
	bool err = false, b_err = false;

	t.r_valid_i = dram_offer(d, &id, (uint8_t *)&t.r_data_i[0], &err);
	t.r_id_i = (uint8_t)id;
	t.r_err_i = err;
	t.ar_ready_i = dram_can_read(d);
	t.w_ready_i = dram_can_write(d, t.r_valid_i);
	t.b_valid_i = dram_answer(d, &b_err);
	t.b_err_i = b_err;
}

static void edge(struct iau_dev *dev)
{
	dev->top.tick_i ^= 1;
	dev->top.eval();
}

// One clock cycle: what was driven before it meets what the device says in it, then the edge.
static void cycle(struct iau_dev *dev)
{
	Viau_sim &t = dev->top;
	struct dram *d = &dev->dram;

	if (t.r_valid_i && t.r_ready_o)
		dram_accept(d);
	if (t.b_valid_i)
		dram_answered(d);
	if (t.ar_valid_o && t.ar_ready_i)
		dram_read(d, t.ar_id_o, t.ar_addr_o, t.ar_len_o + 1u, t.ar_qos_o);
	if (t.w_valid_o && t.w_ready_i)
		dram_write(d, t.w_addr_o, (const uint8_t *)&t.w_data_o[0], t.w_strb_o);
	else if (t.w_valid_o)
		d->write_waits = true;
	if (dev->host.span)
		trace(dev);
	// memory's time is that of the cycle counter: what the host asks of an idle device does not
	// move the refresh, and a job takes the same cycles whoever drives the device
	if (t.counts_o)
		dram_tick(d);
	drive(dev);
	edge(dev);
	if (t.irq_o)
		raise_irqs(dev);
}

static struct iau_dev *rtl_create(const struct iau_dev_host *host,
				  const struct iau_dev_timing *timing)
{
	struct iau_dev *dev = new (std::nothrow) iau_dev;

	if (!dev)
		return nullptr;
	dev->host = *host;
	dev->in_job = false;
	dram_init(&dev->dram, host, timing);
	// an edge of the reset: gated clocks may not have one while it is low
	dev->top.rst_ni = 1;
	dev->top.eval();
	dev->top.rst_ni = 0;
	drive(dev);
	edge(dev);
	dev->top.rst_ni = 1;
	dev->top.eval();
	return dev;
}

static void rtl_destroy(struct iau_dev *dev)
{
	dev->top.final();
	delete dev;
}

// The cycle of an access to a register, which begins and ends while the clock is low.
static void access(struct iau_dev *dev)
{
	dev->top.eval();
	cycle(dev);
	dev->top.mmio_re_i = 0;
	dev->top.mmio_we_i = 0;
	dev->top.eval();
}

// What is read comes a cycle after the request.
static uint32_t rtl_mmio_read(struct iau_dev *dev, uint32_t offset)
{
	dev->top.mmio_re_i = 1;
	dev->top.mmio_addr_i = (uint16_t)offset;
	access(dev);
	return dev->top.mmio_rdata_o;
}

// A cycle more, in which a queue with work is found.
static void rtl_mmio_write(struct iau_dev *dev, uint32_t offset, uint32_t value)
{
	dev->top.mmio_we_i = 1;
	dev->top.mmio_addr_i = (uint16_t)offset;
	dev->top.mmio_wdata_i = value;
	access(dev);
	cycle(dev);
}

static bool rtl_run(struct iau_dev *dev, uint64_t budget)
{
	while (budget-- && dev->top.pending_o)
		cycle(dev);
	return dev->top.pending_o;
}

extern "C" {
const struct iau_dev_ops iau_rtl_engine = {
	"rtl", true, rtl_create, rtl_destroy, rtl_mmio_read, rtl_mmio_write, rtl_run, nullptr,
};
}
