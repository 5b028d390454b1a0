/* tcp_cc.c - see tcp_cc.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/tcp_cb.h"

static const struct tcp_cc *const all[] = {&tcp_newreno, &tcp_cubic, &tcp_dctcp, &tcp_none};

const struct tcp_cc *tcp_cc_find(const char *name, size_t len)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i]->name) == len && memcmp(all[i]->name, name, len) == 0)
			return all[i];
	return NULL;
}

void tcp_cc_change(struct tcp_cb *cb, const struct tcp_cc *cc)
{
	if (cb->cc != cc)
		memset(cb->cc_private, 0, sizeof(cb->cc_private));
	cb->cc = cc;
}

void tcp_cc_begin(struct tcp_cb *cb)
{
	cb->cwnd = TCP_INITIAL_SEGMENTS * cb->mss;
	cb->ssthresh = UINT32_MAX;
	memset(cb->cc_private, 0, sizeof(cb->cc_private));
}

void tcp_cc_slow_start(struct tcp_cb *cb, uint32_t bytes)
{
	uint32_t most = cb->mss * (cb->recovery == TCP_OPEN ? TCP_SLOW_START_SEGMENTS : 1);

	cb->cwnd += bytes < most ? bytes : most;
}

void tcp_cc_restart(struct tcp_cb *cb)
{
	uint32_t restart = TCP_INITIAL_SEGMENTS * cb->mss;

	if (cb->cwnd > restart)
		cb->cwnd = restart;
}
