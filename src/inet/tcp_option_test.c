/* What socket options tell of a connection, between two stacks in virtual time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pair_test.h"
#include <errno.h>
#include <linux/tcp.h> /* netinet/tcp.h names states as we do */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

/* The kernel's numbers of states. */
enum { ESTABLISHED = 1, FIN_WAIT_2 = 5, CLOSE = 7, CLOSE_WAIT = 8, LISTEN = 10 };

static struct tcp_info info_of(struct sock *k)
{
	struct tcp_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0xee, sizeof(info));
	assert_int_equal(stack_getsockopt(k, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof(info));
	return info;
}

static bool lose_all(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len)
{
	(void)p;
	(void)from;
	(void)l4;
	(void)l4_len;
	return true;
}

static void info_tells_states_by_the_kernels_numbers(void **state)
{
	struct pair *p = *state;
	struct sock *k;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(info_of(k).tcpi_state, CLOSE);
	stack_close(k, p->now_ns);
	pair_connect(p);
	assert_int_equal(info_of(p->side[1].listener).tcpi_state, LISTEN);
	assert_int_equal(info_of(p->side[0].sock).tcpi_state, ESTABLISHED);
	assert_int_equal(stack_shutdown(p->side[0].sock, SHUT_WR, p->now_ns), 0);
	pair_run(p);
	assert_int_equal(info_of(p->side[0].sock).tcpi_state, FIN_WAIT_2);
	assert_int_equal(info_of(p->side[1].sock).tcpi_state, CLOSE_WAIT);
}

static void info_tells_what_was_agreed_on_and_measured(void **state)
{
	struct pair *p = *state;
	struct tcp_info info;

	p->delay_ns = MS;
	pair_connect(p);
	p->delay_ns = 5 * MS;
	pair_transfer(p, 0, 1000000);
	pair_pass_ms(p, 100);
	info = info_of(p->side[0].sock);
	assert_int_equal(info.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_int_equal(info.tcpi_snd_mss, 1448);
	assert_int_equal(info.tcpi_advmss, 1460);
	assert_int_equal(info.tcpi_pmtu, 1500);
	assert_in_range(info.tcpi_rtt, 5000, 10500);
	assert_in_range(info.tcpi_min_rtt, 1950, 2100); /* of the handshake */
	assert_true(info.tcpi_pacing_rate > 1000000);   /* its own, from the window */
	assert_true(info.tcpi_max_pacing_rate == UINT64_MAX);
	assert_int_equal(stack_setsockopt(p->side[0].sock, SOL_SOCKET, SO_MAX_PACING_RATE,
					  &(uint32_t){70000}, 4),
			 0);
	assert_int_equal(info_of(p->side[0].sock).tcpi_pacing_rate, 70000);
	assert_int_equal(info_of(p->side[0].sock).tcpi_max_pacing_rate, 70000);
	assert_in_range(info.tcpi_rto, 200000, 250000);
	assert_true(info.tcpi_snd_cwnd > 10);
	assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
	assert_int_equal(info.tcpi_bytes_acked, 1000000);
	assert_int_equal(info.tcpi_total_retrans, 0);
	assert_int_equal(info_of(p->side[1].sock).tcpi_bytes_received, 1000000);
}

static void info_tells_what_is_outstanding_and_lost(void **state)
{
	struct pair *p = *state;
	struct tcp_info info;

	pair_connect(p);
	pair_cb(p, 0)->sack = false; /* or a probe would go first */
	p->lose = lose_all;
	for (uint64_t sent = 0; sent < 20000; sent += 4000)
		assert_int_equal(pair_send(p, 0, sent, 4000), 4000);
	pair_run(p);
	info = info_of(p->side[0].sock);
	assert_int_equal(info.tcpi_unacked, 10);
	assert_int_equal(info.tcpi_notsent_bytes, 20000 - 14480);
	assert_int_equal(info.tcpi_ca_state, TCP_CA_Open);
	pair_pass_ms(p, 250);
	info = info_of(p->side[0].sock);
	assert_int_equal(info.tcpi_ca_state, TCP_CA_Loss);
	assert_int_equal(info.tcpi_retransmits, 1);
	assert_int_equal(info.tcpi_total_retrans, 1);
	assert_int_equal(info.tcpi_lost, 9);
	assert_int_equal(info.tcpi_snd_cwnd, 1);
	assert_int_equal(info.tcpi_snd_ssthresh, 7);
}

/* As the kernel: the connections that wait, and how many may. */
static void info_of_a_listener_tells_of_its_backlog(void **state)
{
	struct pair *p = *state;
	struct tcp_info info;

	pair_connect(p);
	tcp_cb_of(p->side[1].listener)->accept_count = 3;
	info = info_of(p->side[1].listener);
	tcp_cb_of(p->side[1].listener)->accept_count = 0;
	assert_int_equal(info.tcpi_unacked, 3);
	assert_int_equal(info.tcpi_sacked, 8);
}

/* Through all of a window and more: nothing of the count wraps or is missed. */
static void bytes_received_are_counted_however_they_come(void **state)
{
	struct pair *p = *state;

	pair_connect(p);
	assert_int_equal(info_of(p->side[0].sock).tcpi_bytes_received, 0);
	for (uint64_t n = 1; n < 5000000; n *= 7) {
		pair_transfer(p, 0, n);
		pair_transfer(p, 1, n);
	}
	pair_pass_ms(p, 10);
	assert_int_equal(info_of(p->side[0].sock).tcpi_bytes_received,
			 info_of(p->side[1].sock).tcpi_bytes_acked);
	assert_int_equal(info_of(p->side[1].sock).tcpi_bytes_received,
			 info_of(p->side[0].sock).tcpi_bytes_acked);
	assert_int_equal(stack_shutdown(p->side[0].sock, SHUT_WR, p->now_ns), 0);
	pair_run(p);
	assert_int_equal(info_of(p->side[1].sock).tcpi_bytes_received,
			 info_of(p->side[0].sock).tcpi_bytes_acked);
}

static int get(struct sock *k, int level, int name)
{
	int v = -1;
	uint32_t len = sizeof(v);

	assert_int_equal(stack_getsockopt(k, level, name, &v, &len), 0);
	return v;
}

static void the_mss_is_told_as_it_was_set_until_it_is_agreed_on(void **state)
{
	struct pair *p = *state;
	struct sock *k;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	assert_int_equal(get(k, IPPROTO_TCP, TCP_MAXSEG), 536);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_MAXSEG, &(int){700}, 4), 0);
	assert_int_equal(get(k, IPPROTO_TCP, TCP_MAXSEG), 700);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_MAXSEG, &(int){0}, 4), 0);
	assert_int_equal(get(k, IPPROTO_TCP, TCP_MAXSEG), 536);
	stack_close(k, p->now_ns);
	pair_connect(p);
	assert_int_equal(get(p->side[0].sock, IPPROTO_TCP, TCP_MAXSEG), 1448);
}

