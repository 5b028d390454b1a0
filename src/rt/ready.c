/* ready.c - see ready.h.
 *
 * Each slot remembers where in the array its token was last seen, and when (seen_at, seen_wait, in
 * waits over long arrays). Programs replace a consumed token in place, append new ones, or compact
 * the array: by swap (the last token moves into the gap), or by shift (all behind the gap move down
 * by one). So before a search the places are noted of the last token, and of the one in the gap of
 * the previous wait unless it is the gap's old neighbour, which a shift has put there. A token that
 * is not where it was seen has been shifted: by nothing else than the number of gaps below it
 * since, which is guessed and looked for around. Every guess is verified against the array; a wrong
 * one costs a scan, and makes the search note the places of some more tokens.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/ready.h"
#include "rt/scan.h"
#include <errno.h>

static void note_place(struct operations *t, const demi_qtoken_t *qts, uint32_t i)
{
	struct slot *s = operation_find(t, qts[i]);

	if (s) {
		s->seen_at = i;
		s->seen_wait = t->waits;
	}
}

static void note_changes(struct instance *in, const demi_qtoken_t *qts, uint32_t n)
{
	note_place(&in->operations, qts, n - 1);
	if (in->vacated < n && qts[in->vacated] != in->neighbour)
		note_place(&in->operations, qts, in->vacated);
}

/* After a guess was wrong: the array is not kept as it was thought to be. */
static void note_some(struct instance *in, const demi_qtoken_t *qts, uint32_t n)
{
	for (unsigned i = 0; i < READY_NOTE; i++) {
		if (in->note_at >= n)
			in->note_at = 0;
		note_place(&in->operations, qts, in->note_at++);
	}
}

/* The index of qt in qts[from..to-1], or `to`. */
static uint32_t scan_plain(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt)
{
	uint32_t i = from;

	while (i < to && qts[i] != qt)
		i++;
	return i;
}

/* Looks for qt within `reach` of `around`, from there outwards: a good guess is near. */
static bool scan_around(const demi_qtoken_t *qts, uint32_t n, demi_qtoken_t qt, uint32_t around,
			uint32_t reach, uint32_t *at)
{
	uint32_t from = around > reach ? around - reach : 0;
	uint32_t to = n - around > reach ? around + reach + 1 : n;
	uint32_t low = around, high = around;

	if (scan_blocks(qts, from, to, qt, &low, &high, at))
		return true;
	*at = scan_plain(qts, high, to, qt);
	if (*at < to)
		return true;
	*at = scan_plain(qts, from, low, qt);
	return *at < low;
}

/* Where a token is that was at `hint` before `age` gaps were closed at random places of an array of
 * n: each gap lies below it with probability place / n, so it is at hint * exp(-age / n), as (1 - x
 * / 64) ^ 64. */
static uint32_t shifted(uint32_t hint, uint32_t n, uint32_t age)
{
	double rest = 1 - (double)age / (64.0 * n);

	if (rest <= 0)
		return 0;
	for (unsigned i = 0; i < 6; i++)
		rest *= rest;
	return (uint32_t)(hint * rest);
}

/* Twice the square root of n or a little more: the deviation of shifted() is half of it at most. */
static uint32_t guess_reach(uint32_t n)
{
	return 2u << ((32 - (unsigned)__builtin_clz(n)) / 2);
}

/* A token that no wait has seen was mostly put at the end, with a few behind it; one that completed
 * after another such stands behind that. */
static bool find_new(const struct instance *in, const demi_qtoken_t *qts, uint32_t n,
		     demi_qtoken_t qt, uint32_t *at)
{
	*at = in->vacated + 1;
	if (*at < n && qts[*at] == qt)
		return true;
	for (*at = n - 1; *at > 0 && *at + READY_NEW >= n; --*at) {
		if (qts[*at - 1] != qt)
			continue;
		--*at;
		return true;
	}
	return false;
}

static bool locate(struct instance *in, const demi_qtoken_t *qts, uint32_t n, const struct slot *s,
		   uint32_t *at)
{
	const demi_qtoken_t qt = operation_token(s);
	const uint32_t hint = s->seen_at < n ? s->seen_at : n - 1;
	const uint32_t age = in->operations.waits - s->seen_wait;

	*at = hint;
	if (qts[hint] == qt)
		return true;
	if (s->seen_at == NO_SLOT && find_new(in, qts, n, qt, at))
		return true;
	if (scan_around(qts, n, qt, shifted(hint, n, age), guess_reach(n), at))
		return true;
	if (age <= hint && scan_around(qts, n, qt, hint - age, READY_NEAR, at))
		return true;
	note_some(in, qts, n);
	return scan_around(qts, n, qt, n / 2, n, at);
}

