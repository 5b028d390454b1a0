/* raw_frames.h - frames over an interface by hand, for raw_echo.c: raw_packet.c and raw_xdp.c. No
 * more than a ping-pong needs: one frame is on its way at a time. Errors end the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_RAW_FRAMES_H
#define BENCH_RAW_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { RAW_MAX_BYTES = 1514 };

/* addr: the IPv4 address, host order, that frames to us have. */
void raw_open(const char *interface, uint32_t addr);

/* Sends a frame; it has left when this returns. */
void raw_send(const void *frame, size_t len);

/* Spins until a frame has come, and copies it; its bytes. */
size_t raw_receive(void *frame);

#endif
