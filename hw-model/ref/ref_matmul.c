/* SPDX-License-Identifier: MIT */
/* The matrix engine: integer dot products of 32, scales and sums in fp32, k ascending. */
#include "ref.h"
#include "numerics.h"

#define R IAU_ROWS
#define L IAU_LANES

/* A tile as the engine holds it: 32 rows of 32 weights and their scales. */
struct tile {
	int8_t w[R][L] __attribute__((aligned(64)));
	float scale[R] __attribute__((aligned(64)));
};

static void load_planes(int8_t (*w)[L], const uint8_t *hi, const uint8_t *lo)
{
	for (unsigned int r = 0; r < R; r++) {
		for (unsigned int j = 0; j < 16; j++) {
			uint8_t h = hi[r * 16 + j], l = lo[r * 16 + j];

			w[r][j] = (int8_t)(h << 4 | (l & 15));
			w[r][j + 16] = (int8_t)((h & 0xf0) | l >> 4);
		}
	}
}

static void load_int4(int8_t (*w)[L], const uint8_t *hi)
{
	for (unsigned int r = 0; r < R; r++) {
		for (unsigned int j = 0; j < 16; j++) {
			w[r][j] = (int8_t)((int8_t)(hi[r * 16 + j] << 4) >> 4);
			w[r][j + 16] = (int8_t)((int8_t)hi[r * 16 + j] >> 4);
		}
	}
}

static void load_tile(const struct iau_dev *dev, const uint32_t *cmd, uint32_t n, uint32_t k,
		      struct tile *t)
{
	uint64_t at = 64 * (n * IAU_GET(cmd, IAU_MATMUL_W_NSTRIDE) +
			    k * IAU_GET(cmd, IAU_MATMUL_W_KSTRIDE));
	const uint8_t *w = dev->tsp + (IAU_GET(cmd, IAU_MATMUL_W_ADDR) - IAU_TSP_BASE + at);

	switch (IAU_GET(cmd, IAU_MATMUL_FORMAT)) {
	case 0:
		memcpy(t->w, w, sizeof(t->w));
		break;
	case 1:
		load_planes(t->w, w,
			    dev->tsp + (IAU_GET(cmd, IAU_MATMUL_WL_ADDR) - IAU_TSP_BASE + at));
		break;
	case 2:
		load_int4(t->w, w);
		break;
	default:
		for (unsigned int l = 0; l < L; l++)
			for (unsigned int r = 0; r < R; r++)
				t->w[r][l] = (int8_t)w[l * R + r];
	}
	if (IAU_GET(cmd, IAU_MATMUL_UNIT)) {
		for (unsigned int r = 0; r < R; r++)
			t->scale[r] = 1.0f;
	} else {
		const uint8_t *s = dev->tsp + (IAU_GET(cmd, IAU_MATMUL_WS_ADDR) - IAU_TSP_BASE +
					       64 * (n * IAU_GET(cmd, IAU_MATMUL_WS_NSTRIDE) +
						     k * IAU_GET(cmd, IAU_MATMUL_WS_KSTRIDE)));

		for (unsigned int r = 0; r < R; r++)
			t->scale[r] = fp16_to_fp32((uint16_t)(s[2 * r] | s[2 * r + 1] << 8));
	}
}

/* acc[r] += (sum over l of w[r][l] a[l]) * scale[r] * a_scale */
static void multiply(const struct tile *t, const int8_t *a, float a_scale, float *acc)
{
	int32_t sum[R];

	for (unsigned int r = 0; r < R; r++) {
		int32_t s = 0;

		for (unsigned int l = 0; l < L; l++)
			s += t->w[r][l] * a[l];
		sum[r] = s;
	}
	for (unsigned int r = 0; r < R; r++)
		acc[r] += (float)sum[r] * t->scale[r] * a_scale;
}

void ref_matmul(struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t m_count = (uint32_t)IAU_GET(cmd, IAU_MATMUL_M);
	uint32_t pitch = (uint32_t)IAU_GET(cmd, IAU_MATMUL_PITCH);
	uint32_t nt = (uint32_t)IAU_GET(cmd, IAU_MATMUL_NT), kb = (uint32_t)IAU_GET(cmd, IAU_MATMUL_KB);
	const uint8_t *a = dev->vsp + IAU_GET(cmd, IAU_MATMUL_A_ADDR);
	const uint8_t *as = dev->vsp + IAU_GET(cmd, IAU_MATMUL_AS_ADDR);
	const uint8_t *c = dev->vsp + IAU_GET(cmd, IAU_MATMUL_C_ADDR);
	uint8_t *d = dev->vsp + IAU_GET(cmd, IAU_MATMUL_D_ADDR);
	float acc[R][R];
	struct tile t;

	for (uint32_t n = 0; n < nt; n++) {
		memset(acc, 0, sizeof(acc));
		for (uint32_t m = 0; m < m_count && IAU_GET(cmd, IAU_MATMUL_CIN); m++)
			memcpy(acc[m], c + m * IAU_GET(cmd, IAU_MATMUL_C_STRIDE) + n * 128, 128);
		for (uint32_t k = 0; k < kb; k++) {
			load_tile(dev, cmd, n, k, &t);
			for (uint32_t m = 0; m < m_count; m++) {
				float scale;

				memcpy(&scale, as + (k * pitch + m) * 4, 4);
				multiply(&t, (const int8_t *)a + (k * pitch + m) * 32, scale, acc[m]);
			}
		}
		for (uint32_t m = 0; m < m_count; m++) {
			uint32_t *row = (uint32_t *)(d + m * IAU_GET(cmd, IAU_MATMUL_D_STRIDE) + n * 128);

			for (unsigned int r = 0; r < R; r++)
				row[r] = fp_canonical(acc[m][r]);
		}
	}
	dev->counter[IAU_GET(cmd, IAU_MATMUL_FORMAT) == 2 ? IAU_CNT_MACS_I4 : IAU_CNT_MACS_I8] +=
		(uint64_t)m_count * nt * kb * R * L;
}
