/* SPDX-License-Identifier: MIT */
/*
 * Runs random legal VEC commands on the vector unit and on the reference, and compares the whole
 * vector scratchpad.
 *
 * usage: vec_test [SEED [COUNT]] | -b
 */
#include "bench.h"
#include "functions.h"
#include "numerics.h"
#include "ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FUNCTION_ARGUMENTS (1u << 20)
#define LEN(x) (sizeof(x) / sizeof((x)[0]))

static uint64_t state;

static uint32_t rnd(void)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(state >> 32);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((uint64_t)rnd() * n >> 32);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* Data */

enum flavour { TAME, MIXED, WILD, TIES, SMALL, FLAVOURS };

static uint32_t tame(uint32_t spread)
{
	return (rnd() & 0x807fffff) | (127 - spread + below(2 * spread + 1)) << 23;
}

static uint32_t special(void)
{
	static const uint32_t value[] = {
		0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001,
		0x00000001, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x3f800000,
		0xbf800000, 0x3f7fffff, 0x3f800001, 0x42fe0000, 0x43000000, 0xc2fc0000, 0xc3000000,
		0x40000000, 0x7e800000, 0x7e800001, 0x7f000000, 0x00ffffff, 0xc2fbffff, 0xc2fc0001,
	};

	return value[below(LEN(value))];
}

static uint32_t datum(enum flavour flavour)
{
	static const uint32_t few[] = { 0x3f800000, 0xbf800000, 0x00000000, 0x80000000, 0x40000000 };

	switch (flavour) {
	case TAME: return tame(4);
	case MIXED: return one_in(8) ? special() : tame(8);
	case WILD: return one_in(4) ? special() : rnd();
	case TIES: return few[below(LEN(few))];
	default: return one_in(50) ? special() : tame(1);
	}
}

static void fill(uint8_t *vsp)
{
	enum flavour flavour = below(FLAVOURS);

	for (uint32_t i = 0; i < IAU_VSP_BYTES; i += 4) {
		uint32_t u;

		if (i % 8192 == 0 && one_in(4))
			flavour = below(FLAVOURS);
		u = datum(flavour);
		memcpy(vsp + i, &u, 4);
	}
}

/* Commands */

/* Unlike IAU_PUT(), replaces what is there. */
static void put(uint32_t *cmd, unsigned int word, unsigned int lsb, unsigned int width, uint32_t value)
{
	uint32_t mask = width == 32 ? ~0u : ((1u << width) - 1) << lsb;

	cmd[word] = (cmd[word] & ~mask) | (value << lsb & mask);
}

#define PUT(cmd, value, ...) put(cmd, __VA_ARGS__, value)
#define SET(cmd, name, value) PUT(cmd, value, IAU_VEC_##name)
#define F(name) ((uint32_t)IAU_GET(cmd, IAU_VEC_##name))

struct space {
	uint32_t at;
};

static uint32_t take(struct space *space, uint64_t size, uint32_t align)
{
	uint32_t at = (space->at + align - 1) / align * align;

	at += one_in(2) ? below(8) * align : 0;
	space->at = at + (uint32_t)size;
	return at;
}

static uint32_t any_stride(uint32_t *cmd, uint32_t least, uint32_t align)
{
	if (F(ROWS) == 1)
		return rnd() & -align;
	return least + (one_in(3) ? below(4) * align : 0);
}

static void place_a(uint32_t *cmd, struct space *space, uint32_t nv)
{
	static const uint32_t group[4] = { 1, 1, 2, 4 };
	uint32_t g = group[F(PERM)], unit = F(A_FMT) ? 32 : 128;
	uint32_t width = (nv + g - 1) / g * g * unit;
	uint32_t stride = one_in(12) ? below(2) * unit : any_stride(cmd, width, unit);

	SET(cmd, A_STRIDE, stride);
	SET(cmd, A_ADDR, take(space, (uint64_t)(F(ROWS) - 1) * stride + width, unit));
}

static void place_b(uint32_t *cmd, struct space *space, uint32_t nv)
{
	uint32_t unit = F(B_FMT) ? 4 : 128, nb = nv, stride;

	if (F(B_WRAP) && 1u << (F(B_WRAP) - 1) < nb)
		nb = 1u << (F(B_WRAP) - 1);
	stride = one_in(3) ? 0 : any_stride(cmd, nb * unit, unit);
	SET(cmd, B_STRIDE, stride);
	SET(cmd, B_ADDR, take(space, (uint64_t)(F(ROWS) - 1) * stride + nb * unit, unit));
}

