/* SPDX-License-Identifier: MIT */
/*
 * The matrix engine against the reference model: random legal commands on random scratchpads,
 * grants withheld at random; every byte of the vector scratchpad must agree. With -b, figures.
 */
#include "bench.h"
#include "numerics.h"
#include "ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct iau_dev ref;
static uint8_t vsp[IAU_VSP_BYTES];
static uint64_t rng;

static uint32_t rnd(void)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z ^ z >> 31);
}

static uint32_t below(uint32_t n)
{
	return rnd() % n;
}

/* Moderate fp32 values mostly; anything at all when WILD. */
static uint32_t some_float(int wild)
{
	static const uint32_t odd[] = { 0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
					1, 0x807fffff, 0x00800000, 0x7f7fffff, 0xffffffff };

	if (wild && below(24) == 0)
		return odd[below(sizeof(odd) / sizeof(odd[0]))];
	if (wild && below(2))
		return rnd();
	return (rnd() & 0x807fffff) | (112 + below(30)) << 23;
}

static void fill(int wild)
{
	for (unsigned int i = 0; i < IAU_VSP_BYTES; i += 4) {
		uint32_t u = below(2) ? some_float(wild) : rnd();

		memcpy(ref.vsp + i, &u, 4);
	}
	for (unsigned int i = 0; i < IAU_TSP_BYTES; i += 4) {
		uint32_t u = rnd();

		if (!wild) /* scales of fp16 stay finite */
			u &= ~0x40004000u;
		memcpy(ref.tsp + i, &u, 4);
	}
	memcpy(vsp, ref.vsp, sizeof(vsp));
}

/* Sizes: 0 any, 1 one stream row, 2 one block along k, 3 a full engine, 4 one row of many tiles. */
static void draw_command(uint32_t *cmd, int sizes)
{
	uint32_t m = sizes == 1 || sizes == 4 ? 1 : sizes == 3 ? 32 : 1 + below(32), pitch;
	uint32_t nt = 1 + below(8), kb = sizes == 2 ? 1 : 1 + below(9), d_stride, in_place, aligned;

	if (sizes == 4 && below(2))
		nt = 1 + below(1500);
	else if (sizes == 4)
		kb = below(8) ? 1 + below(4096) : 4096;
	pitch = m + (below(3) || kb > 40 ? 0 : below(40));
	d_stride = 128 * (below(4) ? nt + below(3) : below(2 * nt));
	in_place = below(2);
	memset(cmd, 0, 64);
	cmd[0] = IAU_OP_MATMUL;
	IAU_PUT(cmd, below(4), IAU_MATMUL_FORMAT);
	IAU_PUT(cmd, below(3) == 0, IAU_MATMUL_UNIT);
	IAU_PUT(cmd, below(2), IAU_MATMUL_CIN);
	IAU_PUT(cmd, m, IAU_MATMUL_M);
	IAU_PUT(cmd, pitch, IAU_MATMUL_PITCH);
	IAU_PUT(cmd, nt, IAU_MATMUL_NT);
	IAU_PUT(cmd, kb, IAU_MATMUL_KB);
	aligned = below(2); /* pairs of rows at INT4 */
	IAU_PUT(cmd, below(IAU_VSP_BYTES / 64) * 64 + (aligned ? 0 : below(2) * 32), IAU_MATMUL_A_ADDR);
	IAU_PUT(cmd, below(IAU_VSP_BYTES / 8) * 8 + (aligned ? 0 : below(2) * 4), IAU_MATMUL_AS_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE + below(IAU_TSP_BYTES / 64) * 64, IAU_MATMUL_W_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE + below(IAU_TSP_BYTES / 64) * 64, IAU_MATMUL_WL_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE + below(IAU_TSP_BYTES / 64) * 64, IAU_MATMUL_WS_ADDR);
	IAU_PUT(cmd, below(70), IAU_MATMUL_W_NSTRIDE);
	IAU_PUT(cmd, below(70), IAU_MATMUL_W_KSTRIDE);
	IAU_PUT(cmd, below(20), IAU_MATMUL_WS_NSTRIDE);
	IAU_PUT(cmd, below(20), IAU_MATMUL_WS_KSTRIDE);
	if (sizes == 4) {
		IAU_PUT(cmd, below(3), IAU_MATMUL_W_NSTRIDE);
		IAU_PUT(cmd, below(2), IAU_MATMUL_W_KSTRIDE);
		IAU_PUT(cmd, below(3), IAU_MATMUL_WS_NSTRIDE);
		IAU_PUT(cmd, below(2), IAU_MATMUL_WS_KSTRIDE);
	}
	IAU_PUT(cmd, below(IAU_VSP_BYTES / 128) * 128, IAU_MATMUL_D_ADDR);
	IAU_PUT(cmd, d_stride, IAU_MATMUL_D_STRIDE);
	IAU_PUT(cmd, in_place ? cmd[12] : below(IAU_VSP_BYTES / 128) * 128, IAU_MATMUL_C_ADDR);
	IAU_PUT(cmd, in_place ? d_stride : 128 * below(2 * nt), IAU_MATMUL_C_STRIDE);
}

