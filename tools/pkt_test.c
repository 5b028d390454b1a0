/* The language and its packets. What the runner does with them is tested by scripts
 * (tests/scripts), and by pkt_run_test.c where a script must fail.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_flow.h"
#include "pkt_lex.h"
#include "pkt_script.h"
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct pkt_script *parse(const char *text)
{
	char error[PKT_ERROR_BYTES];
	struct pkt_script *s = NULL;

	if (pkt_script_parse(&s, "t", text, strlen(text), error) < 0)
		fail_msg("%s", error);
	return s;
}

static void assert_bad(const char *text, const char *message)
{
	char error[PKT_ERROR_BYTES];
	struct pkt_script *s;

	assert_int_equal(pkt_script_parse(&s, "t", text, strlen(text), error), -EINVAL);
	assert_string_equal(error, message);
}

static void the_lexer_tells_times_ranges_and_flags_apart(void **state)
{
	const char *text = "0.1...0.25 .5 S. 1:2 0x1f -1 -- /* x */ `a\\`b` \"c\" // end\n...";
	const enum pkt_token_kind want[] = {
	    TOKEN_FLOAT,  TOKEN_ELLIPSIS, TOKEN_FLOAT,  TOKEN_FLOAT,    TOKEN_WORD,   TOKEN_MARK,
	    TOKEN_NUMBER, TOKEN_MARK,     TOKEN_NUMBER, TOKEN_NUMBER,   TOKEN_NUMBER, TOKEN_MARK,
	    TOKEN_MARK,   TOKEN_COMMAND,  TOKEN_STRING, TOKEN_ELLIPSIS, TOKEN_END,    TOKEN_END};
	const int64_t numbers[] = {100000, 0, 250000, 500000, 0, 0, 1, 0, 2, 31, -1};
	struct pkt_lexer l;

	(void)state;
	pkt_lex_start(&l, text, strlen(text));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct pkt_token t = pkt_lex_next(&l);

		assert_int_equal(t.kind, want[i]);
		if (i < sizeof(numbers) / sizeof(numbers[0]))
			assert_int_equal(t.number, numbers[i]);
	}
	assert_int_equal(l.line, 2);
}

static void options_of_a_script_are_read(void **state)
{
	struct pkt_script *s = parse("--ip_version=ipv4\n--tolerance_usecs=75000\n--mtu=72\n"
				     "--local_ip=10.0.0.1 --netmask_ip=255.255.255.0\n0 `true`\n");

	(void)state;
	assert_int_equal(s->options.tolerance_us, 75000);
	assert_int_equal(s->options.mtu, 72);
	assert_int_equal(ip4_get(&s->options.local), 0x0a000001);
	assert_int_equal(s->options.prefix_len, 24);
	pkt_script_free(s);
}

static void times_are_absolute_relative_any_or_ranges(void **state)
{
	struct pkt_script *s = parse("1 `a`\n+.5 `a`\n* > . 1:1(0)\n1.5~2 > . 1:1(0)\n"
				     "+0~+0.25 > . 1:1(0)\n+0...0.3 read(3, ..., 1) = 1\n");
	const struct pkt_event *e = s->events;

	(void)state;
	assert_int_equal(e->time, PKT_ABSOLUTE);
	assert_int_equal(e->start_us, 1000000);
	e = e->next;
	assert_int_equal(e->time, PKT_RELATIVE);
	assert_int_equal(e->start_us, 500000);
	e = e->next;
	assert_int_equal(e->time, PKT_ANY_TIME);
	e = e->next;
	assert_int_equal(e->time, PKT_ABSOLUTE_RANGE);
	assert_int_equal(e->end_us, 2000000);
	e = e->next;
	assert_int_equal(e->time, PKT_RELATIVE_RANGE);
	assert_int_equal(e->end_us, 250000);
	e = e->next;
	assert_true(e->call.blocking);
	assert_int_equal(e->end_us, 300000);
	assert_int_equal(e->line, 6);
	pkt_script_free(s);
}

static void a_packet_prints_as_it_was_written(void **state)
{
	static const char *const packets[] = {
	    "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
	    "SEW 0:0(0) win 5",
	    "S. 0:0(0) ack 1 <...>",
	    "FPU. 1:101(100) ack 1 win 100 urg 3",
	    "R 5:5(0) win 0 <...>",
	    "- 1:1(0)",
	    ". 4294967295:4(5) ack 7 <nop,nop,sack 1:2 3:4 5:6>",
	    ". 1:1(0) ack 1 <kind 253 0xab01,eol,eol,eol,eol>",
	    ". 1:1(0) ack 1 <raw 0x0200ffff>",
	    "5000 > 80 S 0:0(0)",
	    "[ect0] . 1:1(0) ack 1",
	    "[ect01] . 1:1(0) ack 1",
	    "[tos 0x1c] . 1:1(0) ack 1",
	    "udp (1000)",
	    "icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
	    "icmp unreachable port_unreachable [udp (10)]",
	    "icmp echo_request id 7 (56)",
	    "icmp time_exceeded exceeded_ttl [1:2(1)]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		char text[256], printed[PKT_TEXT_BYTES];
		struct pkt_script *s;

		snprintf(text, sizeof(text), "0 > %s", packets[i]);
		s = parse(text);
		pkt_print(printed, &s->events->packet);
		assert_string_equal(printed, packets[i]);
		pkt_script_free(s);
	}
}

static void what_is_wrong_with_a_script_is_told_with_its_line(void **state)
{
	(void)state;
	assert_bad("", "t:1: error: an event expected, but the script ends");
	assert_bad("--mtu=67\n0 `a`", "t:1: error: --mtu is a number from 68 to 65535");
	assert_bad("--mtu=x\n", "t:1: error: --mtu is a number from 68 to 65535");
	assert_bad("--ip_version=ipv6\n", "t:1: error: --ip_version: ipv4 only");
	assert_bad("--what=1\n", "t:1: error: there is no option --what");
	assert_bad("--netmask_ip=255.0.255.0\n", "t:1: error: --netmask_ip is not a netmask");
	assert_bad("\n\n0 < S 0:1(0)", "t:3: error: 0:1 is not 0 bytes");
	assert_bad("0 < S 0:0(0) <mss 1460,nop>",
		   "t:1: error: 5 bytes of TCP options: make them a multiple of 4 with nop or eol");
	assert_bad("0 < S 0:0(0) <...>", "t:1: error: <...> is for outbound packets");
	assert_bad("* < S 0:0(0)", "t:1: error: '*' and ranges of time are for outbound packets");
	assert_bad("2~1 > S 0:0(0)", "t:1: error: the range of times is backwards");
	assert_bad("2...1 close(3) = 0", "t:1: error: the call ends before it starts");
	assert_bad("0 > X 0:0(0)",
		   "t:1: error: flags out of F S R P . U E W, or -, expected, but there is 'X'");
	assert_bad("0 > S 99999999999:0(0)",
		   "t:1: error: a sequence number is from 0 to 4294967295");
	assert_bad("0 > S 99999999999999999999:0(0)", "t:1: error: the number is too large");
	assert_bad("0 /* ", "t:1: error: the comment does not end");
	assert_bad("0 `ls", "t:1: error: the quote does not end");
	assert_bad("0 > arp request \"1.2.3.4\"", "t:1: error: ARP is shown with --show_arp only");
	assert_bad("--show_arp\n0 > arp request \"1.2.3\"",
		   "t:2: error: whom it asks or tells expected, but there is '1.2.3'");
	assert_bad("--show_arp\n0 > (to 255) udp (1)", "t:2: error: a MAC is from 0 to 254");
	assert_bad("-1 `ls`", "t:1: error: a time in seconds expected, but there is '-1'");
	assert_bad("0 close(3)", "t:1: error: '=' expected, but the script ends");
	assert_bad("0 close(3) = -1 EFOO", "t:1: error: there is no errno EFOO");
	assert_bad("0 close(3,", "t:1: error: a value expected, but the script ends");
	assert_bad("0 close({}) = 0", "t:1: error: a value expected, but there is '}'");
	assert_bad("0 f(1,2,3,4,5,6,7,8,9) = 0", "t:1: error: a call has at most 8 arguments");
	assert_bad("0 f([[[[[[[[[[[[[[[[[[[[1", "t:1: error: brackets lie more than 16 deep");
	assert_bad("0 > . 1:1(0) <kind 253 0xabc>",
		   "t:1: error: pairs of hexadecimal digits for at most 40 bytes expected, but "
		   "there is '0xabc'");
	assert_bad("0 < icmp unreachable frag", "t:1: error: an ICMP code expected, but there is "
						"'frag'");
	assert_bad("0 > udp (65536)", "t:1: error: a length is from 0 to 65535");
	assert_bad("0 < . 1:1(0) <sack 1:2 3:4 5:6 7:8 9:10>",
		   "t:1: error: TCP has room for 4 SACK blocks");
	assert_bad("0 < . 1:1(0) <sack 1:2 3:4 5:6 7:8,sackOK,sackOK,sackOK,sackOK>",
		   "t:1: error: TCP has room for 40 bytes of options");
}

