/* kernel_option.c - catnap: socket options. Most are the kernel's; those that would change how this
 * libOS reads and writes (time-outs, low-water marks) do not exist here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/kernel.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { CAN_GET = 1 << 0, CAN_SET = 1 << 1 };

static int access_of_socket(int name)
{
	switch (name) {
	case SO_BROADCAST:
	case SO_BUSY_POLL:
	case SO_DONTROUTE:
	case SO_INCOMING_CPU:
	case SO_KEEPALIVE:
	case SO_MARK:
	case SO_MAX_PACING_RATE:
	case SO_PRIORITY:
	case SO_RCVBUF:
	case SO_REUSEADDR:
	case SO_REUSEPORT:
	case SO_SNDBUF:
		return CAN_GET | CAN_SET;
	case SO_ACCEPTCONN:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_PROTOCOL:
	case SO_TYPE:
		return CAN_GET;
	default:
		return 0;
	}
}

static int access_of_tcp(int name)
{
	switch (name) {
	case TCP_CONGESTION:
	case TCP_DEFER_ACCEPT:
	case TCP_KEEPCNT:
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_MAXSEG:
	case TCP_NODELAY:
	case TCP_NOTSENT_LOWAT:
	case TCP_QUICKACK:
	case TCP_SYNCNT:
	case TCP_USER_TIMEOUT:
	case TCP_WINDOW_CLAMP:
		return CAN_GET | CAN_SET;
	case TCP_INFO:
		return CAN_GET;
	default:
		return 0;
	}
}

/* 0: this option may be read or set, as `want` says. */
static int check(const struct queue *queue, int level, int name, int want)
{
	int can;

	if (level == SOL_SOCKET)
		can = access_of_socket(name);
	else if (level == IPPROTO_TCP)
		can = queue->type == QUEUE_TCP ? access_of_tcp(name) : 0;
	else
		return -ENOTSUP;
	return (can & want) != 0 ? 0 : -ENOPROTOOPT;
}

static int set_linger(struct kernel_queue *q, const void *val, uint32_t len)
{
	struct linger linger;

	if (len < sizeof(linger))
		return -EINVAL;
	memcpy(&linger, val, sizeof(linger));
	q->linger_on = linger.l_onoff != 0;
	q->linger_s = linger.l_linger;
	return 0;
}

static int get_linger(const struct kernel_queue *q, void *val, uint32_t *len)
{
	struct linger linger = {.l_onoff = q->linger_on, .l_linger = q->linger_s};

	if (*len > sizeof(linger))
		*len = sizeof(linger);
	memcpy(val, &linger, *len);
	return 0;
}

int kernel_setsockopt(struct queue *queue, int level, int name, const void *val, uint32_t len)
{
	struct kernel_queue *q = kernel_queue_of(queue);
	int rc;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return set_linger(q, val, len);
	rc = check(queue, level, name, CAN_SET);
	if (rc != 0)
		return rc;
	if (setsockopt(q->fd, level, name, val, len) != 0)
		return -errno;
	if (level == SOL_SOCKET && name == SO_REUSEADDR) {
		int on;

		memcpy(&on, val, sizeof(on));
		q->reuse = on ? REUSE_ON : REUSE_OFF;
	}
	return 0;
}

int kernel_getsockopt(struct queue *queue, int level, int name, void *val, uint32_t *len)
{
	struct kernel_queue *q = kernel_queue_of(queue);
	int rc;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return get_linger(q, val, len);
	rc = check(queue, level, name, CAN_GET);
	if (rc != 0)
		return rc;
	if (getsockopt(q->fd, level, name, val, len) != 0)
		return -errno;
	if (level == SOL_SOCKET && name == SO_ERROR && *len == sizeof(int)) {
		int err;

		/* The kernel tells it once; the operations to come are to know of it too. */
		memcpy(&err, val, sizeof(err));
		if (q->established && err != 0)
			q->error = -err;
	}
	return 0;
}
