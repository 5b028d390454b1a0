/* pkt_call.h - one system call of a script as a function.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_CALL_H
#define TOOLS_PKT_CALL_H

#include "pkt_run_state.h"

enum {
	CALL_WAITS = INT32_MIN, /* would block, and the socket may */
};

struct call_ctx {
	struct run *r;
	const struct pkt_call *call;
	struct run_call *state;
	const char *wrong; /* why the script's call makes no sense, NULL: it does */
};

/* What the call gives: 0 or more, -errno, or CALL_WAITS. */
typedef int64_t (*call_function)(struct call_ctx *c);

struct call_kind {
	const char *name;
	int args_min, args_max;
	call_function function;
};

/* Ends with a row of NULLs. */
extern const struct call_kind call_socket_kinds[]; /* pkt_call_socket.c */
extern const struct call_kind call_data_kinds[];   /* pkt_call_data.c */

/* Arguments. On one that makes no sense they set c->wrong and return false. */
bool call_number(struct call_ctx *c, int arg, int64_t min, int64_t max, int64_t *value);
bool call_sock(struct call_ctx *c, int arg, struct run_sock **s);
/* False also for "...": *given says which. */
bool call_address(struct call_ctx *c, int arg, struct endpoint *value, bool *given);
/* Notes why, returns -EINVAL. */
int64_t call_wrong(struct call_ctx *c, const char *why);

/* -EAGAIN as it is, or CALL_WAITS when the socket blocks. */
int64_t call_wait(const struct run_sock *s, int64_t flags, int64_t result);

/* A row for a new socket with the number that the script's result gives; NULL: the result is not a
 * number, or it is taken. */
struct run_sock *call_new_sock(struct call_ctx *c, struct host_sock *sock);

#endif
