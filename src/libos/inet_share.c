/* inet_share.c - see inet_share.h: devices and their members, and the link that a member has.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/inet_share.h"
#include "base/entropy.h"
#include "base/list.h"
#include "inet/stack.h"
#include "libos/inet_share_ring.h"
#include "libos/inet_share_sort.h"
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { NOBODY = SHARE_INSTANCES };

struct source {
	struct link *link;
	atomic_flag token;          /* whoever has it may use the link */
	_Atomic unsigned owner;     /* a member's number, or NOBODY */
	_Atomic uint64_t polled_ns; /* by its owner */
};

/* A member's place, which is the device's: others may still write to it when the member has left.
 */
struct seat {
	struct share_ring ring;
	int event_fd;        /* wakes the member; -1: nobody has had this seat yet */
	_Atomic bool asleep; /* wants to be woken */
	_Atomic bool woken;  /* event_fd is readable */
};

struct share {
	struct share *next;
	struct share_device device;
	void (*close)(struct share_device *device);
	char interface[IF_NAMESIZE];
	struct ip_addr addr;
	unsigned instances;
	uint64_t hash_key[2];
	struct ports *ports;
	struct source sources[SHARE_SOURCES];
	struct seat seats[SHARE_INSTANCES];
	uint64_t seats_taken;     /* a bit for each member; in the lock */
	_Atomic uint64_t members; /* those whose seats may be written to */
	_Atomic bool lost;        /* the interface is gone */
};

struct member {
	struct link link;
	struct share *share;
	unsigned number;
	struct link *sender;
	struct stack *stack; /* NULL: not attached yet */
	int epoll_fd;        /* its seat's event_fd, and the sources that it watches */
	uint64_t watched;    /* a bit for each source */
	uint64_t now_ns;     /* of the last rx */
};

/* The devices of this process. */
static pthread_mutex_t shares_lock = PTHREAD_MUTEX_INITIALIZER;
static struct share *shares;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void lock_shares(void)
{
	pthread_mutex_lock(&shares_lock);
}

static void unlock_shares(void)
{
	pthread_mutex_unlock(&shares_lock);
}

/* The devices are the parent's. */
static void forget_shares(void)
{
	shares = NULL;
	pthread_mutex_unlock(&shares_lock);
}

static void prepare_for_fork(void)
{
	pthread_atfork(lock_shares, unlock_shares, forget_shares);
}

static struct member *member_of(struct link *l)
{
	return container_of(l, struct member, link);
}

static uint64_t bit_of(unsigned member)
{
	return UINT64_C(1) << member;
}

static bool is_empty(const struct seat *seat)
{
	struct share_frame f;

	return !share_ring_see(&seat->ring, &f);
}

