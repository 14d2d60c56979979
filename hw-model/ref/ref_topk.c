/* SPDX-License-Identifier: MIT */
/* TOPK: the columns of the largest values, and where each lies. */
#include "ref.h"
#include "numerics.h"

/* What column C competes with: nothing comes before the first and last ones that are always chosen. */
static uint32_t column_key(const struct iau_dev *dev, const uint32_t *cmd, uint32_t c)
{
	uint32_t n = (uint32_t)IAU_GET(cmd, IAU_TOPK_N);
	float value;

	if (c < IAU_GET(cmd, IAU_TOPK_FIRST) || n - c <= IAU_GET(cmd, IAU_TOPK_LAST))
		return UINT32_MAX;
	memcpy(&value, dev->vsp + IAU_GET(cmd, IAU_TOPK_A_ADDR) + 4 * c, 4);
	return fp_order_key(value);
}

static uint32_t count_from(const struct iau_dev *dev, const uint32_t *cmd, uint32_t n, uint32_t key)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < n; c++)
		count += column_key(dev, cmd, c) >= key;
	return count;
}

/* The largest key that COUNT columns reach, bit by bit; ABOVE: how many are greater */
static uint32_t threshold(const struct iau_dev *dev, const uint32_t *cmd, uint32_t n, uint32_t count,
			  uint32_t *above)
{
	uint32_t key = 0;

	*above = 0;
	for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
		uint32_t reach = count_from(dev, cmd, n, key | bit);

		if (reach >= count)
			key |= bit;
		else
			*above = reach;
	}
	return key;
}

void ref_topk(struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t n = (uint32_t)IAU_GET(cmd, IAU_TOPK_N), count = (uint32_t)IAU_GET(cmd, IAU_TOPK_COUNT);
	uint32_t shift = (uint32_t)IAU_GET(cmd, IAU_TOPK_SHIFT);
	uint32_t lo = (uint32_t)IAU_GET(cmd, IAU_TOPK_LO), hi = (uint32_t)IAU_GET(cmd, IAU_TOPK_HI);
	uint8_t *out = dev->vsp + IAU_GET(cmd, IAU_TOPK_D_ADDR);
	uint32_t key = 0, above = 0, equal;

	if (count < n)
		key = threshold(dev, cmd, n, count, &above);
	equal = count - above;
	for (uint32_t c = 0; c < n; c++) {
		uint32_t own = column_key(dev, cmd, c), at;

		if (own < key || (own == key && !equal))
			continue;
		equal -= own == key;
		at = (c >> shift) * hi + (c & ((1u << shift) - 1)) * lo;
		memcpy(out, &at, 4);
		out += 4;
	}
}
