/* net_bench.c - what bench/net and bench/dpdk measure that no example program does, over the libOS
 * that LIBOS names: datagrams there and back, a stream one way, messages of which many are on their
 * way at a time, connections that are reset as soon as they are there.
 *
 *	net_bench udp-server IP PORT			"port N", and answers until the last
 *	net_bench udp-client IP PORT PEER-IP PEER-PORT SIZE MESSAGES
 *							prints p50_ns= and so on
 *	net_bench sink IP PORT				"port N"; then bytes= and rate=
 *	net_bench source IP PORT SECONDS
 *	net_bench rate IP PORT SIZE CONNECTIONS SECONDS	messages= and rate=: one message on its
 *							way on each; against tcp-echo
 *	net_bench pipeline IP PORT SIZE OUTSTANDING SECONDS
 *							the same, many on one connection
 *	net_bench acceptor IP PORT			"port N", until a connection sends
 *							something
 *	net_bench connector IP PORT COUNT		connections= and rate=
 *
 * The clients of rate and pipeline do as little as they can for a message, so that the server is
 * what is measured.
 *
 * SPDX-License-Identifier: MIT
 */
#include "histogram.h"
#include "yardstick.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_BYTES = 65536, /* of a stream in one push */
	WINDOW = 32,         /* pushes in flight */
	CONNECTIONS_MAX = 4096,
	TURNS = 64, /* between two looks at the clock */
	OUTSTANDING_MAX = 1024,
	CONNECTING = 16, /* connections that are being made at a time, and accepted */
};

static void must(int error, const char *what)
{
	errno = error;
	if (error)
		die(what);
}

static demi_qresult_t result_of(demi_qtoken_t qt)
{
	demi_qresult_t qr;

	must(demi_wait(&qr, qt, NULL), "wait");
	if (qr.qr_opcode == DEMI_OPC_FAILED)
		must((int)qr.qr_ret, "operation");
	return qr;
}

static struct sockaddr_in at(char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};

	if (inet_pton(AF_INET, argv[0], &a.sin_addr) != 1)
		die(argv[0]);
	return a;
}

static int open_bound(int type, char **argv)
{
	struct sockaddr_in a = at(argv);
	int qd;

	must(demi_init(NULL), "demi_init");
	must(demi_socket(&qd, AF_INET, type, 0), "socket");
	must(demi_bind(qd, (struct sockaddr *)&a, sizeof(a)), "bind");
	printf("port %s\n", argv[1]);
	fflush(stdout);
	return qd;
}

static demi_sgarray_t pop(int qd)
{
	demi_qtoken_t qt;

	must(demi_pop(&qt, qd), "pop");
	return result_of(qt).qr_value.sga;
}

static void push_to(int qd, demi_sgarray_t *sga, const struct sockaddr_in *to)
{
	demi_qtoken_t qt;

	must(demi_pushto(&qt, qd, sga, (const struct sockaddr *)to, sizeof(*to)), "push");
	result_of(qt);
}

/* The first byte of the last is not zero. */
static void udp_server(char **argv)
{
	int qd = open_bound(SOCK_DGRAM, argv);
	bool last = false;

	while (!last) {
		demi_sgarray_t sga = pop(qd);

		last = *(char *)sga.sga_segs[0].sgaseg_buf != 0;
		push_to(qd, &sga, &sga.sga_addr);
		demi_sgafree(&sga);
	}
}

static void udp_client(char **argv)
{
	static struct histogram h;
	struct sockaddr_in peer = at(argv + 2);
	size_t size = strtoul(argv[4], NULL, 10);
	uint64_t messages = strtoull(argv[5], NULL, 10), all_start_ns;
	int qd = open_bound(SOCK_DGRAM, argv);

	histogram_clear(&h);
	all_start_ns = now_ns();
	for (uint64_t i = 0; i < messages; i++) {
		demi_sgarray_t sga = demi_sgaalloc(size);
		uint64_t start_ns = now_ns();

		memset(sga.sga_segs[0].sgaseg_buf, i + 1 == messages, size);
		push_to(qd, &sga, &peer);
		demi_sgafree(&sga);
		sga = pop(qd);
		histogram_record(&h, now_ns() - start_ns);
		demi_sgafree(&sga);
	}
	print_result(&h, now_ns() - all_start_ns);
}

static void sink(char **argv)
{
	int listener = open_bound(SOCK_STREAM, argv), qd;
	uint64_t start_ns = 0, received = 0, len;
	demi_qtoken_t qt;

	must(demi_listen(listener, 1), "listen");
	must(demi_accept(&qt, listener), "accept");
	qd = result_of(qt).qr_value.ares.qd;
	do {
		demi_sgarray_t sga = pop(qd);

		if (start_ns == 0)
			start_ns = now_ns();
		len = sga.sga_segs[0].sgaseg_len;
		received += len;
		demi_sgafree(&sga);
	} while (len > 0);
	printf("bytes=%llu rate=%.0f\n", (unsigned long long)received,
	       (double)received * 1e9 / (double)(now_ns() - start_ns));
	demi_close(qd);
}

