/* pkt_symbols.c - the constants that scripts name. Errnos are those of the C library.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_script.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct symbol {
	const char *name;
	int64_t value;
};

#define S(name)                                                                                    \
	{                                                                                          \
#name, name                                                                        \
	}
static const struct symbol symbols[] = {
    S(AF_INET),
    S(PF_INET),
    S(SOCK_STREAM),
    S(SOCK_DGRAM),
    S(SOCK_NONBLOCK),
    S(SOCK_CLOEXEC),
    S(IPPROTO_IP),
    S(IPPROTO_ICMP),
    S(IPPROTO_TCP),
    S(IPPROTO_UDP),
    {"SOL_IP", IPPROTO_IP},
    {"SOL_TCP", IPPROTO_TCP},
    {"SOL_UDP", IPPROTO_UDP},
    S(SOL_SOCKET),
    S(SO_BROADCAST),
    S(SO_ERROR),
    S(SO_KEEPALIVE),
    S(SO_LINGER),
    S(SO_OOBINLINE),
    S(SO_RCVBUF),
    S(SO_RCVLOWAT),
    S(SO_REUSEADDR),
    S(SO_REUSEPORT),
    S(SO_SNDBUF),
    S(SO_TYPE),
    S(IP_MTU),
    S(IP_MTU_DISCOVER),
    S(IP_PMTUDISC_DO),
    S(IP_PMTUDISC_DONT),
    S(IP_TOS),
    S(IP_TTL),
    S(TCP_CONGESTION),
    S(TCP_CORK),
    S(TCP_INFO),
    S(TCP_KEEPCNT),
    S(TCP_KEEPIDLE),
    S(TCP_KEEPINTVL),
    S(TCP_LINGER2),
    S(TCP_MAXSEG),
    S(TCP_NODELAY),
    S(TCP_QUICKACK),
    S(TCP_SYNCNT),
    S(TCP_USER_TIMEOUT),
    S(TCP_WINDOW_CLAMP),
    S(F_GETFD),
    S(F_GETFL),
    S(F_SETFD),
    S(F_SETFL),
    S(FD_CLOEXEC),
    S(O_NONBLOCK),
    S(O_RDONLY),
    S(O_RDWR),
    S(O_WRONLY),
    S(MSG_DONTWAIT),
    S(MSG_MORE),
    S(MSG_NOSIGNAL),
    S(MSG_OOB),
    S(MSG_PEEK),
    S(MSG_TRUNC),
    S(MSG_WAITALL),
    S(POLLERR),
    S(POLLHUP),
    S(POLLIN),
    S(POLLNVAL),
    S(POLLOUT),
    S(POLLPRI),
    S(SHUT_RD),
    S(SHUT_RDWR),
    S(SHUT_WR),
    {"INADDR_ANY", 0},
};
#undef S

enum { ERRNO_MAX = 133 }; /* EHWPOISON, the last of Linux's */

static bool find_errno(const char *name, int64_t *value)
{
	if (strcmp(name, "EWOULDBLOCK") == 0) {
		*value = EWOULDBLOCK;
		return true;
	}
	for (int i = 1; i <= ERRNO_MAX; i++) {
		const char *n = strerrorname_np(i);

		if (n != NULL && strcmp(n, name) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

bool pkt_symbol(const char *name, int64_t *value)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (strcmp(symbols[i].name, name) == 0) {
			*value = symbols[i].value;
			return true;
		}
	}
	return name[0] == 'E' && find_errno(name, value);
}

const char *pkt_errno_name(int number)
{
	const char *name = strerrorname_np(number);

	return name != NULL ? name : "E?";
}