static void place_d(uint32_t *cmd, struct space *space, uint32_t nv)
{
	uint32_t rows = F(ROWS), bstride = 32, stride;

	if (F(OUT) == 1) {
		stride = any_stride(cmd, nv * 128, 128);
		SET(cmd, D_STRIDE, stride);
		SET(cmd, D_ADDR, take(space, (uint64_t)(rows - 1) * stride + nv * 128, 128));
		return;
	}
	stride = nv * 32;
	if (one_in(2)) {
		bstride = rows * 32 + below(2) * 32;
		stride = 32;
	}
	SET(cmd, D_BSTRIDE, nv == 1 ? rnd() & -32u : bstride);
	SET(cmd, D_STRIDE, rows == 1 ? rnd() & -32u : stride);
	SET(cmd, D_ADDR, take(space, (uint64_t)(rows - 1) * stride + (nv - 1) * bstride + 32, 32));
}

static void place_scales(uint32_t *cmd, struct space *space, uint32_t nv)
{
	uint32_t size = F(OUT) == 2 ? 4 : 2, rows = F(ROWS);
	uint32_t rstride = nv * size, bstride = size;

	if (one_in(2)) {
		rstride = size;
		bstride = rows * size;
	}
	if (one_in(8))
		bstride = below(3) * size;
	if (one_in(8))
		rstride = below(3) * size;
	SET(cmd, SC_RSTRIDE, rstride);
	SET(cmd, SC_BSTRIDE, bstride);
	SET(cmd, SC_ADDR, take(space, (rows - 1) * rstride + (nv - 1) * bstride + size, size));
}

/* D in the place of A or B, exactly */
static void in_place(uint32_t *cmd)
{
	bool a = one_in(2);

	SET(cmd, D_ADDR, a ? F(A_ADDR) : F(B_ADDR));
	SET(cmd, D_STRIDE, a ? F(A_STRIDE) : F(B_STRIDE));
	if (one_in(3)) {
		SET(cmd, B_ADDR, F(A_ADDR));
		SET(cmd, B_STRIDE, F(A_STRIDE));
		SET(cmd, D_ADDR, F(A_ADDR));
		SET(cmd, D_STRIDE, F(A_STRIDE));
	}
}

static void set_modes(uint32_t *cmd)
{
	SET(cmd, A_FMT, one_in(4));
	SET(cmd, PERM, one_in(3) ? below(4) : 0);
	SET(cmd, B_FMT, one_in(4));
	SET(cmd, B_WRAP, one_in(3) ? below(8) : 0);
	SET(cmd, M1, below(5));
	SET(cmd, A1, below(4));
	SET(cmd, A1_NEG, below(2));
	SET(cmd, A1_MAX, below(4) == 0);
	SET(cmd, MASK, one_in(3));
	SET(cmd, MASK_STEP, below(2));
	SET(cmd, SFU, below(4));
	SET(cmd, M2, below(4));
	SET(cmd, RED, below(4));
	SET(cmd, OUT, below(5));
	SET(cmd, R_INIT, below(2));
	SET(cmd, RED_MAX, below(2));
}

static void set_size(uint32_t *cmd)
{
	uint32_t rows = 1 + below(one_in(3) ? 150 : 6);
	uint32_t most = 600 / rows;
	uint32_t nv = 1 + below(one_in(2) ? 2 : most > 40 && !one_in(10) ? 40 : most);

	SET(cmd, ROWS, rows);
	SET(cmd, COLS, one_in(2) ? nv * 32 : nv * 32 - below(32));
}

static void random_command(uint32_t *cmd)
{
	struct space space = { below(1024) };
	uint32_t nv;

	memset(cmd, 0, 64);
	cmd[0] = IAU_OP_VEC;
	set_modes(cmd);
	set_size(cmd);
	nv = (F(COLS) + 31) / 32;
	SET(cmd, IMM0, datum(below(FLAVOURS)));
	SET(cmd, IMM1, datum(below(FLAVOURS)));
	if (F(MASK))
		SET(cmd, IMM1, one_in(8) ? rnd() : below(F(COLS) + 40) - 20);
	place_a(cmd, &space, nv);
	place_b(cmd, &space, nv);
	SET(cmd, S_ADDR, take(&space, F(ROWS) * 4, 4));
	place_d(cmd, &space, nv);
	if (F(OUT) == 2 || F(OUT) == 3)
		place_scales(cmd, &space, nv);
	SET(cmd, R_ADDR, take(&space, F(ROWS) * 8, 8) + (F(RED) == 3 ? 0 : below(2) * 4));
	if (F(OUT) == 1 && one_in(3))
		in_place(cmd);
	if (F(RED) == 3)
		SET(cmd, D_BSTRIDE, rnd());
}

