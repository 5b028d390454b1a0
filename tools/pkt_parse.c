/* pkt_parse.c - scripts: their options, and events with their times. Packets and system calls are
 * read in pkt_parse_packet.c and pkt_parse_call.c.
 *
 *	script: option* event*
 *	event:  time (< packet | > packet | call | `command`)
 *	time:   N | +N | * | N~N | +N~+N          a call's may be followed by ...N, its end
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_parse.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICRO = 1000000, PRINTED_TOKEN = 40 };

struct pkt_block {
	struct pkt_block *next;
	max_align_t bytes[];
};

int parse_fail(struct parser *p, int line, const char *format, ...)
{
	va_list args;
	int n;

	if (p->error[0] != '\0')
		return -EINVAL; /* the first one counts */
	n = snprintf(p->error, PKT_ERROR_BYTES, "%s:%d: error: ", p->name, line);
	if (n < 0 || n >= PKT_ERROR_BYTES)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(p->error + n, (size_t)(PKT_ERROR_BYTES - n), format, args);
	va_end(args);
	return -EINVAL;
}

int parse_expected(struct parser *p, const char *what)
{
	const struct pkt_token *t = &p->token;
	int len = t->len < PRINTED_TOKEN ? (int)t->len : PRINTED_TOKEN;

	if (t->kind == TOKEN_BAD)
		return parse_fail(p, t->line, "%s", t->problem);
	if (t->kind == TOKEN_END)
		return parse_fail(p, t->line, "%s expected, but the script ends", what);
	return parse_fail(p, t->line, "%s expected, but there is '%.*s'", what, len, t->text);
}

void parse_next(struct parser *p)
{
	p->token = pkt_lex_next(&p->lexer);
}

bool parse_is_mark(const struct parser *p, char c)
{
	return p->token.kind == TOKEN_MARK && p->token.text[0] == c;
}

bool parse_is_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_WORD && p->token.len == strlen(word) &&
	       memcmp(p->token.text, word, p->token.len) == 0;
}

bool parse_take_mark(struct parser *p, char c)
{
	if (!parse_is_mark(p, c))
		return false;
	parse_next(p);
	return true;
}

bool parse_take_word(struct parser *p, const char *word)
{
	if (!parse_is_word(p, word))
		return false;
	parse_next(p);
	return true;
}

int parse_mark(struct parser *p, char c)
{
	const char what[] = {'\'', c, '\'', '\0'};

	return parse_take_mark(p, c) ? 0 : parse_expected(p, what);
}

int parse_number(struct parser *p, const char *what, int64_t max, int64_t *value)
{
	if (p->token.kind != TOKEN_NUMBER)
		return parse_expected(p, what);
	if (p->token.number < 0 || p->token.number > max)
		return parse_fail(p, p->token.line, "%s is from 0 to %lld", what, (long long)max);
	*value = p->token.number;
	parse_next(p);
	return 0;
}

int parse_address(struct parser *p, const char *what, uint32_t *value)
{
	const char *text = parse_text(p, &p->token);
	struct in_addr a;

	if (text == NULL)
		return -ENOMEM;
	if (p->token.kind != TOKEN_STRING || inet_pton(AF_INET, text, &a) != 1)
		return parse_expected(p, what);
	*value = ntohl(a.s_addr);
	parse_next(p);
	return 0;
}

void *parse_alloc(struct parser *p, size_t size)
{
	struct pkt_block *b = calloc(1, sizeof(*b) + size);

	if (b == NULL) {
		parse_fail(p, p->token.line, "out of memory");
		return NULL;
	}
	b->next = p->script->blocks;
	p->script->blocks = b;
	return b->bytes;
}

const char *parse_text(struct parser *p, const struct pkt_token *t)
{
	char *s = parse_alloc(p, (size_t)t->len + 1);

	if (s != NULL)
		memcpy(s, t->text, t->len);
	return s;
}

int parse_time(struct parser *p, int64_t *us)
{
	int64_t max = (int64_t)PKT_TIME_MAX_S * MICRO, v = p->token.number;

	if (p->token.kind == TOKEN_NUMBER && v >= 0 && v <= PKT_TIME_MAX_S)
		v *= MICRO;
	else if (p->token.kind != TOKEN_FLOAT)
		return parse_expected(p, "a time in seconds");
	if (v < 0 || v > max)
		return parse_fail(p, p->token.line, "a time is from 0 to %d s", PKT_TIME_MAX_S);
	*us = v;
	parse_next(p);
	return 0;
}

