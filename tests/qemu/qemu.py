#!/usr/bin/env python3
# qemu.py BUILD [PART-OF-A-NAME ...] - catnip over real PCI devices, emulated: in a virtual machine with
# the distribution's kernel, behind an IOMMU and vfio-pci, with this machine's kernel as the peer. Takes
# minutes, since the processor is emulated as well. `make test-qemu` runs it. Exit status 77: skipped.
#
# SPDX-License-Identifier: MIT
import os
import sys
import tempfile
import time

BUILD = os.path.realpath(sys.argv[1])
sys.argv.insert(1, "qemu")  # main() takes the parts of names from the fourth on

import machine
from machine import Image, Machine
from net import SKIPPED, Host, allowed, await_answer, await_line, ended_well, kernels, main, wait_until

GUEST, HOST, PORT = "10.7.0.1", "10.7.0.2", "17007"
DEVICES = {
    "e1000": "e1000-82545em",
    "e1000e": "e1000e",
    "virtio": "virtio-net-pci,disable-legacy=on,iommu_platform=on,ats=on",
    "vmxnet3": "vmxnet3",
}
MEGABYTES = 8  # each way, of an emulated processor
IDLE_S, IDLE_CEILING = 4, 0.25  # of a processor that is emulated, with nothing to do

# Sends random bytes, takes what comes back, and compares.
ECHO_PEER = """
import hashlib, random, socket, sys, threading
address, port, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.create_connection((address, port), 120)
data = random.Random(7).randbytes(total)
t = threading.Thread(target=s.sendall, args=(data,))
t.start()
got = hashlib.sha256()
left = total
while left:
    piece = s.recv(1 << 18)
    if not piece: break
    got.update(piece)
    left -= len(piece)
t.join()
s.close()
print(left, got.hexdigest() == hashlib.sha256(data).hexdigest())
"""