static void source(char **argv)
{
	struct sockaddr_in peer = at(argv);
	uint64_t end_ns, pushed = 0;
	demi_qtoken_t qt, window[WINDOW];
	demi_sgarray_t piece;
	int qd;

	must(demi_init(NULL), "demi_init");
	must(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), "socket");
	must(demi_connect(&qt, qd, (struct sockaddr *)&peer, sizeof(peer)), "connect");
	result_of(qt);
	piece = demi_sgaalloc(PIECE_BYTES);
	memset(piece.sga_segs[0].sgaseg_buf, 0, PIECE_BYTES);
	end_ns = now_ns() + (uint64_t)(strtod(argv[2], NULL) * 1e9);
	for (; now_ns() < end_ns; pushed++) {
		if (pushed >= WINDOW)
			result_of(window[pushed % WINDOW]);
		must(demi_push(&window[pushed % WINDOW], qd, &piece), "push");
	}
	for (uint64_t i = pushed > WINDOW ? pushed - WINDOW : 0; i < pushed; i++)
		result_of(window[i % WINDOW]);
	demi_sgafree(&piece);
	demi_close(qd);
}

static int connect_to_peer(char **argv, demi_qtoken_t *qt)
{
	struct sockaddr_in peer = at(argv);
	int qd;

	must(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), "socket");
	must(demi_connect(qt, qd, (struct sockaddr *)&peer, sizeof(peer)), "connect");
	return qd;
}

/* Of a message that is copied: it is over at once. */
static void push(int qd, const demi_sgarray_t *sga)
{
	demi_qtoken_t qt;

	must(demi_push(&qt, qd, sga), "push");
	result_of(qt);
}

static demi_sgarray_t make_message(size_t size)
{
	demi_sgarray_t sga = demi_sgaalloc(size);

	if (sga.sga_numsegs == 0)
		die("no memory");
	memset(sga.sga_segs[0].sgaseg_buf, 1, size);
	return sga;
}

static void push_message(int qd, size_t size)
{
	demi_sgarray_t sga = make_message(size);

	push(qd, &sga);
	demi_sgafree(&sga);
}

static void print_messages(uint64_t count, uint64_t ns)
{
	printf("messages=%llu rate=%.0f\n", (unsigned long long)count,
	       (double)count * 1e9 / (double)ns);
}

/* Pushes the same message so often in a row. */
static void push_row(int qd, const demi_sgarray_t *sga, uint64_t count)
{
	demi_qtoken_t qts[OUTSTANDING_MAX];

	for (uint64_t i = 0; i < count; i++)
		must(demi_push(&qts[i], qd, sga), "push");
	for (uint64_t i = 0; i < count; i++)
		result_of(qts[i]);
}

static void pipeline(char **argv)
{
	uint64_t size = strtoull(argv[2], NULL, 10), outstanding = strtoull(argv[3], NULL, 10);
	uint64_t start_ns, end_ns, pushed = 0, back_bytes = 0, row;
	demi_sgarray_t message, sga;
	demi_qtoken_t qt;
	int qd;

	if (size < 1 || outstanding < 1 || outstanding > OUTSTANDING_MAX)
		die("OUTSTANDING is 1 to 1024");
	must(demi_init(NULL), "demi_init");
	qd = connect_to_peer(argv, &qt);
	result_of(qt);
	message = make_message(size);
	start_ns = now_ns();
	end_ns = start_ns + (uint64_t)(strtod(argv[4], NULL) * 1e9);
	do {
		row = outstanding - (pushed - back_bytes / size);
		push_row(qd, &message, row);
		pushed += row;
		sga = pop(qd);
		back_bytes += sga.sga_segs[0].sgaseg_len;
		demi_sgafree(&sga);
	} while (now_ns() < end_ns);
	print_messages(back_bytes / size, now_ns() - start_ns);
	demi_sgafree(&message);
	demi_close(qd);
}

/* Connections, each with a pop that waits. */
struct popping {
	int qds[CONNECTIONS_MAX];
	demi_qtoken_t pops[CONNECTIONS_MAX];
	int count;
};

static void open_popping(struct popping *p, char **argv, size_t size)
{
	demi_qtoken_t qt;

	for (int i = 0; i < p->count; i++) {
		p->qds[i] = connect_to_peer(argv, &qt);
		result_of(qt);
	}
	for (int i = 0; i < p->count; i++) {
		push_message(p->qds[i], size);
		must(demi_pop(&p->pops[i], p->qds[i]), "pop");
	}
}

