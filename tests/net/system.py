#!/usr/bin/env python3
# system.py LINK EXAMPLES [PART-OF-A-NAME ...] - the example programs over catpowder, by LINK (xdp,
# xdp-native with its program in the driver, packet), or over catnip by DPDK's driver for AF_PACKET
# (dpdk-packet) or for AF_XDP (dpdk-xdp), with each other and with the kernel's stack, and what goes wrong
# in networks. LINK of `slow-xdp` and `slow-packet`: the cases that take minutes.
#
# SPDX-License-Identifier: MIT
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

from net import PATIENCE_S, SLOWDOWN, Host, await_answer, await_line, ended_well, kernels, main, ours, wait_until, wire

LINK = sys.argv[1].replace("slow-", "")
SLOW = sys.argv[1].startswith("slow-")
EXAMPLES = sys.argv[2]
RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")
SERVER, CLIENT, PORT = "10.7.0.1", "10.7.0.2", "17007"


def example(name):
    return os.path.join(EXAMPLES, name)


class Side:
    """One end of the wire: a host whose kernel has the address, or leaves it to us."""

    def __init__(self, address, interface, is_ours):
        self.host, self.address, self.interface = Host(), address, interface
        self.is_ours = is_ours
        self.env = ours(address, interface, LINK) if is_ours else kernels()

    def ready(self):
        if not self.is_ours:
            self.host.run("ip", "addr", "add", self.address + "/24", "dev", self.interface)


def pair(server_ours, client_ours, mtu=1500):
    server = Side(SERVER, "server0", server_ours)
    client = Side(CLIENT, "client0", client_ours)
    wire(server.host, server.interface, client.host, client.interface, mtu)
    server.ready()
    client.ready()
    return server, client


def end(*sides):
    for s in sides:
        (s.host if isinstance(s, Side) else s).end()


def start_server(side, *args):
    """One of the examples; it receives when this returns."""
    process = side.host.start(*args, env=side.env)
    await_line(process, b"INFO: ")
    return process


def both(server, client, server_args, client_args):
    s = start_server(server, *server_args)
    try:
        c = client.host.start(*client_args, env=client.env)
        ended_well(c, " ".join(client_args))
        ended_well(s, " ".join(server_args))
    except AssertionError as e:
        s.kill()
        raise AssertionError("%s\nthe server said: %s" % (e, s.communicate()[0].decode(errors="replace")))
    finally:
        s.kill()


def echo_args(role, clients=1, size=64, requests=1000, mode="concurrent"):
    address = ["--address", SERVER + ":" + PORT]
    if role == "server":
        return [example("tcp-echo"), "--peer", "server"] + address
    return [example("tcp-echo"), "--peer", "client"] + address + [
        "--bufsize", str(size), "--nclients", str(clients), "--nrequests", str(requests),
        "--run-mode", mode]


def programs(server, client):
    both(server, client, echo_args("server"), echo_args("client"))
    both(server, client, echo_args("server"), echo_args("client", 32, 1024, 200))
    both(server, client, echo_args("server"), echo_args("client", 4, 65536, 50, "sequential"))
    for name, size, count in (("tcp-ping-pong", "64", "2000"), ("tcp-ping-pong", "9000", "200"),
                              ("tcp-push-pop", "1024", "20000")):
        both(server, client, [example(name), "--server", SERVER, PORT, size, count],
             [example(name), "--client", SERVER, PORT, size, count])
    for size, count in (("64", "2000"), ("1400", "500")):
        both(server, client,
             [example("udp-ping-pong"), "--server", SERVER, PORT, CLIENT, PORT, size, count],
             [example("udp-ping-pong"), "--client", CLIENT, PORT, SERVER, PORT, size, count])
    both(server, client, [example("udp-push-pop"), "--server", SERVER, PORT, "64", "20"],
         [example("udp-push-pop"), "--client", CLIENT, PORT, SERVER, PORT, "64", "20"])


def ours_with_ours():
    sides = pair(True, True)
    programs(*sides)
    end(*sides)


def our_server_with_the_kernels_client():
    sides = pair(True, False)
    programs(*sides)
    end(*sides)


def the_kernels_server_with_our_client():
    sides = pair(False, True)
    programs(*sides)
    end(*sides)


# A peer over the kernel's sockets, inside another host: sends so many random bytes, takes what comes
# back, and prints both sums.
ECHO_PEER = """
import hashlib, random, socket, sys, threading
address, port, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.create_connection((address, port), 120)
sent, got = hashlib.sha256(), hashlib.sha256()
block = random.Random(7).randbytes(1 << 20)
def send():
    left = total
    while left:
        piece = block[:left]
        sent.update(piece)
        s.sendall(piece)
        left -= len(piece)
t = threading.Thread(target=send)
t.start()
left = total
while left:
    piece = s.recv(1 << 18)
    if not piece: break
    got.update(piece)
    left -= len(piece)
t.join()
s.close()
print(left, sent.hexdigest() == got.hexdigest())
"""


