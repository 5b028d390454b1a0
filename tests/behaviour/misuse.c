/* misuse.c - each misuse has its errno, and does no harm.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

static void every_call_before_init_is_not_there(void)
{
	struct sockaddr_in sin = at(0, 1);
	socklen_t len = sizeof(sin);
	demi_sgarray_t sga = {0};
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int n = 0;

	equal(demi_socket(&n, AF_INET, SOCK_STREAM, 0), ENOSYS);
	equal(demi_bind(500, SA(&sin)), ENOSYS);
	equal(demi_listen(500, 1), ENOSYS);
	equal(demi_accept(&qt, 500), ENOSYS);
	equal(demi_connect(&qt, 500, SA(&sin)), ENOSYS);
	equal(demi_close(500), ENOSYS);
	equal(demi_push(&qt, 500, &sga), ENOSYS);
	equal(demi_pushto(&qt, 500, &sga, SA(&sin)), ENOSYS);
	equal(demi_pop(&qt, 500), ENOSYS);
	equal(demi_setsockopt(500, SOL_SOCKET, SO_LINGER, &n, sizeof(n)), ENOSYS);
	equal(demi_getsockopt(500, SOL_SOCKET, SO_LINGER, &n, &len), ENOSYS);
	equal(demi_getpeername(500, (struct sockaddr *)&sin, &len), ENOSYS);
	equal(demi_getsockname(500, (struct sockaddr *)&sin, &len), ENOSYS);
	sga = demi_sgaalloc(64);
	check(sga.sga_buf == NULL && sga.sga_numsegs == 0);
	equal(demi_sgafree(&sga), ENOSYS);
	equal(demi_wait(&qr, 1, &no_time), ENOSYS);
	equal(demi_wait_any(&qr, &n, &qt, 1, &no_time), ENOSYS);
	equal(demi_wait_next_n(&qr, 1, &n, &no_time), ENOSYS);
	equal(demi_wait_all(&qr, &qt, 1, &no_time), ENOSYS);
	equal(demi_pop_sized(&qt, 500, 1), ENOSYS);
	equal(demi_close_async(&qt, 500), ENOSYS);
	equal(demi_queue(&n), ENOSYS);
	equal(demi_cancel(1), ENOSYS);
	equal(demi_shutdown(500, SHUT_WR), ENOSYS);
	/* Nor do their arguments matter. */
	equal(demi_socket(NULL, 0, 0, 0), ENOSYS);
	equal(demi_wait_any(NULL, NULL, NULL, -1, NULL), ENOSYS);
	begin();
	equal(demi_socket(&n, AF_INET, SOCK_STREAM, 0), 0);
}

static void null_pointers_are_invalid(void)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t qt = 1;
	int udp, tcp, n = 1;

	begin();
	udp = udp_socket();
	tcp = tcp_socket();
	sga = demi_sgaalloc(8);
	sin = at(0, 9);
	equal(demi_socket(NULL, AF_INET, SOCK_STREAM, 0), EINVAL);
	equal(demi_queue(NULL), EINVAL);
	equal(demi_bind(tcp, NULL, sizeof(sin)), EINVAL);
	equal(demi_accept(NULL, tcp), EINVAL);
	equal(demi_connect(NULL, tcp, SA(&sin)), EINVAL);
	equal(demi_connect(&qt, tcp, NULL, sizeof(sin)), EINVAL);
	equal(demi_push(NULL, udp, &sga), EINVAL);
	equal(demi_push(&qt, udp, NULL), EINVAL);
	equal(demi_pushto(NULL, udp, &sga, SA(&sin)), EINVAL);
	equal(demi_pushto(&qt, udp, NULL, SA(&sin)), EINVAL);
	equal(demi_pushto(&qt, udp, &sga, NULL, sizeof(sin)), EINVAL);
	equal(demi_pop(NULL, udp), EINVAL);
	equal(demi_pop_sized(NULL, udp, 1), EINVAL);
	equal(demi_close_async(NULL, udp), EINVAL);
	equal(demi_setsockopt(tcp, SOL_SOCKET, SO_LINGER, NULL, 8), EINVAL);
	equal(demi_getsockopt(tcp, SOL_SOCKET, SO_LINGER, NULL, &len), EINVAL);
	equal(demi_getsockopt(tcp, SOL_SOCKET, SO_LINGER, &n, NULL), EINVAL);
	equal(demi_setsockopt(tcp, SOL_SOCKET, SO_LINGER, &n, (socklen_t)-1), EINVAL);
	equal(demi_setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &n, (socklen_t)-1), EINVAL);
	equal(demi_getsockopt(tcp, SOL_SOCKET, SO_LINGER, &n, &(socklen_t){(socklen_t)-1}), EINVAL);
	equal(demi_getsockopt(tcp, SOL_SOCKET, SO_TYPE, &n, &(socklen_t){(socklen_t)-1}), EINVAL);
	equal(demi_getsockname(tcp, NULL, &len), EINVAL);
	equal(demi_getsockname(tcp, (struct sockaddr *)&sin, NULL), EINVAL);
	equal(demi_getpeername(tcp, NULL, &len), EINVAL);
	equal(demi_getpeername(tcp, (struct sockaddr *)&sin, NULL), EINVAL);
	equal(demi_sgafree(NULL), EINVAL);
	equal(demi_wait(NULL, qt, &no_time), EINVAL);
	equal(demi_wait_any(NULL, &n, &qt, 1, &no_time), EINVAL);
	equal(demi_wait_any(&qr, NULL, &qt, 1, &no_time), EINVAL);
	equal(demi_wait_any(&qr, &n, NULL, 1, &no_time), EINVAL);
	equal(demi_wait_next_n(NULL, 1, &n, &no_time), EINVAL);
	equal(demi_wait_next_n(&qr, 1, NULL, &no_time), EINVAL);
	equal(demi_wait_all(NULL, &qt, 1, &no_time), EINVAL);
	equal(demi_wait_all(&qr, NULL, 1, &no_time), EINVAL);
	equal(demi_sgafree(&sga), 0);
}

