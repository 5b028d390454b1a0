/* token_set.h - the operations in flight of a program, each with the object that it serves.
 *
 * The array `tokens` is what demi_wait_any() wants; it says by index which one has completed, and
 * owners[index] is whom to tell. Taking one out moves the last into its place.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_TOKEN_SET_H
#define EXAMPLES_TOKEN_SET_H

#include <demi/types.h>

/* All zero is an empty set. */
struct token_set {
	demi_qtoken_t *tokens;
	void **owners; /* borrowed */
	int count, capacity;
};

/* 0 or ENOMEM. */
int token_set_add(struct token_set *set, demi_qtoken_t token, void *owner);

/* Takes one out, and returns its owner. */
void *token_set_take(struct token_set *set, int index);

/* Drops all tokens of one owner: it has closed, and their results are of no interest. */
void token_set_drop(struct token_set *set, const void *owner);

void token_set_free(struct token_set *set);

#endif
