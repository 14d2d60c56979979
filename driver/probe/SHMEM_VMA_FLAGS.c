// SPDX-License-Identifier: GPL-2.0-only
/* Flags of a shared memory file are a structure. */
#include <linux/mm.h>
#include <linux/shmem_fs.h>

struct file *probe(void);
struct file *probe(void)
{
	return shmem_file_setup("probe", 4096, mk_vma_flags(VMA_NORESERVE_BIT));
}