static void sockets_of_other_kinds_are_not_supported(void)
{
	static const int bad[][3] = {
	    {AF_INET6, SOCK_STREAM, 0},
	    {AF_UNIX, SOCK_STREAM, 0},
	    {-1, SOCK_STREAM, 0},
	    {AF_INET, SOCK_RAW, 0},
	    {AF_INET, SOCK_SEQPACKET, 0},
	    {AF_INET, -1, 0},
	    {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0},
	    {AF_INET, SOCK_STREAM, IPPROTO_UDP},
	    {AF_INET, SOCK_DGRAM, IPPROTO_TCP},
	    {AF_INET, SOCK_STREAM, -1},
	};
	int qd = -7;

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		equal(demi_socket(&qd, bad[i][0], bad[i][1], bad[i][2]), ENOTSUP);
	equal(qd, -7);
	equal(demi_socket(&qd, AF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	equal(demi_socket(&qd, AF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
}

static void addresses_have_a_known_family_and_the_right_length(void)
{
	struct sockaddr_in sin = at(0, 0);
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const struct sockaddr *good = (struct sockaddr *)&sin;
	int tcp, udp;
	demi_sgarray_t sga;
	demi_qtoken_t qt;

	begin();
	tcp = tcp_socket();
	equal(demi_socket(&udp, AF_INET, SOCK_DGRAM, 0), 0);
	sga = demi_sgaalloc(8);
	equal(demi_bind(tcp, SA(&un)), ENOTSUP);
	equal(demi_bind(tcp, SA(&sin6)), EINVAL);
	for (socklen_t len = 0; len < 40; len += 5)
		equal(demi_bind(tcp, good, len), EINVAL);
	equal(demi_bind(tcp, good, (socklen_t)-1), EINVAL);
	sin.sin_port = 9;
	equal(demi_connect(&qt, tcp, SA(&un)), ENOTSUP);
	equal(demi_connect(&qt, tcp, SA(&sin6)), EINVAL);
	equal(demi_connect(&qt, tcp, good, sizeof(sin) - 1), EINVAL);
	equal(demi_pushto(&qt, udp, &sga, SA(&un)), ENOTSUP);
	equal(demi_pushto(&qt, udp, &sga, SA(&sin6)), EINVAL);
	equal(demi_pushto(&qt, udp, &sga, good, sizeof(sin) + 1), EINVAL);
	equal(demi_sgafree(&sga), 0);
	sin.sin_port = 0;
	equal(demi_bind(tcp, SA(&sin)), 0);
}

/* Every call gives EBADF. */
static void is_bad(int qd)
{
	struct sockaddr_in sin = at(0, 9);
	socklen_t len = sizeof(sin);
	demi_sgarray_t sga = demi_sgaalloc(8);
	demi_qtoken_t qt;
	struct linger linger = {0};

	equal(demi_bind(qd, SA(&sin)), EBADF);
	equal(demi_listen(qd, 1), EBADF);
	equal(demi_accept(&qt, qd), EBADF);
	equal(demi_connect(&qt, qd, SA(&sin)), EBADF);
	equal(demi_push(&qt, qd, &sga), EBADF);
	equal(demi_pushto(&qt, qd, &sga, SA(&sin)), EBADF);
	equal(demi_pop(&qt, qd), EBADF);
	equal(demi_pop_sized(&qt, qd, 1), EBADF);
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), EBADF);
	equal(demi_getsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, &(socklen_t){8}), EBADF);
	equal(demi_getpeername(qd, (struct sockaddr *)&sin, &len), EBADF);
	equal(demi_getsockname(qd, (struct sockaddr *)&sin, &len), EBADF);
	equal(demi_shutdown(qd, SHUT_WR), EBADF);
	equal(demi_close_async(&qt, qd), EBADF);
	equal(demi_close(qd), EBADF);
	equal(demi_sgafree(&sga), 0);
}

static void descriptors_that_are_not_open_are_bad(void)
{
	int closed, open;

	begin();
	equal(demi_queue(&closed), 0);
	equal(demi_close(closed), 0);
	closed = tcp_socket();
	equal(demi_close(closed), 0);
	open = tcp_socket();
	check(open >= 500);
	is_bad(closed);
	is_bad(open + 1);
	is_bad(-1);
	is_bad(0);
	is_bad(3);
	is_bad(499);
	is_bad(INT_MAX);
	is_bad(INT_MIN);
	equal(demi_close(open), 0);
}

static void a_connected_socket_is_bound_and_does_not_listen(void)
{
	struct sockaddr_in sin = at(0, 0), peer = at(1, 9);
	demi_qtoken_t qt;
	int qd;

	begin();
	qd = connection();
	equal(demi_bind(qd, SA(&sin)), EISCONN);
	equal(demi_listen(qd, 1), EISCONN);
	equal(demi_connect(&qt, qd, SA(&peer)), EISCONN);
	equal(demi_accept(&qt, qd), EINVAL);
	say(0);
	equal(demi_close(qd), 0);
}

static void datagram_sockets_need_an_address(void)
{
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	int qd;

	begin();
	equal(demi_socket(&qd, AF_INET, SOCK_DGRAM, 0), 0);
	sga = demi_sgaalloc(8);
	equal(demi_pop(&qt, qd), EDESTADDRREQ);
	equal(demi_pop_sized(&qt, qd, 1), EDESTADDRREQ);
	equal(demi_push(&qt, qd, &sga), EDESTADDRREQ);
	equal(demi_push(&qt, udp_socket(), &sga), EDESTADDRREQ);
	equal(demi_sgafree(&sga), 0);
	equal(demi_close(qd), 0);
}

static void names_want_room_for_exactly_an_address(void)
{
	struct sockaddr_in sin[2];
	int qd, other;

	begin();
	other = tcp_socket();
	qd = connection();
	for (socklen_t len = 0; len <= sizeof(sin); len += 4) {
		socklen_t given = len;

		equal(demi_getpeername(qd, (struct sockaddr *)sin, &given), len == 16 ? 0 : EINVAL);
		equal(given, len);
		equal(demi_getsockname(qd, (struct sockaddr *)sin, &given), len == 16 ? 0 : EINVAL);
		equal(given, len);
	}
	equal(demi_getpeername(other, (struct sockaddr *)sin, &(socklen_t){16}), ENOTCONN);
	equal(demi_getpeername(tcp_listener(), (struct sockaddr *)sin, &(socklen_t){16}), ENOTCONN);
	equal(demi_getpeername(udp_socket(), (struct sockaddr *)sin, &(socklen_t){16}), ENOTCONN);
	say(0);
	equal(demi_close(qd), 0);
}

static void an_address_is_bound_once_and_must_be_local(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	begin();
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in sin = at(0, 0), foreign = at(0, 0);
		int a, b;

		foreign.sin_addr.s_addr = inet_addr("192.0.2.77"); /* RFC 5737: nobody's */
		equal(demi_socket(&a, AF_INET, types[i], 0), 0);
		equal(demi_socket(&b, AF_INET, types[i], 0), 0);
		equal(demi_bind(a, SA(&sin)), 0);
		equal(demi_bind(a, SA(&sin)), EINVAL);
		sin.sin_port = htons(port_of(a));
		equal(demi_bind(b, SA(&sin)), EADDRINUSE);
		equal(demi_bind(b, SA(&foreign)), EADDRNOTAVAIL);
		if (types[i] == SOCK_STREAM) {
			equal(demi_listen(a, 1), 0);
			equal(demi_bind(b, SA(&sin)), EADDRINUSE);
		}
		equal(demi_close(a), 0);
		equal(demi_bind(b, SA(&sin)), 0);
	}
}

