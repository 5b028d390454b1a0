/* transfer.c - messages: what arrives, whole and in order, and whose memory is whose.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool all_zero(const void *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)at)[i] != 0)
			return false;
	return true;
}

static void results_say_who_and_nothing_else(void)
{
	int listener, qd;
	demi_qtoken_t qt;
	demi_qresult_t qr;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	begin();
	listener = tcp_listener();
	say(port_of(listener));
	qt = start_accept(listener);
	check(qt != 0);
	qr = success(qt, DEMI_OPC_ACCEPT);
	equal(qr.qr_qd, listener);
	qd = qr.qr_value.ares.qd;
	check(qd >= 500 && qd != listener);
	equal(demi_getpeername(qd, (struct sockaddr *)&sin, &len), 0);
	same(&sin, &qr.qr_value.ares.addr, sizeof(sin));
	equal(ntohs(sin.sin_port), hear());
	check(sin.sin_addr.s_addr == at(1, 0).sin_addr.s_addr);
	equal(port_of(qd), port_of(listener));

	qr = success(start_push(qd, "hello", 5), DEMI_OPC_PUSH);
	equal(qr.qr_qd, qd);
	check(all_zero(&qr.qr_value, sizeof(qr.qr_value)));
	qr = success(start_pop(qd), DEMI_OPC_POP);
	equal(qr.qr_qd, qd);
	check(all_zero(&qr.qr_value.sga.sga_addr, sizeof(struct sockaddr_in)));
	equal(qr.qr_value.sga.sga_numsegs, 1);
	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 5);
	same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, "hello", 5);
	give_back(&qr);
	equal(demi_close(qd), 0);
	equal(demi_close(listener), 0);
}

static void peer_connects_and_echoes(void)
{
	demi_qresult_t qr;
	uint8_t five[5];
	int qd;

	begin();
	qd = tcp_socket();
	qr = success(start_connect(qd, (uint16_t)hear()), DEMI_OPC_CONNECT);
	equal(qr.qr_qd, qd);
	check(all_zero(&qr.qr_value, sizeof(qr.qr_value)));
	say(port_of(qd));
	pop_all(qd, five, 5);
	push_all(qd, five, 5);
	pop_end(qd);
}

static void the_end_of_a_stream_is_an_empty_message(void)
{
	demi_qresult_t qr;
	uint8_t byte;
	int qd;

	begin();
	qd = connection();
	pop_all(qd, &byte, 1);
	for (int i = 0; i < 3; i++) {
		qr = success(start_pop(qd), DEMI_OPC_POP);
		equal(qr.qr_value.sga.sga_numsegs, 1);
		check(qr.qr_value.sga.sga_buf != NULL);
		equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 0);
		equal(demi_sgafree(&qr.qr_value.sga), 0);
	}
	/* The other direction is open: the peer has only shut its own down. */
	push_all(qd, "y", 1);
	equal(demi_close(qd), 0);
}

static void peer_shuts_down(void)
{
	uint8_t byte;
	int qd;

	begin();
	qd = connection();
	push_all(qd, "x", 1);
	equal(demi_shutdown(qd, SHUT_WR), 0);
	failure(start_push(qd, "z", 1), EPIPE);
	pop_all(qd, &byte, 1);
	equal(byte, 'y');
	pop_end(qd);
}

static const size_t sizes[] = {1,    2,     64,    1460,  1461,    2048,
			       4096, 65535, 65536, 65537, 1 << 20, 16 << 20};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void messages_of_every_size_come_back_whole(void)
{
	uint8_t *data = malloc(sizes[SIZES - 1]), *back = malloc(sizes[SIZES - 1]);
	int qd;

	begin();
	qd = connection();
	for (unsigned i = 0; i < SIZES; i++) {
		demi_qtoken_t push;

		pattern(data, sizes[i], i);
		push = start_push(qd, data, sizes[i]);
		pop_all(qd, back, sizes[i]);
		success(push, DEMI_OPC_PUSH);
		same(back, data, sizes[i]);
	}
	equal(demi_close(qd), 0);
	free(data);
	free(back);
}

