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
#include <errno.h>
#include <immintrin.h>

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

/* The highest index of qt in qts[from..to-1], or `to`. */
static uint32_t scan_down_plain(const demi_qtoken_t *qts, uint32_t from, uint32_t to,
				demi_qtoken_t qt)
{
	for (uint32_t i = to; i > from; i--) {
		if (qts[i - 1] == qt)
			return i - 1;
	}
	return to;
}

/* The same, 16 tokens at a time until those with the token are reached. */
__attribute__((target("avx2"))) static uint32_t
scan_down_avx2(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt)
{
	const __m256i wanted = _mm256_set1_epi64x((int64_t)qt);
	uint32_t i = to;

	for (; i - from >= 16; i -= 16) {
		const __m256i *q = (const __m256i *)(const void *)&qts[i - 16];
		__m256i a = _mm256_cmpeq_epi64(_mm256_loadu_si256(q), wanted);
		__m256i b = _mm256_cmpeq_epi64(_mm256_loadu_si256(q + 1), wanted);
		__m256i c = _mm256_cmpeq_epi64(_mm256_loadu_si256(q + 2), wanted);
		__m256i d = _mm256_cmpeq_epi64(_mm256_loadu_si256(q + 3), wanted);
		__m256i any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));

		if (!_mm256_testz_si256(any, any))
			break;
	}
	uint32_t at = scan_down_plain(qts, from, i, qt);
	return at < i ? at : to;
}

static uint32_t scan_down(const demi_qtoken_t *qts, uint32_t from, uint32_t to, demi_qtoken_t qt)
{
	if (to - from >= 16 && __builtin_cpu_supports("avx2"))
		return scan_down_avx2(qts, from, to, qt);
	return scan_down_plain(qts, from, to, qt);
}

/* Looks for qt within `reach` of `around`. */
static bool scan_around(const demi_qtoken_t *qts, uint32_t n, demi_qtoken_t qt, uint32_t around,
			uint32_t reach, uint32_t *at)
{
	uint32_t from = around > reach ? around - reach : 0;
	uint32_t to = n - around > reach ? around + reach + 1 : n;

	*at = scan_down(qts, from, to, qt);
	return *at < to;
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

static bool locate(struct instance *in, const demi_qtoken_t *qts, uint32_t n, const struct slot *s,
		   uint32_t *at)
{
	const demi_qtoken_t qt = operation_token(&in->operations, s);
	const uint32_t hint = s->seen_at < n ? s->seen_at : n - 1;
	const uint32_t age = in->operations.waits - s->seen_wait;

	*at = hint;
	if (qts[hint] == qt)
		return true;
	if (scan_around(qts, n, qt, shifted(hint, n, age), guess_reach(n), at))
		return true;
	if (age <= hint && scan_around(qts, n, qt, hint - age, READY_NEAR, at))
		return true;
	note_some(in, qts, n);
	*at = scan_down(qts, 0, n, qt);
	return *at < n;
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

struct slot *ready_find(struct instance *in, const demi_qtoken_t *qts, uint32_t n, uint32_t *at)
{
	struct operations *t = &in->operations;
	bool leftover = !list_empty(&t->unclaimed) || !list_empty(&t->orphans);

	if (list_empty(&t->ready) && (!leftover || n > READY_DIRECT))
		return NULL;
	if (n <= READY_DIRECT)
		return find_by_look(in, qts, n, at);
	t->waits++;
	note_changes(in, qts, n);
	/* What other waits left behind may be in this array: looked for often enough that it cannot
	 * starve, seldom enough that a wait costs a few tokens of it. */
	in->scan_credit += READY_CREDIT;
	if (leftover && in->scan_credit >= n) {
		in->scan_credit = 0;
		return find_by_look(in, qts, n, at);
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
	in->neighbour = at + 1 < n ? qts[at + 1] : 0;
}
