/* options.c - socket options: the kernel's names and units over every libOS.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <linux/tcp.h> /* the whole of struct tcp_info, which the C library's header cuts short */
#include <netinet/in.h>

enum { STATE_ESTABLISHED = 1 }; /* of tcpi_state */

static int get(int qd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	equal(demi_getsockopt(qd, level, name, &value, &len), 0);
	equal(len, sizeof(value));
	return value;
}

static void set(int qd, int level, int name, int value)
{
	equal(demi_setsockopt(qd, level, name, &value, sizeof(value)), 0);
}

static void set_congestion(int qd, const char *name)
{
	equal(demi_setsockopt(qd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)), 0);
}

static void is_congestion(int qd, const char *name)
{
	char got[16] = "";
	socklen_t len = sizeof(got);

	equal(demi_getsockopt(qd, IPPROTO_TCP, TCP_CONGESTION, got, &len), 0);
	check(len <= sizeof(got) && strncmp(got, name, sizeof(got)) == 0);
}

static const struct {
	int level, name, set, got;
} plain[] = {
    {SOL_SOCKET, SO_KEEPALIVE, 1, 1},       {SOL_SOCKET, SO_KEEPALIVE, 0, 0},
    {SOL_SOCKET, SO_REUSEADDR, 1, 1},       {SOL_SOCKET, SO_REUSEADDR, 0, 0},
    {SOL_SOCKET, SO_REUSEPORT, 1, 1},       {SOL_SOCKET, SO_REUSEPORT, 0, 0},
    {SOL_SOCKET, SO_SNDBUF, 65536, 131072}, /* doubled: socket(7) */
    {SOL_SOCKET, SO_RCVBUF, 65536, 131072}, {IPPROTO_TCP, TCP_NODELAY, 0, 0},
    {IPPROTO_TCP, TCP_NODELAY, 1, 1},       {IPPROTO_TCP, TCP_QUICKACK, 0, 0},
    {IPPROTO_TCP, TCP_QUICKACK, 1, 1},      {IPPROTO_TCP, TCP_KEEPIDLE, 33, 33},           /* s */
    {IPPROTO_TCP, TCP_KEEPINTVL, 7, 7},                                                    /* s */
    {IPPROTO_TCP, TCP_KEEPCNT, 5, 5},       {IPPROTO_TCP, TCP_USER_TIMEOUT, 12345, 12345}, /* ms */
};

enum { PLAIN = sizeof(plain) / sizeof(plain[0]) };

