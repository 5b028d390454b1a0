/* side.h - what one side of a case has at hand.
 *
 * A case is played by one process (side A), or by two (A and B) that may tell each other numbers.
 * Each knows only the public interface, its libOS by name, and an address for either side: the same
 * cases run over every libOS. Whatever does not go as it should ends the process with a line that
 * says where.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BEHAVIOUR_SIDE_H
#define BEHAVIOUR_SIDE_H

#include <demi/ext.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One libOS to run over: a later one is a row in run.c. */
struct libos_row {
	const char *label;         /* of the row */
	const char *name;          /* as in LIBOS */
	const char *ip[2];         /* of A and B */
	const char *demikernel[2]; /* lines of the section demikernel that each needs */
	const char *sections[2];   /* further sections, whole; an @ stands for run_number */
	bool one_process;          /* has its address alone, against other processes */
	bool one_instance;         /* against other threads, too */
	bool no_kernel;            /* the kernel has no end of the wire */
};

typedef void (*side_fn)(void);

struct behaviour {
	const char *name;
	side_fn a, b; /* b: NULL when A plays alone */
	bool threads; /* one side has several instances at a time */
	bool kernel;  /* B is the kernel's stack */
	bool forks;   /* a child of fork() comes to its end */
};

/* A alone; or A, whose name is the case's, with B. */
#define ALONE(side_a)                                                                              \
	{                                                                                          \
#side_a, side_a, NULL, false, false, false                                         \
	}
#define WITH(side_a, side_b)                                                                       \
	{                                                                                          \
#side_a, side_a, side_b, false, false, false                                       \
	}
/* One side has several threads with an instance each. */
#define THREADS(side_a, side_b)                                                                    \
	{                                                                                          \
#side_a, side_a, side_b, true, false, false                                        \
	}

/* One side forks. */
#define FORKS(side_a, side_b)                                                                      \
	{                                                                                          \
#side_a, side_a, side_b, false, false, true                                        \
	}

/* Side B is played by the kernel's stack. */
#define WITH_KERNEL(side_a, side_b)                                                                \
	{                                                                                          \
#side_a, side_a, side_b, false, true, false                                        \
	}

/* Each ends with a NULL name. */
extern const struct behaviour misuse_cases[], transfer_cases[], wait_cases[], close_cases[],
    process_cases[], limit_cases[], option_cases[];

/* This process's. */
extern const struct libos_row *row;
extern int me;         /* 0: A, 1: B */
extern int channel;    /* to the other */
extern int run_number; /* the runner's process: no other run has it at the same time */

/* Ends the process unless... */
#define check(cond)      check_that((cond), #cond, __FILE__, __LINE__)
#define equal(got, want) check_equal((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define same(a, b, bytes)                                                                          \
	check_that(memcmp((a), (b), (bytes)) == 0, #a " is " #b, __FILE__, __LINE__)
void check_that(bool cond, const char *what, const char *file, int line);
void check_equal(long long got, long long want, const char *what, const char *file, int line);

/* Numbers to and from the other side. hear() waits, for HEAR_SECONDS at most, and makes progress
 * meanwhile: a stack of ours answers nobody outside demi_ calls. */
enum { HEAR_SECONDS = 150 };
void say(uint64_t number);
uint64_t hear(void);
uint64_t hear_idle(void); /* without progress */

/* Writes a configuration for the demi_init() to come: lines of the sections demikernel and limits,
 * NULL: none. */
void configure(const char *demikernel, const char *limits);

/* demi_init(NULL), which must succeed. */
void begin(void);

/* Bounded waiting: ends the process when a result does not come. */
extern const struct timespec patience, no_time;
demi_qresult_t result(demi_qtoken_t qt);
/* The result of a success with this opcode, or of a failure with this errno. */
demi_qresult_t success(demi_qtoken_t qt, demi_opcode_t opcode);
void failure(demi_qtoken_t qt, int error);
/* Makes progress for a while: nothing may complete. */
void still_pending(demi_qtoken_t qt);

struct sockaddr_in at(int side, uint16_t port);
#define SA(sin) (const struct sockaddr *)(sin), sizeof(*(sin))

int tcp_socket(void);
int udp_socket(void); /* bound to my address, a port of its choice */
int tcp_listener(void);
uint16_t port_of(int qd);
demi_qtoken_t start_accept(int qd);
demi_qtoken_t start_connect(int qd, uint16_t port);
demi_qtoken_t start_pop(int qd);
demi_qtoken_t start_push(int qd, const void *data, size_t len);
demi_qtoken_t start_push_to(int qd, const void *data, size_t len, uint16_t port);

/* A connection between the sides: A listens, B connects. */
int connection(void);
/* As connection(), many over one listener. */
void connections(int qd[], unsigned count);

void push_all(int qd, const void *data, size_t len);
/* Pops exactly so many bytes. */
void pop_all(int qd, void *data, size_t len);
/* Pops what must be the end of the stream. */
void pop_end(int qd);
/* Pops whatever there is, and then a reset. */
void pop_until_reset(int qd);
void give_back(demi_qresult_t *qr);

/* Bytes that tell their place. */
void pattern(uint8_t *data, size_t len, unsigned seed);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t now_ns(void);

/* Side B's that several cases share: connects, then ... */
void peer_waits(void);    /* until A says a number, and closes */
void peer_echoes(void);   /* to the end of the stream */
void peer_discards(void); /* what comes, to the end of the stream or a failure; tells how many */
void peer_resets(void);   /* when A says a number; says one then */

#endif
