/* kernel_peer.c - see kernel_peer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernel_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 60, BACKLOG = 128 };

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void be_impatient(int fd)
{
	struct timeval limit = {.tv_sec = PATIENCE_S};
	int yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

void kernel_server_open(struct kernel_server *s)
{
	struct sockaddr_in a = loopback(0);
	socklen_t size = sizeof(a);

	*s = (struct kernel_server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(s->fd >= 0);
	be_impatient(s->fd);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(s->fd, BACKLOG), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	s->port = ntohs(a.sin_port);
}

int kernel_server_accept(struct kernel_server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		be_impatient(fd);
	return fd;
}

/* Until the listener is shut down. */
static void *serve(void *arg)
{
	struct kernel_server *s = arg;
	int fd;

	for (int nth = 0; (fd = kernel_server_accept(s)) >= 0; nth++)
		s->act(fd, nth);
	return NULL;
}

void kernel_server_start(struct kernel_server *s, kernel_act act)
{
	s->act = act;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void kernel_server_stop(struct kernel_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	if (s->act)
		pthread_join(s->thread, NULL);
	close(s->fd);
}

int kernel_connect(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	be_impatient(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

size_t kernel_read(int fd, void *bytes, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while (got < n && (r = read(fd, (char *)bytes + got, n - got)) > 0)
		got += (size_t)r;
	return got;
}

void kernel_write(int fd, const void *bytes, size_t n)
{
	size_t done = 0;
	ssize_t r;

	while (done < n && (r = send(fd, (const char *)bytes + done, n - done, MSG_NOSIGNAL)) > 0)
		done += (size_t)r;
}

void kernel_check_echo(int fd, size_t n)
{
	char *sent = malloc(n), *got = malloc(n);

	assert_non_null(sent);
	assert_non_null(got);
	for (size_t i = 0; i < n; i++)
		sent[i] = (char)(i * 7);
	kernel_write(fd, sent, n);
	assert_int_equal(kernel_read(fd, got, n), n);
	assert_memory_equal(sent, got, n);
	free(sent);
	free(got);
}

size_t kernel_echo(int fd, size_t limit)
{
	char bytes[4096];
	size_t done = 0;
	ssize_t r;

	while (done < limit) {
		size_t room = limit - done < sizeof(bytes) ? limit - done : sizeof(bytes);

		r = read(fd, bytes, room);
		if (r <= 0)
			break;
		kernel_write(fd, bytes, (size_t)r);
		done += (size_t)r;
	}
	return done;
}

void kernel_reset(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
