/* kernel_peer.h - the other side of a connection, played by the test with plain kernel sockets, so
 * that it can misbehave.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_ECHO_KERNEL_PEER_H
#define TESTS_ECHO_KERNEL_PEER_H

#include <pthread.h>
#include <stddef.h>

/* What a server does with its connection number `nth`, from 0 on; it closes fd itself. */
typedef void (*kernel_act)(int fd, int nth);

struct kernel_server {
	int fd, port;
	kernel_act act; /* NULL: there is no thread */
	pthread_t thread;
};

/* Listens on a port of 127.0.0.1 that it chooses. */
void kernel_server_open(struct kernel_server *s);

/* Waits for a connection. */
int kernel_server_accept(struct kernel_server *s);

/* Gives one connection after the other to `act`, in a thread; so `act` may not assert anything. */
void kernel_server_start(struct kernel_server *s, kernel_act act);

/* Waits until the connection that a thread serves has ended, and closes the listener. */
void kernel_server_stop(struct kernel_server *s);

/* A connection to a port of 127.0.0.1. Calls on it fail the test after a while. */
int kernel_connect(int port);

/* Reads up to n bytes, until there are n or the end. How many. */
size_t kernel_read(int fd, void *bytes, size_t n);

/* Writes n bytes; a peer that has gone is no failure. */
void kernel_write(int fd, const void *bytes, size_t n);

/* Sends `n` bytes and reads them back, and fails the test when they are others. */
void kernel_check_echo(int fd, size_t n);

/* Sends back all that comes, until the end or `limit` bytes. How many. */
size_t kernel_echo(int fd, size_t limit);

/* Closes with a reset. */
void kernel_reset(int fd);

#endif
