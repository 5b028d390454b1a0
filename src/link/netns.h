/* netns.h - a look into another network namespace, for one that may.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_NETNS_H
#define LINK_NETNS_H

#include <sys/types.h>

/* A socket for ioctl(2) inside the network namespace that the kernel numbers `nsid` for ours
 * (rtnetlink's link-netnsid); *inside becomes a process that lives in it. -EACCES: no process was
 * found there, or its namespace may not be entered. The caller stays where it is. */
int netns_socket(int nsid, pid_t *inside);

#endif
