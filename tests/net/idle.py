#!/usr/bin/env python3
# idle.py LINK EXAMPLES - what 1 000 idle connections cost, and that they are answered after a silence:
# our server over LINK (xdp, packet), clients over the kernel. Figures, and the kernel's beside them,
# are bench/net's; here are ceilings that also a machine holds that is busy with something else.
#
# SPDX-License-Identifier: MIT
import os
import re
import sys
import time

from net import SLOWDOWN, Host, await_line, cpu_seconds, ended_well, main, ours, wire

LINK, EXAMPLES = sys.argv[1:3]
REST = os.path.join(os.path.dirname(EXAMPLES), "bench", "rest")
SERVER, CLIENT, PORT = "10.7.0.1", "10.7.0.2", "17007"
CONNECTIONS = 1000
LOOKS, LOOK_S = 3, 3.0  # one of them must be cheap: a processor that was taken away counts as used
CPU_CEILING = 0.01 * SLOWDOWN  # of a processor, while all are silent
ANSWER_CEILING_NS = 1e10 * SLOWDOWN


def share_of_a_processor(pid):
    before, since = cpu_seconds(pid), time.monotonic()
    time.sleep(LOOK_S)
    return (cpu_seconds(pid) - before) / (time.monotonic() - since)


def idle_connections_cost_next_to_nothing():
    server, client = Host(), Host()
    wire(server, "server0", client, "client0")
    client.run("ip", "addr", "add", CLIENT + "/24", "dev", "client0")
    s = server.start(os.path.join(EXAMPLES, "tcp-echo"), "--peer", "server", "--address", SERVER + ":" + PORT,
                     env=ours(SERVER, "server0", LINK))
    await_line(s, b"INFO: ")
    c = client.start(REST, "client", CONNECTIONS, LOOKS * LOOK_S + 1, SERVER, PORT)
    await_line(c, b"rests")
    time.sleep(0.5)  # the last acknowledgements
    used = min(share_of_a_processor(s.pid) for _ in range(LOOKS))
    answers = dict(re.findall(r"(\w+)=(\d+)", ended_well(c, "the clients").decode()))
    ended_well(s, "tcp-echo")
    print("%d connections: %.3f %% of a processor while they are idle; the next message after %s ns, and %s ns (p50)"
          % (CONNECTIONS, used * 100, answers["first_ns"], answers["p50_ns"]))
    if used > CPU_CEILING:
        raise AssertionError("%.1f %% of a processor" % (used * 100))
    if float(answers["first_ns"]) > ANSWER_CEILING_NS:
        raise AssertionError("an answer took %s ns" % answers["first_ns"])
    server.end()
    client.end()


sys.exit(main([("idle_connections_cost_next_to_nothing", idle_connections_cost_next_to_nothing)]))
