#!/usr/bin/env python3
# share.py LINK EXAMPLES [PART-OF-A-NAME ...] - several instances on one interface over LINK (xdp,
# packet; dpdk-packet, by catnip): threads of a process, processes, and the queues of a card.
#
# SPDX-License-Identifier: MIT
import os
import sys

from net import PATIENCE_S, Host, await_answer, ended_well, kernels, main, ours, wire

LINK, EXAMPLES = sys.argv[1:3]
ECHO = os.path.join(EXAMPLES, "tcp-echo")
SERVER, OTHER, CLIENT, PORT = "10.7.0.1", "10.7.0.3", "10.7.0.2", "17007"
QUEUES = 4

# Connects when the server is there, echoes a message on each of many connections, which stay open
# until all have, and goes through them once more.
PEER = """
import socket, sys, time
address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def connect():
    end = time.monotonic() + 120
    while True:
        try:
            s = socket.create_connection((address, port), 2)
            s.settimeout(120)
            return s
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
def turn(s, n):
    message = b"%08d" % n * 100
    s.sendall(message)
    got = b""
    while len(got) < len(message):
        piece = s.recv(len(message) - len(got))
        assert piece, "the stream has ended"
        got += piece
    assert got == message, "another message came back"
all = []
for n in range(count):
    all.append(connect())
    turn(all[-1], n)
for n, s in enumerate(all):
    turn(s, n)
"""


def pair(queues=1):
    server, client = Host(), Host()
    wire(server, "server0", client, "client0", queues=queues)
    client.run("ip", "addr", "add", CLIENT + "/24", "dev", "client0")
    return server, client


def environment(address=SERVER, **keys):
    # Over catnip an instance has a queue to itself.
    env = ours(address, "server0", LINK, queues=keys.get("instances", 1))
    with open(env["CONFIG_PATH"], "a") as config:  # the section raw_socket, or dpdk, is the last
        for key, value in keys.items():
            config.write("  %s: %s\n" % (key, value))
    return env


def start(host, env, threads=1, address=SERVER):
    return host.start(ECHO, "--peer", "server", "--address", address + ":" + PORT,
                      "--nthreads", str(threads), env=env)


def ask(client, address=SERVER, connections=100):
    client.run("python3", "-c", PEER, address, PORT, str(connections))


def threads_share_an_interface():
    server, client = pair()
    s = start(server, environment(instances=4), threads=3)
    ask(client)
    ended_well(s, "tcp-echo")
    server.end()
    client.end()


def more_threads_than_instances_are_refused():
    server, client = pair()
    s = start(server, environment(), threads=2)
    out, _ = s.communicate(timeout=PATIENCE_S)
    key = b"dpdk.instances" if LINK.startswith("dpdk") else b"raw_socket.instances"
    if s.returncode != 1 or key not in out:
        raise AssertionError("no remedy: %r" % out)
    server.end()
    client.end()


def all_queues_of_a_card_are_received_from():
    """The driver counts what each queue's program has taken; nobody does behind it."""
    if LINK != "xdp":
        return
    for mode in ("native", "generic"):
        server, client = pair(queues=QUEUES)
        s = start(server, environment(xdp_queues=QUEUES, xdp_mode=mode))
        ask(client)
        ended_well(s, "tcp-echo")
        received = [int(line.split(b":")[1]) for line in
                    server.run("ethtool", "-S", "server0").splitlines() if b"_xdp_redirect:" in line]
        if mode == "native" and sum(n > 0 for n in received) < 2:
            raise AssertionError("only one queue was used: %r" % received)
        server.end()
        client.end()


def a_second_process_with_another_address():
    """Over AF_XDP the queue is taken, and it is told by whom; AF_PACKET has none to be taken."""
    server, client = pair()
    first = start(server, environment())
    await_answer(client, SERVER)
    second = start(server, environment(OTHER), address=OTHER)
    if LINK == "xdp":
        out, _ = second.communicate(timeout=PATIENCE_S)
        if second.returncode != 1 or b"kill %d" % first.pid not in out:
            raise AssertionError("not told: %r" % out)
    else:
        ask(client, OTHER, 5)
        ended_well(second, "tcp-echo")
    ask(client, connections=5)
    ended_well(first, "tcp-echo")
    server.end()
    client.end()


def killed_and_started_again_nothing_stays_behind():
    server, client = pair()
    for _ in range(3):
        s = start(server, environment(instances=4), threads=3)
        await_answer(client, SERVER)
        s.kill()
        s.wait()
    s = start(server, environment(instances=4), threads=3)
    ask(client)
    ended_well(s, "tcp-echo")
    if b"xdp" in server.run("ip", "link", "show", "server0"):
        raise AssertionError("a program stayed attached")
    if b"demikernel/" in server.run("cat", "/proc/net/unix"):
        raise AssertionError("the address is still claimed")
    server.end()
    client.end()


CASES = [threads_share_an_interface, more_threads_than_instances_are_refused,
         all_queues_of_a_card_are_received_from, a_second_process_with_another_address,
         killed_and_started_again_nothing_stays_behind]
sys.exit(main([(c.__name__, c) for c in CASES]))