static void expressions_nest_and_symbols_have_values(void **state)
{
	struct pkt_script *s =
	    parse("0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0 (a note's words)\n"
		  "0 bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = "
		  "inet_addr(\"1.2.3.4\")}, ...) = -1 EINVAL (Invalid argument)\n"
		  "0 sendmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 1}, {..., 2}], "
		  "msg_flags=0}, 0) = 3\n");
	const struct pkt_call *c = &s->events->call;
	int64_t v;

	(void)state;
	assert_int_equal(c->nargs, 3);
	assert_int_equal(c->args[2]->kind, EXPR_OR);
	c = &s->events->next->call;
	assert_string_equal(c->args[1]->first->next->field, "sin_port");
	assert_string_equal(c->error, "EINVAL");
	c = &s->events->next->next->call;
	assert_string_equal(c->args[1]->first->next->field, "msg_iov");
	assert_true(pkt_symbol("EINPROGRESS", &v) && v == EINPROGRESS);
	assert_true(pkt_symbol("MSG_PEEK", &v) && v == MSG_PEEK);
	assert_false(pkt_symbol("NOSUCH", &v));
	assert_string_equal(pkt_errno_name(ECONNRESET), "ECONNRESET");
	pkt_script_free(s);
}

static void a_packet_that_was_built_is_read_back(void **state)
{
	static const char *const packets[] = {
	    "SEW 7:7(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
	    "P. 1:11(10) ack 1 win 100",
	    "udp (11)",
	    "icmp echo_request id 7 (9)",
	    "icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
	    "icmp unreachable port_unreachable [udp (10)]",
	};
	struct pkt_addresses a = {0xc0000201, 0xc0a80001}, b;
	static uint8_t wire[PKT_IP_MAX_BYTES], data[16] = "0123456789abcdef";

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		char text[256], printed[PKT_TEXT_BYTES];
		struct pkt_script *s;
		struct pkt_packet got;
		const uint8_t *payload;
		const char *why;
		int len;

		snprintf(text, sizeof(text), "0 < %s", packets[i]);
		s = parse(text);
		s->events->packet.src_port = 5;
		s->events->packet.dst_port = 6;
		len = pkt_build(&s->events->packet, &a, data, wire);
		assert_true(len > 0);
		assert_int_equal(pkt_read(&got, &b, &payload, wire, (uint32_t)len, &why), 0);
		assert_int_equal(b.src, a.src);
		assert_int_equal(b.dst, a.dst);
		assert_null(pkt_mismatch(&s->events->packet, &got));
		pkt_print(printed, &got);
		assert_string_equal(printed, packets[i]);
		if (got.quoted_protocol == 0)
			assert_memory_equal(payload, data, got.payload);
		wire[len - 1] ^= 1;
		if (got.payload > 0) {
			assert_int_equal(pkt_read(&got, &b, &payload, wire, (uint32_t)len, &why),
					 -EINVAL);
			assert_non_null(strstr(why, "checksum"));
		}
		pkt_script_free(s);
	}
}