static void a_linger_time_of_any_length_is_taken(void **state)
{
	static const int times[][2] = {
	    {0, 0}, {65535, 65535}, {65536, 65535}, {INT32_MAX, 65535}, {-1, 65535}};
	struct pair *p = *state;
	struct sock *k;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct linger l = {1, times[i][0]};
		uint32_t len = sizeof(l);

		assert_int_equal(stack_setsockopt(k, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
		assert_int_equal(stack_getsockopt(k, SOL_SOCKET, SO_LINGER, &l, &len), 0);
		assert_int_equal(l.l_onoff, 1);
		assert_int_equal(l.l_linger, times[i][1]);
	}
	stack_close(k, p->now_ns);
}

static void values_at_the_edges_are_taken_or_refused_as_by_the_kernel(void **state)
{
	static const int buffers[] = {SO_SNDBUF, SO_RCVBUF};
	struct pair *p = *state;
	struct sock *k;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &k), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(stack_setsockopt(k, SOL_SOCKET, buffers[i], &(int){-1}, 4), 0);
		assert_int_equal(get(k, SOL_SOCKET, buffers[i]), 2 * TCP_BUFFER_MAX_BYTES);
		assert_int_equal(stack_setsockopt(k, SOL_SOCKET, buffers[i], &(int){0}, 4), 0);
		assert_int_equal(get(k, SOL_SOCKET, buffers[i]), 2 * TCP_BUFFER_MIN_BYTES);
		assert_int_equal(stack_setsockopt(k, SOL_SOCKET, buffers[i], &(int){INT32_MAX}, 4),
				 0);
		assert_int_equal(get(k, SOL_SOCKET, buffers[i]), 2 * TCP_BUFFER_MAX_BYTES);
	}
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_MAXSEG, &(int){32767}, 4), 0);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_MAXSEG, &(int){32768}, 4), -EINVAL);
	assert_int_equal(get(k, IPPROTO_TCP, TCP_MAXSEG), 32767);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "", 0), -EINVAL);
	assert_int_equal(stack_setsockopt(k, IPPROTO_TCP, TCP_CONGESTION, "", 1), -ENOENT);
	stack_close(k, p->now_ns);
}

/* A socket that takes the place of another, of the same program. */
static void options_go_over_to_another_socket(void **state)
{
	static const struct {
		int level, name, value, got;
	} all[] = {
	    {SOL_SOCKET, SO_KEEPALIVE, 1, 1},       {SOL_SOCKET, SO_REUSEADDR, 1, 1},
	    {SOL_SOCKET, SO_REUSEPORT, 1, 1},       {SOL_SOCKET, SO_SNDBUF, 50000, 100000},
	    {SOL_SOCKET, SO_RCVBUF, 60000, 120000}, {IPPROTO_TCP, TCP_NODELAY, 0, 0},
	    {IPPROTO_TCP, TCP_QUICKACK, 1, 1},      {IPPROTO_TCP, TCP_MAXSEG, 700, 700},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 33, 33},    {IPPROTO_TCP, TCP_KEEPINTVL, 7, 7},
	    {IPPROTO_TCP, TCP_KEEPCNT, 5, 5},       {IPPROTO_TCP, TCP_USER_TIMEOUT, 12345, 12345},
	};
	struct pair *p = *state;
	struct sock *from, *to;

	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &from), 0);
	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &to), 0);
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(
		    stack_setsockopt(from, all[i].level, all[i].name, &all[i].value, 4), 0);
	assert_int_equal(stack_setsockopt(from, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	stack_copy_options(to, from);
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(get(to, all[i].level, all[i].name), all[i].got);
	assert_ptr_equal(tcp_cb_of(to)->cc, &tcp_newreno);
	stack_close(from, p->now_ns);
	stack_close(to, p->now_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    pair_test(info_tells_states_by_the_kernels_numbers),
	    pair_test(info_tells_what_was_agreed_on_and_measured),
	    pair_test(info_tells_what_is_outstanding_and_lost),
	    pair_test(info_of_a_listener_tells_of_its_backlog),
	    pair_test(bytes_received_are_counted_however_they_come),
	    pair_test(the_mss_is_told_as_it_was_set_until_it_is_agreed_on),
	    pair_test(a_linger_time_of_any_length_is_taken),
	    pair_test(values_at_the_edges_are_taken_or_refused_as_by_the_kernel),
	    pair_test(options_go_over_to_another_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
