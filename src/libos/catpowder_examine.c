/* catpowder_examine.c - what hinders catpowder on this machine: the configuration, the interface,
 * who else has the address, privileges, and what the interface leaves to a device that is not
 * there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "base/log.h"
#include "libos/catpowder.h"
#include "libos/inet.h"
#include "link/claim.h"
#include "link/interface.h"
#include "link/interface_facts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void suggest_interface(struct findings *found)
{
	char name[IF_NAMESIZE];

	findings_remedy(found,
			"export LINUX_INTERFACE_NAME=%s, or write "
			"raw_socket.linux_interface_name in the configuration file",
			interface_suggest(name) ? name : "INTERFACE");
}

static bool names_nothing(const struct config *c)
{
	return !c->interface && c->xdp_interface_index <= 0 && !c->has_addr;
}

/* The configuration is empty: one sentence for both. */
static void say_nothing_named(struct findings *found)
{
	char name[IF_NAMESIZE];

	findings_add(found, FINDING_ERROR, "interface-missing",
		     "catpowder needs a network interface and an own IPv4 address, and neither is "
		     "named");
	findings_remedy(found,
			"export LINUX_INTERFACE_NAME=%s LOCAL_IPV4_ADDR=10.0.0.2/24, or write "
			"raw_socket.linux_interface_name and demikernel.local_ipv4_addr in the "
			"configuration file",
			interface_suggest(name) ? name : "INTERFACE");
}

/* The facts of the interface that is to be used. False: there is none. */
static bool find_interface(const struct config *c, struct interface_facts *facts,
			   struct findings *found)
{
	char name[IF_NAMESIZE];
	const char *interface = catpowder_interface(c, name);

	if (interface && interface_facts_read(facts, interface) == 0 && facts->ethernet)
		return true;
	if (names_nothing(c)) {
		say_nothing_named(found);
		return false;
	}
	if (!interface && c->xdp_interface_index > 0)
		findings_add(found, FINDING_ERROR, "interface-unknown",
			     "there is no interface with the number %d", c->xdp_interface_index);
	else if (!interface)
		findings_add(found, FINDING_ERROR, "interface-missing",
			     "catpowder needs a network interface, and none is named");
	else if (facts->index > 0)
		findings_add(found, FINDING_ERROR, "interface-not-ethernet",
			     "%s is not an Ethernet interface", interface);
	else
		findings_add(found, FINDING_ERROR, "interface-unknown", "there is no interface %s",
			     interface);
	suggest_interface(found);
	return false;
}

enum { INSIDE_BYTES = NETNS_NAME_BYTES + 32 };

/* What a command begins with that is to be carried out at the other end of a veth pair. */
static const char *inside(const struct interface_peer *peer, char text[INSIDE_BYTES])
{
	text[0] = '\0';
	if (peer->netns.name[0])
		snprintf(text, INSIDE_BYTES, "ip netns exec %s ", peer->netns.name);
	else if (peer->netns.inside > 0)
		snprintf(text, INSIDE_BYTES, "nsenter -t %d -n ", (int)peer->netns.inside);
	return text;
}

static void examine_state(const struct interface_facts *facts, const struct interface_peer *peer,
			  struct findings *found)
{
	char text[INSIDE_BYTES];

	if (!facts->up) {
		findings_add(found, FINDING_ERROR, "interface-down", "interface %s is down",
			     facts->name);
		findings_remedy(found, "sudo ip link set dev %s up", facts->name);
	} else if (!facts->carrier && peer && !peer->up) {
		findings_add(found, FINDING_WARNING, "interface-no-carrier",
			     "%s has no carrier: its other end, %s, is down", facts->name,
			     peer->name);
		findings_remedy(found, "sudo %sip link set dev %s up", inside(peer, text),
				peer->name);
	} else if (!facts->carrier) {
		findings_add(found, FINDING_WARNING, "interface-no-carrier",
			     "%s has no carrier: what it is plugged into is off", facts->name);
		findings_remedy(found, "look at the cable; ethtool %s says when it is good",
				facts->name);
	}
}

static void say_claimed(const char *interface, const char *addr, pid_t pid, const char *command,
			unsigned instances, struct findings *found)
{
	if (pid == getpid()) {
		findings_add(found, FINDING_ERROR, "address-taken",
			     "this process has %s on %s already, and raw_socket.instances is %u",
			     addr, interface, instances);
		findings_remedy(found, "set raw_socket.instances in the configuration file to the "
				       "number of threads");
	} else if (pid > 0) {
		findings_add(found, FINDING_ERROR, "address-taken",
			     "process %d (%s) has %s on %s by a stack of its own", (int)pid,
			     command, addr, interface);
		findings_remedy(found, "kill %d, or choose another local_ipv4_addr", (int)pid);
	} else {
		findings_add(found, FINDING_ERROR, "address-taken",
			     "another process has %s on %s by a stack of its own", addr, interface);
		findings_remedy(found,
				"end it, or give each an address of its own by LOCAL_IPV4_ADDR");
	}
}

/* Nobody else may answer for our address. */
static void examine_address(const struct config *c, const char *interface, struct findings *found)
{
	char addr[INET_ADDRSTRLEN], command[CLAIM_COMMAND_BYTES];
	struct interface_address kernels;
	pid_t holder;

	if (!c->has_addr)
		return;
	inet_ntop(AF_INET, c->addr.bytes + 12, addr, sizeof(addr));
	if (interface_find_address(&kernels, &c->addr, interface) == 0) {
		bool here = strcmp(kernels.interface, interface) == 0;

		findings_add(found, here ? FINDING_ERROR : FINDING_WARNING,
			     here ? "address-of-kernel" : "address-of-kernel-elsewhere",
			     "the kernel has %s on %s and would answer for it too", addr,
			     kernels.interface);
		findings_remedy(found,
				"sudo ip addr del %s/%u dev %s, or choose another local_ipv4_addr",
				addr, kernels.prefix_len, kernels.interface);
	}
	holder = claim_holder(interface, &c->addr, command);
	if (holder != 0)
		say_claimed(interface, addr, holder, command, c->instances, found);
}