# Bytes whose SHA-256 was compared, by the direction in which they went.
HASHED = {"to us": 0, "from us": 0}


def echo_through(client_host, megabytes):
    out = client_host.run("python3", "-c", ECHO_PEER, SERVER, PORT, str(megabytes << 20))
    if out.split() != [b"0", b"True"]:
        raise AssertionError("what came back is not what was sent: %r" % out)
    for direction in HASHED:
        HASHED[direction] += megabytes << 20


def half_a_gigabyte_comes_back_as_it_was_sent():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    echo_through(client.host, 256 // SLOWDOWN)
    ended_well(s, "tcp-echo")
    end(server, client)


def half_a_gigabyte_is_downloaded_as_it_is():
    """One way, to a receiver in bulk: lines of text, whose sum is known."""
    total = (512 // SLOWDOWN) << 20
    text = (bytes(ord("0") + i for i in range(63)) + b"\n") * 16384
    wanted = hashlib.sha256()
    for _ in range(total // len(text)):
        wanted.update(text)
    server, client = pair(True, False)
    s = start_server(server, example("http-server"), SERVER, PORT, "600")
    got = client.host.run("sh", "-ec", "curl -sS http://%s:%s/bytes/%d | sha256sum" % (
        SERVER, PORT, total)).split()[0].decode()
    if got != wanted.hexdigest():
        raise AssertionError("what was downloaded is not what was sent: %s" % got)
    HASHED["from us"] += total
    s.send_signal(signal.SIGTERM)
    ended_well(s, "http-server")
    end(server, client)


# A client of kv-server: stores values of all sizes, and asks for them in one pipeline.
KV_PEER = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 120)
f = s.makefile("rb")
def request(*words):
    return b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%b\\r\\n" % (len(w), w) for w in words)
values = [bytes([65 + i % 26]) * n for i, n in enumerate((0, 1, 64, 1447, 1448, 1449, 100000))]
for i, v in enumerate(values):
    s.sendall(request(b"SET", b"%d" % i, v))
    assert f.readline() == b"+OK\\r\\n"
s.sendall(b"".join(request(b"GET", b"%d" % i) for i in range(len(values))))
for v in values:
    assert f.read(len(b"$%d\\r\\n" % len(v) + v) + 2) == b"$%d\\r\\n%b\\r\\n" % (len(v), v)
"""


def kv_server_keeps_what_it_is_given():
    server, client = pair(True, False)
    s = start_server(server, example("kv-server"), SERVER, PORT, "64")
    client.host.run("python3", "-c", KV_PEER, SERVER, PORT)
    s.send_signal(signal.SIGTERM)
    ended_well(s, "kv-server")
    end(server, client)


def the_kernel_pings_us():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    await_answer(client.host, SERVER)
    if LINK != "dpdk-packet":  # whose driver has the kernel join fragments, to more than it takes
        await_answer(client.host, SERVER, "-s", "4000")
    s.kill()
    end(server, client)


def an_address_of_the_kernels_is_refused():
    server, client = pair(True, False)
    server.host.run("ip", "addr", "add", SERVER + "/24", "dev", server.interface)
    p = server.host.start(*echo_args("server"), env=server.env)
    out, _ = p.communicate(timeout=PATIENCE_S)
    if p.returncode != 1 or b"ip addr del " not in out:
        raise AssertionError("no remedy: %r" % out)
    end(server, client)


def counter(host, name):
    """One of the kernel's counters of IP."""
    names, values = [line.split() for line in host.run("grep", "^Ip:", "/proc/net/snmp").decode().splitlines()]
    return int(values[names.index(name)])


def the_kernel_leaves_our_packets_alone():
    """Also one that is a router: it would send them out again, or an error back."""
    if LINK == "packet" and tuple(map(int, os.uname().release.split(".")[:2])) < (6, 6):
        print("skipped: Linux has tcx since 6.6")
        return
    server, client = pair(True, False)
    server.host.run("ip", "addr", "add", "10.7.0.77/24", "dev", server.interface)
    server.host.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
    s = start_server(server, *echo_args("server"))
    before = counter(server.host, "InReceives")
    echo_through(client.host, 4)
    seen = counter(server.host, "InReceives") - before
    await_answer(client.host, "10.7.0.77")
    if seen > 0 or counter(server.host, "InReceives") == before:
        raise AssertionError("the kernel saw %d packets of ours" % seen)
    ended_well(s, "tcp-echo")
    end(server, client)


def a_second_process_for_the_address_is_refused():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    p = server.host.start(*echo_args("server"), env=server.env)
    out, _ = p.communicate(timeout=PATIENCE_S)
    if p.returncode != 1 or b"kill %d" % s.pid not in out:
        raise AssertionError("no remedy: %r" % out)
    echo_through(client.host, 1)
    ended_well(s, "tcp-echo")
    end(server, client)


def killed_and_started_again_at_once():
    server, client = pair(True, False)
    for _ in range(3):
        s = start_server(server, *echo_args("server"))
        os.kill(s.pid, signal.SIGKILL)
        s.wait()
    s = start_server(server, *echo_args("server"))
    echo_through(client.host, 1)
    ended_well(s, "tcp-echo")
    left = server.host.run("ip", "link", "show", server.interface)
    if b"xdp" in left:
        raise AssertionError("a program stayed attached: %r" % left)
    end(server, client)


def a_peer_killed_amidst_a_transfer_does_no_harm():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    p = client.host.start(*echo_args("client", 8, 65536, 1000000), env=client.env)
    wait_until(lambda: received_bytes(client) > 2 << 20, "the transfer is under way")
    p.kill()
    p.wait()
    ended_well(s, "tcp-echo, whose clients were killed")
    end(server, client)


def received_bytes(side):
    for line in side.host.run("cat", "/proc/net/dev").decode().splitlines():
        if line.strip().startswith(side.interface + ":"):
            return int(line.split(":")[1].split()[0])
    return 0


def a_link_that_goes_down_and_up_again_delays():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    failed = []

    def transfer():
        try:
            echo_through(client.host, 64)
        except AssertionError as e:
            failed.append(e)
    t = threading.Thread(target=transfer)
    t.start()
    wait_until(lambda: received_bytes(client) > 2 << 20, "the transfer is under way")
    for state in ("down", "up"):
        client.host.run("ip", "link", "set", client.interface, state)
        time.sleep(0.5)
    t.join()
    if failed:
        raise failed[0]
    ended_well(s, "tcp-echo")
    end(server, client)


def an_interface_that_disappears_fails_what_waits():
    server, client = pair(True, False)
    s = start_server(server, example("tcp-ping-pong"), "--server", SERVER, PORT)
    server.host.run("ip", "link", "del", server.interface)
    try:
        out, _ = s.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        s.kill()
        raise AssertionError("the server went on waiting")
    if s.returncode != 1 or b"Network is down" not in out or out.count(b"the network device is gone") != 1:
        raise AssertionError("exit status %d: %r" % (s.returncode, out))
    end(server, client)


def through_a_gateway(path_mtu=1500, rules=None, told=True):
    """Our server, a router, and the kernel's client behind it; `told`: who knows how narrow that is, and so
    tells us by its MSS."""
    server, router, client = Host(), Host(), Host()
    wire(server, "server0", router, "r0")
    wire(client, "client0", router, "r1", path_mtu)
    router.run("ip", "addr", "add", "10.7.0.254/24", "dev", "r0")
    router.run("ip", "addr", "add", "10.8.0.254/24", "dev", "r1")
    router.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
    if rules:
        router.run("nft", rules)
    client.run("ip", "addr", "add", "10.8.0.2/24", "dev", "client0")
    client.run("ip", "link", "set", "client0", "mtu", path_mtu if told else 1500)
    client.run("ip", "route", "add", "default", "via", "10.8.0.254", "mtu", "lock", path_mtu,
               "advmss", (path_mtu if told else 1500) - 40)
    env = ours(SERVER, "server0", LINK, gateway="10.7.0.254")
    s = server.start(*echo_args("server"), env=env)
    await_line(s, b"INFO: ")
    echo_through(client, 16)
    ended_well(s, "tcp-echo")
    if not told:
        dropped = router.run("nft", "list", "chain", "ip", "t", "o").decode()
        if "packets 0 " in dropped or "packets" not in dropped:
            raise AssertionError("the router had nothing to say: " + dropped)
    end(server, router, client)


def a_gateway_is_used():
    through_a_gateway()


def a_path_narrower_than_the_link_is_found():
    through_a_gateway(path_mtu=1200)


def a_path_that_swallows_what_is_too_large_is_got_round():
    """RFC 4821: the router's ICMP errors come to nobody."""
    through_a_gateway(path_mtu=1400, told=False,
                      rules="add table ip t; add chain ip t o { type filter hook output priority 0; };"
                            " add rule ip t o icmp type destination-unreachable counter drop;")


def lost_packets_are_sent_again():
    through_a_gateway(rules="add table ip t; add chain ip t f { type filter hook forward priority 0; };"
                            " add rule ip t f numgen random mod 100 < 2 drop;")


def frames_out_of_order_and_twice_do_no_harm():
    """Both roles of ours, behind a cable that lets frames overtake each other."""
    for server_ours, client_ours in ((True, False), (True, True)):
        server = Side(SERVER, "server0", server_ours)
        client = Side(CLIENT, "client0", client_ours)
        cable = Host()
        wire(server.host, server.interface, cable, "c0")
        wire(client.host, client.interface, cable, "c1")
        server.ready()
        client.ready()
        relay = cable.start(sys.executable, RELAY, "c0", "c1", "1")
        await_line(relay, b"INFO: relays")
        if client_ours:
            both(server, client, echo_args("server"), echo_args("client", 4, 65536, 25))
        else:
            s = start_server(server, *echo_args("server"))
            echo_through(client.host, 16)
            ended_well(s, "tcp-echo")
        relay.send_signal(signal.SIGTERM)
        done = ended_well(relay, "the relay").decode()
        if "'held back': 0" in done or "'twice': 0" in done:
            raise AssertionError("nothing was out of order: " + done)
        end(server, client, cable)


# What some dissector takes random bytes for is no affair of ours.
DISSECT = ["-d", "tcp.port==%s,data" % PORT]


def frames_in(capture, what, *options):
    """Those that a display filter lets pass, a line for each."""
    return subprocess.run(["tshark", "-r", capture, *DISSECT, *options, "-Y", what], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def captures_hold_no_bad_frame():
    clients, size, requests = 4, 3000, 100
    server, client = pair(True, False)
    path = tempfile.mktemp(suffix=".pcap")
    capture = client.host.start("tshark", "-q", "-B", "64", "-i", client.interface, "-w", path, "-F", "pcap")
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0, "the capture runs")
    s = start_server(server, *echo_args("server"))
    await_answer(client.host, SERVER)
    ended_well(client.host.start(*echo_args("client", clients, size, requests), env=client.env), "tcp-echo")
    ended_well(s, "tcp-echo")
    wait_until(lambda: os.path.getsize(path) > 2 * clients * size * requests, "the capture is written")
    capture.send_signal(signal.SIGINT)
    capture.communicate(timeout=PATIENCE_S)
    # The kernel, also where it cuts our segments, writes a TCP checksum of 0 as 0xffff, once in 65536 frames.
    bad = frames_in(path, "_ws.malformed || (ip.src == " + SERVER + " && ((tcp.checksum.status == 0 && "
                    "tcp.checksum != 0xffff) || ip.checksum.status == 0 || icmp.checksum.status == 0))",
                    "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    frames = frames_in(path, "tcp").count(b"\n")
    os.unlink(path)
    if bad or frames < 400:
        raise AssertionError("%d frames\n%s" % (frames, bad.decode()))
    end(server, client)


IDLE_PEER = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)
for _ in range(2):
    s.sendall(b"x" * 64)
    left = 64
    while left:
        left -= len(s.recv(left))
    if _ == 0:
        time.sleep(130)
"""


def a_connection_idle_for_130_seconds_lives():
    server, client = pair(True, False)
    s = start_server(server, *echo_args("server"))
    client.host.run("python3", "-c", IDLE_PEER, SERVER, PORT)
    ended_well(s, "tcp-echo")
    end(server, client)


if SLOW:
    CASES = [a_connection_idle_for_130_seconds_lives]
else:
    CASES = [ours_with_ours, our_server_with_the_kernels_client, the_kernels_server_with_our_client,
             half_a_gigabyte_comes_back_as_it_was_sent,
             half_a_gigabyte_is_downloaded_as_it_is, kv_server_keeps_what_it_is_given,
             the_kernel_pings_us,
             an_address_of_the_kernels_is_refused, the_kernel_leaves_our_packets_alone, a_second_process_for_the_address_is_refused,
             killed_and_started_again_at_once, a_peer_killed_amidst_a_transfer_does_no_harm,
             a_link_that_goes_down_and_up_again_delays,
             an_interface_that_disappears_fails_what_waits, a_gateway_is_used,
             a_path_narrower_than_the_link_is_found,
             a_path_that_swallows_what_is_too_large_is_got_round, lost_packets_are_sent_again,
             frames_out_of_order_and_twice_do_no_harm,
             captures_hold_no_bad_frame]

status = main([(c.__name__, c) for c in CASES])
for direction, count in HASHED.items():
    print("%s: %d bytes compared by SHA-256" % (direction, count))
if status == 0 and not SLOW and len(sys.argv) < 4 and sum(HASHED.values()) * SLOWDOWN < 1 << 30:
    print("FAILED  less than 1 GiB was compared")
    status = 1
sys.exit(status)
