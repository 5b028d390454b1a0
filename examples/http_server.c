/* http_server.c - the program http-server: a small HTTP/1.1 server, and an example of a protocol
 * over pops and pushes.
 *
 * go_on() takes one step of a client's after the other - a request's head, its body, a piece of the
 * answer - until bytes are missing, and a pop is started, or WINDOW pushes are in flight. So a
 * client that does not read is not read from either, and what it makes us hold is bounded: a head,
 * what one pop gave, and WINDOW pushes. However it spreads its bytes, it has only so much time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "arguments.h"
#include "blocking.h"
#include "complain.h"
#include "http_request.h"
#include "interrupt.h"
#include "token_set.h"

#include <demi/libos.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: http-server IP PORT [SECONDS]\n"
    "\n"
    "Listens at IP and PORT (0: any), and answers HTTP/1.1 until it is interrupted:\n"
    "\n"
    "  GET  /          what there is\n"
    "  GET  /bytes/N   N bytes of text\n"
    "  POST /echo      the body of the request\n"
    "\n"
    "A client has SECONDS (30) for each request's head, and then has to take 10 kB a second.\n"
    "The environment variable LIBOS chooses the I/O path; see demikernel(7).\n"
    "Exit status: 0 interrupted, 1 a failure, 2 a wrong command line.\n";

static const char index_page[] = "GET /bytes/N: N bytes of text\nPOST /echo: your body\n";

enum {
	MAX_CLIENTS = 10000,     /* the next ones wait in the backlog */
	HEAD_BYTES = 8192,       /* of a request's head */
	BODY_BYTES = 1 << 30,    /* of a request's body */
	ANSWER_HEAD_BYTES = 512, /* of an answer's head, and a short body */
	PIECE_BYTES = 65536,     /* of /bytes/N in one push */
	LINE_BYTES = 64,         /* of its text */
	WINDOW = 8,              /* pushes in flight to one client */
	MAX_PATIENCE_S = 3600,
	SLOWEST_BYTES_PER_S = 10000, /* that a client may be */
};
#define MAX_ANSWER_BYTES (UINT64_C(1) << 40)
#define NS_PER_S         UINT64_C(1000000000)

struct client {
	int qd;
	unsigned pushes;      /* in flight */
	bool popping;         /* a pop is in flight; there is always a pop or a push in flight */
	bool ending;          /* no more requests: closed when the pushes are done */
	bool echo;            /* the body is the answer */
	demi_sgarray_t in;    /* what was popped last; sga_buf NULL: nothing is left of it */
	uint64_t body_left;   /* bytes of the request still to come */
	uint64_t answer_left; /* bytes of /bytes/N still to be pushed */
	uint64_t deadline_ns; /* for this phase */
	size_t head_len;
	char head[HEAD_BYTES]; /* of the request that is being read */
};

struct server {
	int listener;
	bool accepting; /* an accept is in flight */
	int deaf;       /* why the last accept failed, which is said once; 0: it did not */
	int clients;
	struct token_set operations; /* owners are clients; NULL for the accept */
	demi_sgarray_t piece;        /* what /bytes/N is made of, pushed again and again */
	uint64_t patience_ns, now_ns, next_look_ns;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The client is to send a request from now on, or has sent one and is to read the answer. */
static void begin_phase(const struct server *s, struct client *c)
{
	c->deadline_ns = s->now_ns + s->patience_ns;
}

/* Bytes of a body or an answer were moved, which gives time for more. */
static void give_time(const struct server *s, struct client *c, uint64_t bytes)
{
	c->deadline_ns += bytes * (NS_PER_S / SLOWEST_BYTES_PER_S);
	if (c->deadline_ns > s->now_ns + s->patience_ns)
		begin_phase(s, c);
}

static void drop_client(struct server *s, struct client *c)
{
	token_set_drop(&s->operations, c);
	if (c->in.sga_buf)
		demi_sgafree(&c->in);
	demi_close(c->qd);
	free(c);
	s->clients--;
}

static int start_pop(struct server *s, struct client *c)
{
	demi_qtoken_t qt;
	int error = demi_pop(&qt, c->qd);

	if (!error)
		error = token_set_add(&s->operations, qt, c);
	c->popping = !error;
	return error;
}

static int start_push(struct server *s, struct client *c, const demi_sgarray_t *sga)
{
	demi_qtoken_t qt;
	int error = demi_push(&qt, c->qd, sga);

	if (!error)
		error = token_set_add(&s->operations, qt, c);
	c->pushes += !error;
	return error;
}

static int push_text(struct server *s, struct client *c, const char *text, size_t len)
{
	demi_sgarray_t sga = demi_sgaalloc(len);
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, text, len);
	error = start_push(s, c, &sga);
	demi_sgafree(&sga); /* the library keeps the memory while it needs it */
	return error;
}

