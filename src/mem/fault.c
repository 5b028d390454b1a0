/* fault.c - the counter of a thread, and the list of what has a fast path.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mem/fault.h"
#include "base/thread.h"
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t points_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list points = {&points, &points}; /* of all threads */

static _Thread_local uint64_t countdown; /* allocations until the one that fails; 0: none */
static _Thread_local bool slow;          /* between mem_fault_set() and mem_fault_clear() */

static void set_points(bool on)
{
	struct list *l;

	if (slow == on)
		return;
	slow = on;
	pthread_mutex_lock(&points_lock);
	list_for_each (l, &points) {
		struct mem_fault_point *point = list_entry(l, struct mem_fault_point, link);

		if (point->owner == thread_self())
			point->set(point, on);
	}
	pthread_mutex_unlock(&points_lock);
}

void mem_fault_set(uint64_t n)
{
	assert(n >= 1);
	countdown = n;
	set_points(true);
}

bool mem_fault_clear(void)
{
	bool struck = slow && countdown == 0;

	set_points(false);
	countdown = 0;
	return struck;
}

bool mem_fault_hit(void)
{
	return __builtin_expect(countdown > 0, 0) && --countdown == 0;
}

void mem_fault_register(struct mem_fault_point *point)
{
	point->owner = thread_self();
	pthread_mutex_lock(&points_lock);
	list_add_tail(&points, &point->link);
	pthread_mutex_unlock(&points_lock);
	if (slow)
		point->set(point, true);
}

void mem_fault_unregister(struct mem_fault_point *point)
{
	pthread_mutex_lock(&points_lock);
	list_del(&point->link);
	pthread_mutex_unlock(&points_lock);
	if (slow)
		point->set(point, false);
}
