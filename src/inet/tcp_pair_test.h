/* tcp_pair_test.h - two stacks and a wire between them, in virtual time, for the tests of TCP.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_PAIR_TEST_H
#define INET_TCP_PAIR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "inet/stack.h"
#include "inet/tcp_table.h"
#include <cmocka.h>

enum { PAIR_BUFFERS = 4096, PAIR_ROOM = 2048, PAIR_WIRE_FRAMES = 4096 };

struct pair_side {
	struct stack *s;
	struct stack_config cfg;
	struct pool *pool;
	struct sock *sock; /* the last that was opened, accepted or connected here */
	struct sock *listener;
	uint32_t events;      /* bits that were seen on `sock` since the test cleared them */
	uint32_t frames;      /* that this side has sent */
	uint32_t data_frames; /* of these, with payload */
	uint32_t ack_frames;  /* of these, TCP without payload, SYN, FIN or RST */
};

struct pair {
	struct pair_side side[2];
	uint64_t now_ns;
	uint64_t delay_ns; /* of the wire, one way */
	/* Decides about each frame; NULL: all arrive. l4 is its TCP header. True: it is lost. */
	bool (*lose)(struct pair *p, int from, const uint8_t *l4, uint32_t l4_len);
	void *lose_arg;
	unsigned lose_count;
	struct {
		struct buf *buf;
		uint64_t at_ns;
		int to;
	} wire[PAIR_WIRE_FRAMES];
	uint32_t wire_count;
};

#define pair_test(function) cmocka_unit_test_setup_teardown(function, pair_setup, pair_teardown)

/* cmocka fixtures: *state is a struct pair with stack_config_init()'s values, static neighbours and
 * a wire without delay. Every buffer has to be back at the end. */
int pair_setup(void **state);
int pair_teardown(void **state);
/* Makes both stacks anew from their cfg. */
void pair_restart(struct pair *p);

/* Lets both sides do what they have to do now, without moving time. */
void pair_run(struct pair *p);
/* Moves time by ms, in steps of deadlines. */
void pair_pass_ms(struct pair *p, uint64_t ms);

/* Side 1 listens on a port and side 0 connects: both `sock`s are there at the end. */
void pair_connect(struct pair *p);
/* Side i sends len bytes of a pattern that goes on from `offset`; how many were accepted. */
int64_t pair_send(struct pair *p, int i, uint64_t offset, uint32_t len);
/* Pops all that side i has, checks that it is the pattern from `offset` on; how many bytes. */
uint64_t pair_recv(struct pair *p, int i, uint64_t offset);
/* Sends `len` bytes from side i to the other, time passing as it must, checks each. */
void pair_transfer(struct pair *p, int i, uint64_t len);

static inline struct tcp_cb *pair_cb(struct pair *p, int i)
{
	return tcp_cb_of(p->side[i].sock);
}

#endif
