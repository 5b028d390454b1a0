/* inet.c - the joint of one stack and one link: the loop of stack.h, and the queues' cold calls.
 * See inet.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/entropy.h"
#include "base/finding.h"
#include "base/log.h"
#include "libos/inet_queue.h"
#include "libos/inet_share.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct inet *inet_of(struct libos *l)
{
	return container_of(l, struct inet, libos);
}

static void set_defaults_from_link(struct stack_config *cfg, const struct config *c,
				   const struct link_info *info)
{
	memcpy(cfg->mac, c->has_mac ? c->mac : info->mac, sizeof(cfg->mac));
	cfg->mtu = c->mtu ? c->mtu : info->mtu;
	cfg->offloads = info->offloads;
	/* A link that cuts without making checksums otherwise is software: it is always right. */
	if (!c->tcp_checksum_offload && !c->udp_checksum_offload && cfg->offloads & OFFLOAD_L4_CSUM)
		cfg->offloads &= ~(uint32_t)(OFFLOAD_L4_CSUM | OFFLOAD_TSO);
	cfg->max_frags = info->max_frags;
	cfg->tso_max_bytes = info->tso_max_bytes;
	cfg->pool = info->rx_pool;
}

static const char *const congestion_names[] = {
    [CONGESTION_CUBIC] = "cubic",
    [CONGESTION_RENO] = "reno",
    [CONGESTION_DCTCP] = "dctcp",
    [CONGESTION_NONE] = "none",
};

static const uint8_t ecn_modes[] = {
    [CONFIG_ECN_OFF] = STACK_ECN_OFF,
    [CONFIG_ECN_PASSIVE] = STACK_ECN_PASSIVE,
    [CONFIG_ECN_ON] = STACK_ECN_ON,
};

static const uint8_t mtu_probing_modes[] = {
    [CONFIG_MTU_OFF] = STACK_MTU_OFF,
    [CONFIG_MTU_BLACK_HOLE] = STACK_MTU_BLACK_HOLE,
    [CONFIG_MTU_ALWAYS] = STACK_MTU_ALWAYS,
};

static void set_tcp(struct stack_config *cfg, const struct config *c)
{
	cfg->mss = c->mss;
	cfg->congestion = congestion_names[c->congestion_control];
	cfg->ecn = ecn_modes[c->ecn];
	cfg->mtu_probing = mtu_probing_modes[c->mtu_probing];
	cfg->buffer_max_bytes = c->buffer_max_bytes;
	cfg->buffer_total_bytes = (uint64_t)c->buffer_total_mib << 20;
	cfg->pace_above_bytes_per_s = c->pacing_above_mbit_per_s * UINT64_C(125000);
	cfg->nagle = !c->nodelay;
	cfg->keepalive = c->keepalive;
	if (c->keepalive_time_ms)
		cfg->keepalive_idle_ms = c->keepalive_time_ms;
	if (c->keepalive_interval_ms)
		cfg->keepalive_interval_ms = c->keepalive_interval_ms;
	if (c->linger_given)
		cfg->time_wait_ms = c->time_wait_ms;
}

static void set_arp(struct stack_config *cfg, const struct config *c)
{
	if (c->arp_cache_ttl_s)
		cfg->arp_cache_ttl_s = c->arp_cache_ttl_s;
	if (c->arp_request_timeout_s)
		cfg->arp_request_timeout_ms = c->arp_request_timeout_s * 1000;
	if (c->arp_request_retries)
		cfg->arp_request_retries = c->arp_request_retries;
}

/* The mask of a network that has an address of its own and one of all its hosts; 0: it has not. */
static uint32_t network_mask(uint8_t prefix_len)
{
	return prefix_len > 0 && prefix_len < 31 ? UINT32_MAX << (32 - prefix_len) : 0;
}

/* What the configuration takes for an address may still be none that one host of its network has.
 */
static bool addr_is_hosts(const struct config *c)
{
	const uint32_t addr = ip4_get(&c->addr), mask = network_mask(c->prefix_len);

	return addr >> 24 != IN_LOOPBACKNET &&
	       (mask == 0 || ((addr & ~mask) != 0 && (addr | mask) != UINT32_MAX));
}

