/* kernel_call.h - the two calls that each message takes, without what the C library puts around
 * them.
 *
 * In a program of several threads glibc makes recv() and send() points of cancellation by two
 * atomic exchanges, on the way that a message is waited for. A call that never blocks needs none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_KERNEL_CALL_H
#define LIBOS_KERNEL_CALL_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* As recv(fd, data, n, MSG_DONTWAIT): errno is set. */
static inline ssize_t kernel_call_recv(int fd, void *data, size_t n)
{
	return syscall(SYS_recvfrom, fd, data, n, MSG_DONTWAIT, NULL, NULL);
}

/* As send(fd, data, n, flags) of a non-blocking descriptor: errno is set. */
static inline ssize_t kernel_call_send(int fd, const void *data, size_t n, int flags)
{
	return syscall(SYS_sendto, fd, data, n, flags, NULL, 0);
}

#endif