/* Pushes an answer's head, which announces `bytes`; `text` of them, which may be shorter, go with
 * it. `more`: further header lines. */
static int answer(struct server *s, struct client *c, const char *status, const char *more,
		  uint64_t bytes, const char *text)
{
	char head[ANSWER_HEAD_BYTES], date[64] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 %s\r\n"
		     "Date: %s\r\n"
		     "Content-Type: text/plain\r\n"
		     "Content-Length: %" PRIu64 "\r\n"
		     "%s%s\r\n%s",
		     status, date, bytes, more, c->ending ? "Connection: close\r\n" : "", text);
	return push_text(s, c, head, (size_t)n);
}

/* An answer whose text is the status. */
static int refuse(struct server *s, struct client *c, const char *status, const char *more,
		  bool head)
{
	return answer(s, c, status, more, strlen(status), head ? "" : status);
}

/* What was sent makes no sense; what follows it makes none either. */
static int refuse_all(struct server *s, struct client *c, const char *status)
{
	c->ending = true;
	return refuse(s, c, status, "", false);
}

/* /bytes/N */
static bool read_bytes_path(struct http_text path, uint64_t *bytes)
{
	static const char prefix[] = "/bytes/";
	const size_t skip = strlen(prefix);
	char number[24];

	if (path.len < skip || memcmp(path.at, prefix, skip) != 0 ||
	    path.len - skip >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(path.len - skip), path.at + skip);
	return parse_number(number, 0, MAX_ANSWER_BYTES, bytes);
}

