/* SPDX-License-Identifier: MIT */
/*
 * The tile scratchpad. Weights come from constant memory, so a LOAD need not copy them: it leaves a
 * view, and a product reads them where they are. Whatever a command sees is as if they had been copied.
 */
#include "ref.h"

#include <string.h>

static void settle(struct iau_dev *dev, const struct ref_view *v)
{
	memcpy(dev->tsp + v->lo, v->mem, v->hi - v->lo);
}

static bool overlaps(const struct ref_view *v, uint32_t lo, uint32_t hi)
{
	return v->lo < hi && lo < v->hi;
}

static void add(struct iau_dev *dev, struct ref_view v)
{
	if (v.lo == v.hi)
		return;
	if (dev->views < REF_VIEWS)
		dev->view[dev->views++] = v;
	else
		settle(dev, &v);
}

/* Bytes from LO to HI are about to be written: views end there. */
void ref_tsp_cut(struct iau_dev *dev, uint32_t lo, uint32_t hi)
{
	for (unsigned int i = dev->views; i--;) {
		struct ref_view v = dev->view[i];

		if (!overlaps(&v, lo, hi))
			continue;
		/* what is added comes behind those that are yet to be looked at */
		dev->view[i] = dev->view[--dev->views];
		if (v.lo < lo)
			add(dev, (struct ref_view){ v.lo, lo, v.mem });
		if (v.hi > hi)
			add(dev, (struct ref_view){ hi, v.hi, v.mem + (hi - v.lo) });
	}
}

void ref_tsp_view(struct iau_dev *dev, uint32_t at, uint32_t bytes, const uint8_t *mem)
{
	ref_tsp_cut(dev, at, at + bytes);
	add(dev, (struct ref_view){ at, at + bytes, mem });
}

/* Where BYTES bytes from AT on can be read. */
const uint8_t *ref_tsp_read(struct iau_dev *dev, uint32_t at, uint32_t bytes)
{
	uint32_t end = at + bytes;

	for (unsigned int i = dev->views; i--;) {
		const struct ref_view *v = &dev->view[i];

		if (v->lo <= at && end <= v->hi)
			return v->mem + (at - v->lo);
		if (!overlaps(v, at, end))
			continue;
		settle(dev, v);
		dev->view[i] = dev->view[--dev->views];
	}
	return dev->tsp + at;
}

/* No address that the host gave is needed any more. */
void ref_settle(struct iau_dev *dev)
{
	dev->job.page = NULL;
	while (dev->views)
		settle(dev, &dev->view[--dev->views]);
}
