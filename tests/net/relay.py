#!/usr/bin/env python3
# relay.py INTERFACE INTERFACE SEED - a cable that misbehaves: carries frames between two interfaces,
# and holds some back until others have overtaken them, or carries them twice. Prints "INFO: relays"
# when it does; counts what it did when it is interrupted.
#
# The kernel of the tests may lack netem, which would do the same.
#
# SPDX-License-Identifier: MIT
import random
import select
import signal
import socket
import sys
import time

ALL, OUTGOING = 3, 4  # ETH_P_ALL, PACKET_OUTGOING
HELD_IN, TWICE_IN = 25, 100  # one frame in so many
OVERTAKEN_BY = (1, 10)  # frames
AT_MOST_S = 0.005  # a frame is held when nothing follows

randomness = random.Random(int(sys.argv[3]))
counts = {"carried": 0, "held back": 0, "twice": 0}


class End:
    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.socket.bind((interface, ALL))
        self.held = None  # a frame on its way to this end
        self.overtakers = 0
        self.until = 0.0

    def send(self, frame):
        counts["carried"] += 1
        try:
            self.socket.send(frame)
        except OSError:
            pass  # the interface is down or its queue full: a cable loses that

    def release(self):
        if self.held is not None:
            frame, self.held = self.held, None
            self.send(frame)

    def carry(self, frame):
        if self.held is None and randomness.randrange(HELD_IN) == 0:
            counts["held back"] += 1
            self.held = frame
            self.overtakers = randomness.randint(*OVERTAKEN_BY)
            self.until = time.monotonic() + AT_MOST_S
            return
        self.send(frame)
        if randomness.randrange(TWICE_IN) == 0:
            counts["twice"] += 1
            self.send(frame)
        if self.held is not None:
            self.overtakers -= 1
            if self.overtakers == 0:
                self.release()


def stop(*_):
    print(counts, flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
ends = [End(name) for name in sys.argv[1:3]]
other = {ends[0].socket: ends[1], ends[1].socket: ends[0]}
print("INFO: relays", flush=True)
while True:
    holding = any(e.held is not None for e in ends)
    for ready in select.select(list(other), [], [], AT_MOST_S if holding else None)[0]:
        frame, address = ready.recvfrom(65536)
        if address[2] != OUTGOING:
            other[ready].carry(frame)
    for e in ends:
        if e.held is not None and time.monotonic() >= e.until:
            e.release()
