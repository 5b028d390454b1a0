/* far_side.c - see far_side.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "far_side.h"
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 16384, SILENCE_MS = 5000, JOINS = 64 };

struct join {
	struct sockaddr_in from, to;
};

static int told[2] = {-1, -1}; /* datagrams: a struct join each */

/* Frames as they would be on a wire: summed, and none longer than the MTU. */
static bool leave_nothing_to_the_wire(int fd, struct ifreq *r)
{
	static const uint32_t offloads[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO};
	struct ethtool_value off = {0};
	bool done = true;

	r->ifr_data = (char *)&off;
	for (unsigned i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++) {
		off.cmd = offloads[i];
		done = ioctl(fd, SIOCETHTOOL, r) == 0 && done;
	}
	return done;
}

/* SIOCSIFADDR and so on: what `ip address add` does. */
static bool take_address(const char *interface, struct sockaddr_in here)
{
	struct ifreq r = {0};
	struct sockaddr_in mask = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xffffff00)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool done;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	memcpy(&r.ifr_addr, &here, sizeof(here));
	done = fd >= 0 && ioctl(fd, SIOCSIFADDR, &r) == 0;
	memcpy(&r.ifr_netmask, &mask, sizeof(mask));
	done = done && ioctl(fd, SIOCSIFNETMASK, &r) == 0 && leave_nothing_to_the_wire(fd, &r);
	if (!done)
		perror(interface);
	if (fd >= 0)
		close(fd);
	return done;
}

static bool write_all(int fd, const char *data, size_t len)
{
	for (ssize_t n; len > 0; data += n, len -= (size_t)n) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/* Bytes both ways until one side ends, fails or both are silent: whoever failed over there may have
 * forgotten this connection. */
static void carry(int one, int other)
{
	struct pollfd fds[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
	char data[AT_ONCE];

	while (poll(fds, 2, SILENCE_MS) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t n = 0;

			if (fds[i].revents == 0)
				continue;
			n = recv(fds[i].fd, data, sizeof(data), 0);
			if (n <= 0 || !write_all(fds[1 - i].fd, data, (size_t)n))
				return;
		}
	}
}

/* Where somebody wants to be who has said so before connecting. */
static const struct sockaddr_in *wanted(struct sockaddr_in from)
{
	static struct join joins[JOINS];
	static unsigned next;

	while (recv(told[0], &joins[next], sizeof(joins[0]), MSG_DONTWAIT) > 0)
		next = (next + 1) % JOINS;
	for (unsigned i = 1; i <= JOINS; i++) {
		const struct join *j = &joins[(next + JOINS - i) % JOINS];

		if (j->from.sin_port == from.sin_port)
			return &j->to;
	}
	return NULL;
}

static void serve(int listener)
{
	for (;;) {
		struct sockaddr_in from = {0};
		int fd = accept(listener, (struct sockaddr *)&from, &(socklen_t){sizeof(from)});
		const struct sockaddr_in *to = fd >= 0 ? wanted(from) : NULL;

		if (to != NULL && fork() == 0) {
			int back = socket(AF_INET, SOCK_STREAM, 0);

			if (connect(back, (const struct sockaddr *)to, sizeof(*to)) == 0)
				carry(fd, back);
			_exit(0);
		}
		close(fd);
	}
}

bool far_side_start(const char *interface, struct sockaddr_in here)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t parent = getpid();

	if (!take_address(interface, here))
		return false;
	if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(listener, SOMAXCONN) != 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, told) != 0) {
		perror("the far side");
		return false;
	}
	switch (fork()) {
	case -1:
		perror("fork");
		return false;
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN); /* nobody waits for those that carry */
		if (getppid() == parent)
			serve(listener);
		_exit(0);
	}
	close(listener);
	return true;
}

void far_side_join(struct sockaddr_in from, struct sockaddr_in to)
{
	const struct join j = {from, to};

	if (send(told[1], &j, sizeof(j), 0) < 0)
		perror("the far side");
}
