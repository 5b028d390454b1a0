/* golden.c - the goodput of one bulk connection, in virtual time, by congestion control, loss,
 * delay and buffer.
 *
 *     golden                 prints the table
 *     golden FILE            compares it with FILE: exits with 1 and the differences
 *
 * Everything follows from integers, so the table is the same on every machine and in every build. A
 * change of the stack that changes it is to be seen in review: when it is meant, write the new
 * table with build/tests/sim/golden >tests/sim/golden.txt
 *
 * SPDX-License-Identifier: MIT
 */
#include "world.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PORT = 80,
	LINK_MBIT_S = 1000,
	QUEUE_BYTES = 256 << 10, /* of the bottleneck: about 2 ms, as a switch has it */
	CHUNK_BYTES = 256 << 10, /* of one send */
	TEXT_BYTES = 8192,
	LINE_BYTES = 120,
	LOSSES = 4,
	DELAYS = 4,
	BUFFERS = 3,
};

/* A measurement ends with the first of them. */
static const uint64_t most_ns = 20 * WORLD_S, most_bytes = 64 << 20;

static const uint32_t losses_ppm[LOSSES] = {0, 1000, 10000, 50000};
static const uint64_t delays_ns[DELAYS] = {50000, WORLD_MS, 10 * WORLD_MS, 50 * WORLD_MS};
static const uint32_t buffers_bytes[BUFFERS] = {64 << 10, 1 << 20, 4 << 20};

/* A client that sends without end, and a server that reads. */
struct bulk {
	struct world *world;
	struct sock *client, *listener, *server;
	struct buf *text;
	uint64_t received, first_ns, last_ns;
};

static void bulk_send(struct bulk *b)
{
	bool zero_copy;

	while (stack_send(b->client, b->text, b->text->data, CHUNK_BYTES, &zero_copy,
			  b->world->now_ns) > 0)
		;
	world_touch(&b->world->hosts[0]);
}

static void bulk_receive(struct bulk *b)
{
	struct stack_received r;

	while (stack_recv(b->server, UINT32_MAX, &r, b->world->now_ns) == 1) {
		b->received += r.len;
		buf_unref(r.buf);
	}
	b->last_ns = b->world->now_ns;
	world_touch(&b->world->hosts[1]);
}

static void on_event(void *ctx, const struct stack_event *ev)
{
	struct bulk *b = ctx;

	if (ev->bits & STACK_EV_FAILED)
		world_fail(b->world, "the connection failed: %d", stack_error(ev->sock));
	if (ev->sock == b->listener && b->server == NULL)
		stack_accept(b->listener, NULL, &b->server);
	if (ev->sock == b->client)
		bulk_send(b);
	if (b->server != NULL)
		bulk_receive(b);
}

static void start(struct bulk *b, struct pool *pool)
{
	struct world *w = b->world;
	struct endpoint at = world_endpoint(&w->hosts[1], PORT);

	b->text = pool_get(pool);
	if (b->text == NULL || stack_open(w->hosts[1].stack, SOCK_STREAM, NULL, &b->listener) < 0 ||
	    stack_bind(b->listener, &at, false) < 0 || stack_listen(b->listener, 1) < 0 ||
	    stack_open(w->hosts[0].stack, SOCK_STREAM, NULL, &b->client) < 0 ||
	    stack_connect(b->client, &at, w->now_ns) != -EINPROGRESS)
		world_fail(w, "cannot connect");
	memset(b->text->data, 'g', CHUNK_BYTES);
	b->text->len = CHUNK_BYTES;
	world_touch(&w->hosts[0]);
}

