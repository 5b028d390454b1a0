#!/usr/bin/env python3
"""What the sources of the Debian packages say is what the build makes.

  debian_test.py SOURCES BUILD LIBRARY VERSION

Each file that the build installs is in exactly one package, each line of debian/*.install names something,
the symbols are the library's, and the version is the project's.

SPDX-License-Identifier: MIT
"""
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

OPTIONAL = "usr/share/man/", "usr/lib/*/libdemikernel-dpdk.so"  # not in every build


def installed(build):
    """Files that an install makes, as in a package: below usr/, libraries in lib/ARCHITECTURE."""
    options = json.loads(subprocess.check_output(["meson", "introspect", "--buildoptions", build]))
    value = {option["name"]: option["value"] for option in options}
    with tempfile.TemporaryDirectory(prefix="demi-debian-") as root:
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True,
                       env=dict(os.environ, DESTDIR=root))
        prefix = pathlib.Path(root + value["prefix"])
        files = [str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()]
    libraries = value["libdir"] + "/"
    return ["usr/" + ("lib/any/" + name[len(libraries):] if name.startswith(libraries) else name) for name in files]


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, pattern + "/*")


def check_lists(debian, files):
    lines = [(path.name, line) for path in debian.glob("*.install") for line in path.read_text().split()]
    for name in files:
        owners = [package for package, pattern in lines if matches(name, pattern)]
        if len(owners) != 1:
            yield f"{name} is in {owners or 'no package'}"
    for package, pattern in lines:
        if not pattern.startswith(OPTIONAL) and not any(matches(name, pattern) for name in files):
            yield f"{package}: {pattern} names nothing"


def check_symbols(debian, library):
    listed = set(re.findall(r"^ (demi_\w+)@", (debian / "libdemikernel1.symbols").read_text(), re.M))
    said = subprocess.check_output(["nm", "-D", "--defined-only", library], text=True)
    exported = set(re.findall(r" T (demi_\w+)", said))
    for name in sorted(listed ^ exported):
        yield f"{name} is {'not in debian/libdemikernel1.symbols' if name in exported else 'not in the library'}"


def main(sources, build, library, version):
    debian = pathlib.Path(sources, "debian")
    found = list(check_lists(debian, installed(build))) + list(check_symbols(debian, library))
    changes = (debian / "changelog").read_text()
    if not changes.startswith(f"demikernel ({version})"):
        found.append(f"debian/changelog does not begin with {version}")
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
