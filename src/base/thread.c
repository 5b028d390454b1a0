/* thread.c - see thread.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/thread.h"

_Thread_local char thread_mark __attribute__((tls_model("initial-exec")));
