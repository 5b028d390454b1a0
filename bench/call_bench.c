/* call_bench.c - what each call of the interface costs by itself, where nothing has to be carried:
 * the way into the library, its checks and its tables.
 *
 *	call_bench [SHARE]	prints NAME=ns for each; SHARE 100 does a hundredth of the rounds.
 *				LIBOS chooses the libOS, as ever
 *
 * refused		a call on a descriptor that is not open
 * sga_64 ...		demi_sgaalloc() and demi_sgafree() of so many bytes
 * memory_queue		demi_queue() and demi_close()
 * socket		demi_socket() and demi_close()
 * bind, getsockname	on a UDP socket; a bind with the socket that it needs
 * getsockopt, setsockopt	TCP_NODELAY
 * push, pop		on a queue in memory, with the wait that takes the result
 * wait_nothing		demi_wait() of a pop that is not ready, without time
 * wait_any_nothing	the same, demi_wait_any() of 64
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ROUNDS = 200000, /* of the cheap ones */
	SOCKET_ROUNDS = 2000,
	TOKENS = 64,
	BATCH = 64,  /* messages in a queue */
	REPEATS = 5, /* the best is printed: what it costs when nothing disturbs */
};

static const struct timespec no_time;
static int rounds = ROUNDS, socket_rounds = SOCKET_ROUNDS;

static void check(int got, int wanted, const char *what)
{
	if (got == wanted)
		return;
	fprintf(stderr, "call_bench: %s: %s\n", what, strerror(got));
	exit(1);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int new_queue(void)
{
	int qd;

	check(demi_queue(&qd), 0, "demi_queue");
	return qd;
}

static int new_socket(int type)
{
	int qd;

	check(demi_socket(&qd, AF_INET, type, 0), 0, "demi_socket");
	return qd;
}

static void end(int qd)
{
	check(demi_close(qd), 0, "demi_close");
}

static demi_qtoken_t start_pop(int qd)
{
	demi_qtoken_t qt;

	check(demi_pop(&qt, qd), 0, "demi_pop");
	return qt;
}

/* Each measurement does its call so often, and returns the nanoseconds of one. */

static double refused(void)
{
	double start = now_ns();

	for (int i = 0; i < rounds; i++)
		check(demi_close(-1), EBADF, "demi_close of nothing");
	return (now_ns() - start) / rounds;
}

static double time_sga(size_t bytes)
{
	double start = now_ns();

	for (int i = 0; i < rounds; i++) {
		demi_sgarray_t sga = demi_sgaalloc(bytes);

		check(demi_sgafree(&sga), 0, "demi_sgafree");
	}
	return (now_ns() - start) / rounds;
}

static double sga_64(void)
{
	return time_sga(64);
}

static double sga_1280(void)
{
	return time_sga(1280);
}

static double sga_65535(void)
{
	return time_sga(65535);
}

static double memory_queue(void)
{
	double start = now_ns();

	for (int i = 0; i < rounds; i++)
		end(new_queue());
	return (now_ns() - start) / rounds;
}

static double socket_and_close(void)
{
	double start = now_ns();

	for (int i = 0; i < socket_rounds; i++)
		end(new_socket(SOCK_STREAM));
	return (now_ns() - start) / socket_rounds;
}

static void bind_anywhere(int qd)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	check(demi_bind(qd, (struct sockaddr *)&sin, sizeof(sin)), 0, "demi_bind");
}

static double bind_and_close(void)
{
	double start = now_ns();

	for (int i = 0; i < socket_rounds; i++) {
		int qd = new_socket(SOCK_DGRAM);

		bind_anywhere(qd);
		end(qd);
	}
	return (now_ns() - start) / socket_rounds;
}

static double getsockname_of_one(void)
{
	int qd = new_socket(SOCK_DGRAM);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	double start;

	bind_anywhere(qd);
	start = now_ns();
	for (int i = 0; i < rounds; i++)
		check(demi_getsockname(qd, (struct sockaddr *)&sin, &len), 0, "demi_getsockname");
	start = now_ns() - start;
	end(qd);
	return start / rounds;
}

