/* tcp_option.c - socket options with the kernel's levels, names, types and units: socket(7),
 * tcp(7).
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_receive.h"
#include "inet/tcp_table.h"
#include "inet/tcp_timer.h"
#include <errno.h>
#include <linux/tcp.h> /* the names of options; netinet/tcp.h names states as we do */
#include <sys/socket.h>

enum { TCP_CA_NAME_MAX = 16 }; /* of linux/net/tcp.h: bytes of a congestion control's name */

static int get_int(const void *val, uint32_t len, int *out)
{
	if (len < sizeof(*out))
		return -EINVAL;
	memcpy(out, val, sizeof(*out));
	return 0;
}

static uint32_t clamp_buffer(int bytes)
{
	if (bytes < TCP_BUFFER_MIN_BYTES)
		return TCP_BUFFER_MIN_BYTES;
	return bytes < TCP_BUFFER_MAX_BYTES ? (uint32_t)bytes : TCP_BUFFER_MAX_BYTES;
}

static int set_linger(struct tcp_cb *cb, const void *val, uint32_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, val, sizeof(l));
	if (l.l_linger < 0 || l.l_linger > UINT16_MAX)
		return -EINVAL;
	cb->linger = l.l_onoff != 0;
	cb->linger_s = (uint16_t)l.l_linger;
	return 0;
}

/* As the kernel does it: a name, ended by its length or a zero. */
static int set_congestion(struct tcp_cb *cb, const char *name, uint32_t len)
{
	const struct tcp_cc *cc = tcp_cc_find(name, strnlen(name, len));

	if (cc == NULL)
		return -ENOENT;
	tcp_cc_change(cb, cc);
	return 0;
}

static int set_socket_option(struct tcp_cb *cb, int name, int v)
{
	switch (name) {
	case SO_REUSEADDR: /* always so: a port in TIME-WAIT may be bound */
		return 0;
	case SO_REUSEPORT:
		cb->sock.reuse_port = v != 0;
		return 0;
	case SO_KEEPALIVE:
		cb->keepalive = v != 0;
		tcp_timer_start_life(cb);
		return 0;
	case SO_SNDBUF:
		cb->send_limit = clamp_buffer(v);
		tcp_update_message_max(cb);
		return 0;
	case SO_RCVBUF: /* the scale of the window is agreed on in the SYN */
		tcp_receive_limit(cb, clamp_buffer(v));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_seconds(uint32_t *ms, int v)
{
	if (v < 1 || v > 32767)
		return -EINVAL;
	*ms = (uint32_t)v * 1000;
	return 0;
}

static int set_tcp_option(struct tcp_cb *cb, int name, int v)
{
	int r;

	switch (name) {
	case TCP_NODELAY:
		cb->nagle = v == 0;
		return 0;
	case TCP_MAXSEG:
		if (v < TCP_MSS_FLOOR || v > UINT16_MAX)
			return -EINVAL;
		cb->user_mss = (uint16_t)v;
		return 0;
	case TCP_KEEPIDLE:
		r = set_seconds(&cb->keepalive_idle_ms, v);
		tcp_timer_start_life(cb);
		return r;
	case TCP_KEEPINTVL:
		return set_seconds(&cb->keepalive_interval_ms, v);
	case TCP_KEEPCNT:
		if (v < 1 || v > 127)
			return -EINVAL;
		cb->keepalive_probes = (uint8_t)v;
		return 0;
	case TCP_USER_TIMEOUT:
		if (v < 0)
			return -EINVAL;
		cb->user_timeout_ms = (uint32_t)v;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_setsockopt(struct sock *k, int level, int name, const void *val, uint32_t len)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	int v, r;

	if (level != SOL_SOCKET && level != IPPROTO_TCP)
		return -ENOTSUP;
	if (level == SOL_SOCKET && name == SO_LINGER)
		return set_linger(cb, val, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return set_congestion(cb, val, len);
	r = get_int(val, len, &v);
	if (r != 0)
		return r;
	return level == SOL_SOCKET ? set_socket_option(cb, name, v) : set_tcp_option(cb, name, v);
}

static int get_socket_option(const struct tcp_cb *cb, int name, int *v)
{
	switch (name) {
	case SO_REUSEADDR:
		*v = 1;
		return 0;
	case SO_REUSEPORT:
		*v = cb->sock.reuse_port;
		return 0;
	case SO_KEEPALIVE:
		*v = cb->keepalive;
		return 0;
	case SO_SNDBUF:
		*v = (int)cb->send_limit;
		return 0;
	case SO_RCVBUF:
		*v = (int)cb->recv_limit;
		return 0;
	case SO_ERROR:
		*v = -cb->sock.error;
		return 0;
	case SO_TYPE:
		*v = SOCK_STREAM;
		return 0;
	case SO_ACCEPTCONN:
		*v = cb->state == TCP_LISTEN;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_tcp_option(const struct tcp_cb *cb, int name, int *v)
{
	switch (name) {
	case TCP_NODELAY:
		*v = !cb->nagle;
		return 0;
	case TCP_MAXSEG:
		*v = (int)(cb->mss != 0 ? cb->mss : TCP_MSS_DEFAULT);
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)(cb->keepalive_idle_ms / 1000);
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)(cb->keepalive_interval_ms / 1000);
		return 0;
	case TCP_KEEPCNT:
		*v = cb->keepalive_probes;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = (int)cb->user_timeout_ms;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* As the kernel does it: no more than *len bytes are written, and *len says how many. */
static void give(void *val, uint32_t *len, const void *from, uint32_t bytes)
{
	if (*len > bytes)
		*len = bytes;
	memcpy(val, from, *len);
}

int tcp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len)
{
	const struct tcp_cb *cb = tcp_cb_of(k);
	int v, r;

	if (level != SOL_SOCKET && level != IPPROTO_TCP)
		return -ENOTSUP;
	if (level == SOL_SOCKET && name == SO_LINGER) {
		struct linger l = {cb->linger, cb->linger_s};

		give(val, len, &l, sizeof(l));
		return 0;
	}
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		char cc[TCP_CA_NAME_MAX] = {0};

		strncpy(cc, cb->cc->name, sizeof(cc) - 1);
		give(val, len, cc, sizeof(cc));
		return 0;
	}
	r = level == SOL_SOCKET ? get_socket_option(cb, name, &v) : get_tcp_option(cb, name, &v);
	if (r == 0)
		give(val, len, &v, sizeof(v));
	return r;
}
