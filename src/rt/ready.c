/* ready.c - see ready.h.
 *
 * Each slot remembers where a wait last saw its token (seen_at). Programs replace a consumed token
 * in place, append new ones, or compact the array, by swap (the last token moves into the gap) or
 * by shift (all behind the gap move down by one). So before a search the places are noted of the
 * token in the gap of the previous wait, of the last token, and of a few in a round; and a token
 * that is not where it was seen is looked for downwards from there first. A hint is always verified
 * against the array, so that a wrong one costs time only.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/ready.h"
#include <errno.h>
#include <immintrin.h>

static void note_place(struct instance *in, const demi_qtoken_t *qts, uint32_t i)
{
	struct slot *s = operation_find(&in->operations, qts[i]);

	if (s)
		s->seen_at = i;
}

static void note_places(struct instance *in, const demi_qtoken_t *qts, uint32_t n)
{
	note_place(in, qts, n - 1);
	if (in->vacated < n)
		note_place(in, qts, in->vacated);
	for (unsigned i = 0; i < READY_REFRESH; i++) {
		if (in->refresh_at >= n)
			in->refresh_at = 0;
		note_place(in, qts, in->refresh_at++);
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

static bool locate(const demi_qtoken_t *qts, uint32_t n, demi_qtoken_t qt, uint32_t hint,
		   uint32_t *at)
{
	uint32_t top = hint < n ? hint + 1 : n;

	if (hint < n && qts[hint] == qt) {
		*at = hint;
		return true;
	}
	*at = scan_down(qts, 0, top, qt);
	if (*at < top)
		return true;
	*at = scan_down(qts, top, n, qt);
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

		if (locate(qts, n, operation_token(t, s), s->seen_at, at))
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
	note_places(in, qts, n);
	/* What other waits left behind may be in this array: looked for often enough that it cannot
	 * starve, seldom enough that a wait costs a few tokens of it. */
	in->scan_credit += READY_REFRESH;
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
		if (s->state == SLOT_READY && (!w->found || s->order < w->order)) {
			w->found = true;
			w->first_at = w->next;
			w->order = s->order;
		}
	}
	return w->next == n;
}
