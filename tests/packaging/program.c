/* A program that knows the interface alone, in the C of 1999 and the C++ of 2011: a message through
 * a queue in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include <demi/ext.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The layouts that programs rely on which were built with the original's headers. */
#define IS(name, what) typedef char name##_is[(what) ? 1 : -1]
IS(token, sizeof(demi_qtoken_t) == 8);
IS(segment, sizeof(demi_sgaseg_t) == 12);
IS(segment_len, offsetof(demi_sgaseg_t, sgaseg_len) == 8);
IS(array, sizeof(demi_sgarray_t) == 40 && DEMI_SGARRAY_MAXSIZE == 1);
IS(array_segments, offsetof(demi_sgarray_t, sga_segs) == 12);
IS(array_address, offsetof(demi_sgarray_t, sga_addr) == 24);
IS(accepted, sizeof(demi_accept_result_t) == 20 && offsetof(demi_accept_result_t, addr) == 4);
IS(result, sizeof(demi_qresult_t) == 64 && offsetof(demi_qresult_t, qr_value) == 24);
IS(result_opcode, offsetof(demi_qresult_t, qr_opcode) == 0);
IS(result_queue, offsetof(demi_qresult_t, qr_qd) == 4);
IS(result_token, offsetof(demi_qresult_t, qr_qt) == 8);
IS(result_return, offsetof(demi_qresult_t, qr_ret) == 16);
IS(arguments, sizeof(struct demi_args) == 20 && offsetof(struct demi_args, callback) == 12);
IS(opcodes, DEMI_OPC_INVALID == 0 && DEMI_OPC_PUSH == 1 && DEMI_OPC_POP == 2 &&
		DEMI_OPC_ACCEPT == 3 && DEMI_OPC_CONNECT == 4 && DEMI_OPC_CLOSE == 5 &&
		DEMI_OPC_FAILED == 6);

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
