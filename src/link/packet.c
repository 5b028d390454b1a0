/* packet.c - see packet.h.
 *
 * Each ring is an array of slots that kernel and program own in turn; a word of the slot says who.
 * Both rings are one mapping, receive slots first. A slot: struct tpacket2_hdr, then the frame (at
 * tp_mac received; at TX_DATA sent).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/packet.h"
#include "base/list.h"
#include "base/log.h"
#include "link/cutter.h"
#include "link/interface.h"
#include "link/veil.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TX_DATA TPACKET_ALIGN(sizeof(struct tpacket2_hdr))

enum { BLOCK_BYTES = 1 << 18 };

/* How often one that is down is asked whether it is still there. */
#define PACKET_DOWN_CHECK_NS UINT64_C(100000000)

struct packet {
	struct link link;
	int fd;
	int claim_fd; /* claim_take() */
	int veil_fd;  /* veil_drop(); negative: there is none */
	int index;    /* of the interface */
	struct cutter cutter;
	bool down; /* it went down, and no frame has come since: it may be gone, too */
	uint64_t now_ns;
	uint32_t slot_bytes;
	uint32_t rx_next, tx_next;
	uint8_t *rx, *tx; /* the rings */
	size_t map_bytes;
};

static struct packet *packet_of(struct link *l)
{
	return container_of(l, struct packet, link);
}

static struct tpacket2_hdr *slot(const struct packet *p, uint8_t *ring, uint32_t i)
{
	return (struct tpacket2_hdr *)(void *)(ring + (size_t)i * p->slot_bytes);
}

static uint32_t status_of(const struct tpacket2_hdr *h)
{
	return __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
}

static void set_status(struct tpacket2_hdr *h, uint32_t status)
{
	__atomic_store_n(&h->tp_status, status, __ATOMIC_RELEASE);
}

/* The kernel takes a VLAN tag out of the frame; the stack wants to see it. */
static void copy_in(struct buf *b, const struct tpacket2_hdr *h, uint32_t status)
{
	const uint8_t *frame = (const uint8_t *)h + h->tp_mac;
	uint32_t head = 0;

	if (status & TP_STATUS_VLAN_VALID && h->tp_snaplen >= 2 * ETH_ALEN) {
		memcpy(b->data, frame, 2 * ETH_ALEN);
		put_be16(b->data + 12,
			 status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q);
		put_be16(b->data + 14, h->tp_vlan_tci);
		head = 2 * ETH_ALEN;
		b->len = 4;
	}
	memcpy(b->data + head + b->len, frame + head, h->tp_snaplen - head);
	b->len += h->tp_snaplen;
	/* A sender on this machine left the checksum to a device that is not there: nothing has
	 * touched the frame since. */
	if (status & (TP_STATUS_CSUM_VALID | TP_STATUS_CSUMNOTREADY))
		b->flags |= BUF_CSUM_OK;
}

static struct buf *receive(struct packet *p, const struct tpacket2_hdr *h, uint32_t status)
{
	struct buf *b;

	if (h->tp_len != h->tp_snaplen) {
		p->link.rx_dropped++;
		log_warn_rarely(
		    "a frame of %u bytes is longer than the interface's MTU allows: turn offloads "
		    "off where it comes from, with ethtool -K IF tso off gso off gro off",
		    h->tp_len);
		return NULL;
	}
	b = pool_get(p->link.info.rx_pool);
	if (!b || h->tp_snaplen + 4 > buf_tailroom(b)) {
		p->link.rx_dropped++;
		if (b)
			buf_unref(b);
		return NULL;
	}
	copy_in(b, h, status);
	p->link.rx_frames++;
	p->link.rx_bytes += b->len;
	p->link.rx_copied_bytes += b->len;
	return b;
}

static int packet_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct packet *p = packet_of(l);
	int n = 0;

	p->now_ns = now_ns;
	while (n < max) {
		struct tpacket2_hdr *h = slot(p, p->rx, p->rx_next);
		uint32_t status = status_of(h);

		if (!(status & TP_STATUS_USER))
			break;
		bufs[n] = receive(p, h, status);
		n += bufs[n] != NULL;
		p->down = false;
		set_status(h, TP_STATUS_KERNEL);
		p->rx_next = (p->rx_next + 1) & (PACKET_RX_FRAMES - 1);
	}
	return n;
}