static void configure(struct world_config *c, const char *congestion, uint32_t loss_ppm,
		      uint64_t delay_ns, uint32_t buffer_bytes)
{
	world_config_init(c);
	c->seed = 1;
	c->max_frags = FRAME_FRAGS;
	c->down.delay_ns = delay_ns;
	c->down.bits_per_s = LINK_MBIT_S * UINT64_C(1000000);
	c->down.queue_bytes = QUEUE_BYTES;
	c->down.loss_ppm = loss_ppm;
	c->up = c->down;
	c->stack.send_buffer_bytes = c->stack.recv_buffer_bytes = buffer_bytes;
	c->stack.max_tcp = 16;
	c->stack.congestion = congestion;
}

/* Goodput in kbit/s. */
static uint64_t measure(const char *congestion, uint32_t loss_ppm, uint64_t delay_ns,
			uint32_t buffer_bytes)
{
	static struct world w;
	struct world_config c;
	struct bulk b = {.world = &w};
	struct pool *pool;
	uint64_t ns;

	configure(&c, congestion, loss_ppm, delay_ns, buffer_bytes);
	world_create(&w, &c, "golden");
	if (pool_create(&pool, 1, CHUNK_BYTES, 0, NULL) < 0)
		world_fail(&w, "no memory");
	w.programs = (struct world_programs){.ctx = &b, .event = on_event};
	start(&b, pool);
	while (w.now_ns < w.start_ns + most_ns && b.received < most_bytes)
		world_run(&w, w.now_ns + 10 * WORLD_MS);
	ns = b.received < most_bytes ? most_ns : b.last_ns - w.start_ns;
	stack_abort(b.client, w.now_ns);
	buf_unref(b.text);
	world_destroy(&w);
	pool_destroy(pool);
	return b.received * 8 * WORLD_MS / ns;
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
	size_t at = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + at, TEXT_BYTES - at, format, args);
	va_end(args);
}

static void write_rows(char *text, const char *congestion)
{
	append(text, "\n%s\n%8s %10s %12s %12s %12s\n", congestion, "loss", "delay", "64 KiB",
	       "1 MiB", "4 MiB");
	for (int l = 0; l < LOSSES; l++) {
		for (int d = 0; d < DELAYS; d++) {
			append(text, "%4u.%u %% %7" PRIu64 ".%02" PRIu64 " ms",
			       losses_ppm[l] / 10000, losses_ppm[l] / 1000 % 10,
			       delays_ns[d] / WORLD_MS, delays_ns[d] / 10000 % 100);
			for (int b = 0; b < BUFFERS; b++) {
				uint64_t kbit = measure(congestion, losses_ppm[l], delays_ns[d],
							buffers_bytes[b]);

				append(text, " %8" PRIu64 ".%03" PRIu64, kbit / 1000, kbit % 1000);
			}
			append(text, "\n");
		}
	}
}

static void write_table(char *text)
{
	append(
	    text,
	    "# Goodput in Mbit/s of one bulk connection over a link of 1 Gbit/s with a queue of "
	    "256 KiB,\n# by congestion control, loss (each way), one-way delay, and the buffers of "
	    "both sides. Made by\n# build/tests/sim/golden.\n");
	write_rows(text, "reno");
	write_rows(text, "cubic");
}

static int compare(const char *text, const char *file)
{
	char line[LINE_BYTES];
	const char *at = text;
	FILE *f = fopen(file, "r");
	int differ = 0;

	if (f == NULL) {
		perror(file);
		return 1;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t len = strcspn(at, "\n") + 1;

		if (strncmp(at, line, len) != 0 || strlen(line) != len) {
			printf("was %sis  %.*s", line, (int)len, at);
			differ = 1;
		}
		at += strlen(at) < len ? strlen(at) : len;
	}
	fclose(f);
	if (*at != '\0')
		differ = 1;
	if (differ)
		printf("The goodput differs from %s. If that is meant, write the new table:\n"
		       "    build/tests/sim/golden >tests/sim/golden.txt\n",
		       file);
	return differ;
}

int main(int argc, char **argv)
{
	static char text[TEXT_BYTES];

	write_table(text);
	if (argc > 1)
		return compare(text, argv[1]);
	fputs(text, stdout);
	return 0;
}
