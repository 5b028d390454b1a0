/* SPDX-License-Identifier: MIT */
#include "link/pcapng.h"
#include "base/list.h"
#include "link/offload.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Blocks are written in the byte order of the host, which the magic number tells the reader. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6, /* enhanced packet block */
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,
	OPT_END = 0,
	OPT_IF_NAME = 2,
	OPT_IF_TSRESOL = 9,
	OPT_EPB_FLAGS = 2,
	TSRESOL_NS = 9, /* 10^-9 s */
	NAME_BYTES_MAX = 64,
};

struct section_block {
	uint32_t type, total_length, magic;
	uint16_t major, minor;
	uint64_t section_length; /* all ones: not known */
	uint32_t total_length_again;
} __attribute__((packed));
static_assert(sizeof(struct section_block) == 28, "pcapng 4.1");

struct interface_block {
	uint32_t type, total_length;
	uint16_t linktype, reserved;
	uint32_t snap_bytes;
} __attribute__((packed));
static_assert(sizeof(struct interface_block) == 16, "pcapng 4.2");

struct packet_block {
	uint32_t type, total_length, interface_id, time_high, time_low, captured, original;
} __attribute__((packed));
static_assert(sizeof(struct packet_block) == 28, "pcapng 4.3");

struct option_head {
	uint16_t code, length;
};

/* What follows the bytes of a packet: its direction, the end of options, the length again. */
struct packet_tail {
	struct option_head flags;
	uint32_t direction;
	struct option_head end;
	uint32_t total_length;
};

static uint32_t pad4(uint32_t n)
{
	return (4 - n % 4) % 4;
}

static void write_bytes(FILE *out, const void *p, size_t n)
{
	(void)fwrite(p, 1, n, out); /* a failure stays in ferror() */
}

static void write_option(FILE *out, uint16_t code, const void *value, uint16_t len)
{
	struct option_head h = {code, len};

	write_bytes(out, &h, sizeof(h));
	write_bytes(out, value, len);
	write_bytes(out, "\0\0\0", pad4(len));
}

int pcapng_start(FILE *out, const char *name, uint32_t snap_bytes)
{
	const uint16_t name_len = (uint16_t)strnlen(name, NAME_BYTES_MAX);
	const uint8_t resolution = TSRESOL_NS;
	struct section_block section = {BLOCK_SECTION, sizeof(section), BYTE_ORDER_MAGIC, 1, 0,
					UINT64_MAX,    sizeof(section)};
	struct interface_block interface = {BLOCK_INTERFACE, 0, LINKTYPE_ETHERNET, 0, snap_bytes};
	const uint32_t options = 4 + name_len + pad4(name_len) + 8 + 4;

	interface.total_length = (uint32_t)sizeof(interface) + options + 4;
	write_bytes(out, &section, sizeof(section));
	write_bytes(out, &interface, sizeof(interface));
	write_option(out, OPT_IF_NAME, name, name_len);
	write_option(out, OPT_IF_TSRESOL, &resolution, sizeof(resolution));
	write_option(out, OPT_END, "", 0);
	write_bytes(out, &interface.total_length, 4);
	return ferror(out) ? -EIO : 0;
}

static void packet_begin(FILE *out, uint64_t time_ns, uint32_t len)
{
	struct packet_block p = {.type = BLOCK_PACKET,
				 .time_high = (uint32_t)(time_ns >> 32),
				 .time_low = (uint32_t)time_ns,
				 .captured = len,
				 .original = len};

	p.total_length =
	    (uint32_t)sizeof(p) + len + pad4(len) + (uint32_t)sizeof(struct packet_tail);
	write_bytes(out, &p, sizeof(p));
}

static void packet_end(FILE *out, int direction, uint32_t len)
{
	struct packet_tail t = {{OPT_EPB_FLAGS, 4}, (uint32_t)direction, {OPT_END, 0}, 0};

	t.total_length = (uint32_t)(sizeof(struct packet_block) + sizeof(t)) + len + pad4(len);
	write_bytes(out, "\0\0\0", pad4(len));
	write_bytes(out, &t, sizeof(t));
}

int pcapng_frame(FILE *out, int direction, uint64_t time_ns, const uint8_t *data, uint32_t len)
{
	packet_begin(out, time_ns, len);
	write_bytes(out, data, len);
	packet_end(out, direction, len);
	return ferror(out) ? -EIO : 0;
}

