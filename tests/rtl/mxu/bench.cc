/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include "Viau_mxu.h"
#include "iau_hw.h"
#include "verilated.h"

#include <cstring>

static uint32_t draw(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state >> 11 & 255;
}

static void edge(Viau_mxu *top)
{
	top->clk_i = 1;
	top->eval();
	top->clk_i = 0;
}

int mxu_run(const uint32_t (*cmd)[16], unsigned int n, uint8_t *vsp, const uint8_t *tsp,
	    unsigned int grant, uint32_t seed, uint64_t limit, struct mxu_stats *stats)
{
	static Viau_mxu *top;
	uint32_t rng = seed | 1;
	unsigned int given = 0, done = 0;
	int read = -1, tile = -1;

	if (!top) {
		top = new Viau_mxu;
		top->rst_ni = 0;
		edge(top);
		top->eval();
		top->rst_ni = 1;
	}
	memset(stats, 0, sizeof(*stats));
	for (; done < n && stats->cycles < limit; stats->cycles++) {
		if (given < n)
			memcpy(&top->cmd_i, cmd[given], 64);
		top->cmd_valid_i = given < n;
		/* Data of the last cycle's requests; anything where there was none. */
		if (read >= 0)
			memcpy(&top->s_rdata_i, vsp + 128 * read, 128);
		else
			top->s_rdata_i[stats->cycles & 31] ^= rng;
		if (tile >= 0) {
			unsigned int at = tile * 64, part = IAU_TSP_BYTES - at;

			part = part < 256 ? part : 256;
			memcpy(&top->t_rdata_i, tsp + at, part);
			memcpy((char *)&top->t_rdata_i + part, tsp, 256 - part);
		} else {
			top->t_rdata_i[stats->cycles & 63] ^= rng;
		}
		top->s_gnt_i = grant >= 256 || draw(&rng) < grant;
		top->d_gnt_i = grant >= 256 || draw(&rng) < grant;
		top->eval();
		read = top->s_req_o && top->s_gnt_i ? top->s_row_o : -1;
		tile = top->t_req_o ? top->t_addr_o : -1;
		if (top->d_req_o && top->d_gnt_i)
			memcpy(vsp + 128 * top->d_row_o, &top->d_wdata_o, 128);
		stats->busy += top->busy_o;
		stats->reads += read >= 0;
		stats->writes += top->d_req_o && top->d_gnt_i;
		given += top->cmd_valid_i && top->cmd_ready_o;
		done += top->done_o;
		edge(top);
	}
	return done == n && !top->active_o;
}

double sc_time_stamp()
{
	return 0;
}
