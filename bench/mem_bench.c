/* mem_bench.c - what the layers at the bottom cost: nanoseconds an operation, on one core, warm.
 *
 *     mem_bench [NAME]      only rows whose name holds NAME
 *
 * Each row is measured ROUNDS times, the rows in turn; printed are the median and the best.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/checksum.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "mem/heap.h"
#include "mem/pool.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9, BURST = 32, BUFFER_BYTES = 65536 };

static struct pool *pool;
static struct heap *heap;
static uint8_t *src, *dst;
static struct rng rng;
static const uint64_t key[2] = {1, 2};

/* Where results go, so that the compiler must make them. */
static volatile uint64_t sink;

/* Each runs `n` operations; `arg` is the row's. */

static void pool_pairs(uint64_t n, size_t arg)
{
	(void)arg;
	for (uint64_t i = 0; i < n; i++)
		buf_unref(pool_get(pool));
}

/* As a device does: a burst out, then a burst back. */
static void pool_bursts(uint64_t n, size_t arg)
{
	struct buf *bufs[BURST];

	(void)arg;
	for (uint64_t i = 0; i < n; i += BURST) {
		for (int j = 0; j < BURST; j++)
			bufs[j] = pool_get(pool);
		for (int j = 0; j < BURST; j++)
			buf_unref(bufs[j]);
	}
}

static void heap_pairs(uint64_t n, size_t bytes)
{
	for (uint64_t i = 0; i < n; i++)
		buf_unref(heap_alloc(heap, bytes));
}

static void sums(uint64_t n, size_t bytes)
{
	uint32_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += csum_partial(src + (i & 63), bytes, (uint32_t)i);
	sink = sum;
}

static void copying_sums(uint64_t n, size_t bytes)
{
	uint32_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += csum_copy(dst, src, bytes, (uint32_t)i);
	sink = sum;
}

static void plain_copies(uint64_t n, size_t bytes)
{
	for (uint64_t i = 0; i < n; i++) {
		memcpy(dst, src, bytes);
		__asm__ volatile("" : : "r"(dst) : "memory");
	}
}

static void hashes_of_words(uint64_t n, size_t arg)
{
	uint64_t h = 0;

	(void)arg;
	for (uint64_t i = 0; i < n; i++)
		h ^= siphash13_3(key, i, h, 3);
	sink = h;
}

static void hashes_of_bytes(uint64_t n, size_t bytes)
{
	uint64_t h = 0;

	for (uint64_t i = 0; i < n; i++)
		h ^= siphash24(key, src, bytes);
	sink = h;
}

static void random_numbers(uint64_t n, size_t arg)
{
	uint64_t x = 0;

	(void)arg;
	for (uint64_t i = 0; i < n; i++)
		x ^= rng_u64(&rng);
	sink = x;
}

static const struct row {
	const char *name;
	void (*run)(uint64_t n, size_t arg);
	size_t arg;
} rows[] = {
    {"pool: get, unref", pool_pairs, 0},
    {"pool: get, unref in bursts of 32", pool_bursts, 0},
    {"heap: alloc, unref of 64 B", heap_pairs, 64},
    {"heap: alloc, unref of 1500 B", heap_pairs, 1500},
    {"heap: alloc, unref of 4 KiB", heap_pairs, 4096},
    {"heap: alloc, unref of 64 KiB", heap_pairs, 65536},
    {"heap: alloc, unref of 1 MiB", heap_pairs, 1 << 20},
    {"heap: alloc, unref of 16 MiB", heap_pairs, HEAP_MAX_BYTES},
    {"checksum of 20 B", sums, 20},
    {"checksum of 64 B", sums, 64},
    {"checksum of 96 B", sums, 96},
    {"checksum of 200 B", sums, 200},
    {"checksum of 512 B", sums, 512},
    {"checksum of 1460 B", sums, 1460},
    {"checksum of 64 KiB", sums, 65000},
    {"copy and checksum of 64 B", copying_sums, 64},
    {"copy and checksum of 1460 B", copying_sums, 1460},
    {"memcpy of 1460 B", plain_copies, 1460},
    {"SipHash-1-3 of 3 words", hashes_of_words, 0},
    {"SipHash-2-4 of 40 B", hashes_of_bytes, 40},
    {"random 64-bit number", random_numbers, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static double measure(const struct row *row, uint64_t n)
{
	uint64_t start = clock_now_ns();

	row->run(n, row->arg);
	return (double)(clock_now_ns() - start);
}

/* Operations that take about a millisecond; also warms up. */
static uint64_t operations(const struct row *row)
{
	uint64_t n = BURST;

	while (measure(row, n) < 1e6)
		n *= 2;
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool is_wanted(const struct row *row, const char *name)
{
	return name == NULL || strstr(row->name, name) != NULL;
}

static void print_row(const struct row *row, double ns[ROUNDS])
{
	qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
	printf("%-34s %9.1f %9.1f\n", row->name, ns[ROUNDS / 2], ns[0]);
}

/* `name` is NULL or part of the names of the rows wanted; the others have no operations. */
static void run_rows(const char *name)
{
	static double ns[ROWS][ROUNDS];
	uint64_t n[ROWS];

	for (int i = 0; i < ROWS; i++)
		n[i] = is_wanted(&rows[i], name) ? operations(&rows[i]) : 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < ROWS; i++) {
			if (n[i] > 0)
				ns[i][round] = measure(&rows[i], n[i]) / (double)n[i];
		}
	}
	printf("%-34s %9s %9s\n", "ns an operation", "median", "best");
	for (int i = 0; i < ROWS; i++) {
		if (n[i] > 0)
			print_row(&rows[i], ns[i]);
	}
}

int main(int argc, char *argv[])
{
	src = aligned_alloc(64, BUFFER_BYTES);
	dst = aligned_alloc(64, BUFFER_BYTES);
	if (src == NULL || dst == NULL ||
	    pool_create(&pool, 1024, 2048, BUF_HEADROOM_BYTES, NULL) ||
	    heap_create(&heap, 1024, (size_t)1 << 30)) {
		fprintf(stderr, "mem_bench: no memory\n");
		return EXIT_FAILURE;
	}
	rng_init(&rng, key);
	for (int i = 0; i < BUFFER_BYTES; i++)
		src[i] = (uint8_t)rng_u64(&rng);
	run_rows(argc > 1 ? argv[1] : NULL);
	heap_destroy(heap);
	pool_destroy(pool);
	free(src);
	free(dst);
	return EXIT_SUCCESS;
}
