/* pkt_run_state.h - what the files of the runner share, and nobody else: pkt_run.c (events and
 * time), pkt_expect.c (what the stack sends), pkt_inject.c (what it is sent) and pkt_call.c (what
 * its program does).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_RUN_STATE_H
#define TOOLS_PKT_RUN_STATE_H

#include "pkt_flow.h"
#include "pkt_host.h"
#include "pkt_run.h"

enum {
	RUN_ANY_TIME_S = 3600,     /* how long a packet at any time (*) is waited for */
	RUN_SOCKETS_MAX = 256,     /* open at once in a script */
	RUN_CALL_BYTES = 16 << 20, /* of one read or write */
	RUN_BIND_PORT = 8080,      /* of bind(..., ...) */
	RUN_CONNECT_PORT = 8080,   /* of connect(..., ...) */
	RUN_REMOTE_PORT = 40001,   /* of the first connection to us; then counted up */
};

struct run_sock {
	struct host_sock *sock; /* NULL: free */
	int64_t fd;             /* the script's number */
	bool nonblocking;
	uint64_t sent, received; /* bytes of the stream */
	struct pkt_flow *flow;   /* NULL: not known yet */
};

/* A call that has not returned. */
struct run_call {
	const struct pkt_event *event; /* NULL: there is none */
	int64_t start_us, end_us;      /* end: when it must be back; with event->call.blocking also
					  not before */
	int64_t wake_us; /* when it is to be tried even if nothing happens; 0: never */
	uint64_t done;   /* bytes of a write that were taken already */
	bool started;
};

struct run {
	const struct pkt_script *script;
	const char *name;
	const struct pkt_run_options *o;
	struct host *host;
	const struct pkt_event *event; /* the one at hand */
	bool failed;
	uint32_t skipped_acks;
	int64_t last_us; /* when the event before happened: what +N counts from */
	/* Flows: the one that packets without ports belong to, and all. */
	struct pkt_flow *current, *flows;
	uint16_t local_port, next_remote_port;
	struct run_sock socks[RUN_SOCKETS_MAX];
	struct run_call call;
	uint8_t *bytes; /* RUN_CALL_BYTES of scratch */
};

int64_t run_now_us(const struct run *r);

/* Fails the script: "name:line: message", once. */
void run_fail(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A further line of a failure. */
void run_note(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* With --verbose. */
void run_tell(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "12.345678: > S 0:0(0)" into text. */
void run_packet_text(char text[PKT_TEXT_BYTES + 64], int64_t us, char direction,
		     const struct pkt_packet *p);

/* Moves time to the next moment at which something happens, at most to us. The pending call is
 * tried again. False: us is reached. */
bool run_step(struct run *r, int64_t us);
void run_until(struct run *r, int64_t us);

struct pkt_flow *run_flow_find(struct run *r, uint8_t protocol, uint16_t local, uint16_t remote);
struct pkt_flow *run_flow_new(struct run *r, uint8_t protocol, uint16_t local, uint16_t remote,
			      bool named);

void run_inject(struct run *r, const struct pkt_event *e);

/* Expects a packet from start_us to end_us. */
void run_expect(struct run *r, const struct pkt_event *e, int64_t start_us, int64_t end_us);
/* At the end: what else the stack has sent is a failure. */
void run_expect_nothing(struct run *r);

void run_call_start(struct run *r, const struct pkt_event *e);
/* Tries the pending call again; notes its end. */
void run_call_try(struct run *r);
/* Lets the pending call end, or fail when its time is over. */
void run_call_finish(struct run *r);

#endif