struct capture {
	struct link link;
	struct link *inner;
	FILE *out;
	uint64_t epoch_ns;
	uint8_t *scratch; /* one frame, contiguous */
	uint32_t scratch_bytes;
};

static struct capture *capture_of(struct link *l)
{
	return container_of(l, struct capture, link);
}

static int capture_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct capture *c = capture_of(l);
	int n = c->inner->ops->rx(c->inner, bufs, max, now_ns);

	for (int i = 0; i < n; i++) {
		pcapng_frame(c->out, PCAPNG_INBOUND, now_ns + c->epoch_ns, bufs[i]->data,
			     bufs[i]->len);
		l->rx_bytes += bufs[i]->len;
	}
	if (n > 0)
		l->rx_frames += (uint64_t)n;
	return n;
}

static void capture_sent(struct capture *c, const struct frame *f, uint64_t now_ns)
{
	struct frame whole = *f;

	if (f->len > c->scratch_bytes)
		return;
	whole.offload &= (uint16_t)~OFFLOAD_TSO;
	offload_segment(&whole, 0, c->scratch);
	pcapng_frame(c->out, PCAPNG_OUTBOUND, now_ns + c->epoch_ns, c->scratch, f->len);
}

/* Whether the device takes a frame is known when its bytes may be gone: a reference of our own
 * keeps them until the capture is written. */
static int capture_tx_burst(struct capture *c, struct frame frames[], int n, uint64_t now_ns)
{
	struct frame kept[LINK_BURST];
	int taken;

	for (int i = 0; i < n; i++) {
		kept[i] = frames[i];
		buf_ref(kept[i].head);
		for (unsigned j = 0; j < kept[i].nfrags; j++)
			buf_ref(kept[i].frags[j].buf);
	}
	taken = c->inner->ops->tx(c->inner, frames, n, now_ns);
	for (int i = 0; i < n; i++) {
		if (i < taken) {
			capture_sent(c, &kept[i], now_ns);
			c->link.tx_bytes += kept[i].len;
		}
		frame_release(&kept[i]);
	}
	return taken;
}

static int capture_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct capture *c = capture_of(l);
	int done = 0;

	while (done < n) {
		int burst = n - done < LINK_BURST ? n - done : LINK_BURST;
		int k = capture_tx_burst(c, frames + done, burst, now_ns);

		if (k < 0)
			return done > 0 ? done : k;
		done += k;
		if (k < burst) {
			l->tx_full++;
			break;
		}
	}
	l->tx_frames += (uint64_t)done;
	return done;
}

static uint64_t capture_next_deadline(struct link *l)
{
	struct link *inner = capture_of(l)->inner;

	return inner->ops->next_deadline == NULL ? UINT64_MAX : inner->ops->next_deadline(inner);
}

static int capture_wake_fd(struct link *l)
{
	struct link *inner = capture_of(l)->inner;

	return inner->ops->wake_fd(inner);
}

static int capture_arm(struct link *l)
{
	struct link *inner = capture_of(l)->inner;

	return inner->ops->arm(inner);
}

static void capture_destroy(struct link *l)
{
	struct capture *c = capture_of(l);

	c->inner->ops->destroy(c->inner);
	free(c->scratch);
	free(c);
}

static const struct link_ops capture_ops = {
    .name = "pcapng",
    .rx = capture_rx,
    .tx = capture_tx,
    .next_deadline = capture_next_deadline,
    .wake_fd = capture_wake_fd,
    .arm = capture_arm,
    .destroy = capture_destroy,
};

int pcapng_wrap(struct link **out_link, struct link *inner, FILE *out, uint64_t epoch_ns)
{
	struct capture *c = calloc(1, sizeof(*c));
	uint32_t largest = inner->info.mtu;

	if (c == NULL)
		return -ENOMEM;
	if (inner->info.offloads & OFFLOAD_TSO && inner->info.tso_max_bytes > largest)
		largest = inner->info.tso_max_bytes;
	c->scratch_bytes = largest + BUF_HEADROOM_BYTES;
	c->scratch = malloc(c->scratch_bytes);
	if (c->scratch == NULL) {
		free(c);
		return -ENOMEM;
	}
	if (pcapng_start(out, inner->ops->name, c->scratch_bytes) < 0) {
		free(c->scratch);
		free(c);
		return -EIO;
	}
	c->link.ops = &capture_ops;
	c->link.info = inner->info;
	c->inner = inner;
	c->out = out;
	c->epoch_ns = epoch_ns;
	*out_link = &c->link;
	return 0;
}
