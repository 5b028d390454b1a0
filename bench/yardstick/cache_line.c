/* cache_line.c - how far two processors are from each other: the round trip of one cache line.
 *
 *	cache_line CPU CPU	prints round_trip_ns=
 *
 * A host may move the processors of a virtual machine at any time, and everything that goes between
 * them gets faster or slower with it. So this is measured before and after each comparison.
 *
 * SPDX-License-Identifier: MIT
 */
#include "yardstick.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20000 };

static _Alignas(128) atomic_int ball;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on that processor");
}

/* Waits for odd numbers, and makes them even. */
static void *answer(void *arg)
{
	pin(*(int *)arg);
	for (int i = 0; i < ROUNDS; i++) {
		while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 1)
			;
		atomic_store_explicit(&ball, 2 * i + 2, memory_order_release);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	uint64_t start_ns;
	int here, there;

	if (argc != 3)
		die("usage: cache_line CPU CPU");
	here = atoi(argv[1]);
	there = atoi(argv[2]);
	if (pthread_create(&thread, NULL, answer, &there))
		die("cannot start a thread");
	pin(here);
	start_ns = now_ns();
	for (int i = 0; i < ROUNDS; i++) {
		atomic_store_explicit(&ball, 2 * i + 1, memory_order_release);
		while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 2)
			;
	}
	printf("round_trip_ns=%.0f\n", (double)(now_ns() - start_ns) / ROUNDS);
	pthread_join(thread, NULL);
	return 0;
}
