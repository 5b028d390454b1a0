/* dpdk.c - see dpdk.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk.h"
#include "base/list.h"
#include "base/log.h"
#include "link/dpdk_link.h"
#include "link/dpdk_pool.h"
#include "link/offload.h"
#include <errno.h>
#include <fcntl.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_prefetch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One environment, one port. */
static atomic_flag port_taken = ATOMIC_FLAG_INIT;

/* A chain becomes one buffer of the heap. */
static struct buf *gather(struct dpdk *d, struct rte_mbuf *m)
{
	struct buf *b = d->heap ? heap_alloc(d->heap, m->pkt_len) : NULL;
	uint32_t at = 0;

	for (struct rte_mbuf *s = m; b && s; s = s->next) {
		memcpy(b->data + at, rte_pktmbuf_mtod(s, void *), s->data_len);
		at += s->data_len;
	}
	d->link.rx_copied_bytes += at;
	d->link.rx_dropped += b == NULL;
	rte_pktmbuf_free(m);
	return b;
}

static struct buf *take(struct dpdk *d, struct rte_mbuf *m)
{
	struct buf *b;

	if (m->nb_segs > 1)
		return gather(d, m);
	b = buf_of_mbuf(m);
	b->data = rte_pktmbuf_mtod(m, uint8_t *);
	b->len = m->data_len;
	b->next = NULL;
	b->flags = (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD
		       ? BUF_CSUM_OK
		       : 0;
	return b;
}

static void look_after(struct dpdk *d, uint64_t now_ns)
{
	uint64_t again_ns = dpdk_port_look_after(d->port);

	d->look_ns = again_ns == UINT64_MAX ? UINT64_MAX : now_ns + again_ns;
	d->gone = dpdk_port_is_gone(d->port);
}

/* What the ring had no room for. True: all of it is gone. */
bool dpdk_send_kept(struct dpdk *d)
{
	uint16_t sent =
	    !d->port->started ? 0 : rte_eth_tx_burst(d->port->id, d->queue, d->keep, d->kept);

	d->kept -= sent;
	memmove(d->keep, d->keep + sent, d->kept * sizeof(d->keep[0]));
	return d->kept == 0;
}

/* Nothing has come: the time for what is not the data path's. */
static int dpdk_rx_nothing(struct dpdk *d, uint64_t now_ns)
{
	if (now_ns >= d->look_ns)
		look_after(d, now_ns);
	return d->gone ? -ENODEV : 0;
}

/* While we look by ourselves the other end need not ring: over virtio a system call for each burst.
 */
static __attribute__((cold, noinline)) void disarm(struct dpdk *d)
{
	d->armed = false;
	rte_eth_dev_rx_intr_disable(d->port->id, d->queue);
}

int dpdk_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct dpdk *d = dpdk_of(l);
	struct rte_mbuf *m[LINK_BURST];
	uint16_t n = 0;
	int count = 0;

	if (d->port->started)
		n = rte_eth_rx_burst(d->port->id, d->queue, m,
				     (uint16_t)(max < LINK_BURST ? max : LINK_BURST));
	if (d->kept > 0)
		dpdk_send_kept(d);
	if (n == 0)
		return dpdk_rx_nothing(d, now_ns);
	d->look_ns = now_ns + DPDK_LOOK_NS;
	if (d->armed)
		disarm(d);
	for (uint16_t i = 0; i < n; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		rte_prefetch0(rte_mbuf_to_priv(m[i]));
	}
	for (uint16_t i = 0; i < n; i++) {
		bufs[count] = take(d, m[i]);
		if (!bufs[count])
			continue;
		l->rx_bytes += bufs[count]->len;
		count++;
	}
	l->rx_frames += (uint64_t)count;
	return count;
}

static bool is_mbuf(const struct dpdk *d, const struct buf *b)
{
	return b->pool == d->link.info.rx_pool;
}

/* The device has sent a piece of the heap: its reference goes. `opaque` is the buffer. */
static void external_sent(void *addr, void *opaque)
{
	(void)addr;
	buf_unref(opaque);
}

/* Makes m read a buffer that is an mbuf too. It takes a reference of its own; the frame's goes. */
static void attach_mbuf(struct rte_mbuf *m, struct frame_frag *f)
{
	struct rte_mbuf *from = mbuf_of_buf(f->buf);

	rte_pktmbuf_attach(m, from);
	buf_unref(f->buf);
	m->data_off = (uint16_t)(f->data - (uint8_t *)from->buf_addr);
}

