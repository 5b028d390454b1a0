/* pkt_script.h - a packetdrill script as the parser hands it to the runner.
 *
 * Numbers are as the script has them: sequence numbers relative to each side's first, times in
 * microseconds. All memory belongs to the script and goes with pkt_script_free().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_SCRIPT_H
#define TOOLS_PKT_SCRIPT_H

#include "base/endpoint.h"
#include "pkt_packet.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PKT_SCRIPT_MAX_BYTES = 1 << 20, /* of a script's text */
	PKT_ERROR_BYTES = 512,          /* of a message, its NUL included */
	PKT_DEPTH_MAX = 16,             /* brackets within brackets in an expression */
	PKT_ARGUMENTS_MAX = 8,          /* of a system call */
	PKT_TIME_MAX_S = 1000000,       /* of a time in a script */
	PKT_TOLERANCE_US = 4000,        /* default of --tolerance_usecs */
};

/* --name=value at the head of a script. */
struct pkt_options {
	uint16_t mtu;
	uint8_t mtu_probing; /* as tcp_mtu_probing of the kernel: 0 off, 1 black holes, 2 always */
	int64_t tolerance_us;
	uint32_t ts_tick_us; /* what one step of a TS val is worth; 0: values are not compared */
	struct ip_addr local, remote, gateway;
	uint8_t prefix_len;
	bool show_arp; /* ARP is part of the script; else it is answered behind its back */
};

enum pkt_expr_kind {
	EXPR_ELLIPSIS, /* ... */
	EXPR_NUMBER,
	EXPR_WORD, /* a symbol */
	EXPR_STRING,
	EXPR_OR,       /* operands joined by | */
	EXPR_LIST,     /* [a, b] */
	EXPR_STRUCT,   /* {a=1, b} */
	EXPR_FUNCTION, /* htons(80) */
};

struct pkt_expr {
	enum pkt_expr_kind kind;
	int line;
	int64_t number;
	const char *text;       /* WORD, STRING, FUNCTION: NUL-terminated */
	uint32_t text_len;      /* a STRING may hold NULs */
	const char *field;      /* its name inside a STRUCT, else NULL */
	struct pkt_expr *first; /* of OR, LIST, STRUCT, FUNCTION */
	struct pkt_expr *next;  /* its sibling */
};

struct pkt_call {
	const char *name;
	struct pkt_expr *args[PKT_ARGUMENTS_MAX];
	int nargs;
	struct pkt_expr *result;
	const char *error; /* ECONNRESET behind a result of -1, or NULL */
	bool blocking;     /* end_us of the event says when it returns */
};

enum pkt_time {
	PKT_ABSOLUTE,       /* 1.5 */
	PKT_RELATIVE,       /* +0.1 */
	PKT_ANY_TIME,       /* * */
	PKT_ABSOLUTE_RANGE, /* 1.0~1.5 */
	PKT_RELATIVE_RANGE, /* +0.1~+0.2 */
};

enum pkt_event_kind { PKT_INBOUND, PKT_OUTBOUND, PKT_CALL, PKT_COMMAND };

struct pkt_event {
	struct pkt_event *next;
	int line;
	enum pkt_time time;
	int64_t start_us, end_us; /* end: of ranges and blocking calls */
	enum pkt_event_kind kind;
	struct pkt_packet packet;
	struct pkt_call call;
};

struct pkt_block;
struct pkt_script {
	struct pkt_options options;
	struct pkt_event *events;
	struct pkt_block *blocks; /* the memory of all the above */
};

/* Reads a script from memory. `name` is for messages. 0, or -EINVAL with one line in error:
 * "name:line: what is wrong". -ENOMEM likewise. */
int pkt_script_parse(struct pkt_script **out, const char *name, const char *text, size_t len,
		     char error[PKT_ERROR_BYTES]);
void pkt_script_free(struct pkt_script *script); /* NULL is harmless */

/* The value of a constant that scripts may name (SOL_SOCKET, MSG_PEEK, EINPROGRESS ...). False:
 * unknown. */
bool pkt_symbol(const char *name, int64_t *value);
/* "ECONNRESET" of 104; "E?" for a number without a name. */
const char *pkt_errno_name(int number);

#endif
