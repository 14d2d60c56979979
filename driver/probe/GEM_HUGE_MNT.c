// SPDX-License-Identifier: GPL-2.0-only
/* GEM objects can lie in a tmpfs with huge pages, by one call for the device. */
#include <drm/drm_gem.h>

int probe(struct drm_device *drm);
int probe(struct drm_device *drm)
{
	return drm_gem_huge_mnt_create(drm, "within_size");
}