static void examine_address(const struct config *c, struct findings *found)
{
	const uint32_t addr = ip4_get(&c->addr), mask = network_mask(c->prefix_len);
	const uint32_t host = addr >> 24 == IN_LOOPBACKNET ? 0x0a000002 : (addr & mask) | 2;

	if (!c->has_addr) {
		findings_add(found, FINDING_ERROR, "address-missing",
			     "%s needs an own IPv4 address, and none is given", c->libos);
		findings_remedy(found, "export LOCAL_IPV4_ADDR=10.0.0.2/24, or write "
				       "demikernel.local_ipv4_addr in the configuration file");
	} else if (!addr_is_hosts(c)) {
		findings_add(found, FINDING_ERROR, "address-not-of-a-host",
			     "local_ipv4_addr is %u.%u.%u.%u/%u, which no host of a network has",
			     addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255,
			     c->prefix_len ? c->prefix_len : 32);
		findings_remedy(found,
				"export LOCAL_IPV4_ADDR=%u.%u.%u.%u/%u, or another of a host",
				host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255,
				mask ? c->prefix_len : 24);
	}
}

void inet_examine(const struct config *c, uint32_t mtu, const char *interface,
		  struct findings *found)
{
	examine_address(c, found);
	if (mtu > 0 && c->mtu > mtu) {
		findings_add(found, FINDING_ERROR, "mtu-too-large",
			     "inetstack_config.mtu is %u, and %s carries %u", c->mtu,
			     interface ? interface : "the device", mtu);
		if (interface)
			findings_remedy(found, "export MTU=%u, or sudo ip link set dev %s mtu %u",
					mtu, interface, c->mtu);
		else
			findings_remedy(found, "export MTU=%u", mtu);
	}
}

static int check_config(const struct libos_env *env, const struct link_info *info)
{
	const struct config *c = env->config;

	if (c->has_addr && addr_is_hosts(c) && c->mtu <= info->mtu)
		return 0;
	if (env->found)
		inet_examine(c, info->mtu, NULL, env->found);
	return -EINVAL;
}

static int make_stack(struct inet *in, const struct libos_env *env)
{
	const struct config *c = env->config;
	struct stack_config cfg;
	int rc = check_config(env, &in->link->info);

	if (rc < 0)
		return rc;
	stack_config_init(&cfg);
	cfg.addr = c->addr;
	cfg.prefix_len = c->prefix_len;
	cfg.gateway = c->gateway;
	set_defaults_from_link(&cfg, c, &in->link->info);
	set_tcp(&cfg, c);
	set_arp(&cfg, c);
	cfg.ports = inet_share_ports(in->link, &cfg.ports_member);
	rc = entropy_fill(cfg.key, sizeof(cfg.key));
	if (rc < 0)
		return rc;
	rc = stack_create(&in->stack, &cfg, clock_now_ns());
	for (uint32_t i = 0; rc == 0 && i < c->arp_table_len; i++)
		rc = stack_add_neighbour(in->stack, &c->arp_table[i].ip, c->arp_table[i].mac);
	if (rc < 0)
		stack_destroy(in->stack);
	return rc;
}

int inet_create(struct libos **out, const struct libos_class *class, const struct libos_env *env,
		struct link *link)
{
	struct inet *in = calloc(1, sizeof(*in));
	int rc = -ENOMEM;

	if (!in)
		goto destroy_link;
	in->libos.class = class;
	in->heap = env->heap;
	in->link = link;
	in->epoll_fd = env->epoll_fd;
	in->linger_deadline_ns = UINT64_MAX;
	list_init(&in->queues);
	list_init(&in->lingering);
	list_init(&in->sending);
	rc = make_stack(in, env);
	if (rc < 0)
		goto free_inet;
	inet_share_attach(link, in->stack);
	in->now_ns = clock_now_ns();
	in->deadline_ns = stack_next_deadline(in->stack);
	*out = &in->libos;
	return 0;

free_inet:
	free(in);
destroy_link:
	link->ops->destroy(link);
	return rc;
}

/* Frames that the link had no room for go first. False: it has none still. */
static bool flush_kept(struct inet *in, uint64_t now_ns)
{
	int n;

	if (in->kept == 0)
		return true;
	n = in->link->ops->tx(in->link, &in->frames[in->first], (int)in->kept, now_ns);
	if (n < 0) {
		in->link_lost = true; /* the next poll fails what waits */
		return false;
	}
	in->first += (unsigned)n;
	in->kept -= (unsigned)n;
	return in->kept == 0;
}

static void drop_kept(struct inet *in)
{
	for (unsigned i = in->first; i < in->first + in->kept; i++)
		frame_release(&in->frames[i]);
	in->kept = 0;
}

