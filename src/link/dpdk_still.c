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
#include <rte_interrupts.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
}

/* The environment keeps a copy of the handle. */
static int register_callback(int fd)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int rc = -ENOMEM;

	if (handle && rte_intr_fd_set(handle, fd) == 0 &&
	    rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT) == 0 &&
	    rte_intr_callback_register(handle, stand_still, NULL) == 0)
		rc = 0;
	rte_intr_instance_free(handle);
	return rc;
}

int dpdk_still_begin(void)
{
	int fd, rc;

	if (begun)
		return 0;
	fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	sem_init(&still, 0, 0);
	sem_init(&go, 0, 0);
	rc = register_callback(fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
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
