/* queue_bench.c - what the library itself costs, without any I/O: queues in memory, messages, and
 * waiting for one of many operations. Public interface alone.
 *
 *	queue_bench [SHARE]	prints NAME=ns for each measurement; SHARE 100 does only a
 *				hundredth of the rounds
 *
 * memory_queue		a push, a pop, and both waited for
 * memory_queue_allocations	calls of malloc() and its like meanwhile; more than none is an error
 * sga			demi_sgaalloc() and demi_sgafree() of 64 bytes
 * wait_swap_10 ...	demi_wait_any() over 10 or 10 000 pops of which one is done; the token that
 *			it returns is taken out by moving the last into its place (swap), or by
 *			moving all behind it up (shift), and a new one is added at the end. The
 *			queues become ready at random. Only the wait is in the time.
 *
 * SPDX-License-Identifier: MIT
 */
#include <demi/ext.h>
#include <demi/libos.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MESSAGE_BYTES = 64,
	ROUNDS = 1000000,    /* of the cheap ones */
	WAIT_ROUNDS = 50000, /* of the waits */
	MANY = 10000,
	FEW = 10,
	REPEATS = 5, /* the best is printed: what it costs when nothing disturbs */
};

/* malloc() and its like, counted: these come before the C library's, for the library as well, which
 * must see them. */
#define SEEN __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
static unsigned long allocations;

SEEN void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

SEEN void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

static int rounds = ROUNDS, wait_rounds = WAIT_ROUNDS;

static void check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "queue_bench: %s: %s\n", what, strerror(error));
	exit(1);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void wait_for(demi_qresult_t *qr, demi_qtoken_t qt)
{
	check(demi_wait(qr, qt, NULL), "demi_wait");
	check(qr->qr_opcode == DEMI_OPC_FAILED ? (int)qr->qr_ret : 0, "an operation");
}

static demi_sgarray_t message(void)
{
	demi_sgarray_t sga = demi_sgaalloc(MESSAGE_BYTES);

	check(sga.sga_buf ? 0 : ENOMEM, "demi_sgaalloc");
	return sga;
}

static int new_queue(void)
{
	int qd;

	check(demi_queue(&qd), "demi_queue");
	return qd;
}

static demi_qtoken_t start_pop(int qd)
{
	demi_qtoken_t qt;

	check(demi_pop(&qt, qd), "demi_pop");
	return qt;
}

/* One message goes round and round. Returns how much was allocated meanwhile. */
static unsigned long go_round(void)
{
	demi_sgarray_t sga = message();
	int qd = new_queue();
	demi_qtoken_t pushed;
	demi_qresult_t qr;
	unsigned long before = allocations;

	for (int i = 0; i < rounds; i++) {
		check(demi_push(&pushed, qd, &sga), "demi_push");
		demi_sgafree(&sga);
		wait_for(&qr, start_pop(qd));
		sga = qr.qr_value.sga;
		wait_for(&qr, pushed);
	}
	before = allocations - before;
	demi_sgafree(&sga);
	demi_close(qd);
	return before;
}

static double time_memory_queue(void)
{
	double start = now_ns();

	go_round();
	return (now_ns() - start) / rounds;
}

/* Of a second time: what is there once, stays. */
static double count_memory_queue_allocations(void)
{
	unsigned long count;

	go_round();
	count = go_round();
	if (count > 0) {
		fprintf(stderr, "queue_bench: %lu allocations for %d messages\n", count, rounds);
		exit(1);
	}
	return (double)count;
}

static double time_sga(void)
{
	demi_sgarray_t sga;
	double start = now_ns();

	for (int i = 0; i < rounds; i++) {
		sga = message();
		check(demi_sgafree(&sga), "demi_sgafree");
	}
	return (now_ns() - start) / rounds;
}

struct crowd {
	int count;
	demi_qtoken_t tokens[MANY];
	int queues[MANY]; /* on which each token pops */
};

static void take_out(struct crowd *c, int i, bool swap)
{
	c->count--;
	if (swap) {
		c->tokens[i] = c->tokens[c->count];
		c->queues[i] = c->queues[c->count];
	} else {
		size_t behind = (size_t)(c->count - i);

		memmove(&c->tokens[i], &c->tokens[i + 1], behind * sizeof(c->tokens[0]));
		memmove(&c->queues[i], &c->queues[i + 1], behind * sizeof(c->queues[0]));
	}
}

static void add(struct crowd *c, int qd)
{
	c->tokens[c->count] = start_pop(qd);
	c->queues[c->count] = qd;
	c->count++;
}

/* xorshift32 */
static unsigned int random_below(unsigned int limit)
{
	static unsigned int state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % limit;
}

/* Gives the message away. */
static void push(int qd, demi_sgarray_t *sga)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;

	check(demi_push(&qt, qd, sga), "demi_push");
	demi_sgafree(sga);
	wait_for(&qr, qt);
}

static double time_one_wait(struct crowd *c, bool swap)
{
	demi_sgarray_t sga = message();
	int ready = (int)random_below((unsigned int)c->count), qd = c->queues[ready], offset;
	demi_qresult_t qr;
	double took;

	push(qd, &sga);
	took = now_ns();
	check(demi_wait_any(&qr, &offset, c->tokens, c->count, NULL), "demi_wait_any");
	took = now_ns() - took;
	check(offset == ready ? 0 : EPROTO, "demi_wait_any found another");
	demi_sgafree(&qr.qr_value.sga);
	take_out(c, offset, swap);
	add(c, qd);
	return took;
}

static double time_wait(int count, bool swap)
{
	static struct crowd c;
	double took = 0;

	c.count = 0;
	for (int i = 0; i < count; i++)
		add(&c, new_queue());
	for (int i = 0; i < wait_rounds; i++)
		took += time_one_wait(&c, swap);
	for (int i = 0; i < count; i++)
		demi_close(c.queues[i]);
	return took / wait_rounds;
}

static double time_wait_swap_few(void)
{
	return time_wait(FEW, true);
}

static double time_wait_swap_many(void)
{
	return time_wait(MANY, true);
}

static double time_wait_shift_few(void)
{
	return time_wait(FEW, false);
}

static double time_wait_shift_many(void)
{
	return time_wait(MANY, false);
}

static const struct {
	const char *name;
	double (*measure)(void);
} measurements[] = {
    {"memory_queue", time_memory_queue},
    {"memory_queue_allocations", count_memory_queue_allocations},
    {"sga", time_sga},
    {"wait_swap_10", time_wait_swap_few},
    {"wait_swap_10000", time_wait_swap_many},
    {"wait_shift_10", time_wait_shift_few},
    {"wait_shift_10000", time_wait_shift_many},
};

int main(int argc, char **argv)
{
	int share = argc > 1 ? atoi(argv[1]) : 1;

	check(share < 1 || share > WAIT_ROUNDS ? EINVAL : 0, "SHARE");
	rounds /= share;
	wait_rounds /= share;
	check(demi_init(NULL), "demi_init");
	check(allocations == 0 ? ENOSYS : 0, "counting allocations"); /* demi_init() has some */
	for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++) {
		double best = 0, ns;

		for (int n = 0; n < REPEATS; n++) {
			ns = measurements[i].measure();
			best = n == 0 || ns < best ? ns : best;
		}
		printf("%s=%.1f\n", measurements[i].name, best);
		fflush(stdout);
	}
	return 0;
}
