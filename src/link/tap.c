/* tap.c - see tap.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/tap.h"
#include "base/list.h"
#include "link/interface.h"
#include "link/vnet_header.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct tap {
	struct link link;
	int fd;
};

static struct tap *tap_of(struct link *l)
{
	return container_of(l, struct tap, link);
}

/* A frame whose checksum nobody has computed yet has not left this machine. */
static bool take_header(struct buf *b, const struct virtio_net_hdr *h)
{
	if (h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		b->flags |= BUF_CSUM_OK;
	return h->gso_type == VIRTIO_NET_HDR_GSO_NONE;
}

/* One frame: NULL: it was dropped. -EAGAIN: there is none; -ENODEV. */
static int receive(struct tap *t, struct buf **out)
{
	struct buf *b = pool_get(t->link.info.rx_pool);
	uint8_t dropped[ETH_HLEN];
	struct virtio_net_hdr h;
	const struct iovec parts[] = {{&h, sizeof(h)},
				      {b ? b->data : dropped, b ? buf_tailroom(b) : ETH_HLEN}};
	ssize_t n = readv(t->fd, parts, 2);
	int error = errno;

	*out = NULL;
	if (n > (ssize_t)sizeof(h) && b && take_header(b, &h)) {
		b->len = (uint32_t)n - (uint32_t)sizeof(h);
		*out = b;
		return 0;
	}
	if (b)
		buf_unref(b);
	if (n < 0 && error == EAGAIN)
		return -EAGAIN;
	if (n < 0 && error == EBADFD)
		return -ENODEV;
	t->link.rx_dropped++;
	return 0;
}

static int tap_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct tap *t = tap_of(l);
	int n = 0;

	(void)now_ns;
	while (n < max) {
		int rc = receive(t, &bufs[n]);

		if (rc == -ENODEV && n == 0)
			return rc;
		if (rc < 0)
			break;
		if (!bufs[n])
			continue;
		l->rx_frames++;
		l->rx_bytes += bufs[n]->len;
		l->rx_copied_bytes += bufs[n]->len;
		n++;
	}
	return n;
}

/* 0: sent, or lost, as behind a pulled cable (the interface is down). -EAGAIN: later; -ENODEV. */
static int send_one(struct tap *t, const struct frame *f)
{
	struct virtio_net_hdr h = vnet_header(f);
	struct iovec parts[2 + FRAME_FRAGS] = {{&h, sizeof(h)}, {f->head->data, f->head->len}};

	for (unsigned i = 0; i < f->nfrags; i++)
		parts[2 + i] = (struct iovec){f->frags[i].data, f->frags[i].len};
	if (writev(t->fd, parts, 2 + f->nfrags) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return -EAGAIN;
	return errno == EBADFD ? -ENODEV : 0;
}

static int tap_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct tap *t = tap_of(l);
	int sent, rc = 0;

	(void)now_ns;
	for (sent = 0; sent < n; sent++) {
		struct frame *f = &frames[sent];

		rc = send_one(t, f);
		if (rc < 0)
			break;
		l->tx_frames++;
		l->tx_bytes += f->len;
		l->tx_copied_bytes += f->len;
		frame_release(f);
	}
	l->tx_full += rc == -EAGAIN;
	return rc == -ENODEV && sent == 0 ? rc : sent;
}

static int tap_wake_fd(struct link *l)
{
	return tap_of(l)->fd;
}

/* The descriptor is readable whenever a frame waits, and in error when the interface has gone. */
static int tap_arm(struct link *l)
{
	struct pollfd p = {.fd = tap_of(l)->fd, .events = POLLIN};

	if (poll(&p, 1, 0) <= 0)
		return 0;
	return p.revents & POLLERR ? -ENODEV : 1;
}

static void tap_forked(struct link *l)
{
	close(tap_of(l)->fd);
}

