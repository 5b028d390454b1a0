/* pkt_parse.h - what the files of the parser share: the token at hand, the memory of the script,
 * and the first error. Functions return 0 or -EINVAL (-ENOMEM), with the message set by
 * parse_fail().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_PKT_PARSE_H
#define TOOLS_PKT_PARSE_H

#include "pkt_lex.h"
#include "pkt_script.h"
#include <stdbool.h>
#include <stddef.h>

struct parser {
	struct pkt_lexer lexer;
	struct pkt_token token; /* the one to be looked at */
	const char *name;
	char *error;
	struct pkt_script *script;
};

/* Notes "name:line: message" and returns -EINVAL. */
int parse_fail(struct parser *p, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "X expected, but there is Y" at the token. */
int parse_expected(struct parser *p, const char *what);

void parse_next(struct parser *p);
bool parse_is_mark(const struct parser *p, char c);
bool parse_is_word(const struct parser *p, const char *word);
/* Takes the token if it is this one. */
bool parse_take_mark(struct parser *p, char c);
bool parse_take_word(struct parser *p, const char *word);
/* Takes it or fails. */
int parse_mark(struct parser *p, char c);
/* A number from 0 to max; `what` is for the message. */
int parse_number(struct parser *p, const char *what, int64_t max, int64_t *value);

/* A string with an IPv4 address; `what` is for the message. */
int parse_address(struct parser *p, const char *what, uint32_t *value);

/* Zeroed memory of the script; NULL: out of memory, noted. */
void *parse_alloc(struct parser *p, size_t size);
/* The token's text as a string of the script. NULL as above. */
const char *parse_text(struct parser *p, const struct pkt_token *t);

int parse_packet(struct parser *p, bool inbound, struct pkt_packet *out); /* behind < or > */
int parse_call(struct parser *p, struct pkt_event *e);                    /* at ... or the name */
int parse_time(struct parser *p, int64_t *us);

#endif
