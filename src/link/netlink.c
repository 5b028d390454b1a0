/* netlink.c - see netlink.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/netlink.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int netlink_open(int family)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);

	return fd < 0 ? -errno : fd;
}

void *netlink_append(struct netlink_message *m, const void *data, size_t bytes)
{
	uint8_t *at = (uint8_t *)m + NLMSG_ALIGN(m->head.nlmsg_len);

	assert(at + NLMSG_ALIGN(bytes) <= (uint8_t *)(m + 1));
	memset(at, 0, NLMSG_ALIGN(bytes));
	if (data)
		memcpy(at, data, bytes);
	m->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->head.nlmsg_len) + bytes);
	return at;
}

void netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags, const void *head,
		   size_t bytes)
{
	m->head = (struct nlmsghdr){
	    .nlmsg_len = NLMSG_HDRLEN,
	    .nlmsg_type = type,
	    .nlmsg_flags = flags | NLM_F_REQUEST,
	};
	netlink_append(m, head, bytes);
}

struct rtattr *netlink_begin(struct netlink_message *m, uint16_t type)
{
	struct rtattr *attr = netlink_append(m, NULL, sizeof(*attr));

	attr->rta_type = type;
	return attr;
}

void netlink_end(struct netlink_message *m, struct rtattr *attr)
{
	attr->rta_len = (uint16_t)((uint8_t *)m + m->head.nlmsg_len - (uint8_t *)attr);
}

void netlink_put(struct netlink_message *m, uint16_t type, const void *data, size_t bytes)
{
	struct rtattr *attr = netlink_begin(m, type);

	netlink_append(m, data, bytes);
	attr->rta_len = (uint16_t)RTA_LENGTH(bytes);
}

void netlink_put_string(struct netlink_message *m, uint16_t type, const char *text)
{
	netlink_put(m, type, text, strlen(text) + 1);
}

static int exchange(int fd, struct netlink_message *m, union netlink_answer *answer)
{
	ssize_t n;

	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, answer, sizeof(*answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer->head) || answer->head.nlmsg_len > (size_t)n)
		return -EPROTO;
	return 0;
}

/* An answer that says how it went: 0 or -errno; 1: it is something else. */
static int verdict(const union netlink_answer *answer)
{
	const struct nlmsgerr *e = NLMSG_DATA(&answer->head);

	if (answer->head.nlmsg_type != NLMSG_ERROR)
		return 1;
	return answer->head.nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EPROTO : e->error;
}

int netlink_ask(int fd, struct netlink_message *m)
{
	union netlink_answer answer;
	int rc;

	m->head.nlmsg_flags |= NLM_F_ACK;
	rc = exchange(fd, m, &answer);
	if (rc < 0)
		return rc;
	rc = verdict(&answer);
	return rc == 1 ? -EPROTO : rc;
}

int netlink_get(int fd, struct netlink_message *m, union netlink_answer *answer)
{
	int rc = exchange(fd, m, answer);

	if (rc < 0)
		return rc;
	rc = verdict(answer);
	if (rc == 0)
		return -EPROTO;
	return rc == 1 ? 0 : rc;
}

static const struct rtattr *find(const struct rtattr *attr, int left, uint16_t type)
{
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if ((attr->rta_type & NLA_TYPE_MASK) == type)
			return attr;
	}
	return NULL;
}

static const void *content(const struct rtattr *attr, size_t bytes)
{
	return attr && RTA_PAYLOAD(attr) >= bytes ? RTA_DATA(attr) : NULL;
}

const struct rtattr *netlink_find_nest(const union netlink_answer *answer, size_t head,
				       uint16_t type)
{
	const size_t front = NLMSG_SPACE(head);

	if (answer->head.nlmsg_len < front)
		return NULL;
	return find((const struct rtattr *)(const void *)(answer->bytes + front),
		    (int)(answer->head.nlmsg_len - front), type);
}

const void *netlink_find(const union netlink_answer *answer, size_t head, uint16_t type,
			 size_t bytes)
{
	return content(netlink_find_nest(answer, head, type), bytes);
}

const struct rtattr *netlink_find_nest_in(const struct rtattr *nest, uint16_t type)
{
	return nest ? find(RTA_DATA(nest), (int)RTA_PAYLOAD(nest), type) : NULL;
}

const void *netlink_find_in(const struct rtattr *nest, uint16_t type, size_t bytes)
{
	return content(netlink_find_nest_in(nest, type), bytes);
}
