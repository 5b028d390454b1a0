# peers.py - peers that hold to the letter of what was agreed on, or not at all: tiny segments, impossible
# scales, reports that are taken back, urgent text, clocks that wrap or lie, marks on everything.
#
# SPDX-License-Identifier: MIT
import struct
import time

from arena import AGAIN_S, CHALLENGES, NONE_MORE, Peer, cases, difference
from frames import ACK, ECE, CWR, PSH, SYN, URG, Segment

MSS_FLOOR = 64       # TCP_MSS_FLOOR
SCALE_MAX = 14       # RFC 7323 2.3
INITIAL = 10         # segments: RFC 6928
MSS = 1460


def tiny_segments_are_64_bytes_at_least(a):
    for mss in (0, 1, 8, 63):
        p = Peer(a, options=b"\2\4" + struct.pack("!H", mss))
        text = a.random.randbytes(1400)
        with a.attack(1400 // MSS_FLOOR + 5):
            p.say(text)
            got = p.hear(len(text))
        if got != text:
            raise AssertionError("MSS %d: other bytes" % mss)
        p.reset()


def a_scale_beyond_14_is_14(a):
    for scale in (15, 16, 31, 46, 255):
        p = Peer(a, options=b"\2\4\x05\xb4\3\3" + bytes([scale]) + b"\0", wnd=1)
        p.say(b"s" * 20000)
        p.hear(INITIAL * MSS)  # the window has opened to twice that, and the peer's is 1 << 14
        p.say(b"s" * 20000)
        a.settle()
        sent = set()
        frame = a.receive(0.05 + time.monotonic())
        while frame is not None:
            s = Segment.parse(frame)
            if s and s.dport == p.port:
                sent.update((s.seq + i - p.ack) & 0xffffffff for i in range(len(s.payload)))
            frame = a.receive(0.05 + time.monotonic())
        most = max((n for n in sent if n < 1 << 31), default=0)
        if most >= 1 << SCALE_MAX:
            raise AssertionError("scale %d: %d bytes were sent into a window of %d" % (scale, most, 1 << SCALE_MAX))
        p.said.clear()
        p.reset()


def _sack(*blocks):
    return b"\1\1\5" + bytes([2 + 4 * len(blocks)]) + struct.pack("!%dI" % len(blocks), *[b & 0xffffffff for b in blocks])


def reports_that_are_taken_back_lose_nothing(a):
    """RFC 2018 8: what was reported may have been dropped."""
    p = Peer(a, options=b"\2\4\2\x18\4\2\1\1")
    text = a.random.randbytes(5000)
    p.say(text)
    a.expect_segment("text", p.port, lambda s: s.payload)
    for _ in range(5):
        p.segment(options=_sack(p.ack + 536, p.ack + 5000))
    if p.hear(5000) != text:  # it acknowledges one by one, and reports nothing any more
        raise AssertionError("other bytes")
    p.echo(b"after")
    p.reset()


def reports_of_single_bytes_are_bounded(a):
    p = Peer(a, options=b"\2\4\2\x18\4\2\1\1")
    text = a.random.randbytes(5000)
    p.say(text)
    a.expect_segment("text", p.port, lambda s: s.payload)
    with a.attack(300, connections=NONE_MORE):
        for i in range(1000):
            at = p.ack + 5000 - 4 * i % 4400
            p.segment(options=_sack(at, at + 1, at - 9, at - 8, at - 5, at - 4))
    if p.hear(5000) != text:
        raise AssertionError("other bytes")
    p.reset()


def urgent_pointers_anywhere_change_no_byte(a):
    p = Peer(a)
    for urgent in (0, 1, 2, 9, 10, 11, 1000, 32767, 32768, 65535):
        text = a.random.randbytes(10)
        p.segment(flags=ACK | PSH | URG, payload=text, urgent=urgent)
        p.said.append(dict(seq=p.seq, flags=ACK | PSH | URG, payload=text, urgent=urgent))
        p.seq = (p.seq + 10) & 0xffffffff
        if p.hear(10) != text:
            raise AssertionError("urgent pointer %d: other bytes" % urgent)
    with a.attack(2 * CHALLENGES, tcp_resets_sent=0, connections=NONE_MORE):
        for urgent in range(0, 65536, 97):
            p.segment(flags=ACK | URG, urgent=urgent)
    p.echo(b"after")
    p.reset()


class _Clock:
    """A peer's timestamps: what it says the time is, and what it echoes."""

    def __init__(self, now, echo):
        self.now, self.echo = now, echo

    def option(self):
        self.now = (self.now + 1) & 0xffffffff
        return b"\1\1\x08\x0a" + struct.pack("!II", self.now, self.echo(self) & 0xffffffff)


def _stamped(p, clock):
    """Each segment of a peer has a timestamp."""
    send = p.segment

    def segment(**kw):
        send(**dict(kw, options=clock.option()))
    p.segment = segment
    return p


def _stamped_peer(a, now, echo):
    clock = _Clock(now, echo)
    p = Peer.__new__(Peer)
    _stamped(p, clock)
    p.__init__(a)
    return p


def clocks_that_wrap_stop_nothing(a):
    for now in (0xfffffff8, 0x7ffffff8, 0):
        p = _stamped_peer(a, now, lambda c: 0)
        for n in (1, 100, 1400, 5, 6, 7):
            p.echo(a.random.randbytes(n))
        p.reset()


def echoes_of_what_was_never_sent_bring_no_early_and_no_late_retransmission(a):
    p = _stamped_peer(a, 1000, lambda c: a.random.getrandbits(32))
    for _ in range(20):
        p.echo(a.random.randbytes(100))
    before = a.stats()
    p.segment(flags=ACK | PSH, payload=b"lost", seq=p.seq)
    first = a.expect_segment("text", p.port, lambda s: s.payload == b"lost")
    began = time.monotonic()
    again = a.expect_segment("the same again", p.port, lambda s: s.payload == b"lost")
    if first.seq != again.seq or time.monotonic() - began < 0.005:
        raise AssertionError("again after %.3f s" % (time.monotonic() - began))
    after = a.stats()
    if after["tcp_retransmitted"] - before["tcp_retransmitted"] > 5 + after["tcp_timeouts"] - before["tcp_timeouts"]:
        raise AssertionError("a storm of retransmissions\n" + difference(before, after))
    p.seq += 4
    p.ack += 4
    p.echo(b"after")
    p.reset()


def marks_on_everything_slow_a_connection_but_do_not_stop_it(a):
    """The peer agrees on ECN, says that all was marked, and never hears of CWR."""
    port, seq = a.port(), a.random.getrandbits(32)
    a.send_tcp(port, seq=seq, flags=SYN | ECE | CWR, options=b"\2\4\x05\xb4")
    s = a.expect_segment("a SYN-ACK", port, lambda s: s.flags & SYN)
    ack, text, got = s.seq + 1, b"marked" * 1000, b""
    seq += 1

    def say():
        for at in range(0, len(text), 1400):
            a.send_tcp(port, seq=seq + at, ack=ack, flags=ACK | PSH, payload=text[at:at + 1400])
    say()
    until = time.monotonic() + 120
    while len(got) < len(text):
        try:
            s = a.expect_segment("text", port, lambda s: s.payload, AGAIN_S)
        except AssertionError:
            if time.monotonic() > until:
                raise
            say()
            continue
        if s.seq == ack & 0xffffffff:
            got += s.payload
            ack += len(s.payload)
        a.send_tcp(port, seq=seq + len(text), ack=ack, flags=ACK | ECE)
    if got != text:
        raise AssertionError("other bytes")
    a.send_tcp(port, seq=seq + len(text), ack=ack, flags=4)


CASES = cases(globals())
