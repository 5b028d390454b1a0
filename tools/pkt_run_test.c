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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