static double getsockopt_of_one(void)
{
	int qd = new_socket(SOCK_STREAM), value;
	socklen_t len = sizeof(value);
	double start = now_ns();

	for (int i = 0; i < rounds; i++)
		check(demi_getsockopt(qd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0,
		      "demi_getsockopt");
	start = now_ns() - start;
	end(qd);
	return start / rounds;
}

static double setsockopt_of_one(void)
{
	int qd = new_socket(SOCK_STREAM), value = 1;
	double start = now_ns();

	for (int i = 0; i < rounds; i++)
		check(demi_setsockopt(qd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)), 0,
		      "demi_setsockopt");
	start = now_ns() - start;
	end(qd);
	return start / rounds;
}

static void push_batch(int qd, demi_sgarray_t *sga)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;

	for (int i = 0; i < BATCH; i++) {
		check(demi_push(&qt, qd, sga), 0, "demi_push");
		check(demi_wait(&qr, qt, NULL), 0, "demi_wait");
	}
}

static void pop_batch(int qd)
{
	demi_qresult_t qr;

	for (int i = 0; i < BATCH; i++) {
		check(demi_wait(&qr, start_pop(qd), NULL), 0, "demi_wait");
		check(demi_sgafree(&qr.qr_value.sga), 0, "demi_sgafree");
	}
}

/* Pushes and pops in turns; the time of one of the two. */
static double time_batches(int pops)
{
	demi_sgarray_t sga = demi_sgaalloc(64);
	double took[2] = {0, 0};
	int qd = new_queue();

	for (int i = 0; i < rounds; i += BATCH) {
		double start = now_ns(), pushed;

		push_batch(qd, &sga);
		pushed = now_ns();
		pop_batch(qd);
		took[0] += pushed - start;
		took[1] += now_ns() - pushed;
	}
	demi_sgafree(&sga);
	end(qd);
	return took[pops] / rounds;
}

static double push(void)
{
	return time_batches(0);
}

static double pop(void)
{
	return time_batches(1);
}

static double wait_nothing(void)
{
	int qd = new_queue();
	demi_qtoken_t qt = start_pop(qd);
	demi_qresult_t qr;
	double start = now_ns();

	for (int i = 0; i < rounds; i++)
		check(demi_wait(&qr, qt, &no_time), ETIMEDOUT, "demi_wait");
	start = now_ns() - start;
	end(qd);
	return start / rounds;
}

static double wait_any_nothing(void)
{
	int qd = new_queue(), offset;
	demi_qtoken_t qt[TOKENS];
	demi_qresult_t qr;
	double start;

	for (int i = 0; i < TOKENS; i++)
		qt[i] = start_pop(qd);
	start = now_ns();
	for (int i = 0; i < rounds; i++)
		check(demi_wait_any(&qr, &offset, qt, TOKENS, &no_time), ETIMEDOUT,
		      "demi_wait_any");
	start = now_ns() - start;
	end(qd);
	return start / rounds;
}

static const struct {
	const char *name;
	double (*measure)(void);
} measurements[] = {
    {"refused", refused},
    {"sga_64", sga_64},
    {"sga_1280", sga_1280},
    {"sga_65535", sga_65535},
    {"memory_queue", memory_queue},
    {"socket", socket_and_close},
    {"bind", bind_and_close},
    {"getsockname", getsockname_of_one},
    {"getsockopt", getsockopt_of_one},
    {"setsockopt", setsockopt_of_one},
    {"push", push},
    {"pop", pop},
    {"wait_nothing", wait_nothing},
    {"wait_any_nothing", wait_any_nothing},
};

int main(int argc, char **argv)
{
	int share = argc > 1 ? atoi(argv[1]) : 1;

	check(share < 1 || share > SOCKET_ROUNDS ? EINVAL : 0, 0, "SHARE");
	rounds /= share;
	socket_rounds /= share;
	check(demi_init(NULL), 0, "demi_init");
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
