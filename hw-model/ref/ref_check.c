/* SPDX-License-Identifier: MIT */
/*
 * Static checks of a command. Every violation sets the bit of its word; the lowest word of a bad
 * field is reported before the lowest word of an address out of range, so that two
 * implementations that check in any order agree.
 */
#include "ref.h"

#include <string.h>

/* A range of scratch addresses; empty if LO == HI. */
struct range {
	uint64_t lo, hi;
};

struct verdict {
	uint32_t bad, out; /* bit w: word w has a bad field, an address out of range */
};

static void require(struct verdict *v, unsigned int word, bool ok)
{
	if (!ok)
		v->bad |= 1u << word;
}

/* TO is a power of two. A remainder would be a division, several in every command. */
static void align(struct verdict *v, unsigned int word, uint64_t value, uint32_t to)
{
	require(v, word, !(value & (to - 1)));
}

static bool overlap(struct range a, struct range b)
{
	return a.lo < b.hi && b.lo < a.hi;
}

static void inside_vsp(struct verdict *v, unsigned int word, struct range r)
{
	if (r.hi > IAU_VSP_BYTES)
		v->out |= 1u << word;
}

static void inside_tsp(struct verdict *v, unsigned int word, struct range r)
{
	if (r.lo < IAU_TSP_BASE || r.hi > IAU_TSP_BASE + IAU_TSP_BYTES)
		v->out |= 1u << word;
}

/* FIRST rows of WIDTH bytes, STRIDE apart */
static struct range rows_at(uint64_t addr, uint64_t rows, uint64_t stride, uint64_t width)
{
	return (struct range){ addr, addr + (rows - 1) * stride + width };
}

/* What an expanded row wants: whole words of 64 bytes on both sides */
static void check_unpack(const uint32_t *cmd, struct verdict *v)
{
	align(v, 1, IAU_GET(cmd, IAU_LOAD_ROW_BYTES), 128);
	align(v, 2, IAU_GET(cmd, IAU_LOAD_VA), 64);
	align(v, 5, IAU_GET(cmd, IAU_LOAD_MEM_STRIDE), 64);
	align(v, 6, IAU_GET(cmd, IAU_LOAD_ADDR), 64);
	require(v, 6, IAU_GET(cmd, IAU_LOAD_ADDR) >= IAU_TSP_BASE);
	align(v, 7, IAU_GET(cmd, IAU_LOAD_STRIDE), 64);
	align(v, 9, IAU_GET(cmd, IAU_LOAD_DELTA), 64);
}

static void check_list(const uint32_t *cmd, uint64_t rows, struct range written, struct verdict *v)
{
	uint64_t at = IAU_GET(cmd, IAU_LOAD_LIST_ADDR);
	struct range list = { at, at + 4 * rows };

	require(v, 5, !IAU_GET(cmd, IAU_LOAD_MEM_STRIDE));
	align(v, 8, at, 4);
	if (!rows)
		return;
	inside_vsp(v, 8, list);
	require(v, 8, !overlap(list, written));
}

static void check_copy(const uint32_t *cmd, bool store, struct verdict *v)
{
	uint64_t bytes = IAU_GET(cmd, IAU_LOAD_ROW_BYTES), rows = IAU_GET(cmd, IAU_LOAD_ROWS);
	uint64_t addr = IAU_GET(cmd, IAU_LOAD_ADDR), stride = IAU_GET(cmd, IAU_LOAD_STRIDE);
	struct range r = rows_at(addr, rows, stride, bytes);

	require(v, 1, bytes >= 1 && bytes <= IAU_MAX_ROW_BYTES);
	require(v, 4, rows <= 65535);
	if (!store)
		require(v, 7, rows <= 1 || stride >= bytes);
	if (IAU_GET(cmd, IAU_LOAD_UNPACK))
		check_unpack(cmd, v);
	if (IAU_GET(cmd, IAU_LOAD_BY_LIST))
		check_list(cmd, rows, r, v);
	if (!rows)
		return;
	if (!store && addr >= IAU_TSP_BASE)
		inside_tsp(v, 6, r);
	else
		inside_vsp(v, 6, r);
}

