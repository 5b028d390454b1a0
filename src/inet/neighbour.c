/* neighbour.c - the table of neighbours, and their states.
 *
 * Every state has one duration for all entries, so that a list a state, appended to at its tail, is
 * in order of deadline, and the next deadline is that of a list's head.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inet/neighbour.h"
#include "base/siphash.h"
#include "inet/arp.h"
#include "inet/eth.h"
#include "inet/ip.h"
#include "inet/limits.h"
#include "inet/output.h"
#include "inet/tcp.h"
#include "inet/udp.h"
#include <errno.h>
#include <stdlib.h>

enum { MS = 1000000 }; /* ns */

/* A contested entry is asked for so often; others as often as the configuration says. A take-over
 * of an address by another host must not take long. */
enum { NEIGHBOUR_CONTESTED_TRIES = 2 };

struct neighbour_table {
	struct neighbour *entries;
	struct neighbour **buckets;
	uint32_t count, bucket_mask;
	uint32_t passive_count, passive_max;
	uint32_t waiting_packets; /* of all entries */
	uint64_t key[2];
	uint64_t duration_ns[NEIGHBOUR_STATES];
	struct list states[NEIGHBOUR_STATES]; /* struct neighbour.by_deadline */
	struct list passive;                  /* struct neighbour.by_age */
	struct list waiting;                  /* struct neighbour.by_packets */
	struct rate requests, answer_requests;
};

/* How long an entry keeps each state. The last part of its time to live is for asking again. */
static void durations_init(struct neighbour_table *t, const struct stack_config *cfg)
{
	uint64_t ttl_ns = cfg->arp_cache_ttl_s * (UINT64_C(1000) * MS);
	uint64_t timeout_ns = cfg->arp_request_timeout_ms * (uint64_t)MS;
	uint64_t asking_ns = timeout_ns * (cfg->arp_request_retries + 1);

	if (asking_ns > ttl_ns / 2)
		asking_ns = ttl_ns / 2;
	t->duration_ns[NEIGHBOUR_INCOMPLETE] = timeout_ns;
	t->duration_ns[NEIGHBOUR_PROBED] = timeout_ns;
	t->duration_ns[NEIGHBOUR_VALID] = ttl_ns - asking_ns;
	t->duration_ns[NEIGHBOUR_STALE] = asking_ns;
	t->duration_ns[NEIGHBOUR_FAILED] = NEIGHBOUR_FAILED_MS * (uint64_t)MS;
	t->duration_ns[NEIGHBOUR_STATIC] = UINT64_MAX;
	t->duration_ns[NEIGHBOUR_FREE] = UINT64_MAX;
}

static void table_init(struct stack *s, struct neighbour_table *t)
{
	for (unsigned i = 0; i < NEIGHBOUR_STATES; i++)
		list_init(&t->states[i]);
	list_init(&t->passive);
	list_init(&t->waiting);
	t->passive_max = (t->count + NEIGHBOUR_PASSIVE_DIVISOR - 1) / NEIGHBOUR_PASSIVE_DIVISOR;
	t->key[0] = rng_u64(&s->rng);
	t->key[1] = rng_u64(&s->rng);
	durations_init(t, &s->cfg);
	for (uint32_t i = 0; i < t->count; i++) {
		struct neighbour *n = &t->entries[i];

		list_init(&n->by_age);
		list_init(&n->by_packets);
		list_init(&n->paths);
		n->deadline_ns = UINT64_MAX;
		list_add_tail(&t->states[NEIGHBOUR_FREE], &n->by_deadline);
	}
}

int neighbour_create(struct stack *s)
{
	struct neighbour_table *t = calloc(1, sizeof(*t));
	uint32_t buckets = 16;

	if (t == NULL)
		return -ENOMEM;
	s->neighbours = t;
	t->count = s->cfg.max_neighbours;
	while (buckets < t->count)
		buckets *= 2;
	t->bucket_mask = buckets - 1;
	t->entries = calloc(t->count, sizeof(*t->entries));
	t->buckets = calloc(buckets, sizeof(struct neighbour *));
	if (t->entries == NULL || t->buckets == NULL)
		return -ENOMEM;
	table_init(s, t);
	return 0;
}

void neighbour_destroy(struct stack *s)
{
	struct neighbour_table *t = s->neighbours;

	if (t == NULL)
		return;
	for (uint32_t i = 0; t->entries != NULL && i < t->count; i++) {
		while (t->entries[i].first != NULL) {
			struct out_packet *p = t->entries[i].first;

			t->entries[i].first = p->next;
			output_drop(s, p);
		}
	}
	free(t->entries);
	free(t->buckets);
	free(t);
	s->neighbours = NULL;
}

static struct neighbour **bucket_of(struct neighbour_table *t, const struct ip_addr *ip)
{
	return &t->buckets[siphash13_2(t->key, ip->words[0], ip->words[1]) & t->bucket_mask];
}

