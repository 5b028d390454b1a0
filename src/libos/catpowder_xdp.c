/* catpowder_xdp.c - catpowder over AF_XDP, in a build that has libxdp: opening it, and finding out
 * what hinders it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "libos/catpowder.h"
#include "libos/catpowder_share.h"
#include "link/claim.h"
#include "link/interface_facts.h"
#include "link/privilege.h"
#include "link/xdp.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>

const bool catpowder_has_xdp = true;

/* In veth's driver each frame is copied into a page of its own before the program sees it, and then
 * once more for us: behind the driver it costs less. */
static bool is_faster_behind(const char *interface)
{
	struct interface_facts facts;

	return interface_facts_read(&facts, interface) == 0 && strcmp(facts.driver, "veth") == 0;
}

static enum xdp_mode mode_of(enum config_xdp_mode mode, const char *interface)
{
	switch (mode) {
	case CONFIG_XDP_NATIVE:
		return XDP_MODE_NATIVE;
	case CONFIG_XDP_GENERIC:
		return XDP_MODE_GENERIC;
	default:
		return is_faster_behind(interface) ? XDP_MODE_GENERIC : XDP_MODE_AUTO;
	}
}

int catpowder_open_xdp(struct link **out, const struct config *c, const struct catpowder_xdp *x)
{
	const struct xdp_setup opt = {
	    .interface = x->interface,
	    .addr = c->addr,
	    .mac = c->has_mac ? c->mac : NULL,
	    .mtu = c->mtu,
	    .queue = x->queue,
	    .mode = mode_of(c->xdp_mode, x->interface),
	    .beside = x->beside,
	    .busy_poll_us = c->xdp_busy_poll_us,
	    .heap = x->heap,
	    .claim_fd = x->claim_fd,
	};

	return xdp_open(out, &opt);
}

static enum finding_level level_of(const struct config *c)
{
	return c->raw_link == RAW_LINK_XDP ? FINDING_ERROR : FINDING_WARNING;
}

static void say_missing(const struct config *c, const char *names, struct findings *found)
{
	findings_add(found, level_of(c), "xdp-privilege",
		     "AF_XDP needs %s, which this process lacks", names);
	findings_remedy(found, CATPOWDER_GRANT, "cap_net_admin,cap_net_raw,cap_bpf");
}

/* Whether the kernel would load our program: asked by loading it. */
static bool examine_privilege(const struct config *c, struct findings *found)
{
	static const int to_load[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, -1};
	static const int to_attach[] = {CAP_NET_ADMIN, CAP_NET_RAW, -1};
	struct xdp_program program;
	char names[64];
	int rc = xdp_program_load(&program, 0, false);

	if (rc == 0)
		xdp_program_detach(&program);
	if (rc < 0 && privilege_is_contained()) {
		findings_add(found, level_of(c), "xdp-user-namespace",
			     "AF_XDP needs privileges that a user namespace does not give");
		findings_remedy(found, "run the program outside of it, as root");
	} else if (privilege_missing(rc < 0 ? to_load : to_attach, names, sizeof(names)) > 0) {
		say_missing(c, names, found);
	} else if (rc < 0) {
		findings_add(found, level_of(c), "xdp-program-refused",
			     "the kernel does not load our XDP program: %s", strerror(-rc));
		findings_remedy(found, "set raw_socket.link to packet, or boot a kernel with "
				       "CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS");
	} else {
		return true;
	}
	return false;
}

static void examine_memlock(const struct config *c, struct findings *found)
{
	uint64_t pinned =
	    c->heap_bytes < CATPOWDER_HEAP_BYTES ? c->heap_bytes : CATPOWDER_HEAP_BYTES;
	uint64_t limit = privilege_memlock();

	if (catpowder_is_shared(c))
		pinned = c->xdp_queues * CATPOWDER_SHARE_HEAP_BYTES;
	if (limit >= pinned)
		return;
	findings_add(found, level_of(c), "xdp-memlock",
		     "AF_XDP pins %" PRIu64 " MiB, and RLIMIT_MEMLOCK allows %" PRIu64 " KiB",
		     pinned >> 20, limit >> 10);
	findings_remedy(found, "sudo prlimit --pid $$ --memlock=unlimited, and start the program "
			       "from that shell");
}

/* Another program in the way of ours. Attached by a bpf_link it goes with that, else by ip. */
static bool examine_attached(const struct config *c, const struct interface_facts *facts,
			     struct findings *found)
{
	char command[CLAIM_COMMAND_BYTES];
	pid_t pid;
	uint32_t link;

