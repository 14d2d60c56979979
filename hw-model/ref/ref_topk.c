/* SPDX-License-Identifier: MIT */
/* TOPK: the columns of the largest values, and where each lies. */
#include "ref.h"
#include "numerics.h"

/* What the columns compete with: nothing comes before the first and last ones that are always chosen. */
static void column_keys(const struct iau_dev *dev, const uint32_t *cmd, uint32_t n, uint32_t *key)
{
	uint32_t first = (uint32_t)IAU_GET(cmd, IAU_TOPK_FIRST), last = (uint32_t)IAU_GET(cmd, IAU_TOPK_LAST);
	const uint8_t *a = dev->vsp + IAU_GET(cmd, IAU_TOPK_A_ADDR);

	for (uint32_t c = 0; c < n; c++) {
		float value;

		memcpy(&value, a + 4 * c, 4);
		key[c] = c < first || n - c <= last ? UINT32_MAX : fp_order_key(value);
	}
}

static uint32_t count_from(const uint32_t *key, uint32_t n, uint32_t least)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < n; c++)
		count += key[c] >= least;
	return count;
}

/*
 * The largest key that COUNT columns reach, bit by bit, or a smaller one that no more do; ABOVE: how many are
 * greater, of which no account is taken then
 */
static uint32_t threshold(const uint32_t *key, uint32_t n, uint32_t count, uint32_t *above)
{
	uint32_t least = 0;

	*above = 0;
	for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
		uint32_t reach = count_from(key, n, least | bit);

		if (reach == count) {
			*above = 0;
			return least | bit;
		}
		if (reach > count)
			least |= bit;
		else
			*above = reach;
	}
	return least;
}

/* Where column C lies in memory */
static uint32_t column_at(const struct iau_dev *dev, const uint32_t *cmd, uint32_t c)
{
	uint32_t shift = (uint32_t)IAU_GET(cmd, IAU_TOPK_SHIFT), word;
	uint32_t lo = (uint32_t)IAU_GET(cmd, IAU_TOPK_LO), hi = (uint32_t)IAU_GET(cmd, IAU_TOPK_HI);

	if (!IAU_GET(cmd, IAU_TOPK_BY_TABLE))
		return (c >> shift) * hi + (c & ((1u << shift) - 1)) * lo;
	memcpy(&word, dev->vsp + IAU_GET(cmd, IAU_TOPK_T_ADDR) + 4 * c, 4);
	return word;
}

void ref_topk(struct iau_dev *dev, const uint32_t *cmd)
{
	uint32_t n = (uint32_t)IAU_GET(cmd, IAU_TOPK_N), count = (uint32_t)IAU_GET(cmd, IAU_TOPK_COUNT);
	uint8_t *out = dev->vsp + IAU_GET(cmd, IAU_TOPK_D_ADDR);
	uint32_t key[UINT16_MAX], least = 0, above = 0, equal;

	/* where the values would be was not checked then */
	if (!count)
		return;
	column_keys(dev, cmd, n, key);
	if (count < n)
		least = threshold(key, n, count, &above);
	equal = count - above;
	for (uint32_t c = 0; c < n; c++) {
		uint32_t at = column_at(dev, cmd, c);

		if (key[c] < least || (key[c] == least && !equal))
			continue;
		equal -= key[c] == least;
		memcpy(out, &at, 4);
		out += 4;
	}
}
