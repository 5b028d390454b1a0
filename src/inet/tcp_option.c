/* tcp_option.c - socket options with the kernel's levels, names, types and units: socket(7),
 * tcp(7).
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_info.h"
#include "inet/tcp_pace.h"
#include "inet/tcp_receive.h"
#include "inet/tcp_table.h"
#include "inet/tcp_timer.h"
#include <errno.h>
#include <linux/tcp.h> /* the names of options; netinet/tcp.h names states as we do */
#include <sys/socket.h>

/* Of linux/net/tcp.h. */
enum {
	TCP_CA_NAME_MAX = 16, /* bytes of a congestion control's name */
	USER_MSS_MAX = 32767, /* bytes of a segment that a program may ask for */
};

static int get_int(const void *val, uint32_t len, int *out)
{
	if (len < sizeof(*out))
		return -EINVAL;
	memcpy(out, val, sizeof(*out));
	return 0;
}

/* Below 0 is as much as there is, as with the kernel. */
static uint32_t clamp_buffer(int bytes)
{
	if (bytes < 0 || bytes > TCP_BUFFER_MAX_BYTES)
		return TCP_BUFFER_MAX_BYTES;
	return bytes > TCP_BUFFER_MIN_BYTES ? (uint32_t)bytes : TCP_BUFFER_MIN_BYTES;
}

/* As the kernel does it: any time, and below 0 is for ever. More than fits is 18 hours here. */
static int set_linger(struct tcp_cb *cb, const void *val, uint32_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, val, sizeof(l));
	cb->linger = l.l_onoff != 0;
	cb->linger_s =
	    l.l_linger < 0 || l.l_linger > UINT16_MAX ? UINT16_MAX : (uint16_t)l.l_linger;
	return 0;
}

/* As the kernel does it: a name, ended by its length or a zero. */
static int set_congestion(struct tcp_cb *cb, const char *name, uint32_t len)
{
	const struct tcp_cc *cc;

	if (len == 0)
		return -EINVAL;
	cc = tcp_cc_find(name, strnlen(name, len));
	if (cc == NULL)
		return -ENOENT;
	tcp_cc_change(cb, cc);
	return 0;
}

/* As the kernel does it: of 32 or of 64 bits, all of which set are no bound. */
static int set_pacing_rate(struct tcp_cb *cb, const void *val, uint32_t len)
{
	uint64_t rate = 0;
	int v, r;

	if (len >= sizeof(rate)) {
		memcpy(&rate, val, sizeof(rate));
		tcp_pace_set_rate(cb, rate);
		return 0;
	}
	r = get_int(val, len, &v);
	if (r == 0)
		tcp_pace_set_rate(cb, (uint32_t)v == UINT32_MAX ? UINT64_MAX : (uint32_t)v);
	return r;
}

