#!/usr/bin/env python3
"""The document's table of goodput is the one that a test compares with the stack.

  golden.py DOCUMENT GOLDEN

SPDX-License-Identifier: MIT
"""
import pathlib
import sys


def main(document, golden):
    rows = [line for line in golden.read_text().splitlines() if line and line[0] != "#"]
    shown = {line.strip() for line in document.read_text().splitlines() if line.startswith("    ")}
    missing = [row for row in rows if row.strip() not in shown]
    print(*(f"{document.name} does not have the row {row.strip()!r} of {golden.name}" for row in missing), sep="\n")
    return 1 if missing or not rows else 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
