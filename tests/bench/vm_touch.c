/* SPDX-License-Identifier: MIT */
/*
 * vm_touch PAGES     writes to so many pages of memory that it did not have
 *
 * So the kernel gives a device in this process its memory, which vm_spend counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t pages = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	volatile char *at = mmap(NULL, (pages + 1) * 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED || madvise((void *)(size_t)at, pages * 4096, MADV_NOHUGEPAGE))
		return fprintf(stderr, "vm_touch: no memory\n"), 1;
	for (size_t i = 0; i < pages; i++)
		at[i * 4096] = 1;
	return 0;
}
