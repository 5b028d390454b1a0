#!/usr/bin/env python3
# http_server.py LINK EXAMPLES - the example http-server over catpowder, by LINK (xdp, packet), or over
# catnap (LINK of `catnap`, on loopback); its clients use the kernel's TCP.
#
# SPDX-License-Identifier: MIT
import os
import shutil
import signal
import sys

from net import PATIENCE_S, SKIPPED, Here, Host, await_line, ended_well, kernels, main, ours, wire

LINK, EXAMPLES = sys.argv[1:3]
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http_client.py")
IMPATIENCE_S = "2"


def hosts():
    """Where the server runs, and its environment; where its clients run; its address."""
    if LINK == "catnap":
        return Here(), kernels(), Here(), "127.0.0.1"
    server, client = Host(), Host()
    wire(server, "server0", client, "client0")
    client.run("ip", "addr", "add", "10.7.0.2/24", "dev", "client0")
    return server, ours("10.7.0.1", "server0", LINK), client, "10.7.0.1"


def serves(patience, *kind):
    server_host, env, client_host, address = hosts()
    server = server_host.start(os.path.join(EXAMPLES, "http-server"), address, "0", patience, env=env)
    try:
        port = await_line(server, b"INFO: ").decode().rsplit(":", 1)[1].strip()
        print(ended_well(client_host.start(sys.executable, CLIENT, address, port, *kind),
                         "the clients").decode(), end="")
        server.send_signal(signal.SIGTERM)
        ended_well(server, "http-server")
    finally:
        server.kill()
        server_host.end()
        client_host.end()


def curl_python_and_nc_are_served():
    serves("600")


def who_is_late_is_given_up():
    serves(IMPATIENCE_S, "late", IMPATIENCE_S)


def it_ends_when_its_interface_disappears():
    server_host, env, client_host, address = hosts()
    for program in ("http-server", "kv-server"):
        server = server_host.start(os.path.join(EXAMPLES, program), address, "0", env=env)
        try:
            await_line(server, b"INFO: ")
            server_host.run("ip", "link", "del", "server0")
            out, _ = server.communicate(timeout=PATIENCE_S)
        finally:
            server.kill()
        if server.returncode != 1 or out.count(b"no client can come any more: Network is down") != 1:
            raise AssertionError("%s: exit status %d: %r" % (program, server.returncode, out))
        wire(server_host, "server0", client_host, "client0")
    server_host.end()
    client_host.end()


def a_peer_that_leaves_checksums_to_a_device_is_told_of():
    server_host, env, client_host, address = hosts()
    client_host.run("ethtool", "-K", "client0", "tx", "on")
    server = server_host.start(os.path.join(EXAMPLES, "http-server"), address, "0", "600", env=env)
    try:
        port = await_line(server, b"INFO: ").decode().rsplit(":", 1)[1].strip()
        client = client_host.start("curl", "--silent", "--show-error", "http://%s:%s/" % (address, port))
        await_line(server, b"ethtool -K client0 tx off")
        client_host.run("ethtool", "-K", "client0", "tx", "off")
        ended_well(client, "curl")
        server.send_signal(signal.SIGTERM)
        ended_well(server, "http-server")
    finally:
        server.kill()
        server_host.end()
        client_host.end()


for program in ("curl", "nc"):
    if not shutil.which(program):
        print("skipped: %s is not there" % program)
        sys.exit(SKIPPED)
CASES = [curl_python_and_nc_are_served, who_is_late_is_given_up]
if LINK != "catnap":
    CASES.append(it_ends_when_its_interface_disappears)
if LINK == "xdp":
    CASES.append(a_peer_that_leaves_checksums_to_a_device_is_told_of)
sys.exit(main([(c.__name__, c) for c in CASES],
              in_namespaces=LINK != "catnap"))