#define BATCH 6

static void print_commands(uint32_t (*cmd)[16], unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		printf("# command");
		for (unsigned int w = 0; w < 16; w++)
			printf(" %08x", cmd[i][w]);
		printf("\n");
	}
}

static int compare(void)
{
	for (unsigned int i = 0; i < IAU_VSP_BYTES; i += 4) {
		if (memcmp(ref.vsp + i, vsp + i, 4)) {
			printf("# at %#x: %02x%02x%02x%02x, not %02x%02x%02x%02x\n", i,
			       vsp[i + 3], vsp[i + 2], vsp[i + 1], vsp[i], ref.vsp[i + 3],
			       ref.vsp[i + 2], ref.vsp[i + 1], ref.vsp[i]);
			return 0;
		}
	}
	return 1;
}

/* Does CMD stream what one of the N commands writes? The window holds such a command back. */
static int streams_output(const uint32_t *cmd, uint32_t (*older)[16], unsigned int n)
{
	uint32_t blocks = (cmd[3] - 1) * IAU_GET(cmd, IAU_MATMUL_PITCH) + IAU_GET(cmd, IAU_MATMUL_M);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t rows = IAU_GET(older[i], IAU_MATMUL_M), from = older[i][12];
		uint32_t to = from + (rows - 1) * older[i][14] + older[i][2] * 128;

		if ((cmd[4] < to && from < cmd[4] + blocks * 32) ||
		    (cmd[5] < to && from < cmd[5] + blocks * 4))
			return 1;
	}
	return 0;
}

/* Cin where the last command writes, or beside it: what the engine must tell apart */
static void continue_last(uint32_t *cmd, const uint32_t *last)
{
	uint32_t column = below(2) ? 0 : IAU_GET(last, IAU_MATMUL_NT) - 1;

	cmd[11] = last[12] + 128 * (column + below(2));
	cmd[13] = last[14];
	if (below(2)) {
		cmd[12] = cmd[11];
		cmd[14] = cmd[13];
	}
}

/* Legal commands that may run one behind the other; returns their number, 1..BATCH. */
static unsigned int draw_batch(uint32_t (*cmd)[16], int sizes)
{
	unsigned int n = 0, want = 1 + below(BATCH);

	while (n < want) {
		struct ref_fault fault = { 0 };

		draw_command(cmd[n], sizes);
		if (n && below(2))
			continue_last(cmd[n], cmd[n - 1]);
		ref_check(cmd[n], &fault);
		if (fault.code)
			continue;
		if (streams_output(cmd[n], cmd, n))
			break;
		n++;
	}
	return n;
}

/* Cycles of multiplying: a row a cycle, or an even one and the next if their operands are paired */
static uint64_t busy_cycles(const uint32_t *cmd)
{
	uint32_t m = IAU_GET(cmd, IAU_MATMUL_M), pitch = IAU_GET(cmd, IAU_MATMUL_PITCH);
	int int4 = IAU_GET(cmd, IAU_MATMUL_FORMAT) == 2;
	uint64_t n = 0;

	for (uint32_t k = 0; k < cmd[3]; k++) {
		int even = !((cmd[4] / 32 + k * pitch) & 1) && !((cmd[5] / 4 + k * pitch) & 1);

		n += int4 && even ? (m + 1) / 2 : m;
	}
	return n * cmd[2];
}

/* COUNT runs of one kind, all on the same scratchpads. */
static int run_kind(int sizes, int wild, unsigned int grant, unsigned int count)
{
	unsigned int old = iau_fp_enter();
	int ok = 1;

	fill(wild);
	for (unsigned int i = 0; i < count && ok; i++) {
		uint32_t cmd[BATCH][16];
		struct mxu_stats stats;
		unsigned int n = draw_batch(cmd, sizes);
		uint64_t busy = 0;

		for (unsigned int c = 0; c < n; c++) {
			ref_matmul(&ref, cmd[c]);
			busy += busy_cycles(cmd[c]);
		}
		ok = mxu_run(cmd, n, vsp, ref.tsp, grant, rnd(), 10000000, &stats);
		if (!ok)
			printf("# no end\n");
		ok = ok && compare();
		if (ok && stats.busy != busy) {
			printf("# busy %llu cycles, not %llu\n", (unsigned long long)stats.busy,
			       (unsigned long long)busy);
			ok = 0;
		}
		if (!ok)
			print_commands(cmd, n);
	}
	iau_fp_leave(old);
	return ok;
}

