/* SPDX-License-Identifier: MIT */
#include "bench.h"
#include "Viau_vec.h"

#include <cstring>

static Viau_vec *dut;

void bench_start(void)
{
	dut = new Viau_vec;
	dut->rst_ni = 0;
	bench_idle(2);
	dut->rst_ni = 1;
	bench_idle(1);
}

void bench_stop(void)
{
	dut->final();
	delete dut;
}

static void clock_once(void)
{
	dut->clk_i = 0;
	dut->eval();
	dut->clk_i = 1;
	dut->eval();
}

void bench_idle(uint64_t cycles)
{
	while (cycles--)
		clock_once();
}

struct port {
	bool granted;
	const uint8_t *row;
};

static struct port read_port(const uint8_t *vsp, bool req, uint32_t row, bool allow)
{
	return { req && allow, vsp + row * 128 };
}

template <typename T> static void show(T &rdata, const struct port &port, bool poison)
{
	if (port.granted)
		memcpy(&rdata, port.row, 128);
	else if (poison)
		memset(&rdata, 0xa5, 128);
}

static void write(uint8_t *vsp)
{
	const uint8_t *data = reinterpret_cast<const uint8_t *>(&dut->w_wdata_o);
	const uint8_t *be = reinterpret_cast<const uint8_t *>(&dut->w_be_o);
	uint8_t *row = vsp + dut->w_row_o * 128;

	for (int i = 0; i < 16; i++)
		if (be[i] == 0xff)
			memcpy(row + i * 8, data + i * 8, 8);
		else
			for (int b = 0; b < 8 && be[i]; b++)
				row[i * 8 + b] = be[i] >> b & 1 ? data[i * 8 + b] : row[i * 8 + b];
}

struct bench_result bench_run(uint8_t *vsp, const uint32_t *cmd, unsigned int grant, uint64_t seed)
{
	struct bench_result res = { 0, 0, true };
	uint64_t after = 0;
	bool accepted = false;

	memcpy(&dut->cmd_i, cmd, 64);
	dut->cmd_valid_i = 1;
	while (after < 4) {
		bool allow[4] = { true, true, true, true };
		struct port a, b, s;

		for (int p = 0; p < 4 && grant < 256; p++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			allow[p] = (seed >> 33 & 255) < grant;
		}
		/* requests do not depend on this cycle's inputs */
		a = read_port(vsp, dut->a_req_o, dut->a_row_o, allow[0]);
		b = read_port(vsp, dut->b_req_o, dut->b_row_o, allow[1]);
		s = read_port(vsp, dut->s_req_o, dut->s_row_o, allow[2]);
		dut->a_gnt_i = a.granted;
		dut->b_gnt_i = b.granted;
		dut->s_gnt_i = s.granted;
		dut->w_gnt_i = dut->w_req_o && allow[3];
		dut->clk_i = 0;
		dut->eval();
		res.cycles += accepted && !after;
		if (after > 1 && (dut->a_req_o || dut->b_req_o || dut->s_req_o || dut->w_req_o || dut->done_o))
			res.ok = false;
		res.busy += dut->busy_o;
		accepted |= dut->cmd_valid_i && dut->cmd_ready_o;
		if (dut->w_gnt_i)
			write(vsp);
		dut->clk_i = 1;
		dut->eval();
		show(dut->a_rdata_i, a, grant < 256);
		show(dut->b_rdata_i, b, grant < 256);
		show(dut->s_rdata_i, s, grant < 256);
		if (accepted) {
			dut->cmd_valid_i = 0;
			if (grant < 256)
				memset(&dut->cmd_i, 0xa5, 64);
		}
		after += after || dut->done_o;
		if (res.cycles > 1000000) {
			res.ok = false;
			break;
		}
	}
	return res;
}
