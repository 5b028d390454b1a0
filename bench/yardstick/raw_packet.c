/* raw_packet.c - see raw_frames.h: AF_PACKET with mapped rings (TPACKET_V2), past the queueing
 * discipline.
 *
 * SPDX-License-Identifier: MIT
 */
#include "raw_frames.h"

#include "yardstick.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { SLOT_BYTES = 2048, BLOCK_BYTES = 1 << 16 };

static int fd;
static uint8_t *ring; /* slots to receive into, then as many to send from */
static unsigned slots, next_in, next_out;

static struct tpacket2_hdr *slot(unsigned i)
{
	return (struct tpacket2_hdr *)(void *)(ring + (size_t)i * SLOT_BYTES);
}

static void set_option(int name, const void *value, size_t size)
{
	if (setsockopt(fd, SOL_PACKET, name, value, (socklen_t)size))
		die("cannot set up the socket");
}

void raw_open(const char *interface, uint32_t addr, unsigned wanted)
{
	const struct tpacket_req shape = {BLOCK_BYTES, wanted * SLOT_BYTES / BLOCK_BYTES,
					  SLOT_BYTES, wanted};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_IP),
				       .sll_ifindex = (int)if_nametoindex(interface)};
	const int version = TPACKET_V2, yes = 1;

	slots = wanted;
	(void)addr; /* nothing else is on the wire */
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("cannot make a packet socket");
	set_option(PACKET_VERSION, &version, sizeof(version));
	set_option(PACKET_RX_RING, &shape, sizeof(shape));
	set_option(PACKET_TX_RING, &shape, sizeof(shape));
	set_option(PACKET_QDISC_BYPASS, &yes, sizeof(yes));
	set_option(PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	ring = mmap(NULL, (size_t)2 * slots * SLOT_BYTES, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (ring == MAP_FAILED || bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		die("cannot bind the packet socket");
}

void raw_put(const void *frame, size_t len)
{
	struct tpacket2_hdr *h = slot(slots + next_out);

	while (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
		;
	memcpy((uint8_t *)h + TPACKET_ALIGN(sizeof(*h)), frame, len);
	h->tp_len = (uint32_t)len;
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	next_out = (next_out + 1) & (slots - 1);
}

void raw_flush(void)
{
	if (send(fd, NULL, 0, MSG_DONTWAIT) < 0)
		die("cannot send");
}

size_t raw_try_receive(void *frame)
{
	struct tpacket2_hdr *h = slot(next_in);
	size_t len;

	if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return 0;
	len = h->tp_snaplen < RAW_MAX_BYTES ? h->tp_snaplen : RAW_MAX_BYTES;
	memcpy(frame, (uint8_t *)h + h->tp_mac, len);
	__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	next_in = (next_in + 1) & (slots - 1);
	return len;
}
