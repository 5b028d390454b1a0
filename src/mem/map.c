/* map.c - mmap(2) with alignment and huge pages.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem/map.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) & ~(unit - 1);
}

static void *map(size_t bytes, int flags)
{
	void *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Maps a huge page more than needed, and gives back what lies outside the aligned part. */
static void *map_aligned(size_t bytes, int flags)
{
	uint8_t *p = map(bytes + MAP_HUGE_BYTES, flags);
	size_t front, back;

	if (p == NULL)
		return NULL;
	front = round_up((uintptr_t)p, MAP_HUGE_BYTES) - (uintptr_t)p;
	back = MAP_HUGE_BYTES - front;
	if (front > 0)
		munmap(p, front);
	if (back > 0)
		munmap(p + front + bytes, back);
	/* Only a wish: a kernel without transparent huge pages gives small ones. */
	madvise(p + front, bytes, MADV_HUGEPAGE);
	return p + front;
}

void *map_memory(size_t bytes, size_t *mapped)
{
	void *p;

	if (bytes > SIZE_MAX - 2 * (size_t)MAP_HUGE_BYTES)
		return NULL;
	if (bytes < MAP_HUGE_BYTES) {
		*mapped = round_up(bytes, PAGE_BYTES);
		return map(*mapped, 0);
	}
	*mapped = round_up(bytes, MAP_HUGE_BYTES);
	p = map(*mapped, MAP_HUGETLB);
	return p != NULL ? p : map_aligned(*mapped, 0);
}

void *map_reserve(size_t bytes, bool huge, size_t *mapped)
{
	if (bytes > SIZE_MAX - 2 * (size_t)MAP_HUGE_BYTES)
		return NULL;
	*mapped = round_up(bytes, PAGE_BYTES);
	return huge ? map_aligned(*mapped, MAP_NORESERVE) : map(*mapped, MAP_NORESERVE);
}

void map_free(void *p, size_t mapped)
{
	if (p != NULL)
		munmap(p, mapped);
}
