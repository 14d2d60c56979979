// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in large pages: their files lie in a tmpfs of the driver's own, which takes huge pages
 * wherever a whole one fits. Newer kernels do this for any DRM device. Without such pages
 * everything works, with more page walks.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include <drm/drm_gem.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "iau_compat.h"
#include "iau_drv.h"

/* Replaces the file of an object of which nothing was used yet. */
static int set_file(struct drm_gem_object *obj, struct file *file)
{
	/* tmpfs says of memory for an inode that it has no room */
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOSPC ? -ENOMEM : PTR_ERR(file);
	mapping_set_gfp_mask(file->f_mapping, mapping_gfp_mask(obj->filp->f_mapping));
	fput(obj->filp);
	obj->filp = file;
	return 0;
}

#ifdef IAU_HAVE_GEM_HUGE_MNT

int iau_huge_init(struct iau_device *iau)
{
	int err = drm_gem_huge_mnt_create(&iau->drm, "within_size");

	if (err)
		drm_info(&iau->drm, "no large pages (%d)\n", err);
	return 0;
}

int iau_huge_file(struct iau_device *iau, struct drm_gem_object *obj)
{
	return 0;
}

/* A new object of which pages come one by one must not get more than it asked for. */
int iau_small_file(struct drm_gem_object *obj)
{
	return set_file(obj, shmem_file_setup("iau-kv", obj->size, IAU_SHMEM_NORESERVE));
}

#else

static void huge_fini(struct drm_device *drm, void *mount)
{
	kern_unmount(mount);
}

int iau_huge_init(struct iau_device *iau)
{
	char option[] = "huge=within_size";
	struct file_system_type *type;
	struct vfsmount *mount;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return 0;
	type = get_fs_type("tmpfs");
	if (!type)
		return 0;
	mount = vfs_kern_mount(type, SB_KERNMOUNT, type->name, option);
	if (IS_ERR(mount)) {
		drm_info(&iau->drm, "no large pages (%ld)\n", PTR_ERR(mount));
		return 0;
	}
	iau->huge = mount;
	return drmm_add_action_or_reset(&iau->drm, huge_fini, mount);
}

/* Gives a new object, of which nothing was used yet, a file with large pages. */
int iau_huge_file(struct iau_device *iau, struct drm_gem_object *obj)
{
	if (!iau->huge || obj->size < SZ_2M)
		return 0;
	return set_file(obj, shmem_file_setup_with_mnt(iau->huge, "iau", obj->size,
						       IAU_SHMEM_NORESERVE));
}

/* Files have small pages unless they are told otherwise. */
int iau_small_file(struct drm_gem_object *obj)
{
	return 0;
}

#endif