void inet_flush(struct inet *in, uint64_t now_ns)
{
	in->waiting = 0;
	while (!in->link_lost && flush_kept(in, now_ns)) {
		in->first = 0;
		in->kept = (unsigned)stack_output(in->stack, in->frames, LINK_BURST, now_ns);
		if (in->kept < LINK_BURST) { /* that was all: stack.h, the driver's turn */
			flush_kept(in, now_ns);
			break;
		}
	}
}

void inet_take_in(struct inet *in, uint64_t now_ns)
{
	struct buf *bufs[LINK_BURST];
	int n = in->link_lost ? 0 : in->link->ops->rx(in->link, bufs, LINK_BURST, now_ns);

	if (n < 0)
		in->link_lost = true; /* the next poll fails what waits */
	else if (n > 0)
		stack_input(in->stack, bufs, n, now_ns);
}

void inet_send_company(struct inet *in, uint64_t now_ns)
{
	if (in->link_lost || !flush_kept(in, now_ns))
		return;
	in->first = 0;
	in->kept = (unsigned)stack_output(in->stack, in->frames, (int)in->waiting, now_ns);
	in->waiting = 0;
	flush_kept(in, now_ns);
}

/* The link's descriptor is in the instance's epoll set from when a wait wants to sleep until frames
 * come: while it is there the kernel goes through the set with each frame. -EAGAIN: it cannot be.
 */
static int watch(struct inet *in)
{
	struct epoll_event wake = {.events = EPOLLIN};
	int fd = in->link->ops->wake_fd ? in->link->ops->wake_fd(in->link) : -1;

	if (fd < 0)
		return -EAGAIN;
	if (!in->watched && epoll_ctl(in->epoll_fd, EPOLL_CTL_ADD, fd, &wake) < 0)
		return -EAGAIN;
	in->watched = true;
	return 0;
}

static void unwatch(struct inet *in)
{
	if (in->watched)
		epoll_ctl(in->epoll_fd, EPOLL_CTL_DEL, in->link->ops->wake_fd(in->link), NULL);
	in->watched = false;
}

/* The device is gone: everything that waits fails. */
static int fail_everything(struct inet *in, uint64_t now_ns)
{
	const struct operation_list *done = in->done;
	struct list *pos, *tmp;

	unwatch(in); /* it would wake for ever */
	in->link_lost = true;
	if (!in->loss_told)
		log_error("the network device is gone, and every operation fails from now on: "
			  "start the program again when the device is back");
	in->loss_told = true;
	drop_kept(in);
	inet_reset_lingering(in, now_ns);
	list_for_each_safe (pos, tmp, &in->queues)
		inet_queue_fail(list_entry(pos, struct inet_queue, link), -ENETDOWN, now_ns);
	return done->head != NULL;
}

void inet_on_bad_checksums(struct libos *l, void (*tell)(const struct config *c),
			   const struct config *c)
{
	inet_of(l)->tell_checksums = tell;
	inet_of(l)->config = c;
}

static void look_at_checksums(struct inet *in)
{
	const struct stack_stats *stats = stack_stats(in->stack);

	if (!in->tell_checksums || stats->drop_tcp_checksum + stats->drop_udp_checksum == 0)
		return;
	if (stats->rx_tcp + stats->rx_udp == 0)
		in->tell_checksums(in->config);
	in->tell_checksums = NULL;
}

/* The device does not say by itself that it is gone. */
static bool is_link_gone(struct inet *in, uint64_t now_ns)
{
	if (now_ns < in->check_ns)
		return false;
	in->check_ns = now_ns + INET_CHECK_NS;
	look_at_checksums(in);
	return in->link->ops->arm && in->link->ops->arm(in->link) == -ENODEV;
}

static int handle_events(struct inet *in, uint64_t now_ns)
{
	struct stack_event ev[LINK_BURST];
	int n, happened = 0;

	while ((n = stack_events(in->stack, ev, LINK_BURST)) > 0) {
		for (int i = 0; n > 1 && i < n; i++) {
			if (ev[i].user) /* else each would wait for its own */
				__builtin_prefetch(((struct inet_queue *)ev[i].user)->pops.head);
		}
		for (int i = 0; i < n; i++) {
			if (ev[i].user)
				inet_event(ev[i].user, ev[i].bits, now_ns);
		}
		happened += n;
	}
	return happened;
}

/* Nothing is to be done but to look at the device: what a wait that spins finds nearly always. */
static inline bool is_idle(struct inet *in, uint64_t now_ns)
{
	return in->kept == 0 && now_ns < in->linger_deadline_ns && list_empty(&in->sending) &&
	       stack_idle(in->stack, now_ns);
}