static void legal_command(uint32_t *cmd)
{
	struct ref_fault fault;

	do {
		random_command(cmd);
		fault = (struct ref_fault){ 0 };
		ref_check(cmd, &fault);
	} while (fault.code);
}

static void describe(const uint32_t *cmd)
{
	printf("# a_fmt %u perm %u b_fmt %u wrap %u m1 %u a1 %u neg %u max %u mask %u step %u sfu %u m2 %u red %u "
	       "out %u rows %u cols %u r_init %u red_max %u\n",
	       F(A_FMT), F(PERM), F(B_FMT), F(B_WRAP), F(M1), F(A1), F(A1_NEG), F(A1_MAX), F(MASK),
	       F(MASK_STEP), F(SFU), F(M2), F(RED), F(OUT), F(ROWS), F(COLS), F(R_INIT), F(RED_MAX));
	for (unsigned int w = 0; w < 16; w++)
		printf("%s%08x%s", w ? " " : "# ", cmd[w], w == 15 ? "\n" : "");
}

static bool compare(const uint32_t *cmd, const uint8_t *before, const uint8_t *ref,
		    const uint8_t *rtl)
{
	unsigned int shown = 0;

	if (!memcmp(ref, rtl, IAU_VSP_BYTES))
		return true;
	describe(cmd);
	for (uint32_t i = 0; i < IAU_VSP_BYTES && shown < 8; i += 4) {
		uint32_t x, y, z;

		memcpy(&x, before + i, 4);
		memcpy(&y, ref + i, 4);
		memcpy(&z, rtl + i, 4);
		if (y != z && ++shown)
			printf("# %05x: was %08x, expected %08x, got %08x\n", i, x, y, z);
	}
	return false;
}

static bool run_random(struct iau_dev *dev, uint64_t *vectors)
{
	static const unsigned int grants[] = { 256, 256, 230, 128, 40 };
	static uint8_t before[IAU_VSP_BYTES], rtl[IAU_VSP_BYTES];
	struct bench_result res;
	uint32_t cmd[16];

	legal_command(cmd);
	fill(dev->vsp);
	memcpy(before, dev->vsp, sizeof(before));
	memcpy(rtl, dev->vsp, sizeof(rtl));
	ref_vec(dev, cmd);
	res = bench_run(rtl, cmd, grants[below(LEN(grants))], rnd());
	*vectors += res.busy;
	if (!res.ok || res.busy != (uint64_t)F(ROWS) * ((F(COLS) + 31) / 32)) {
		describe(cmd);
		printf("# %lu cycles, %lu vectors\n", (unsigned long)res.cycles, (unsigned long)res.busy);
		return false;
	}
	return compare(cmd, before, dev->vsp, rtl);
}

/* Speed */

struct kind {
	const char *name;
	uint32_t m1, a1, sfu, m2, red, out, rows, cols;
	bool by_block; /* INT8 blocks and scales: columns far, rows near */
};

static void bench_kind(struct iau_dev *dev, const struct kind *kind, bool timed)
{
	uint32_t cmd[16] = { IAU_OP_VEC }, nv = kind->cols / 32, reps = timed ? 300 : 1;
	uint32_t size = kind->out == 3 ? 2 : 4;
	struct bench_result res = { 0 };
	struct timespec from, to;
	uint64_t cycles = 0;
	double ns;

	SET(cmd, M1, kind->m1);
	SET(cmd, A1, kind->a1);
	SET(cmd, SFU, kind->sfu);
	SET(cmd, M2, kind->m2);
	SET(cmd, RED, kind->red);
	SET(cmd, OUT, kind->out);
	SET(cmd, ROWS, kind->rows);
	SET(cmd, COLS, kind->cols);
	SET(cmd, A_STRIDE, nv * 128);
	SET(cmd, B_ADDR, 0x10000);
	SET(cmd, B_STRIDE, nv * 128);
	SET(cmd, S_ADDR, 0x20000);
	SET(cmd, R_ADDR, 0x21000);
	SET(cmd, D_ADDR, 0x30000);
	SET(cmd, D_STRIDE, kind->out == 1 ? nv * 128 : kind->by_block ? 32 : nv * 32);
	SET(cmd, D_BSTRIDE, kind->by_block ? kind->rows * 32 : 32);
	SET(cmd, SC_ADDR, 0x22000);
	SET(cmd, SC_RSTRIDE, kind->by_block ? size : nv * size);
	SET(cmd, SC_BSTRIDE, kind->by_block ? kind->rows * size : size);
	SET(cmd, IMM0, 0x3f000000);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; i < reps; i++) {
		res = bench_run(dev->vsp, cmd, 256, 0);
		cycles += res.cycles;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	if (timed)
		printf("%-32s %6.3f cycles/vector (%lu for %lu), %4.0f ns/cycle\n", kind->name,
		       (double)res.cycles / (double)res.busy, (unsigned long)res.cycles,
		       (unsigned long)res.busy, ns / (double)cycles);
	else
		printf("%-32s %lu cycles\n", kind->name, (unsigned long)res.cycles);
}