	if (facts->xdp_program == 0)
		return true;
	pid = claim_neighbour(facts->name, command);
	link = xdp_program_link(facts->xdp_program);
	if (pid > 0 && link > 0) {
		findings_add(found, level_of(c), "xdp-attached",
			     "process %d (%s) has attached its XDP program to %s already", (int)pid,
			     command, facts->name);
		findings_remedy(found, "kill %d, or set raw_socket.link to packet", (int)pid);
		return false;
	}
	findings_add(found, level_of(c), "xdp-attached",
		     "an XDP program (number %u) is attached to %s already", facts->xdp_program,
		     facts->name);
	if (link > 0)
		findings_remedy(found,
				"sudo bpftool link detach id %u, or end the process that has "
				"attached it",
				link);
	else
		findings_remedy(found, "sudo ip link set dev %s %s off", facts->name,
				facts->xdp_generic ? "xdpgeneric" : "xdp");
	return false;
}

static void say_queue(const struct config *c, const struct interface_facts *facts, uint32_t queue,
		      int rc, struct findings *found)
{
	if (rc == -EBUSY) {
		findings_add(found, level_of(c), "xdp-queue-busy",
			     "another socket has queue %u of %s", queue, facts->name);
		findings_remedy(found,
				"end the process that has it (sudo ss --xdp --processes), or "
				"choose another raw_socket.xdp_queue");
	} else if (rc == -EINVAL) {
		findings_add(found, level_of(c), "xdp-queue-unknown", "%s has no queue %u",
			     facts->name, queue);
		findings_remedy(found, "set raw_socket.xdp_queue to 0 and xdp_queues to %u",
				queue > c->xdp_queue ? queue - c->xdp_queue : 1);
	} else if (rc == -EAFNOSUPPORT) {
		findings_add(found, level_of(c), "xdp-kernel", "this kernel has no AF_XDP");
		findings_remedy(found, "set raw_socket.link to packet, or boot a kernel with "
				       "CONFIG_XDP_SOCKETS");
	}
}

/* An interface that is down has no queue that could be bound: that is said already. */
static void examine_queue(const struct config *c, const struct interface_facts *facts,
			  struct findings *found)
{
	const uint32_t mtu = c->mtu ? c->mtu : facts->mtu;
	int rc = facts->up ? 0 : -ENETDOWN;

	for (uint32_t i = 0; rc == 0 && i < c->xdp_queues; i++) {
		rc = xdp_try_queue(facts->index, c->xdp_queue + i, false);
		say_queue(c, facts, c->xdp_queue + i, rc, found);
	}
	if (rc < 0 || mtu <= XDP_CHUNK_MTU || xdp_try_queue(facts->index, c->xdp_queue, true) == 0)
		return;
	findings_add(found, level_of(c), "xdp-mtu",
		     "%s has an MTU of %u, and AF_XDP of this kernel carries %u", facts->name, mtu,
		     XDP_CHUNK_MTU);
	findings_remedy(found, "sudo ip link set dev %s mtu %u", facts->name, XDP_CHUNK_MTU);
}

static void note_features(const struct config *c, const struct interface_facts *facts,
			  struct findings *found)
{
	const uint32_t native = XDP_CAN_BASIC | XDP_CAN_REDIRECT;

	if (!facts->xdp_known)
		return;
	if ((facts->xdp_can & native) != native) {
		findings_add(found, c->xdp_mode == CONFIG_XDP_NATIVE ? level_of(c) : FINDING_NOTE,
			     "xdp-generic",
			     "the driver of %s (%s) has no XDP: frames are taken behind it, in "
			     "generic mode",
			     facts->name, facts->driver);
		if (c->xdp_mode == CONFIG_XDP_NATIVE)
			findings_remedy(found, "set raw_socket.xdp_mode to auto");
	} else if (!(facts->xdp_can & XDP_CAN_ZERO_COPY)) {
		findings_add(
		    found, FINDING_NOTE, "xdp-copy",
		    "the driver of %s (%s) has no zero-copy AF_XDP: the kernel copies each "
		    "frame once",
		    facts->name, facts->driver);
	}
}

/* A card spreads connections over its queues. */
static void examine_queues(const struct config *c, const struct interface_facts *facts,
			   struct findings *found)
{
	if (facts->rx_queues <= c->xdp_queue + c->xdp_queues || facts->peer_index != 0)
		return;
	findings_add(found, FINDING_WARNING, "xdp-queues",
		     "%s receives on %u queues, of which AF_XDP takes %u", facts->name,
		     facts->rx_queues, c->xdp_queues);
	findings_remedy(found, "sudo ethtool -L %s combined %u, or set raw_socket.xdp_queues to %u",
			facts->name, c->xdp_queue + c->xdp_queues, facts->rx_queues - c->xdp_queue);
}

void catpowder_examine_xdp(const struct config *c, const struct interface_facts *facts,
			   struct findings *found)
{
	if (!examine_privilege(c, found))
		return;
	examine_memlock(c, found);
	if (!facts)
		return;
	if (examine_attached(c, facts, found))
		examine_queue(c, facts, found);
	examine_queues(c, facts, found);
	note_features(c, facts, found);
}
