/* SPDX-License-Identifier: MIT */
/* MATMUL as every version of the matrix engine has it: all but the product of a tile. */
#ifndef IAU_REF_MATMUL_H
#define IAU_REF_MATMUL_H

#include "ref.h"
#include "numerics.h"

#define R IAU_ROWS
#define L IAU_LANES

/* MATMUL unpacked. */
struct matmul {
	uint32_t format, m, pitch, nt, kb;
	bool unit, cin;
	const uint8_t *a, *as, *c;
	uint8_t *d;
	const uint8_t *w, *wl, *ws; /* the first tile, its low half, its scales; NULL if not used */
	uint32_t c_stride, d_stride;
	uint64_t w_nstride, w_kstride, ws_nstride, ws_kstride;
	/* a column of tiles, k ascending: acc[m][r] += (sum over l of w[r][l] a[m][l]) * scale[r] * a_scale[m] */
	void (*column)(const struct matmul *x, uint32_t n, float (*acc)[R]);
};

/* From the first tile to tile K of column N, and the same of scales */
static inline uint64_t tile_at(const struct matmul *x, uint32_t n, uint32_t k)
{
	return n * x->w_nstride + k * x->w_kstride;
}

static inline uint64_t scales_at(const struct matmul *x, uint32_t n, uint32_t k)
{
	return n * x->ws_nstride + k * x->ws_kstride;
}

static inline struct matmul unpack_matmul(struct iau_dev *dev, const uint32_t *cmd)
{
#define F(name) IAU_GET(cmd, IAU_MATMUL_##name)
#define TILES(name, bytes) ref_tsp_read(dev, (uint32_t)F(name) - IAU_TSP_BASE, (uint32_t)(bytes))
	struct matmul x = {
		.format = (uint32_t)F(FORMAT), .m = (uint32_t)F(M), .pitch = (uint32_t)F(PITCH),
		.nt = (uint32_t)F(NT), .kb = (uint32_t)F(KB), .unit = F(UNIT), .cin = F(CIN),
		.a = dev->vsp + F(A_ADDR), .as = dev->vsp + F(AS_ADDR), .c = dev->vsp + F(C_ADDR),
		.d = dev->vsp + F(D_ADDR), .c_stride = (uint32_t)F(C_STRIDE),
		.d_stride = (uint32_t)F(D_STRIDE), .w_nstride = 64 * F(W_NSTRIDE),
		.w_kstride = 64 * F(W_KSTRIDE), .ws_nstride = 64 * F(WS_NSTRIDE),
		.ws_kstride = 64 * F(WS_KSTRIDE),
	};
	uint64_t bytes = tile_at(&x, x.nt - 1, x.kb - 1) + (x.format % 3 ? R * L / 2 : R * L);

	x.w = TILES(W_ADDR, bytes);
	if (x.format == 1)
		x.wl = TILES(WL_ADDR, bytes);
	if (!x.unit)
		x.ws = TILES(WS_ADDR, scales_at(&x, x.nt - 1, x.kb - 1) + 2 * R);
	return x;
#undef TILES
#undef F
}

static inline const uint8_t *a_block(const struct matmul *x, uint32_t k, uint32_t m)
{
	return x->a + ((uint64_t)k * x->pitch + m) * 32;
}

static inline float a_scale(const struct matmul *x, uint32_t k, uint32_t m)
{
	float scale;

	memcpy(&scale, x->as + ((uint64_t)k * x->pitch + m) * 4, 4);
	return scale;
}

/* The loops of the command around x->column */
static inline void matmul_columns(const void *opaque, uint32_t from, uint32_t to)
{
	float acc[R][R] __attribute__((aligned(64)));
	const struct matmul *x = opaque;

	for (uint32_t n = from; n < to; n++) {
		memset(acc, 0, x->m * sizeof(acc[0]));
		for (uint32_t m = 0; m < x->m && x->cin; m++)
			memcpy(acc[m], x->c + (uint64_t)m * x->c_stride + n * 128, 128);
		x->column(x, n, acc);
		for (uint32_t m = 0; m < x->m; m++) {
			uint32_t row[R];

			for (unsigned int r = 0; r < R; r++)
				row[r] = fp_canonical(acc[m][r]);
			memcpy(x->d + (uint64_t)m * x->d_stride + n * 128, row, sizeof(row));
		}
	}
}

static inline void run_matmul(struct iau_dev *dev, const struct matmul *x)
{
	uint64_t macs = (uint64_t)x->m * x->nt * x->kb * R * L;

	ref_run_columns(dev, matmul_columns, x, x->nt, macs);
	dev->counter[x->format == 2 ? IAU_CNT_MACS_I4 : IAU_CNT_MACS_I8] += macs;
}

#endif