/* Through the ready list, oldest first. What is not in the array goes to the unclaimed, so that no
 * later search of this kind meets it again. */
static struct slot *find_by_hint(struct instance *in, const demi_qtoken_t *qts, uint32_t n,
				 uint32_t *at)
{
	struct operations *t = &in->operations;

	for (unsigned misses = 0; misses < READY_MISSES && !list_empty(&t->ready); misses++) {
		struct slot *s = list_entry(t->ready.next, struct slot, ready_link);

		if (locate(in, qts, n, s, at))
			return s;
		operation_unclaimed(t, s);
	}
	return NULL;
}

/* In a short array, mostly: what completed first of all is the program's. */
static struct slot *find_first(const struct operations *t, const demi_qtoken_t *qts, uint32_t n,
			       uint32_t *at)
{
	struct slot *s = list_entry(t->ready.next, struct slot, ready_link);

	*at = scan_plain(qts, 0, n, s->token);
	return *at < n ? s : NULL;
}

static struct slot *find_by_look(struct instance *in, const demi_qtoken_t *qts, uint32_t n,
				 uint32_t *at)
{
	struct slot *first = NULL;

	for (uint32_t i = 0; i < n; i++) {
		struct slot *s = operation_find(&in->operations, qts[i]);

		if (!s)
			continue;
		s->seen_at = i;
		s->seen_wait = in->operations.waits;
		if (s->state == SLOT_READY && (!first || s->order < first->order)) {
			first = s;
			*at = i;
		}
	}
	return first;
}

/* Brings the slots of the tokens that the next search looks at into the cache. */
static void prefetch_left_behind(const struct instance *in, const demi_qtoken_t *qts, uint32_t n)
{
	for (uint32_t i = in->rover; i < n && i < in->rover + READY_ROVE; i++)
		__builtin_prefetch(&in->operations.slots[(uint32_t)qts[i]]);
}

/* What other waits left behind may be in this array: a few of its tokens are looked at in each
 * search, the next ones in the next, so that none starves and no search is long. It has to have
 * completed before what is ready. */
static struct slot *find_left_behind(struct instance *in, const demi_qtoken_t *qts, uint32_t n,
				     uint32_t *at)
{
	struct operations *t = &in->operations;
	const struct slot *ready = list_entry(t->ready.next, struct slot, ready_link);
	struct slot *found = NULL;

	if (in->rover >= n)
		in->rover = 0;
	for (unsigned i = 0; i < READY_ROVE && in->rover < n && !found; i++, in->rover++) {
		struct slot *s = operation_find(t, qts[in->rover]);

		if (!s || s->state != SLOT_READY || s->order >= ready->order)
			continue;
		*at = in->rover;
		found = s;
	}
	prefetch_left_behind(in, qts, n);
	return found;
}

struct slot *ready_find(struct instance *in, const demi_qtoken_t *qts, uint32_t n, uint32_t *at)
{
	struct operations *t = &in->operations;
	bool leftover = !list_empty(&t->unclaimed) || !list_empty(&t->orphans);

	if (list_empty(&t->ready) && (!leftover || n > READY_DIRECT))
		return NULL;
	if (n <= READY_DIRECT) {
		struct slot *s = leftover ? NULL : find_first(t, qts, n, at);

		return s ? s : find_by_look(in, qts, n, at);
	}
	t->waits++;
	note_changes(in, qts, n);
	if (leftover) {
		struct slot *s = find_left_behind(in, qts, n, at);

		if (s)
			return s;
	}
	return find_by_hint(in, qts, n, at);
}

int ready_sweep(struct instance *in, struct ready_sweep *w, const demi_qtoken_t *qts, uint32_t n)
{
	struct operations *t = &in->operations;

	if (w->next == n && w->orphaned != t->orphaned)
		*w = (struct ready_sweep){0};
	if (w->next == 0)
		w->orphaned = t->orphaned;
	for (unsigned i = 0; i < READY_SWEEP && w->next < n; i++, w->next++) {
		struct slot *s = operation_find(t, qts[w->next]);

		if (!s)
			return -EINVAL;
		s->seen_at = w->next;
		s->seen_wait = t->waits;
		if (s->state == SLOT_READY && (!w->found || s->order < w->order)) {
			w->found = true;
			w->first_at = w->next;
			w->order = s->order;
		}
	}
	return w->next == n;
}

void ready_taken(struct instance *in, const demi_qtoken_t *qts, uint32_t n, uint32_t at)
{
	in->vacated = at;
	in->rover -= at < in->rover; /* a shift moves what was not looked at yet down by one */
	in->neighbour = at + 1 < n ? qts[at + 1] : 0;
}