/* Any address is everybody's: whoever has a port there has it on each. One of two that says
 * SO_REUSEPORT is one too few. */
static void a_port_of_any_address_is_taken_on_each(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	const int on = 1;

	begin();
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in one = at(0, 0), any = at(0, 0);
		int a, b;

		any.sin_addr.s_addr = htonl(INADDR_ANY);
		equal(demi_socket(&a, AF_INET, types[i], 0), 0);
		equal(demi_socket(&b, AF_INET, types[i], 0), 0);
		equal(demi_bind(a, SA(&one)), 0);
		any.sin_port = htons(port_of(a));
		one.sin_port = any.sin_port;
		equal(demi_bind(b, SA(&any)), EADDRINUSE);
		equal(demi_close(a), 0);
		equal(demi_bind(b, SA(&any)), 0);
		equal(demi_socket(&a, AF_INET, types[i], 0), 0);
		equal(demi_bind(a, SA(&one)), EADDRINUSE);
		equal(demi_setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
		equal(demi_bind(a, SA(&one)), EADDRINUSE);
		equal(demi_close(b), 0);
		equal(demi_bind(a, SA(&one)), 0);
	}
}

static void listening_has_its_conditions(void)
{
	int a, udp;

	begin();
	a = tcp_socket();
	udp = udp_socket();
	equal(demi_listen(a, 1), EDESTADDRREQ);
	equal(demi_listen(udp, 1), EOPNOTSUPP);
	equal(demi_close(a), 0);
	a = tcp_listener();
	equal(demi_listen(a, 1), EADDRINUSE);
	equal(demi_listen(tcp_listener(), INT_MAX), EADDRINUSE);
	{
		struct sockaddr_in sin = at(0, 0);
		int b = tcp_socket();

		equal(demi_bind(b, SA(&sin)), 0);
		equal(demi_listen(b, 0), EINVAL);
		equal(demi_listen(b, -1), EINVAL);
		equal(demi_listen(b, INT_MIN), EINVAL);
		equal(demi_listen(b, INT_MAX), 0);
	}
}

