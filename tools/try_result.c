/* try_result.c - what the processes of a trial note.
 *
 * SPDX-License-Identifier: MIT
 */
#include "try.h"

#include <stdarg.h>

void try_note(struct try_result *result, enum try_side side, const char *format, ...)
{
	va_list args;

	if (result->error[side][0])
		return;
	va_start(args, format);
	vsnprintf(result->error[side], sizeof(result->error[side]), format, args);
	va_end(args);
}

const char *try_side_name(enum try_side side)
{
	static const char *const names[TRY_SIDES] = {"preparation", "server", "client"};

	return names[side];
}

double try_rate(const struct try_result *result)
{
	return result->elapsed_ns ? (double)result->latency.count * 1e9 / (double)result->elapsed_ns
				  : 0.0;
}
