#!/usr/bin/env python3
"""Runs the commands that a document shows.

  commands.py FILE BUILD INCLUDE

Each block of FILE marked "sh" is run, in their order, in one folder that has the document's program as
echo.c, with the programs and the library of the build as if they were installed. Each must end with 0.
Where a reader gives a server a second to start, a machine that runs tests gets five.

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
NEEDED = "cc", "nc", "pkg-config", "taskset"


PKG_CONFIG = """Name: demikernel
Description: the library of the build
Version: 0
Cflags: -I{include}
Libs: -L{build} -ldemikernel
"""


def environment(build, folder):
    path = os.pathsep.join([str(build / "tools"), str(build / "examples"), os.environ["PATH"]])
    env = dict(os.environ, PATH=path, LD_LIBRARY_PATH=str(build), XDG_CONFIG_HOME="/nonexistent",
               PKG_CONFIG_PATH=folder)
    for name in "LIBOS", "CONFIG_PATH":
        env.pop(name, None)
    return env


def main(document, build, include):
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        print("skipped: not installed:", *missing)
        return SKIPPED
    text = document.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    if not blocks:
        sys.exit(f"{document}: no commands")
    with tempfile.TemporaryDirectory(prefix="demi-docs-") as folder:
        pathlib.Path(folder, "demikernel.pc").write_text(PKG_CONFIG.format(include=include, build=build))
        for code in re.findall(r"^```c\n(.*?)^```$", text, re.M | re.S):
            if "int main(" in code:
                pathlib.Path(folder, "echo.c").write_text(code)
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
    sys.exit(main(*map(pathlib.Path, sys.argv[1:4])))
