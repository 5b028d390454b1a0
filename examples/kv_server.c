/* kv_server.c - the program kv-server: keys and values in memory, for those who speak Redis's
 * protocol (redis-cli, redis-benchmark, client libraries).
 *
 * One thread, and for each client at most one pop and MAX_PUSHES pushes: who does not take its
 * answers is not asked for more. A request may be cut anywhere between two pops; what is not whole
 * is held until the rest has come.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"
#include "blocking.h"
#include "complain.h"
#include "interrupt.h"
#include "kv_table.h"
#include "resp.h"
#include "token_set.h"

#include <demi/libos.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: kv-server IP PORT [MEGABYTES]\n"
    "\n"
    "Keeps keys and values in memory, for clients that speak Redis's protocol:\n"
    "\n"
    "  kv-server 127.0.0.1 6400 & redis-cli -p 6400 set greeting hello\n"
    "\n"
    "It knows PING, ECHO, SET, GET, DEL, EXISTS, INCR, DBSIZE, FLUSHALL, SELECT 0, QUIT, and\n"
    "answers COMMAND and CONFIG GET emptily. Keys and values are 512 KiB at most, and\n"
    "all of them MEGABYTES (1024). Ends when it is interrupted.\n"
    "\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

enum {
	MAX_MEGABYTES = 1 << 20,
	MAX_PUSHES = 64,     /* answers that a client has not taken */
	SMALL_BYTES = 1900,  /* a message of the library's small ones */
	LARGE_BYTES = 65536, /* the next ones of the same answer */
	HELD_FIRST_BYTES = 4096,
	NUMBER_BYTES = 24,
};

struct client {
	int qd;
	uint8_t *held; /* of a request that is not whole, or that has to wait; may be NULL */
	size_t held_len, held_room;
	unsigned pushes; /* pending */
	bool popping;
	bool leaving; /* is closed when its answers are out */
};

struct server {
	int listener;
	bool accepting;
	int deaf; /* why the last accept failed, which is said once; 0: it did not */
	struct kv_table table;
	struct token_set operations; /* owners: clients, NULL for the accept */
	/* The answer that is being written: */
	struct client *to;
	demi_sgarray_t out;
	size_t out_len, out_room; /* out_room 0: there is none */
};

static void drop_client(struct server *s, struct client *c)
{
	token_set_drop(&s->operations, c);
	demi_close(c->qd);
	free(c->held);
	free(c);
}

/* Hands over what is written. */
static void flush(struct server *s)
{
	struct client *c = s->to;
	demi_qtoken_t qt;

	if (s->out_len > 0) {
		s->out.sga_segs[0].sgaseg_len = (uint32_t)s->out_len;
		if (demi_push(&qt, c->qd, &s->out) == 0 &&
		    token_set_add(&s->operations, qt, c) == 0)
			c->pushes++;
		else
			c->leaving = true;
	}
	if (s->out_room > 0)
		demi_sgafree(&s->out);
	s->out_len = 0;
	s->out_room = 0;
}

static void write_bytes(struct server *s, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t room = s->out_room - s->out_len, n = len < room ? len : room;

		if (room == 0) {
			size_t next = s->out_room > 0 ? LARGE_BYTES : SMALL_BYTES;

			flush(s);
			s->out = demi_sgaalloc(next);
			if (!s->out.sga_buf) { /* its answers are not whole any more */
				s->to->leaving = true;
				return;
			}
			s->out_room = next;
			continue;
		}
		memcpy((uint8_t *)s->out.sga_segs[0].sgaseg_buf + s->out_len, from, n);
		s->out_len += n;
		from += n;
		len -= n;
	}
}

static void write_text(struct server *s, const char *text)
{
	write_bytes(s, text, strlen(text));
}

static void write_number(struct server *s, char type, long long value)
{
	char line[NUMBER_BYTES];
	int len = snprintf(line, sizeof(line), "%c%lld\r\n", type, value);

	write_bytes(s, line, (size_t)len);
}

static void write_bulk(struct server *s, const void *bytes, size_t len)
{
	write_number(s, '$', (long long)len);
	write_bytes(s, bytes, len);
	write_text(s, "\r\n");
}

static void on_ping(struct server *s, const struct resp_request *r)
{
	if (r->count > 1)
		write_bulk(s, r->words[1].at, r->words[1].len);
	else
		write_text(s, "+PONG\r\n");
}

static void on_set(struct server *s, const struct resp_request *r)
{
	const struct resp_word *key = &r->words[1], *value = &r->words[2];

	if (kv_table_set(&s->table, key->at, key->len, value->at, value->len) == 0)
		write_text(s, "+OK\r\n");
	else
		write_text(s, "-OOM there is no room for it\r\n");
}

static void on_get(struct server *s, const struct resp_request *r)
{
	size_t len;
	const uint8_t *value = kv_table_get(&s->table, r->words[1].at, r->words[1].len, &len);

	if (value)
		write_bulk(s, value, len);
	else
		write_text(s, "$-1\r\n");
}

