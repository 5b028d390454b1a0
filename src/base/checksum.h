/* checksum.h - the Internet checksum (RFC 1071).
 *
 * A partial sum is a ones' complement sum of 16-bit words as they lie in memory, not folded: sums
 * need no byte order (RFC 1071 2 (B)), and what csum_fold() gives is stored as it is. A checksum is
 * made and verified so:
 *
 *     sum = csum_partial(tcp, tcp_bytes, pseudo_sum);      the checksum field is 0 here
 *     csum_store(tcp + 16, sum);
 *     if (csum_fold(csum_partial(tcp, tcp_bytes, pseudo_sum)) != 0)  it is damaged
 *
 * A number of host order joins a sum as csum_word(number). Blocks are summed apart and joined with
 * csum_add(), when one starts at an odd byte of the whole with csum_add_odd().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `sum` plus the len bytes at data, at any alignment; an odd last byte is padded with a zero. */
uint32_t csum_partial(const void *data, size_t len, uint32_t sum);

/* Copies len bytes and returns csum_partial() of them, in one pass. The two may not overlap. */
uint32_t csum_copy(void *restrict dst, const void *restrict src, size_t len, uint32_t sum);

/* `sum` plus that of a block whose first byte has an even place in the whole. */
static inline uint32_t csum_add(uint32_t sum, uint32_t block)
{
	uint32_t s = sum + block;

	return s + (s < block); /* end-around carry */
}

/* csum_add() of sums of 64-bit words, and the way back: modulo 2^16 - 1 they are all the same. */
static inline uint64_t csum_add64(uint64_t sum, uint64_t block)
{
	uint64_t s = sum + block;

	return s + (s < block);
}

static inline uint32_t csum_fold64(uint64_t sum)
{
	sum += sum << 32 | sum >> 32;
	return (uint32_t)(sum >> 32);
}

/* `sum` plus that of a block whose first byte has an odd place: its words are swapped, which modulo
 * 2^16 - 1 is a turn by 8 bits. */
static inline uint32_t csum_add_odd(uint32_t sum, uint32_t block)
{
	return csum_add(sum, block << 8 | block >> 24);
}

/* A 16-bit number of host order as it would lie in a packet. */
static inline uint32_t csum_word(uint16_t host_order)
{
	return __builtin_bswap16(host_order);
}

/* The checksum: the complement of the sum folded to 16 bits, as it lies in memory. 0 over a block
 * that holds its own checksum says that it is intact. */
static inline uint16_t csum_fold(uint32_t sum)
{
	uint32_t turned = sum << 16 | sum >> 16;

	return (uint16_t)(~(sum + turned) >> 16);
}

/* csum_fold(sum) == 0. */
static inline bool csum_is_zero(uint32_t sum)
{
	return sum + (sum << 16 | sum >> 16) >= UINT32_C(0xffff0000);
}

/* Writes csum_fold(sum) to a packet's checksum field, at any alignment. */
static inline void csum_store(void *field, uint32_t sum)
{
	uint16_t folded = csum_fold(sum);

	memcpy(field, &folded, sizeof(folded));
}

/* csum_partial() of the 20 bytes of an IPv4 or TCP header without options, in line. */
static inline uint32_t csum_header20(const void *header, uint32_t sum)
{
	const uint8_t *p = header;
	uint64_t a, b;
	uint32_t c;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, p + 8, sizeof(b));
	memcpy(&c, p + 16, sizeof(c));
	return csum_fold64(csum_add64(csum_add64(a, b), (uint64_t)sum + c));
}

#endif
