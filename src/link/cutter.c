/* cutter.c - see cutter.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/cutter.h"
#include "link/interface_facts.h"
#include "link/vnet_header.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the kernel may hold of us until the device has it. */
enum { SEND_BUFFER_BYTES = 4 << 20 };

static int prepare(int fd, int interface_index)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = interface_index};
	int one = 1, bytes = SEND_BUFFER_BYTES;

	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	/* Beyond the system's limit with CAP_NET_ADMIN, else up to it. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return 0;
}

int cutter_open(struct cutter *c, const char *interface)
{
	struct interface_facts facts;
	int rc = interface_facts_read(&facts, interface);

	c->busy_ns = 0;
	c->fd = -1;
	if (rc == 0 && facts.offloads.tso)
		rc = -EOPNOTSUPP;
	if (rc < 0)
		return rc;
	c->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	rc = prepare(c->fd, facts.index);
	if (rc < 0)
		cutter_close(c);
	return rc;
}

/* 0: sent, or lost; -EAGAIN: later; -ENODEV. */
static int send_one(const struct cutter *c, const struct frame *f)
{
	struct virtio_net_hdr h = vnet_header(f);
	struct iovec parts[2 + FRAME_FRAGS] = {{&h, sizeof(h)}, {f->head->data, f->head->len}};

	for (unsigned i = 0; i < f->nfrags; i++)
		parts[2 + i] = (struct iovec){f->frags[i].data, f->frags[i].len};
	if (writev(c->fd, parts, 2 + f->nfrags) >= 0)
		return 0;
	if (errno == ENXIO || errno == ENODEV)
		return -ENODEV;
	/* A discipline that had no room for all (ENOBUFS) has dropped it, as a router does. */
	return errno == EAGAIN ? -EAGAIN : 0;
}

int cutter_send_rest(struct cutter *c, struct link *l, struct frame frames[], int sent, int n,
		     uint64_t now_ns)
{
	int rc = 0;

	while (sent < n && cutter_takes(c, &frames[sent], now_ns)) {
		rc = send_one(c, &frames[sent]);
		if (rc < 0)
			break;
		l->tx_frames++;
		l->tx_bytes += frames[sent].len;
		frame_release(&frames[sent++]);
	}
	return rc == -ENODEV && sent == 0 ? rc : sent;
}

void cutter_close(struct cutter *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
