# blind.py - what somebody tries who is not on the way, but knows addresses and ports, on a connection of
# others: resets, SYNs, bytes, ICMP errors, ARP. And what a peer tries on its own connection: numbers that
# wrap, bytes that differ, acknowledgements of what was never sent.
#
# SPDX-License-Identifier: MIT
import struct

from arena import CHALLENGES, CLIENT, EVIL, EVIL_MAC, NONE_MORE, PORT, SERVER, SERVER_MAC, Peer, cases
from frames import ACK, ARP, DF, FIN, PSH, RST, SYN, TCP, UDP, Segment, arp, ether, icmp, ip, tcp, udp


class Spied:
    """The connection of the kernel's client, and where the two are in it: more than who is not on the
    way can know, so that the test can aim right beside."""

    def __init__(self, a):
        self.a = a
        self.port = a.old.getsockname()[1]
        a.drain()
        a.echo(a.old, 10)
        s = a.expect("the answer", self.answer)
        self.una, self.rcv_nxt = (s.seq + len(s.payload)) & 0xffffffff, s.ack
        self.tsval, self.tsecr = struct.unpack("!II", s.option(8))

    def answer(self, frame):
        s = Segment.parse(frame)
        return s if s and s.dst == CLIENT and s.dport == self.port and len(s.payload) == 10 else None

    def forge(self, place, **kw):
        """A segment in the client's name, `place` beside the number that the server waits for."""
        kw.setdefault("ack", self.una)
        self.a.send_ip(TCP, tcp(CLIENT, self.port, SERVER, PORT, seq=self.rcv_nxt + place, **kw), src=CLIENT)

    def stamps(self, ahead=0):
        return b"\1\1\x08\x0a" + struct.pack("!II", (self.tsecr + ahead) & 0xffffffff, self.tsval)


def resets_beside_the_number_reset_nothing(a):
    s = Spied(a)
    places = [-1, 1, 2, 100, 1000, 30000, -1000, 1 << 20, 1 << 31] + [a.random.getrandbits(32) or 1 for _ in range(200)]
    with a.attack(2 * CHALLENGES, tcp_resets_received=0, connections=NONE_MORE):
        for place in places:
            for flags in (RST, RST | ACK):
                s.forge(place, flags=flags)
                s.forge(place, flags=flags, options=s.stamps())


def syns_within_a_connection_reset_nothing(a):
    s = Spied(a)
    with a.attack(2 * CHALLENGES, tcp_resets_received=0, tcp_resets_sent=0, connections=NONE_MORE):
        for place in [0, 1, -1, 1000] + [a.random.getrandbits(32) for _ in range(200)]:
            s.forge(place, flags=SYN)
            s.forge(place, flags=SYN | ACK, options=s.stamps())


def bytes_of_others_are_not_taken(a):
    """Right in number, but without a timestamp, with an old one, or acknowledging what cannot be."""
    s = Spied(a)
    with a.attack(4 + 2 * CHALLENGES, tcp_paws_rejected=4, tcp_resets_sent=0, connections=NONE_MORE):
        for place in (0, 1, 100, 1000):
            s.forge(place, flags=ACK | PSH, payload=b"injected" * 4)
            s.forge(place, flags=ACK | PSH, payload=b"injected" * 4, options=s.stamps(-100000))
            for ack in (s.una + 1, s.una + 70000, s.una + (1 << 31), s.una - (1 << 30)):
                s.forge(place, flags=ACK | PSH, payload=b"injected" * 4, ack=ack, options=s.stamps())
            s.forge(place, flags=PSH, payload=b"injected" * 4, options=s.stamps())  # no ACK
            s.forge(place, flags=FIN | ACK)  # no timestamp
    a.echo(a.old, 5000)


def a_timestamp_far_ahead_out_of_the_window_shuts_nobody_out(a):
    s = Spied(a)
    with a.attack(8 + 2 * CHALLENGES, connections=NONE_MORE):  # text is acknowledged
        for place in (-1, -1000, 1 << 28, 1 << 31):
            for ahead in (1000000, 0x7fffffff):
                s.forge(place, flags=ACK, options=s.stamps(ahead))
                s.forge(place, flags=ACK | PSH, payload=b"x", options=s.stamps(ahead))
    a.echo(a.old, 5000)


