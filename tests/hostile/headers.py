# headers.py - frames that are wrong in themselves, layer by layer. None is answered that should not be,
# each is counted as what it is.
#
# SPDX-License-Identifier: MIT
import struct

from arena import CHALLENGES, CLIENT, EVIL, EVIL_MAC, HALF_OPEN, NONE_MORE, PORT, SERVER, SERVER_MAC, Peer, cases
from frames import ACK, ARP, FIN, PSH, RST, SYN, TCP, UDP, URG, Segment, arp, corrected, ether, icmp, ip, mac, tcp, udp

CLOSED = PORT + 1
ICMP_BURST, ICMP_RATE = 50, 1000  # ICMP_ERRORS_BURST, ICMP_ERRORS_PER_S


def _syn_packet(a, **kw):
    a.opened.append((EVIL, a.port(), PORT, 1))
    return ip(EVIL, SERVER, TCP, tcp(EVIL, a.next_port, SERVER, PORT, seq=1, flags=SYN), **kw)


def frames_cut_short_anywhere_are_not_answered(a):
    frame = a.frame(_syn_packet(a))
    with a.attack(0):
        for n in range(14, len(frame)):
            a.send(frame[:n])


def packets_longer_than_their_frame_are_not_answered(a):
    with a.attack(0, drop_short=2):
        for total in (41, 65535):
            a.send(a.frame(_syn_packet(a, total=total)))


def a_packet_shorter_than_its_frame_is_taken_without_the_rest(a):
    with a.attack(1, drop_tcp_checksum=0):
        a.send(a.frame(_syn_packet(a)) + b"padding")


def frames_of_other_kinds_are_not_answered(a):
    with a.attack(0):
        for kind in list(range(0, 0x10000, 509)) + [0x86dd, 0x8847, 0x8863, 0x88cc]:
            if kind not in (0x0800, 0x0806, 0x8100):
                a.send(ether(SERVER_MAC, EVIL_MAC, _syn_packet(a), kind))


def frames_of_another_vlan_are_not_answered(a):
    with a.attack(0):
        for vlan in (1, 2, 100, 4094, 4095):
            a.send(a.frame(_syn_packet(a), vlan=vlan))
            a.send(a.frame(_syn_packet(a), vlan=vlan)[:16])
        a.send(a.frame(struct.pack("!H", 7) + b"\x81\0" * 30, vlan=0))


def frames_for_other_macs_are_not_answered(a):
    with a.attack(0):
        for to in ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00:00:00:00:02", "00:00:00:00:00:00"):
            a.send(ether(mac(to), EVIL_MAC, _syn_packet(a)))


def versions_and_lengths_of_a_header_that_cannot_be_are_not_answered(a):
    with a.attack(0):
        for version in set(range(16)) - {4}:
            a.send(a.frame(_syn_packet(a, version=version)))
        for words in list(range(5)) + [15]:
            a.send(a.frame(_syn_packet(a, words=words)))
        for total in range(20):
            a.send(a.frame(_syn_packet(a, total=total)))


def a_wrong_checksum_of_any_kind_is_not_answered(a):
    port = a.port()
    with a.attack(0, drop_ip_checksum=50, drop_tcp_checksum=50, drop_udp_checksum=50, drop_icmp_malformed=50):
        for i in range(50):
            wrong = 0x0101 * i + 3
            a.send(a.frame(_syn_packet(a, csum=wrong)))
            a.send_tcp(port, flags=SYN, csum=wrong)
            a.send_udp(port, b"x", csum=wrong)
            a.send_ip(1, icmp(8, 0, 7, csum=wrong))


def ip_options_are_skipped_or_make_a_packet_malformed(a):
    good = (b"\1\1\1\0", b"\x07\x07\x04\0\0\0\0\0", b"\x44\x0c\x05\0" + bytes(8), b"\x94\4\0\0", b"\x1e\4\0\0" * 5)
    bad = [bytes([kind, n]) for kind in (7, 68, 130, 148, 255) for n in (0, 1, 41, 255)]
    with a.attack(len(good), rx_ip_options=len(good), drop_ip_header=len(bad)):
        for o in good + tuple(bad):
            a.send(a.frame(_syn_packet(a, options=o)))


