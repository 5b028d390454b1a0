/* ready.h - finding, among the tokens of a caller's array, the one that completed first, at a cost
 * that depends on what is ready and not on the length of the array.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_READY_H
#define RT_READY_H

#include "rt/instance.h"

enum {
	READY_DIRECT = 12, /* arrays of up to so many tokens are looked at token by token */
	READY_NEAR = 16,   /* tokens looked at on both sides of a guess that is mostly exact */
	READY_NEW = 3,     /* tokens in front of the last that are looked at for a new one */
	READY_NOTE = 64,   /* tokens whose place is noted after a wrong guess */
	READY_ROVE = 4,    /* tokens looked at in each search for what other waits left behind */
	READY_MISSES = 32, /* ready operations that one search may find not to be in the array */
	READY_SWEEP = 256, /* tokens that a sweep looks at between two polls */
};

/* The READY slot of qts[0..n-1] that completed first, and its index; NULL: none that a look finds.
 * A long array is searched by the hints that slots keep; what became ready outside the ready list's
 * order (unclaimed, orphans) is the sweep's to find. */
struct slot *ready_find(struct instance *in, const demi_qtoken_t *qts, uint32_t n, uint32_t *at);

/* A look at each token of an array, in pieces between polls: finds tokens that name nothing, and
 * what ready_find() does not. */
struct ready_sweep {
	uint32_t next;     /* index of the next token to look at */
	uint32_t first_at; /* with found: index of the READY token that completed first so far */
	uint64_t order;    /* with found: its order of completion */
	bool found;
	uint64_t orphaned; /* the table's count when the sweep began: an orphan since calls for
			      another */
};

/* Looks at up to READY_SWEEP more tokens. -EINVAL: one of them names nothing; 1: all were looked
 * at, of which `found` is ready at `first_at`; 0: go on. */
int ready_sweep(struct instance *in, struct ready_sweep *w, const demi_qtoken_t *qts, uint32_t n);

/* The wait is about to return the token at qts[at]: what the next one wants to know of it. */
void ready_taken(struct instance *in, const demi_qtoken_t *qts, uint32_t n, uint32_t at);

#endif
