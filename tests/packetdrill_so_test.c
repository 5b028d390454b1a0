/* libdemi_packetdrill.so, loaded and called as packetdrill does it: one thread plays the network
 * and moves time, a second one makes the calls that block. The first argument is the shared object.
 *
 * SPDX-License-Identifier: MIT
 */
#include "packetdrill.h"
#include "pkt_packet.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOCAL  0xc0a80001u
#define REMOTE 0xc0000201u

enum { PORT = 8080, PEER_PORT = 40001 };

static const char *path;
static struct packetdrill_interface ifc;
static void *library;

static int setup(void **state)
{
	void (*init)(const char *, struct packetdrill_interface *);
	void *symbol;

	(void)state;
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL)
		return -1;
	symbol = dlsym(library, "packetdrill_interface_init");
	memcpy(&init, &symbol, sizeof(init));
	init("mtu=1500", &ifc);
	return ifc.userdata == NULL;
}

static int teardown(void **state)
{
	(void)state;
	ifc.free(ifc.userdata);
	dlclose(library);
	return 0;
}

static long long now_us(void)
{
	struct timeval tv;

	assert_int_equal(ifc.gettimeofday(ifc.userdata, &tv, NULL), 0);
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static void inject(struct pkt_packet p)
{
	static uint8_t wire[PKT_IP_MAX_BYTES], data[2000];
	struct pkt_addresses a = {REMOTE, LOCAL};
	int len;

	memset(data, 'x', sizeof(data));
	p.src_port = PEER_PORT;
	p.dst_port = PORT;
	len = pkt_build(&p, &a, data, wire);
	assert_true(len > 0);
	assert_int_equal(ifc.netdev_send(ifc.userdata, wire, (size_t)len), 0);
}

/* The next packet of the stack, and when it was sent. */
static struct pkt_packet sniff(long long *time_us)
{
	static uint8_t wire[PKT_IP_MAX_BYTES];
	size_t n = sizeof(wire);
	struct pkt_addresses a;
	struct pkt_packet p;
	const uint8_t *payload;
	const char *why;

	assert_int_equal(ifc.netdev_receive(ifc.userdata, wire, &n, time_us), 0);
	assert_true(n > 0);
	assert_int_equal(pkt_read(&p, &a, &payload, wire, (uint32_t)n, &why), 0);
	assert_int_equal(a.src, LOCAL);
	assert_int_equal(a.dst, REMOTE);
	return p;
}

static struct sockaddr_in address(uint32_t ip, uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(ip)}};
}

