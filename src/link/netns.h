/* netns.h - a look into another network namespace, for one that may.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_NETNS_H
#define LINK_NETNS_H

#include <sys/types.h>

enum { NETNS_NAME_BYTES = 64 }; /* with its NUL; a longer one is taken for none */

/* How a person gets into a network namespace. */
struct netns {
	pid_t inside;                /* a process that lives in it; 0: none was found */
	char name[NETNS_NAME_BYTES]; /* that ip-netns(8) gave it; empty: none was found */
};

/* A socket for ioctl(2) inside the network namespace that the kernel numbers `nsid` for ours
 * (rtnetlink's link-netnsid), and what is known of it in *out, whatever comes of it. -EACCES: it
 * was not found, or may not be entered. The caller stays where it is. */
int netns_socket(int nsid, struct netns *out);

#endif
