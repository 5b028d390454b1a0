/* Scripts that must fail, and what is said of them: a runner that passes everything would pass all
 * of tests/scripts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_run.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs the text; what it printed, for free(). */
static char *run(const char *text, bool skip_acks, bool *passed)
{
	char error[PKT_ERROR_BYTES], *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	struct pkt_run_options o = {.skip_acks = skip_acks, .out = out};
	struct pkt_script *s;

	if (pkt_script_parse(&s, "t", text, strlen(text), error) < 0)
		fail_msg("%s", error);
	*passed = pkt_run(s, "t", &o);
	pkt_script_free(s);
	fclose(out);
	return printed;
}

static void assert_passes(const char *text)
{
	bool passed;
	char *printed = run(text, false, &passed);

	assert_string_equal(printed, "");
	assert_true(passed);
	free(printed);
}

static void assert_fails(const char *text, const char *message)
{
	bool passed;
	char *printed = run(text, false, &passed);

	assert_string_equal(printed, message);
	assert_false(passed);
	free(printed);
}

#define UDP "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n0 bind(3, ..., ...) = 0\n"

static void a_result_that_differs_fails_with_both(void **state)
{
	(void)state;
	assert_fails("0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 close(3) = 7\n",
		     "t:2: close() gave something else\n  expected: 7\n  got:      0\n");
	assert_fails(UDP "0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n0 read(3, ..., 10) = 5\n",
		     "t:4: read() gave something else\n  expected: 5\n"
		     "  got:      -1 EAGAIN (Resource temporarily unavailable)\n");
	assert_fails(UDP "0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n0 read(3, ..., 10) = -1 EPIPE (x)\n",
		     "t:4: read() gave something else\n  expected: -1 EPIPE\n"
		     "  got:      -1 EAGAIN (Resource temporarily unavailable)\n");
}

static void a_packet_that_differs_fails_with_both(void **state)
{
	(void)state;
	assert_fails(UDP "0 sendto(3, ..., 5, 0, ..., ...) = 5\n+.1 > udp (5)\n",
		     "t:4: the stack sent something else: time (it came too early)\n"
		     "  expected: 0.100000 > udp (5)\n"
		     "  got:      0.000000 > udp (5)\n");
	assert_fails(UDP "0 sendto(3, ..., 5, 0, ..., ...) = 5\n+0 > udp (6)\n",
		     "t:4: the stack sent something else: length\n"
		     "  expected: 0.000000 > udp (6)\n"
		     "  got:      0.000000 > udp (5)\n");
}

static void a_packet_that_does_not_come_fails(void **state)
{
	(void)state;
	assert_fails(UDP "+1 > udp (6)\n", "t:3: the stack sent nothing\n"
					   "  expected: 1.000000 > udp (6)\n");
	assert_fails(UDP "* > udp (6)\n", "t:3: the stack sent nothing\n"
					  "  expected: at any time > udp (6)\n");
}

static void a_packet_that_nobody_expects_fails_at_the_end(void **state)
{
	(void)state;
	assert_fails(UDP "0 sendto(3, ..., 5, 0, ..., ...) = 5\n",
		     "t:3: the script is over, but the stack has sent more\n"
		     "  got:      0.000000 > 8080 > 8080 udp (5)\n");
}

static void a_call_that_blocks_must_end_in_its_time(void **state)
{
	(void)state;
	assert_passes(UDP "0...0.5 read(3, ..., 10) = 5\n.5 < udp (5)\n");
	assert_fails(UDP "0...0.5 read(3, ..., 10) = 5\n.2 < udp (5)\n",
		     "t:3: read() returned at 200000 us, and not at 500000 us\n");
	assert_fails(UDP "0...0.5 read(3, ..., 10) = 5\n.6 < udp (5)\n", "t:3: read() blocks\n");
	assert_fails(UDP "0...0.5 read(3, ..., 10) = 5\n", "t:3: read() blocks\n");
	assert_fails(UDP "0 read(3, ..., 10) = 5\n", "t:3: read() blocks\n");
}

