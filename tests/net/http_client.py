#!/usr/bin/env python3
# http_client.py ADDRESS PORT [late SECONDS] - clients of a running http-server: curl, Python's
# http.client, nc, and some that mean harm. Exit status 0: each got what it should. `late`: those that
# a server with a patience of SECONDS gives up.
#
# SPDX-License-Identifier: MIT
import hashlib
import http.client
import random
import socket
import subprocess
import sys
import threading
import time

ADDRESS, PORT = sys.argv[1], int(sys.argv[2])
URL = "http://%s:%d" % (ADDRESS, PORT)
TIMEOUT_S = 240
LINE = bytes(ord("0") + i for i in range(63)) + b"\n"
RANDOM = random.Random(3)


def text(n):
    """What /bytes/N gives."""
    return (LINE * (n // len(LINE) + 1))[:n]


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError("%s: %.200r, not %.200r" % (what, got, wanted))


def run(*command, stdin=None):
    p = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=TIMEOUT_S)
    if p.returncode != 0:
        raise AssertionError("%s: exit status %d: %r" % (" ".join(command), p.returncode, p.stderr))
    return p.stdout


def curl(*options):
    return run("curl", "--silent", "--show-error", *options)


def connect():
    return socket.create_connection((ADDRESS, PORT), TIMEOUT_S)


def read_all(s, most=1 << 40):
    """What comes to the end of the stream or a reset; None when that is too much."""
    got = bytearray()
    while len(got) < most:
        try:
            piece = s.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return bytes(got)
        got += piece
    return None


def ask(request, status):
    """A request of raw bytes, on a connection of its own that the answer ends."""
    with connect() as s:
        s.sendall(request)
        check(request, read_all(s).split(b"\r\n")[0], b"HTTP/1.1 " + status)


def curl_gets_bytes_of_any_number():
    for n in (0, 1, 63, 65535, 65536, 65537, 1000000):
        check(n, curl("%s/bytes/%d" % (URL, n)), text(n))
    n = 100 << 20
    got = hashlib.sha256(curl("%s/bytes/%d" % (URL, n))).hexdigest()
    check(n, got, hashlib.sha256(text(n)).hexdigest())


def curl_keeps_its_connection():
    got = curl("-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null", "%s/bytes/[1-5]" % URL)
    check("answers and connections", got, b"200 1\n" + 4 * b"200 0\n")


def curl_learns_of_a_body_that_it_does_not_want():
    got = curl("--head", URL + "/bytes/1000")
    check("length", b"Content-Length: 1000\r\n" in got, True)
    check("end", got.endswith(b"\r\n\r\n"), True)


def curl_gets_its_body_back():
    body = RANDOM.randbytes(3 << 20)  # for which it expects 100 Continue
    check("body", run("curl", "--silent", "--data-binary", "@-", URL + "/echo", stdin=body), body)


def python_talks_on_one_connection():
    c = http.client.HTTPConnection(ADDRESS, PORT, timeout=TIMEOUT_S)

    def say(method, path, body=None):
        c.request(method, path, body)
        r = c.getresponse()
        return r.status, r.read()
    body = RANDOM.randbytes(1 << 20)
    c.connect()
    port = c.sock.getsockname()
    for _ in range(3):
        check("GET", say("GET", "/bytes/70000"), (200, text(70000)))
        check("HEAD", say("HEAD", "/bytes/70000"), (200, b""))
        check("POST", say("POST", "/echo", body), (200, body))
        check("empty POST", say("POST", "/echo", b""), (200, b""))
        check("no such path", say("GET", "/nowhere")[0], 404)
        check("no such number", say("GET", "/bytes/1x")[0], 404)
        check("POST there", say("POST", "/bytes/1", body)[0], 405)
        check("GET there", say("GET", "/echo")[0], 405)
        check("DELETE", say("DELETE", "/")[0], 405)
    check("the connection", c.sock.getsockname(), port)
    c.close()


def what_is_wrong_is_refused():
    ask(b"GET /\r\n\r\n", b"400 Bad Request")
    ask(b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request")
    ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1099511627776\r\n\r\n",
        b"413 Content Too Large")
    ask(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + 9000 * b"x", b"431 Request Header Fields Too Large")
    ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"501 Not Implemented")
    ask(b"GET / HTTP/3.0\r\n\r\n", b"505 HTTP Version Not Supported")


def nc_reads_on_when_it_has_ended_its_side():
    got = run("nc", "-N", ADDRESS, str(PORT), stdin=b"GET /bytes/3000000 HTTP/1.0\r\n\r\n")
    check("answer", got.partition(b"\r\n\r\n")[2], text(3000000))


def pipelined_requests_may_be_cut_anywhere():
    sizes = [RANDOM.randrange(0, 3000) for _ in range(300)]
    requests = b"".join(b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in sizes)
    with connect() as s:
        got = []
        reader = threading.Thread(target=lambda: got.append(read_all(s)))
        reader.start()
        while requests:
            n = RANDOM.choice((1, 7, 40, 1000, 5000))
            s.sendall(requests[:n])
            requests = requests[n:]
        s.shutdown(socket.SHUT_WR)
        reader.join()
    rest = got[0]
    for n in sizes:
        head, _, rest = rest.partition(b"\r\n\r\n")
        check("status", head.split(b"\r\n")[0], b"HTTP/1.1 200 OK")
        check("body", rest[:n], text(n))
        rest = rest[n:]
    check("what is left", rest, b"")


def who_does_not_end_its_request_goes():
    with connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost:")
        check("without a request", read_all(s), b"")


def whose_body_does_not_come_goes():
    with connect() as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
        check("with a part of a body", read_all(s)[-5:], b"\r\n\r\nx")


def who_does_not_read_goes():
    with connect() as s:
        s.sendall(b"GET /bytes/1000000000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(5 * int(sys.argv[4]))  # nothing tells us that the server has closed
        check("end", read_all(s, 1 << 28) is None, False)


def many_come_at_once():
    crowd = [connect() for _ in range(300)]
    for s in crowd:
        s.sendall(b"GET /bytes/5000 HTTP/1.0\r\n\r\n")
    for s in crowd:
        check("answer", read_all(s).partition(b"\r\n\r\n")[2], text(5000))
        s.close()


LATE = (who_does_not_end_its_request_goes, whose_body_does_not_come_goes, who_does_not_read_goes)
PATIENT = (curl_gets_bytes_of_any_number, curl_keeps_its_connection,
           curl_learns_of_a_body_that_it_does_not_want, curl_gets_its_body_back,
           python_talks_on_one_connection, what_is_wrong_is_refused,
           nc_reads_on_when_it_has_ended_its_side, pipelined_requests_may_be_cut_anywhere,
           many_come_at_once)

for case in LATE if len(sys.argv) > 3 else PATIENT:
    try:
        case()
    except (AssertionError, subprocess.SubprocessError, http.client.HTTPException, OSError) as e:
        sys.exit("%s: %s" % (case.__name__, e))
    print("ok  ", case.__name__, flush=True)