/* What the program is not ready for waits better with the device than in the stack, where it would
 * have to be acknowledged by itself: the answer that carries that comes late. Unless the device has
 * no more room. */
static int burst(const struct inet *in)
{
	const struct link_ops *ops = in->link->ops;

	return in->libos.more && ops->crowded && !ops->crowded(in->link) ? INET_BUSY_BURST
									 : LINK_BURST;
}

/* A patient runtime would come back at once: looking at the device alone sees frames sooner. */
static int receive(struct inet *in, struct buf *bufs[], uint64_t now_ns)
{
	unsigned tries = in->libos.patient ? INET_PATIENT_TRIES : 1;
	int max = burst(in), n;

	pool_collect(in->link->info.rx_pool);
	if (in->link_lost)
		return -ENODEV;
	do {
		n = in->link->ops->rx(in->link, bufs, max, now_ns);
	} while (n == 0 && --tries > 0);
	return n;
}

static void send_and_tend(struct inet *in, uint64_t now_ns)
{
	if (now_ns >= in->linger_deadline_ns)
		inet_tend(in, now_ns);
	inet_flush(in, now_ns);
	inet_datagrams_sent(in);
}

/* What waits for company that does not come. */
static int send_held(struct inet *in)
{
	in->libos.news = false;
	if (in->waiting > 0)
		inet_flush(in, clock_now_ns());
	return 0;
}

