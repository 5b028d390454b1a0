/* resp.c - see resp.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "resp.h"

#include <string.h>

/* What is left to read. */
struct reader {
	const uint8_t *at, *end;
	const char *why; /* NULL: nothing is wrong */
};

enum { NUMBER_DIGITS = 9 };

bool resp_word_is(struct resp_word w, const char *upper_case)
{
	size_t i;

	for (i = 0; i < w.len && upper_case[i]; i++) {
		uint8_t c = w.at[i];

		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (c != (uint8_t)upper_case[i])
			return false;
	}
	return i == w.len && !upper_case[i];
}

/* "*123\r\n" and "$123\r\n". false: not whole yet, or wrong. */
static bool read_number(struct reader *r, char type, long max, const char *wrong, long *out)
{
	const uint8_t *p = r->at;
	long value = 0;
	int digits = 0;

	if (p == r->end)
		return false;
	if (*p++ != (uint8_t)type) {
		r->why = wrong;
		return false;
	}
	for (; p < r->end && *p >= '0' && *p <= '9' && digits < NUMBER_DIGITS; p++, digits++)
		value = 10 * value + (*p - '0');
	if (p < r->end && (*p != '\r' || digits == 0))
		r->why = wrong;
	if (r->end - p < 2 || r->why)
		return false;
	if (p[1] != '\n' || value > max) {
		r->why = wrong;
		return false;
	}
	r->at = p + 2;
	*out = value;
	return true;
}

static bool read_word(struct reader *r, struct resp_word *out)
{
	long len;

	if (!read_number(r, '$', RESP_WORD_BYTES, "invalid bulk length", &len))
		return false;
	if (r->end - r->at < len + 2)
		return false;
	*out = (struct resp_word){r->at, (size_t)len};
	if (r->at[len] != '\r' || r->at[len + 1] != '\n') {
		r->why = "a bulk string ends elsewhere";
		return false;
	}
	r->at += len + 2;
	return true;
}

static bool read_array(struct reader *r, struct resp_request *out)
{
	long count;

	if (!read_number(r, '*', RESP_WORDS_MAX, "invalid multibulk length", &count))
		return false;
	for (out->count = 0; out->count < (unsigned)count; out->count++) {
		if (!read_word(r, &out->words[out->count]))
			return false;
	}
	return true;
}

/* Words of a line, between blanks. */
static bool read_line(struct reader *r, struct resp_request *out)
{
	size_t room = (size_t)(r->end - r->at);
	const uint8_t *end =
	    memchr(r->at, '\n', room < RESP_LINE_BYTES ? room : (size_t)RESP_LINE_BYTES);
	const uint8_t *p = r->at;

	if (!end) {
		if (room >= RESP_LINE_BYTES)
			r->why = "too big inline request";
		return false;
	}
	r->at = end + 1;
	if (end > p && end[-1] == '\r')
		end--;
	for (out->count = 0; p < end;) {
		const uint8_t *word = p;

		while (p < end && *p != ' ')
			p++;
		if (p > word && out->count == RESP_WORDS_MAX) {
			r->why = "too many words";
			return false;
		}
		if (p > word)
			out->words[out->count++] = (struct resp_word){word, (size_t)(p - word)};
		if (p < end)
			p++;
	}
	return true;
}

long resp_read(struct resp_request *out, const uint8_t *bytes, size_t len, const char **why)
{
	struct reader r = {.at = bytes, .end = bytes + len};
	bool whole;

	out->count = 0;
	if (len == 0)
		return 0;
	whole = *bytes == '*' ? read_array(&r, out) : read_line(&r, out);
	if (r.why) {
		*why = r.why;
		return -1;
	}
	return whole ? (long)(r.at - bytes) : 0;
}
