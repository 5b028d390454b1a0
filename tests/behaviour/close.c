/* close.c - closing: at once for the program, without loss for the peer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <stdlib.h>

static void pending_operations_of_a_closed_queue_fail(void)
{
	static uint8_t big[16 << 20];
	demi_qtoken_t pop[3], push, accept, connect;
	int qd, listener, connecting, memory;

	begin();
	qd = connection();
	for (int i = 0; i < 3; i++)
		pop[i] = start_pop(qd);
	push = start_push(qd, big, sizeof(big));
	equal(demi_close(qd), 0);
	equal(demi_close(qd), EBADF);
	for (int i = 2; i >= 0; i--)
		failure(pop[i], EBADF);
	failure(push, EBADF);

	listener = tcp_listener();
	accept = start_accept(listener);
	equal(demi_close(listener), 0);
	failure(accept, EBADF);

	connecting = tcp_socket();
	connect = start_connect(connecting, (uint16_t)hear());
	equal(demi_close(connecting), 0);
	failure(connect, EBADF);

	equal(demi_queue(&memory), 0);
	pop[0] = start_pop(memory);
	equal(demi_close(memory), 0);
	failure(pop[0], EBADF);
	say(0);
}

static void peer_keeps_its_ends_open(void)
{
	int qd, listener;

	begin();
	qd = connection();
	listener = tcp_listener();
	say(port_of(listener));
	hear();
	equal(demi_close(qd), 0);
}

static void a_completed_pop_outlives_its_descriptor(void)
{
	demi_qtoken_t pop;
	demi_qresult_t qr;
	int memory;

	begin();
	equal(demi_queue(&memory), 0);
	pop = start_pop(memory);
	push_all(memory, "kept", 4);
	equal(demi_close(memory), 0);
	qr = success(pop, DEMI_OPC_POP);
	equal(qr.qr_qd, memory);
	same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, "kept", 4);
	give_back(&qr);
}

static void unclaimed_results_of_closed_queues_are_bounded(void)
{
	enum { LIMIT = 16, COUNT = 40 };
	demi_qtoken_t qt[COUNT];
	demi_qresult_t qr;
	int qd;

	configure(NULL, "  max_unclaimed_closed: 16\n");
	begin();
	for (int i = 0; i < COUNT; i++) {
		equal(demi_queue(&qd), 0);
		qt[i] = start_pop(qd);
		if (i % 2 == 0)
			push_all(qd, "x", 1);
		equal(demi_close(qd), 0);
	}
	/* The oldest were forgotten. */
	for (int i = 0; i < COUNT; i++) {
		if (i < COUNT - LIMIT) {
			equal(demi_wait(&qr, qt[i], NULL), EINVAL);
		} else if (i % 2 == 0) {
			qr = success(qt[i], DEMI_OPC_POP);
			give_back(&qr);
		} else {
			failure(qt[i], EBADF);
		}
	}
}

static void tokens_dropped_unread_cost_nothing_in_the_end(void)
{
	demi_qtoken_t qt;
	int qd;

	configure(NULL, "  max_operations: 64\n  max_unclaimed_closed: 16\n  small_buffers: 64\n");
	begin();
	for (int i = 0; i < 10000; i++) {
		equal(demi_queue(&qd), 0);
		qt = start_pop(qd);
		check(qt != 0);
		push_all(qd, "x", 1);
		equal(demi_close(qd), 0);
	}
}

static void closing_loses_nothing(void)
{
	enum { BYTES = 1 << 20 };
	static uint8_t data[BYTES];
	int qd;

	begin();
	qd = connection();
	push_all(qd, data, BYTES / 2);
	push_all(qd, data, BYTES / 2);
	equal(demi_close(qd), 0);
	/* Progress is made inside calls only. */
	equal(demi_wait_any(&(demi_qresult_t){0}, &(int){0}, NULL, 0,
			    &(struct timespec){.tv_nsec = 100000000}),
	      ETIMEDOUT);
	equal(hear(), BYTES);
}

