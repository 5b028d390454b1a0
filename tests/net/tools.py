#!/usr/bin/env python3
# tools.py LINK EXAMPLES - the example programs that dump, generate, relay, close and wait: over
# catpowder, by LINK (xdp, packet), against the kernel's own TCP and UDP; or over catnap or catcollar
# (LINK of that name, on loopback) against each other.
#
# SPDX-License-Identifier: MIT
import os
import re
import signal
import subprocess
import sys

from net import SKIPPED, Here, Host, await_line, can_start, ended_well, kernels, main, ours, wire

LINK, EXAMPLES = sys.argv[1:3]
ON_LOOPBACK = LINK in ("catnap", "catcollar")
BYTES = 1000

# Sends datagrams one by one, and again when no answer comes: UDP may lose them.
ASK = """
import socket, sys
to = (sys.argv[1], int(sys.argv[2]))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
for i in range(50):
    want = b"%d " % i * (i + 1)
    for attempt in range(60):
        s.sendto(want, to)
        try:
            while True:
                got, sender = s.recvfrom(65536)
                if got == want:
                    break
        except TimeoutError:
            continue
        break
    else:
        sys.exit("no answer to %d" % i)
    if sender != to:
        sys.exit("answered by %s:%d" % sender)
print("all answered")
"""


class Side:
    def __init__(self, host, env, address):
        self.host, self.env, self.address = host, env, address

    def start(self, name, *args):
        return self.host.start(os.path.join(EXAMPLES, name), *args, env=self.env)

    def listen(self, name, *args):
        """Starts a program that says where it is: itself, and IP:PORT."""
        process = self.start(name, *args)
        return process, await_line(process, b"INFO: ").decode().split()[-1]


class Sides:
    """Two ends: of LINK, and who talks to it."""

    def __enter__(self):
        if ON_LOOPBACK:
            env = dict(kernels(), LIBOS=LINK)
            self.tested = self.other = Side(Here(), env, "127.0.0.1")
            return self
        a, b = Host(), Host()
        wire(a, "a0", b, "b0")
        b.run("ip", "addr", "add", "10.7.0.2/24", "dev", "b0")
        self.tested = Side(a, ours("10.7.0.1", "a0", LINK), "10.7.0.1")
        self.other = Side(b, kernels(), "10.7.0.2")
        return self

    def __exit__(self, *_):
        self.tested.host.end()
        self.other.host.end()


def interrupt(process, what):
    """Ends a program as ^C does; its total of messages and bytes."""
    process.send_signal(signal.SIGINT)
    out = ended_well(process, what).decode()
    total = re.search(r"total: (\d+) messages, (\d+) B", out)
    if not total:
        raise AssertionError("%s: no total in\n%s" % (what, out))
    return tuple(map(int, total.groups()))


def rounds(sides):
    """The tested side takes, and the tested side gives."""
    return [(sides.tested, sides.other)] + ([] if ON_LOOPBACK else [(sides.other, sides.tested)])


def tcp_dump_counts_what_tcp_pktgen_sends():
    with Sides() as sides:
        for server, client in rounds(sides):
            dump, address = server.listen("tcp-dump", "--local", server.address + ":0")
            generator = client.start("tcp-pktgen", "--remote", address, "--bufsize", BYTES,
                                     "--injection_rate", 500)
            await_line(generator, b" B / ")
            _, sent = interrupt(generator, "tcp-pktgen")
            await_line(dump, b"a client has left")
            _, got = interrupt(dump, "tcp-dump")
            # What was on its way when the generator was interrupted may have come, too.
            assert 0 < sent <= got <= sent + 64 * BYTES, (sent, got)


def udp_dump_counts_what_udp_pktgen_sends():
    with Sides() as sides:
        for server, client in rounds(sides):
            dump, address = server.listen("udp-dump", "--local", server.address + ":0")
            generator = client.start("udp-pktgen", "--local", client.address + ":0", "--remote", address,
                                     "--bufsize", BYTES, "--injection_rate", 500)
            await_line(generator, b" B / ")
            await_line(dump, b" B / ")
            interrupt(generator, "udp-pktgen")
            messages, got = interrupt(dump, "udp-dump")
            assert messages > 0 and got == messages * BYTES, (messages, got)


