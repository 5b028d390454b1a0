/* pkt_run.h - runs a script against the stack, in virtual time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_RUN_H
#define TOOLS_PKT_RUN_H

#include "pkt_script.h"
#include <stdbool.h>
#include <stdio.h>

enum { PKT_SKIPPED_ACKS_MAX = 8 }; /* pure ACKs that --skip-acks forgives one script */

struct pkt_run_options {
	bool skip_acks; /* an unexpected pure ACK of the stack is skipped */
	bool verbose;   /* every packet and call, as it happens */
	FILE *capture;  /* a pcapng that has been started is written; NULL: none */
	FILE *out;      /* failures; what was expected and what came, as packets */
};

/* True: all events came as the script has them, and nothing else. `name` is for messages. */
bool pkt_run(const struct pkt_script *script, const char *name, const struct pkt_run_options *o);

#endif