def windows_of_others_close_nothing(a):
    s = Spied(a)
    with a.attack(2 * CHALLENGES, connections=NONE_MORE):
        for ack in (s.una + 1, s.una - 100000, s.una + (1 << 30)):
            for place in (0, -1, 1 << 20):
                s.forge(place, flags=ACK, wnd=0, ack=ack, options=s.stamps())
    a.echo(a.old, 200000)


def quoted(a, port, seq, peer=CLIENT, bytes_=8):
    """What an ICMP error says that we have sent."""
    l4 = tcp(SERVER, PORT, peer, port, seq=seq, payload=b"x" * 40)[:bytes_]
    return ip(SERVER, peer, TCP, l4, total=1500)


def icmp_errors_of_all_kinds_end_nothing(a):
    s = Spied(a)
    with a.attack(0, connections=NONE_MORE, pmtu_lowered=0):
        for code in range(16):
            for seq in (s.una, s.una - 5000, s.una + 1, s.una + 70000, a.random.getrandbits(32)):
                for kind in (3, 4, 5, 11, 12):
                    for mtu in (0, 68, 296, 1499):
                        a.send_ip(1, icmp(kind, code, mtu, quoted(a, s.port, seq)))


def icmp_errors_about_what_is_outstanding_end_nothing_and_cut_little(a):
    p = Peer(a, wnd=300)
    p.say(b"z" * 3000)
    seen = a.expect_segment("text", p.port, lambda s: s.payload)
    # It may go again, once: 300 bytes are less than the floor of RFC 5927 7.2.
    with a.attack(3, connections=NONE_MORE, pmtu_lowered=(0, 1), tcp_retransmitted=(0, 2)):
        for code in range(16):
            for mtu in (1, 68, 296, 551):
                a.send_ip(1, icmp(3, code, mtu, quoted(a, p.port, seen.seq, EVIL)))
                a.send_ip(1, icmp(11, code, 0, quoted(a, p.port, seen.seq, EVIL)))
    p.wnd = 65535
    if p.hear(3000) != b"z" * 3000:
        raise AssertionError("other bytes")
    p.reset()


def icmp_errors_about_datagrams_end_nothing(a):
    """A socket that is not connected hears of none; its packets may become smaller, but not small."""
    port = a.port()
    a.send_udp(port, b"d" * 1400)
    a.expect("the datagram", lambda f: f[23] == UDP and f[30:34] == b"\x0a\x09\0\x42" or None)
    with a.attack(0, connections=NONE_MORE, pmtu_lowered=(0, 2)):
        for peer in (EVIL, CLIENT):
            for code in range(16):
                for mtu in (0, 68, 551, 1499):
                    sent = ip(SERVER, peer, UDP, udp(SERVER, PORT, peer, port, b"d" * 1400), fragment=DF)[:60]
                    a.send_ip(1, icmp(3, code, mtu, sent))
                    a.send_ip(1, icmp(11, code, 0, sent))
    with a.attack(4):  # of 552 bytes at least
        a.send_udp(port, b"e" * 1400)


def icmp_errors_that_quote_nonsense_are_dropped(a):
    whole = quoted(a, 7, 7)
    with a.attack(0):
        for n in range(len(whole)):
            a.send_ip(1, icmp(3, 4, 576, whole[:n]))
        for _ in range(500):
            a.send_ip(1, icmp(3, a.random.randrange(16), a.random.getrandbits(32), a.random.randbytes(a.random.randrange(60))))
        a.send_ip(1, icmp(3, 3, 0, ip(CLIENT, SERVER, TCP, bytes(20))))  # not of ours
        a.send_ip(1, icmp(3, 3, 0, ip(SERVER, CLIENT, 1, bytes(20))))