static void on_delete(struct server *s, const struct resp_request *r)
{
	int n = 0;

	for (unsigned i = 1; i < r->count; i++)
		n += kv_table_delete(&s->table, r->words[i].at, r->words[i].len);
	write_number(s, ':', n);
}

static void on_exists(struct server *s, const struct resp_request *r)
{
	size_t len;
	int n = 0;

	for (unsigned i = 1; i < r->count; i++)
		n += kv_table_get(&s->table, r->words[i].at, r->words[i].len, &len) != NULL;
	write_number(s, ':', n);
}

/* A value that is a number; none is 0. */
static bool read_number(const uint8_t *value, size_t len, long long *out)
{
	char text[NUMBER_BYTES], *end;

	*out = 0;
	if (!value)
		return true;
	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && *end == '\0' && end == text + len;
}

static void on_increment(struct server *s, const struct resp_request *r)
{
	const struct resp_word *key = &r->words[1];
	char text[NUMBER_BYTES];
	long long number;
	size_t len = 0;
	const uint8_t *value = kv_table_get(&s->table, key->at, key->len, &len);

	if (!read_number(value, len, &number) || __builtin_add_overflow(number, 1, &number)) {
		write_text(s, "-ERR value is not an integer or out of range\r\n");
		return;
	}
	len = (size_t)snprintf(text, sizeof(text), "%lld", number);
	if (kv_table_set(&s->table, key->at, key->len, text, len) == 0)
		write_number(s, ':', number);
	else
		write_text(s, "-OOM there is no room for it\r\n");
}

static void on_size(struct server *s, const struct resp_request *r)
{
	(void)r;
	write_number(s, ':', (long long)s->table.count);
}

static void on_flush(struct server *s, const struct resp_request *r)
{
	(void)r;
	kv_table_clear(&s->table);
	write_text(s, "+OK\r\n");
}

static void on_select(struct server *s, const struct resp_request *r)
{
	write_text(s, resp_word_is(r->words[1], "0") ? "+OK\r\n"
						     : "-ERR DB index is out of range\r\n");
}

static void on_quit(struct server *s, const struct resp_request *r)
{
	(void)r;
	write_text(s, "+OK\r\n");
	s->to->leaving = true;
}

/* CONFIG GET name: whatever it is, it is not set. */
static void on_config(struct server *s, const struct resp_request *r)
{
	write_text(s, "*2\r\n");
	write_bulk(s, r->words[2].at, r->words[2].len);
	write_text(s, "$0\r\n\r\n");
}

static void on_nothing(struct server *s, const struct resp_request *r)
{
	(void)r;
	write_text(s, "*0\r\n");
}

/* Words include the name. The most frequent come first. */
static const struct {
	const char *name;
	unsigned words_min, words_max;
	void (*fn)(struct server *, const struct resp_request *);
} commands[] = {
    {"GET", 2, 2, on_get},
    {"SET", 3, 3, on_set},
    {"PING", 1, 2, on_ping},
    {"INCR", 2, 2, on_increment},
    {"DEL", 2, RESP_WORDS_MAX, on_delete},
    {"EXISTS", 2, RESP_WORDS_MAX, on_exists},
    {"ECHO", 2, 2, on_ping},
    {"DBSIZE", 1, 1, on_size},
    {"FLUSHALL", 1, 2, on_flush},
    {"SELECT", 2, 2, on_select},
    {"QUIT", 1, 1, on_quit},
    {"COMMAND", 1, RESP_WORDS_MAX, on_nothing},
    {"CONFIG", 3, 3, on_config},
};

static void answer(struct server *s, const struct resp_request *r)
{
	if (r->count == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!resp_word_is(r->words[0], commands[i].name))
			continue;
		if (r->count < commands[i].words_min || r->count > commands[i].words_max)
			write_text(s, "-ERR wrong number of arguments\r\n");
		else
			commands[i].fn(s, r);
		return;
	}
	write_text(s, "-ERR unknown command\r\n");
}

/* Answers the requests in these bytes, as long as the client takes its answers. How many bytes are
 * done with. */
static size_t answer_all(struct server *s, struct client *c, const uint8_t *bytes, size_t len)
{
	struct resp_request r;
	size_t done = 0;

	s->to = c;
	while (!c->leaving && c->pushes < MAX_PUSHES) {
		const char *why = NULL;
		long n = resp_read(&r, bytes + done, len - done, &why);

		if (n == 0)
			break;
		if (n < 0) {
			write_text(s, "-ERR Protocol error: ");
			write_text(s, why);
			write_text(s, "\r\n");
			c->leaving = true;
			break;
		}
		answer(s, &r);
		done += (size_t)n;
	}
	flush(s);
	return done;
}

static int hold(struct client *c, const uint8_t *bytes, size_t len)
{
	size_t room = c->held_room ? c->held_room : HELD_FIRST_BYTES;
	uint8_t *held;

	while (room < c->held_len + len)
		room *= 2;
	if (room > c->held_room) {
		held = realloc(c->held, room);
		if (!held)
			return ENOMEM;
		c->held = held;
		c->held_room = room;
	}
	memcpy(c->held + c->held_len, bytes, len);
	c->held_len += len;
	return 0;
}

