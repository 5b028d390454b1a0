/* json.h - what reports for programs are made of.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdio.h>

/* Prints a string with its quotes, escaped as RFC 8259 section 7 wants it. */
void json_string(FILE *out, const char *text);

#endif
