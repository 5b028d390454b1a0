/* catpowder_tap.c - catpowder over a TAP: opening it, and finding out what hinders it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "libos/catpowder.h"
#include "link/interface_facts.h"
#include "link/privilege.h"
#include "link/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

int catpowder_open_tap(struct link **out, const struct config *c, const char *interface)
{
	const struct tap_options opt = {
	    .interface = interface, .addr = c->addr, .mac = c->has_mac ? c->mac : NULL};

	return tap_open(out, &opt);
}

static void examine_device(struct findings *found)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
	} else if (errno == EACCES || errno == EPERM) {
		findings_add(found, FINDING_ERROR, "tap-device-closed",
			     "/dev/net/tun may not be opened by this user");
		findings_remedy(found, "sudo chmod 666 /dev/net/tun");
	} else {
		findings_add(found, FINDING_ERROR, "tap-device-missing",
			     "there is no /dev/net/tun: %s", strerror(errno));
		findings_remedy(found, "sudo modprobe tun");
	}
}

/* Who may be the other end: the one to whom it belongs, and who may administer the network. */
static void examine_owner(const struct interface_facts *facts, struct findings *found)
{
	if (facts->tap_owner < 0 || (uid_t)facts->tap_owner == geteuid() ||
	    privilege_has(CAP_NET_ADMIN))
		return;
	findings_add(found, FINDING_ERROR, "tap-owner",
		     "%s belongs to the user with the number %lld", facts->name,
		     (long long)facts->tap_owner);
	findings_remedy(found,
			"sudo ip link del %s && sudo ip tuntap add dev %s mode tap user %u && "
			"sudo ip link set dev %s up",
			facts->name, facts->name, (unsigned)geteuid(), facts->name);
}

void catpowder_examine_tap(const char *interface, const struct interface_facts *facts,
			   struct findings *found)
{
	examine_device(found);
	if (!facts && !privilege_has(CAP_NET_ADMIN)) {
		findings_add(found, FINDING_ERROR, "tap-missing",
			     "there is no TAP %s, and this process may not make one", interface);
		findings_remedy(found,
				"sudo ip tuntap add dev %s mode tap user %u && "
				"sudo ip link set dev %s up",
				interface, (unsigned)geteuid(), interface);
	}
	if (!facts)
		return;
	if (!facts->tap) {
		findings_add(found, FINDING_ERROR, "tap-other", "%s is not a TAP", interface);
		findings_remedy(found,
				"export LINUX_INTERFACE_NAME=tap0, or set raw_socket.link to "
				"auto");
		return;
	}
	examine_owner(facts, found);
	if (!facts->up) {
		findings_add(found, FINDING_ERROR, "interface-down", "interface %s is down",
			     interface);
		findings_remedy(found, "sudo ip link set dev %s up", interface);
	} else if (facts->carrier) {
		findings_add(found, FINDING_ERROR, "tap-taken",
			     "another program is the other end of %s", interface);
		findings_remedy(found, "end it, or export LINUX_INTERFACE_NAME=tap1");
	}
}