static void an_event_in_the_past_fails(void **state)
{
	(void)state;
	assert_fails("1 `true`\n0.5 `true`\n",
		     "t:2: the event is due at 500000 us, but it is 1000000 us already\n");
}

static void a_call_that_makes_no_sense_fails(void **state)
{
	(void)state;
	assert_fails("0 frob(3) = 0\n", "t:1: there is no system call frob() here\n");
	assert_fails("0 close(3, 4) = 0\n", "t:1: close() has 1 arguments\n");
	assert_fails("0 close(3) = 0\n", "t:1: close(): no such descriptor is open\n");
	assert_fails("0 close(...) = 0\n",
		     "t:1: close(): an argument is not a number, or out of range\n");
	assert_fails(UDP "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n",
		     "t:3: socket(): the result is no descriptor that is free\n");
	assert_fails(UDP "0 write(3, \"abc\", 4) = 4\n",
		     "t:3: write(): the string is shorter than the length\n");
}

static void an_impossible_stack_is_told(void **state)
{
	(void)state;
	assert_fails("--local_ip=224.0.0.1\n0 `true`\n",
		     "t:2: no stack can be made as the options say: Invalid argument\n");
}

#define TCP                                                                                        \
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n0 bind(3, ..., ...) = 0\n"                   \
	"0 listen(3, 1) = 0\n0 < S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>\n"                   \
	"0 > S. 0:0(0) ack 1 <...>\n0 < . 1:1(0) ack 1 win 65535\n0 accept(3, ..., ...) = 4\n"

static void a_pure_ack_is_skipped_only_when_that_is_asked_for(void **state)
{
	const char *text = TCP "0 < P. 1:11(10) ack 1 win 65535\n+1 write(4, ..., 5) = 5\n"
			       "+0 > P. 1:6(5) ack 11\n";
	bool passed;
	char *printed = run(text, true, &passed);

	(void)state;
	assert_string_equal(printed, "");
	assert_true(passed);
	free(printed);
	assert_fails(text, "t:10: the stack sent something else: flags\n"
			   "  expected: 1.000000 > P. 1:6(5) ack 11\n"
			   "  got:      0.000000 > . 1:1(0) ack 11 win 65525\n");
}

static void no_more_than_eight_acks_are_skipped(void **state)
{
	char text[2048] = TCP;
	bool passed;

	(void)state;
	for (int i = 0; i < 8; i++)
		strcat(text, "+0 < P. 0:0(0) ack 1 win 65535\n+.1 `true`\n");
	free(run(text, true, &passed));
	assert_true(passed);
	strcat(text, "+0 < P. 0:0(0) ack 1 win 65535\n+.1 `true`\n");
	free(run(text, true, &passed));
	assert_false(passed);
}

static void the_numbers_of_a_tcp_segment_are_compared(void **state)
{
	(void)state;
	assert_passes(TCP "0 write(4, ..., 5) = 5\n+0 > P. 1:6(5) ack 1\n");
	assert_fails(TCP "0 write(4, ..., 5) = 5\n+0 > P. 1:7(6) ack 1\n",
		     "t:9: the stack sent something else: length\n"
		     "  expected: 0.000000 > P. 1:7(6) ack 1\n"
		     "  got:      0.000000 > P. 1:6(5) ack 1 win 65535\n");
	assert_fails(TCP "0 write(4, ..., 5) = 5\n+0 > P. 1:6(5) ack 2\n",
		     "t:9: the stack sent something else: ack\n"
		     "  expected: 0.000000 > P. 1:6(5) ack 2\n"
		     "  got:      0.000000 > P. 1:6(5) ack 1 win 65535\n");
}