static void tap_destroy(struct link *l)
{
	struct tap *t = tap_of(l);

	if (t->fd >= 0)
		close(t->fd);
	pool_destroy(l->info.rx_pool);
	free(t);
}

static const struct link_ops tap_ops = {
    .name = "tap",
    .rx = tap_rx,
    .tx = tap_tx,
    .wake_fd = tap_wake_fd,
    .arm = tap_arm,
    .forked = tap_forked,
    .destroy = tap_destroy,
};

/* One with several queues wants to be told that we know. */
static int attach(int fd, const char *name)
{
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

	strcpy(req.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &req) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	req.ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, &req) < 0 ? -errno : 0;
}

/* Frames that come may lack their checksums; those that go may, and may be larger than the MTU. */
static int set_offloads(struct tap *t)
{
	int header_bytes = sizeof(struct virtio_net_hdr);

	if (ioctl(t->fd, TUNSETVNETHDRSZ, &header_bytes) < 0 ||
	    ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM) < 0)
		return -errno;
	t->link.info.offloads = OFFLOAD_L4_CSUM | OFFLOAD_TSO | OFFLOAD_RX_CSUM;
	t->link.info.tso_max_bytes = TAP_TSO_BYTES;
	return 0;
}

static int set_up(const char *name)
{
	struct ifreq req = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	strcpy(req.ifr_name, name);
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		rc = -errno;
	req.ifr_flags |= IFF_UP;
	if (rc == 0 && ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* One that nobody else has: locally administered (IEEE 802), and the address. */
static void choose_mac(uint8_t mac[6], const struct tap_options *opt)
{
	static const uint8_t ours[2] = {0x02, 0xde};

	memcpy(mac, ours, sizeof(ours));
	memcpy(mac + 2, opt->addr.bytes + 12, 4);
	if (opt->mac)
		memcpy(mac, opt->mac, 6);
}

static int make_pool(struct tap *t)
{
	uint32_t room = t->link.info.mtu + LINK_HEADER_BYTES + BUF_HEADROOM_BYTES;

	return pool_create(&t->link.info.rx_pool, TAP_POOL_BUFFERS, (room + 63) & ~63u,
			   BUF_HEADROOM_BYTES, NULL);
}

static int open_all(struct tap *t, const struct tap_options *opt)
{
	const bool made_here = if_nametoindex(opt->interface) == 0;
	struct interface itf;
	int rc;

	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return -errno;
	rc = attach(t->fd, opt->interface);
	if (rc == 0)
		rc = set_offloads(t);
	if (rc == 0 && made_here)
		rc = set_up(opt->interface);
	if (rc == 0)
		rc = interface_read(&itf, opt->interface);
	if (rc < 0)
		return rc;
	t->link.info.mtu = itf.mtu;
	choose_mac(t->link.info.mac, opt);
	return make_pool(t);
}

static struct tap *new_tap(void)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->link.ops = &tap_ops;
	t->link.info.max_frags = FRAME_FRAGS;
	t->fd = -1;
	return t;
}

int tap_open_sender(struct link **out, const struct link *of)
{
	struct tap *t = new_tap();
	int rc;

	if (!t)
		return -ENOMEM;
	t->link.info = of->info;
	t->link.info.rx_pool = NULL;
	t->fd = fcntl(container_of(of, struct tap, link)->fd, F_DUPFD_CLOEXEC, 0);
	rc = t->fd < 0 ? -errno : make_pool(t);
	if (rc < 0) {
		tap_destroy(&t->link);
		return rc;
	}
	*out = &t->link;
	return 0;
}

int tap_open(struct link **out, const struct tap_options *opt)
{
	struct tap *t;
	int rc;

	if (strlen(opt->interface) >= IFNAMSIZ)
		return -ENODEV;
	t = new_tap();
	if (!t)
		return -ENOMEM;
	rc = open_all(t, opt);
	if (rc < 0) {
		tap_destroy(&t->link);
		return rc;
	}
	*out = &t->link;
	return 0;
}
