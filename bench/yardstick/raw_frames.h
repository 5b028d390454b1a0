/* raw_frames.h - frames over an interface by hand, for raw_echo.c: raw_packet.c and raw_xdp.c. No
 * more than a ping-pong and a stream one way need. Errors end the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_RAW_FRAMES_H
#define BENCH_RAW_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { RAW_MAX_BYTES = 1514 };

enum { RAW_FEW_SLOTS = 64, RAW_MANY_SLOTS = 1024 };

/* addr: the IPv4 address, host order, that frames to us have. slots: of each ring, a power of two:
 * few stay in the caches, many take a stream. */
void raw_open(const char *interface, uint32_t addr, unsigned slots);

/* Puts a frame into the ring; waits for room. */
void raw_put(const void *frame, size_t len);

/* One system call: what was put has left when this returns. */
void raw_flush(void);

/* Copies a frame that has come; its bytes, 0: none has. */
size_t raw_try_receive(void *frame);

static inline void raw_send(const void *frame, size_t len)
{
	raw_put(frame, len);
	raw_flush();
}

enum { RAW_BURST = 32 };

/* Sends a frame so many times in one burst, with one system call. */
static inline void raw_send_burst(const void *frame, size_t len)
{
	for (int i = 0; i < RAW_BURST; i++)
		raw_put(frame, len);
	raw_flush();
}

/* Spins until one has come. */
static inline size_t raw_receive(void *frame)
{
	size_t len;

	do
		len = raw_try_receive(frame);
	while (len == 0);
	return len;
}

#endif
