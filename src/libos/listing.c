/* listing.c - see listing.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/listing.h"
#include "base/config.h"
#include "base/finding.h"
#include "libos/catcollar.h"
#include "libos/listing_catnip.h"
#include "libos/listing_catpowder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int kernel_probe(struct libos_lack *lack)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	snprintf(lack->why, sizeof(lack->why), "the kernel gives no socket: %s", strerror(error));
	snprintf(lack->remedy, sizeof(lack->remedy),
		 "leave the sandbox, or allow it the socket system call");
	return -error;
}

/* What hinders it is found out once: catcollar_examine(). */
static int uring_probe(struct libos_lack *lack)
{
	const struct config any = {0};
	struct findings found = {0};
	const struct finding *error;

	catcollar_examine(&any, &found);
	error = findings_first(&found, FINDING_ERROR);
	if (error == NULL)
		return 0;
	snprintf(lack->why, sizeof(lack->why), "%s", error->what);
	snprintf(lack->remedy, sizeof(lack->remedy), "%s", error->remedy);
	return -EPERM;
}

static const struct libos_listing list[] = {
    {.name = "catnap", .what = "kernel sockets", .probe = kernel_probe},
    {.name = "catcollar", .what = "kernel sockets through io_uring", .probe = uring_probe},
    {.name = "catpowder",
     .what = "our TCP/IP over AF_XDP",
     .probe = catpowder_xdp_probe,
     .prepare = catpowder_xdp_prepare},
    {.name = "catpowder",
     .what = "our TCP/IP over AF_PACKET",
     .probe = catpowder_packet_probe,
     .prepare = catpowder_packet_prepare},
    {.name = "catnip",
     .what = "our TCP/IP over DPDK (memif)",
     .probe = catnip_probe,
     .prepare = catnip_prepare},
};

const struct libos_listing *libos_listing_at(unsigned int index)
{
	return index < sizeof(list) / sizeof(list[0]) ? &list[index] : NULL;
}
