/* stack_bench.c - two stacks in one process and one thread, joined by link/pair: what they cost
 * when no device and no kernel is in the way. Checksums are made and checked by the stacks.
 *
 *     stack_bench echo [ROUNDS [BYTES]]       TCP round trips of BYTES (64); ns a round trip
 *     stack_bench datagrams [ROUNDS [BYTES]]  the same by UDP
 *     stack_bench bulk [MEGABYTES]            a stream of large sends; Gbit/s of payload
 *     stack_bench connect [CONNECTIONS]       open, one message, close; ns a connection
 *
 * Each prints the median of many samples, and the best: what it is when nobody else uses the
 * processor. Time is virtual, as in the tests: it goes on by a microsecond a turn, so that the
 * stacks' timers run as they would. For instruction counts, run under callgrind with two numbers of
 * rounds and take the difference.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "inet/stack.h"
#include "link/pair.h"
#include "mem/heap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFERS = 8192, ROOM = 2048, MTU = 1500, PORT = 7, TURN_NS = 1000, SAMPLES = 99 };
enum { BULK_SEND_BYTES = 256 * 1024, REGION_BYTES = 64 << 20 };

struct side {
	struct stack *stack;
	struct link *link;
	struct sock *sock;
	struct frame frames[LINK_BURST];
	uint64_t deadline_ns;
};

static struct side sides[2];
static struct pool *pool;
static struct heap *heap;
static struct sock *listener;
static uint64_t now_ns = 1000000000;
static uint64_t round_trips, received_bytes;
static uint32_t message_bytes = 64;
static void (*on_read)(struct side *s, uint64_t now);

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "stack_bench: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void make_stack(int i)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	struct stack_config cfg;
	struct ip_addr other = ip4(0x0a000002u - (uint32_t)i);

	stack_config_init(&cfg);
	memcpy(cfg.mac, mac[i], sizeof(cfg.mac));
	cfg.addr = ip4(0x0a000001u + (uint32_t)i);
	cfg.mtu = MTU;
	cfg.max_frags = sides[i].link->info.max_frags;
	cfg.pool = pool;
	cfg.key[0] = (uint64_t)i + 1;
	cfg.time_wait_ms = 0;
	check(stack_create(&sides[i].stack, &cfg, now_ns), "stack_create");
	check(stack_add_neighbour(sides[i].stack, &other, mac[1 - i]), "stack_add_neighbour");
}

static void make_everything(void)
{
	struct pair_config cfg = {
	    .mtu = MTU, .max_frags = FRAME_FRAGS, .ring_frames = 4096, .tso_max_bytes = 0};
	struct link *ends[2];

	check(pool_create(&pool, BUFFERS, ROOM, BUF_HEADROOM_BYTES, NULL), "pool_create");
	check(heap_create(&heap, 64, REGION_BYTES), "heap_create");
	cfg.pool[0] = cfg.pool[1] = pool;
	check(pair_create(ends, &cfg), "pair_create");
	for (int i = 0; i < 2; i++) {
		sides[i].link = ends[i];
		make_stack(i);
	}
}

static const uint8_t message[ROOM];

static void send_message(struct side *s, uint64_t now)
{
	bool zero_copy;

	check((int)stack_send(s->sock, NULL, message, message_bytes, &zero_copy, now),
	      "stack_send");
}

/* One message has come: the server sends it back, the client sends the next. */
static void echo_message(struct side *s, uint64_t now)
{
	struct stack_received got;
	bool zero_copy;

	if (stack_recv(s->sock, message_bytes, &got, now) != 1 || got.len != message_bytes)
		check(-EBADMSG, "stack_recv");
	if (s == &sides[1]) {
		check((int)stack_send(s->sock, got.buf, got.data, got.len, &zero_copy, now),
		      "stack_send");
	} else {
		round_trips++;
		send_message(s, now);
	}
	buf_unref(got.buf);
}

