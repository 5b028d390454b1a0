/* pkt_lex.h - the words of a packetdrill script.
 *
 * The lexer looks at borrowed text and hands out tokens that point into it. A token of kind
 * TOKEN_BAD carries a message in `problem`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_LEX_H
#define TOOLS_PKT_LEX_H

#include <stddef.h>
#include <stdint.h>

enum pkt_token_kind {
	TOKEN_END,
	TOKEN_BAD,
	TOKEN_OPTION,  /* --name or --name=value: text is all of it */
	TOKEN_NUMBER,  /* 12, -1, 0x1f: number */
	TOKEN_FLOAT,   /* 0.25: number is in millionths */
	TOKEN_WORD,    /* letters, digits and _ */
	TOKEN_STRING,  /* "...": text is what is between the quotes, escapes as they stand */
	TOKEN_COMMAND, /* `...` */
	TOKEN_ELLIPSIS,
	TOKEN_MARK, /* any other character: text[0] */
};

struct pkt_token {
	enum pkt_token_kind kind;
	int line;
	const char *text;
	uint32_t len;
	int64_t number;
	const char *problem;
};

struct pkt_lexer {
	const char *at, *end;
	int line;
};

void pkt_lex_start(struct pkt_lexer *l, const char *text, size_t len);

/* The next token; TOKEN_END again and again at the end. */
struct pkt_token pkt_lex_next(struct pkt_lexer *l);

#endif