def udp_relay_stands_between_udp_echo_and_who_asks_it():
    with Sides() as sides:
        echo, echo_at = sides.other.listen("udp-echo", "--local", sides.other.address + ":0")
        relay, relay_at = sides.tested.listen("udp-relay", "--local", sides.tested.address + ":0",
                                              "--remote", echo_at)
        client = sides.other.host.start(sys.executable, "-c", ASK, *relay_at.split(":"))
        assert b"all answered" in ended_well(client, "the client")
        messages, _ = interrupt(relay, "udp-relay")
        assert messages >= 100, messages
        interrupt(echo, "udp-echo")


def tcp_close_closes_all_in_every_way():
    with Sides() as sides:
        for server, client in rounds(sides):
            for who in "server", "client":
                for mode in "sequential", "concurrent":
                    arguments = ["--whocloses", who, "--nclients", 50, "--run-mode", mode]
                    process, address = server.listen("tcp-close", "--peer", "server", "--address",
                                                     server.address + ":0", *arguments)
                    asks = client.start("tcp-close", "--peer", "client", "--address", address,
                                        *arguments)
                    assert b"closed: 50" in ended_well(asks, "client, %s closes, %s" % (who, mode))
                    said = ended_well(process, "server, %s closes, %s" % (who, mode))
                    assert b"accepted: 50, closed: 50, broken: 0" in said, said


def tcp_wait_ends_as_it_should_in_every_scenario():
    with Sides() as sides:
        for server, client in rounds(sides):
            for what in "push", "pop":
                for how in "close", "async_close", "async_close_pending":
                    scenario = "%s_%s_wait" % (what, how)
                    process, address = server.listen("tcp-wait", "--peer", "server", "--address",
                                                     server.address + ":0", "--nclients", 10)
                    asks = client.start("tcp-wait", "--peer", "client", "--address", address,
                                        "--scenario", scenario, "--nclients", 10)
                    assert b"10 ended as they should" in ended_well(asks, scenario)
                    said = ended_well(process, scenario)
                    assert b"accepted: 10, closed: 10, broken: 0" in said, said


def wrong_command_lines_are_told():
    wrong = [["tcp-dump", "--local", "nowhere"], ["tcp-dump", "--frobnicate", "1"],
             ["tcp-pktgen"], ["tcp-pktgen", "--remote"], ["tcp-pktgen", "--remote", "127.0.0.1:1", "--bufsize=0"],
             ["udp-pktgen", "--remote", "127.0.0.1:1", "--bufsize", "65508"], ["udp-relay"],
             ["tcp-close", "--peer", "server", "--address", "127.0.0.1:0"],
             ["tcp-wait", "--peer", "client", "--address", "127.0.0.1:1", "--scenario", "nap"]]
    for command in wrong:
        p = subprocess.run([os.path.join(EXAMPLES, command[0]), *command[1:]], stderr=subprocess.PIPE)
        assert p.returncode == 2 and p.stderr, command
    for name in ("tcp-dump", "tcp-pktgen", "udp-dump", "udp-echo", "udp-pktgen", "udp-relay", "tcp-close",
                 "tcp-wait"):
        p = subprocess.run([os.path.join(EXAMPLES, name), "--help"], stdout=subprocess.PIPE)
        assert p.returncode == 0 and b"Usage: " + name.encode() in p.stdout, name


CASES = [tcp_dump_counts_what_tcp_pktgen_sends, udp_dump_counts_what_udp_pktgen_sends,
         udp_relay_stands_between_udp_echo_and_who_asks_it, tcp_close_closes_all_in_every_way,
         tcp_wait_ends_as_it_should_in_every_scenario]
if ON_LOOPBACK:
    CASES.append(wrong_command_lines_are_told)

if __name__ == "__main__":
    if ON_LOOPBACK and not can_start(LINK, EXAMPLES):
        sys.exit(SKIPPED)
    sys.exit(main([(c.__name__, c) for c in CASES], in_namespaces=not ON_LOOPBACK))
