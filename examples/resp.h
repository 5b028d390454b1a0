/* resp.h - reads requests of RESP, the protocol of Redis, version 2: arrays of bulk strings, and
 * lines of words (inline commands). Pure: bytes in, a struct out. Nothing is copied.
 *
 * Source: https://redis.io/docs/reference/protocol-spec
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_RESP_H
#define EXAMPLES_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RESP_WORDS_MAX = 16,         /* of a request, its name included */
	RESP_WORD_BYTES = 512 << 10, /* of one, at most */
	RESP_LINE_BYTES = 1024,      /* of an inline command */
	/* A whole request is no longer: each word with its length and ends of line. */
	RESP_REQUEST_BYTES = RESP_WORDS_MAX * (RESP_WORD_BYTES + 32) + 32,
};

struct resp_word { /* a piece of the bytes read, not terminated */
	const uint8_t *at;
	size_t len;
};

struct resp_request {
	unsigned count; /* 0: an empty line, to be passed over */
	struct resp_word words[RESP_WORDS_MAX];
};

/* Reads the first request. Its length; 0: it is not whole yet; -1: it is none, and *why says what
 * is wrong, for the answer. */
long resp_read(struct resp_request *out, const uint8_t *bytes, size_t len, const char **why);

/* Whether a word is this one, in any case. */
bool resp_word_is(struct resp_word w, const char *upper_case);

#endif
