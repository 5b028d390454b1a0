/* demi/libos.h - PDPIX: sockets as queues of messages.
 *
 * Every call returns 0 or a positive errno; none sets errno, none blocks but the waits of
 * demi/wait.h. State is per thread: each thread that calls demi_init() has its own queues.
 * Before that, every call gives ENOSYS. A call on a descriptor that is not open gives EBADF.
 * The manual page of each call has all its errors.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_LIBOS_H
#define DEMI_LIBOS_H

#include <demi/cc.h>
#include <demi/sga.h>
#include <demi/types.h>
#include <demi/wait.h>

DEMI_BEGIN_DECLS

/* Makes this thread's instance, on the library operating system that the environment variable LIBOS
 * names (catnap when it is not set). args may be NULL; it is borrowed for the call.
 * EEXIST: this thread has one. EINVAL: bad configuration or unknown LIBOS; a line on standard
 * error says what to change. */
int demi_init(const struct demi_args *args);

/* Makes a socket and writes its descriptor, 500 or more, to *sockqd_out. domain is AF_INET, type
 * SOCK_STREAM or SOCK_DGRAM, protocol 0 or the one of the type. EINVAL: sockqd_out is NULL.
 * ENOTSUP: another domain, type or protocol. EMFILE: no descriptor is left. */
int demi_socket(int *sockqd_out, int domain, int type, int protocol);

/* Binds to a local address. Port 0 chooses one; INADDR_ANY is every local address.
 * EINVAL: bound already, addr is NULL or size is wrong. EADDRINUSE, EADDRNOTAVAIL, EISCONN,
 * ENOTSUP. */
int demi_bind(int sockqd, const struct sockaddr *addr, socklen_t size);

/* Makes a bound stream socket a listener that holds up to `backlog` connections not yet accepted.
 * EINVAL: backlog < 1. EDESTADDRREQ: not bound. EADDRINUSE: listening or connecting already.
 * EISCONN. */
int demi_listen(int sockqd, int backlog);

/* Starts to accept one connection. The result's qr_qd is the listener, ares the new descriptor and
 * its peer. EINVAL: qt_out is NULL or the socket does not listen. EMFILE, ENOMEM. */
int demi_accept(demi_qtoken_t *qt_out, int sockqd);

/* Starts to connect; a datagram socket gets a default destination and a filter on the sender.
 * EINVAL, EOPNOTSUPP: the socket listens. EINPROGRESS, EISCONN: connecting or connected already.
 * ENOTSUP, ENOMEM. */
int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr, socklen_t size);

/* Closes a descriptor at once, without waiting for the peer: what pushes have completed is still
 * sent. Operations pending on it complete as DEMI_OPC_FAILED with EBADF. EBADF: not open. */
int demi_close(int qd);

/* Starts to send one message; the segment must lie inside the memory of the sga. The sga stays the
 * caller's and may be given back at once, but its bytes may not change until the push completes.
 * EINVAL: qt_out or sga is NULL, or the sga is not valid. ENOTCONN, EDESTADDRREQ, ENOMEM. */
int demi_push(demi_qtoken_t *qt_out, int qd, const demi_sgarray_t *sga);

/* demi_push() of one datagram to a destination; over a TCP connection to its peer. EINVAL, ENOTSUP,
 * ENOTCONN, ENOMEM. */
int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
		const struct sockaddr *dest, socklen_t size);

/* Starts to receive. The result's sga is the caller's, to be given back with demi_sgafree(); on a
 * stream a length of 0 is the end. EINVAL: qt_out is NULL. ENOTCONN, EDESTADDRREQ: an unbound
 * datagram socket. ENOMEM. */
int demi_pop(demi_qtoken_t *qt_out, int qd);

/* Socket options with the kernel's names and units; see demi_setsockopt(3) for those that exist.
 * EINVAL: optval or optlen. ENOTSUP: unknown level. ENOPROTOOPT: unknown option. */
int demi_setsockopt(int qd, int level, int optname, const void *optval, socklen_t optlen);
int demi_getsockopt(int qd, int level, int optname, void *optval, socklen_t *optlen);

/* The peer's and the own address. *addrlen must be 16 and stays so. EINVAL. ENOTCONN. */
int demi_getpeername(int qd, struct sockaddr *addr, socklen_t *addrlen);
int demi_getsockname(int qd, struct sockaddr *addr, socklen_t *addrlen);

DEMI_END_DECLS

#endif
