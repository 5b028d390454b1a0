# floods.py - more of everything than anybody should send. What the server holds stays within its limits,
# it says no more than it is told, and its clients are served meanwhile.
#
# SPDX-License-Identifier: MIT
import struct
import threading
import time

from arena import CHALLENGES, EVIL, EVIL_MAC, HALF_OPEN, NONE_MORE, PORT, SERVER, SERVER_MAC, SLACK, Peer, cases, difference
from frames import ACK, ARP, FIN, MF, PSH, RST, SYN, TCP, UDP, arp, ether, icmp, tcp

FRAMES = 10000
PEERS = 200
RANGES = 32          # TCP_OUT_OF_ORDER_RANGES, but for those connections that may have more:
LARGE_SETS = 128     # max_tcp / TCP_LARGE_SETS_DIVISOR
CHALLENGES_OF_ALL = 1000  # TCP_CHALLENGES_PER_S
WAITING = 256        # NEIGHBOUR_WAITING_TOTAL_PACKETS
ARP_ANSWER_RATE = 100  # ARP_ANSWER_REQUESTS_PER_S
ARP_RATE = 1000      # ARP_REPLIES_PER_S
ECHO_BURST, ECHO_RATE = 1000, 10000  # ICMP_ECHOES_BURST, ICMP_ECHOES_PER_S
ICMP_BURST, ICMP_RATE = 50, 1000     # ICMP_ERRORS_BURST, ICMP_ERRORS_PER_S


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
    with a.attack(FRAMES, half_open=(-HALF_OPEN, HALF_OPEN)) as before:
        for i in range(FRAMES):
            a.send_tcp(1024 + i % 60000, src=_stranger(a), seq=i, flags=SYN)
    if a.stats()["connections"] > before["connections"]:
        raise AssertionError("a SYN alone has made a connection")


def syns_of_one_peer(a):
    while_clients_are_served(a, lambda: [a.send_tcp(1024 + i, flags=SYN, seq=i) for i in range(FRAMES)])
    a.settle()


def the_same_syn_again_and_again(a):
    port = a.port()
    with a.attack(FRAMES, connections=NONE_MORE, half_open=(-HALF_OPEN, 1)):
        for _ in range(FRAMES):
            a.send_tcp(port, flags=SYN, seq=5)


def acknowledgements_of_nothing(a):
    with a.attack(FRAMES, connections=NONE_MORE, half_open=NONE_MORE, tcp_resets_sent=(0, FRAMES)):
        for i in range(FRAMES):
            a.send_tcp(1024 + i, src=_stranger(a), seq=a.random.getrandbits(32), ack=a.random.getrandbits(32),
                       flags=(ACK, FIN | ACK, PSH | ACK)[i % 3])


def resets_of_nothing_are_not_answered(a):
    with a.attack(0, tcp_resets_sent=0, connections=NONE_MORE):
        for i in range(FRAMES):
            a.send_tcp(1024 + i, seq=a.random.getrandbits(32), ack=i, flags=(RST, RST | ACK)[i % 2])


def old_segments_of_one_connection_are_answered_to_a_limit(a):
    p = Peer(a)
    p.echo(b"old")
    with a.attack(2 * CHALLENGES, per_s=2, connections=NONE_MORE):
        for i in range(FRAMES):
            p.segment(seq=p.seq - 5 - i)
    p.echo(b"new")
    p.reset()


def duplicate_acknowledgements_send_little_again(a):
    p = Peer(a, options=b"\2\4\5\xb4\4\2\1\1", wnd=5000)
    p.say(b"d" * 5000)
    first = a.expect_segment("text", p.port, lambda s: s.payload)
    with a.attack(4, tcp_retransmitted=(0, 12)):
        for _ in range(FRAMES):
            p.segment(ack=first.seq)
    p.hear(5000)
    p.reset()


