/* pmtu.c - what is known of paths narrower than the interface (RFC 1191, RFC 4821 5.2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/pmtu.h"
#include "base/siphash.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include <errno.h>
#include <stdlib.h>

struct pmtu {
	struct ip_addr dst;
	uint64_t expires_ns; /* an entry is in use until then */
	uint64_t raise_ns;   /* found by probing, which may begin anew then; 0: an error told */
	uint16_t mtu_bytes;
	bool narrow; /* less than the floor was told */
};

/* A destination of large datagrams. */
struct tried {
	struct ip_addr dst;
	uint64_t until_ns; /* an entry is in use until then */
	uint32_t bytes;    /* of the largest */
};

struct pmtu_table {
	uint64_t last_expires_ns; /* of all: later, no look-up is needed */
	struct pmtu sets[PMTU_SETS][PMTU_WAYS];
	struct tried tried[PMTU_TRIED_SETS][PMTU_TRIED_WAYS];
};

int pmtu_create(struct stack *s)
{
	s->pmtu = calloc(1, sizeof(*s->pmtu));
	return s->pmtu == NULL ? -ENOMEM : 0;
}

void pmtu_destroy(struct stack *s)
{
	free(s->pmtu);
	s->pmtu = NULL;
}

static uint64_t hash(const struct stack *s, const struct ip_addr *dst)
{
	return siphash13_2(s->hash_key, dst->words[0], dst->words[1]);
}

static struct pmtu *set_of(struct stack *s, const struct ip_addr *dst)
{
	return s->pmtu->sets[hash(s, dst) % PMTU_SETS];
}

static struct pmtu *find(struct stack *s, const struct ip_addr *dst)
{
	struct pmtu *set = set_of(s, dst);

	for (unsigned i = 0; i < PMTU_WAYS; i++) {
		if (set[i].expires_ns > s->now_ns && ip_eq(&set[i].dst, dst))
			return &set[i];
	}
	return NULL;
}

/* As find(), where mostly nothing is known of any path. */
static struct pmtu *find_any(struct stack *s, const struct ip_addr *dst)
{
	return s->pmtu->last_expires_ns > s->now_ns ? find(s, dst) : NULL;
}

/* What an error has told of; NULL: nothing. */
static struct pmtu *find_told(struct stack *s, const struct ip_addr *dst)
{
	struct pmtu *p = find_any(s, dst);

	return p == NULL || p->raise_ns != 0 ? NULL : p;
}

uint32_t ip_path_mtu(struct stack *s, const struct ip_addr *dst)
{
	const struct pmtu *p = find_any(s, dst);

	return p == NULL ? s->ip_mtu : p->mtu_bytes;
}

uint32_t ip_path_mtu_told(struct stack *s, const struct ip_addr *dst)
{
	const struct pmtu *p = find_told(s, dst);

	return p == NULL ? s->ip_mtu : p->mtu_bytes;
}

uint64_t ip_path_mtu_expires(struct stack *s, const struct ip_addr *dst)
{
	const struct pmtu *p = find_told(s, dst);

	return p == NULL ? UINT64_MAX : p->expires_ns;
}

/* An entry for dst, which has none: the one of its set that is over first. */
static struct pmtu *make(struct stack *s, const struct ip_addr *dst)
{
	struct pmtu *set = set_of(s, dst), *p = set;

	for (unsigned i = 1; i < PMTU_WAYS; i++) {
		if (set[i].expires_ns < p->expires_ns)
			p = &set[i];
	}
	*p = (struct pmtu){.dst = *dst};
	return p;
}

static void keep(struct stack *s, struct pmtu *p, uint64_t seconds)
{
	p->expires_ns = s->now_ns + seconds * UINT64_C(1000000000);
	if (p->expires_ns > s->pmtu->last_expires_ns)
		s->pmtu->last_expires_ns = p->expires_ns;
}

void ip_path_mtu_lower(struct stack *s, const struct ip_addr *dst, uint16_t mtu_bytes)
{
	struct pmtu *p = find(s, dst);
	uint32_t before = p == NULL ? s->ip_mtu : p->mtu_bytes;
	bool narrow = mtu_bytes < PMTU_FLOOR_BYTES && mtu_bytes < before;

	if (mtu_bytes < PMTU_FLOOR_BYTES)
		mtu_bytes = PMTU_FLOOR_BYTES;
	if (mtu_bytes >= before && (!narrow || (p != NULL && p->narrow)))
		return;
	if (p == NULL)
		p = make(s, dst);
	p->mtu_bytes = mtu_bytes < before ? mtu_bytes : (uint16_t)before;
	p->narrow = narrow;
	p->raise_ns = 0;
	keep(s, p, PMTU_EXPIRY_S);
	if (narrow)
		s->narrow_until_ns = p->expires_ns;
	s->stats.pmtu_lowered++;
}

void ip_path_probed(struct stack *s, const struct ip_addr *dst, uint16_t mtu_bytes)
{
	struct pmtu *p = find(s, dst);

	if (p != NULL && p->raise_ns == 0)
		return; /* an error knows better, or is proved wrong when it expires */
	if (mtu_bytes >= s->ip_mtu) {
		if (p != NULL)
			p->expires_ns = 0;
		return;
	}
	if (p == NULL)
		p = make(s, dst);
	p->mtu_bytes = mtu_bytes;
	keep(s, p, PMTU_PROBED_S);
	p->raise_ns = s->now_ns + PMTU_EXPIRY_S * UINT64_C(1000000000);
	s->stats.pmtu_probed++;
}

uint16_t ip_path_mtu_probed(struct stack *s, const struct ip_addr *dst, uint64_t *raise_ns)
{
	const struct pmtu *p = find_any(s, dst);

	if (p == NULL || p->raise_ns == 0)
		return 0;
	*raise_ns = p->raise_ns;
	return p->mtu_bytes;
}

bool ip_path_is_narrow(struct stack *s, const struct ip_addr *dst)
{
	const struct pmtu *p = s->narrow_until_ns > s->now_ns ? find(s, dst) : NULL;

	return p != NULL && p->narrow;
}

/* The entry of dst in its set, or else the one that is over first. */
static struct tried *tried_of(struct stack *s, const struct ip_addr *dst)
{
	struct tried *set = s->pmtu->tried[hash(s, dst) % PMTU_TRIED_SETS], *oldest = set;

	for (unsigned i = 0; i < PMTU_TRIED_WAYS; i++) {
		if (ip_eq(&set[i].dst, dst))
			return &set[i];
		if (set[i].until_ns < oldest->until_ns)
			oldest = &set[i];
	}
	return oldest;
}

void ip_path_tried(struct stack *s, const struct ip_addr *dst, uint32_t bytes)
{
	struct tried *t;

	if (bytes <= PMTU_FLOOR_BYTES)
		return;
	t = tried_of(s, dst);
	if (t->until_ns <= s->now_ns || !ip_eq(&t->dst, dst) || t->bytes < bytes)
		t->bytes = bytes;
	t->dst = *dst;
	t->until_ns = s->now_ns + PMTU_TRIED_S * UINT64_C(1000000000);
}

bool ip_path_was_tried(struct stack *s, const struct ip_addr *dst, uint32_t mtu_bytes)
{
	const struct tried *t = tried_of(s, dst);

	return ip_eq(&t->dst, dst) && t->until_ns > s->now_ns && t->bytes > mtu_bytes;
}
