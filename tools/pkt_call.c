/* pkt_call.c - system calls: when they start, wait and end, and whether they gave what they should.
 *
 * The sockets below never block. A call that would, on a socket that may, stays pending and is
 * tried again at each moment of virtual time at which something happens. One with a time for its
 * end must end within the tolerance of it; one without may take no longer than the tolerance.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_call.h"
#include "pkt_value.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int64_t call_wrong(struct call_ctx *c, const char *why)
{
	c->wrong = why;
	return -EINVAL;
}

bool call_number(struct call_ctx *c, int arg, int64_t min, int64_t max, int64_t *value)
{
	if (pkt_value_number(c->call->args[arg], value) < 0 || *value < min || *value > max) {
		c->wrong = "an argument is not a number, or out of range";
		return false;
	}
	return true;
}

bool call_sock(struct call_ctx *c, int arg, struct run_sock **s)
{
	int64_t fd;

	if (!call_number(c, arg, INT32_MIN, INT32_MAX, &fd))
		return false;
	for (int i = 0; i < RUN_SOCKETS_MAX; i++) {
		*s = &c->r->socks[i];
		if ((*s)->sock != NULL && (*s)->fd == fd)
			return true;
	}
	c->wrong = "no such descriptor is open";
	return false;
}

bool call_address(struct call_ctx *c, int arg, struct endpoint *value, bool *given)
{
	const struct pkt_expr *e = c->call->args[arg];

	*given = e->kind != EXPR_ELLIPSIS;
	if (!*given)
		return false;
	if (pkt_value_address(e, value) < 0) {
		c->wrong = "an argument is neither ... nor {sa_family = AF_INET, sin_port = "
			   "htons(N), sin_addr = inet_addr(\"A\")}";
		return false;
	}
	return true;
}

int64_t call_wait(const struct run_sock *s, int64_t flags, int64_t result)
{
	bool blocks = !s->nonblocking && !(flags & MSG_DONTWAIT);

	return result == -EAGAIN && blocks ? CALL_WAITS : result;
}

struct run_sock *call_new_sock(struct call_ctx *c, struct host_sock *sock)
{
	struct run_sock *free_row = NULL;
	int64_t fd;

	if (pkt_value_number(c->call->result, &fd) < 0 || fd < 0)
		fd = -1; /* the result will be found wrong */
	for (int i = 0; i < RUN_SOCKETS_MAX; i++) {
		struct run_sock *s = &c->r->socks[i];

		if (s->sock == NULL && free_row == NULL)
			free_row = s;
		else if (s->sock != NULL && s->fd == fd)
			fd = -1;
	}
	if (free_row == NULL || fd < 0) {
		host_close(sock);
		c->wrong = "the result is no descriptor that is free";
		return NULL;
	}
	memset(free_row, 0, sizeof(*free_row));
	free_row->sock = sock;
	free_row->fd = fd;
	return free_row;
}

static const struct call_kind *find_kind(const char *name)
{
	const struct call_kind *const tables[] = {call_socket_kinds, call_data_kinds};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct call_kind *k = tables[i]; k->name != NULL; k++) {
			if (strcmp(k->name, name) == 0)
				return k;
		}
	}
	return NULL;
}

static void print_result(char *text, size_t size, int64_t result)
{
	if (result < 0)
		snprintf(text, size, "-1 %s (%s)", pkt_errno_name((int)-result),
			 strerror((int)-result));
	else
		snprintf(text, size, "%lld", (long long)result);
}

static void print_want(char *text, size_t size, const struct pkt_call *call)
{
	int64_t v = 0;

	if (call->error != NULL)
		snprintf(text, size, "-1 %s", call->error);
	else if (pkt_value_number(call->result, &v) == 0)
		snprintf(text, size, "%lld", (long long)v);
	else
		snprintf(text, size, "...");
}

static bool result_is_right(const struct pkt_call *call, int64_t result)
{
	int64_t want;

	if (call->result->kind == EXPR_ELLIPSIS)
		return true;
	if (call->error != NULL)
		return pkt_symbol(call->error, &want) && result == -want;
	return pkt_value_number(call->result, &want) == 0 &&
	       (result == want || (want == -1 && result < 0));
}

static void check_end(struct run *r, const struct run_call *c, int64_t result)
{
	const struct pkt_call *call = &c->event->call;
	int64_t now = run_now_us(r), tolerance = r->script->options.tolerance_us;
	char want[128], got[128];

	print_want(want, sizeof(want), call);
	print_result(got, sizeof(got), result);
	run_tell(r, "%lld.%06lld   %s() = %s", (long long)(now / 1000000),
		 (long long)(now % 1000000), call->name, got);
	if (!result_is_right(call, result)) {
		run_fail(r, "%s() gave something else", call->name);
		run_note(r, "expected: %s", want);
		run_note(r, "got:      %s", got);
	} else if (call->blocking && now < c->end_us - tolerance) {
		run_fail(r, "%s() returned at %lld us, and not at %lld us", call->name,
			 (long long)now, (long long)c->end_us);
	}
}

/* Tries the call; true: it has ended. */
static bool call_once(struct run *r, struct run_call *state)
{
	const struct pkt_call *call = &state->event->call;
	const struct call_kind *kind = find_kind(call->name);
	struct call_ctx c = {.r = r, .call = call, .state = state};
	const struct pkt_event *at = r->event;
	int64_t result;

	r->event = state->event; /* failures are the call's */
	if (kind == NULL) {
		run_fail(r, "there is no system call %s() here", call->name);
		return true;
	}
	if (call->nargs < kind->args_min || call->nargs > kind->args_max) {
		run_fail(r, "%s() has %d arguments", call->name, kind->args_max);
		return true;
	}
	result = kind->function(&c);
	state->started = true;
	if (c.wrong != NULL)
		run_fail(r, "%s(): %s", call->name, c.wrong);
	else if (result == CALL_WAITS && !call->blocking && result_is_right(call, -EAGAIN))
		check_end(r, state, -EAGAIN);
	else if (result != CALL_WAITS)
		check_end(r, state, result);
	if (!r->failed)
		r->event = at;
	return r->failed || result != CALL_WAITS || result_is_right(call, -EAGAIN);
}

void run_call_try(struct run *r)
{
	struct run_call *c = &r->call;
	int64_t tolerance = r->script->options.tolerance_us;

	if (c->event == NULL || r->failed)
		return;
	if (call_once(r, c)) {
		c->event = NULL;
	} else if (run_now_us(r) > c->end_us + tolerance) {
		r->event = c->event;
		run_fail(r, "%s() blocks", c->event->call.name);
	}
}

void run_call_finish(struct run *r)
{
	int64_t tolerance = r->script->options.tolerance_us;

	while (r->call.event != NULL && !r->failed) {
		bool more = run_step(r, r->call.end_us + tolerance);

		if (r->call.event != NULL && !r->failed && !more) {
			r->event = r->call.event;
			run_fail(r, "%s() blocks", r->call.event->call.name);
		}
	}
}

void run_call_start(struct run *r, const struct pkt_event *e)
{
	int64_t from = e->time == PKT_RELATIVE ? r->last_us : 0;

	run_call_finish(r); /* one at a time, as packetdrill has one thread for them */
	if (r->failed)
		return;
	r->call = (struct run_call){.event = e, .start_us = run_now_us(r)};
	r->call.end_us = e->call.blocking ? from + e->end_us : r->call.start_us;
	run_call_try(r);
	if (!e->call.blocking)
		run_call_finish(r);
}