def source_routes_are_not_followed(a):
    with a.attack(0, drop_ip_source_route=4):
        for kind in (131, 137):
            for pointer in (4, 8):
                a.send(a.frame(_syn_packet(a, options=bytes([kind, 7, pointer, 10, 9, 0, 2]))))


def martians_are_not_answered(a):
    sources = ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
               "10.9.0.0", "10.9.0.255", SERVER)
    with a.attack(0):
        for src in sources:
            for flags in (SYN, ACK, RST):
                a.send_tcp(a.port(), src=src, flags=flags)
                a.send_tcp(PORT, src=src, flags=flags)  # with our address: LAND
            a.send_udp(PORT, b"martian", src=src)
            a.send_udp(7, b"martian", src=src, dport=CLOSED)
            a.send_ip(1, icmp(8, 0, 7), src=src)


def what_is_for_others_is_not_answered(a):
    with a.attack(0):
        for dst in ("10.9.0.3", "10.9.0.255", "10.9.0.0", "255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1", CLIENT):
            a.send_ip(TCP, tcp(EVIL, a.port(), dst, PORT, flags=SYN), dst=dst)
            a.send_ip(UDP, udp(EVIL, 7, dst, CLOSED, b"x"), dst=dst)
            a.send_ip(1, icmp(8, 0, 7), dst=dst)


def other_protocols_are_answered_within_the_rate_of_errors(a):
    protocols = [p for p in range(256) if p not in (1, 6, 17)]
    with a.attack(ICMP_BURST, per_s=ICMP_RATE, drop_ip_protocol=len(protocols), tx_icmp_errors=(1, len(protocols))):
        for p in protocols:
            a.send_ip(p, b"protocol" * 5)


def tcp_headers_cut_short_or_of_impossible_length_are_dropped(a):
    port = a.port()
    with a.attack(0, drop_tcp_malformed=20 + 5 + 10 + 2):
        for n in range(20):
            a.send_ip(TCP, tcp(EVIL, port, SERVER, PORT, flags=SYN)[:n])
        for words in list(range(5)) + list(range(6, 16)):
            a.send_tcp(port, flags=SYN, words=words)
        a.send_tcp(0, flags=SYN)
        a.send_tcp(port, flags=SYN, dport=0)


def any_flags_to_a_closed_port_bring_one_reset_at_most(a):
    n = 256 - 128
    with a.attack(n, tcp_resets_sent=n):  # none answers a reset
        for flags in range(256):
            a.send_tcp(a.port(), flags=flags, dport=CLOSED, seq=7, ack=9)


def any_flags_to_a_listener_bring_one_answer_at_most(a):
    with a.attack(64 + 32, tcp_resets_sent=64, half_open=(-HALF_OPEN, 32), connections=NONE_MORE):  # ACK, and SYN without it
        for flags in range(256):
            a.send_tcp(a.port(), flags=flags, seq=7, ack=9, payload=b"text" if flags & 1 else b"")
    a.settle()


def any_flags_at_any_place_leave_a_connection_that_is_not_reset(a):
    p = Peer(a)
    p.echo(b"before")
    places = [-70000, -1, 1, 1000, 70000, 1 << 20, 1 << 31]
    # Only challenges and bare acknowledgements, and those are limited.
    with a.attack(2 * CHALLENGES, per_s=2, tcp_resets_received=0, tcp_resets_sent=0, connections=NONE_MORE):
        for flags in range(256):
            for place in places:
                ack = p.ack + (a.random.getrandbits(31) if flags & 64 else 0)
                if place in (1, 1000) and flags & FIN and not flags & (SYN | RST):
                    continue  # within the window it is the peer's own word
                p.segment(seq=p.seq + place, ack=ack, flags=flags)
    p.echo(b"after")
    p.reset()