static int serve(struct server *s, struct client *c, const struct http_request *r)
{
	bool head = http_text_is(r->method, "HEAD"), get = http_text_is(r->method, "GET");
	bool is_index = http_text_is(r->path, "/");
	uint64_t bytes = 0;

	if (http_text_is(r->path, "/echo")) {
		c->echo = http_text_is(r->method, "POST");
		return c->echo ? answer(s, c, "200 OK", "", r->body_bytes, "")
			       : refuse(s, c, "405 Method Not Allowed", "Allow: POST\r\n", head);
	}
	if (!is_index && !read_bytes_path(r->path, &bytes))
		return refuse(s, c, "404 Not Found", "", head);
	if (!get && !head)
		return refuse(s, c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n", false);
	if (is_index)
		return answer(s, c, "200 OK", "", strlen(index_page), head ? "" : index_page);
	c->answer_left = head ? 0 : bytes;
	return answer(s, c, "200 OK", "", bytes, "");
}

/* A request's head is there. */
static int on_request(struct server *s, struct client *c, size_t head_bytes)
{
	static const char go_ahead[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http_request r;
	const char *status = http_request_read(&r, c->head, head_bytes);
	int error = 0;

	c->head_len = 0;
	if (status)
		return refuse_all(s, c, status);
	if (r.body_bytes > BODY_BYTES)
		return refuse_all(s, c, "413 Content Too Large");
	c->ending = !r.keep_alive;
	c->echo = false;
	c->body_left = r.body_bytes;
	begin_phase(s, c);
	if (r.expects_continue && r.body_bytes > 0)
		error = push_text(s, c, go_ahead, strlen(go_ahead));
	return error ? error : serve(s, c, &r);
}

static uint32_t in_bytes(const struct client *c)
{
	return c->in.sga_buf ? c->in.sga_segs[0].sgaseg_len : 0;
}

/* The first n bytes of what was popped are done with. */
static void in_consume(struct client *c, uint32_t n)
{
	demi_sgaseg_t *seg = &c->in.sga_segs[0];

	seg->sgaseg_buf = (char *)seg->sgaseg_buf + n;
	seg->sgaseg_len -= n;
	if (seg->sgaseg_len == 0) {
		demi_sgafree(&c->in);
		c->in.sga_buf = NULL;
	}
}

/* Moves bytes into the head until it is whole. */
static int read_head(struct server *s, struct client *c)
{
	uint32_t room = (uint32_t)(sizeof(c->head) - c->head_len), n = in_bytes(c);
	size_t before = c->head_len, head_bytes;

	n = n < room ? n : room;
	memcpy(c->head + before, c->in.sga_segs[0].sgaseg_buf, n);
	head_bytes = http_head_bytes(c->head, before + n);
	if (head_bytes > 0) {
		in_consume(c, (uint32_t)(head_bytes - before));
		return on_request(s, c, head_bytes);
	}
	c->head_len += n;
	in_consume(c, n);
	return c->head_len == sizeof(c->head)
		   ? refuse_all(s, c, "431 Request Header Fields Too Large")
		   : 0;
}

/* Takes what is there of a request's body: sent back as it lies, or dropped. */
static int take_body(struct server *s, struct client *c)
{
	demi_sgarray_t slice = c->in;
	uint32_t len = slice.sga_segs[0].sgaseg_len;
	int error = 0;

	if (len > c->body_left)
		len = (uint32_t)c->body_left;
	slice.sga_segs[0].sgaseg_len = len;
	if (c->echo)
		error = start_push(s, c, &slice);
	c->body_left -= len;
	give_time(s, c, len);
	in_consume(c, len);
	return error;
}

static int push_piece(struct server *s, struct client *c)
{
	demi_sgarray_t piece = s->piece;
	uint32_t len = piece.sga_segs[0].sgaseg_len;

	if (len > c->answer_left)
		len = (uint32_t)c->answer_left;
	piece.sga_segs[0].sgaseg_len = len;
	c->answer_left -= len;
	give_time(s, c, len);
	return start_push(s, c, &piece);
}

/* The next step of a client's. */
static int step(struct server *s, struct client *c)
{
	if (c->body_left == 0 && c->answer_left > 0)
		return push_piece(s, c);
	if (in_bytes(c) == 0)
		return start_pop(s, c);
	return c->body_left > 0 ? take_body(s, c) : read_head(s, c);
}

static bool is_over(const struct client *c)
{
	return c->ending && c->body_left == 0 && c->answer_left == 0;
}

/* Does all that can be done for a client now; may drop it. */
static void go_on(struct server *s, struct client *c)
{
	int error = 0;

	while (!error && !c->popping && c->pushes < WINDOW && !is_over(c))
		error = step(s, c);
	if (error)
		complain(error, "closing a client (qd=%d)", c->qd);
	if (error || (is_over(c) && c->pushes == 0))
		drop_client(s, c);
}

static int start_accept(struct server *s)
{
	demi_qtoken_t qt;
	int error;

	if (s->accepting || s->clients == MAX_CLIENTS)
		return 0;
	error = demi_accept(&qt, s->listener);
	if (!error)
		error = token_set_add(&s->operations, qt, NULL);
	s->accepting = !error;
	return error;
}

static void on_accept(struct server *s, int qd)
{
	struct client *c = calloc(1, sizeof(*c));

	s->accepting = false;
	s->deaf = 0;
	if (!c) {
		complain(ENOMEM, "turning a client away");
		demi_close(qd);
		return;
	}
	c->qd = qd;
	s->clients++;
	begin_phase(s, c);
	go_on(s, c);
	start_accept(s); /* if it cannot be started now, look_around() will */
}

static void on_pop(struct server *s, struct client *c, const demi_sgarray_t *sga)
{
	c->popping = false;
	c->in = *sga;
	if (in_bytes(c) == 0) { /* it sends no more, and reads what is on its way */
		in_consume(c, 0);
		c->ending = true;
		c->body_left = 0;
	}
	go_on(s, c);
}

/* What it was short of may be there later: look_around() tries again. A device that is gone stays
 * away. */
static int on_no_accept(struct server *s, int error)
{
	s->accepting = false;
	if (error == ENETDOWN)
		return complain(error, "no client can come any more");
	if (error != s->deaf)
		complain(error, "cannot accept a client now");
	s->deaf = error;
	return 0;
}

static int handle(struct server *s, struct client *c, const demi_qresult_t *qr)
{
	if (qr->qr_opcode == DEMI_OPC_ACCEPT) {
		on_accept(s, qr->qr_value.ares.qd);
	} else if (!c) {
		return on_no_accept(s, (int)qr->qr_ret);
	} else if (qr->qr_opcode == DEMI_OPC_POP) {
		on_pop(s, c, &qr->qr_value.sga);
	} else if (qr->qr_opcode == DEMI_OPC_PUSH) {
		c->pushes--;
		go_on(s, c);
	} else { /* it has gone */
		drop_client(s, c);
	}
	return 0;
}

/* What is done now and then: those go whose time is over (each has an operation in flight, so that
 * this finds them all), and an accept is tried that could not be started before. */
static void look_around(struct server *s)
{
	s->next_look_ns = s->now_ns + (uint64_t)INTERRUPT_TICK.tv_nsec;
	for (int i = 0; i < s->operations.count;) {
		struct client *c = s->operations.owners[i];

		if (c && s->now_ns >= c->deadline_ns)
			drop_client(s, c); /* others move into its places */
		else
			i++;
	}
	start_accept(s);
}

static int run(struct server *s)
{
	demi_qresult_t qr;
	int i, error, fatal = 0;

	while (!fatal && !interrupted()) {
		error = demi_wait_any(&qr, &i, s->operations.tokens, s->operations.count,
				      &INTERRUPT_TICK);
		s->now_ns = clock_ns();
		if (!error)
			fatal = handle(s, token_set_take(&s->operations, i), &qr);
		else if (error != ETIMEDOUT)
			fatal = complain(error, "cannot wait");
		if (s->now_ns >= s->next_look_ns)
			look_around(s);
	}
	return fatal;
}

static void drop_all(struct server *s)
{
	token_set_drop(&s->operations, NULL);
	while (s->operations.count)
		drop_client(s, s->operations.owners[0]);
	token_set_free(&s->operations);
	demi_sgafree(&s->piece);
	demi_close(s->listener);
}

/* Lines of text that show where they begin to differ. */
static int make_piece(demi_sgarray_t *piece)
{
	char *text;

	*piece = demi_sgaalloc(PIECE_BYTES);
	if (!piece->sga_buf)
		return complain(ENOMEM, "cannot make what is to be sent");
	text = piece->sga_segs[0].sgaseg_buf;
	for (int i = 0; i < PIECE_BYTES; i++)
		text[i] = i % LINE_BYTES == LINE_BYTES - 1 ? '\n' : (char)('0' + i % LINE_BYTES);
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments a = arguments_begin(argc, argv, help);
	struct server s = {0};
	struct sockaddr_in address;
	uint64_t patience_s = 30;
	int error;

	arguments_address(&a, "server's", &address);
	arguments_number(&a, "SECONDS", 1, MAX_PATIENCE_S, &patience_s);
	arguments_end(&a);
	interrupt_catch();
	if (blocking_init() != 0)
		return EXIT_FAILURE;
	s.patience_ns = patience_s * NS_PER_S;
	s.now_ns = clock_ns();
	error = make_piece(&s.piece);
	if (!error)
		error = blocking_listen(&s.listener, &address);
	if (!error)
		error = start_accept(&s);
	if (!error)
		error = run(&s);
	drop_all(&s);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
