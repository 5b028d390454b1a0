# floods.py - more of everything than anybody should send. What the server holds stays within its limits,
# it says no more than it is told, and its clients are served meanwhile.
#
# SPDX-License-Identifier: MIT
import struct
import threading

from arena import EVIL, EVIL_MAC, PORT, SERVER, SERVER_MAC, SLACK, Peer, cases
from frames import ACK, ARP, FIN, MF, PSH, RST, SYN, TCP, UDP, arp, ether, icmp, tcp

FRAMES = 10000
HALF_OPEN = 4096     # max_half_open
CHALLENGES = 10      # of one connection in 5 s
RETRANSMISSIONS = 5  # of a SYN-ACK: TCP_HALF_OPEN_RETRIES


def _stranger(a):
    """An address beyond the gateway."""
    return "198.%d.%d.%d" % (18 + a.random.randrange(2), a.random.randrange(256), a.random.randrange(1, 255))


def while_clients_are_served(a, flood):
    """Sends a flood, and has clients of the kernel's stack come and go meanwhile."""
    failed, over = [], threading.Event()

    def clients():
        try:
            while not over.is_set():
                a.is_alive()
        except (AssertionError, OSError) as e:
            failed.append(e)
    thread = threading.Thread(target=clients)
    thread.start()
    flood()
    over.set()
    thread.join()
    if failed:
        raise AssertionError("a client was not served during the flood: %s" % failed[0])


def syns_of_many_peers(a):
    def flood():
        for i in range(FRAMES):
            a.send_tcp(1024 + i % 60000, src=_stranger(a), seq=i, flags=SYN, options=b"\2\4\5\xb4\1\3\3\7\4\2\1\1")
            if i % 1000 == 0:
                s = a.stats()
                if s["half_open"] > HALF_OPEN:
                    raise AssertionError("%d are half-open" % s["half_open"])
    while_clients_are_served(a, flood)
    a.settle()


def syns_bring_one_answer_each(a):
    with a.attack(FRAMES + RETRANSMISSIONS * HALF_OPEN) as before:
        for i in range(FRAMES):
            a.send_tcp(1024 + i % 60000, src=_stranger(a), seq=i, flags=SYN)
    if a.stats()["connections"] > before["connections"]:
        raise AssertionError("a SYN alone has made a connection")


def syns_of_one_peer(a):
    while_clients_are_served(a, lambda: [a.send_tcp(1024 + i, flags=SYN, seq=i) for i in range(FRAMES)])
    a.settle()


def the_same_syn_again_and_again(a):
    port = a.port()
    with a.attack(FRAMES + RETRANSMISSIONS * HALF_OPEN, connections=(-2, 0)):
        for _ in range(FRAMES):
            a.send_tcp(port, flags=SYN, seq=5)


def acknowledgements_of_nothing(a):
    with a.attack(FRAMES + RETRANSMISSIONS * HALF_OPEN, connections=(-2, 0)):
        for i in range(FRAMES):
            a.send_tcp(1024 + i, src=_stranger(a), seq=a.random.getrandbits(32), ack=a.random.getrandbits(32),
                       flags=(ACK, FIN | ACK, PSH | ACK)[i % 3])


def resets_of_nothing_are_not_answered(a):
    with a.attack(RETRANSMISSIONS * HALF_OPEN, tcp_resets_sent=0, connections=(-2, 0)):
        for i in range(FRAMES):
            a.send_tcp(1024 + i, seq=a.random.getrandbits(32), ack=i, flags=(RST, RST | ACK)[i % 2])


def old_segments_of_one_connection_are_answered_to_a_limit(a):
    p = Peer(a)
    p.echo(b"old")
    with a.attack(CHALLENGES + RETRANSMISSIONS * HALF_OPEN, connections=(-2, 0)):
        for i in range(FRAMES):
            p.segment(seq=p.seq - 5 - i)
    p.echo(b"new")
    p.reset()


def duplicate_acknowledgements_send_little_again(a):
    p = Peer(a, options=b"\2\4\5\xb4\4\2\1\1", wnd=5000)
    p.say(b"d" * 5000)
    first = a.expect_segment("text", p.port, lambda s: s.payload)
    with a.attack(40 + RETRANSMISSIONS * HALF_OPEN, tcp_retransmitted=(0, 40)):
        for _ in range(FRAMES):
            p.segment(ack=first.seq)
    p.hear(5000)
    p.reset()


