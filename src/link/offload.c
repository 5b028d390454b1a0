/* SPDX-License-Identifier: MIT */
#include "link/offload.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include <string.h>

enum {
	IP4_CHECKSUM = 10, /* offsets of fields in their headers, RFC 791, 8200, 9293, 768 */
	IP4_TOTAL_LENGTH = 2,
	IP4_ID = 4,
	IP4_ADDRESSES = 12,
	IP6_PAYLOAD_LENGTH = 4,
	IP6_ADDRESSES = 8,
	IP6_HEADER_BYTES = 40,
	TCP_SEQ = 4,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	UDP_CHECKSUM = 6,
};

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static bool is_ip4(const uint8_t *ip)
{
	return ip[0] >> 4 == 4;
}

/* Copies bytes [offset, offset + len) of the frame, wherever they lie. */
static void frame_gather(const struct frame *f, uint32_t offset, uint32_t len, uint8_t *dst)
{
	const uint8_t *part = f->head->data;
	uint32_t part_len = f->head->len;

	for (unsigned i = 0;; i++) {
		if (offset < part_len) {
			uint32_t n = part_len - offset < len ? part_len - offset : len;

			memcpy(dst, part + offset, n);
			dst += n;
			len -= n;
			offset = 0;
		} else {
			offset -= part_len;
		}
		if (len == 0 || i == f->nfrags)
			return;
		part = f->frags[i].data;
		part_len = f->frags[i].len;
	}
}

uint32_t offload_tso_segments(const struct frame *f)
{
	uint32_t payload = f->len - offload_tcp_headers(f);

	return payload == 0 ? 1 : (payload + f->tso_mss - 1) / f->tso_mss;
}

uint32_t offload_segment_bytes(const struct frame *f, uint32_t i)
{
	uint32_t headers, rest;

	if (!(f->offload & OFFLOAD_TSO))
		return f->len;
	headers = offload_tcp_headers(f);
	rest = f->len - headers - i * f->tso_mss;
	return headers + (rest < f->tso_mss ? rest : f->tso_mss);
}

/* The pseudo-header's sum, from the IP header as it stands (RFC 9293 3.1, RFC 8200 8.1). */
static uint32_t pseudo_sum(const uint8_t *ip, uint8_t protocol, uint32_t l4_bytes)
{
	uint32_t sum = csum_add(csum_word((uint16_t)l4_bytes), csum_word(protocol));

	sum = csum_add(sum, csum_word((uint16_t)(l4_bytes >> 16)));
	if (is_ip4(ip))
		return csum_partial(ip + IP4_ADDRESSES, 8, sum);
	return csum_partial(ip + IP6_ADDRESSES, 32, sum);
}

static void fill_ip4_checksum(uint8_t *ip, uint32_t bytes)
{
	put_be16(ip + IP4_CHECKSUM, 0);
	csum_store(ip + IP4_CHECKSUM, csum_partial(ip, bytes, 0));
}

/* The field holds the pseudo-header's sum already (frame.h). */
static void fill_l4_checksum(uint8_t *l4, uint32_t bytes, uint8_t protocol)
{
	uint16_t sum = csum_fold(csum_partial(l4, bytes, 0));

	if (protocol == IPPROTO_UDP && sum == 0) /* RFC 768: 0 would say that there is none */
		sum = 0xffff;
	memcpy(l4 + (protocol == IPPROTO_UDP ? UDP_CHECKSUM : TCP_CHECKSUM), &sum, sizeof(sum));
}

void offload_checksums(uint8_t *data, uint32_t len, const struct frame *f)
{
	uint8_t *ip = data + f->l3_offset;

	if (f->offload & OFFLOAD_IP4_CSUM && is_ip4(ip))
		fill_ip4_checksum(ip, (uint32_t)f->l4_offset - f->l3_offset);
	if (f->offload & OFFLOAD_L4_CSUM)
		fill_l4_checksum(data + f->l4_offset, len - f->l4_offset,
				 ip[is_ip4(ip) ? OFFLOAD_IP4_PROTOCOL : OFFLOAD_IP6_NEXT_HEADER]);
}

/* The headers of segment i of a TSO frame, made from the frame's own. */
static void edit_headers(const struct frame *f, uint32_t i, uint8_t *dst, uint32_t len)
{
	uint8_t *ip = dst + f->l3_offset, *tcp = dst + f->l4_offset;
	uint32_t l4_bytes = len - f->l4_offset;

	if (is_ip4(ip)) {
		put_be16(ip + IP4_TOTAL_LENGTH, (uint16_t)(len - f->l3_offset));
		put_be16(ip + IP4_ID, (uint16_t)(get_be16(ip + IP4_ID) + i));
		fill_ip4_checksum(ip, (uint32_t)f->l4_offset - f->l3_offset);
	} else {
		put_be16(ip + IP6_PAYLOAD_LENGTH,
			 (uint16_t)(len - f->l3_offset - IP6_HEADER_BYTES));
	}
	put_be32(tcp + TCP_SEQ, get_be32(tcp + TCP_SEQ) + i * f->tso_mss);
	if (i + 1 < offload_tso_segments(f))
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i > 0)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	put_be16(tcp + TCP_CHECKSUM, 0);
	csum_store(tcp + TCP_CHECKSUM,
		   csum_partial(tcp, l4_bytes, pseudo_sum(ip, IPPROTO_TCP, l4_bytes)));
}

void offload_segment(const struct frame *f, uint32_t i, uint8_t *dst)
{
	uint32_t headers, len = offload_segment_bytes(f, i);

	if (!(f->offload & OFFLOAD_TSO)) {
		frame_gather(f, 0, len, dst);
		offload_checksums(dst, len, f);
		return;
	}
	headers = offload_tcp_headers(f);
	frame_gather(f, 0, headers, dst);
	frame_gather(f, headers + i * f->tso_mss, len - headers, dst + headers);
	edit_headers(f, i, dst, len);
}
