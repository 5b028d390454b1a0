# arena.py - where the attacks happen: a server over our stack and a kernel's client, each in a namespace
# of its own with a wire between them, and the adversary beside the client, who writes raw frames to the
# wire under addresses that nobody else has, or under the client's.
#
# SPDX-License-Identifier: MIT
import contextlib
import ctypes
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "net"))
from net import PATIENCE_S, SLOWDOWN, Host, wire  # noqa: E402

from frames import ACK, ICMP, IP4, PSH, RST, SYN, UDP, Segment, ether, icmp, ip, mac, tcp, udp  # noqa: E402

SERVER, CLIENT, EVIL, PORT = "10.9.0.1", "10.9.0.2", "10.9.0.66", 17009
EVIL_MAC = mac("02:00:00:00:00:66")
SERVER_MAC = mac("02:00:00:00:00:01")
WAIT_S = 30 * SLOWDOWN  # for a frame: a machine may be slow
AGAIN_S = 2  # then what may have been lost on the way is sent again
CHALLENGES = 10  # TCP_CHALLENGES_PER_CONNECTION, in 5 s
CLONE_NEWNET = 0x40000000
PACKET_IGNORE_OUTGOING = 23
NONE_MORE = (-1 << 20, 0)  # of what may become less at any time: connections that end
HALF_OPEN = 4096  # max_half_open
SLACK = 100  # buffers that come and go with what the device has of them
# Memory of the server, beyond what it has when it has served its first clients: its tables and its
# pools, touched to the last byte.
GROWTH_MAX_BYTES = 256 << 20


