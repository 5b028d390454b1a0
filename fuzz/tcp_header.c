/* The parser of TCP headers and options, alone: it reads nothing outside of the segment, and what
 * it says of it is possible.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_segment.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *copy =
	    malloc(bytes > 0 ? bytes : 1); /* where the sanitizer sees one byte too many */
	struct tcp_segment seg;

	EXPECT(copy != NULL);
	memcpy(copy, data, bytes);
	if (bytes <= 65535 && tcp_segment_parse(&seg, copy, (uint32_t)bytes)) {
		EXPECT(bytes >= TCP_HEADER_BYTES);
		EXPECT(seg.data >= copy + TCP_HEADER_BYTES);
		EXPECT(seg.data + seg.len == copy + bytes);
		EXPECT(seg.has.sack_count <= TCP_SACK_BLOCKS);
		EXPECT(!seg.has.window_scale || seg.has.window_shift <= TCP_WINDOW_SHIFT_MAX);
	}
	free(copy);
	return 0;
}
