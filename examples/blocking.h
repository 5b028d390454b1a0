/* blocking.h - one operation at a time: each function starts an operation and waits for its end.
 *
 * This is the simplest way to use the library. Programs with more than one thing going on keep
 * their tokens instead, and wait for any of them: see tcp_echo_server.c.
 *
 * All return 0 or a positive errno, whether the call was refused or the operation failed later;
 * EINTR when the user interrupted it (interrupt.h). They complain about errors themselves, but for
 * blocking_wait().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_BLOCKING_H
#define EXAMPLES_BLOCKING_H

#include <demi/libos.h>
#include <stdint.h>

/* No limit for blocking_wait(). */
#define BLOCKING_FOREVER UINT32_MAX

/* Waits until `qt` completes, or ETIMEDOUT after limit_ms; then it is still in flight. */
int blocking_wait(demi_qresult_t *qr, demi_qtoken_t qt, uint32_t limit_ms);

/* demi_init(), for this thread. */
int blocking_init(void);

/* Makes a TCP socket that listens, and prints "INFO: listening on IP:PORT". */
int blocking_listen(int *listener_out, const struct sockaddr_in *local);

int blocking_accept(int *qd_out, int listener);

/* Makes a TCP socket and connects it. */
int blocking_connect(int *qd_out, const struct sockaddr_in *remote);

/* Makes a UDP socket, binds it, and prints "INFO: bound to IP:PORT". */
int blocking_bind(int *qd_out, const struct sockaddr_in *local);

/* Pushes one message; with a destination on UDP, else to is NULL. The sga stays the caller's. */
int blocking_push(int qd, const demi_sgarray_t *sga, const struct sockaddr_in *to);

/* Pops what is there. The sga is the caller's. */
int blocking_pop(demi_sgarray_t *sga_out, int qd);

/* Allocates a message of `size` bytes, all of them `fill`. ENOMEM. */
int message_make(demi_sgarray_t *sga_out, size_t size, int fill);

#endif