static void send_datagram(struct side *s, uint64_t now)
{
	check(stack_sendto(s->sock, NULL, message, message_bytes, NULL, now), "stack_sendto");
}

static void echo_datagram(struct side *s, uint64_t now)
{
	struct stack_received got;

	if (stack_recv(s->sock, message_bytes, &got, now) != 1 || got.len != message_bytes)
		check(-EBADMSG, "stack_recv");
	if (s == &sides[1]) {
		check(stack_sendto(s->sock, got.buf, got.data, got.len, &got.from, now),
		      "stack_sendto");
	} else {
		round_trips++;
		send_datagram(s, now);
	}
	buf_unref(got.buf);
}

static void count_bytes(struct side *s, uint64_t now)
{
	struct stack_received got;

	while (stack_recv(s->sock, UINT32_MAX, &got, now) == 1) {
		received_bytes += got.len;
		buf_unref(got.buf);
	}
}

static void act(struct side *s, uint64_t now)
{
	struct stack_event ev[LINK_BURST];
	int n = stack_events(s->stack, ev, LINK_BURST); /* there are fewer sockets */

	for (int i = 0; i < n; i++) {
		if (ev[i].bits & STACK_EV_ACCEPT)
			check(stack_accept(listener, NULL, &s->sock), "stack_accept");
		if (ev[i].bits & STACK_EV_READ)
			on_read(s, now);
	}
}

/* One turn of one side's driver, which receives and sends a burst at most, in turns: what is under
 * way stays in the nearest caches. */
static void turn(struct side *s, uint64_t now)
{
	struct buf *bufs[LINK_BURST];
	int n = s->link->ops->rx(s->link, bufs, LINK_BURST, now);

	if (n > 0)
		stack_input(s->stack, bufs, n, now);
	if (now >= s->deadline_ns)
		stack_tick(s->stack, now);
	act(s, now);
	n = stack_output(s->stack, s->frames, LINK_BURST, now);
	if (n > 0 && s->link->ops->tx(s->link, s->frames, n, now) != n)
		check(-ENOBUFS, "tx");
	s->deadline_ns = stack_next_deadline(s->stack);
}

/* Both sides have their turn, and time goes on. */
static void turns(void)
{
	for (int i = 0; i < 2; i++)
		turn(&sides[i], now_ns);
	now_ns += TURN_NS;
}

static void open_listener(void)
{
	struct endpoint local = {ip4(0), PORT};

	check(stack_open(sides[1].stack, SOCK_STREAM, NULL, &listener), "stack_open");
	check(stack_bind(listener, &local, false), "stack_bind");
	check(stack_listen(listener, 128), "stack_listen");
}