static struct neighbour *look_up(struct neighbour_table *t, const struct ip_addr *ip)
{
	struct neighbour *n = *bucket_of(t, ip);

	while (n != NULL && !ip_eq(&n->ip, ip))
		n = n->hash_next;
	return n;
}

static void set_state(struct stack *s, struct neighbour *n, enum neighbour_state state)
{
	uint64_t duration_ns = s->neighbours->duration_ns[state];

	n->state = (uint8_t)state;
	n->since_ns = s->now_ns;
	n->deadline_ns = duration_ns == UINT64_MAX ? UINT64_MAX : s->now_ns + duration_ns;
	if (n->deadline_ns < s->ip_deadline_ns)
		s->ip_deadline_ns = n->deadline_ns;
	list_del(&n->by_deadline);
	list_add_tail(&s->neighbours->states[state], &n->by_deadline);
}

static void set_passive(struct neighbour_table *t, struct neighbour *n, bool passive)
{
	if (n->passive == passive)
		return;
	n->passive = passive;
	if (passive) {
		list_add_tail(&t->passive, &n->by_age);
		t->passive_count++;
	} else {
		list_del(&n->by_age);
		t->passive_count--;
	}
}

/* The packets that waited, taken off n. */
static struct out_packet *take_packets(struct neighbour_table *t, struct neighbour *n)
{
	struct out_packet *first = n->first;

	t->waiting_packets -= n->packets;
	n->first = n->last = NULL;
	n->packets = 0;
	list_del(&n->by_packets);
	return first;
}

/* `error`: what their sockets are told; 0: nothing. */
static void drop_packets(struct stack *s, struct neighbour *n, uint64_t *counter, int error)
{
	struct out_packet *p = take_packets(s->neighbours, n), *next;

	for (; p != NULL; p = next) {
		next = p->next;
		++*counter;
		if (p->owner != NULL && error != 0)
			udp_error(p->owner, error);
		output_drop(s, p);
	}
}

/* Makes the slot free. Nothing of TCP waits for it. */
static void forget(struct stack *s, struct neighbour *n)
{
	struct neighbour_table *t = s->neighbours;
	struct neighbour **link = bucket_of(t, &n->ip);

	assert(list_empty(&n->paths));
	drop_packets(s, n, &s->stats.lost_neighbour_queue, 0);
	while (*link != n)
		link = &(*link)->hash_next;
	*link = n->hash_next;
	set_passive(t, n, false);
	n->generation++;
	n->contested = false;
	set_state(s, n, NEIGHBOUR_FREE);
}

static struct neighbour *first_of(struct list *l, size_t offset)
{
	return list_empty(l) ? NULL : (struct neighbour *)(void *)((char *)l->next - offset);
}

/* An entry without a MAC, if there is one that no connection waits for. */
static struct neighbour *unresolved(struct neighbour_table *t)
{
	struct list *item;

	if (!list_empty(&t->states[NEIGHBOUR_FAILED]))
		return list_entry(t->states[NEIGHBOUR_FAILED].next, struct neighbour, by_deadline);
	list_for_each (item, &t->states[NEIGHBOUR_INCOMPLETE]) {
		struct neighbour *n = list_entry(item, struct neighbour, by_deadline);

		if (list_empty(&n->paths))
			return n;
	}
	return NULL;
}

/* The least recently used of the live entries. Those that a connection waits for stay. */
static struct neighbour *least_used(struct neighbour_table *t)
{
	struct neighbour *least = NULL;

	for (uint32_t i = 0; i < t->count; i++) {
		struct neighbour *n = &t->entries[i];

		if (n->state == NEIGHBOUR_STATIC || !list_empty(&n->paths))
			continue;
		if (least == NULL || n->used_ns < least->used_ns)
			least = n;
	}
	return least;
}

/* A free slot, by displacing another entry if need be: for an answer only a passive one, else also
 * one without a MAC, or the live one that is least missed. NULL: no place. */
static struct neighbour *find_slot(struct stack *s, bool answer)
{
	struct neighbour_table *t = s->neighbours;
	struct neighbour *oldest = first_of(&t->passive, offsetof(struct neighbour, by_age));
	struct neighbour *n =
	    first_of(&t->states[NEIGHBOUR_FREE], offsetof(struct neighbour, by_deadline));

	if (n != NULL && !(answer && t->passive_count >= t->passive_max))
		return n;
	n = oldest;
	if (n == NULL && !answer)
		n = unresolved(t);
	if (n == NULL && !answer)
		n = least_used(t);
	if (n == NULL)
		return NULL;
	s->stats.neighbour_evictions++;
	forget(s, n);
	return n;
}

