/* demi/ext.h - calls that the reference's C interface does not have.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_EXT_H
#define DEMI_EXT_H

#include <demi/libos.h>

DEMI_BEGIN_DECLS

/* demi_pop() of at most `size` bytes, size >= 1. Bytes beyond stay for the next pop.
 * EINVAL: also when size is 0. */
int demi_pop_sized(demi_qtoken_t *qt_out, int qd, size_t size);

/* Closes as demi_close() does, and completes as DEMI_OPC_CLOSE when the peer has acknowledged all
 * that was sent and the connection's end, or as DEMI_OPC_FAILED. The descriptor takes no new
 * operation from now on; those pending complete as DEMI_OPC_FAILED with ECANCELED. EINVAL, EBADF,
 * ENOMEM. */
int demi_close_async(demi_qtoken_t *qt_out, int qd);

/* Waits until all num_qts operations in qts have completed; qr_out[i] is the result of qts[i].
 * On ETIMEDOUT nothing is consumed. EINVAL: as demi_wait_any(), or a token is there twice. */
int demi_wait_all(demi_qresult_t qr_out[], const demi_qtoken_t qts[], int num_qts,
		  const struct timespec *timeout);

/* Makes a queue in memory: what is pushed is popped, message by message, in order, in this thread.
 * EINVAL: qd_out is NULL. EMFILE, ENOMEM. */
int demi_queue(int *qd_out);

/* Cancels an operation that has not completed: it completes as DEMI_OPC_FAILED with ECANCELED and
 * is waited for as ever. EINVAL: unknown token. EALREADY: it has completed. EBUSY: a push whose
 * first bytes have been sent cannot be taken back. */
int demi_cancel(demi_qtoken_t qt);

/* Ends one or both directions of a connection, as shutdown(2): how is SHUT_RD, SHUT_WR or
 * SHUT_RDWR. EINVAL: how. ENOTCONN. */
int demi_shutdown(int qd, int how);

/* Gets the library's log lines instead of standard error: level is 0 (error), 1 (warning), 2 (info)
 * or 3 (debug), line has no newline and is borrowed for the call. NULL restores standard error. For
 * the whole process. */
typedef void (*demi_log_fn)(int level, const char *line);
void demi_set_log(demi_log_fn fn);

DEMI_END_DECLS

#endif
