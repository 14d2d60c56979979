// SPDX-License-Identifier: GPL-2.0-only
/* drm_gpuvm_sm_map_ops_create() takes a structure. */
#include <drm/drm_gpuvm.h>

struct drm_gpuva_ops *probe(struct drm_gpuvm *gpuvm);
struct drm_gpuva_ops *probe(struct drm_gpuvm *gpuvm)
{
	const struct drm_gpuvm_map_req req = { .map.va.addr = 0 };

	return drm_gpuvm_sm_map_ops_create(gpuvm, &req);
}