static void answer_held(struct server *s, struct client *c)
{
	size_t done = answer_all(s, c, c->held, c->held_len);

	c->held_len -= done;
	if (c->held_len > 0)
		memmove(c->held, c->held + done, c->held_len);
	if (c->held_len == 0) {
		free(c->held);
		c->held = NULL;
		c->held_room = 0;
	}
}

/* What a client is to be asked for next; false: it has gone. */
static bool go_on(struct server *s, struct client *c)
{
	demi_qtoken_t qt;

	if (c->leaving && c->pushes == 0) {
		drop_client(s, c);
		return false;
	}
	if (c->leaving || c->popping || c->pushes >= MAX_PUSHES)
		return true;
	if (demi_pop(&qt, c->qd) != 0 || token_set_add(&s->operations, qt, c) != 0) {
		drop_client(s, c);
		return false;
	}
	c->popping = true;
	return true;
}

static void on_pop(struct server *s, struct client *c, demi_sgarray_t *sga)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	size_t len = sga->sga_segs[0].sgaseg_len, done = 0;
	bool lost = len == 0;

	c->popping = false;
	if (c->held_len == 0)
		done = answer_all(s, c, bytes, len);
	if (done < len && !c->leaving)
		lost = hold(c, bytes + done, len - done) != 0;
	demi_sgafree(sga);
	if (!lost && c->held_len > 0)
		answer_held(s, c);
	if (lost)
		drop_client(s, c);
	else
		go_on(s, c);
}

static void on_push(struct server *s, struct client *c)
{
	bool full = c->pushes == MAX_PUSHES;

	c->pushes--;
	if (full && c->held_len > 0 && !c->leaving)
		answer_held(s, c);
	go_on(s, c);
}

/* What a failed accept was short of may be there later: run() tries again. */
static void start_accept(struct server *s)
{
	demi_qtoken_t qt;

	if (s->accepting || demi_accept(&qt, s->listener) != 0)
		return;
	s->accepting = token_set_add(&s->operations, qt, NULL) == 0;
}

static void on_accept(struct server *s, int qd)
{
	struct client *c = calloc(1, sizeof(*c));

	s->deaf = 0;
	if (!c) {
		demi_close(qd);
		return;
	}
	c->qd = qd;
	go_on(s, c);
}

/* A device that is gone stays away. */
static int on_no_accept(struct server *s, int error)
{
	if (error == ENETDOWN)
		return complain(error, "no client can come any more");
	if (error != s->deaf)
		complain(error, "cannot accept a client now");
	s->deaf = error;
	return 0;
}

static int handle(struct server *s, struct client *c, demi_qresult_t *qr)
{
	if (!c)
		s->accepting = false;
	switch (qr->qr_opcode) {
	case DEMI_OPC_ACCEPT:
		on_accept(s, qr->qr_value.ares.qd);
		break;
	case DEMI_OPC_POP:
		on_pop(s, c, &qr->qr_value.sga);
		break;
	case DEMI_OPC_PUSH:
		on_push(s, c);
		break;
	default: /* it has gone */
		if (!c)
			return on_no_accept(s, (int)qr->qr_ret);
		drop_client(s, c);
		break;
	}
	start_accept(s);
	return 0;
}

static int run(struct server *s)
{
	demi_qresult_t qr;
	int at, error, fatal = 0;

	start_accept(s);
	while (!fatal && !interrupted()) {
		error = demi_wait_any(&qr, &at, s->operations.tokens, s->operations.count,
				      &INTERRUPT_TICK);
		if (!error)
			fatal = handle(s, token_set_take(&s->operations, at), &qr);
		else if (error != ETIMEDOUT)
			fatal = complain(error, "cannot wait");
		else
			start_accept(s);
	}
	return fatal;
}

static void end(struct server *s)
{
	token_set_drop(&s->operations, NULL);
	while (s->operations.count > 0)
		drop_client(s, s->operations.owners[0]);
	token_set_free(&s->operations);
	demi_close(s->listener);
}

int main(int argc, char **argv)
{
	struct arguments a = arguments_begin(argc, argv, help);
	uint64_t megabytes = 1024;
	struct sockaddr_in address;
	struct server s = {0};
	int error;

	arguments_address(&a, "server's", &address);
	arguments_number(&a, "MEGABYTES", 1, MAX_MEGABYTES, &megabytes);
	arguments_end(&a);
	interrupt_catch();
	if (kv_table_create(&s.table, megabytes << 20) != 0) {
		complain(ENOMEM, "cannot make the table");
		return EXIT_FAILURE;
	}
	error = blocking_init();
	if (!error)
		error = blocking_listen(&s.listener, &address);
	if (!error) {
		error = run(&s);
		end(&s);
	}
	kv_table_free(&s.table);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