static void a_value_of_a_socket_option_is_compared(void **state)
{
	(void)state;
	assert_fails(TCP "0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n",
		     "t:8: getsockopt() gave another value\n  expected: 104\n"
		     "  got:      0\n");
}

static void poll_tells_what_a_socket_is_ready_for(void **state)
{
	(void)state;
	assert_passes(
	    TCP "0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1\n"
		"0 poll([{fd=3, events=POLLIN, revents=0}, {fd=4, events=POLLIN}], 2, 0) = 0\n"
		"0...0.5 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1\n"
		".5 < P. 1:11(10) ack 1 win 65535\n+0 > . 1:1(0) ack 11\n"
		"+0...1 poll([{fd=3, events=POLLIN}], 1, 1000) = 0\n");
	assert_fails(TCP "0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1\n",
		     "t:8: poll() gave other revents\n");
}

static void several_buffers_move_as_one(void **state)
{
	(void)state;
	assert_passes(TCP
		      "0 writev(4, [{..., 10}, {..., 20}], 2) = 30\n+0 > P. 1:31(30) ack 1\n"
		      "0 < P. 1:31(30) ack 31 win 65535\n"
		      "0 readv(4, [{..., 5}, {..., 15}], 2) = 20\n"
		      "0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 50}], msg_flags=0}, "
		      "0) = 10\n+0 > . 31:31(0) ack 31\n"
		      "0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}, 0) "
		      "= 5\n+0 > P. 31:36(5) ack 31\n");
}

#define ARP                                                                                        \
	"--show_arp\n--remote_ip=192.168.0.9\n0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n"        \
	"0 connect(3, ..., ...) = 0\n0 write(3, ..., 10) = 10\n"

static void arp_and_macs_are_compared_when_they_are_shown(void **state)
{
	(void)state;
	assert_passes(ARP "0 > (to all) arp request \"192.168.0.9\"\n"
			  "0 < arp reply \"192.168.0.1\" from \"192.168.0.9\" at 7\n"
			  "0 > (to 7) udp (10)\n");
	assert_fails(ARP "0 > (to all) arp request \"192.168.0.8\"\n",
		     "t:6: the stack sent something else: ARP target\n"
		     "  expected: 0.000000 > (to all) arp request \"192.168.0.8\"\n"
		     "  got:      0.000000 > (to all) arp request \"192.168.0.9\" from "
		     "\"192.168.0.1\" at 1\n");
	assert_fails(ARP "0 > arp request \"192.168.0.9\"\n"
			 "0 < arp reply \"192.168.0.1\" from \"192.168.0.9\" at 7\n"
			 "0 > (to 8) udp (10)\n",
		     "t:8: the stack sent something else: MAC\n"
		     "  expected: 0.000000 > (to 8) udp (10)\n"
		     "  got:      0.000000 > (to 7) udp (10)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_result_that_differs_fails_with_both),
	    cmocka_unit_test(a_packet_that_differs_fails_with_both),
	    cmocka_unit_test(a_packet_that_does_not_come_fails),
	    cmocka_unit_test(a_packet_that_nobody_expects_fails_at_the_end),
	    cmocka_unit_test(a_call_that_blocks_must_end_in_its_time),
	    cmocka_unit_test(an_event_in_the_past_fails),
	    cmocka_unit_test(a_call_that_makes_no_sense_fails),
	    cmocka_unit_test(an_impossible_stack_is_told),
	    cmocka_unit_test(a_pure_ack_is_skipped_only_when_that_is_asked_for),
	    cmocka_unit_test(no_more_than_eight_acks_are_skipped),
	    cmocka_unit_test(the_numbers_of_a_tcp_segment_are_compared),
	    cmocka_unit_test(a_value_of_a_socket_option_is_compared),
	    cmocka_unit_test(poll_tells_what_a_socket_is_ready_for),
	    cmocka_unit_test(several_buffers_move_as_one),
	    cmocka_unit_test(arp_and_macs_are_compared_when_they_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
