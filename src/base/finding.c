/* finding.c - see finding.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/finding.h"
#include "base/log.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

void findings_add(struct findings *all, enum finding_level level, const char *id,
		  const char *format, ...)
{
	struct finding *f;
	va_list args;

	all->full = all->count == FINDINGS_MAX;
	if (all->full)
		return;
	f = &all->items[all->count++];
	*f = (struct finding){.id = id, .level = level};
	va_start(args, format);
	vsnprintf(f->what, sizeof(f->what), format, args);
	va_end(args);
}

void findings_remedy(struct findings *all, const char *format, ...)
{
	struct finding *f;
	va_list args;

	if (all->count == 0 || all->full)
		return;
	f = &all->items[all->count - 1];
	va_start(args, format);
	vsnprintf(f->remedy, sizeof(f->remedy), format, args);
	va_end(args);
}

const struct finding *findings_find(const struct findings *all, const char *id)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].id, id) == 0)
			return &all->items[i];
	}
	return NULL;
}

const struct finding *findings_first(const struct findings *all, enum finding_level level)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (all->items[i].level >= level)
			return &all->items[i];
	}
	return NULL;
}

unsigned findings_log_errors(const struct findings *all)
{
	unsigned errors = 0;

	for (unsigned i = 0; i < all->count; i++) {
		const struct finding *f = &all->items[i];

		if (f->level != FINDING_ERROR)
			continue;
		errors++;
		log_error("%s%s%s", f->what, f->remedy[0] ? ": " : "", f->remedy);
	}
	return errors;
}