def sack_blocks_of_all_kinds(a):
    p = Peer(a, options=b"\2\4\2\x18\4\2\1\1", wnd=20000)
    p.say(b"s" * 20000)
    first = a.expect_segment("text", p.port, lambda s: s.payload).seq
    with a.attack(FRAMES, connections=(-2, 0)):
        for i in range(FRAMES):
            blocks = [((first + a.random.randrange(-1000, 25000)) & 0xffffffff) for _ in range(8)]
            n = 1 + i % 4
            p.segment(ack=first, options=b"\1\1\5" + bytes([2 + 8 * n]) + struct.pack("!%dI" % (2 * n), *blocks[:2 * n]))
    if p.hear(20000) != b"s" * 20000:
        raise AssertionError("other bytes")
    p.echo(b"after")
    p.reset()


def segments_out_of_order_with_holes_between(a):
    buffers = a.stats()["buffers"]
    for size, step in ((1, 2), (1, 3), (1400, 2800), (100, 101)):
        p = Peer(a, options=b"\2\4\5\xb4\1\3\3\7\4\2\1\1", wnd=500)
        with a.attack(FRAMES // 2, connections=(-2, 0)):
            for i in range(FRAMES // 4):
                p.segment(seq=p.seq + 1 + i * step, payload=b"h" * size)
        p.reset()
    a.await_stats("the buffers are back", lambda s: s["buffers"] <= buffers + SLACK)


def single_bytes_in_order(a):
    p = Peer(a)
    with a.attack(4 * FRAMES):
        for _ in range(FRAMES // 4):
            p.say(b"1")
    if p.hear(FRAMES // 4) != b"1" * (FRAMES // 4):
        raise AssertionError("other bytes")
    p.reset()


def fragments_that_are_never_whole(a):
    def flood():
        for i in range(FRAMES):
            a.send_ip(UDP, b"f" * 64, src=_stranger(a), ident=i, fragment=(MF, MF | 8, 100)[i % 3])
    while_clients_are_served(a, flood)
    with a.attack(FRAMES, lost_reassembly=(0, FRAMES)):
        for i in range(FRAMES):
            a.send_ip(UDP, b"f" * 1400, ident=i, fragment=MF | (i % 4) * 175)


def fragments_too_small_too_large_and_overlapping(a):
    before = a.stats()
    with a.attack(200, rx_reassembled=(0, 1)):
        for ident in range(200):
            n = a.random.randrange(3)
            if n == 0:  # teardrop
                a.send_ip(UDP, b"a" * 64, ident=ident, fragment=MF)
                a.send_ip(UDP, b"b" * 24, ident=ident, fragment=3)
            elif n == 1:  # ping of death
                a.send_ip(1, b"c" * 1400, ident=ident, fragment=0x1fff)
                a.send_ip(1, b"c" * 1400, ident=ident, fragment=MF | 0x1ff0)
            else:  # a header in pieces
                for at in range(0, 24, 8):
                    a.send_ip(TCP, tcp(EVIL, 7, SERVER, PORT, flags=SYN, payload=b"1234")[at:at + 8], ident=ident,
                              fragment=at // 8 | (MF if at < 16 else 0))
    if a.stats()["connections"] > before["connections"]:
        raise AssertionError("a connection came out of fragments")


def fragments_with_lengths_at_random(a):
    with a.attack(FRAMES // 4):
        for i in range(FRAMES // 4):
            a.send_ip((UDP, 1, TCP)[i % 3], a.random.randbytes(a.random.randrange(0, 200)), ident=i % 7,
                      fragment=a.random.getrandbits(13) & a.random.getrandbits(13) | (MF if i % 5 else 0))


def arp_requests(a):
    with a.attack(FRAMES, tx_arp_replies=(1, 6000)):
        for i in range(FRAMES):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(1, b"\2" + struct.pack("!IB", i, 1), "10.9.0.%d" % (3 + i % 60), bytes(6),
                                                   SERVER), ARP))


def arp_replies_that_nobody_asked_for(a):
    with a.attack(20):
        for i in range(FRAMES):
            a.send(ether(SERVER_MAC, EVIL_MAC, arp(2, b"\2" + struct.pack("!IB", i, 1), "10.9.0.%d" % (3 + i % 250), SERVER_MAC,
                                                  SERVER), ARP))


def pings(a):
    with a.attack(FRAMES):
        for i in range(FRAMES):
            a.send_ip(1, icmp(8, 0, i, b"flood"))


def datagrams_to_a_closed_port_bring_errors_within_their_rate(a):
    with a.attack(6000, tx_icmp_errors=(1, 6000), drop_udp_no_socket=(FRAMES // 2, FRAMES)):
        for i in range(FRAMES):
            a.send_udp(a.port() & 0xffff | 1, b"u", src=_stranger(a), dport=PORT + 5)


def datagrams_to_the_server(a):
    def flood():
        for i in range(FRAMES):
            a.send_udp(1 + i % 60000, b"u" * (i % 1400), src=_stranger(a))
    while_clients_are_served(a, flood)
    a.settle()


CASES = cases(globals())