static void pushed_memory_may_be_freed_at_once_and_pushed_again(void)
{
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t qt[3];
	uint8_t back[30];
	int qd;

	begin();
	qd = connection();
	sga = demi_sgaalloc(10);
	memcpy(sga.sga_segs[0].sgaseg_buf, "0123456789", 10);
	for (int i = 0; i < 3; i++)
		equal(demi_push(&qt[i], qd, &sga), 0);
	equal(demi_sgafree(&sga), 0);
	/* Memory that is given out again meanwhile is other memory. */
	for (int i = 0; i < 100; i++) {
		demi_sgarray_t other = demi_sgaalloc(10);

		memset(other.sga_segs[0].sgaseg_buf, 'x', 10);
		equal(demi_sgafree(&other), 0);
	}
	for (int i = 0; i < 3; i++)
		success(qt[i], DEMI_OPC_PUSH);
	pop_all(qd, back, sizeof(back));
	same(back, "012345678901234567890123456789", 30);
	/* A popped one goes out as it came, and is still the program's. */
	push_all(qd, "again", 5);
	qr = success(start_pop(qd), DEMI_OPC_POP);
	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 5);
	equal(demi_push(&qt[0], qd, &qr.qr_value.sga), 0);
	success(qt[0], DEMI_OPC_PUSH);
	same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, "again", 5);
	give_back(&qr);
	pop_all(qd, back, 5);
	same(back, "again", 5);
	equal(demi_close(qd), 0);
}

static void bytes_are_the_programs_again_when_the_push_completes(void)
{
	enum { BYTES = 200000, ROUNDS = 20 };
	demi_sgarray_t sga;
	uint8_t *want = malloc(BYTES), *back = malloc(BYTES);
	int qd;

	begin();
	qd = connection();
	sga = demi_sgaalloc(BYTES);
	for (unsigned i = 0; i < ROUNDS; i++) {
		demi_qtoken_t qt;

		pattern(sga.sga_segs[0].sgaseg_buf, BYTES, i);
		equal(demi_push(&qt, qd, &sga), 0);
		success(qt, DEMI_OPC_PUSH);
		memset(sga.sga_segs[0].sgaseg_buf, 0xee, BYTES);
		pattern(want, BYTES, i);
		pop_all(qd, back, BYTES);
		same(back, want, BYTES);
	}
	equal(demi_sgafree(&sga), 0);
	equal(demi_close(qd), 0);
	free(want);
	free(back);
}

static void a_segment_may_be_part_of_its_memory(void)
{
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	uint8_t back[4];
	int qd;

	begin();
	qd = connection();
	sga = demi_sgaalloc(100);
	memcpy((char *)sga.sga_segs[0].sgaseg_buf + 50, "part", 4);
	sga.sga_segs[0].sgaseg_buf = (char *)sga.sga_segs[0].sgaseg_buf + 50;
	sga.sga_segs[0].sgaseg_len = 4;
	equal(demi_push(&qt, qd, &sga), 0);
	success(qt, DEMI_OPC_PUSH);
	equal(demi_sgafree(&sga), 0);
	pop_all(qd, back, 4);
	same(back, "part", 4);
	equal(demi_close(qd), 0);
}

/* As the tcp-push-pop of 2023 does. */
static void a_push_to_an_address_over_a_connection_goes_to_its_peer(void)
{
	uint8_t back[4];
	int qd;

	begin();
	qd = connection();
	success(start_push_to(qd, "each", 4, 9), DEMI_OPC_PUSH);
	pop_all(qd, back, 4);
	same(back, "each", 4);
	equal(demi_close(qd), 0);
}

static void a_message_outlives_its_descriptor(void)
{
	demi_qresult_t qr;
	int qd;

	begin();
	qd = connection();
	push_all(qd, "outlives", 8);
	qr = success(start_pop(qd), DEMI_OPC_POP);
	equal(demi_close(qd), 0);
	same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, "outlives", 8);
	give_back(&qr);
}

