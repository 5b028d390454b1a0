/* SPDX-License-Identifier: MIT */
#include "pkt_value.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int value_or(const struct pkt_expr *e, int64_t *value)
{
	*value = 0;
	for (const struct pkt_expr *x = e->first; x != NULL; x = x->next) {
		int64_t v;

		if (pkt_value_number(x, &v) < 0)
			return -EINVAL;
		*value |= v;
	}
	return 0;
}

int pkt_value_number(const struct pkt_expr *e, int64_t *value)
{
	switch (e->kind) {
	case EXPR_NUMBER:
		*value = e->number;
		return 0;
	case EXPR_WORD:
		return pkt_symbol(e->text, value) ? 0 : -EINVAL;
	case EXPR_OR:
		return value_or(e, value);
	case EXPR_LIST:
		if (e->first == NULL || e->first->next != NULL)
			return -EINVAL;
		return pkt_value_number(e->first, value);
	case EXPR_FUNCTION:
		if (strcmp(e->text, "htons") != 0 || e->first == NULL)
			return -EINVAL;
		return pkt_value_number(e->first, value); /* ports are of host order here */
	default:
		return -EINVAL;
	}
}

const struct pkt_expr *pkt_value_field(const struct pkt_expr *e, const char *name)
{
	if (e->kind != EXPR_STRUCT)
		return NULL;
	for (const struct pkt_expr *x = e->first; x != NULL; x = x->next) {
		if (x->field != NULL && strcmp(x->field, name) == 0)
			return x;
	}
	return NULL;
}

int pkt_value_address(const struct pkt_expr *e, struct endpoint *value)
{
	const struct pkt_expr *port = pkt_value_field(e, "sin_port");
	const struct pkt_expr *addr = pkt_value_field(e, "sin_addr");
	struct in_addr a = {0};
	int64_t n;

	if (port == NULL || addr == NULL || pkt_value_number(port, &n) < 0 || n < 0 ||
	    n > UINT16_MAX)
		return -EINVAL;
	if (addr->kind == EXPR_FUNCTION && strcmp(addr->text, "inet_addr") == 0) {
		const struct pkt_expr *text = addr->first;

		if (text == NULL || text->kind != EXPR_STRING ||
		    inet_pton(AF_INET, text->text, &a) != 1)
			return -EINVAL;
	} else if (addr->kind != EXPR_WORD || strcmp(addr->text, "INADDR_ANY") != 0) {
		return -EINVAL;
	}
	value->ip = ip4(ntohl(a.s_addr));
	value->port = (uint16_t)n;
	return 0;
}

int pkt_value_iovec(const struct pkt_expr *e, int64_t *bytes)
{
	*bytes = 0;
	if (e->kind != EXPR_LIST)
		return -EINVAL;
	for (const struct pkt_expr *x = e->first; x != NULL; x = x->next) {
		int64_t n;

		if (x->kind != EXPR_STRUCT || x->first->next == NULL ||
		    pkt_value_number(x->first->next, &n) < 0 || n < 0 || n > PKT_SCRIPT_MAX_BYTES)
			return -EINVAL;
		*bytes += n;
	}
	return 0;
}