/* Makes m read the heap. The frame's reference is its own from now on. */
static void attach_heap(struct rte_mbuf *m, struct frame_frag *f)
{
	struct rte_mbuf_ext_shared_info *shared = rte_mbuf_to_priv(m);

	shared->free_cb = external_sent;
	shared->fcb_opaque = f->buf;
	rte_mbuf_ext_refcnt_set(shared, 1);
	rte_pktmbuf_attach_extbuf(m, f->data, (rte_iova_t)(uintptr_t)f->data, (uint16_t)f->len,
				  shared);
	m->data_off = 0;
}

/* m, without room of its own, becomes the fragment; the frame's reference goes with it. */
static void attach(struct dpdk *d, struct rte_mbuf *m, struct frame_frag *f)
{
	if (is_mbuf(d, f->buf))
		attach_mbuf(m, f);
	else
		attach_heap(m, f);
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
}

static void ask_offloads(struct rte_mbuf *m, const struct frame *f)
{
	m->ol_flags = 0;
	if (f->offload == 0)
		return;
	m->l2_len = f->l3_offset;
	m->l3_len = f->l4_offset - f->l3_offset;
	m->ol_flags = RTE_MBUF_F_TX_IPV4;
	if (f->offload & OFFLOAD_IP4_CSUM)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (f->offload & (OFFLOAD_L4_CSUM | OFFLOAD_TSO))
		m->ol_flags |=
		    offload_is_tcp(f) ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	if (f->offload & OFFLOAD_TSO) {
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->l4_len = offload_tcp_headers(f) - f->l4_offset;
		m->tso_segsz = f->tso_mss;
	}
}

/* The head as the mbuf that it is. The stack does not write to it again before it is sent. */
static struct rte_mbuf *head_mbuf(struct frame *f)
{
	struct rte_mbuf *m = mbuf_of_buf(f->head);

	m->data_off = (uint16_t)(f->head->data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)f->head->len;
	m->pkt_len = f->head->len;
	m->nb_segs = 1;
	m->next = NULL;
	return m;
}

/* A frame as a chain of mbufs that hold its references. NULL: no mbufs are left; the frame is as it
 * was. */
static struct rte_mbuf *chain(struct dpdk *d, struct frame *f)
{
	struct rte_mbuf *pieces[FRAME_FRAGS], *head = head_mbuf(f), *last = head;

	if (rte_pktmbuf_alloc_bulk(d->attached, pieces, f->nfrags) != 0)
		return NULL;
	for (unsigned i = 0; i < f->nfrags; i++) {
		attach(d, pieces[i], &f->frags[i]);
		last->next = pieces[i];
		last = pieces[i];
		head->pkt_len += pieces[i]->data_len;
	}
	head->nb_segs = (uint16_t)(1 + f->nfrags);
	return head;
}

static bool heap_is_readable(const struct dpdk *d, const struct frame *f)
{
	for (unsigned i = 0; i < f->nfrags; i++) {
		if (!d->heap_mapped && !is_mbuf(d, f->frags[i].buf))
			return false;
	}
	return true;
}

/* Another buffer at the end of a chain that is being filled. NULL: none is left. */
static struct buf *extend(struct dpdk *d, struct rte_mbuf *chain, struct rte_mbuf *last)
{
	struct buf *b = pool_get(d->link.info.rx_pool);
	struct rte_mbuf *m;

	if (!b)
		return NULL;
	m = mbuf_of_buf(b);
	m->data_off = (uint16_t)(b->data - (uint8_t *)m->buf_addr);
	m->data_len = 0;
	m->pkt_len = 0;
	m->nb_segs = 1;
	m->next = NULL;
	if (last) {
		last->next = m;
		chain->nb_segs++;
	}
	return b;
}

/* Appends bytes to a chain, which gets longer as it takes. False: no buffers are left. */
static bool append(struct dpdk *d, struct rte_mbuf *chain, struct rte_mbuf **last,
		   const uint8_t *data, uint32_t len)
{
	chain->pkt_len += len;
	while (len > 0) {
		uint32_t room = rte_pktmbuf_tailroom(*last), now = len < room ? len : room;

		if (room == 0) {
			struct buf *b = extend(d, chain, *last);

			if (!b)
				return false;
			*last = mbuf_of_buf(b);
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(*last, uint8_t *, (*last)->data_len), data, now);
		(*last)->data_len = (uint16_t)((*last)->data_len + now);
		data += now;
		len -= now;
	}
	return true;
}

/* A frame that the device cannot read as it lies. NULL: no buffers are left. */
static struct rte_mbuf *copy(struct dpdk *d, struct frame *f)
{
	struct buf *b = extend(d, NULL, NULL);
	struct rte_mbuf *chain, *last;
	bool good;

