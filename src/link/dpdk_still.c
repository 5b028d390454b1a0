/* dpdk_still.c - see dpdk_still.h.
 *
 * An alarm's callback runs in the interrupt thread. Ours waits, sets the next alarm for at once,
 * and returns, so that whatever else is ready is answered before it is called again.
 *
 * Source: DPDK programmer's guide (22.11), "Environment Abstraction Layer", "User Space Interrupt
 * Event" and "Alarms".
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_still.h"
#include <errno.h>
#include <rte_alarm.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

enum { AT_ONCE_US = 1 };

static sem_t still, go;
static bool begun;

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0 && errno == EINTR)
		;
}

static void stand_still(void *arg)
{
	(void)arg;
	sem_post(&still);
	wait_for(&go);
	if (rte_eal_alarm_set(AT_ONCE_US, stand_still, NULL) != 0)
		sem_post(&still);
}

int dpdk_still_begin(void)
{
	if (begun)
		return 0;
	sem_init(&still, 0, 0);
	sem_init(&go, 0, 0);
	if (rte_eal_alarm_set(AT_ONCE_US, stand_still, NULL) != 0)
		return -ENOMEM;
	wait_for(&still);
	begun = true;
	return 0;
}

void dpdk_still_breathe(void)
{
	sem_post(&go);
	wait_for(&still);
}

bool dpdk_still_has_begun(void)
{
	return begun;
}
