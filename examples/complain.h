/* complain.h - error messages that say what failed, why, and what to do about it.
 *
 * Errors of these programs are positive errnos, as the library returns them. The function that sees
 * one first complains about it, with what it was about to do; its callers only pass it up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_COMPLAIN_H
#define EXAMPLES_COMPLAIN_H

/* Prints "PROGRAM: WHAT: reason; remedy" on standard error, WHAT from a printf format. Returns
 * `error`. */
int complain(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