/* While more is ready a push may wait for company: the close ends that wait. */
static void what_was_pushed_right_before_a_close_completes(void)
{
	enum { PUSHES = 20 };
	demi_qtoken_t first, second, push[PUSHES], to_peer;
	int qd, udp, memory;

	begin();
	qd = connection();
	udp = udp_socket();
	equal(demi_queue(&memory), 0);
	first = start_push(memory, "a", 1);
	second = start_push(memory, "b", 1);
	success(first, DEMI_OPC_PUSH); /* the second is ready, too, from now on */
	to_peer = start_push_to(udp, "datagram", 8, (uint16_t)hear());
	equal(demi_close(udp), 0);
	for (int i = 0; i < PUSHES; i++)
		push[i] = start_push(qd, "12345", 5);
	equal(demi_close(qd), 0);
	success(to_peer, DEMI_OPC_PUSH);
	for (int i = 0; i < PUSHES; i++)
		success(push[i], DEMI_OPC_PUSH);
	success(second, DEMI_OPC_PUSH);
	equal(hear(), PUSHES * 5);
}

static void peer_takes_a_datagram_and_a_stream(void)
{
	uint64_t bytes = 0, len;
	demi_qresult_t qr;
	int qd, udp;

	begin();
	qd = connection();
	udp = udp_socket();
	say(port_of(udp));
	qr = success(start_pop(udp), DEMI_OPC_POP);
	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 8);
	give_back(&qr);
	do {
		qr = success(start_pop(qd), DEMI_OPC_POP);
		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		bytes += len;
		give_back(&qr);
	} while (len > 0);
	say(bytes);
}

static void unread_bytes_do_not_harm_what_was_pushed(void)
{
	enum { BYTES = 1 << 20 };
	static uint8_t data[BYTES];
	int qd;

	begin();
	qd = connection();
	hear(); /* the peer's bytes are on their way; nobody will pop them */
	push_all(qd, data, BYTES);
	equal(demi_close(qd), 0);
	equal(demi_wait_any(&(demi_qresult_t){0}, &(int){0}, NULL, 0,
			    &(struct timespec){.tv_nsec = 100000000}),
	      ETIMEDOUT);
	equal(hear(), BYTES);
}

static void peer_sends_and_counts(void)
{
	uint64_t bytes = 0, len;
	int qd;

	begin();
	qd = connection();
	push_all(qd, "never read", 10);
	say(0);
	do {
		demi_qresult_t qr = success(start_pop(qd), DEMI_OPC_POP);

		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		bytes += len;
		give_back(&qr);
		result(start_push(qd, "more", 4)); /* refused, once the other has all it wants */
	} while (len > 0 && bytes < 1 << 20);
	say(bytes);
}

static void a_linger_time_of_zero_resets(void)
{
	const struct linger zero = {1, 0};
	int qd;

	begin();
	qd = connection();
	hear(); /* the peer knows that it is connected */
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	equal(demi_close(qd), 0);
	hear();
}

static void peer_is_reset(void)
{
	int qd;

	begin();
	qd = connection();
	say(0);
	failure(start_pop(qd), ECONNRESET);
	say(0);
}

static void a_linger_time_does_not_block(void)
{
	static uint8_t big[16 << 20];
	const struct linger three = {1, 3};
	uint64_t start;
	int qd;

	begin();
	qd = connection();
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &three, sizeof(three)), 0);
	start_push(qd, big, sizeof(big));
	start = now_ns();
	equal(demi_close(qd), 0);
	check(now_ns() - start < UINT64_C(3000000000));
	/* At its end the connection is reset. */
	equal(demi_wait_any(&(demi_qresult_t){0}, &(int){0}, NULL, 0,
			    &(struct timespec){.tv_sec = 4}),
	      ETIMEDOUT);
	say(0);
}

static void peer_reads_late(void)
{
	int qd;

	begin();
	qd = connection();
	hear_idle();
	pop_until_reset(qd);
}

