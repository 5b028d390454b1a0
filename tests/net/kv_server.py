#!/usr/bin/env python3
# kv_server.py LIBOS EXAMPLES - the example kv-server over catnap or catcollar, asked by sockets of the
# kernel's: what it answers, requests cut anywhere, requests that are none, and readers that do not read.
#
# SPDX-License-Identifier: MIT
import os
import resource
import signal
import socket
import sys
import threading

from net import PATIENCE_S, SKIPPED, Here, await_line, can_start, ended_well, kernels, main

LIBOS, EXAMPLES = sys.argv[1:3]


class Server:
    def __init__(self, megabytes=64):
        self.process = Here().start(os.path.join(EXAMPLES, "kv-server"), "127.0.0.1", "0", megabytes,
                                    env=dict(kernels(), LIBOS=LIBOS))

    def __enter__(self):
        self.port = int(await_line(self.process, b"INFO: ").decode().rsplit(":", 1)[1])
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
            return
        self.process.send_signal(signal.SIGTERM)
        ended_well(self.process, "kv-server")

    def client(self):
        return Client(self.port)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def expect(self, want):
        got = b""
        while len(got) < len(want):
            some = self.socket.recv(len(want) - len(got))
            assert some, "the end came behind %r" % got[-100:]
            got += some
        assert got == want, "%r came, not %r" % (got[:200], want[:200])

    def expect_end(self):
        try:
            assert self.socket.recv(1) == b""
        except ConnectionResetError:
            pass

    def ask(self, want, *words):
        self.socket.sendall(request(*words))
        self.expect(want)

    def line(self):
        return self.socket.makefile("rb").readline()


def request(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def bulk(value):
    return b"$%d\r\n%s\r\n" % (len(value), value)


def it_keeps_what_it_is_given():
    with Server() as server:
        c = server.client()
        c.ask(b"+PONG\r\n", "ping")
        c.ask(bulk(b"hello"), "PING", "hello")
        c.ask(bulk(b"hello"), "ECHO", "hello")
        c.ask(b"$-1\r\n", "GET", "a")
        c.ask(b"+OK\r\n", "SET", "a", "1")
        c.ask(bulk(b"1"), "get", "a")
        c.ask(b":2\r\n", "INCR", "a")
        c.ask(b":1\r\n", "INCR", "new")
        c.ask(b"+OK\r\n", "SET", b"\r\n\0", b"any\0bytes\r\n")
        c.ask(bulk(b"any\0bytes\r\n"), "GET", b"\r\n\0")
        c.ask(b"-ERR value is not an integer or out of range\r\n", "INCR", b"\r\n\0")
        c.ask(b"+OK\r\n", "SET", "", "")
        c.ask(bulk(b""), "GET", "")
        c.ask(b":4\r\n", "DBSIZE")
        c.ask(b":2\r\n", "EXISTS", "a", "b", "")
        c.ask(b":2\r\n", "DEL", "a", "b", "")
        c.ask(b"-ERR unknown command\r\n", "FROBNICATE")
        c.ask(b"-ERR wrong number of arguments\r\n", "GET")
        server.client().ask(bulk(b"1"), "GET", "new")
        c.ask(b"+OK\r\n", "FLUSHALL")
        c.ask(b":0\r\n", "DBSIZE")
        c.socket.sendall(b"\r\nset word value\r\nget word\n")
        c.expect(b"+OK\r\n" + bulk(b"value"))
        c.ask(b"+OK\r\n", "QUIT")
        c.expect_end()


def large_values_come_back_whole():
    with Server() as server:
        c = server.client()
        for size in (1900, 1901, 65536, 524288):
            value = bytes(i * 7 % 251 for i in range(size))
            c.ask(b"+OK\r\n", "SET", "large", value)
            c.ask(bulk(value), "GET", "large")


def a_pipeline_may_be_cut_anywhere():
    text = request("SET", "k", "abc") + request("GET", "k") + b"PING\r\n" + request("DEL", "k")
    want = b"+OK\r\n" + bulk(b"abc") + b"+PONG\r\n:1\r\n"
    with Server() as server:
        c = server.client()
        for cut in range(1, len(text)):
            c.socket.sendall(text[:cut])
            if cut > 40:  # what is whole is answered: the cut has been seen
                c.expect(b"+OK\r\n")
                c.socket.sendall(text[cut:])
                c.expect(want[5:])
            else:
                c.socket.sendall(text[cut:])
                c.expect(want)
        for byte in text:
            c.socket.sendall(bytes([byte]))
        c.expect(want)
        c.socket.sendall(text * 2000)
        c.expect(want * 2000)


def what_is_no_request_ends_its_connection_alone():
    with Server() as server:
        other = server.client()
        for text in (b"*x\r\n", b"*-1\r\n", b"*1\r\n+PING\r\n", b"*1\r\n$-5\r\n", b"*99999\r\n",
                     b"*1\r\n$600000\r\n", b"*1\r\n$4\r\nPINGPONG", b"a" * 2000):
            c = server.client()
            c.socket.sendall(request("PING") + text)
            c.expect(b"+PONG\r\n-ERR Protocol error: ")
            other.ask(b"+PONG\r\n", "PING")
        c = server.client()
        c.socket.sendall(b"*2\r\n$3\r\nGET\r\n$100\r\nabc")
        c.socket.close()  # amidst a request
        other.ask(b"+PONG\r\n", "PING")


def who_does_not_read_is_not_served_without_end():
    count, value = 4000, b"v" * 100000  # 400 MB of answers
    with Server() as server:
        c, other = server.client(), server.client()
        c.ask(b"+OK\r\n", "SET", "k", value)
        asking = threading.Thread(target=lambda: c.socket.sendall(request("GET", "k") * count))
        asking.start()
        for _ in range(200):
            other.ask(b"+PONG\r\n", "PING")
        with open("/proc/%d/statm" % server.process.pid) as f:
            resident = int(f.read().split()[1]) * resource.getpagesize()
        assert resident < 200 << 20, resident
        for _ in range(count):
            c.expect(bulk(value))
        asking.join()


def a_full_table_is_told_and_lives_on():
    with Server(1) as server:
        c = server.client()
        value = b"v" * 1000
        c.socket.sendall(b"".join(request("SET", i, value) for i in range(2000)))
        answers = c.socket.makefile("rb")
        said = [answers.readline() for _ in range(2000)]
        assert said[0] == b"+OK\r\n" and said[-1].startswith(b"-OOM"), (said[0], said[-1])
        c.socket.sendall(request("GET", 0) + request("DEL", 0) + request("SET", 0, value))
        assert [answers.readline() for _ in range(4)][2:] == [b":1\r\n", b"+OK\r\n"]


CASES = (it_keeps_what_it_is_given, large_values_come_back_whole, a_pipeline_may_be_cut_anywhere,
         what_is_no_request_ends_its_connection_alone, who_does_not_read_is_not_served_without_end,
         a_full_table_is_told_and_lives_on)

if __name__ == "__main__":
    if not can_start(LIBOS, EXAMPLES):
        sys.exit(SKIPPED)
    sys.exit(main([(c.__name__, c) for c in CASES], in_namespaces=False))