static void check_move(const uint32_t *cmd, struct verdict *v)
{
	uint64_t bytes = IAU_GET(cmd, IAU_COPY_ROW_BYTES), rows = IAU_GET(cmd, IAU_COPY_ROWS);
	uint64_t addr = IAU_GET(cmd, IAU_COPY_ADDR), stride = IAU_GET(cmd, IAU_COPY_STRIDE);
	struct range src = rows_at(IAU_GET(cmd, IAU_COPY_SRC), rows,
				   IAU_GET(cmd, IAU_COPY_SRC_STRIDE), bytes);
	struct range dst = rows_at(addr, rows, stride, bytes);

	require(v, 1, bytes >= 1 && bytes <= IAU_MAX_ROW_BYTES);
	require(v, 4, rows <= 65535);
	require(v, 7, rows <= 1 || stride >= bytes);
	if (!rows)
		return;
	inside_vsp(v, 2, src);
	if (addr >= IAU_TSP_BASE)
		inside_tsp(v, 6, dst);
	else
		inside_vsp(v, 6, dst);
	require(v, 6, !overlap(src, dst));
}

static void check_topk(const uint32_t *cmd, struct verdict *v)
{
	uint64_t n = IAU_GET(cmd, IAU_TOPK_N), count = IAU_GET(cmd, IAU_TOPK_COUNT);
	uint64_t a_addr = IAU_GET(cmd, IAU_TOPK_A_ADDR), d_addr = IAU_GET(cmd, IAU_TOPK_D_ADDR);
	struct range a = { a_addr, a_addr + (n + 31) / 32 * 128 };
	struct range d = { d_addr, d_addr + (count < n ? count : n) * 4 };
	struct range t = { IAU_GET(cmd, IAU_TOPK_T_ADDR), IAU_GET(cmd, IAU_TOPK_T_ADDR) + n * 4 };
	bool table = IAU_GET(cmd, IAU_TOPK_BY_TABLE);

	align(v, 3, a_addr, 128);
	align(v, 4, d_addr, 4);
	if (table)
		align(v, 8, t.lo, 4);
	if (d.lo == d.hi)
		return;
	inside_vsp(v, 3, a);
	inside_vsp(v, 4, d);
	require(v, 4, !overlap(a, d));
	if (table) {
		inside_vsp(v, 8, t);
		require(v, 4, !overlap(t, d));
	}
}

static void check_matmul(const uint32_t *cmd, struct verdict *v)
{
#define F(name) IAU_GET(cmd, IAU_MATMUL_##name)
	uint64_t m = F(M), nt = F(NT), kb = F(KB), blocks = (kb - 1) * F(PITCH) + m;
	uint64_t tiles = 64 * ((nt - 1) * F(W_NSTRIDE) + (kb - 1) * F(W_KSTRIDE));
	uint64_t scales = 64 * ((nt - 1) * F(WS_NSTRIDE) + (kb - 1) * F(WS_KSTRIDE));
	uint64_t width = F(FORMAT) == 0 || F(FORMAT) == 3 ? 1024 : 512;
	struct range a = { F(A_ADDR), F(A_ADDR) + blocks * 32 };
	struct range as = { F(AS_ADDR), F(AS_ADDR) + blocks * 4 };
	struct range c = rows_at(F(C_ADDR), m, F(C_STRIDE), nt * 128);
	struct range d = rows_at(F(D_ADDR), m, F(D_STRIDE), nt * 128);
	bool same = F(C_ADDR) == F(D_ADDR) && F(C_STRIDE) == F(D_STRIDE) &&
		    (m == 1 || F(D_STRIDE) >= nt * 128);

	require(v, 1, m >= 1 && m <= 32 && F(PITCH) >= m);
	require(v, 2, nt >= 1 && nt <= 4096);
	require(v, 3, kb >= 1 && kb <= 4096);
	if (v->bad)
		return;
	align(v, 4, F(A_ADDR), 32);
	align(v, 5, F(AS_ADDR), 4);
	align(v, 6, F(W_ADDR), 64);
	align(v, 12, F(D_ADDR), 128);
	align(v, 14, F(D_STRIDE), 128);
	inside_vsp(v, 4, a);
	inside_vsp(v, 5, as);
	inside_tsp(v, 6, (struct range){ F(W_ADDR), F(W_ADDR) + tiles + width });
	inside_vsp(v, 12, d);
	require(v, 12, !overlap(d, a) && !overlap(d, as));
	if (F(FORMAT) == 1) {
		align(v, 7, F(WL_ADDR), 64);
		inside_tsp(v, 7, (struct range){ F(WL_ADDR), F(WL_ADDR) + tiles + width });
	}
	if (!F(UNIT)) {
		align(v, 8, F(WS_ADDR), 64);
		inside_tsp(v, 8, (struct range){ F(WS_ADDR), F(WS_ADDR) + scales + 64 });
	}
	if (F(CIN)) {
		align(v, 11, F(C_ADDR), 128);
		align(v, 13, F(C_STRIDE), 128);
		inside_vsp(v, 11, c);
		require(v, 12, same || !overlap(c, d));
	}
#undef F
}