static void examine_packet(struct findings *found)
{
	int fd, error;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	error = errno;
	if (fd >= 0) {
		close(fd);
	} else if (error == EPERM || error == EACCES) {
		findings_add(found, FINDING_ERROR, "packet-privilege",
			     "AF_PACKET needs CAP_NET_RAW, which this process lacks");
		findings_remedy(found, CATPOWDER_GRANT, "cap_net_raw");
	} else {
		findings_add(found, FINDING_ERROR, "packet-kernel",
			     "the kernel gives no AF_PACKET socket: %s", strerror(error));
		findings_remedy(found, "sudo modprobe af_packet");
	}
}

/* The kernel at the other end of a veth pair leaves checksums and segmentation to a device, and
 * there is none: AF_XDP sees wrong checksums, and both see frames that are too long. */
static void examine_peer(const struct interface_facts *facts, const struct interface_peer *peer,
			 struct findings *found)
{
	char text[INSIDE_BYTES];

	if (!(peer->offloads.tx_checksum || peer->offloads.tso || peer->offloads.gso))
		return;
	findings_add(found, FINDING_WARNING, "veth-offloads",
		     "%s, the other end of %s, leaves checksums and segmentation to a device that "
		     "is not there: what the kernel sends from it is dropped here",
		     peer->name, facts->name);
	findings_remedy(found, "sudo %sethtool -K %s tx off tso off gso off", inside(peer, text),
			peer->name);
}

/* The other end is in a network namespace that is not found, or may not be entered. */
static void say_peer_hidden(const struct interface_facts *facts, const struct interface_peer *peer,
			    struct findings *found)
{
	char text[INSIDE_BYTES];

	findings_add(found, FINDING_NOTE, "veth-peer-hidden",
		     "whether the other end of %s leaves checksums and segmentation to a device "
		     "that is not there, cannot be seen: what the kernel then sends from it is "
		     "dropped here",
		     facts->name);
	findings_remedy(found,
			"sudo %sethtool -K PEER tx off tso off gso off, in the network namespace "
			"of the other end; PEER is what ip link shows there with the number %d",
			inside(peer, text), facts->peer_index);
}

/* rc: of interface_peer_read(). */
static void examine_other_end(const struct interface_facts *facts,
			      const struct interface_peer *peer, int rc, struct findings *found)
{
	if (rc == 0)
		examine_peer(facts, peer, found);
	else if (rc != -ENODEV)
		say_peer_hidden(facts, peer, found);
}

void catpowder_log_checksums(const struct config *c)
{
	char name[IF_NAMESIZE];
	const char *interface = catpowder_interface(c, name);
	struct interface_facts facts;
	struct interface_peer peer;
	struct findings found = {0};
	int rc;

	if (!interface || interface_facts_read(&facts, interface) < 0)
		return;
	rc = interface_peer_read(&peer, &facts);
	examine_other_end(&facts, &peer, rc, &found);
	if (found.count > 0)
		log_warn("all that came had a wrong checksum: %s: %s", found.items[0].what,
			 found.items[0].remedy);
}

/* Received frames that were merged are longer than what AF_PACKET's slots hold. AF_XDP takes them
 * before that. */
static void examine_merging(const struct config *c, const struct interface_facts *facts,
			    struct findings *found)
{
	if (c->raw_link == RAW_LINK_XDP || !(facts->offloads.gro || facts->offloads.lro))
		return;
	findings_add(found, c->raw_link == RAW_LINK_PACKET ? FINDING_WARNING : FINDING_NOTE,
		     "packet-gro",
		     "%s merges received frames (GRO), and AF_PACKET drops those that are longer "
		     "than the MTU",
		     facts->name);
	findings_remedy(found, "sudo ethtool -K %s gro off lro off", facts->name);
}

static void examine_interface(const struct config *c, const struct interface_facts *facts,
			      struct findings *found)
{
	struct interface_peer peer;
	int rc = interface_peer_read(&peer, facts);

	examine_state(facts, rc == 0 ? &peer : NULL, found);
	examine_address(c, facts->name, found);
	inet_examine(c, facts->mtu, facts->name, found);
	examine_other_end(facts, &peer, rc, found);
	examine_merging(c, facts, found);
}

/* A TAP is made when it is not there. */
static void examine_tap(const struct config *c, struct findings *found)
{
	char name[IF_NAMESIZE];
	const char *interface = catpowder_interface(c, name);
	struct interface_facts facts;
	const bool known = interface && interface_facts_read(&facts, interface) == 0;

	if (!interface) {
		find_interface(c, &facts, found);
		return;
	}
	catpowder_examine_tap(interface, known ? &facts : NULL, found);
	if (known)
		examine_address(c, interface, found);
	inet_examine(c, known ? facts.mtu : 0, interface, found);
}

void catpowder_examine(const struct config *c, struct findings *found)
{
	struct interface_facts facts = {0};
	bool known;

	if (c->raw_link == RAW_LINK_TAP) {
		examine_tap(c, found);
		return;
	}
	known = find_interface(c, &facts, found);
	if (known)
		examine_interface(c, &facts, found);
	else if (!names_nothing(c))
		inet_examine(c, 0, NULL, found);
	if (c->raw_link != RAW_LINK_XDP)
		examine_packet(found);
	if (c->raw_link != RAW_LINK_PACKET)
		catpowder_examine_xdp(c, known ? &facts : NULL, found);
}