/* A slot that far ahead is filled: no more than an eighth of the ring is left. */
static bool packet_crowded(struct link *l)
{
	struct packet *p = packet_of(l);
	uint32_t ahead = (p->rx_next + PACKET_RX_FRAMES / 8 * 7) & (PACKET_RX_FRAMES - 1);

	return (status_of(slot(p, p->rx, ahead)) & TP_STATUS_USER) != 0;
}

static void copy_out(struct tpacket2_hdr *h, const struct frame *f)
{
	frame_copy(f, (uint8_t *)h + TX_DATA);
	h->tp_len = f->len;
}

/* Tells the kernel that slots are filled. An interface that is down loses them, as a pulled cable
 * would. */
static int ring_doorbell(struct packet *p)
{
	if (send(p->fd, NULL, 0, MSG_DONTWAIT) >= 0)
		return 0;
	if (errno == ENXIO || errno == ENODEV)
		return -ENODEV;
	return 0;
}

/* Puts a frame on the ring. False: that is full. */
static bool put(struct packet *p, const struct frame *f)
{
	struct tpacket2_hdr *h = slot(p, p->tx, p->tx_next);

	if (status_of(h) & (TP_STATUS_SEND_REQUEST | TP_STATUS_SENDING))
		return false;
	copy_out(h, f);
	set_status(h, TP_STATUS_SEND_REQUEST);
	p->tx_next = (p->tx_next + 1) & (PACKET_TX_FRAMES - 1);
	p->link.tx_copied_bytes += f->len;
	return true;
}

/* Sends those by the ring that are in front of the first that goes by the cutter. Says how many, or
 * -ENODEV. */
static int send_by_ring(struct packet *p, struct frame frames[], int n, uint64_t now_ns)
{
	int sent = 0;

	if (cutter_takes(&p->cutter, &frames[0], now_ns))
		return 0;
	do {
		if (!put(p, &frames[sent]))
			break;
		sent++;
	} while (sent < n && !cutter_takes(&p->cutter, &frames[sent], now_ns));
	return ring_doorbell(p) < 0 ? -ENODEV : sent;
}

static int packet_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct packet *p = packet_of(l);
	int sent = send_by_ring(p, frames, n, now_ns);

	if (sent < 0)
		return sent;
	for (int i = 0; i < sent; i++) {
		l->tx_bytes += frames[i].len;
		frame_release(&frames[i]);
	}
	l->tx_frames += (uint64_t)sent;
	/* The rest: what the kernel is to cut, and what must not overtake that. */
	sent = cutter_send_rest(&p->cutter, l, frames, sent, n, now_ns);
	l->tx_full += sent >= 0 && sent < n;
	return sent;
}

static int packet_wake_fd(struct link *l)
{
	return packet_of(l)->fd;
}

/* Nothing wakes us when an interface that is down goes for good. */
static uint64_t packet_next_deadline(struct link *l)
{
	struct packet *p = packet_of(l);

	return p->down ? p->now_ns + PACKET_DOWN_CHECK_NS : UINT64_MAX;
}

/* The socket is readable whenever a slot is filled: there is nothing to ask for. */
static int packet_arm(struct link *l)
{
	struct packet *p = packet_of(l);
	int error = 0;
	socklen_t len = sizeof(error);

	/* An interface that is down comes back; one that is gone does not. */
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
		p->down = true;
	if (p->down && !interface_exists(p->index))
		return -ENODEV;
	return (status_of(slot(p, p->rx, p->rx_next)) & TP_STATUS_USER) != 0;
}

static void close_all(struct packet *p)
{
	if (p->rx)
		munmap(p->rx, p->map_bytes);
	close(p->fd);
	cutter_close(&p->cutter);
	if (p->veil_fd >= 0)
		close(p->veil_fd);
	if (p->claim_fd >= 0)
		close(p->claim_fd);
}

/* The mapping would keep the socket, and what it receives, as long as the child lives. */
static void packet_forked(struct link *l)
{
	close_all(packet_of(l));
}

static void packet_destroy(struct link *l)
{
	close_all(packet_of(l));
	pool_destroy(l->info.rx_pool);
	free(packet_of(l));
}

static const struct link_ops packet_ops = {
    .name = "packet",
    .rx = packet_rx,
    .crowded = packet_crowded,
    .tx = packet_tx,
    .next_deadline = packet_next_deadline,
    .wake_fd = packet_wake_fd,
    .arm = packet_arm,
    .forked = packet_forked,
    .destroy = packet_destroy,
};

