#!/usr/bin/env python3
# dpdk.py EXAMPLES [PART-OF-A-NAME ...] - the example programs over catnip's virtual ports, between
# two processes: what is wrong with a port, and a peer that is killed, starts again, or comes first.
#
# SPDX-License-Identifier: MIT
import json
import os
import shutil
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


def environment(address, eal, more=""):
    config = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    config.write("demikernel:\n  local_ipv4_addr: %s/24\n  local_link_addr: '02:00:00:00:07:0%s'\n"
                 "  exit_linger_ms: %d\n%sdpdk:\n  eal_init: %s\n" % (
                     address, address[-1], PATIENCE_S * 1000 // 2, more, json.dumps(eal)))
    config.close()
    os.chmod(config.name, 0o644)  # some cases read it as nobody
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


def refused(eal, *words, more="", prefix=()):
    """A program that cannot start: it says why once, and leaves nothing behind."""
    before = left_behind()
    program = start(environment(SERVER, eal, more), *prefix, *echo("server"))
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


def an_option_that_dpdk_does_not_know_is_named():
    refused(EAL + ["--no-such-option"], "dpdk.eal_init", "--no-such-option")


def without_huge_pages_it_says_so():
    with open("/proc/meminfo") as f:
        if "HugePages_Free:        0\n" not in f.read():
            return  # there are some
    refused(["--no-pci", "--no-telemetry", "--in-memory", "--vdev", "net_null0"],
            "sysctl vm.nr_hugepages=", "Cannot allocate memory")


def with_too_little_memory_it_names_the_option():
    refused(["8" if word == "256" else word for word in EAL] + ["--vdev", "net_null0"], "-m MB", "Cannot allocate memory")


def an_interface_that_is_not_there_is_named():
    refused(EAL + ["--vdev", "net_af_packet0,iface=nosuch0"], "no interface nosuch0", "ip link")


def a_driver_without_its_privilege_says_which():
    prefix = ()
    if os.geteuid() == 0:
        prefix = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    for vdev, names in (("net_af_packet0,iface=lo", "CAP_NET_RAW"), ("net_tap0", "CAP_NET_ADMIN")):
        refused(EAL + ["--vdev", vdev], names, "setcap", "Operation not permitted", prefix=prefix)


def memif_beyond_its_mtu_says_what_it_takes():
    refused(EAL + ["--vdev", ports("memif", "mtu")[0]], "at most 1500", "mtu is 9000",
            more="inetstack_config:\n  mtu: 9000\n")


def a_socket_whose_folder_is_not_there_says_how_to_make_it():
    for kind in ("memif", "vhost"):
        refused(EAL + ["--vdev", ports(kind, "nosuch/socket")[0]], "mkdir -p " + os.path.join(FOLDER.name, "nosuch"))


def virtio_user_without_its_other_end_says_so():
    refused(EAL + ["--vdev", ports("vhost", "nobody")[1]], "nobody listens at")


def a_file_that_is_no_socket_is_left_alone():
    path = os.path.join(FOLDER.name, "precious")
    with open(path, "w") as f:
        f.write("data")
    refused(EAL + ["--vdev", "net_vhost0,iface=" + path], "is no socket")
    with open(path) as f:
        if f.read() != "data":
            raise AssertionError("it was written to")


def a_socket_in_use_is_refused(kind):
    server_env, client_env = environments(kind, "in-use-" + kind)
    server = start_server(server_env)
    refused(EAL + ["--vdev", ports(kind, "in-use-" + kind)[0]], "another program has the socket", "Address already in use")
    ended_well(start(client_env, *echo("client")), "the first one's client")
    ended_well(server, "the first one")


def a_socket_of_memif_in_use_is_refused_and_goes_on():
    a_socket_in_use_is_refused("memif")


def a_socket_of_vhost_in_use_is_refused_and_goes_on():
    a_socket_in_use_is_refused("vhost")


def nothing_is_left_behind_without_options_for_it():
    eal = [word for word in EAL if word != "--no-shconf"]
    refused(eal + ["--vdev", "net_nosuchthing0"], "net_nosuchthing")
    before = left_behind()
    server_env, client_env = [environment(address, eal + ["--vdev", vdev])
                              for address, vdev in zip((SERVER, CLIENT), ports("memif", "plain"))]
    server = start_server(server_env)
    ended_well(start(client_env, *echo("client")), "the client")
    ended_well(server, "the server")
    if left_behind() != before:
        raise AssertionError("left behind: %s" % (set(left_behind()) - set(before)))


def two_primary_processes_of_one_name_are_told_apart():
    prefix = ["--file-prefix=demi-test-%d" % os.getpid()]
    eal = [word for word in EAL if word != "--no-shconf"] + prefix
    try:
        server = start_server(environment(SERVER, eal + ["--vdev", ports("memif", "prefix")[0]]))
        refused(eal + ["--vdev", "net_null0"], "--no-shconf", "--file-prefix=NAME", "Device or resource busy")
        server.kill()
        server.wait()
    finally:
        for top in RUNTIME:
            shutil.rmtree(os.path.join(top, "demi-test-%d" % os.getpid()), ignore_errors=True)


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
         an_option_that_dpdk_does_not_know_is_named, without_huge_pages_it_says_so,
         with_too_little_memory_it_names_the_option, an_interface_that_is_not_there_is_named,
         a_driver_without_its_privilege_says_which, memif_beyond_its_mtu_says_what_it_takes,
         a_socket_whose_folder_is_not_there_says_how_to_make_it, virtio_user_without_its_other_end_says_so,
         a_file_that_is_no_socket_is_left_alone, a_socket_of_memif_in_use_is_refused_and_goes_on,
         a_socket_of_vhost_in_use_is_refused_and_goes_on, nothing_is_left_behind_without_options_for_it,
         two_primary_processes_of_one_name_are_told_apart,
         more_than_a_gigabyte_goes_over_memif_and_comes_back,
         more_than_a_gigabyte_goes_over_vhost_and_comes_back, a_killed_server_starts_again_over_memif,
         a_killed_server_starts_again_over_vhost, a_client_may_come_first_over_memif]
sys.exit(main([(c.__name__, c) for c in CASES], in_namespaces=False))
