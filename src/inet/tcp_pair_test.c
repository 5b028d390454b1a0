/* tcp_pair_test.c - see tcp_pair_test.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_pair_test.h"
#include "inet/tcp_segment.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
static const uint32_t ip[2] = {0x0a000001, 0x0a000002};

enum { ETH_IP_BYTES = 34, LISTEN_PORT = 7 };

static void make_stack(struct pair *p, int i)
{
	struct pair_side *side = &p->side[i];
	struct ip_addr other = ip4(ip[1 - i]);

	assert_int_equal(stack_create(&side->s, &side->cfg, p->now_ns), 0);
	assert_int_equal(stack_add_neighbour(side->s, &other, mac[1 - i]), 0);
	side->sock = side->listener = NULL;
	side->events = side->frames = side->data_frames = side->ack_frames = 0;
}

int pair_setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->now_ns = 1000000000;
	for (int i = 0; i < 2; i++) {
		struct pair_side *side = &p->side[i];

		assert_int_equal(
		    pool_create(&side->pool, PAIR_BUFFERS, PAIR_ROOM, BUF_HEADROOM_BYTES, NULL), 0);
		stack_config_init(&side->cfg);
		memcpy(side->cfg.mac, mac[i], 6);
		side->cfg.addr = ip4(ip[i]);
		side->cfg.pool = side->pool;
		side->cfg.key[0] = 1 + (uint64_t)i;
		side->cfg.max_frags = FRAME_FRAGS;
		side->cfg.max_tcp = 64;
		side->cfg.max_half_open = 16;
		make_stack(p, i);
	}
	*state = p;
	return 0;
}

static void drop_wire(struct pair *p)
{
	for (uint32_t i = 0; i < p->wire_count; i++)
		buf_unref(p->wire[i].buf);
	p->wire_count = 0;
}

int pair_teardown(void **state)
{
	struct pair *p = *state;

	drop_wire(p);
	for (int i = 0; i < 2; i++)
		stack_destroy(p->side[i].s);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(p->side[i].pool->free_count, p->side[i].pool->count);
		pool_destroy(p->side[i].pool);
	}
	free(p);
	return 0;
}

void pair_restart(struct pair *p)
{
	drop_wire(p);
	for (int i = 0; i < 2; i++) {
		stack_destroy(p->side[i].s);
		make_stack(p, i);
	}
}

/* Copies a frame to a buffer of the receiver's pool, as a wire would. */
static struct buf *carry(struct pool *pool, const struct frame *f)
{
	struct buf *b = pool_get(pool);

	assert_non_null(b);
	assert_true(f->len <= buf_tailroom(b));
	memcpy(b->data, f->head->data, f->head->len);
	b->len = f->head->len;
	for (unsigned i = 0; i < f->nfrags; i++) {
		memcpy(b->data + b->len, f->frags[i].data, f->frags[i].len);
		b->len += f->frags[i].len;
	}
	assert_int_equal(b->len, f->len);
	return b;
}

static void count(struct pair_side *side, const uint8_t *l4, uint32_t l4_len)
{
	side->frames++;
	if (l4_len > (uint32_t)(l4[12] >> 4) * 4)
		side->data_frames++;
	else if ((l4[13] & (TCP_SYN | TCP_FIN | TCP_RST)) == 0)
		side->ack_frames++;
}

static bool send_frames(struct pair *p, int from)
{
	struct frame f[8];
	int n = stack_output(p->side[from].s, f, 8, p->now_ns);

	for (int i = 0; i < n; i++) {
		struct buf *b = carry(p->side[1 - from].pool, &f[i]);
		const uint8_t *l4 = b->data + ETH_IP_BYTES;
		uint32_t l4_len = get_be16(b->data + 16) - 20u;

		frame_release(&f[i]);
		count(&p->side[from], l4, l4_len);
		if (p->lose != NULL && p->lose(p, from, l4, l4_len)) {
			buf_unref(b);
			continue;
		}
		assert_true(p->wire_count < PAIR_WIRE_FRAMES);
		p->wire[p->wire_count].buf = b;
		p->wire[p->wire_count].at_ns = p->now_ns + p->delay_ns;
		p->wire[p->wire_count++].to = 1 - from;
	}
	return n > 0;
}

/* Hands over what has arrived by now. */
static bool deliver(struct pair *p)
{
	uint32_t due = 0;

	while (due < p->wire_count && p->wire[due].at_ns <= p->now_ns)
		due++;
	for (uint32_t i = 0; i < due; i++)
		stack_input(p->side[p->wire[i].to].s, &p->wire[i].buf, 1, p->now_ns);
	p->wire_count -= due;
	memmove(p->wire, p->wire + due, p->wire_count * sizeof(p->wire[0]));
	return due > 0;
}

