/* pkt_run.c - the events of a script, in their time.
 *
 * Inbound packets, calls and commands happen exactly when the script says; the stack's timers run
 * in between. An outbound packet must have been sent within the tolerance of its time. A relative
 * time counts from when the event before happened.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_run_state.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_US = 1000, US_PER_S = 1000000, RUN_SEED = 1 };

int64_t run_now_us(const struct run *r)
{
	return (int64_t)(host_now(r->host) / NS_PER_US);
}

void run_fail(struct run *r, const char *format, ...)
{
	va_list args;

	if (r->failed)
		return;
	r->failed = true;
	fprintf(r->o->out, "%s:%d: ", r->name, r->event->line);
	va_start(args, format);
	vfprintf(r->o->out, format, args);
	va_end(args);
	fputc('\n', r->o->out);
}

void run_note(struct run *r, const char *format, ...)
{
	va_list args;

	fputs("  ", r->o->out);
	va_start(args, format);
	vfprintf(r->o->out, format, args);
	va_end(args);
	fputc('\n', r->o->out);
}

void run_tell(struct run *r, const char *format, ...)
{
	va_list args;

	if (!r->o->verbose)
		return;
	va_start(args, format);
	vfprintf(r->o->out, format, args);
	va_end(args);
	fputc('\n', r->o->out);
}

void run_packet_text(char text[PKT_TEXT_BYTES + 64], int64_t us, char direction,
		     const struct pkt_packet *p)
{
	char packet[PKT_TEXT_BYTES];

	pkt_print(packet, p);
	snprintf(text, PKT_TEXT_BYTES + 64, "%lld.%06lld %c %s", (long long)(us / US_PER_S),
		 (long long)(us % US_PER_S), direction, packet);
}

static bool host_goes_on(struct run *r)
{
	const char *stuck = host_stuck(r->host);

	if (stuck != NULL)
		run_fail(r, "the stack is stuck: %s", stuck);
	return stuck == NULL;
}

bool run_step(struct run *r, int64_t us)
{
	int64_t wake = r->call.event != NULL ? r->call.wake_us : 0;
	bool early = wake > run_now_us(r) && wake < us;
	bool more = host_step(r->host, (uint64_t)(early ? wake : us) * NS_PER_US);

	if (!host_goes_on(r))
		return false;
	run_call_try(r);
	return more || early;
}

void run_until(struct run *r, int64_t us)
{
	/* What happens at one moment happens before the stack gets its next turn: a program that
	 * answers at once does so with the driver of a libOS, too. */
	if (us <= run_now_us(r))
		return;
	while (!r->failed && run_step(r, us))
		;
}

struct pkt_flow *run_flow_find(struct run *r, uint8_t protocol, uint16_t local, uint16_t remote)
{
	for (struct pkt_flow *f = r->flows; f != NULL; f = f->next) {
		if (f->protocol == protocol && f->local_port == local && f->remote_port == remote)
			return f;
	}
	return NULL;
}

struct pkt_flow *run_flow_new(struct run *r, uint8_t protocol, uint16_t local, uint16_t remote,
			      bool named)
{
	struct pkt_flow *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		run_fail(r, "out of memory");
		return NULL;
	}
	f->protocol = protocol;
	f->local_port = local;
	f->remote_port = remote;
	f->named = named;
	f->next = r->flows;
	r->flows = f;
	return f;
}

/* When the event should happen: its time, and for ranges the end. */
static void event_times(const struct run *r, const struct pkt_event *e, int64_t *start,
			int64_t *end)
{
	int64_t from = 0;

	if (e->time == PKT_RELATIVE || e->time == PKT_RELATIVE_RANGE)
		from = r->last_us;
	*start = from + e->start_us;
	*end = from + e->end_us;
}

static void run_outbound(struct run *r, const struct pkt_event *e)
{
	int64_t start, end, tolerance = r->script->options.tolerance_us;

	event_times(r, e, &start, &end);
	if (e->time == PKT_ANY_TIME)
		run_expect(r, e, 0, r->last_us + (int64_t)RUN_ANY_TIME_S * US_PER_S);
	else
		run_expect(r, e, start - tolerance, end + tolerance);
	r->last_us = run_now_us(r);
}

static void run_event(struct run *r, const struct pkt_event *e)
{
	int64_t start, end, now;

	r->event = e;
	if (e->kind == PKT_OUTBOUND) {
		run_outbound(r, e);
		return;
	}
	event_times(r, e, &start, &end);
	run_until(r, start);
	now = run_now_us(r);
	if (!r->failed && now > start + r->script->options.tolerance_us)
		run_fail(r, "the event is due at %lld us, but it is %lld us already",
			 (long long)start, (long long)now);
	if (r->failed)
		return;
	if (e->kind == PKT_INBOUND)
		run_inject(r, e);
	else if (e->kind == PKT_CALL)
		run_call_start(r, e);
	r->last_us = run_now_us(r);
}

static void run_events(struct run *r)
{
	for (const struct pkt_event *e = r->script->events; e != NULL && !r->failed; e = e->next)
		run_event(r, e);
	if (!r->failed)
		run_call_finish(r);
	if (!r->failed && host_goes_on(r))
		run_expect_nothing(r);
}

static int run_make(struct run *r)
{
	const struct pkt_options *p = &r->script->options;
	struct host_config cfg = {.local = p->local,
				  .gateway = p->gateway,
				  .prefix_len = p->prefix_len,
				  .mtu = p->mtu,
				  .mtu_probing = p->mtu_probing,
				  .seed = RUN_SEED,
				  .show_arp = p->show_arp,
				  .capture = r->o->capture};

	r->local_port = RUN_BIND_PORT;
	r->next_remote_port = RUN_REMOTE_PORT;
	r->bytes = malloc(RUN_CALL_BYTES);
	return r->bytes == NULL ? -ENOMEM : host_create(&r->host, &cfg);
}

static void run_end(struct run *r)
{
	uint32_t leaked = 0;

	if (r->host != NULL) {
		for (int i = 0; i < RUN_SOCKETS_MAX; i++) {
			if (r->socks[i].sock != NULL)
				host_close(r->socks[i].sock);
		}
		leaked = host_destroy(r->host);
	}
	if (leaked > 0)
		run_fail(r, "the stack has kept %u buffers for itself", leaked);
	while (r->flows != NULL) {
		struct pkt_flow *f = r->flows;

		r->flows = f->next;
		free(f);
	}
	free(r->bytes);
}

bool pkt_run(const struct pkt_script *script, const char *name, const struct pkt_run_options *o)
{
	struct run *r = calloc(1, sizeof(*r));
	bool passed;
	int e;

	if (r == NULL)
		return false;
	r->script = script;
	r->name = name;
	r->o = o;
	r->event = script->events;
	e = run_make(r);
	if (e < 0)
		run_fail(r, "no stack can be made as the options say: %s", strerror(-e));
	else
		run_events(r);
	run_end(r);
	passed = !r->failed;
	free(r);
	return passed;
}
