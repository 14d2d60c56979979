// SPDX-License-Identifier: GPL-2.0-only
/* Helpers that want the reservation held say so in their names. */
#include <drm/drm_gem_shmem_helper.h>

int probe(struct drm_gem_shmem_object *shmem);
int probe(struct drm_gem_shmem_object *shmem)
{
	drm_gem_shmem_purge_locked(shmem);
	return drm_gem_shmem_madvise_locked(shmem, 0);
}