def arp_does_not_turn_a_clients_frames_aside(a):
    with a.attack(1, per_s=1):  # the neighbour itself is asked, once a second
        for _ in range(200):
            for to in (b"\xff" * 6, SERVER_MAC):
                a.send(ether(to, EVIL_MAC, arp(2, EVIL_MAC, CLIENT, SERVER_MAC, SERVER), ARP))  # unasked
                a.send(ether(to, EVIL_MAC, arp(2, EVIL_MAC, CLIENT, b"\xff" * 6, CLIENT), ARP))  # gratuitous
                a.send(ether(to, EVIL_MAC, arp(1, EVIL_MAC, CLIENT, bytes(6), CLIENT), ARP))
    a.echo(a.old, 50000)


def claims_to_the_servers_address_are_answered_once_in_a_while(a):
    with a.attack(2, tx_arp_defences=(0, 2)):
        for _ in range(200):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(2, EVIL_MAC, SERVER, EVIL_MAC, SERVER), ARP))
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(1, EVIL_MAC, SERVER, bytes(6), SERVER), ARP))


def numbers_wrap(a):
    for iss in (0xffffffff, 0xfffffffe, 0xfffffff0, 0xffffff00, 0x7fffffff, 0x7ffffff0, 0):
        p = Peer(a, iss=iss)
        for n in (1, 15, 16, 300, 1400):
            p.echo(a.random.randbytes(n))
        p.segment(seq=p.seq + 100, flags=ACK, payload=b"c" * 50)  # behind a hole
        p.say(b"d" * 100)
        if p.hear(150) != b"d" * 100 + b"c" * 50:
            raise AssertionError("ISS %#x: other bytes" % iss)
        p.seq += 50
        p.reset()


def overlapping_bytes_that_differ_come_out_as_one_of_the_two(a):
    for _ in range(40):
        p = Peer(a)
        length = 400
        seen = [set() for _ in range(length)]
        pieces = [(i * 40, 40) for i in range(10)]  # all of it, at the end
        for _ in range(40):
            at = a.random.randrange(1, length)
            pieces.insert(0, (at, a.random.randrange(1, length - at + 1)))
        for at, n in pieces:
            data = a.random.randbytes(n)
            for i, byte in enumerate(data):
                seen[at + i].add(byte)
            p.segment(seq=p.seq + at, flags=ACK, payload=data)
        got = p.hear(length)
        wrong = [i for i, byte in enumerate(got) if byte not in seen[i]]
        if wrong:
            raise AssertionError("bytes that nobody sent: %s" % wrong)
        p.seq += length
        p.reset()


def what_was_acknowledged_does_not_change(a):
    p = Peer(a)
    p.segment(seq=p.seq + 10, payload=b"B" * 10)
    a.expect_segment("a SACK", p.port, lambda s: s.payload == b"")
    p.segment(seq=p.seq, payload=b"A" * 20)
    p.segment(seq=p.seq, payload=b"C" * 20)
    got = p.hear(20)
    if got not in (b"A" * 10 + b"B" * 10, b"A" * 20):
        raise AssertionError("%r" % got)
    p.seq += 20
    p.reset()


def acknowledging_what_was_never_sent_gets_nothing(a):
    p = Peer(a, wnd=1000)
    p.say(b"m" * 20000)  # the echo waits for a window
    first = a.expect_segment("text", p.port, lambda s: s.payload)
    with a.attack(2 * CHALLENGES, tcp_retransmitted=(0, 2)):
        for ahead in (1500, 20000, 100000, 1 << 30):
            for _ in range(50):
                p.segment(ack=first.seq + ahead, wnd=65535)
    p.wnd = 65535
    if p.hear(20000) != b"m" * 20000:
        raise AssertionError("other bytes")
    p.reset()


def acknowledging_byte_by_byte_opens_no_floodgate(a):
    """RFC 3465: what counts is bytes, not acknowledgements."""
    p = Peer(a, options=b"\2\4\x02\x18")
    text = a.random.randbytes(20000)
    p.say(text)
    first = a.expect_segment("text", p.port, lambda s: s.payload)
    a.settle()
    # The initial window of ten segments is outstanding. 500 bytes of it arrive, and let that much go, and that
    # much more: two segments.
    with a.attack(3, connections=NONE_MORE):
        for i in range(1, 501):
            p.segment(ack=first.seq + i)
    p.ack = first.seq + 500
    if p.hear(20000 - 500) != text[500:]:
        raise AssertionError("other bytes")
    p.reset()


CASES = cases(globals())
