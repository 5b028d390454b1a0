/* sim.h - a link that behaves badly: it wraps another and delays, loses, reorders, duplicates and
 * corrupts what that one receives. The same seed and the same input give the same output.
 *
 * Faults are applied on the way in, so wrap both ends of a pair for a network that is bad both
 * ways. Time is the driver's: a frame arrives when rx() first sees it, and rx() gives it when its
 * time has come. Ask next_deadline() when that is; frames that lie in the inner link unseen have
 * not begun their way, so the driver of a simulation polls both ends whenever one of them has sent.
 *
 *     arrives -> too large? -> lost? -> waits for the bandwidth (queue_bytes, else dropped; marked
 *             beyond mark_bytes) -> delay and jitter -> reordered? -> duplicated? -> corrupted?
 *             -> given
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_SIM_H
#define LINK_SIM_H

#include "link/link.h"

enum { SIM_MILLION = 1000000 }; /* probabilities are parts per million, one draw a frame */

struct sim_config {
	uint64_t seed;
	uint64_t delay_ns;
	uint64_t jitter_ns;   /* up to so much more; a frame waits for those before it */
	uint64_t bits_per_s;  /* 0: no limit */
	uint32_t queue_bytes; /* waiting for the bandwidth; a frame that does not fit is dropped */
	/* A packet of IPv4 that is ECN-capable is marked (RFC 3168 5, CE) when, with it, more than
	 * so much waits for the bandwidth, as a switch does with one threshold; 0: none is. */
	uint32_t mark_bytes;
	/* A larger frame is dropped, and nobody is told: a black hole (RFC 2923); 0: none is. */
	uint32_t max_frame_bytes;
	uint32_t max_frames; /* on their way at once; more are dropped. At least 1 */
	/* Losses one by one, and in bursts (Gilbert, Elliott): in the bad state, entered and left
	 * with the probabilities below before each frame, bad_loss replaces loss. */
	uint32_t loss_ppm;
	uint32_t bad_enter_ppm, bad_leave_ppm, bad_loss_ppm;
	/* A frame that is held back reorder_ns longer than its turn, while others pass it. */
	uint32_t reorder_ppm;
	uint64_t reorder_ns;
	uint32_t duplicate_ppm;
	uint32_t corrupt_ppm; /* one bit of the frame is flipped: any checksum over it notices */
};

struct sim_stats {
	uint64_t arrived, given;
	uint64_t lost;          /* by loss_ppm and bad_loss_ppm */
	uint64_t queue_dropped; /* over queue_bytes or max_frames */
	uint64_t too_large;     /* over max_frame_bytes */
	uint64_t marked;        /* over mark_bytes */
	uint64_t reordered, duplicated, corrupted;
	uint32_t queue_peak_bytes; /* that waited for the bandwidth at most, since the last
				      sim_configure() */
	uint64_t no_buffer;        /* copies that were not made since rx_pool was empty */
};

/* Wraps `inner`, which the new link owns from then on. 0; -EINVAL (max_frames is 0, a probability
 * is over a million, or a queue of 0 bytes behind a bandwidth) or -ENOMEM: inner is then still the
 * caller's. */
int sim_wrap(struct link **out, struct link *inner, const struct sim_config *cfg);

/* Changes the faults while it runs; frames on their way keep their times. seed and max_frames stay
 * as they were. 0 or -EINVAL. */
int sim_configure(struct link *sim, const struct sim_config *cfg);

const struct sim_stats *sim_stats(const struct link *sim); /* valid as long as the link */

#endif
