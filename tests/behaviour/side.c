/* side.c - see side.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const struct libos_row *row;
int me, channel = -1, run_number;
const struct timespec patience = {.tv_sec = 120}, no_time = {0};

void check_that(bool cond, const char *what, const char *file, int line)
{
	if (cond)
		return;
	dprintf(STDERR_FILENO, "%s:%d: side %c: not so: %s\n", file, line, 'A' + me, what);
	_exit(1);
}

void check_equal(long long got, long long want, const char *what, const char *file, int line)
{
	if (got == want)
		return;
	dprintf(STDERR_FILENO, "%s:%d: side %c: %s is %lld, not %lld\n", file, line, 'A' + me, what,
		got, want);
	_exit(1);
}

void say(uint64_t number)
{
	check(send(channel, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number));
}

uint64_t hear_idle(void)
{
	uint64_t number;
	ssize_t n;

	do /* signal(7): a process that was stopped for a while is interrupted by that */
		n = recv(channel, &number, sizeof(number), 0);
	while (n < 0 && errno == EINTR);
	check(n == sizeof(number));
	return number;
}

uint64_t hear(void)
{
	const struct timespec a_while = {.tv_nsec = 1000000};
	const uint64_t end = now_ns() + HEAR_SECONDS * UINT64_C(1000000000);
	uint64_t number;
	ssize_t n;

	while ((n = recv(channel, &number, sizeof(number), MSG_DONTWAIT)) < 0 && errno == EAGAIN &&
	       now_ns() < end) {
		if (demi_wait_any(&(demi_qresult_t){0}, &(int){0}, NULL, 0, &a_while) == ENOSYS)
			return hear_idle(); /* no instance that could make progress */
	}
	check(n == sizeof(number));
	return number;
}

static void print_sections(int fd)
{
	for (const char *c = row->sections[me]; *c != '\0'; c++) {
		if (*c == '@')
			dprintf(fd, "%d", run_number);
		else
			dprintf(fd, "%c", *c);
	}
}

