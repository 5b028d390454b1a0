/* log.h - one line on standard error, or to the program's own function.
 *
 *     log_warn("%s: link is down, trying again in %u s", name, seconds);
 *
 * writes "demikernel: warning: eth0: link is down, ...". The environment variable DEMI_LOG (error,
 * warn, info or debug; warn when not set) says what is written; it is read once, at the first line.
 * A level that is off costs one load and a branch, and its arguments are not evaluated. A line says
 * what happened and, if the reader can do something about it, what. Safe in any thread; errno is
 * kept.
 *
 * On the data path, where one cause may give a million lines, use the _rarely forms: of each place
 * in the code they write the 1st, 2nd, 4th, 8th ... line, with its number.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdint.h>

/* The numbers are those of demi_log_fn (demi/ext.h). */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum { LOG_LINE_BYTES = 512 }; /* of a message with its NUL; what is longer is cut */

/* Gets each line that is written: the message without a prefix and newline, borrowed for the call.
 * Called in the thread that logs, by several threads at once. */
typedef void (*log_sink)(int level, const char *line);

/* Sends lines to `sink` from now on; NULL: to standard error. A line that another thread is writing
 * may still go to the previous one. */
void log_set_sink(log_sink sink);

/* Reads DEMI_LOG, if that was not done yet, and warns when it is wrong; the first line of the log
 * does so otherwise. */
void log_start(void);

/* Writes what passes `level`, whatever DEMI_LOG says. */
void log_set_level(enum log_level level);

/* Writes a line that has passed its level elsewhere: a sink for another copy of this code. */
void log_line(int level, const char *line);

/* What the macros below call. `count` is 0, or the number of this occurrence. */
void log_write(int level, uint64_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* The most verbose level that is written; above all levels until DEMI_LOG has been read. */
extern atomic_int log_threshold;

#define log_at(level, ...)                                                                         \
	do {                                                                                       \
		if (__builtin_expect(                                                              \
			atomic_load_explicit(&log_threshold, memory_order_relaxed) >= (level), 0)) \
			log_write((level), 0, __VA_ARGS__);                                        \
	} while (0)

#define log_rarely_at(level, ...)                                                                  \
	do {                                                                                       \
		static atomic_uint_fast64_t log_seen;                                              \
		if (atomic_load_explicit(&log_threshold, memory_order_relaxed) >= (level)) {       \
			uint64_t log_n =                                                           \
			    1 + atomic_fetch_add_explicit(&log_seen, 1, memory_order_relaxed);     \
			if ((log_n & (log_n - 1)) == 0)                                            \
				log_write((level), log_n, __VA_ARGS__);                            \
		}                                                                                  \
	} while (0)

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define log_error_rarely(...) log_rarely_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn_rarely(...)  log_rarely_at(LOG_LEVEL_WARN, __VA_ARGS__)

#endif
