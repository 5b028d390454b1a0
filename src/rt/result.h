/* result.h - messages and results as a program gets them, written so that it can copy them at once.
 *
 * A program mostly copies what a call has just written: sga = qr.qr_value.sga. Compilers copy
 * structures by 16 bytes, and a load of 16 bytes that were stored in pieces waits until all of them
 * have reached the cache (Intel's optimization manual, 3.6.4; AMD's for family 17h, 2.10.6.2):
 * longer than the whole call takes. So a scatter-gather array is stored in the pieces in which it
 * will be loaded.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_RESULT_H
#define RT_RESULT_H

#include "base/endpoint.h"
#include "demi/types.h"
#include "mem/buf.h"
#include <stddef.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "result_sga() packs fields into words");
_Static_assert(offsetof(demi_sgarray_t, sga_segs) == 12 && offsetof(demi_sgarray_t, sga_addr) == 24,
	       "result_sga() knows the layout");

/* 16 bytes that are loaded and stored at once, wherever they are. */
typedef uint64_t result_words __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t result_word __attribute__((aligned(1), may_alias));

/* A sockaddr_in as a word, without its padding behind; 0 for the all-zero endpoint, which no IPv4
 * address is. */
static inline uint64_t result_address(const struct endpoint *e)
{
	uint64_t port = __builtin_bswap16(e->port);

	if (e->ip.words[1] == 0)
		return 0;
	return AF_INET | port << 16 | (e->ip.words[1] & UINT64_C(0xffffffff00000000));
}

/* Writes the array of one segment, data[0..len-1] inside b. `address`: result_address() of a
 * datagram's sender, 0: none. */
static inline void result_sga(demi_sgarray_t *sga, struct buf *b, const uint8_t *data, uint32_t len,
			      uint64_t address)
{
	uint64_t at = (uintptr_t)data;
	result_words *words = (result_words *)(void *)sga;

	words[0] = (result_words){(uintptr_t)b, 1 | at << 32};
	words[1] = (result_words){at >> 32 | (uint64_t)len << 32, address};
	*(result_word *)(void *)&sga->sga_addr.sin_zero = 0;
}

/* All zero: the null array, or a result's value that has none. */
static inline void result_no_sga(demi_sgarray_t *sga)
{
	result_words *words = (result_words *)(void *)sga;

	words[0] = (result_words){0};
	words[1] = (result_words){0};
	*(result_word *)(void *)&sga->sga_addr.sin_zero = 0;
}

#endif
