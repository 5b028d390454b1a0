/* victim.c - the server that hostile.py attacks: victim IP PORT. It echoes, over TCP and UDP, by
 * the public API alone, and closes a connection that sends it a single 'Q'. For each line on its
 * input it prints a line of what its stack has counted and holds, NAME=NUMBER in words; it ends
 * with its input.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_table.h"
#include "libos/inet_queue.h"
#include "rt/instance.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPERATIONS = 32768 };

static demi_qtoken_t tokens[OPERATIONS];
static int queues[OPERATIONS]; /* of each token */
static int count, udp, listener;

static void die(const char *what, int error)
{
	fprintf(stderr, "victim: %s: error %d\n", what, error);
	exit(1);
}

/* An operation that was started, or not: then its queue goes. */
static void started(int error, demi_qtoken_t qt, int qd)
{
	if (error == 0 && count < OPERATIONS) {
		tokens[count] = qt;
		queues[count++] = qd;
	} else if (qd == udp || qd == listener) {
		die("an operation of the server's own", error);
	} else {
		demi_close(qd);
	}
}

static void forget(int i)
{
	tokens[i] = tokens[--count];
	queues[i] = queues[count];
}

static void drop(int qd)
{
	for (int i = count - 1; i >= 0; i--)
		if (queues[i] == qd)
			forget(i);
	demi_close(qd);
}

static void start_pop(int qd)
{
	demi_qtoken_t qt = 0;
	int error = demi_pop(&qt, qd);

	started(error, qt, qd);
}

static void start_accept(void)
{
	demi_qtoken_t qt = 0;
	int error = demi_accept(&qt, listener);

	started(error, qt, listener);
}

static void popped(int qd, demi_sgarray_t *sga)
{
	demi_qtoken_t qt = 0;
	uint32_t len = sga->sga_segs[0].sgaseg_len;
	bool ends =
	    qd != udp && (len == 0 || (len == 1 && *(char *)sga->sga_segs[0].sgaseg_buf == 'Q'));

	if (ends) {
		drop(qd);
	} else if (len == 0) { /* an empty datagram */
		start_pop(qd);
	} else if (qd == udp) {
		struct sockaddr_in peer = sga->sga_addr;

		/* To nobody, port 0, it cannot go. */
		if (demi_pushto(&qt, qd, sga, (struct sockaddr *)&peer, sizeof(peer)) != 0)
			start_pop(qd);
		else
			started(0, qt, qd);
	} else {
		int error = demi_push(&qt, qd, sga);

		started(error, qt, qd);
	}
	demi_sgafree(sga);
}

static void finished(demi_qresult_t *qr)
{
	switch (qr->qr_opcode) {
	case DEMI_OPC_ACCEPT:
		start_pop(qr->qr_value.ares.qd);
		start_accept();
		break;
	case DEMI_OPC_POP:
		popped(qr->qr_qd, &qr->qr_value.sga);
		break;
	case DEMI_OPC_PUSH:
		start_pop(qr->qr_qd);
		break;
	default:
		if (qr->qr_qd == listener)
			start_accept();
		else if (qr->qr_qd == udp)
			start_pop(udp);
		else
			drop(qr->qr_qd);
	}
}

static void tell(void)
{
	const struct inet *inet = (const struct inet *)instance_self->libos[LIBOS_NETWORK];
	const struct stack *s = inet->stack;
	const struct stack_stats *stats = stack_stats(s);

#define X(name, text) printf(#name "=%" PRIu64 " ", stats->name);
	STACK_COUNTERS(X)
#undef X
	printf("connections=%u half_open=%u ", s->tcp->cbs.used, s->tcp->halves.used);
	printf("buffers=%u operations=%d\n", s->pool->count - s->pool->free_count, count);
	fflush(stdout);
}

/* False: our input has ended. */
static bool answer_input(void)
{
	char byte;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &byte, 1)) == 1)
		if (byte == '\n')
			tell();
	return n != 0;
}

static void open_sockets(const struct sockaddr_in *a)
{
	const struct sockaddr *addr = (const struct sockaddr *)a;
	int error = demi_init(NULL);

	if (error == 0)
		error = demi_socket(&listener, AF_INET, SOCK_STREAM, 0);
	if (error == 0)
		error = demi_bind(listener, addr, sizeof(*a));
	if (error == 0)
		error = demi_listen(listener, 1024);
	if (error == 0)
		error = demi_socket(&udp, AF_INET, SOCK_DGRAM, 0);
	if (error == 0)
		error = demi_bind(udp, addr, sizeof(*a));
	if (error != 0)
		die("the sockets", error);
}

int main(int argc, char *argv[])
{
	const struct timespec moment = {.tv_nsec = 5000000};
	struct sockaddr_in a = {.sin_family = AF_INET};

	if (argc != 3 || inet_pton(AF_INET, argv[1], &a.sin_addr) != 1)
		die("usage: victim IP PORT", EINVAL);
	a.sin_port = htons((uint16_t)atoi(argv[2]));
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	open_sockets(&a);
	start_accept();
	start_pop(udp);
	while (answer_input()) {
		demi_qresult_t qr;
		int which, error = demi_wait_any(&qr, &which, tokens, count, &moment);

		if (error == 0) {
			forget(which);
			finished(&qr);
		} else if (error != ETIMEDOUT) {
			die("the wait", error);
		}
	}
	return 0;
}
