/* try_peer.c - the server and the client of a trial: one message at a time, there and back, with
 * the public interface alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <demi/libos.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_S =
	    25, /* for the other side; less than TRY_DEFAULT_SILENCE_MS, so that we can tell */
	BACKLOG = 1,
};

static int fail(struct try_result *result, enum try_side side, const char *what, int error)
{
	try_note(result, side, "%s: %s", what, strerror(error));
	return -error;
}

/* Waits for the end of an operation that was started with `error`. A positive errno. */
static int finish(int error, demi_qtoken_t qt, demi_qresult_t *qr)
{
	if (!error)
		error = demi_wait(qr, qt, &(struct timespec){.tv_sec = PATIENCE_S});
	if (!error && qr->qr_opcode == DEMI_OPC_FAILED)
		error = (int)qr->qr_ret;
	return error;
}

static int push(int qd, const demi_sgarray_t *sga)
{
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int error = demi_push(&qt, qd, sga);

	return finish(error, qt, &qr);
}

static int pop(int qd, demi_sgarray_t *sga)
{
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int error = demi_pop(&qt, qd);

	error = finish(error, qt, &qr);
	if (!error)
		*sga = qr.qr_value.sga;
	return error;
}

static int echo_until_end(int qd, struct try_result *result)
{
	demi_sgarray_t sga;
	bool end;
	int error;

	do {
		error = pop(qd, &sga);
		if (error)
			return fail(result, TRY_SERVER, "demi_pop", error);
		end = sga.sga_segs[0].sgaseg_len == 0;
		if (!end)
			error = push(qd, &sga);
		demi_sgafree(&sga);
		if (error)
			return fail(result, TRY_SERVER, "demi_push", error);
	} while (!end);
	return 0;
}

static int accept_and_echo(int listener, struct try_result *result)
{
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int error, qd;

	error = demi_accept(&qt, listener);
	error = finish(error, qt, &qr);
	if (error)
		return fail(result, TRY_SERVER, "demi_accept", error);
	qd = qr.qr_value.ares.qd;
	error = echo_until_end(qd, result);
	demi_close(qd);
	return error;
}

static int listen_at(int qd, const struct sockaddr_in *address, int ready_fd,
		     struct try_result *result)
{
	struct sockaddr_in bound = *address;
	socklen_t size = sizeof(bound);
	int error;

	error = demi_bind(qd, (const struct sockaddr *)address, size);
	if (error)
		return fail(result, TRY_SERVER, "demi_bind", error);
	error = demi_listen(qd, BACKLOG);
	if (error)
		return fail(result, TRY_SERVER, "demi_listen", error);
	error = demi_getsockname(qd, (struct sockaddr *)&bound, &size);
	if (error)
		return fail(result, TRY_SERVER, "demi_getsockname", error);
	if (write(ready_fd, &bound.sin_port, sizeof(bound.sin_port)) != sizeof(bound.sin_port))
		return fail(result, TRY_SERVER, "cannot tell the client the port", errno);
	return 0;
}

int try_serve(const struct sockaddr_in *address, int ready_fd, struct try_result *result)
{
	int qd, error;

	error = demi_init(NULL);
	if (error)
		return fail(result, TRY_SERVER, "demi_init", error);
	error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);
	if (error)
		return fail(result, TRY_SERVER, "demi_socket", error);
	error = listen_at(qd, address, ready_fd, result);
	close(ready_fd);
	if (!error)
		error = accept_and_echo(qd, result);
	demi_close(qd);
	return error;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Message number n is a run of the numbers from n on, so that a byte at another place, or of
 * another message, is seen. */
static void fill(uint8_t *bytes, uint32_t size, uint64_t n)
{
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(n + i + (i >> 8));
}

/* Pops until the echo of `sent` is there, and compares it. */
static int check_echo(int qd, const uint8_t *sent, uint32_t size, uint64_t n,
		      struct try_result *result)
{
	uint32_t got = 0, len;
	demi_sgarray_t sga;
	bool same;
	int error;

	while (got < size) {
		error = pop(qd, &sga);
		if (error)
			return fail(result, TRY_CLIENT, "demi_pop", error);
		len = sga.sga_segs[0].sgaseg_len;
		same = len > 0 && len <= size - got &&
		       memcmp(sga.sga_segs[0].sgaseg_buf, sent + got, len) == 0;
		demi_sgafree(&sga);
		if (len == 0)
			return fail(result, TRY_CLIENT, "the server left early", ECONNRESET);
		if (!same) {
			try_note(result, TRY_CLIENT,
				 "message %llu came back changed, in its bytes %u to %u",
				 (unsigned long long)n, got, got + len - 1);
			return -EPROTO;
		}
		got += len;
	}
	return 0;
}

/* One message, there and back. */
static int exchange(int qd, uint8_t *sent, uint32_t size, uint64_t n, struct try_result *result)
{
	demi_sgarray_t sga = demi_sgaalloc(size);
	uint64_t start_ns;
	int error;

	if (!sga.sga_buf)
		return fail(result, TRY_CLIENT, "demi_sgaalloc", ENOMEM);
	fill(sent, size, n);
	memcpy(sga.sga_segs[0].sgaseg_buf, sent, size);
	start_ns = now_ns();
	error = push(qd, &sga);
	demi_sgafree(&sga);
	if (error)
		return fail(result, TRY_CLIENT, "demi_push", error);
	error = check_echo(qd, sent, size, n, result);
	if (!error)
		histogram_record(&result->latency, now_ns() - start_ns);
	return error;
}

static int exchange_all(int qd, const struct try_options *o, struct try_result *result)
{
	uint64_t count = o->messages ? o->messages : TRY_DEFAULT_MESSAGES;
	uint64_t limit_ns = o->messages ? UINT64_MAX : TRY_DEFAULT_SECONDS * UINT64_C(1000000000);
	uint8_t *sent = malloc(o->size);
	uint64_t start_ns = now_ns();
	int error = 0;

	if (!sent)
		return fail(result, TRY_CLIENT, "malloc", ENOMEM);
	for (uint64_t n = 0; n < count && result->elapsed_ns < limit_ns && !error; n++) {
		error = exchange(qd, sent, o->size, n, result);
		result->elapsed_ns = now_ns() - start_ns;
		atomic_store_explicit(&result->echoed, n + 1, memory_order_relaxed);
	}
	free(sent);
	return error;
}

static int connect_and_exchange(int qd, const struct sockaddr_in *address,
				const struct try_options *o, struct try_result *result)
{
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int error;

	error = demi_connect(&qt, qd, (const struct sockaddr *)address, sizeof(*address));
	error = finish(error, qt, &qr);
	if (error)
		return fail(result, TRY_CLIENT, "demi_connect", error);
	return exchange_all(qd, o, result);
}

int try_ask(struct sockaddr_in address, int ready_fd, const struct try_options *o,
	    struct try_result *result)
{
	int qd, error;

	if (read(ready_fd, &address.sin_port, sizeof(address.sin_port)) !=
	    sizeof(address.sin_port)) {
		try_note(result, TRY_CLIENT, "waited for the server, which did not start");
		return -ECONNREFUSED;
	}
	close(ready_fd);
	error = demi_init(NULL);
	if (error)
		return fail(result, TRY_CLIENT, "demi_init", error);
	error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);
	if (error)
		return fail(result, TRY_CLIENT, "demi_socket", error);
	error = connect_and_exchange(qd, &address, o, result);
	demi_close(qd);
	return error;
}