static void a_sized_pop_leaves_the_rest(void)
{
	const char text[] = "the quick brown fox";
	char back[sizeof(text)] = "";
	size_t len = strlen(text), got = 0;
	int qd;

	begin();
	qd = connection();
	push_all(qd, text, len);
	while (got < len) {
		size_t want = got % 5 + 1;
		demi_qtoken_t qt;
		demi_qresult_t qr;

		equal(demi_pop_sized(&qt, qd, want), 0);
		qr = success(qt, DEMI_OPC_POP);
		check(qr.qr_value.sga.sga_segs[0].sgaseg_len <= want);
		memcpy(back + got, qr.qr_value.sga.sga_segs[0].sgaseg_buf,
		       qr.qr_value.sga.sga_segs[0].sgaseg_len);
		got += qr.qr_value.sga.sga_segs[0].sgaseg_len;
		give_back(&qr);
	}
	same(back, text, len);
	equal(demi_close(qd), 0);
}

static void operations_of_one_queue_complete_in_order(void)
{
	enum { COUNT = 200 };
	demi_qtoken_t pop[COUNT], push[COUNT];
	demi_qresult_t qr;
	int qd, next = 0, at_index;

	begin();
	qd = connection();
	for (int i = 0; i < COUNT; i++)
		equal(demi_pop_sized(&pop[i], qd, 1), 0);
	for (int i = 0; i < COUNT; i++)
		push[i] = start_push(qd, &(uint8_t){(uint8_t)i}, 1);
	for (next = 0; next < COUNT; next++) {
		equal(demi_wait_any(&qr, &at_index, pop + next, COUNT - next, &patience), 0);
		equal(at_index, 0);
		check(qr.qr_qt == pop[next]);
		equal(*(uint8_t *)qr.qr_value.sga.sga_segs[0].sgaseg_buf, (uint8_t)next);
		give_back(&qr);
	}
	for (next = 0; next < COUNT; next++) {
		equal(demi_wait_any(&qr, &at_index, push + next, COUNT - next, &patience), 0);
		equal(at_index, 0);
	}
	equal(demi_close(qd), 0);
}

/* Two connections with as much to do each: neither gets far ahead. */
static void queues_are_served_fairly(void)
{
	enum { MESSAGES = 400, BYTES = 64 };
	int qd[2], got[2] = {0, 0}, i;
	demi_qtoken_t qt[2];
	uint8_t data[BYTES];
	demi_qresult_t qr;

	begin();
	connections(qd, 2);
	hear(); /* all is there */
	for (i = 0; i < 2; i++)
		equal(demi_pop_sized(&qt[i], qd[i], BYTES), 0);
	while (got[0] < MESSAGES * BYTES && got[1] < MESSAGES * BYTES) {
		uint32_t len;

		equal(demi_wait_any(&qr, &i, qt, 2, &patience), 0);
		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		check(len > 0 && len <= BYTES);
		give_back(&qr);
		got[i] += (int)len;
		check(abs(got[0] - got[1]) <= 200 * BYTES);
		equal(demi_pop_sized(&qt[i], qd[i], BYTES), 0);
	}
	memset(data, 0, sizeof(data));
	for (i = 0; i < 2; i++)
		equal(demi_close(qd[i]), 0);
}

static void peer_sends_on_both(void)
{
	enum { MESSAGES = 400, BYTES = 64 };
	uint8_t data[BYTES] = {0};
	int qd[2];

	begin();
	connections(qd, 2);
	for (int m = 0; m < MESSAGES; m++)
		for (int i = 0; i < 2; i++)
			push_all(qd[i], data, BYTES);
	say(0);
	for (int i = 0; i < 2; i++) {
		demi_qresult_t qr = result(start_pop(qd[i]));

		if (qr.qr_opcode == DEMI_OPC_POP)
			give_back(&qr);
	}
}

/* Gives the kernel B's address on B's end of the wire, which is a bridge's where both are TAPs;
 * NULL takes it away again. */