static void bench(struct iau_dev *dev)
{
	static const struct kind kinds[] = {
		{ "copy", 0, 0, 0, 0, 0, 1, 16, 1024, false },
		{ "multiply, add", 3, 2, 0, 0, 0, 1, 16, 1024, false },
		{ "add B", 0, 3, 0, 0, 0, 1, 16, 1024, false },
		{ "square, sum", 4, 0, 0, 0, 1, 0, 16, 1024, false },
		{ "exp2(x * s - s), sum", 1, 2, 1, 0, 1, 1, 16, 1024, false },
		{ "max with index", 0, 0, 0, 0, 3, 0, 16, 1024, false },
		{ "max, rows of one vector", 0, 0, 0, 0, 2, 1, 500, 32, false },
		{ "reciprocal", 0, 0, 2, 3, 0, 1, 16, 1024, false },
		{ "reciprocal root, all", 3, 2, 3, 3, 1, 1, 16, 1024, false },
		{ "INT8, fp32 scales by row", 2, 0, 0, 3, 0, 2, 16, 1024, false },
		{ "INT8, fp32 scales by column", 2, 0, 0, 3, 0, 2, 16, 1024, true },
		{ "INT8, fp16 scales by row", 2, 0, 0, 3, 0, 3, 16, 1024, false },
		{ "INT8, no scales", 1, 1, 0, 3, 0, 4, 16, 1024, false },
		{ "everything, INT8", 3, 2, 3, 3, 1, 2, 16, 1024, false },
	};
	static const struct kind one[] = {
		{ "latency, fp32", 3, 3, 0, 0, 0, 1, 1, 32, false },
		{ "latency, fp32 with S", 3, 2, 0, 0, 0, 1, 1, 32, false },
		{ "latency, reduction", 3, 3, 0, 0, 1, 0, 1, 32, false },
		{ "latency, INT8 with scale", 3, 3, 0, 0, 0, 2, 1, 32, false },
	};
	struct timespec from, to;

	state = 1;
	for (uint32_t i = 0; i < IAU_VSP_BYTES; i += 4) {
		uint32_t u = tame(3);

		memcpy(dev->vsp + i, &u, 4);
	}
	bench_idle(1000000);
	for (unsigned int i = 0; i < LEN(kinds); i++)
		bench_kind(dev, &kinds[i], true);
	for (unsigned int i = 0; i < LEN(one); i++)
		bench_kind(dev, &one[i], false);
	clock_gettime(CLOCK_MONOTONIC, &from);
	bench_idle(1000000);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("idle: %.0f ns/cycle\n", (double)(to.tv_sec - from.tv_sec) * 1e3 +
					       (double)(to.tv_nsec - from.tv_nsec) * 1e-6);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000, failed = 0;
	struct iau_dev *dev = aligned_alloc(128, (sizeof(*dev) + 127) / 128 * 128);
	uint64_t vectors = 0;
	unsigned int mode;
	bool agree;

	if (!dev)
		return 1;
	memset(dev, 0, sizeof(*dev));
	mode = iau_fp_enter();
	bench_start();
	if (argc > 1 && !strcmp(argv[1], "-b")) {
		bench(dev);
		return 0;
	}
	printf("TAP version 13\n1..2\n# seed %llu, %lu commands\n", (unsigned long long)seed, count);
	state = seed * 0x9e3779b97f4a7c15;
	for (unsigned long i = 0; i < count && failed < 3; i++) {
		if (!run_random(dev, &vectors)) {
			printf("# command %lu differs\n", i);
			failed++;
		}
	}
	printf("# %llu vectors\n", (unsigned long long)vectors);
	printf("%sok 1 - random VEC commands give what the reference gives\n", failed ? "not " : "");
	agree = functions_agree(seed, FUNCTION_ARGUMENTS);
	printf("%sok 2 - so do special functions, of %u arguments a domain\n", agree ? "" : "not ",
	       FUNCTION_ARGUMENTS);
	bench_stop();
	iau_fp_leave(mode);
	free(dev);
	return failed != 0 || !agree;
}
