/* listing_catpowder.c - see listing_catpowder.h.
 *
 * Whether it goes is found out by doing it, in a child: a namespace made for a question may not
 * become the asker's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/listing_catpowder.h"
#include "base/config.h"
#include "base/finding.h"
#include "libos/catpowder.h"
#include "link/veth.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 12345 };

/* What a child of the probe found, as its exit status. */
enum found { FOUND_ALL, FOUND_NO_NAMESPACE, FOUND_NO_PAIR, FOUND_BY_USER };

static enum found look(void)
{
	int by_user;

	if (veth_namespace(&by_user) < 0)
		return FOUND_NO_NAMESPACE;
	if (veth_create("demi0", "demi1") < 0)
		return FOUND_NO_PAIR;
	return by_user ? FOUND_BY_USER : FOUND_ALL;
}

static enum found look_in_child(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(look());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return FOUND_NO_NAMESPACE;
	return (enum found)WEXITSTATUS(status);
}

static int lacks(struct libos_lack *lack, const char *why, const char *remedy)
{
	snprintf(lack->why, sizeof(lack->why), "%s", why);
	snprintf(lack->remedy, sizeof(lack->remedy), "%s", remedy);
	return -EPERM;
}

static int probe(struct libos_lack *lack, bool xdp)
{
	switch (look_in_child()) {
	case FOUND_NO_NAMESPACE:
		return lacks(lack, "no network namespace can be made for it here",
			     "run as root: sudo demi try; or allow user namespaces: "
			     "sudo sysctl user.max_user_namespaces=1000");
	case FOUND_NO_PAIR:
		return lacks(lack, "no pair of veth interfaces can be made",
			     "load the module: sudo modprobe veth");
	case FOUND_BY_USER:
		if (xdp)
			return lacks(lack,
				     "AF_XDP needs privileges that a user namespace does not give",
				     "run as root: sudo demi try");
		break;
	case FOUND_ALL:
		break;
	}
	return 0;
}

static void configure(char yaml[LISTING_CONFIG_BYTES], int host, const char *link)
{
	snprintf(yaml, LISTING_CONFIG_BYTES,
		 "demikernel:\n"
		 "  local_ipv4_addr: 192.168.201.%d/24\n"
		 "raw_socket:\n"
		 "  linux_interface_name: demi%d\n"
		 "  link: %s\n",
		 host + 1, host, link);
}

static int prepare(struct libos_trial *trial, struct libos_lack *lack, const char *link)
{
	int rc = veth_namespace(NULL);

	if (rc == 0)
		rc = veth_create("demi0", "demi1");
	if (rc < 0) {
		snprintf(lack->why, sizeof(lack->why), "no pair of interfaces could be made: %s",
			 strerror(-rc));
		snprintf(lack->remedy, sizeof(lack->remedy), "run as root: sudo demi try");
		return rc;
	}
	configure(trial->server_config, 0, link);
	configure(trial->client_config, 1, link);
	trial->server.sin_port = htons(PORT);
	inet_pton(AF_INET, "192.168.201.1", &trial->server.sin_addr);
	return 0;
}

int catpowder_packet_probe(struct libos_lack *lack)
{
	return probe(lack, false);
}

int catpowder_packet_prepare(struct libos_trial *trial, struct libos_lack *lack)
{
	return prepare(trial, lack, "packet");
}

int catpowder_xdp_probe(struct libos_lack *lack)
{
	const struct config any = {0};
	struct findings found = {0};

	if (!catpowder_has_xdp) {
		catpowder_examine_xdp(&any, NULL, &found);
		lacks(lack, found.items[0].what, found.items[0].remedy);
		return -ENOENT;
	}
	return probe(lack, true);
}

int catpowder_xdp_prepare(struct libos_trial *trial, struct libos_lack *lack)
{
	return prepare(trial, lack, "xdp");
}
