#!/usr/bin/env python3
# dpdk.py EXAMPLES [PART-OF-A-NAME ...] - the example programs over catnip's virtual ports, between
# two processes: what is wrong with a port, and a peer that is killed, starts again, or comes first.
#
# SPDX-License-Identifier: MIT
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.argv.insert(1, "dpdk")  # main() takes the parts of names from the fourth on

from net import FILES, PATIENCE_S, PATIENT, SLOWDOWN, await_line, ended_well, main, wrapped

EXAMPLES = sys.argv[2]
SERVER, CLIENT, PORT = "10.7.0.1", "10.7.0.2", "17007"
EAL = ["--no-huge", "-m", "256", "--no-pci", "--no-telemetry", "--no-shconf"]
RUNTIME = ["/var/run/dpdk", "/tmp/dpdk", "/dev/hugepages"]  # where DPDK leaves files
FOLDER = tempfile.TemporaryDirectory(prefix="demi-dpdk-")


def environment(address, eal):
    config = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    config.write("demikernel:\n  local_ipv4_addr: %s/24\n  local_link_addr: '02:00:00:00:07:0%s'\n"
                 "  exit_linger_ms: %d\ndpdk:\n  eal_init: %s\n" % (
                     address, address[-1], PATIENCE_S * 1000 // 2, json.dumps(eal)))
    config.close()
    FILES.append(config.name)
    return dict(PATIENT, LIBOS="catnip", CONFIG_PATH=config.name)


def ports(kind, name):
    """The two ends' --vdev: the server's, the client's."""
    path = os.path.join(FOLDER.name, name)
    if kind == "memif":
        return ["net_memif,role=%s,socket-abstract=no,socket=%s" % (role, path) for role in ("server", "client")]
    return ["net_vhost0,iface=" + path, "net_virtio_user0,queue_size=1024,path=" + path]


def environments(kind, name):
    return [environment(address, EAL + ["--vdev", vdev])
            for address, vdev in zip((SERVER, CLIENT), ports(kind, name))]


def start(env, *args):
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *wrapped(args)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)


def echo(role, clients=1, size=64, requests=1000):
    command = [os.path.join(EXAMPLES, "tcp-echo"), "--peer", role, "--address", SERVER + ":" + PORT]
    if role == "server":
        return command
    return command + ["--bufsize", size, "--nclients", clients, "--nrequests", requests, "--run-mode", "concurrent"]


def start_server(env):
    server = start(env, *echo("server"))
    await_line(server, b"INFO: ")
    return server


def left_behind():
    return sorted(os.path.join(folder, f) for top in RUNTIME for folder, _, files in os.walk(top) for f in files)


def refused(eal, *words):
    """A program that cannot start: it says why once, and leaves nothing behind."""
    before = left_behind()
    program = start(environment(SERVER, eal), *echo("server"))
    said, _ = program.communicate(timeout=PATIENCE_S)
    said = said.decode(errors="replace")
    if program.returncode in (0, None) or program.returncode < 0:
        raise AssertionError("exit status %s: %s" % (program.returncode, said))
    if said.count("demikernel: error:") != 1 or "EAL: " in said.replace("(EAL: ", ""):
        raise AssertionError("not one sentence: %s" % said)
    for word in words:
        if word not in said:
            raise AssertionError("nothing of %r: %s" % (word, said))
    if left_behind() != before:
        raise AssertionError("left behind: %s" % (set(left_behind()) - set(before)))


def a_driver_that_is_not_there_is_refused():
    refused(EAL + ["--vdev", "net_nosuchthing0"], "net_nosuchthing")


def without_a_port_it_says_how_to_name_one():
    refused(EAL, "--vdev=net_tap0")


def an_option_that_dpdk_does_not_know_is_refused():
    refused(EAL + ["--no-such-option"], "DPDK's environment does not start")


def without_huge_pages_it_says_so():
    with open("/proc/meminfo") as f:
        if "HugePages_Free:        0\n" not in f.read():
            return  # there are some
    refused(["--no-pci", "--no-telemetry", "--in-memory", "--vdev", "net_null0"], "demi doctor")


def an_interface_that_is_not_there_is_refused():
    refused(EAL + ["--vdev", "net_af_packet0,iface=nosuch0"])


def a_socket_in_use_is_refused():
    server_env, _ = environments("memif", "in-use")
    server = start_server(server_env)
    refused(EAL + ["--vdev", ports("memif", "in-use")[0]], "Address already in use")
    server.kill()
    server.wait()


def much_comes_back_as_it_was_sent(kind):
    server_env, client_env = environments(kind, "much-" + kind)
    server = start_server(server_env)
    ended_well(start(client_env, *echo("client", 4, 1 << 20, 160 // SLOWDOWN)), "the client")
    ended_well(server, "the server")


def more_than_a_gigabyte_goes_over_memif_and_comes_back():
    much_comes_back_as_it_was_sent("memif")


def more_than_a_gigabyte_goes_over_vhost_and_comes_back():
    much_comes_back_as_it_was_sent("vhost")


def a_killed_server_starts_again(kind):
    server_env, client_env = environments(kind, "killed-" + kind)
    server = start_server(server_env)
    client = start(client_env, *echo("client", 1, 64, 4000000000), "--log", "1")
    await_line(client, b" requests, ")
    server.send_signal(signal.SIGKILL)
    server.wait()
    client.kill()
    client.wait()
    server = start_server(server_env)
    ended_well(start(client_env, *echo("client")), "the client")
    ended_well(server, "the server")


def a_killed_server_starts_again_over_memif():
    a_killed_server_starts_again("memif")


def a_killed_server_starts_again_over_vhost():
    a_killed_server_starts_again("vhost")


def a_client_may_come_first_over_memif():
    server_env, client_env = environments("memif", "first")
    client = start(dict(client_env, DEMI_LOG="info"), *echo("client"))
    await_line(client, b"DPDK port")
    server = start_server(server_env)
    ended_well(client, "the client")
    ended_well(server, "the server")


CASES = [a_driver_that_is_not_there_is_refused, without_a_port_it_says_how_to_name_one,
         an_option_that_dpdk_does_not_know_is_refused, without_huge_pages_it_says_so,
         an_interface_that_is_not_there_is_refused, a_socket_in_use_is_refused,
         more_than_a_gigabyte_goes_over_memif_and_comes_back,
         more_than_a_gigabyte_goes_over_vhost_and_comes_back, a_killed_server_starts_again_over_memif,
         a_killed_server_starts_again_over_vhost, a_client_may_come_first_over_memif]
sys.exit(main([(c.__name__, c) for c in CASES], in_namespaces=False))