static void accepting_needs_a_listener(void)
{
	struct sockaddr_in sin = at(0, 0);
	demi_qtoken_t qt;
	int qd;

	begin();
	qd = tcp_socket();
	equal(demi_accept(&qt, qd), EINVAL);
	equal(demi_bind(qd, SA(&sin)), 0);
	equal(demi_accept(&qt, qd), EINVAL);
	equal(demi_accept(&qt, udp_socket()), EINVAL);
}

static void connecting_is_done_once_and_not_by_a_listener(void)
{
	struct sockaddr_in peer, own = at(0, 0);
	demi_qtoken_t connect, again;
	int qd;

	begin();
	peer = at(1, (uint16_t)hear());
	equal(demi_connect(&again, tcp_listener(), SA(&peer)), EOPNOTSUPP);
	qd = tcp_socket();
	equal(demi_connect(&connect, qd, SA(&peer)), 0);
	equal(demi_connect(&again, qd, SA(&peer)), EINPROGRESS);
	equal(demi_listen(qd, 1), EADDRINUSE);
	equal(demi_bind(qd, SA(&own)), EINVAL);
	equal(demi_push(&again, qd, &(demi_sgarray_t){0}), EINVAL);
	equal(demi_pop(&again, qd), ENOTCONN);
	success(connect, DEMI_OPC_CONNECT);
	equal(demi_connect(&again, qd, SA(&peer)), EISCONN);
	equal(demi_close(qd), 0);
	say(0);
}

static void peer_listens(void)
{
	int listener;

	begin();
	listener = tcp_listener();
	say(port_of(listener));
	success(start_accept(listener), DEMI_OPC_ACCEPT);
	hear();
}