class Net:
    """A host of this machine's with one end of a cable, and a virtual machine at the other."""

    def __init__(self, device):
        self.host = Host()
        try:
            self.guest = Machine(IMAGE, self.host, DEVICES[device])
        except BaseException:
            self.host.end()
            raise
        self.host.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/guest0/disable_ipv6 || :")
        self.host.run("ip", "addr", "add", HOST + "/24", "dev", "guest0")
        self.host.run("ip", "link", "set", "guest0", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.guest.end()
        self.host.end()

    def configure(self, more=""):
        lines = ["demikernel:", "  local_ipv4_addr: %s/24" % GUEST, "  exit_linger_ms: 60000", "dpdk:",
                 "  eal_init: ['-a', '%s', --in-memory, --no-telemetry]" % self.guest.port] + more.splitlines()
        self.guest.run("printf '%s\\n' " + " ".join('"%s"' % l for l in lines) + " >/config.yaml")

    def command(self, *args):
        return "LIBOS=catnip CONFIG_PATH=/config.yaml ARP_REQUEST_RETRIES=100 /programs/examples/" + " ".join(args)

    def start_server(self, *args):
        """In the machine; it receives when this returns."""
        self.guest.tell(self.command(*args))
        self.guest.line_with("INFO: ")

    def server_ends(self):
        if self.guest.line_with("ended ") != "ended 0":
            raise AssertionError("the server: %s" % self.guest.said)


def bytes_come_back_as_they_were_sent(net):
    net.start_server("tcp-echo", "--peer", "server", "--address", GUEST + ":" + PORT)
    await_answer(net.host, GUEST)
    began = time.monotonic()
    out = net.host.run("python3", "-c", ECHO_PEER, GUEST, PORT, str(MEGABYTES << 20))
    if out.split() != [b"0", b"True"]:
        raise AssertionError("what came back is not what was sent: %r" % out)
    net.server_ends()
    return "%.1f Mbit/s each way" % (MEGABYTES * 8.4 / (time.monotonic() - began))


def the_machine_is_the_client(net):
    server = net.host.start(os.path.join(BUILD, "examples", "tcp-echo"), "--peer", "server", "--address",
                            HOST + ":" + PORT, env=kernels())
    await_line(server, b"INFO: ")
    said = net.guest.run(net.command("tcp-echo", "--peer", "client", "--address", HOST + ":" + PORT, "--bufsize", "1024",
                                     "--nclients", "8", "--nrequests", "50", "--run-mode", "concurrent"))
    ended_well(server, "tcp-echo")
    return said.strip()


def datagrams_come_back(net):
    net.start_server("udp-ping-pong", "--server", GUEST, PORT, HOST, PORT, "1400", "200")
    client = net.host.start(os.path.join(BUILD, "examples", "udp-ping-pong"), "--client", HOST, PORT, GUEST, PORT, "1400",
                            "200", env=kernels())
    ended_well(client, "udp-ping-pong")
    net.server_ends()


def silence_costs_little(net):
    """The port's interrupt, or a bounded sleep, wakes a server that has nothing to do."""
    net.guest.run(net.command("tcp-echo", "--peer", "server", "--address", GUEST + ":" + PORT) +
                  " >/said 2>&1 & echo $! >/pid; until grep -q INFO: /said; do sleep 0.1; done")
    await_answer(net.host, GUEST)
    used = []
    for _ in range(3):  # one of them must be cheap: a processor that was taken away counts as used
        before = ticks(net.guest)
        time.sleep(IDLE_S)
        used.append((ticks(net.guest) - before) / 100 / IDLE_S)
    net.guest.run("kill $(cat /pid); wait; true")
    if min(used) > IDLE_CEILING:
        raise AssertionError("%.0f %% of a processor" % (100 * min(used)))
    return "%.1f %% of a processor" % (100 * min(used))


def ticks(guest):
    return int(guest.run("awk '{print $14 + $15}' /proc/$(cat /pid)/stat"))


def a_link_that_goes_down_and_up_again_delays(net):
    net.start_server("tcp-echo", "--peer", "server", "--address", GUEST + ":" + PORT)
    await_answer(net.host, GUEST)
    client = net.host.start("python3", "-c", ECHO_PEER, GUEST, PORT, str(MEGABYTES << 20))
    wait_until(lambda: received(net.host) > 1 << 20, "the transfer is under way")
    for up in (False, True):
        net.guest.monitor("set_link", name="port", up=up)
        time.sleep(0.5)
    if ended_well(client, "the client").split() != [b"0", b"True"]:
        raise AssertionError("what came back is not what was sent")
    net.server_ends()


def received(host):
    return int(host.run("grep", "guest0:", "/proc/net/dev").split()[1])


CHECKSUMS = "inetstack_config:\n  tcp_checksum_offload: true\n  udp_checksum_offload: true"


def over(device):
    """All of it over one device, in one machine: starting it takes longest."""
    def case():
        began = time.monotonic()
        with Net(device) as net:
            print("%s: a machine in %.0f s" % (device, time.monotonic() - began), flush=True)
            for what, more in (("", ""), (", checksums by the device", CHECKSUMS)):
                net.configure(more)
                for part in PARTS:
                    began = time.monotonic()
                    said = part(net)
                    print("  %-6s %s%s: %.0f s%s" % (device, part.__name__, what, time.monotonic() - began,
                                                    ", " + said if said else ""), flush=True)
    return case


PARTS = [bytes_come_back_as_they_were_sent, the_machine_is_the_client, datagrams_come_back, silence_costs_little,
         a_link_that_goes_down_and_up_again_delays]
lacking = machine.missing()
if lacking:
    print("skipped: " + lacking)
    sys.exit(SKIPPED)
if not allowed():
    sys.exit(SKIPPED)
with tempfile.TemporaryDirectory(prefix="demi-qemu-") as folder:
    try:
        IMAGE = Image(folder, machine.fetch_kernel(os.path.join(BUILD, "qemu-kernel")), BUILD)
    except OSError as e:
        print("skipped: %s" % e)
        sys.exit(SKIPPED)
    sys.exit(main([("catnip_over_%s_behind_an_iommu" % d, over(d)) for d in DEVICES], in_namespaces=False))
