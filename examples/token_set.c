/* token_set.c - see token_set.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "token_set.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 }; /* tokens */

static int grow(struct token_set *set)
{
	int capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
	demi_qtoken_t *tokens;
	void **owners;

	tokens = realloc(set->tokens, (size_t)capacity * sizeof(*tokens));
	if (!tokens)
		return ENOMEM;
	set->tokens = tokens;
	owners = realloc(set->owners, (size_t)capacity * sizeof(*owners));
	if (!owners)
		return ENOMEM;
	set->owners = owners;
	set->capacity = capacity;
	return 0;
}

int token_set_add(struct token_set *set, demi_qtoken_t token, void *owner)
{
	int error;

	if (set->count == set->capacity) {
		error = grow(set);
		if (error)
			return error;
	}
	set->tokens[set->count] = token;
	set->owners[set->count] = owner;
	set->count++;
	return 0;
}

void *token_set_take(struct token_set *set, int index)
{
	void *owner = set->owners[index];

	set->count--;
	set->tokens[index] = set->tokens[set->count];
	set->owners[index] = set->owners[set->count];
	return owner;
}

void token_set_drop(struct token_set *set, const void *owner)
{
	for (int i = 0; i < set->count;) {
		if (set->owners[i] == owner)
			token_set_take(set, i);
		else
			i++;
	}
}

void token_set_free(struct token_set *set)
{
	free(set->tokens);
	free(set->owners);
	*set = (struct token_set){0};
}
