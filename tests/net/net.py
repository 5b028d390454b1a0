# net.py - what the system tests stand on: network namespaces of their own, pairs of interfaces
# between them, and processes inside. Nothing has a name outside; all of it goes with this process,
# also when that is killed.
#
# SPDX-License-Identifier: MIT
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
os.environ["PATH"] += ":/usr/sbin:/sbin"  # where Debian has nft and ethtool, and looks only for root
# Programs of this build are slower by so much than they are alone, and have so many words in front:
# see wrapped.sh.
SLOWDOWN = int(os.environ.get("DEMI_TEST_SLOWDOWN", 1))
WRAPPER = os.environ.get("DEMI_TEST_WRAPPER", "").split()
PATIENCE_S = 240 * min(SLOWDOWN, 5)  # for anything that is to come to an end: a machine may be slow, and shared
# A peer of ours may be given no processor for a while, which is no reason to take it for gone.
PATIENT = dict(os.environ, ARP_REQUEST_RETRIES="100")


def wrapped(args):
    """A command line, with the wrapper in front of a program of this build, but no yardstick."""
    args = list(map(str, args))
    for i, word in enumerate(args):
        if re.search(r"/(examples/[^/]+|bench/[^/]+_bench)$", word) and os.access(word, os.X_OK):
            return args[:i] + WRAPPER + args[i:]
    return args