static int parse_event_time(struct parser *p, struct pkt_event *e)
{
	bool relative;
	int r;

	if (parse_take_mark(p, '*')) {
		e->time = PKT_ANY_TIME;
		return 0;
	}
	relative = parse_take_mark(p, '+');
	e->time = relative ? PKT_RELATIVE : PKT_ABSOLUTE;
	r = parse_time(p, &e->start_us);
	e->end_us = e->start_us;
	if (r < 0 || !parse_take_mark(p, '~'))
		return r;
	e->time = relative ? PKT_RELATIVE_RANGE : PKT_ABSOLUTE_RANGE;
	if (relative && (r = parse_mark(p, '+')) < 0)
		return r;
	r = parse_time(p, &e->end_us);
	if (r == 0 && e->end_us < e->start_us)
		return parse_fail(p, e->line, "the range of times is backwards");
	return r;
}

static int parse_event(struct parser *p, struct pkt_event *e)
{
	int r = parse_event_time(p, e);

	if (r < 0)
		return r;
	if (parse_take_mark(p, '<')) {
		e->kind = PKT_INBOUND;
		r = parse_packet(p, true, &e->packet);
	} else if (parse_take_mark(p, '>')) {
		e->kind = PKT_OUTBOUND;
		r = parse_packet(p, false, &e->packet);
	} else if (p->token.kind == TOKEN_COMMAND) {
		e->kind = PKT_COMMAND;
		parse_next(p);
	} else {
		e->kind = PKT_CALL;
		r = parse_call(p, e);
	}
	if (r == 0 && e->kind != PKT_OUTBOUND && e->time != PKT_ABSOLUTE && e->time != PKT_RELATIVE)
		return parse_fail(p, e->line, "'*' and ranges of time are for outbound packets");
	return r;
}

static int parse_events(struct parser *p)
{
	struct pkt_event **tail = &p->script->events;

	while (p->token.kind != TOKEN_END) {
		struct pkt_event *e;
		int r;

		/* Commands of packetdrill's before the first event and after the last have no
		 * time. */
		if (p->token.kind == TOKEN_COMMAND) {
			parse_next(p);
			continue;
		}
		e = parse_alloc(p, sizeof(*e));
		if (e == NULL)
			return -ENOMEM;
		e->line = p->token.line;
		r = parse_event(p, e);
		if (r < 0)
			return r;
		*tail = e;
		tail = &e->next;
	}
	return p->script->events == NULL ? parse_expected(p, "an event") : 0;
}

static int option_number(struct parser *p, const char *name, const char *value, int64_t min,
			 int64_t max, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || *out < min || *out > max)
		return parse_fail(p, p->token.line, "--%s is a number from %lld to %lld", name,
				  (long long)min, (long long)max);
	return 0;
}

static int option_address(struct parser *p, const char *name, const char *value,
			  struct ip_addr *out)
{
	struct in_addr a;

	if (inet_pton(AF_INET, value, &a) != 1)
		return parse_fail(p, p->token.line, "--%s is an IPv4 address", name);
	*out = ip4(ntohl(a.s_addr));
	return 0;
}

static int option_netmask(struct parser *p, const char *value, uint8_t *prefix_len)
{
	struct ip_addr mask;
	uint32_t m;

	if (option_address(p, "netmask_ip", value, &mask) < 0)
		return -EINVAL;
	m = ip4_get(&mask);
	*prefix_len = (uint8_t)__builtin_popcount(m);
	if (m != 0 && m != ~0u << (32 - *prefix_len))
		return parse_fail(p, p->token.line, "--netmask_ip is not a netmask");
	return 0;
}

/* Options of packetdrill's that say how to run it on a kernel, or what is always so here. */
static bool option_is_idle(const char *name)
{
	static const char *const idle[] = {
	    "bind_port",         "connect_port", "init_scripts",    "non_fatal",
	    "send_omit_free",    "speed",        "strict_segments", "tcp_ts_ecr_scaled",
	    "tolerance_percent", "verbose",
	};

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		if (strcmp(name, idle[i]) == 0)
			return true;
	}
	return false;
}

