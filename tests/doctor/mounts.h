/* mounts.h - mounts of a case's own: what it hides there stays as it is for everybody else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_DOCTOR_MOUNTS_H
#define TESTS_DOCTOR_MOUNTS_H

#include <stdbool.h>

/* From now on this process mounts for itself alone. Leaves the case out where that is not allowed.
 */
void mounts_own(void);

/* Whether nobody else sees what is mounted on this folder, which is there. */
bool mounts_may_hide(const char *folder);

/* An empty folder in place of this one, if it is there. Leaves the case out where others would see
 * it. */
void mounts_hide(const char *folder);

/* An empty /dev but for /dev/null, both of one's own. */
void mounts_hide_devices(void);

#endif