/* What pkt_mismatch() says of the second packet when the first is expected. */
static const char *difference(const char *want, const char *got)
{
	char text[256];
	struct pkt_script *w, *g;
	const char *why;

	snprintf(text, sizeof(text), "0 > %s", want);
	w = parse(text);
	snprintf(text, sizeof(text), "0 > %s", got);
	g = parse(text);
	why = pkt_mismatch(&w->events->packet, &g->events->packet);
	pkt_script_free(w);
	pkt_script_free(g);
	return why;
}

static void the_field_that_differs_is_named(void **state)
{
	(void)state;
	assert_null(difference(". 1:1(0) ack 1", ". 1:1(0) ack 1 win 77"));
	assert_null(difference(". 1:1(0) ack 1 <...>", ". 1:1(0) ack 1 <nop,nop,nop,nop>"));
	assert_string_equal(difference(". 1:1(0) ack 1", ". 1:1(0) ack 1 <nop,nop,nop,nop>"),
			    "options");
	assert_string_equal(
	    difference(". 1:1(0) ack 1 <nop,nop,sack 1:2>", ". 1:1(0) ack 1 <nop,nop,sack 1:3>"),
	    "options");
	assert_string_equal(difference(". 1:1(0) ack 1", "F. 1:1(0) ack 1"), "flags");
	assert_string_equal(difference(". 1:1(0) ack 1", ". 2:2(0) ack 1"), "sequence number");
	assert_string_equal(difference(". 1:1(0) ack 1", ". 1:2(1) ack 1"), "length");
	assert_string_equal(difference(". 1:1(0) ack 1", ". 1:1(0) ack 2"), "ack");
	assert_string_equal(difference(". 1:1(0) ack 1 win 0", ". 1:1(0) ack 1 win 1"), "win");
	assert_string_equal(difference("U. 1:1(0) ack 1 urg 1", "U. 1:1(0) ack 1 urg 2"), "urg");
	assert_string_equal(difference("[ce] . 1:1(0)", "[ect0] . 1:1(0)"), "ECN bits");
	assert_null(difference("[ect01] . 1:1(0)", "[ect1] . 1:1(0)"));
	assert_string_equal(difference("udp (1)", "udp (2)"), "length");
	assert_string_equal(difference("udp (1)", ". 1:1(0)"), "protocol");
	assert_string_equal(difference("icmp echo_reply (1)", "icmp echo_request (1)"),
			    "ICMP type or code");
}

