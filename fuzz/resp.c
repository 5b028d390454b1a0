/* Requests from an enemy, for the example kv-server: what is read lies inside the bytes, however
 * they are cut the same is read, and what is wrong is wrong once and for all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "resp.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* The first request of `len` bytes, which are in memory of their own. */
static void check_first(const uint8_t *data, size_t len, long whole)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct resp_request r;
	const char *why = NULL;
	long n;

	expect(copy != NULL);
	memcpy(copy, data, len);
	n = resp_read(&r, copy, len, &why);
	expect(n <= (long)len && (n < 0) == (why != NULL));
	expect(whole <= 0 || n == (len < (size_t)whole ? 0 : whole));
	for (unsigned i = 0; n > 0 && i < r.count; i++)
		expect(r.words[i].at >= copy && r.words[i].at + r.words[i].len <= copy + n);
	expect(r.count <= RESP_WORDS_MAX);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct resp_request r;
	const char *why = NULL;
	size_t at = 0;

	while (at < bytes) {
		long n = resp_read(&r, data + at, bytes - at, &why);
		size_t left = bytes - at, cuts = n > 0 ? (size_t)n : left;

		for (size_t cut = 0; cut <= cuts && cut < 64; cut++)
			check_first(data + at, cut, n);
		check_first(data + at, left, n);
		if (n <= 0)
			return 0;
		at += (size_t)n;
	}
	return 0;
}