static void kernel_address(int fd, const struct sockaddr_in *address)
{
	struct sockaddr_in none = {.sin_family = AF_INET}, mask = none;
	struct ifreq r = {0};

	strcpy(r.ifr_name, if_nametoindex("bridge0") != 0 ? "bridge0" : "vb");
	memcpy(&r.ifr_addr, address ? address : &none, sizeof(none));
	equal(ioctl(fd, SIOCSIFADDR, &r), 0);
	if (address == NULL)
		return;
	mask.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&r.ifr_netmask, &mask, sizeof(mask));
	equal(ioctl(fd, SIOCSIFNETMASK, &r), 0);
}

static void a_datagram_comes_with_its_sender(void)
{
	const char *const texts[] = {"one", "two", "three"};
	demi_qresult_t qr;
	demi_sgarray_t *sga = &qr.qr_value.sga;
	int qd;

	begin();
	qd = udp_socket();
	say(port_of(qd));
	for (int i = 0; i < 3; i++) {
		qr = success(start_pop(qd), DEMI_OPC_POP);
		equal(sga->sga_segs[0].sgaseg_len, strlen(texts[i]));
		same(sga->sga_segs[0].sgaseg_buf, texts[i], strlen(texts[i]));
		equal(sga->sga_addr.sin_family, AF_INET);
		check(sga->sga_addr.sin_addr.s_addr == at(1, 0).sin_addr.s_addr);
		equal(ntohs(sga->sga_addr.sin_port), hear());
		/* Back to where it came from. */
		demi_qtoken_t qt;

		equal(demi_pushto(&qt, qd, sga, SA(&sga->sga_addr)), 0);
		success(qt, DEMI_OPC_PUSH);
		give_back(&qr);
	}
}

static void peer_sends_datagrams(void)
{
	const char *const texts[] = {"one", "two", "three"};
	uint16_t port;
	int qd;

	begin();
	port = (uint16_t)hear();
	qd = udp_socket();
	for (int i = 0; i < 3; i++) {
		demi_qresult_t qr;

		if (i == 2) { /* a default destination works too */
			success(start_connect(qd, port), DEMI_OPC_CONNECT);
			success(start_push(qd, texts[i], strlen(texts[i])), DEMI_OPC_PUSH);
		} else {
			success(start_push_to(qd, texts[i], strlen(texts[i]), port), DEMI_OPC_PUSH);
		}
		say(port_of(qd));
		qr = success(start_pop(qd), DEMI_OPC_POP);
		equal(ntohs(qr.qr_value.sga.sga_addr.sin_port), port);
		equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, strlen(texts[i]));
		give_back(&qr);
	}
}

/* Not the end of anything: what comes behind it is popped as well. */
static void an_empty_datagram_is_a_message_of_no_bytes(void)
{
	demi_qresult_t qr;
	demi_sgarray_t *sga = &qr.qr_value.sga;
	uint16_t port;
	int qd;

	begin();
	qd = udp_socket();
	say(port_of(qd));
	port = (uint16_t)hear();
	for (int i = 0; i < 3; i++) {
		qr = success(start_pop(qd), DEMI_OPC_POP);
		equal(sga->sga_numsegs, 1);
		equal(sga->sga_segs[0].sgaseg_len, i == 1 ? 5 : 0);
		check(sga->sga_segs[0].sgaseg_buf != NULL);
		check(sga->sga_addr.sin_addr.s_addr == at(1, 0).sin_addr.s_addr);
		equal(ntohs(sga->sga_addr.sin_port), port);
		give_back(&qr);
	}
	say(0);
}