/* What a VEC touches. Unused operands are empty. */
struct vec_ranges {
	struct range a, b, s, d, sc, r;
};

static struct vec_ranges vec_ranges(const uint32_t *cmd, bool use_b, bool use_s)
{
#define F(name) IAU_GET(cmd, IAU_VEC_##name)
	static const uint64_t group[4] = { 1, 1, 2, 4 };
	uint64_t rows = F(ROWS), nv = (F(COLS) + 31) / 32, g = group[F(PERM)];
	uint64_t nb = nv, out = F(OUT);
	struct vec_ranges x = { 0 };

	if (F(B_WRAP) && (UINT64_C(1) << (F(B_WRAP) - 1)) < nb)
		nb = UINT64_C(1) << (F(B_WRAP) - 1);
	x.a = rows_at(F(A_ADDR), rows, F(A_STRIDE), (nv + g - 1) / g * g * (F(A_FMT) ? 32 : 128));
	if (use_b)
		x.b = rows_at(F(B_ADDR), rows, F(B_STRIDE), nb * (F(B_FMT) ? 4 : 128));
	if (use_s)
		x.s = rows_at(F(S_ADDR), rows, 4, 4);
	if (out == 1)
		x.d = rows_at(F(D_ADDR), rows, F(D_STRIDE), nv * 128);
	else if (out)
		x.d = rows_at(F(D_ADDR), rows, F(D_STRIDE), (nv - 1) * F(D_BSTRIDE) + 32);
	if (out == 2 || out == 3)
		x.sc = rows_at(F(SC_ADDR), rows, F(SC_RSTRIDE),
			       (nv - 1) * F(SC_BSTRIDE) + (out == 2 ? 4 : 2));
	if (F(RED))
		x.r = rows_at(F(R_ADDR), rows, F(RED) == 3 ? 8 : 4, F(RED) == 3 ? 8 : 4);
	return x;
}

/* D may replace an fp32 operand in place, element by element. */
static bool in_place(const uint32_t *cmd, uint64_t addr, uint64_t stride)
{
	uint64_t width = (F(COLS) + 31) / 32 * 128;

	return F(OUT) == 1 && addr == F(D_ADDR) &&
	       (F(ROWS) == 1 || (stride == F(D_STRIDE) && stride >= width));
}

static bool vec_disjoint(const uint32_t *cmd, const struct vec_ranges *x)
{
	bool a_ok = !F(A_FMT) && F(PERM) < 2 && in_place(cmd, F(A_ADDR), F(A_STRIDE));
	bool b_ok = !F(B_FMT) && !F(B_WRAP) && in_place(cmd, F(B_ADDR), F(B_STRIDE));

	return !overlap(x->d, x->sc) && !overlap(x->d, x->r) && !overlap(x->sc, x->r) &&
	       !overlap(x->sc, x->a) && !overlap(x->sc, x->b) && !overlap(x->sc, x->s) &&
	       !overlap(x->r, x->a) && !overlap(x->r, x->b) && !overlap(x->r, x->s) &&
	       !overlap(x->d, x->s) && (a_ok || !overlap(x->d, x->a)) &&
	       (b_ok || !overlap(x->d, x->b));
}