static void wake(struct seat *seat)
{
	const uint64_t one = 1;

	if (!atomic_exchange(&seat->asleep, false))
		return;
	atomic_store(&seat->woken, true);
	if (write(seat->event_fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

/* A copy for another member. One that is not read is lost, as on a wire. */
static void hand_over(struct member *m, unsigned to, const struct share_frame *f)
{
	struct seat *seat = &m->share->seats[to];

	if (share_ring_put(&seat->ring, f))
		wake(seat);
	else
		m->link.rx_dropped++;
}

/* Returns whether there are others. */
static bool hand_to_all(struct member *m, struct share_frame f)
{
	uint64_t others =
	    atomic_load_explicit(&m->share->members, memory_order_acquire) & ~bit_of(m->number);

	const bool any = others != 0;

	f.flags |= BUF_OVERHEARD;
	for (; others != 0; others &= others - 1)
		hand_over(m, (unsigned)__builtin_ctzll(others), &f);
	return any;
}

/* The listener by whose source the segments of a new connection come; 0: it is not known, or
 * nobody's. As a bit. */
static uint64_t listener_at_home(struct share *share, const struct share_sorted *s,
				 uint64_t listeners)
{
	const struct endpoint local = {share->addr, s->port};
	int source = share->device.source_of
			 ? share->device.source_of(&share->device, &s->peer, &local)
			 : -1;

	return source < 0 ? 0 : bit_of((unsigned)source) & listeners;
}

/* A port of several: whose is the connection? `visited`: they do not know it. */
static unsigned find_owner(struct member *m, const struct share_sorted *s, uint64_t holders,
			   uint64_t visited)
{
	struct share *share = m->share;
	uint64_t listeners = ports_listeners(share->ports, s->port) & holders;
	uint64_t others = holders & ~visited & ~bit_of(m->number);

	if (holders & bit_of(m->number) && m->stack &&
	    stack_has_connection(m->stack, &s->peer, s->port))
		return m->number;
	if (s->opens && listeners & bit_of(m->number) && visited != 0)
		return m->number;
	if (s->opens) {
		uint64_t home = listener_at_home(share, s, listeners & ~visited);

		others = home != 0 ? home : listeners & ~visited;
	}
	if (others == 0)
		return m->number;
	return share_pick(others & listeners ? others & listeners : others, s, share->hash_key);
}

static unsigned owner_of(struct member *m, const struct share_sorted *s, uint64_t visited)
{
	struct share *share = m->share;
	uint64_t holders = ports_holders(share->ports, s->protocol, s->port) &
			   atomic_load_explicit(&share->members, memory_order_acquire);

	if (holders == 0)
		return m->number;
	if ((holders & (holders - 1)) == 0)
		return (unsigned)__builtin_ctzll(holders);
	if (s->protocol == PORTS_UDP)
		return share_pick(holders, s, share->hash_key);
	return find_owner(m, s, holders, visited);
}

/* Whether a frame is ours as well; it is handed to the others whom it concerns. The flags of our
 * copy are f->flags. */
static bool sort(struct member *m, struct share_frame *f)
{
	const struct share_sorted s = share_sort(f->bytes, f->len);
	unsigned owner;

	switch (s.kind) {
	case SHARE_ONE:
		return true;
	case SHARE_ALL:
		hand_to_all(m, *f);
		return true;
	case SHARE_PIECES:
		f->flags |= hand_to_all(m, *f) ? BUF_OVERHEARD : 0;
		return true;
	case SHARE_PORT:
		break;
	}
	owner = owner_of(m, &s, f->visited);
	if (owner == m->number)
		return true;
	f->visited |= bit_of(m->number);
	hand_over(m, owner, f);
	return false;
}

/* A buffer of our own for a frame that is ours. NULL: there is none, the frame is lost. */
static struct buf *take(struct member *m, const struct share_frame *f)
{
	struct buf *b = pool_get(m->link.info.rx_pool);

	if (!b || f->len > buf_tailroom(b)) {
		if (b)
			buf_unref(b);
		m->link.rx_dropped++;
		return NULL;
	}
	memcpy(b->data, f->bytes, f->len);
	b->len = f->len;
	b->flags = f->flags;
	m->link.rx_frames++;
	m->link.rx_bytes += f->len;
	m->link.rx_copied_bytes += f->len;
	return b;
}

/* What came from a source: its buffers stay with it. Returns how many frames are ours. */
static int sort_burst(struct member *m, struct buf *const burst[], int n, struct buf *bufs[])
{
	int ours = 0;

	for (int i = 0; i < n; i++) {
		struct share_frame f = {
		    .bytes = burst[i]->data, .len = burst[i]->len, .flags = burst[i]->flags};

		if (sort(m, &f))
			bufs[ours] = take(m, &f);
		else
			bufs[ours] = NULL;
		ours += bufs[ours] != NULL;
		buf_unref(burst[i]);
	}
	return ours;
}

/* A single source is nobody's more than another's. */
static bool is_home(const struct member *m, const struct source *s)
{
	return m->share->device.count > 1 && s == &m->share->sources[m->number];
}

static bool may_poll(const struct member *m, const struct source *s, uint64_t now_ns)
{
	unsigned owner = atomic_load_explicit(&s->owner, memory_order_relaxed);

	return owner == m->number || owner == NOBODY || is_home(m, s) ||
	       now_ns > atomic_load_explicit(&s->polled_ns, memory_order_relaxed) + SHARE_STALE_NS;
}

/* Makes the source ours for now; false: somebody uses it. */
static bool enter(struct member *m, struct source *s, uint64_t now_ns)
{
	unsigned owner = atomic_load_explicit(&s->owner, memory_order_relaxed);

	if (atomic_flag_test_and_set_explicit(&s->token, memory_order_acquire))
		return false;
	/* Another that has found it stale as well may have been quicker. */
	if (owner != m->number && !atomic_compare_exchange_strong(&s->owner, &owner, m->number)) {
		atomic_flag_clear_explicit(&s->token, memory_order_release);
		return false;
	}
	atomic_store_explicit(&s->polled_ns, now_ns, memory_order_relaxed);
	return true;
}

static void leave(struct source *s)
{
	atomic_flag_clear_explicit(&s->token, memory_order_release);
}

static int poll_source(struct member *m, struct source *s, struct buf *bufs[], int max,
		       uint64_t now_ns)
{
	struct buf *burst[LINK_BURST];
	int n;

	if (!may_poll(m, s, now_ns) || !enter(m, s, now_ns))
		return 0;
	n = s->link->ops->rx(s->link, burst, max, now_ns);
	if (n < 0)
		atomic_store(&m->share->lost, true);
	else
		n = sort_burst(m, burst, n, bufs);
	leave(s);
	return n;
}

/* What others have handed over. */
static int read_ring(struct member *m, struct buf *bufs[], int max)
{
	struct seat *seat = &m->share->seats[m->number];
	struct share_frame f;
	int n = 0;

	while (n < max && share_ring_see(&seat->ring, &f)) {
		/* A copy for all is not for others again. */
		bufs[n] = f.flags & BUF_OVERHEARD || sort(m, &f) ? take(m, &f) : NULL;
		n += bufs[n] != NULL;
		share_ring_next(&seat->ring);
	}
	return n;
}

static void wake_up(struct seat *seat)
{
	uint64_t count;

	atomic_store_explicit(&seat->asleep, false, memory_order_relaxed);
	if (!atomic_load_explicit(&seat->woken, memory_order_relaxed))
		return;
	atomic_store(&seat->woken, false);
	if (read(seat->event_fd, &count, sizeof(count)) < 0)
		return; /* the writer has not come to it yet: the next sleep is a short one */
}

static int share_rx(struct link *l, struct buf *bufs[], int max, uint64_t now_ns)
{
	struct member *m = member_of(l);
	struct share *share = m->share;
	int n;

	m->now_ns = now_ns;
	wake_up(&share->seats[m->number]);
	n = read_ring(m, bufs, max);
	for (unsigned i = 0; i < share->device.count && n < max; i++) {
		int rc = poll_source(m, &share->sources[i], bufs + n, max - n, now_ns);

		n += rc > 0 ? rc : 0;
	}
	return n == 0 && atomic_load_explicit(&share->lost, memory_order_relaxed) ? -ENODEV : n;
}

static int share_tx(struct link *l, struct frame frames[], int n, uint64_t now_ns)
{
	struct member *m = member_of(l);
	int sent = m->sender->ops->tx(m->sender, frames, n, now_ns);

	l->tx_frames = m->sender->tx_frames;
	l->tx_bytes = m->sender->tx_bytes;
	l->tx_full = m->sender->tx_full;
	l->tx_copied_bytes = m->sender->tx_copied_bytes;
	return sent;
}

static int share_wake_fd(struct link *l)
{
	return member_of(l)->epoll_fd;
}

static bool is_own(const struct member *m, const struct source *s)
{
	return atomic_load_explicit(&s->owner, memory_order_relaxed) == m->number;
}

/* When to look at a source again. One that is not ours does not wake us. */
static uint64_t source_deadline(struct member *m, struct source *s)
{
	uint64_t at_ns = UINT64_MAX;

	if (!is_own(m, s) || atomic_flag_test_and_set_explicit(&s->token, memory_order_acquire))
		return m->now_ns + SHARE_LOOK_NS;
	if (s->link->ops->next_deadline)
		at_ns = s->link->ops->next_deadline(s->link);
	leave(s);
	return at_ns;
}

static uint64_t share_next_deadline(struct link *l)
{
	struct member *m = member_of(l);
	uint64_t at_ns = UINT64_MAX;

	for (unsigned i = 0; i < m->share->device.count; i++) {
		uint64_t source_ns = source_deadline(m, &m->share->sources[i]);

		at_ns = source_ns < at_ns ? source_ns : at_ns;
	}
	return at_ns;
}

/* Watches a source that is ours, and no other. */
static void watch(struct member *m, unsigned i)
{
	struct link *link = m->share->sources[i].link;
	struct epoll_event ev = {.events = EPOLLIN};
	const bool own = is_own(m, &m->share->sources[i]);

	if (link->ops->wake_fd(link) < 0 || own == ((m->watched & bit_of(i)) != 0))
		return;
	if (epoll_ctl(m->epoll_fd, own ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, link->ops->wake_fd(link),
		      &ev) == 0)
		m->watched ^= bit_of(i);
}

static int arm_source(struct member *m, unsigned i)
{
	struct source *s = &m->share->sources[i];
	int rc;

	watch(m, i);
	if (!is_own(m, s) || atomic_flag_test_and_set_explicit(&s->token, memory_order_acquire))
		return 0;
	rc = s->link->ops->arm(s->link);
	leave(s);
	if (rc == -ENODEV)
		atomic_store(&m->share->lost, true);
	return rc;
}

static int share_arm(struct link *l)
{
	struct member *m = member_of(l);
	struct seat *seat = &m->share->seats[m->number];
	bool ready = false, wakes = true;

	for (unsigned i = 0; i < m->share->device.count; i++) {
		int rc = arm_source(m, i);

		ready |= rc == 1;
		wakes &= rc != -EAGAIN;
	}
	if (atomic_load(&m->share->lost))
		return -ENODEV;
	atomic_store(&seat->asleep, true); /* before the look: whoever writes later wakes us */
	atomic_thread_fence(memory_order_seq_cst);
	if (ready || !is_empty(seat))
		return 1;
	return wakes ? 0 : -EAGAIN;
}

/* In the child. The device's descriptors are closed once. */
static void share_forked(struct link *l)
{
	struct member *m = member_of(l);
	struct share *share = m->share;

	close(m->epoll_fd);
	if (m->sender->ops->forked)
		m->sender->ops->forked(m->sender);
	for (unsigned i = 0; i < share->device.count; i++) {
		struct link *source = share->sources[i].link;

		share->sources[i].link = NULL;
		if (source && source->ops->forked)
			source->ops->forked(source);
	}
	share->device.count = 0;
	for (unsigned i = 0; i < SHARE_INSTANCES; i++) {
		if (share->seats[i].event_fd >= 0)
			close(share->seats[i].event_fd);
		share->seats[i].event_fd = -1;
	}
}

static void destroy_share(struct share *share)
{
	if (share->device.count > 0)
		share->close(&share->device);
	for (unsigned i = 0; i < SHARE_INSTANCES; i++) {
		share_ring_destroy(&share->seats[i].ring);
		if (share->seats[i].event_fd >= 0)
			close(share->seats[i].event_fd);
	}
	ports_destroy(share->ports);
	free(share);
}

/* The last one takes the device along. */
static void leave_share(struct share *share, unsigned number)
{
	ports_leave(share->ports, number);
	for (unsigned i = 0; i < share->device.count; i++) {
		unsigned owner = number;

		atomic_compare_exchange_strong(&share->sources[i].owner, &owner, NOBODY);
	}
	atomic_fetch_and(&share->members, ~bit_of(number));
	share->seats_taken &= ~bit_of(number);
	if (share->seats_taken != 0)
		return;
	for (struct share **p = &shares; *p; p = &(*p)->next) {
		if (*p == share) {
			*p = share->next;
			break;
		}
	}
	destroy_share(share);
}

static void share_destroy(struct link *l)
{
	struct member *m = member_of(l);

	if (m->epoll_fd >= 0)
		close(m->epoll_fd);
	if (m->sender)
		m->sender->ops->destroy(m->sender);
	lock_shares();
	leave_share(m->share, m->number);
	unlock_shares();
	free(m);
}

static const struct link_ops share_ops = {
    .name = "share",
    .rx = share_rx,
    .tx = share_tx,
    .next_deadline = share_next_deadline,
    .wake_fd = share_wake_fd,
    .arm = share_arm,
    .forked = share_forked,
    .destroy = share_destroy,
};

/* Whether the segments of a connection come by the member's own source. */
static bool is_near(void *arg, unsigned member, const struct endpoint *peer,
		    const struct endpoint *local)
{
	struct share *share = arg;
	int source = share->device.source_of(&share->device, peer, local);

	return source < 0 || (unsigned)source == member;
}

static int open_share(struct share **out, const struct share_plan *plan)
{
	struct share *share = calloc(1, sizeof(*share));
	int rc = -ENOMEM;

	if (!share)
		return rc;
	snprintf(share->interface, sizeof(share->interface), "%s", plan->interface);
	share->addr = plan->addr;
	share->instances = plan->instances;
	share->close = plan->close;
	for (unsigned i = 0; i < SHARE_INSTANCES; i++)
		share->seats[i].event_fd = -1;
	share->ports = ports_create();
	if (share->ports)
		rc = entropy_fill(share->hash_key, sizeof(share->hash_key));
	if (rc == 0)
		rc = plan->open(&share->device, plan->arg);
	if (rc < 0) {
		destroy_share(share);
		return rc;
	}
	if (share->device.instances > 0 && share->device.instances < share->instances)
		share->instances = share->device.instances;
	if (share->device.source_of)
		ports_steer(share->ports, is_near, share);
	for (unsigned i = 0; i < share->device.count; i++) {
		share->sources[i].link = share->device.sources[i];
		atomic_flag_clear(&share->sources[i].token);
		atomic_init(&share->sources[i].owner, NOBODY);
	}
	share->next = shares;
	shares = share;
	*out = share;
	return 0;
}

static struct share *find_share(const struct share_plan *plan)
{
	struct share *share = shares;

	while (share && (strcmp(share->interface, plan->interface) != 0 ||
			 !ip_eq(&share->addr, &plan->addr)))
		share = share->next;
	return share;
}

/* What others write to. A seat that was somebody's has it, and may hold what came too late. */
static int prepare_seat(struct seat *seat, uint32_t mtu)
{
	int rc = 0;

	if (seat->event_fd < 0) {
		seat->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (seat->event_fd < 0)
			return -errno;
	}
	if (!seat->ring.slots)
		rc = share_ring_create(&seat->ring, mtu + LINK_HEADER_BYTES);
	while (rc == 0 && !is_empty(seat))
		share_ring_next(&seat->ring);
	return rc;
}

static int take_seat(struct member *m, const struct share_plan *plan)
{
	struct share *share = m->share;
	struct epoll_event ev = {.events = EPOLLIN};
	struct seat *seat = &share->seats[m->number];
	int rc = plan->open_sender(&m->sender, &share->device, plan->arg);

	if (rc == 0)
		rc = prepare_seat(seat, m->sender->info.mtu);
	if (rc == 0)
		rc = ports_join(share->ports, m->number);
	if (rc < 0)
		return rc;
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll_fd < 0 || epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, seat->event_fd, &ev) < 0)
		return -errno;
	m->link.info = m->sender->info;
	return 0;
}

/* In the lock. */
static int join(struct member *m, const struct share_plan *plan)
{
	int rc;

	m->share = find_share(plan);
	if (!m->share) {
		rc = open_share(&m->share, plan);
		if (rc < 0)
			return rc;
	}
	while (m->number < m->share->instances && m->share->seats_taken & bit_of(m->number))
		m->number++;
	if (m->number == m->share->instances) {
		m->share = NULL;
		return -EBUSY;
	}
	m->share->seats_taken |= bit_of(m->number);
	rc = take_seat(m, plan);
	if (rc == 0)
		atomic_fetch_or(&m->share->members, bit_of(m->number));
	return rc;
}

int inet_share_join(struct link **out, const struct share_plan *plan)
{
	struct member *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->link.ops = &share_ops;
	m->epoll_fd = -1;
	pthread_once(&fork_once, prepare_for_fork);
	lock_shares();
	rc = join(m, plan);
	unlock_shares();
	if (rc == 0)
		*out = &m->link;
	else if (m->share)
		share_destroy(&m->link);
	else
		free(m);
	return rc;
}

struct ports *inet_share_ports(struct link *l, unsigned *member)
{
	if (l->ops != &share_ops)
		return NULL;
	*member = member_of(l)->number;
	return member_of(l)->share->ports;
}

void inet_share_attach(struct link *l, struct stack *stack)
{
	if (l->ops == &share_ops)
		member_of(l)->stack = stack;
}
