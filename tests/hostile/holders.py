# holders.py - peers that finish their handshake and then hold what they can: closed windows, windows of a
# byte, connections in every state of their end. Others are served, and what was held comes back.
#
# SPDX-License-Identifier: MIT
from functools import partial

from arena import AGAIN_S, NONE_MORE, SLACK, Peer, cases
from frames import ACK, FIN, PSH, RST, SYN, Segment

HOLDERS = 300
TABLE = 8192  # max_tcp
LISTENERS = 128  # max_listeners: they have places of their own


def closed_windows_hold_no_more_than_was_sent(a):
    before = a.stats()
    peers = [Peer(a) for _ in range(HOLDERS)]
    # What each sends comes back to a window of nothing; then it sends what nobody pops any more.
    with a.attack(HOLDERS * 10, connections=NONE_MORE):  # eight segments of each are acknowledged
        for p in peers:
            p.wnd = 0
            for _ in range(8):
                p.say(b"z" * 1400)
    held = a.stats()["buffers"] - before["buffers"]
    if held > HOLDERS * 20:
        raise AssertionError("%d buffers are held" % held)
    a.is_alive()
    for p in peers:
        p.reset()
    a.await_stats("all is given back", lambda s: s["connections"] <= before["connections"] and
                  s["buffers"] <= before["buffers"] + SLACK)


def windows_of_one_byte_bring_no_segments_of_one_byte(a):
    before = a.stats()
    p = Peer(a)
    p.wnd = 1
    p.say(b"s" * 1400)
    a.settle()
    with a.attack(10):  # probes alone, and those have pauses
        for _ in range(1000):
            p.segment(wnd=1)
    p.wnd = 65535
    p.segment()
    if p.hear(1400) != b"s" * 1400:
        raise AssertionError("other bytes")
    p.reset()
    a.await_stats("all is given back", lambda s: s["connections"] <= before["connections"])


def windows_that_open_and_close_bring_no_storm(a):
    p = Peer(a, wnd=0)
    p.say(b"o" * 1400)
    a.settle()
    with a.attack(20):
        for i in range(2000):
            p.segment(wnd=(0, 1, 2, 100)[i % 4])
    p.wnd = 65535
    p.segment()
    p.hear(1400)
    p.reset()


def a_window_that_shrinks_loses_nothing(a):
    p = Peer(a, wnd=3000)
    p.say(b"w" * 20000)
    first = a.expect_segment("text", p.port, lambda s: s.payload)
    for wnd in (2000, 1000, 10, 0, 0, 1500):
        p.segment(ack=first.seq, wnd=wnd)
    p.wnd = 65535
    if p.hear(20000) != b"w" * 20000:
        raise AssertionError("other bytes")
    p.reset()


def many(a, n, then):
    """So many connections with little waiting, each of which goes through then(send, seq, ack): those of
    one address may be no more than the share of its group. The server's numbers come from what it answers."""
    left = n
    while left > 0:
        batch, open_, src = min(left, 200), {}, "198.18.%d.%d" % (a.random.randrange(256), a.random.randrange(1, 255))
        a.drain()
        for _ in range(batch):
            port = a.port()
            open_[port] = a.random.getrandbits(32)
            a.send_tcp(port, src=src, seq=open_[port], flags=SYN)
        waiting = set(open_)
        left -= batch

        def found(frame):
            s = Segment.parse(frame)
            if s and s.dst == src and s.flags == SYN | ACK and s.dport in waiting:
                waiting.discard(s.dport)
                then(partial(a.send_tcp, s.dport, src=src), (open_[s.dport] + 1) & 0xffffffff, (s.seq + 1) & 0xffffffff)
            return True if not waiting else None
        while waiting:  # what the server's ring had no room for goes again
            try:
                a.expect("%d SYN-ACKs" % batch, found, AGAIN_S)
            except AssertionError:
                for port in waiting:
                    a.send_tcp(port, src=src, seq=open_[port], flags=SYN)


def connections_that_are_reset_at_once_leave_nothing(a):
    before = a.stats()

    def then(send, seq, ack):
        send(seq=seq, ack=ack)
        send(seq=seq, ack=ack, flags=RST)
    many(a, 2000, then)
    a.await_stats("none is left", lambda s: s["connections"] <= before["connections"])


def last_acknowledgements_that_never_come(a):
    """The peer sends its FIN, and nothing after: LAST-ACK."""
    def then(send, seq, ack):
        send(seq=seq, ack=ack, flags=ACK | FIN)
    with a.attack(3 * HOLDERS + 20):  # SYN-ACK, acknowledgement of the FIN, FIN
        many(a, HOLDERS, then)


def idle_connections_that_fill_the_table(a):
    """Whoever opens more of them than there are places waits for one. Those who have one are served all the same,
    and what becomes free is a newcomer's at once."""
    before = a.stats()
    many(a, TABLE + 500, lambda send, seq, ack: send(seq=seq, ack=ack))
    full = a.await_stats("all places are taken", lambda s: s["tcp_table_full"] + s["tcp_peer_full"] >
                         before["tcp_table_full"] + before["tcp_peer_full"])
    if full["connections"] > TABLE + LISTENERS:
        raise AssertionError("more than max_tcp")
    for _ in range(100):
        a.echo(a.old, 1000)
    a.calm_down()  # resets them
    a.await_stats("the places are free", lambda s: s["connections"] <= before["connections"] + SLACK)
    a.is_alive()


def fin_wait_1_of_many(a):
    """The server closes, and its FIN is never acknowledged; of more than its table has room for."""
    def then(send, seq, ack):
        send(seq=seq, ack=ack, flags=ACK | PSH, payload=b"Q", wnd=0)
    many(a, TABLE + 500, then)
    if a.stats()["connections"] > TABLE + LISTENERS:
        raise AssertionError("more than max_tcp")


def fin_wait_2_of_many(a):
    """The FIN is acknowledged, and the peer's never comes."""
    def then(send, seq, ack):
        send(seq=seq, ack=ack, flags=ACK | PSH, payload=b"Q")
        send(seq=seq + 1, ack=ack + 1)
        send(seq=seq + 1, ack=ack + 1)
    many(a, TABLE + 500, then)
    if a.stats()["connections"] > TABLE + LISTENERS:
        raise AssertionError("more than max_tcp")


def time_wait_of_many(a):
    def then(send, seq, ack):
        send(seq=seq, ack=ack, flags=ACK | PSH | FIN, payload=b"Q")
        send(seq=seq + 2, ack=ack + 1)
    many(a, TABLE + 500, then)
    if a.stats()["connections"] > TABLE + LISTENERS:
        raise AssertionError("more than max_tcp")


CASES = cases(globals())
