#!/usr/bin/env python3
"""Runs the commands that a document shows.

  commands.py FILE BUILD INCLUDE SOURCES

Each block of FILE marked "sh" is run, in their order, in one folder that has the document's program as
echo.c and program.c, with the programs and the library of the build as if they were installed, and the build
folder as build. Each must end with 0. Where a reader gives a server a second to start, a machine that runs
tests gets five.

Of commands that are indented instead, a compiler's is run as well, make's are looked up in SOURCES' Makefile,
and of those for root (sudo) and for docker, which would change the machine, the shell reads the grammar. Any
other command belongs into a block.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
TIMEOUT_S = 60 * int(os.environ.get("DEMI_TEST_SLOWDOWN", 1))
NEEDED = "cc", "curl", "nc", "pkg-config", "taskset"


PKG_CONFIG = """libdir={build}
Name: demikernel
Description: the library of the build
Version: 0
Cflags: -I{include}
Libs: -L${{libdir}} -ldemikernel
"""


def environment(build, folder):
    path = os.pathsep.join([str(build / "tools"), str(build / "examples"), os.environ["PATH"]])
    env = dict(os.environ, PATH=path, LD_LIBRARY_PATH=str(build), XDG_CONFIG_HOME="/nonexistent",
               PKG_CONFIG_PATH=folder)
    for name in "LIBOS", "CONFIG_PATH":
        env.pop(name, None)
    return env


def indented(text):
    """Commands outside of blocks, without their comments."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for line in re.findall(r"^    (\S.*)$", outside, re.M):
        words = line.split("  #")[0].split()
        if re.fullmatch(r"make|cc|sudo|docker|demi|\./\w+|build/\S+", words[0]):
            yield " ".join(words)


def check_indented(command, folder, env, sources):
    """How the shell ends that looks at a command; None: it is none that may stand there."""
    kind = command.split()[0]
    if kind == "make":
        return subprocess.run(["make", "-n", "-C", sources, *command.split()[1:]], stdout=subprocess.DEVNULL).returncode
    if kind == "cc":
        return subprocess.run(["sh", "-ec", command], cwd=folder, env=env, timeout=TIMEOUT_S).returncode
    if kind in ("sudo", "docker"):
        return subprocess.run(["sh", "-nc", command]).returncode
    return None


def main(document, build, include, sources):
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        print("skipped: not installed:", *missing)
        return SKIPPED
    text = document.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    loose = list(indented(text))
    if not blocks and not loose:
        sys.exit(f"{document}: no commands")
    with tempfile.TemporaryDirectory(prefix="demi-docs-") as folder:
        pathlib.Path(folder, "demikernel.pc").write_text(PKG_CONFIG.format(include=include, build=build))
        for code in re.findall(r"^```c\n(.*?)^```$", text, re.M | re.S):
            if "int main(" in code:
                pathlib.Path(folder, "echo.c").write_text(code)
        if not pathlib.Path(folder, "echo.c").exists():
            pathlib.Path(folder, "echo.c").write_text("#include <demi/libos.h>\nint main(void) { return demi_init(0); }\n")
        shutil.copy(pathlib.Path(folder, "echo.c"), pathlib.Path(folder, "program.c"))
        pathlib.Path(folder, "build").symlink_to(build)
        for command in loose:
            print(command)
            status = check_indented(command, folder, environment(build, folder), sources)
            if status != 0:
                sys.exit(f"{document.name}: {'not for an indented line' if status is None else 'not good'}: {command}")
        for block in blocks:
            result = subprocess.run(["sh", "-ec", block.replace("sleep 1", "sleep 5")], cwd=folder, env=environment(build, folder), timeout=TIMEOUT_S,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            print(block, result.stdout, sep="")
            if result.returncode != 0:
                sys.exit(f"{document.name}: ended with {result.returncode}:\n{block}")
            if "printf 'hello" in block and "doctor" not in block and "hello" not in result.stdout:
                sys.exit(f"{document.name}: no echo came from:\n{block}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:5])))
