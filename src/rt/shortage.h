/* shortage.h - says once per instance what has run out, and what to do about it.
 *
 * The caller gets an errno each time; the log gets a line the first time only, as a program that
 * is short of something mostly asks again and again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_SHORTAGE_H
#define RT_SHORTAGE_H

#include "demi/types.h"

struct config;
struct findings;
struct instance;

enum shortage {
	SHORTAGE_QUEUES,      /* limits.max_queues */
	SHORTAGE_OPERATIONS,  /* limits.max_operations */
	SHORTAGE_BUFFERS,     /* limits.heap_bytes */
	SHORTAGE_REFERENCES,  /* BUF_CALL_REFS_MAX */
	SHORTAGE_DESCRIPTORS, /* the kernel's */
	SHORTAGE_MEMORY,      /* the system's */
};

/* Logs it, unless this instance has said so before. Keeps errno. */
void shortage_tell(struct instance *in, enum shortage which) __attribute__((cold));

/* The same for the -errno that a call, or an operation, came to; other errors than a shortage are
 * none of the log's. */
void shortage_of_call(struct instance *in, int rc) __attribute__((cold));
void shortage_of_operation(struct instance *in, enum demi_opcode opcode, int rc)
    __attribute__((cold));

/* Adds that this process cannot have the address space that an instance reserves; changes nothing.
 */
void shortage_examine(const struct config *c, struct findings *found);

#endif