static void an_unconnected_stream_carries_nothing(void)
{
	struct sockaddr_in sin = at(1, 9);
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	int qd[2];

	begin();
	qd[0] = tcp_socket();
	qd[1] = tcp_listener();
	sga = demi_sgaalloc(8);
	for (int i = 0; i < 2; i++) {
		equal(demi_push(&qt, qd[i], &sga), ENOTCONN);
		equal(demi_pushto(&qt, qd[i], &sga, SA(&sin)), ENOTCONN);
		equal(demi_pop(&qt, qd[i]), ENOTCONN);
		equal(demi_pop_sized(&qt, qd[i], 1), ENOTCONN);
		equal(demi_shutdown(qd[i], SHUT_WR), ENOTCONN);
	}
	equal(demi_sgafree(&sga), 0);
}

static void waits_check_their_arguments(void)
{
	static const struct timespec bad[] = {
	    {-1, 0}, {0, -1}, {0, 1000000000}, {LONG_MAX, LONG_MAX}};
	demi_qresult_t qr[2];
	demi_qtoken_t qt[2];
	int qd, n;

	begin();
	equal(demi_queue(&qd), 0);
	qt[0] = start_pop(qd);
	qt[1] = qt[0];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		equal(demi_wait(qr, qt[0], &bad[i]), EINVAL);
		equal(demi_wait_any(qr, &n, qt, 1, &bad[i]), EINVAL);
		equal(demi_wait_next_n(qr, 1, &n, &bad[i]), EINVAL);
		equal(demi_wait_all(qr, qt, 1, &bad[i]), EINVAL);
	}
	equal(demi_wait_any(qr, &n, qt, -1, &no_time), EINVAL);
	equal(demi_wait_any(qr, &n, qt, INT_MIN, &no_time), EINVAL);
	equal(demi_wait_next_n(qr, 0, &n, &no_time), EINVAL);
	equal(demi_wait_next_n(qr, -1, &n, &no_time), EINVAL);
	equal(demi_wait_all(qr, qt, -1, &no_time), EINVAL);
	equal(demi_wait_all(qr, qt, 2, &no_time), EINVAL); /* twice the same */
	equal(demi_wait_all(qr, NULL, 0, &no_time), 0);
	for (int i = 0; i < 3; i++) {
		const demi_qtoken_t wild[] = {0, UINT64_MAX, qt[0] ^ UINT64_C(1) << 40};

		equal(demi_wait(qr, wild[i], &no_time), EINVAL);
		equal(demi_wait(qr, wild[i], NULL), EINVAL);
		equal(demi_wait_any(qr, &n, &wild[i], 1, NULL), EINVAL);
		equal(demi_wait_all(qr, &wild[i], 1, NULL), EINVAL);
		equal(demi_cancel(wild[i]), EINVAL);
	}
	/* After all that, the token is as good as before. */
	push_all(qd, "x", 1);
	qr[0] = success(qt[0], DEMI_OPC_POP);
	give_back(&qr[0]);
}

static void nothing_ready_in_time_is_a_timeout(void)
{
	const struct timespec a_while = {.tv_nsec = 20000000};
	const struct timespec *times[] = {&no_time, &a_while};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	uint64_t start;
	int qd, n;

	begin();
	qd = udp_socket();
	qt = start_pop(qd);
	for (int i = 0; i < 2; i++) {
		start = now_ns();
		equal(demi_wait(&qr, qt, times[i]), ETIMEDOUT);
		equal(demi_wait_any(&qr, &n, &qt, 1, times[i]), ETIMEDOUT);
		equal(demi_wait_any(&qr, &n, NULL, 0, times[i]), ETIMEDOUT);
		equal(demi_wait_all(&qr, &qt, 1, times[i]), ETIMEDOUT);
		n = 7;
		equal(demi_wait_next_n(&qr, 1, &n, times[i]), ETIMEDOUT);
		equal(n, 0);
		check(now_ns() - start >= 5 * (uint64_t)times[i]->tv_nsec);
	}
}

