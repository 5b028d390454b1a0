#!/usr/bin/env python3
"""The tests that tests/README.md names are there.

  categories.py TESTS

A name in backquotes with underscores is a case of TESTS/behaviour that a table there runs; one with hyphens a
script of TESTS/scripts.

SPDX-License-Identifier: MIT
"""
import pathlib
import re
import sys


def main(tests):
    names = re.findall(r"`(\w+(?:[_-]\w+)+)`", (tests / "README.md").read_text())
    text = "".join(path.read_text() for path in (tests / "behaviour").glob("*.c"))
    run = set(re.findall(r"^    (?:ALONE|WITH|THREADS|WITH_KERNEL)\((\w+)", text, re.M))
    scripts = {path.stem for path in (tests / "scripts").glob("*.pkt")}
    if not names or not run or not scripts:
        sys.exit("the pattern is out of date: nothing was found")
    missing = [name for name in names if name not in run | scripts]
    print(*(f"{name} is named in tests/README.md, and not there" for name in missing), sep="\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