/* A new entry, in no state yet. */
static struct neighbour *add(struct stack *s, const struct ip_addr *ip, bool answer)
{
	struct neighbour_table *t = s->neighbours;
	struct neighbour *n = find_slot(s, answer), **bucket = bucket_of(t, ip);

	if (n == NULL)
		return NULL;
	n->ip = *ip;
	n->hash_next = *bucket;
	*bucket = n;
	n->used_ns = s->now_ns;
	n->tries = 0;
	set_passive(t, n, answer);
	return n;
}

/* May everybody be asked for n now? Else it waits for its next deadline. */
static bool may_ask_all(struct stack *s, const struct neighbour *n)
{
	struct neighbour_table *t = s->neighbours;

	if (n->passive && !rate_take(&t->answer_requests, ARP_ANSWER_REQUESTS_PER_S,
				     ARP_ANSWER_REQUESTS_PER_S, s->now_ns))
		return false;
	return rate_take(&t->requests, ARP_REQUESTS_PER_S, ARP_REQUESTS_PER_S, s->now_ns);
}

/* Asks everybody who has n's address. */
static void ask_all(struct stack *s, struct neighbour *n)
{
	n->tries++;
	set_state(s, n, NEIGHBOUR_INCOMPLETE);
	if (may_ask_all(s, n))
		arp_request(s, &n->ip, NULL);
}

/* Asks the one that we know. */
static void ask_one(struct stack *s, struct neighbour *n)
{
	n->tries = n->state == NEIGHBOUR_PROBED ? (uint8_t)(n->tries + 1) : 1;
	set_state(s, n, NEIGHBOUR_PROBED);
	arp_request(s, &n->ip, n->mac);
}

static void confirm(struct stack *s, struct neighbour *n)
{
	n->tries = 0;
	n->contested = false;
	set_state(s, n, NEIGHBOUR_VALID);
}

/* Tells the connections that wait for n. They may look it up again at once. */
static void tell_paths(struct stack *s, struct neighbour *n, int error)
{
	struct list *item;

	while ((item = list_pop(&n->paths)) != NULL)
		tcp_path_resolved(s, list_entry(item, struct ip_path, waiting), error);
}

/* n is at mac from now on: what waited goes out. */
static void resolve(struct stack *s, struct neighbour *n, const uint8_t mac[6],
		    enum neighbour_state state)
{
	struct out_packet *p = take_packets(s->neighbours, n), *next;

	memcpy(n->mac, mac, sizeof(n->mac));
	n->generation++;
	n->contested = false;
	n->tries = 0;
	set_state(s, n, state);
	for (; p != NULL; p = next) {
		next = p->next;
		memcpy(p->head->data, mac, ETH_ADDR_BYTES);
		output_queue(s, p);
	}
	tell_paths(s, n, 0);
}

static void fail(struct stack *s, struct neighbour *n)
{
	s->stats.neighbour_failures++;
	drop_packets(s, n, &s->stats.lost_unresolved, -EHOSTUNREACH);
	set_state(s, n, NEIGHBOUR_FAILED);
	tell_paths(s, n, -EHOSTUNREACH);
}

int neighbour_find(struct stack *s, const struct ip_addr *ip, bool answer, struct neighbour **out)
{
	struct neighbour *n = look_up(s->neighbours, ip);

	if (n == NULL) {
		if (s->cfg.arp_disable_requests)
			return -EHOSTUNREACH;
		n = add(s, ip, answer);
		if (n == NULL)
			return -ENOMEM;
		ask_all(s, n);
	}
	if (!answer)
		set_passive(s->neighbours, n, false);
	n->used_ns = s->now_ns;
	if (n->state == NEIGHBOUR_FAILED)
		return -EHOSTUNREACH;
	if (n->state == NEIGHBOUR_STALE)
		ask_one(s, n);
	*out = n;
	return n->state == NEIGHBOUR_INCOMPLETE ? -EAGAIN : 0;
}

struct neighbour *neighbour_known(struct stack *s, const struct ip_addr *ip)
{
	return look_up(s->neighbours, ip);
}

/* One question in a while, however many reasons there are. */
void neighbour_doubt(struct stack *s, struct neighbour *n)
{
	uint64_t pause_ns = s->neighbours->duration_ns[NEIGHBOUR_PROBED];

	if (n->state == NEIGHBOUR_STALE ||
	    (n->state == NEIGHBOUR_VALID && s->now_ns - n->since_ns >= pause_ns))
		ask_one(s, n);
}

/* News about an entry that has a MAC. False: it is another one. */
static bool heard_again(struct stack *s, struct neighbour *n, const uint8_t mac[6],
			enum arp_news news)
{
	if (memcmp(n->mac, mac, sizeof(n->mac)) == 0) {
		if (news != ARP_NEWS_UNASKED && n->state != NEIGHBOUR_STATIC)
			confirm(s, n);
		return true;
	}
	if (n->state == NEIGHBOUR_STATIC)
		return false;
	n->contested = true;
	neighbour_doubt(s, n);
	return false;
}

