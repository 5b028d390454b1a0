/* trace.h - what passed on the wires of a simulation: a hash over all frames with their times and
 * places, equal for equal runs, and on request a capture.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "mem/frame.h"
#include <stdint.h>
#include <stdio.h>

struct trace {
	uint64_t hash;
	uint64_t frames, bytes;
	FILE *pcap; /* NULL: no capture. Borrowed */
};

/* A hash of len bytes and of `seed`. Not keyed: for comparing runs. */
uint64_t trace_bytes(uint64_t seed, const uint8_t *p, uint32_t len);

/* The bytes of a frame, head and fragments. */
uint64_t trace_frame_hash(uint64_t seed, const struct frame *f);

/* A frame was handed to the link by `host`, or given to it. */
void trace_sent(struct trace *t, uint64_t now_ns, unsigned host, const struct frame *f);
void trace_received(struct trace *t, uint64_t now_ns, unsigned host, const struct buf *b);

#endif
