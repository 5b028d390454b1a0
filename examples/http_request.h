/* http_request.h - reads the head of an HTTP/1.1 request (RFC 9110, RFC 9112). Pure: bytes in, a
 * struct out. What two readers could understand differently is refused, since that is how requests
 * are smuggled past a proxy: lone LFs, blanks before a colon, folded lines, two lengths.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_HTTP_REQUEST_H
#define EXAMPLES_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_text { /* a piece of the head, not terminated */
	const char *at;
	size_t len;
};

struct http_request {
	struct http_text method, path; /* the path without its query */
	uint64_t body_bytes;
	bool keep_alive;       /* more requests may follow on the connection */
	bool expects_continue; /* the body comes when we say 100 (RFC 9110 10.1.1) */
};

bool http_text_is(struct http_text t, const char *word);

/* How many bytes the head has, its empty line included; 0: it is not whole yet. */
size_t http_head_bytes(const char *bytes, size_t len);

/* Reads a whole head. NULL, or the status that refuses it, as in "400 Bad Request". */
const char *http_request_read(struct http_request *out, const char *head, size_t len);

#endif
