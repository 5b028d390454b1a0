/* tcp_cb.h - the control block of a connection (RFC 9293 3.3.1: TCB), or of a listener. Names are
 * the RFC's: snd_una is SND.UNA. Sequence numbers are compared with base/seq.h only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_TCP_CB_H
#define INET_TCP_CB_H

#include "base/seq.h"
#include "base/wheel.h"
#include "inet/core.h"
#include "inet/ip.h"
#include "inet/tcp_cc.h"
#include "inet/tcp_limits.h"
#include "inet/tcp_segment.h"
#include "inet/tcp_slab.h"
#include "mem/frame.h"

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
};

/* How urgent an acknowledgement is. */
enum tcp_ack_need {
	TCP_ACK_NONE,
	TCP_ACK_DELAYED, /* may wait for a reply or a second segment */
	TCP_ACK_PUSHED,  /* as above, but the peer has said that nothing follows: PSH */
	TCP_ACK_NOW,
};

/* Is the send queue one copied message? What a request or a reply looks like. */
enum tcp_message {
	TCP_MESSAGE_NONE,
	TCP_MESSAGE_UNSENT, /* all of it is to be sent for the first time, nothing is outstanding */
	TCP_MESSAGE_SENT,   /* all of it is outstanding */
};

enum tcp_recovery {
	TCP_OPEN,          /* nothing is known to be lost */
	TCP_FAST_RECOVERY, /* until snd_una reaches `recover` (RFC 6582) */
	TCP_LOSS_RECOVERY, /* after a timeout: all before `recover` counts as lost */
};

/* In recovery, the end of what is outstanding may be sent again (RFC 6675 4, NextSeg, rule 4): not
 * before an acknowledgement has moved snd_una, for till then its own may be on their way; once. */
enum tcp_rescue { TCP_RESCUE_EARLY, TCP_RESCUE_DUE, TCP_RESCUE_DONE };

struct tcp_chunk;      /* tcp_sendq.h */
struct tcp_ranges;     /* tcp_ranges.h */
struct tcp_sent;       /* tcp_sent.h */
struct tcp_reassembly; /* tcp_reassembly.h */

/* What connections hold in both directions comes in the order in which segments touch it. */
struct tcp_cb {
	_Alignas(TCP_SLAB_ALIGN) struct sock
	    sock; /* first: a struct sock * of kind SOCK_TCP is one of these */
	struct tcp_cb *hash_next;
	/* How the peer's segments are recognized: its IPv4 address and the ports, as they lie in
	 * its packets. */
	uint32_t wire_peer, wire_ports;

	uint8_t state;                /* enum tcp_state; written by tcp_set_state() alone */
	uint8_t ack_need;             /* enum tcp_ack_need */
	uint8_t snd_shift, rcv_shift; /* window scales: the peer's, ours */
	uint8_t rtx_count;            /* timeouts in a row */
	uint8_t header_bytes;         /* of segments, ours and the peer's, without SACK blocks */
	uint16_t plain_word;          /* tcp_segment_word() of such headers, with ACK alone */
	uint8_t offload;              /* OFFLOAD_L4_CSUM, if the link does that */
	uint8_t message;              /* enum tcp_message */
	bool ack_fresh; /* since the ACK became due the program had no turn: tcp_output.c */
	bool replies;   /* the program answers what it receives: an ACK can travel along */
	union {
		uint16_t after_ack; /* not zero: an acknowledgement has more to do */
		struct {
			bool want_write;   /* tcp_send() gave -EAGAIN */
			bool cwnd_limited; /* cwnd held the sender back at the last output */
		};
	};

