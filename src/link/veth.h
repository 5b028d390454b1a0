/* veth.h - two interfaces of the kernel's joined back to back, for trials, tests and benchmarks in
 * a network namespace that was made for them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_VETH_H
#define LINK_VETH_H

/* Makes the pair in the network namespace of the calling thread, and sets both ends up. It goes
 * with the namespace, or when one of the two is deleted. 0, -EPERM, -EEXIST, or what else
 * rtnetlink(7) says. */
int veth_create(const char *name, const char *peer);

/* Gives the calling thread a network namespace that has nobody else in it and ends with the last
 * process in it: by privilege, or inside a user namespace where the kernel allows that; in that
 * case *by_user (may be NULL) becomes 1, else 0. Interfaces made in it are silent: no IPv6 of the
 * kernel's. 0, or -EPERM: neither is allowed. */
int veth_namespace(int *by_user);

#endif