static void unknown_options_have_two_errors(void)
{
	struct linger linger = {1, 3}, got = {0};
	int qd, n = 0;
	socklen_t len = sizeof(n);

	begin();
	qd = tcp_socket();
	equal(demi_setsockopt(qd, 4711, SO_LINGER, &linger, sizeof(linger)), ENOTSUP);
	equal(demi_getsockopt(qd, 4711, SO_LINGER, &linger, &len), ENOTSUP);
	equal(demi_setsockopt(qd, -1, 0, &n, sizeof(n)), ENOTSUP);
	equal(demi_setsockopt(qd, SOL_SOCKET, 4711, &n, sizeof(n)), ENOPROTOOPT);
	equal(demi_getsockopt(qd, SOL_SOCKET, 4711, &n, &len), ENOPROTOOPT);
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, 1), EINVAL);
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &n, 1), EINVAL);
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	len = sizeof(got);
	equal(demi_getsockopt(qd, SOL_SOCKET, SO_LINGER, &got, &len), 0);
	equal(len, sizeof(got));
	same(&got, &linger, sizeof(got));
	n = 1;
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &n, sizeof(n)), 0);
	n = 0;
	len = sizeof(n);
	equal(demi_getsockopt(qd, SOL_SOCKET, SO_REUSEPORT, &n, &len), 0);
	check(n != 0);
}

static void bad_segments_are_invalid(void)
{
	demi_sgarray_t sga, bad;
	demi_qtoken_t qt;
	uint8_t *buf;
	int qd;

	begin();
	equal(demi_queue(&qd), 0);
	sga = demi_sgaalloc(100);
	buf = sga.sga_segs[0].sgaseg_buf;
#define refused(change)                                                                            \
	do {                                                                                       \
		bad = sga;                                                                         \
		change;                                                                            \
		equal(demi_push(&qt, qd, &bad), EINVAL);                                           \
	} while (0)
	refused(bad.sga_buf = NULL);
	refused(bad.sga_numsegs = 0);
	refused(bad.sga_numsegs = 2);
	refused(bad.sga_numsegs = UINT32_MAX);
	refused(bad.sga_segs[0].sgaseg_len = 0);
	refused(bad.sga_segs[0].sgaseg_len = 101);
	refused(bad.sga_segs[0].sgaseg_buf = buf + 1);
	refused(bad.sga_segs[0].sgaseg_buf = buf - 1);
	refused(bad.sga_segs[0].sgaseg_len = UINT32_MAX);
	refused(bad.sga_segs[0].sgaseg_len = 1 << 20);
	refused(bad.sga_segs[0].sgaseg_buf = NULL);
	refused(bad.sga_segs[0].sgaseg_buf = buf - 4096);
	refused(bad.sga_segs[0].sgaseg_buf = buf + 65536);
	refused(bad.sga_segs[0].sgaseg_buf = (void *)UINTPTR_MAX);
	refused(bad.sga_segs[0].sgaseg_buf = &bad);
#undef refused
	bad = sga;
	bad.sga_numsegs = 2;
	equal(demi_sgafree(&bad), EINVAL);
	bad.sga_numsegs = 0;
	equal(demi_sgafree(&bad), EINVAL);
	bad = sga;
	bad.sga_buf = NULL;
	equal(demi_sgafree(&bad), EINVAL);
	/* What the segment says does not matter here. */
	sga.sga_segs[0].sgaseg_len = 0;
	sga.sga_segs[0].sgaseg_buf = NULL;
	equal(demi_sgafree(&sga), 0);
	equal(demi_pop_sized(&qt, qd, 0), EINVAL);
}

/* Of each class of sizes. */
static void giving_an_sga_back_twice_is_refused(void)
{
	const size_t bytes[] = {1, 1500, 5000, 65536, 1 << 20};

	begin();
	for (unsigned i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		demi_sgarray_t sga = demi_sgaalloc(bytes[i]), next;

		check(sga.sga_buf != NULL);
		equal(demi_sgafree(&sga), 0);
		equal(demi_sgafree(&sga), EINVAL);
		next = demi_sgaalloc(bytes[i]);
		check(next.sga_buf != NULL);
		equal(demi_sgafree(&next), 0);
	}
}