int inet_poll(struct libos *l, struct operation_list *done, uint64_t now_ns)
{
	struct inet *in = inet_of(l);
	struct buf *bufs[LINK_BURST];
	int n, happened;

	if (now_ns == 0)
		return send_held(in);
	n = receive(in, bufs, now_ns);
	in->now_ns = now_ns;
	if (n == 0 && is_link_gone(in, now_ns))
		n = -ENODEV;
	if (n == 0 && is_idle(in, now_ns))
		return 0;
	in->done = done;
	if (n < 0)
		return fail_everything(in, now_ns);
	if (n > 0) {
		unwatch(in);
		stack_input(in->stack, bufs, n, now_ns);
	}
	if (now_ns >= in->deadline_ns)
		stack_tick(in->stack, now_ns);
	happened = n + handle_events(in, now_ns);
	if (!is_idle(in, now_ns))
		send_and_tend(in, now_ns);
	in->deadline_ns = stack_next_deadline(in->stack);
	in->done = NULL;
	return happened;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t inet_next_deadline(struct libos *l)
{
	struct inet *in = inet_of(l);
	uint64_t at_ns = earlier(stack_next_deadline(in->stack), in->linger_deadline_ns);

	if (in->link_lost)
		return UINT64_MAX;
	if (in->kept > 0)
		return 0;
	if (in->link->ops->next_deadline)
		at_ns = earlier(at_ns, in->link->ops->next_deadline(in->link));
	return at_ns;
}

int inet_arm(struct libos *l)
{
	struct inet *in = inet_of(l);
	int rc;

	if (in->link_lost)
		return 0;
	rc = watch(in);
	if (rc < 0)
		return rc;
	rc = in->link->ops->arm(in->link);
	if (rc != -ENODEV)
		return rc;
	in->link_lost = true; /* the next poll fails what waits */
	return 1;
}

struct inet_queue *inet_queue_new(struct inet *in, enum queue_type type, struct sock *sock)
{
	struct inet_queue *iq = calloc(1, sizeof(*iq));

	if (!iq)
		return NULL;
	iq->queue.libos = &in->libos;
	iq->queue.type = type;
	iq->inet = in;
	iq->sock = sock;
	operation_list_init(&iq->pushes);
	operation_list_init(&iq->unacked);
	operation_list_init(&iq->pops);
	operation_list_init(&iq->accepts);
	list_init(&iq->sending);
	list_init(&iq->lingering);
	list_add_tail(&in->queues, &iq->link);
	in->link->rx_expected += INET_QUEUE_FRAMES;
	return iq;
}

int inet_socket(struct libos *l, enum queue_type type, struct queue **out)
{
	struct inet *in = inet_of(l);
	struct inet_queue *iq = inet_queue_new(in, type, NULL);
	int rc;

	if (!iq)
		return -ENOMEM;
	rc = stack_open(in->stack, type == QUEUE_TCP ? SOCK_STREAM : SOCK_DGRAM, iq, &iq->sock);
	if (rc < 0) {
		inet_queue_free(iq);
		return rc;
	}
	*out = &iq->queue;
	return 0;
}

void inet_queue_free(struct inet_queue *iq)
{
	list_del(&iq->link);
	list_del(&iq->sending);
	list_del(&iq->lingering);
	iq->inet->link->rx_expected -= INET_QUEUE_FRAMES;
	free(iq);
}

int inet_queue_renew(struct inet_queue *iq)
{
	const struct endpoint local = stack_local(iq->sock);
	struct sock *fresh;
	int rc = stack_open(iq->inet->stack, SOCK_STREAM, iq, &fresh);

	if (rc < 0)
		return rc;
	stack_copy_options(fresh, iq->sock);
	stack_abort(iq->sock, clock_now_ns());
	iq->sock = fresh;
	return iq->queue.bound ? stack_bind(fresh, &local, iq->reuse_port) : 0;
}

/* Sleeps over the link until something comes, the stack's deadline, or until_ns. */
static void linger_step(struct inet *in, uint64_t now_ns, uint64_t until_ns)
{
	struct pollfd wake = {.fd = in->link->ops->wake_fd ? in->link->ops->wake_fd(in->link) : -1,
			      .events = POLLIN};
	struct timespec interval;

	until_ns = earlier(until_ns, inet_next_deadline(&in->libos));
	if (wake.fd < 0 || in->kept > 0 || until_ns <= now_ns || in->link->ops->arm(in->link) != 0)
		return;
	interval.tv_sec = (time_t)((until_ns - now_ns) / 1000000000);
	interval.tv_nsec = (long)((until_ns - now_ns) % 1000000000);
	ppoll(&wake, 1, &interval, NULL);
}

/* Until all is delivered, and the peers have come to their ends or are quiet. */
static void linger(struct inet *in, uint64_t end_ns)
{
	uint64_t now_ns = clock_now_ns(), quiet_ns = now_ns + INET_EXIT_QUIET_NS;
	struct operation_list none;

	while (!in->link_lost && now_ns < end_ns) {
		bool undelivered = inet_undelivered(in);

		if (!undelivered && (list_empty(&in->lingering) || now_ns >= quiet_ns))
			break;
		operation_list_init(&none);
		if (inet_poll(&in->libos, &none, now_ns) > 0)
			quiet_ns = now_ns + INET_EXIT_QUIET_NS;
		else
			linger_step(in, now_ns, undelivered ? end_ns : earlier(end_ns, quiet_ns));
		now_ns = clock_now_ns();
	}
}

/* Closes all, and delivers what was accepted as far as that takes no longer than linger_ns. */
void inet_destroy(struct libos *l, uint64_t linger_ns)
{
	struct inet *in = inet_of(l);
	uint64_t now_ns = clock_now_ns();

	while (!list_empty(&in->queues))
		inet_close(&list_entry(in->queues.next, struct inet_queue, link)->queue);
	linger(in, now_ns + linger_ns);
	now_ns = clock_now_ns();
	inet_abandon(in, now_ns);
	inet_flush(in, now_ns);
	drop_kept(in);
	stack_destroy(in->stack);
	in->link->ops->destroy(in->link);
	free(in);
}

void inet_forked(struct libos *l)
{
	struct inet *in = inet_of(l);

	if (in->link->ops->forked)
		in->link->ops->forked(in->link);
}

int inet_bind(struct queue *q, const struct endpoint *local)
{
	return stack_bind(inet_queue(q)->sock, local, inet_queue(q)->reuse_port);
}

int inet_listen(struct queue *q, int backlog)
{
	return stack_listen(inet_queue(q)->sock, backlog);
}

int inet_setsockopt(struct queue *q, int level, int name, const void *val, uint32_t len)
{
	struct inet_queue *iq = inet_queue(q);
	int rc = stack_setsockopt(iq->sock, level, name, val, len), on;

	/* Which the bind has to know. */
	if (rc == 0 && level == SOL_SOCKET && name == SO_REUSEPORT && len >= sizeof(on)) {
		memcpy(&on, val, sizeof(on));
		iq->reuse_port = on != 0;
	}
	return rc;
}

int inet_getsockopt(struct queue *q, int level, int name, void *val, uint32_t *len)
{
	return stack_getsockopt(inet_queue(q)->sock, level, name, val, len);
}

int inet_getpeername(struct queue *q, struct endpoint *peer)
{
	*peer = stack_peer(inet_queue(q)->sock);
	return 0;
}

int inet_getsockname(struct queue *q, struct endpoint *local)
{
	*local = stack_local(inet_queue(q)->sock);
	return 0;
}
