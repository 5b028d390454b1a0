/* fake.h - a library that does what a script says, under programs that use the public interface.
 *
 * A program under test is linked with fake.c instead of the library. Each of its waits runs the
 * next step of the script, which completes one of the operations that it has in flight; so any
 * order of events can be played, also those that a real libOS never gives. At the end of the
 * script, FAKE_HONEST completes whatever is in flight, as an echo server and its network would.
 *
 * What a program does wrong fails the test: a token or a descriptor that is not its own, a message
 * used after it was given back, a wait when nothing is left in the script.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_ECHO_FAKE_H
#define TESTS_ECHO_FAKE_H

#include <demi/libos.h>
#include <stdint.h>

enum { FAKE_FIRST_QD = 500 };

enum fake_action {
	FAKE_COMPLETE, /* the oldest push, connect or accept on qd is done */
	FAKE_ECHO,     /* the pop on qd gets the next `value` bytes that were pushed there */
	FAKE_SAY,      /* the pop on qd gets `value` bytes that nobody pushed */
	FAKE_END,      /* the pop on qd gets the end of the stream */
	FAKE_FAIL,     /* the oldest operation on qd fails with errno `value` */
	FAKE_ODD,      /* the oldest operation on qd completes with the opcode `value` */
	FAKE_TIMEOUT,  /* the wait times out */
	FAKE_REFUSE, /* the next pop or push on qd is refused with errno `value`; goes on at once */
	FAKE_NO_POP, /* fails the test when a pop is in flight on qd; goes on at once */
	FAKE_HONEST, /* from here on, echo everything */
	FAKE_STOP,   /* the end: another wait fails the test */
};

struct fake_step {
	enum fake_action action;
	int qd;
	int value;
};

/* Starts anew, with a script that ends with FAKE_HONEST or FAKE_STOP. Borrowed. */
void fake_play(const struct fake_step *script);

/* Fails the test unless the script was played to its end, all descriptors are closed and all
 * messages are given back. */
void fake_assert_clean(void);

/* How many demi_pop_sized() there were on qd. Each must ask for just the bytes that were pushed and
 * have not come back, or fails the test. */
int fake_sized_pops(int qd);

/* How many pushes there were on qd. */
int fake_pushes(int qd);

#endif
