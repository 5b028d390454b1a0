/* scale_bench.c - what many connections cost: frames go from stack to stack in one process, without
 * a link. It fails where a connection does, and where memory grows beyond what it may.
 *
 *     scale_bench idle [CONNECTIONS [RATIO]]  so many idle ones in one stack (1 000 000): the
 * memory of one, and another's echo beside one in a stack without scale_bench churn [CONNECTIONS]
 * 100 000 a second of virtual time are opened and closed
 *
 * With RATIO the echo may be that many times slower beside the idle ones, or the run fails: a
 * figure for a machine that does nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "inet/ip.h"
#include "inet/stack.h"
#include "inet/tcp_segment.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFERS = 8192, ROOM = 2048, PORT = 7, BYTES = 64, SAMPLES = 99, ROUNDS = 2000, BURST = 32 };
enum { ETHERNET_BYTES = 14, IP_BYTES = 20, PEERS = 4096 };
enum { SERVER = 0x0a000001, CLIENT = 0x0a000002, GATEWAY = 0x0a0000fe, FIRST_PEER = 0x14000001 };
enum { PER_CONNECTION_MAX_BYTES = 1073 }; /* a million of them in 1 GiB */

static const uint8_t macs[3][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}};
static struct pool *pool;
static uint64_t now_ns = 1000000000;

struct pair {
	struct stack *server, *client;
	struct sock *listener, *at_server, *at_client;
};

static void check(int64_t r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "scale_bench: %s: %s\n", what, strerror((int)-r));
	exit(1);
}

static uint64_t resident_bytes(void)
{
	unsigned long long all, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%llu %llu", &all, &resident) != 2)
		check(-EIO, "statm");
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static struct stack *make_stack(uint32_t addr, const uint8_t mac[6], uint32_t max_tcp)
{
	const struct ip_addr gateway = ip4(GATEWAY), server = ip4(SERVER), client = ip4(CLIENT);
	struct stack_config cfg;
	struct stack *s;

	stack_config_init(&cfg);
	memcpy(cfg.mac, mac, sizeof(cfg.mac));
	cfg.addr = ip4(addr);
	cfg.gateway = gateway;
	cfg.pool = pool;
	cfg.key[0] = addr;
	cfg.max_tcp = max_tcp;
	check(stack_create(&s, &cfg, now_ns), "stack_create");
	check(stack_add_neighbour(s, &gateway, macs[2]), "stack_add_neighbour");
	check(stack_add_neighbour(s, addr == SERVER ? &client : &server, macs[addr == SERVER]),
	      "stack_add_neighbour");
	return s;
}

static void make_pair(struct pair *p, uint32_t max_tcp)
{
	struct endpoint local = {ip4(0), PORT};

	memset(p, 0, sizeof(*p));
	p->server = make_stack(SERVER, macs[0], max_tcp);
	p->client = make_stack(CLIENT, macs[1], 8192);
	check(stack_open(p->server, SOCK_STREAM, NULL, &p->listener), "stack_open");
	check(stack_bind(p->listener, &local, false), "stack_bind");
	check(stack_listen(p->listener, 1024), "stack_listen");
}

static void end_pair(struct pair *p)
{
	stack_destroy(p->client);
	stack_destroy(p->server);
}

/* What one stack has to send the other receives. Says how many frames. */
static int carry(struct stack *from, struct stack *to)
{
	struct frame frames[BURST];
	struct buf *bufs[BURST];
	int n = stack_output(from, frames, BURST, now_ns);

	for (int i = 0; i < n; i++)
		bufs[i] = frames[i].head; /* whole: there are no fragments */
	if (n > 0)
		stack_input(to, bufs, n, now_ns);
	return n;
}

static void carry_all(struct pair *p)
{
	while (carry(p->client, p->server) + carry(p->server, p->client) > 0)
		;
}

static void connect_pair(struct pair *p)
{
	struct endpoint peer = {ip4(SERVER), PORT};

	check(stack_open(p->client, SOCK_STREAM, NULL, &p->at_client), "stack_open");
	if (stack_connect(p->at_client, &peer, now_ns) != -EINPROGRESS)
		check(-EIO, "stack_connect");
	carry_all(p);
	check(stack_accept(p->listener, NULL, &p->at_server), "stack_accept");
}

/* The events are of no use here, but for being taken. */
static void tick(struct stack *s)
{
	struct stack_event ev[BURST];

	if (now_ns >= stack_next_deadline(s))
		stack_tick(s, now_ns);
	while (stack_events(s, ev, BURST) > 0)
		;
}

static void say(struct sock *k, const uint8_t *data)
{
	bool zero_copy;

	check(stack_send(k, NULL, data, BYTES, &zero_copy, now_ns), "stack_send");
}

static void hear(struct sock *k)
{
	struct stack_received got;

	if (stack_recv(k, BYTES, &got, now_ns) != 1 || got.len != BYTES)
		check(-EBADMSG, "stack_recv");
	buf_unref(got.buf);
}

static double echo_ns(struct pair *p)
{
	static const uint8_t message[BYTES];
	uint64_t start = clock_now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		say(p->at_client, message);
		carry(p->client, p->server);
		tick(p->server);
		hear(p->at_server);
		say(p->at_server, message);
		carry(p->server, p->client);
		tick(p->client);
		hear(p->at_client);
		now_ns += 1000;
	}
	return (double)(clock_now_ns() - start) / ROUNDS;
}