	if (!b)
		return NULL;
	chain = last = mbuf_of_buf(b);
	good = append(d, chain, &last, f->head->data, f->head->len);
	for (unsigned i = 0; good && i < f->nfrags; i++)
		good = append(d, chain, &last, f->frags[i].data, f->frags[i].len);
	if (!good) {
		rte_pktmbuf_free(chain);
		return NULL;
	}
	d->link.tx_copied_bytes += f->len;
	return chain;
}

static struct rte_mbuf *mbuf_of_frame(struct dpdk *d, struct frame *f)
{
	bool copied = !is_mbuf(d, f->head) || !heap_is_readable(d, f);
	struct rte_mbuf *m;

	if (copied)
		m = copy(d, f);
	else
		m = f->nfrags > 0 ? chain(d, f) : head_mbuf(f);
	if (!m)
		return NULL;
	ask_offloads(m, f);
	if (copied)
		frame_release(f);
	return m;
}

/* What the ring has no room for is kept as mbufs and goes first the next time: the frames were
 * taken all the same. */
int dpdk_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct dpdk *d = dpdk_of(l);
	struct rte_mbuf *m[LINK_BURST];
	uint16_t made = 0, sent;

	(void)now_ns;
	if (n > LINK_BURST)
		n = LINK_BURST;
	if (d->kept > 0 && !dpdk_send_kept(d))
		return 0;
	while (made < n && (m[made] = mbuf_of_frame(d, &frames[made]))) {
		l->tx_bytes += frames[made].len;
		made++;
	}
	sent = d->port->started ? rte_eth_tx_burst(d->port->id, d->queue, m, made) : 0;
	l->tx_frames += made;
	if (sent < made) {
		d->kept = made - sent;
		memcpy(d->keep, m + sent, d->kept * sizeof(m[0]));
		l->tx_full++;
	}
	return made;
}

int dpdk_wake_fd(struct link *l)
{
	return dpdk_of(l)->wake_fd;
}

/* A frame that came before the interrupt was enabled may have rung no bell: whoever arms polls once
 * more. */
int dpdk_arm(struct link *l)
{
	struct dpdk *d = dpdk_of(l);
	uint64_t count;

	if (d->kept > 0)
		return 1;
	if (d->counts && read(d->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -EAGAIN;
	if (rte_eth_dev_rx_intr_enable(d->port->id, d->queue) < 0)
		return -EAGAIN;
	d->armed = true;
	return rte_eth_rx_queue_count(d->port->id, d->queue) > 0;
}

/* What was sent last, a RST perhaps, lies in a ring that goes with us when the peer reads it there:
 * it gets a moment, if it is there. */
void dpdk_await_peer(const struct dpdk *d)
{
	const struct timespec moment = {.tv_nsec = DPDK_PARTING_NS};

	if (d->port->peer_reads && d->link.tx_frames > 0)
		nanosleep(&moment, NULL);
}

static void dpdk_destroy(struct link *l)
{
	struct dpdk *d = dpdk_of(l);

	if (d->kept > 0 && !dpdk_send_kept(d))
		rte_pktmbuf_free_bulk(d->keep, d->kept);
	dpdk_await_peer(d);
	dpdk_port_stop(d->port);
	dpdk_pool_end(l->info.rx_pool);
	rte_mempool_free(d->attached);
	free(d);
	dpdk_give_port();
}

static const struct link_ops dpdk_ops = {
    .name = "dpdk",
    .rx = dpdk_rx,
    .tx = dpdk_tx,
    .wake_fd = dpdk_wake_fd,
    .arm = dpdk_arm,
    .destroy = dpdk_destroy,
};

/* Lets the device read the heap. A virtual one reads as we do, unless its peer reads by itself, who
 * has DPDK's memory alone; a physical one needs its addresses, which only VFIO with virtual
 * addresses gives. */
static bool map_heap(struct dpdk *d)
{
	struct rte_device *device = d->port->info.device;
	size_t bytes;
	uint8_t *area = heap_pin(d->heap, &bytes);

	if (d->port->is_virtual)
		return !d->port->peer_reads;
	if (rte_eal_iova_mode() != RTE_IOVA_VA ||
	    rte_extmem_register(area, bytes, NULL, 0, (size_t)sysconf(_SC_PAGESIZE)) != 0)
		return false;
	return rte_dev_dma_map(device, area, (uint64_t)(uintptr_t)area, bytes) == 0;
}

/* A pool lives on while the program has buffers of it: each needs a name of its own. */
static void name_pool(char name[RTE_MEMPOOL_NAMESIZE])
{
	static atomic_uint made;

	snprintf(name, RTE_MEMPOOL_NAMESIZE, "demi_%u", atomic_fetch_add(&made, 1));
}

struct pool *dpdk_make_pool(const struct dpdk_port *p, uint32_t buffers)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	name_pool(name);
	return dpdk_pool_create(name, buffers, dpdk_port_room(p), rte_eth_dev_socket_id(p->id),
				!p->is_virtual);
}

struct rte_mempool *dpdk_make_attached(const struct dpdk_port *p)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	name_pool(name);
	return rte_pktmbuf_pool_create(name, DPDK_ATTACHED, 128, RTE_CACHE_LINE_SIZE, 0,
				       rte_eth_dev_socket_id(p->id));
}

