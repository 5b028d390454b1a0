# frames.py - frames written byte by byte, right unless told otherwise: what a field says, and what its
# checksum is, can be chosen for each.
#
# SPDX-License-Identifier: MIT
import socket
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
IP4, ARP, VLAN = 0x0800, 0x0806, 0x8100
ICMP, TCP, UDP = 1, 6, 17
MF, DF = 0x2000, 0x4000


def addr(text):
    return socket.inet_aton(text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(src, dst, protocol, payload, options=b"", version=4, words=None, total=None, ident=0, fragment=0, ttl=64,
       csum=None):
    """A packet; fragment: flags and offset as they lie in the header, words: the header's length."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if words is None else words
    total = 20 + len(options) + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0, total & 0xffff, ident & 0xffff, fragment, ttl, protocol, 0,
                       addr(src), addr(dst)) + options
    csum = checksum(head) if csum is None else csum
    return head[:10] + struct.pack("!H", csum) + head[12:] + payload


def pseudo(src, dst, protocol, length):
    return addr(src) + addr(dst) + struct.pack("!HH", protocol, length)


def tcp(src, sport, dst, dport, seq=0, ack=0, flags=ACK, wnd=65535, options=b"", payload=b"", words=None, csum=None,
        urgent=0):
    """A segment, without its IP header."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if words is None else words
    data = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, words << 4 & 0xff, flags, wnd, 0,
                       urgent) + options + payload
    if csum is None:
        csum = checksum(pseudo(src, dst, TCP, len(data)) + data)
    return data[:16] + struct.pack("!H", csum) + data[18:]


def udp(src, sport, dst, dport, payload=b"", length=None, csum=None):
    length = 8 + len(payload) if length is None else length
    data = struct.pack("!HHHH", sport, dport, length & 0xffff, 0) + payload
    if csum is None:
        csum = checksum(pseudo(src, dst, UDP, len(data)) + data) or 0xffff
    return data[:6] + struct.pack("!H", csum) + data[8:]


def icmp(kind, code=0, rest=0, payload=b"", csum=None):
    data = struct.pack("!BBHI", kind, code, 0, rest) + payload
    csum = checksum(data) if csum is None else csum
    return data[:2] + struct.pack("!H", csum) + data[4:]


def arp(op, sender_mac, sender, target_mac, target, kind=b"\0\1\x08\0\6\4"):
    return kind + struct.pack("!H", op) + sender_mac + addr(sender) + target_mac + addr(target)


def ether(dst, src, payload, kind=IP4, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", VLAN, vlan)
    return dst + src + tag + struct.pack("!H", kind) + payload


def corrected(frame):
    """A mutated frame whose checksums are right again, as far as its lengths make sense."""
    f = bytearray(frame)
    if len(f) < 34 or f[12:14] != b"\x08\0":
        return bytes(f)
    words, total = f[14] & 15, struct.unpack_from("!H", f, 16)[0]
    behind = 14 + 4 * words
    if words < 5 or behind > len(f):
        return bytes(f)
    f[24:26] = b"\0\0"
    struct.pack_into("!H", f, 24, checksum(bytes(f[14:behind])))
    l4 = bytes(f[behind:14 + max(total, 4 * words)])
    at = {TCP: 16, UDP: 6, ICMP: 2}.get(f[23])
    if at is not None and len(l4) >= at + 2:
        l4 = l4[:at] + b"\0\0" + l4[at + 2:]
        head = b"" if f[23] == ICMP else bytes(f[26:34]) + struct.pack("!HH", f[23], len(l4))
        struct.pack_into("!H", f, behind + at, checksum(head + l4))
    return bytes(f)


class Segment:
    """What the victim sent: a TCP segment, read from a frame. None of .parse(): it is none."""

    @classmethod
    def parse(cls, frame):
        if len(frame) < 54 or frame[12:14] != b"\x08\0" or frame[23] != TCP:
            return None
        s = cls()
        total = struct.unpack_from("!H", frame, 16)[0]
        l4 = frame[14 + 4 * (frame[14] & 15):14 + total]
        s.dst = socket.inet_ntoa(frame[30:34])
        s.sport, s.dport, s.seq, s.ack, words, s.flags, s.wnd = struct.unpack_from("!HHIIBBH", l4)
        s.reserved = words & 15
        s.options, s.payload = l4[20:4 * (words >> 4)], l4[4 * (words >> 4):]
        return s

    def option(self, kind):
        """The value of an option, or None."""
        o = self.options
        while o and o[0] != 0:
            if o[0] == 1:
                o = o[1:]
                continue
            if o[0] == kind:
                return o[2:o[1]]
            o = o[o[1]:]
        return None
