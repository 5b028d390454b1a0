#!/usr/bin/env python3
# idle.py LINK EXAMPLES [SECONDS] - what 1 000 idle connections cost, and how soon the first message
# after a silence is answered: our server over LINK (xdp, packet), clients over the kernel. The same
# with the kernel's own server, for comparison.
#
# SPDX-License-Identifier: MIT
import glob
import os
import subprocess
import sys
import time

LINK, EXAMPLES = sys.argv[1:3]
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0  # of silence
del sys.argv[3:]  # for main() they would be parts of names

from net import SLOWDOWN, Host, ended_well, kernels, main, ours, wire

SERVER, CLIENT, PORT = "10.7.0.1", "10.7.0.2", "17007"
CONNECTIONS = 1000
CPU_CEILING = 0.01 * SLOWDOWN  # of a processor, while all are silent
SILENCES = 5  # one of them must have been cheap: in another the machine may have been slow, or busy
ANSWER_CEILING_US = 1e7 * SLOWDOWN  # a machine may be busy with something else, but an answer comes

# Opens the connections, with a message on each, and says so; at a word it goes on, with one message
# after the other on connections that have been silent. Prints how long the answers took, in us.
PEER = """
import resource, socket, sys, time
address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
def turn(s):
    start = time.perf_counter_ns()
    s.sendall(b"x" * 64)
    left = 64
    while left:
        left -= len(s.recv(left))
    return (time.perf_counter_ns() - start) / 1000
def connect():
    end = time.monotonic() + 120
    while True:
        try:
            s = socket.create_connection((address, port), 2)
            s.settimeout(120)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
all = []
for _ in range(count):
    all.append(connect())
    turn(all[-1])
print("open", flush=True)
sys.stdin.readline()
for s in all[:41]:
    print(round(turn(s), 1))
    time.sleep(0.1)
"""


def cpu_seconds(pid):
    return sum(int(open(path).read().split()[0]) for path in glob.glob("/proc/%d/task/*/schedstat" % pid)) / 1e9


def silence(pid):
    """What part of a processor the process uses in a silence, once it is quiet."""
    time.sleep(0.5)
    cpu, start = cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - start)


def min_of_silences(pid):
    used = silence(pid)
    for _ in range(SILENCES - 1):
        if used > CPU_CEILING:
            used = min(used, silence(pid))
    return used


def measure(server_is_ours):
    """The part of a processor, and the times of the answers in us in their order."""
    server, client = Host(), Host()
    wire(server, "server0", client, "client0")
    client.run("ip", "addr", "add", CLIENT + "/24", "dev", "client0")
    if not server_is_ours:
        server.run("ip", "addr", "add", SERVER + "/24", "dev", "server0")
    s = server.start(os.path.join(EXAMPLES, "tcp-echo"), "--peer", "server", "--address", SERVER + ":" + PORT,
                     env=ours(SERVER, "server0", LINK) if server_is_ours else kernels())
    c = client.start("python3", "-c", PEER, SERVER, PORT, str(CONNECTIONS), stdin=subprocess.PIPE)
    try:
        if c.stdout.readline() != b"open\n":
            raise AssertionError("the connections: %r" % c.stdout.read())
        used = min_of_silences(s.pid)
        c.stdin.write(b"\n")
        c.stdin.flush()
        answers = [float(x) for x in ended_well(c, "the clients").split()]
        ended_well(s, "tcp-echo")
    finally:
        c.kill()
        s.kill()
    server.end()
    client.end()
    return used, answers


def idle_connections_cost_next_to_nothing():
    for who, is_ours in (("the kernel's", False), ("ours over " + LINK, True)):
        used, answers = measure(is_ours)
        print("%-18s %d connections idle for %g s: %.3f %% of a processor; the next message after %.0f us,"
              " and %.0f us (p50 of %d)" % (who, CONNECTIONS, SECONDS, used * 100, answers[0],
                                          sorted(answers)[len(answers) // 2], len(answers)))
        if is_ours and used > CPU_CEILING:
            raise AssertionError("%.1f %% of a processor" % (used * 100))
        if max(answers) > ANSWER_CEILING_US:
            raise AssertionError("an answer took %.0f us" % max(answers))


sys.exit(main([("idle_connections_cost_next_to_nothing", idle_connections_cost_next_to_nothing)]))