static void take_events(struct pair *p, int i)
{
	struct pair_side *side = &p->side[i];
	struct stack_event ev[8];
	int n;

	while ((n = stack_events(side->s, ev, 8)) > 0)
		for (int k = 0; k < n; k++) {
			if (ev[k].sock == side->sock)
				side->events |= ev[k].bits;
			if (ev[k].bits & STACK_EV_ACCEPT)
				assert_int_equal(stack_accept(ev[k].sock, NULL, &side->sock), 0);
		}
}

void pair_run(struct pair *p)
{
	bool more = true;

	for (int rounds = 0; more; rounds++) {
		assert_true(rounds < 100000);
		more = deliver(p);
		for (int i = 0; i < 2; i++) {
			stack_tick(p->side[i].s, p->now_ns);
			while (send_frames(p, i))
				more = true;
			take_events(p, i);
			more |= stack_next_deadline(p->side[i].s) <= p->now_ns;
		}
		more |= p->wire_count > 0 && p->wire[0].at_ns <= p->now_ns;
	}
}

/* Moves time to the next thing that happens, but not beyond end. */
static void step(struct pair *p, uint64_t end)
{
	uint64_t next = end;

	for (int i = 0; i < 2; i++)
		if (stack_next_deadline(p->side[i].s) < next)
			next = stack_next_deadline(p->side[i].s);
	if (p->wire_count > 0 && p->wire[0].at_ns < next)
		next = p->wire[0].at_ns;
	assert_true(next > p->now_ns);
	p->now_ns = next;
	pair_run(p);
}

void pair_pass_ms(struct pair *p, uint64_t ms)
{
	uint64_t end = p->now_ns + ms * 1000000;

	pair_run(p);
	while (p->now_ns < end)
		step(p, end);
}

void pair_connect(struct pair *p)
{
	struct endpoint any = {ip4(0), LISTEN_PORT}, peer = {ip4(ip[1]), LISTEN_PORT};

	if (p->side[1].listener == NULL) {
		assert_int_equal(stack_open(p->side[1].s, SOCK_STREAM, NULL, &p->side[1].listener),
				 0);
		assert_int_equal(stack_bind(p->side[1].listener, &any, false), 0);
		assert_int_equal(stack_listen(p->side[1].listener, 8), 0);
	}
	p->side[1].sock = NULL;
	assert_int_equal(stack_open(p->side[0].s, SOCK_STREAM, NULL, &p->side[0].sock), 0);
	assert_int_equal(stack_connect(p->side[0].sock, &peer, p->now_ns), -EINPROGRESS);
	pair_pass_ms(p, 2 * p->delay_ns / 1000000 + 1);
	assert_non_null(p->side[1].sock);
	assert_true(p->side[0].events & STACK_EV_CONNECTED);
	p->side[0].events = p->side[1].events = 0;
}

static uint8_t pattern(uint64_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 11);
}

int64_t pair_send(struct pair *p, int i, uint64_t offset, uint32_t len)
{
	static uint8_t bytes[1 << 16];
	bool zero_copy;

	assert_true(len <= sizeof(bytes));
	for (uint32_t k = 0; k < len; k++)
		bytes[k] = pattern(offset + k);
	return stack_send(p->side[i].sock, NULL, bytes, len, &zero_copy, p->now_ns);
}

uint64_t pair_recv(struct pair *p, int i, uint64_t offset)
{
	struct stack_received r;
	uint64_t done = 0;

	while (stack_recv(p->side[i].sock, UINT32_MAX, &r, p->now_ns) == 1) {
		for (uint32_t k = 0; k < r.len; k++)
			assert_int_equal(r.data[k], pattern(offset + done + k));
		done += r.len;
		buf_unref(r.buf);
	}
	return done;
}

void pair_transfer(struct pair *p, int i, uint64_t len)
{
	uint64_t sent = 0, got = 0;

	for (int rounds = 0; got < len; rounds++) {
		uint64_t before = got;

		assert_true(rounds < 1000000);
		while (sent < len) {
			int64_t n = pair_send(p, i, sent,
					      (uint32_t)(len - sent < 4000 ? len - sent : 4000));

			if (n <= 0)
				break;
			sent += (uint64_t)n;
		}
		pair_run(p);
		got += pair_recv(p, 1 - i, got);
		if (got == before)
			step(p, p->now_ns + 1000000000);
	}
	assert_int_equal(got, len);
}
