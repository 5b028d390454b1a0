/* raw_echo.c - the least that a ping-pong over an interface costs without the kernel's stack, and
 * the most that goes one way: frames with nothing but addresses, by two processes that spin. Built
 * with raw_packet.c as raw_echo_packet, with raw_xdp.c as raw_echo_xdp.
 *
 *	raw_echo_... server INTERFACE OWN PEER		until a frame says that it was the last
 *	raw_echo_... client INTERFACE OWN PEER SIZE MESSAGES
 *	raw_echo_... sink INTERFACE OWN PEER		until none comes any more
 *	raw_echo_... source INTERFACE OWN PEER SIZE SECONDS
 *
 * OWN and PEER are IPv4 addresses, SIZE a frame's bytes. The client prints messages=, p50_ns=,
 * p99_ns= and rate=; the sink rate=, in bytes a second; server and sink "port 0" when they are
 * there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "raw_frames.h"

#include "histogram.h"
#include "yardstick.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE = 12, SOURCE = 26, DESTINATION = 30, LAST = 34, MIN_BYTES = 60 };

/* How long a sink waits for the first, and how long there is nothing when it was the last. */
#define START_PATIENCE_NS UINT64_C(60000000000)
#define END_NS            UINT64_C(200000000)

static uint8_t frame[RAW_MAX_BYTES];

static uint32_t address(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		die(text);
	return ntohl(a.s_addr);
}

/* Broadcast, so that the other's MAC need not be known. */
static void make_frame(uint32_t own, uint32_t peer)
{
	const uint32_t source = htonl(own), destination = htonl(peer);

	memset(frame, 0xff, 6);
	frame[TYPE] = 0x08;
	memcpy(frame + SOURCE, &source, sizeof(source));
	memcpy(frame + DESTINATION, &destination, sizeof(destination));
}

static void turn_round(void)
{
	uint8_t source[4];

	memcpy(source, frame + SOURCE, sizeof(source));
	memcpy(frame + SOURCE, frame + DESTINATION, sizeof(source));
	memcpy(frame + DESTINATION, source, sizeof(source));
}

static void serve(void)
{
	puts("port 0");
	fflush(stdout);
	do {
		size_t len = raw_receive(frame);

		turn_round();
		raw_send(frame, len);
	} while (!frame[LAST]);
}

static void ask(size_t size, uint64_t messages)
{
	static struct histogram h;
	uint64_t all_start_ns = now_ns();

	histogram_clear(&h);
	for (uint64_t i = 0; i < messages; i++) {
		uint64_t start_ns = now_ns();

		frame[LAST] = i + 1 == messages;
		raw_send(frame, size);
		raw_receive(frame);
		turn_round();
		histogram_record(&h, now_ns() - start_ns);
	}
	print_result(&h, now_ns() - all_start_ns);
}

/* The rate from the first to the last that came. */
static void sink(void)
{
	uint64_t start_ns = 0, last_ns = now_ns(), received = 0;
	uint64_t patience_ns = START_PATIENCE_NS;

	puts("port 0");
	fflush(stdout);
	while (now_ns() - last_ns < patience_ns) {
		size_t len = raw_try_receive(frame);

		if (len == 0)
			continue;
		received += len;
		last_ns = now_ns();
		if (start_ns == 0)
			start_ns = last_ns;
		patience_ns = END_NS;
	}
	if (start_ns == last_ns || start_ns == 0)
		die("nothing came");
	printf("bytes=%llu rate=%.0f\n", (unsigned long long)received,
	       (double)received * 1e9 / (double)(last_ns - start_ns));
}

static void source(size_t size, double seconds)
{
	const uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);

	while (now_ns() < end_ns)
		raw_send_burst(frame, size);
}

static bool is(const char *role, const char *name, int argc, int words)
{
	return argc == words && strcmp(role, name) == 0;
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	const bool serves = is(role, "server", argc, 5), sinks = is(role, "sink", argc, 5);
	size_t size = 0;

	if (is(role, "client", argc, 7) || is(role, "source", argc, 7))
		size = strtoul(argv[5], NULL, 10);
	else if (!serves && !sinks)
		die("usage: raw_echo server|client|sink|source INTERFACE OWN PEER [SIZE "
		    "MESSAGES|SECONDS]");
	if (!serves && !sinks && (size < MIN_BYTES || size > RAW_MAX_BYTES))
		die("SIZE is 60 to 1514");
	raw_open(argv[2], address(argv[3]),
		 strcmp(role, "sink") == 0 || strcmp(role, "source") == 0 ? RAW_MANY_SLOTS
									  : RAW_FEW_SLOTS);
	make_frame(address(argv[3]), address(argv[4]));
	if (serves)
		serve();
	else if (sinks)
		sink();
	else if (strcmp(role, "source") == 0)
		source(size, strtod(argv[6], NULL));
	else
		ask(size, strtoull(argv[6], NULL, 10));
	return 0;
}
