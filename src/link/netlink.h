/* netlink.h - requests to the kernel by netlink: a message is put together, sent, and answered.
 *
 *     netlink_start(&m, RTM_NEWLINK, NLM_F_CREATE, &info, sizeof(info));
 *     netlink_put_string(&m, IFLA_IFNAME, "va");
 *     rc = netlink_ask(fd, &m);
 *
 * Source: netlink(7), rtnetlink(7), the kernel's Documentation/userspace-api/netlink/intro.rst.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_NETLINK_H
#define LINK_NETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NETLINK_MESSAGE_BYTES = 512,  /* of a request, behind its header */
	NETLINK_ANSWER_BYTES = 16384, /* of an answer: all that is said of an interface */
};

struct netlink_message {
	struct nlmsghdr head;
	uint8_t room[NETLINK_MESSAGE_BYTES];
};

union netlink_answer {
	struct nlmsghdr head;
	uint8_t bytes[NETLINK_ANSWER_BYTES];
};

/* A socket of a netlink family (NETLINK_ROUTE ...), or -errno. */
int netlink_open(int family);

/* Begins a message with the structure that its type wants (an ifinfomsg ...). */
void netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags, const void *head,
		   size_t bytes);

/* Appends bytes, zeroes when `data` is NULL. What does not fit is our own mistake. */
void *netlink_append(struct netlink_message *m, const void *data, size_t bytes);

/* An attribute with others in it: begun, and ended when what it holds is there. */
struct rtattr *netlink_begin(struct netlink_message *m, uint16_t type);
void netlink_end(struct netlink_message *m, struct rtattr *attr);

void netlink_put(struct netlink_message *m, uint16_t type, const void *data, size_t bytes);
void netlink_put_string(struct netlink_message *m, uint16_t type, const char *text);

/* Sends a request that is answered by 0 or -errno. */
int netlink_ask(int fd, struct netlink_message *m);

/* Sends a request that is answered by one message. 0, or -errno: the kernel's, or -EPROTO. */
int netlink_get(int fd, struct netlink_message *m, union netlink_answer *answer);

/* The attribute of that type in an answer, behind `head` bytes of its type's structure, or inside
 * another attribute; NULL: there is none with `bytes` bytes or more. */
const void *netlink_find(const union netlink_answer *answer, size_t head, uint16_t type,
			 size_t bytes);
const void *netlink_find_in(const struct rtattr *nest, uint16_t type, size_t bytes);

/* As those, with its header. */
const struct rtattr *netlink_find_nest(const union netlink_answer *answer, size_t head,
				       uint16_t type);
const struct rtattr *netlink_find_nest_in(const struct rtattr *nest, uint16_t type);

#endif
