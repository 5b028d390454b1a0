/* SPDX-License-Identifier: MIT */
#include "pattern.h"
#include <string.h>

static uint64_t word_at(uint64_t key, uint64_t offset)
{
	return pattern_mix(key ^ (offset / 8 + 1) * 0xd1342543de82ef95u);
}

static uint8_t byte_at(uint64_t key, uint64_t offset)
{
	return (uint8_t)(word_at(key, offset) >> offset % 8 * 8);
}

void pattern_fill(uint8_t *dst, uint64_t key, uint64_t offset, uint32_t len)
{
	uint32_t i = 0;

	for (; i < len && (offset + i) % 8 != 0; i++)
		dst[i] = byte_at(key, offset + i);
	for (; i + 8 <= len; i += 8) {
		uint64_t w = word_at(key, offset + i);

		memcpy(dst + i, &w, sizeof(w));
	}
	for (; i < len; i++)
		dst[i] = byte_at(key, offset + i);
}

static int64_t first_difference(const uint8_t *p, uint64_t key, uint64_t offset, uint32_t from,
				uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		if (p[i] != byte_at(key, offset + i))
			return i;
	}
	return -1;
}

int64_t pattern_check(const uint8_t *p, uint64_t key, uint64_t offset, uint32_t len)
{
	uint32_t i = (uint32_t)(-offset % 8);
	int64_t bad;

	if (i > len)
		i = len;
	bad = first_difference(p, key, offset, 0, i);
	for (; bad < 0 && i + 8 <= len; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, sizeof(w));
		if (w != word_at(key, offset + i))
			return first_difference(p, key, offset, i, len);
	}
	return bad < 0 ? first_difference(p, key, offset, i, len) : bad;
}