static void options_are_read_back(void)
{
	int qd;

	begin();
	qd = tcp_socket();
	for (unsigned i = 0; i < PLAIN; i++) {
		set(qd, plain[i].level, plain[i].name, plain[i].set);
		equal(get(qd, plain[i].level, plain[i].name), plain[i].got);
	}
	set_congestion(qd, "reno"); /* the one that every kernel has */
	is_congestion(qd, "reno");
	set(qd, IPPROTO_TCP, TCP_MAXSEG, 700);
	equal(get(qd, SOL_SOCKET, SO_ERROR), 0);
	equal(get(qd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	equal(get(qd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	equal(get(qd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	equal(get(qd, SOL_SOCKET, SO_ACCEPTCONN), 0);
	equal(get(tcp_listener(), SOL_SOCKET, SO_ACCEPTCONN), 1);
	equal(get(udp_socket(), SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
}

/* However long, and where the kernel takes more than there is. */
static void values_without_bound_are_taken(void)
{
	static const int times[] = {65536, INT32_MAX};
	int qd;

	begin();
	qd = tcp_socket();
	for (unsigned i = 0; i < 2; i++) {
		struct linger l = {1, times[i]};
		socklen_t len = sizeof(l);

		equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
		equal(demi_getsockopt(qd, SOL_SOCKET, SO_LINGER, &l, &len), 0);
		check(l.l_onoff == 1 && l.l_linger >= 65535);
	}
	set(qd, SOL_SOCKET, SO_RCVBUF, -1);
	check(get(qd, SOL_SOCKET, SO_RCVBUF) >= 200000);
	set(qd, SOL_SOCKET, SO_SNDBUF, -1);
	check(get(qd, SOL_SOCKET, SO_SNDBUF) >= 200000);
	set(qd, SOL_SOCKET, SO_MAX_PACING_RATE, 0);
	equal(get(qd, SOL_SOCKET, SO_MAX_PACING_RATE), 0);
}

static void refused(int qd, int level, int name, int value, int error)
{
	equal(demi_setsockopt(qd, level, name, &value, sizeof(value)), error);
}

static void values_out_of_range_are_invalid(void)
{
	int qd, n = 1;

	begin();
	qd = tcp_socket();
	for (unsigned i = 0; i < PLAIN; i++)
		equal(demi_setsockopt(qd, plain[i].level, plain[i].name, &n, 3), EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPIDLE, 0, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPIDLE, 32768, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPINTVL, 0, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPINTVL, 32768, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPCNT, 0, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_KEEPCNT, 128, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_MAXSEG, 10, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_MAXSEG, -1, EINVAL);
	refused(qd, IPPROTO_TCP, TCP_MAXSEG, 32768, EINVAL);
	equal(demi_setsockopt(qd, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
	refused(qd, IPPROTO_TCP, TCP_INFO, 1, ENOPROTOOPT);
	refused(qd, SOL_SOCKET, SO_ERROR, 1, ENOPROTOOPT);
	refused(qd, SOL_SOCKET, SO_TYPE, 1, ENOPROTOOPT);
	equal(demi_setsockopt(qd, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8), ENOENT);
	refused(udp_socket(), IPPROTO_TCP, TCP_NODELAY, 1, ENOPROTOOPT);
}

/* tcp(7), socket(7): what a listener accepts begins with the listener's options. */
static void an_accepted_connection_has_its_listeners_options(void)
{
	demi_qresult_t qr;
	int listener, qd;

	begin();
	listener = tcp_listener();
	set(listener, IPPROTO_TCP, TCP_NODELAY, 0);
	set(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(listener, IPPROTO_TCP, TCP_KEEPIDLE, 33);
	set(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
	set(listener, SOL_SOCKET, SO_SNDBUF, 65536);
	set_congestion(listener, "reno");
	say(port_of(listener));
	qr = success(start_accept(listener), DEMI_OPC_ACCEPT);
	qd = qr.qr_value.ares.qd;
	equal(get(qd, SOL_SOCKET, SO_KEEPALIVE), 1);
	equal(get(qd, IPPROTO_TCP, TCP_KEEPIDLE), 33);
	equal(get(qd, IPPROTO_TCP, TCP_USER_TIMEOUT), 12345);
	equal(get(qd, SOL_SOCKET, SO_SNDBUF), 131072);
	is_congestion(qd, "reno");
	say(0);
	equal(demi_close(qd), 0);
}

/* Accepts a connection by a listener with an MSS of its own. */
static int small_segments(int mss)
{
	demi_qresult_t qr;
	int listener = tcp_listener();

	set(listener, IPPROTO_TCP, TCP_MAXSEG, mss);
	say(port_of(listener));
	qr = success(start_accept(listener), DEMI_OPC_ACCEPT);
	return qr.qr_value.ares.qd;
}

static void segments_are_no_larger_than_the_program_asks_for(void)
{
	uint8_t data[5000], back[5000];
	int qd, mss;

	begin();
	qd = small_segments(700);
	mss = get(qd, IPPROTO_TCP, TCP_MAXSEG);
	check(mss <= 700 && mss >= 700 - 40); /* options have room in it */
	pattern(data, sizeof(data), 1);
	push_all(qd, data, sizeof(data));
	pop_all(qd, back, sizeof(back));
	same(data, back, sizeof(data));
	equal(demi_close(qd), 0);
}

static struct tcp_info info_of(int qd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	equal(demi_getsockopt(qd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	check(len > offsetof(struct tcp_info, tcpi_bytes_received));
	return info;
}

static void tcp_info_tells_of_a_connection(void)
{
	uint8_t data[5000], back[5000];
	struct tcp_info info;
	int qd;

	begin();
	qd = connection();
	pattern(data, sizeof(data), 1);
	push_all(qd, data, sizeof(data));
	pop_all(qd, back, sizeof(back));
	info = info_of(qd);
	equal(info.tcpi_state, STATE_ESTABLISHED);
	check(info.tcpi_options & TCPI_OPT_SACK);
	check(info.tcpi_snd_mss >= 500 && info.tcpi_snd_mss <= 65535);
	check(info.tcpi_rto >= 1000 && info.tcpi_rto <= 120000000); /* us */
	check(info.tcpi_rtt < 60000000);
	check(info.tcpi_snd_cwnd >= 1);
	check(info.tcpi_bytes_acked >= 1 && info.tcpi_bytes_acked <= sizeof(data) + 1);
	equal(info.tcpi_bytes_received, sizeof(data));
	equal(demi_close(qd), 0);
}

/* Less room than an answer needs: it is cut short, and says so. */
static void a_short_buffer_gets_a_short_answer(void)
{
	struct tcp_info info;
	uint8_t bytes[16];
	socklen_t len = 8;
	int qd;

	begin();
	qd = tcp_socket();
	memset(&info, 0xee, sizeof(info));
	equal(demi_getsockopt(qd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	equal(len, 8);
	check(((uint8_t *)&info)[8] == 0xee);
	memset(bytes, 0xee, sizeof(bytes));
	len = 2;
	equal(demi_getsockopt(qd, SOL_SOCKET, SO_TYPE, bytes, &len), 0);
	equal(len, 2);
	check(bytes[2] == 0xee);
}

/* socket(7): SO_ERROR is told once. What comes fails all the same. */
static void an_error_is_told_once(void)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	uint64_t start = now_ns();
	demi_qresult_t qr;
	int qd, n, error = 0;

	begin();
	qd = connection();
	say(0);
	hear();
	while (error == 0 && now_ns() - start < HEAR_SECONDS * UINT64_C(1000000000)) {
		demi_wait_any(&qr, &n, NULL, 0, &moment);
		error = get(qd, SOL_SOCKET, SO_ERROR);
	}
	equal(error, ECONNRESET);
	equal(get(qd, SOL_SOCKET, SO_ERROR), 0);
	failure(start_pop(qd), ECONNRESET);
	equal(demi_close(qd), 0);
}

const struct behaviour option_cases[] = {
    ALONE(options_are_read_back),
    ALONE(values_without_bound_are_taken),
    ALONE(values_out_of_range_are_invalid),
    WITH(an_accepted_connection_has_its_listeners_options, peer_waits),
    WITH(segments_are_no_larger_than_the_program_asks_for, peer_echoes),
    WITH(tcp_info_tells_of_a_connection, peer_echoes),
    ALONE(a_short_buffer_gets_a_short_answer),
    WITH(an_error_is_told_once, peer_resets),
    {NULL, NULL, NULL, false, false, false},
};