/* What the push holds is not the program's to give back. */
static void giving_an_sga_back_twice_takes_nothing_from_a_push(void)
{
	static uint8_t back[20000];
	demi_sgarray_t sga, next;
	demi_qtoken_t qt;
	int qd;

	begin();
	equal(demi_queue(&qd), 0);
	sga = demi_sgaalloc(sizeof(back));
	pattern(sga.sga_segs[0].sgaseg_buf, sizeof(back), 7);
	equal(demi_push(&qt, qd, &sga), 0);
	equal(demi_sgafree(&sga), 0);
	equal(demi_sgafree(&sga), EINVAL);
	equal(demi_sgafree(&sga), EINVAL);
	next = demi_sgaalloc(sizeof(back));
	memset(next.sga_segs[0].sgaseg_buf, 0, sizeof(back));
	equal(demi_sgafree(&next), 0);
	success(qt, DEMI_OPC_PUSH);
	sga = success(start_pop(qd), DEMI_OPC_POP).qr_value.sga;
	pattern(back, sizeof(back), 7);
	equal(sga.sga_segs[0].sgaseg_len, sizeof(back));
	same(sga.sga_segs[0].sgaseg_buf, back, sizeof(back));
	equal(demi_sgafree(&sga), 0);
	equal(demi_sgafree(&sga), EINVAL);
}

static void an_sga_that_was_given_back_is_not_pushed(void)
{
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	int qd;

	begin();
	qd = connection();
	push_all(qd, "hello", 5);
	sga = success(start_pop(qd), DEMI_OPC_POP).qr_value.sga;
	equal(demi_sgafree(&sga), 0);
	equal(demi_push(&qt, qd, &sga), EINVAL);
	sga = demi_sgaalloc(100);
	equal(demi_push(&qt, qd, &sga), 0);
	equal(demi_sgafree(&sga), 0);
	equal(demi_push(&qt, qd, &sga), EINVAL);
	success(qt, DEMI_OPC_PUSH);
	equal(demi_push(&qt, qd, &sga), EINVAL);
	equal(demi_close(qd), 0);
}

static void shutting_down_takes_one_of_three_words(void)
{
	int qd;

	begin();
	qd = connection();
	equal(demi_shutdown(qd, 3), EINVAL);
	equal(demi_shutdown(qd, -1), EINVAL);
	equal(demi_shutdown(qd, SHUT_RDWR), 0);
	say(0);
	equal(demi_close(qd), 0);
}

static void a_memory_queue_is_no_socket(void)
{
	struct sockaddr_in sin = at(0, 9);
	socklen_t len = sizeof(sin);
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	int qd;

	begin();
	equal(demi_queue(&qd), 0);
	sga = demi_sgaalloc(1);
	check(demi_bind(qd, SA(&sin)) != 0);
	check(demi_listen(qd, 1) != 0);
	check(demi_accept(&qt, qd) != 0);
	check(demi_connect(&qt, qd, SA(&sin)) != 0);
	check(demi_pushto(&qt, qd, &sga, SA(&sin)) != 0);
	check(demi_getpeername(qd, (struct sockaddr *)&sin, &len) != 0);
	check(demi_getsockname(qd, (struct sockaddr *)&sin, &len) != 0);
	check(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &sin, 8) != 0);
	check(demi_getsockopt(qd, SOL_SOCKET, SO_LINGER, &sin, &len) != 0);
	check(demi_shutdown(qd, SHUT_WR) != 0);
	equal(demi_sgafree(&sga), 0);
}

const struct behaviour misuse_cases[] = {
    ALONE(giving_an_sga_back_twice_is_refused),
    ALONE(giving_an_sga_back_twice_takes_nothing_from_a_push),
    WITH(an_sga_that_was_given_back_is_not_pushed, peer_echoes),
    ALONE(every_call_before_init_is_not_there),
    ALONE(null_pointers_are_invalid),
    ALONE(sockets_of_other_kinds_are_not_supported),
    ALONE(addresses_have_a_known_family_and_the_right_length),
    ALONE(descriptors_that_are_not_open_are_bad),
    WITH(a_connected_socket_is_bound_and_does_not_listen, peer_waits),
    ALONE(datagram_sockets_need_an_address),
    WITH(names_want_room_for_exactly_an_address, peer_waits),
    ALONE(an_address_is_bound_once_and_must_be_local),
    ALONE(a_port_of_any_address_is_taken_on_each),
    ALONE(listening_has_its_conditions),
    ALONE(accepting_needs_a_listener),
    WITH(connecting_is_done_once_and_not_by_a_listener, peer_listens),
    ALONE(an_unconnected_stream_carries_nothing),
    ALONE(waits_check_their_arguments),
    ALONE(nothing_ready_in_time_is_a_timeout),
    ALONE(unknown_options_have_two_errors),
    ALONE(bad_segments_are_invalid),
    WITH(shutting_down_takes_one_of_three_words, peer_waits),
    ALONE(a_memory_queue_is_no_socket),
    {NULL, NULL, NULL, false, false, false},
};
