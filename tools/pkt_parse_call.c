/* pkt_parse_call.c - system calls of a script:
 *
 *	call:   [...N] NAME ( expr , ... ) = expr [ERRNO] [( words )]
 *	expr:   one [| one] ...
 *	one:    ... | NUMBER | SYMBOL | "string" | NAME ( expr, ... ) | [ expr, ... ]
 *	        | { [FIELD [( expr )] =] expr, ... }
 *
 * SPDX-License-Identifier: MIT
 */
#include "pkt_parse.h"
#include <errno.h>
#include <string.h>

static int parse_expr(struct parser *p, int depth, struct pkt_expr **out);

/* expr , expr ... up to `close`, which is taken; may be empty. */
static int parse_list(struct parser *p, int depth, char close, struct pkt_expr **first)
{
	struct pkt_expr **tail = first;

	*first = NULL;
	if (parse_take_mark(p, close))
		return 0;
	do {
		int r = parse_expr(p, depth + 1, tail);

		if (r < 0)
			return r;
		tail = &(*tail)->next;
	} while (parse_take_mark(p, ','));
	return parse_mark(p, close);
}

/* A field's name, = and value, or a value alone. The length in msg_iov(1)= is what the value's own
 * says. */
static int parse_field(struct parser *p, int depth, struct pkt_expr **out)
{
	struct pkt_expr *e;
	const char *field;
	int r = parse_expr(p, depth + 1, out);

	if (r < 0 || !parse_is_mark(p, '='))
		return r;
	e = *out;
	if (e->kind != EXPR_WORD && e->kind != EXPR_FUNCTION)
		return parse_expected(p, "',' or '}'");
	field = e->text;
	parse_next(p);
	r = parse_expr(p, depth + 1, out);
	if (r == 0)
		(*out)->field = field;
	return r;
}

static int parse_struct(struct parser *p, int depth, struct pkt_expr **first)
{
	struct pkt_expr **tail = first;

	*first = NULL;
	do {
		int r = parse_field(p, depth, tail);

		if (r < 0)
			return r;
		tail = &(*tail)->next;
	} while (parse_take_mark(p, ','));
	return parse_mark(p, '}');
}

static int parse_word(struct parser *p, int depth, struct pkt_expr *e)
{
	e->kind = EXPR_WORD;
	e->text = parse_text(p, &p->token);
	if (e->text == NULL)
		return -ENOMEM;
	parse_next(p);
	if (!parse_take_mark(p, '('))
		return 0;
	e->kind = EXPR_FUNCTION;
	return parse_list(p, depth, ')', &e->first);
}

static int parse_atom(struct parser *p, struct pkt_expr *e, enum pkt_expr_kind kind)
{
	e->kind = kind;
	e->number = p->token.number;
	if (kind == EXPR_STRING) {
		e->text = parse_text(p, &p->token);
		e->text_len = p->token.len;
		if (e->text == NULL)
			return -ENOMEM;
	}
	parse_next(p);
	return 0;
}

static int parse_one(struct parser *p, int depth, struct pkt_expr **out)
{
	struct pkt_expr *e;

	if (depth > PKT_DEPTH_MAX)
		return parse_fail(p, p->token.line, "brackets lie more than %d deep",
				  PKT_DEPTH_MAX);
	e = parse_alloc(p, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	*out = e;
	e->line = p->token.line;
	switch (p->token.kind) {
	case TOKEN_ELLIPSIS:
		return parse_atom(p, e, EXPR_ELLIPSIS);
	case TOKEN_NUMBER:
		return parse_atom(p, e, EXPR_NUMBER);
	case TOKEN_STRING:
		return parse_atom(p, e, EXPR_STRING);
	case TOKEN_WORD:
		return parse_word(p, depth, e);
	default:
		break;
	}
	if (parse_take_mark(p, '[')) {
		e->kind = EXPR_LIST;
		return parse_list(p, depth, ']', &e->first);
	}
	if (parse_take_mark(p, '{')) {
		e->kind = EXPR_STRUCT;
		return parse_struct(p, depth, &e->first);
	}
	return parse_expected(p, "a value");
}

static int parse_expr(struct parser *p, int depth, struct pkt_expr **out)
{
	struct pkt_expr *either, **tail;
	int r = parse_one(p, depth, out);

	if (r < 0 || !parse_is_mark(p, '|'))
		return r;
	either = parse_alloc(p, sizeof(*either));
	if (either == NULL)
		return -ENOMEM;
	either->kind = EXPR_OR;
	either->line = (*out)->line;
	either->first = *out;
	*out = either;
	tail = &either->first->next;
	while (parse_take_mark(p, '|')) {
		r = parse_one(p, depth, tail);
		if (r < 0)
			return r;
		tail = &(*tail)->next;
	}
	return 0;
}

/* The words that strerror() gives, for the reader. */
static int parse_note(struct parser *p)
{
	if (!parse_take_mark(p, '('))
		return 0;
	while (!parse_is_mark(p, ')')) {
		if (p->token.kind == TOKEN_END || p->token.kind == TOKEN_BAD)
			return parse_expected(p, "')'");
		parse_next(p);
	}
	parse_next(p);
	return 0;
}

static int parse_result(struct parser *p, struct pkt_call *c)
{
	int64_t ignored;
	int r = parse_mark(p, '=');

	if (r < 0 || (r = parse_expr(p, 0, &c->result)) < 0)
		return r;
	if (p->token.kind == TOKEN_WORD) {
		c->error = parse_text(p, &p->token);
		if (c->error == NULL)
			return -ENOMEM;
		if (!pkt_symbol(c->error, &ignored))
			return parse_fail(p, p->token.line, "there is no errno %s", c->error);
		parse_next(p);
	}
	return parse_note(p);
}

static int parse_arguments(struct parser *p, struct pkt_call *c)
{
	struct pkt_expr *e;
	int line = p->token.line, r = parse_mark(p, '(');

	if (r == 0)
		r = parse_list(p, 0, ')', &e);
	for (; r == 0 && e != NULL; e = e->next) {
		if (c->nargs == PKT_ARGUMENTS_MAX)
			return parse_fail(p, line, "a call has at most %d arguments",
					  PKT_ARGUMENTS_MAX);
		c->args[c->nargs++] = e;
	}
	return r;
}

int parse_call(struct parser *p, struct pkt_event *e)
{
	struct pkt_call *c = &e->call;
	int r;

	if (p->token.kind == TOKEN_ELLIPSIS) {
		parse_next(p);
		c->blocking = true;
		if ((r = parse_time(p, &e->end_us)) < 0)
			return r;
		if (e->end_us < e->start_us)
			return parse_fail(p, e->line, "the call ends before it starts");
	}
	if (p->token.kind != TOKEN_WORD)
		return parse_expected(p, "<, >, ` or a system call");
	c->name = parse_text(p, &p->token);
	if (c->name == NULL)
		return -ENOMEM;
	parse_next(p);
	r = parse_arguments(p, c);
	return r < 0 ? r : parse_result(p, c);
}
