#!/usr/bin/env python3
# tap.py LINK EXAMPLES [PART-OF-A-NAME ...] - the example programs over a TAP, with the kernel at its other
# end, on one host, which has no other interface. LINK: tap, of catpowder's; dpdk-tap, by DPDK's driver.
#
# SPDX-License-Identifier: MIT
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from net import PATIENCE_S, SKIPPED, Host, await_line, ended_well, kernels, main, ours

LINK, EXAMPLES = sys.argv[1:3]
OURS, KERNELS, PORT = "10.7.0.1", "10.7.0.2", "17007"
NOBODY = 65534

# The whole of "/" cannot be made one's own in a chroot that is no mount; /sys can.
APART = ["unshare", "-m", "--propagation", "unchanged", "sh", "-ec"]
OWN_SYS = "mount --make-rprivate /sys; mount -t sysfs none /sys; "


def machine(user=None):
    """A host with a TAP, which has the kernel's address, and may belong to a user."""
    host = Host()
    more = ["multi_queue"] if LINK == "dpdk-tap" else []
    host.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", *more, *(["user", str(user)] if user else []))
    host.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/tap0/disable_ipv6 || :")
    host.run("sh", "-c", "for i in mcast ucast; do echo %d >/proc/sys/net/ipv4/neigh/tap0/${i}_solicit; done" % PATIENCE_S)
    host.run("ip", "addr", "add", KERNELS + "/24", "dev", "tap0")
    host.run("ip", "link", "set", "tap0", "up")
    return host


def environment(offloads):
    env = ours(OURS, "tap0", LINK)
    os.chmod(env["CONFIG_PATH"], 0o644)
    if offloads:
        with open(env["CONFIG_PATH"], "a") as config:
            config.write("inetstack_config:\n  tcp_checksum_offload: true\n"
                         "  udp_checksum_offload: true\n")
    return env


def example(name, folder=None):
    return os.path.join(folder or EXAMPLES, name)


def start_server(host, env, server_is_ours, args, prefix=()):
    process = host.start(*prefix, *args, env=env)
    if LINK == "dpdk-tap" and server_is_ours:
        await_line(process, b"INFO: ")
        return process
    ready = ("test $(cat /sys/class/net/tap0/carrier) = 1" if server_is_ours else
             "grep -qi :%04x /proc/net/tcp /proc/net/udp" % int(PORT))
    # /sys is that of the network namespace in which it was mounted.
    host.run(*APART, OWN_SYS + "i=0; until %s; do i=$((i + 1)); test $i -lt 20000; sleep 0.01; done" % ready)
    return process


def pair(host, env, server_is_ours, server_args, client_args, prefix=()):
    """One of the two over the TAP (with `prefix` in front of it), the other over the kernel."""
    envs = (env, kernels()) if server_is_ours else (kernels(), env)
    s = start_server(host, envs[0], server_is_ours, server_args, prefix if server_is_ours else ())
    try:
        c = host.start(*(() if server_is_ours else prefix), *client_args, env=envs[1])
        ended_well(c, " ".join(client_args))
        ended_well(s, " ".join(server_args))
    finally:
        s.kill()


def programs(offloads, server_is_ours, prefix=(), user=None, server_folder=None):
    host = machine(user)
    env = environment(offloads)
    server, client = (OURS, KERNELS) if server_is_ours else (KERNELS, OURS)
    address = ["--address", server + ":" + PORT]
    for clients, size, count in ((1, 64, 500), (32, 1024, 50), (4, 65536, 50)):
        pair(host, env, server_is_ours, [example("tcp-echo", server_folder), "--peer", "server"] + address,
             [example("tcp-echo"), "--peer", "client"] + address +
             ["--bufsize", str(size), "--nclients", str(clients), "--nrequests", str(count),
              "--run-mode", "concurrent"], prefix)
    pair(host, env, server_is_ours, [example("tcp-push-pop", server_folder), "--server", server, PORT, "60000", "500"],
         [example("tcp-push-pop"), "--client", server, PORT, "60000", "500"], prefix)
    for size in ("64", "1400", "8000"):
        pair(host, env, server_is_ours,
             [example("udp-ping-pong", server_folder), "--server", server, PORT, client, PORT, size, "200"],
             [example("udp-ping-pong"), "--client", client, PORT, server, PORT, size, "200"], prefix)
    host.end()


def our_server_with_the_kernels_client():
    programs(False, True)


def the_kernels_server_with_our_client():
    programs(False, False)


def our_server_leaves_checksums_and_segments_to_the_kernel():
    programs(True, True)


def our_client_leaves_checksums_and_segments_to_the_kernel():
    programs(True, False)


def copy_for_everybody(folder):
    """The programs and the library where every user may run them: the build may lie below /root."""
    os.chmod(folder, 0o755)
    os.mkdir(os.path.join(folder, "programs"))
    for name in ("tcp-echo", "tcp-push-pop", "udp-ping-pong"):
        shutil.copy(example(name), os.path.join(folder, "programs"))
    for library in glob.glob(os.path.join(os.path.dirname(EXAMPLES), "libdemikernel.so*")):
        if os.path.isfile(library):
            shutil.copy(library, folder)
    return os.path.join(folder, "programs")


def a_user_without_privileges_has_a_tap_of_his_own():
    with tempfile.TemporaryDirectory(prefix="demi-tap-") as folder:
        programs(False, True, ["setpriv", "--reuid", str(NOBODY), "--clear-groups", "--inh-caps=-all"], NOBODY,
                 copy_for_everybody(folder))


if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
    print("skipped: there is no /dev/net/tun")
    sys.exit(SKIPPED)
if subprocess.run(["unshare", "-n", *APART, OWN_SYS + ":"], stderr=subprocess.DEVNULL).returncode != 0:
    print("skipped: making a mount namespace needs CAP_SYS_ADMIN (run as root)")
    sys.exit(SKIPPED)
CASES = [our_server_with_the_kernels_client, the_kernels_server_with_our_client,
         our_server_leaves_checksums_and_segments_to_the_kernel,
         our_client_leaves_checksums_and_segments_to_the_kernel]
if LINK == "tap":
    CASES.append(a_user_without_privileges_has_a_tap_of_his_own)
sys.exit(main([(c.__name__, c) for c in CASES]))