def every_option_of_every_length_brings_one_answer_at_most(a):
    cases = [(kind, n) for kind in range(256) for n in (0, 1, 2, 3, 4, 5, 10, 18, 38, 40, 255)]
    with a.attack(len(cases)):
        for kind, n in cases:
            body = a.random.randbytes(max(0, min(n, 40) - 2))
            a.send_tcp(a.port(), flags=SYN, options=bytes([kind, n]) + body)
            if kind % 16 == 15:
                a.drain()


def options_that_make_no_sense_leave_a_connection(a):
    p = Peer(a, options=b"\2\4\5\xb4\1\3\3\7\4\2\1\1")
    with a.attack(2 * CHALLENGES, tcp_resets_received=0, tcp_resets_sent=0, connections=NONE_MORE):
        for _ in range(300):
            p.segment(options=a.random.randbytes(a.random.randrange(1, 41)))
    p.echo(b"options")
    p.reset()


def options_at_the_edges_of_a_header_are_read_within_it(a):
    edges = (b"\2", b"\1\1\1\2", b"\3\3", b"\1\4", b"\5\2", b"\5\x0a\0\0\0\0\0\0\0", b"\x08\x0a\0\0", b"\x08\x0b" + bytes(9),
             b"\5\x22" + bytes(32), b"\5\x26" + bytes(36), b"\2\4\0\0", b"\2\4\0\1", b"\3\3\xff", b"\0" * 40, b"\1" * 40)
    with a.attack(len(edges), half_open=(-HALF_OPEN, len(edges))):
        for o in edges:
            a.send_tcp(a.port(), flags=SYN, options=o)


def syns_that_are_something_else_as_well_open_nothing_odd(a):
    with a.attack(8, connections=NONE_MORE):
        for flags in (SYN | FIN, SYN | RST, SYN | PSH | URG, SYN | ACK, SYN | RST | ACK, SYN | FIN | RST | PSH | ACK | URG):
            a.send_tcp(a.port(), flags=flags, payload=b"GET / HTTP/1.0", urgent=5)
        for payload in (b"x", b"x" * 1400):
            a.send_tcp(a.port(), flags=SYN, payload=payload, options=b"\x22\x0aCOOKIE!!")  # RFC 7413


def udp_of_impossible_lengths_is_not_answered(a):
    with a.attack(0, drop_udp_malformed=18):
        for length in list(range(8)) + [10, 65535]:
            a.send_udp(a.port(), b"x", length=length)
        for n in range(8):
            a.send_ip(UDP, udp(EVIL, 7, SERVER, PORT)[:n])


def udp_from_nowhere_is_taken_once(a):
    with a.attack(1):  # to port 0 nothing can go
        a.send_udp(0, b"from port 0")
        a.send_udp(a.port(), b"without a checksum", csum=0)


def icmp_of_every_kind_is_answered_if_it_asks(a):
    with a.attack(256, drop_icmp_type=252, drop_icmp_malformed=8):  # types 8 alone, with each code
        for kind in range(256):
            if kind not in (3, 8, 11, 12):
                a.send_ip(1, icmp(kind, kind & 15, 0x1234, b"payload" * 3))
        for n in range(8):
            a.send_ip(1, icmp(8)[:n])
        for code in range(256):
            a.send_ip(1, icmp(8, code, 9))


def a_smurf_is_not_answered(a):
    with a.attack(0):
        for dst in ("10.9.0.255", "255.255.255.255", "224.0.0.1"):
            a.send(ether(b"\xff" * 6, EVIL_MAC, ip(CLIENT, dst, 1, icmp(8, 0, 7, b"smurf"))))


