/* catpowder.h - our TCP/IP over a network interface of the kernel's: AF_XDP, AF_PACKET, or a TAP.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBOS_CATPOWDER_H
#define LIBOS_CATPOWDER_H

#include "libos/libos.h"
#include <net/if.h>

extern const struct libos_class libos_catpowder;

extern const bool catpowder_has_xdp; /* this build has AF_XDP */

/* A remedy for the lack of these capabilities. The loader takes no $ORIGIN from a program that has
 * some of its own. */
#define CATPOWDER_GRANT                                                                            \
	"sudo -E PROGRAM, or sudo setcap %s+ep PROGRAM, which then finds its library only by "     \
	"ldconfig or an absolute -Wl,-rpath"

struct interface_facts;
struct link;

/* AF_XDP pins its memory. */
#define CATPOWDER_HEAP_BYTES (UINT64_C(128) << 20)

/* The interface that the configuration names, or numbers: `name` is room for the latter. NULL:
 * none.
 */
const char *catpowder_interface(const struct config *c, char name[IF_NAMESIZE]);

/* One queue of an interface by AF_XDP. */
struct catpowder_xdp {
	const char *interface;
	uint32_t queue;
	struct heap *heap;         /* outlives the link */
	const struct link *beside; /* see xdp.h */
	int claim_fd;              /* see packet.h */
};

/* Opens it. 0 or -errno. */
int catpowder_open_xdp(struct link **out, const struct config *c, const struct catpowder_xdp *x);

/* Says why it is AF_PACKET, in one line: AF_XDP gave this -errno. */
void catpowder_log_fallback(const struct config *c, const char *interface, int error);

/* Says what the other end of a veth pair has to do, in one line, if nothing that came had a good
 * checksum for that. */
void catpowder_log_checksums(const struct config *c);

/* Opens the TAP of that name, or makes one. 0 or -errno. */
int catpowder_open_tap(struct link **out, const struct config *c, const char *interface);

/* Of the class: all that there is to say. */
void catpowder_examine(const struct config *c, struct findings *found);

/* What hinders a TAP; facts: NULL when there is no interface of that name. */
void catpowder_examine_tap(const char *interface, const struct interface_facts *facts,
			   struct findings *found);

/* What hinders AF_XDP: errors when the configuration insists on it, else warnings. facts: NULL when
 * there is no interface to look at. */
void catpowder_examine_xdp(const struct config *c, const struct interface_facts *facts,
			   struct findings *found);

#endif
