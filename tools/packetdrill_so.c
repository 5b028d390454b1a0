/* packetdrill_so.c - libdemi_packetdrill.so: its clock, its wire, and its one symbol.
 *
 * SPDX-License-Identifier: MIT
 */
#include "packetdrill_so.h"
#include "inet/stack.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_US = 1000, US_PER_S = 1000000 };

#define NS_PER_S 1000000000ull

/* Sleeping calls try again, and this waits until they have. */
static void so_wake(struct so *so)
{
	so->change++;
	so->untried = so->sleeping;
	pthread_cond_broadcast(&so->changed);
	while (so->untried > 0)
		pthread_cond_wait(&so->tried, &so->lock);
}

static void so_sleep(struct so *so)
{
	uint64_t seen = so->change;

	so->sleeping++;
	while (so->change == seen)
		pthread_cond_wait(&so->changed, &so->lock);
	so->sleeping--;
}

int64_t so_try(struct so *so, bool blocks, int64_t (*attempt)(struct so *so, void *arg), void *arg)
{
	int64_t r = attempt(so, arg);

	while (r == -EAGAIN && blocks) {
		so_sleep(so);
		r = attempt(so, arg);
		if (--so->untried == 0)
			pthread_cond_broadcast(&so->tried);
	}
	return r;
}

void so_move(struct so *so, uint64_t until_ns, bool packet)
{
	bool more = true;

	while (more && !(packet && host_packet_peek(so->host) != NULL)) {
		more = host_step(so->host, until_ns);
		so_wake(so);
	}
}

struct so *so_enter(void *ud)
{
	struct so *so = ud;

	if (so == NULL)
		return NULL;
	pthread_mutex_lock(&so->lock);
	so_move(so, host_now(so->host) + NS_PER_US, false);
	return so;
}

int64_t so_leave(struct so *so, int64_t result)
{
	if (so != NULL)
		pthread_mutex_unlock(&so->lock);
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

struct so_fd *so_find(struct so *so, int fd)
{
	return fd >= 0 && fd < SO_FDS_MAX && so->fds[fd].sock != NULL ? &so->fds[fd] : NULL;
}

static void so_free(void *ud)
{
	struct so *so = ud;

	if (so == NULL)
		return;
	for (int fd = 0; fd < SO_FDS_MAX; fd++) {
		if (so->fds[fd].sock != NULL) {
			host_close(so->fds[fd].sock);
			close(fd);
		}
	}
	host_destroy(so->host);
	pthread_cond_destroy(&so->tried);
	pthread_cond_destroy(&so->changed);
	pthread_mutex_destroy(&so->lock);
	free(so);
}

static int so_netdev_send(void *ud, const void *packet, size_t n)
{
	struct so *so = so_enter(ud);
	int r = -ENODEV;

	if (so != NULL) {
		r = n > UINT16_MAX ? -EMSGSIZE : host_inject(so->host, packet, (uint32_t)n);
		so_wake(so);
	}
	return (int)so_leave(so, r);
}

static int so_netdev_receive(void *ud, void *packet, size_t *n, long long *time_us)
{
	struct so *so = so_enter(ud);
	struct host_packet *p;

	if (so == NULL)
		return (int)so_leave(so, -ENODEV);
	so_move(so, host_now(so->host) + SO_RECEIVE_LIMIT_S * NS_PER_S, true);
	p = host_packet_next(so->host);
	if (p == NULL) {
		*n = 0;
		return (int)so_leave(so, 0);
	}
	if (*n > p->len)
		*n = p->len;
	memcpy(packet, p->data, *n);
	*time_us = (long long)SO_EPOCH_S * US_PER_S + (long long)(p->time_ns / NS_PER_US);
	free(p);
	return (int)so_leave(so, 0);
}

static int so_usleep(void *ud, useconds_t us)
{
	struct so *so = so_enter(ud);

	if (so != NULL)
		so_move(so, host_now(so->host) + (uint64_t)us * NS_PER_US, false);
	return (int)so_leave(so, so == NULL ? -ENODEV : 0);
}

static int so_gettimeofday(void *ud, struct timeval *tv, struct timezone *tz)
{
	struct so *so = so_enter(ud);
	uint64_t us;

	if (tz != NULL)
		memset(tz, 0, sizeof(*tz));
	if (so == NULL)
		return (int)so_leave(so, -ENODEV);
	us = host_now(so->host) / NS_PER_US;
	tv->tv_sec = (time_t)(SO_EPOCH_S + us / US_PER_S);
	tv->tv_usec = (suseconds_t)(us % US_PER_S);
	return (int)so_leave(so, 0);
}

static bool number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	return end != text && *end == '\0' && *value <= max;
}

static bool address(const char *text, struct ip_addr *value)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*value = ip4(ntohl(a.s_addr));
	return true;
}

static bool read_flag(const char *name, const char *value, struct host_config *cfg)
{
	unsigned long n = 0;
	bool ok;

	if (strcmp(name, "local_ip") == 0)
		return address(value, &cfg->local);
	if (strcmp(name, "gateway_ip") == 0)
		return address(value, &cfg->gateway);
	if (strcmp(name, "mtu") == 0) {
		ok = number(value, UINT16_MAX, &n);
		cfg->mtu = (uint16_t)n;
	} else if (strcmp(name, "prefix_len") == 0) {
		ok = number(value, 32, &n);
		cfg->prefix_len = (uint8_t)n;
	} else {
		ok = strcmp(name, "seed") == 0 && number(value, UINT32_MAX, &n);
		cfg->seed = n;
	}
	return ok;
}

static bool read_flags(const char *flags, struct host_config *cfg)
{
	char *copy = strdup(flags), *rest = copy, *item;
	bool ok = copy != NULL;

	while (ok && (item = strsep(&rest, ",")) != NULL) {
		char *value = strchr(item, '=');

		if (*item == '\0')
			continue;
		ok = value != NULL;
		if (ok) {
			*value++ = '\0';
			ok = read_flag(item, value, cfg);
		}
	}
	free(copy);
	return ok;
}

static struct so *so_create(const char *flags)
{
	struct host_config cfg = {.local = ip4(0xc0a80001),
				  .gateway = ip4(0xc0a80002),
				  .prefix_len = 16,
				  .mtu = 1500,
				  .mtu_probing = STACK_MTU_BLACK_HOLE,
				  .seed = 1};
	struct so *so;

	if (flags != NULL && !read_flags(flags, &cfg)) {
		fprintf(stderr, "libdemi_packetdrill: flags are mtu=N, local_ip=A, gateway_ip=A, "
				"prefix_len=N, seed=N joined by commas\n");
		return NULL;
	}
	so = calloc(1, sizeof(*so));
	if (so == NULL)
		return NULL;
	if (host_create(&so->host, &cfg) < 0) {
		fprintf(stderr, "libdemi_packetdrill: no stack can be made as the flags say\n");
		free(so);
		return NULL;
	}
	pthread_mutex_init(&so->lock, NULL);
	pthread_cond_init(&so->changed, NULL);
	pthread_cond_init(&so->tried, NULL);
	return so;
}

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	memset(ifc, 0, sizeof(*ifc));
	ifc->userdata = so_create(flags);
	ifc->free = so_free;
	ifc->netdev_send = so_netdev_send;
	ifc->netdev_receive = so_netdev_receive;
	ifc->usleep = so_usleep;
	ifc->gettimeofday = so_gettimeofday;
	so_socket_functions(ifc);
	so_data_functions(ifc);
}
