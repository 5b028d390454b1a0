/* Requests from an enemy, for the example http-server: what is read lies inside the head, a head is
 * whole at one place only, and what is refused has a status.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http_request.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void expect_inside(struct http_text t, const char *head, size_t len)
{
	expect(t.at >= head && t.len <= len && t.at + t.len <= head + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const char *text = (const char *)data;
	struct http_request r;
	size_t len = http_head_bytes(text, bytes);
	const char *status;

	expect(len <= bytes);
	if (len == 0)
		return 0;
	expect(memcmp(text + len - 4, "\r\n\r\n", 4) == 0);
	expect(http_head_bytes(text, len - 1) == 0);
	status = http_request_read(&r, text, len);
	if (status) {
		expect(strlen(status) > 4 && status[0] >= '4' && status[0] <= '5' &&
		       status[3] == ' ');
		return 0;
	}
	expect_inside(r.method, text, len);
	expect_inside(r.path, text, len);
	expect(r.method.len > 0);
	return 0;
}