/* Lets through ARP and what is for our address; the kernel's own frames stay with it. A VLAN tag is
 * outside the frame here. */
static int set_filter(int fd, const struct ip_addr *addr)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 3, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 30),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ip4_get(addr), 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

static int read_interface(struct packet *p, const struct packet_options *opt)
{
	struct interface itf;
	int rc = interface_read(&itf, opt->interface);

	if (rc < 0)
		return rc;
	p->index = itf.index;
	p->link.info.mtu = itf.mtu;
	memcpy(p->link.info.mac, opt->mac ? opt->mac : itf.mac, ETH_ALEN);
	return 0;
}

static struct tpacket_req ring_of(const struct packet *p, uint32_t frames)
{
	return (struct tpacket_req){.tp_block_size = BLOCK_BYTES,
				    .tp_block_nr = frames / (BLOCK_BYTES / p->slot_bytes),
				    .tp_frame_size = p->slot_bytes,
				    .tp_frame_nr = frames};
}

/* Slots that hold a frame of the MTU; both rings are one mapping. */
static int map_rings(struct packet *p)
{
	int version = TPACKET_V2, one = 1;
	struct tpacket_req rx, tx;
	void *map;

	p->slot_bytes = 2048;
	while (p->slot_bytes < p->link.info.mtu + 256u)
		p->slot_bytes *= 2;
	rx = ring_of(p, PACKET_RX_FRAMES);
	tx = ring_of(p, PACKET_TX_FRAMES);
	if (setsockopt(p->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_LOSS, &one, sizeof(one)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_RX_RING, &rx, sizeof(rx)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_TX_RING, &tx, sizeof(tx)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
		return -errno;
	p->map_bytes = (size_t)(PACKET_RX_FRAMES + PACKET_TX_FRAMES) * p->slot_bytes;
	map = mmap(NULL, p->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, p->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	p->rx = map;
	p->tx = p->rx + (size_t)PACKET_RX_FRAMES * p->slot_bytes;
	return 0;
}

/* A foreign MAC comes through a unicast filter: the interface listens to all. */
static int accept_mac(struct packet *p, const struct packet_options *opt)
{
	struct packet_mreq all = {.mr_ifindex = p->index, .mr_type = PACKET_MR_PROMISC};

	if (!opt->mac)
		return 0;
	return setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0 ? -errno
											   : 0;
}

/* Without a protocol nothing is received. */
static int bind_to(struct packet *p, bool send_only)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = send_only ? 0 : __builtin_bswap16(ETH_P_ALL),
				 .sll_ifindex = p->index};

	return bind(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* What the kernel cuts goes without a copy of ours, and up to 64 KiB at once. */
static void open_cutter(struct packet *p, const char *interface)
{
	if (cutter_open(&p->cutter, interface) < 0)
		return;
	p->link.info.offloads = OFFLOAD_TSO;
	p->link.info.tso_max_bytes = CUTTER_TSO_BYTES;
}

static int open_all(struct packet *p, const struct packet_options *opt)
{
	int rc = read_interface(p, opt);

	if (rc == 0 && !ip_is_any(&opt->addr))
		rc = set_filter(p->fd, &opt->addr);
	if (rc == 0)
		rc = map_rings(p);
	if (rc == 0)
		rc = accept_mac(p, opt);
	if (rc == 0)
		rc = bind_to(p, opt->send_only);
	if (rc == 0)
		rc = pool_create(&p->link.info.rx_pool, PACKET_POOL_BUFFERS,
				 p->slot_bytes + BUF_HEADROOM_BYTES, BUF_HEADROOM_BYTES, NULL);
	if (rc < 0)
		return rc;
	p->link.info.max_frags = FRAME_FRAGS;
	open_cutter(p, opt->interface);
	if (!ip_is_any(&opt->addr) && !opt->send_only)
		p->veil_fd = veil_drop(p->index, &opt->addr);
	return 0;
}

int packet_open(struct link **out, const struct packet_options *opt)
{
	struct packet *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->link.ops = &packet_ops;
	p->claim_fd = p->veil_fd = p->cutter.fd = -1;
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0) {
		rc = -errno;
		free(p);
		return rc;
	}
	rc = open_all(p, opt);
	if (rc < 0) {
		packet_destroy(&p->link);
		return rc;
	}
	p->claim_fd = opt->claim_fd;
	*out = &p->link;
	return 0;
}
