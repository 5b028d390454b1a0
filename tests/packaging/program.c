/* A program that knows the interface alone, in the C of 1999 and the C++ of 2011: a message through
 * a queue in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include <demi/ext.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	return 1;
}

int main(void)
{
	demi_sgarray_t sga;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, error;

	error = demi_init(NULL);
	if (error)
		return failed("demi_init", error);
	error = demi_queue(&qd);
	if (error)
		return failed("demi_queue", error);
	sga = demi_sgaalloc(5);
	if (!sga.sga_buf)
		return failed("demi_sgaalloc", 0);
	memcpy(sga.sga_segs[0].sgaseg_buf, "hello", 5);
	error = demi_push(&qt, qd, &sga);
	if (error)
		return failed("demi_push", error);
	demi_sgafree(&sga);
	error = demi_wait(&qr, qt, NULL);
	if (error)
		return failed("demi_wait", error);
	error = demi_pop(&qt, qd);
	if (error)
		return failed("demi_pop", error);
	error = demi_wait(&qr, qt, NULL);
	if (error)
		return failed("demi_wait", error);
	if (qr.qr_opcode != DEMI_OPC_POP || qr.qr_value.sga.sga_segs[0].sgaseg_len != 5 ||
	    memcmp(qr.qr_value.sga.sga_segs[0].sgaseg_buf, "hello", 5) != 0)
		return failed("another message came back", 0);
	demi_sgafree(&qr.qr_value.sga);
	return demi_close(qd) ? 1 : 0;
}