class Host:
    """A network namespace, held by a process that ends with us."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up; echo ready; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"ready\n":
            raise PermissionError("no network namespace can be made")

    def command(self, *args):
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self.holder.pid), "-n",
                *wrapped(args)]

    def run(self, *args, **kw):
        """Runs a program to its end, which must be a good one. Its output."""
        kw.setdefault("timeout", PATIENCE_S)
        p = subprocess.run(self.command(*args), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, **kw)
        if p.returncode != 0:
            raise AssertionError("%s: exit status %d\n%s" % (
                " ".join(map(str, args)), p.returncode, p.stdout.decode(errors="replace")))
        return p.stdout

    def start(self, *args, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        return subprocess.Popen(self.command(*args), bufsize=0, **kw)

    def end(self):
        self.holder.stdin.close()
        self.holder.wait()


class Here:
    """This machine's own network, in the place of a Host."""

    def start(self, *args, **kw):
        return subprocess.Popen(wrapped(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                bufsize=0, **kw)

    def end(self):
        pass


PROGRAMS = ("ip", "ethtool", "nft", "nsenter", "ping", "setpriv", "tshark")


def allowed():
    """Whether namespaces can be made here, and what is run in them is there; else says why not."""
    missing = [p for p in PROGRAMS if shutil.which(p) is None]
    if missing:
        print("skipped: not installed: %s (make test installs them)" % " ".join(missing))
        return False
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return True
    print("skipped: making a network namespace needs CAP_SYS_ADMIN (run as root)")
    return False


def wire(a, name_a, b, name_b, mtu=1500, queues=1):
    """A pair of interfaces between two hosts. The kernel leaves no checksum to a device that is
    not there, and cuts its segments itself: our stacks see what a wire would carry. It asks for its
    neighbours as long as anybody here waits: after three seconds it would give up a slow machine's."""
    several = ["numtxqueues", queues, "numrxqueues", queues] if queues > 1 else []
    a.run("ip", "link", "add", name_a, "mtu", mtu, *several, "type", "veth",
          "peer", "name", name_b, "mtu", mtu, *several, "netns", b.holder.pid)
    for host, name in ((a, name_a), (b, name_b)):
        host.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/%s/disable_ipv6 || :" % name)
        host.run("sh", "-c", "for i in mcast ucast; do echo %d >/proc/sys/net/ipv4/neigh/%s/${i}_solicit; done" %
                 (PATIENCE_S, name))
        host.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        host.run("ip", "link", "set", name, "up")


def ours(address, interface, link, gateway=None, prefix=24, queues=1):
    """The environment of a program over catpowder, link: a value of raw_socket.link, or xdp-native; or
    over catnip, link: dpdk-packet and dpdk-xdp, by DPDK's drivers for AF_PACKET, with so many queues, and
    for AF_XDP; and dpdk-tap, which makes the interface."""
    config = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    config.write("demikernel:\n  local_ipv4_addr: %s/%d\n  exit_linger_ms: %d\n" % (
        address, prefix, PATIENCE_S * 1000 // 2))
    if gateway:
        config.write("  gateway: %s\n" % gateway)
    if link.startswith("dpdk-"):
        device = {"dpdk-packet": "net_af_packet0,qpairs=%d" % queues, "dpdk-xdp": "net_af_xdp0",
                  "dpdk-tap": "net_tap0"}[link]
        config.write("dpdk:\n  eal_init: [--no-huge, -m, %d, --no-pci, --no-telemetry, --no-shconf,\n"
                     "    '--vdev=%s,iface=%s']\n" % (192 + 64 * queues, device, interface))
        config.close()
        FILES.append(config.name)
        return dict(PATIENT, LIBOS="catnip", CONFIG_PATH=config.name)
    link, _, mode = link.partition("-")
    config.write("raw_socket:\n  linux_interface_name: %s\n  link: %s\n" % (interface, link))
    if mode:
        config.write("  xdp_mode: %s\n" % mode)
    config.close()
    env = dict(PATIENT, LIBOS="catpowder", CONFIG_PATH=config.name)
    FILES.append(config.name)
    return env


def kernels():
    """The environment of a program over the kernel's sockets."""
    env = dict(os.environ, LIBOS="catnap", XDG_CONFIG_HOME="/nonexistent")
    env.pop("CONFIG_PATH", None)
    return env


def can_start(libos, examples):
    """Whether this machine lets a libOS start, by demi doctor, which lies beside the examples; else
    says why not."""
    doctor = os.path.join(os.path.dirname(examples), "tools", "demi")
    p = subprocess.run([doctor, "doctor", "--libos", libos], stdout=subprocess.PIPE)
    if p.returncode:
        print("skipped:", p.stdout.decode())
    return p.returncode == 0


FILES = []


def wait_until(condition, what, seconds=PATIENCE_S):
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def await_answer(host, address, *options):
    """Pings from a host until there is an answer."""
    ping = host.command("ping", "-c", "1", "-W", "2", *options, address)
    wait_until(lambda: subprocess.run(ping, stdout=subprocess.DEVNULL).returncode == 0,
               "%s answers a ping" % address)


def await_line(process, text):
    """Reads what a program says up to a line with this in it. That line."""
    said = line = b""
    while text not in line:
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise AssertionError("ended without saying %r: %s" % (
                text, said.decode(errors="replace")))
        said += line
    return line


def ended_well(process, what, timeout=PATIENCE_S):
    try:
        out, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        raise AssertionError("%s: not over after %d s\n%s" % (
            what, timeout, out.decode(errors="replace")))
    if process.returncode != 0:
        raise AssertionError("%s: exit status %d\n%s" % (
            what, process.returncode, out.decode(errors="replace")))
    return out


def cpu_seconds(pid):
    """What a process has used of processors so far."""
    return sum(int(open(path).read().split()[0]) for path in glob.glob("/proc/%d/task/*/schedstat" % pid)) / 1e9


def main(cases, in_namespaces=True):
    """Runs each case, a function whose name is a sentence; or those with a part of an argument in
    their names. Exit status."""
    if in_namespaces and not allowed():
        return SKIPPED
    failed = 0
    chosen = [c for c in cases if len(sys.argv) < 4 or any(p in c[0] for p in sys.argv[3:])]
    for name, case in chosen:
        try:
            case()
            print("ok      %s" % name, flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError) as e:
            failed += 1
            print("FAILED  %s\n%s" % (name, e), flush=True)
    for path in FILES:
        os.unlink(path)
    print("%d of %d failed" % (failed, len(chosen)))
    return 1 if failed else 0
