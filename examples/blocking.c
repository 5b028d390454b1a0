/* blocking.c - see blocking.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "blocking.h"

#include "complain.h"
#include "interrupt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	BACKLOG = 1024, /* connections not yet accepted */
	TICK_MS = 100,  /* between two looks at interrupted() */
	MS_NS = 1000000 /* nanoseconds in a millisecond */
};

int blocking_init(void)
{
	int error = demi_init(NULL);

	/* The library has said what hinders it, and what repairs that. */
	if (error)
		fprintf(stderr, "%s: cannot start the library: %s\n", program_invocation_short_name,
			strerror(error));
	return error;
}

int blocking_wait(demi_qresult_t *qr, demi_qtoken_t qt, uint32_t limit_ms)
{
	uint32_t step_ms;
	int error;

	for (;;) {
		step_ms = limit_ms < TICK_MS ? limit_ms : TICK_MS;
		error = demi_wait(qr, qt, &(struct timespec){.tv_nsec = (long)step_ms * MS_NS});
		if (!error)
			return qr->qr_opcode == DEMI_OPC_FAILED ? (int)qr->qr_ret : 0;
		if (error != ETIMEDOUT)
			return error;
		if (interrupted())
			return EINTR;
		if (limit_ms != BLOCKING_FOREVER)
			limit_ms -= step_ms;
		if (limit_ms == 0)
			return ETIMEDOUT;
	}
}

/* Programs that start this one read the port here, and know that it can be connected to. */
static void announce(const char *what, int qd, const struct sockaddr_in *asked)
{
	struct sockaddr_in local = *asked;
	socklen_t size = sizeof(local);
	char ip[INET_ADDRSTRLEN];

	demi_getsockname(qd, (struct sockaddr *)&local, &size);
	printf("INFO: %s %s:%u\n", what, inet_ntop(AF_INET, &local.sin_addr, ip, sizeof(ip)),
	       ntohs(local.sin_port));
	fflush(stdout);
}

/* Makes a socket of a type and binds it. */
static int open_bound(int *qd_out, int type, const struct sockaddr_in *local)
{
	char ip[INET_ADDRSTRLEN];
	int error;

	error = demi_socket(qd_out, AF_INET, type, 0);
	if (error)
		return complain(error, "cannot make a socket");
	error = demi_bind(*qd_out, (const struct sockaddr *)local, sizeof(*local));
	if (error) {
		demi_close(*qd_out);
		return complain(error, "cannot bind to %s:%u",
				inet_ntop(AF_INET, &local->sin_addr, ip, sizeof(ip)),
				ntohs(local->sin_port));
	}
	return 0;
}

int blocking_listen(int *listener_out, const struct sockaddr_in *local)
{
	int qd, error;

	error = open_bound(&qd, SOCK_STREAM, local);
	if (error)
		return error;
	error = demi_listen(qd, BACKLOG);
	if (error) {
		demi_close(qd);
		return complain(error, "cannot listen");
	}
	announce("listening on", qd, local);
	*listener_out = qd;
	return 0;
}

int blocking_accept(int *qd_out, int listener)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	error = demi_accept(&qt, listener);
	if (!error)
		error = blocking_wait(&qr, qt, BLOCKING_FOREVER);
	if (error)
		return complain(error, "cannot accept a connection");
	*qd_out = qr.qr_value.ares.qd;
	return 0;
}

int blocking_connect(int *qd_out, const struct sockaddr_in *remote)
{
	char ip[INET_ADDRSTRLEN];
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, error;

	error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);
	if (error)
		return complain(error, "cannot make a socket");
	error = demi_connect(&qt, qd, (const struct sockaddr *)remote, sizeof(*remote));
	if (!error)
		error = blocking_wait(&qr, qt, BLOCKING_FOREVER);
	if (error) {
		demi_close(qd);
		return complain(error, "cannot connect to %s:%u",
				inet_ntop(AF_INET, &remote->sin_addr, ip, sizeof(ip)),
				ntohs(remote->sin_port));
	}
	*qd_out = qd;
	return 0;
}

int blocking_bind(int *qd_out, const struct sockaddr_in *local)
{
	int qd, error;

	error = open_bound(&qd, SOCK_DGRAM, local);
	if (error)
		return error;
	announce("bound to", qd, local);
	*qd_out = qd;
	return 0;
}

int blocking_push(int qd, const demi_sgarray_t *sga, const struct sockaddr_in *to)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	if (to)
		error = demi_pushto(&qt, qd, sga, (const struct sockaddr *)to, sizeof(*to));
	else
		error = demi_push(&qt, qd, sga);
	if (!error)
		error = blocking_wait(&qr, qt, BLOCKING_FOREVER);
	return error ? complain(error, "cannot push") : 0;
}

int blocking_pop(demi_sgarray_t *sga_out, int qd)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	error = demi_pop(&qt, qd);
	if (!error)
		error = blocking_wait(&qr, qt, BLOCKING_FOREVER);
	if (error)
		return complain(error, "cannot pop");
	*sga_out = qr.qr_value.sga;
	return 0;
}

int message_make(demi_sgarray_t *sga_out, size_t size, int fill)
{
	*sga_out = demi_sgaalloc(size);
	if (!sga_out->sga_buf)
		return complain(ENOMEM, "cannot make a message of %zu bytes", size);
	memset(sga_out->sga_segs[0].sgaseg_buf, fill, size);
	return 0;
}
