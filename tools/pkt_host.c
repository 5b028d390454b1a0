/* pkt_host.c - the clock and the wire. Sockets are in pkt_socket.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_host_state.h"
#include "base/bytes.h"
#include "link/offload.h"
#include "link/pcapng.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETHERNET_BYTES = 14,
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ARP_BYTES = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	IP4_BYTES = 20,
	POOL_BUFFERS = 2048,
	POOL_BYTES_MAX = 64 << 20, /* with a large MTU there are fewer buffers */
	HEAP_SMALL = 256,
	HEAP_REGION_BYTES = 64 << 20,
	BURST = 32,
	/* Of the stack: as much as a script can use, made quickly. */
	CONNECTIONS = 256,
	HALF_OPEN = 256,
	LISTENERS = 16,
	UDP_SOCKETS = 64,
	NEIGHBOURS = 64,
};

const uint8_t host_own_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
const uint8_t host_network_mac[6] = {0x02, 0, 0, 0, 0, 0x02};

static void capture(struct host *h, int direction, const uint8_t *frame, uint32_t len)
{
	if (h->capture != NULL)
		pcapng_frame(h->capture, direction, h->now_ns, frame, len);
}

static int deliver(struct host *h, const uint8_t from[6], uint16_t ethertype, const uint8_t *data,
		   uint32_t len)
{
	struct buf *b = pool_get(h->pool);

	if (b == NULL || buf_tailroom(b) < ETHERNET_BYTES + len) {
		if (b != NULL)
			buf_unref(b);
		return -ENOMEM;
	}
	memcpy(b->data, host_own_mac, 6);
	memcpy(b->data + 6, from, 6);
	put_be16(b->data + 12, ethertype);
	memcpy(b->data + ETHERNET_BYTES, data, len);
	b->len = ETHERNET_BYTES + len;
	capture(h, PCAPNG_INBOUND, b->data, b->len);
	stack_input(h->stack, &b, 1, h->now_ns);
	return 0;
}

/* Everybody but the host itself is there, and has the same MAC. */
static void answer_arp(struct host *h, const uint8_t *arp, uint32_t len)
{
	uint8_t reply[ARP_BYTES];
	uint32_t target;

	if (len < ARP_BYTES || get_be16(arp + 6) != ARP_REQUEST)
		return;
	target = get_be32(arp + 24);
	if (target == ip4_get(&h->local))
		return; /* a probe or an announcement of its own address */
	memcpy(reply, arp, ARP_BYTES);
	put_be16(reply + 6, ARP_REPLY);
	memcpy(reply + 8, host_network_mac, 6);
	put_be32(reply + 14, target);
	memcpy(reply + 18, arp + 8, 10);
	deliver(h, host_network_mac, ETHERTYPE_ARP, reply, sizeof(reply));
}

static void keep_packet(struct host *h, const uint8_t *frame, uint32_t len, bool arp)
{
	const uint8_t *data = frame + ETHERNET_BYTES;
	struct host_packet *p;

	len -= ETHERNET_BYTES;
	if (!arp && len >= IP4_BYTES && get_be16(data + 2) < len)
		len = get_be16(data + 2); /* the rest is padding */
	if (h->packets == HOST_PACKETS_MAX) {
		h->stuck = "it sends without end";
		return;
	}
	p = malloc(sizeof(*p) + len);
	if (p == NULL) {
		h->stuck = "out of memory";
		return;
	}
	p->next = NULL;
	p->time_ns = h->now_ns;
	memcpy(p->to, frame, sizeof(p->to));
	p->arp = arp;
	p->len = len;
	memcpy(p->data, data, len);
	*h->tail = p;
	h->tail = &p->next;
	h->packets++;
}

static void frame_sent(struct host *h, struct frame *f)
{
	uint8_t *data = h->scratch;

	if (f->len > h->scratch_bytes) {
		h->stuck = "it sent a frame over the MTU";
		return;
	}
	offload_segment(f, 0, data);
	capture(h, PCAPNG_OUTBOUND, data, f->len);
	if (f->len < ETHERNET_BYTES)
		return;
	if (get_be16(data + 12) == ETHERTYPE_ARP && !h->show_arp)
		answer_arp(h, data + ETHERNET_BYTES, f->len - ETHERNET_BYTES);
	else if (get_be16(data + 12) == ETHERTYPE_ARP || get_be16(data + 12) == ETHERTYPE_IP4)
		keep_packet(h, data, f->len, get_be16(data + 12) == ETHERTYPE_ARP);
}

static void read_events(struct host *h)
{
	struct stack_event ev[BURST];
	int n;

	while ((n = stack_events(h->stack, ev, BURST)) > 0) {
		for (int i = 0; i < n; i++) {
			if (ev[i].user != NULL)
				host_sock_event(ev[i].user, ev[i].bits);
		}
	}
}