static void check_vec(const uint32_t *cmd, struct verdict *v)
{
	bool use_b = F(M1) == 3 || F(A1) == 3 || F(M2) == 3;
	bool use_s = F(M1) == 2 || F(A1) == 2 || F(M2) == 2;
	uint32_t out = (uint32_t)F(OUT), a_align = F(A_FMT) ? 32 : 128, b_align = F(B_FMT) ? 4 : 128;
	uint32_t d_align = out == 1 ? 128 : 32, sc_align = out == 2 ? 4 : 2;
	struct vec_ranges x;

	require(v, 0, F(M1) <= 4 && out <= 4 && !(F(RED) == 3 && out > 1) &&
			      !(F(MASK) && F(A1) == 1));
	require(v, 1, F(ROWS) && F(COLS));
	if (v->bad)
		return;
	x = vec_ranges(cmd, use_b, use_s);
	align(v, 2, F(A_ADDR), a_align);
	align(v, 3, F(A_STRIDE), a_align);
	if (use_b) {
		align(v, 4, F(B_ADDR), b_align);
		align(v, 5, F(B_STRIDE), b_align);
	}
	if (use_s)
		align(v, 6, F(S_ADDR), 4);
	if (out) {
		align(v, 7, F(D_ADDR), d_align);
		align(v, 8, F(D_STRIDE), d_align);
	}
	if (out > 1)
		align(v, 9, F(D_BSTRIDE), 32);
	if (out == 2 || out == 3) {
		align(v, 10, F(SC_ADDR), sc_align);
		align(v, 11, F(SC_RSTRIDE) | F(SC_BSTRIDE), sc_align);
	}
	if (F(RED))
		align(v, 14, F(R_ADDR), F(RED) == 3 ? 8 : 4);
	inside_vsp(v, 2, x.a);
	inside_vsp(v, 4, x.b);
	inside_vsp(v, 6, x.s);
	inside_vsp(v, 7, x.d);
	inside_vsp(v, 10, x.sc);
	inside_vsp(v, 14, x.r);
	require(v, 7, vec_disjoint(cmd, &x));
}
#undef F

bool ref_check_masks(const uint32_t *cmd, struct ref_fault *fault)
{
	static const uint32_t mask[256][16] = IAU_COMMAND_MASKS;
	const uint32_t *m = mask[cmd[0] & 0xff];

	if (!m[0]) {
		fault->code = IAU_FAULT_BAD_OPCODE;
		return false;
	}
	for (unsigned int w = 0; w < 16; w++) {
		bool reserved = cmd[w] & ~m[w];

		for (unsigned int p = 0; w == 15 && p < 3; p++)
			reserved |= (cmd[15] >> 9 * p & 15) == 15;
		if (reserved) {
			fault->code = IAU_FAULT_BAD_FIELD;
			fault->info = w;
			return false;
		}
	}
	return true;
}

static void check_sload(const uint32_t *cmd, struct verdict *v)
{
	bool half = IAU_GET(cmd, IAU_SLOAD_HALF);
	uint32_t bytes = half ? 64 : 4, addr = (uint32_t)IAU_GET(cmd, IAU_SLOAD_ADDR);

	require(v, 1, !half || IAU_GET(cmd, IAU_SLOAD_RD) % 16 == 0);
	align(v, 2, addr, bytes);
	inside_vsp(v, 2, rows_at(addr, 1, 0, bytes));
}

void ref_check(const uint32_t *cmd, struct ref_fault *fault)
{
	struct verdict v = { 0 };

	switch (cmd[0] & 0xff) {
	case IAU_OP_SALU:
		require(&v, 0, IAU_GET(cmd, IAU_SALU_FUNC) <= 8);
		break;
	case IAU_OP_BRANCH:
		require(&v, 0, IAU_GET(cmd, IAU_BRANCH_COND) <= 6);
		break;
	case IAU_OP_SLOAD:
		check_sload(cmd, &v);
		break;
	case IAU_OP_LOAD:
		check_copy(cmd, false, &v);
		break;
	case IAU_OP_STORE:
		check_copy(cmd, true, &v);
		break;
	case IAU_OP_COPY:
		check_move(cmd, &v);
		break;
	case IAU_OP_TOPK:
		check_topk(cmd, &v);
		break;
	case IAU_OP_STAMP:
		align(&v, 2, IAU_GET(cmd, IAU_STAMP_VA), 8);
		break;
	case IAU_OP_MATMUL:
		check_matmul(cmd, &v);
		break;
	case IAU_OP_VEC:
		check_vec(cmd, &v);
		break;
	}
	if (v.bad || v.out) {
		fault->code = v.bad ? IAU_FAULT_BAD_FIELD : IAU_FAULT_SCRATCH_RANGE;
		fault->info = (uint32_t)__builtin_ctz(v.bad ? v.bad : v.out);
	}
}