/* A segment of a peer that is none but by its address, with all options where it is a SYN. */
static void give(struct stack *s, uint32_t ip, uint16_t port, uint32_t ack, uint8_t flags)
{
	const struct tcp_syn_options o = {.mss = 1460,
					  .window_scale = true,
					  .window_shift = 7,
					  .sack_permitted = true,
					  .timestamps = true};
	struct ip_addr src = ip4(ip), dst = ip4(SERVER);
	struct buf *b = pool_get(pool);
	uint8_t *h = b->data, *l3 = h + ETHERNET_BYTES, *l4 = l3 + IP_BYTES;
	uint32_t bytes = TCP_HEADER_BYTES;

	if (flags & TCP_SYN) {
		bytes += tcp_segment_write_syn_options(l4 + bytes, &o);
	} else {
		tcp_segment_write_timestamps(l4 + bytes, 0, 0, 0);
		bytes += TCP_TIMESTAMP_BYTES;
	}
	tcp_segment_write_header(l4, tcp_segment_ports(port, PORT), flags & TCP_SYN ? 0 : 1, ack,
				 tcp_segment_word(bytes, flags), 65535, 0);
	csum_store(l4 + 16, csum_partial(l4, bytes, ip_pseudo_sum(&src, &dst, IPPROTO_TCP, bytes)));
	memset(l3, 0, IP_BYTES);
	l3[0] = 0x45;
	put_be16(l3 + 2, (uint16_t)(IP_BYTES + bytes));
	l3[8] = 64;
	l3[9] = IPPROTO_TCP;
	put_be32(l3 + 12, ip);
	put_be32(l3 + 16, SERVER);
	csum_store(l3 + 10, csum_partial(l3, IP_BYTES, 0));
	memcpy(h, macs[0], 6);
	memcpy(h + 6, macs[2], 6);
	put_be16(h + 12, 0x0800);
	b->len = ETHERNET_BYTES + IP_BYTES + bytes;
	stack_input(s, &b, 1, now_ns);
}

