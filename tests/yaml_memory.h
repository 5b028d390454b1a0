/* yaml_memory.h - for tests in which memory runs out: libyaml's, too.
 *
 * libyaml asks for memory by functions of its own, and those of a program come before the
 * library's. What is linked with this file has them ask malloc(), realloc() and strdup(), which the
 * linker lets the test replace (--wrap).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_YAML_MEMORY_H
#define TESTS_YAML_MEMORY_H

/* How often libyaml has asked: a test makes sure that it does. */
unsigned long yaml_memory_calls(void);

#endif
