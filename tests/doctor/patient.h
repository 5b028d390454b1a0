/* patient.h - what the cases of `demi doctor` have at hand: each is played by a process of its own
 * in a network namespace of its own, which has two interfaces joined back to back, va and vb, and
 * makes something wrong there. What is found, what demi_init() says and what the tool prints must
 * be the same; and the command that is said to repair it is carried out, and must.
 *
 * Whatever does not go as it should ends the process with a line that says where.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_DOCTOR_PATIENT_H
#define TESTS_DOCTOR_PATIENT_H

#include "base/finding.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct doctor_case {
	const char *name;
	void (*fn)(void);
};

#define CASE(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

/* Runs them all as cmocka tests; for main(). */
int patient_run_all(const char *group, const struct doctor_case *cases, int count);

/* Ends the process unless... */
#define check(cond) patient_check((cond), #cond, __FILE__, __LINE__)
void patient_check(bool cond, const char *what, const char *file, int line);

/* Leaves the case out, saying why. */
void leave_out(const char *why) __attribute__((noreturn));

/* The configuration: catpowder on va as 10.9.0.1/24, and lines of the section raw_socket. */
void configure(const char *raw_socket);
/* As it is written. libos: what LIBOS names. */
void configure_all(const char *libos, const char *yaml);

/* A process that lives as long as we do, after it has called `fn` in the network namespace `inside`
 * (a process; 0: ours, -1: one of its own). Its number. */
pid_t start(void (*fn)(void), pid_t inside);

/* Runs a command of the shell, which must end well. */
void command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Gives up capabilities (ends with -1), for good. */
void drop(const int *capabilities);

/* Makes a system call fail from now on, also in programs that are started, if its first argument is
 * this; first -1: always. */
void forbid(long call, long first, int error);

/* Each examines anew. */
const struct finding *expect(const char *id, enum finding_level level);
void expect_none(const char *id);

/* demi_init(), in a process that ends then, gives this errno (0: it succeeds), and a line that it
 * logs is the finding with this id (NULL: does not matter). */
void expect_init(int error, const char *id);

/* demi_init() succeeds, and logs one line, which begins with the finding. */
void expect_init_warns(const char *id);

/* Starts `demi doctor` with these arguments, for pclose(): what it prints, but for its errors. */
FILE *doctor(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The tool shows it, and ends with this status. */
void expect_tool(const char *id, int status);

/* An error: found, logged by demi_init(), shown by the tool. */
void expect_error(const char *id, int error);

/* Carries out the remedy, which must make the finding go away. */
void repair(const char *id);

/* Carries out a command as a remedy is: without sudo, and without what one could do instead. */
void carry_out(char *remedy);

/* Calls `fn` in a process of its own without these capabilities (ends with -1). */
void without(const int *capabilities, void (*fn)(void));

#endif
