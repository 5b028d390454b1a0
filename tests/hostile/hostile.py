#!/usr/bin/env python3
# hostile.py LINK VICTIM [PART-OF-A-NAME ...] - an adversary who may write any frame, against a server of
# ours over catpowder with LINK (packet, xdp). After each case clients of the kernel's stack are served as
# before. What is random comes from a seed that is printed; DEMI_HOSTILE_SEED=N chooses it.
#
# SPDX-License-Identifier: MIT
import os
import sys
import time

from arena import Arena  # also says where net.py is
from net import allowed

import blind
import floods
import headers
import holders
import mutations
import peers
import states

GROUPS = [headers, blind, states, floods, holders, peers, mutations]


def run(arena, case):
    start = time.monotonic()
    try:
        arena.calm_down()
        case(arena)
        arena.is_alive()
    except (AssertionError, OSError) as e:
        print("FAILED  %s\n%s" % (case.__name__, e), flush=True)
        return False
    print("ok      %s (%.1f s)" % (case.__name__, time.monotonic() - start), flush=True)
    return True


def main(link, program, parts):
    if not allowed():
        return 77
    seed = int(os.environ.get("DEMI_HOSTILE_SEED", time.time_ns() & 0xffffffff))
    print("DEMI_HOSTILE_SEED=%d" % seed, flush=True)
    cases = [c for g in GROUPS for c in g.CASES if not parts or any(p in c.__name__ for p in parts)]
    arena, failed = None, 0
    for case in cases:
        arena = arena or Arena(link, program, seed)
        if not run(arena, case):
            failed += 1
            arena.process.kill()  # the next case begins anew
            arena = None
    if arena:
        arena.end()
    print("%d of %d failed" % (failed, len(cases)))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
