/* dpdk_calm.h - no SIGPIPE from what drivers write to. Part of the plug-in.
 *
 * memif and vhost-user have control channels, Unix sockets to another process, which they write to
 * as if it were always there. Between calm_begin() and calm_end() the calling thread gets no signal
 * for that, and threads that are made meanwhile never do.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_DPDK_CALM_H
#define LINK_DPDK_CALM_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct calm {
	sigset_t before;
	bool pending; /* one was on its way already: it is the program's */
};

static inline void calm_begin(struct calm *c)
{
	sigset_t pipe, pending;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	c->pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &c->before);
}

static inline void calm_end(struct calm *c)
{
	const struct timespec at_once = {0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (!c->pending)
		sigtimedwait(&pipe, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &c->before, NULL);
}

#endif
