/* finding.h - what was found out about a machine, for people: one sentence, and the command that
 * repairs it.
 *
 *     findings_add(all, FINDING_ERROR, "interface-down", "interface %s is down", name);
 *     findings_remedy(all, "ip link set dev %s up", name);
 *
 * The examinations of the libOSes (libos.h) write them; `demi doctor` prints them, and a
 * demi_init() that fails logs them: what is said, and how to repair it, is written down once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include <stdbool.h>

enum finding_level {
	FINDING_NOTE,    /* good to know */
	FINDING_WARNING, /* it starts, and does worse than it could */
	FINDING_ERROR,   /* it cannot start */
};

enum {
	FINDING_WHAT_BYTES = 256, /* of the sentence, with its NUL; what is longer is cut */
	FINDING_REMEDY_BYTES = 224,
	FINDINGS_MAX = 32, /* of one examination; further ones are dropped */
};

struct finding {
	const char *id; /* a static name for programs, that stays: "interface-down" */
	enum finding_level level;
	char what[FINDING_WHAT_BYTES];
	char remedy[FINDING_REMEDY_BYTES]; /* empty: nothing can be done */
};

struct findings {
	unsigned count;
	bool full; /* one was dropped */
	struct finding items[FINDINGS_MAX];
};

/* Adds one. `id` is a string constant. */
void findings_add(struct findings *all, enum finding_level level, const char *id,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Says what repairs the one added last. */
void findings_remedy(struct findings *all, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first with this id, or NULL. */
const struct finding *findings_find(const struct findings *all, const char *id);

/* The first of this level or above, or NULL. */
const struct finding *findings_first(const struct findings *all, enum finding_level level);

/* Logs each error, as "WHAT: REMEDY". Returns how many there were. */
unsigned findings_log_errors(const struct findings *all);

#endif