	bool timestamps : 1;   /* RFC 7323, agreed on */
	bool sack : 1;         /* RFC 2018, agreed on */
	bool window_scale : 1; /* RFC 7323 2, agreed on */
	bool owned : 1;        /* the program has it: from open or accept until close */
	bool fin_received : 1;
	bool passive : 1;  /* came from a listener */
	bool counted : 1;  /* in its peer's group_opened */
	bool bound : 1;    /* in the table of bound ports */
	bool has_port : 1; /* tcp_port_take() */
	bool keepalive : 1;
	bool linger : 1;        /* SO_LINGER, for linger_s */
	bool error_told : 1;    /* SO_ERROR was asked for: it tells once */
	bool reuse_address : 1; /* SO_REUSEADDR, which changes nothing */
	bool undo_timed : 1;    /* the next acknowledgement tells by its echo: undo_tsval */
	uint8_t rescue : 2;     /* enum tcp_rescue */
	/* RACK-TLP (RFC 8985), with the numbers behind snd_una's: tcp_rack.h. */
	bool ecn_echo : 1;        /* what we acknowledge carries ECE */
	bool ecn_cwr : 1;         /* what is sent next for the first time carries CWR */
	bool ecn_reduced : 1;     /* for marks or a loss, and ecn_recover is not acknowledged yet */
	bool tlp_again : 1;       /* the probe was a segment sent again */
	bool tlp_untimed : 1;     /* no round trip was measured since the probe */
	bool reordering_seen : 1; /* something came out of order that was sent once */
	bool dsack_round : 1;     /* since dsack_round_end was snd_nxt the window has not grown */
	bool pace_waits : 1;      /* what is to be sent waits for pace_next_ns */
	uint8_t reo_wnd_mult;     /* of a quarter of min_rtt, less one (RFC 8985 6.2, step 4) */
	bool recv_grows : 1, send_grows : 1; /* buffers, as is needed: tcp_tune.h */
	bool probe_taken : 1; /* tcp_output.c: the number of the next acknowledgement */
	/* Of the path's MTU (RFC 4821), with search_low and mtu_probe_end: tcp_mtu.h. */
	bool mtu_limited : 1;    /* search_low is eff_pmtu */
	bool mtu_search : 1;     /* a larger one may be probed now */
	bool mtu_recovery : 1;   /* what is lost is a probe, and nothing but that */
	uint8_t mtu_fails : 2;   /* probes of this size that were lost */
	uint8_t reo_wnd_persist; /* recoveries until reo_wnd_mult is 0 again */
	uint8_t challenges;      /* since challenge_tick, and answers to bare segments */
	uint8_t dupacks_due;     /* for segments that came out of order since the last ACK */
	uint8_t keepalive_sent;  /* probes unanswered */
	uint8_t keepalive_probes;

	/* What keeps a connection off the fast paths of input and output: they are taken when all
	 * of it is zero. */
	union {
		uint64_t rare;
		struct {
			bool not_established : 1; /* any state but ESTABLISHED */
			bool syn_unacked : 1;     /* our SYN, sent or not */
			bool not_accepted : 1;    /* the listener's program has not asked for it */
			bool orphan : 1;          /* the program has given it back */
			bool read_closed : 1;     /* SHUT_RD: what arrives is dropped */
			bool fin_queued : 1;      /* nothing is sent behind snd_end but FIN */
			bool fin_seen : 1;        /* FIN came out of order: fin_seq */
			bool out_of_order : 1;    /* ooo is there */
			bool duplicate : 1;       /* dsack is to be told */
			bool reported : 1;        /* sacked is there */
			bool nagle : 1;
			bool quick_ack : 1; /* TCP_QUICKACK: no acknowledgement waits */
			bool no_path : 1;   /* `path` says nothing yet */
			bool no_route : 1;  /* waits for its neighbour's address */
			bool probe_due : 1; /* one byte may go against a zero window */
			bool small_due : 1; /* less than a segment may go: SWS override */
			bool keepalive_due : 1;
			bool rtx_due : 1;       /* the first lost segment goes whatever cwnd says;
						   or a SYN does */
			bool no_scoreboard : 1; /* no set was left for what the peer reports:
						   duplicate ACKs are counted, as without
						   SACK, until they begin anew */
			uint8_t recovery : 2;   /* enum tcp_recovery */
			bool tlp_due : 1;       /* a tail loss probe is to be sent: tcp_rack.h */
			bool ecn : 1;           /* RFC 3168, agreed on */
			bool paced : 1;         /* max_pacing_rate is one */
			bool tlp_out : 1;       /* one was, and nothing is known of it: tlp_end */
			uint8_t dupacks;
			uint8_t probe_count;      /* of a closed or silly window, in a row */
			uint16_t mtu_probe_bytes; /* of text, in a probe of the path that is on its
						     way; 0: none is */
		};
	};