@contextlib.contextmanager
def inside(host):
    """Sockets that are opened here belong to a host."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/proc/%d/ns/net" % host.holder.pid, os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise PermissionError("setns: error %d" % ctypes.get_errno())
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


class Arena:
    def __init__(self, link, program, seed):
        self.random = random.Random(seed)
        self.server, self.client = Host(), Host()
        wire(self.server, "server0", self.client, "client0")
        self.server.run("ip", "link", "set", "server0", "address", "02:00:00:00:00:01")
        self.client.run("ip", "addr", "add", CLIENT + "/24", "dev", "client0")
        self.start(link, program)
        self.client_mac = mac(re.search(rb"link/ether (\S+)", self.client.run("ip", "link", "show", "client0"))[1].decode())
        with inside(self.client):
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.raw.setsockopt(263, PACKET_IGNORE_OUTGOING, 1)
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            self.raw.bind(("client0", 3))
        self.next_port = 20000
        self.opened = []  # SYNs: who, and with which number
        self.pings = 0
        self.old = self.connect()
        self.is_alive()
        self.resident = self.rss()

    def start(self, link, program):
        config = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        # What answers strangers goes to the adversary, whom the server need not ask for its MAC.
        config.write("demikernel:\n  local_ipv4_addr: %s/24\n  gateway: %s\nraw_socket:\n  linux_interface_name: server0\n"
                     "  link: %s\ninetstack_config:\n  arp_table:\n    \"02:00:00:00:00:66\": %s\n" % (SERVER, EVIL, link, EVIL))
        config.close()
        self.config = config.name
        env = dict(os.environ, LIBOS="catpowder", CONFIG_PATH=config.name)
        self.process = self.server.start(program, SERVER, str(PORT), env=env, stdin=subprocess.PIPE)
        self.stats()

    def end(self):
        """The server ends well with its input."""
        self.old.close()
        self.process.stdin.close()
        said = self.process.stdout.read()
        status = self.process.wait(PATIENCE_S)
        os.unlink(self.config)
        self.server.end()
        self.client.end()
        if status != 0 or said:
            raise AssertionError("the server ended with %d: %s" % (status, said.decode(errors="replace")))

    # What the server says of itself.

    def stats(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE_S)[0]:
            raise AssertionError("the server does not answer")
        line = self.process.stdout.readline()
        words = dict(w.split(b"=") for w in line.split() if b"=" in w)
        if b"connections" not in words:
            raise AssertionError("the server: %s%s" % (line.decode(errors="replace"), self.last_words()))
        return {name.decode(): int(number) for name, number in words.items()}

    def last_words(self):
        try:
            return self.process.communicate(timeout=5)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            return ""

    def rss(self):
        status = open("/proc/%d/status" % self.process.pid).read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10

    # Frames.

    def send(self, frame):
        while True:
            try:
                self.raw.send(frame)
                return
            except OSError as e:  # the queue of the interface is full
                if e.errno != 105:
                    raise
                time.sleep(0.001)

    def frame(self, packet, src_mac=EVIL_MAC, **kw):
        return ether(SERVER_MAC, src_mac, packet, IP4, **kw)

    def send_ip(self, protocol, payload, src=EVIL, dst=SERVER, **kw):
        self.send(self.frame(ip(src, dst, protocol, payload, **kw)))

    def send_tcp(self, sport, src=EVIL, dport=PORT, **kw):
        if kw.get("flags", 0) & (SYN | RST | ACK) == SYN:
            self.opened.append((src, sport, dport, kw.get("seq", 0)))
        self.send_ip(6, tcp(src, sport, SERVER, dport, **kw), src=src)

    def calm_down(self):
        """Nothing is half-open any more, whose SYN-ACKs would come again among what is counted."""
        for src, sport, dport, seq in self.opened:
            self.send_ip(6, tcp(src, sport, SERVER, dport, seq=seq + 1, flags=RST), src=src)
        self.opened.clear()
        self.settle()

    def send_udp(self, sport, payload=b"", src=EVIL, dport=PORT, **kw):
        self.send_ip(UDP, udp(src, sport, SERVER, dport, payload, **kw), src=src)

    def receive(self, until):
        """The next frame of the server, or None when that moment has come."""
        left = until - time.monotonic()
        while left > 0:
            if select.select([self.raw], [], [], left)[0]:
                return self.raw.recv(65536)
            left = until - time.monotonic()
        return None

    def expect(self, what, found, seconds=WAIT_S):
        """The first frame of the server for which found(frame) is something; that."""
        until = time.monotonic() + seconds
        while True:
            frame = self.receive(until)
            if frame is None:
                raise AssertionError("the server did not send %s" % what)
            result = found(frame)
            if result is not None:
                return result

    def expect_segment(self, what, port, wanted=lambda s: True, seconds=WAIT_S):
        def found(frame):
            s = Segment.parse(frame)
            return s if s and s.dst == EVIL and s.dport == port and wanted(s) else None
        return self.expect(what, found, seconds)

    def drain(self):
        """What was received so far is of no interest."""
        while select.select([self.raw], [], [], 0)[0]:
            self.raw.recv(65536)

    def ping(self, seconds):
        """Whether an echo comes back in that time."""
        self.pings += 1
        word = struct.pack("!I", 0x5e771e00 + self.pings)
        self.send_ip(ICMP, icmp(8, 0, 0x66, word))
        try:
            self.expect("an echo", lambda f: f[12:14] == b"\x08\0" and f[23] == ICMP and f[34] == 0 and
                        f[42:46] == word or None, seconds)
            return True
        except AssertionError:
            return False

    def settle(self):
        """All that was sent has been processed: what comes behind it is answered."""
        until = time.monotonic() + PATIENCE_S
        while not self.ping(1):
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError("the server does not answer pings" + (
                    "" if self.process.poll() is None else ": it has ended\n" + self.last_words()))

    # What must be so.

    @contextlib.contextmanager
    def attack(self, answers, per_s=0, **counted):
        """An attack that brings at most so many frames, and so many more a second where a rate is what
        bounds them, and moves the named counters by so much, or by something in a (least, most). The
        server's memory stays within its bounds."""
        self.settle()
        before, pings, began = self.stats(), self.pings, time.monotonic()
        yield before
        self.settle()
        after = self.stats()
        sent = after["tx_frames"] - before["tx_frames"] - (self.pings - pings)
        # What a time-out sends again no attack has brought; and what is half-open says so again, with pauses
        # of 1, 2, 4, 8 and 16 s, when it was before: in all of these. What is made by the attack, after 1 s at least.
        took = time.monotonic() - began
        answers += per_s * took + after["tcp_timeouts"] - before["tcp_timeouts"]
        answers += before["half_open"] * min(5, 1 + int(took))
        answers += max(0, after["half_open"] - before["half_open"]) * sum(took >= t for t in (1, 3, 7, 15, 31))
        if sent > answers:
            raise AssertionError("%d frames came back, of at most %d\n%s" % (sent, answers, difference(before, after)))
        for name, wanted in counted.items():
            least, most = wanted if isinstance(wanted, tuple) else (wanted, wanted)
            moved = after[name] - before[name]
            if name == "tcp_retransmitted":  # not by time-outs: older cases have left some to come
                moved = max(0, moved - (after["tcp_timeouts"] - before["tcp_timeouts"]))
            if not least <= moved <= most:
                raise AssertionError("%s has moved by %d, not %s\n%s" % (name, moved, wanted, difference(before, after)))
        if self.rss() - self.resident > GROWTH_MAX_BYTES * SLOWDOWN:
            raise AssertionError("the server has grown from %d to %d bytes" % (self.resident, self.rss()))

    def await_stats(self, what, condition, seconds=PATIENCE_S):
        """The server comes to be so."""
        until = time.monotonic() + seconds
        while True:
            s = self.stats()
            if condition(s):
                return s
            if time.monotonic() > until:
                raise AssertionError("not so: %s\n%s" % (what, s))
            time.sleep(0.02)

    def connect(self):
        with inside(self.client):
            s = socket.create_connection((SERVER, PORT), PATIENCE_S)
        s.settimeout(PATIENCE_S)
        return s

    def datagrams(self):
        with inside(self.client):
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def echo(self, s, size):
        """The server sends back what it gets, and nothing else."""
        data = self.random.randbytes(size - 1)
        data = b"m" + data
        sent = 0
        got = bytearray()
        while len(got) < size:
            if sent < size and len(got) >= sent - 32768:
                sent += s.send(data[sent:sent + 16384])
            else:
                piece = s.recv(65536)
                if not piece:
                    raise AssertionError("the connection has ended after %d of %d bytes" % (len(got), size))
                got += piece
        if got != data:
            raise AssertionError("%d bytes came back as others" % size)

    def echo_datagram(self, s, size):
        """A datagram comes back; one may be lost on the way, or its fragments have no room beside a flood's."""
        data = self.random.randbytes(size)
        until = time.monotonic() + PATIENCE_S
        while True:
            s.sendto(data, (SERVER, PORT))
            if select.select([s], [], [], 0.3)[0] and s.recv(65536) == data:
                return
            if time.monotonic() > until:
                raise AssertionError("a datagram of %d bytes does not come back" % size)

    def is_alive(self):
        """Clients of the kernel's stack are served: the one that was there before all, and new ones."""
        self.echo(self.old, 1000)
        with contextlib.closing(self.connect()) as s:
            self.echo(s, 100000)
        with contextlib.closing(self.datagrams()) as s:
            for size in (10, 5000):  # the second in fragments
                self.echo_datagram(s, size)

    def port(self):
        """One of the adversary's that was not used for long."""
        self.next_port = 1024 + (self.next_port - 1023) % 64000
        return self.next_port


