// SPDX-License-Identifier: GPL-2.0-only
/* Lists of least recently used buffers share a lock of the DRM device. */
#include <drm/drm_gem.h>

void probe(struct drm_gem_lru *lru);
void probe(struct drm_gem_lru *lru)
{
	drm_gem_lru_init(lru);
}
