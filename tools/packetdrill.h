/* packetdrill.h - what the original packetdrill asks of a shared object that it is given with
 * --so_filename: a table of functions, in its order and with its types. libdemi_packetdrill.so
 * fills it in, so that the scripts of others run against the stack with the tool that they were
 * written for:
 *
 *	packetdrill --so_filename=build/libdemi_packetdrill.so SCRIPT
 *
 * All functions take `userdata` first and then the arguments of the POSIX call of their name; they
 * return -1 and set errno on failure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PACKETDRILL_H
#define TOOLS_PACKETDRILL_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *ud); /* no call may be under way */
	int (*socket)(void *ud, int domain, int type, int protocol);
	int (*bind)(void *ud, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *ud, int fd, int backlog);
	int (*accept)(void *ud, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *ud, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *ud, int fd, void *buf, size_t n);
	ssize_t (*readv)(void *ud, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *ud, int fd, void *buf, size_t n, int flags);
	ssize_t (*recvfrom)(void *ud, int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
			    socklen_t *len);
	ssize_t (*recvmsg)(void *ud, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *ud, int fd, const void *buf, size_t n);
	ssize_t (*writev)(void *ud, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *ud, int fd, const void *buf, size_t n, int flags);
	ssize_t (*sendto)(void *ud, int fd, const void *buf, size_t n, int flags,
			  const struct sockaddr *addr, socklen_t len);
	ssize_t (*sendmsg)(void *ud, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *ud, int fd, int command, ...);
	int (*ioctl)(void *ud, int fd, unsigned long request, ...);
	int (*close)(void *ud, int fd);
	int (*shutdown)(void *ud, int fd, int how);
	int (*getsockopt)(void *ud, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(void *ud, int fd, int level, int name, const void *value, socklen_t len);
	int (*poll)(void *ud, struct pollfd *fds, nfds_t n, int timeout_ms);
	/* An IP packet for the stack. 0 or -1. */
	int (*netdev_send)(void *ud, const void *packet, size_t n);
	/* The next IP packet of the stack, and when it was sent. *n is the room and then the
	 * length, 0 for none. */
	int (*netdev_receive)(void *ud, void *packet, size_t *n, long long *time_us);
	int (*usleep)(void *ud, useconds_t us);
	int (*gettimeofday)(void *ud, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *ud, int size);
	int (*epoll_ctl)(void *ud, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *ud, int epfd, struct epoll_event *events, int n, int timeout_ms);
	int (*pipe)(void *ud, int fds[2]);
	int (*splice)(void *ud, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t n,
		      unsigned flags);
};

/* The one symbol of the shared object. flags: what packetdrill got with --so_flags, "name=value"
 * joined by commas: mtu=N, local_ip=A, gateway_ip=A, prefix_len=N, seed=N; NULL or "": 1500,
 * 192.168.0.1, 192.168.0.2, 16, 1. On flags that make no sense a line goes to standard error and
 * all functions fail. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);

#endif