int dpdk_no_memory(uint32_t buffers, char why[DPDK_WHY_BYTES])
{
	snprintf(why, DPDK_WHY_BYTES,
		 "DPDK has no memory for %u buffers: give it more huge pages, or more with -m MB "
		 "(256 are plenty)",
		 buffers);
	return -ENOMEM;
}

static int make_pools(struct dpdk *d, char why[DPDK_WHY_BYTES])
{
	d->link.info.rx_pool = dpdk_make_pool(d->port, DPDK_POOL_BUFFERS);
	d->attached = dpdk_make_attached(d->port);
	return d->link.info.rx_pool && d->attached ? 0 : dpdk_no_memory(DPDK_POOL_BUFFERS, why);
}

/* Other descriptors, a TAP's, are the frames' own. */
static bool is_eventfd(int fd)
{
	char link[64], to[32] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, to, sizeof(to) - 1) > 0 && strstr(to, "[eventfd]") &&
	       fcntl(fd, F_GETFL) & O_NONBLOCK;
}

void dpdk_describe(struct dpdk *d)
{
	struct link_info *info = &d->link.info;

	memcpy(info->mac, d->port->mac.addr_bytes, sizeof(info->mac));
	info->mtu = d->port->mtu;
	info->offloads = d->port->offloads;
	info->tx_company = DPDK_COMPANY;
	info->max_frags = d->port->multi_segment ? FRAME_FRAGS : 0;
	info->tso_max_bytes = d->port->offloads & OFFLOAD_TSO ? UINT16_MAX - 256 : 0;
	d->wake_fd =
	    d->port->interrupts ? rte_eth_dev_rx_intr_ctl_q_get_fd(d->port->id, d->queue) : -1;
	d->counts = d->wake_fd >= 0 && is_eventfd(d->wake_fd);
}

static int open_port(struct dpdk *d, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	struct rte_mempool *mempool;
	int rc = dpdk_environment(s, why);

	if (rc == 0)
		rc = dpdk_port_find(d->port, s, why);
	if (rc < 0)
		return rc;
	rc = make_pools(d, why);
	if (rc == 0) {
		mempool = dpdk_mempool(d->link.info.rx_pool);
		rc = dpdk_port_start(d->port, s, &mempool, why);
	}
	if (rc < 0) {
		dpdk_pool_end(d->link.info.rx_pool);
		rte_mempool_free(d->attached);
		return rc;
	}
	d->heap_mapped = map_heap(d);
	if (!d->heap_mapped) /* such a frame could not be copied into one buffer */
		d->port->offloads &= ~(uint32_t)OFFLOAD_TSO;
	dpdk_describe(d);
	return 0;
}

int dpdk_take_port(char why[DPDK_WHY_BYTES])
{
	if (!atomic_flag_test_and_set(&port_taken))
		return 0;
	snprintf(why, DPDK_WHY_BYTES,
		 "another thread of this process has the port; dpdk.instances in the configuration "
		 "file says how many may share it");
	return -EBUSY;
}

void dpdk_give_port(void)
{
	atomic_flag_clear(&port_taken);
}

static int dpdk_open(struct link **out, const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	struct dpdk *d = calloc(1, sizeof(*d));
	int rc;

	snprintf(why, DPDK_WHY_BYTES, "not enough memory");
	if (!d)
		return -ENOMEM;
	d->link.ops = &dpdk_ops;
	d->port = &d->own;
	d->heap = s->heap;
	rc = dpdk_take_port(why);
	if (rc < 0) {
		free(d);
		return rc;
	}
	rc = open_port(d, s, why);
	if (rc < 0) {
		dpdk_give_port();
		free(d);
		return rc;
	}
	*out = &d->link;
	return 0;
}

extern const struct dpdk_plugin demi_dpdk_plugin;
__attribute__((visibility("default"))) const struct dpdk_plugin demi_dpdk_plugin = {
    .version = DPDK_PLUGIN_VERSION,
    .link_bytes = sizeof(struct link),
    .drivers = RTE_EAL_PMD_PATH,
    .set_host = dpdk_set_host,
    .open = dpdk_open,
    .open_queues = dpdk_open_queues,
    .open_sender = dpdk_open_sender,
    .source_of = dpdk_source_of,
};
