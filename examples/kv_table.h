/* kv_table.h - keys and values in memory: a hash table that grows, and never holds more bytes than
 * it was told.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_KV_TABLE_H
#define EXAMPLES_KV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kv_entry;

struct kv_table {
	struct kv_entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	size_t bytes, bytes_max; /* of entries */
	uint64_t seed;           /* nobody outside can say which keys meet in a bucket */
};

/* 0 or ENOMEM. */
int kv_table_create(struct kv_table *t, size_t bytes_max);
void kv_table_free(struct kv_table *t);

/* The value, borrowed until the table changes; NULL: there is none. */
const uint8_t *kv_table_get(const struct kv_table *t, const void *key, size_t key_len,
			    size_t *value_len);

/* 0 or ENOMEM: then nothing has changed. */
int kv_table_set(struct kv_table *t, const void *key, size_t key_len, const void *value,
		 size_t value_len);

/* Whether it was there. */
bool kv_table_delete(struct kv_table *t, const void *key, size_t key_len);
void kv_table_clear(struct kv_table *t);

#endif
