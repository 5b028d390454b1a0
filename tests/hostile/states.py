# states.py - a connection in each state of its life, and beside it, under its own addresses and ports,
# what somebody sends who guesses: resets, SYNs, text, acknowledgements. It goes on as it would have.
#
# SPDX-License-Identifier: MIT
from functools import partial

from arena import CHALLENGES, EVIL, NONE_MORE, PORT, Peer, cases
from frames import ACK, FIN, PSH, RST, SYN, Segment

PLACES = [-1, 1, 1000, -70000, 1 << 20, 1 << 31]  # beside the number that the server waits for
FARTHER = 66000  # than any window here


def _barrage(a, send, seq, ack):
    """None of this is from who has the connection: numbers beside, or acknowledgements of nothing."""
    for place in PLACES + [a.random.getrandbits(32) for _ in range(20)]:
        for flags in (RST, RST | ACK, SYN, SYN | ACK):
            send(seq=seq + place, ack=ack, flags=flags)
        send(seq=seq + place, ack=ack + FARTHER, flags=ACK | PSH, payload=b"guess")
        send(seq=seq + place, ack=ack + FARTHER, flags=ACK | FIN)
        send(seq=seq + place, ack=ack - FARTHER, flags=ACK | PSH, payload=b"guess")


def _unmoved(a, p):
    """p's connection is attacked, and answers no more than it has challenges, or text is acknowledged."""
    texts = 2 * 26
    with a.attack(2 * CHALLENGES + texts, tcp_resets_received=0, tcp_resets_sent=0, connections=NONE_MORE, half_open=NONE_MORE):
        _barrage(a, p.segment, p.seq, p.ack)


def _finish(what, p, **kw):
    """The server's FIN; that."""
    return p.expect(what, lambda s: s.flags & FIN, partial(p.segment, **kw))


def guesses_in_syn_received(a):
    port, seq = a.port(), a.random.getrandbits(32)
    send = partial(a.send_tcp, port)
    send(seq=seq, flags=SYN)
    s = a.expect_segment("a SYN-ACK", port, lambda s: s.flags == SYN | ACK)
    # RFC 9293 3.10.7.4: an acknowledgement of nothing, in the window, is reset here. The place stays.
    with a.attack(2 * CHALLENGES + 3 * 26, tcp_resets_received=0, half_open=NONE_MORE, connections=NONE_MORE):
        _barrage(a, send, seq + 1, s.seq + 1)
    a.drain()
    send(seq=seq + 1, ack=s.seq + 1, flags=ACK | PSH, payload=b"through")
    got = a.expect_segment("the echo", port, lambda s: s.payload)
    if got.payload != b"through":
        raise AssertionError("%r" % got.payload)
    send(seq=seq + 8, ack=s.seq + 8, flags=RST)


def guesses_in_established(a):
    p = Peer(a)
    p.echo(b"before")
    _unmoved(a, p)
    p.echo(b"after")
    p.reset()


def guesses_in_fin_wait_1(a):
    p = Peer(a)
    p.say(b"Q")
    _finish("a FIN", p, seq=p.seq)
    _unmoved(a, p)
    before = a.stats()["connections"]
    p.segment(ack=p.ack + 1, flags=ACK | FIN)
    p.expect("the last acknowledgement", lambda s: s.ack == (p.seq + 1) & 0xffffffff,
             partial(p.segment, ack=p.ack + 1, flags=ACK | FIN))
    if a.stats()["connections"] > before:
        raise AssertionError("one more connection")


def guesses_in_fin_wait_2(a):
    p = Peer(a)
    p.say(b"Q")
    _finish("a FIN", p, seq=p.seq)
    p.ack += 1
    p.segment()
    _unmoved(a, p)
    p.expect("the last acknowledgement", lambda s: s.ack == (p.seq + 1) & 0xffffffff, partial(p.segment, flags=ACK | FIN))


def guesses_in_closing(a):
    p = Peer(a)
    p.say(b"Q")
    _finish("a FIN", p, seq=p.seq)
    p.segment(flags=ACK | FIN)  # which has not seen it
    p.seq += 1
    a.settle()
    _unmoved(a, p)
    p.ack += 1
    p.segment()
    a.drain()
    p.seq -= 1
    p.expect("an answer to the FIN again", lambda s: s.ack == (p.seq + 1) & 0xffffffff, partial(p.segment, flags=ACK | FIN))


def guesses_in_time_wait(a):
    """RFC 1337: neither what is old nor what is forged ends it."""
    p = Peer(a)
    p.say(b"Q")
    _finish("a FIN", p, seq=p.seq)
    p.ack += 1
    p.segment(flags=ACK | FIN)
    p.seq += 1
    a.settle()
    places = [1, 1000, -1, -1000, -70000]
    with a.attack(2 * CHALLENGES + 20, tcp_resets_received=0, connections=NONE_MORE, half_open=NONE_MORE):
        for place in places:
            for flags in (RST, RST | ACK, ACK):
                p.segment(seq=p.seq + place, flags=flags)
            p.segment(seq=p.seq + min(place, -10), flags=SYN)  # older than what was
            p.segment(seq=p.seq + place, flags=ACK | PSH, payload=b"late")
    a.drain()
    p.expect("an answer to the FIN again", lambda s: s.ack == p.seq & 0xffffffff,
             partial(p.segment, seq=p.seq - 1, flags=ACK | FIN))


def guesses_in_last_ack(a):
    p = Peer(a)
    before = a.stats()["connections"]
    p.segment(flags=ACK | FIN)
    p.seq += 1
    _finish("a FIN", p, seq=p.seq - 1, flags=ACK | FIN)
    _unmoved(a, p)
    p.segment(ack=p.ack + 1)
    a.await_stats("it is over", lambda s: s["connections"] < before)


def cookies_of_others_open_nothing(a):
    """With its share of the half-open places in use, an address gets cookies."""
    for i in range(2000):
        a.send_tcp(1024 + i, seq=i, flags=SYN)
    a.settle()
    a.drain()
    port, seq, before = 30000, a.random.getrandbits(32), a.stats()
    a.send_tcp(port, seq=seq, flags=SYN)
    s = a.expect_segment("a SYN-ACK", port, lambda s: s.flags == SYN | ACK)
    if a.stats()["tcp_cookies_sent"] == before["tcp_cookies_sent"]:
        raise AssertionError("no cookie was sent")
    wrong = [dict(sport=port + 1), dict(src="198.18.0.9"), dict(seq=seq + 2), dict(seq=seq), dict(ack=s.seq),
             dict(ack=s.seq + 2), dict(ack=s.seq + 1 + (1 << 24)), dict(ack=s.seq + 1 + (1 << 31))]
    with a.attack(len(wrong), connections=NONE_MORE, tcp_resets_sent=len(wrong), tcp_cookies_bad=len(wrong)):
        for kw in wrong:
            a.send_tcp(**dict(dict(sport=port, seq=seq + 1, ack=s.seq + 1, flags=ACK), **kw))
    a.drain()
    a.send_tcp(port, seq=seq + 1, ack=s.seq + 1, flags=ACK | PSH, payload=b"through")
    got = a.expect("the echo", partial(_text_to, port))
    if got != b"through":
        raise AssertionError("%r" % got)
    a.send_tcp(port, seq=seq + 8, ack=s.seq + 8, flags=RST)


def _text_to(port, frame):
    s = Segment.parse(frame)
    return s.payload if s and s.dst == EVIL and s.sport == PORT and s.dport == port and s.payload else None


CASES = cases(globals())
