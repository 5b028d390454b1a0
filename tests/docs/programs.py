#!/usr/bin/env python3
"""Compiles and runs the programs that documents show.

  programs.py FILE LIBRARY INCLUDE -- CC [FLAGS...]

FILE is a page of the manual (.scd), of which the EXAMPLE section's program is taken, or Markdown, of
which every block marked "c" that has a main() is. Each must compile as C99 without a warning. A page's
program ends with 0 by itself; one in Markdown is an echo server for one client on the port that it is
given, and ends with 0 when the client does.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

WRAPPER = os.environ.get("DEMI_TEST_WRAPPER", "").split()  # see wrapped.sh
TIMEOUT_S = 30 * int(os.environ.get("DEMI_TEST_SLOWDOWN", 1))
STRICT = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"]


def programs(path):
    text = path.read_text()
    if path.suffix == ".scd":
        example = text.split("\n# EXAMPLE\n")[1].split("\n# ")[0]
        # In scdoc a backslash is written twice.
        return [re.sub(r"\\(.)", r"\1", code) for code in re.findall(r"^```\n(.*?)^```$", example, re.M | re.S)]
    return [code for code in re.findall(r"^```c\n(.*?)^```$", text, re.M | re.S) if "int main(" in code]


def compile_program(code, folder, library, include, compiler):
    source = pathlib.Path(folder, "program.c")
    program = pathlib.Path(folder, "program")
    source.write_text(code)
    subprocess.run([*compiler, *STRICT, "-I", include, source, "-o", program, f"-L{library.parent}",
                    f"-Wl,-rpath,{library.parent}", "-ldemikernel"], check=True)
    return program


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port, server):
    """A connection to a server that is starting."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        except ConnectionRefusedError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.01)


def echo(program, **how):
    """The program is an echo server: bytes come back, and it ends after its client."""
    port = free_port()
    with subprocess.Popen([*WRAPPER, program, str(port)], **how) as server:
        try:
            with connect(port, server) as client:
                for message in (b"hello", b"x" * 100000):
                    client.sendall(message)
                    if client.makefile("rb").read(len(message)) != message:
                        sys.exit("another message came back")
            if server.wait(TIMEOUT_S) != 0:
                sys.exit(f"the server ended with {server.returncode}")
        finally:
            server.kill()


def run(path, code, library, include, compiler):
    with tempfile.TemporaryDirectory(prefix="demi-docs-") as folder:
        program = compile_program(code, folder, library, include, compiler)
        # The program is shown as it is for everybody: no configuration of this machine's.
        env = {k: v for k, v in os.environ.items() if k not in ("LIBOS", "CONFIG_PATH", "XDG_CONFIG_HOME")}
        env["HOME"] = folder
        if path.suffix == ".scd":
            subprocess.run([*WRAPPER, program], check=True, timeout=TIMEOUT_S, env=env, cwd=folder)
        else:
            echo(program, env=env, cwd=folder)


def main(arguments):
    split = arguments.index("--")
    path, library, include = (pathlib.Path(a) for a in arguments[:split])
    found = programs(path)
    if not found:
        sys.exit(f"{path}: no program found")
    for code in found:
        run(path, code, library, include, arguments[split + 1:])


if __name__ == "__main__":
    main(sys.argv[1:])
