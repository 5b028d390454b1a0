/* log.c - formats a line and hands it to one write(2) or to the program's sink.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/log.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LEVEL_UNREAD = LOG_LEVEL_DEBUG + 1, COUNT_BYTES = 40 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const variable_names[] = {"error", "warn", "info", "debug"};

atomic_int log_threshold = LEVEL_UNREAD;

static _Atomic(log_sink) current_sink;
static pthread_once_t variable_once = PTHREAD_ONCE_INIT;
static atomic_bool variable_wrong; /* and not told yet */

void log_set_sink(log_sink sink)
{
	atomic_store(&current_sink, sink);
}

void log_set_level(enum log_level level)
{
	atomic_store(&log_threshold, (int)level);
}

static void write_stderr(int level, const char *line)
{
	struct iovec parts[] = {
	    {(void *)(uintptr_t) "demikernel: ", 12},
	    {(void *)(uintptr_t)level_names[level], strlen(level_names[level])},
	    {(void *)(uintptr_t) ": ", 2},
	    {(void *)(uintptr_t)line, strlen(line)},
	    {(void *)(uintptr_t) "\n", 1},
	};

	/* Nothing can be done about a standard error that is closed or full. */
	if (writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(parts[0])) < 0)
		return;
}

static void emit(int level, const char *line)
{
	log_sink sink = atomic_load(&current_sink);

	if (sink != NULL)
		sink(level, line);
	else
		write_stderr(level, line);
}

/* Messages quote what peers, files and programs gave us: it cannot start a line of its own or talk
 * to a terminal. */
static void blank_controls(char *line)
{
	for (char *c = line; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

static void read_variable(void)
{
	const char *value = getenv("DEMI_LOG");
	int level = LOG_LEVEL_WARN;
	int unread = LEVEL_UNREAD;
	bool known = value == NULL || *value == '\0';

	for (int i = LOG_LEVEL_ERROR; !known && i <= LOG_LEVEL_DEBUG; i++) {
		known = strcasecmp(value, variable_names[i]) == 0;
		level = known ? i : level;
	}
	/* Not when log_set_level() was first. */
	atomic_compare_exchange_strong(&log_threshold, &unread, level);
	atomic_store(&variable_wrong, !known);
}

/* Told outside of pthread_once(): the program's sink may log. */
void log_start(void)
{
	const char *value;
	char line[128];

	pthread_once(&variable_once, read_variable);
	if (!atomic_load_explicit(&variable_wrong, memory_order_relaxed) ||
	    !atomic_exchange(&variable_wrong, false))
		return;
	value = getenv("DEMI_LOG");
	snprintf(line, sizeof(line), "DEMI_LOG is \"%.40s\": use error, warn, info or debug",
		 value ? value : "");
	blank_controls(line);
	emit(LOG_LEVEL_WARN, line);
}

/* Ends a message that did not fit so that it shows. `need` is its length before the cut. */
static void mark_cut(char *line, size_t capacity, int need)
{
	if (need >= 0 && (size_t)need >= capacity)
		memcpy(line + capacity - 4, "...", 4);
}

void log_write(int level, uint64_t count, const char *format, ...)
{
	char line[LOG_LINE_BYTES + COUNT_BYTES]; /* the count has room behind a cut message */
	int saved_errno = errno;
	int need;
	va_list args;

	log_start();
	if (level > atomic_load_explicit(&log_threshold, memory_order_relaxed))
		return;
	va_start(args, format);
	need = vsnprintf(line, LOG_LINE_BYTES, format, args);
	va_end(args);
	if (need < 0)
		line[0] = '\0';
	mark_cut(line, LOG_LINE_BYTES, need);
	blank_controls(line);
	if (count > 1)
		snprintf(line + strlen(line), COUNT_BYTES, " (occurrence %" PRIu64 ")", count);
	emit(level, line);
	errno = saved_errno;
}

void log_line(int level, const char *line)
{
	log_at(level, "%s", line);
}