static void figures(uint32_t m, uint32_t nt, uint32_t kb, uint32_t format, int cin, int unit)
{
	struct mxu_stats stats;
	struct timespec t0, t1;
	uint64_t cycles = 0, busy = 0, reads = 0;
	double ns, best = 0;
	uint32_t both[2][16], *cmd = both[0];
	unsigned int times = 1 + 25000 / (m * nt * kb);

	memset(both, 0, sizeof(both));
	cmd[0] = IAU_OP_MATMUL;
	IAU_PUT(cmd, format, IAU_MATMUL_FORMAT);
	IAU_PUT(cmd, unit, IAU_MATMUL_UNIT);
	IAU_PUT(cmd, cin, IAU_MATMUL_CIN);
	IAU_PUT(cmd, m, IAU_MATMUL_M);
	IAU_PUT(cmd, m, IAU_MATMUL_PITCH);
	IAU_PUT(cmd, nt, IAU_MATMUL_NT);
	IAU_PUT(cmd, kb, IAU_MATMUL_KB);
	IAU_PUT(cmd, 0x8000, IAU_MATMUL_AS_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE, IAU_MATMUL_W_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE + 0x8000, IAU_MATMUL_WL_ADDR);
	IAU_PUT(cmd, IAU_TSP_BASE + 0x30000, IAU_MATMUL_WS_ADDR);
	IAU_PUT(cmd, 0x10000, IAU_MATMUL_D_ADDR);
	IAU_PUT(cmd, 0x10000, IAU_MATMUL_C_ADDR);
	IAU_PUT(cmd, nt * 128, IAU_MATMUL_D_STRIDE);
	IAU_PUT(cmd, nt * 128, IAU_MATMUL_C_STRIDE);
	IAU_PUT(cmd, 1, IAU_MATMUL_W_KSTRIDE);
	IAU_PUT(cmd, 1, IAU_MATMUL_WS_KSTRIDE);
	memcpy(both[1], cmd, sizeof(both[1]));
	for (unsigned int round = 0; round < 8; round++) { /* the best of them: the host is shared */
		cycles = busy = reads = 0;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
		for (unsigned int i = 0; i < times; i++) {
			if (!mxu_run(both, 2, vsp, ref.tsp, 256, 1, 10000000, &stats))
				exit(1);
			cycles += stats.cycles;
			busy += stats.busy;
			reads += stats.reads;
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
		ns = (double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec);
		best = round && best < ns ? best : ns;
	}
	printf("M %2u NT %3u KB %3u format %u%s%s: %6.2f cycles a tile, %5.1f%% multiply, "
	       "%.2f reads a cycle, %4.0f ns a cycle, %4.0f a busy cycle\n",
	       m, nt, kb, format, cin ? " Cin" : "", unit ? " unit" : "",
	       (double)cycles / times / (2 * nt * kb), 100.0 * (double)busy / (double)cycles,
	       (double)reads / (double)cycles, best / (double)cycles, best / (double)busy);
}

int main(int argc, char **argv)
{
	static const char *const kind[] = { "any size", "M = 1", "KB = 1", "M = 32", "many tiles" };
	static const unsigned int grant[] = { 256, 192, 64 };
	uint64_t seed = argc > 1 && argv[1][0] != '-' ? strtoull(argv[1], NULL, 0) : 1;
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 40, test = 0, failed = 0;

	rng = seed;
	if (argc > 1 && !strcmp(argv[1], "-b")) {
		fill(0);
		figures(32, 32, 4, 0, 0, 0);
		figures(32, 32, 4, 1, 1, 0);
		figures(32, 32, 12, 1, 0, 0);
		figures(32, 32, 12, 2, 1, 0);
		figures(16, 32, 12, 2, 0, 0);
		figures(2, 32, 12, 2, 0, 0);
		figures(32, 32, 1, 0, 0, 0);
		figures(32, 32, 1, 0, 1, 0);
		figures(16, 32, 4, 1, 0, 0);
		figures(8, 32, 4, 1, 0, 0);
		figures(4, 32, 4, 0, 0, 1);
		figures(4, 32, 4, 3, 0, 1);
		figures(1, 32, 24, 1, 0, 0);
		figures(1, 32, 24, 2, 0, 0);
		figures(1, 32, 24, 0, 0, 1);
		figures(1, 32, 24, 2, 0, 1);
		figures(1, 32, 4, 0, 1, 0);
		return 0;
	}
	printf("# seed %llu\n1..30\n", (unsigned long long)seed);
	for (int sizes = 0; sizes < 5; sizes++) {
		for (int wild = 0; wild < 2; wild++) {
			for (unsigned int g = 0; g < 3; g++) {
				int ok = run_kind(sizes, wild, grant[g], count);

				failed += !ok;
				printf("%s %u - %s, %s values, %u of 256 granted\n",
				       ok ? "ok" : "not ok", ++test, kind[sizes],
				       wild ? "all" : "common", grant[g]);
			}
		}
	}
	return failed != 0;
}
