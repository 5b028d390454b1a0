#!/usr/bin/env python3
"""Checks that what doc/conformance.md names is there:

  conformance.py CONFORMANCE.md TESTS_SCRIPTS SRC_INET

Of each table row every script is a file of tests/scripts, every test case a function of the test
it is said to be of, and every limit in capitals a name in a header.

SPDX-License-Identifier: MIT
"""
import pathlib
import re
import sys

SCRIPT = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+){2,})`")
CASES = re.compile(r"([a-z_]+): ((?:`[a-z0-9_]+`(?:, )?)+)")
LIMIT = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")


def missing(rows, scripts, inet):
    headers = "\n".join(path.read_text() for path in inet.glob("*limits.h"))
    for row in rows:
        for name in SCRIPT.findall(row):
            if not (scripts / (name + ".pkt")).exists():
                yield f"there is no script {name}"
        for test, cases in CASES.findall(row):
            path = inet / (test + "_test.c")
            text = path.read_text() if path.exists() else ""
            for case in re.findall(r"`(\w+)`", cases):
                if f"static void {case}(" not in text:
                    yield f"there is no case {case} in {path.name}"
        for name in LIMIT.findall(row):
            if not re.search(rf"\b{name}\b", headers):
                yield f"no header names {name}"


def main(document, scripts, inet):
    lines = pathlib.Path(document).read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    faults = list(missing(rows, pathlib.Path(scripts), pathlib.Path(inet)))
    for fault in faults:
        print(f"{document}: {fault}", file=sys.stderr)
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