static void close_async_completes_when_the_peer_has_everything(void)
{
	enum { BYTES = 4 << 20 };
	static uint8_t data[BYTES];
	demi_qtoken_t pop, push, closing, other;
	demi_qresult_t qr;
	int qd;

	begin();
	qd = connection();
	pop = start_pop(qd);
	push = start_push(qd, data, BYTES);
	equal(demi_close_async(&closing, qd), 0);
	/* It takes no calls from now on. */
	equal(demi_pop(&other, qd), EBADF);
	equal(demi_close_async(&other, qd), EBADF);
	equal(demi_close(qd), EBADF);
	failure(pop, ECANCELED);
	qr = result(push);
	qr = success(closing, DEMI_OPC_CLOSE);
	equal(qr.qr_qd, qd);
	equal(hear(), BYTES);
	equal(demi_wait(&qr, closing, &no_time), EINVAL);
}

static void close_async_of_what_has_no_peer_completes(void)
{
	demi_qtoken_t accept, closing[4], pop;
	int qd[4];

	begin();
	qd[0] = tcp_listener();
	qd[1] = tcp_socket();
	qd[2] = udp_socket();
	equal(demi_queue(&qd[3]), 0);
	accept = start_accept(qd[0]);
	pop = start_pop(qd[2]);
	for (int i = 0; i < 4; i++)
		equal(demi_close_async(&closing[i], qd[i]), 0);
	for (int i = 0; i < 4; i++) {
		success(closing[i], DEMI_OPC_CLOSE);
		equal(demi_close(qd[i]), EBADF);
	}
	failure(accept, ECANCELED);
	failure(pop, ECANCELED);
}

static void close_async_fails_when_the_peer_resets(void)
{
	static uint8_t big[16 << 20];
	demi_qtoken_t push, closing;
	int qd;

	begin();
	qd = connection();
	push = start_push(qd, big, sizeof(big));
	equal(demi_close_async(&closing, qd), 0);
	say(0);
	failure(closing, ECONNRESET);
	equal(result(push).qr_opcode, DEMI_OPC_FAILED);
	hear(); /* that the peer is through, too */
}

/* Connections that come and go leave nothing behind. */
static void a_thousand_connections_come_and_go(void)
{
	int listener;

	configure(NULL, "  max_queues: 16\n  max_operations: 64\n");
	begin();
	listener = tcp_listener();
	say(port_of(listener));
	for (int i = 0; i < 1000; i++) {
		int qd = success(start_accept(listener), DEMI_OPC_ACCEPT).qr_value.ares.qd;
		uint8_t byte;

		pop_all(qd, &byte, 1);
		push_all(qd, &byte, 1);
		if (i % 2 == 0)
			pop_end(qd);
		equal(demi_close(qd), 0);
	}
}

static void peer_comes_and_goes(void)
{
	uint16_t port;

	configure(NULL, "  max_queues: 16\n  max_operations: 64\n");
	begin();
	port = (uint16_t)hear();
	for (int i = 0; i < 1000; i++) {
		int qd = tcp_socket();
		uint8_t byte;

		success(start_connect(qd, port), DEMI_OPC_CONNECT);
		push_all(qd, "x", 1);
		pop_all(qd, &byte, 1);
		if (i % 2 != 0)
			pop_end(qd);
		equal(demi_close(qd), 0);
	}
}

const struct behaviour close_cases[] = {
    WITH(pending_operations_of_a_closed_queue_fail, peer_keeps_its_ends_open),
    ALONE(a_completed_pop_outlives_its_descriptor),
    ALONE(unclaimed_results_of_closed_queues_are_bounded),
    ALONE(tokens_dropped_unread_cost_nothing_in_the_end),
    WITH(closing_loses_nothing, peer_discards),
    WITH(what_was_pushed_right_before_a_close_completes, peer_takes_a_datagram_and_a_stream),
    WITH(unread_bytes_do_not_harm_what_was_pushed, peer_sends_and_counts),
    WITH(a_linger_time_of_zero_resets, peer_is_reset),
    WITH(a_linger_time_does_not_block, peer_reads_late),
    WITH(close_async_completes_when_the_peer_has_everything, peer_discards),
    ALONE(close_async_of_what_has_no_peer_completes),
    WITH(close_async_fails_when_the_peer_resets, peer_resets),
    WITH(a_thousand_connections_come_and_go, peer_comes_and_goes),
    {NULL, NULL, NULL, false, false, false},
};
