#!/usr/bin/env python3
"""What requirements.txt says, checked and told.

  table.py rows REQUIREMENTS OUTPUT          the rows as lines of C, for `demi conformance`
  table.py check ROOT BUILD DEMI [--write]   runs what is named as evidence, and compares the table in
                                             doc/conformance.md with what came out, or writes it

Run by the tests: a row fails if a script or a case that it names is not there, or fails; and the
document if it says something else. Cases of tests/hostile and tests/behaviour need networks of their own, so
that here they only have to be there: their suites run each of them.

SPDX-License-Identifier: MIT
"""
import json
import os
import pathlib
import re
import subprocess
import sys

REASONS = ("differs", "none")
BEGIN, END = "<!-- conformance_table begins -->\n", "<!-- conformance_table ends -->\n"
HEAD = """
| requirement | RFC | what is asked for | shown by | |
|---|---|---|---|---|
"""


def rows(path):
    """(id, section, words, evidence) of each row."""
    seen = set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 4 or not all(fields) or fields[0] in seen:
            sys.exit(f"{path}:{number}: four fields, and each requirement once")
        seen.add(fields[0])
        yield fields


def reason(evidence):
    """(status, reason) of a row without evidence, or None."""
    word, colon, text = evidence.partition(": ")
    return (word, text) if colon and word in REASONS else None


def evidences(evidence):
    return [] if reason(evidence) else [tuple(e.split(" ", 1)) for e in evidence.split(", ")]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_rows(requirements, output):
    lines = []
    for name, section, words, evidence in rows(requirements):
        status, why = reason(evidence) or ("pass", "")
        shown = "" if why else evidence
        lines.append("{" + ", ".join(map(quoted, (name, section, words, shown, status, why))) + "},\n")
    output.write_text("".join(lines))


class Results:
    """What came out of the scripts and the cases, each program run once."""

    def __init__(self, root, build, demi):
        self.root, self.build, self.demi, self.cases = root, build, demi, {}
        self.wrapper = os.environ.get("DEMI_TEST_WRAPPER", "").split()
        self.hostile = set()
        for path in (root / "tests/hostile").glob("*.py"):
            self.hostile |= set(re.findall(r"^def ([a-z]\w+)\(a\):", path.read_text(), re.M))
        text = "".join(path.read_text() for path in (root / "tests/behaviour").glob("*.c"))
        self.behaviour = set(re.findall(r"^    (?:ALONE|WITH|THREADS|WITH_KERNEL)\((\w+)", text, re.M))

    def script(self, name):
        path = self.root / "tests/scripts" / (name + ".pkt")
        if not path.exists():
            return f"there is no script {name}"
        p = subprocess.run(self.wrapper + [str(self.demi), "pkt", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return None if p.returncode == 0 else f"the script {name} fails"

    def test(self, name):
        file, _, case = name.partition(":")
        if file not in self.cases:
            program = self.build / (file + "_test")
            if not program.exists():
                return f"there is no test {file}"
            p = subprocess.run(self.wrapper + [str(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.cases[file] = set(re.findall(r"\[ +OK \] (\w+)", p.stdout.decode(errors="replace")))
        return None if case in self.cases[file] else f"the case {case} of {file} is not there, or fails"

    def fault(self, kind, name):
        """None, or what is wrong with a piece of evidence."""
        if kind == "script":
            return self.script(name)
        if kind == "test":
            return self.test(name)
        if kind == "hostile":
            return None if name in self.hostile else f"there is no hostile case {name}"
        if kind == "behaviour":
            return None if name in self.behaviour else f"there is no case {name} of tests/behaviour"
        return f"nobody knows what '{kind} {name}' is"


def told(demi):
    """The requirements that `demi conformance --json` tells, and how they stand."""
    p = subprocess.run([str(demi), "conformance", "--json"], stdout=subprocess.PIPE, check=True)
    return [(r["id"], r["status"]) for r in json.loads(p.stdout)["requirements"]]


def check(root, build, demi, write):
    results, text, faults, known = Results(root, build, demi), HEAD, [], {}
    table = rows(root / "tests/conformance/requirements.txt")
    if told(demi) != [(r[0], (reason(r[3]) or ["pass"])[0]) for r in table]:
        faults.append("`demi conformance --json` tells something else")
    for name, section, words, evidence in rows(root / "tests/conformance/requirements.txt"):
        for e in evidences(evidence):
            if e not in known:
                known[e] = results.fault(*e) if len(e) == 2 else f"'{e[0]}' names no evidence"
            if known[e]:
                faults.append(f"{name}: {known[e]}")
        why = reason(evidence)
        shown = ", ".join(f"{e[0]} `{e[1]}`" for e in evidences(evidence)) if not why else why[1]
        text += f"| {name} | {section[4:]} | {words} | {shown} | {why[0] if why else 'pass'} |\n"
    document = root / "doc/conformance.md"
    before, begin, rest = document.read_text().partition(BEGIN)
    now, end, behind = rest.partition(END)
    if not begin or not end:
        faults.append(f"{document} has no place for the table")
    elif write and not faults:
        document.write_text(before + BEGIN + text + END + behind)
    elif now != text:
        faults.append(f"the table of {document} is not what came out: --write makes it anew")
    print(*faults, f"{len(known)} pieces of evidence", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1] == "rows":
        write_rows(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        sys.exit(check(*(pathlib.Path(a).resolve() for a in sys.argv[2:5]), "--write" in sys.argv))