def difference(before, after):
    return "  ".join("%s %+d" % (k, after[k] - before[k]) for k in after if after[k] != before.get(k, 0))


class Peer:
    """A TCP of the adversary's, that keeps its numbers but does as it is told."""

    def __init__(self, arena, iss=None, options=b"", wnd=65535, src=EVIL, seconds=WAIT_S):
        self.arena, self.port, self.src, self.wnd = arena, arena.port(), src, wnd
        self.iss = arena.random.getrandbits(32) if iss is None else iss
        self.seq = (self.iss + 1) & 0xffffffff
        self.options = options
        self.said = []  # numbers and bytes, for the case that they get lost
        s = self.expect("a SYN-ACK", lambda s: s.flags == SYN | ACK and s.ack == self.seq, self.knock, seconds)
        self.ack = self.una = (s.seq + 1) & 0xffffffff
        self.segment()

    def segment(self, **kw):
        kw.setdefault("seq", getattr(self, "seq", 0))
        kw.setdefault("ack", getattr(self, "ack", 0))
        kw.setdefault("wnd", self.wnd)
        self.arena.send_tcp(self.port, src=self.src, **kw)

    def knock(self):
        self.segment(seq=self.iss, ack=0, flags=SYN, options=self.options)

    def expect(self, what, wanted, action, seconds=WAIT_S):
        """A segment, for which action() is done, and again in a while: a frame may be lost."""
        until = time.monotonic() + seconds
        while True:
            action()
            try:
                return self.arena.expect_segment(what, self.port, wanted, min(AGAIN_S, max(0, until - time.monotonic())))
            except AssertionError:
                if time.monotonic() > until:
                    raise

    def say_again(self):
        for kw in self.said if self.repeat else ():
            self.segment(**kw)
        self.repeat = True

    def say(self, data, **kw):
        """The next bytes."""
        for at in range(0, len(data), 1400):
            piece = data[at:at + 1400]
            self.segment(payload=piece, flags=ACK | PSH, **kw)
            self.said.append(dict(kw, seq=self.seq, payload=piece, flags=ACK | PSH))
            self.seq = (self.seq + len(piece)) & 0xffffffff

    def hear(self, n):
        """The next n bytes, each segment acknowledged, whatever way they come."""
        got = b""
        while len(got) < n:
            self.repeat = False  # not before it is due
            s = self.expect("%d more bytes" % (n - len(got)), lambda s: s.payload, self.say_again)
            skip = (self.ack - s.seq) & 0xffffffff
            if skip < len(s.payload):
                got += s.payload[skip:]
                self.ack = (self.ack + len(s.payload) - skip) & 0xffffffff
            self.segment()
        self.said.clear()
        return got

    def echo(self, data):
        self.say(data)
        got = self.hear(len(data))
        if got != data:
            raise AssertionError("%r came back as %r" % (data, got))

    def reset(self):
        """It is over, and the server knows: at its very next number."""
        self.segment(flags=RST)


def cases(names):
    """The cases of a file: what it defines that takes an arena alone, and does not begin with _."""
    return [f for name, f in names.items() if getattr(f, "__module__", "") == names["__name__"] and
            hasattr(f, "__code__") and f.__code__.co_varnames[:f.__code__.co_argcount] == ("a",) and f.__code__.co_argcount == 1 and not name.startswith("_")]
