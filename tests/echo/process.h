/* process.h - runs programs under test, and waits for what they say and how they end.
 *
 * Nothing sleeps: a test waits for a line, or for the end. What does not come in time fails the
 * test, and process_kill_all(), to be called after each test, leaves nothing behind.
 *
 * Programs are looked for in the folder that DEMI_TEST_PROGRAMS names. DEMI_TEST_WRAPPER is put in
 * front of their command lines, word by word: "valgrind -q --error-exitcode=99" for example.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_ECHO_PROCESS_H
#define TESTS_ECHO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	PROCESS_ARGUMENTS = 24,
	PROCESS_TEXT_BYTES = 1 << 17, /* of what a program writes; the rest is dropped */
};

struct process {
	pid_t pid; /* 0: ended, or never started */
	int out;   /* both of its outputs */
	char text[PROCESS_TEXT_BYTES];
	size_t len;
};

/* Starts a program with the arguments of a command line: words, without quotes. */
void process_start(struct process *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Waits until it has written `text`. */
void process_await(struct process *p, const char *text);

/* Waits until it says where it listens or is bound, and returns the port. */
int process_await_port(struct process *p);

/* Waits for its end. Its exit status, or 128 and the number of the signal that ended it. */
int process_end(struct process *p);

bool process_said(const struct process *p, const char *text);

/* Ends what still runs. For cmocka: returns 0. */
int process_kill_all(void **state);

#endif
