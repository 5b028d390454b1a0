/* kv_table.c - see kv_table.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kv_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_BUCKETS = 1024 };

struct kv_entry {
	struct kv_entry *next; /* in its bucket */
	uint64_t hash;
	uint32_t key_len, value_len;
	uint8_t bytes[]; /* the key, then the value */
};

/* Multiplies and folds eight bytes at a time. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const struct kv_table *t, const uint8_t *key, size_t len)
{
	uint64_t h = t->seed ^ len, word;

	for (; len >= sizeof(word); key += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = mix(h ^ word, UINT64_C(0x9e3779b97f4a7c15));
	}
	word = 0;
	memcpy(&word, key, len);
	return mix(h ^ word, t->seed | 1);
}

int kv_table_create(struct kv_table *t, size_t bytes_max)
{
	*t = (struct kv_table){.bucket_count = FIRST_BUCKETS, .bytes_max = bytes_max};
	t->buckets = calloc(t->bucket_count, sizeof(t->buckets[0]));
	if (!t->buckets)
		return ENOMEM;
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed)) {
		free(t->buckets);
		return ENOMEM;
	}
	return 0;
}

void kv_table_clear(struct kv_table *t)
{
	for (size_t i = 0; i < t->bucket_count; i++) {
		while (t->buckets[i]) {
			struct kv_entry *e = t->buckets[i];

			t->buckets[i] = e->next;
			free(e);
		}
	}
	t->count = 0;
	t->bytes = 0;
}

void kv_table_free(struct kv_table *t)
{
	kv_table_clear(t);
	free(t->buckets);
	t->buckets = NULL;
}

static size_t entry_bytes(size_t key_len, size_t value_len)
{
	return sizeof(struct kv_entry) + key_len + value_len;
}

/* Where the entry hangs, or would. */
static struct kv_entry **place(const struct kv_table *t, const void *key, size_t len, uint64_t hash)
{
	struct kv_entry **p = &t->buckets[hash & (t->bucket_count - 1)];

	for (; *p; p = &(*p)->next) {
		if ((*p)->hash == hash && (*p)->key_len == len &&
		    memcmp((*p)->bytes, key, len) == 0)
			break;
	}
	return p;
}

const uint8_t *kv_table_get(const struct kv_table *t, const void *key, size_t key_len,
			    size_t *value_len)
{
	const struct kv_entry *e = *place(t, key, key_len, hash_of(t, key, key_len));

	if (!e)
		return NULL;
	*value_len = e->value_len;
	return e->bytes + e->key_len;
}

/* Twice the buckets, or, without memory for them, longer ways. */
static void grow(struct kv_table *t)
{
	size_t count = 2 * t->bucket_count;
	struct kv_entry **buckets = calloc(count, sizeof(buckets[0]));

	if (!buckets)
		return;
	for (size_t i = 0; i < t->bucket_count; i++) {
		while (t->buckets[i]) {
			struct kv_entry *e = t->buckets[i];
			struct kv_entry **to = &buckets[e->hash & (count - 1)];

			t->buckets[i] = e->next;
			e->next = *to;
			*to = e;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
}

static void drop(struct kv_table *t, struct kv_entry **p)
{
	struct kv_entry *e = *p;

	*p = e->next;
	t->bytes -= entry_bytes(e->key_len, e->value_len);
	t->count--;
	free(e);
}

static struct kv_entry *entry_new(uint64_t hash, const void *key, size_t key_len, size_t value_len)
{
	struct kv_entry *e = malloc(entry_bytes(key_len, value_len));

	if (!e)
		return NULL;
	e->hash = hash;
	e->key_len = (uint32_t)key_len;
	e->value_len = (uint32_t)value_len;
	memcpy(e->bytes, key, key_len);
	return e;
}

int kv_table_set(struct kv_table *t, const void *key, size_t key_len, const void *value,
		 size_t value_len)
{
	uint64_t hash = hash_of(t, key, key_len);
	struct kv_entry **p = place(t, key, key_len, hash), *e = *p;
	size_t bytes = entry_bytes(key_len, value_len);
	size_t old_bytes = e ? entry_bytes(e->key_len, e->value_len) : 0;

	if (!e || e->value_len != value_len) {
		if (t->bytes - old_bytes + bytes > t->bytes_max)
			return ENOMEM;
		e = entry_new(hash, key, key_len, value_len);
		if (!e)
			return ENOMEM;
		if (*p)
			drop(t, p);
		e->next = *p;
		*p = e;
		t->bytes += bytes;
		t->count++;
	}
	memcpy(e->bytes + key_len, value, value_len);
	if (t->count > t->bucket_count)
		grow(t);
	return 0;
}

bool kv_table_delete(struct kv_table *t, const void *key, size_t key_len)
{
	struct kv_entry **p = place(t, key, key_len, hash_of(t, key, key_len));

	if (!*p)
		return false;
	drop(t, p);
	return true;
}
