/* yardstick.h - what the yardsticks share: programs that do by hand, and as fast as plain C does
 * it, what the library is measured against. Errors end them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_YARDSTICK_H
#define BENCH_YARDSTICK_H

#include <stdint.h>

struct histogram;

/* Ends the program with what failed and errno's text. */
_Noreturn void die(const char *what);

uint64_t now_ns(void);

/* A TCP listener at a port of 127.0.0.1, or of the address in YARDSTICK_ADDRESS; prints "port N"
 * when it listens. */
int listen_at(int port);

/* A connection to a port there; the second is made fast. */
int connect_blocking(int port);
int connect_to(int port);

/* Makes a connection non-blocking, and send small messages at once. */
void make_fast(int fd);

/* One line: messages=N p50_ns=N p99_ns=N rate=N. */
void print_result(const struct histogram *h, uint64_t elapsed_ns);

#endif
