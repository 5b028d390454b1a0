/* SPDX-License-Identifier: MIT */
#include "pkt_lex.h"
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { MICRO = 1000000 };

void pkt_lex_start(struct pkt_lexer *l, const char *text, size_t len)
{
	l->at = text;
	l->end = text + len;
	l->line = 1;
}

/* The character at a distance; NUL beyond the end. */
static char look(const struct pkt_lexer *l, size_t ahead)
{
	return (size_t)(l->end - l->at) > ahead ? l->at[ahead] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void advance(struct pkt_lexer *l, size_t n)
{
	while (n-- > 0 && l->at < l->end) {
		if (*l->at++ == '\n')
			l->line++;
	}
}

/* Past `stop`, two characters; false: the text ended first. */
static bool skip_past(struct pkt_lexer *l, const char *stop)
{
	while (l->at < l->end) {
		if (look(l, 0) == stop[0] && look(l, 1) == stop[1]) {
			advance(l, 2);
			return true;
		}
		advance(l, 1);
	}
	return false;
}

static void skip_line(struct pkt_lexer *l)
{
	while (l->at < l->end && *l->at != '\n')
		advance(l, 1);
}

/* Blanks and comments. False: a comment that does not end. */
static bool skip_blanks(struct pkt_lexer *l)
{
	for (;;) {
		char c = look(l, 0);

		if (l->at == l->end)
			return true;
		if (c == '/' && look(l, 1) == '/') {
			skip_line(l);
		} else if (c == '/' && look(l, 1) == '*') {
			advance(l, 2);
			if (!skip_past(l, "*/"))
				return false;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			advance(l, 1);
		} else {
			return true;
		}
	}
}

static struct pkt_token bad(struct pkt_token t, const char *problem)
{
	t.kind = TOKEN_BAD;
	t.problem = problem;
	return t;
}

/* Takes n characters as the token. */
static struct pkt_token take(struct pkt_lexer *l, struct pkt_token t, enum pkt_token_kind kind,
			     size_t n)
{
	t.kind = kind;
	t.text = l->at;
	t.len = (uint32_t)n;
	advance(l, n);
	return t;
}

/* Digits of `base` from text[at] on into *value; the place behind them. */
static size_t digits(const struct pkt_lexer *l, size_t at, int base, int64_t *value, bool *overflow)
{
	*value = 0;
	for (; isxdigit((unsigned char)look(l, at)); at++) {
		char c = (char)tolower((unsigned char)look(l, at));
		int digit = is_digit(c) ? c - '0' : c - 'a' + 10;

		if (digit >= base)
			break;
		*overflow |= __builtin_mul_overflow(*value, base, value) ||
			     __builtin_add_overflow(*value, digit, value);
	}
	return at;
}

static struct pkt_token lex_hex(struct pkt_lexer *l, struct pkt_token t)
{
	bool overflow = false;
	size_t n = digits(l, 2, 16, &t.number, &overflow);

	t = take(l, t, TOKEN_NUMBER, n);
	if (overflow)
		t.number = -1; /* a byte string that is looked at as text */
	return t;
}

/* Millionths of what stands behind the point; more digits than six are cut off. */
static size_t fraction(const struct pkt_lexer *l, size_t at, int64_t *value)
{
	int64_t unit = MICRO / 10;

	for (*value = 0; is_digit(look(l, at)); at++, unit /= 10)
		*value += unit * (look(l, at) - '0');
	return at;
}

static struct pkt_token lex_number(struct pkt_lexer *l, struct pkt_token t)
{
	bool negative = look(l, 0) == '-', overflow = false;
	int64_t part = 0;
	size_t n = digits(l, negative, 10, &t.number, &overflow);
	enum pkt_token_kind kind = TOKEN_NUMBER;

	if (look(l, n) == '.' && is_digit(look(l, n + 1))) {
		kind = TOKEN_FLOAT;
		n = fraction(l, n + 1, &part);
		overflow |= __builtin_mul_overflow(t.number, MICRO, &t.number) ||
			    __builtin_add_overflow(t.number, part, &t.number);
	} else if (!negative && is_word(look(l, n))) { /* 12ab, as a cookie may be written */
		kind = TOKEN_WORD;
		while (is_word(look(l, n)))
			n++;
		overflow = false;
	}
	if (negative)
		t.number = -t.number;
	t = take(l, t, kind, n);
	return overflow ? bad(t, "the number is too large") : t;
}

static struct pkt_token lex_quoted(struct pkt_lexer *l, struct pkt_token t,
				   enum pkt_token_kind kind)
{
	const char quote = *l->at;
	const char *start = l->at + 1;

	advance(l, 1);
	while (l->at < l->end && *l->at != quote)
		advance(l, *l->at == '\\' ? 2 : 1);
	if (l->at == l->end)
		return bad(t, "the quote does not end");
	t.kind = kind;
	t.text = start;
	t.len = (uint32_t)(l->at - start);
	advance(l, 1);
	return t;
}

static struct pkt_token lex_option(struct pkt_lexer *l, struct pkt_token t)
{
	size_t n = 2;

	while (is_word(look(l, n)))
		n++;
	if (look(l, n) == '=') {
		for (n++; look(l, n) != '\0' && !isspace((unsigned char)look(l, n)); n++)
			;
	}
	return take(l, t, TOKEN_OPTION, n);
}

static struct pkt_token lex_word(struct pkt_lexer *l, struct pkt_token t)
{
	size_t n = 0;

	while (is_word(look(l, n)))
		n++;
	return take(l, t, TOKEN_WORD, n);
}

struct pkt_token pkt_lex_next(struct pkt_lexer *l)
{
	struct pkt_token t = {.line = l->line, .text = l->at};
	char c;

	if (!skip_blanks(l))
		return bad(t, "the comment does not end");
	t.line = l->line;
	c = look(l, 0);
	if (l->at == l->end)
		return take(l, t, TOKEN_END, 0);
	if (c == '0' && look(l, 1) == 'x' && isxdigit((unsigned char)look(l, 2)))
		return lex_hex(l, t);
	if (c == '-' && look(l, 1) == '-' && is_word(look(l, 2)))
		return lex_option(l, t);
	if (is_digit(c) || ((c == '-' || c == '.') && is_digit(look(l, 1))))
		return lex_number(l, t);
	if (is_word(c))
		return lex_word(l, t);
	if (c == '"')
		return lex_quoted(l, t, TOKEN_STRING);
	if (c == '`')
		return lex_quoted(l, t, TOKEN_COMMAND);
	if (c == '.' && look(l, 1) == '.' && look(l, 2) == '.')
		return take(l, t, TOKEN_ELLIPSIS, 3);
	return take(l, t, TOKEN_MARK, 1);
}
