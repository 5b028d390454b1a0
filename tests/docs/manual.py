#!/usr/bin/env python3
"""Compares the manual with the headers:

  manual.py MAN INCLUDE

Every function of the headers has a page with the sections that pages of section 3 have, in order, and
with the declaration as the header has it; every page is about a function that there is; every other
page that a page of ours names exists.

SPDX-License-Identifier: MIT
"""
import pathlib
import re
import sys

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS", "EXAMPLE", "SEE ALSO"]
DECLARATION = re.compile(r"^(?:int|void|demi_sgarray_t) (demi_\w+)\([^;]*\);", re.M)


def words(text):
    """A declaration without what line breaks do to it."""
    return " ".join(text.split()).replace("( ", "(")


def declarations(include):
    found = {}
    for header in sorted(include.glob("demi/*.h")):
        for match in DECLARATION.finditer(header.read_text()):
            found[match.group(1)] = (header.name, words(match.group(0)))
    return found


def check_page(name, header, declaration, text):
    sections = re.findall(r"^# (.*)$", text, re.M)
    if sections != SECTIONS:
        yield f"sections are {sections}, not {SECTIONS}"
    synopsis = text.split("# SYNOPSIS")[-1].split("\n# ")[0]
    if declaration not in words(synopsis):
        yield f"SYNOPSIS lacks: {declaration}"
    if f"<demi/{header}>" not in synopsis:
        yield f"SYNOPSIS lacks: #include <demi/{header}>"
    if name not in text.split("# SYNOPSIS")[0].split("# NAME")[-1]:
        yield "NAME lacks it"


def references(text):
    return set(re.findall(r"\*(demi[\w.]*)\*\((\d)\)", text))


def main(man, include):
    faults = []
    functions = declarations(include)
    if len(functions) < 20:
        faults.append(f"only {len(functions)} declarations found: the pattern is out of date")
    pages = {p.name[:-len(".scd")]: p.read_text() for p in sorted(man.glob("*.scd"))}
    links = {p.name: p.read_text().split("/")[1].strip() for p in sorted(man.glob("*.3"))}
    for name, (header, declaration) in functions.items():
        page = links.get(f"{name}.3", f"{name}.3")
        if page not in pages:
            faults.append(f"{name}: no page man/{page}.scd")
            continue
        faults += [f"{page}: {fault}" for fault in check_page(name, header, declaration, pages[page])]
    for page in list(pages) + list(links):
        if page.endswith(".3") and page[:-2] not in functions:
            faults.append(f"{page}: the headers have no such function")
    for page, text in pages.items():
        for name, section in references(text):
            if f"{name}.{section}" not in pages and f"{name}.{section}" not in links:
                faults.append(f"{page}: names {name}({section}), which is not there")
    build = (man / "meson.build").read_text()
    faults += [f"{page}: not in man/meson.build" for page in pages if f"'{page}'" not in build]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
