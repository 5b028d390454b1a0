# mutations.py - valid frames of every kind with bits turned, bytes replaced, pieces cut out and put in,
# and their checksums made right again, so that they get in deep.
#
# SPDX-License-Identifier: MIT
import struct

from arena import EVIL, EVIL_MAC, PORT, SERVER, SERVER_MAC, Peer, cases
from net import SLOWDOWN

from frames import ACK, ARP, FIN, MF, PSH, SYN, TCP, UDP, arp, corrected, ether, icmp, ip, tcp, udp

FRAMES = 10000


def valid(a, p):
    """Frames that all make sense at this moment of a connection."""
    options = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
    seg = dict(seq=p.seq, ack=p.ack)
    quoted = ip(SERVER, EVIL, TCP, tcp(SERVER, PORT, EVIL, p.port, seq=p.ack))
    return [a.frame(packet) for packet in (
        ip(EVIL, SERVER, TCP, tcp(EVIL, a.port(), SERVER, PORT, seq=1, flags=SYN, options=options)),
        ip(EVIL, SERVER, TCP, tcp(EVIL, p.port, SERVER, PORT, flags=ACK | PSH, payload=b"mutant" * 9, **seg)),
        ip(EVIL, SERVER, TCP, tcp(EVIL, p.port, SERVER, PORT, flags=ACK, **seg)),
        ip(EVIL, SERVER, TCP, tcp(EVIL, p.port, SERVER, PORT, options=b"\1\1\5\x0a" + struct.pack("!II", p.ack, p.ack + 9), **seg)),
        ip(EVIL, SERVER, TCP, tcp(EVIL, p.port, SERVER, PORT, flags=ACK | FIN, seq=p.seq + 500, ack=p.ack)),
        ip(EVIL, SERVER, UDP, udp(EVIL, 99, SERVER, PORT, b"mutant")),
        ip(EVIL, SERVER, UDP, udp(EVIL, 99, SERVER, PORT, b"mutant" * 20), ident=9, fragment=MF),
        ip(EVIL, SERVER, 1, icmp(8, 0, 1, b"mutant")),
        ip(EVIL, SERVER, 1, icmp(3, 4, 1000, quoted)),
        ip(EVIL, SERVER, TCP, tcp(EVIL, a.port(), SERVER, PORT, flags=SYN), options=b"\x07\x07\x04\0\0\0\0\0"),
    )] + [ether(b"\xff" * 6, EVIL_MAC, arp(1, EVIL_MAC, EVIL, bytes(6), SERVER), ARP),
          ether(SERVER_MAC, EVIL_MAC, arp(2, EVIL_MAC, EVIL, SERVER_MAC, SERVER), ARP)]


def mutated(r, frame):
    f = bytearray(frame)
    for _ in range(r.randrange(1, 5)):
        at = r.randrange(12, len(f)) if len(f) > 14 else 13
        kind = r.randrange(5)
        if kind == 0:
            f[at] ^= 1 << r.randrange(8)
        elif kind == 1:
            f[at] = r.choice((0, 1, 0x7f, 0x80, 0xff, r.randrange(256)))
        elif kind == 2:
            del f[at:at + r.randrange(1, 9)]
        elif kind == 3:
            f[at:at] = r.randbytes(r.randrange(1, 41))
        else:
            struct.pack_into("!H", f, min(at, len(f) - 2), r.choice((0, 1, 0x7fff, 0x8000, 0xffff)))
    # Never in the name of the kernel's client, whom this could rightly harm.
    if f[12:14] == b"\x08\0" and len(f) >= 34 and bytes(f[26:30]) == b"\x0a\x09\0\2":
        f[29] = 66
    f += bytes(max(0, 14 - len(f)))
    return bytes(f[:1514])


def _peer(a):
    """A mutant may have opened the very connection: then another."""
    for _ in range(5):
        a.next_port += 257
        try:
            return Peer(a, options=b"\2\4\5\xb4\4\2\1\1", seconds=3 * SLOWDOWN)
        except AssertionError:
            pass
    raise AssertionError("none of five SYNs was answered")


def mutants_in_and_around_a_connection(a):
    before = a.stats()
    for _ in range(20):
        p = _peer(a)
        p.echo(b"before")
        kinds = valid(a, p)
        with a.attack(FRAMES // 20):  # one answer each
            for _ in range(FRAMES // 20):
                f = mutated(a.random, a.random.choice(kinds))
                a.send(corrected(f) if a.random.randrange(8) else f)
        p.reset()
        p.segment(seq=p.seq, flags=4)
        a.drain()
    a.is_alive()
    after = a.stats()
    if after["connections"] - before["connections"] > 60:
        raise AssertionError("%d connections more" % (after["connections"] - before["connections"]))


def noise(a):
    """Frames that were never right."""
    with a.attack(10):
        for i in range(FRAMES // 4):
            a.send(a.random.randbytes(a.random.randrange(14, 1514)))
            a.send(ether(SERVER_MAC, EVIL_MAC, a.random.randbytes(a.random.randrange(100)), (0x0800, ARP)[i % 2]))


def noise_with_right_headers(a):
    with a.attack(FRAMES // 12):  # every third is TCP, to somewhere
        for i in range(FRAMES // 4):
            a.send(corrected(a.frame(ip(EVIL, SERVER, (TCP, UDP, 1)[i % 3], a.random.randbytes(a.random.randrange(120))))))


CASES = cases(globals())
