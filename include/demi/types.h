/* demi/types.h - the values that calls hand back: scatter-gather arrays, tokens, results.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DEMI_TYPES_H
#define DEMI_TYPES_H

#include <demi/cc.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

DEMI_BEGIN_DECLS

/* Segments in one scatter-gather array. */
#define DEMI_SGARRAY_MAXSIZE 1

/* Names one operation in flight. 0 is never a valid token. */
typedef uint64_t demi_qtoken_t;

/* One contiguous piece of memory. */
typedef struct DEMI_PACKED demi_sgaseg {
	void *sgaseg_buf;    /* first byte */
	uint32_t sgaseg_len; /* bytes */
} demi_sgaseg_t;

/* A message. sga_buf is the library's handle on the memory, NULL in the null sga that
 * demi_sgaalloc() returns on failure. A program may advance sgaseg_buf and shrink sgaseg_len inside
 * the memory that it was given. */
typedef struct DEMI_PACKED demi_sgarray {
	void *sga_buf;
	uint32_t sga_numsegs; /* always 1 */
	demi_sgaseg_t sga_segs[DEMI_SGARRAY_MAXSIZE];
	struct sockaddr_in sga_addr; /* the sender of a datagram, zero elsewhere */
} demi_sgarray_t;

/* What completed. */
typedef enum demi_opcode {
	DEMI_OPC_INVALID = 0,
	DEMI_OPC_PUSH,
	DEMI_OPC_POP,
	DEMI_OPC_ACCEPT,
	DEMI_OPC_CONNECT,
	DEMI_OPC_CLOSE,
	DEMI_OPC_FAILED, /* qr_ret says why: a positive errno */
} demi_opcode_t;

/* What demi_accept() made. */
typedef struct DEMI_PACKED demi_accept_result {
	int32_t qd;              /* the new connection */
	struct sockaddr_in addr; /* its peer */
} demi_accept_result_t;

/* What a wait returns. Parts of qr_value that the opcode does not use are zero. */
typedef struct DEMI_PACKED demi_qresult {
	enum demi_opcode qr_opcode;
	int32_t qr_qd;       /* the queue on which the operation was started */
	demi_qtoken_t qr_qt; /* its token, now consumed */
	int64_t qr_ret;      /* 0, or a positive errno with DEMI_OPC_FAILED */
	union {
		demi_sgarray_t sga;        /* DEMI_OPC_POP: yours, to be given to demi_sgafree() */
		demi_accept_result_t ares; /* DEMI_OPC_ACCEPT */
	} qr_value;
} demi_qresult_t;

/* The profiler's callback: the name of a scope (not NUL-terminated), the length of the name in
 * bytes, and a duration in cycles of the time-stamp counter. */
typedef void (*demi_callback_t)(const char *name, uint32_t name_len, uint64_t cycles);

/* Arguments of demi_init(). All may be zero. */
struct DEMI_PACKED demi_args {
	int argc;
	char *const *argv;
	demi_callback_t callback; /* NULL, or called when the configuration turns profiling on */
};

DEMI_END_DECLS

#endif