def arp_that_makes_no_sense_is_not_answered(a):
    good = arp(1, EVIL_MAC, EVIL, bytes(6), SERVER)
    with a.attack(1):  # the last
        for n in range(28):
            a.send(ether(b"\xff" * 6, EVIL_MAC, good[:n], ARP))
        for at in range(6):
            a.send(ether(b"\xff" * 6, EVIL_MAC, good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:], ARP))
        for op in (0, 3, 4, 8, 9, 65535):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(op, EVIL_MAC, EVIL, bytes(6), SERVER), ARP))
        for sender in ("127.0.0.1", "224.0.0.1", "255.255.255.255"):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(2, EVIL_MAC, sender, bytes(6), SERVER), ARP))
        for sender_mac in (b"\xff" * 6, bytes(6), mac("01:00:5e:00:00:01")):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(1, sender_mac, EVIL, bytes(6), SERVER), ARP))
        a.send(ether(b"\xff" * 6, EVIL_MAC, good, ARP))



def _changed(frame, **bytes_):
    """A frame with some of its bytes set, _AT=VALUE, and right checksums."""
    f = bytearray(frame)
    for at, value in bytes_.items():
        f[int(at[1:])] = value
    return corrected(bytes(f))


def what_means_nothing_to_us_is_no_reason_not_to_answer(a):
    """A priority tag, any TOS and TTL, the reserved flags of IP and TCP."""
    frames = [a.frame(_syn_packet(a), vlan=0xe000)]
    frames += [_changed(a.frame(_syn_packet(a)), _15=tos) for tos in (1, 2, 3, 0xb8, 0xff)]
    frames += [_changed(a.frame(_syn_packet(a)), _22=ttl) for ttl in (0, 1, 255)]
    frames += [_changed(a.frame(_syn_packet(a)), _20=flags) for flags in (0x80, 0x40, 0xc0)]
    frames += [_changed(a.frame(_syn_packet(a)), _46=0x50 | bits) for bits in (1, 2, 4, 8, 15)]
    a.drain()
    with a.attack(len(frames), half_open=(1 - HALF_OPEN, len(frames))):
        for f in frames:
            a.send(f)
        for _ in frames:
            s = a.expect("a SYN-ACK", lambda f: (lambda s: s if s and s.flags == SYN | ACK else None)(Segment.parse(f)))
            if s.reserved:
                raise AssertionError("reserved bits are sent: %x" % s.reserved)


def answers_go_to_the_neighbour_whoever_sent_the_frame(a):
    a.drain()
    sources = [b"\xff" * 6, mac("01:00:5e:00:00:01"), bytes(6), SERVER_MAC, a.client_mac, mac("02:00:00:00:00:77")]
    with a.attack(len(sources)):
        for src in sources:
            a.send(a.frame(_syn_packet(a), src_mac=src))
        for _ in sources:
            to = a.expect("a SYN-ACK", lambda f: f[:6] if Segment.parse(f) else None)
            if to != EVIL_MAC:
                raise AssertionError("an answer went to %s" % to.hex(":"))


def multicasts_are_not_answered(a):
    with a.attack(0):
        for group in ("224.0.0.1", "224.0.0.251", "239.1.2.3"):
            to = mac("01:00:5e:00:00:01")
            a.send(ether(to, EVIL_MAC, ip(EVIL, group, 2, b"\x11\x64\xee\x9b\0\0\0\0", ttl=1)))  # IGMP: who is in it?
            a.send(ether(to, EVIL_MAC, ip(EVIL, group, UDP, udp(EVIL, 5353, group, PORT, b"x"))))
            a.send(ether(to, EVIL_MAC, ip(EVIL, group, 1, icmp(8))))
            a.send(ether(to, EVIL_MAC, ip(EVIL, group, TCP, tcp(EVIL, 7, group, PORT, flags=SYN))))
            a.send(ether(to, EVIL_MAC, ip(EVIL, SERVER, TCP, tcp(EVIL, 7, SERVER, PORT, flags=SYN))))


CASES = cases(globals())