/* Nothing of ours sends one: the kernel does, from an address of its own. */
static void peers_kernel_sends_empty_datagrams(void)
{
	struct sockaddr_in from = at(1, 0), to = at(0, (uint16_t)hear());
	socklen_t len = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	check(fd >= 0);
	if (row->sections[1][0] != '\0')
		kernel_address(fd, &from);
	/* Its checksum would be for a device that is not there. */
	equal(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
	equal(bind(fd, SA(&from)), 0);
	equal(getsockname(fd, (struct sockaddr *)&from, &len), 0);
	say(ntohs(from.sin_port));
	for (int i = 0; i < 3; i++)
		equal(sendto(fd, "hello", i == 1 ? 5 : 0, 0, SA(&to)), i == 1 ? 5 : 0);
	hear_idle();
	if (row->sections[1][0] != '\0')
		kernel_address(fd, NULL);
	close(fd);
}

/* Each an sga of its own, in whatever order, though they may share a buffer. */
static void what_sized_pops_gave_may_be_pushed_again(void)
{
	enum { BYTES = 24 };
	uint8_t data[BYTES], back[BYTES];
	demi_sgarray_t piece[BYTES];
	unsigned got = 0, pieces = 0;
	demi_qtoken_t qt;
	int qd;

	begin();
	qd = connection();
	pattern(data, BYTES, 1);
	push_all(qd, data, BYTES);
	while (got < BYTES) {
		equal(demi_pop_sized(&qt, qd, 3), 0);
		piece[pieces] = success(qt, DEMI_OPC_POP).qr_value.sga;
		got += piece[pieces++].sga_segs[0].sgaseg_len;
	}
	for (unsigned i = 0; i < pieces; i++) {
		equal(demi_push(&qt, qd, &piece[i]), 0);
		equal(demi_sgafree(&piece[i]), 0);
		success(qt, DEMI_OPC_PUSH);
	}
	pop_all(qd, back, BYTES);
	same(back, data, BYTES);
	equal(demi_close(qd), 0);
}

/* More pieces of one message than can be counted: the pop fails, and the rest stays. */
static void pieces_without_number_are_enomem(void)
{
	enum { BYTES = 70000 };
	static demi_sgarray_t piece[BYTES];
	static uint8_t data[BYTES];
	unsigned n = 0, kept;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd;

	begin();
	equal(demi_queue(&qd), 0);
	pattern(data, BYTES, 3);
	push_all(qd, data, BYTES);
	for (;; n++) {
		equal(demi_pop_sized(&qt, qd, 1), 0);
		qr = result(qt);
		if (qr.qr_opcode == DEMI_OPC_FAILED)
			break;
		piece[n] = qr.qr_value.sga;
		check(n < BYTES);
	}
	equal(qr.qr_ret, ENOMEM);
	check(n >= 30000);
	for (kept = n; n > 0; n--) {
		same(piece[n - 1].sga_segs[0].sgaseg_buf, &data[n - 1], 1);
		equal(demi_sgafree(&piece[n - 1]), 0);
	}
	qr = success(start_pop(qd), DEMI_OPC_POP);
	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, BYTES - kept);
	same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, data + kept, BYTES - kept);
	give_back(&qr);
}

static void a_sized_pop_leaves_the_rest_of_a_datagram(void)
{
	const char *const pieces[] = {"abc", "def", "g", "xyz"};
	int qd;

	begin();
	qd = udp_socket();
	say(port_of(qd));
	for (int i = 0; i < 4; i++) {
		demi_qtoken_t qt;
		demi_qresult_t qr;

		equal(demi_pop_sized(&qt, qd, 3), 0);
		qr = success(qt, DEMI_OPC_POP);
		equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, strlen(pieces[i]));
		same(qr.qr_value.sga.sga_segs[0].sgaseg_buf, pieces[i], strlen(pieces[i]));
		check(qr.qr_value.sga.sga_addr.sin_port != 0);
		give_back(&qr);
	}
}

static void peer_sends_two_datagrams(void)
{
	uint16_t port;
	int qd;

	begin();
	port = (uint16_t)hear();
	qd = udp_socket();
	success(start_push_to(qd, "abcdefg", 7, port), DEMI_OPC_PUSH);
	success(start_push_to(qd, "xyz", 3, port), DEMI_OPC_PUSH);
}

static void a_datagram_too_large_fails(void)
{
	static uint8_t big[70000];
	int qd;

	begin();
	qd = udp_socket();
	failure(start_push_to(qd, big, sizeof(big), 9), EMSGSIZE);
}