static int bound(int type)
{
	struct sockaddr_in a = address(LOCAL, PORT);
	int fd = ifc.socket(ifc.userdata, AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(ifc.bind(ifc.userdata, fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The thread of the calls that block. */
struct blocked {
	pthread_t thread;
	pid_t tid;
	int fd;
	ssize_t (*call)(int fd);
	ssize_t result;
	long long end_us;
};

static void *blocked_main(void *arg)
{
	struct blocked *b = arg;

	__atomic_store_n(&b->tid, gettid(), __ATOMIC_RELEASE);
	b->result = b->call(b->fd);
	b->end_us = now_us();
	return NULL;
}

/* As packetdrill knows it: by the state in /proc. */
static bool sleeps(pid_t tid)
{
	char name[64], state = '?';
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
	f = fopen(name, "r");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = '?';
	fclose(f);
	return state == 'S';
}

static void await_sleep(const struct blocked *b)
{
	while (__atomic_load_n(&b->tid, __ATOMIC_ACQUIRE) == 0 || !sleeps(b->tid))
		sched_yield();
}

static void start_blocked(struct blocked *b, int fd, ssize_t (*call)(int fd))
{
	b->tid = 0;
	b->fd = fd;
	b->call = call;
	assert_int_equal(pthread_create(&b->thread, NULL, blocked_main, b), 0);
	await_sleep(b);
}

static ssize_t end_blocked(struct blocked *b)
{
	assert_int_equal(pthread_join(b->thread, NULL), 0);
	return b->result;
}

static ssize_t read_100(int fd)
{
	char bytes[100];

	return ifc.read(ifc.userdata, fd, bytes, sizeof(bytes));
}

static void each_look_at_the_clock_moves_it(void **state)
{
	long long a = now_us(), b = now_us();

	(void)state;
	assert_true(b > a && b <= a + 10);
	assert_int_equal(ifc.usleep(ifc.userdata, 1000000), 0);
	assert_in_range(now_us(), b + 1000000, b + 1000010);
}

static void a_descriptor_is_the_kernels(void **state)
{
	int fd = ifc.socket(ifc.userdata, AF_INET, SOCK_DGRAM, 0);

	(void)state;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(ifc.close(ifc.userdata, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(ifc.close(ifc.userdata, fd), -1);
	assert_int_equal(errno, EBADF);
}

static void a_blocking_read_sleeps_until_a_datagram_comes(void **state)
{
	struct blocked b;
	int fd = bound(SOCK_DGRAM);
	long long sent_us;

	(void)state;
	start_blocked(&b, fd, read_100);
	ifc.usleep(ifc.userdata, 50000);
	sent_us = now_us();
	inject((struct pkt_packet){.protocol = IPPROTO_UDP, .payload = 7});
	assert_int_equal(end_blocked(&b), 7);
	assert_in_range(b.end_us, sent_us, sent_us + 10);
	ifc.close(ifc.userdata, fd);
}

static void a_call_that_may_not_block_gives_eagain(void **state)
{
	int fd = bound(SOCK_DGRAM);
	char byte;

	(void)state;
	assert_int_equal(ifc.recv(ifc.userdata, fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ifc.fcntl(ifc.userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	assert_int_equal(ifc.fcntl(ifc.userdata, fd, F_GETFL), O_RDWR | O_NONBLOCK);
	assert_int_equal(ifc.read(ifc.userdata, fd, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	ifc.close(ifc.userdata, fd);
}

static void datagrams_go_both_ways_in_pieces(void **state)
{
	struct sockaddr_in to = address(REMOTE, PEER_PORT), from;
	char a[3] = {0}, b[10] = {0};
	struct iovec iov[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
	struct msghdr msg = {
	    .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = iov, .msg_iovlen = 2};
	struct pkt_packet p;
	long long us;
	int fd = bound(SOCK_DGRAM);

	(void)state;
	inject((struct pkt_packet){.protocol = IPPROTO_UDP, .payload = 8});
	assert_int_equal(ifc.recvmsg(ifc.userdata, fd, &msg, 0), 8);
	assert_int_equal(ntohs(from.sin_port), PEER_PORT);
	msg.msg_name = &to;
	assert_int_equal(ifc.sendmsg(ifc.userdata, fd, &msg, 0), 13);
	p = sniff(&us);
	assert_int_equal(p.payload, 13);
	assert_int_equal(p.dst_port, PEER_PORT);
	assert_in_range(us, now_us() - 20, now_us());
	ifc.close(ifc.userdata, fd);
}

static ssize_t accept_any(int fd)
{
	return ifc.accept(ifc.userdata, fd, NULL, NULL);
}

static ssize_t write_2_mb(int fd)
{
	static char bytes[2 << 20];

	return ifc.write(ifc.userdata, fd, bytes, sizeof(bytes));
}

static struct pkt_packet tcp(uint8_t flags, uint32_t seq, uint32_t ack)
{
	return (struct pkt_packet){
	    .protocol = IPPROTO_TCP, .flags = flags, .seq = seq, .ack = ack, .win = 65535};
}

/* A connection from the peer, to a listening socket; *iss is the stack's first number. */
static int accepted(int listener, uint32_t *iss)
{
	struct blocked b;
	struct pkt_packet p;
	long long us;

	start_blocked(&b, listener, accept_any);
	inject(tcp(PKT_SYN, 1000, 0));
	p = sniff(&us);
	assert_int_equal(p.flags, PKT_SYN | PKT_ACK);
	assert_int_equal(p.ack, 1001);
	*iss = p.seq;
	ifc.usleep(ifc.userdata, 1000);
	await_sleep(&b); /* half-open is not enough */
	inject(tcp(PKT_ACK, 1001, *iss + 1));
	return (int)end_blocked(&b);
}

static void a_blocking_accept_waits_for_the_handshake(void **state)
{
	int fd = bound(SOCK_STREAM), c;
	struct pkt_packet p;
	uint32_t iss;
	long long us;

	(void)state;
	assert_int_equal(ifc.listen(ifc.userdata, fd, 1), 0);
	c = accepted(fd, &iss);
	assert_true(c >= 0 && c != fd);
	assert_int_equal(ifc.close(ifc.userdata, c), 0);
	p = sniff(&us);
	assert_int_equal(p.flags, PKT_FIN | PKT_ACK);
	ifc.close(ifc.userdata, fd);
}

static void a_blocking_write_returns_when_all_is_taken(void **state)
{
	int fd = bound(SOCK_STREAM), c;
	struct pkt_packet p;
	struct blocked b;
	uint32_t iss, end;
	long long us;

	(void)state;
	assert_int_equal(ifc.listen(ifc.userdata, fd, 1), 0);
	c = accepted(fd, &iss);
	start_blocked(&b, c, write_2_mb);
	end = iss + 1;
	while (end != iss + 1 + (2 << 20)) { /* the network takes all, and acknowledges it */
		p = sniff(&us);
		assert_int_equal(p.seq, end);
		end += p.payload;
		inject(tcp(PKT_ACK, 1001, end));
	}
	assert_int_equal(end_blocked(&b), 2 << 20);
	ifc.close(ifc.userdata, c);
	ifc.close(ifc.userdata, fd);
}

static void poll_sees_a_datagram_that_waits(void **state)
{
	struct pollfd p = {.events = POLLIN};
	long long start;

	(void)state;
	p.fd = bound(SOCK_DGRAM);
	assert_int_equal(ifc.poll(ifc.userdata, &p, 1, 0), 0);
	inject((struct pkt_packet){.protocol = IPPROTO_UDP, .payload = 8});
	start = now_us();
	assert_int_equal(ifc.poll(ifc.userdata, &p, 1, 1000), 1);
	assert_int_equal(p.revents, POLLIN);
	assert_in_range(now_us(), start, start + 10);
	ifc.close(ifc.userdata, p.fd);
}

static void no_packet_is_told_after_a_bounded_time(void **state)
{
	uint8_t wire[100];
	size_t n = sizeof(wire);
	long long us;

	(void)state;
	assert_int_equal(ifc.netdev_receive(ifc.userdata, wire, &n, &us), 0);
	assert_int_equal(n, 0);
}

static void flags_that_make_no_sense_give_a_table_that_fails(void **state)
{
	void (*init)(const char *, struct packetdrill_interface *);
	void *symbol = dlsym(library, "packetdrill_interface_init");
	struct packetdrill_interface bad;

	(void)state;
	memcpy(&init, &symbol, sizeof(init));
	init("mtu=banana", &bad);
	assert_null(bad.userdata);
	assert_int_equal(bad.socket(bad.userdata, AF_INET, SOCK_DGRAM, 0), -1);
	assert_int_equal(bad.close(bad.userdata, 3), -1);
	bad.free(bad.userdata);
}

static void what_is_not_here_is_enosys(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(ifc.pipe(ifc.userdata, fds), -1);
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(ifc.epoll_create(ifc.userdata, 1), -1);
	assert_int_equal(errno, ENOSYS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(each_look_at_the_clock_moves_it),
	    T(a_descriptor_is_the_kernels),
	    T(a_blocking_read_sleeps_until_a_datagram_comes),
	    T(a_call_that_may_not_block_gives_eagain),
	    T(datagrams_go_both_ways_in_pieces),
	    T(a_blocking_accept_waits_for_the_handshake),
	    T(a_blocking_write_returns_when_all_is_taken),
	    T(poll_sees_a_datagram_that_waits),
	    T(no_packet_is_told_after_a_bounded_time),
	    T(flags_that_make_no_sense_give_a_table_that_fails),
	    T(what_is_not_here_is_enosys),
	};

	if (argc < 2)
		return 2;
	path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
