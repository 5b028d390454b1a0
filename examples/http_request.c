/* http_request.c - see http_request.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http_request.h"

#include <string.h>
#include <strings.h>

static const char bad[] = "400 Bad Request";

bool http_text_is(struct http_text t, const char *word)
{
	return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

/* Names of headers, and what those here say, may be written in any case. */
static bool says(struct http_text t, const char *word)
{
	return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

/* No control characters (RFC 9110 5.5); in words (5.6.2) no blanks either. */
static bool is_clean(struct http_text t, bool word)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c == 0x7f || (c < ' ' && c != '\t') || (word && (c == ' ' || c == '\t')))
			return false;
	}
	return t.len > 0 || !word;
}

static struct http_text trim(struct http_text t)
{
	for (; t.len > 0 && (*t.at == ' ' || *t.at == '\t'); t.at++)
		t.len--;
	while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* Takes off what lies before the first `c`, and that. false: there is none, all is taken. */
static bool cut(struct http_text *rest, char c, struct http_text *first)
{
	const char *end = memchr(rest->at, c, rest->len);
	size_t taken = end ? (size_t)(end - rest->at) + 1 : rest->len;

	*first = (struct http_text){rest->at, taken - (end != NULL)};
	rest->at += taken;
	rest->len -= taken;
	return end != NULL;
}

/* The next line, without its CRLF. */
static bool cut_line(struct http_text *rest, struct http_text *line)
{
	if (!cut(rest, '\n', line) || line->len == 0 || line->at[line->len - 1] != '\r')
		return false;
	line->len--;
	return true;
}

/* RFC 9112 3: METHOD /path?query HTTP/1.1 */
static const char *read_request_line(struct http_request *r, struct http_text line)
{
	struct http_text target;

	if (!cut(&line, ' ', &r->method) || !cut(&line, ' ', &target) ||
	    !is_clean(r->method, true) || !is_clean(target, true))
		return bad;
	if (line.len != strlen("HTTP/1.1") || memcmp(line.at, "HTTP/", 5) != 0)
		return bad;
	if (line.at[5] != '1')
		return "505 HTTP Version Not Supported";
	r->keep_alive = line.at[7] != '0'; /* HTTP/1.0 has to ask for it */
	cut(&target, '?', &r->path);
	return NULL;
}

/* RFC 9110 8.6: digits, and nothing else. */
static const char *read_length(struct http_text value, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return bad;
		if (*out > UINT64_MAX / 100)
			return "413 Content Too Large";
		*out = *out * 10 + (uint64_t)(value.at[i] - '0');
	}
	return value.len > 0 ? NULL : bad;
}

/* RFC 9110 7.6.1: a list of words. */
static void read_connection(struct http_request *r, struct http_text list)
{
	while (list.len > 0) {
		struct http_text word;

		cut(&list, ',', &word);
		if (says(trim(word), "close"))
			r->keep_alive = false;
		else if (says(trim(word), "keep-alive"))
			r->keep_alive = true;
	}
}

/* How often the headers were there that may be there only once. */
struct seen {
	int host, length;
};

static const char *read_header(struct http_request *r, struct http_text line, struct seen *seen)
{
	struct http_text name, value;

	if (!cut(&line, ':', &name) || !is_clean(name, true) || !is_clean(line, false))
		return bad;
	value = trim(line);
	if (says(name, "Host"))
		return seen->host++ ? bad : NULL;
	if (says(name, "Content-Length"))
		return seen->length++ ? bad : read_length(value, &r->body_bytes);
	if (says(name, "Transfer-Encoding"))
		return "501 Not Implemented";
	if (says(name, "Connection"))
		read_connection(r, value);
	if (says(name, "Expect"))
		r->expects_continue = says(value, "100-continue");
	return NULL;
}

/* RFC 9112 2.2: empty lines before a request are let pass. */
static struct http_text without_empty_lines(const char *bytes, size_t len)
{
	for (; len >= 2 && memcmp(bytes, "\r\n", 2) == 0; len -= 2)
		bytes += 2;
	return (struct http_text){bytes, len};
}

size_t http_head_bytes(const char *bytes, size_t len)
{
	struct http_text head = without_empty_lines(bytes, len);
	const char *end = memmem(head.at, head.len, "\r\n\r\n", 4);

	return end ? (size_t)(end + 4 - bytes) : 0;
}

const char *http_request_read(struct http_request *out, const char *head, size_t len)
{
	struct http_text rest = without_empty_lines(head, len), line;
	struct seen seen = {0, 0};
	const char *status;
	bool needs_host;

	*out = (struct http_request){0};
	if (!cut_line(&rest, &line))
		return bad;
	status = read_request_line(out, line);
	needs_host = out->keep_alive; /* RFC 9112 3.2: 1.1 does */
	while (!status) {
		if (!cut_line(&rest, &line))
			return bad;
		if (line.len == 0)
			return needs_host && !seen.host ? bad : NULL;
		status = read_header(out, line, &seen);
	}
	return status;
}