def sack_blocks_of_all_kinds(a):
    p = Peer(a, options=b"\2\4\2\x18\4\2\1\1", wnd=20000)
    p.say(b"s" * 20000)
    first = a.expect_segment("text", p.port, lambda s: s.payload).seq
    with a.attack(20000 // 536 * 4, connections=NONE_MORE, tcp_retransmitted=(0, 20000 // 536 * 4)):  # each segment, a few times
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
        with a.attack(FRAMES // 4 + 5, connections=NONE_MORE, buffers=(-SLACK, 1000 + SLACK)):  # as many as the window takes, of a byte each
            for i in range(FRAMES // 4):
                p.segment(seq=p.seq + 1 + i * step, payload=b"h" * size)
        p.reset()
    a.await_stats("the buffers are back", lambda s: s["buffers"] <= buffers + SLACK)


def single_bytes_in_order(a):
    p = Peer(a)
    with a.attack(FRAMES // 2, buffers=(-SLACK, SLACK)):  # each at most echoed and acknowledged; packed
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
    with a.attack(16, buffers=(-SLACK, SLACK), lost_reassembly=(FRAMES - 100, FRAMES)):
        for i in range(FRAMES):
            a.send_ip(UDP, b"f" * 1400, ident=i, fragment=MF | (i % 4) * 175)


def fragments_too_small_too_large_and_overlapping(a):
    before = a.stats()
    with a.attack(4, rx_reassembled=(0, 1)):
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
    with a.attack(20):
        for i in range(FRAMES // 4):
            a.send_ip((UDP, 1, TCP)[i % 3], a.random.randbytes(a.random.randrange(0, 200)), ident=i % 7,
                      fragment=a.random.getrandbits(13) & a.random.getrandbits(13) | (MF if i % 5 else 0))


def arp_requests(a):
    with a.attack(ARP_RATE + 100, per_s=ARP_RATE, tx_arp_replies=(1, FRAMES)):
        for i in range(FRAMES):
            a.send(ether(b"\xff" * 6, EVIL_MAC, arp(1, b"\2" + struct.pack("!IB", i, 1), "10.9.0.%d" % (3 + i % 60), bytes(6),
                                                   SERVER), ARP))


def arp_replies_that_nobody_asked_for(a):
    with a.attack(1, per_s=1):
        for i in range(FRAMES):
            a.send(ether(SERVER_MAC, EVIL_MAC, arp(2, b"\2" + struct.pack("!IB", i, 1), "10.9.0.%d" % (3 + i % 250), SERVER_MAC,
                                                  SERVER), ARP))


def pings(a):
    with a.attack(ECHO_BURST + 100, per_s=ECHO_RATE):
        for i in range(FRAMES):
            a.send_ip(1, icmp(8, 0, i, b"flood"))


def datagrams_to_a_closed_port_bring_errors_within_their_rate(a):
    with a.attack(ICMP_BURST + 50, per_s=ICMP_RATE, drop_udp_no_socket=(FRAMES // 2, FRAMES)):
        for i in range(FRAMES):
            a.send_udp(a.port() & 0xffff | 1, b"u", src=_stranger(a), dport=PORT + 5)


def datagrams_to_the_server(a):
    def flood():
        for i in range(FRAMES):
            a.send_udp(1 + i % 60000, b"u" * (i % 1400), src=_stranger(a))
    while_clients_are_served(a, flood)
    a.settle()



def syns_from_neighbours_that_are_not_there(a):
    """The answers wait for MACs that nobody has: what waits is bounded, and so are the questions."""
    before = a.stats()
    began = time.monotonic()

    def flood():
        for i in range(FRAMES):
            a.send_tcp(1024 + i % 60000, src="10.9.0.%d" % (100 + i % 150), seq=i, flags=SYN)
    while_clients_are_served(a, flood)
    a.settle()
    after = a.stats()
    if after["tx_arp_requests"] - before["tx_arp_requests"] > (ARP_ANSWER_RATE + 10) * (2 + time.monotonic() - began):
        raise AssertionError(difference(before, after))
    if after["buffers"] - before["buffers"] > WAITING + 10 * SLACK:
        raise AssertionError("%d buffers more wait" % (after["buffers"] - before["buffers"]))


def text_out_of_order_of_many_peers(a):
    """Each fills its window behind a hole, with single bytes in frames of their own."""
    before = a.stats()
    peers = [Peer(a, options=b"\2\4\5\xb4\4\2\1\1") for _ in range(PEERS)]
    with a.attack(PEERS * 100, connections=NONE_MORE):
        for p in peers:
            for i in range(100):
                p.segment(seq=p.seq + 2 + 2 * i, payload=b"o")
    held = a.stats()["buffers"] - before["buffers"]
    if held > LARGE_SETS * 100 + (PEERS - LARGE_SETS) * RANGES + SLACK:
        raise AssertionError("%d buffers are held" % held)
    a.is_alive()
    for p in peers:
        p.reset()
    a.await_stats("all is given back", lambda s: s["buffers"] <= before["buffers"] + SLACK)


def challenges_of_many_connections_are_bounded_in_all(a):
    """Else who counts the answers on his own connections could tell what others have provoked (CVE-2016-5696)."""
    peers = [Peer(a) for _ in range(PEERS)]
    with a.attack(CHALLENGES_OF_ALL, per_s=CHALLENGES_OF_ALL, connections=NONE_MORE):
        for p in peers:
            for i in range(2 * CHALLENGES):
                p.segment(flags=SYN)
    for p in peers:
        p.reset()


def a_large_ping_comes_back_once(a):
    text = a.random.randbytes(4000)
    whole = icmp(8, 0, 0x4c, text)
    with a.attack(3, rx_reassembled=1):
        for at in range(0, len(whole), 1480):
            piece = whole[at:at + 1480]
            a.send_ip(1, piece, src="198.18.0.7", ident=77, fragment=at // 8 | (MF if at + 1480 < len(whole) else 0))


CASES = cases(globals())
