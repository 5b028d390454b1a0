/* programs.h - what runs on the hosts of a world: programs that open, listen, connect, send,
 * receive, pause, half-close, close, reset and vanish, and check every byte and every end.
 *
 * A connection's client begins with a header that names the connection; all other bytes, both ways,
 * are a pattern of the connection's own (pattern.h), so that bytes of another one cannot pass. How
 * a connection may end follows from what both programs and their hosts have done, and from whether
 * the network is bad enough for time-outs: anything else ends the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_PROGRAMS_H
#define SIM_PROGRAMS_H

#include "world.h"

enum {
	CONNS = 65536,       /* connections remembered, a power of two */
	ENDS = 512,          /* sockets of connections at once */
	PIECES = 32,         /* zero-copy sends of one socket under way */
	HOARD = 32,          /* received buffers that one program sits on */
	LISTENERS = 2,       /* of each host */
	UDP_SOCKETS = 2,     /* of each host */
	BIG_BYTES = 1 << 20, /* of one send, at most */
};

struct program_config {
	unsigned max_live;             /* connections at once */
	uint64_t open_gap_ns;          /* between connections, at most */
	uint64_t bytes_max;            /* of one direction of a connection */
	uint64_t frames_max;           /* then no more connections are opened */
	unsigned abrupt_percent;       /* of connections: aborted, reset, closed early */
	unsigned fixed_port_percent;   /* of clients: they bind to one of a few ports */
	unsigned simultaneous_percent; /* of connections: both ends connect */
	uint64_t pause_ns;             /* of slow programs, at most */
	int backlog;
	bool may_time_out;                 /* the network is bad enough for that */
	uint64_t vanish_gap_ns;            /* between hosts' sudden ends; 0: none */
	uint64_t down_min_ns, down_max_ns; /* how long such a host is away */
	uint64_t datagram_gap_ns;          /* 0: no UDP */
	uint32_t datagram_max_bytes;
};

enum ending {
	END_SHUTDOWN,   /* sends all, shuts down, reads the peer's end, closes */
	END_AFTER_PEER, /* reads the peer's end first, sends, closes */
	END_EARLY,      /* closes when all is sent, whatever the peer still does */
	END_LINGER_0,
	END_ABORT,
};

struct end;

struct conn {
	uint64_t id;
	struct endpoint client, server;
	struct end *ends[2]; /* client, server; NULL: not there yet, or finished */
	unsigned hosts[2];
	bool attached;      /* the server has read the header */
	bool unclean;       /* somebody ended it abruptly: the other may see a failure */
	uint64_t fin_at[2]; /* bytes that [client, server] had sent when it said it was all */
	uint64_t progress_ns;
};

/* Bytes of ours that the stack refers to: a zero-copy send, or a received buffer kept for long. */
struct piece {
	struct buf *buf;
	uint8_t *data;
	uint32_t len;
	uint64_t offset; /* in the stream, of the first byte */
	uint64_t until;  /* zero-copy: stack_acked() at which it is ours again */
};

struct end {
	struct programs *programs;
	struct host *host;
	struct sock *sock; /* NULL: this slot is free */
	struct conn *conn; /* NULL: a server that has not read the header */
	bool server, connected, simultaneous;
	uint32_t pauses_left;
	uint64_t opened_ns;

	enum ending ending;
	uint64_t abrupt_at; /* END_LINGER_0, END_ABORT: bytes, both ways */
	uint64_t abrupt_ns; /* ... or time */

	uint64_t tx_total, tx_done, tx_key, tx_at_ns, tx_acked;
	uint64_t tx_pause_ns;
	uint32_t tx_chunk_max;
	bool tx_ready, fin, fin_acked, wait_fin_acked;
	struct buf *chunk;
	uint8_t *chunk_data;
	uint32_t chunk_left;
	struct piece sent[PIECES];
	uint32_t sent_first, sent_count;

	uint64_t rx_done, rx_key, rx_at_ns, rx_pause_ns;
	uint32_t rx_max, hoard_max;
	bool rx_ready, rx_eof;
	uint8_t header[16];
	struct piece hoard[HOARD];
	uint32_t hoard_first, hoard_count;
};

struct listener {
	struct sock *sock;
	uint16_t port;
	bool ready;
	uint64_t accept_at_ns, accept_pause_ns;
	uint64_t accepted_ns; /* the last time */
};

struct udp_program {
	struct sock *sock;
	uint16_t port;
	bool connected;
	uint64_t rx_at_ns;
	bool rx_ready;
};

struct program_host {
	struct listener listeners[LISTENERS];
	struct udp_program udp[UDP_SOCKETS];
	uint64_t return_ns;        /* when the host is down */
	uint64_t doubted_until_ns; /* others may still think that it is */
};

struct program_counts {
	uint64_t opened, clean, excused, timed_out, refused;
	uint64_t bytes; /* checked */
	uint64_t datagrams_sent, datagrams_received, datagrams_unreachable;
	uint64_t vanished;
};

struct programs {
	struct world *world;
	struct program_config cfg;
	struct rng rng;
	uint64_t key; /* of patterns */
	struct pool *big, *small;
	struct program_host hosts[WORLD_HOSTS];
	struct conn conns[CONNS];
	struct end ends[ENDS];
	uint64_t wake_ns[ENDS];
	uint32_t live, ends_used; /* ends[i] is free for all i >= ends_used */
	uint64_t next_id;
	uint64_t next_open_ns, next_vanish_ns, next_datagram_ns, next_watch_ns;
	bool stopping; /* nothing new is begun */
	struct program_counts counts;
};

/* Starts listeners and sockets on all hosts of w, and sets w->programs. */
void programs_start(struct programs *p, struct world *w, const struct program_config *cfg);

/* Begins nothing new from now on, and accepts at once what waits. */
void programs_stop(struct programs *p);
/* True when no connection is left. */
bool programs_idle(const struct programs *p);
/* Closes listeners and UDP sockets. */
void programs_end(struct programs *p);
/* Frees; all buffers must be back. */
void programs_free(struct programs *p);

/* tcp_open.c: new connections, and how they end */
/* The test has failed at this end: says where it is, then as world_fail(). */
_Noreturn void end_fault(const struct end *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void conn_open(struct programs *p);
void conn_open_simultaneous(struct programs *p);
void listener_start(struct programs *p, struct host *h, unsigned i);
void listener_run(struct programs *p, struct host *h, struct listener *l);
void end_finish(struct end *e);
void end_failed(struct end *e, int error);
void end_watch(struct end *e);
void end_attach(struct end *e); /* the header has been read */
void host_programs_vanish(struct programs *p, struct host *h);

/* tcp_run.c: what a connection does */
void end_run(struct end *e);
void end_event(struct end *e, uint32_t bits);
void end_release(struct end *e);
uint64_t end_wake_ns(const struct end *e);

/* udp.c */
void udp_start(struct programs *p, struct host *h, unsigned i);
void udp_send(struct programs *p);
void udp_run(struct programs *p, struct host *h, struct udp_program *u);

#endif