/* Sends what has come back, once. */
static void turn_round(struct popping *p)
{
	demi_qresult_t qr;
	int i;

	must(demi_wait_any(&qr, &i, p->pops, p->count, NULL), "wait");
	if (qr.qr_opcode != DEMI_OPC_POP)
		must((int)qr.qr_ret, "pop");
	push(p->qds[i], &qr.qr_value.sga);
	demi_sgafree(&qr.qr_value.sga);
	must(demi_pop(&p->pops[i], p->qds[i]), "pop");
}

static void rate(char **argv)
{
	static struct popping p;
	uint64_t start_ns, end_ns, turns = 0;

	p.count = atoi(argv[3]);
	if (p.count < 1 || p.count > CONNECTIONS_MAX)
		die("CONNECTIONS is 1 to 4096");
	must(demi_init(NULL), "demi_init");
	open_popping(&p, argv, strtoul(argv[2], NULL, 10));
	start_ns = now_ns();
	end_ns = start_ns + (uint64_t)(strtod(argv[4], NULL) * 1e9);
	do {
		for (int i = 0; i < TURNS; i++)
			turn_round(&p);
		turns += TURNS;
	} while (now_ns() < end_ns);
	print_messages(turns, now_ns() - start_ns);
	for (int i = 0; i < p.count; i++)
		demi_close(p.qds[i]);
}

static void start_accept(int listener)
{
	demi_qtoken_t qt;

	must(demi_accept(&qt, listener), "accept");
}

/* Whether a connection has sent something. One that has not is gone. */
static bool accept_next(int listener)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int n;

	must(demi_wait_next_n(&qr, 1, &n, NULL), "wait");
	if (qr.qr_opcode == DEMI_OPC_POP)
		return true;
	if (qr.qr_opcode == DEMI_OPC_ACCEPT) {
		start_accept(listener);
		must(demi_pop(&qt, qr.qr_value.ares.qd), "pop");
	} else if (qr.qr_qd != listener) {
		must(demi_close(qr.qr_qd), "close");
	} else {
		start_accept(listener); /* it was reset before it was accepted */
	}
	return false;
}

static void acceptor(char **argv)
{
	int listener = open_bound(SOCK_STREAM, argv);

	must(demi_listen(listener, 1024), "listen");
	for (int i = 0; i < CONNECTING; i++)
		start_accept(listener);
	while (!accept_next(listener))
		;
}

static void connector(char **argv)
{
	const struct linger reset = {.l_onoff = 1};
	uint64_t count = strtoull(argv[2], NULL, 10), start_ns;
	demi_qtoken_t qts[CONNECTING];
	demi_qresult_t qr;
	int i;

	must(demi_init(NULL), "demi_init");
	for (i = 0; i < CONNECTING; i++)
		connect_to_peer(argv, &qts[i]);
	start_ns = now_ns();
	for (uint64_t made = 0; made < count; made++) {
		must(demi_wait_any(&qr, &i, qts, CONNECTING, NULL), "wait");
		if (qr.qr_opcode != DEMI_OPC_CONNECT)
			must((int)qr.qr_ret, "connect");
		must(demi_setsockopt(qr.qr_qd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
		     "SO_LINGER");
		must(demi_close(qr.qr_qd), "close");
		connect_to_peer(argv, &qts[i]);
	}
	printf("connections=%llu rate=%.0f\n", (unsigned long long)count,
	       (double)count * 1e9 / (double)(now_ns() - start_ns));
	must(demi_wait_any(&qr, &i, qts, CONNECTING, NULL), "wait");
	push_message(qr.qr_qd, 1); /* this was the last */
	demi_close(qr.qr_qd);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (argc == 4 && strcmp(mode, "udp-server") == 0)
		udp_server(argv + 2);
	else if (argc == 8 && strcmp(mode, "udp-client") == 0)
		udp_client(argv + 2);
	else if (argc == 4 && strcmp(mode, "sink") == 0)
		sink(argv + 2);
	else if (argc == 5 && strcmp(mode, "source") == 0)
		source(argv + 2);
	else if (argc == 7 && strcmp(mode, "rate") == 0)
		rate(argv + 2);
	else if (argc == 7 && strcmp(mode, "pipeline") == 0)
		pipeline(argv + 2);
	else if (argc == 4 && strcmp(mode, "acceptor") == 0)
		acceptor(argv + 2);
	else if (argc == 5 && strcmp(mode, "connector") == 0)
		connector(argv + 2);
	else
		die("usage: net_bench MODE ...; see net_bench.c");
	return 0;
}