void configure(const char *demikernel, const char *limits)
{
	char path[64];
	int fd = memfd_create("behaviour", 0);

	check(fd >= 0);
	dprintf(fd, "demikernel:\n  idle: adaptive\n%s%s%s%s", row->demikernel[me],
		demikernel != NULL ? demikernel : "", limits != NULL ? "limits:\n" : "",
		limits != NULL ? limits : "");
	print_sections(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("CONFIG_PATH", path, 1);
}

void begin(void)
{
	equal(demi_init(NULL), 0);
}

demi_qresult_t result(demi_qtoken_t qt)
{
	demi_qresult_t qr;

	equal(demi_wait(&qr, qt, &patience), 0);
	check(qr.qr_qt == qt);
	return qr;
}

demi_qresult_t success(demi_qtoken_t qt, demi_opcode_t opcode)
{
	demi_qresult_t qr = result(qt);

	equal(qr.qr_ret, 0);
	equal(qr.qr_opcode, opcode);
	return qr;
}

void failure(demi_qtoken_t qt, int error)
{
	demi_qresult_t qr = result(qt);

	equal(qr.qr_opcode, DEMI_OPC_FAILED);
	equal(qr.qr_ret, error);
}

void still_pending(demi_qtoken_t qt)
{
	const struct timespec a_while = {.tv_nsec = 10000000};
	demi_qresult_t qr;

	equal(demi_wait(&qr, qt, &a_while), ETIMEDOUT);
}

struct sockaddr_in at(int side, uint16_t port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = inet_addr(row->ip[side]);
	return sin;
}

int tcp_socket(void)
{
	int qd;

	equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	return qd;
}

static int bound(int type)
{
	struct sockaddr_in sin = at(me, 0);
	int qd;

	equal(demi_socket(&qd, AF_INET, type, 0), 0);
	equal(demi_bind(qd, SA(&sin)), 0);
	return qd;
}

int udp_socket(void)
{
	return bound(SOCK_DGRAM);
}

int tcp_listener(void)
{
	int qd = bound(SOCK_STREAM);

	equal(demi_listen(qd, 64), 0);
	return qd;
}

uint16_t port_of(int qd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	equal(demi_getsockname(qd, (struct sockaddr *)&sin, &len), 0);
	equal(sin.sin_family, AF_INET);
	return ntohs(sin.sin_port);
}

demi_qtoken_t start_accept(int qd)
{
	demi_qtoken_t qt;

	equal(demi_accept(&qt, qd), 0);
	return qt;
}

demi_qtoken_t start_connect(int qd, uint16_t port)
{
	struct sockaddr_in sin = at(1 - me, port);
	demi_qtoken_t qt;

	equal(demi_connect(&qt, qd, SA(&sin)), 0);
	return qt;
}

demi_qtoken_t start_pop(int qd)
{
	demi_qtoken_t qt;

	equal(demi_pop(&qt, qd), 0);
	return qt;
}

static demi_sgarray_t filled(const void *data, size_t len)
{
	demi_sgarray_t sga = demi_sgaalloc(len);

	check(sga.sga_buf != NULL);
	memcpy(sga.sga_segs[0].sgaseg_buf, data, len);
	return sga;
}

demi_qtoken_t start_push(int qd, const void *data, size_t len)
{
	demi_sgarray_t sga = filled(data, len);
	demi_qtoken_t qt;

	equal(demi_push(&qt, qd, &sga), 0);
	equal(demi_sgafree(&sga), 0);
	return qt;
}

demi_qtoken_t start_push_to(int qd, const void *data, size_t len, uint16_t port)
{
	struct sockaddr_in sin = at(1 - me, port);
	demi_sgarray_t sga = filled(data, len);
	demi_qtoken_t qt;

	equal(demi_pushto(&qt, qd, &sga, SA(&sin)), 0);
	equal(demi_sgafree(&sga), 0);
	return qt;
}

void connections(int qd[], unsigned count)
{
	int listener = -1;
	uint16_t port = 0;

	if (me == 0) {
		listener = tcp_listener();
		say(port_of(listener));
	} else {
		port = (uint16_t)hear();
	}
	for (unsigned i = 0; i < count; i++) {
		if (me == 0) {
			qd[i] = success(start_accept(listener), DEMI_OPC_ACCEPT).qr_value.ares.qd;
			continue;
		}
		qd[i] = tcp_socket();
		success(start_connect(qd[i], port), DEMI_OPC_CONNECT);
	}
	if (me == 0)
		equal(demi_close(listener), 0);
}

int connection(void)
{
	int qd;

	connections(&qd, 1);
	return qd;
}

void push_all(int qd, const void *data, size_t len)
{
	success(start_push(qd, data, len), DEMI_OPC_PUSH);
}

void give_back(demi_qresult_t *qr)
{
	equal(demi_sgafree(&qr->qr_value.sga), 0);
}

void pop_all(int qd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		demi_qtoken_t qt;
		demi_qresult_t qr;
		demi_sgaseg_t seg;

		equal(demi_pop_sized(&qt, qd, len - got), 0);
		qr = success(qt, DEMI_OPC_POP);
		seg = qr.qr_value.sga.sga_segs[0];
		check(seg.sgaseg_len > 0 && seg.sgaseg_len <= len - got);
		memcpy((uint8_t *)data + got, seg.sgaseg_buf, seg.sgaseg_len);
		got += seg.sgaseg_len;
		give_back(&qr);
	}
}

void pop_end(int qd)
{
	demi_qresult_t qr = success(start_pop(qd), DEMI_OPC_POP);

	equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, 0);
	give_back(&qr);
}

void pop_until_reset(int qd)
{
	demi_qresult_t qr;

	while ((qr = result(start_pop(qd))).qr_opcode != DEMI_OPC_FAILED) {
		check(qr.qr_value.sga.sga_segs[0].sgaseg_len > 0);
		give_back(&qr);
	}
	equal(qr.qr_ret, ECONNRESET);
}

void pattern(uint8_t *data, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 11);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void peer_waits(void)
{
	int qd;

	begin();
	qd = connection();
	hear();
	equal(demi_close(qd), 0);
}

void peer_echoes(void)
{
	int qd;

	begin();
	qd = connection();
	for (;;) {
		demi_qresult_t qr = success(start_pop(qd), DEMI_OPC_POP);
		demi_qtoken_t qt;
		bool end = qr.qr_value.sga.sga_segs[0].sgaseg_len == 0;

		if (!end) {
			equal(demi_push(&qt, qd, &qr.qr_value.sga), 0);
			success(qt, DEMI_OPC_PUSH);
		}
		give_back(&qr);
		if (end)
			break;
	}
	equal(demi_close(qd), 0);
}

void peer_discards(void)
{
	uint64_t bytes = 0, len;
	int qd;

	begin();
	qd = connection();
	do {
		demi_qresult_t qr = result(start_pop(qd));

		if (qr.qr_opcode == DEMI_OPC_FAILED)
			break;
		len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		bytes += len;
		give_back(&qr);
	} while (len > 0);
	say(bytes);
}

void peer_resets(void)
{
	const struct linger zero = {1, 0};
	int qd;

	begin();
	qd = connection();
	hear();
	equal(demi_setsockopt(qd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)), 0);
	equal(demi_close(qd), 0);
	say(1);
}