	uint32_t rcv_nxt;
	uint32_t rcv_adv;       /* the right edge of the window as announced: never retracted */
	uint32_t last_ack_sent; /* RCV.NXT as the peer knows it (RFC 7323 4.3) */
	uint32_t ts_recent;
	uint32_t snd_una;
	uint32_t snd_nxt; /* behind all that was ever sent */
	uint32_t snd_end; /* behind all that the program has given; FIN's number when queued */
	uint32_t snd_wnd; /* bytes from snd_una */
	uint32_t snd_wl1, snd_wl2;
	uint32_t max_snd_wnd; /* the largest window the peer has offered */
	uint32_t cwnd, ssthresh;
	uint32_t mss; /* payload bytes of a segment of ours, options deducted */
	uint32_t
	    message_max;    /* bytes of a send to an empty queue that is copied into one segment */
	uint32_t rcv_mss;   /* of the peer's full segments, as seen */
	uint32_t ts_offset; /* of our timestamps from the stack's clock (RFC 7323 5.4: random) */
	uint32_t rtt_seq;   /* the timing is over when this is acknowledged */
	uint64_t rtt_start_ns;    /* 0: nothing is timed */
	uint64_t rtx_deadline_ns; /* retransmission or persist; UINT64_MAX: off */
	uint64_t ack_deadline_ns; /* delayed ACK; UINT64_MAX: off */
	uint64_t heard_ns;        /* last acceptable segment */
	uint64_t acked_bytes;     /* of the program's data, in all */

	struct tcp_chunk *send_head, *send_tail; /* snd_una .. snd_end, in order */
	struct tcp_chunk *send_next;             /* the one with snd_nxt in it; NULL: all sent */
	struct buf *recv_head, *recv_tail;       /* in order, not yet popped; linked by next */
	uint32_t recv_memory; /* bytes that received buffers pin, those out of order included */
	uint32_t recv_limit;  /* the largest window, bytes */
	uint32_t recv_step;   /* the window grows by no less: tcp_receive.c */
	uint32_t send_limit;  /* bytes accepted and not acknowledged, at most */
	uint32_t send_chunks; /* in the send queue */
	uint32_t fin_seq;     /* with fin_seen: the number of the peer's FIN */
	struct list out_link; /* in the table's output queue */
	struct ip_path path;

	struct wheel_entry timer;  /* the one wheel entry: armed at or before the next deadline */
	uint64_t life_deadline_ns; /* TIME-WAIT, FIN-WAIT-2, keepalive; UINT64_MAX: off */

	uint64_t srtt_ns, rttvar_ns; /* srtt 0: no sample yet */
	uint64_t rto_ns;             /* with back-off but that of probes, at most TCP_RTO_MAX_NS */
	uint64_t progress_ns; /* when what is unacknowledged was first sent, or the last progress;
				 nothing outstanding: when that began */
	uint64_t received_bytes; /* of the peer's stream: see tcp_received_bytes() */
	uint32_t recover;        /* snd_nxt when recovery began */
	uint32_t rtx_next;       /* in recovery: all before has been sent again or needs not be */
	uint32_t lost_end;       /* in recovery: what is lost lies before this */
	union {
		uint32_t rtx_mark;      /* snd_nxt when something was sent again last */
		uint32_t mtu_probe_end; /* with mtu_probe_bytes, which recovery sets to 0 */
	};
	uint32_t lost_bytes;   /* in recovery: of [rtx_next, lost_end) what was not reported */
	uint32_t sacked_bytes; /* between snd_una and snd_nxt */
	union {
		struct {
			uint32_t prr_delivered,
			    prr_out;         /* RFC 9937 6.1: bytes arrived and sent in recovery */
			uint32_t prr_flight; /* RecoverFS: on their way when it began */
			uint32_t undo_cwnd, undo_ssthresh; /* before this recovery, or the last;
							      cwnd 0: it stands */
			uint32_t undo_una;                 /* snd_una when it began */
			uint32_t undo_left;  /* segments it sent again that were not reported as
						duplicates */
			uint32_t undo_tsval; /* the timestamp of the first of them */
		};
		struct { /* LISTEN only: there is nothing to be recovered */
			struct list accept_queue; /* established, not yet accepted: link */
			uint32_t accept_count, backlog;
			uint32_t half_count; /* half-open connections */
		};
	};
	uint32_t retransmitted; /* segments sent again, in all */
	union {
		uint32_t iss; /* until our SYN is acknowledged */
		struct {
			uint16_t search_low, search_high; /* bytes of an IP packet (RFC 4821 7.1) */
		};
	};
	uint32_t irs;
	uint32_t challenge_tick; /* when the current window of challenge ACKs began */
	uint16_t peer_mss;       /* as its SYN said */
	uint16_t user_mss;       /* TCP_MAXSEG; 0: none */
	uint16_t linger_s;
	uint16_t soft_error;  /* errno of the last ICMP error that ended nothing; 0: none lately */
	uint16_t claimed_mtu; /* by an ICMP error that is not believed yet; 0: none */
	uint16_t largest_acked; /* payload bytes of a segment, at most: never more than mss */
	uint32_t keepalive_idle_ms, keepalive_interval_ms;
	uint32_t user_timeout_ms;  /* 0: R2 */
	uint64_t mss_deadline_ns;  /* a larger MSS is tried then; UINT64_MAX: it is the largest, or
				      is being probed */
	struct tcp_range dsack;    /* a duplicate to be reported (RFC 2883) */
	struct tcp_ranges *sacked; /* what the peer has reported; NULL: none */
	struct tcp_sent *sent;     /* when what is outstanding was sent; NULL: no log */
	uint32_t tune_tick;        /* since then tune_seq .. rcv_nxt has come: tcp_tune.h */
	uint32_t tune_seq;
	uint32_t tuned_bytes;      /* by so much recv_limit and send_limit have grown */
	uint32_t claimed_seq;      /* of the segment that claimed_mtu's error quotes */
	uint64_t max_pacing_rate;  /* bytes a second: tcp_pace.h */
	uint64_t pace_next_ns;     /* when the next segment may go; 0: at once */
	uint64_t rack_deadline_ns; /* the reordering timer or that of a probe; UINT64_MAX: off */
	uint32_t min_rtt;          /* the shortest round trip of a stream, 2^10 ns; 0: none yet */
	uint32_t tlp_end;          /* snd_nxt behind the probe */
	uint32_t dsack_round_end;
	uint32_t ecn_recover;
	struct tcp_reassembly *ooo; /* received out of order; NULL: nothing */
	const struct tcp_cc *cc;
	uint64_t cc_private[6];

