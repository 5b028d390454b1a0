/* listing.h - every libOS that there could be here, for people: what it is, whether this build and
 * this machine have it, how to get it, and how to try it. `demi try` walks this list.
 *
 * A libOS that was left out of the build keeps its row, whose probe then says so. To add a libOS,
 * add a row to listing.c; no tool changes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_LISTING_H
#define LIBOS_LISTING_H

#include <netinet/in.h>

enum {
	LISTING_TEXT_BYTES = 256,    /* a line for people, with its NUL */
	LISTING_CONFIG_BYTES = 4096, /* a configuration, with its NUL */
};

/* What is missing, when something is. */
struct libos_lack {
	char why[LISTING_TEXT_BYTES];    /* "liburing was not there when this was built" */
	char remedy[LISTING_TEXT_BYTES]; /* the exact command: "apt-get install liburing-dev" */
};

/* How a server and a client, two processes of this machine, reach each other. */
struct libos_trial {
	struct sockaddr_in server; /* where the server binds; port 0 lets it choose */
	char server_config[LISTING_CONFIG_BYTES]; /* YAML; empty: the built-in defaults */
	char client_config[LISTING_CONFIG_BYTES];
};

struct libos_listing {
	const char *name; /* as in LIBOS */
	const char *what; /* what carries the bytes, in a few words */

	/* Whether it can be used here. 0, or -errno and *lack is filled in. */
	int (*probe)(struct libos_lack *lack);

	/* Adapts *trial, which has 127.0.0.1 port 0 and no configuration; NULL: that is right. It
	 * runs in a process that ends after the trial and of which server and client are children,
	 * so that namespaces made here end by themselves. 0, or -errno and *lack is filled in. */
	int (*prepare)(struct libos_trial *trial, struct libos_lack *lack);
};

/* The first, second ... of the list; NULL beyond the last. */
const struct libos_listing *libos_listing_at(unsigned int index);

#endif
