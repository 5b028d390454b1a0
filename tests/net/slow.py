#!/usr/bin/env python3
# slow.py EXAMPLES LINK ... - the cases of system.py that take minutes, over all links at a time: they
# spend them waiting.
#
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys

SKIPPED = 77
SYSTEM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "system.py")

children = [subprocess.Popen([sys.executable, "-B", SYSTEM, "slow-" + link, sys.argv[1]]) for link in sys.argv[2:]]
statuses = [child.wait() for child in children]
bad = [status for status in statuses if status not in (0, SKIPPED)]
sys.exit(bad[0] if bad else min(statuses))
