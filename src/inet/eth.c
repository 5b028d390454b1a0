/* eth.c - Ethernet II and 802.1Q: which frames are ours, and what is in them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/eth.h"
#include "base/bytes.h"
#include "inet/arp.h"
#include "inet/ip4.h"

const uint8_t eth_broadcast[ETH_ADDR_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Looks behind an 802.1Q tag at *offset. A tag without a VLAN, VID 0, only carries a priority: the
 * frame counts as untagged. False: the frame belongs to another VLAN, and b is gone. */
static bool eth_untag(struct stack *s, struct buf *b, uint16_t *type, uint32_t *offset)
{
	uint16_t vlan_id = 0;

	if (*type == ETH_TYPE_VLAN) {
		if (b->len < ETH_HEADER_BYTES + ETH_TAG_BYTES) {
			stack_drop(b, &s->stats.drop_short);
			return false;
		}
		vlan_id = get_be16(b->data + ETH_HEADER_BYTES) & 0x0fff;
		*type = get_be16(b->data + ETH_HEADER_BYTES + 2);
		*offset += ETH_TAG_BYTES;
	}
	if (vlan_id == s->vlan_id)
		return true;
	stack_drop(b, &s->stats.drop_vlan);
	return false;
}

void eth_input(struct stack *s, struct buf *b)
{
	uint32_t offset = ETH_HEADER_BYTES;
	bool broadcast = false;
	uint16_t type;

	if (b->len < ETH_HEADER_BYTES) {
		stack_drop(b, &s->stats.drop_short);
		return;
	}
	if (eth_mac48(b->data) != s->mac48) {
		broadcast = b->data[0] & 1;
		if (!broadcast) {
			stack_drop(b, &s->stats.drop_not_for_us);
			return;
		}
	}
	type = get_be16(b->data + 2 * ETH_ADDR_BYTES);
	if (type == ETH_TYPE_VLAN || s->vlan_id != 0) {
		if (!eth_untag(s, b, &type, &offset))
			return;
	}
	if (type == ETH_TYPE_IP4)
		ip4_input(s, b, offset, broadcast);
	else if (type == ETH_TYPE_ARP)
		arp_input(s, b, offset);
	else
		stack_drop(b, &s->stats.drop_ethertype);
}

void eth_write(const struct stack *s, uint8_t *h, const uint8_t dst[ETH_ADDR_BYTES], uint16_t type)
{
	memcpy(h, dst, ETH_ADDR_BYTES);
	memcpy(h + ETH_ADDR_BYTES, s->cfg.mac, ETH_ADDR_BYTES);
	h += 2 * ETH_ADDR_BYTES;
	if (s->vlan_id != 0) {
		put_be16(h, ETH_TYPE_VLAN);
		put_be16(h + 2, s->vlan_id);
		h += ETH_TAG_BYTES;
	}
	put_be16(h, type);
}
