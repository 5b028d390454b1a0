/* SPDX-License-Identifier: MIT */
#include "alloc.h"
#include <stdlib.h>
#include <unistd.h>

static bool forbidden;

bool alloc_forbid(bool forbid)
{
	bool was = forbidden;

	forbidden = forbid;
	return was;
}

static void check(void)
{
	static const char text[] = "memory was allocated where nothing may be\n";

	if (!forbidden)
		return;
	forbidden = false;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	abort();
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **out, size_t align, size_t n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n);

void *__wrap_malloc(size_t n)
{
	check();
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	check();
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	check();
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	check();
	return __real_aligned_alloc(align, n);
}

int __wrap_posix_memalign(void **out, size_t align, size_t n)
{
	check();
	return __real_posix_memalign(out, align, n);
}
