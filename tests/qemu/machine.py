# machine.py - a virtual machine for qemu.py: the distribution's kernel, emulated whatever processor
# there is, with an IOMMU and one network device behind it that vfio-pci has; our programs inside, which are
# run by lines on a serial line. All of it lies in one folder, and goes with this process.
#
# SPDX-License-Identifier: MIT
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "net"))
from net import PATIENCE_S, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL_PACKAGE = "linux-image-cloud-amd64"
MODULES = ("vfio-pci", "vfio_iommu_type1")
# Of DPDK's drivers those that the devices below take, and what they stand on.
DRIVERS = ("bus_pci", "bus_vdev", "mempool_ring", "net_e1000", "net_virtio", "net_vmxnet3")
EXAMPLES = ("tcp-echo", "udp-ping-pong")
MEMORY_MB, HUGE_PAGES = 1024, 192  # of 2 MiB
KERNEL_LINE = "console=ttyS0 quiet panic=-1 intel_iommu=on hugepages=%d" % HUGE_PAGES


def missing():
    """What this machine lacks, as a sentence; empty when all is there."""
    programs = [p for p in ("qemu-system-x86_64", "busybox") if shutil.which(p) is None]
    if programs:
        return "not installed: %s (apt-get install qemu-system-x86 busybox-static)" % " ".join(programs)
    if subprocess.run(["ldd", shutil.which("busybox")], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode == 0:
        return "busybox needs libraries here (apt-get install busybox-static)"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun"
    return ""


def fetch_kernel(folder):
    """The distribution's kernel and its modules, unpacked but not installed. Raises OSError."""
    depends = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE], stdout=subprocess.PIPE).stdout.decode()
    package = re.search(r"Depends: (linux-image-\S+)", depends)
    if not package:
        raise OSError("apt-get knows no %s (apt-get update)" % KERNEL_PACKAGE)
    os.makedirs(folder, exist_ok=True)
    unpacked = os.path.join(folder, package[1])
    if not os.path.isdir(unpacked):
        got = subprocess.run(["apt-get", "download", package[1]], cwd=folder, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        archives = glob.glob(os.path.join(folder, package[1] + "_*.deb"))
        if got.returncode or not archives:
            raise OSError("%s cannot be had: %s" % (package[1], got.stdout.decode(errors="replace")))
        subprocess.run(["dpkg-deb", "-x", archives[0], unpacked + ".new"], check=True)
        os.rename(unpacked + ".new", unpacked)
        os.unlink(archives[0])
    return unpacked


def libraries_of(path):
    """The shared objects that a program or another needs."""
    said = subprocess.run(["ldd", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.findall(r"(?:=> )?(/\S+) \(0x", said)


class Image:
    """What the machine starts from: a kernel, and a file system of busybox, our programs and what
    they need, as an archive."""

    def __init__(self, folder, kernel, build):
        self.root = os.path.join(folder, "root")
        self.archive = os.path.join(folder, "root.cpio")
        self.kernel = glob.glob(os.path.join(kernel, "boot", "vmlinuz-*"))[0]
        self.build = build
        for name in ("bin", "dev", "lib64", "proc", "sys", "programs"):
            os.makedirs(os.path.join(self.root, name))
        self.add_busybox()
        self.add_modules(kernel)
        self.add_programs()
        self.pack()

    def add_busybox(self):
        busybox = os.path.join(self.root, "bin", "busybox")
        shutil.copy(shutil.which("busybox"), busybox)
        for name in subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split():
            if name != "busybox":
                os.symlink("busybox", os.path.join(self.root, "bin", name))
        shutil.copy(os.path.join(HERE, "init"), os.path.join(self.root, "init"))
        os.chmod(os.path.join(self.root, "init"), 0o755)

    def add_modules(self, kernel):
        """Those that MODULES need, and which order they need."""
        modules = glob.glob(os.path.join(kernel, "**", "lib", "modules", "*"), recursive=True)[0]
        here = os.path.join(self.root, "lib", "modules", os.path.basename(modules))
        for part in ("drivers/vfio", "virt/lib"):
            shutil.copytree(os.path.join(modules, "kernel", part), os.path.join(here, "kernel", part))
        subprocess.run(["busybox", "depmod", "-b", self.root, os.path.basename(modules)], check=True)

    def add_file(self, path):
        """Where it lies here, with what it needs. Links stay links: an object of two names is loaded once."""
        real = os.path.realpath(path)
        if os.path.lexists(self.root + path):
            return
        for name in (path, real):
            os.makedirs(os.path.dirname(self.root + name), exist_ok=True)
        if real != path:
            os.symlink(real, self.root + path)
            self.add_file(real)
            return
        shutil.copy(path, self.root + path)
        for library in libraries_of(path):
            if not os.path.realpath(library).startswith(self.build):
                self.add_file(library)

    def add_programs(self):
        """They find the library in the folder above theirs, and it the plug-in beside it."""
        programs = os.path.join(self.root, "programs")
        os.mkdir(os.path.join(programs, "examples"))
        ours = ["examples/" + name for name in EXAMPLES] + ["libdemikernel.so.1", "libdemikernel-dpdk.so"]
        for name in ours:
            shutil.copy(os.path.join(self.build, name), os.path.join(programs, name))
            for library in libraries_of(os.path.join(self.build, name)):
                if not os.path.realpath(library).startswith(self.build):
                    self.add_file(library)
        folders = glob.glob("/usr/lib/*/dpdk/pmds-*")
        for driver in DRIVERS:
            for path in glob.glob(os.path.join(folders[0], "librte_%s.so*" % driver)):
                self.add_file(path)

    def pack(self):
        with open(self.archive, "wb") as archive:
            find = subprocess.Popen(["find", "."], cwd=self.root, stdout=subprocess.PIPE)
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=self.root, stdin=find.stdout, stdout=archive,
                           stderr=subprocess.DEVNULL, check=True)
            find.wait()


class Machine:
    """One that runs, with a device of qemu's. In `host`, whose end of the cable is the TAP guest0."""

    def __init__(self, image, host, device):
        self.folder = tempfile.TemporaryDirectory(prefix="demi-qemu-")
        self.device = device
        ends = [os.path.join(self.folder.name, name) for name in ("host", "guest")]
        self.cable = host.start(sys.executable, os.path.join(HERE, "cable.py"), "guest0", *ends)
        self.cable.stdout.readline()
        self.console = os.path.join(self.folder.name, "console")
        self.monitor_path = os.path.join(self.folder.name, "monitor")
        self.qemu = host.start(
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", MEMORY_MB,
            "-machine", "q35,kernel-irqchip=off", "-device", "intel-iommu,intremap=on,aw-bits=48",
            "-kernel", image.kernel, "-initrd", image.archive, "-append", KERNEL_LINE,
            "-serial", "file:" + self.console, "-serial", "stdio",
            "-qmp", "unix:%s,server=on,wait=off" % self.monitor_path,
            "-netdev", "dgram,id=net,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s" % (ends[1], ends[0]),
            "-device", "%s,netdev=net,id=port,mac=52:54:00:00:07:01" % device, stdin=subprocess.PIPE)
        self.port, *groups = self.line_with("ready ").split()[1:]
        if not any(g.isdigit() for g in groups):
            raise AssertionError("vfio-pci did not take the device: %s %s" % (self.port, groups))

    def line_with(self, text):
        """Reads what the machine says up to a line with this in it; no longer than our patience."""
        said = []
        timer = subprocess.Popen(["sh", "-c", "sleep %d; kill %d" % (PATIENCE_S, self.qemu.pid)])
        try:
            while not said or text not in said[-1]:
                line = self.qemu.stdout.readline().decode(errors="replace").rstrip("\r\n")
                if line.startswith("ended ") and text != "ended ":
                    raise AssertionError("%s, without %r: %s" % (line, text, said))
                if not line and self.qemu.poll() is not None:
                    with open(self.console, errors="replace") as console:
                        raise AssertionError("the machine has ended: %s\n%s" % (said, console.read()[-3000:]))
                said.append(line)
        finally:
            timer.kill()
            timer.wait()
        self.said = said[:-1]
        return said[-1]

    def run(self, line):
        """Runs a line of shell to its end. What it said; raises if it did not end well."""
        self.tell(line)
        status = self.line_with("ended ")
        if status != "ended 0":
            raise AssertionError("%s: %s\n%s" % (line, status, "\n".join(self.said)))
        return "\n".join(self.said)

    def tell(self, line):
        self.qemu.stdin.write(line.encode() + b"\n")

    def monitor(self, command, **arguments):
        """Has qemu do something to its devices."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE_S)
            s.connect(self.monitor_path)
            answers = s.makefile("rw")
            answers.readline()
            for c in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                answers.write(json.dumps(c) + "\n")
                answers.flush()
                while True:
                    answer = json.loads(answers.readline())
                    if "error" in answer:
                        raise AssertionError("%s: %s" % (command, answer["error"]))
                    if "return" in answer:
                        break

    def end(self):
        for process in (self.qemu, self.cable):
            process.kill()
            process.wait()
        self.folder.cleanup()
