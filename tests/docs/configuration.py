#!/usr/bin/env python3
"""Compares what is written about the configuration with the table of keys:

  configuration.py LIST_CONFIG_KEYS CONFIGURATION.md DEMIKERNEL.YAML.5.scd

The tables of the first document have one row for each key, and nothing else, and say the same; the
manual page has an entry for each key with its default, and none for another.

SPDX-License-Identifier: MIT
"""
import os
import pathlib
import re
import subprocess
import sys

COLUMNS = ["key", "variable", "values", "unit", "default", "used by"]


def table_rows(text):
    """Rows of six cells whose first is a key, as lists of bare cells."""
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) >= len(COLUMNS):
            yield cells[:len(COLUMNS)]


def compare_table(keys, text):
    rows = {row[0]: row for row in table_rows(text)}
    for key in keys:
        row = rows.pop(key[0], None)
        if not row:
            yield f"doc/configuration.md: no row for {key[0]}"
            continue
        for name, right, cell in zip(COLUMNS, key, row):
            if right != cell:
                yield f"doc/configuration.md: {key[0]}: {name} is {right!r}, not {cell!r}"
    for name in rows:
        yield f"doc/configuration.md: {name} is not a key"


def compare_manual(keys, text):
    entries = dict(re.findall(r"^\*([a-z0-9_.\\]+)\*.*\n((?:\t.*\n|\n(?=\t))+)", text, re.M))
    entries = {name.replace("\\", ""): " ".join(body.split()) for name, body in entries.items()}
    for path, variable, _, _, default, _ in keys:
        body = entries.pop(path, None)
        if body is None:
            yield f"demikernel.yaml(5): no entry for {path}"
            continue
        if default and f"Default: {default}." not in body:
            yield f"demikernel.yaml(5): {path}: lacks \"Default: {default}.\""
        if variable and variable not in text.replace("\\", ""):
            yield f"demikernel.yaml(5): lacks the variable {variable}"
    for name in entries:
        if "." in name:
            yield f"demikernel.yaml(5): {name} is not a key"


def main(program, table, manual):
    wrapper = os.environ.get("DEMI_TEST_WRAPPER", "").split()  # see wrapped.sh
    out = subprocess.run([*wrapper, program], check=True, capture_output=True, text=True).stdout
    keys = [line.split("\t") for line in out.splitlines()]
    faults = list(compare_table(keys, pathlib.Path(table).read_text()))
    faults += compare_manual(keys, pathlib.Path(manual).read_text())
    for fault in faults:
        print(fault)
    sys.exit(1 if faults or not keys else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