static int parse_option_value(struct parser *p, const char *name, const char *value)
{
	struct pkt_options *o = &p->script->options;
	int64_t n = 0;
	int r = 0;

	if (strcmp(name, "ip_version") == 0) {
		if (strcmp(value, "ipv4") != 0)
			return parse_fail(p, p->token.line, "--ip_version: ipv4 only");
	} else if (strcmp(name, "tolerance_usecs") == 0) {
		r = option_number(p, name, value, 0, (int64_t)PKT_TIME_MAX_S * MICRO, &n);
		o->tolerance_us = n;
	} else if (strcmp(name, "mtu") == 0) {
		r = option_number(p, name, value, 68, PKT_IP_MAX_BYTES, &n);
		o->mtu = (uint16_t)n;
	} else if (strcmp(name, "mtu_probing") == 0) {
		r = option_number(p, name, value, 0, 2, &n);
		o->mtu_probing = (uint8_t)n;
	} else if (strcmp(name, "tcp_ts_tick_usecs") == 0) {
		r = option_number(p, name, value, 0, MICRO, &n);
		o->ts_tick_us = (uint32_t)n;
	} else if (strcmp(name, "local_ip") == 0) {
		r = option_address(p, name, value, &o->local);
	} else if (strcmp(name, "remote_ip") == 0) {
		r = option_address(p, name, value, &o->remote);
	} else if (strcmp(name, "gateway_ip") == 0) {
		r = option_address(p, name, value, &o->gateway);
	} else if (strcmp(name, "netmask_ip") == 0) {
		r = option_netmask(p, value, &o->prefix_len);
	} else if (strcmp(name, "show_arp") == 0) {
		o->show_arp = true;
	} else if (!option_is_idle(name)) {
		return parse_fail(p, p->token.line, "there is no option --%s", name);
	}
	return r;
}

static int parse_option(struct parser *p)
{
	char *text = (char *)parse_text(p, &p->token), *value;
	size_t len;
	int r;

	if (text == NULL)
		return -ENOMEM;
	text += 2;
	value = strchr(text, '=');
	if (value != NULL)
		*value++ = '\0';
	else
		value = text + strlen(text);
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value[len - 1] = '\0';
		value++;
	}
	r = parse_option_value(p, text, value);
	parse_next(p);
	return r;
}

static int parse_script(struct parser *p)
{
	int r = 0;

	parse_next(p);
	while (r == 0 && p->token.kind == TOKEN_OPTION)
		r = parse_option(p);
	return r == 0 ? parse_events(p) : r;
}

static void default_options(struct pkt_options *o)
{
	o->mtu = 1500;
	o->mtu_probing = 1;
	o->tolerance_us = PKT_TOLERANCE_US;
	o->local = ip4(0xc0a80001);   /* 192.168.0.1 */
	o->gateway = ip4(0xc0a80002); /* 192.168.0.2 */
	o->prefix_len = 16;
	o->remote = ip4(0xc0000201); /* 192.0.2.1 */
}

int pkt_script_parse(struct pkt_script **out, const char *name, const char *text, size_t len,
		     char error[PKT_ERROR_BYTES])
{
	struct parser p = {.name = name, .error = error};
	int r;

	error[0] = '\0';
	p.script = calloc(1, sizeof(*p.script));
	if (p.script == NULL) {
		snprintf(error, PKT_ERROR_BYTES, "%s: error: out of memory", name);
		return -ENOMEM;
	}
	default_options(&p.script->options);
	pkt_lex_start(&p.lexer, text, len);
	if (len > PKT_SCRIPT_MAX_BYTES)
		r = parse_fail(&p, 1, "the script is larger than %d bytes", PKT_SCRIPT_MAX_BYTES);
	else
		r = parse_script(&p);
	if (r < 0) {
		pkt_script_free(p.script);
		return r;
	}
	*out = p.script;
	return 0;
}

void pkt_script_free(struct pkt_script *script)
{
	if (script == NULL)
		return;
	while (script->blocks != NULL) {
		struct pkt_block *b = script->blocks;

		script->blocks = b->next;
		free(b);
	}
	free(script);
}
