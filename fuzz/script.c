/* script.c - packet scripts: whatever is read is refused with a line, or run against a stack.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_run.h"
#include "pkt_script.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUN_MAX_BYTES = 4096 }; /* of a script that is also run */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	char error[PKT_ERROR_BYTES];
	struct pkt_script *s;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	if (pkt_script_parse(&s, "fuzz", (const char *)data, size, error) < 0) {
		if (strncmp(error, "fuzz:", 5) != 0)
			abort();
		return 0;
	}
	if (size <= RUN_MAX_BYTES)
		pkt_run(s, "fuzz",
			&(struct pkt_run_options){
			    .skip_acks = size & 1, .verbose = size & 2, .out = nowhere});
	pkt_script_free(s);
	return 0;
}