static int set_socket_option(struct tcp_cb *cb, int name, int v)
{
	switch (name) {
	case SO_REUSEADDR: /* a port in TIME-WAIT may be bound in any case */
		cb->reuse_address = v != 0;
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
		cb->send_grows = false; /* it does not grow by itself any more */
		tcp_update_message_max(cb);
		return 0;
	case SO_RCVBUF: /* the scale of the window is agreed on in the SYN */
		tcp_receive_limit(cb, clamp_buffer(v));
		cb->recv_grows = false;
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

/* What Nagle's algorithm has held back goes now (tcp(7)). */
static void set_nodelay(struct tcp_cb *cb, bool on)
{
	cb->nagle = !on;
	if (on && tcp_synchronized(cb))
		tcp_output_request(cb);
}

/* Until it is switched off again, unlike the kernel's, which is free to forget it. */
static void set_quick_ack(struct tcp_cb *cb, bool on)
{
	cb->quick_ack = on;
	if (on && cb->ack_need != TCP_ACK_NONE)
		tcp_ack_now(cb);
}

/* Counts in the SYN; 0: what the path takes. */
static int set_mss(struct tcp_cb *cb, int v)
{
	if (v != 0 && (v < TCP_MSS_FLOOR || v > USER_MSS_MAX))
		return -EINVAL;
	cb->user_mss = (uint16_t)v;
	return 0;
}

static int set_tcp_option(struct tcp_cb *cb, int name, int v)
{
	int r;

	switch (name) {
	case TCP_NODELAY:
		set_nodelay(cb, v != 0);
		return 0;
	case TCP_QUICKACK:
		set_quick_ack(cb, v != 0);
		return 0;
	case TCP_MAXSEG:
		return set_mss(cb, v);
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
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE)
		return set_pacing_rate(cb, val, len);
	r = get_int(val, len, &v);
	if (r != 0)
		return r;
	return level == SOL_SOCKET ? set_socket_option(cb, name, v) : set_tcp_option(cb, name, v);
}

static int get_socket_option(struct tcp_cb *cb, int name, int *v)
{
	switch (name) {
	case SO_REUSEADDR:
		*v = cb->reuse_address;
		return 0;
	case SO_REUSEPORT:
		*v = cb->sock.reuse_port;
		return 0;
	case SO_KEEPALIVE:
		*v = cb->keepalive;
		return 0;
	case SO_SNDBUF: /* twice what was set, as the kernel: it is memory, not payload */
		*v = (int)(2 * cb->send_limit);
		return 0;
	case SO_RCVBUF:
		*v = (int)(2 * cb->recv_limit);
		return 0;
	case SO_ERROR: /* once; what the program does next fails with it all the same */
		*v = cb->error_told ? 0 : -cb->sock.error;
		cb->error_told = *v != 0 || cb->error_told;
		return 0;
	case SO_DOMAIN:
		*v = AF_INET;
		return 0;
	case SO_TYPE:
		*v = SOCK_STREAM;
		return 0;
	case SO_PROTOCOL:
		*v = IPPROTO_TCP;
		return 0;
	case SO_ACCEPTCONN:
		*v = cb->state == TCP_LISTEN;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_mss(const struct tcp_cb *cb)
{
	if (cb->user_mss != 0 && !tcp_synchronized(cb))
		return cb->user_mss;
	return (int)(cb->mss != 0 ? cb->mss : TCP_MSS_DEFAULT);
}

static int to_seconds(uint32_t ms)
{
	return (int)((ms + 999) / 1000);
}

static int get_tcp_option(const struct tcp_cb *cb, int name, int *v)
{
	switch (name) {
	case TCP_NODELAY:
		*v = !cb->nagle;
		return 0;
	case TCP_MAXSEG:
		*v = get_mss(cb);
		return 0;
	case TCP_QUICKACK:
		*v = cb->quick_ack;
		return 0;
	case TCP_KEEPIDLE:
		*v = to_seconds(cb->keepalive_idle_ms);
		return 0;
	case TCP_KEEPINTVL:
		*v = to_seconds(cb->keepalive_interval_ms);
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

static void give_pacing_rate(const struct tcp_cb *cb, void *val, uint32_t *len)
{
	uint64_t rate = cb->max_pacing_rate;
	uint32_t most = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;

	if (*len >= sizeof(rate))
		give(val, len, &rate, sizeof(rate));
	else
		give(val, len, &most, sizeof(most));
}

/* The options that are more than a number. -ENOPROTOOPT: none of them. */
static int get_structure(const struct tcp_cb *cb, int level, int name, void *val, uint32_t *len)
{
	const struct linger l = {cb->linger, cb->linger_s};
	char cc[TCP_CA_NAME_MAX] = {0};
	struct tcp_info info;

	if (level == SOL_SOCKET && name == SO_LINGER) {
		give(val, len, &l, sizeof(l));
	} else if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		strncpy(cc, cb->cc->name, sizeof(cc) - 1);
		give(val, len, cc, sizeof(cc));
	} else if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE) {
		give_pacing_rate(cb, val, len);
	} else if (level == IPPROTO_TCP && name == TCP_INFO) {
		tcp_info_fill(cb, &info);
		give(val, len, &info, sizeof(info));
	} else {
		return -ENOPROTOOPT;
	}
	return 0;
}

int tcp_getsockopt(struct sock *k, int level, int name, void *val, uint32_t *len)
{
	struct tcp_cb *cb = tcp_cb_of(k);
	int v, r;

	if (level != SOL_SOCKET && level != IPPROTO_TCP)
		return -ENOTSUP;
	r = get_structure(cb, level, name, val, len);
	if (r != -ENOPROTOOPT)
		return r;
	r = level == SOL_SOCKET ? get_socket_option(cb, name, &v) : get_tcp_option(cb, name, &v);
	if (r == 0)
		give(val, len, &v, sizeof(v));
	return r;
}

void tcp_copy_options(struct sock *to, const struct sock *other)
{
	const struct tcp_cb *from = tcp_cb_of(other);
	struct tcp_cb *cb = tcp_cb_of(to);

	cb->nagle = from->nagle;
	cb->quick_ack = from->quick_ack;
	cb->keepalive = from->keepalive;
	cb->keepalive_idle_ms = from->keepalive_idle_ms;
	cb->keepalive_interval_ms = from->keepalive_interval_ms;
	cb->keepalive_probes = from->keepalive_probes;
	cb->user_timeout_ms = from->user_timeout_ms;
	cb->user_mss = from->user_mss;
	cb->cc = from->cc;
	cb->paced = from->paced;
	cb->max_pacing_rate = from->max_pacing_rate;
	cb->linger = from->linger;
	cb->linger_s = from->linger_s;
	cb->send_limit = from->send_limit;
	cb->recv_limit = from->recv_limit;
	cb->send_grows = from->send_grows;
	cb->recv_grows = from->recv_grows;
	cb->reuse_address = from->reuse_address;
	cb->sock.reuse_port = from->sock.reuse_port;
}