static void a_flow_maps_sequence_numbers_both_ways(void **state)
{
	struct pkt_flow f = {.protocol = IPPROTO_TCP, .local_port = 80, .remote_port = 5};
	struct pkt_script *s = parse("0 < S 0:0(0)\n0 > S. 0:0(0) ack 1\n"
				     "0 < . 1:11(10) ack 1 <nop,nop,sack 5:6>\n");
	struct pkt_packet syn = s->events->packet, synack = s->events->next->packet, got,
			  data = s->events->next->next->packet;

	(void)state;
	assert_true(flow_to_wire(&f, &syn));
	assert_int_equal(syn.seq, FLOW_REMOTE_DELTA);
	assert_int_equal(syn.dst_port, 80);
	got = synack;
	got.seq = 1000;
	got.ack = FLOW_REMOTE_DELTA + 1;
	flow_to_script(&f, &got, &synack, UINT32_MAX);
	assert_null(pkt_mismatch(&synack, &got));
	got.seq = 1000;
	flow_accept(&f, &got, &synack);
	assert_int_equal(flow_remote_offset(&f, &data), 0);
	assert_true(flow_to_wire(&f, &data));
	assert_int_equal(data.ack, 1001);
	assert_int_equal(get_be32(data.options + 4), 1005);
	/* A SYN-ACK with another number is another connection's, and not taken for this one. */
	got = synack;
	got.seq = 2000;
	flow_to_script(&f, &got, &synack, UINT32_MAX);
	assert_string_equal(pkt_mismatch(&synack, &got), "sequence number");
	pkt_script_free(s);
}

static void timestamps_are_mapped_by_what_was_seen(void **state)
{
	struct pkt_flow f = {.protocol = IPPROTO_TCP};
	struct pkt_script *s =
	    parse("0 > S 0:0(0) <TS val 100 ecr 0,nop,nop>\n0 < S. 0:0(0) ack 1 <TS val 7 ecr "
		  "100,nop,nop>\n0 > . 1:1(0) ack 1 <TS val 150 ecr 7,nop,nop>\n");
	struct pkt_packet syn = s->events->packet, synack = s->events->next->packet,
			  ack = s->events->next->next->packet, got;

	(void)state;
	got = synack;
	assert_false(flow_to_wire(&f, &got)); /* it echoes what was never sent */
	got = syn;
	got.seq = 77;
	put_be32(got.options + 2, 5000);
	flow_accept(&f, &got, &syn);
	assert_true(flow_to_wire(&f, &synack));
	assert_int_equal(get_be32(synack.options + 6), 5000);
	got = ack;
	got.seq = 78;
	got.ack = 1 + FLOW_REMOTE_DELTA;
	put_be32(got.options + 2, 5060);
	flow_to_script(&f, &got, &ack, 5); /* 10 ticks off, 5 allowed */
	assert_string_equal(pkt_mismatch(&ack, &got), "options");
	put_be32(got.options + 2, 5060);
	got.seq = 78;
	got.ack = 1 + FLOW_REMOTE_DELTA;
	flow_to_script(&f, &got, &ack, 10);
	assert_null(pkt_mismatch(&ack, &got));
	pkt_script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_lexer_tells_times_ranges_and_flags_apart),
	    cmocka_unit_test(options_of_a_script_are_read),
	    cmocka_unit_test(times_are_absolute_relative_any_or_ranges),
	    cmocka_unit_test(a_packet_prints_as_it_was_written),
	    cmocka_unit_test(what_is_wrong_with_a_script_is_told_with_its_line),
	    cmocka_unit_test(expressions_nest_and_symbols_have_values),
	    cmocka_unit_test(a_packet_that_was_built_is_read_back),
	    cmocka_unit_test(the_field_that_differs_is_named),
	    cmocka_unit_test(a_flow_maps_sequence_numbers_both_ways),
	    cmocka_unit_test(timestamps_are_mapped_by_what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
