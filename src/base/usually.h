/* usually.h - which way a condition goes nearly always. The compiler lays that way out in a line,
 * as each jump that is taken costs something; so these stand where each message passes, and nowhere
 * else.
 *
 *     if (usually(b != NULL)) ...
 *
 * They are macros, since gcc does not see through a function to the parts of an && or ||.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_USUALLY_H
#define BASE_USUALLY_H

#define usually(condition) __builtin_expect(!!(condition), 1)
#define rarely(condition)  __builtin_expect(!!(condition), 0)

#endif
