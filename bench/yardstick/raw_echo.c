/* raw_echo.c - the least that a ping-pong over an interface can cost without the kernel's stack:
 * frames that hold nothing but addresses, sent back and forth by two processes that spin. Built
 * with raw_packet.c as raw_echo_packet, with raw_xdp.c as raw_echo_xdp.
 *
 *	raw_echo_... server INTERFACE OWN PEER		until a frame says that it was the last
 *	raw_echo_... client INTERFACE OWN PEER SIZE MESSAGES
 *
 * OWN and PEER are IPv4 addresses, SIZE a frame's bytes. The client prints messages=, p50_ns=,
 * p99_ns= and rate=; the server "port 0" when it is there.
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

int main(int argc, char **argv)
{
	bool server = argc == 5 && strcmp(argv[1], "server") == 0;
	size_t size = 0;

	if (argc == 7 && strcmp(argv[1], "client") == 0)
		size = strtoul(argv[5], NULL, 10);
	else if (!server)
		die("usage: raw_echo server|client INTERFACE OWN PEER [SIZE MESSAGES]");
	if (!server && (size < MIN_BYTES || size > RAW_MAX_BYTES))
		die("SIZE is 60 to 1514");
	raw_open(argv[2], address(argv[3]));
	make_frame(address(argv[3]), address(argv[4]));
	if (server)
		serve();
	else
		ask(size, strtoull(argv[6], NULL, 10));
	return 0;
}