bool neighbour_heard(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6],
		     enum arp_news news)
{
	struct neighbour *n = look_up(s->neighbours, ip);

	if (n == NULL) {
		if (news != ARP_NEWS_ASKS_US || s->cfg.arp_disable_requests)
			return true;
		n = add(s, ip, true);
		if (n != NULL)
			resolve(s, n, mac, NEIGHBOUR_VALID);
		return true;
	}
	if (n->state != NEIGHBOUR_INCOMPLETE && n->state != NEIGHBOUR_FAILED)
		return heard_again(s, n, mac, news);
	resolve(s, n, mac, NEIGHBOUR_VALID);
	return true;
}

/* Those that have waited longest for one neighbour make room. */
static void drop_oldest_packets(struct stack *s)
{
	struct list *oldest = s->neighbours->waiting.next;

	drop_packets(s, list_entry(oldest, struct neighbour, by_packets),
		     &s->stats.lost_neighbour_queue, 0);
}

void neighbour_wait(struct stack *s, struct neighbour *n, struct out_packet *p)
{
	struct neighbour_table *t = s->neighbours;

	assert(n->state == NEIGHBOUR_INCOMPLETE);
	if (n->packets == NEIGHBOUR_WAITING_PACKETS) {
		s->stats.lost_neighbour_queue++;
		output_drop(s, p);
		return;
	}
	if (t->waiting_packets == NEIGHBOUR_WAITING_TOTAL_PACKETS)
		drop_oldest_packets(s);
	p->next = NULL;
	if (n->last != NULL) {
		n->last->next = p;
	} else {
		n->first = p;
		list_add_tail(&t->waiting, &n->by_packets);
	}
	n->last = p;
	n->packets++;
	t->waiting_packets++;
}

int neighbour_add_static(struct stack *s, const struct ip_addr *ip, const uint8_t mac[6])
{
	struct neighbour *n = look_up(s->neighbours, ip);

	if (n == NULL)
		n = add(s, ip, false);
	if (n == NULL)
		return -ENOMEM;
	set_passive(s->neighbours, n, false);
	resolve(s, n, mac, NEIGHBOUR_STATIC);
	return 0;
}

/* The one that we know has not answered. Ask for whoever has the address now. */
static void lose(struct stack *s, struct neighbour *n)
{
	s->stats.neighbour_losses++;
	n->generation++;
	n->tries = 0;
	n->contested = false;
	ask_all(s, n);
}

static void on_deadline(struct stack *s, struct neighbour *n)
{
	uint32_t tries = 1 + s->cfg.arp_request_retries;

	switch ((enum neighbour_state)n->state) {
	case NEIGHBOUR_INCOMPLETE:
		if (n->tries < tries)
			ask_all(s, n);
		else
			fail(s, n);
		break;
	case NEIGHBOUR_PROBED:
		if (n->contested && tries > NEIGHBOUR_CONTESTED_TRIES)
			tries = NEIGHBOUR_CONTESTED_TRIES;
		if (n->tries < tries)
			ask_one(s, n);
		else
			lose(s, n);
		break;
	case NEIGHBOUR_VALID:
		if (n->used_ns > n->since_ns)
			ask_one(s, n);
		else
			set_state(s, n, NEIGHBOUR_STALE);
		break;
	case NEIGHBOUR_STALE:
		if (n->used_ns > n->since_ns)
			ask_one(s, n);
		else
			forget(s, n);
		break;
	case NEIGHBOUR_FAILED:
		forget(s, n);
		break;
	case NEIGHBOUR_STATIC:
	case NEIGHBOUR_FREE:
	case NEIGHBOUR_STATES:
		break;
	}
}

void neighbour_tick(struct stack *s)
{
	struct neighbour_table *t = s->neighbours;

	for (unsigned i = NEIGHBOUR_INCOMPLETE; i < NEIGHBOUR_STATIC; i++) {
		struct neighbour *n;

		while ((n = first_of(&t->states[i], offsetof(struct neighbour, by_deadline))) !=
			   NULL &&
		       n->deadline_ns <= s->now_ns)
			on_deadline(s, n);
	}
}

uint64_t neighbour_next_deadline(const struct stack *s)
{
	struct neighbour_table *t = s->neighbours;
	uint64_t deadline_ns = UINT64_MAX;

	for (unsigned i = NEIGHBOUR_INCOMPLETE; i < NEIGHBOUR_STATIC; i++) {
		const struct neighbour *n =
		    first_of(&t->states[i], offsetof(struct neighbour, by_deadline));

		if (n != NULL && n->deadline_ns < deadline_ns)
			deadline_ns = n->deadline_ns;
	}
	return deadline_ns;
}