	struct list link; /* accept queue, TIME-WAIT list */
	union {
		struct tcp_cb *bound_next; /* bound */
		struct tcp_cb *listener;   /* not_accepted: while in its accept queue */
	};
};

static inline struct tcp_cb *tcp_cb_of(const struct sock *k)
{
	return (struct tcp_cb *)(uintptr_t)k;
}

/* tcp_state.c */

/* Enters a state; asserts that RFC 9293 3.3.2 has that transition. */
void tcp_set_state(struct tcp_cb *cb, enum tcp_state state);

/* The connection is over: CLOSED, all it held given back but what the program may still read. The
 * control block itself goes when the program does not have it, at once: cb may be gone on return.
 */
void tcp_finish(struct tcp_cb *cb);

/* As tcp_finish(), because of -errno `error`, which the program is told. */
void tcp_fail(struct tcp_cb *cb, int error);

/* TIME-WAIT, or its restart (RFC 9293 3.10.7.4, eighth): cb may be gone on return. */
void tcp_enter_time_wait(struct tcp_cb *cb);

/* The clock of timestamps and of other coarse ages: 2^20 ns, a little more than a millisecond. */
static inline uint32_t tcp_clock(const struct stack *s)
{
	return (uint32_t)(s->now_ns >> 20);
}

static inline uint32_t tcp_ns_to_ticks(uint64_t ns)
{
	return (uint32_t)(ns >> 20);
}

/* The clock of round trips: 2^10 ns, about a microsecond. 32 bits of it compare like sequence
 * numbers. */
enum { TCP_FINE_SHIFT = 10 };

static inline uint32_t tcp_ns_to_fine(uint64_t ns)
{
	return (uint32_t)(ns >> TCP_FINE_SHIFT);
}

static inline uint32_t tcp_fine_clock(const struct stack *s)
{
	return tcp_ns_to_fine(s->now_ns);
}

/* May the peer still send us data? */
static inline bool tcp_can_receive(const struct tcp_cb *cb)
{
	return cb->state == TCP_ESTABLISHED || cb->state == TCP_FIN_WAIT_1 ||
	       cb->state == TCP_FIN_WAIT_2;
}

static inline bool tcp_synchronized(const struct tcp_cb *cb)
{
	return cb->state >= TCP_ESTABLISHED;
}

/* Has our FIN been sent, acknowledged? */
static inline bool tcp_fin_sent(const struct tcp_cb *cb)
{
	return cb->fin_queued && cb->snd_nxt == cb->snd_end + 1;
}

static inline bool tcp_fin_acked(const struct tcp_cb *cb)
{
	return cb->fin_queued && cb->snd_una == cb->snd_end + 1;
}

static inline uint32_t tcp_flight(const struct tcp_cb *cb)
{
	return cb->snd_nxt - cb->snd_una;
}

/* The program's bytes that are queued and not acknowledged. */
static inline uint32_t tcp_queued(const struct tcp_cb *cb)
{
	return tcp_fin_acked(cb) ? 0 : cb->snd_end - cb->snd_una - cb->syn_unacked;
}

/* An event, if there is somebody to be told. */
static inline void tcp_raise(struct tcp_cb *cb, uint32_t bits)
{
	if (cb->owned)
		event_raise(&cb->sock, bits);
}

#endif