static void any_address_and_any_port_may_be_bound(void)
{
	struct sockaddr_in sin = at(0, 0);
	demi_qresult_t qr;
	int listener;

	begin();
	listener = tcp_socket();
	sin.sin_addr.s_addr = htonl(INADDR_ANY);
	equal(demi_bind(listener, SA(&sin)), 0);
	equal(demi_listen(listener, 8), 0);
	check(port_of(listener) != 0);
	say(port_of(listener));
	qr = success(start_accept(listener), DEMI_OPC_ACCEPT);
	pop_end(qr.qr_value.ares.qd);
}

static void peer_connects_and_leaves(void)
{
	int qd;

	begin();
	qd = tcp_socket();
	success(start_connect(qd, (uint16_t)hear()), DEMI_OPC_CONNECT);
	equal(demi_close(qd), 0);
}

static void nobody_listening_is_connection_refused(void)
{
	uint16_t port;
	int qd;

	begin();
	port = (uint16_t)hear();
	qd = tcp_socket();
	failure(start_connect(qd, port), ECONNREFUSED);
	/* The socket is as unconnected as before. */
	equal(demi_getpeername(qd, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){16}),
	      ENOTCONN);
	failure(start_connect(qd, port), ECONNREFUSED);
	equal(demi_close(qd), 0);
	say(0);
}

static void peer_has_closed_its_listener(void)
{
	int listener;

	begin();
	listener = tcp_listener();
	uint16_t port = port_of(listener);

	equal(demi_close(listener), 0);
	say(port);
	hear();
}

/* Known at once, it is a result of the operation all the same. */
static void a_connect_without_a_way_fails_as_an_operation(void)
{
	struct sockaddr_in everybody = at(0, 9);
	demi_qtoken_t qt;
	int tcp;

	begin();
	everybody.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	tcp = tcp_socket();
	for (int i = 0; i < 2; i++) { /* the second finds the socket as it was */
		equal(demi_connect(&qt, tcp, SA(&everybody)), 0);
		failure(qt, ENETUNREACH);
	}
	equal(demi_close(tcp), 0);
}

static void a_peers_reset_fails_what_is_pending_and_what_comes(void)
{
	demi_qtoken_t pop;
	int qd;

	begin();
	qd = connection();
	pop = start_pop(qd);
	say(0);
	failure(pop, ECONNRESET);
	hear();
	failure(start_pop(qd), ECONNRESET);
	failure(start_push(qd, "x", 1), ECONNRESET);
	equal(demi_close(qd), 0);
}

const struct behaviour transfer_cases[] = {
    WITH(results_say_who_and_nothing_else, peer_connects_and_echoes),
    WITH(the_end_of_a_stream_is_an_empty_message, peer_shuts_down),
    WITH(messages_of_every_size_come_back_whole, peer_echoes),
    WITH(pushed_memory_may_be_freed_at_once_and_pushed_again, peer_echoes),
    WITH(bytes_are_the_programs_again_when_the_push_completes, peer_echoes),
    WITH(a_segment_may_be_part_of_its_memory, peer_echoes),
    WITH(a_push_to_an_address_over_a_connection_goes_to_its_peer, peer_echoes),
    WITH(a_message_outlives_its_descriptor, peer_echoes),
    WITH(a_sized_pop_leaves_the_rest, peer_echoes),
    WITH(what_sized_pops_gave_may_be_pushed_again, peer_echoes),
    ALONE(pieces_without_number_are_enomem),
    WITH(operations_of_one_queue_complete_in_order, peer_echoes),
    WITH(queues_are_served_fairly, peer_sends_on_both),
    WITH(a_datagram_comes_with_its_sender, peer_sends_datagrams),
    WITH_KERNEL(an_empty_datagram_is_a_message_of_no_bytes, peers_kernel_sends_empty_datagrams),
    WITH(a_sized_pop_leaves_the_rest_of_a_datagram, peer_sends_two_datagrams),
    ALONE(a_datagram_too_large_fails),
    WITH(any_address_and_any_port_may_be_bound, peer_connects_and_leaves),
    WITH(nobody_listening_is_connection_refused, peer_has_closed_its_listener),
    ALONE(a_connect_without_a_way_fails_as_an_operation),
    WITH(a_peers_reset_fails_what_is_pending_and_what_comes, peer_resets),
    {NULL, NULL, NULL, false, false, false},
};