/* One more connection in the server's stack, which says nothing from then on. */
static void open_idle(struct pair *p, uint32_t number)
{
	uint32_t ip = FIRST_PEER + number % PEERS;
	uint16_t port = (uint16_t)(1024 + number / PEERS);
	struct frame f;
	struct sock *k;
	uint32_t iss;

	give(p->server, ip, port, 0, TCP_SYN);
	if (stack_output(p->server, &f, 1, now_ns) != 1)
		check(-EIO, "a SYN-ACK");
	iss = get_be32(f.head->data + ETHERNET_BYTES + IP_BYTES + 4);
	frame_release(&f);
	give(p->server, ip, port, iss + 1, TCP_ACK);
	check(stack_accept(p->listener, NULL, &k), "stack_accept");
	tick(p->server);
	now_ns += 1000;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int idle(uint32_t count, double most)
{
	struct pair alone, crowded;
	double ns[2][SAMPLES], ratio[SAMPLES], per;
	uint64_t before, after;

	make_pair(&alone, 8192);
	before = resident_bytes();
	make_pair(&crowded, count + 8);
	for (uint32_t i = 0; i < count; i++)
		open_idle(&crowded, i);
	after = resident_bytes();
	connect_pair(&alone);
	connect_pair(&crowded);
	for (int i = 0; i < SAMPLES; i++) {
		ns[0][i] = echo_ns(&alone);
		ns[1][i] = echo_ns(&crowded);
		ratio[i] = ns[1][i] / ns[0][i];
	}
	end_pair(&alone);
	end_pair(&crowded);
	qsort(ns[0], SAMPLES, sizeof(double), compare);
	qsort(ns[1], SAMPLES, sizeof(double), compare);
	qsort(ratio, SAMPLES, sizeof(double), compare);
	per = (double)(after - before) / count;
	printf(
	    "%u idle connections: %.1f MiB, %.0f bytes each; an echo beside them %.0f ns, without them %.0f ns, %.2fx\n",
	    count, (double)(after - before) / (1 << 20), per, ns[1][SAMPLES / 2],
	    ns[0][SAMPLES / 2], ratio[SAMPLES / 2]);
	/* Of few connections the fixed part of a stack is more than theirs. */
	if ((double)(after - before) > (double)count * PER_CONNECTION_MAX_BYTES + (64 << 20)) {
		fprintf(stderr, "scale_bench: that is more memory than it may be\n");
		return 1;
	}
	return most > 0 && ratio[SAMPLES / 2] > most;
}

static int churn(uint32_t count)
{
	static const uint8_t message[BYTES];
	struct pair p;
	uint64_t quarter = 0, start = clock_now_ns(), end, recycled;

	make_pair(&p, 8192);
	for (uint32_t i = 0; i < count; i++) {
		if (i == count / 4)
			quarter = resident_bytes();
		connect_pair(&p);
		say(p.at_client, message);
		carry_all(&p);
		hear(p.at_server);
		stack_close(p.at_client, now_ns);
		carry_all(&p);
		stack_close(p.at_server, now_ns);
		carry_all(&p);
		tick(p.client);
		tick(p.server);
		now_ns += 10000; /* 100 000 in a second */
	}
	end = resident_bytes();
	recycled = stack_stats(p.client)->tcp_time_wait_recycled;
	end_pair(&p);
	printf(
	    "%u connections opened and closed, 100 000 a second: %.0f ns each; %.1f MiB after a quarter of "
	    "them, %.1f MiB at the end; TIME-WAIT recycled %llu times\n",
	    count, (double)(clock_now_ns() - start) / count, (double)quarter / (1 << 20),
	    (double)end / (1 << 20), (unsigned long long)recycled);
	if (end > quarter + (1 << 20)) {
		fprintf(stderr, "scale_bench: memory grows\n");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint32_t n = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	int status = 2;

	check(pool_create(&pool, BUFFERS, ROOM, BUF_HEADROOM_BYTES, NULL), "pool_create");
	if (strcmp(what, "idle") == 0)
		status = idle(n != 0 ? n : 1000000, argc > 3 ? strtod(argv[3], NULL) : 0);
	else if (strcmp(what, "churn") == 0)
		status = churn(n != 0 ? n : 3000000);
	else
		fprintf(stderr,
			"usage: scale_bench idle [CONNECTIONS [RATIO]] | churn [CONNECTIONS]\n");
	pool_destroy(pool);
	return status;
}