void host_pump(struct host *h)
{
	struct frame frames[BURST];
	int n;

	while (h->stuck == NULL && (n = stack_output(h->stack, frames, BURST, h->now_ns)) > 0) {
		for (int i = 0; i < n; i++) {
			frame_sent(h, &frames[i]);
			frame_release(&frames[i]);
		}
	}
	read_events(h);
}

static int make_memory(struct host *h, uint16_t mtu)
{
	uint32_t room = ((uint32_t)mtu + ETHERNET_BYTES + 2 * BUF_HEADROOM_BYTES + 63) / 64 * 64;
	uint32_t count =
	    POOL_BYTES_MAX / room < POOL_BUFFERS ? POOL_BYTES_MAX / room : POOL_BUFFERS;
	int r;

	if (room < HEAP_SMALL_ROOM)
		room = HEAP_SMALL_ROOM;
	h->scratch_bytes = room;
	h->scratch = malloc(room);
	if (h->scratch == NULL)
		return -ENOMEM;
	r = pool_create(&h->pool, count, room, BUF_HEADROOM_BYTES, NULL);
	return r < 0 ? r : heap_create(&h->heap, HEAP_SMALL, HEAP_REGION_BYTES);
}

static int make_stack(struct host *h, const struct host_config *cfg)
{
	struct stack_config c;

	stack_config_init(&c);
	memcpy(c.mac, host_own_mac, sizeof(c.mac));
	c.addr = cfg->local;
	c.prefix_len = cfg->prefix_len;
	c.gateway = cfg->gateway;
	c.mtu = cfg->mtu;
	c.mtu_probing = cfg->mtu_probing;
	c.max_frags = FRAME_FRAGS;
	c.key[0] = cfg->seed;
	c.key[1] = ~cfg->seed;
	c.pool = h->pool;
	c.max_tcp = CONNECTIONS;
	c.max_half_open = HALF_OPEN;
	c.max_listeners = LISTENERS;
	c.max_udp = UDP_SOCKETS;
	c.max_neighbours = NEIGHBOURS;
	return stack_create(&h->stack, &c, h->now_ns);
}

int host_create(struct host **out, const struct host_config *cfg)
{
	struct host *h = calloc(1, sizeof(*h));
	int r;

	if (h == NULL)
		return -ENOMEM;
	h->tail = &h->head;
	h->local = cfg->local;
	h->show_arp = cfg->show_arp;
	h->capture = cfg->capture;
	r = make_memory(h, cfg->mtu);
	if (r == 0)
		r = make_stack(h, cfg);
	if (r < 0) {
		host_destroy(h);
		return r;
	}
	host_pump(h);
	*out = h;
	return 0;
}

uint32_t host_destroy(struct host *h)
{
	uint32_t leaked = 0;

	if (h->stack != NULL)
		stack_destroy(h->stack);
	while (h->head != NULL)
		free(host_packet_next(h));
	if (h->pool != NULL)
		leaked = h->pool->count - h->pool->free_count;
	if (h->heap != NULL)
		heap_destroy(h->heap);
	pool_destroy(h->pool);
	free(h->scratch);
	free(h);
	return leaked;
}

uint64_t host_now(const struct host *h)
{
	return h->now_ns;
}

const char *host_stuck(const struct host *h)
{
	return h->stuck;
}

uint64_t host_deadline(const struct host *h)
{
	return stack_next_deadline(h->stack);
}

bool host_step(struct host *h, uint64_t until_ns)
{
	uint64_t due = stack_next_deadline(h->stack);

	if (h->stuck != NULL || due > until_ns) {
		if (until_ns > h->now_ns) {
			h->now_ns = until_ns;
			h->spins = 0;
		}
		return false;
	}
	if (due > h->now_ns) {
		h->now_ns = due;
		h->spins = 0;
	} else if (++h->spins > HOST_SPINS_MAX) {
		h->stuck = "a timer is due again and again";
	}
	stack_tick(h->stack, h->now_ns);
	host_pump(h);
	return true;
}

int host_inject(struct host *h, const uint8_t *packet, uint32_t len)
{
	int r = deliver(h, host_network_mac, ETHERTYPE_IP4, packet, len);

	host_pump(h);
	return r;
}

int host_inject_arp(struct host *h, const uint8_t *packet, uint32_t len, const uint8_t mac[6])
{
	int r = deliver(h, mac, ETHERTYPE_ARP, packet, len);

	host_pump(h);
	return r;
}

const struct host_packet *host_packet_peek(const struct host *h)
{
	return h->head;
}

struct host_packet *host_packet_next(struct host *h)
{
	struct host_packet *p = h->head;

	if (p == NULL)
		return NULL;
	h->head = p->next;
	if (h->head == NULL)
		h->tail = &h->head;
	h->packets--;
	return p;
}
