#!/usr/bin/env python3
# cable.py TAP OURS THEIRS - a cable between a TAP, which it makes, and the datagram socket by which a
# virtual machine's network device sends: a frame a datagram. Prints "INFO: carries" when it does.
#
# SPDX-License-Identifier: MIT
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
FRAME_MAX = 65536

name, ours, theirs = sys.argv[1:4]
tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
machine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
machine.bind(ours)
machine.setblocking(False)
print("INFO: carries", flush=True)
while True:
    for ready in select.select([tap, machine], [], [])[0]:
        try:  # a cable loses what nobody takes
            if ready is tap:
                machine.sendto(os.read(tap, FRAME_MAX), theirs)
            else:
                os.write(tap, machine.recv(FRAME_MAX))
        except OSError:
            pass
