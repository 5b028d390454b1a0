/* shortage.c - see shortage.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/shortage.h"
#include "base/finding.h"
#include "base/log.h"
#include "rt/instance.h"
#include <errno.h>
#include <sys/mman.h>

static void log_shortage(const struct config *c, enum shortage which)
{
	switch (which) {
	case SHORTAGE_QUEUES:
		log_error("all %u queues are open: close some, or raise limits.max_queues",
			  c->max_queues);
		break;
	case SHORTAGE_OPERATIONS:
		log_error(
		    "all %u operations are in use: take results by waiting for them, or raise "
		    "limits.max_operations",
		    c->max_operations);
		break;
	case SHORTAGE_BUFFERS:
		log_error("no buffer is left for a message: give messages back with demi_sgafree, "
			  "or raise limits.heap_bytes, which is %llu",
			  (unsigned long long)instance_heap_bytes(c));
		break;
	case SHORTAGE_REFERENCES:
		log_error("one message is being pushed %d times: wait for some of the pushes",
			  BUF_CALL_REFS_MAX);
		break;
	case SHORTAGE_DESCRIPTORS:
		log_error("no kernel descriptors are left: raise the limit (ulimit -n) or close "
			  "connections");
		break;
	case SHORTAGE_MEMORY:
		log_error("the system has no memory left: free some, or raise what limits it "
			  "(ulimit -v, the memory of the container)");
		break;
	}
}

void shortage_tell(struct instance *in, enum shortage which)
{
	unsigned bit = 1u << which;

	if (in->told & bit)
		return;
	in->told |= bit;
	log_shortage(&in->config, which);
}

static void tell_errno(struct instance *in, int rc, enum shortage memory)
{
	if (rc == -EMFILE || rc == -ENFILE)
		shortage_tell(in, SHORTAGE_DESCRIPTORS);
	else if (rc == -ENOMEM)
		shortage_tell(in, memory);
}

void shortage_of_call(struct instance *in, int rc)
{
	tell_errno(in, rc, SHORTAGE_MEMORY);
}

void shortage_of_operation(struct instance *in, enum demi_opcode opcode, int rc)
{
	bool message = opcode == DEMI_OPC_PUSH || opcode == DEMI_OPC_POP;

	tell_errno(in, rc, message ? SHORTAGE_BUFFERS : SHORTAGE_MEMORY);
}

/* What the parts of an instance map, but for what rounds it up. */
static uint64_t wanted_bytes(const struct config *c)
{
	return instance_heap_bytes(c) + (uint64_t)c->small_buffers * HEAP_SMALL_ROOM +
	       (uint64_t)c->max_operations * sizeof(struct slot);
}

void shortage_examine(const struct config *c, struct findings *found)
{
	const uint64_t wanted = wanted_bytes(c);
	void *room = mmap(NULL, wanted, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room != MAP_FAILED) {
		munmap(room, wanted);
		return;
	}
	findings_add(found, FINDING_ERROR, "address-space",
		     "no room for an instance, which reserves %llu MiB of address space",
		     (unsigned long long)(wanted >> 20));
	findings_remedy(found,
			"ulimit -v unlimited, in the shell that starts the program, or lower "
			"limits.heap_bytes");
}
