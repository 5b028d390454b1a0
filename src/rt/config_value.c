/* SPDX-License-Identifier: MIT */
#include "rt/config_value.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 63 }; /* characters of a word that config_word_distance() measures */

/* What others wrote ends up in the log: no control character of theirs may reach a terminal. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

int config_refuse(struct config_problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	make_printable(problem->text);
	return -EINVAL;
}

bool config_word_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"true", "True", "TRUE"};
	static const char *const no[] = {"false", "False", "FALSE"};

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*out = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool digits(const char *s, unsigned base, uint64_t *out)
{
	uint64_t value = 0;

	if (*s == 0)
		return false;
	for (; *s; s++) {
		unsigned digit = isdigit((unsigned char)*s) ? (unsigned)(*s - '0')
				 : isxdigit((unsigned char)*s)
				     ? (unsigned)(tolower((unsigned char)*s) - 'a' + 10)
				     : 99;

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*out = value;
	return true;
}

bool config_word_number(const char *text, uint64_t *out)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return digits(text + 2, 16, out);
	return digits(text, 10, out);
}

/* One number of at most `max_chars` decimal digits; returns what is behind it, or NULL. */
static const char *take_decimal(const char *s, unsigned max_chars, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;
	unsigned n = 0;

	for (; isdigit((unsigned char)s[n]); n++) {
		if (n == max_chars)
			return NULL;
		value = value * 10 + (uint32_t)(s[n] - '0');
	}
	if (n == 0 || value > max)
		return NULL;
	*out = value;
	return s + n;
}

static const char *take_ip4(const char *s, uint32_t *out)
{
	uint32_t addr = 0, byte;

	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && *s++ != '.')
			return NULL;
		s = take_decimal(s, 3, 255, &byte);
		if (!s)
			return NULL;
		addr = addr << 8 | byte;
	}
	*out = addr;
	return s;
}

bool config_word_ip4(const char *text, uint32_t *out)
{
	const char *end = take_ip4(text, out);

	return end && *end == 0;
}

static bool take_prefix_len(const char *s, uint8_t *prefix_len)
{
	uint32_t n;

	s = take_decimal(s, 2, 32, &n);
	if (!s || *s || n == 0)
		return false;
	*prefix_len = (uint8_t)n;
	return true;
}

bool config_word_ip4_prefix(const char *text, uint32_t *out, uint8_t *prefix_len)
{
	const char *end = take_ip4(text, out);

	*prefix_len = 0;
	if (!end)
		return false;
	return *end == 0 || (*end == '/' && take_prefix_len(end + 1, prefix_len));
}

bool config_word_netmask(const char *text, uint8_t *prefix_len)
{
	uint32_t mask;

	if (!strchr(text, '.'))
		return take_prefix_len(text + (*text == '/'), prefix_len);
	if (!config_word_ip4(text, &mask) || mask == 0)
		return false;
	*prefix_len = (uint8_t)__builtin_popcount(mask);
	return mask == (uint32_t)(UINT64_MAX << (32 - *prefix_len)); /* ones, then zeros */
}

bool config_word_mac(const char *text, uint8_t mac[6])
{
	char separator = text[0] && text[1] ? text[2] : 0;

	if (separator != ':' && separator != '-')
		return false;
	for (unsigned i = 0; i < 6; i++, text += 3) {
		char pair[3] = {text[0], text[0] ? text[1] : 0, 0};
		uint64_t byte;

		if (strlen(pair) != 2 || !digits(pair, 16, &byte))
			return false;
		if (text[2] != (i < 5 ? separator : 0))
			return false;
		mac[i] = (uint8_t)byte;
	}
	return true;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The restricted Damerau-Levenshtein distance, three rows of its table at a time. */
unsigned config_word_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return 255;
	for (unsigned j = 0; j <= m; j++)
		last[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned *unused = before;

		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			row[j] = smaller(last[j], row[j - 1]) + 1;
			row[j] = smaller(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = unused;
	}
	return last[m];
}