static void open_connection(void)
{
	struct endpoint peer = {ip4(0x0a000002), PORT};

	sides[1].sock = NULL;
	check(stack_open(sides[0].stack, SOCK_STREAM, NULL, &sides[0].sock), "stack_open");
	if (stack_connect(sides[0].sock, &peer, now_ns) != -EINPROGRESS)
		check(-EIO, "stack_connect");
	while (sides[1].sock == NULL)
		turns();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort(double *x)
{
	qsort(x, SAMPLES, sizeof(*x), compare);
}

/* Two sockets, of which the client's is connected. */
static void open_datagrams(void)
{
	struct endpoint local = {ip4(0), PORT}, peer = {ip4(0x0a000002), PORT};

	for (int i = 0; i < 2; i++)
		check(stack_open(sides[i].stack, SOCK_DGRAM, NULL, &sides[i].sock), "stack_open");
	check(stack_bind(sides[1].sock, &local, false), "stack_bind");
	check(stack_connect(sides[0].sock, &peer, now_ns), "stack_connect");
}

/* The first message is under way. */
static void count_round_trips(const char *name, uint64_t rounds)
{
	double ns[SAMPLES];

	for (int k = 0; k < SAMPLES; k++) {
		uint64_t end = round_trips + rounds / SAMPLES, start = clock_now_ns(),
			 from = round_trips;

		while (round_trips < end)
			turns();
		ns[k] = (double)(clock_now_ns() - start) / (double)(round_trips - from);
	}
	sort(ns);
	printf("%s of %u bytes, ns a round trip: median=%.1f best=%.1f\n", name, message_bytes,
	       ns[SAMPLES / 2], ns[0]);
}

static void echo(uint64_t rounds)
{
	on_read = echo_message;
	open_connection();
	send_message(&sides[0], now_ns);
	count_round_trips("echo", rounds);
}

static void datagrams(uint64_t rounds)
{
	on_read = echo_datagram;
	open_datagrams();
	send_datagram(&sides[0], now_ns);
	count_round_trips("datagrams", rounds);
}

/* Keeps the send buffer full. */
static void feed(struct buf *b, uint64_t *left)
{
	while (*left > 0) {
		uint32_t len = *left < BULK_SEND_BYTES ? (uint32_t)*left : BULK_SEND_BYTES;
		bool zero_copy;
		int64_t n = stack_send(sides[0].sock, b, b->data, len, &zero_copy, now_ns);

		if (n == -EAGAIN)
			return;
		check((int)n, "stack_send");
		*left -= (uint64_t)n;
	}
}

static void bulk(uint64_t megabytes)
{
	struct buf *b = heap_alloc(heap, BULK_SEND_BYTES);
	double gbit[SAMPLES];

	if (b == NULL)
		check(-ENOMEM, "heap_alloc");
	memset(b->data, 7, BULK_SEND_BYTES);
	on_read = count_bytes;
	open_connection();
	for (int k = 0; k < SAMPLES; k++) {
		uint64_t bytes = megabytes * 1000000 / SAMPLES, left = bytes;
		uint64_t end = received_bytes + bytes, start = clock_now_ns();

		while (received_bytes < end) {
			feed(b, &left);
			turns();
		}
		gbit[k] = (double)bytes * 8 / (double)(clock_now_ns() - start);
	}
	buf_unref(b);
	sort(gbit);
	printf("bulk in %u-byte frames, Gbit/s of payload: median=%.1f best=%.1f\n", MTU,
	       gbit[SAMPLES / 2], gbit[SAMPLES - 1]);
}

static void connects(uint64_t count)
{
	double ns[SAMPLES];

	on_read = count_bytes;
	for (int k = 0; k < SAMPLES; k++) {
		uint64_t start = clock_now_ns();

		for (uint64_t i = 0; i < count / SAMPLES; i++) {
			open_connection();
			send_message(&sides[0], now_ns);
			turns();
			stack_close(sides[0].sock, now_ns);
			stack_close(sides[1].sock, now_ns);
			for (int n = 0; n < 4; n++)
				turns();
			now_ns += 1000000;
		}
		ns[k] = (double)(clock_now_ns() - start) / (double)(count / SAMPLES);
	}
	sort(ns);
	printf("connect, send, close, ns a connection: median=%.0f best=%.0f\n", ns[SAMPLES / 2],
	       ns[0]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	if (argc > 3)
		message_bytes = (uint32_t)strtoul(argv[3], NULL, 10);
	if (message_bytes == 0 || message_bytes > ROOM) {
		fprintf(stderr, "stack_bench: BYTES is 1 to %d\n", ROOM);
		return 2;
	}
	make_everything();
	open_listener();
	if (strcmp(what, "echo") == 0)
		echo(n != 0 ? n : 3000000);
	else if (strcmp(what, "datagrams") == 0)
		datagrams(n != 0 ? n : 3000000);
	else if (strcmp(what, "bulk") == 0)
		bulk(n != 0 ? n : 9000);
	else if (strcmp(what, "connect") == 0)
		connects(n != 0 ? n : 100000);
	else {
		fprintf(stderr,
			"usage: stack_bench echo | datagrams [ROUNDS [BYTES]] | bulk [MEGABYTES] | "
			"connect [CONNECTIONS]\n");
		return 2;
	}
	return 0;
}
